// Handlers that run on the loop, several loops, and bodies that are pulled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <latch>
#include <set>

#include "http/client.h"
#include "http/test_server.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using ExchangePtr = std::shared_ptr<Exchange>;

Treatment OnLoop(const RequestHead& head) {
  return {.on_loop = true, .long_running = head.target.starts_with("/watch")};
}

std::string Get(const std::string& path, bool last = false) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + (last ? "Connection: close\r\n" : "") +
         "\r\n";
}

// Pieces that the test puts in from any thread.
class Feed {
 public:
  void Put(std::string piece) {
    BodyWaker waker;
    {
      const std::lock_guard lock(mutex_);
      pieces_.push_back(std::move(piece));
      waker = waker_;
    }
    waker.Wake();
  }
  void End() {
    BodyWaker waker;
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      waker = waker_;
    }
    waker.Wake();
  }
  bool alive() const { return alive_; }
  size_t asked() const { return asked_; }

 private:
  friend class FeedBody;
  std::mutex mutex_;
  std::vector<std::string> pieces_;
  bool ended_ = false;
  BodyWaker waker_;
  std::atomic<bool> alive_ = false;
  std::atomic<size_t> asked_ = 0;
};

class FeedBody : public PulledBody {
 public:
  explicit FeedBody(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) { feed_->alive_ = true; }
  ~FeedBody() override { feed_->alive_ = false; }
  void Attach(BodyWaker waker) override {
    const std::lock_guard lock(feed_->mutex_);
    feed_->waker_ = std::move(waker);
  }
  Result<BodyPiece> Next() override {
    ++feed_->asked_;
    const std::lock_guard lock(feed_->mutex_);
    if (feed_->pieces_.empty()) {
      return BodyPiece{{}, feed_->ended_ ? BodyPiece::Then::kEnd : BodyPiece::Then::kWait};
    }
    piece_ = feed_->pieces_.front();
    feed_->pieces_.erase(feed_->pieces_.begin());
    if (piece_ == "broken") return Error(Code::kUnavailable, "the source is broken");
    return BodyPiece{piece_, BodyPiece::Then::kMore};
  }

 private:
  std::shared_ptr<Feed> feed_;
  std::string piece_;
};

// `count` times the same bytes, which are not copied.
class Repeated : public PulledBody {
 public:
  Repeated(std::string_view bytes, size_t count, std::atomic<size_t>* made = nullptr)
      : bytes_(bytes), left_(count), made_(made) {}
  Result<BodyPiece> Next() override {
    if (left_ == 0) return BodyPiece{{}, BodyPiece::Then::kEnd};
    --left_;
    if (made_) ++*made_;
    return BodyPiece{bytes_, left_ == 0 ? BodyPiece::Then::kEnd : BodyPiece::Then::kMore};
  }

 private:
  std::string_view bytes_;
  size_t left_;
  std::atomic<size_t>* made_;
};

TEST(ServerLoop, RunsHandlersWhereTheConnectionsAre) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
        (void)exchange->Respond(200, {}, exchange->request().path + exchange->request().body);
      },
      {.treatment = OnLoop, .loops = 3});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 9; ++i) clients.push_back(server.Connect());
  for (const auto& client : clients) {
    client->Send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(client->ReadHead(), HasSubstr("Content-Length: 5\r\n"));
    EXPECT_EQ(client->ReadExactly(5), "/xabc");
  }
  // Spread over all loops, and nowhere else.
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_EQ(server->counts().connections, 9U);
}

