// The writing half of HTTP/2: what handlers leave becomes frames, as the client takes them.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/http2_session.h"
#include "http/server_exchange.h"

namespace podium::http {
namespace {

// What a stalled stream must take within the write timeout.
constexpr size_t kSlowestStream = size_t{16} << 10;

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),    // NOLINT: C
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),  // NOLINT: likewise
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

// Fields that are about one connection of HTTP/1.1 (RFC 9113, section 8.2.2).
bool IsOfConnection(std::string_view name) {
  for (const char* other :
       {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}) {
    if (name == other) return true;
  }
  return false;
}

// `names` holds the names, as HTTP/2 spells them, for as long as the fields are used.
void AddFields(const Headers& headers, std::vector<std::string>* names,
               std::vector<nghttp2_nv>* fields) {
  names->reserve(headers.size());
  for (const auto& [name, value] : headers.fields()) {
    if (const std::string lower = LowerCase(name); !IsOfConnection(lower)) {
      fields->push_back(Field(names->emplace_back(lower), value));
    }
  }
}

}  // namespace

// What nghttp2 calls for the bytes of an answer, with the session as its last argument.
struct Http2BodyCallback {
  static ssize_t Read(nghttp2_session* /*raw*/, int32_t id, uint8_t* out, size_t size,
                      uint32_t* flags, nghttp2_data_source* /*source*/, void* self) {
    auto& session = *static_cast<Http2Session*>(self);
    const auto stream = session.Find(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const auto taken = session.TakeBody(*stream, reinterpret_cast<char*>(out), size);
    if (taken.failed) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (taken.wait) return NGHTTP2_ERR_DEFERRED;
    if (taken.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (taken.end && stream->trailers.size() > 0) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      if (!session.SubmitTrailers(*stream)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return static_cast<ssize_t>(taken.bytes);
  }
};

void Http2Session::Continue(Http2Stream& stream) {
  const nghttp2_nv status = Field(":status", "100");
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, &status, 1, nullptr);
}

void Http2Session::Reject(const StreamPtr& stream, int status, std::string_view message) {
  if (std::exchange(stream->refused, true) || stream->submitted) return;
  ForgetBody(*stream);
  ServerOptions::Page page{"text/plain; charset=utf-8", std::to_string(status) + " " +
                                                            std::string(ReasonPhrase(status)) +
                                                            ": " + std::string(message) + "\n"};
  if (context_->options.error_page) page = context_->options.error_page(status, message);
  {
    const std::lock_guard lock(stream->mutex);
    stream->begun_answer = true;
    stream->status = status;
    stream->headers = {{"Content-Type", page.content_type},
                       {"Content-Length", std::to_string(page.body.size())},
                       {"Date", std::string(HttpDateNow())}};
    stream->out = page.body;
    stream->ended = true;
  }
  Progress(stream);
}

void Http2Session::OnStream(int32_t id) {
  if (const StreamPtr stream = Find(id)) Progress(stream);
}

void Http2Session::OnWake(int32_t id) {
  const StreamPtr stream = Find(id);
  if (!stream || !stream->submitted || !std::exchange(stream->waits, false)) return;
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::Progress(const StreamPtr& stream) {
  size_t taken = 0;
  bool broken = false;
  bool submit = false;
  bool with_body = false;
  {
    const std::lock_guard lock(stream->mutex);
    stream->posted = false;
    taken = std::exchange(stream->in_taken, 0);
    broken = stream->broken;
    submit = stream->begun_answer && !stream->submitted;
    if (submit) stream->source = std::move(stream->handed);
    with_body = stream->source || !stream->ended || !stream->out.empty();
  }
  if (taken > 0) nghttp2_session_consume(session_, stream->id, taken);
  if (broken) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
  } else if (submit) {
    Submit(stream, with_body);
  } else {
    OnWake(stream->id);
  }
}

void Http2Session::Submit(const StreamPtr& stream, bool with_body) {
  stream->submitted = true;
  if (stream->headers.HasToken("Connection", "close")) {
    // How upstream asks clients to come again by another connection.
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                          nullptr, 0);
  }
  const std::string status = std::to_string(stream->status);
  std::vector<std::string> names;
  std::vector<nghttp2_nv> fields = {Field(":status", status)};
  AddFields(stream->headers, &names, &fields);
  if (stream->source) {
    stream->waker = std::make_shared<BodyWaker::Target>(inbox_, connection_, stream->id);
    stream->source->Attach(BodyWaker(stream->waker));
  }
  stream->finished = !with_body;
  const nghttp2_data_provider provider{.source = {}, .read_callback = Http2BodyCallback::Read};
  if (nghttp2_submit_response(session_, stream->id, fields.data(), fields.size(),
                              with_body ? &provider : nullptr) != 0) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
  }
}

