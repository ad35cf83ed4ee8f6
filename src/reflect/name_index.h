// The index from a JSON key to its field: a perfect hash over the keys of one type, computed by the
// generator (tools/schema_cpp.py has the same function) and by RuntimeTypes.
//
// A key is hashed in its quoted form with the colon, "\"name\":", from its length and its first and
// last eight bytes, or four where it is shorter than eight.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace podium::reflect {

namespace detail {
template <class Word>
inline Word LoadWord(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
}  // namespace detail

// `size` is at least 4, as the shortest key is "\"a\":".
inline uint64_t KeyBits(const char* quoted, size_t size) {
  using detail::LoadWord;
  const uint64_t first = size >= 8 ? LoadWord<uint64_t>(quoted) : LoadWord<uint32_t>(quoted);
  const uint64_t last =
      size >= 8 ? LoadWord<uint64_t>(quoted + size - 8) : LoadWord<uint32_t>(quoted + size - 4);
  return first ^ std::rotl(last, 29) ^ size;
}

// Slots hold a field's index; kNoField where there is none.
struct NameIndex {
  static constexpr uint8_t kNoField = 0xFF;

  const uint8_t* slots = nullptr;  // 2^bits of them; null: no index, search instead
  uint64_t multiplier = 0;
  uint8_t bits = 0;

  uint8_t At(uint64_t key_bits) const { return slots[(key_bits * multiplier) >> (64 - bits)]; }
};

// Compares two keys of equal size, at least 4, without a call.
inline bool EqualKeys(const char* a, const char* b, size_t size) {
  using detail::LoadWord;
  if (size < 8) {
    return LoadWord<uint32_t>(a) == LoadWord<uint32_t>(b) &&
           LoadWord<uint32_t>(a + size - 4) == LoadWord<uint32_t>(b + size - 4);
  }
  const size_t last = size - 8;
  for (size_t i = 0; i < last; i += 8) {
    if (LoadWord<uint64_t>(a + i) != LoadWord<uint64_t>(b + i)) return false;
  }
  return LoadWord<uint64_t>(a + last) == LoadWord<uint64_t>(b + last);
}

}  // namespace podium::reflect
