#include "http/websocket_session.h"

#include <algorithm>
#include <array>
#include <utility>

namespace podium::http {
namespace {

constexpr uint16_t kNormal = 1000;
constexpr uint16_t kProtocolError = 1002;
// Unmasked at a time.
constexpr size_t kPiece = size_t{16} << 10;

Error Broken(const char* what) {
  return Error(Code::kInvalidArgument, std::string("websocket: ") + what);
}

}  // namespace

Result<void> WebSocketSession::Receive(std::string_view bytes, WebSocketListener& listener) {
  if (broken_) return *broken_;
  while (!bytes.empty() && !closed_) {
    auto taken = Take(&bytes, listener);
    if (taken.ok()) continue;
    broken_ = taken.error();
    Close(kProtocolError);
    return taken;
  }
  return {};
}

Result<void> WebSocketSession::Take(std::string_view* bytes, WebSocketListener& listener) {
  if (!frame_) {
    TRY_VOID(BeginFrame(bytes));
    if (!frame_) return {};
  }
  if (IsControl(frame_->opcode)) return TakeControl(bytes, listener);
  TakePayload(bytes, listener);
  return {};
}

Result<void> WebSocketSession::BeginFrame(std::string_view* bytes) {
  const size_t before = head_.size();
  head_ += bytes->substr(0, kMaxFrameHeader - before);
  TRY(const ParsedFrameHeader parsed, ParseFrameHeader(head_));
  if (parsed.size == 0) {
    bytes->remove_prefix(head_.size() - before);
    return {};
  }
  bytes->remove_prefix(parsed.size - before);
  head_.clear();
  const FrameHeader& header = parsed.header;
  if (!header.mask) return Broken("a client's frame that is not masked");
  if (!IsControl(header.opcode)) {
    if ((header.opcode == Opcode::kContinuation) != in_message_) {
      return Broken("frames out of order");
    }
    if (!std::exchange(in_message_, true)) {
      text_ = header.opcode == Opcode::kText;
      begun_ = false;
    }
  }
  frame_ = header;
  taken_ = 0;
  return {};
}

void WebSocketSession::TakePayload(std::string_view* bytes, WebSocketListener& listener) {
  do {
    const uint64_t left = frame_->length - taken_;
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(left, std::min(bytes->size(), kPiece)));
    std::array<char, kPiece> piece;
    std::ranges::copy(bytes->substr(0, size), piece.begin());
    Mask(*frame_->mask, taken_, {piece.data(), size});
    bytes->remove_prefix(size);
    taken_ += size;
    const bool last = taken_ == frame_->length && frame_->fin;
    if (size > 0 || last) {
      listener.OnPart({.bytes = {piece.data(), size},
                       .text = text_,
                       .first = !std::exchange(begun_, true),
                       .last = last});
    }
    if (last) in_message_ = false;
  } while (taken_ < frame_->length && !bytes->empty());
  if (taken_ == frame_->length) frame_.reset();
}

Result<void> WebSocketSession::TakeControl(std::string_view* bytes, WebSocketListener& listener) {
  const size_t size = std::min<size_t>(frame_->length - control_.size(), bytes->size());
  control_ += bytes->substr(0, size);
  bytes->remove_prefix(size);
  if (control_.size() < frame_->length) return {};
  std::string payload = std::exchange(control_, {});
  Mask(*frame_->mask, 0, payload);
  const Opcode opcode = frame_->opcode;
  frame_.reset();
  if (opcode == Opcode::kPing && !close_sent_) AppendFrame(Opcode::kPong, payload);
  if (opcode != Opcode::kClose) return {};
  TRY(const CloseStatus status, ParseClose(payload));
  closed_ = true;
  // The same code goes back (section 5.5.1).
  Close(status.code == 1005 ? kNormal : status.code);
  listener.OnClose();
  return {};
}

void WebSocketSession::Send(bool text, std::string_view bytes) {
  if (!close_sent_) AppendFrame(text ? Opcode::kText : Opcode::kBinary, bytes);
}

void WebSocketSession::Close(uint16_t code) {
  if (std::exchange(close_sent_, true)) return;
  const std::array<char, 2> payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  AppendFrame(Opcode::kClose, {payload.data(), payload.size()});
}

void WebSocketSession::AppendFrame(Opcode opcode, std::string_view payload) {
  output_ +=
      SerializeFrameHeader({.fin = true, .opcode = opcode, .mask = {}, .length = payload.size()});
  output_ += payload;
}

}  // namespace podium::http