bool Http2Session::SubmitTrailers(const Http2Stream& stream) {
  for (const auto& [name, value] : stream.trailers.fields()) {
    if (!IsToken(name) || !IsFieldValue(value)) return false;
  }
  std::vector<std::string> names;
  std::vector<nghttp2_nv> fields;
  AddFields(stream.trailers, &names, &fields);
  return nghttp2_submit_trailer(session_, stream.id, fields.data(), fields.size()) == 0;
}

Http2Session::Taken Http2Session::TakePulled(Http2Stream& stream, char* out, size_t size) {
  Taken taken;
  stream.waker->woken = false;
  if (stream.then == BodyPiece::Then::kWait) stream.then = BodyPiece::Then::kMore;
  while (taken.bytes < size) {
    if (stream.piece.empty()) {
      if (stream.then != BodyPiece::Then::kMore) break;
      auto next = stream.source->Next();
      if (!next.ok()) return {.failed = true};
      stream.piece = next->bytes;
      stream.then = next->then;
      continue;
    }
    const size_t part = std::min(stream.piece.size(), size - taken.bytes);
    std::memcpy(out + taken.bytes, stream.piece.data(), part);
    taken.bytes += part;
    stream.piece.remove_prefix(part);
  }
  const bool dry = stream.piece.empty() && stream.then == BodyPiece::Then::kWait;
  taken.end = stream.piece.empty() && stream.then == BodyPiece::Then::kEnd;
  if (dry && taken.bytes == 0) {
    // A watch ends here, as a whole, when the server stops.
    taken.end = stopping_ && stream.treatment.long_running;
    taken.wait = !taken.end;
  }
  if (taken.end) {
    stream.trailers = stream.source->Trailers();
    stream.source.reset();
  }
  return taken;
}

Http2Session::Taken Http2Session::TakeBody(Http2Stream& stream, char* out, size_t size) {
  Taken taken;
  if (stream.source) {
    taken = TakePulled(stream, out, size);
  } else {
    const std::lock_guard lock(stream.mutex);
    taken.bytes = std::min(size, stream.out.size() - stream.out_begin);
    std::memcpy(out, stream.out.data() + stream.out_begin, taken.bytes);
    stream.out_begin += taken.bytes;
    if (stream.out_begin == stream.out.size()) {
      stream.out.clear();
      stream.out_begin = 0;
      taken.end = stream.ended;
    } else if (stream.out_begin > size_t{64} << 10 && !stream.ended) {
      stream.out.erase(0, std::exchange(stream.out_begin, 0));
    }
    taken.wait = taken.bytes == 0 && !taken.end;
    stream.changed.notify_all();
  }
  stream.waits = taken.wait;
  stream.finished = taken.end;
  stream.sent += taken.bytes;
  // Who takes answers may also send the WINDOW_UPDATEs that belong to them.
  Refill(static_cast<double>(taken.bytes) / 1024);
  return taken;
}

void Http2Session::Sweep(Clock::time_point now) {
  for (const auto& [id, stream] : std::unordered_map(streams_)) SweepStream(stream, now);
}

void Http2Session::SweepStream(const StreamPtr& stream, Clock::time_point now) {
  if (!stream->whole && !stream->dispatched && !stream->refused &&
      now - stream->begun > context_->options.body_timeout) {
    Reject(stream, 408, "the request did not arrive in time");
    return;
  }
  const bool sending = stream->submitted && !stream->finished && !stream->waits;
  if (!sending) {
    stream->blocked.reset();
  } else if (!stream->blocked || stream->sent >= kSlowestStream) {
    stream->blocked = now;
    stream->sent = 0;
  } else if (now - *stream->blocked > context_->options.write_timeout) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
  }
}

}  // namespace podium::http
