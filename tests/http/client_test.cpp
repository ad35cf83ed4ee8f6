#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <future>

#include "http/peer.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kLimit = size_t{1} << 20;

Client NewClient(ClientOptions options = {}) { return *Client::Create(std::move(options)); }

// The status and the body, or what went wrong.
std::string Fetched(const Client& client, const Request& request) {
  auto response = client.Send(request);
  if (!response.ok()) return "error: " + response.error().message();
  auto body = response->ReadAll(kLimit);
  if (!body.ok()) return "body: " + body.error().message();
  return std::to_string(response->status()) + " " + *body;
}

TEST(Client, SendsARequestAndReadsTheAnswer) {
  std::string head;
  PeerServer server([&](Peer& peer, int) {
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Test: yes\r\n\r\nok");
  });
  auto response = NewClient().Send({.url = server.Url("/a?b=c"), .headers = {{"Accept", "x"}}});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status(), 201);
  EXPECT_EQ(response->head().reason, "Made");
  EXPECT_EQ(response->headers().Get("x-test"), "yes");
  EXPECT_EQ(response->content_length(), 2U);
  EXPECT_EQ(*response->ReadAll(2), "ok");
  EXPECT_EQ(head, "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                      "\r\nUser-Agent: podium\r\nAccept: x\r\n\r\n");
}

TEST(Client, SendsBodies) {
  PeerServer server([&](Peer& peer, int) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (head.find("chunked") != std::string::npos) {
        peer.Answer(peer.ReadExactly(5 + 3 + 2 + 5));
      } else {
        peer.Answer(head.substr(0, 4) + peer.ReadExactly(3));
      }
    }
  });
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.method = "PUT", .url = server.Url("/"), .body = "abc"}),
            "200 PUT abc");
  const auto source = [](std::string text) {
    return [text](std::span<char> buffer) mutable -> Result<size_t> {
      const size_t size = text.copy(buffer.data(), buffer.size());
      text.erase(0, size);
      return size;
    };
  };
  EXPECT_EQ(
      Fetched(
          client,
          {.method = "POST", .url = server.Url("/"), .body_source = source("xyz"), .body_size = 3}),
      "200 POSTxyz");
  EXPECT_EQ(
      Fetched(client, {.method = "POST", .url = server.Url("/"), .body_source = source("12345")}),
      "200 5\r\n12345\r\n0\r\n\r\n");
  EXPECT_THAT(
      Fetched(
          client,
          {.method = "POST", .url = server.Url("/"), .body_source = source("x"), .body_size = 3}),
      HasSubstr("shorter than announced"));
  EXPECT_THAT(Fetched(client, {.method = "POST",
                               .url = server.Url("/"),
                               .body_source = [](std::span<char>) -> Result<size_t> {
                                 return Error(Code::kDataLoss, "the disk is gone");
                               }}),
              HasSubstr("the disk is gone"));
}

// Else a watch of a machine that is gone would wait for two hours.
TEST(Client, FindsPeersThatHaveGoneWithoutAWord) {
  PeerServer server([&](Peer& peer, int) {
    (void)peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    (void)peer.ReadToEnd();
  });
  const auto response = NewClient().Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok()) << response.error().message();
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(response->fd(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 15);
}

TEST(Client, RefusesRequestsThatAreNone) {
  const Client client = NewClient();
  for (const Request& request :
       {Request{.url = "ftp://h/"}, Request{.url = "no url"},
        Request{.method = "G T", .url = "http://127.0.0.1:1/"},
        Request{.url = "http://h/", .headers = {{"Content-Length", "3"}}},
        Request{.url = "http://h/", .headers = {{"Transfer-Encoding", "x"}}}}) {
    auto response = client.Send(request);
    ASSERT_FALSE(response.ok());
    EXPECT_NE(response.error().message(), "");
  }
  PeerServer server([](Peer& peer, int) { peer.Answer(""); });
  EXPECT_THAT(Fetched(client, {.url = server.Url("/"), .headers = {{"A", "b\r\nC: d"}}}),
              HasSubstr("cannot be sent"));
}

TEST(Client, ReadsEveryKindOfBody) {
  PeerServer server([](Peer& peer, int) {
    const std::string head = peer.ReadHead();
    if (head.starts_with("GET /chunked")) {
      peer.Send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    } else if (head.starts_with("GET /close")) {
      peer.Send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    } else if (head.starts_with("HEAD")) {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    } else {
      peer.Send(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
          "HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/chunked")}), "200 abcde");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/close")}), "200 until the end");
  EXPECT_EQ(Fetched(client, {.method = "HEAD", .url = server.Url("/")}), "200 ");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/interim")}), "204 ");
}

