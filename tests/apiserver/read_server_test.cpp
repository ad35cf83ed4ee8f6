// Lists and watches through the HTTP server, whose loop pulls them.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/read.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "apiserver/watch.h"
#include "base/clock.h"
#include "http/client.h"
#include "http/server.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::ConfigMapList;

class ReadServerTest : public testing::Test {
 protected:
  ReadServerTest() {
    auto listener = http::Listener::Tcp("127.0.0.1", 0);
    EXPECT_TRUE(listener.ok());
    root_ = "http://127.0.0.1:" + std::to_string(listener->port());
    http::ServerOptions options;
    options.treatment = [](const http::RequestHead& head) {
      return http::Treatment{.on_loop = true,
                             .long_running = head.target.find("watch=") != std::string::npos};
    };
    server_ = *http::Server::Start(
        *std::move(listener), std::move(options),
        [this](const std::shared_ptr<http::Exchange>& exchange) { Answer(*exchange); });
    client_ = std::make_unique<http::Client>(*http::Client::Create({}));
  }
  ~ReadServerTest() override { server_->Stop(std::chrono::milliseconds(0)); }

  void Answer(http::Exchange& exchange) {
    const http::ServerRequest& request = exchange.request();
    const CallPtr call =
        MakeCall(request.query.empty() ? request.path : request.path + "?" + request.query);
    const ServedResource& maps = *catalog_->Find("", "v1", "configmaps");
    apiserver::Answer answer = call->info.verb == "watch"
                                   ? AnswerWatch(call, room_, maps, catalog_)
                                   : AnswerList(call, store_.memory, maps, catalog_);
    if (answer.pulled == nullptr) {
      (void)exchange.Respond(answer.status, std::move(answer.headers), answer.body);
    } else {
      (void)exchange.RespondFrom(answer.status, std::move(answer.headers),
                                 std::move(answer.pulled));
    }
  }
  void PutMap(const std::string& name) {
    ConfigMap map;
    map.metadata.namespace_ = "a";
    map.metadata.name = name;
    store_.Put(map);
  }
  http::Response Open(const std::string& query) {
    auto response = client_->Send({.url = root_ + "/api/v1/namespaces/a/configmaps" + query});
    EXPECT_TRUE(response.ok());
    return *std::move(response);
  }
  // Up to the end of a line; "" at the end.
  static std::string ReadLine(http::Response& response) {
    std::string line;
    std::array<char, 1> byte{};
    while (!line.ends_with('\n')) {
      const auto size = response.Read(byte);
      EXPECT_TRUE(size.ok()) << size.error().message();
      if (!size.ok() || *size == 0) break;
      line.push_back(byte[0]);
    }
    return line;
  }

  TestStore store_;
  SystemClock clock_;
  const CatalogPtr catalog_ = Catalog::Make({});
  const WatchRoom room_{.store = store_.memory, .clock = clock_, .executor = store_.executor};
  std::string root_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(ReadServerTest, ALargeListComesWhole) {
  for (int i = 0; i < 2000; ++i) PutMap("map-" + std::to_string(i));
  for (const std::string query : {"", "?limit=1500&labelSelector=!app", "?pretty=true"}) {
    http::Response response = Open(query);
    const auto body = response.ReadAll(size_t{8} << 20);
    ASSERT_TRUE(body.ok()) << body.error().message();
    const auto list = reflect::FromJson<ConfigMapList>(*body);
    ASSERT_TRUE(list.ok()) << query;
    EXPECT_EQ(list->items.size(), query.starts_with("?limit") ? 1500U : 2000U);
  }
}

TEST_F(ReadServerTest, WatchersAreWokenAndEndInOrder) {
  PutMap("first");
  std::vector<http::Response> watchers;
  for (int i = 0; i < 20; ++i) watchers.push_back(Open("?watch=1"));
  for (http::Response& watcher : watchers) {
    EXPECT_NE(ReadLine(watcher).find(R"("type":"ADDED")"), std::string::npos);
  }
  for (int i = 0; i < 50; ++i) PutMap("first");
  store_.Remove<ConfigMap>("a", "first");
  for (http::Response& watcher : watchers) {
    for (int i = 0; i < 50; ++i) {
      const std::string line = ReadLine(watcher);
      EXPECT_NE(line.find(R"("type":"MODIFIED")"), std::string::npos) << line;
      EXPECT_NE(line.find(R"("resourceVersion":")" + std::to_string(i + 2) + '"'),
                std::string::npos)
          << line;
    }
    EXPECT_NE(ReadLine(watcher).find(R"("type":"DELETED")"), std::string::npos);
  }
  // A server that stops ends them as whole answers.
  server_->Stop(std::chrono::seconds(5));
  for (http::Response& watcher : watchers) EXPECT_EQ(ReadLine(watcher), "");
}

TEST_F(ReadServerTest, AWatchEndsAtItsTimeByItself) {
  http::Response watcher = Open("?watch=1&timeoutSeconds=1&allowWatchBookmarks=true");
  EXPECT_EQ(ReadLine(watcher), "");
}

}  // namespace
}  // namespace podium::apiserver
