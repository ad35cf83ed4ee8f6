#include "http/spdy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace podium::http {
namespace {

constexpr size_t kHead = 8;
constexpr uint32_t kLargestId = 0x7FFFFFFF;
constexpr size_t kLargestData = size_t{1} << 20;  // of a frame that is sent
constexpr uint16_t kVersion = 3;

// Frames (section 2.6).
constexpr uint16_t kSynStream = 1;
constexpr uint16_t kSynReply = 2;
constexpr uint16_t kRstStream = 3;
constexpr uint16_t kSettings = 4;
constexpr uint16_t kPing = 6;
constexpr uint16_t kGoAway = 7;
constexpr uint16_t kHeaders = 8;
constexpr uint16_t kWindowUpdate = 9;

constexpr uint8_t kFin = 1;
constexpr uint8_t kUnidirectional = 2;
constexpr uint32_t kGoAwayOk = 0;
constexpr uint32_t kGoAwayProtocolError = 1;

// Bytes before the header block.
constexpr size_t kSynStreamFixed = 10;
constexpr size_t kIdFixed = 4;

uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}
void AppendNumber(uint32_t number, std::string* out) {
  for (const int shift : {24, 16, 8, 0}) *out += static_cast<char>(number >> shift & 0xFF);
}

bool IsControl(std::string_view head) { return (head[0] & 0x80) != 0; }
uint16_t KindOf(std::string_view head) { return static_cast<uint16_t>(NumberAt(head, 0)); }
uint8_t FlagsOf(std::string_view head) { return static_cast<uint8_t>(head[4]); }

bool IsKnown(uint16_t kind) {
  return (kind >= kSynStream && kind <= kSettings) || (kind >= kPing && kind <= kWindowUpdate);
}
// Whether a frame of this kind may have such a body and such flags.
bool IsWellFormed(uint16_t kind, uint8_t flags, std::string_view body) {
  switch (kind) {
    case kSynStream:
      return body.size() >= kSynStreamFixed;
    case kSynReply:
    case kHeaders:
      return body.size() >= kIdFixed;
    case kRstStream:
      return body.size() == 8 && NumberAt(body, 4) != 0;
    case kSettings:
      return body.size() >= 4 && body.size() - 4 == size_t{NumberAt(body, 0)} * 8;
    case kPing:
      return body.size() == 4 && flags == 0 && NumberAt(body, 0) != 0;
    default:  // kGoAway, kWindowUpdate
      return body.size() == 8 && flags == 0;
  }
}

Error Malformed(std::string what) {
  return Error(Code::kInvalidArgument, "spdy: " + std::move(what));
}

}  // namespace

SpdySession::SpdySession(Role role, SpdyLimits limits)
    : role_(role), limits_(limits), next_id_(role == Role::kClient ? 1 : 2) {
  reader_.emplace(limits.headers);
}

// Clients count with odd numbers.
bool SpdySession::IsPeers(uint32_t number) const {
  return (number % 2 == 1) == (role_ == Role::kServer);
}

Result<void> SpdySession::Receive(std::string_view bytes, SpdyListener& listener) {
  if (broken_) return *broken_;
  while (!bytes.empty()) {
    auto taken = Take(&bytes, listener);
    if (taken.ok()) continue;
    broken_ = taken.error();
    std::string body;
    AppendNumber(last_received_, &body);
    AppendNumber(kGoAwayProtocolError, &body);
    if (!std::exchange(went_away_, true)) AppendControl(kGoAway, 0, body);
    return taken;
  }
  return {};
}

Result<void> SpdySession::Take(std::string_view* bytes, SpdyListener& listener) {
  if (!in_frame_) {
    const size_t size = std::min(bytes->size(), kHead - head_.size());
    head_ += bytes->substr(0, size);
    bytes->remove_prefix(size);
    if (head_.size() < kHead) return {};
    TRY_VOID(BeginFrame());
  }
  if (skipped_) {
    const size_t size = std::min(bytes->size(), left_);
    bytes->remove_prefix(size);
    left_ -= size;
  } else if (IsControl(head_)) {
    TRY_VOID(TakeControl(bytes, listener));
  } else {
    TakeData(bytes, listener);
  }
  if (left_ > 0) return {};
  in_frame_ = false;
  head_.clear();
  return {};
}

