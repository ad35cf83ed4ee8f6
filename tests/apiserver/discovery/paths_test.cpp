#include "apiserver/discovery/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/status.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "base/clock.h"
#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

class PathsTest : public testing::Test {
 protected:
  Answer Ask(const std::string& target, const std::string& method = "GET") {
    auto answer = paths_.Serve(MakeCall(target, {}, method), catalog_);
    if (answer.ok()) return *std::move(answer);
    return Answer{.status = api::StatusOf(answer.error()).code};
  }

  TestStore store_;
  SystemClock clock_;
  const CatalogPtr catalog_ = Catalog::Make({});
  const Discovery discovery_{"127.0.0.1:6443", clock_, store_.executor};
  const Health health_{{}};
  const Metrics metrics_;
  const Paths paths_{{.discovery = &discovery_,
                      .health = &health_,
                      .metrics = &metrics_,
                      .store = &store_.memory,
                      .documents = {{.path = "/openid/v1/jwks",
                                     .content_type = "application/jwk-set+json",
                                     .cache_control = "public, max-age=3600",
                                     .body = "{}"}}}};
};

TEST_F(PathsTest, TheListOfThem) {
  const Answer answer = Ask("/");
  EXPECT_EQ(answer.status, 200);
  const auto list = reflect::ParseJson(answer.body);
  ASSERT_TRUE(list.ok());
  std::vector<std::string> paths;
  for (const auto& path : list->Find("paths")->array()) paths.push_back(path.string());
  EXPECT_TRUE(std::ranges::is_sorted(paths));
  for (const std::string path :
       {"/api/v1", "/apis/apps", "/apis/apps/v1", "/readyz/ping", "/openid/v1/jwks", "/version"}) {
    EXPECT_EQ(std::ranges::count(paths, path), 1) << path;
  }
  // What it names is there.
  for (const std::string& path : paths) EXPECT_EQ(Ask(path).status, 200) << path;
  const Answer none = Ask("/none");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, answer.body);
}

TEST_F(PathsTest, EachByItsOwn) {
  EXPECT_EQ(Ask("/livez").body, "ok");
  EXPECT_TRUE(Ask("/metrics").body.starts_with("# HELP apiserver_request_total "));
  const Answer keys = Ask("/openid/v1/jwks");
  EXPECT_EQ(keys.body, "{}");
  EXPECT_EQ(keys.headers.Get("Cache-Control"), "public, max-age=3600");
  EXPECT_EQ(Ask("/apis/none").status, 404);
  EXPECT_EQ(Ask("/api", "POST").status, 405);
  EXPECT_EQ(Ask("/metrics", "POST").status, 404);
  EXPECT_TRUE(Paths::TakesLong("/openapi/v2"));
  EXPECT_FALSE(Paths::TakesLong("/api"));
}

}  // namespace
}  // namespace podium::apiserver
