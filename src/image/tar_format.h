// Where what stands in a tar archive's header block.
// Source: POSIX.1-2017, pax, "ustar Interchange Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace podium::image::tar {

inline constexpr size_t kBlock = 512;

struct Range {
  size_t offset;
  size_t size;
};

inline constexpr Range kName{0, 100};
inline constexpr Range kMode{100, 8};
inline constexpr Range kUid{108, 8};
inline constexpr Range kGid{116, 8};
inline constexpr Range kSize{124, 12};
inline constexpr Range kMtime{136, 12};
inline constexpr Range kChecksum{148, 8};
inline constexpr size_t kTypeFlag = 156;
inline constexpr Range kLink{157, 100};
inline constexpr Range kMagic{257, 6};
inline constexpr Range kVersion{263, 2};
inline constexpr Range kMajor{329, 8};
inline constexpr Range kMinor{337, 8};
inline constexpr Range kPrefix{345, 155};
inline constexpr size_t kStarPrefixSize = 131;
inline constexpr Range kStarTrailer{508, 4};

inline constexpr std::string_view kPosixMagic{"ustar\0", 6};
inline constexpr std::string_view kStarMagic{"tar\0", 4};

// How many bytes fill up the last block.
constexpr uint64_t Padding(uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

}  // namespace podium::image::tar
