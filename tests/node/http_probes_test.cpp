#include "node/http_probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "http/peer.h"
#include "http/poller.h"

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

  ~HttpProbesTest() override { poller_->Stop(); }

  // Waits for what `begin` is to call.
  template <class T, class Begin>
  static Result<T> Wait(const Begin& begin) {
    const auto promise = std::make_shared<std::promise<Result<T>>>();
    begin([promise](Result<T> result) { promise->set_value(std::move(result)); });
    auto future = promise->get_future();
    if (future.wait_for(20s) != std::future_status::ready) {
      return Error(Code::kInternal, "nothing came");
    }
    return future.get();
  }
  Result<NetworkProbes::Reply> Get(HttpCall call) {
    return Wait<NetworkProbes::Reply>(
        [&](auto done) { probes_->HttpGet(std::move(call), std::move(done)); });
  }
  Result<void> Connect(const std::string& host, uint16_t port, std::chrono::seconds timeout) {
    return Wait<void>([&](auto done) { probes_->Connect(host, port, timeout, std::move(done)); });
  }
  ThreadExecutor executor_;
  std::shared_ptr<http::Poller> poller_ = *http::Poller::Create();
  std::unique_ptr<HttpProbes> probes_ = *HttpProbes::Create(poller_, executor_);
};

TEST_F(HttpProbesTest, WhatIsAskedAndAnswered) {
  std::string head;
  PeerServer server([&](Peer& peer, int) {
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 100 Continue\r\n\r\n");
    peer.Send("HTTP/1.1 503 Not Yet\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n");
  });
  HttpCall call = CallTo(server, "/ready?x=1");
  call.headers = {{"X-Probe", "yes"}, {"Host", "inside.example"}, {"host", "second.example"}};
  const auto reply = Get(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "no");
  EXPECT_EQ(head,
            "GET /ready?x=1 HTTP/1.1\r\nHost: inside.example\r\nX-Probe: yes\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(server.connections(), 1);
}

// As scripts behind small servers do.
TEST_F(HttpProbesTest, LinesMayEndWithALineFeedAlone) {
  for (const char* text : {"HTTP/1.1 200 OK\r\n\nok", "HTTP/1.0 200 OK\nX: y\n\nok",
                           "HTTP/1.1 200 OK\r\nX: y\n\r\nok"}) {
    PeerServer server([&](Peer& peer, int) {
      (void)peer.ReadHead();
      peer.Send(text);
    });
    const auto reply = Get(CallTo(server));
    ASSERT_TRUE(reply.ok()) << text << ": " << reply.error().message();
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "ok");
  }
}

TEST_F(HttpProbesTest, RedirectsOnTheSameHostAreFollowed) {
  std::vector<std::string> heads;
  PeerServer server([&](Peer& peer, int number) {
    heads.push_back(peer.ReadHead());
    if (number == 0) {
      peer.Send("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    } else {
      peer.Send("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    }
  });
  HttpCall call = CallTo(server, "/ready");
  call.headers = {{"X-Probe", "yes"}};
  const auto reply = Get(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 500);
  ASSERT_EQ(heads.size(), 2u);
  const std::string page = "http://127.0.0.1:" + std::to_string(server.port());
  EXPECT_THAT(heads[1], HasSubstr("GET /other HTTP/1.1\r\n"));
  EXPECT_THAT(heads[1], HasSubstr("X-Probe: yes\r\n"));
  EXPECT_THAT(heads[1], HasSubstr("Referer: " + page + "/ready\r\n"));
}

TEST_F(HttpProbesTest, RedirectsElsewhereAreTheReply) {
  for (const char* location : {"http://127.0.0.2:1/", "https://elsewhere.example/", ""}) {
    PeerServer server([&](Peer& peer, int) {
      peer.ReadHead();
      peer.Send("HTTP/1.1 301 Moved\r\nLocation: " + std::string(location) +
                "\r\nContent-Length: 4\r\n\r\naway");
    });
    const auto reply = Get(CallTo(server));
    ASSERT_TRUE(reply.ok()) << reply.error().message();
    EXPECT_EQ(reply->status, 301);
    EXPECT_EQ(reply->body, "away");
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST_F(HttpProbesTest, RedirectsEnd) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 307 Again\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
  });
  const auto reply = Get(CallTo(server));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().message(), "Get \"http://127.0.0.1:" + std::to_string(server.port()) +
                                         "/x\": stopped after 10 redirects");
  EXPECT_EQ(server.connections(), 10);
}

TEST_F(HttpProbesTest, NamesAreLookedUp) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Answer("ok");
  });
  HttpCall call = CallTo(server);
  call.host = "localhost";
  const auto reply = Get(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 200);
}

