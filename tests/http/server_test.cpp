#include "http/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <latch>

#include "http/client.h"
#include "http/test_server.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kLimit = size_t{8} << 20;
using ExchangePtr = std::shared_ptr<Exchange>;

// Says what it was asked.
void Echo(const ExchangePtr& exchange) {
  const ServerRequest& request = exchange->request();
  (void)exchange->Respond(
      200, {{"Content-Type", "text/plain"}},
      request.head.method + " " + request.path + " " + request.query + " " + request.body);
}

std::string Fetched(const Client& client, const Request& request) {
  auto response = client.Send(request);
  if (!response.ok()) return "error: " + response.error().message();
  auto body = response->ReadAll(kLimit);
  if (!body.ok()) return "body: " + body.error().message();
  return std::to_string(response->status()) + " " + *body;
}

Treatment LongRunning(const RequestHead& head) {
  return {.long_running = head.target.starts_with("/long"),
          .stream_body = head.target.starts_with("/upload")};
}

TEST(Server, Answers) {
  TestServer server(Echo);
  const Client client = *Client::Create();
  auto response =
      client.Send({.method = "POST", .url = server.Url("/a%20b/%C3%A4?x=%20y"), .body = "hi"});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(*response->ReadAll(kLimit), "POST /a b/\xC3\xA4 x=%20y hi");
  EXPECT_EQ(response->headers().Get("Content-Type"), "text/plain");
  EXPECT_THAT(std::string(response->headers().Get("Date")), EndsWith(" GMT"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Fetched(client, {.url = server.Url("/again")}), "200 GET /again  ");
  }
  // All of it over one connection.
  EXPECT_EQ(server->counts().connections, 1U);
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(Server, ReadsChunkedBodiesAndLargeOnes) {
  TestServer server([](const ExchangePtr& exchange) {
    (void)exchange->Respond(200, {}, std::to_string(exchange->request().body.size()));
  });
  const Client client = *Client::Create();
  const std::string large(size_t{3} << 20, 'x');
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/"), .body = large}),
            "200 3145728");
  int left = 3;
  EXPECT_EQ(Fetched(client, {.method = "POST",
                             .url = server.Url("/"),
                             .body_source = [&](std::span<char> buffer) -> Result<size_t> {
                               return left-- > 0 ? std::min<size_t>(buffer.size(), 10000) : 0;
                             }}),
            "200 30000");
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/"), .body = large + "x"}),
            "413 413 Request Entity Too Large: Request entity too large: limit is 3145728\n");
}

// However a request is cut into packets, it is the same request.
TEST(Server, TakesRequestsInAnyPieces) {
  TestServer server(Echo);
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n";
  for (size_t cut = 1; cut < request.size(); ++cut) {
    const auto client = server.Connect();
    client->Send(std::string_view(request).substr(0, cut));
    std::this_thread::sleep_for(milliseconds(1));
    client->Send(std::string_view(request).substr(cut));
    EXPECT_THAT(client->ReadToEnd(), EndsWith("POST /x  abc")) << cut;
  }
  // And a client that goes away amid it leaves nothing behind.
  for (size_t cut = 0; cut < request.size(); ++cut) {
    server.Connect()->Send(std::string_view(request).substr(0, cut));
  }
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server([](const ExchangePtr& exchange) {
    if (exchange->request().path == "/0") std::this_thread::sleep_for(milliseconds(20));
    Echo(exchange);
  });
  const auto client = server.Connect();
  std::string requests;
  for (int i = 0; i < 5; ++i) {
    requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" +
                (i == 4 ? "Connection: close\r\n" : "") + "\r\nx\r\n";
  }
  client->Send(requests);
  const std::string answers = client->ReadToEnd();
  size_t at = 0;
  for (int i = 0; i < 5; ++i) {
    at = answers.find("POST /" + std::to_string(i) + "  x", at);
    ASSERT_NE(at, std::string::npos) << answers;
  }
}