TEST(ServerLoop, AnswersPipelinedRequestsTogether) {
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->Respond(200, {}, exchange->request().path + ";");
      },
      {.treatment = OnLoop});
  const auto client = server.Connect();
  std::string requests;
  constexpr int kRequests = 3000;
  for (int i = 0; i < kRequests; ++i) {
    requests += Get("/" + std::to_string(i), i == kRequests - 1);
  }
  std::thread sender([&] { client->Send(requests); });
  const std::string answers = client->ReadToEnd();
  sender.join();
  size_t at = 0;
  for (int i = 0; i < kRequests; ++i) {
    at = answers.find("\r\n\r\n/" + std::to_string(i) + ";", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

// Requests are only taken as fast as the client takes the answers.
TEST(ServerLoop, DoesNotGatherAnswersForThoseWhoDoNotRead) {
  std::atomic<int> handled = 0;
  const std::string body(10000, 'x');
  TestServer server(
      [&](const ExchangePtr& exchange) {
        ++handled;
        (void)exchange->Respond(200, {}, body);
      },
      {.treatment = OnLoop, .write_timeout = milliseconds(200)});
  const auto client = server.Connect();
  std::string requests;
  for (int i = 0; i < 20000; ++i) requests += Get("/");
  std::thread sender([&] { client->Send(requests); });
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
  sender.join();
  EXPECT_LT(handled, 2000);
}

TEST(ServerLoop, LetsOthersAnswerLater) {
  std::mutex mutex;
  std::vector<ExchangePtr> kept;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const std::lock_guard lock(mutex);
        kept.push_back(exchange);
      },
      {.treatment = OnLoop, .loops = 2});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(server.Connect());
  for (int round = 0; round < 20; ++round) {
    for (const auto& client : clients) client->Send(Get("/" + std::to_string(round)));
    ASSERT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex);
      return kept.size() == 50;
    }));
    {
      const AnswerBatch batch;
      for (const ExchangePtr& exchange : kept) {
        EXPECT_TRUE(exchange->Respond(201, {}, exchange->request().path + ";").ok());
      }
      kept.clear();
    }
    for (const auto& client : clients) {
      EXPECT_THAT(client->ReadHead(), StartsWith("HTTP/1.1 201 "));
      EXPECT_EQ(client->ReadExactly(std::to_string(round).size() + 2),
                "/" + std::to_string(round) + ";");
    }
  }
}

TEST(ServerLoop, AnswersForHandlersThatDoNot) {
  TestServer server([](const ExchangePtr&) {}, {.treatment = OnLoop});
  const auto client = server.Connect();
  client->Send(Get("/") + Get("/") + Get("/", true));
  const std::string answers = client->ReadToEnd();
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answers, EndsWith("the request was not answered\n"));
}

TEST(ServerLoop, StreamsFromTheLoopToo) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        ASSERT_TRUE(exchange->Begin(200, {}).ok());
        EXPECT_TRUE(*exchange->TryWrite("one "));
        EXPECT_TRUE(*exchange->TryWrite("two"));
        ASSERT_TRUE(exchange->End().ok());
      },
      {.treatment = OnLoop});
  const Client client = *Client::Create();
  for (int i = 0; i < 3; ++i) {
    auto response = client.Send({.url = server.Url("/")});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(*response->ReadAll(100), "one two");
  }
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(ServerLoop, UpgradesAfterTheHandler) {
  std::thread echo;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        echo = std::thread([exchange] {
          auto stream = exchange->Upgrade({{"Upgrade", "echo"}});
          ASSERT_TRUE(stream.ok());
          char buffer[100];
          auto size = (*stream)->Read(buffer);
          ASSERT_TRUE((*stream)->Write({buffer, *size}).ok());
        });
      },
      {.treatment = OnLoop});
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  EXPECT_THAT(client->ReadHead(), StartsWith("HTTP/1.1 101 "));
  client->Send("hello");
  EXPECT_EQ(client->ReadExactly(5), "hello");
  echo.join();
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(ServerLoop, KnowsWhoAsks) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        const RemoteEnd& remote = *exchange->request().remote;
        const auto note = std::static_pointer_cast<const std::string>(remote.note());
        (void)exchange->Respond(200, {}, remote.address + " " + (note ? *note : "new"));
        remote.SetNote(std::make_shared<const std::string>("known"));
      },
      {.treatment = OnLoop});
  const auto client = server.Connect();
  client->Send(Get("/") + Get("/", true));
  const std::string answers = client->ReadToEnd();
  EXPECT_THAT(answers, HasSubstr("\r\n\r\n127.0.0.1:"));
  EXPECT_THAT(answers, HasSubstr(" newHTTP/1.1 200"));
  EXPECT_THAT(answers, EndsWith(" known"));
}

