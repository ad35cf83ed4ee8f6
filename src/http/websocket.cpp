#include "http/websocket.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "reflect/utf8.h"

namespace podium::http {
namespace {

constexpr size_t kReadSize = size_t{32} << 10;

// Codes of RFC 6455, section 7.4.1.
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kBadText = 1007;
constexpr uint16_t kTooBig = 1009;

}  // namespace

WebSocket::WebSocket(std::unique_ptr<Stream> stream, Role role, std::string protocol,
                     WebSocketLimits limits)
    : stream_(std::move(stream)), role_(role), protocol_(std::move(protocol)), limits_(limits) {}

Result<FrameHeader> WebSocket::ReadHeader() {
  while (true) {
    TRY(const ParsedFrameHeader parsed, ParseFrameHeader(std::string_view(buffer_).substr(begin_)));
    if (parsed.size > 0) {
      begin_ += parsed.size;
      return parsed.header;
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    const size_t old = buffer_.size();
    buffer_.resize(old + kReadSize);
    auto size = stream_->Read({&buffer_[old], kReadSize});
    buffer_.resize(old + (size.ok() ? *size : 0));
    if (!size.ok()) return std::move(size).error();
    if (*size == 0) return Error(Code::kUnavailable, "websocket: unexpected EOF");
  }
}

Result<void> WebSocket::ReadPayload(const FrameHeader& header, std::string* out) {
  uint64_t read = 0;
  while (read < header.length) {
    const size_t at = out->size();
    // What has arrived decides how much memory there is, and not what the header announces.
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(header.length - read, kReadSize));
    out->resize(at + wanted);
    size_t size = std::min(wanted, buffer_.size() - begin_);
    if (size > 0) {
      std::memcpy(&(*out)[at], &buffer_[begin_], size);
      begin_ += size;
    } else {
      auto got = stream_->Read({&(*out)[at], wanted});
      if (!got.ok()) return std::move(got).error();
      if (*got == 0) return Error(Code::kUnavailable, "websocket: unexpected EOF");
      size = *got;
    }
    out->resize(at + size);
    if (header.mask) Mask(*header.mask, read, {&(*out)[at], size});
    read += size;
  }
  return {};
}

Result<void> WebSocket::CheckFrame(const FrameHeader& header) const {
  const auto broken = [](const char* what) {
    return Error(Code::kInvalidArgument, std::string("websocket: ") + what);
  };
  // RFC 6455, section 5.1: clients mask all frames, servers none.
  if (header.mask.has_value() != (role_ == Role::kServer)) return broken("a bad mask");
  if (IsControl(header.opcode)) return {};
  if ((header.opcode == Opcode::kContinuation) != partial_.has_value()) {
    return broken("frames out of order");
  }
  const uint64_t before = partial_ ? partial_->data.size() : 0;
  if (header.length > limits_.max_message || before + header.length > limits_.max_message) {
    return Error(Code::kResourceExhausted, "websocket: the message is too large");
  }
  return {};
}

Error WebSocket::Fail(uint16_t code, Error error) {
  closed_ = true;
  (void)Close(code, error.message().substr(0, 100));
  return error;
}

Result<void> WebSocket::AnswerControl(const FrameHeader& header, const std::string& payload) {
  if (header.opcode == Opcode::kPong) return {};
  if (header.opcode == Opcode::kPing) {
    const std::lock_guard lock(mutex_);
    if (close_sent_) return {};
    return WriteFrame(Opcode::kPong, payload);
  }
  auto status = ParseClose(payload);
  if (!status.ok()) return Fail(kProtocolError, std::move(status).error());
  close_status_ = *std::move(status);
  closed_ = true;
  // The same code goes back (section 5.5.1). That the peer is gone already is no failure.
  (void)Close(close_status_.code == 1005 ? 1000 : close_status_.code);
  return {};
}

Result<std::optional<WebSocket::Message>> WebSocket::Read() {
  while (!closed_) {
    auto header = ReadHeader();
    auto checked = header.ok() ? CheckFrame(*header) : Result<void>(header.error());
    if (!checked.ok()) {
      if (checked.error().code() == Code::kInvalidArgument) {
        return Fail(kProtocolError, std::move(checked).error());
      }
      if (checked.error().code() == Code::kResourceExhausted) {
        return Fail(kTooBig, std::move(checked).error());
      }
      return std::move(checked).error();
    }
    if (IsControl(header->opcode)) {
      std::string payload;
      TRY_VOID(ReadPayload(*header, &payload));
      TRY_VOID(AnswerControl(*header, payload));
      continue;
    }
    if (!partial_) partial_ = Message{header->opcode == Opcode::kText, {}};
    TRY_VOID(ReadPayload(*header, &partial_->data));
    if (!header->fin) continue;
    Message message = std::move(*partial_);
    partial_.reset();
    if (message.text && !reflect::IsUtf8(message.data)) {
      return Fail(kBadText, Error(Code::kInvalidArgument, "websocket: text that is no UTF-8"));
    }
    return std::optional<Message>(std::move(message));
  }
  return std::optional<Message>();
}

Result<void> WebSocket::WriteFrame(Opcode opcode, std::string_view payload) {
  FrameHeader header{.fin = true, .opcode = opcode, .mask = {}, .length = payload.size()};
  if (role_ == Role::kServer) {
    std::string frame = SerializeFrameHeader(header);
    return stream_->Write(frame.append(payload));
  }
  // What proxies see must not be of the sender's choosing (section 10.3), so the mask is random.
  if (getrandom(header.mask.emplace().data(), 4, 0) != 4) {
    return Error::FromErrno(errno, "getrandom");
  }
  std::string frame = SerializeFrameHeader(header);
  const size_t begin = frame.size();
  frame += payload;
  Mask(*header.mask, 0, {frame.data() + begin, payload.size()});
  return stream_->Write(frame);
}

Result<void> WebSocket::SendFrame(Opcode opcode, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (close_sent_) return Error(Code::kUnavailable, "websocket: closed");
  return WriteFrame(opcode, payload);
}

Result<void> WebSocket::SendText(std::string_view text) {
  if (!reflect::IsUtf8(text)) {
    return Error(Code::kInvalidArgument, "websocket: text that is no UTF-8");
  }
  return SendFrame(Opcode::kText, text);
}

Result<void> WebSocket::SendBinary(std::string_view bytes) {
  return SendFrame(Opcode::kBinary, bytes);
}

Result<void> WebSocket::Close(uint16_t code, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(close_sent_, true)) return {};
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  payload += reason.substr(0, 123);
  return WriteFrame(Opcode::kClose, payload);
}

}  // namespace podium::http