TEST(Server, RefusesWhatIsNoRequest) {
  TestServer server(Echo);
  const std::pair<const char*, const char*> cases[] = {
      {"nonsense\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", "413"},
  };
  for (const auto& [request, status] : cases) {
    const auto client = server.Connect();
    client->Send(request);
    const std::string answer = client->ReadToEnd();
    EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + status)) << request;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request;
  }
}

TEST(Server, ShowsItsOwnErrorsAsAsked) {
  TestServer server(Echo, {.error_page = [](int status, std::string_view message) {
                      return ServerOptions::Page{
                          "application/json", std::to_string(status) + "|" + std::string(message)};
                    }});
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(client->ReadToEnd(),
              EndsWith("\r\n\r\n400|malformed HTTP message: missing required Host header"));
}

TEST(Server, SpeaksToOldClients) {
  TestServer server([](const ExchangePtr& exchange) {
    ASSERT_TRUE(exchange->Begin(200, {}).ok());
    ASSERT_TRUE(exchange->Write("streamed").ok());
    ASSERT_TRUE(exchange->End().ok());
  });
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = client->ReadToEnd();
  EXPECT_THAT(answer, EndsWith("\r\n\r\nstreamed"));
  EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
}

TEST(Server, AnswersHeadWithoutBody) {
  TestServer server(Echo);
  const auto client = server.Connect();
  client->Send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = client->ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(answer, EndsWith(" GMT\r\n\r\n"));
}

TEST(Server, KnowsItsPeer) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  auto server = *Server::Start(*Listener::Unix(path), {}, [](const ExchangePtr& exchange) {
    const auto peer = exchange->request().peer;
    (void)exchange->Respond(200, {}, std::to_string(peer->pid) + " " + std::to_string(peer->uid));
  });
  EXPECT_EQ(Fetched(*Client::Create(), {.url = "http://agent/", .unix_socket = path}),
            "200 " + std::to_string(getpid()) + " " + std::to_string(getuid()));
}

TEST(Server, AnswersForHandlersThatDoNot) {
  TestServer server([](const ExchangePtr& exchange) {
    if (exchange->request().path == "/half") {
      (void)exchange->Begin(200, {});
      (void)exchange->Write("part");
    }
  });
  const Client client = *Client::Create();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "500 the request was not answered\n");
  // Broken off, and not ended: nobody takes the part for the whole.
  EXPECT_THAT(Fetched(client, {.url = server.Url("/half")}), StartsWith("body: "));
}

TEST(Server, RefusesSecondAnswersAndBadHeaders) {
  TestServer server([](const ExchangePtr& exchange) {
    EXPECT_FALSE(exchange->Write("x").ok());
    EXPECT_FALSE(exchange->End().ok());
    EXPECT_FALSE(exchange->Respond(200, {{"A", "b\r\nC: d"}}, "").ok());
    EXPECT_FALSE(exchange->Respond(200, {{"Content-Length", "5"}}, "").ok());
    EXPECT_TRUE(exchange->Respond(200, {}, "once").ok());
    EXPECT_FALSE(exchange->Respond(200, {}, "twice").ok());
    EXPECT_FALSE(exchange->Upgrade({}).ok());
  });
  EXPECT_EQ(Fetched(*Client::Create(), {.url = server.Url("/")}), "200 once");
}

TEST(Server, LetsHandlersAnswerLater) {
  std::mutex mutex;
  std::vector<ExchangePtr> waiting;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const std::lock_guard lock(mutex);
        waiting.push_back(exchange);
      },
      {.threads = 1});
  // Many more than threads.
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(server.Connect());
    clients.back()->Send("GET /" + std::to_string(i) +
                         " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex);
    return waiting.size() == 50;
  }));
  for (const ExchangePtr& exchange : waiting) Echo(exchange);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(clients[static_cast<size_t>(i)]->ReadToEnd(),
                EndsWith("GET /" + std::to_string(i) + "  "));
  }
}

