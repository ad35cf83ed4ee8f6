#include "node/pod_actions.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "node/pods.h"

namespace podium::node {
namespace {

// What is there, a line each:
//   sandbox ready|dead|no-address|host [ATTEMPT]
//   NAME running|created|unknown|exited CODE [changed] [startup-ok|startup-failed|live|dead]
//   [older]
//        [ago SECONDS]      since it exited; 50 otherwise
//        [elsewhere]        in an earlier sandbox, not in the one named before
//   back-off NAME SECONDS TIMES    so often tried, the last time so long ago
struct World {
  v1::Pod pod;
  ObservedPod observed;
  FakeProbes probes;
  BackOff back_off;
  bool restarting_all = false;
};

void AddSandbox(std::istringstream& words, World* world) {
  std::string kind;
  uint32_t attempt = 0;
  words >> kind >> attempt;
  cri::PodSandboxStatus sandbox =
      SandboxOf("s" + std::to_string(attempt), kind != "dead", attempt,
                kind == "no-address" || kind == "host" ? "" : "10.208.0.2");
  if (kind == "host") {
    sandbox.linux_->namespaces->options->network = cri::NamespaceMode::kNode;
  }
  world->observed.sandboxes.push_back(std::move(sandbox));
}

void AddContainer(const std::string& name, std::istringstream& words, World* world) {
  std::string state;
  words >> state;
  if (state == "exited") {
    std::string code;
    words >> code;
    state += " " + code;
  }
  ObservedContainer container = ContainerOf(world->pod, name, state);
  if (!world->observed.sandboxes.empty()) {
    container.sandbox_id = world->observed.sandboxes.back().id;
  }
  std::string word;
  while (words >> word) {
    if (word == "elsewhere") container.sandbox_id = "an earlier one";
    if (word == "changed") container.hash ^= 1;
    if (word == "startup-ok") world->probes.startup[container.id] = ProbeResult::kSuccess;
    if (word == "startup-failed") world->probes.startup[container.id] = ProbeResult::kFailure;
    if (word == "live") world->probes.liveness[container.id] = ProbeResult::kSuccess;
    if (word == "dead") world->probes.liveness[container.id] = ProbeResult::kFailure;
    if (word == "older") {
      container.id += "-older";
      container.created_at -= 1000 * kSecond;
    }
    if (word == "ago") {
      int64_t seconds = 0;
      words >> seconds;
      container.finished_at = kNow - (seconds * kSecond);
    }
  }
  world->observed.containers.push_back(std::move(container));
}

World MakeWorld(const std::string& spec, const std::string& state) {
  World world;
  world.pod = PodOf(spec);
  std::istringstream lines(state);
  std::string line;
  while (std::getline(lines, line, ';')) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first.empty()) continue;
    if (first == "sandbox") {
      AddSandbox(words, &world);
    } else if (first == "restarting-all") {
      world.restarting_all = true;
    } else if (first == "deleted") {
      world.pod.metadata.deletionTimestamp = api::Time::FromUnix(kNow / kSecond);
    } else if (first == "phase") {
      words >> world.pod.status.phase;
    } else if (first == "back-off") {
      std::string name;
      int64_t ago = 0;
      int times = 1;
      words >> name >> ago >> times;
      const std::string key = BackOffKey(world.pod, *FindContainer(world.pod.spec, name));
      const int64_t last = kNow - (ago * kSecond);
      while (times-- > 0) world.back_off.Next(key, last, last);
    } else {
      AddContainer(first, words, &world);
    }
  }
  world.observed.Sort();
  return world;
}

PodActions Plan(const World& world, int64_t now = kNow) {
  return ComputePodActions({.pod = world.pod,
                            .observed = world.observed,
                            .probes = world.probes,
                            .back_off = world.back_off,
                            .now = now,
                            .restarting_all = world.restarting_all});
}

