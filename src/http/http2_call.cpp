#include "http/http2_call.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "http/message.h"

namespace podium::http {
namespace {

nghttp2_nv NameAndValue(const Headers::Field& field) {
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data())),    // NOLINT: C
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data())),  // NOLINT: C
          .namelen = field.name.size(),
          .valuelen = field.value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

std::string Text(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls, with the call as its last argument.
struct Http2CallCallbacks {
  static Http2Call& Of(void* call) { return *static_cast<Http2Call*>(call); }

  static int OnBeginHeaders(nghttp2_session* /*raw*/, const nghttp2_frame* frame, void* call) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == Http2Call::kStream) {
      Of(call).answer_.heads.emplace_back();
    }
    return 0;
  }

  static int OnHeader(nghttp2_session* /*raw*/, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t /*flags*/,
                      void* call) {
    Http2Call& self = Of(call);
    if (frame->hd.stream_id != Http2Call::kStream || self.answer_.heads.empty()) return 0;
    // As the setting counts (RFC 9113, section 6.5.2). A small head may unpack into a large one.
    self.head_bytes_ += name_size + value_size + 32;
    if (self.head_bytes_ > HeadLimits{}.bytes) {
      self.answer_.heads_too_large = true;
      return 0;
    }
    self.answer_.heads.back().fields.Add(Text(name, name_size), Text(value, value_size));
    return 0;
  }

  static int OnFrame(nghttp2_session* /*raw*/, const nghttp2_frame* frame, void* call) {
    Http2Call::Answer& answer = Of(call).answer_;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool own = frame->hd.stream_id == Http2Call::kStream;
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      answer.settings = true;
    } else if (frame->hd.type == NGHTTP2_HEADERS && own && !answer.heads.empty()) {
      answer.heads.back().end = end;
    } else if (frame->hd.type == NGHTTP2_DATA && own && end) {
      answer.body_end = true;
    } else if (frame->hd.type == NGHTTP2_RST_STREAM && own) {
      answer.reset = frame->rst_stream.error_code;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      const nghttp2_goaway& away = frame->goaway;
      answer.go_away = {.code = away.error_code,
                        .last_stream = away.last_stream_id,
                        .debug = Text(away.opaque_data, away.opaque_data_len)};
    }
    return 0;
  }

  static int OnData(nghttp2_session* /*raw*/, uint8_t /*flags*/, int32_t id, const uint8_t* data,
                    size_t size, void* call) {
    if (id == Http2Call::kStream) Of(call).answer_.body += Text(data, size);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* /*raw*/, int32_t /*id*/, uint8_t* out, size_t size,
                          uint32_t* flags, nghttp2_data_source* /*source*/, void* call) {
    Http2Call& self = Of(call);
    const size_t count = std::min(size, self.body_.size() - self.sent_);
    std::copy_n(self.body_.data() + self.sent_, count, out);
    self.sent_ += count;
    if (self.sent_ == self.body_.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    return callbacks;
  }

  static nghttp2_option* MakeOptions() {
    nghttp2_option* option = nullptr;
    if (nghttp2_option_new(&option) != 0) return nullptr;
    // Whether fields are those of HTTP the caller sees; nghttp2 would reset the stream.
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_option_set_max_continuations(option, 8);
    nghttp2_option_set_max_outbound_ack(option, 100);
    return option;
  }
};

Result<std::unique_ptr<Http2Call>> Http2Call::Create(const Headers& fields, std::string body) {
  static nghttp2_session_callbacks* const kCallbacks = Http2CallCallbacks::Make();
  static nghttp2_option* const kOptions = Http2CallCallbacks::MakeOptions();
  auto call = std::unique_ptr<Http2Call>(new Http2Call(std::move(body)));
  const Error none(Code::kResourceExhausted, "no memory for a connection of HTTP/2");
  if (!kCallbacks || !kOptions ||
      nghttp2_session_client_new2(&call->session_, kCallbacks, call.get(), kOptions) != 0) {
    return none;
  }
  const nghttp2_settings_entry no_push{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  std::vector<nghttp2_nv> pairs;
  for (const Headers::Field& field : fields.fields()) pairs.push_back(NameAndValue(field));
  const nghttp2_data_provider provider{.source = {}, .read_callback = Http2CallCallbacks::ReadBody};
  if (nghttp2_submit_settings(call->session_, NGHTTP2_FLAG_NONE, &no_push, 1) != 0 ||
      nghttp2_submit_request(call->session_, nullptr, pairs.data(), pairs.size(), &provider,
                             nullptr) != kStream) {
    return none;
  }
  return call;
}

Http2Call::~Http2Call() { nghttp2_session_del(session_); }

Result<void> Http2Call::Receive(std::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    return Error(Code::kInvalidArgument,
                 std::string("http2: ") + nghttp2_strerror(static_cast<int>(used)));
  }
  // A session that found something wrong reads no more, once it has said so.
  const bool over = answer_.body_end || answer_.reset || answer_.go_away ||
                    (!answer_.heads.empty() && answer_.heads.back().end);
  if (!over && nghttp2_session_want_read(session_) == 0) {
    return Error(Code::kInvalidArgument, "http2: a bad frame");
  }
  return {};
}

Result<void> Http2Call::Produce(std::string* out) {
  while (true) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) {
      return Error(Code::kInternal,
                   std::string("http2: ") + nghttp2_strerror(static_cast<int>(size)));
    }
    if (size == 0) return {};
    out->append(Text(bytes, static_cast<size_t>(size)));
  }
}

}  // namespace podium::http
