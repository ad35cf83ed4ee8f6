#include "node/pod_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "node/fake_services.h"
#include "node/pod_conditions.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

std::string Show(const v1::PodStatus& status) {
  std::string out = status.phase;
  for (const auto* list : {&status.initContainerStatuses, &status.containerStatuses,
                           &status.ephemeralContainerStatuses}) {
    for (const auto& container : *list) {
      out += " " + container.name + "=";
      if (container.state.running) out += container.ready ? "ready" : "running";
      if (container.state.waiting) out += container.state.waiting->reason;
      if (container.state.terminated) {
        out += container.state.terminated->reason + "(" +
               std::to_string(container.state.terminated->exitCode) + ")";
      }
      if (container.restartCount > 0) out += "#" + std::to_string(container.restartCount);
    }
  }
  return out;
}

// "False PodFailed": status and reason.
std::string ConditionOf(const v1::PodStatus& status, std::string_view type) {
  const v1::PodCondition* condition = FindCondition(status, type);
  return condition ? condition->status + " " + condition->reason : std::string("none");
}

class PodWorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    node_.runtime.SetEventHandler([this](const wire::cri::ContainerEventResponse&) {
      if (worker_) worker_->Wake();
    });
  }
  ~PodWorkerTest() override {
    if (worker_) worker_->Stop();
  }

  // The message of the first container that was told to wait for this reason.
  std::string Seen(std::string_view reason) const {
    for (const v1::PodStatus& status : statuses_) {
      for (const v1::ContainerStatus& container : status.containerStatuses) {
        const auto& waiting = container.state.waiting;
        if (waiting && waiting->reason == reason) return waiting->message;
      }
    }
    return "never";
  }

  void Start(const std::string& spec) { Start(PodOf(spec)); }
  void Start(v1::Pod pod) {
    pod_ = std::move(pod);
    gone_ = false;
    told_.clear();
    worker_ = PodWorker::Create(node_.services, pod_,
                                {.status =
                                     [this](const std::string&, const v1::PodStatus& status) {
                                       statuses_.push_back(status);
                                       const std::string text = Show(status);
                                       if (told_.empty() || told_.back() != text) {
                                         told_.push_back(text);
                                       }
                                     },
                                 .unmounted = [this](const std::string&) { ++unmounted_; },
                                 .gone = [this](const std::string&) { gone_ = true; }});
    node_.time.Settle();
  }
  // The agent is killed and started again.
  void Restart() {
    pod_.status = worker_->status();
    worker_->Stop();
    worker_.reset();
    Start(pod_);
  }
  void Delete(int64_t grace) {
    pod_.metadata.deletionTimestamp = api::Time::FromUnix((node_.time.Now() / kSecond) + grace);
    pod_.metadata.deletionGracePeriodSeconds = grace;
    worker_->Update(pod_);
    node_.time.Settle();
  }
  std::string Now() const { return Show(worker_->status()); }
  int64_t Seconds() const { return node_.time.Now() / kSecond; }
  std::vector<std::string> Calls(std::string_view method) const {
    std::vector<std::string> out;
    for (const std::string& call : node_.runtime.calls()) {
      if (call.starts_with(method)) out.push_back(call);
    }
    return out;
  }

  FakeNode node_;
  v1::Pod pod_;
  std::shared_ptr<PodWorker> worker_;
  std::vector<std::string> told_;
  std::vector<v1::PodStatus> statuses_;
  bool gone_ = false;
  int unmounted_ = 0;
};

TEST_F(PodWorkerTest, APodRuns) {
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Running a=ready");
  EXPECT_THAT(told_, ElementsAre("Pending a=ContainerCreating", "Running a=ready"));
  EXPECT_THAT(node_.Events(),
              ElementsAre("Pulling: Pulling image \"busybox:1\"",
                          "Pulled: Successfully pulled image \"busybox:1\" in 0s (0s including "
                          "waiting). Image size: 42 bytes.",
                          "Created: Container created", "Started: Container started"));
  EXPECT_EQ(worker_->status().podIP, "10.208.0.2");
  EXPECT_EQ(worker_->status().hostIP, "192.0.2.1");
  EXPECT_EQ(node_.volumes.set_up, 1);
}

TEST_F(PodWorkerTest, NothingIsDoneTwice) {
  Start("containers: [{name: a}, {name: b}]");
  const auto calls = node_.runtime.calls();
  node_.runtime.ClearCalls();
  for (int i = 0; i < 5; ++i) {
    worker_->Wake();
    node_.time.RunFor(60s);
  }
  for (const char* method :
       {"RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer"}) {
    EXPECT_THAT(Calls(method), IsEmpty());
  }
  EXPECT_EQ(told_.size(), 2u);
}

TEST_F(PodWorkerTest, AJobSucceeds) {
  node_.runtime.Script("a", {.exits_after = 3s});
  Start("restartPolicy: Never, containers: [{name: a}]");
  EXPECT_EQ(Now(), "Running a=ready");
  node_.time.RunFor(3s);
  EXPECT_EQ(Now(), "Succeeded a=Completed(0)");
  EXPECT_THAT(Calls("StopPodSandbox"), ElementsAre(StartsWith("StopPodSandbox")));
  EXPECT_THAT(node_.volumes.torn_down, ElementsAre("u"));
  EXPECT_EQ(unmounted_, 1);
  // For its logs.
  EXPECT_NE(node_.IdOf("a"), "");
  EXPECT_FALSE(gone_);
  Delete(30);
  EXPECT_TRUE(gone_);
  EXPECT_EQ(node_.IdOf("a"), "");
}

TEST_F(PodWorkerTest, AJobFails) {
  node_.runtime.Script("a", {.exits_after = 1s, .exit_code = 3});
  Start("restartPolicy: Never, containers: [{name: a}, {name: b}]");
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Running a=Error(3) b=ready");
  (void)node_.runtime.Exit(node_.IdOf("b"), 0);
  node_.time.Settle();
  EXPECT_EQ(Now(), "Failed a=Error(3) b=Completed(0)");
}

TEST_F(PodWorkerTest, OutOfMemory) {
  Start("restartPolicy: Never, containers: [{name: a}]");
  (void)node_.runtime.Exit(node_.IdOf("a"), 137, "OOMKilled");
  node_.time.Settle();
  EXPECT_EQ(Now(), "Failed a=OOMKilled(137)");
}

TEST_F(PodWorkerTest, ACrashLoopBacksOff) {
  node_.runtime.Script("a", {.exits_after = 1s, .exit_code = 1});
  Start("containers: [{name: a}]");
  const int64_t begin = Seconds();
  std::vector<int64_t> starts;
  size_t seen = Calls("StartContainer").size();
  starts.push_back(0);
  for (int i = 0; i < 20 * 150; ++i) {
    node_.time.RunFor(50ms);
    if (const size_t now = Calls("StartContainer").size(); now != seen) {
      seen = now;
      starts.push_back(Seconds() - begin);
    }
  }
  // At once, then 10, 20, 40 seconds after each exit.
  EXPECT_THAT(starts, ElementsAre(0, 1, 12, 33, 74));
  EXPECT_EQ(Now(), "Running a=CrashLoopBackOff#4");
  const auto status = worker_->status();
  EXPECT_EQ(status.containerStatuses[0].state.waiting->message,
            "back-off 1m20s restarting failed container=a pod=p_ns(u)");
  EXPECT_EQ(status.containerStatuses[0].lastState.terminated->exitCode, 1);
  EXPECT_THAT(node_.Events(),
              Contains("BackOff: Back-off restarting failed container a in pod p_ns(u) x4"));
}