std::string Show(const v1::Pod& pod, const PodActions& actions) {
  std::ostringstream out;
  if (actions.kill_pod) out << "kill-pod ";
  if (actions.is_over) out << "over ";
  if (actions.create_sandbox) out << "sandbox " << actions.attempt << " ";
  for (const auto& kill : actions.containers_to_kill) out << "kill[" << kill.message << "] ";
  for (const auto& reset : actions.containers_to_reset) {
    out << (reset.kill ? "kill-and-remove " : "remove ") << reset.id << " ";
  }
  for (size_t i : actions.ephemeral_containers_to_start) {
    out << "ephemeral " << pod.spec.ephemeralContainers[i].name << " ";
  }
  for (size_t i : actions.init_containers_to_start) {
    out << "init " << pod.spec.initContainers[i].name << " ";
  }
  for (size_t i : actions.containers_to_start) {
    out << "start " << pod.spec.containers[i].name << " ";
  }
  for (const auto& waiting : actions.in_back_off) {
    out << "back-off " << ContainerNameAt(pod, waiting.container) << " " << waiting.delay / kSecond
        << "s until +" << (waiting.until - kNow) / kSecond << " ";
  }
  if (actions.wait_until) out << "wait +" << (*actions.wait_until - kNow) / kSecond << " ";
  std::string text = out.str();
  if (!text.empty()) text.pop_back();
  return text;
}

struct Case {
  const char* name;
  const char* spec;
  const char* state;
  const char* actions;
};

constexpr const char* kTwo = "containers: [{name: a}, {name: b}]";
constexpr const char* kTwoNever = "restartPolicy: Never, containers: [{name: a}, {name: b}]";
constexpr const char* kTwoOnFailure =
    "restartPolicy: OnFailure, containers: [{name: a}, {name: b}]";
constexpr const char* kInit = "initContainers: [{name: i}, {name: j}], containers: [{name: a}]";
constexpr const char* kInitNever =
    "restartPolicy: Never, initContainers: [{name: i}, {name: j}], containers: [{name: a}]";
constexpr const char* kSidecar =
    "initContainers: [{name: i}, {name: s, restartPolicy: Always}, {name: j}], "
    "containers: [{name: a}]";
constexpr const char* kSidecarNever =
    "restartPolicy: Never, initContainers: [{name: s, restartPolicy: Always}], "
    "containers: [{name: a}]";
constexpr const char* kProbedSidecar =
    "initContainers: [{name: s, restartPolicy: Always, startupProbe: {exec: {command: [x]}}, "
    "livenessProbe: {exec: {command: [z]}}}, {name: j}], containers: [{name: a}]";
constexpr const char* kRules =
    "restartPolicy: Never, containers: [{name: a, restartPolicy: Never, restartPolicyRules: "
    "[{action: Restart, exitCodes: {operator: In, values: [42, 43]}}]}, {name: b}]";
constexpr const char* kRestartAll =
    "restartPolicy: Never, initContainers: [{name: i}], containers: [{name: a, restartPolicy: "
    "Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: "
    "[88]}}]}, {name: b}]";

