// Frames of WebSocket (RFC 6455, section 5.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::http {

enum class Opcode : uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

inline bool IsControl(Opcode opcode) { return (static_cast<uint8_t>(opcode) & 0x8) != 0; }

struct FrameHeader {
  bool fin = true;
  Opcode opcode = Opcode::kBinary;
  std::optional<std::array<unsigned char, 4>> mask;
  uint64_t length = 0;  // of the payload

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// The longest header, in bytes.
inline constexpr size_t kMaxFrameHeader = 14;

struct ParsedFrameHeader {
  FrameHeader header;
  size_t size = 0;  // of the header; 0: more bytes are needed
};

// kInvalidArgument for what breaks the protocol: reserved bits and opcodes, control frames that are
// long or fragmented, lengths not in their shortest form.
Result<ParsedFrameHeader> ParseFrameHeader(std::string_view bytes);

std::string SerializeFrameHeader(const FrameHeader& header);

// Applies a mask, or takes it off. `offset`: how much of the payload came before.
void Mask(const std::array<unsigned char, 4>& mask, uint64_t offset, std::span<char> payload);

// The status of a close frame: 1005 (none) for an empty payload. kInvalidArgument: a code that may
// not stand in a frame, or a reason that is no UTF-8.
struct CloseStatus {
  uint16_t code = 1005;
  std::string reason;
};
Result<CloseStatus> ParseClose(std::string_view payload);

}  // namespace podium::http
