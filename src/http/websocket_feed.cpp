#include "http/websocket_feed.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "http/websocket_frame.h"
#include "reflect/base64.h"

namespace podium::http {
namespace {

// Of a client that takes nothing.
constexpr std::chrono::seconds kWriteTimeout{30};
constexpr size_t kLongestControl = 125;
// Sent in one turn, so that a fast pair does not keep the others waiting.
constexpr size_t kTurn = size_t{512} << 10;

class Feed : public std::enable_shared_from_this<Feed> {
 public:
  Feed(std::shared_ptr<Poller> poller, Exchange::Taken client, std::string out,
       std::unique_ptr<PulledBody> body, const FeedOptions& options)
      : poller_(std::move(poller)),
        client_(std::move(client.transport)),
        in_(std::move(client.rest)),
        out_(std::move(out)),
        body_(std::move(body)),
        options_(options) {}

  void Begin() {
    wait_ = std::make_unique<PolledFd>(
        *poller_, client_->fd(), [self = shared_from_this()](bool late) { self->Turn(late); });
    if (options_.begins_empty) AppendFrame(options_.text ? Opcode::kText : Opcode::kBinary, "");
    poller_->Post([self = shared_from_this()] {
      self->body_->Attach(BodyWaker([weak = std::weak_ptr(self)] {
        const auto woken = weak.lock();
        if (woken) woken->Wake();
      }));
      self->Turn(false);
    });
  }

 private:
  void Wake() {
    if (woken_.exchange(true)) return;
    poller_->Post([self = shared_from_this()] { self->Turn(false); });
  }

  void Turn(bool late) {
    if (!client_) return;
    woken_ = false;
    if (late && blocked_ && Clock::now() >= *blocked_ + kWriteTimeout) return Close();
    if (!Read() || !Write()) return Close();
    if (out_.empty() && closing_) return Close();
    if (more_) return Wake();
    short events = POLLIN;
    if (!out_.empty()) events |= POLLOUT;
    const auto deadline = blocked_ ? std::optional(*blocked_ + kWriteTimeout) : std::nullopt;
    wait_->Arm(events, deadline);
  }

  // False: it is over.
  bool Read() {
    while (true) {
      std::array<char, 4096> buffer;
      if (!TakeFrames()) return false;
      auto progress = client_->TryRead(buffer);
      if (!progress.ok() || progress->end) return false;
      if (progress->wait != 0) return true;
      in_.append(buffer.data(), progress->bytes);
    }
  }
  bool TakeFrames() {
    while (true) {
      const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip_, in_.size()));
      in_.erase(0, skipped);
      skip_ -= skipped;
      if (skip_ > 0) return true;
      auto parsed = ParseFrameHeader(in_);
      if (!parsed.ok() || (parsed->size > 0 && !parsed->header.mask)) return false;
      if (parsed->size == 0) return true;
      const FrameHeader& header = parsed->header;
      if (!IsControl(header.opcode)) {
        in_.erase(0, parsed->size);
        skip_ = header.length;
        continue;
      }
      if (in_.size() < parsed->size + header.length) return true;
      std::string payload = in_.substr(parsed->size, header.length);
      in_.erase(0, parsed->size + payload.size());
      Mask(*header.mask, 0, payload);
      if (header.opcode == Opcode::kClose) return false;
      // Who does not take the answers gets no more of them.
      if (header.opcode == Opcode::kPing && out_.size() < kLongestControl * 64) {
        AppendFrame(Opcode::kPong, payload);
      }
    }
  }

