// The server's side of gRPC, played frame by frame. (Real clients: tests/e2e/cri_test.py.)
#include "grpc/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <utility>

#include "grpc/message_reader.h"
#include "http/http2_peer.h"
#include "http/test_server.h"

namespace podium::grpc {
namespace {

using http::FrameType;
using http::Http2Peer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

using Fields = std::vector<std::pair<std::string, std::string>>;

// Counts from 1 on, up to a number, a message at a time; waits to be woken before each.
class Numbers : public MessageSource {
 public:
  struct Shared {
    std::mutex mutex;
    http::BodyWaker waker;
    int allowed = 0;
    std::atomic<bool> alive = true;
    void Allow(int count) {
      http::BodyWaker wake;
      {
        const std::lock_guard lock(mutex);
        allowed = count;
        wake = waker;
      }
      wake.Wake();
    }
  };
  Numbers(std::shared_ptr<Shared> shared, int last) : shared_(std::move(shared)), last_(last) {}
  ~Numbers() override { shared_->alive = false; }
  void Attach(http::BodyWaker waker) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->waker = std::move(waker);
  }
  Result<Then> Next(std::string* message) override {
    const std::lock_guard lock(shared_->mutex);
    if (next_ > last_) return Then::kEnd;
    if (next_ > shared_->allowed) return Then::kWait;
    if (next_ == 13) return Error(Code::kDataLoss, "thirteen");
    *message = std::to_string(next_++);
    return Then::kMessage;
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const int last_;
  int next_ = 1;
};

class GrpcService : public ::testing::Test {
 protected:
  GrpcService() {
    const http::TestCertificates& files = http::TestCertificates::Get();
    auto tls = *http::TlsServer::Create(
        {.certificate = files.Read("server.pem"), .key = files.Read("server.key")});
    server_.emplace([this](const auto& exchange) { service_.Handle(exchange); }, Service::Options(),
                    std::shared_ptr<const http::TlsServer>(std::move(tls)));
    client_.emplace(server_->port());
  }
  ~GrpcService() override { server_->Destroy(); }

  void Begin(int32_t id, const std::string& path, const Fields& more = {}) {
    Fields fields = {{":method", "POST"},    {":scheme", "http"},
                     {":path", path},        {":authority", "localhost"},
                     {"te", "trailers"},     {"content-type", "application/grpc"},
                     {"user-agent", "tests"}};
    fields.insert(fields.end(), more.begin(), more.end());
    client_->Send({FrameType::kHeaders, http::kEndHeaders, id, http::EncodeFields(fields)});
  }
  void Say(int32_t id, const std::string& bytes) {
    client_->Send({FrameType::kData, http::kEndStream, id, bytes});
  }
  http::Answer Ask(const std::string& path, const std::string& message, const Fields& more = {}) {
    const int32_t id = std::exchange(next_, next_ + 2);
    Begin(id, path, more);
    Say(id, Framed(message));
    return client_->Collect(id);
  }
  // Of an answer that has failed: in its one head.
  static std::string StatusOf(const http::Answer& answer) {
    const auto found = answer.headers.find("grpc-status");
    return found == answer.headers.end() ? "" : found->second;
  }

