#include "node/streams/carrier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/websocket_session.h"
#include "reflect/base64.h"

namespace podium::node {
namespace {

using http::SpdySession;
constexpr uint16_t kNormal = 1000;  // of a close frame

class SpdyStreams : public StreamCarrier {
 public:
  Result<void> Receive(std::string_view bytes, StreamListener& listener) override {
    return session_.Receive(bytes, listener);
  }
  void Accept(StreamId stream) override { session_.Reply(stream); }
  void Send(StreamId stream, std::string_view bytes) override { session_.Send(stream, bytes); }
  void End(StreamId stream) override { session_.End(stream); }
  void Reset(StreamId stream) override { session_.Reset(stream, http::SpdyReset::kCancel); }
  void RefuseStreams() override { session_.RefuseStreams(); }
  void Close() override { session_.GoAway(); }
  bool HasStreams() const override { return session_.streams() > 0; }
  std::string& output() override { return session_.output(); }

 private:
  SpdySession session_{SpdySession::Role::kServer};
};

class TunnelledStreams : public StreamCarrier, http::WebSocketListener {
 public:
  Result<void> Receive(std::string_view bytes, StreamListener& listener) override {
    listener_ = &listener;
    auto received = socket_.Receive(bytes, *this);
    listener_ = nullptr;
    if (received.ok() && broken_) received = *broken_;
    return received;
  }
  void Accept(StreamId stream) override { session_.Reply(stream); }
  void Send(StreamId stream, std::string_view bytes) override { session_.Send(stream, bytes); }
  void End(StreamId stream) override { session_.End(stream); }
  void Reset(StreamId stream) override { session_.Reset(stream, http::SpdyReset::kCancel); }
  void RefuseStreams() override { session_.RefuseStreams(); }
  void Close() override {
    session_.GoAway();
    Pack();
    socket_.Close(kNormal);
  }
  bool HasStreams() const override { return session_.streams() > 0; }
  std::string& output() override {
    Pack();
    return socket_.output();
  }

 private:
  void OnPart(const Part& part) override {
    if (broken_ || part.bytes.empty()) return;
    auto received = session_.Receive(part.bytes, *listener_);
    if (!received.ok()) broken_ = received.error();
  }
  void OnClose() override { listener_->OnHangUp(); }
  void Pack() {
    if (!session_.output().empty()) socket_.Send(false, std::exchange(session_.output(), {}));
  }

  http::WebSocketSession socket_;
  SpdySession session_{SpdySession::Role::kServer};
  StreamListener* listener_ = nullptr;  // during Receive
  std::optional<Error> broken_;
};

class ChannelStreams : public StreamCarrier, http::WebSocketListener {
 public:
  ChannelStreams(ChannelForm form, StreamId count) : form_(form), count_(count) {}

  Result<void> Receive(std::string_view bytes, StreamListener& listener) override {
    listener_ = &listener;
    auto received = socket_.Receive(bytes, *this);
    listener_ = nullptr;
    if (received.ok() && broken_) received = *broken_;
    return received;
  }
  void Accept(StreamId) override {}
  void Send(StreamId stream, std::string_view bytes) override {
    std::string message(1, static_cast<char>(form_.base64 ? '0' + stream : stream));
    if (form_.base64) {
      reflect::AppendBase64(bytes, &message);
    } else {
      message += bytes;
    }
    socket_.Send(form_.base64, message);
  }
  void End(StreamId) override {}
  void Reset(StreamId) override {}
  void RefuseStreams() override {}
  void Close() override {
    closed_ = true;
    socket_.Close(kNormal);
  }
  bool HasStreams() const override { return !closed_; }
  std::string& output() override { return socket_.output(); }

 private:
  static constexpr StreamId kCloses = 255;

  void OnPart(const Part& part) override {
    if (broken_) return;
    std::string_view bytes = part.bytes;
    if (part.first) {
      channel_.reset();
      quartet_.clear();
    }
    if (!channel_) {
      if (bytes.empty()) return;
      channel_ = static_cast<unsigned char>(bytes.front()) - (form_.base64 ? '0' : 0);
      bytes.remove_prefix(1);
    }
    if (form_.can_end && *channel_ == kCloses) {
      if (bytes.empty()) return;
      const auto ended = static_cast<unsigned char>(bytes.front());
      // What stands behind it is nobody's.
      channel_ = count_;
      if (ended < count_) listener_->OnEnd(ended);
      return;
    }
    if (*channel_ >= count_) return;
    if (!form_.base64) {
      if (!bytes.empty()) listener_->OnData(*channel_, bytes);
      return;
    }
    Decode(bytes, part.last);
  }

  // Four characters are three bytes; what is left over waits for the next part.
  void Decode(std::string_view bytes, bool last) {
    quartet_ += bytes;
    const size_t whole = last ? quartet_.size() : quartet_.size() / 4 * 4;
    std::string data;
    if (reflect::DecodeBase64(std::string_view(quartet_).substr(0, whole), &data)) {
      broken_ = Error(Code::kInvalidArgument, "websocket: a message that is no base64");
      return;
    }
    quartet_.erase(0, whole);
    if (!data.empty()) listener_->OnData(*channel_, data);
  }
  void OnClose() override { listener_->OnHangUp(); }

  const ChannelForm form_;
  const StreamId count_;
  http::WebSocketSession socket_;
  StreamListener* listener_ = nullptr;  // during Receive
  std::optional<StreamId> channel_;     // of the message that comes in
  std::string quartet_;
  bool closed_ = false;
  std::optional<Error> broken_;
};

}  // namespace

std::unique_ptr<StreamCarrier> SpdyCarrier() { return std::make_unique<SpdyStreams>(); }
std::unique_ptr<StreamCarrier> TunnelCarrier() { return std::make_unique<TunnelledStreams>(); }
std::unique_ptr<StreamCarrier> ChannelCarrier(ChannelForm form, StreamId count) {
  return std::make_unique<ChannelStreams>(form, count);
}

}  // namespace podium::node