const Case kSandboxCases[] = {
    {"a pod without containers", "containers: []", "", ""},
    {"a new pod", kTwo, "", "kill-pod sandbox 0 start a start b"},
    {"a new pod with init containers", kInit, "", "kill-pod sandbox 0 init i"},
    {"a new pod with policy Never", kTwoNever, "", "kill-pod sandbox 0 start a start b"},
    {"all is well", kTwo, "sandbox ready; a running; b running", ""},
    {"the sandbox is there and nothing else", kTwo, "sandbox ready", "start a start b"},
    {"the sandbox died under running containers", kTwo, "sandbox dead; a running; b running",
     "kill-pod sandbox 1 start a start b"},
    {"the sandbox died, containers with it", kTwo, "sandbox dead 3; a exited 137; b exited 137",
     "kill-pod sandbox 4 start a start b"},
    {"the sandbox died, policy Never", kTwoNever, "sandbox dead; a exited 137; b exited 137", ""},
    {"the sandbox died between containers, policy Never", kTwoNever, "sandbox dead; a exited 0",
     "over"},
    {"the sandbox died, policy Never, something still runs", kTwoNever,
     "sandbox dead; a running; b exited 137", "kill-pod"},
    {"the first sandbox could not be used, policy Never", kTwoNever, "sandbox dead",
     "kill-pod sandbox 1 start a start b"},
    {"the sandbox died between init containers, policy Never", kInitNever,
     "sandbox dead; i exited 0", "kill-pod sandbox 1 init i"},
    {"the sandbox died before a container was started, policy Never", kInitNever,
     "sandbox dead; i exited 0; j exited 0; a created", "kill-pod sandbox 1 init i"},
    {"the sandbox died under a sidecar alone, policy Never", kSidecarNever,
     "sandbox dead; s exited 137", "kill-pod sandbox 1 init s"},
    {"the sandbox died under an init container, policy Never", kInitNever,
     "sandbox dead; i exited 0; j exited 137", ""},
    {"the sandbox died after initializing, policy Never", kInitNever,
     "sandbox dead; i exited 0; j exited 0; a exited 137", ""},
    {"the sandbox died under a container beside a sidecar, policy Never", kSidecarNever,
     "sandbox dead; s exited 137; a exited 0", ""},
    {"in a new sandbox, what was never started in the old one does not count as initialized", kInit,
     "sandbox dead 0; sandbox ready 1; a created elsewhere", "init i"},
    {"the sandbox died, policy OnFailure, one was done", kTwoOnFailure,
     "sandbox dead; a exited 0; b exited 1", "kill-pod sandbox 1 start b"},
    {"the sandbox died, policy OnFailure, all were done", kTwoOnFailure,
     "sandbox dead; a exited 0; b exited 0", ""},
    {"the sandbox has no address", kTwo, "sandbox no-address; a running; b running",
     "kill-pod sandbox 1 start a start b"},
    {"a sandbox without an address is right for the host's network",
     "hostNetwork: true, containers: [{name: a}]", "sandbox host; a running", ""},
    {"the sandbox is of the host's network, the pod is not", kTwo, "sandbox host; a running",
     "kill-pod sandbox 1 start a start b"},
    {"two sandboxes are ready", kTwo, "sandbox ready 0; sandbox ready 1; a running; b running",
     "kill-pod sandbox 2 start a start b"},
    {"an old sandbox is dead, the new one ready", kTwo,
     "sandbox dead 0; sandbox ready 1; a running; b running", ""},
    {"the sandbox died while initializing", kInit, "sandbox dead; i exited 0; j running",
     "kill-pod sandbox 1 init i"},
    {"the sandbox died after initializing", kInit,
     "sandbox dead; i exited 0; j exited 0; a exited 137", "kill-pod sandbox 1 init i"},
    {"the sandbox died while initializing, policy OnFailure, nothing ran yet",
     "restartPolicy: OnFailure, initContainers: [{name: i}], containers: [{name: a}]",
     "sandbox dead; i exited 0", "kill-pod sandbox 1 init i"},
    {"in a new sandbox, what exited in the old one does not count as initialized", kInit,
     "sandbox dead 0; sandbox ready 1; a exited 137 elsewhere", "init i"},
    {"in a new sandbox, what exited in it does", kInit,
     "sandbox dead 0; sandbox ready 1; a exited 137", "start a"},
};

