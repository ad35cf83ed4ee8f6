// Requests that are passed on: dialling, asking, pulled answers, and connections made one.
#include "http/backend.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "http/client.h"
#include "http/front.h"

namespace podium::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

TEST(Backend, AnswersOfEveryFraming) {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"}) {
    Backend backend([&](Peer& peer) {
      peer.ReadHead();
      // In two pieces, whose border is anywhere.
      peer.Send(answer.substr(0, answer.size() - 3));
      std::this_thread::sleep_for(20ms);
      peer.Send(answer.substr(answer.size() - 3));
    });
    Front front(backend.port());
    auto client = *Client::Create();
    auto response = client.Send({.url = front.server().Url("/")});
    ASSERT_TRUE(response.ok()) << answer;
    EXPECT_EQ(*response->ReadAll(100), "hello") << answer;
  }
}

TEST(Backend, IsNotThere) {
  uint16_t port = 0;
  {
    const auto listener = *Listener::Tcp("127.0.0.1", 0);
    port = listener.port();
  }
  Front front(port);
  auto client = *Client::Create();
  auto response = client.Send({.url = front.server().Url("/")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status(), 502);
  EXPECT_NE(response->ReadAll(1000)->find("connect: "), std::string::npos);
}

TEST(Backend, GoesBeforeItAnswers) {
  Backend backend([](Peer& peer) { peer.ReadHead(); });
  Front front(backend.port());
  auto client = *Client::Create();
  auto response = client.Send({.url = front.server().Url("/")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(*response->ReadAll(1000), "EOF");
}

TEST(Backend, GoesAmidItsAnswer) {
  Backend backend([](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
  });
  Front front(backend.port());
  auto client = *Client::Create();
  auto response = client.Send({.url = front.server().Url("/")});
  ASSERT_TRUE(response.ok());
  // A part is not taken for the whole.
  EXPECT_FALSE(response->ReadAll(1000).ok());
}

TEST(Backend, SeesThatTheClientIsGone) {
  std::promise<void> gone;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
    EXPECT_EQ(peer.ReadSome(), "");
    gone.set_value();
  });
  Front front(backend.port());
  {
    auto client = front.server().Connect();
    client->Send(kGet);
    std::string got;
    while (got.find("hel") == got.npos) got += client->ReadSome();
  }
  EXPECT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
}

TEST(Backend, SeesThatTheClientIsGoneBeforeTheAnswer) {
  std::promise<void> gone;
  std::promise<void> asked;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    asked.set_value();
    EXPECT_EQ(peer.ReadSome(), "");
    gone.set_value();
  });
  Front front(backend.port());
  {
    auto client = front.server().Connect();
    client->Send(kGet);
    asked.get_future().wait();
  }
  EXPECT_EQ(gone.get_future().wait_for(5s), std::future_status::ready);
}

TEST(Backend, IsReadNoFasterThanTheClientReads) {
  std::atomic<size_t> sent = 0;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Send("HTTP/1.1 200 OK\r\n\r\n");
    SendUntilNobodyTakes(peer, &sent);
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send(kGet);
  ExpectBuffersFull(sent);
}

TEST(Backend, AddressesOfTheServersOwnAreRefused) {
  const auto poller = *Poller::Create();
  ThreadExecutor resolver(2);
  for (const std::string host : {"127.0.0.1", "localhost", "169.254.169.254", "::1", "fe80::1",
                                 "::ffff:127.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255"}) {
    std::promise<Error> refused;
    DialBackend(poller, resolver, {.host = host, .port = 1, .only_global_unicast = true}, 1s,
                std::make_shared<BackendCancel>(),
                [&](Result<std::unique_ptr<Transport>> connection) {
                  refused.set_value(connection.ok() ? Error(Code::kInternal, "connected")
                                                    : connection.error());
                });
    EXPECT_EQ(refused.get_future().get().message(), "address not allowed") << host;
  }
  poller->Stop();
}