TEST_F(PodWorkerTest, InitContainersOneByOne) {
  node_.runtime.Script("i", {.exits_after = 1s});
  node_.runtime.Script("j", {.exits_after = 1s});
  Start("initContainers: [{name: i}, {name: j}], containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending i=running j=PodInitializing a=PodInitializing");
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Pending i=Completed(0) j=running a=PodInitializing");
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Running i=Completed(0) j=Completed(0) a=ready");
}

TEST_F(PodWorkerTest, AnInitContainerThatFails) {
  node_.runtime.Script("i", {.exits_after = 1s, .exit_code = 1});
  Start("initContainers: [{name: i}], containers: [{name: a}]");
  node_.time.RunFor(3s);
  EXPECT_EQ(Now(), "Pending i=CrashLoopBackOff#1 a=PodInitializing");
  EXPECT_THAT(Calls("StartContainer a"), IsEmpty());
}

TEST_F(PodWorkerTest, AnInitContainerThatFailsForGood) {
  node_.runtime.Script("i", {.exits_after = 1s, .exit_code = 1});
  Start("restartPolicy: Never, initContainers: [{name: i}], containers: [{name: a}]");
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Failed i=Error(1) a=PodInitializing");
}

TEST_F(PodWorkerTest, ASidecarIsWaitedForAndStopsLast) {
  int probes = 0;
  node_.runtime.ScriptExec([&](const std::string&, const std::vector<std::string>&) {
    runtime::FakeRuntime::ExecResult result;
    result.exit_code = ++probes < 3 ? 1 : 0;
    result.stdout_text = "not yet";
    return result;
  });
  Start(
      "terminationGracePeriodSeconds: 5, initContainers: [{name: s, restartPolicy: Always, "
      "startupProbe: {exec: {command: [x]}, periodSeconds: 1}}, {name: t, restartPolicy: "
      "Always}], containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending s=running t=PodInitializing a=PodInitializing");
  node_.time.RunFor(1500ms);
  EXPECT_EQ(probes, 2);
  EXPECT_THAT(node_.Events(), Contains("Unhealthy: Startup probe failed: not yet x2"));
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Running s=ready t=ready a=ready");
  node_.time.RunFor(60s);
  EXPECT_EQ(probes, 3);

  node_.runtime.ClearCalls();
  Delete(5);
  node_.time.RunFor(1s);
  EXPECT_TRUE(gone_);
  EXPECT_THAT(Calls("StopContainer"),
              ElementsAre("StopContainer a", "StopContainer t", "StopContainer s"));
}

TEST_F(PodWorkerTest, ASidecarDoesNotKeepAJob) {
  node_.runtime.Script("a", {.exits_after = 1s});
  Start(
      "restartPolicy: Never, initContainers: [{name: s, restartPolicy: Always}], containers: "
      "[{name: a}]");
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Succeeded s=Completed(0) a=Completed(0)");
}

TEST_F(PodWorkerTest, ASidecarComesBack) {
  Start("initContainers: [{name: s, restartPolicy: Always}], containers: [{name: a}]");
  (void)node_.runtime.Exit(node_.IdOf("s"), 1);
  node_.time.Settle();
  EXPECT_EQ(Now(), "Running s=ready#1 a=ready");
}

TEST_F(PodWorkerTest, DeletionIsGraceful) {
  Start("containers: [{name: a}]");
  Delete(30);
  EXPECT_TRUE(gone_);
  EXPECT_THAT(node_.Events(), Contains("Killing: Stopping container a"));
  EXPECT_THAT(node_.volumes.torn_down, ElementsAre("u"));
  EXPECT_TRUE(node_.runtime.ListPodSandbox({})->empty());
}

TEST_F(PodWorkerTest, WhatDoesNotListenIsKilledAfterItsGrace) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Start("containers: [{name: a}]");
  const int64_t begin = Seconds();
  Delete(7);
  EXPECT_TRUE(gone_);
  EXPECT_EQ(Seconds() - begin, 7);
}

TEST_F(PodWorkerTest, DeletionWithoutGrace) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Start("containers: [{name: a, lifecycle: {preStop: {exec: {command: [bye]}}}}]");
  const int64_t begin = Seconds();
  Delete(0);
  EXPECT_TRUE(gone_);
  EXPECT_EQ(Seconds(), begin);
  EXPECT_THAT(Calls("ExecSync"), IsEmpty());
}

TEST_F(PodWorkerTest, APreStopHookRunsFirst) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>& command) {
    EXPECT_THAT(command, ElementsAre("bye"));
    return runtime::FakeRuntime::ExecResult{.takes = 2s};
  });
  Start("containers: [{name: a, lifecycle: {preStop: {exec: {command: [bye]}}}}]");
  const int64_t begin = Seconds();
  Delete(30);
  node_.time.Settle();
  EXPECT_TRUE(gone_);
  EXPECT_EQ(Seconds() - begin, 2);
  const auto calls = node_.runtime.calls();
  const auto exec = std::ranges::find(calls, "ExecSync a");
  EXPECT_LT(exec - calls.begin(), std::ranges::find(calls, "StopContainer a") - calls.begin());
}

TEST_F(PodWorkerTest, APreStopHookThatSleeps) {
  Start("containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 4}}}}]");
  const int64_t begin = Seconds();
  Delete(30);
  EXPECT_FALSE(gone_);
  node_.time.RunFor(3900ms);
  EXPECT_FALSE(gone_);
  node_.time.RunFor(200ms);
  EXPECT_TRUE(gone_);
  EXPECT_EQ(Seconds() - begin, 4);
}

TEST_F(PodWorkerTest, ASleepDoesNotOutlastTheGrace) {
  Start("containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 100}}}}]");
  Delete(5);
  node_.time.RunFor(4900ms);
  EXPECT_FALSE(gone_);
  node_.time.RunFor(200ms);
  EXPECT_TRUE(gone_);
}

TEST_F(PodWorkerTest, AShorterGraceCounts) {
  Start("containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 100}}}}]");
  Delete(200);
  node_.time.RunFor(1s);
  EXPECT_FALSE(gone_);
  Delete(0);
  node_.time.RunFor(100ms);
  EXPECT_TRUE(gone_);
}

TEST_F(PodWorkerTest, HooksOverHttp) {
  Start(
      "containers: [{name: a, ports: [{name: web, containerPort: 8080}], lifecycle: {postStart: "
      "{httpGet: {path: /up, port: web, httpHeaders: [{name: X, value: z}]}}, preStop: {httpGet: "
      "{path: /down, port: 8081, host: elsewhere, scheme: HTTPS}}}}]");
  ASSERT_EQ(node_.network.calls.size(), 1u);
  EXPECT_EQ(node_.network.calls[0].Url(), "http://10.208.0.2:8080/up");
  EXPECT_THAT(node_.network.calls[0].headers,
              ElementsAre(std::pair("X", "z"), std::pair("User-Agent", "kube-lifecycle/1.36"),
                          std::pair("Accept", "*/*")));
  Delete(30);
  ASSERT_EQ(node_.network.calls.size(), 2u);
  EXPECT_EQ(node_.network.calls[1].Url(), "https://elsewhere:8081/down");
}

