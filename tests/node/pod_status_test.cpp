#include "node/pod_status.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>

#include "node/pod_conditions.h"
#include "node/pods.h"

namespace podium::node {
namespace {

// Everything has started and is ready, but for what is named.
class FakeReadiness : public Readiness {
 public:
  std::string not_started;
  std::string not_ready;

  bool Started(const v1::Container& container, std::string_view /*id*/) const override {
    return container.name != not_started;
  }
  bool Ready(const v1::Container& container, std::string_view /*id*/) const override {
    return container.name != not_ready;
  }
};

struct World {
  v1::Pod pod;
  ObservedPod observed;
  WaitingReasons waiting;
  FakeReadiness readiness;
  std::vector<std::string> host{"192.0.2.1", "2001:db8::1"};
  bool terminal = false;
  std::optional<PodFailure> failure;
  ResizeState resize;
  int64_t now = kNow;

  v1::PodStatus Generate() const {
    return GeneratePodStatus({.pod = pod,
                              .observed = observed,
                              .waiting = waiting,
                              .readiness = readiness,
                              .host_addresses = host,
                              .now = now,
                              .terminal = terminal,
                              .failure = failure,
                              .resize = resize});
  }
  // Tells it and goes on from there.
  const v1::PodStatus& Tell() {
    pod.status = Generate();
    return pod.status;
  }
  void Add(std::string_view name, std::string_view state,
           const std::function<void(ObservedContainer&)>& change = {}) {
    ObservedContainer container = ContainerOf(pod, name, state);
    container.sandbox_id = "s";
    if (change) change(container);
    observed.containers.push_back(std::move(container));
    observed.Sort();
  }
};

World MakeWorld(const std::string& spec, const std::string& containers = {}) {
  World world;
  world.pod = PodOf(spec);
  std::istringstream states(containers);
  std::string each;
  while (std::getline(states, each, ';')) {
    each.erase(0, each.find_first_not_of(' '));
    if (each.empty()) continue;
    if (each == "sandbox") {
      world.observed.sandboxes.push_back(SandboxOf("s", true));
      continue;
    }
    const size_t space = each.find(' ');
    world.Add(each.substr(0, space), each.substr(space + 1));
  }
  return world;
}

std::string ShowState(const v1::ContainerState& state) {
  if (state.running) return "running";
  if (state.terminated) {
    return "terminated " + state.terminated->reason + " " +
           std::to_string(state.terminated->exitCode);
  }
  if (state.waiting) {
    return state.waiting->reason.empty() ? "waiting" : "waiting " + state.waiting->reason;
  }
  return "nothing";
}

std::string ShowContainers(const v1::PodStatus& status) {
  std::string out;
  for (const auto* list : {&status.initContainerStatuses, &status.containerStatuses,
                           &status.ephemeralContainerStatuses}) {
    for (const v1::ContainerStatus& container : *list) {
      out += container.name + ": " + ShowState(container.state);
      if (container.started.value_or(false)) out += " started";
      if (container.ready) out += " ready";
      if (container.restartCount > 0) out += " #" + std::to_string(container.restartCount);
      const std::string last = ShowState(container.lastState);
      if (last != "nothing") out += " after " + last;
      out += "; ";
    }
  }
  return out.empty() ? out : out.substr(0, out.size() - 2);
}

std::string ShowConditions(const v1::PodStatus& status) {
  std::string out;
  for (const v1::PodCondition& condition : status.conditions) {
    out += condition.type + "=" + condition.status;
    if (!condition.reason.empty()) out += "(" + condition.reason + ")";
    if (!condition.message.empty()) out += " " + condition.message;
    out += "; ";
  }
  return out.empty() ? out : out.substr(0, out.size() - 2);
}

struct Case {
  const char* name;
  const char* spec;
  const char* state;
  const char* phase;
  const char* containers;
};

constexpr const char* kOne = "containers: [{name: a}]";
constexpr const char* kTwo = "containers: [{name: a}, {name: b}]";
constexpr const char* kNever = "restartPolicy: Never, containers: [{name: a}, {name: b}]";
constexpr const char* kOnFailure = "restartPolicy: OnFailure, containers: [{name: a}, {name: b}]";
constexpr const char* kInit = "initContainers: [{name: i}, {name: j}], containers: [{name: a}]";
constexpr const char* kInitNever =
    "restartPolicy: Never, initContainers: [{name: i}], containers: [{name: a}]";
constexpr const char* kSidecar =
    "initContainers: [{name: s, restartPolicy: Always}], containers: [{name: a}]";

const Case kPhases[] = {
    {"nothing yet", kOne, "", "Pending", "a: waiting ContainerCreating"},
    {"nothing yet, with init containers", kInit, "", "Pending",
     "i: waiting PodInitializing; j: waiting PodInitializing; a: waiting PodInitializing"},
    {"one runs, one is to come", kTwo, "sandbox; a running", "Pending",
     "a: running started ready; b: waiting ContainerCreating"},
    {"all run", kTwo, "sandbox; a running; b running", "Running",
     "a: running started ready; b: running started ready"},
    {"one exited, policy Always", kTwo, "sandbox; a exited 1; b running", "Running",
     "a: terminated Error 1; b: running started ready"},
    {"all exited, policy Always", kTwo, "sandbox; a exited 1; b exited 0", "Running",
     "a: terminated Error 1; b: terminated Completed 0"},
    {"all exited, policy Never", kNever, "sandbox; a exited 1; b exited 0", "Failed",
     "a: terminated Error 1; b: terminated Completed 0"},
    {"all done, policy Never", kNever, "sandbox; a exited 0; b exited 0", "Succeeded",
     "a: terminated Completed 0; b: terminated Completed 0"},
    {"one runs on, policy Never", kNever, "sandbox; a exited 1; b running", "Running",
     "a: terminated Error 1; b: running started ready"},
    {"all exited, policy OnFailure", kOnFailure, "sandbox; a exited 1; b exited 0", "Running",
     "a: terminated Error 1; b: terminated Completed 0"},
    {"all done, policy OnFailure", kOnFailure, "sandbox; a exited 0; b exited 0", "Succeeded",
     "a: terminated Completed 0; b: terminated Completed 0"},
    {"created", kOne, "sandbox; a created", "Pending", "a: waiting"},
    {"unknown", kOne, "sandbox; a unknown", "Pending", "a: waiting"},
    {"the first init container runs", kInit, "sandbox; i running", "Pending",
     "i: running started; j: waiting PodInitializing; a: waiting PodInitializing"},
    {"the first is done", kInit, "sandbox; i exited 0", "Pending",
     "i: terminated Completed 0 ready; j: waiting PodInitializing; a: waiting PodInitializing"},
    {"an init container failed, policy Always", kInit, "sandbox; i exited 1", "Pending",
     "i: terminated Error 1; j: waiting PodInitializing; a: waiting PodInitializing"},
    {"an init container failed, policy Never", kInitNever, "sandbox; i exited 1", "Failed",
     "i: terminated Error 1; a: waiting PodInitializing"},
    {"initialized", kInitNever, "sandbox; i exited 0; a running", "Running",
     "i: terminated Completed 0 ready; a: running started ready"},
    {"a sidecar runs, the container is to come", kSidecar, "sandbox; s running", "Pending",
     "s: running started ready; a: waiting PodInitializing"},
    {"both run", kSidecar, "sandbox; s running; a running", "Running",
     "s: running started ready; a: running started ready"},
    {"the sidecar exited", kSidecar, "sandbox; s exited 1; a running", "Running",
     "s: terminated Error 1; a: running started ready"},
    {"a container of its own policy Always keeps the pod",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Always}]", "sandbox; a exited 1",
     "Running", "a: terminated Error 1"},
    {"a rule that restarts keeps the pod",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Never, restartPolicyRules: "
     "[{action: Restart, exitCodes: {operator: In, values: [42]}}]}]",
     "sandbox; a exited 42", "Running", "a: terminated Error 42"},
    {"a rule that restarts all keeps the pod",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Never, restartPolicyRules: "
     "[{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]}]",
     "sandbox; a exited 42", "Running", "a: terminated Error 42"},
    {"an ephemeral container does not count",
     "restartPolicy: Never, containers: [{name: a}], ephemeralContainers: [{name: e}]",
     "sandbox; a exited 0; e running", "Succeeded", "a: terminated Completed 0; e: running"},
};

