#include "node/streams/port_forward.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "node/streams/local_end.h"

namespace podium::node {
namespace {

// What all connections into the pod have not taken yet: beyond, the client waits.
constexpr size_t kMaxPending = size_t{256} << 10;

// A connection into the pod, or what is to become one.
struct Forward {
  std::string request;  // its id; "" of channels
  std::optional<StreamId> data;
  std::optional<StreamId> error;
  uint16_t port = 0;
  std::optional<http::Clock::time_point> deadline;  // for both streams to be there
  std::shared_ptr<LocalEnd> socket;                 // once it is connected
  std::string early;                                // from before
  bool client_ended = false;
};
using ForwardPtr = std::shared_ptr<Forward>;

// As strconv.ParseUint does, of sixteen bits and not 0.
std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), port);
  if (error != std::errc() || end != text.end() || port == 0) return std::nullopt;
  return port;
}

class ForwardSession : public StreamHandler,
                       public LocalEndOwner,
                       public std::enable_shared_from_this<ForwardSession> {
 public:
  ForwardSession(const std::shared_ptr<StreamConnection>& connection, PortForward forward,
                 Executor& executor, Gate::Pass pass)
      : connection_(connection),
        options_(std::move(forward)),
        executor_(executor),
        pass_(std::move(pass)) {}

  void Begin() {
    StreamId next = 0;
    for (const uint16_t port : options_.ports) {
      const auto forward = std::make_shared<Forward>();
      forward->port = port;
      forward->data = next++;
      forward->error = next++;
      const std::array<char, 2> number{static_cast<char>(port & 0xFF),
                                       static_cast<char>(port >> 8)};
      for (const StreamId stream : {*forward->data, *forward->error}) {
        carrier().Send(stream, {number.data(), number.size()});
      }
      forwards_[*forward->data] = forward;
      Connect(forward);
    }
  }

  // StreamHandler.
  void OnOpen(StreamId stream, const http::Headers& headers) override {
    const auto port = ParsePort(headers.Get("port"));
    const std::string_view type = headers.Get("streamtype");
    const bool is_data = type == "data";
    if (!port || (!is_data && type != "error")) return carrier().Reset(stream);
    carrier().Accept(stream);
    // Clients of old do not name requests: an error stream comes before its data stream.
    std::string request(headers.Get("requestid"));
    if (request.empty()) request = std::to_string(is_data ? stream - 2 : stream);
    ForwardPtr& forward = waiting_[request];
    if (!forward) {
      forward = std::make_shared<Forward>();
      forward->request = request;
      forward->deadline = http::Clock::now() + connection_->times().creation;
    }
    std::optional<StreamId>& role = is_data ? forward->data : forward->error;
    if (role) {
      Print(*forward, "error processing stream for request " + request + ": " + std::string(type) +
                          " stream already assigned");
      return carrier().Reset(stream);
    }
    role = stream;
    if (is_data) {
      forward->port = *port;
      forwards_[stream] = forward;
    }
    if (!forward->data || !forward->error) return;
    const ForwardPtr whole = forward;
    waiting_.erase(request);
    whole->deadline.reset();
    Connect(whole);
  }
  void OnData(StreamId stream, std::string_view bytes) override {
    const ForwardPtr forward = Find(stream);
    if (!forward || forward->client_ended) return;
    if (forward->socket) return forward->socket->Push(bytes);
    forward->early += bytes;
    early_ += bytes.size();
  }
  void OnEnd(StreamId stream) override {
    const ForwardPtr forward = Find(stream);
    if (!forward || std::exchange(forward->client_ended, true)) return;
    if (forward->socket) forward->socket->PushEnd();
    CheckOver(forward);
  }
  void OnReset(StreamId stream) override {
    const ForwardPtr forward = Find(stream);
    if (forward) Drop(forward);
    CheckGone();
  }
  void OnGoAway() override {
    gone_away_ = true;
    CheckGone();
  }
  void OnHangUp() override { connection_->Close(); }
  bool WantsInput() override {
    size_t pending = early_;
    for (const auto& [stream, forward] : forwards_) {
      if (forward->socket) pending += forward->socket->pending();
    }
    return pending < kMaxPending;
  }
  void OnRoom() override {
    // A copy: one that has come to its end goes.
    const auto forwards = forwards_;
    for (const auto& [stream, forward] : forwards) {
      if (forward->socket) forward->socket->Pull();
    }
  }
  std::optional<http::Clock::time_point> Deadline() override {
    std::optional<http::Clock::time_point> first = finish_;
    for (const auto& [request, forward] : waiting_) {
      if (!first || *forward->deadline < *first) first = forward->deadline;
    }
    return first;
  }
  void OnDeadline() override {
    if (finish_) return connection_->Close();
    const auto now = http::Clock::now();
    const auto waiting = waiting_;
    for (const auto& [request, forward] : waiting) {
      if (*forward->deadline > now) continue;
      Print(*forward, "(request=" + request + ") timed out waiting for streams");
      for (const auto& stream : {forward->data, forward->error}) {
        if (stream) carrier().Reset(*stream);
      }
      waiting_.erase(request);
      Drop(forward);
    }
  }
  void OnClosed() override {
    closed_ = true;
    for (const auto& [stream, forward] : forwards_) {
      if (forward->socket) forward->socket->Close();
    }
    forwards_.clear();
    waiting_.clear();
  }

  // LocalEndOwner.
  bool HasRoom() override { return connection_->HasRoom(); }
  void OnBytes(LocalEnd& end, std::string_view bytes) override {
    const ForwardPtr forward = Find(end.tag());
    if (forward) carrier().Send(*forward->data, bytes);
  }
  void OnReadEnd(LocalEnd& end) override {
    const ForwardPtr forward = Find(end.tag());
    if (!forward) return;
    // The client waits for the end of both before it ends its own half, which it cannot do with
    // channels.
    carrier().End(*forward->data);
    carrier().End(*forward->error);
    forward->client_ended = forward->client_ended || !options_.ports.empty();
    CheckOver(forward);
  }
  void OnDrained(LocalEnd& end) override {
    const ForwardPtr forward = Find(end.tag());
    if (forward) CheckOver(forward);
  }
  void Settle() override { connection_->Turn(); }

 private:
  StreamCarrier& carrier() { return connection_->carrier(); }

  // A copy: what is done with one may let go of it.
  ForwardPtr Find(StreamId data) const {
    const auto found = forwards_.find(data);
    return found == forwards_.end() ? nullptr : found->second;
  }
  void Print(const Forward& forward, std::string_view message) {
    if (forward.error) carrier().Send(*forward.error, message);
  }

  void Connect(const ForwardPtr& forward) {
    executor_.Post([self = shared_from_this(), forward] {
      auto connected = std::make_shared<Result<UniqueFd>>(self->options_.connect(forward->port));
      self->connection_->poller()->Post([self, forward, connected] {
        if (!self->closed_) self->OnConnected(forward, std::move(*connected));
      });
    });
  }
  void OnConnected(const ForwardPtr& forward, Result<UniqueFd> connected) {
    if (!forwards_.contains(*forward->data)) return;  // the client does not want it any more
    const auto opened = connected.ok() ? LocalEnd::Create(connection_->poller(), connected->get(),
                                                          *forward->data, weak_from_this())
                                       : Result<std::shared_ptr<LocalEnd>>(connected.error());
    if (!opened.ok()) {
      Print(*forward, "error forwarding port " + std::to_string(forward->port) + " to pod " +
                          options_.pod + ", uid " + options_.uid + ": " + opened.error().message());
      carrier().End(*forward->error);
      carrier().Reset(*forward->data);
      Drop(forward);
      return connection_->Turn();
    }
    forward->socket = *opened;
    early_ -= forward->early.size();
    forward->socket->Push(std::exchange(forward->early, {}));
    if (forward->client_ended) forward->socket->PushEnd();
    forward->socket->Pull();
    connection_->Turn();
  }

  // Both halves have ended.
  void CheckOver(const ForwardPtr& forward) {
    if (!forward->socket || !forward->client_ended) return;
    if (forward->socket->read_ended() && forward->socket->pending() == 0) Drop(forward);
  }
  void Drop(const ForwardPtr& forward) {
    if (forward->socket) forward->socket->Close();
    early_ -= std::exchange(forward->early, {}).size();
    for (const auto& stream : {forward->data, forward->error}) {
      if (stream) carrier().End(*stream);
    }
    if (forward->data) forwards_.erase(*forward->data);
    // With channels the connection is for these ports and ends with them.
    if (options_.ports.empty() || !forwards_.empty() || finish_) return;
    carrier().Close();
    finish_ = http::Clock::now() + connection_->times().finish;
  }
  void CheckGone() {
    if (gone_away_ && !carrier().HasStreams()) connection_->Close();
  }

  const std::shared_ptr<StreamConnection> connection_;
  const PortForward options_;
  Executor& executor_;
  const Gate::Pass pass_;

  std::map<std::string, ForwardPtr> waiting_;      // for their other stream, by request
  std::map<StreamId, ForwardPtr> forwards_;        // by the data stream
  size_t early_ = 0;                               // bytes of all that are not connected yet
  std::optional<http::Clock::time_point> finish_;  // for the client to go; all is over
  bool gone_away_ = false;
  bool closed_ = false;
};

}  // namespace

void RunPortForward(const std::shared_ptr<StreamConnection>& connection, PortForward forward,
                    Executor& executor, Gate::Pass pass) {
  auto session =
      std::make_shared<ForwardSession>(connection, std::move(forward), executor, std::move(pass));
  connection->Begin(session, [session] { session->Begin(); });
}

}  // namespace podium::node
