// What clients that are slow, many or greedy cost the server.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "http/client.h"
#include "http/test_server.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using ExchangePtr = std::shared_ptr<Exchange>;

void Answer(const ExchangePtr& exchange) { (void)exchange->Respond(200, {}, "ok"); }

TEST(ServerLimits, HeadsThatDoNotArrive) {
  TestServer server(Answer, {.head_timeout = milliseconds(100)});
  const auto silent = server.Connect();
  EXPECT_EQ(silent->ReadToEnd(), "");
  // A byte now and then does not help: the time is the head's.
  const auto slow = server.Connect();
  const auto begin = Clock::now();
  for (int i = 0; i < 50 && slow->Send("G"); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_THAT(slow->ReadToEnd(), StartsWith("HTTP/1.1 408 Request Timeout"));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(3));
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(ServerLimits, BodiesThatDoNotArrive) {
  TestServer server(Answer, {.body_timeout = milliseconds(100)});
  const auto slow = server.Connect();
  slow->Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 50 && slow->Send("x"); ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_THAT(slow->ReadToEnd(), StartsWith("HTTP/1.1 408 "));
}

TEST(ServerLimits, IdleConnections) {
  TestServer server(Answer, {.idle_timeout = milliseconds(50)});
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client->ReadToEnd(), StartsWith("HTTP/1.1 200 OK"));
}

TEST(ServerLimits, LongHeads) {
  TestServer server(Answer, {.head_limits = {.bytes = 1000, .fields = 10}});
  const auto endless = server.Connect();
  endless->Send("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(2000, 'x'));
  EXPECT_THAT(endless->ReadToEnd(), StartsWith("HTTP/1.1 431 "));
  const auto many = server.Connect();
  std::string fields;
  for (int i = 0; i < 20; ++i) fields += "A: b\r\n";
  many->Send("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
  EXPECT_THAT(many->ReadToEnd(), StartsWith("HTTP/1.1 431 "));
}

TEST(ServerLimits, LargeBodies) {
  TestServer server(Answer,
                    {.treatment = [](const RequestHead&) { return Treatment{.max_body = 10}; }});
  const auto chunked = server.Connect();
  chunked->Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\n123456\r\n6\r\n123456\r\n");
  EXPECT_THAT(chunked->ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(ServerLimits, BodiesOfAllTogether) {
  TestServer server(Answer, {.max_buffered = 1000});
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n";
  const auto first = server.Connect();
  first->Send(head + std::string(600, 'x'));
  std::this_thread::sleep_for(milliseconds(50));
  const auto second = server.Connect();
  second->Send(head + std::string(600, 'x'));
  EXPECT_THAT(second->ReadToEnd(), StartsWith("HTTP/1.1 503 "));
  // The first goes on, and its memory is free afterwards.
  first->Send(std::string(300, 'x'));
  EXPECT_THAT(first->ReadHead(), StartsWith("HTTP/1.1 200 "));
  first->ReadExactly(2);
  first->Send(head + std::string(900, 'x'));
  EXPECT_THAT(first->ReadHead(), StartsWith("HTTP/1.1 200 "));
}

TEST(ServerLimits, ClientsThatDoNotRead) {
  std::atomic<bool> failed = false;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        if (exchange->request().path == "/whole") {
          (void)exchange->Respond(200, {}, std::string(size_t{32} << 20, 'x'));
          return;
        }
        (void)exchange->Begin(200, {});
        while (exchange->Write(std::string(size_t{1} << 20, 'x')).ok()) {
        }
        failed = true;
      },
      {.write_timeout = milliseconds(100)});
  const auto streamed = server.Connect();
  streamed->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return failed.load(); }));
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(ServerLimits, LongRunningRequests) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        (void)exchange->Begin(200, {});
        while (!exchange->cancelled()) std::this_thread::sleep_for(milliseconds(1));
      },
      {.treatment = [](const RequestHead&) { return Treatment{.long_running = true}; },
       .max_long_running = 2});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.Connect());
    clients.back()->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(clients.back()->ReadHead(), StartsWith(i < 2 ? "HTTP/1.1 200 " : "HTTP/1.1 503 "));
  }
  clients.clear();
  EXPECT_TRUE(Eventually([&] { return server->counts().long_running == 0; }));
}

