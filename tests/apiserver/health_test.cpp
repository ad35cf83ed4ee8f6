#include "apiserver/health.h"

#include <gtest/gtest.h>

#include <string>

#include "apiserver/read_support.h"

namespace podium::apiserver {
namespace {

class HealthTest : public testing::Test {
 protected:
  Answer Get(const std::string& target) {
    auto answer = health_.Serve(*MakeCall(target));
    return answer ? *std::move(answer) : Answer{.status = 404};
  }

  bool broken_ = false;
  const Health health_{{{.name = "etcd",
                         .run = [this]() -> Result<void> {
                           if (broken_) return Error(Code::kUnavailable, "the disk is full");
                           return {};
                         }},
                        {.name = "shutdown", .run = [] { return Result<void>(); }, .live = false}}};
};

TEST_F(HealthTest, AllIsWell) {
  for (const std::string path : {"/healthz", "/livez", "/readyz"}) {
    const Answer answer = Get(path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(answer.headers.Get("Content-Type"), "text/plain; charset=utf-8");
  }
  EXPECT_EQ(Get("/readyz?verbose").body,
            "[+]ping ok\n[+]etcd ok\n[+]shutdown ok\nreadyz check passed\n");
  EXPECT_EQ(Get("/livez?verbose=").body, "[+]ping ok\n[+]etcd ok\nlivez check passed\n");
  EXPECT_EQ(Get("/livez/etcd").body, "ok");
  EXPECT_EQ(Get("/livez/shutdown").status, 404);
  EXPECT_EQ(Get("/readyz/none").status, 404);
  EXPECT_EQ(Get("/livezx").status, 404);
}

TEST_F(HealthTest, WhatFailsIsNamedAndNotExplained) {
  broken_ = true;
  const Answer answer = Get("/readyz");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body,
            "[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n");
  EXPECT_EQ(Get("/readyz/etcd").status, 500);
  EXPECT_EQ(Get("/readyz/etcd").body, "internal server error: the disk is full\n");
  EXPECT_EQ(Get("/readyz?exclude=etcd").body, "ok");
  EXPECT_EQ(Get("/livez?verbose&exclude=etcd&exclude=b&exclude=a").body,
            "[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no "
            "matches for \"a\",\"b\"\nlivez check passed\n");
}

TEST_F(HealthTest, ItsPaths) {
  const std::vector<std::string> paths = health_.Paths();
  EXPECT_EQ(paths, (std::vector<std::string>{"/healthz", "/healthz/ping", "/healthz/etcd",
                                             "/healthz/shutdown", "/livez", "/livez/ping",
                                             "/livez/etcd", "/readyz", "/readyz/ping",
                                             "/readyz/etcd", "/readyz/shutdown"}));
}

}  // namespace
}  // namespace podium::apiserver
