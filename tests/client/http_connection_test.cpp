#include "client/http_connection.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "client/contract.h"
#include "client/fake_http.h"
#include "client/informer.h"
#include "client/virtual_time.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace core = api::core::v1;
namespace meta = api::meta::v1;

class HttpContractServer : public ContractServer {
 public:
  ~HttpContractServer() override { connection_->Stop(); }
  Connection& connection() override { return *connection_; }
  bool Compact() override {
    server_.Compact();
    return true;
  }

 private:
  VirtualTime time_;
  FakeServer server_{time_};
  FakeHttp http_{server_};
  std::unique_ptr<HttpConnection> connection_ = *HttpConnection::Create({.url = http_.url()});
};

std::unique_ptr<ContractServer> MakeHttp() { return std::make_unique<HttpContractServer>(); }

INSTANTIATE_TEST_SUITE_P(Http, ConnectionContract, testing::Values(&MakeHttp));

class HttpConnectionTest : public ::testing::Test {
 protected:
  HttpConnection& Connect(ServerAddress address = {}) {
    address.url = http_.url();
    connection_ = *HttpConnection::Create(
        std::move(address),
        {.on_warning = [this](std::string_view text) { warnings_.emplace_back(text); }});
    return *connection_;
  }

  VirtualTime time_;
  FakeServer server_{time_};
  FakeHttp http_{server_};
  std::unique_ptr<HttpConnection> connection_;
  std::vector<std::string> warnings_;
};

TEST_F(HttpConnectionTest, SaysEverythingOfATarget) {
  HttpConnection& connection = Connect();
  (void)connection.Get({"apps", "v1", "deployments", "n s", "a/b", "scale"}, {});
  meta::ListOptions options;
  options.limit = 5;
  options.continue_ = "x=";
  (void)connection.List({"", "v1", "pods"}, options);
  meta::PatchOptions patch;
  patch.force = true;
  patch.fieldManager = "me";
  (void)connection.Patch({"", "v1", "nodes", "", "n"}, PatchType::kApply, "{}", patch);
  EXPECT_THAT(http_.TakeRequests(),
              ElementsAre("GET /apis/apps/v1/namespaces/n%20s/deployments/a%2Fb/scale",
                          "GET /api/v1/pods?limit=5&continue=x%3D",
                          "PATCH /api/v1/nodes/n?force=true&fieldManager=me"));
  EXPECT_EQ(http_.headers().Get("Content-Type"), "application/apply-patch+yaml");
  (void)connection.List({.group = "", .version = "v1", .resource = "pods", .metadata_only = true},
                        {});
  EXPECT_THAT(std::string(http_.headers().Get("Accept")),
              StartsWith("application/json;as=PartialObjectMetadataList;"));
  // Nothing gets out of its place in a path.
  EXPECT_EQ(connection.Get({"", "v1", "pods", "..", "x"}, {}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(connection.Get({"", "v1", "pods", "ns", "."}, {}).error().code(),
            Code::kInvalidArgument);
}

TEST_F(HttpConnectionTest, KeepsKindsThatItDoesNotKnow) {
  HttpConnection& connection = Connect();
  const std::string item = R"("metadata":{"name":"w","resourceVersion":"5"},"spec":{"size":[1,2]})";
  http_.AnswerNext({{200,
                     {},
                     R"({"kind":"WidgetList","apiVersion":"example.com/v1",)"
                     R"("metadata":{"resourceVersion":"9"},"items":[{)" +
                         item + "}]}"}});
  const auto list = connection.List({"example.com", "v1", "widgets", "ns"}, {});
  ASSERT_TRUE(list.ok()) << list.error().message();
  EXPECT_EQ(list->metadata.resourceVersion, "9");
  ASSERT_EQ(list->items.size(), 1U);
  const SharedObject widget = list->items[0];
  ASSERT_TRUE(widget.meta());
  EXPECT_EQ(widget.meta()->name, "w");
  EXPECT_EQ(KeyOf(widget), "w");
  EXPECT_FALSE(widget.As<core::Pod>());
  // It goes back as it came, and says what it is; also once the connection is gone.
  (void)connection.Update({"example.com", "v1", "widgets", "ns", "w"}, widget.view(), {});
  connection_.reset();
  std::string json;
  ASSERT_TRUE(reflect::EncodeJson(widget.type(), widget.get(), &json).ok());
  EXPECT_THAT(json, HasSubstr(R"("kind":"Widget","apiVersion":"example.com/v1")"));
  EXPECT_THAT(json, HasSubstr(R"("spec":{"size":[1,2]})"));
}

// Informers look at the metadata of whatever comes.
TEST_F(HttpConnectionTest, RefusesListsOfWhatHasNoMetadata) {
  HttpConnection& connection = Connect();
  http_.AnswerNext({{200,
                     {},
                     R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)"
                     R"({"kind":"Status","apiVersion":"v1","status":"Success"}]})"}});
  const auto list = connection.List({"", "v1", "pods", "ns"}, {});
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().code(), Code::kInvalidArgument);
}

TEST_F(HttpConnectionTest, TellsWarnings) {
  HttpConnection& connection = Connect();
  http_.AnswerNext({{200,
                     {{"Warning", R"(299 - "old \"thing\"")"}, {"Warning", "299 - \"two\""}},
                     R"({"kind":"Status","apiVersion":"v1","status":"Success"})"}});
  ASSERT_TRUE(connection.Get({"", "v1", "pods", "ns", "x"}, {}).ok());
  EXPECT_THAT(warnings_, ElementsAre("old \"thing\"", "two"));
}