Result<void> SpdySession::BeginFrame() {
  in_frame_ = true;
  left_ = NumberAt(head_, 4) & 0xFFFFFF;
  const uint32_t first = NumberAt(head_, 0);
  if (!IsControl(head_)) {
    skipped_ = false;
    return first == 0 ? Result<void>(Malformed("data of stream 0")) : Result<void>();
  }
  if ((first >> 16 & 0x7FFF) != kVersion) return Malformed("not version 3");
  skipped_ = !IsKnown(KindOf(head_));
  if (!skipped_ && left_ > limits_.max_control) {
    return Error(Code::kResourceExhausted, "spdy: frame too large");
  }
  return {};
}

Result<void> SpdySession::TakeControl(std::string_view* bytes, SpdyListener& listener) {
  const size_t size = std::min(bytes->size(), left_);
  std::string_view body = bytes->substr(0, size);
  bytes->remove_prefix(size);
  left_ -= size;
  if (left_ > 0 || !control_.empty()) {
    control_ += body;
    body = control_;
  }
  if (left_ > 0) return {};
  auto handled = HandleControl({KindOf(head_), FlagsOf(head_), body}, listener);
  std::string().swap(control_);
  return handled;
}

void SpdySession::TakeData(std::string_view* bytes, SpdyListener& listener) {
  const std::string_view data = bytes->substr(0, left_);
  bytes->remove_prefix(data.size());
  left_ -= data.size();
  const uint32_t id = NumberAt(head_, 0);
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || stream->second.ended_there) return;
  if (!data.empty()) listener.OnData(id, data);
  if (left_ == 0 && (FlagsOf(head_) & kFin) != 0) EndThere(id, listener);
}

void SpdySession::EndThere(uint32_t id, SpdyListener& listener) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || std::exchange(stream->second.ended_there, true)) return;
  ForgetEnded(stream);
  listener.OnEnd(id);
}

void SpdySession::ForgetEnded(Streams::iterator stream) {
  if (!stream->second.ended_here || !stream->second.ended_there) return;
  if (IsPeers(stream->first)) --of_peer_;
  streams_.erase(stream);
}

Result<void> SpdySession::HandleControl(const Control& frame, SpdyListener& listener) {
  if (!IsWellFormed(frame.kind, frame.flags, frame.body)) {
    return Malformed("malformed frame of kind " + std::to_string(frame.kind));
  }
  switch (frame.kind) {
    case kSynStream:
      return HandleSynStream(frame, listener);
    case kSynReply:
      return HandleSynReply(frame, listener);
    case kHeaders:
      return HandleHeaders(frame, listener);
    case kPing:
      return HandlePing(frame);
    case kRstStream: {
      const auto stream = streams_.find(NumberAt(frame.body, 0) & kLargestId);
      if (stream == streams_.end()) return {};
      const uint32_t id = stream->first;
      stream->second.ended_here = stream->second.ended_there = true;
      ForgetEnded(stream);
      listener.OnReset(id);
      return {};
    }
    case kGoAway:
      if (!std::exchange(gone_away_, true)) listener.OnGoAway();
      return {};
    default:  // kSettings, kWindowUpdate
      return {};
  }
}

// Blocks are of one stream of zlib: each has to be read, whatever is thought of its frame, for as
// long as any is.
Result<Headers> SpdySession::Unpack(std::string_view block) {
  if (!reader_) return Headers{};
  return reader_->Unpack(block);
}

Result<void> SpdySession::HandleSynStream(const Control& frame, SpdyListener& listener) {
  TRY(const Headers headers, Unpack(frame.body.substr(kSynStreamFixed)));
  const uint32_t id = NumberAt(frame.body, 0) & kLargestId;
  if (id == 0) return Malformed("stream 0");
  if (went_away_ || gone_away_) return {};
  if (!IsPeers(id) || id <= last_received_) {
    AppendReset(id, SpdyReset::kProtocolError);
    return {};
  }
  last_received_ = id;
  if (!reader_ || of_peer_ >= limits_.max_streams) {
    AppendReset(id, SpdyReset::kRefusedStream);
    return {};
  }
  ++of_peer_;
  streams_[id] = {.ended_here = (frame.flags & kUnidirectional) != 0};
  listener.OnOpen(id, headers);
  if ((frame.flags & kFin) != 0) EndThere(id, listener);
  return {};
}

