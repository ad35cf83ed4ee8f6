#include "node/prober.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using namespace std::chrono_literals;

class ProberTest : public ::testing::Test {
 protected:
  ProberTest() {
    node_.network.http = [this](const HttpCall& call) -> Result<NetworkProbes::Reply> {
      calls_.push_back(call.path + "@" + std::to_string(Milliseconds()));
      return NetworkProbes::Reply{.status = status_, .body = "body"};
    };
  }
  ~ProberTest() override { prober_->Stop(); }

  int64_t Milliseconds() const { return (node_.time.Now() - begin_) / 1'000'000; }
  void Sync(const std::string& spec) {
    pod_ = std::make_shared<const v1::Pod>(PodOf(spec));
    ObservedPod observed;
    observed.sandboxes.push_back(SandboxOf("s", true));
    for (const v1::Container& container : pod_->spec.containers) {
      observed.containers.push_back(ContainerOf(*pod_, container.name, "running"));
      observed.containers.back().id = "id of " + container.name;
      observed.containers.back().started_at = started_at_;
    }
    prober_->Sync(pod_, observed);
    node_.time.Settle();
  }

  FakeNode node_;
  int changes_ = 0;
  int status_ = 200;
  const int64_t begin_ = node_.time.Now();
  int64_t started_at_ = begin_;
  std::vector<std::string> calls_;
  std::shared_ptr<const v1::Pod> pod_;
  std::shared_ptr<Prober> prober_ =
      std::make_shared<Prober>(Prober::Services{node_.time, node_.wheel, node_.commands,
                                                node_.network, node_.events, node_.metrics.probes},
                               [this] { ++changes_; });
};

TEST_F(ProberTest, APeriodAfterTheOther) {
  Sync(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}, periodSeconds: 3, "
      "initialDelaySeconds: 2}}]");
  node_.time.RunFor(9s);
  EXPECT_THAT(calls_, ElementsAre("/r@2000", "/r@5000", "/r@8000"));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(node_.network.calls[0].headers,
            (std::vector<std::pair<std::string, std::string>>{{"User-Agent", "kube-probe/1.36"},
                                                              {"Accept", "*/*"}}));
}

// While a probe waits for its answer no other is sent. Of the times that were missed one is made up
// for at once, as with Go's tickers, and then it is in step again.
TEST_F(ProberTest, AnAnswerThatComesLate) {
  class Late : public FakeNetworkProbes {
   public:
    std::vector<Done<Reply>> waiting;
    void HttpGet(HttpCall /*call*/, Done<Reply> done) override {
      waiting.push_back(std::move(done));
    }
  } late;
  prober_ = std::make_shared<Prober>(Prober::Services{node_.time, node_.wheel, node_.commands, late,
                                                      node_.events, node_.metrics.probes},
                                     [this] { ++changes_; });
  Sync(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}, periodSeconds: 2}}]");
  node_.time.RunFor(7s);
  ASSERT_EQ(late.waiting.size(), 1u);
  late.waiting[0](NetworkProbes::Reply{.status = 200, .body = ""});
  EXPECT_EQ(changes_, 1);
  node_.time.Settle();
  ASSERT_EQ(late.waiting.size(), 2u);
  late.waiting[1](NetworkProbes::Reply{.status = 200, .body = ""});
  node_.time.RunFor(900ms);
  EXPECT_EQ(late.waiting.size(), 2u);
  node_.time.RunFor(200ms);
  ASSERT_EQ(late.waiting.size(), 3u);
  prober_->Stop();
  late.waiting[2](NetworkProbes::Reply{.status = 500, .body = ""});
  EXPECT_THAT(node_.Events(), IsEmpty());
  EXPECT_EQ(changes_, 1);
}

TEST_F(ProberTest, ReadinessIsAskedForOnceAContainerHasStarted) {
  status_ = 500;
  Sync(
      "containers: [{name: a, startupProbe: {httpGet: {path: /s, port: 80}, periodSeconds: 1, "
      "failureThreshold: 100}, readinessProbe: {httpGet: {path: /r, port: 80}, periodSeconds: 60}, "
      "livenessProbe: {httpGet: {path: /l, port: 80}, periodSeconds: 60}}]");
  node_.time.RunFor(2500ms);
  status_ = 200;
  node_.time.RunFor(1s);
  EXPECT_THAT(calls_, ElementsAre("/s@0", "/s@1000", "/s@2000", "/s@3000", "/r@3000"));
}