TEST(PodStatusTest, PhasesAndContainers) {
  for (const Case& each : kPhases) {
    SCOPED_TRACE(each.name);
    const v1::PodStatus status = MakeWorld(each.spec, each.state).Generate();
    EXPECT_EQ(status.phase, each.phase);
    EXPECT_EQ(ShowContainers(status), each.containers);
  }
}

TEST(PodStatusTest, APhaseThatEndedStays) {
  World world = MakeWorld(kNever, "sandbox; a exited 0; b exited 1");
  EXPECT_EQ(world.Tell().phase, "Failed");
  world.observed = {};
  EXPECT_EQ(world.Tell().phase, "Failed");
  EXPECT_EQ(ShowContainers(world.pod.status), "a: terminated Completed 0; b: terminated Error 1");
}

TEST(PodStatusTest, AnEndIsWithheldWhileAnythingRuns) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.Tell();
  const v1::PodStatus before = world.pod.status;
  world.failure = {"Evicted", "why"};
  const v1::PodStatus failed = world.Generate();
  EXPECT_EQ(failed.phase + " " + failed.reason + " " + failed.message, "Failed Evicted why");
  const v1::PodStatus told = WithholdEnd(failed, before, true);
  EXPECT_EQ(told.phase + " " + told.reason + " " + told.message, "Running  ");
  EXPECT_EQ(WithholdEnd(failed, before, false).phase, "Failed");
  EXPECT_EQ(WithholdEnd(failed, failed, true).phase, "Failed");
}