TEST(Client, BoundsBodiesAndHeads) {
  PeerServer server([](Peer& peer, int) {
    const std::string head = peer.ReadHead();
    if (head.starts_with("GET /head")) {
      for (int i = 0; i < 2000 && peer.Send("X: " + std::string(1000, 'x') + "\r\n"); ++i) {
      }
    } else if (head.starts_with("GET /interim")) {
      for (int i = 0; i < 1000 && peer.Send("HTTP/1.1 102 Processing\r\n\r\n"); ++i) {
      }
    } else {
      peer.Answer("12345");
    }
  });
  const Client client = NewClient();
  auto response = client.Send({.url = server.Url("/")});
  EXPECT_EQ(response->ReadAll(4).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(client.Send({.url = server.Url("/head")}).error().code(), Code::kResourceExhausted);
  EXPECT_THAT(client.Send({.url = server.Url("/interim")}).error().message(),
              HasSubstr("too many interim"));
}

TEST(Client, KeepsConnections) {
  PeerServer server([](Peer& peer, int number) {
    while (!peer.ReadHead().empty()) peer.Answer(std::to_string(number));
  });
  Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 0");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 0");
  {
    // Two at once are two connections.
    auto first = client.Send({.url = server.Url("/")});
    auto second = client.Send({.url = server.Url("/")});
    EXPECT_EQ(*first->ReadAll(10), "0");
    EXPECT_EQ(*second->ReadAll(10), "1");
  }
  {
    // A body that was not read to its end takes the connection along.
    auto dropped = client.Send({.url = server.Url("/")});
    EXPECT_TRUE(dropped.ok());
  }
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(Fetched(client, {.url = server.Url("/")}), StartsWith("200 "));
  EXPECT_EQ(server.connections(), 2);
  client.CloseIdle();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 2");
}

TEST(Client, DoesNotKeepWhatTheServerCloses) {
  PeerServer server([](Peer& peer, int number) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n" +
              std::to_string(number));
    peer.ReadToEnd();
  });
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 0");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 1");
}

// A kept connection that the server closes while the request is under way.
TEST(Client, RepeatsWhatMayBeRepeated) {
  std::atomic<int> heads = 0;
  PeerServer server([&](Peer& peer, int number) {
    peer.ReadHead();
    peer.Answer(std::to_string(number));
    const std::string second = peer.ReadHead();
    if (!second.empty()) ++heads;
    if (number > 0) peer.Answer("again");
  });
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 0");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 1");
  EXPECT_EQ(heads, 1);

  PeerServer other([](Peer& peer, int) {
    peer.ReadHead();
    peer.Answer("first");
    peer.ReadHead();
  });
  EXPECT_EQ(Fetched(client, {.url = other.Url("/")}), "200 first");
  EXPECT_THAT(Fetched(client, {.method = "POST", .url = other.Url("/")}),
              HasSubstr("unexpected EOF"));
}

TEST(Client, FindsKeptConnectionsClosed) {
  PeerServer server([](Peer& peer, int number) {
    peer.ReadHead();
    peer.Answer(std::to_string(number));
  });
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 0");
  // Enough for the FIN of loopback to arrive; were it late, the POST would fail.
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/")}), "200 1");
}

// Whatever the byte at which the server goes away, the client says so and neither hangs nor takes
// half an answer for a whole one.
TEST(Client, SeesEveryBrokenAnswer) {
  const std::string whole_answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  };
  for (const std::string& whole : whole_answers) {
    for (const bool reset : {false, true}) {
      PeerServer server([&](Peer& peer, int number) {
        peer.ReadHead();
        peer.Send(std::string_view(whole).substr(0, static_cast<size_t>(number)));
        if (reset) {
          // What was sent arrives first: the reset must not overtake it.
          std::this_thread::sleep_for(milliseconds(5));
          peer.Reset();
        }
      });
      const Client client = NewClient();
      for (size_t cut = 0; cut < whole.size(); ++cut) {
        auto response = client.Send({.url = server.Url("/")});
        if (!response.ok()) {
          EXPECT_EQ(response.error().code(), Code::kUnavailable) << response.error().message();
          continue;
        }
        auto body = response->ReadAll(kLimit);
        ASSERT_FALSE(body.ok()) << "cut at " << cut;
        EXPECT_EQ(body.error().code(), Code::kUnavailable) << body.error().message();
      }
      EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 hello");
    }
  }
}

TEST(Client, TakesTheAnswerOfAServerThatDoesNotReadOn) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.CloseWrite();
    peer.ReadExactly(1 << 20);
  });
  EXPECT_EQ(
      Fetched(NewClient(),
              {.method = "PUT", .url = server.Url("/"), .body = std::string(size_t{1} << 20, 'x')}),
      "413 big");
}