// A container that is started again goes on with the same numbers.
TEST_F(ProberTest, ResultsAreCounted) {
  const std::string spec =
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}, periodSeconds: 1}}]";
  const auto readiness = [&] {
    std::string seen;
    for (const auto& counts : node_.metrics.probes.All()) {
      seen += counts->labels().container + " " + counts->labels().type + " " +
              std::to_string(counts->successful.value()) + " " +
              std::to_string(counts->failed.value()) + "\n";
    }
    return seen;
  };
  Sync(spec);
  EXPECT_EQ(readiness(), "a Readiness 1 0\n");
  status_ = 500;
  node_.time.RunFor(2s);
  EXPECT_EQ(readiness(), "a Readiness 1 2\n");
  ObservedPod none;
  prober_->Sync(pod_, none);
  Sync(spec);
  EXPECT_EQ(readiness(), "a Readiness 1 3\n");
  prober_->Stop();
  EXPECT_EQ(readiness(), "");
}

TEST_F(ProberTest, WhatEndsIsNotRestarted) {
  Sync(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}, periodSeconds: 1}, "
      "livenessProbe: {httpGet: {path: /l, port: 80}, periodSeconds: 1}}]");
  EXPECT_THAT(calls_, ElementsAre("/l@0", "/r@0"));
  prober_->StopLivenessAndStartup();
  node_.time.RunFor(2s);
  EXPECT_THAT(calls_, ElementsAre("/l@0", "/r@0", "/r@1000", "/r@2000"));
}

TEST_F(ProberTest, ARedirectElsewhereIsAWarning) {
  status_ = 302;
  Sync("containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}}}]");
  EXPECT_TRUE(prober_->Ready(pod_->spec.containers[0], "id of a"));
  EXPECT_THAT(node_.Events(),
              ElementsAre("ProbeWarning: Readiness probe warning: Probe terminated redirects, "
                          "Response body: body"));
}

// An agent that comes back finds all containers at once, and asks them one after the other.
TEST_F(ProberTest, AfterARestartProbesAreSpread) {
  started_at_ = begin_ - 3'600'000'000'000;
  std::string spec = "containers: [";
  for (int i = 0; i < 100; ++i) {
    spec += "{name: c" + std::to_string(i) +
            ", livenessProbe: {tcpSocket: {port: 1}}, readinessProbe: {httpGet: {path: /r, port: "
            "80}, periodSeconds: 10}},";
  }
  Sync(spec + "]");
  EXPECT_THAT(calls_.size(), Le(5u));
  node_.time.RunFor(5s);
  EXPECT_THAT(calls_.size(), AllOf(Ge(25u), Le(75u)));
  node_.time.RunFor(5s);
  EXPECT_EQ(calls_.size(), 100u);
}

// Its own containers, and those of an agent that is older than the period, are asked at once.
TEST_F(ProberTest, NewContainersAreNotSpread) {
  Sync("containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}}}]");
  EXPECT_THAT(calls_, ElementsAre("/r@0"));
  node_.time.RunFor(60s);
  calls_.clear();
  started_at_ = begin_ - 1'000'000'000;
  Sync(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}}}, {name: b, "
      "readinessProbe: {httpGet: {path: /b, port: 80}}}]");
  EXPECT_THAT(calls_, ElementsAre("/b@60000"));
}

TEST_F(ProberTest, NothingIsLeftOfContainersThatAreGone) {
  Sync("containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80}}}]");
  EXPECT_EQ(node_.wheel.size(), 1u);
  Sync("containers: [{name: b}]");
  EXPECT_EQ(node_.wheel.size(), 0u);
}

TEST_F(ProberTest, HeadersThatAreGiven) {
  Sync(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /r, port: 80, httpHeaders: [{name: "
      "user-agent, value: mine}, {name: Accept, value: ''}]}}}]");
  EXPECT_EQ(node_.network.calls[0].headers,
            (std::vector<std::pair<std::string, std::string>>{{"user-agent", "mine"}}));
}

}  // namespace
}  // namespace podium::node