TEST(ServerLoop, LimitsConnectionsOfAllLoops) {
  TestServer server([](const ExchangePtr& exchange) { (void)exchange->Respond(200, {}, "ok"); },
                    {.treatment = OnLoop, .loops = 2, .max_connections = 4});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(server.Connect());
    clients.back()->Send(Get("/"));
    EXPECT_THAT(clients.back()->ReadHead(), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(clients.back()->ReadExactly(2), "ok");
    EXPECT_LE(server->counts().connections, 4U);
  }
  // Busy ones are waited for.
  for (int i = 0; i < 3; ++i) clients.erase(clients.begin());
}

TEST(PulledBody, IsMadeAsTheClientTakesIt) {
  const std::string block(1000, 'x');
  std::atomic<size_t> made = 0;
  constexpr size_t kBlocks = 100'000;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {{"Content-Type", "application/json"}},
                                    std::make_unique<Repeated>(block, kBlocks, &made));
      },
      {.treatment = OnLoop});
  const Client client = *Client::Create();
  for (int round = 0; round < 2; ++round) {
    made = 0;
    auto response = client.Send({.url = server.Url("/list")});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->headers().Get("Transfer-Encoding"), "chunked");
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_LT(made, kBlocks / 4);
    size_t read = 0;
    ASSERT_TRUE(response
                    ->ReadTo(
                        [&](std::string_view bytes) -> Result<void> {
                          read += bytes.size();
                          return {};
                        },
                        block.size() * kBlocks)
                    .ok());
    EXPECT_EQ(read, block.size() * kBlocks);
  }
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(PulledBody, ChunksHaveTheirSizes) {
  for (const size_t size : {size_t{1}, size_t{15}, size_t{16}, size_t{4095}, size_t{4096},
                            size_t{59999}, size_t{60000}, size_t{60001}, size_t{200000}}) {
    const std::string block(size, 'y');
    TestServer server(
        [&](const ExchangePtr& exchange) {
          (void)exchange->RespondFrom(200, {}, std::make_unique<Repeated>(block, 1));
        },
        {.treatment = OnLoop});
    auto response = Client::Create()->Send({.url = server.Url("/")});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(*response->ReadAll(size_t{1} << 20), block) << size;
  }
}

TEST(PulledBody, WaitsWithoutAThread) {
  const auto feed = std::make_shared<Feed>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(feed));
      },
      {.treatment = OnLoop});
  auto response = Client::Create()->Send({.url = server.Url("/watch")});
  ASSERT_TRUE(response.ok());
  char buffer[100];
  for (int i = 0; i < 100; ++i) {
    const std::string event = "event " + std::to_string(i);
    feed->Put(event);
    EXPECT_EQ(std::string_view(buffer, *response->Read(buffer)), event);
  }
  EXPECT_LT(feed->asked(), 400U);
  feed->End();
  EXPECT_EQ(*response->Read(buffer), 0U);
  EXPECT_TRUE(Eventually([&] { return !feed->alive(); }));
  // A late call is for nobody.
  feed->Put("late");
}

TEST(PulledBody, ServesThousandsOfWatchers) {
  std::mutex mutex;
  std::vector<std::shared_ptr<Feed>> feeds;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const std::lock_guard lock(mutex);
        feeds.push_back(std::make_shared<Feed>());
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(feeds.back()));
      },
      {.treatment = OnLoop, .loops = 2});
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(server.Connect());
    clients.back()->Send(Get("/watch"));
    EXPECT_THAT(clients.back()->ReadHead(), StartsWith("HTTP/1.1 200 "));
  }
  {
    const AnswerBatch batch;
    for (const auto& feed : feeds) feed->Put("event");
  }
  for (const auto& client : clients) EXPECT_EQ(client->ReadExactly(10), "5\r\nevent\r\n");
  clients.resize(500);
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 500; }));
  EXPECT_EQ(std::ranges::count_if(feeds, [](const auto& feed) { return feed->alive(); }), 500);
}

TEST(PulledBody, BreaksOffRatherThanEndEarly) {
  const auto feed = std::make_shared<Feed>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(feed));
      },
      {.treatment = OnLoop});
  auto response = Client::Create()->Send({.url = server.Url("/list")});
  ASSERT_TRUE(response.ok());
  feed->Put("part");
  char buffer[100];
  EXPECT_EQ(std::string_view(buffer, *response->Read(buffer)), "part");
  feed->Put("broken");
  EXPECT_FALSE(response->Read(buffer).ok());
  EXPECT_FALSE(feed->alive());
}