const Case kContainerCases[] = {
    {"one exited 0, policy Always", kTwo, "sandbox ready; a exited 0; b running", "start a"},
    {"one exited 1, policy Always", kTwo, "sandbox ready; a exited 1; b running", "start a"},
    {"one exited 0, policy OnFailure", kTwoOnFailure, "sandbox ready; a exited 0; b running", ""},
    {"one exited 1, policy OnFailure", kTwoOnFailure, "sandbox ready; a exited 1; b running",
     "start a"},
    {"one exited 1, policy Never", kTwoNever, "sandbox ready; a exited 1; b running", ""},
    {"all done, policy OnFailure", kTwoOnFailure, "sandbox ready; a exited 0; b exited 0",
     "kill-pod"},
    {"all ended, policy Never", kTwoNever, "sandbox ready; a exited 1; b exited 0", "kill-pod"},
    {"created but never started", kTwo, "sandbox ready; a created; b running", "start a"},
    {"created but never started, policy Never", kTwoNever, "sandbox ready; a created; b running",
     "start a"},
    {"in an unknown state", kTwo, "sandbox ready; a unknown; b running",
     "kill[Container is in \"unknown\" state, try killing it before restart] start a"},
    {"in an unknown state, policy Never", kTwoNever, "sandbox ready; a unknown; b running",
     "kill[Container is in \"unknown\" state, try killing it before restart] start a"},
    {"another image", kTwo, "sandbox ready; a running changed; b running",
     "kill[Container a definition changed, will be restarted] start a"},
    {"another image, policy Never", kTwoNever, "sandbox ready; a running changed; b running",
     "kill[Container a definition changed, will be restarted] start a"},
    {"not live, policy Always", kTwo, "sandbox ready; a running dead; b running live",
     "kill[Container a failed liveness probe, will be restarted] start a"},
    {"not live, policy OnFailure", kTwoOnFailure, "sandbox ready; a running dead; b running",
     "kill[Container a failed liveness probe, will be restarted] start a"},
    {"not live, policy Never", kTwoNever, "sandbox ready; a running dead; b running",
     "kill[Container a failed liveness probe]"},
    {"all not live, policy Never", kTwoNever, "sandbox ready; a running dead; b running dead",
     "kill-pod"},
    {"not live, own policy Never", "containers: [{name: a, restartPolicy: Never}, {name: b}]",
     "sandbox ready; a running dead; b running", "kill[Container a failed liveness probe]"},
    {"not live, own policy Always in a pod with Never",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Always}, {name: b}]",
     "sandbox ready; a running dead; b running",
     "kill[Container a failed liveness probe, will be restarted] start a"},
    {"did not start up in time", kTwo, "sandbox ready; a running startup-failed; b running",
     "kill[Container a failed startup probe, will be restarted] start a"},
    {"the newest of a name counts", kTwo, "sandbox ready; a exited 1 older; a running; b running",
     ""},
    {"own policy OnFailure in a pod with Always",
     "containers: [{name: a, restartPolicy: OnFailure}, {name: b}]",
     "sandbox ready; a exited 0; b running", ""},
    {"own policy Always in a pod with Never",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Always}, {name: b}]",
     "sandbox ready; a exited 0; b exited 0", "start a"},
    {"a rule that fits restarts", kRules, "sandbox ready; a exited 42; b running", "start a"},
    {"a rule that does not fit", kRules, "sandbox ready; a exited 1; b running", ""},
    {"a rule of NotIn",
     "restartPolicy: Never, containers: [{name: a, restartPolicy: Never, restartPolicyRules: "
     "[{action: Restart, exitCodes: {operator: NotIn, values: [0]}}]}]",
     "sandbox ready; a exited 7", "start a"},
    {"an ephemeral container", "containers: [{name: a}], ephemeralContainers: [{name: e}]",
     "sandbox ready; a running", "ephemeral e"},
    {"an ephemeral container is never started again",
     "containers: [{name: a}], ephemeralContainers: [{name: e}]",
     "sandbox ready; a running; e exited 1", ""},
    {"an ephemeral container starts while the pod initializes",
     "initContainers: [{name: i}], containers: [{name: a}], ephemeralContainers: [{name: e}]",
     "sandbox ready; i running", "ephemeral e"},
};

const Case kInitCases[] = {
    {"the first", kInit, "sandbox ready", "init i"},
    {"the first runs", kInit, "sandbox ready; i running", ""},
    {"the first is done", kInit, "sandbox ready; i exited 0", "init j"},
    {"the second runs", kInit, "sandbox ready; i exited 0; j running", ""},
    {"all done", kInit, "sandbox ready; i exited 0; j exited 0", "start a"},
    {"all done, those before removed", kInit, "sandbox ready; j exited 0", "start a"},
    {"initialized and all removed", kInit, "sandbox ready; a running", ""},
    {"the container that runs exited, the init containers are not run again", kInit,
     "sandbox ready; i exited 0; j exited 0; a exited 1", "start a"},
    {"one failed, policy Always", kInit, "sandbox ready; i exited 1", "init i"},
    {"one failed, policy Never", kInitNever, "sandbox ready; i exited 1", "kill-pod"},
    {"the second failed, policy Never", kInitNever, "sandbox ready; i exited 0; j exited 2",
     "kill-pod"},
    {"one failed, policy OnFailure",
     "restartPolicy: OnFailure, initContainers: [{name: i}], containers: [{name: a}]",
     "sandbox ready; i exited 1", "init i"},
    {"created but never started", kInit, "sandbox ready; i created", "init i"},
    {"in an unknown state", kInit, "sandbox ready; i unknown",
     "kill[Init container is in \"unknown\" state, try killing it before restart] init i"},
    {"in an unknown state, policy Never", kInitNever, "sandbox ready; i unknown", "kill-pod"},
    {"own policy OnFailure in a pod with Never",
     "restartPolicy: Never, initContainers: [{name: i, restartPolicy: OnFailure}], containers: "
     "[{name: a}]",
     "sandbox ready; i exited 1", "init i"},
    {"own policy Never in a pod with Always",
     "initContainers: [{name: i, restartPolicy: Never}], containers: [{name: a}]",
     "sandbox ready; i exited 1", "kill-pod"},
    {"a rule restarts",
     "restartPolicy: Never, initContainers: [{name: i, restartPolicy: Never, "
     "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}], "
     "containers: [{name: a}]",
     "sandbox ready; i exited 42", "init i"},
    {"done and the containers ended, policy Never", kInitNever,
     "sandbox ready; i exited 0; j exited 0; a exited 0", "kill-pod"},
};

