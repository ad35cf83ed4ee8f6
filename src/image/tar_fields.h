// The numbers in tar headers and in pax records. Nothing: it is no number of this kind.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "image/tar_format.h"

namespace podium::image::tar {

// Of a header block: octal digits, or base 256 where the first bit is set; empty is 0.
std::optional<int64_t> Number(std::string_view block, Range range);

// Of a pax record: decimal digits, no more than fit int64.
std::optional<uint64_t> Decimal(std::string_view text);

// "1700000000.123456789", also negative. Digits behind the ninth are cut off.
std::optional<timespec> PaxTime(std::string_view text);

// Of a header block, with bytes added as unsigned or, as some old tars did, as signed.
bool ChecksumFits(std::string_view block);

}  // namespace podium::image::tar
