#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <random>

#include "http/http2_peer.h"
#include "http/test_server.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

using ExchangePtr = std::shared_ptr<Exchange>;

std::shared_ptr<const TlsServer> Tls() {
  const TestCertificates& files = TestCertificates::Get();
  return *TlsServer::Create(
      {.certificate = files.Read("server.pem"), .key = files.Read("server.key")});
}

// "/pool…" runs in threads, and the rest on the loop; "/watch" is long-running.
Treatment Mixed(const RequestHead& head) {
  const bool pool = head.target.starts_with("/pool");
  return {.on_loop = !pool,
          .long_running = head.target.starts_with("/watch"),
          .stream_body = head.target.starts_with("/pool/upload"),
          .strict_path = head.target.starts_with("/strict")};
}

void Echo(const ExchangePtr& exchange) {
  const ServerRequest& request = exchange->request();
  (void)exchange->Respond(
      200, {{"Content-Type", "text/plain"}},
      request.head.method + " " + request.path + " " + request.query + " " + request.body);
}

// As many bytes as asked for, one after the other from 0 on.
class Counting : public PulledBody {
 public:
  explicit Counting(size_t size) : left_(size) {
    for (size_t i = 0; i < block_.size(); ++i) block_[i] = static_cast<char>(i % 251);
  }
  static bool Holds(std::string_view body) {
    for (size_t i = 0; i < body.size(); ++i) {
      if (body[i] != static_cast<char>(i % 251)) return false;
    }
    return true;
  }
  Result<BodyPiece> Next() override {
    const size_t size = std::min(left_, block_.size());
    left_ -= size;
    return BodyPiece{std::string_view(block_).substr(0, size),
                     left_ == 0 ? BodyPiece::Then::kEnd : BodyPiece::Then::kMore};
  }

 private:
  std::string block_ = std::string(251 * 40, '\0');
  size_t left_;
};

// Waits for Put and End.
class Waiting : public PulledBody {
 public:
  struct Shared {
    std::mutex mutex;
    std::string pieces;
    bool ended = false;
    BodyWaker waker;
    std::atomic<bool> alive = true;
    void Put(const std::string& piece, bool end = false) {
      const std::lock_guard lock(mutex);
      pieces += piece;
      ended = end;
      waker.Wake();
    }
  };
  explicit Waiting(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Waiting() override { shared_->alive = false; }
  void Attach(BodyWaker waker) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->waker = std::move(waker);
  }
  Result<BodyPiece> Next() override {
    const std::lock_guard lock(shared_->mutex);
    piece_ = std::exchange(shared_->pieces, "");
    return BodyPiece{piece_, shared_->ended ? BodyPiece::Then::kEnd : BodyPiece::Then::kWait};
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::string piece_;
};

TEST(Http2, AnswersRequests) {
  TestServer server(Echo, {.treatment = Mixed, .loops = 2}, Tls());
  Http2Peer client(server.port());
  int32_t id = 1;
  for (const std::string path : {"/a%20b?x=1", "/pool/c"}) {
    client.Ask(id, path);
    const Answer answer = client.Collect(id);
    EXPECT_EQ(answer.status(), "200");
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, path == "/pool/c" ? "GET /pool/c  " : "GET /a b x=1 ");
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
    EXPECT_EQ(answer.headers.at("content-length"), std::to_string(answer.body.size()));
    EXPECT_THAT(answer.headers.at("date"), HasSubstr(" GMT"));
    id += 2;
  }
  // With a body, in two pieces.
  client.Send({FrameType::kHeaders, kEndHeaders, 5, RequestFields("/post", "POST")});
  client.Send({FrameType::kData, 0, 5, "ab"});
  client.Send({FrameType::kData, kEndStream, 5, "cd"});
  EXPECT_EQ(client.Collect(5).body, "POST /post  abcd");
  client.Ask(7, "/head", "HEAD");
  const Answer head = client.Collect(7);
  EXPECT_EQ(head.headers.at("content-length"), "12");
  EXPECT_EQ(head.body, "");
  EXPECT_TRUE(head.whole);
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(Http2, ServesManyStreamsAtOnce) {
  std::mutex mutex;
  std::vector<ExchangePtr> kept;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        EXPECT_TRUE(exchange->request().remote->http2);
        EXPECT_EQ(exchange->request().head.headers.Get("Host"), "h");
        const std::lock_guard lock(mutex);
        kept.push_back(exchange);
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  for (int32_t i = 0; i < 200; ++i) client.Ask(2 * i + 1, "/" + std::to_string(i));
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex);
    return kept.size() == 200;
  }));
  {
    const AnswerBatch batch;
    while (!kept.empty()) {
      Echo(kept.back());
      kept.pop_back();
    }
  }
  for (int32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(client.Collect(2 * i + 1).body, "GET /" + std::to_string(i) + "  ");
  }
}