TEST(PulledBody, GoesWithItsClient) {
  const auto feed = std::make_shared<Feed>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(feed));
      },
      {.treatment = OnLoop});
  {
    const auto client = server.Connect();
    client->Send(Get("/watch"));
    EXPECT_THAT(client->ReadHead(), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(feed->alive());
  }
  EXPECT_TRUE(Eventually([&] { return !feed->alive(); }));
}

TEST(PulledBody, EndsWhenTheServerStops) {
  const auto watch = std::make_shared<Feed>();
  const auto list = std::make_shared<Feed>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const bool watches = exchange->request().path == "/watch";
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(watches ? watch : list));
      },
      {.treatment = OnLoop, .loops = 2});
  const auto watcher = server.Connect();
  const auto lister = server.Connect();
  watcher->Send(Get("/watch"));
  lister->Send(Get("/list"));
  EXPECT_THAT(watcher->ReadHead(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(lister->ReadHead(), StartsWith("HTTP/1.1 200 "));
  watch->Put("last");
  EXPECT_EQ(watcher->ReadExactly(9), "4\r\nlast\r\n");
  server->Stop(milliseconds(100));
  // The watch is whole; a list that is not is broken off.
  EXPECT_EQ(watcher->ReadToEnd(), "0\r\n\r\n");
  EXPECT_EQ(lister->ReadToEnd(), "");
}

TEST(PulledBody, IsNotAskedForHeads) {
  const auto feed = std::make_shared<Feed>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<FeedBody>(feed));
      },
      {.treatment = OnLoop});
  const auto client = server.Connect();
  client->Send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client->ReadToEnd(), EndsWith("\r\n\r\n"));
  EXPECT_EQ(feed->asked(), 0U);
}

TEST(PulledBody, IsForHandlersInThreadsToo) {
  const std::string block(1000, 'z');
  TestServer server([&](const ExchangePtr& exchange) {
    (void)exchange->RespondFrom(200, {}, std::make_unique<Repeated>(block, 1000));
  });
  const Client client = *Client::Create();
  for (int i = 0; i < 3; ++i) {
    auto response = client.Send({.url = server.Url("/")});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->ReadAll(size_t{1} << 24)->size(), 1'000'000U);
  }
}

// attacks.md, "slow clients": watchers that never read.
TEST(SlowClients, WatchersThatNeverRead) {
  const std::string event(1000, 'e');
  std::atomic<size_t> made = 0;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        if (exchange->request().path == "/get") {
          (void)exchange->Respond(200, {}, "ok");
          return;
        }
        (void)exchange->RespondFrom(200, {},
                                    std::make_unique<Repeated>(event, size_t{1} << 40, &made));
      },
      {.treatment = OnLoop, .write_timeout = milliseconds(300)});
  std::vector<std::unique_ptr<Peer>> deaf;
  for (int i = 0; i < 20; ++i) {
    deaf.push_back(server.Connect());
    deaf.back()->Send(Get("/watch"));
  }
  // Others are served meanwhile,
  auto response = Client::Create()->Send({.url = server.Url("/get")});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(*response->ReadAll(10), "ok");
  // and those are dropped, at no more than what the kernel takes of each.
  EXPECT_TRUE(Eventually([&] { return server->counts().connections <= 1; }));
  EXPECT_LT(made * event.size(), size_t{20} * (size_t{16} << 20));
}

// One that takes a little now and then is as slow as one that takes nothing.
TEST(SlowClients, WatchersThatReadAByteNowAndThen) {
  const std::string event(1000, 'e');
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<Repeated>(event, size_t{1} << 40));
      },
      {.treatment = OnLoop, .write_timeout = milliseconds(300)});
  const auto slow = server.Connect();
  slow->Send(Get("/watch"));
  EXPECT_THAT(slow->ReadHead(), StartsWith("HTTP/1.1 200 "));
  const bool dropped = Eventually([&] {
    char byte = 0;
    (void)recv(slow->fd(), &byte, 1, MSG_DONTWAIT);
    return server->counts().connections == 0;
  });
  EXPECT_TRUE(dropped);
}

}  // namespace
}  // namespace podium::http
