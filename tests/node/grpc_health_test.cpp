#include "node/grpc_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "http/peer.h"
#include "http/poller.h"
#include "node/http_probes.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using http::Peer;
using http::PeerServer;

enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kContinuation = 9
};
constexpr uint8_t kEnd = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;

// Frames of HTTP/2 as a server sends them.
std::string Frame(uint8_t type, uint8_t flags, uint8_t stream, const std::string& payload) {
  std::string out;
  out += static_cast<char>(payload.size() >> 16);
  out += static_cast<char>(payload.size() >> 8);
  out += static_cast<char>(payload.size());
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out += std::string(3, '\0');
  out += static_cast<char>(stream);
  return out + payload;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// HPACK without its compression (RFC 7541, section 6.2.2).
std::string Packed(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += '\0';
    out += static_cast<char>(name.size()) + name;
    out += static_cast<char>(value.size()) + value;
  }
  return out;
}

// The first head among these frames.
std::string HeadOf(const std::string& frames) {
  for (size_t at = 0; at + 9 <= frames.size();) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(frames[at + i]); };
    const size_t size = (size_t{byte(0)} << 16) | (size_t{byte(1)} << 8) | byte(2);
    if (byte(3) == kHeaders) return frames.substr(at + 9, size);
    at += 9 + size;
  }
  return "";
}

Fields Unpacked(const std::string& head) {
  Fields fields;
  nghttp2_hd_inflater* inflater = nullptr;
  nghttp2_hd_inflate_new(&inflater);
  const auto* at = reinterpret_cast<const uint8_t*>(head.data());
  const auto* end = at + head.size();
  for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
    nghttp2_nv field;
    flags = 0;
    const ssize_t used =
        nghttp2_hd_inflate_hd2(inflater, &field, &flags, at, static_cast<size_t>(end - at), 1);
    if (used < 0) break;
    at += used;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0) continue;
    fields.emplace_back(std::string(field.name, field.name + field.namelen),
                        std::string(field.value, field.value + field.valuelen));
  }
  nghttp2_hd_inflate_del(inflater);
  return fields;
}

std::string Head(const Fields& fields, bool end = false) {
  return Frame(kHeaders, kEndHeaders | (end ? kEnd : 0), 1, Packed(fields));
}

std::string Message(const std::string& bytes) {
  return Frame(kData, 0, 1, std::string(4, '\0') + static_cast<char>(bytes.size()) + bytes);
}

std::string Number(uint32_t number) {
  std::string out;
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>((number >> shift) & 0xFF);
  return out;
}

const std::string kHello = Frame(kSettings, 0, 0, "");
const std::string kBegin = Head({{":status", "200"}, {"content-type", "application/grpc"}});
const std::string kDone = Head({{"grpc-status", "0"}}, true);

class GrpcHealthTest : public ::testing::Test {
 protected:
  ~GrpcHealthTest() override { poller_->Stop(); }

  // Waits for what is said; a status, or the message of an error.
  std::string Health(uint16_t port, std::chrono::seconds timeout, const std::string& service = "") {
    std::promise<Result<std::string>> said;
    probes_->GrpcHealth("127.0.0.1", port, service, timeout,
                        [&](Result<std::string> result) { said.set_value(std::move(result)); });
    const auto result = said.get_future().get();
    return result.ok() ? *result : result.error().message();
  }

  // Of a server that answers so, once it has heard the request. `and_close`: and then ends.
  std::string Check(const std::string& answer, bool and_close = false) {
    PeerServer server([&](Peer& peer, int) {
      // Each ends with the end of what is asked: an empty message, with the end of the stream.
      const std::string last = Frame(kData, kEnd, 1, std::string(5, '\0'));
      while (!request_.ends_with(last)) {
        const std::string more = peer.ReadSome();
        if (more.empty()) break;
        request_ += more;
      }
      peer.Send(answer);
      if (and_close) peer.CloseWrite();
      request_ += peer.ReadToEnd();
    });
    return Health(server.port(), 1s);
  }

  // Of an answer whose status is in the trailers.
  static std::string Failed(const std::string& text) {
    return "error: health rpc probe failed: rpc error: code = " + text;
  }

  ThreadExecutor executor_;
  std::shared_ptr<http::Poller> poller_ = *http::Poller::Create();
  std::unique_ptr<HttpProbes> probes_ = *HttpProbes::Create(poller_, executor_);
  std::string request_;
};

