#include "http/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "http/server_exchange.h"

namespace podium::http {
namespace {

constexpr uint32_t kMaxStreams = 250;
constexpr int32_t kStreamWindow = 256 << 10;
constexpr int32_t kConnectionWindow = 1 << 20;
// Frames that wait for the client to take them.
constexpr size_t kOut = size_t{64} << 10;
// The budget for frames that bring nothing forward: at first, and a second.
constexpr double kBudget = 2000;
constexpr double kRefill = 50;
constexpr size_t kLargeHeadCost = 500;
// What belongs to a request whose answer was taken: a window is opened for either, and clients of
// gRPC measure the line by a PING each time that bytes come.
constexpr double kAnswerCredit = 3;

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls, with the session as its last argument.
struct Http2Callbacks {
  static Http2Session& Of(void* session) { return *static_cast<Http2Session*>(session); }

  static int OnBeginHeaders(nghttp2_session* /*raw*/, const nghttp2_frame* frame, void* session) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) Of(session).BeginRequest(frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session* /*raw*/, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t /*flags*/,
                      void* session) {
    // What comes behind a body is nothing that anyone here asks for.
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    const auto stream = Of(session).Find(frame->hd.stream_id);
    if (!stream) return 0;
    Of(session).AddHeader(*stream, View(name, name_size), View(value, value_size));
    return 0;
  }

  static int OnFrame(nghttp2_session* /*raw*/, const nghttp2_frame* frame, void* session) {
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const auto stream = Of(session).Find(frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (!stream) return 0;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
          Of(session).OnHead(stream, end);
        } else if (end) {
          Of(session).OnWhole(stream);
        }
        return 0;
      case NGHTTP2_DATA:
        if (frame->hd.length == 0 && !end) Of(session).Charge(1);
        if (stream && end) Of(session).OnWhole(stream);
        return 0;
      default:
        Of(session).Charge(1);
        return 0;
    }
  }

  static int OnData(nghttp2_session* /*raw*/, uint8_t /*flags*/, int32_t id, const uint8_t* data,
                    size_t size, void* session) {
    if (const auto stream = Of(session).Find(id)) {
      Of(session).OnData(stream, View(data, size));
    } else {
      nghttp2_session_consume_connection(Of(session).session_, size);
    }
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session* /*raw*/, const nghttp2_frame* /*frame*/, int /*error*/,
                            void* session) {
    Of(session).Charge(1);
    return 0;
  }