TEST(Http2, PullsBodiesAsWindowsAllow) {
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const size_t size = std::stoul(exchange->request().query);
        (void)exchange->RespondFrom(200, {}, std::make_unique<Counting>(size));
      },
      {.treatment = Mixed}, Tls());
  // Windows of 64 KiB, and of 100 bytes.
  for (const size_t window : {65535, 100}) {
    Http2Peer client(server.port(), std::string("\0\4", 2) + Number(static_cast<uint32_t>(window)));
    const size_t size = window * 50 + 1;
    for (const int32_t id : {1, 3, 5}) client.Ask(id, "/list?" + std::to_string(size));
    for (const int32_t id : {1, 3, 5}) {
      const Answer answer = client.Collect(id);
      EXPECT_EQ(answer.body.size(), size);
      EXPECT_TRUE(Counting::Holds(answer.body));
      EXPECT_TRUE(answer.whole);
    }
  }
}

// A body with fields behind it.
class WithTrailers : public PulledBody {
 public:
  WithTrailers(std::string body, Headers trailers)
      : body_(std::move(body)), trailers_(std::move(trailers)) {}
  Result<BodyPiece> Next() override { return BodyPiece{body_, BodyPiece::Then::kEnd}; }
  Headers Trailers() override { return trailers_; }

 private:
  const std::string body_;
  const Headers trailers_;
};

TEST(Http2, SaysTrailersBehindTheBody) {
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const std::string body(std::stoul(exchange->request().query), 'b');
        Headers trailers = {{"Grpc-Status", "0"}, {"x", "1"}};
        if (exchange->request().path == "/bad") trailers.Add("y", "a\r\nz: b");
        (void)exchange->RespondFrom(200, {}, std::make_unique<WithTrailers>(body, trailers));
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  int32_t id = 1;
  for (const size_t size : {0, 5, 100'000}) {
    client.Ask(id, "/?" + std::to_string(size));
    const Answer answer = client.Collect(id);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), size);
    EXPECT_FALSE(answer.headers.contains("grpc-status"));
    EXPECT_EQ(answer.trailers.at("grpc-status"), "0");
    EXPECT_EQ(answer.trailers.at("x"), "1");
    id += 2;
  }
  // Whoever chose the value writes no fields of its own: the answer breaks off.
  client.Ask(id, "/bad?5");
  const Answer answer = client.Collect(id);
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(answer.reset.has_value());
}

TEST(Http2, StreamsFromHandlersInThreads) {
  TestServer server(
      [&](const ExchangePtr& exchange) {
        ASSERT_TRUE(exchange->Begin(200, {}).ok());
        for (int i = 0; i < 300; ++i) {
          ASSERT_TRUE(exchange->Write(std::string(10000, static_cast<char>('a' + i % 26))).ok());
        }
        ASSERT_TRUE(exchange->End().ok());
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  client.Ask(1, "/pool/1");
  client.Ask(3, "/pool/3");
  for (const int32_t id : {1, 3}) {
    const Answer answer = client.Collect(id);
    ASSERT_EQ(answer.body.size(), 3'000'000U);
    EXPECT_TRUE(answer.whole);
    for (size_t i = 0; i < answer.body.size(); i += 5000) {
      EXPECT_EQ(answer.body[i], static_cast<char>('a' + i / 10000 % 26));
    }
  }
}

TEST(Http2, StreamsBodiesToHandlers) {
  TestServer server(
      [&](const ExchangePtr& exchange) {
        size_t total = 0;
        std::string buffer(3000, '\0');
        while (true) {
          auto size = exchange->ReadBody(buffer);
          if (!size.ok()) return;
          if (*size == 0) break;
          total += *size;
        }
        (void)exchange->Respond(200, {}, std::to_string(total));
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  client.Send({FrameType::kHeaders, kEndHeaders, 1, RequestFields("/pool/upload", "POST")});
  // No more than the window of 64 KiB that holds before our settings arrive.
  for (int i = 0; i < 4; ++i) client.Send({FrameType::kData, 0, 1, std::string(15000, 'u')});
  client.Send({FrameType::kData, kEndStream, 1, "end"});
  EXPECT_EQ(client.Collect(1).body, "60003");
}

TEST(Http2, WatchesWaitWithoutAThread) {
  const auto shared = std::make_shared<Waiting::Shared>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<Waiting>(shared));
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  client.Ask(1, "/watch");
  std::string got;
  for (int i = 0; i < 50; ++i) {
    const std::string event = "event" + std::to_string(i);
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(shared->mutex);
      return shared->pieces.empty();
    }));
    shared->Put(event);
    while (true) {
      const auto frame = client.Next();
      ASSERT_TRUE(frame);
      if (frame->type != FrameType::kData) continue;
      EXPECT_EQ(frame->payload, event);
      break;
    }
  }
  // The client gives up this one alone.
  client.Send({FrameType::kReset, 0, 1, Number(8)});
  EXPECT_TRUE(Eventually([&] { return !shared->alive; }));
  EXPECT_EQ(server->counts().connections, 1U);
}