TEST_F(GrpcHealthTest, ServingAndNot) {
  for (const auto& [message, name] :
       {std::pair(std::string("\x08\x01"), "SERVING"), std::pair(std::string(), "UNKNOWN"),
        std::pair(std::string("\x08\x02"), "NOT_SERVING"),
        std::pair(std::string("\x08\x03"), "SERVICE_UNKNOWN"),
        std::pair(std::string("\x08\x85\x01"), "133"),
        // Other fields of each wire type, and the last status counts.
        std::pair("\x08\x02\x10\x05\x1A\x01z\x25" + std::string(4, 'f') + "\x29" +
                      std::string(8, 'd') + "\x08\x01",
                  "SERVING")}) {
    EXPECT_EQ(Check(kHello + kBegin + Message(message) + kDone), name);
  }
}

TEST_F(GrpcHealthTest, FramesAreTakenInEveryForm) {
  const std::string head = Packed({{":status", "200"}, {"content-type", "application/grpc+proto"}});
  const std::string message = std::string("\0\0\0\0\x02\x08\x01", 7);
  EXPECT_EQ(Check(kHello + Frame(kHeaders, 0, 1, head.substr(0, 7)) +
                  Frame(kContinuation, kEndHeaders, 1, head.substr(7)) +
                  Frame(kData, kPadded, 1, '\3' + message.substr(0, 2) + "...") +
                  Frame(kData, 0, 1, message.substr(2)) + kDone),
            "SERVING");
}

