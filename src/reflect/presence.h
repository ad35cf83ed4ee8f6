// A fast answer to "has this field a value?", for the loops that pass over many empty fields: of
// the 45 fields of a PodSpec a dozen are set. Included by type.h; used by reflect alone.
//
// Asking each container and optional through its own functions costs a call and a mispredicted
// branch a field, which was half of the time of encoding and copying. Instead one word of the
// field's storage is read, which is zero when the field is empty. Where it stands follows from how
// libstdc++ lays out the types on 64-bit machines: a string's length at 8, a vector's begin at 0, a
// map's node count at 40, an optional's flag behind its value. tests/reflect/presence_test.cpp
// checks each of these against the types themselves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "reflect/values.h"

namespace podium::reflect {

enum class Kind : uint8_t;
enum class Shape : uint8_t;

// How to ask one field of a type. Four bytes a field, in a table of their own beside the fields, so
// that the loops touch the large descriptors of those fields alone that have a value.
struct Probe {
  static constexpr size_t kWord = sizeof(uint64_t);
  // Masks by index: none (never surely empty), the whole word, one of its bytes, one of its halves.
  static constexpr uint8_t kNone = 0;
  static constexpr uint8_t kWhole = 1;
  static constexpr uint8_t kByte = 2;
  static constexpr uint8_t kHalf = kByte + 8;
  static constexpr auto kMasks = [] {
    std::array<uint64_t, kHalf + 2> masks{0, ~uint64_t{0}};
    for (size_t i = 0; i < 8; ++i) masks[kByte + i] = uint64_t{0xFF} << 8 * i;
    for (size_t i = 0; i < 2; ++i) masks[kHalf + i] = uint64_t{0xFFFFFFFF} << 32 * i;
    return masks;
  }();

  uint16_t word = 0;  // to read, in words from the object's beginning
  uint8_t mask = kNone;
  bool json_omits : 1 = false;      // an empty one is not written
  bool protobuf_omits : 1 = false;  // likewise
  bool exact : 1 = false;           // what is not surely empty is surely not empty

  // `size` is 1, 4 or 8 bytes at `offset`, aligned.
  static constexpr Probe At(size_t offset, size_t size) {
    const size_t word = offset / kWord;
    const auto part = static_cast<uint8_t>(offset % kWord / size);
    if (word > UINT16_MAX) return {};
    const auto mask = static_cast<uint8_t>(size == 1   ? kByte + part
                                           : size == 4 ? kHalf + part
                                                       : kWhole);
    return {static_cast<uint16_t>(word), mask};
  }

  // True only when the field is as in a default-made object. False may mean either.
  bool SurelyEmpty(const void* object) const {
    // An object without probes may be smaller than a word.
    if (mask == kNone) return false;
    uint64_t bits;
    std::memcpy(&bits, static_cast<const char*>(object) + word * kWord, sizeof bits);
    return (bits & kMasks[mask]) == 0;
  }
};
static_assert(sizeof(Probe) == 4);

}  // namespace podium::reflect