TEST(PodStatusTest, TheDeadlineFailsThePod) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.failure = {std::string(kDeadlineExceeded), std::string(kDeadlineMessage)};
  world.Tell();
  world.failure.reset();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world.pod.status.phase, "Failed");
    EXPECT_EQ(world.pod.status.reason, "DeadlineExceeded");
    EXPECT_EQ(world.pod.status.message,
              "Pod was active on the node longer than the specified deadline");
    world.Tell();
  }
}

TEST(PodStatusTest, ConditionsOnTheWay) {
  World world = MakeWorld(kInit);
  EXPECT_EQ(ShowConditions(world.Tell()),
            "PodReadyToStartContainers=False; Initialized=False(ContainersNotInitialized) "
            "containers with incomplete status: [i j]; Ready=False(ContainersNotReady) containers "
            "with unready status: [a]; ContainersReady=False(ContainersNotReady) containers with "
            "unready status: [a]; PodScheduled=True");
  world.observed.sandboxes.push_back(SandboxOf("s", true));
  world.Add("i", "exited 0");
  EXPECT_EQ(ShowConditions(world.Tell()),
            "PodReadyToStartContainers=True; Initialized=False(ContainersNotInitialized) "
            "containers with incomplete status: [j]; Ready=False(ContainersNotReady) containers "
            "with unready status: [a]; ContainersReady=False(ContainersNotReady) containers with "
            "unready status: [a]; PodScheduled=True");
  world.Add("j", "exited 0");
  world.Add("a", "running");
  EXPECT_EQ(ShowConditions(world.Tell()),
            "PodReadyToStartContainers=True; Initialized=True; Ready=True; ContainersReady=True; "
            "PodScheduled=True");
}

TEST(PodStatusTest, ConditionsAtTheEnd) {
  World world = MakeWorld(kNever, "sandbox; a exited 0; b exited 0");
  EXPECT_EQ(ShowConditions(world.Generate()),
            "PodReadyToStartContainers=True; Initialized=True(PodCompleted); "
            "Ready=False(PodCompleted); ContainersReady=False(PodCompleted); PodScheduled=True");
  world = MakeWorld(kNever, "sandbox; a exited 1; b exited 0");
  EXPECT_EQ(ShowConditions(world.Generate()),
            "PodReadyToStartContainers=True; Initialized=True; Ready=False(PodFailed); "
            "ContainersReady=False(PodFailed); PodScheduled=True");
}