TEST_F(GrpcHealthTest, WhatIsAsked) {
  ASSERT_EQ(Check(kHello + Frame(kPing, 0, 0, "12345678") + kBegin + Message("\x08\x01") + kDone),
            "SERVING");
  ASSERT_TRUE(request_.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  Fields fields = Unpacked(HeadOf(request_.substr(24)));
  ASSERT_EQ(fields.size(), 8u);
  EXPECT_TRUE(fields[3].second.starts_with("127.0.0.1:"));
  fields[3].second = "ADDRESS";
  const std::string& limit = fields[7].second;
  EXPECT_TRUE(limit.ends_with("m") && std::stoi(limit) > 500 && std::stoi(limit) <= 1000) << limit;
  fields[7].second = "LIMIT";
  EXPECT_EQ(fields, (Fields{{":method", "POST"},
                            {":scheme", "http"},
                            {":path", "/grpc.health.v1.Health/Check"},
                            {":authority", "ADDRESS"},
                            {"content-type", "application/grpc"},
                            {"user-agent", "kube-probe/1.36"},
                            {"te", "trailers"},
                            {"grpc-timeout", "LIMIT"}}));
  EXPECT_THAT(request_, HasSubstr(Frame(kData, kEnd, 1, std::string(5, '\0'))));
}

TEST_F(GrpcHealthTest, SettingsAndPingsAreAnswered) {
  // The answer is held back until both have come.
  PeerServer server([&](Peer& peer, int) {
    peer.Send(kHello + Frame(kPing, 0, 0, "12345678"));
    while (!request_.contains(Frame(kPing, kAck, 0, "12345678"))) {
      const std::string more = peer.ReadSome();
      if (more.empty()) return;
      request_ += more;
    }
    peer.Send(kBegin + Message("\x08\x01") + kDone);
    peer.ReadToEnd();
  });
  EXPECT_EQ(Health(server.port(), 5s), "SERVING");
  EXPECT_THAT(request_, HasSubstr(Frame(kSettings, kAck, 0, "")));
}

TEST_F(GrpcHealthTest, TheServiceIsNamed) {
  const std::string service(200, 's');
  PeerServer server([&](Peer& peer, int) {
    while (!request_.contains(service)) {
      const std::string more = peer.ReadSome();
      if (more.empty()) return;
      request_ += more;
    }
    peer.Send(kHello + kBegin + Message("\x08\x01") + kDone);
    peer.ReadToEnd();
  });
  EXPECT_EQ(Health(server.port(), 5s, service), "SERVING");
  // Field 1, 200 bytes: a varint of two.
  EXPECT_THAT(request_, HasSubstr(std::string("\0\0\0\0\xCB\x0A\xC8\x01", 8) + service));
}

TEST_F(GrpcHealthTest, StatusesOfTheServer) {
  const auto trailers_only = [](const std::string& code, const std::string& message) {
    return kHello + Head({{":status", "200"},
                          {"content-type", "application/grpc"},
                          {"grpc-status", code},
                          {"grpc-message", message}},
                         true);
  };
  EXPECT_EQ(Check(trailers_only("12", "unknown service grpc.health.v1.Health")),
            "error: this server does not implement the grpc health protocol "
            "(grpc.health.v1.Health): unknown service grpc.health.v1.Health");
  EXPECT_EQ(Check(trailers_only("4", "too late")),
            "timeout: health rpc did not complete within 1s");
  EXPECT_EQ(Check(trailers_only("5", "unknown service")),
            Failed("NotFound desc = unknown service"));
  EXPECT_EQ(Check(trailers_only("14", "100%25 %E2%82%AC 5% %zz %4")),
            Failed("Unavailable desc = 100% \xE2\x82\xAC 5% %zz %4"));
  EXPECT_EQ(Check(trailers_only("99", "")), Failed("Code(99) desc = "));
  EXPECT_EQ(Check(trailers_only("x", "")),
            Failed("Internal desc = transport: malformed grpc-status: strconv.ParseInt: parsing "
                   "\"x\": invalid syntax"));
  // Behind a message that is fine.
  EXPECT_EQ(Check(kHello + kBegin + Message("\x08\x01") +
                  Head({{"grpc-status", "8"}, {"grpc-message", "enough"}}, true)),
            Failed("ResourceExhausted desc = enough"));
  EXPECT_EQ(Check(kHello + kBegin + Message("\x08\x01") + Head({{"x", "y"}}, true)),
            Failed("Internal desc = "));
}

TEST_F(GrpcHealthTest, AnswersOfOtherServers) {
  EXPECT_EQ(Check(kHello + Head({{":status", "404"}, {"content-type", "text/html"}}, true)),
            "error: this server does not implement the grpc health protocol "
            "(grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not "
            "Found); transport: received unexpected content-type \"text/html\"");
  EXPECT_EQ(Check(kHello + Head({{":status", "503"}}) + Frame(kData, kEnd, 1, "no")),
            Failed("Unavailable desc = unexpected HTTP status code received from server: 503 "
                   "(Service Unavailable); malformed header: missing HTTP content-type"));
  EXPECT_EQ(Check(kHello + Head({{"x", "y"}}, true)),
            Failed("Internal desc = malformed header: missing HTTP status; malformed header: "
                   "missing HTTP content-type"));
  EXPECT_EQ(Check(kHello + Head({{":status", "103"}}) + kBegin + Message("\x08\x01") + kDone),
            "SERVING");
}

TEST_F(GrpcHealthTest, AnswersThatBreakOff) {
  const std::string reset = "desc = stream terminated by RST_STREAM with error code: ";
  EXPECT_EQ(Check(kHello + Frame(kReset, 0, 1, Number(7))),
            Failed("Unavailable " + reset + "REFUSED_STREAM"));
  EXPECT_EQ(Check(kHello + kBegin + Frame(kReset, 0, 1, Number(2))),
            Failed("Internal " + reset + "INTERNAL_ERROR"));
  EXPECT_EQ(Check(kHello + Frame(kReset, 0, 1, Number(0x1A))),
            Failed("Unknown " + reset + "unknown error code 0x1a"));
  EXPECT_EQ(Check(kHello + kBegin + Frame(kData, kEnd, 1, std::string("\0\0\0\0\x02\x08\x01", 7))),
            Failed("Internal desc = server closed the stream without sending trailers"));
  EXPECT_EQ(Check(kHello + kBegin + kBegin),
            Failed("Internal desc = a HEADERS frame cannot appear in the middle of a stream"));
  EXPECT_EQ(Check(kHello + kBegin, true),
            Failed("Unavailable desc = connection error: desc = \"error reading from server: "
                   "EOF\""));
}

TEST_F(GrpcHealthTest, ServersThatGoAway) {
  const std::string refused = Frame(kGoAway, 0, 0, Number(0) + Number(0));
  const std::string answered = Frame(kGoAway, 0, 0, Number(1) + Number(11) + "calm");
  EXPECT_EQ(Check(kHello + refused),
            Failed("Unavailable desc = the stream is rejected because server is draining the "
                   "connection"));
  EXPECT_EQ(Check(kHello + answered + kBegin + Message("\x08\x01") + kDone), "SERVING");
  EXPECT_EQ(Check(kHello + answered, true),
            Failed("Unavailable desc = closing transport due to: connection error: desc = \"error "
                   "reading from server: EOF\", received prior goaway: code: ENHANCE_YOUR_CALM, "
                   "debug data: \"calm\""));
}

TEST_F(GrpcHealthTest, MessagesThatAreNone) {
  const auto with = [this](const std::string& body) {
    return Check(kHello + kBegin + Frame(kData, 0, 1, body) + kDone);
  };
  EXPECT_EQ(Check(kHello + kBegin + kDone),
            Failed("Internal desc = cardinality violation: received no response message from "
                   "non-server-streaming RPC"));
  EXPECT_EQ(with(std::string(3, '\0')), Failed("Internal desc = unexpected EOF"));
  EXPECT_EQ(with(std::string("\0\0\0\0\x09\x08", 6)), Failed("Internal desc = unexpected EOF"));
  EXPECT_EQ(with(std::string("\1\0\0\0\0", 5)),
            Failed("Internal desc = grpc: compressed flag set with identity or empty encoding"));
  for (const char* bytes : {"\x08", "\x08\xFF", "\x1A\x05", "\x0B", "\x02"}) {
    EXPECT_THAT(Check(kHello + kBegin + Message(bytes) + kDone),
                HasSubstr("grpc: failed to unmarshal the received message"));
  }
  EXPECT_EQ(with(std::string(16'000, 'x')), Failed("Internal desc = unexpected EOF"));
  std::string much;
  for (int i = 0; i < 5; ++i) much += Frame(kData, 0, 1, std::string(16'000, '\0'));
  EXPECT_THAT(Check(kHello + kBegin + much), HasSubstr("the answer is too large"));
}

// A bomb of HPACK: a field of 4,000 bytes, and then its place in the table, again and again.
TEST_F(GrpcHealthTest, HeadsThatUnpackToMuchAreNotKept) {
  const std::string bomb =
      std::string("\x40\x01x\x7F\xA1\x1E") + std::string(4000, 'y') + std::string(10'000, '\xBE');
  EXPECT_EQ(Check(kHello + Frame(kHeaders, kEndHeaders, 1, bomb)),
            Failed("Internal desc = peer header list size exceeded limit"));
}

TEST_F(GrpcHealthTest, SettingsAndThenNothing) {
  EXPECT_EQ(Check(kHello), "timeout: health rpc did not complete within 1s");
  EXPECT_EQ(Check(kHello + kBegin + Message("\x08\x01")),
            "timeout: health rpc did not complete within 1s");
}

// A connection is one with the server's settings; until then it is tried again.
TEST_F(GrpcHealthTest, NoConnection) {
  const auto never = [](uint16_t port) {
    return "timeout: failed to connect service \"127.0.0.1:" + std::to_string(port) +
           "\" within 1s: context deadline exceeded";
  };
  uint16_t port = 0;
  {
    const PeerServer server([](Peer&, int) {});
    port = server.port();
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Health(port, 1s), never(port));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  PeerServer silent([](Peer& peer, int) { peer.ReadToEnd(); });
  EXPECT_EQ(Health(silent.port(), 1s), never(silent.port()));
  PeerServer other(
      [](Peer& peer, int) { peer.Send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"); });
  EXPECT_EQ(Health(other.port(), 1s), never(other.port()));
}

TEST_F(GrpcHealthTest, ServersMayComeLate) {
  PeerServer server([&](Peer& peer, int number) {
    if (number == 0) return;
    peer.Send(kHello + kBegin + Message("\x08\x01") + kDone);
    peer.ReadToEnd();
  });
  EXPECT_EQ(Health(server.port(), 10s), "SERVING");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(GrpcHealthTest, ACheckThatWaitsIsToldOfTheEnd) {
  uint16_t port = 0;
  {
    const PeerServer server([](Peer&, int) {});
    port = server.port();
  }
  std::promise<Code> told;
  probes_->GrpcHealth("127.0.0.1", port, "", 100s, [&](const Result<std::string>& result) {
    told.set_value(result.error().code());
  });
  std::this_thread::sleep_for(100ms);
  poller_->Stop();
  probes_.reset();
  EXPECT_EQ(told.get_future().get(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::node