const Case kSidecarCases[] = {
    {"in its turn", kSidecar, "sandbox ready; i exited 0", "init s"},
    {"it has started, the next one follows", kSidecar, "sandbox ready; i exited 0; s running",
     "init j"},
    {"all have", kSidecar, "sandbox ready; i exited 0; s running; j exited 0", "start a"},
    {"it exited before the next was done", kSidecar,
     "sandbox ready; i exited 0; s exited 1; j running", "init s"},
    {"it exited and the one behind it failed", kSidecar,
     "sandbox ready; i exited 0; s exited 1; j exited 1", "init s init j"},
    {"it exited while the pod runs", kSidecar,
     "sandbox ready; i exited 0; s exited 1; j exited 0; a running", "init s"},
    {"it exited and so did the container", kSidecar,
     "sandbox ready; i exited 0; s exited 1; j exited 0; a exited 1", "init s start a"},
    {"it was removed while the pod runs", kSidecar, "sandbox ready; j exited 0; a running",
     "init s"},
    {"it exited 0 in a pod with Never", kSidecarNever, "sandbox ready; s exited 0; a running",
     "init s"},
    {"the containers are done, it does not keep the pod alive", kSidecarNever,
     "sandbox ready; s running; a exited 0", "kill-pod"},
    {"the containers are done, it is not started again", kSidecarNever,
     "sandbox ready; s exited 0; a exited 0", "kill-pod"},
    {"its startup probe has not run", kProbedSidecar, "sandbox ready; s running", ""},
    {"it has started up", kProbedSidecar, "sandbox ready; s running startup-ok", "init j"},
    {"its startup probe failed", kProbedSidecar, "sandbox ready; s running startup-failed",
     "kill[Init container s failed startup probe] init s"},
    {"not live", kProbedSidecar, "sandbox ready; s running startup-ok dead; j exited 0; a running",
     "kill[Init container s failed liveness probe] init s"},
    {"live", kProbedSidecar, "sandbox ready; s running startup-ok live; j exited 0; a running", ""},
    {"another image", kSidecar,
     "sandbox ready; i exited 0; s running changed; j exited 0; a running",
     "kill[Init container s definition changed] init s"},
    {"in an unknown state", kSidecarNever, "sandbox ready; s unknown; a running",
     "kill[Init container is in \"unknown\" state, try killing it before restart] init s"},
    {"the last one has started, the pod may run", kSidecarNever, "sandbox ready; s running",
     "start a"},
    {"two sidecars that both exited start in order",
     "initContainers: [{name: s, restartPolicy: Always}, {name: t, restartPolicy: Always}], "
     "containers: [{name: a}]",
     "sandbox ready; s exited 1; t exited 1; a running", "init s init t"},
};

const Case kBackOffCases[] = {
    {"the first restart is at once", kTwo, "sandbox ready; a exited 1 ago 0; b running", "start a"},
    {"the second waits ten seconds", kTwo,
     "sandbox ready; a exited 1 ago 3; b running; back-off a 4 1",
     "back-off a 10s until +7 wait +7"},
    {"the second is due", kTwo, "sandbox ready; a exited 1 ago 10; b running; back-off a 11 1",
     "start a"},
    {"the third waits twenty", kTwo, "sandbox ready; a exited 1 ago 3; b running; back-off a 4 2",
     "back-off a 20s until +17 wait +17"},
    {"no wait is longer than five minutes", kTwo,
     "sandbox ready; a exited 1 ago 3; b running; back-off a 4 20",
     "back-off a 300s until +297 wait +297"},
    {"it ran clean for more than ten minutes", kTwo,
     "sandbox ready; a exited 1 ago 1; b running; back-off a 602 5", "start a"},
    {"it ran for ten minutes exactly", kTwo,
     "sandbox ready; a exited 1 ago 1; b running; back-off a 601 5",
     "back-off a 160s until +159 wait +159"},
    {"each container has its own", kTwo,
     "sandbox ready; a exited 1 ago 3; b exited 1 ago 3; back-off a 4 1",
     "start b back-off a 10s "
     "until +7 wait +7"},
    {"the earliest counts", kTwo,
     "sandbox ready; a exited 1 ago 3; b exited 1 ago 5; back-off a 4 2; back-off b 6 1",
     "back-off a 20s until +17 back-off b 10s until +5 wait +5"},
    {"an init container", kInit, "sandbox ready; i exited 1 ago 3; back-off i 4 1",
     "back-off i 10s until +7 wait +7"},
    {"a sidecar does not hold up the containers", kSidecar,
     "sandbox ready; i exited 0; s exited 1 ago 3; j exited 0; a exited 1; back-off s 4 1",
     "start a back-off s 10s until +7 wait +7"},
    {"a sidecar does not hold up the one behind it", kSidecar,
     "sandbox ready; i exited 0; s exited 1 ago 3; j exited 1; back-off s 4 1",
     "init j back-off s 10s until +7 wait +7"},
    {"a new sandbox does not end it", kTwo,
     "sandbox dead; a exited 137 ago 3; b exited 137 ago 3; back-off a 4 1",
     "kill-pod sandbox 1 start b back-off a 10s until +7 wait +7"},
    {"what runs and is killed waits for its exit before", kTwo,
     "sandbox ready; a running dead; a exited 1 older ago 3; b running; back-off a 4 1",
     "kill[Container a failed liveness probe, will be restarted] back-off a 10s until +7 wait +7"},
};