TEST(PodStatusTest, AConditionKeepsItsTimeUntilItChanges) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.Tell();
  world.now += 60 * kSecond;
  world.readiness.not_ready = "a";
  world.Tell();
  const api::Time first = TimeOf(kNow);
  const api::Time second = TimeOf(kNow + (60 * kSecond));
  EXPECT_EQ(FindCondition(world.pod.status, "Ready")->lastTransitionTime, second);
  EXPECT_EQ(FindCondition(world.pod.status, "Ready")->status, "False");
  EXPECT_EQ(FindCondition(world.pod.status, "Initialized")->lastTransitionTime, first);
  EXPECT_EQ(*world.pod.status.startTime, first);
}

TEST(PodStatusTest, ReadinessGatesAndConditionsOfOthers) {
  World world = MakeWorld("readinessGates: [{conditionType: x.y/z}], containers: [{name: a}]",
                          "sandbox; a running");
  EXPECT_EQ(ShowConditions(world.Tell()),
            "PodReadyToStartContainers=True; Initialized=True; Ready=False(ReadinessGatesNotReady) "
            "corresponding condition of pod readiness gate \"x.y/z\" does not exist.; "
            "ContainersReady=True; PodScheduled=True");
  v1::PodCondition& gate = world.pod.status.conditions.emplace_back();
  gate.type = "x.y/z";
  gate.status = "False";
  EXPECT_EQ(ShowConditions(world.Tell()),
            "x.y/z=False; PodReadyToStartContainers=True; Initialized=True; "
            "Ready=False(ReadinessGatesNotReady) the status of pod readiness gate \"x.y/z\" is not "
            "\"True\", but False; ContainersReady=True; PodScheduled=True");
  world.pod.status.conditions.front().status = "True";
  EXPECT_EQ(FindCondition(world.Tell(), "Ready")->status, "True");
}

TEST(PodStatusTest, AllContainersRestarting) {
  World world = MakeWorld(
      "restartPolicy: Never, initContainers: [{name: i}], containers: [{name: a, restartPolicy: "
      "Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, "
      "values: [42]}}]}]",
      "sandbox; i exited 0; a running");
  EXPECT_EQ(FindCondition(world.Tell(), "AllContainersRestarting")->status, "False");
  world.observed.containers.clear();
  world.Add("i", "exited 0");
  world.Add("a", "exited 42");
  const v1::PodCondition condition = *FindCondition(world.Tell(), "AllContainersRestarting");
  EXPECT_EQ(condition.status, "True");
  EXPECT_EQ(condition.reason, "RestartAllContainersStarted");
  EXPECT_EQ(condition.message, "container exited with restart policy rule");
  // They are gone: it begins anew, and stays initialized.
  world.observed.containers.clear();
  world.Tell();
  EXPECT_EQ(FindCondition(world.pod.status, "AllContainersRestarting")->status, "False");
  EXPECT_EQ(FindCondition(world.pod.status, "Initialized")->status, "True");
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 1);
}

TEST(PodStatusTest, WhyAContainerWaits) {
  World world = MakeWorld(kOne, "sandbox");
  world.waiting["a"] = {"ErrImagePull", "no such image"};
  EXPECT_EQ(ShowContainers(world.Generate()), "a: waiting ErrImagePull");
  EXPECT_EQ(world.Generate().containerStatuses[0].state.waiting->message, "no such image");
  EXPECT_EQ(world.Generate().phase, "Pending");

  world.Add("a", "exited 3", [](auto& container) { container.restart_count = 4; });
  world.waiting["a"] = {"CrashLoopBackOff",
                        "back-off 10s restarting failed container=a pod=p_ns(u)"};
  EXPECT_EQ(ShowContainers(world.Generate()),
            "a: waiting CrashLoopBackOff #4 after terminated Error 3");
  EXPECT_EQ(world.Generate().phase, "Running");
}

TEST(PodStatusTest, AReasonToWaitDoesNotHideWhatIsOver) {
  World world = MakeWorld(kNever, "sandbox; a exited 3; b running");
  world.waiting["a"] = {"CrashLoopBackOff", "old"};
  EXPECT_EQ(ShowContainers(world.Generate()), "a: terminated Error 3; b: running started ready");
  world = MakeWorld(kInit, "sandbox; i exited 0");
  world.waiting["i"] = {"CrashLoopBackOff", "old"};
  EXPECT_EQ(ShowState(world.Generate().initContainerStatuses[0].state), "terminated Completed 0");
}