TEST_F(HttpProbesTest, AnswersThatAreNone) {
  const std::string url = "Get \"http://127.0.0.1:";
  for (const auto& [answer, why] :
       {std::pair("", "EOF"), std::pair("HTTP/1.1 200", "unexpected EOF"),
        std::pair("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "unexpected EOF")}) {
    PeerServer server([&, text = std::string(answer)](Peer& peer, int) {
      peer.ReadHead();
      if (!text.empty()) peer.Send(text);
    });
    const auto reply = Get(CallTo(server));
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().message(), url + std::to_string(server.port()) + "/healthz\": " + why);
  }
  PeerServer endless([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\n");
    while (peer.Send("X: " + std::string(4096, 'x') + "\r\n")) {
    }
  });
  EXPECT_THAT(Get(CallTo(endless)).error().message(), HasSubstr("response headers exceeded"));
}

TEST_F(HttpProbesTest, EachProbeIsAConnectionOfItsOwn) {
  PeerServer server([](Peer& peer, int) {
    while (!peer.ReadHead().empty()) peer.Answer("ok");
  });
  ASSERT_TRUE(Get(CallTo(server)).ok());
  ASSERT_TRUE(Get(CallTo(server)).ok());
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
  const auto reply = Get(call);
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->body, "ok");
}

TEST_F(HttpProbesTest, PlainHttpWhereTlsIsAskedFor) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadSome();
    peer.Answer("ok");
  });
  HttpCall call = CallTo(server);
  call.tls = true;
  const auto reply = Get(call);
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), Code::kUnsupported);
  EXPECT_THAT(reply.error().message(),
              HasSubstr("/healthz\": http: server gave HTTP response to HTTPS client"));
}

TEST_F(HttpProbesTest, ALargeAnswerIsAnAnswer) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Answer(std::string(100'000, 'x'));
  });
  const auto reply = Get(CallTo(server));
  ASSERT_TRUE(reply.ok()) << reply.error().message();
  EXPECT_EQ(reply->status, 200);
}

TEST_F(HttpProbesTest, AServerThatSaysNothingIsNotWaitedForLonger) {
  PeerServer server([](Peer& peer, int) { peer.ReadToEnd(); });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(
      Get(CallTo(server)).error().message(),
      HasSubstr("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(HttpProbesTest, NobodyListens) {
  uint16_t port = 0;
  {
    const PeerServer server([](Peer&, int) {});
    port = server.port();
    EXPECT_TRUE(Connect("127.0.0.1", port, 1s).ok());
  }
  const auto refused = Connect("127.0.0.1", port, 1s);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "connect: connection refused");
  HttpCall call;
  call.host = "127.0.0.1";
  call.port = port;
  const std::string address = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(Get(call).error().message(), "Get \"http://" + address + "/\": dial tcp " + address +
                                             ": connect: connection refused");
}

// No probe holds a thread: a hundred servers that say nothing are waited for at
// the same time.
TEST_F(HttpProbesTest, ManyWaitAtOnce) {
  PeerServer server([](Peer& peer, int) { peer.ReadToEnd(); });
  constexpr int kProbes = 100;
  std::promise<void> all;
  std::atomic<int> late = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kProbes; ++i) {
    probes_->HttpGet(CallTo(server), [&](const Result<NetworkProbes::Reply>& reply) {
      EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
      if (++late == kProbes) all.set_value();
    });
  }
  EXPECT_EQ(all.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(HttpProbesTest, WhatGoesOnAtTheEndIsTold) {
  PeerServer server([](Peer& peer, int) { peer.ReadToEnd(); });
  HttpCall call = CallTo(server);
  call.timeout = 100s;
  std::promise<Code> told;
  probes_->HttpGet(call, [&](const Result<NetworkProbes::Reply>& reply) {
    told.set_value(reply.error().code());
  });
  poller_->Stop();
  probes_.reset();
  EXPECT_EQ(told.get_future().get(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::node