TEST(Server, StreamsAndHoldsBack) {
  constexpr size_t kTotal = size_t{32} << 20;
  std::atomic<size_t> written = 0;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        ASSERT_TRUE(exchange->Begin(200, {}).ok());
        const std::string block(size_t{64} << 10, 'x');
        while (written < kTotal) {
          if (!exchange->Write(block).ok()) return;
          written += block.size();
        }
        ASSERT_TRUE(exchange->End().ok());
      },
      {.treatment = LongRunning});
  const Client client = *Client::Create();
  auto response = client.Send({.url = server.Url("/long")});
  ASSERT_TRUE(response.ok());
  // Nobody reads: what the server holds is its buffer and the socket's.
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(written, size_t{16} << 20);
  size_t read = 0;
  ASSERT_TRUE(response
                  ->ReadTo(
                      [&](std::string_view bytes) -> Result<void> {
                        read += bytes.size();
                        return {};
                      },
                      kTotal)
                  .ok());
  EXPECT_EQ(read, kTotal);
}

TEST(Server, SendsPiecesAsTheyCome) {
  std::latch seen(1);
  TestServer server([&](const ExchangePtr& exchange) {
    ASSERT_TRUE(exchange->Begin(200, {}).ok());
    ASSERT_TRUE(exchange->Write("first").ok());
    seen.wait();
    ASSERT_TRUE(exchange->Write("second").ok());
    ASSERT_TRUE(exchange->End().ok());
  });
  auto response = Client::Create()->Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok());
  char buffer[100];
  EXPECT_EQ(std::string_view(buffer, *response->Read(buffer)), "first");
  seen.count_down();
  EXPECT_EQ(*response->ReadAll(100), "second");
}

TEST(Server, TellsAStreamThatItsClientIsGone) {
  std::latch gone(1);
  std::atomic<bool> write_failed = false;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        ASSERT_TRUE(exchange->Begin(200, {}).ok());
        ASSERT_TRUE(exchange->Write("line\n").ok());
        exchange->OnCancel([&] { gone.count_down(); });
        gone.wait();
        EXPECT_TRUE(exchange->cancelled());
        write_failed = Eventually([&] { return !exchange->Write("more\n").ok(); });
      },
      {.treatment = LongRunning});
  {
    auto response = Client::Create()->Send({.url = server.Url("/long")});
    ASSERT_TRUE(response.ok());
  }
  EXPECT_TRUE(Eventually([&] { return write_failed.load(); }));
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(Server, HandsOverUpgradedConnections) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        auto stream = exchange->Upgrade({{"Upgrade", "echo"}});
        ASSERT_TRUE(stream.ok());
        char buffer[1000];
        while (true) {
          auto size = (*stream)->Read(buffer);
          if (!size.ok() || *size == 0) break;
          ASSERT_TRUE((*stream)->Write({buffer, *size}).ok());
        }
      },
      {.treatment = LongRunning});
  const auto client = server.Connect();
  client->Send(
      "GET /long HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
  EXPECT_EQ(client->ReadHead(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  EXPECT_EQ(client->ReadExactly(5), "early");
  client->Send("late");
  EXPECT_EQ(client->ReadExactly(4), "late");
  client->CloseWrite();
  EXPECT_EQ(client->ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return server->counts().long_running == 0; }));
}

TEST(Server, StreamsBodiesToWhoAsksForThem) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        size_t total = 0;
        std::string buffer(10000, '\0');
        while (true) {
          auto size = exchange->ReadBody(buffer);
          ASSERT_TRUE(size.ok()) << size.error().message();
          if (*size == 0) break;
          total += *size;
          if (exchange->request().path == "/upload/refused") break;
        }
        (void)exchange->Respond(200, {}, std::to_string(total));
      },
      {.treatment = [](const RequestHead&) {
        return Treatment{.stream_body = true, .max_body = size_t{1} << 30};
      }});
  const Client client = *Client::Create();
  const std::string large(size_t{20} << 20, 'x');
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/upload"), .body = large}),
            "200 20971520");
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/upload"), .body = "small"}),
            "200 5");
  EXPECT_EQ(Fetched(client, {.url = server.Url("/none")}), "200 0");
  EXPECT_EQ(server->counts().connections, 1U);
  EXPECT_THAT(
      Fetched(client, {.method = "POST", .url = server.Url("/upload/refused"), .body = large}),
      StartsWith("200 "));
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/upload"), .body = "after"}),
            "200 5");
}