TEST(Client, RefusesAnswersOfTwoLengths) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  });
  auto response = NewClient().Send({.url = server.Url("/")});
  EXPECT_EQ(response.error().code(), Code::kInvalidArgument);
}

TEST(Client, HasDeadlines) {
  PeerServer server([](Peer& peer, int number) {
    peer.ReadHead();
    if (number == 0) {
      peer.ReadToEnd();
      return;
    }
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 100 && peer.Send("x"); ++i) std::this_thread::sleep_for(milliseconds(20));
  });
  const Client client = NewClient();
  auto silent =
      client.Send({.url = server.Url("/"), .timeouts = Timeouts{.idle = milliseconds(50)}});
  EXPECT_EQ(silent.error().code(), Code::kDeadlineExceeded) << silent.error().message();

  const auto begin = Clock::now();
  auto trickle =
      client.Send({.url = server.Url("/"),
                   .timeouts = Timeouts{.idle = milliseconds(1000), .total = milliseconds(200)}});
  ASSERT_TRUE(trickle.ok()) << trickle.error().message();
  EXPECT_EQ(trickle->ReadAll(kLimit).error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(Clock::now() - begin, milliseconds(1000));
}

TEST(Client, IsCancelledFromAnotherThread) {
  const auto cancellation = *Cancellation::Create();
  PeerServer server([&](Peer& peer, int) {
    peer.ReadHead();
    cancellation->Cancel();
    peer.ReadToEnd();
  });
  auto response = NewClient().Send({.url = server.Url("/"), .cancellation = cancellation.get()});
  EXPECT_EQ(response.error().code(), Code::kCancelled);
}

TEST(Client, CanBeAborted) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx");
    peer.ReadToEnd();
  });
  auto response = NewClient().Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok());
  auto read = std::async(std::launch::async, [&] { return response->ReadAll(10).ok(); });
  std::this_thread::sleep_for(milliseconds(20));
  response->Abort();
  EXPECT_FALSE(read.get());
}

TEST(Client, SaysWhyItCannotConnect) {
  uint16_t port = 0;
  {
    const PeerServer gone([](Peer&, int) {});
    port = gone.port();
  }
  const Client client = NewClient();
  auto refused = client.Send({.url = "http://127.0.0.1:" + std::to_string(port) + "/"});
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_EQ(refused.error().message(),
            "GET http://127.0.0.1:" + std::to_string(port) + "/: connect: Connection refused");
  auto missing = client.Send({.url = "http://localhost/", .unix_socket = "/nowhere/x.sock"});
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  auto long_path = client.Send({.url = "http://localhost/", .unix_socket = std::string(200, 'x')});
  EXPECT_EQ(long_path.error().code(), Code::kInvalidArgument);
}

TEST(Client, TriesTheAddressesOfAName) {
  // "localhost" has both families in most hosts files; the server listens on one only.
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Answer("four");
  });
  EXPECT_EQ(Fetched(NewClient(), {.url = "http://localhost:" + std::to_string(server.port())}),
            "200 four");
}

TEST(Client, SpeaksOverUnixSockets) {
  const TestFolder folder;
  const std::string path = folder.path() + "/x.sock";
  PeerServer server(
      [](Peer& peer, int number) {
        for (std::string head; !(head = peer.ReadHead()).empty();) {
          peer.Answer(std::to_string(number) + " " + head.substr(0, head.find("\r\nUser")));
        }
      },
      {.unix_path = path});
  const Client client = NewClient({.proxy = {.http_proxy = "127.0.0.1:1"}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Fetched(client, {.url = "http://agent/x", .unix_socket = path}),
              "200 0 GET /x HTTP/1.1\r\nHost: agent");
  }
}

TEST(Client, HandsOverUpgradedConnections) {
  PeerServer server([](Peer& peer, int) {
    peer.ReadHead();
    peer.Send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nearly");
    peer.Send(peer.ReadToEnd());
  });
  auto response = NewClient().Send(
      {.url = server.Url("/"), .headers = {{"Connection", "Upgrade"}, {"Upgrade", "echo"}}});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status(), 101);
  const auto stream = *response->TakeStream();
  ASSERT_TRUE(stream->Write("ping").ok());
  ASSERT_TRUE(stream->CloseWrite().ok());
  std::string text;
  char bytes[3];
  while (true) {
    const size_t size = *stream->Read(bytes);
    if (size == 0) break;
    text.append(bytes, size);
  }
  EXPECT_EQ(text, "earlyping");
}

