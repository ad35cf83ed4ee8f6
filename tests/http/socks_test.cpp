#include "http/socks.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "http/client.h"
#include "http/peer.h"

namespace podium::http {
namespace {

using namespace std::string_literals;

// A proxy that plays the server behind it too, and what it heard before.
struct Proxy {
  std::string reply = "\x05\x00\x00\x01\x7F\x00\x00\x01\x00\x50"s;
  std::string method = "\x05\x00"s;
  std::string heard{};
  std::string request{};

  void Play(Peer& peer) {
    heard = peer.ReadExactly(2);
    if (heard.size() < 2) return;
    heard += peer.ReadExactly(static_cast<unsigned char>(heard[1]));
    if (!peer.Send(method) || method[1] == '\xFF') return;
    if (method[1] == 2) {
      heard += peer.ReadExactly(2);
      heard += peer.ReadExactly(static_cast<unsigned char>(heard.back()) + size_t{1});
      heard += peer.ReadExactly(static_cast<unsigned char>(heard.back()));
      if (!peer.Send("\x01\x00"s)) return;
    }
    std::string head = peer.ReadExactly(5);
    if (head.size() < 5) return;
    head += peer.ReadExactly(static_cast<unsigned char>(head[4]) + size_t{2});
    heard += head;
    if (!peer.Send(reply) || reply[1] != 0) return;
    request = peer.ReadHead();
    peer.Answer("hello");
  }
};

Result<std::string> Ask(Proxy& proxy, const std::string& user, const std::string& url) {
  Result<std::string> body = Error(Code::kInternal, "nothing");
  {
    PeerServer server([&](Peer& peer, int) { proxy.Play(peer); });
    const std::string address = "socks5://" + user + "127.0.0.1:" + std::to_string(server.port());
    auto client = Client::Create({.proxy = {.always = address}});
    auto response = client->Send({.url = url});
    body = response.ok() ? response->ReadAll(100) : std::move(response).error();
  }
  return body;
}

TEST(Socks, ReachesAServerByItsName) {
  Proxy proxy;
  auto body = Ask(proxy, "", "http://api.example:8080/x");
  ASSERT_TRUE(body.ok()) << body.error().message();
  EXPECT_EQ(*body, "hello");
  EXPECT_EQ(proxy.heard, "\x05\x01\x00\x05\x01\x00\x03\x0B"s + "api.example\x1F\x90"s);
  // The server is spoken to as without a proxy.
  EXPECT_TRUE(proxy.request.starts_with("GET /x HTTP/1.1\r\n")) << proxy.request;
}

TEST(Socks, SignsIn) {
  Proxy proxy{.method = "\x05\x02"s};
  auto body = Ask(proxy, "me:p%40ss@", "http://api.example/");
  ASSERT_TRUE(body.ok()) << body.error().message();
  EXPECT_TRUE(proxy.heard.starts_with("\x05\x02\x00\x02\x01\x02me\x04p@ss"s)) << proxy.heard;
  Proxy unasked{.method = "\x05\x02"s};
  EXPECT_EQ(Ask(unasked, "", "http://api.example/").error().code(), Code::kUnauthenticated);
}

TEST(Socks, TellsWhatTheProxySays) {
  Proxy refuses{.reply = "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"s};
  const auto refused = Ask(refuses, "", "http://api.example/");
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_NE(refused.error().message().find("connection refused"), std::string::npos);
  Proxy other{.method = "HT"s};
  EXPECT_EQ(Ask(other, "", "http://api.example/").error().code(), Code::kInvalidArgument);
  Proxy strict{.method = "\x05\xFF"s};
  EXPECT_EQ(Ask(strict, "", "http://api.example/").error().code(), Code::kUnauthenticated);
  Proxy unused;
  EXPECT_EQ(Ask(unused, "", "http://" + std::string(250, 'a') + ".bcdefg/").error().code(),
            Code::kInvalidArgument);
}

TEST(Response, IsReadWithoutWaiting) {
  std::promise<void> more;
  PeerServer server([&](Peer& peer, int) {
    (void)peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    (void)more.get_future().wait_for(std::chrono::seconds(10));
    peer.Send("c\r\n0\r\n\r\n");
  });
  auto client = Client::Create();
  auto response = client->Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok()) << response.error().message();
  std::string read;
  char buffer[10];
  const auto read_on = [&]() -> bool {
    while (true) {
      auto size = response->TryRead(buffer);
      EXPECT_TRUE(size.ok()) << size.error().message();
      if (!size.ok() || (*size && **size == 0)) return false;
      if (!*size) return true;
      read.append(buffer, **size);
    }
  };
  // What came with the head is here before anything is waited for.
  ASSERT_TRUE(read_on());
  for (int i = 0; i < 500 && read.size() < 2; ++i) {
    ASSERT_TRUE(WaitFor(response->fd(), POLLIN, {.idle = std::chrono::seconds(5)}).ok());
    ASSERT_TRUE(read_on());
  }
  EXPECT_EQ(read, "ab");
  EXPECT_TRUE(read_on());
  more.set_value();
  bool open = true;
  for (int i = 0; i < 500 && open; ++i) {
    ASSERT_TRUE(WaitFor(response->fd(), POLLIN, {.idle = std::chrono::seconds(5)}).ok());
    open = read_on();
  }
  EXPECT_EQ(read, "abc");
  EXPECT_EQ(response->fd(), -1);
}

}  // namespace
}  // namespace podium::http
