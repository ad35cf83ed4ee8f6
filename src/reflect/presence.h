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

#include "reflect/values.h"

namespace podium::reflect {

enum class Kind : uint8_t;
enum class Shape : uint8_t;

// The word to read, in words from the object's beginning, and the mask of the field's bytes in it.
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

  uint16_t word = 0;
  uint8_t mask = kNone;

  // `size` is 1, 4 or 8 bytes at `offset`, aligned.
  static constexpr Probe At(size_t offset, size_t size) {
    const auto word = static_cast<uint16_t>(offset / kWord);
    const auto part = static_cast<uint8_t>(offset % kWord / size);
    if (offset / kWord > UINT16_MAX) return {};
    return {word, static_cast<uint8_t>(size == 1   ? kByte + part
                                       : size == 4 ? kHalf + part
                                                   : kWhole)};
  }
};

}  // namespace podium::reflect
