#include "http/http2_peer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <csignal>

#include "http/connect.h"

namespace podium::http {
namespace {

constexpr size_t kFrameHead = 9;

// An integer of HPACK behind `bits` bits of another meaning (RFC 7541, section 5.1).
std::string Integer(size_t value, int bits) {
  const size_t limit = (size_t{1} << bits) - 1;
  if (value < limit) return {static_cast<char>(value)};
  std::string out{static_cast<char>(limit)};
  value -= limit;
  for (; value >= 128; value /= 128) out += static_cast<char>(value % 128 + 128);
  return out + static_cast<char>(value);
}

uint32_t NumberAt(std::string_view bytes) {
  uint32_t number = 0;
  for (const char c : bytes.substr(0, 4)) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

std::string Number(uint32_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
          static_cast<char>(number >> 8), static_cast<char>(number)};
}

std::string Encode(const Frame& frame) {
  return Number(static_cast<uint32_t>(frame.payload.size())).substr(1) +
         static_cast<char>(frame.type) + static_cast<char>(frame.flags) +
         Number(static_cast<uint32_t>(frame.id)) + frame.payload;
}

std::string EncodeFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += '\0';
    out += Integer(name.size(), 7) + name + Integer(value.size(), 7) + value;
  }
  return out;
}

std::string RequestFields(const std::string& path, const std::string& method) {
  return EncodeFields(
      {{":method", method}, {":scheme", "https"}, {":authority", "h"}, {":path", path}});
}

Http2Peer::Http2Peer(uint16_t port, const std::string& settings)
    : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
  nghttp2_hd_inflate_new(&inflater_);
  // OpenSSL writes with write(2).
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  static constexpr unsigned char kProtocol[] = "\x02h2";
  SSL_set_alpn_protos(ssl_, kProtocol, 3);
  fd_ = *ConnectTcp("127.0.0.1", port, {});
  const int flags = fcntl(fd_.get(), F_GETFL);
  fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK);
  // Whoever is not read from any more is not written to for ever.
  const timeval limit{5, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  SSL_set_fd(ssl_, fd_.get());
  EXPECT_EQ(SSL_connect(ssl_), 1);
  Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  Send({FrameType::kSettings, 0, 0, settings});
}

Http2Peer::~Http2Peer() {
  nghttp2_hd_inflate_del(inflater_);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

bool Http2Peer::Send(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool Http2Peer::Ask(int32_t id, const std::string& path, const std::string& method) {
  return Send({FrameType::kHeaders, kEndStream | kEndHeaders, id, RequestFields(path, method)});
}

bool Http2Peer::Fill(size_t size) {
  while (in_.size() < size) {
    pollfd polled{fd_.get(), POLLIN, 0};
    if (SSL_pending(ssl_) == 0 && poll(&polled, 1, 5000) <= 0) return false;
    char bytes[16384];
    const int got = SSL_read(ssl_, bytes, sizeof bytes);
    if (got <= 0) {
      at_end_ = true;
      return false;
    }
    in_.append(bytes, static_cast<size_t>(got));
  }
  return true;
}

std::optional<Frame> Http2Peer::Next() {
  if (!Fill(kFrameHead)) return std::nullopt;
  const size_t size = NumberAt(in_) >> 8;
  if (!Fill(kFrameHead + size)) return std::nullopt;
  Frame frame{static_cast<FrameType>(in_[3]), static_cast<uint8_t>(in_[4]),
              static_cast<int32_t>(NumberAt(std::string_view(in_).substr(5))),
              in_.substr(kFrameHead, size)};
  in_.erase(0, kFrameHead + size);
  Take(frame);
  return frame;
}

void Http2Peer::Take(const Frame& frame) {
  Answer& answer = answers_[frame.id];
  switch (frame.type) {
    case FrameType::kHeaders: {
      const auto* at = reinterpret_cast<const uint8_t*>(frame.payload.data());
      size_t left = frame.payload.size();
      auto& fields = answer.headers.empty() ? answer.headers : answer.trailers;
      while (true) {
        nghttp2_nv field;
        int flags = 0;
        const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
        ASSERT_GE(used, 0);
        at += used;
        left -= static_cast<size_t>(used);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
          fields[{reinterpret_cast<char*>(field.name), field.namelen}] = {
              reinterpret_cast<char*>(field.value), field.valuelen};
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      }
      nghttp2_hd_inflate_end_headers(inflater_);
      answer.whole = (frame.flags & kEndStream) != 0;
      return;
    }
    case FrameType::kData:
      answer.body += frame.payload;
      answer.whole = (frame.flags & kEndStream) != 0;
      if (opens_windows_ && !frame.payload.empty()) {
        const std::string size = Number(static_cast<uint32_t>(frame.payload.size()));
        Send(Encode({FrameType::kWindowUpdate, 0, 0, size}) +
             Encode({FrameType::kWindowUpdate, 0, frame.id, size}));
      }
      return;
    case FrameType::kReset:
      answer.reset = NumberAt(frame.payload);
      return;
    case FrameType::kGoAway:
      go_away_ = NumberAt(std::string_view(frame.payload).substr(4));
      return;
    case FrameType::kSettings:
      if ((frame.flags & kAck) == 0) Send({FrameType::kSettings, kAck, 0});
      return;
    default:
      return;
  }
}

Answer Http2Peer::Collect(int32_t id) {
  while (!answers_[id].whole && !answers_[id].reset && Next()) {
  }
  return answers_[id];
}

std::optional<uint32_t> Http2Peer::CollectGoAway() {
  while (Next()) {
  }
  return go_away_;
}

}  // namespace podium::http