TEST(PodStatusTest, TheInstanceBeforeIsTheLastState) {
  World world = MakeWorld(kOne, "sandbox");
  world.Add("a", "exited 7", [](auto& container) {
    container.id = "old";
    container.created_at -= 1000;
    container.message = "bye";
  });
  world.Add("a", "running", [](auto& container) { container.restart_count = 1; });
  world.Tell();
  EXPECT_EQ(ShowContainers(world.pod.status),
            "a: running started ready #1 after terminated Error 7");
  const auto& last = *world.pod.status.containerStatuses[0].lastState.terminated;
  EXPECT_EQ(last.containerID, "podium://old");
  EXPECT_EQ(last.message, "bye");
  // The runtime forgets the old one.
  std::erase_if(world.observed.containers, [](const auto& each) { return each.id == "old"; });
  EXPECT_EQ(ShowContainers(world.Tell()), "a: running started ready #1 after terminated Error 7");
}

// An agent that is killed between making a container and starting it: the next one takes it away.
TEST(PodStatusTest, ARunThatWasToldAndNeverStarted) {
  World world = MakeWorld(kOne, "sandbox");
  world.Add("a", "exited 7", [](auto& container) {
    container.id = "old";
    container.created_at -= 1000;
    container.restart_count = 3;
  });
  world.Add("a", "created", [](auto& container) { container.restart_count = 4; });
  EXPECT_EQ(ShowContainers(world.Tell()), "a: waiting #4 after terminated Error 7");
  std::erase_if(world.observed.containers, [](const auto& each) { return each.id != "old"; });
  // The count does not go back, and nothing is its own last state.
  EXPECT_EQ(ShowContainers(world.Tell()), "a: terminated Error 7 #4");
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 4);
}

TEST(PodStatusTest, AContainerThatIsLost) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.Tell();
  world.observed.containers.clear();
  EXPECT_EQ(ShowContainers(world.Generate()),
            "a: waiting ContainerCreating #1 after terminated ContainerStatusUnknown 137");
  world.pod.metadata.deletionTimestamp = api::Time::FromUnix(1);
  EXPECT_EQ(ShowContainers(world.Generate()), "a: terminated ContainerStatusUnknown 137");
  EXPECT_EQ(world.Generate().containerStatuses[0].state.terminated->message,
            "The container could not be located when the pod was deleted.  The container used to "
            "be Running");
}

// After a boot, for one: nobody runs again what is to run once.
TEST(PodStatusTest, AContainerThatIsLostFailsAPodThatDoesNotRestartIt) {
  for (const auto& [policy, phase] :
       {std::pair("Always", "Running"), {"OnFailure", "Running"}, {"Never", "Failed"}}) {
    World world = MakeWorld(std::string(kOne) + ", restartPolicy: " + policy, "sandbox; a running");
    world.Tell();
    world.observed.containers.clear();
    EXPECT_EQ(world.Generate().phase, phase) << policy;
  }
}

TEST(PodStatusTest, AStateThatIsLost) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.Tell();
  world.observed.containers.clear();
  world.Add("a", "unknown");
  EXPECT_EQ(ShowContainers(world.Generate()), "a: terminated ContainerStatusUnknown 137 #1");
}