const Case kOtherCases[] = {
    {"a deleted pod is taken apart", kTwo, "deleted; sandbox ready; a running; b exited 1",
     "kill-pod"},
    {"a deleted pod without anything", kTwo, "deleted", ""},
    {"a deleted pod that lies dead", kTwo, "deleted; sandbox dead; a exited 1", ""},
    {"a failed pod is taken apart", kTwo, "phase Failed; sandbox ready; a running", "kill-pod"},
    {"a succeeded pod stays so", kTwo, "phase Succeeded; sandbox dead; a exited 0; b exited 0", ""},
    {"all restart: those that run first, the cause last", kRestartAll,
     "restarting-all; sandbox ready; i exited 0; a exited 88; b running",
     "remove i-1 kill-and-remove b-1 remove a-1"},
    {"all restart: the old ones are gone", kRestartAll, "restarting-all; sandbox ready", "init i"},
    {"a rule that restarts all does nothing by itself", kRestartAll,
     "sandbox ready; i exited 0; a exited 88; b running", ""},
};

class PodActionsTest : public ::testing::Test {
 protected:
  template <class Cases>
  static void Check(const Cases& cases) {
    for (const Case& each : cases) {
      SCOPED_TRACE(each.name);
      const World world = MakeWorld(each.spec, each.state);
      EXPECT_EQ(Show(world.pod, Plan(world)), each.actions);
    }
  }
};

TEST_F(PodActionsTest, Sandboxes) { Check(kSandboxCases); }
TEST_F(PodActionsTest, Containers) { Check(kContainerCases); }
TEST_F(PodActionsTest, InitContainers) { Check(kInitCases); }
TEST_F(PodActionsTest, Sidecars) { Check(kSidecarCases); }
TEST_F(PodActionsTest, BackOff) { Check(kBackOffCases); }
TEST_F(PodActionsTest, TheRest) { Check(kOtherCases); }

TEST_F(PodActionsTest, TheSandboxToUseIsNamed) {
  World world = MakeWorld(kTwo, "sandbox dead 0; sandbox ready 1");
  EXPECT_EQ(Plan(world).sandbox_id, "s1");
  EXPECT_EQ(Plan(world).attempt, 1u);
}

TEST_F(PodActionsTest, ShouldRestartAllContainers) {
  World world = MakeWorld(kRestartAll, "sandbox ready; a running; b running");
  EXPECT_FALSE(ShouldRestartAllContainers(world.pod, world.observed, world.pod.status));
  world = MakeWorld(kRestartAll, "sandbox ready; a exited 88; b running");
  EXPECT_TRUE(ShouldRestartAllContainers(world.pod, world.observed, world.pod.status));
  world = MakeWorld(kRestartAll, "sandbox ready; a exited 87; b running");
  EXPECT_FALSE(ShouldRestartAllContainers(world.pod, world.observed, world.pod.status));
  v1::PodStatus status;
  v1::PodCondition& condition = status.conditions.emplace_back();
  condition.type = "AllContainersRestarting";
  condition.status = "True";
  EXPECT_TRUE(ShouldRestartAllContainers(world.pod, world.observed, status));
  // A condition that someone else wrote onto a pod without such a rule.
  EXPECT_FALSE(ShouldRestartAllContainers(PodOf(kTwo), world.observed, status));
}

