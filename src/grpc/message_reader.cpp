#include "grpc/message_reader.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace podium::grpc {
namespace {

std::chrono::nanoseconds UnitOf(char unit) {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  switch (unit) {
    case 'H':
      return std::chrono::hours(1);
    case 'M':
      return std::chrono::minutes(1);
    case 'S':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::milliseconds(1);
    case 'u':
      return std::chrono::microseconds(1);
    case 'n':
      return nanoseconds(1);
    default:
      return nanoseconds(0);
  }
}

}  // namespace

std::string Framed(std::string_view message) {
  std::string out(1, '\0');
  out.reserve(kMessagePrefix + message.size());
  const auto size = static_cast<uint32_t>(message.size());
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>((size >> shift) & 0xFF);
  return out.append(message);
}

Result<std::chrono::nanoseconds> ParseTimeout(std::string_view text) {
  constexpr size_t kMaxDigits = 8;
  // Hours of eight digits are more than nanoseconds can count; nobody waits that long.
  constexpr int64_t kMaxHours = int64_t{24} * 365 * 100;
  const Error malformed(Code::kInternal, "malformed grpc-timeout: \"" + std::string(text) + '"');
  if (text.size() < 2 || text.size() > kMaxDigits + 1) return malformed;
  const std::chrono::nanoseconds unit = UnitOf(text.back());
  int64_t number = 0;
  const char* end = text.data() + text.size() - 1;
  const auto read = std::from_chars(text.data(), end, number);
  if (unit.count() == 0 || read.ec != std::errc() || read.ptr != end || number < 0) {
    return malformed;
  }
  if (text.back() == 'H') number = std::min(number, kMaxHours);
  return unit * number;
}

Result<void> CheckEncoding(const http::Headers& headers) {
  const std::string_view encoding = headers.Get("grpc-encoding");
  if (encoding.empty() || encoding == "identity") return {};
  return Error(Code::kUnsupported, "grpc: Decompressor is not installed for grpc-encoding \"" +
                                       std::string(encoding) + '"');
}

Result<void> MessageReader::Take(std::string_view bytes) {
  bytes_ += bytes;
  if (!length_ && bytes_.size() >= kMessagePrefix) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes_[i]); };
    if (byte(0) > 1) return Error(Code::kInternal, "grpc: received unexpected payload format");
    if (byte(0) == 1) {
      return Error(Code::kInternal, "grpc: compressed flag set with identity or empty encoding");
    }
    size_t length = 0;
    for (size_t i = 1; i < kMessagePrefix; ++i) length = (length << 8) | byte(i);
    if (length > kMaxMessage) {
      return Error(Code::kResourceExhausted, "grpc: received message larger than max (" +
                                                 std::to_string(length) + " vs. " +
                                                 std::to_string(kMaxMessage) + ")");
    }
    length_ = length;
  }
  if (length_ && bytes_.size() > kMessagePrefix + *length_) {
    return Error(Code::kInternal, "cardinality violation: received more than one message");
  }
  return {};
}

Result<std::string> MessageReader::End() {
  if (!length_ && bytes_.empty()) {
    return Error(Code::kInternal, "cardinality violation: received no request message");
  }
  if (!length_ || bytes_.size() < kMessagePrefix + *length_) {
    return Error(Code::kInternal, "unexpected EOF");
  }
  bytes_.erase(0, kMessagePrefix);
  return std::move(bytes_);
}

}  // namespace podium::grpc