  static int OnSent(nghttp2_session* raw, const nghttp2_frame* frame, void* session) {
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                     (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
    const auto stream = end ? Of(session).Find(frame->hd.stream_id) : nullptr;
    // The answer is whole, and the request is not: the client need not go on (RFC 9113, 8.1).
    if (stream && !stream->whole) {
      nghttp2_submit_rst_stream(raw, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnClose(nghttp2_session* /*raw*/, int32_t id, uint32_t error, void* session) {
    Of(session).OnClosed(id, error != NGHTTP2_NO_ERROR);
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    return callbacks;
  }

  static nghttp2_option* MakeOptions() {
    nghttp2_option* option = nullptr;
    if (nghttp2_option_new(&option) != 0) return nullptr;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_continuations(option, 8);
    nghttp2_option_set_max_outbound_ack(option, 1000);
    return option;
  }
};

Http2Session::Http2Session(std::shared_ptr<const ServerContext> context, RunInThread run,
                           const ServerConnection& connection)
    : context_(std::move(context)),
      run_(std::move(run)),
      inbox_(connection.inbox),
      connection_(connection.id),
      remote_(connection.remote),
      running_(std::make_shared<std::atomic<int>>(0)),
      budget_(kBudget),
      refilled_(Clock::now()) {}

Result<std::unique_ptr<Http2Session>> Http2Session::Create(
    std::shared_ptr<const ServerContext> context, RunInThread run,
    const ServerConnection& connection) {
  static nghttp2_session_callbacks* const kCallbacks = Http2Callbacks::Make();
  static nghttp2_option* const kOptions = Http2Callbacks::MakeOptions();
  auto session = std::unique_ptr<Http2Session>(
      new Http2Session(std::move(context), std::move(run), connection));
  if (!kCallbacks || !kOptions ||
      nghttp2_session_server_new2(&session->session_, kCallbacks, session.get(), kOptions) != 0) {
    return Error(Code::kResourceExhausted, "no memory for a connection of HTTP/2");
  }
  const HeadLimits& limits = session->context_->options.head_limits;
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(limits.bytes)},
  };
  nghttp2_submit_settings(session->session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session->session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return session;
}

Http2Session::~Http2Session() {
  for (const auto& [id, stream] : std::exchange(streams_, {})) {
    ForgetBody(*stream);
    stream->Leave();
  }
  nghttp2_session_del(session_);
}

Http2Session::StreamPtr Http2Session::Find(int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

bool Http2Session::Charge(size_t cost) {
  budget_ -= static_cast<double>(cost);
  if (budget_ >= 0) return true;
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  Refill(kRefill * seconds);
  if (budget_ >= 0) return true;
  nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
  return false;
}

void Http2Session::Refill(double credit) { budget_ = std::min(kBudget, budget_ + credit); }

bool Http2Session::Receive(std::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  return used >= 0;
}

void Http2Session::Produce(std::string* out) {
  while (out->size() < kOut) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return;
    out->append(View(bytes, static_cast<size_t>(size)));
  }
}

bool Http2Session::Done() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void Http2Session::BeginRequest(int32_t id) {
  auto stream = std::make_shared<Http2Stream>();
  stream->id = id;
  stream->connection = connection_;
  stream->inbox = inbox_;
  stream->begun = Clock::now();
  streams_.emplace(id, std::move(stream));
  used_ = true;
}

void Http2Session::AddHeader(Http2Stream& stream, std::string_view name, std::string_view value) {
  const HeadLimits& limits = context_->options.head_limits;
  RequestHead& head = stream.head;
  // As the setting that is shown to the client counts (RFC 9113, section 6.5.2).
  stream.head_bytes += name.size() + value.size() + 32;
  if (stream.head_bytes > limits.bytes || head.headers.size() >= limits.fields) {
    // What a small head grows into when it is unpacked is kept by nobody (a bomb of HPACK).
    stream.head_too_large = true;
    return;
  }
  if (name == ":method") {
    head.method = value;
  } else if (name == ":path") {
    head.target = value;
  } else if (name == ":authority") {
    head.headers.Set("Host", value);
  } else if (name.starts_with(':')) {
    // :scheme says nothing that the connection does not.
  } else if (const std::string* cookie = name == "cookie" ? head.headers.Find(name) : nullptr) {
    // Sent in crumbs (RFC 9113, section 8.2.3).
    head.headers.Set(name, *cookie + "; " + std::string(value));
  } else if (name != "host" || !head.headers.Find("Host")) {
    head.headers.Add(name, value);
  }
}

void Http2Session::OnHead(const StreamPtr& stream, bool whole) {
  stream->has_head = true;
  stream->whole = whole;
  RequestHead& head = stream->head;
  if (stream->head_too_large) {
    Charge(kLargeHeadCost);
    Reject(stream, 431, "the request's head is too large");
    return;
  }
  if (!IsToken(head.method) || !IsRequestTarget(head.target)) {
    Reject(stream, 400, "a bad request line");
    return;
  }
  if (context_->options.treatment) stream->treatment = context_->options.treatment(head);
  if (head.headers.HasToken("Expect", "100-continue") && !whole) {
    Continue(*stream);
  }
  if (stream->treatment.stream_body || whole) {
    const std::lock_guard lock(stream->mutex);
    stream->in_whole = whole;
  }
  if (stream->treatment.stream_body || whole) Dispatch(stream);
}

void Http2Session::OnData(const StreamPtr& stream, std::string_view bytes) {
  stream->received += bytes.size();
  if (stream->treatment.stream_body && !stream->refused) {
    // The window opens as the handler reads.
    stream->TakeIn(bytes, false);
    return;
  }
  nghttp2_session_consume(session_, stream->id, bytes.size());
  if (stream->refused || stream->dispatched) return;
  if (stream->received > stream->treatment.max_body) {
    Reject(stream, 413,
           "Request entity too large: limit is " + std::to_string(stream->treatment.max_body));
    return;
  }
  stream->body += bytes;
  stream->counted += bytes.size();
  const size_t buffered = context_->buffered += bytes.size();
  if (buffered > context_->options.max_buffered) Reject(stream, 503, "too many requests at once");
}

void Http2Session::OnWhole(const StreamPtr& stream) {
  stream->whole = true;
  if (stream->refused) return;
  if (stream->treatment.stream_body) {
    stream->TakeIn("", true);
    return;
  }
  if (!stream->dispatched) Dispatch(stream);
}

void Http2Session::Dispatch(const StreamPtr& stream) {
  ServerRequest request;
  request.head = std::move(stream->head);
  if (auto split = SplitTarget(stream->treatment.strict_path, &request); !split.ok()) {
    Reject(stream, 400, split.error().message());
    return;
  }
  // Handlers whose streams are gone count: otherwise a client could have any number of them.
  if (*running_ >= static_cast<int>(kMaxStreams)) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  stream->dispatched = true;
  request.remote = remote_;
  request.peer = remote_->credentials;
  request.body = std::exchange(stream->body, {});
  if (stream->treatment.on_loop) {
    stream->in_handler = true;
    context_->handler(MakeHttp2Exchange(context_, stream, running_, std::move(request)));
    stream->in_handler = false;
    Progress(stream);
    return;
  }
  auto held = std::make_shared<ServerRequest>(std::move(request));
  auto task = [context = context_, stream, running = running_, held] {
    context->handler(MakeHttp2Exchange(context, stream, running, std::move(*held)));
  };
  if (!run_(stream->treatment.long_running || stream->treatment.stream_body, std::move(task))) {
    Reject(stream, 503, "too many long-running requests");
  }
}

void Http2Session::OnClosed(int32_t id, bool failed) {
  const StreamPtr stream = Find(id);
  if (stream) {
    if (!failed && stream->finished) Refill(kAnswerCredit);
    streams_.erase(id);
    ForgetBody(*stream);
    stream->Leave();
  }
  // Ended by an error of whichever side: the work for it was done for nothing.
  if (failed) Charge(2);
}

void Http2Session::ForgetBody(Http2Stream& stream) {
  context_->buffered -= std::exchange(stream.counted, 0);
  stream.body = {};
}

void Http2Session::BeginStop() {
  if (std::exchange(stopping_, true)) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  for (const auto& [id, stream] : std::unordered_map(streams_)) {
    if (!stream->treatment.long_running) continue;
    stream->Cancel();
    if (stream->source) OnWake(id);
  }
}

}  // namespace podium::http
