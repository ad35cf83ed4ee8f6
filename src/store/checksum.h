// A checksum over what a row of the store's file holds. SQLite keeps none, and a disk that changes
// a bit of a value would otherwise hand out another value.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace podium::store {

// 64 bits. Each step is a bijection of what has been summed so far and of the word that is added,
// so that damage to one word of eight bytes is always found, and other damage but for one case in
// 2^64. Not for adversaries. It is part of the file's format.
class Checksum {
 public:
  Checksum& Add(uint64_t word) {
    sum_ = (std::rotl(sum_, 29) ^ word) * 0x9e3779b97f4a7c15ULL;
    return *this;
  }
  Checksum& Add(std::string_view bytes) {
    Add(bytes.size());
    while (!bytes.empty()) {
      uint64_t word = 0;
      const size_t length = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
      std::memcpy(&word, bytes.data(), length);
      if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
      Add(word);
      bytes.remove_prefix(length);
    }
    return *this;
  }
  int64_t value() const { return static_cast<int64_t>(sum_ ^ (sum_ >> 32)); }

 private:
  uint64_t sum_ = 0x2545f4914f6cdd1dULL;
};

}  // namespace podium::store
