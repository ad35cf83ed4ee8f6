// attacks.md, "HTTP/2 floods": what a client can send for next to nothing costs it the connection,
// before it costs us anything, and others are served meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/http2_peer.h"
#include "http/test_server.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ExchangePtr = std::shared_ptr<Exchange>;

constexpr uint32_t kEnhanceYourCalm = 11;
constexpr uint32_t kRefusedStream = 7;
// More than anyone may send in a row who brings nothing forward.
constexpr int kFlood = 20'000;

class Http2Floods : public ::testing::Test {
 protected:
  void Start(const Handler& handler, ServerOptions options = {}) {
    const TestCertificates& files = TestCertificates::Get();
    if (!options.treatment) {
      options.treatment = [](const RequestHead& head) {
        return Treatment{.on_loop = true, .long_running = head.target == "/watch"};
      };
    }
    server_.emplace(
        [this, handler](const ExchangePtr& exchange) {
          if (exchange->request().path == "/other") {
            (void)exchange->Respond(200, {}, "served");
            return;
          }
          ++handled_;
          handler(exchange);
        },
        std::move(options),
        *TlsServer::Create(
            {.certificate = files.Read("server.pem"), .key = files.Read("server.key")}));
    other_ = std::make_unique<Http2Peer>(server_->port());
    attacker_ = std::make_unique<Http2Peer>(server_->port());
    ExpectOtherIsServed();
  }
  static void Ok(const ExchangePtr& exchange) { (void)exchange->Respond(200, {}, "ok"); }

  void ExpectOtherIsServed() {
    other_->Ask(next_, "/other");
    EXPECT_EQ(other_->Collect(next_).body, "served");
    next_ += 2;
  }
  // What `frames` makes of a number, until the server has had enough; whether it had.
  template <class Frames>
  bool Flood(const Frames& frames) {
    for (int i = 0; i < kFlood; ++i) {
      if (i % 1000 == 0) ExpectOtherIsServed();
      if (!attacker_->Send(frames(i))) break;
    }
    error_ = attacker_->CollectGoAway();
    ExpectOtherIsServed();
    return attacker_->at_end();
  }

  std::optional<TestServer> server_;
  std::unique_ptr<Http2Peer> attacker_;
  std::unique_ptr<Http2Peer> other_;
  std::atomic<int> handled_ = 0;
  std::optional<uint32_t> error_;
  int32_t next_ = 1;
};

std::string Request(int number, const std::string& fields) {
  return Encode({FrameType::kHeaders, kEndStream | kEndHeaders, 2 * number + 1, fields});
}

TEST_F(Http2Floods, RapidReset) {  // CVE-2023-44487
  Start(Ok);
  const std::string fields = RequestFields("/");
  EXPECT_TRUE(Flood([&](int i) {
    return Request(i, fields) + Encode({FrameType::kReset, 0, 2 * i + 1, Number(8)});
  }));
  EXPECT_LT(handled_, 3000);
}

// The handlers of streams that are gone count.
TEST_F(Http2Floods, RapidResetOfLongRequests) {
  std::mutex mutex;
  std::vector<ExchangePtr> kept;
  Start([&](const ExchangePtr& exchange) {
    const std::lock_guard lock(mutex);
    kept.push_back(exchange);
  });
  const std::string fields = RequestFields("/watch");
  for (int i = 0; i < 500; ++i) {
    attacker_->Send(Request(i, fields) + Encode({FrameType::kReset, 0, 2 * i + 1, Number(8)}));
  }
  attacker_->Ask(1001, "/watch");
  EXPECT_EQ(attacker_->Collect(1001).reset, kRefusedStream);
  EXPECT_EQ(handled_, 250);
  ExpectOtherIsServed();
  {
    const std::lock_guard lock(mutex);
    kept.clear();
  }
  attacker_->Ask(1003, "/other");
  EXPECT_EQ(attacker_->Collect(1003).body, "served");
}

TEST_F(Http2Floods, MoreStreamsThanAgreed) {
  std::mutex mutex;
  std::vector<ExchangePtr> kept;
  Start([&](const ExchangePtr& exchange) {
    const std::lock_guard lock(mutex);
    kept.push_back(exchange);
  });
  const std::string fields = RequestFields("/watch");
  for (int i = 0; i < 400; ++i) {
    if (!attacker_->Send(Request(i, fields))) break;
  }
  const Answer last = attacker_->Collect(799);
  EXPECT_TRUE(last.reset == kRefusedStream || attacker_->at_end());
  EXPECT_LE(handled_, 250);
  ExpectOtherIsServed();
  const std::lock_guard lock(mutex);
  kept.clear();
}