TEST_F(PodWorkerTest, AHookOverHttpThatFails) {
  node_.network.http = [](const HttpCall& call) -> Result<NetworkProbes::Reply> {
    return Error(Code::kUnavailable, "Get \"" + call.Url() + "\": EOF");
  };
  Start("containers: [{name: a, lifecycle: {postStart: {httpGet: {path: /up, port: 80}}}}]");
  node_.time.RunFor(1s);
  EXPECT_EQ(Seen("PostStartHookError"),
            "HTTP lifecycle hook (/up) for Container \"a\" in Pod \"p_ns(u)\" failed - error: Get "
            "\"http://10.208.0.2:80/up\": EOF");
}

TEST_F(PodWorkerTest, AHookOfHttpsThatIsAnsweredInPlainHttp) {
  node_.network.http = [](const HttpCall& call) -> Result<NetworkProbes::Reply> {
    if (call.tls)
      return Error(Code::kUnsupported, "http: server gave HTTP response to HTTPS client");
    return NetworkProbes::Reply{.status = 500, .body = ""};
  };
  Start(
      "containers: [{name: a, lifecycle: {postStart: {httpGet: {path: /up, port: 8443, scheme: "
      "HTTPS, httpHeaders: [{name: Authorization, value: secret}, {name: X, value: z}]}}}}]");
  EXPECT_EQ(Now(), "Running a=ready");
  ASSERT_EQ(node_.network.calls.size(), 2u);
  EXPECT_EQ(node_.network.calls[1].Url(), "http://10.208.0.2:8443/up");
  EXPECT_FALSE(node_.network.calls[1].Has("Authorization"));
  EXPECT_TRUE(node_.network.calls[1].Has("X"));
  EXPECT_THAT(node_.Events(),
              Contains("LifecycleHTTPFallback: request to HTTPS lifecycle hook 10.208.0.2:8443 got "
                       "HTTP response, retry with HTTP succeeded"));
}

// Where plain HTTP does not help either, the first error is told.
TEST_F(PodWorkerTest, AHookOfHttpsThatNobodyAnswers) {
  node_.network.http = [](const HttpCall& call) -> Result<NetworkProbes::Reply> {
    if (call.tls) return Error(Code::kUnsupported, "the first error");
    return Error(Code::kUnavailable, "the second error");
  };
  Start(
      "containers: [{name: a, lifecycle: {postStart: {httpGet: {path: /up, port: 8443, scheme: "
      "HTTPS}}}}]");
  EXPECT_THAT(statuses_, Contains(testing::Truly([](const v1::PodStatus& status) {
                const auto& waiting = status.containerStatuses.at(0).state.waiting;
                return waiting && waiting->message ==
                                      "HTTP lifecycle hook (/up) for Container \"a\" in Pod "
                                      "\"p_ns(u)\" failed - error: the first error";
              })));
  EXPECT_THAT(node_.Events(), Not(Contains(StartsWith("LifecycleHTTPFallback"))));
}

// Its preStop hook still runs, and knows where the pod is.
TEST_F(PodWorkerTest, APostStartHookThatFailsBeforeAPreStopHook) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.exit_code = 1};
  });
  Start(
      "containers: [{name: a, lifecycle: {postStart: {exec: {command: [hi]}}, preStop: {httpGet: "
      "{path: /down, port: 80}}}}]");
  node_.time.RunFor(1s);
  ASSERT_GE(node_.network.calls.size(), 1u);
  EXPECT_EQ(node_.network.calls[0].Url(), "http://10.208.0.2:80/down");
}

TEST_F(PodWorkerTest, APostStartHookThatFails) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.stderr_text = "oh no", .exit_code = 2};
  });
  Start(
      "restartPolicy: Never, containers: [{name: a, lifecycle: {postStart: {exec: {command: [hi, "
      "there]}}}}]");
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Succeeded a=Completed(0)");
  EXPECT_THAT(node_.Events(), Contains("FailedPostStartHook: PostStartHook failed"));
  EXPECT_THAT(node_.Events(), Contains("Killing: FailedPostStartHook"));
}

TEST_F(PodWorkerTest, APostStartHookThatFailsShowsWhy) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.stderr_text = "oh no", .exit_code = 2};
  });
  Start("containers: [{name: a, lifecycle: {postStart: {exec: {command: [hi, there]}}}}]");
  node_.time.RunFor(3s);
  EXPECT_EQ(Now(), "Running a=CrashLoopBackOff#1");
  EXPECT_THAT(told_, Contains("Running a=PostStartHookError"));
}

// As upstream's worker, which shows nothing of the pod before the container is dead: it never is
// told to run, let alone to be ready.
TEST_F(PodWorkerTest, AContainerWhosePostStartHookFailedIsNeverReady) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.stdout_text = "\"out\"\n", .exit_code = 2};
  });
  Start(
      "terminationGracePeriodSeconds: 10, containers: [{name: a, lifecycle: {postStart: {exec: "
      "{command: [hi, there]}}}}]");
  node_.time.RunFor(1s);
  // The second has failed, too.
  EXPECT_THAT(told_, ElementsAre("Pending a=ContainerCreating", "Running a=PostStartHookError",
                                 "Running a=PostStartHookError#1", "Running a=CrashLoopBackOff#1"));
  EXPECT_EQ(
      Seen("PostStartHookError"),
      "Exec lifecycle hook ([hi there]) for Container \"a\" in Pod \"p_ns(u)\" failed - error: "
      "command 'hi there' exited with 2: , message: \"\\\"out\\\"\\n\"");
}

TEST_F(PodWorkerTest, HooksOverTcpFail) {
  Start(
      "containers: [{name: a, lifecycle: {postStart: {tcpSocket: {port: 80, host: h}}}}, {name: b, "
      "lifecycle: {preStop: {tcpSocket: {port: web}}}}]");
  node_.time.RunFor(1s);
  EXPECT_THAT(Now(), HasSubstr("a=CrashLoopBackOff"));
  EXPECT_EQ(Seen("PostStartHookError"),
            "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,TCPSocket:"
            "&TCPSocketAction{Port:{0 80 },Host:h,},Sleep:nil,}");
  Delete(30);
  node_.time.RunFor(1s);
  EXPECT_THAT(node_.Events(), Contains("FailedPreStopHook: PreStopHook failed"));
}

TEST_F(PodWorkerTest, TheDeadlinePasses) {
  Start("activeDeadlineSeconds: 10, containers: [{name: a}]");
  node_.time.RunFor(9s);
  EXPECT_EQ(Now(), "Running a=ready");
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Failed a=Completed(0)");
  EXPECT_EQ(worker_->status().reason, "DeadlineExceeded");
  EXPECT_THAT(node_.Events(),
              Contains("DeadlineExceeded: Pod was active on the node longer than the specified "
                       "deadline"));
}