TEST(Http2, TellsHandlersThatTheClientIsGone) {
  std::latch cancelled(2);
  std::mutex mutex;
  std::vector<ExchangePtr> kept;
  TestServer server(
      [&](const ExchangePtr& exchange) {
        exchange->OnCancel([&] { cancelled.count_down(); });
        const std::lock_guard lock(mutex);
        kept.push_back(exchange);
      },
      {.treatment = Mixed}, Tls());
  {
    Http2Peer client(server.port());
    client.Ask(1, "/one");
    client.Ask(3, "/two");
    ASSERT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex);
      return kept.size() == 2;
    }));
    client.Send({FrameType::kReset, 0, 1, Number(8)});
  }
  cancelled.wait();
  for (const ExchangePtr& exchange : kept) {
    EXPECT_TRUE(exchange->cancelled());
    EXPECT_EQ(exchange->Respond(200, {}, "late").error().code(), Code::kCancelled);
  }
}

TEST(Http2, AnswersForHandlersThatDoNot) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        if (exchange->request().path == "/half") {
          (void)exchange->Begin(200, {});
          (void)exchange->TryWrite("part");
        }
        if (exchange->request().path == "/upgrade") {
          EXPECT_EQ(exchange->Upgrade({{"Upgrade", "x"}}).error().code(), Code::kUnsupported);
        }
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  client.Ask(1, "/none");
  EXPECT_EQ(client.Collect(1).status(), "500");
  // Reset, and not ended: nobody takes the part for the whole.
  client.Ask(3, "/half");
  const Answer half = client.Collect(3);
  EXPECT_FALSE(half.whole);
  EXPECT_TRUE(half.reset);
  client.Ask(5, "/upgrade");
  EXPECT_EQ(client.Collect(5).status(), "500");
}