// The server is made to reset streams (CVE-2019-9514, CVE-2025-8671).
TEST_F(Http2Floods, ResetsByTheServer) {
  Start(Ok);
  const std::string malformed = RequestFields("/") + EncodeFields({{"connection", "x"}});
  EXPECT_TRUE(Flood([&](int i) { return Request(i, malformed); }));
  EXPECT_EQ(handled_, 0);
}

TEST_F(Http2Floods, MadeYouReset) {  // CVE-2025-8671
  Start(Ok);
  const std::string fields = RequestFields("/", "POST");
  EXPECT_TRUE(Flood([&](int i) {
    // A window that opens by nothing is an error of the stream.
    return Request(i, fields) + Encode({FrameType::kWindowUpdate, 0, 2 * i + 1, Number(0)});
  }));
  EXPECT_LT(handled_, 3000);
}

TEST_F(Http2Floods, Pings) {  // CVE-2019-9512
  Start(Ok);
  EXPECT_TRUE(Flood([](int) { return Encode({FrameType::kPing, 0, 0, "12345678"}); }));
  EXPECT_EQ(error_.value_or(kEnhanceYourCalm), kEnhanceYourCalm);
}

TEST_F(Http2Floods, Settings) {  // CVE-2019-9515
  Start(Ok);
  EXPECT_TRUE(Flood([](int) { return Encode({FrameType::kSettings, 0, 0}); }));
}

TEST_F(Http2Floods, Priorities) {  // CVE-2019-9513
  Start(Ok);
  EXPECT_TRUE(Flood([](int i) {
    return Encode({FrameType::kPriority, 0, 2 * (i % 100) + 1, Number(0) + "\x10"});
  }));
}

TEST_F(Http2Floods, WindowUpdates) {
  Start(Ok);
  EXPECT_TRUE(Flood([](int) { return Encode({FrameType::kWindowUpdate, 0, 0, Number(1)}); }));
}

TEST_F(Http2Floods, EmptyData) {  // CVE-2019-9518
  Start(Ok);
  attacker_->Send({FrameType::kHeaders, kEndHeaders, 1, RequestFields("/", "POST")});
  EXPECT_TRUE(Flood([](int) { return Encode({FrameType::kData, 0, 1}); }));
  EXPECT_EQ(handled_, 0);
}

TEST_F(Http2Floods, Continuations) {  // CVE-2024-27316, CVE-2024-28182
  Start(Ok);
  attacker_->Send({FrameType::kHeaders, kEndStream, 1, RequestFields("/")});
  int sent = 0;
  EXPECT_TRUE(Flood([&](int) {
    ++sent;
    return Encode({FrameType::kContinuation, 0, 1, EncodeFields({{"a", std::string(1000, 'x')}})});
  }));
  EXPECT_EQ(handled_, 0);
}

// A field in the table of HPACK is named again and again: a byte for each four thousand.
TEST_F(Http2Floods, HeaderBombs) {
  Start(Ok);
  // Literal with incremental indexing, a new name.
  const std::string entry =
      std::string("\x40\x01", 2) + "b" + std::string("\x7f\xa1\x1e", 3) + std::string(4000, 'x');
  attacker_->Send(Request(0, RequestFields("/other") + entry));
  EXPECT_EQ(attacker_->Collect(1).status(), "200");
  const std::string bomb = RequestFields("/") + std::string(15'000, '\xbe');
  attacker_->Send(Request(1, bomb));
  EXPECT_EQ(attacker_->Collect(3).status(), "431");
  for (int i = 2; i < 200; ++i) {
    if (!attacker_->Send(Request(i, bomb))) break;
  }
  EXPECT_EQ(attacker_->CollectGoAway().value_or(kEnhanceYourCalm), kEnhanceYourCalm);
  EXPECT_TRUE(attacker_->at_end());
  EXPECT_EQ(handled_, 0);
  ExpectOtherIsServed();
}

// Answers are asked for, and taken byte by byte or never (CVE-2019-9511, CVE-2019-9517).
class Endless : public PulledBody {
 public:
  explicit Endless(std::atomic<size_t>* made, std::atomic<int>* alive)
      : made_(made), alive_(alive) {
    ++*alive_;
  }
  ~Endless() override { --*alive_; }
  Endless(const Endless&) = delete;
  Endless& operator=(const Endless&) = delete;
  Result<BodyPiece> Next() override {
    *made_ += block_.size();
    return BodyPiece{block_, BodyPiece::Then::kMore};
  }

 private:
  const std::string block_ = std::string(1000, 'x');
  std::atomic<size_t>* made_;
  std::atomic<int>* alive_;
};

TEST_F(Http2Floods, TinyWindows) {
  std::atomic<size_t> made = 0;
  std::atomic<int> alive = 0;
  Start(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<Endless>(&made, &alive));
      },
      {.write_timeout = milliseconds(400)});
  attacker_->KeepWindowsShut();
  // A window of one byte, and no other.
  attacker_->Send({FrameType::kSettings, 0, 0, std::string("\0\4", 2) + Number(1)});
  for (int i = 0; i < 100; ++i) attacker_->Send(Request(i, RequestFields("/list")));
  ASSERT_TRUE(Eventually([&] { return alive == 100; }));
  EXPECT_LE(made, size_t{100} * 2000);
  ExpectOtherIsServed();
  // They are reset, by and by; the connection may stay.
  EXPECT_TRUE(Eventually([&] { return alive == 0; }));
  EXPECT_EQ(attacker_->Collect(1).reset, 8U);
}