// Upstream's: a pod is not told to have ended while anything of it runs; that it is not ready any
// more is told at once.
TEST_F(PodWorkerTest, TheDeadlineIsToldWhenTheContainersHaveEnded) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Start(
      "activeDeadlineSeconds: 10, terminationGracePeriodSeconds: 5, "
      "containers: [{name: a}]");
  node_.time.RunFor(20s);
  EXPECT_THAT(told_, ElementsAre("Pending a=ContainerCreating", "Running a=ready",
                                 "Running a=Error(137)", "Failed a=Error(137)"));
  const auto killing = std::ranges::find_if(statuses_, [](const v1::PodStatus& status) {
    return ConditionOf(status, "Ready") == "False PodFailed";
  });
  ASSERT_NE(killing, statuses_.end());
  EXPECT_EQ(Show(*killing), "Running a=ready");
  EXPECT_EQ(killing->reason + killing->message, "");
  EXPECT_EQ(ConditionOf(*killing, "ContainersReady"), "False PodFailed");
  EXPECT_EQ(Now(), "Failed a=Error(137)");
  EXPECT_EQ(worker_->status().reason, "DeadlineExceeded");
  EXPECT_EQ(worker_->status().message,
            "Pod was active on the node longer than the specified deadline");
}

TEST_F(PodWorkerTest, AnInitContainerThatFailsEndsItsSidecarFirst) {
  node_.runtime.Script("side", {.ignores_stop_signal = true});
  node_.runtime.Script("first", {.exits_after = 1s, .exit_code = 3});
  Start(
      "restartPolicy: Never, terminationGracePeriodSeconds: 5, initContainers: "
      "[{name: side, restartPolicy: Always}, {name: first}], containers: [{name: a}]");
  node_.time.RunFor(10s);
  EXPECT_THAT(told_, Contains(StartsWith("Pending side=ready first=Error(3)")));
  EXPECT_THAT(told_, Not(Contains(StartsWith("Failed side=ready"))));
  EXPECT_THAT(Now(), StartsWith("Failed side=Error(137) first=Error(3)"));
}

TEST_F(PodWorkerTest, APhaseWaitsForTheSandbox) {
  node_.runtime.Script("a", {.exits_after = 3s});
  Start("restartPolicy: Never, containers: [{name: a}]");
  node_.runtime.Fail("StopPodSandbox", Error(Code::kUnavailable, "busy"), 3);
  node_.time.RunFor(4s);
  EXPECT_EQ(Now(), "Running a=Completed(0)");
  EXPECT_EQ(ConditionOf(worker_->status(), "Ready"), "False PodCompleted");
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Succeeded a=Completed(0)");
}

TEST_F(PodWorkerTest, AnEviction) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Start("terminationGracePeriodSeconds: 600, containers: [{name: a}, {name: b}]");
  worker_->Evict({"Evicted", "Too much. "}, 1);
  const int64_t begin = Seconds();
  node_.time.Settle();
  EXPECT_LE(Seconds() - begin, 2);
  EXPECT_THAT(told_, Contains("Running a=Error(137) b=Completed(0)"));
  EXPECT_EQ(Now(), "Failed a=Error(137) b=Completed(0)");
  EXPECT_EQ(worker_->status().reason, "Evicted");
  EXPECT_EQ(worker_->status().message, "Too much. ");
  EXPECT_THAT(node_.volumes.torn_down, ElementsAre("u"));
  // It has ended; nothing more comes.
  worker_->Evict({"Evicted", "Once more. "}, 1);
  node_.time.RunFor(5s);
  EXPECT_EQ(worker_->status().message, "Too much. ");
}

TEST_F(PodWorkerTest, AnInfraThatEndsBetweenContainersWithPolicyNever) {
  node_.runtime.Script("a", {.exits_after = 1s});
  Start(
      "restartPolicy: Never, containers: [{name: a}, {name: b, env: [{name: A, valueFrom: "
      "{configMapKeyRef: {name: none, key: k}}}]}]");
  node_.time.RunFor(5s);
  EXPECT_THAT(Now(), StartsWith("Pending a=Completed(0) b="));
  ASSERT_TRUE(node_.runtime.KillInfra(node_.runtime.ListPodSandbox({})->front().id).ok());
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Failed a=Completed(0) b=ContainerStatusUnknown(137)");
  EXPECT_THAT(worker_->status().message, HasSubstr("before all of its containers had begun"));
  EXPECT_THAT(node_.volumes.torn_down, ElementsAre("u"));
}

// killPodNow of upstream's pod workers: one that was told to end has half as long again.
TEST_F(PodWorkerTest, AnEvictionThatTakesTooLong) {
  const auto late =
      "ExceededGracePeriod: Container runtime did not kill the pod within specified "
      "grace period.";
  const auto busy = [&] {
    node_.runtime.Fail("StopPodSandbox", Error(Code::kUnavailable, "busy"), 1'000'000);
  };
  Start("terminationGracePeriodSeconds: 600, containers: [{name: a}]");
  busy();
  worker_->Evict({"Evicted", "Too much. "}, 20);
  node_.time.RunFor(29s);
  EXPECT_THAT(node_.Events(), Not(Contains(late)));
  node_.time.RunFor(2s);
  EXPECT_THAT(node_.Events(), Contains(late).Times(1));
  node_.runtime.ClearFailures();
  node_.time.RunFor(60s);
  EXPECT_EQ(Now(), "Failed a=Completed(0)");
  EXPECT_THAT(node_.Events(), Contains(late).Times(1));
}

TEST_F(PodWorkerTest, AnEvictionHasTenSecondsAtLeast) {
  const auto late = StartsWith("ExceededGracePeriod: ");
  Start("containers: [{name: a}]");
  node_.runtime.Fail("StopPodSandbox", Error(Code::kUnavailable, "busy"), 1'000'000);
  worker_->Evict({"Evicted", "Too much. "}, 0);
  node_.time.RunFor(9s);
  EXPECT_THAT(node_.Events(), Not(Contains(late)));
  node_.time.RunFor(2s);
  EXPECT_THAT(node_.Events(), Contains(late));
}

TEST_F(PodWorkerTest, AnEvictionWithTheLongestGracePeriod) {
  Start("terminationGracePeriodSeconds: 9223372036854775807, containers: [{name: a}]");
  worker_->Evict({"Evicted", "Too much. "}, std::nullopt);
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Failed a=Completed(0)");
}

TEST_F(PodWorkerTest, AnEvictionInTimeIsNoEvent) {
  Start("terminationGracePeriodSeconds: 2, containers: [{name: a}]");
  worker_->Evict({"Evicted", "Too much. "}, std::nullopt);
  node_.time.RunFor(60s);
  EXPECT_EQ(Now(), "Failed a=Completed(0)");
  EXPECT_THAT(node_.Events(), Not(Contains(StartsWith("ExceededGracePeriod: "))));
}

TEST_F(PodWorkerTest, TheInfraDies) {
  Start("containers: [{name: a}]");
  (void)node_.runtime.KillInfra(node_.runtime.ListPodSandbox({})->front().id);
  node_.time.Settle();
  EXPECT_EQ(Now(), "Running a=ready#1");
  EXPECT_THAT(node_.Events(),
              Contains("SandboxChanged: Pod sandbox changed, it will be killed and re-created."));
  EXPECT_EQ(worker_->status().podIP, "10.208.0.3");
}