TEST_F(PodActionsTest, ActiveDeadline) {
  const v1::Pod pod = PodOf("activeDeadlineSeconds: 7, containers: [{name: a}]");
  EXPECT_EQ(ActiveDeadline(pod, std::nullopt), std::nullopt);
  EXPECT_EQ(ActiveDeadline(pod, api::Time::FromUnix(100)), 107 * kSecond);
  EXPECT_EQ(ActiveDeadline(PodOf(kTwo), api::Time::FromUnix(100)), std::nullopt);
}

// Any pod in any state.
World AnyWorld() {
  const std::vector<std::string> specs = {kTwo,       kTwoNever,  kTwoOnFailure, kInit,
                                          kInitNever, kSidecar,   kSidecarNever, kProbedSidecar,
                                          kRules,     kRestartAll};
  const std::vector<std::string> sandboxes = {"",
                                              "sandbox ready",
                                              "sandbox dead 2",
                                              "sandbox no-address",
                                              "sandbox dead 0; sandbox ready 1",
                                              "sandbox ready 0; sandbox ready 1"};
  const std::vector<std::string> states = {"",
                                           "running",
                                           "exited 0",
                                           "exited 1 ago 3",
                                           "exited 42",
                                           "exited 88",
                                           "created",
                                           "unknown",
                                           "running changed",
                                           "running dead",
                                           "running startup-ok live",
                                           "running startup-failed",
                                           "exited 1 older ago 900"};
  const std::string spec = *rc::gen::elementOf(specs);
  std::string state = *rc::gen::elementOf(sandboxes);
  for (const char* name : {"i", "s", "j", "a", "b"}) {
    const v1::Pod pod = PodOf(spec);
    if (!FindContainer(pod.spec, name)) continue;
    const std::string now = *rc::gen::elementOf(states);
    if (!now.empty()) state += std::string("; ") + name + " " + now;
    const int tries = *rc::gen::inRange(0, 4);
    if (tries > 0) state += std::string("; back-off ") + name + " 4 " + std::to_string(tries);
  }
  World world = MakeWorld(spec, state);
  world.restarting_all = *rc::gen::arbitrary<bool>() && CouldRestartAllContainers(world.pod.spec);
  return world;
}

template <class Property>
void Holds(Property&& property) {
  EXPECT_TRUE(rc::check(std::forward<Property>(property)));
}

TEST_F(PodActionsTest, NothingStartsInAPodThatEndedOrIsToEnd) {
  Holds([] {
    World world = AnyWorld();
    if (*rc::gen::arbitrary<bool>()) {
      world.pod.status.phase = *rc::gen::elementOf(std::vector<std::string>{"Failed", "Succeeded"});
    } else {
      world.pod.metadata.deletionTimestamp = api::Time::FromUnix(1);
    }
    const PodActions actions = Plan(world);
    RC_ASSERT(actions.init_containers_to_start.empty());
    RC_ASSERT(actions.containers_to_start.empty());
    RC_ASSERT(actions.ephemeral_containers_to_start.empty());
    RC_ASSERT(!actions.create_sandbox);
    RC_ASSERT(actions.kill_pod == world.observed.AnythingRuns());
  });
}

// Whatever is started does not run, or is killed before.
TEST_F(PodActionsTest, NeverTwoInstancesOfAContainer) {
  Holds([] {
    const World world = AnyWorld();
    const PodActions actions = Plan(world);
    auto check = [&](const std::string& name) {
      for (const ObservedContainer& state : world.observed.containers) {
        if (state.name != name || (!state.running() && StateName(state.state) != "unknown"))
          continue;
        const bool killed = actions.kill_pod ||
                            std::ranges::any_of(actions.containers_to_kill, [&](const auto& kill) {
                              return kill.id == state.id;
                            });
        RC_ASSERT(killed);
      }
    };
    std::set<size_t> seen;
    for (size_t i : actions.init_containers_to_start) {
      RC_ASSERT(seen.insert(i).second);
      check(world.pod.spec.initContainers[i].name);
    }
    seen.clear();
    for (size_t i : actions.containers_to_start) {
      RC_ASSERT(seen.insert(i).second);
      check(world.pod.spec.containers[i].name);
    }
  });
}

