#include "http/websocket_frame.h"

#include <cstring>

#include "reflect/utf8.h"

namespace podium::http {
namespace {

Error Broken(std::string_view what) {
  return Error(Code::kInvalidArgument, "websocket: " + std::string(what));
}

bool IsOpcode(uint8_t bits) { return bits <= 0x2 || (bits >= 0x8 && bits <= 0xA); }

uint64_t BigEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

void AppendBigEndian(uint64_t number, int bytes, std::string* out) {
  for (int i = bytes - 1; i >= 0; --i) *out += static_cast<char>(number >> (8 * i) & 0xFF);
}

}  // namespace

Result<ParsedFrameHeader> ParseFrameHeader(std::string_view bytes) {
  if (bytes.size() < 2) return ParsedFrameHeader{};
  const auto first = static_cast<uint8_t>(bytes[0]);
  const auto second = static_cast<uint8_t>(bytes[1]);
  if ((first & 0x70) != 0) return Broken("reserved bits are set");
  if (!IsOpcode(first & 0xF)) return Broken("an unknown opcode");
  FrameHeader header;
  header.fin = (first & 0x80) != 0;
  header.opcode = static_cast<Opcode>(first & 0xF);
  header.length = second & 0x7F;
  if (IsControl(header.opcode) && (!header.fin || header.length > 125)) {
    return Broken("a bad control frame");
  }
  const size_t extended = header.length < 126 ? 0 : header.length == 126 ? 2 : 8;
  const bool masked = (second & 0x80) != 0;
  const size_t size = 2 + extended + (masked ? 4 : 0);
  if (bytes.size() < size) return ParsedFrameHeader{};
  if (extended > 0) header.length = BigEndian(bytes.substr(2, extended));
  if ((extended == 2 && header.length < 126) || (extended == 8 && header.length <= 0xFFFF) ||
      header.length >> 63 != 0) {
    return Broken("a bad length");
  }
  if (masked) {
    std::memcpy(header.mask.emplace().data(), bytes.data() + 2 + extended, 4);
  }
  return ParsedFrameHeader{header, size};
}

std::string SerializeFrameHeader(const FrameHeader& header) {
  std::string out;
  out += static_cast<char>((header.fin ? 0x80 : 0) | static_cast<uint8_t>(header.opcode));
  const int masked = header.mask ? 0x80 : 0;
  if (header.length < 126) {
    out += static_cast<char>(masked | static_cast<int>(header.length));
  } else if (header.length <= 0xFFFF) {
    out += static_cast<char>(masked | 126);
    AppendBigEndian(header.length, 2, &out);
  } else {
    out += static_cast<char>(masked | 127);
    AppendBigEndian(header.length, 8, &out);
  }
  if (header.mask) out.append(reinterpret_cast<const char*>(header.mask->data()), 4);
  return out;
}

void Mask(const std::array<unsigned char, 4>& mask, uint64_t offset, std::span<char> payload) {
  // The mask as it lies over the first eight bytes, and again over all that follow.
  unsigned char turned[8];
  for (size_t i = 0; i < 8; ++i) turned[i] = mask[(offset + i) % 4];
  uint64_t key = 0;
  std::memcpy(&key, turned, 8);
  size_t at = 0;
  for (; at + 8 <= payload.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, &payload[at], 8);
    word ^= key;
    std::memcpy(&payload[at], &word, 8);
  }
  for (; at < payload.size(); ++at) {
    payload[at] = static_cast<char>(payload[at] ^ static_cast<char>(turned[at % 8]));
  }
}

Result<CloseStatus> ParseClose(std::string_view payload) {
  if (payload.empty()) return CloseStatus{};
  if (payload.size() == 1) return Broken("half a close code");
  CloseStatus status{static_cast<uint16_t>(BigEndian(payload.substr(0, 2))),
                     std::string(payload.substr(2))};
  // RFC 6455, section 7.4: 1004 to 1006 and 1015 are never sent, what is left below 3000 is not
  // given out.
  const bool known = status.code >= 1000 && status.code <= 1014 && status.code != 1004 &&
                     status.code != 1005 && status.code != 1006;
  if (!known && (status.code < 3000 || status.code > 4999)) return Broken("a bad close code");
  if (!reflect::IsUtf8(status.reason)) return Broken("a close reason that is no UTF-8");
  return status;
}

}  // namespace podium::http