TEST_F(Http2Floods, WindowsThatOpenByAByte) {
  std::atomic<size_t> made = 0;
  std::atomic<int> alive = 0;
  Start(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<Endless>(&made, &alive));
      },
      {.write_timeout = milliseconds(400)});
  attacker_->KeepWindowsShut();
  attacker_->Send({FrameType::kSettings, 0, 0, std::string("\0\4", 2) + Number(1)});
  attacker_->Ask(1, "/list");
  ASSERT_TRUE(Eventually([&] { return alive == 1; }));
  EXPECT_TRUE(Eventually([&] {
    attacker_->Send({FrameType::kWindowUpdate, 0, 1, Number(1)});
    return alive == 0;
  }));
  ExpectOtherIsServed();
}

TEST_F(Http2Floods, ClientsThatDoNotRead) {
  std::atomic<size_t> made = 0;
  std::atomic<int> alive = 0;
  Start(
      [&](const ExchangePtr& exchange) {
        (void)exchange->RespondFrom(200, {}, std::make_unique<Endless>(&made, &alive));
      },
      {.write_timeout = milliseconds(400)});
  // As wide as windows get, so that only the socket says no.
  attacker_->Send({FrameType::kSettings, 0, 0, std::string("\0\4", 2) + Number(0x7FFFFFFF)});
  attacker_->Send({FrameType::kWindowUpdate, 0, 0, Number(0x7FFF0000)});
  for (int i = 0; i < 50; ++i) attacker_->Send(Request(i, RequestFields("/list")));
  EXPECT_TRUE(Eventually([&] { return made > 0; }));
  EXPECT_TRUE(Eventually([&] { return server_->operator->()->counts().connections == 1; }));
  EXPECT_EQ(alive, 0);
  EXPECT_LT(made, size_t{32} << 20);
  ExpectOtherIsServed();
}

TEST_F(Http2Floods, BodiesThatDoNotArrive) {
  Start(Ok, {.body_timeout = milliseconds(200), .write_timeout = milliseconds(200)});
  attacker_->Send({FrameType::kHeaders, kEndHeaders, 1, RequestFields("/", "POST")});
  for (int i = 0; i < 5; ++i) {
    attacker_->Send({FrameType::kData, 0, 1, "x"});
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(attacker_->Collect(1).status(), "408");
  EXPECT_EQ(handled_, 0);
}

// Bytes that are no frames, and frames in the wrong place.
TEST_F(Http2Floods, Nonsense) {
  Start(Ok);
  for (const std::string& nonsense :
       {std::string(100, '\xff'), Encode({FrameType::kData, 0, 0, "x"}),
        Encode({FrameType::kHeaders, kEndHeaders, 2, RequestFields("/")}),
        Encode({FrameType::kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"}),
        Encode({FrameType::kContinuation, kEndHeaders, 1, ""}),
        Encode({FrameType::kSettings, 0, 0, "odd"}),
        Encode({FrameType::kWindowUpdate, 0, 0, Number(0)}),
        Encode({FrameType::kPing, 0, 0, "short"})}) {
    Http2Peer client(server_->port());
    client.Send(nonsense);
    (void)client.CollectGoAway();
    EXPECT_TRUE(client.at_end());
  }
  const auto plain = server_->Connect();
  plain->Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  plain->ReadToEnd();
  ExpectOtherIsServed();
}

}  // namespace
}  // namespace podium::http