// The container's end is seen first, and it was to be made again in what is no more.
TEST_F(PodWorkerTest, TheInfraDiesWhileAContainerIsMade) {
  for (const bool started : {false, true}) {
    SCOPED_TRACE(started);
    Start("containers: [{name: a}]");
    bool armed = true;
    const auto kill = [&] {
      if (!std::exchange(armed, false)) return;
      (void)node_.runtime.KillInfra(node_.runtime.ListPodSandbox({})->front().id);
    };
    uint64_t version = 0;
    (void)node_.events.List("", &version);
    const uint64_t watch =
        *node_.events.Watch(version, [&](ChangeType /*change*/, const v1::Event& event) {
          if (started && event.reason == "Created") kill();
        });
    if (!started) node_.volumes.on_mounts = kill;
    (void)node_.runtime.Exit(node_.IdOf("a"), 137);
    node_.time.RunFor(1s);
    node_.events.Unwatch(watch);
    node_.volumes.on_mounts = nullptr;
    EXPECT_FALSE(armed);
    EXPECT_EQ(Now(), "Running a=ready#1");
    EXPECT_THAT(told_, Not(Contains(HasSubstr("ContainerError"))));
    EXPECT_THAT(node_.Events(), Not(Contains(HasSubstr("Failed"))));
    EXPECT_THAT(node_.Events(), Not(Contains(HasSubstr("BackOff"))));
    Delete(0);
    node_.time.RunFor(1s);
    EXPECT_TRUE(gone_);
    worker_->Stop();
  }
}

TEST_F(PodWorkerTest, TheInfraDiesAndThePodIsNotToRunAgain) {
  Start("restartPolicy: Never, containers: [{name: a}]");
  (void)node_.runtime.KillInfra(node_.runtime.ListPodSandbox({})->front().id);
  node_.time.Settle();
  EXPECT_EQ(Now(), "Failed a=Error(137)");
  EXPECT_THAT(Calls("RunPodSandbox").size(), 1u);
}

TEST_F(PodWorkerTest, TheInfraDiesAndThePodIsInitializedAnew) {
  node_.runtime.Script("i", {.exits_after = 1s});
  Start("initContainers: [{name: i}], containers: [{name: a}]");
  node_.time.RunFor(2s);
  (void)node_.runtime.KillInfra(node_.runtime.ListPodSandbox({})->front().id);
  node_.time.RunFor(100ms);
  EXPECT_THAT(Now(), HasSubstr("i=running#1"));
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Running i=Completed(0)#1 a=ready#1");
}

