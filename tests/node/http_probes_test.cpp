#include "node/http_probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "http/peer.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using http::Peer;
using http::PeerServer;

class HttpProbesTest : public ::testing::Test {
 protected:
  static HttpCall CallTo(const PeerServer& server, const std::string& path = "/healthz") {
    HttpCall call;
    call.host = "127.0.0.1";
    call.port = server.port();
    call.path = path;
    return call;
  }

  HttpProbes probes_ = *HttpProbes::Create();
};

TEST_F(HttpProbesTest, AnAnswerIsTakenAsItIs) {
  std::string head;
  PeerServer server([&](Peer& peer, int) {
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 2\r\n\r\nno");
  });
  HttpCall call = CallTo(server, "/ready?x=1");
  call.headers.emplace_back("X-Probe", "yes");
  const auto reply = probes_.HttpGet(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(reply->body, "no");
  EXPECT_THAT(head, HasSubstr("GET /ready?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Probe: yes\r\n"));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpProbesTest, EachProbeIsAConnectionOfItsOwn) {
  PeerServer server([](Peer& peer, int) {
    while (!peer.ReadHead().empty()) peer.Answer("ok");
  });
  ASSERT_TRUE(probes_.HttpGet(CallTo(server)).ok());
  ASSERT_TRUE(probes_.HttpGet(CallTo(server)).ok());
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpProbesTest, CertificatesAreNotLookedAt) {
  PeerServer server(
      [](Peer& peer, int) {
        peer.ReadHead();
        peer.Answer("ok");
      },
      {.certificate = "server"});
  HttpCall call = CallTo(server);
  call.tls = true;
  const auto reply = probes_.HttpGet(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->body, "ok");
}

TEST_F(HttpProbesTest, ALargeAnswerIsAnAnswer) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Answer(std::string(100'000, 'x'));
  });
  const auto reply = probes_.HttpGet(CallTo(server));
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 200);
}

TEST_F(HttpProbesTest, AServerThatSaysNothingIsNotWaitedForLonger) {
  PeerServer server([](Peer& peer, int) { peer.ReadToEnd(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(probes_.HttpGet(CallTo(server)).ok());
  EXPECT_FALSE(probes_.GrpcHealth("127.0.0.1", server.port(), "", 1s).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(HttpProbesTest, NobodyListens) {
  uint16_t port = 0;
  {
    const PeerServer server([](Peer&, int) {});
    port = server.port();
    EXPECT_TRUE(probes_.Connect("127.0.0.1", port, 1s).ok());
  }
  const auto refused = probes_.Connect("127.0.0.1", port, 1s);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("refused"));
  EXPECT_FALSE(probes_.GrpcHealth("127.0.0.1", port, "", 1s).ok());
}

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

// HealthCheckResponse with this status, in a gRPC message.
std::string Health(char status) { return std::string("\0\0\0\0\x02\x08", 6) + status; }

const std::string kSettings = Frame(4, 0, 0, "");
const std::string kTrailers = Frame(1, 5, 1, "");

class GrpcTest : public HttpProbesTest {
 protected:
  Result<bool> Check(const std::string& answer, const std::string& service = "") {
    PeerServer server([&](Peer& peer, int) {
      // Preface, settings, headers, and the message.
      while (!request_.contains("application/grpc")) {
        const std::string more = peer.ReadSome();
        if (more.empty()) break;
        request_ += more;
      }
      peer.Send(answer);
      while (true) {
        const std::string more = peer.ReadSome();
        if (more.empty()) break;
        request_ += more;
      }
    });
    auto serving = probes_.GrpcHealth("127.0.0.1", server.port(), service, 2s);
    return serving;
  }

  std::string request_;
};

TEST_F(GrpcTest, ServingAndNot) {
  for (const auto& [status, serving] : {std::pair('\x01', true), std::pair('\x02', false),
                                        std::pair('\x00', false), std::pair('\x03', false)}) {
    const auto checked =
        Check(kSettings + Frame(1, 4, 1, "\x88") + Frame(0, 0, 1, Health(status)) + kTrailers);
    ASSERT_TRUE(checked.ok()) << checked.error().message();
    EXPECT_EQ(*checked, serving) << int{status};
  }
}

TEST_F(GrpcTest, WhatIsAsked) {
  const std::string service(200, 's');
  ASSERT_TRUE(Check(kSettings + Frame(0, 1, 1, Health(1)), service).ok());
  EXPECT_EQ(request_.substr(0, 24), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_THAT(request_, HasSubstr("/grpc.health.v1.Health/Check"));
  // Field 1, 200 bytes: a varint of two.
  EXPECT_THAT(request_, HasSubstr(std::string("\x0A\xC8\x01") + service));
}

TEST_F(GrpcTest, SettingsAndPingsAreAnswered) {
  ASSERT_TRUE(Check(kSettings + Frame(6, 0, 0, "12345678") + Frame(0, 1, 1, Health(1))).ok());
  EXPECT_THAT(request_, HasSubstr(Frame(4, 1, 0, "")));
  EXPECT_THAT(request_, HasSubstr(Frame(6, 1, 0, "12345678")));
}

TEST_F(GrpcTest, AnswersThatAreNone) {
  EXPECT_THAT(Check(kSettings + Frame(3, 0, 1, std::string(4, '\0'))).error().message(),
              HasSubstr("refused the check"));
  EXPECT_THAT(Check(kSettings + Frame(7, 0, 0, std::string(8, '\0'))).error().message(),
              HasSubstr("refused the check"));
  EXPECT_THAT(Check(kSettings + kTrailers).error().message(),
              HasSubstr("answered without a health status"));
  EXPECT_THAT(Check(kSettings + Frame(0, 0, 1, std::string(70'000, 'x'))).error().message(),
              HasSubstr("too large"));
}

TEST_F(GrpcTest, AServerOfAnotherProtocol) {
  EXPECT_FALSE(Check("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").ok());
}

}  // namespace
}  // namespace podium::node