TEST(Splice, PassesBytesBothWays) {
  Backend backend([](Peer& peer) {
    peer.ReadHead();
    peer.Send(std::string(kSwitched) + "welcome ");
    for (std::string bytes = peer.ReadSome(); !bytes.empty(); bytes = peer.ReadSome()) {
      peer.Send(bytes);
    }
    // The client's half is closed; this one is not.
    peer.Send(" bye");
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  // What stands behind the request goes on, too.
  client->Send(std::string(kUpgrade) + "early ");
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 101 "));
  client->Send("late");
  std::string got;
  while (got.size() < std::string_view("welcome early late").size()) got += client->ReadSome();
  EXPECT_EQ(got, "welcome early late");
  client->CloseWrite();
  EXPECT_EQ(client->ReadToEnd(), " bye");
  EXPECT_TRUE(Eventually([&] { return front.spliced == 0; }));
}

// More than goes in a turn, with both sides ready again before the next one.
TEST(Splice, MuchInBothDirections) {
  constexpr size_t kMuch = size_t{48} << 20;
  const auto send = [](Peer& peer) {
    const std::string piece(size_t{1} << 20, 'x');
    for (size_t sent = 0; sent < kMuch && peer.Send(piece); sent += piece.size()) {
    }
  };
  const auto take = [](Peer& peer) {
    size_t size = 0;
    while (size < kMuch) {
      const size_t more = peer.ReadSome().size();
      if (more == 0) break;
      size += more;
    }
    return size;
  };
  for (int i = 0; i < 3; ++i) {
    std::promise<size_t> taken;
    Backend backend([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(kSwitched);
      std::thread sender([&] { send(peer); });
      taken.set_value(take(peer));
      sender.join();
    });
    Front front(backend.port());
    auto client = front.server().Connect();
    client->Send(kUpgrade);
    EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 101 "));
    std::thread sender([&] { send(*client); });
    EXPECT_EQ(take(*client), kMuch);
    sender.join();
    EXPECT_EQ(taken.get_future().get(), kMuch);
  }
}

TEST(Splice, EndsWithEitherSide) {
  for (const bool client_first : {true, false}) {
    std::promise<void> go;
    auto go_on = go.get_future().share();
    Backend backend([&](Peer& peer) {
      peer.ReadHead();
      peer.Send(kSwitched);
      if (client_first) {
        EXPECT_EQ(peer.ReadSome(), "");
      } else {
        go_on.wait();
        peer.Reset();
      }
    });
    Front front(backend.port());
    auto client = front.server().Connect();
    client->Send(kUpgrade);
    EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 101 "));
    go.set_value();
    if (client_first) {
      client->Reset();
      client.reset();
    } else {
      EXPECT_EQ(client->ReadToEnd(), "");
    }
    EXPECT_TRUE(Eventually([&] { return front.spliced == 0; }));
  }
}

TEST(Splice, SlowReaderSlowsDownTheWriter) {
  std::atomic<size_t> sent = 0;
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    SendUntilNobodyTakes(peer, &sent);
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send(kUpgrade);
  ExpectBuffersFull(sent);
}

TEST(Splice, ClientThatIsGoneWhileTheBackendTakesNothing) {
  std::promise<void> over;
  auto until = over.get_future().share();
  Backend backend([&](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    until.wait();
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send(kUpgrade);
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 101 "));
  timeval second{.tv_sec = 1, .tv_usec = 0};
  setsockopt(client->fd(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  const std::string piece(size_t{1} << 16, 'x');
  while (client->Send(piece)) {
  }
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  client->Reset();
  client.reset();
  EXPECT_TRUE(Eventually([&] { return front.spliced == 0; }));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_utime.tv_sec - before.ru_utime.tv_sec, 2);
  over.set_value();
}

TEST(Splice, StopEndsIt) {
  Backend backend([](Peer& peer) {
    peer.ReadHead();
    peer.Send(kSwitched);
    EXPECT_EQ(peer.ReadSome(), "");
  });
  Front front(backend.port());
  auto client = front.server().Connect();
  client->Send(kUpgrade);
  EXPECT_TRUE(client->ReadHead().starts_with("HTTP/1.1 101 "));
  front.server()->Stop(0ms);
  EXPECT_EQ(client->ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return front.spliced == 0; }));
}

TEST(Poller, StopDropsWhatWaits) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> weak = held;
  const auto poller = *Poller::Create();
  auto server = *Listener::Tcp("127.0.0.1", 0);
  UniqueFd fd = *ConnectTcp("127.0.0.1", server.port(), {});
  {
    PolledFd wait(*poller, fd.get(), [held](bool) {});
    wait.Arm(POLLIN);
    held.reset();
    poller->Stop();
    EXPECT_TRUE(weak.expired());
  }
}

// What was found at both at once is about what the second was asked for then.
TEST(Poller, WhatIsAskedAnewIsNotAnsweredByTheEventBefore) {
  const auto poller = *Poller::Create();
  std::array<std::array<int, 2>, 2> pairs{};
  for (auto& pair : pairs) ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  std::array<std::unique_ptr<PolledFd>, 2> waits;
  std::atomic<int> calls = 0;
  for (size_t i = 0; i < 2; ++i) {
    waits[i] = std::make_unique<PolledFd>(*poller, pairs[i][0], [&, i](bool) {
      ++calls;
      // Of an end alone, which does not come.
      waits[1 - i]->Arm(0);
    });
    ASSERT_EQ(write(pairs[i][1], "x", 1), 1);
  }
  poller->Post([&] {
    for (const auto& wait : waits) wait->Arm(POLLIN);
  });
  EXPECT_TRUE(Eventually([&] { return calls > 0; }));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(calls, 1);
  // It is not forgotten either.
  waits[0]->Arm(POLLIN);
  waits[1]->Arm(POLLIN);
  EXPECT_TRUE(Eventually([&] { return calls > 1; }));
  poller->Stop();
  for (auto& wait : waits) wait.reset();
  for (const auto& pair : pairs) {
    for (const int fd : pair) close(fd);
  }
}

TEST(Poller, Deadline) {
  const auto poller = *Poller::Create();
  auto server = *Listener::Tcp("127.0.0.1", 0);
  const UniqueFd fd = *ConnectTcp("127.0.0.1", server.port(), {});
  std::promise<bool> called;
  PolledFd wait(*poller, fd.get(), [&](bool timed_out) { called.set_value(timed_out); });
  wait.Arm(POLLIN, Clock::now() + 30ms);
  EXPECT_TRUE(called.get_future().get());
  poller->Stop();
}

}  // namespace
}  // namespace podium::http