TEST_F(HttpConnectionTest, AsksAgainWhenAskedTo) {
  HttpConnection& connection = Connect();
  const FakeHttp::Answer busy{429, {{"Retry-After", "0"}}, "{}"};
  http_.AnswerNext({busy, {503, {{"Retry-After", "0"}}, ""}, {200, {}, "fine"}});
  const auto answer = connection.GetRaw("/version");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(*answer, "fine");
  EXPECT_EQ(http_.TakeRequests().size(), 3U);
  // Not for ever; and not without being asked to.
  http_.AnswerNext(std::vector<FakeHttp::Answer>(20, busy));
  EXPECT_EQ(connection.GetRaw("/version").error().code(), Code::kUnavailable);
  EXPECT_EQ(http_.TakeRequests().size(), 11U);
  http_.AnswerNext({{503, {}, ""}});
  EXPECT_EQ(connection.GetRaw("/version").error().code(), Code::kUnavailable);
  EXPECT_EQ(http_.TakeRequests().size(), 1U);
}

class CountingCredentials : public Credentials {
 public:
  Result<Login> Current() override {
    return Login{.authorization = "Bearer " + std::to_string(number_)};
  }
  bool Renew(const Login& used) override {
    if (used.authorization == "Bearer 2") return false;
    ++number_;
    return true;
  }

 private:
  int number_ = 1;
};

TEST_F(HttpConnectionTest, TriesNewerCredentials) {
  ServerAddress address;
  address.credentials = std::make_shared<CountingCredentials>();
  address.headers.Add("Impersonate-User", "other");
  HttpConnection& connection = Connect(std::move(address));
  http_.AnswerNext({{401, {}, ""}});
  ASSERT_TRUE(connection.GetRaw("/version").ok());
  EXPECT_EQ(http_.headers().Get("Authorization"), "Bearer 2");
  EXPECT_EQ(http_.headers().Get("Impersonate-User"), "other");
  EXPECT_EQ(http_.TakeRequests().size(), 2U);
  http_.AnswerNext({{401, {}, ""}});
  EXPECT_EQ(connection.GetRaw("/version").error().code(), Code::kUnauthenticated);
  EXPECT_EQ(http_.TakeRequests().size(), 1U);
}

TEST_F(HttpConnectionTest, StopsWatchesAndCalls) {
  HttpConnection& connection = Connect();
  WatchReader watch(connection, {"", "v1", "pods"}, {});
  ASSERT_TRUE(watch.started().ok());
  EXPECT_TRUE(watch.Silent(std::chrono::milliseconds(20)));
  http_.AnswerNext({{429, {{"Retry-After", "60"}}, ""}});
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    connection.Stop();
  });
  EXPECT_EQ(connection.GetRaw("/version").error().code(), Code::kCancelled);
  stopper.join();
  EXPECT_EQ(watch.Next().error().code(), Code::kCancelled);
  EXPECT_EQ(connection.GetRaw("/version").error().code(), Code::kCancelled);
}

TEST_F(HttpConnectionTest, RefusesWhatIsNoEvent) {
  HttpConnection& connection = Connect();
  const std::string good = R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1"}})";
  const auto watched = [&](const std::string& body) {
    http_.AnswerNext({{200, {}, body}});
    WatchReader watch(connection, {"", "v1", "pods"}, {});
    std::string seen;
    while (true) {
      const auto event = watch.Next();
      if (!event.ok()) return seen + event.error().message();
      seen += "+";
    }
  };
  EXPECT_EQ(watched(good + "\n\n" + good), "++the watch ended");
  EXPECT_EQ(watched(""), "the watch ended");
  // What came before it is not lost.
  EXPECT_THAT(watched(good + "\n{\"type\":\"ADDED\",\"obj"), StartsWith("+"));
  EXPECT_THAT(
      watched(good + "\n{\"type\":\"ODD\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}}"),
      HasSubstr("unknown watch event type"));
  EXPECT_THAT(watched("<html>"), HasSubstr("not a JSON value"));
  EXPECT_THAT(watched("{\"type\":\"ADDED\",\"object\":{\"kind\":\"\"}}"),
              HasSubstr("without apiVersion and kind"));
  EXPECT_EQ(watched(R"({"type":"ERROR","object":{"kind":"Status","status":"Failure",)"
                    R"("reason":"Expired","code":410,"message":"too old"}})"),
            "too old");
}

TEST_F(HttpConnectionTest, FeedsInformers) {
  HttpConnection& connection = Connect();
  SystemClock clock;
  ThreadExecutor executor;
  std::atomic<int> added = 0;
  {
    Informer informer(connection, {"", "v1", "configmaps"},
                      {.executor = &executor, .clock = &clock});
    informer.AddHandler({.on_add = [&](const SharedObject&, bool) { ++added; }});
    informer.Start();
    for (int i = 0; i < 100; ++i) {
      core::ConfigMap map;
      map.metadata.name = "m" + std::to_string(i);
      map.metadata.namespace_ = "ns";
      ASSERT_TRUE(server_.Create({"", "v1", "configmaps", "ns"}, map, {}).ok());
      if (i == 50) server_.EndWatches();
    }
    for (int i = 0; i < 1000 && added < 100; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(informer.size(), 100U);
  }
  EXPECT_EQ(added, 100);
}

}  // namespace
}  // namespace podium::client