TEST_F(PodWorkerTest, ASandboxThatCannotBeMade) {
  node_.runtime.Fail("RunPodSandbox", Error(Code::kUnavailable, "no address is left"), 2);
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending a=ContainerCreating");
  EXPECT_THAT(node_.Events(),
              Contains("FailedCreatePodSandBox: Failed to create pod sandbox: no address is left"));
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, VolumesThatCannotBeMade) {
  node_.volumes.error = Error(
      Code::kNotFound, "MountVolume.SetUp failed for volume \"v\" : configmap \"c\" not found");
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending a=ContainerCreating");
  EXPECT_THAT(node_.Events(),
              ElementsAre("FailedMount: MountVolume.SetUp failed for volume \"v\" : configmap "
                          "\"c\" not found"));
  EXPECT_THAT(Calls("RunPodSandbox"), IsEmpty());
  node_.volumes.error.reset();
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, AnImageThatIsNowhere) {
  Start("containers: [{name: a, image: 'none:1'}]");
  EXPECT_EQ(Now(), "Pending a=ErrImagePull");
  EXPECT_EQ(worker_->status().containerStatuses[0].state.waiting->message, "no such image");
  EXPECT_THAT(node_.Events(), ElementsAre("Pulling: Pulling image \"none:1\"",
                                          "Failed: Failed to pull image \"none:1\": no such image",
                                          "Failed: Error: ErrImagePull"));
  worker_->Wake();
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Pending a=ImagePullBackOff");
  EXPECT_EQ(worker_->status().containerStatuses[0].state.waiting->message,
            "Back-off pulling image \"none:1\": ErrImagePull: no such image");
  EXPECT_EQ(node_.images.pulls, 1);
  node_.images.in_registry.insert("none:1");
  node_.time.RunFor(6s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, PullPolicies) {
  node_.images.present.insert("busybox:1");
  Start("containers: [{name: a, imagePullPolicy: IfNotPresent}]");
  EXPECT_EQ(node_.images.pulls, 0);
  EXPECT_THAT(node_.Events(), Contains("Pulled: Container image \"busybox:1\" already present on "
                                       "machine and can be accessed by the pod"));
  worker_->Stop();
  Start("containers: [{name: b, imagePullPolicy: Always}]");
  EXPECT_EQ(node_.images.pulls, 1);
  worker_->Stop();
  Start("containers: [{name: c, imagePullPolicy: Never, image: 'none:1'}]");
  EXPECT_EQ(node_.images.pulls, 1);
  EXPECT_THAT(Now(), HasSubstr("ErrImageNeverPull"));
  EXPECT_EQ(worker_->status().containerStatuses[0].state.waiting->message,
            "Container image \"none:1\" is not present with pull policy of Never");
}

TEST_F(PodWorkerTest, AnImageNameThatIsNone) {
  Start("containers: [{name: a, image: 'Not/AN image'}]");
  EXPECT_EQ(Now(), "Pending a=InvalidImageName");
  EXPECT_THAT(worker_->status().containerStatuses[0].state.waiting->message,
              StartsWith("Failed to apply default image tag \"Not/AN image\": couldn't parse image "
                         "name \"Not/AN image\": invalid reference format"));
}

TEST_F(PodWorkerTest, PullSecretsGoAlong) {
  node_.objects.AddSecret("s", {{".dockerconfigjson", "{}"}});
  Start("imagePullSecrets: [{name: s}, {name: missing}], containers: [{name: a}]");
  EXPECT_EQ(node_.images.secrets.size(), 1u);
  EXPECT_THAT(
      node_.Events(),
      Contains("FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets "
               "(missing); attempting to pull the image may not succeed."));
}

TEST_F(PodWorkerTest, WhatAContainerNeedsIsMissing) {
  Start("containers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]");
  EXPECT_EQ(Now(), "Pending a=CreateContainerConfigError");
  EXPECT_EQ(worker_->status().containerStatuses[0].state.waiting->message,
            "configmap \"c\" not found");
  EXPECT_THAT(node_.Events(), Contains("Failed: Error: configmap \"c\" not found"));
  node_.objects.AddConfigMap("c", {{"k", "v"}});
  worker_->Refresh();
  node_.time.Settle();
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, VolumesAreMadeAnewBeforeTheyAreTooOld) {
  node_.volumes.refresh_at = node_.time.Now() + (600 * kNanosPerSecond);
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Running a=ready");
  EXPECT_EQ(node_.volumes.set_up, 1);
  node_.time.RunFor(599s);
  EXPECT_EQ(node_.volumes.set_up, 1);
  // Tokens that the server does not give are asked for again.
  node_.volumes.error = Error(Code::kUnavailable, "MountVolume.SetUp failed: no token");
  node_.time.RunFor(2s);
  EXPECT_EQ(node_.volumes.set_up, 1);
  EXPECT_THAT(node_.Events(),
              Contains(HasSubstr("FailedMount: MountVolume.SetUp failed: no token")));
  node_.volumes.error.reset();
  node_.volumes.refresh_at.reset();
  node_.time.RunFor(10s);
  EXPECT_EQ(node_.volumes.set_up, 2);
  EXPECT_EQ(Now(), "Running a=ready");
}

// Labels and annotations are in files of the downward API, and in subPathExpr of what waits.
TEST_F(PodWorkerTest, NewLabelsAndAnnotationsReachVolumes) {
  Start("containers: [{name: a}]");
  EXPECT_EQ(node_.volumes.set_up, 1);
  pod_.metadata.labels["a"] = "1";
  worker_->Update(pod_);
  node_.time.Settle();
  EXPECT_EQ(node_.volumes.set_up, 2);
  pod_.metadata.annotations["a"] = "1";
  worker_->Update(pod_);
  node_.time.Settle();
  EXPECT_EQ(node_.volumes.set_up, 3);
  pod_.metadata.resourceVersion = "12";
  worker_->Update(pod_);
  node_.time.Settle();
  EXPECT_EQ(node_.volumes.set_up, 3);
}

// What was changed at the API server while no agent ran reaches containers as well.
TEST_F(PodWorkerTest, ANewAgentLooksAtVolumesOfRunningContainers) {
  Start("containers: [{name: a}]");
  EXPECT_EQ(node_.volumes.set_up, 1);
  Restart();
  EXPECT_EQ(node_.volumes.set_up, 2);
  node_.time.RunFor(1000s);
  EXPECT_EQ(node_.volumes.set_up, 2);
}

TEST_F(PodWorkerTest, ContainersHearOfServices) {
  v1::Service service;
  service.metadata.name = "db";
  service.spec.clusterIP = "10.96.0.7";
  service.spec.ports.emplace_back().port = 5432;
  node_.objects.services.push_back(std::make_shared<const v1::Service>(service));
  Start("containers: [{name: a, env: [{name: AT, value: $(DB_SERVICE_HOST)}]}]");
  EXPECT_EQ(Now(), "Running a=ready");
  const auto config = node_.runtime.ConfigOf(node_.IdOf("a"));
  ASSERT_TRUE(config.ok());
  std::map<std::string, std::string> variables;
  for (const auto& variable : config->envs) variables[variable.key] = variable.value.data;
  EXPECT_EQ(variables["AT"], "10.96.0.7");
  EXPECT_EQ(variables["DB_SERVICE_HOST"], "10.96.0.7");
  EXPECT_EQ(variables["DB_PORT"], "tcp://10.96.0.7:5432");
}

TEST_F(PodWorkerTest, WithoutKnowingTheServicesNoContainerIsMade) {
  node_.objects.unreachable = true;
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending a=CreateContainerConfigError");
  EXPECT_EQ(worker_->status().containerStatuses[0].state.waiting->message,
            "services have not yet been read at least once, cannot construct envvars");
}

TEST_F(PodWorkerTest, AContainerThatCannotBeCreated) {
  node_.runtime.Fail("CreateContainer", Error(Code::kInvalidArgument, "no such user"), 1);
  Start("containers: [{name: a}]");
  EXPECT_EQ(Now(), "Pending a=CreateContainerError");
  node_.time.RunFor(11s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, AProgramThatIsNotThere) {
  node_.runtime.Script("a", {.start_error = "exec: \"x\": executable file not found in $PATH"});
  Start("containers: [{name: a}]");
  node_.time.RunFor(1s);
  EXPECT_THAT(told_, Contains(HasSubstr("RunContainerError")));
  EXPECT_THAT(
      node_.Events(),
      Contains(HasSubstr("Failed: Error: exec: \"x\": executable file not found in $PATH")));
  EXPECT_THAT(Now(), HasSubstr("a=CrashLoopBackOff"));
}

TEST_F(PodWorkerTest, AContainerThatIsNotLiveIsStartedAgain) {
  bool live = true;
  node_.runtime.ScriptExec([&](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.stdout_text = "dead", .exit_code = live ? 0 : 1};
  });
  Start(
      "containers: [{name: a, livenessProbe: {exec: {command: [x]}, periodSeconds: 2, "
      "failureThreshold: 2}}]");
  node_.time.RunFor(10s);
  EXPECT_EQ(Now(), "Running a=ready");
  live = false;
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Running a=ready#1");
  EXPECT_THAT(node_.Events(), Contains(StartsWith("Unhealthy: Liveness probe failed: dead x")));
  EXPECT_THAT(node_.Events(),
              Contains("Killing: Container a failed liveness probe, will be restarted"));
}

// As upstream: a kill by a probe is no exit that is waited after, but the end before it is. So the
// first two restarts are at once, and then the waits double.
TEST_F(PodWorkerTest, AContainerThatIsNeverLiveBacksOff) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.exit_code = 1};
  });
  Start(
      "containers: [{name: a, livenessProbe: {exec: {command: [x]}, periodSeconds: 1, "
      "failureThreshold: 1, initialDelaySeconds: 3}}]");
  const int64_t begin = Seconds();
  std::vector<int64_t> starts;
  size_t seen = Calls("StartContainer").size();
  for (int i = 0; i < 400; ++i) {
    node_.time.RunFor(1s);
    if (Calls("StartContainer").size() == seen) continue;
    seen = Calls("StartContainer").size();
    starts.push_back(Seconds() - begin);
  }
  ASSERT_GE(starts.size(), 5u);
  std::vector<int64_t> waits;
  for (size_t i = 1; i < 5; ++i) waits.push_back(starts[i] - starts[i - 1]);
  // Each run lasts three seconds.
  EXPECT_THAT(starts[0], ::testing::AllOf(::testing::Ge(3), ::testing::Le(5)));
  EXPECT_THAT(waits[0], ::testing::AllOf(::testing::Ge(3), ::testing::Le(5)));
  EXPECT_THAT(waits[1], ::testing::AllOf(::testing::Ge(13), ::testing::Le(15)));
  EXPECT_THAT(waits[2], ::testing::AllOf(::testing::Ge(23), ::testing::Le(25)));
  EXPECT_THAT(waits[3], ::testing::AllOf(::testing::Ge(43), ::testing::Le(45)));
  EXPECT_THAT(told_, Contains(HasSubstr("a=CrashLoopBackOff")));
}

TEST_F(PodWorkerTest, AProbesOwnGracePeriod) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.exit_code = 1};
  });
  for (const char* kind : {"livenessProbe", "startupProbe"}) {
    node_.runtime.ClearCalls();
    Start("terminationGracePeriodSeconds: 60, containers: [{name: a, " + std::string(kind) +
          ": {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 1, "
          "terminationGracePeriodSeconds: 4, initialDelaySeconds: 1}}]");
    const int64_t begin = Seconds();
    for (int i = 0; i < 100 && Calls("StartContainer").size() < 2; ++i) node_.time.RunFor(500ms);
    EXPECT_LE(Seconds() - begin, 8) << kind;
    EXPECT_GE(Seconds() - begin, 5) << kind;
    Delete(0);
    node_.time.RunFor(1s);
    EXPECT_TRUE(gone_);
    pod_.metadata.deletionTimestamp.reset();
    worker_->Stop();
  }
}

TEST_F(PodWorkerTest, AContainerIsReadyWhenItsProbeSaysSo) {
  node_.network.http = [](const HttpCall&) -> Result<NetworkProbes::Reply> {
    return NetworkProbes::Reply{.status = 503, .body = ""};
  };
  Start(
      "containers: [{name: a, readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: "
      "1}}]");
  node_.time.RunFor(2500ms);
  EXPECT_EQ(Now(), "Running a=running");
  EXPECT_THAT(node_.Events(),
              Contains(HasSubstr("Unhealthy: Readiness probe failed: HTTP probe failed with "
                                 "statuscode: 503")));
  // One that leads to another host: whoever is there is not asked.
  node_.network.http = [](const HttpCall&) -> Result<NetworkProbes::Reply> {
    return NetworkProbes::Reply{.status = 302, .body = "there"};
  };
  node_.time.RunFor(1s);
  EXPECT_EQ(Now(), "Running a=ready");
  EXPECT_THAT(node_.Events(), Contains("ProbeWarning: Readiness probe warning: Probe terminated "
                                       "redirects, Response body: there"));
}