  bool Write() {
    more_ = false;
    for (size_t turn = 0;; turn += out_.size()) {
      if (turn >= kTurn) return more_ = true;
      while (sent_ < out_.size()) {
        auto progress = client_->TryWrite(std::string_view(out_).substr(sent_));
        if (!progress.ok()) return false;
        sent_ += progress->bytes;
        if (progress->bytes > 0) blocked_.reset();
        if (progress->wait == 0) continue;
        if (!blocked_) blocked_ = Clock::now();
        // The bytes that did not get through come again; those before them need not.
        out_.erase(0, std::exchange(sent_, 0));
        return true;
      }
      // Ten thousand that wait hold no buffers.
      std::string().swap(out_);
      sent_ = 0;
      blocked_.reset();
      if (closing_) return true;
      auto piece = body_->Next();
      if (!piece.ok()) return false;
      AppendMessages(piece->bytes);
      if (piece->then == BodyPiece::Then::kEnd) {
        closing_ = true;
        AppendFrame(Opcode::kClose, std::string_view("\x03\xe8", 2));  // 1000: as it should be
      } else if (piece->then == BodyPiece::Then::kWait && out_.empty()) {
        return true;
      }
    }
  }

  void AppendMessages(std::string_view bytes) {
    if (options_.message == FeedOptions::Message::kPiece) {
      if (!bytes.empty()) AppendMessage(bytes);
      return;
    }
    if (!partial_.empty()) {
      partial_ += bytes;
      bytes = partial_;
    }
    while (const size_t size = SizeOfMessage(bytes)) {
      constexpr size_t kPrefix = 4;
      const bool prefixed = options_.message == FeedOptions::Message::kLengthPrefixed;
      AppendMessage(bytes.substr(prefixed ? kPrefix : 0, size - (prefixed ? kPrefix : 0)));
      bytes.remove_prefix(size);
    }
    partial_ = std::string(bytes);
  }
  // With its prefix or line end; 0 when it is not whole.
  size_t SizeOfMessage(std::string_view bytes) const {
    if (options_.message == FeedOptions::Message::kLine) return bytes.find('\n') + 1;
    if (bytes.size() < 4) return 0;
    size_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
    return bytes.size() < size + 4 ? 0 : size + 4;
  }
  void AppendMessage(std::string_view bytes) {
    const Opcode opcode = options_.text ? Opcode::kText : Opcode::kBinary;
    if (!options_.base64) return AppendFrame(opcode, bytes);
    std::string encoded;
    reflect::AppendBase64(bytes, &encoded);
    AppendFrame(opcode, encoded);
  }
  void AppendFrame(Opcode opcode, std::string_view payload) {
    out_ +=
        SerializeFrameHeader({.opcode = opcode, .mask = std::nullopt, .length = payload.size()});
    out_ += payload;
  }

  void Close() {
    body_.reset();
    wait_.reset();
    if (client_) (void)client_->TryCloseWrite();
    client_.reset();
  }

  const std::shared_ptr<Poller> poller_;
  std::unique_ptr<Transport> client_;
  std::unique_ptr<PolledFd> wait_;  // goes before the client
  std::string in_;
  uint64_t skip_ = 0;  // bytes of a message that nobody reads
  std::string out_;
  size_t sent_ = 0;
  std::unique_ptr<PulledBody> body_;
  const FeedOptions options_;
  std::string partial_;
  bool closing_ = false;
  bool more_ = false;                           // can be sent at once
  std::optional<Clock::time_point> blocked_{};  // the client takes nothing, since then
  std::atomic<bool> woken_ = false;
};

}  // namespace

Result<void> FeedWebSocket(const std::shared_ptr<Poller>& poller, Exchange& exchange,
                           Headers headers, std::unique_ptr<PulledBody> body,
                           const FeedOptions& options) {
  headers.Set("Connection", "Upgrade");
  TRY(std::string head, SerializeResponseHead({.status = 101,
                                               .reason = std::string(ReasonPhrase(101)),
                                               .headers = std::move(headers)}));
  TRY(Exchange::Taken client, exchange.TakeConnection());
  std::make_shared<Feed>(poller, std::move(client), std::move(head), std::move(body), options)
      ->Begin();
  return {};
}

}  // namespace podium::http