TEST(Http2, RefusesWhatIsNoRequest) {
  TestServer server(Echo, {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  const auto ask = [&](int32_t id, const std::string& fields) {
    client.Send({FrameType::kHeaders, kEndStream | kEndHeaders, id, fields});
    return client.Collect(id);
  };
  EXPECT_EQ(ask(1, RequestFields("/%zz")).status(), "400");
  EXPECT_EQ(ask(3, RequestFields("/a%00b")).status(), "400");
  EXPECT_EQ(ask(5, RequestFields("/strict/a%2fb")).status(), "400");
  EXPECT_EQ(ask(7, RequestFields("/strict/../b")).status(), "400");
  EXPECT_EQ(ask(9, RequestFields("/strict/%2e%2E/b")).status(), "400");
  EXPECT_EQ(ask(11, RequestFields("/strict/a.b")).status(), "200");
  // Fields of connections, as those of an upgrade; names in capitals; two paths: malformed.
  for (const std::pair<std::string, std::string>& field :
       {std::pair<std::string, std::string>{"connection", "upgrade"},
        {"upgrade", "SPDY/3.1"},
        {"transfer-encoding", "chunked"},
        {"Upper", "x"},
        {"bad", "a\r\nb: c"}}) {
    static int32_t id = 11;
    id += 2;
    const Answer answer = ask(id, RequestFields("/") + EncodeFields({field}));
    EXPECT_EQ(answer.reset, 1U) << field.first;
  }
  // A length that is not the body's (request smuggling with both lengths).
  client.Send({FrameType::kHeaders, kEndHeaders, 101,
               RequestFields("/", "POST") + EncodeFields({{"content-length", "5"}})});
  client.Send({FrameType::kData, kEndStream, 101, "more than five"});
  EXPECT_EQ(client.Collect(101).reset, 1U);
  // And the connection still serves.
  client.Ask(103, "/fine");
  EXPECT_EQ(client.Collect(103).status(), "200");
}

TEST(Http2, RefusesLargeBodiesAndHeads) {
  TestServer server(
      Echo,
      {.head_limits = {.bytes = 1000, .fields = 20},
       .treatment = [](const RequestHead&) { return Treatment{.on_loop = true, .max_body = 100}; }},
      Tls());
  Http2Peer client(server.port());
  client.Send({FrameType::kHeaders, kEndHeaders, 1, RequestFields("/", "POST")});
  client.Send({FrameType::kData, 0, 1, std::string(200, 'x')});
  EXPECT_EQ(client.Collect(1).status(), "413");
  client.Send({FrameType::kHeaders, kEndStream | kEndHeaders, 3,
               RequestFields("/") + EncodeFields({{"long", std::string(2000, 'x')}})});
  EXPECT_EQ(client.Collect(3).status(), "431");
  std::vector<std::pair<std::string, std::string>> many(30, {"a", ""});
  client.Send(
      {FrameType::kHeaders, kEndStream | kEndHeaders, 5, RequestFields("/") + EncodeFields(many)});
  EXPECT_EQ(client.Collect(5).status(), "431");
  client.Ask(7, "/");
  EXPECT_EQ(client.Collect(7).status(), "200");
}

TEST(Http2, StopsGracefully) {
  const auto watch = std::make_shared<Waiting::Shared>();
  const auto list = std::make_shared<Waiting::Shared>();
  TestServer server(
      [&](const ExchangePtr& exchange) {
        const bool watches = exchange->request().path == "/watch";
        (void)exchange->RespondFrom(200, {}, std::make_unique<Waiting>(watches ? watch : list));
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  Http2Peer idle(server.port());
  client.Ask(1, "/watch");
  client.Ask(3, "/list");
  watch->Put("last");
  while (true) {
    const auto frame = client.Next();
    ASSERT_TRUE(frame);
    if (frame->type == FrameType::kData) break;
  }
  std::thread stop([&] { server->Stop(std::chrono::seconds(5)); });
  EXPECT_EQ(idle.CollectGoAway(), 0U);
  // The watch ends whole and at once; the list has its time.
  const Answer watched = client.Collect(1);
  EXPECT_TRUE(watched.whole);
  EXPECT_EQ(watched.body, "last");
  list->Put("all of it", true);
  const Answer listed = client.Collect(3);
  EXPECT_TRUE(listed.whole);
  EXPECT_EQ(listed.body, "all of it");
  EXPECT_EQ(client.CollectGoAway(), 0U);
  stop.join();
}

TEST(Http2, IdleConnectionsGo) {
  TestServer server(
      Echo,
      {.treatment = Mixed, .head_timeout = milliseconds(200), .idle_timeout = milliseconds(100)},
      Tls());
  Http2Peer silent(server.port());
  EXPECT_EQ(silent.CollectGoAway(), 0U);
  Http2Peer used(server.port());
  used.Ask(1, "/");
  EXPECT_EQ(used.Collect(1).status(), "200");
  EXPECT_EQ(used.CollectGoAway(), 0U);
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

TEST(Http2, AsksToComeAgain) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        (void)exchange->Respond(200, {{"Connection", "close"}}, "bye");
      },
      {.treatment = Mixed}, Tls());
  Http2Peer client(server.port());
  client.Ask(1, "/");
  const Answer answer = client.Collect(1);
  EXPECT_EQ(answer.body, "bye");
  EXPECT_EQ(answer.headers.count("connection"), 0U);
  EXPECT_EQ(client.CollectGoAway(), 0U);
}

}  // namespace
}  // namespace podium::http