  std::promise<void> blocked_;
  std::shared_future<void> unblocked_ = blocked_.get_future().share();
  std::atomic<int> over_ = 0;
  std::shared_ptr<Numbers::Shared> numbers_ = std::make_shared<Numbers::Shared>();
  ThreadExecutor executor_;
  Service service_{
      {{"/a.S/Echo", [](const auto& call) { call->Answer(call->message()); }},
       {"/a.S/Fail", [](const auto& call) { call->Fail(Error(Code::kNotFound, "no \"é\" here")); }},
       {"/a.S/Nothing", [](const auto& /*call*/) {}},
       {"/a.S/Block",
        [this](const auto& call) {
          call->OnOver([this] { ++over_; });
          unblocked_.wait();
          call->Answer("late");
        }},
       {"/a.S/Numbers",
        [this](const auto& call) {
          call->Stream(
              std::make_unique<Numbers>(numbers_, std::stoi(std::string(call->message()))));
        }}},
      executor_};
  std::optional<http::TestServer> server_;
  std::optional<Http2Peer> client_;
  int32_t next_ = 1;
};

TEST_F(GrpcService, AnswersWithAMessageAndAStatus) {
  for (const size_t size : {0, 5, 60'000}) {
    const std::string message(size, 'm');
    const int32_t id = std::exchange(next_, next_ + 2);
    Begin(id, "/a.S/Echo");
    const std::string framed = Framed(message);
    // No more than the window of 64 KiB that holds before the server's settings arrive.
    for (size_t at = 0; at < framed.size(); at += 16000) {
      client_->Send({FrameType::kData, 0, id, framed.substr(at, 16000)});
    }
    Say(id, "");
    const http::Answer answer = client_->Collect(id);
    EXPECT_EQ(answer.status(), "200");
    EXPECT_EQ(answer.headers.at("content-type"), "application/grpc");
    EXPECT_EQ(answer.body, Framed(message));
    EXPECT_EQ(answer.trailers.at("grpc-status"), "0");
    EXPECT_TRUE(answer.whole);
  }
}

TEST_F(GrpcService, FailsInOneHead) {
  const http::Answer answer = Ask("/a.S/Fail", "");
  EXPECT_EQ(answer.status(), "200");
  EXPECT_EQ(StatusOf(answer), "5");
  EXPECT_EQ(answer.headers.at("grpc-message"), "no \"%C3%A9\" here");
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(StatusOf(Ask("/a.S/Nothing", "")), "13");
}

TEST_F(GrpcService, RefusesWhatItDoesNotKnow) {
  const auto message = [&](const std::string& path) {
    const http::Answer answer = Ask(path, "");
    EXPECT_EQ(StatusOf(answer), "12") << path;
    return answer.headers.contains("grpc-message") ? answer.headers.at("grpc-message") : "";
  };
  EXPECT_EQ(message("/a.S/Other"), "unknown method Other for service a.S");
  EXPECT_EQ(message("/a/Echo"), "unknown service a");
  EXPECT_EQ(message("/Echo"), "malformed method name: \"/Echo\"");
}

TEST_F(GrpcService, RefusesOtherThanGrpc) {
  EXPECT_EQ(Ask("/a.S/Echo", "", {{"grpc-encoding", "gzip"}}).headers.at("grpc-accept-encoding"),
            "identity");
  EXPECT_EQ(StatusOf(Ask("/a.S/Echo", "", {{"grpc-encoding", "gzip"}})), "12");
  EXPECT_EQ(StatusOf(Ask("/a.S/Echo", "", {{"grpc-timeout", "soon"}})), "13");
  client_->Ask(next_, "/a.S/Echo");
  EXPECT_EQ(client_->Collect(std::exchange(next_, next_ + 2)).status(), "405");
  client_->Ask(next_, "/a.S/Echo", "POST");
  EXPECT_EQ(client_->Collect(std::exchange(next_, next_ + 2)).status(), "415");
  // No message; two of them.
  for (const std::string& bytes :
       {std::string(), Framed("a") + Framed("b"), Framed("abc").substr(0, 6)}) {
    const int32_t id = std::exchange(next_, next_ + 2);
    Begin(id, "/a.S/Echo");
    Say(id, bytes);
    EXPECT_EQ(StatusOf(client_->Collect(id)), "13");
  }
  EXPECT_EQ(Ask("/a.S/Echo", "still here").trailers.at("grpc-status"), "0");
}

TEST_F(GrpcService, RefusesALargeMessageBeforeItHasCome) {
  Begin(1, "/a.S/Echo");
  client_->Send({FrameType::kData, 0, 1, std::string("\0\2\0\0\0", 5)});
  EXPECT_EQ(StatusOf(client_->Collect(1)), "8");
}

TEST_F(GrpcService, KeepsDeadlines) {
  const auto begun = std::chrono::steady_clock::now();
  const http::Answer answer = Ask("/a.S/Block", "", {{"grpc-timeout", "50m"}});
  EXPECT_EQ(StatusOf(answer), "4");
  EXPECT_EQ(answer.headers.at("grpc-message"), "context deadline exceeded");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
  EXPECT_TRUE(http::Eventually([&] { return over_ == 1; }));
  blocked_.set_value();  // what is said then is dropped
  EXPECT_EQ(Ask("/a.S/Block", "", {{"grpc-timeout", "50S"}}).body, Framed("late"));
}

TEST_F(GrpcService, TellsHandlersThatTheClientHasGivenUp) {
  Begin(1, "/a.S/Block");
  Say(1, Framed(""));
  Begin(3, "/a.S/Block");
  Say(3, Framed(""));
  next_ = 5;
  EXPECT_EQ(StatusOf(Ask("/a.S/Fail", "")), "5");  // calls do not wait for one another
  client_->Send({FrameType::kReset, 0, 1, http::Number(8)});
  EXPECT_TRUE(http::Eventually([&] { return over_ == 1; }));
  client_.reset();
  EXPECT_TRUE(http::Eventually([&] { return over_ == 2; }));
  blocked_.set_value();
}

TEST_F(GrpcService, StreamsMessages) {
  Begin(1, "/a.S/Numbers");
  Say(1, Framed("3"));
  numbers_->Allow(3);
  const http::Answer answer = client_->Collect(1);
  EXPECT_EQ(answer.body, Framed("1") + Framed("2") + Framed("3"));
  EXPECT_EQ(answer.trailers.at("grpc-status"), "0");
  numbers_ = std::make_shared<Numbers::Shared>();
  numbers_->Allow(20);
  Begin(3, "/a.S/Numbers");
  Say(3, Framed("20"));
  const http::Answer broken = client_->Collect(3);
  EXPECT_THAT(broken.body, HasSubstr("12"));
  EXPECT_EQ(broken.trailers.at("grpc-status"), "15");
  EXPECT_EQ(broken.trailers.at("grpc-message"), "thirteen");
}

TEST_F(GrpcService, EndsStreamsWithTheirDeadlineTheirClientAndTheServer) {
  Begin(1, "/a.S/Numbers", {{"grpc-timeout", "100m"}});
  Say(1, Framed("3"));
  const http::Answer late = client_->Collect(1);
  EXPECT_EQ(late.trailers.at("grpc-status"), "4");
  EXPECT_TRUE(http::Eventually([&] { return !numbers_->alive; }));

  numbers_ = std::make_shared<Numbers::Shared>();
  Begin(3, "/a.S/Numbers");
  Say(3, Framed("3"));
  numbers_->Allow(1);
  while (client_->Next()->type != FrameType::kData) {
  }
  client_->Send({FrameType::kReset, 0, 3, http::Number(8)});
  EXPECT_TRUE(http::Eventually([&] { return !numbers_->alive; }));

  numbers_ = std::make_shared<Numbers::Shared>();
  Begin(5, "/a.S/Numbers");
  Say(5, Framed("3"));
  numbers_->Allow(1);
  while (client_->Next()->type != FrameType::kData) {
  }
  (*server_)->Stop(milliseconds(1000));
  EXPECT_EQ(client_->Collect(5).trailers.at("grpc-status"), "14");
}

// What clients of gRPC do beside their calls (measuring the line by PING, opening windows a little)
// belongs to them: thousands of calls in a row are no flood.
TEST_F(GrpcService, TakesThousandsOfCallsWithTheirPings) {
  for (int i = 0; i < 2500; ++i) {
    const int32_t id = std::exchange(next_, next_ + 2);
    Begin(id, "/a.S/Echo");
    Say(id, Framed("x"));
    client_->Send({FrameType::kPing, 0, 0, "12345678"});
    ASSERT_EQ(client_->Collect(id).body, Framed("x")) << i;
  }
}

}  // namespace
}  // namespace podium::grpc