TEST(PodStatusTest, ThePodEnds) {
  struct End {
    const char* name;
    const char* spec;
    const char* state;
    const char* phase;
    const char* containers;
  };
  const End cases[] = {
      {"still stopping", kTwo, "sandbox; a exited 0; b running", "Running",
       "a: terminated Completed 0; b: running started ready"},
      {"killed", kTwo, "a exited 137; b exited 0", "Failed",
       "a: terminated Error 137; b: terminated Completed 0"},
      {"all ended well", kTwo, "a exited 0; b exited 0", "Succeeded",
       "a: terminated Completed 0; b: terminated Completed 0"},
      {"one never ran", kTwo, "a exited 0", "Failed",
       "a: terminated Completed 0; b: terminated ContainerStatusUnknown 137"},
      {"none ran", kOne, "", "Failed", "a: terminated ContainerStatusUnknown 137"},
      {"while it initialized", kInit, "i exited 143", "Failed",
       "i: terminated Error 143; j: waiting PodInitializing; a: waiting PodInitializing"},
      {"the first init container was removed", kInit, "j exited 0; a exited 0", "Succeeded",
       "i: terminated ContainerStatusUnknown 137; j: terminated Completed 0 ready; a: terminated "
       "Completed 0"},
      {"before it began to initialize", kInit, "", "Failed",
       "i: waiting PodInitializing; j: waiting PodInitializing; a: waiting PodInitializing"},
  };
  for (const End& each : cases) {
    SCOPED_TRACE(each.name);
    World world = MakeWorld(each.spec, each.state);
    world.terminal = true;
    const v1::PodStatus status = world.Generate();
    EXPECT_EQ(status.phase, each.phase);
    EXPECT_EQ(ShowContainers(status), each.containers);
  }
}

TEST(PodStatusTest, WhatCouldNotBeStartedStartedAtTheTimeZero) {
  World world = MakeWorld(kOne, "sandbox");
  world.Add("a", "exited 128", [](auto& container) { container.started_at = 0; });
  const auto& terminated = *world.Tell().containerStatuses[0].state.terminated;
  EXPECT_EQ(terminated.startedAt, api::Time::FromUnix(0));
  EXPECT_FALSE(terminated.startedAt.IsZero());
}

TEST(PodStatusTest, WhatWasToldOfAnEndedPodStays) {
  struct Case {
    const char* containers;
    const char* told;
  };
  for (const Case& each :
       {Case{"", "a: terminated ContainerStatusUnknown 137"},
        Case{"a exited 1", "a: terminated ContainerStatusUnknown 137 after terminated Error 1"}}) {
    World world = MakeWorld(kOne, each.containers);
    // Why it was not started, before the pod's time was over.
    world.waiting["a"] = {.reason = "CrashLoopBackOff", .message = "later"};
    world.failure = PodFailure{"DeadlineExceeded", "too long"};
    world.terminal = true;
    EXPECT_EQ(ShowContainers(world.Tell()), each.told);
    EXPECT_EQ(world.pod.status.phase, "Failed");
    EXPECT_EQ(ShowContainers(world.Tell()), each.told);
  }
}

TEST(PodStatusTest, StartedAndReady) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.readiness.not_started = "a";
  EXPECT_EQ(ShowContainers(world.Generate()), "a: running");
  world.readiness.not_started = "";
  world.readiness.not_ready = "a";
  EXPECT_EQ(ShowContainers(world.Generate()), "a: running started");
  world = MakeWorld(kSidecar, "sandbox; s running");
  world.readiness.not_started = "s";
  EXPECT_EQ(ShowContainers(world.Generate()), "s: running; a: waiting PodInitializing");
  EXPECT_EQ(FindCondition(world.Generate(), "Initialized")->message,
            "containers with incomplete status: [s]");
}

TEST(PodStatusTest, Addresses) {
  World world = MakeWorld(kOne, "sandbox; a running");
  world.observed.sandboxes[0].network->additional_ips.push_back({.ip = "fd00::2"});
  world.Tell();
  EXPECT_EQ(world.pod.status.podIP, "10.208.0.2");
  ASSERT_EQ(world.pod.status.podIPs.size(), 2u);
  EXPECT_EQ(world.pod.status.podIPs[1].ip, "fd00::2");
  EXPECT_EQ(world.pod.status.hostIP, "192.0.2.1");
  ASSERT_EQ(world.pod.status.hostIPs.size(), 2u);
  EXPECT_EQ(world.pod.status.hostIPs[1].ip, "2001:db8::1");
  // The sandbox is gone: the last address stays.
  world.observed.sandboxes.clear();
  EXPECT_EQ(world.Tell().podIP, "10.208.0.2");

  world = MakeWorld("hostNetwork: true, containers: [{name: a}]", "sandbox; a running");
  EXPECT_EQ(world.Tell().podIP, "192.0.2.1");
}

