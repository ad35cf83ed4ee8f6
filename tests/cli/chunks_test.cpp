// --chunk-size of get, describe and events, by what a server is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/agent_case.h"

namespace podium::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDiscovery =
    R"({"kind":"APIResourceList","groupVersion":"v1","resources":[)"
    R"({"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list"]},)"
    R"({"name":"events","namespaced":true,"kind":"Event","verbs":["get","list"]}]})";

std::string PodsOf(const std::string& name, const std::string& more) {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"continue":")" + more +
         R"("},"items":[{"metadata":{"name":")" + name + R"(","namespace":"default"}}]})";
}

class ChunksTest : public AgentCase {
 protected:
  void SetUp() override {
    AgentCase::SetUp();
    Serve([](const std::string& request, const ExchangePtr& exchange) {
      const std::string path = request.substr(4, request.find('?') - 4);
      if (path == "/api") return Json(exchange, R"({"kind":"APIVersions","versions":["v1"]})");
      if (path == "/apis") return Json(exchange, R"({"kind":"APIGroupList","groups":[]})");
      if (path == "/api/v1") return Json(exchange, kDiscovery);
      if (path.ends_with("/pods")) {
        const bool second = request.find("continue=next") != request.npos;
        return Json(exchange, second ? PodsOf("b", "") : PodsOf("a", "next"));
      }
      Json(exchange, R"({"kind":"EventList","apiVersion":"v1","metadata":{},"items":[]})");
    });
  }

  // What was asked of lists.
  std::vector<std::string> Lists(std::vector<const char*> arguments) {
    arguments.push_back("--node");
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.status, kOk) << outcome.err;
    std::vector<std::string> lists = Requests();
    std::erase_if(lists, [](const std::string& request) {
      return request.find("/namespaces/") == request.npos;
    });
    return lists;
  }
};

TEST_F(ChunksTest, Get) {
  const std::string pods = "GET /api/v1/namespaces/default/pods";
  EXPECT_THAT(Lists({"get", "pods"}),
              ElementsAre(pods + "?limit=500", pods + "?continue=next&limit=500"));
  EXPECT_THAT(Lists({"get", "pods", "--chunk-size=7"}),
              ElementsAre(pods + "?limit=7", pods + "?continue=next&limit=7"));
  EXPECT_THAT(Lists({"get", "pods", "--chunk-size=0"}), ElementsAre(pods, pods + "?continue=next"));
}

TEST_F(ChunksTest, DescribeAndWhatIsAround) {
  const auto all = Lists({"describe", "pods", "--chunk-size=7"});
  ASSERT_EQ(all.size(), 4U) << ::testing::PrintToString(all);
  for (const std::string& request : all) EXPECT_THAT(request, HasSubstr("limit=7")) << request;
  for (const std::string& request : Lists({"describe", "pods", "--chunk-size=0"})) {
    EXPECT_THAT(request, Not(HasSubstr("limit="))) << request;
  }
}

TEST_F(ChunksTest, Events) {
  const std::string events = "GET /api/v1/namespaces/default/events";
  EXPECT_THAT(Lists({"events"}), ElementsAre(events + "?limit=500"));
  EXPECT_THAT(Lists({"events", "--chunk-size", "3"}), ElementsAre(events + "?limit=3"));
  EXPECT_THAT(Lists({"events", "--chunk-size=0"}), ElementsAre(events));
}

TEST_F(ChunksTest, WhatIsNoNumber) {
  for (const char* command : {"get", "describe", "events"}) {
    std::vector<const char*> arguments = {command};
    if (std::string_view(command) != "events") arguments.push_back("pods");
    arguments.insert(arguments.end(), {"--node", "--chunk-size=x"});
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.status, kFailed) << command;
    EXPECT_THAT(outcome.err, HasSubstr("strconv.ParseInt: parsing \"x\": invalid syntax"));
  }
}

}  // namespace
}  // namespace podium::cli