TEST(ServerLimits, Connections) {
  TestServer server(Answer, {.max_connections = 3});
  std::vector<std::unique_ptr<Peer>> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(server.Connect());
    idle.back()->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(idle.back()->ReadHead(), StartsWith("HTTP/1.1 200 "));
    idle.back()->ReadExactly(2);
  }
  const auto more = server.Connect();
  more->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(more->ReadHead(), StartsWith("HTTP/1.1 200 "));
  // The one that was idle for longest had to go.
  EXPECT_EQ(idle[0]->ReadToEnd(), "");
  EXPECT_EQ(server->counts().connections, 3U);
}

TEST(ServerLimits, ConnectionsWaitWhileAllAreBusy) {
  std::atomic<bool> go = false;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        while (!go) std::this_thread::sleep_for(milliseconds(1));
        Answer(exchange);
      },
      {.threads = 2, .max_connections = 2});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(server.Connect());
    clients.back()->Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(server->counts().connections, 2U);
  go = true;
  for (const auto& client : clients) {
    EXPECT_THAT(client->ReadToEnd(), StartsWith("HTTP/1.1 200 "));
  }
}

// Hundreds of connections that are slow with their heads: the threads stay those of the server.
TEST(ServerLimits, SlowConnectionsNeedNoThreads) {
  TestServer server(Answer, {.threads = 2});
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 400; ++i) {
    slow.push_back(server.Connect());
    slow.back()->Send("GET / HT");
  }
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 400; }));
  EXPECT_EQ(threads(), before);
  // And nobody else waits for them.
  auto response = Client::Create()->Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(*response->ReadAll(10), "ok");
  for (const auto& client : slow) client->Send("TP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  for (const auto& client : slow) EXPECT_THAT(client->ReadToEnd(), HasSubstr("200 OK"));
}

constexpr int kSlow = 10'000;

// Another process, since descriptors are counted for each: connects, and sends a byte on each
// connection now and then, until the pipe is closed. Only system calls: other threads may hold
// locks.
pid_t StartSlowClients(uint16_t port, const UniqueFd& stop) {
  const pid_t child = fork();
  if (child != 0) return child;
  static std::array<int, kSlow> sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int& one : sockets) {
    one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(1);
  }
  pollfd stopped{stop.get(), POLLIN, 0};
  do {
    for (const int one : sockets) (void)send(one, "G", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (poll(&stopped, 1, 500) == 0);
  _exit(0);
}

// attacks.md, "slow clients": ten thousand connections that send a byte now and then.
TEST(SlowClients, TenThousandThatSendAByteASecond) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < kSlow + 1000) GTEST_SKIP() << "needs 11,000 descriptors";
  TestServer server(Answer,
                    {.treatment = [](const RequestHead&) { return Treatment{.on_loop = true}; },
                     .max_connections = kSlow + 100,
                     .head_timeout = milliseconds(4000)});
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd wait(ends[0]);
  UniqueFd stop(ends[1]);
  const pid_t child = StartSlowClients(server.port(), wait);
  ASSERT_GT(child, 0);
  const auto all = [&] { return server->counts().accepted == kSlow; };
  EXPECT_TRUE(Eventually(all) || Eventually(all)) << server->counts().accepted;
  const Client client = *Client::Create();
  for (int i = 0; i < 10; ++i) {
    auto response = client.Send({.url = server.Url("/")});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(*response->ReadAll(10), "ok");
  }
  // However many bytes came, the time of a head is over at some time.
  const auto few = [&] { return server->counts().connections <= 1; };
  EXPECT_TRUE(Eventually(few) || Eventually(few) || Eventually(few));
  EXPECT_EQ(write(stop.get(), "x", 1), 1);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace podium::http