Result<void> SpdySession::HandleSynReply(const Control& frame, SpdyListener& listener) {
  TRY(const Headers headers, Unpack(frame.body.substr(kIdFixed)));
  const uint32_t id = NumberAt(frame.body, 0) & kLargestId;
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || IsPeers(id)) return {};
  if (std::exchange(stream->second.replied, true)) return {};
  listener.OnReply(id, headers);
  if ((frame.flags & kFin) != 0) EndThere(id, listener);
  return {};
}

Result<void> SpdySession::HandleHeaders(const Control& frame, SpdyListener& listener) {
  TRY_VOID(Unpack(frame.body.substr(kIdFixed)));
  if ((frame.flags & kFin) != 0) EndThere(NumberAt(frame.body, 0) & kLargestId, listener);
  return {};
}

Result<void> SpdySession::HandlePing(const Control& frame) {
  if (IsPeers(NumberAt(frame.body, 0))) AppendControl(kPing, 0, frame.body);
  return {};
}

Result<uint32_t> SpdySession::Open(const Headers& headers) {
  if (went_away_ || gone_away_ || broken_ || next_id_ > kLargestId) {
    return Error(Code::kUnavailable, "spdy: the session takes no more streams");
  }
  TRY(const std::string block, writer_.Pack(headers));
  const uint32_t id = next_id_;
  next_id_ += 2;
  std::string body;
  AppendNumber(id, &body);
  AppendNumber(0, &body);               // of no other stream
  body += std::string_view("\0\0", 2);  // the highest priority, and no slot
  AppendControl(kSynStream, 0, body + block);
  streams_[id] = {};
  return id;
}

void SpdySession::Reply(uint32_t id, const Headers& headers) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || !IsPeers(id) || std::exchange(stream->second.replied, true)) {
    return;
  }
  const auto block = writer_.Pack(headers);
  if (!block.ok()) return Reset(id, SpdyReset::kInternalError);
  std::string body;
  AppendNumber(id, &body);
  AppendControl(kSynReply, 0, body + *block);
}

void SpdySession::Send(uint32_t id, std::string_view bytes) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || stream->second.ended_here) return;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kLargestData);
    AppendNumber(id, &output_);
    AppendNumber(static_cast<uint32_t>(piece.size()), &output_);
    output_ += piece;
    bytes.remove_prefix(piece.size());
  }
}

void SpdySession::End(uint32_t id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || std::exchange(stream->second.ended_here, true)) return;
  AppendNumber(id, &output_);
  AppendNumber(uint32_t{kFin} << 24, &output_);
  ForgetEnded(stream);
}

void SpdySession::Reset(uint32_t id, SpdyReset why) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  stream->second.ended_here = stream->second.ended_there = true;
  ForgetEnded(stream);
  AppendReset(id, why);
}

void SpdySession::RefuseStreams() { reader_.reset(); }

void SpdySession::GoAway() {
  if (std::exchange(went_away_, true)) return;
  std::string body;
  AppendNumber(last_received_, &body);
  AppendNumber(kGoAwayOk, &body);
  AppendControl(kGoAway, 0, body);
}

void SpdySession::AppendControl(uint16_t kind, uint8_t flags, std::string_view body) {
  AppendNumber(uint32_t{0x8000U | kVersion} << 16 | kind, &output_);
  AppendNumber(uint32_t{flags} << 24 | static_cast<uint32_t>(body.size()), &output_);
  output_ += body;
}

void SpdySession::AppendReset(uint32_t id, SpdyReset why) {
  std::string body;
  AppendNumber(id, &body);
  AppendNumber(static_cast<uint32_t>(why), &body);
  AppendControl(kRstStream, 0, body);
}

}  // namespace podium::http
