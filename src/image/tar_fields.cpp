#include "image/tar_fields.h"

#include <charconv>
#include <limits>
#include <string>

namespace podium::image::tar {
namespace {

// Base 256, two's complement, the highest bit of the first byte set: what octal has no room for.
std::optional<int64_t> Base256(std::string_view field) {
  const bool negative = (field[0] & 0x40) != 0;
  uint64_t value = 0;
  for (size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(field[i]);
    if (negative) byte = static_cast<unsigned char>(~byte);
    if (i == 0) byte &= 0x7F;
    if (value >> 56 != 0) return std::nullopt;
    value = value << 8 | byte;
  }
  if (value >> 63 != 0) return std::nullopt;
  const auto number = static_cast<int64_t>(value);
  return negative ? ~number : number;
}

}  // namespace

std::optional<int64_t> Number(std::string_view block, Range range) {
  std::string_view field = block.substr(range.offset, range.size);
  if ((field[0] & 0x80) != 0) return Base256(field);
  constexpr std::string_view kPadding(" \0", 2);
  const size_t first = field.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return 0;
  field = field.substr(first, field.find_last_not_of(kPadding) - first + 1);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
  if (error != std::errc() || end != field.data() + field.size() || value >> 63 != 0) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

std::optional<uint64_t> Decimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return value;
}

std::optional<timespec> PaxTime(std::string_view text) {
  const size_t dot = text.find('.');
  int64_t seconds = 0;
  const std::string_view whole = text.substr(0, dot);
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (whole.empty() || error != std::errc() || end != whole.data() + whole.size()) {
    return std::nullopt;
  }
  long nanoseconds = 0;
  if (dot != std::string_view::npos) {
    std::string digits(text.substr(dot + 1));
    if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    digits.resize(9, '0');
    nanoseconds = std::stol(digits);
  }
  // -1.5 is half a second before -1.
  if (whole.front() == '-' && nanoseconds > 0) {
    if (seconds == std::numeric_limits<int64_t>::min()) return std::nullopt;
    return timespec{seconds - 1, 1'000'000'000 - nanoseconds};
  }
  return timespec{seconds, nanoseconds};
}

bool ChecksumFits(std::string_view block) {
  const auto said = Number(block, kChecksum);
  int64_t as_unsigned = 0;
  int64_t as_signed = 0;  // what some old tars computed
  for (size_t i = 0; i < block.size(); ++i) {
    const bool inside = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    const char c = inside ? ' ' : block[i];
    as_unsigned += static_cast<unsigned char>(c);
    as_signed += static_cast<signed char>(c);
  }
  return said && (*said == as_unsigned || *said == as_signed);
}

}  // namespace podium::image::tar