TEST(PodStatusTest, WhatElseThereIs) {
  World world = MakeWorld(
      "containers: [{name: a, resources: {limits: {cpu: 2, memory: 1Gi}}, volumeMounts: [{name: v, "
      "mountPath: /m, readOnly: true, recursiveReadOnly: IfPossible}, {name: v, mountPath: /w}], "
      "lifecycle: {stopSignal: SIGUSR1}}], volumes: [{name: v, emptyDir: {}}]",
      "sandbox");
  world.pod.metadata.generation = 3;
  world.Add("a", "running", [](auto& container) {
    container.image = "docker.io/library/busybox:1";
    container.image_ref = "registry/busybox@sha256:1234";
    auto& user = container.user.emplace().linux_.emplace();
    user.uid = 7;
    user.supplemental_groups = {8, 9};
  });
  const v1::PodStatus status = world.Generate();
  EXPECT_EQ(status.qosClass, "Guaranteed");
  EXPECT_EQ(status.observedGeneration, 3);
  EXPECT_EQ(status.conditions[0].observedGeneration, 3);
  const v1::ContainerStatus& a = status.containerStatuses[0];
  EXPECT_EQ(a.image, "docker.io/library/busybox:1");
  EXPECT_EQ(a.imageID, "registry/busybox@sha256:1234");
  EXPECT_EQ(a.containerID, "podium://a-1");
  EXPECT_EQ(a.resources->limits.at("cpu").String(), "2");
  EXPECT_EQ(a.allocatedResources.at("memory").String(), "1Gi");
  EXPECT_EQ(a.user->linux_->uid, 7);
  EXPECT_EQ(a.user->linux_->supplementalGroups, (std::vector<int64_t>{8, 9}));
  EXPECT_EQ(a.stopSignal, "SIGUSR1");
  ASSERT_EQ(a.volumeMounts.size(), 2u);
  EXPECT_EQ(a.volumeMounts[0].recursiveReadOnly, "Enabled");
  EXPECT_EQ(a.volumeMounts[1].recursiveReadOnly, std::nullopt);
  EXPECT_EQ(a.state.running->startedAt, TimeOf(kNow - (99 * kSecond)));
}

TEST(PodStatusTest, MessagesTogetherHaveALimit) {
  World world = MakeWorld(kTwo, "sandbox");
  for (const char* name : {"a", "b"}) {
    world.Add(name, "exited 1",
              [](auto& container) { container.message = std::string(7000, 'x') + "ä"; });
  }
  EXPECT_EQ(world.Generate().containerStatuses[0].state.terminated->message.size(), 6144u);
  v1::PodStatus status;
  status.containerStatuses.emplace_back().state.terminated.emplace().message =
      std::string(12287, 'x') + "ä";
  LimitMessages(&status);
  EXPECT_EQ(status.containerStatuses[0].state.terminated->message.size(), 12287u);
}

TEST(PodStatusTest, TheNextRestartCount) {
  World world = MakeWorld(kOne, "sandbox");
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 0);
  world.Tell();
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 0);
  world.Add("a", "exited 1", [](auto& container) { container.restart_count = 5; });
  world.Tell();
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 6);
  world.observed.containers.clear();
  EXPECT_EQ(NextRestartCount(world.observed, world.pod.status, "a"), 6);
}

TEST(PodStatusTest, SignalsHaveNames) {
  EXPECT_EQ(SignalOf("SIGTERM"), cri::Signal::kSigterm);
  EXPECT_EQ(SignalOf("SIGRTMIN+15"), cri::Signal::kSigrtminplus15);
  EXPECT_EQ(SignalOf("SIGRTMAX"), cri::Signal::kSigrtmax);
  EXPECT_EQ(SignalOf(""), std::nullopt);
  EXPECT_EQ(SignalOf("TERM"), std::nullopt);
  EXPECT_EQ(SignalName(cri::Signal::kSigrtmaxminus14), "SIGRTMAX-14");
  EXPECT_EQ(SignalName(cri::Signal::kRuntimeDefault), "");
}

}  // namespace
}  // namespace podium::node