// Carries the plan out, with every container that starts running at once.
void Apply(const PodActions& actions, World* world) {
  auto& containers = world->observed.containers;
  auto end = [](ObservedContainer& container) {
    if (container.exited()) return;
    container.state = cri::ContainerState::kContainerExited;
    container.exit_code = 137;
    container.finished_at = kNow;
  };
  if (actions.kill_pod) {
    std::ranges::for_each(containers, end);
    for (auto& sandbox : world->observed.sandboxes) {
      sandbox.state = cri::PodSandboxState::kSandboxNotready;
    }
  }
  if (actions.create_sandbox) {
    world->observed.sandboxes.push_back(SandboxOf("new", true, actions.attempt));
    std::erase_if(containers, [&](const auto& container) {
      return std::ranges::any_of(world->pod.spec.initContainers,
                                 [&](const auto& init) { return init.name == container.name; });
    });
  }
  for (const auto& kill : actions.containers_to_kill) {
    for (auto& container : containers) {
      if (container.id == kill.id) end(container);
    }
  }
  for (const auto& reset : actions.containers_to_reset) {
    std::erase_if(containers, [&](const auto& container) { return container.id == reset.id; });
  }
  auto start = [&](const std::string& name) {
    static int made = 0;
    ObservedContainer container = ContainerOf(world->pod, name, "running");
    container.id = name + "-made-" + std::to_string(++made);
    container.created_at = kNow + made;
    world->probes.startup[container.id] = ProbeResult::kSuccess;
    containers.push_back(std::move(container));
  };
  for (size_t i : actions.init_containers_to_start) start(world->pod.spec.initContainers[i].name);
  for (size_t i : actions.containers_to_start) start(world->pod.spec.containers[i].name);
  world->observed.Sort();
}

TEST_F(PodActionsTest, PlanningTwiceIsTheSame) {
  Holds([] {
    const World world = AnyWorld();
    RC_ASSERT(Show(world.pod, Plan(world)) == Show(world.pod, Plan(world)));
  });
}

// Whatever the state: after some rounds, in which init containers complete, there is nothing left
// to do, and the pod runs or has ended.
TEST_F(PodActionsTest, PlansComeToRest) {
  Holds([] {
    World world = AnyWorld();
    const int64_t later = kNow + (1000 * kSecond);
    PodActions actions = Plan(world, later);
    for (int round = 0; round < 20 && !actions.Empty(); ++round) {
      if (actions.is_over) return;
      Apply(actions, &world);
      world.restarting_all = false;
      for (auto& container : world.observed.containers) {
        const v1::Container* spec = FindContainer(world.pod.spec, container.name);
        const bool init =
            spec >= world.pod.spec.initContainers.data() &&
            spec < world.pod.spec.initContainers.data() + world.pod.spec.initContainers.size();
        if (!init || IsSidecar(*spec) || !container.running()) continue;
        container.state = cri::ContainerState::kContainerExited;
        container.exit_code = 0;
      }
      actions = Plan(world, later);
      if (actions.kill_pod && !actions.create_sandbox && !world.observed.AnythingRuns()) return;
    }
    RC_ASSERT(actions.Empty() || (actions.kill_pod && !actions.create_sandbox));
  });
}

TEST(BackOffTest, DoublesAndForgets) {
  BackOff back_off;
  int64_t now = kNow;
  EXPECT_EQ(back_off.WaitUntil("k", now, now), std::nullopt);
  for (int64_t seconds : {10, 20, 40, 80, 160, 300, 300}) {
    back_off.Next("k", now, now);
    EXPECT_EQ(back_off.Delay("k"), seconds * kSecond);
    EXPECT_EQ(back_off.WaitUntil("k", now, now), now + (seconds * kSecond));
    EXPECT_EQ(back_off.WaitUntil("k", now, now + (seconds * kSecond)), std::nullopt);
    now += seconds * kSecond;
  }
  EXPECT_EQ(back_off.WaitUntil("other", now, now), std::nullopt);
  // It ran for ten minutes and a bit.
  now += 601 * kSecond;
  EXPECT_EQ(back_off.WaitUntil("k", now, now), std::nullopt);
  back_off.Next("k", now, now);
  EXPECT_EQ(back_off.Delay("k"), 10 * kSecond);
  back_off.Forget("k");
  EXPECT_EQ(back_off.Delay("k"), 0);
  back_off.Next("k", now, now);
  back_off.Prune(now + (600 * kSecond));
  EXPECT_EQ(back_off.Delay("k"), 10 * kSecond);
  back_off.Prune(now + (601 * kSecond));
  EXPECT_EQ(back_off.Delay("k"), 0);
}

}  // namespace
}  // namespace podium::node