TEST(Server, ContinuesWhoExpectsIt) {
  TestServer server(Echo);
  const auto client = server.Connect();
  client->Send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client->ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
  client->Send("abc");
  EXPECT_THAT(client->ReadHead(), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Server, StopsAtOnceWhenNothingRuns) {
  TestServer server(Echo);
  const Client client = *Client::Create();
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 GET /  ");
  const auto begin = Clock::now();
  server->Stop(std::chrono::seconds(10));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
  EXPECT_THAT(Fetched(client, {.url = server.Url("/")}), StartsWith("error"));
}

TEST(Server, LetsRequestsEndWhenItStops) {
  std::latch begun(1);
  TestServer server([&](const ExchangePtr& exchange) {
    begun.count_down();
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_FALSE(exchange->cancelled());
    Echo(exchange);
  });
  const auto client = server.Connect();
  client->Send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  begun.wait();
  server->Stop(std::chrono::seconds(5));
  EXPECT_THAT(client->ReadToEnd(), EndsWith("GET /x  "));
}

TEST(Server, EndsStreamsWhenItStops) {
  std::latch begun(3);
  TestServer server(
      [&](const ExchangePtr& exchange) {
        std::latch cancelled(1);
        if (exchange->request().path == "/long/upgrade") {
          const auto stream = *exchange->Upgrade({{"Upgrade", "x"}});
          begun.count_down();
          char byte[1];
          EXPECT_FALSE(stream->Read(byte).ok() && *stream->Read(byte) > 0);
          return;
        }
        exchange->OnCancel([&] { cancelled.count_down(); });
        ASSERT_TRUE(exchange->Begin(200, {}).ok());
        begun.count_down();
        cancelled.wait();
        // One says goodbye, and the other does not listen.
        if (exchange->request().path == "/long/deaf") {
          while (exchange->Write(std::string(100000, 'x')).ok()) {
          }
          return;
        }
        (void)exchange->Write("bye");
        (void)exchange->End();
      },
      {.treatment = LongRunning});
  const auto polite = server.Connect();
  const auto deaf = server.Connect();
  const auto upgraded = server.Connect();
  polite->Send("GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
  deaf->Send("GET /long/deaf HTTP/1.1\r\nHost: h\r\n\r\n");
  upgraded->Send("GET /long/upgrade HTTP/1.1\r\nHost: h\r\n\r\n");
  begun.wait();
  const auto begin = Clock::now();
  server->Stop(milliseconds(300));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(3));
  EXPECT_THAT(polite->ReadToEnd(), EndsWith("3\r\nbye\r\n0\r\n\r\n"));
  EXPECT_EQ(server->counts().long_running, 0U);
}

TEST(Server, ExchangesMayOutliveIt) {
  ExchangePtr kept;
  std::latch taken(1);
  TestServer server([&](ExchangePtr exchange) {
    kept = std::move(exchange);
    taken.count_down();
  });
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  taken.wait();
  server.Destroy();
  EXPECT_TRUE(kept->cancelled());
  EXPECT_EQ(kept->Respond(200, {}, "late").error().code(), Code::kCancelled);
}

TEST(Server, ServesManyAtOnce) {
  TestServer server(Echo, {.threads = 4});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Client client = *Client::Create();
      for (int k = 0; k < 100; ++k) {
        const std::string path = "/" + std::to_string(i) + "/" + std::to_string(k);
        if (Fetched(client, {.url = server.Url(path)}) == "200 GET " + path + "  ") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace podium::http