class Redirects : public ::testing::Test {
 protected:
  // Tells what it was asked: method, target and what must not be given away.
  PeerServer target_{[](Peer& peer, int) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      std::string seen = head.substr(0, head.find(" HTTP"));
      for (const char* name : {"Authorization", "Cookie", "Content-Type"}) {
        if (head.find(name) != std::string::npos) seen += std::string(" ") + name;
      }
      peer.Answer(seen);
    }
  }};
  PeerServer origin_{[this](Peer& peer, int) {
    for (std::string head; !(head = peer.ReadHead()).empty();) {
      if (head.find("Content-Length: 4") != std::string::npos) peer.ReadExactly(4);
      const size_t slash = head.find('/');
      const std::string status = head.substr(slash + 1, 3);
      std::string location = head.substr(slash + 4, head.find(' ', slash) - slash - 4);
      if (location == "/out") location = target_.Url("/page");
      if (status == "200") {
        peer.Answer(location + (head.find("Authorization") != std::string::npos ? " known" : ""));
      } else {
        peer.Send("HTTP/1.1 " + status + " Moved\r\nContent-Length: 4\r\nLocation: " + location +
                  "\r\n\r\ngone");
      }
    }
  }};
  const Headers secrets_{{"Authorization", "Bearer x"}, {"Cookie", "y"}, {"Content-Type", "z"}};
};

TEST_F(Redirects, AreTheCallersToFollow) {
  const Client client = NewClient();
  EXPECT_EQ(Fetched(client, {.url = origin_.Url("/302/200/x")}), "302 gone");
  auto response = client.Send({.url = origin_.Url("/302/200/x"), .max_redirects = 3});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(*response->ReadAll(100), "/x");
  EXPECT_EQ(response->url().path, "/200/x");
  EXPECT_EQ(Fetched(client, {.url = origin_.Url("/302/302/302/200/x"), .max_redirects = 2}),
            "302 gone");
  EXPECT_EQ(origin_.connections(), 1);
}

TEST_F(Redirects, KeepSecretsFromOthers) {
  const Client client = NewClient();
  EXPECT_EQ(
      Fetched(client, {.url = origin_.Url("/302/200/x"), .headers = secrets_, .max_redirects = 1}),
      "200 /x known");
  EXPECT_EQ(
      Fetched(client, {.url = origin_.Url("/302/out"), .headers = secrets_, .max_redirects = 1}),
      "200 GET /page Content-Type");
}

TEST_F(Redirects, ChangeTheMethodAsEveryoneDoes) {
  const Client client = NewClient();
  const auto sent = [&](const char* method, const char* path) {
    return Fetched(client, {.method = method,
                            .url = origin_.Url(path),
                            .headers = {{"Content-Type", "z"}},
                            .body = "data",
                            .max_redirects = 1});
  };
  EXPECT_EQ(sent("POST", "/302/out"), "200 GET /page");
  EXPECT_EQ(sent("PUT", "/303/out"), "200 GET /page");
  EXPECT_EQ(sent("PUT", "/307/out"), "200 PUT /page Content-Type");
  EXPECT_EQ(Fetched(client, {.method = "HEAD", .url = origin_.Url("/302/out"), .max_redirects = 1}),
            "200 ");
}

TEST_F(Redirects, ToNowhereAreErrors) {
  EXPECT_THAT(Fetched(NewClient(), {.url = origin_.Url("/302mailto:x"), .max_redirects = 1}),
              HasSubstr("no scheme"));
}

TEST(Proxying, OfHttpAsksForTheWholeUrl) {
  std::string head;
  PeerServer proxy([&](Peer& peer, int) {
    head = peer.ReadHead();
    peer.Answer("by proxy");
  });
  const Client client = NewClient(
      {.proxy = {.http_proxy = "http://us%40er:pw@127.0.0.1:" + std::to_string(proxy.port())}});
  EXPECT_EQ(Fetched(client, {.url = "http://registry.invalid/v2/?x"}), "200 by proxy");
  EXPECT_THAT(
      head, StartsWith("GET http://registry.invalid/v2/?x HTTP/1.1\r\nHost: registry.invalid\r\n"));
  EXPECT_THAT(head, HasSubstr("Proxy-Authorization: Basic dXNAZXI6cHc=\r\n"));
}

TEST(Client, ServesManyThreads) {
  PeerServer server([](Peer& peer, int) {
    while (true) {
      const std::string head = peer.ReadHead();
      if (head.empty()) break;
      peer.Answer(head.substr(5, head.find(" HTTP") - 5));
    }
  });
  const Client client = NewClient();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const std::string name = std::to_string(i) + "-" + std::to_string(k);
        if (Fetched(client, {.url = server.Url("/" + name)}) == "200 " + name) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
  EXPECT_LE(server.connections(), 40);
}

}  // namespace
}  // namespace podium::http