TEST_F(PodWorkerTest, AProbeThatTakesTooLong) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.takes = 5s};
  });
  Start(
      "containers: [{name: a, readinessProbe: {exec: {command: [look, '\"twice\"']}, "
      "periodSeconds: 60, timeoutSeconds: 2}}]");
  node_.time.RunFor(1s);
  EXPECT_THAT(node_.Events(),
              Contains(StartsWith("Unhealthy: Readiness probe failed: command timed out: \"look "
                                  "\\\"twice\\\"\" timed out after 2s")));
}

TEST_F(PodWorkerTest, APortThatAProbeDoesNotFind) {
  node_.network.connects = false;
  Start(
      "containers: [{name: a, readinessProbe: {tcpSocket: {port: nope}, periodSeconds: 1}}, {name: "
      "b, readinessProbe: {tcpSocket: {port: '82'}, periodSeconds: 1}}]");
  node_.time.RunFor(1500ms);
  EXPECT_THAT(node_.Events(),
              Contains(StartsWith("Unhealthy: Readiness probe errored and resulted in unknown "
                                  "state: strconv.Atoi: parsing \"nope\": invalid syntax")));
  EXPECT_THAT(node_.Events(),
              Contains(StartsWith("Unhealthy: Readiness probe failed: dial tcp 10.208.0.2:82")));
}

TEST_F(PodWorkerTest, OtherProbes) {
  node_.network.connects = false;
  node_.network.serving = false;
  Start(
      "containers: [{name: a, startupProbe: {tcpSocket: {port: 80}, periodSeconds: 1, "
      "failureThreshold: 100}, readinessProbe: {grpc: {port: 81}, periodSeconds: 1}}]");
  node_.time.RunFor(2500ms);
  EXPECT_THAT(
      node_.Events(),
      Contains(HasSubstr("Unhealthy: Startup probe failed: dial tcp 10.208.0.2:80: connect: "
                         "connection refused")));
  node_.network.connects = true;
  node_.time.RunFor(2s);
  EXPECT_THAT(node_.Events(), Contains(HasSubstr("Unhealthy: Readiness probe failed: service "
                                                 "unhealthy")));
  EXPECT_EQ(Now(), "Running a=running");
  node_.network.serving = true;
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, AStartupThatTakesTooLong) {
  node_.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.exit_code = 1};
  });
  Start(
      "containers: [{name: a, startupProbe: {exec: {command: [x]}, periodSeconds: 1, "
      "failureThreshold: 3, initialDelaySeconds: 5}}]");
  node_.time.RunFor(7500ms);
  EXPECT_THAT(Now(), HasSubstr("#1"));
  EXPECT_THAT(node_.Events(),
              Contains("Killing: Container a failed startup probe, will be restarted"));
}

TEST_F(PodWorkerTest, AllContainersStartAgain) {
  node_.runtime.Script("i", {.exits_after = 1s});
  Start(
      "restartPolicy: Never, initContainers: [{name: i}], containers: [{name: a, restartPolicy: "
      "Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, "
      "values: [42]}}]}, {name: b}]");
  node_.time.RunFor(2s);
  EXPECT_EQ(Now(), "Running i=Completed(0) a=ready b=ready");
  (void)node_.runtime.Exit(node_.IdOf("a"), 42);
  node_.time.RunFor(3s);
  EXPECT_EQ(Now(), "Running i=Completed(0)#1 a=ready#1 b=ready#1");
  EXPECT_EQ(Calls("RunPodSandbox").size(), 1u);
}

TEST_F(PodWorkerTest, TheAgentComesBack) {
  Start("containers: [{name: a}]");
  node_.runtime.ClearCalls();
  Restart();
  node_.time.RunFor(60s);
  EXPECT_EQ(Now(), "Running a=ready");
  EXPECT_THAT(Calls("CreateContainer"), IsEmpty());
  EXPECT_THAT(Calls("StopContainer"), IsEmpty());
}

TEST_F(PodWorkerTest, AContainerThatEndedWhileTheAgentWasAway) {
  Start("restartPolicy: Never, containers: [{name: a}]");
  pod_.status = worker_->status();
  worker_->Stop();
  worker_.reset();
  (void)node_.runtime.Exit(node_.IdOf("a"), 5);
  Start(pod_);
  EXPECT_EQ(Now(), "Failed a=Error(5)");
}

TEST_F(PodWorkerTest, LastWords) {
  Start("containers: [{name: a}]");
  const auto config = node_.runtime.ConfigOf(node_.IdOf("a"));
  std::string file;
  for (const auto& mount : config->mounts) {
    if (mount.container_path == "/dev/termination-log") file = mount.host_path;
  }
  ASSERT_NE(file, "");
  std::ofstream(file) << std::string(5000, 'x') + "the end";
  (void)node_.runtime.Exit(node_.IdOf("a"), 1);
  node_.time.Settle();
  const auto status = worker_->status();
  ASSERT_TRUE(status.containerStatuses[0].lastState.terminated);
  const std::string& message = status.containerStatuses[0].lastState.terminated->message;
  EXPECT_EQ(message.size(), 4096u);
  EXPECT_TRUE(message.ends_with("xthe end"));
}

TEST_F(PodWorkerTest, TheHostsFile) {
  Start("hostAliases: [{ip: 1.2.3.4, hostnames: [x]}], containers: [{name: a}]");
  std::ostringstream text;
  text << std::ifstream(node_.config.data_dir + "/pods/u/etc-hosts").rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("10.208.0.2\tp\n"));
  EXPECT_THAT(text.str(), HasSubstr("1.2.3.4\tx\n"));
}

TEST_F(PodWorkerTest, UserNamespacesDiffer) {
  Start("hostUsers: false, containers: [{name: a}]");
  const auto sandbox = node_.runtime.ListPodSandbox({})->front().id;
  const auto config = node_.runtime.SandboxConfigOf(sandbox);
  const auto& users = *config->linux_->security_context->namespace_options->userns_options;
  EXPECT_EQ(users.uids[0].host_id, 65536u);
  EXPECT_EQ(users.uids[0].length, 65536u);
  std::filesystem::create_directories(node_.config.data_dir + "/pods/other");
  EXPECT_EQ(node_.users.Take("other")->uids[0].host_id, 131072u);
  // Another process of the agent knows both.
  UserNamespaces later(node_.config);
  later.Recover("u");
  later.Recover("other");
  std::filesystem::create_directories(node_.config.data_dir + "/pods/third");
  EXPECT_EQ(later.Take("third")->uids[0].host_id, 196608u);
  EXPECT_EQ(later.Take("other")->uids[0].host_id, 131072u);
}

TEST_F(PodWorkerTest, WithoutClusterDnsAnEventSaysSo) {
  node_.config.cluster_dns.clear();
  Start("containers: [{name: a}]");
  EXPECT_THAT(node_.Events(), Contains(StartsWith("MissingClusterDNS: pod: \"p_ns(u)\".")));
  EXPECT_THAT(node_.Events(), Contains(StartsWith("MissingClusterDNS: kubelet does not have")));
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, AnEphemeralContainer) {
  Start("containers: [{name: a}]");
  v1::EphemeralContainer ephemeral;
  ephemeral.name = "e";
  ephemeral.image = "busybox:1";
  ephemeral.imagePullPolicy = "IfNotPresent";
  ephemeral.targetContainerName = "a";
  pod_.spec.ephemeralContainers.push_back(ephemeral);
  worker_->Update(pod_);
  node_.time.Settle();
  EXPECT_EQ(Now(), "Running a=ready e=running");
  EXPECT_EQ(node_.runtime.ConfigOf(node_.IdOf("e"))
                ->linux_->security_context->namespace_options->target_id,
            node_.IdOf("a"));
}

TEST_F(PodWorkerTest, ADeletionEndsAPodThatCannotStart) {
  Start("containers: [{name: a, image: 'none:1'}]");
  Delete(30);
  EXPECT_TRUE(gone_);
  EXPECT_TRUE(node_.runtime.ListPodSandbox({})->empty());
}

TEST_F(PodWorkerTest, WhatCannotBeStoppedIsTriedAgain) {
  Start("containers: [{name: a}]");
  node_.runtime.Fail("StopContainer", Error(Code::kUnavailable, "busy"), 2);
  Delete(30);
  EXPECT_FALSE(gone_);
  node_.time.RunFor(5s);
  EXPECT_TRUE(gone_);
}

TEST_F(PodWorkerTest, TheRuntimeIsAwayForAWhile) {
  node_.runtime.Fail("ListPodSandbox", Error(Code::kUnavailable, "away"), 3);
  Start("containers: [{name: a}]");
  node_.time.RunFor(5s);
  EXPECT_EQ(Now(), "Running a=ready");
}

TEST_F(PodWorkerTest, OnlyTheLastDeadRunStays) {
  node_.runtime.Script("a", {.exits_after = 1s, .exit_code = 1});
  Start("containers: [{name: a}, {name: b}]");
  const std::string log_folder = node_.config.log_dir + "/ns_p_u/a/";
  const std::string own_folder = node_.config.data_dir + "/pods/u/containers/a/";
  std::filesystem::create_directories(log_folder);
  std::vector<std::string> ids;
  for (int run = 0; run < 4; ++run) {
    ids.push_back(node_.IdOf("a"));
    for (const char* name : {".log", ".log.20261121-210012.gz"}) {
      std::ofstream(log_folder + std::to_string(run) + name) << "x";
    }
    for (int i = 0; i < 600 && node_.IdOf("a") == ids.back(); ++i) node_.time.RunFor(1s);
  }
  // The fifth run is there, the fourth ended last.
  EXPECT_THAT(Calls("RemoveContainer"),
              ElementsAre("RemoveContainer a", "RemoveContainer a", "RemoveContainer a"));
  for (size_t run = 0; run < 3; ++run) {
    EXPECT_EQ(node_.runtime.ContainerStatus(ids[run], false).error().code(), Code::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(log_folder + std::to_string(run) + ".log"));
    EXPECT_FALSE(
        std::filesystem::exists(log_folder + std::to_string(run) + ".log.20261121-210012.gz"));
    EXPECT_FALSE(std::filesystem::exists(own_folder + std::to_string(run)));
  }
  EXPECT_TRUE(node_.runtime.ContainerStatus(ids[3], false).ok());
  EXPECT_TRUE(std::filesystem::exists(log_folder + "3.log"));
  EXPECT_TRUE(std::filesystem::exists(own_folder + "3"));
  const v1::ContainerStatus status = worker_->status().containerStatuses[0];
  EXPECT_EQ(status.restartCount, 4);
  EXPECT_EQ(status.lastState.terminated->containerID, "podium://" + ids[3]);
}

TEST_F(PodWorkerTest, SandboxesThatAreEmptyGo) {
  Start("containers: [{name: a}]");
  for (int i = 0; i < 3; ++i) {
    node_.time.RunFor(700s);
    const auto sandboxes = node_.runtime.ListPodSandbox({});
    for (const auto& sandbox : *sandboxes) {
      if (sandbox.state == wire::cri::PodSandboxState::kSandboxReady) {
        ASSERT_TRUE(node_.runtime.KillInfra(sandbox.id).ok());
        break;
      }
    }
    node_.time.RunFor(20s);
    EXPECT_EQ(Now(), "Running a=ready#" + std::to_string(i + 1));
  }
  // The one that is ready, and the one that holds the run that ended last.
  EXPECT_EQ(node_.runtime.ListPodSandbox({})->size(), 2u);
  EXPECT_EQ(node_.runtime.ListContainers({})->size(), 2u);
}

TEST_F(PodWorkerTest, WhoHoldsThePort) {
  runtime::PortHolder holder{.port = 80,
                             .container_id = "x",
                             .container_name = "a",
                             .pod_namespace = {},
                             .pod_name = {},
                             .pid = 7,
                             .program = "nginx"};
  node_.runtime.SetPortHolders({holder});
  node_.runtime.Script("b", {.exits_after = 1s, .exit_code = 1});
  Start("restartPolicy: Never, containers: [{name: a}, {name: b, ports: [{containerPort: 80}]}]");
  node_.time.RunFor(2s);
  EXPECT_EQ(worker_->status().containerStatuses[1].state.terminated->message,
            "port 80 is held by container \"a\" (nginx, pid 7)");
  EXPECT_THAT(node_.Events(),
              Contains("PortHeld: port 80 is held by container \"a\" (nginx, pid 7)"));
  // It is looked at once.
  for (int i = 0; i < 5; ++i) {
    worker_->Wake();
    node_.time.RunFor(1s);
  }
  EXPECT_EQ(Calls("PortHolders").size(), 1u);
}

TEST_F(PodWorkerTest, WhoHoldsThePortIsNotAskedForNothing) {
  node_.runtime.SetPortHolders({{.port = 80,
                                 .container_id = "x",
                                 .container_name = "a",
                                 .pod_namespace = {},
                                 .pod_name = {},
                                 .pid = 7,
                                 .program = "nginx"}});
  // Ends well; ends late; does not declare the port.
  node_.runtime.Script("b", {.exits_after = 1s, .exit_code = 0});
  node_.runtime.Script("c", {.exits_after = 90s, .exit_code = 1});
  node_.runtime.Script("d", {.exits_after = 1s, .exit_code = 1});
  Start(
      "restartPolicy: Never, containers: [{name: a}, {name: b, ports: [{containerPort: 80}]}, "
      "{name: c, ports: [{containerPort: 80}]}, {name: d}]");
  node_.time.RunFor(100s);
  EXPECT_EQ(Calls("PortHolders").size(), 1u);
  EXPECT_THAT(node_.Events(), Not(Contains(StartsWith("PortHeld"))));
  EXPECT_EQ(worker_->status().containerStatuses[3].state.terminated->message, "");
}

// To look costs ten milliseconds of a processor: not for what was killed, nor for a pod that goes.
TEST_F(PodWorkerTest, WhoHoldsThePortOfWhatWasStoppedIsNotAsked) {
  node_.runtime.Script("b", {.exits_after = 1s, .exit_code = 137});
  node_.runtime.Script("c", {.stop_code = 1});
  Start("restartPolicy: Never, containers: [{name: a}, {name: b}, {name: c}]");
  node_.time.RunFor(3s);
  Delete(30);
  node_.time.RunFor(40s);
  EXPECT_THAT(Calls("PortHolders"), ElementsAre());
}

}  // namespace
}  // namespace podium::node
