#include "node/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "node/agent.h"
#include "node/critical_pods.h"
#include "node/fake_services.h"
#include "node/pod_origin.h"
#include "node/pods.h"
#include "node/preemption.h"
#include "node/shutdown/shutdown_manager.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr int32_t kSystem = 2'000'000'000;

v1::Node NodeWith(const std::map<std::string, std::string>& allocatable) {
  v1::Node node;
  node.metadata.name = "node7";
  node.metadata.labels = {{"kubernetes.io/os", "linux"}, {"zone", "a"}};
  for (const auto& [name, amount] : allocatable) {
    node.status.allocatable[name] = api::Quantity::Must(amount);
  }
  return node;
}

v1::Node Usual() {
  return NodeWith({{"cpu", "4"}, {"memory", "1Gi"}, {"pods", "10"}, {"ephemeral-storage", "1Gi"}});
}

std::shared_ptr<const v1::Pod> Other(const std::string& spec, const std::string& name = "other") {
  v1::Pod pod = PodOf(spec);
  pod.metadata.name = name;
  pod.metadata.uid = name;
  return std::make_shared<const v1::Pod>(std::move(pod));
}

class AdmissionTest : public ::testing::Test {
 protected:
  // "" when it is taken.
  std::string Refusal(const v1::Pod& pod) {
    const Admission out = Ask(pod);
    return out.refusal ? out.refusal->reason + ": " + out.refusal->message : "";
  }
  std::string Refusal(const std::string& spec) { return Refusal(PodOf(spec)); }
  Admission Ask(const v1::Pod& pod) {
    return AdmitPod({.pod = pod,
                     .others = others_,
                     .node = &node_,
                     .sysctls = *SysctlRules::Of(sysctls_),
                     .pressures = pressures_,
                     .apparmor = apparmor_,
                     .shutting_down = shutting_down_});
  }
  std::vector<std::string> Preempted(const v1::Pod& pod) {
    std::vector<std::string> names;
    for (const auto& each : Ask(pod).preempted) names.push_back(each->metadata.name);
    return names;
  }

  v1::Node node_ = Usual();
  AdmissionInput::Pods others_;
  std::vector<std::string> sysctls_;
  std::vector<std::string> pressures_;
  bool apparmor_ = true;
  bool shutting_down_ = false;
};

TEST_F(AdmissionTest, WhatIsLeftOfTheNode) {
  others_ = {
      Other("containers: [{name: a, resources: {requests: {cpu: 2500m, memory: 512Mi, "
            "ephemeral-storage: 1Mi}}}]")};
  EXPECT_EQ(Refusal("containers: [{name: a, resources: {requests: {cpu: 1500m}}}]"), "");
  EXPECT_EQ(Refusal("containers: [{name: a, resources: {requests: {cpu: 1501m}}}]"),
            "OutOfcpu: Node didn't have enough resource: cpu, requested: 1501, used: 2500, "
            "capacity: 4000");
  EXPECT_EQ(Refusal("containers: [{name: a, resources: {requests: {memory: 513Mi}}}]"),
            "OutOfmemory: Node didn't have enough resource: memory, requested: 537919488, used: "
            "536870912, capacity: 1073741824");
  EXPECT_EQ(Refusal("containers: [{name: a, resources: {requests: {ephemeral-storage: 1Gi}}}]"),
            "OutOfephemeral-storage: Node didn't have enough resource: ephemeral-storage, "
            "requested: 1073741824, used: 1048576, capacity: 1073741824");
  // Several: the first one.
  EXPECT_EQ(
      Refusal("containers: [{name: a, resources: {requests: {cpu: 9, memory: 9Gi}}}]").substr(0, 8),
      "OutOfcpu");
  node_.status.allocatable["pods"] = api::Quantity::Must("1");
  EXPECT_EQ(Refusal("containers: [{name: a}]"),
            "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: "
            "1");
}

TEST_F(AdmissionTest, WhoAsksForNothingFitsIntoAnOverfullNode) {
  others_ = {Other("containers: [{name: a, resources: {requests: {cpu: 5}}}]")};
  EXPECT_EQ(Refusal("containers: [{name: a}]"), "");
}

TEST_F(AdmissionTest, ExtendedResourcesCountWhereTheNodeKnowsThem) {
  const std::string spec =
      "containers: [{name: a, resources: {requests: {example.com/gpu: 2}, limits: "
      "{example.com/gpu: 2}}}]";
  EXPECT_EQ(Refusal(spec), "");
  node_.status.allocatable["example.com/gpu"] = api::Quantity::Must("1");
  EXPECT_EQ(Refusal(spec),
            "OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: "
            "2, used: 0, capacity: 1");
  EXPECT_EQ(Refusal("containers: [{name: a, resources: {requests: {hugepages-2Mi: 2Mi}}}]"),
            "OutOfhugepages-2Mi: Node didn't have enough resource: hugepages-2Mi, requested: "
            "2097152, used: 0, capacity: 0");
}

TEST_F(AdmissionTest, LabelsNamePortsAndTaints) {
  EXPECT_EQ(Refusal("nodeSelector: {zone: a}, containers: [{name: a}]"), "");
  const v1::Pod elsewhere = PodOf("nodeSelector: {zone: b}, containers: [{name: a}]");
  EXPECT_EQ(Refusal(elsewhere),
            "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node "
            "affinity/selector");
  EXPECT_TRUE(Ask(elsewhere).labels_alone);
  const std::string affinity =
      "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
      "{nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [";
  EXPECT_EQ(Refusal(affinity + "a]}]}]}}}, containers: [{name: a}]"), "");
  EXPECT_EQ(Refusal(affinity + "c]}]}]}}}, containers: [{name: a}]").substr(0, 12), "NodeAffinity");
  EXPECT_EQ(Refusal("nodeName: node8, containers: [{name: a}]"),
            "NodeName: Predicate NodeName failed: node(s) didn't match the requested node name");

  node_.spec.taints.emplace_back();
  node_.spec.taints[0].key = "down";
  node_.spec.taints[0].effect = "NoSchedule";
  EXPECT_EQ(Refusal("containers: [{name: a}]"), "");
  node_.spec.taints[0].effect = "NoExecute";
  EXPECT_EQ(Refusal("containers: [{name: a}]"),
            "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod "
            "didn't tolerate");
  EXPECT_EQ(Refusal("tolerations: [{key: down, operator: Exists}], containers: [{name: a}]"), "");
  v1::Pod fixed = PodOf("containers: [{name: a}]");
  fixed.metadata.annotations[std::string(kConfigSourceAnnotation)] = "file";
  EXPECT_EQ(Refusal(fixed), "");
}

TEST_F(AdmissionTest, PortsOfTheHost) {
  others_ = {
      Other("containers: [{name: a, ports: [{containerPort: 80, hostPort: 8080, protocol: TCP, "
            "hostIP: 127.0.0.1}]}]")};
  const auto ask = [&](const std::string& port) {
    return Refusal("containers: [{name: a, ports: [{containerPort: 80, " + port + "}]}]")
        .substr(0, 9);
  };
  EXPECT_EQ(ask("hostPort: 8080, protocol: TCP"), "NodePorts");
  EXPECT_EQ(ask("hostPort: 8080"), "NodePorts");
  EXPECT_EQ(ask("hostPort: 8080, protocol: UDP"), "");
  EXPECT_EQ(ask("hostPort: 8080, hostIP: 10.0.0.1"), "");
  EXPECT_EQ(ask("hostPort: 8080, hostIP: 127.0.0.1"), "NodePorts");
  EXPECT_EQ(ask("hostPort: 8081"), "");
  EXPECT_EQ(ask("protocol: TCP"), "");
  // A sidecar's too; not those of init containers that end.
  EXPECT_EQ(Refusal("initContainers: [{name: i, restartPolicy: Always, ports: [{containerPort: 1, "
                    "hostPort: 8080}]}], containers: [{name: a}]")
                .substr(0, 9),
            "NodePorts");
  EXPECT_EQ(Refusal("initContainers: [{name: i, ports: [{containerPort: 1, hostPort: 8080}]}], "
                    "containers: [{name: a}]"),
            "");
}

TEST_F(AdmissionTest, SystemSysctlsAndAppArmor) {
  v1::Pod pod = PodOf("containers: [{name: a}]");
  pod.metadata.labels["kubernetes.io/os"] = "windows";
  EXPECT_EQ(Refusal(pod),
            "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` "
            "label doesn't match node label");
  EXPECT_EQ(Refusal("os: {name: windows}, containers: [{name: a}]"),
            "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS");
  EXPECT_EQ(Refusal("securityContext: {sysctls: [{name: kernel.msgmax, value: \"1\"}]}, "
                    "containers: [{name: a}]"),
            "SysctlForbidden: forbidden sysctl: \"kernel.msgmax\" not allowlisted");
  const std::string confined =
      "containers: [{name: a, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]";
  EXPECT_EQ(Refusal(confined), "");
  apparmor_ = false;
  EXPECT_EQ(Refusal(confined),
            "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host");
  EXPECT_EQ(Refusal("containers: [{name: a, securityContext: {appArmorProfile: {type: "
                    "Unconfined}}}]"),
            "");
  EXPECT_EQ(Refusal("resourceClaims: [{name: c}], containers: [{name: a}]"),
            "PodFeatureUnsupported: spec.resourceClaims: Forbidden: resource claims are not "
            "offered here");
}

TEST_F(AdmissionTest, UnderPressureFewAreTaken) {
  const std::string best_effort = "containers: [{name: a}]";
  const std::string burstable = "containers: [{name: a, resources: {requests: {cpu: 1m}}}]";
  pressures_ = {"MemoryPressure"};
  EXPECT_EQ(Refusal(best_effort), "Evicted: The node had condition: [MemoryPressure]. ");
  EXPECT_EQ(Refusal(burstable), "");
  EXPECT_EQ(Refusal("tolerations: [{key: node.kubernetes.io/memory-pressure, operator: Exists, "
                    "effect: NoSchedule}], " +
                    best_effort),
            "");
  pressures_ = {"MemoryPressure", "PIDPressure"};
  EXPECT_EQ(Refusal(burstable), "Evicted: The node had condition: [MemoryPressure PIDPressure]. ");
  v1::Pod critical = PodOf(best_effort);
  critical.spec.priority = kSystem;
  EXPECT_EQ(Refusal(critical), "");
}

TEST_F(AdmissionTest, BeforeTheMachineGoesDownNobodyIsTaken) {
  shutting_down_ = true;
  v1::Pod critical = PodOf("containers: [{name: a, resources: {requests: {cpu: 2}}}]");
  critical.spec.priority = kSystem;
  const std::string refused = "NodeShutdown: Pod was rejected as the node is shutting down.";
  EXPECT_EQ(Refusal(critical), refused);
  // And no pod ends for it.
  others_ = {Other("containers: [{name: a, resources: {requests: {cpu: 3}}}]")};
  EXPECT_EQ(Refusal(critical), refused);
  EXPECT_THAT(Preempted(critical), IsEmpty());
  EXPECT_EQ(Refusal("os: {name: windows}, containers: [{name: a}]"),
            "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS");
}

TEST_F(AdmissionTest, OthersEndForACriticalPod) {
  others_ = {
      Other("containers: [{name: a}]", "best"),
      Other("containers: [{name: a, resources: {requests: {cpu: 500m}}}]", "small"),
      Other("containers: [{name: a, resources: {requests: {cpu: 1500m}}}]", "large"),
      Other("containers: [{name: a, resources: {requests: {cpu: 2, memory: 1Mi}, limits: {cpu: 2, "
            "memory: 1Mi}}}]",
            "guaranteed"),
  };
  v1::Pod critical = PodOf("containers: [{name: a, resources: {requests: {cpu: 1}}}]");
  EXPECT_EQ(Refusal(critical).substr(0, 8), "OutOfcpu");
  critical.spec.priority = kSystem;
  // One is enough; the smaller one is not.
  EXPECT_THAT(Preempted(critical), ElementsAre("large"));
  critical.spec.containers[0].resources.requests["cpu"] = api::Quantity::Must("500m");
  EXPECT_THAT(Preempted(critical), ElementsAre("small"));
  // Only when all the others are not enough.
  critical.spec.containers[0].resources.requests["cpu"] = api::Quantity::Must("3");
  EXPECT_THAT(Preempted(critical), ElementsAre("large", "guaranteed"));
  critical.spec.containers[0].resources.requests["cpu"] = api::Quantity::Must("5");
  EXPECT_EQ(Refusal(critical),
            "UnexpectedAdmissionError: Unexpected error while attempting to recover from admission "
            "failure: preemption: error finding a set of pods to preempt: no set of running pods "
            "found to reclaim resources: [(res: cpu, q: 1000), ]");
  // Whatever else is wrong is no matter of room.
  critical.spec.nodeSelector["zone"] = "b";
  EXPECT_EQ(Refusal(critical).substr(0, 12), "NodeAffinity");
}

TEST_F(AdmissionTest, CriticalPodsDoNotEndForEachOther) {
  v1::Pod holder = PodOf("containers: [{name: a, resources: {requests: {cpu: 4}}}]");
  holder.spec.priority = kSystem;
  holder.metadata.uid = "holder";
  others_ = {std::make_shared<const v1::Pod>(holder)};
  v1::Pod critical = PodOf("containers: [{name: a, resources: {requests: {cpu: 1}}}]");
  critical.spec.priority = kSystem;
  EXPECT_EQ(Refusal(critical).substr(0, 24), "UnexpectedAdmissionError");
  critical.spec.priority = kSystem + 1000;
  EXPECT_THAT(Preempted(critical), ElementsAre("p"));
}

TEST(SysctlRulesTest, WhatIsAllowed) {
  const auto ask = [](const std::vector<std::string>& allowed, const std::string& spec) {
    return SysctlRules::Of(allowed)->Refusal(PodOf(spec + ", containers: [{name: a}]"));
  };
  const std::string safe =
      "securityContext: {sysctls: [{name: net/ipv4/tcp_syncookies, value: \"1\"}]}";
  EXPECT_EQ(ask({}, safe), std::nullopt);
  EXPECT_EQ(ask({}, "hostNetwork: true, " + safe),
            "forbidden sysctl: \"net.ipv4.tcp_syncookies\" not allowed with host net enabled");
  const std::string unsafe = "securityContext: {sysctls: [{name: kernel.msgmax, value: \"1\"}]}";
  EXPECT_EQ(ask({"kernel/msg*"}, unsafe), std::nullopt);
  EXPECT_EQ(ask({"kernel.msgmax"}, unsafe), std::nullopt);
  EXPECT_EQ(ask({"kernel.msg*"}, "hostIPC: true, " + unsafe),
            "forbidden sysctl: \"kernel.msgmax\" not allowed with host ipc enabled");
  EXPECT_EQ(ask({"net.*"}, unsafe), "forbidden sysctl: \"kernel.msgmax\" not allowlisted");

  const auto error = [](const std::string& pattern) {
    const auto rules = SysctlRules::Of({pattern});
    return rules.ok() ? "" : rules.error().message();
  };
  EXPECT_EQ(error("vm.swappiness"), "the sysctl \"vm.swappiness\" are not known to be namespaced");
  EXPECT_EQ(error("kernel.*"), "the sysctls \"kernel.*\" are not known to be namespaced");
  EXPECT_EQ(error("net.ipv4.*"), "");
  EXPECT_EQ(error("Net."),
            "sysctl \"Net.\" must have at most 253 characters and match regex "
            "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]");
}

// With an agent: what becomes of a pod that is refused, and of those that end for another.
class AdmittingAgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    Agent::Parts parts = PartsOf(node_, objects_);
    api_node_ = std::make_shared<const v1::Node>(Usual());
    parts.node = [this](bool now) {
      if (now) ++asked_;
      return now && newer_ ? newer_ : api_node_;
    };
    parts.on_end = [this] { ++ends_; };
    auto opened = Agent::Open(parts);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
  }
  // Without time for anything to happen after it.
  void Give(const std::string& name, const std::string& spec, int32_t priority = 0) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    pod.metadata.uid = name;
    pod.metadata.generation = 1;
    pod.spec.priority = priority;
    pod.status.phase = "Pending";
    const auto assigned = agent_->Assign(std::move(pod), PodOrigin::kApi);
    ASSERT_TRUE(assigned.ok()) << assigned.error().message();
  }
  void Assign(const std::string& name, const std::string& spec, int32_t priority = 0) {
    Give(name, spec, priority);
    node_.time.RunFor(100ms);
  }
  // At the socket.
  v1::Pod Create(const std::string& name, const std::string& spec, int32_t priority = 0) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    pod.spec.priority = priority;
    const auto created = agent_->CreatePod(std::move(pod));
    EXPECT_TRUE(created.ok()) << created.error().message();
    return created.ok() ? *created : v1::Pod();
  }
  std::string Phase(const std::string& name) {
    const auto pod = agent_->GetPod("ns", name);
    if (!pod.ok()) return "";
    return pod->status.reason.empty() ? pod->status.phase
                                      : pod->status.phase + " " + pod->status.reason;
  }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::shared_ptr<const v1::Node> api_node_;
  std::shared_ptr<const v1::Node> newer_;
  int asked_ = 0;
  int ends_ = 0;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AdmittingAgentTest, ARefusedPodFailsAndSaysWhy) {
  Assign("big", "containers: [{name: a, resources: {requests: {cpu: 3}}}]");
  EXPECT_EQ(Phase("big"), "Running");
  Assign("late", "containers: [{name: a, resources: {requests: {cpu: 2}}}]");
  EXPECT_EQ(Phase("late"), "Failed OutOfcpu");
  const v1::PodStatus status = agent_->GetPod("ns", "late")->status;
  EXPECT_EQ(status.message,
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, "
            "capacity: 4000");
  EXPECT_FALSE(status.startTime);
  EXPECT_THAT(status.containerStatuses, IsEmpty());
  EXPECT_EQ(node_.runtime.ListContainers({})->size(), 1U);
  EXPECT_THAT(node_.Events(),
              Contains("OutOfcpu: Node didn't have enough resource: cpu, requested: 2000, used: "
                       "3000, capacity: 4000"));
  // What has failed takes no room.
  Assign("small", "containers: [{name: a, resources: {requests: {cpu: 1}}}]");
  EXPECT_EQ(Phase("small"), "Running");
}

TEST_F(AdmittingAgentTest, PodsOfTheSocketAreAdmittedAsAllOthers) {
  const v1::Pod big = Create("big", "containers: [{name: a, resources: {requests: {cpu: 3}}}]");
  EXPECT_EQ(big.status.phase, "Pending");
  const v1::Pod late = Create("late", "containers: [{name: a, resources: {requests: {cpu: 2}}}]");
  EXPECT_EQ(late.status.phase, "Failed");
  EXPECT_EQ(late.status.reason, "OutOfcpu");
  EXPECT_EQ(late.status.message,
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, "
            "capacity: 4000");
  EXPECT_EQ(OriginOf(late), PodOrigin::kSocket);
  node_.time.RunFor(1s);
  EXPECT_EQ(Phase("big"), "Running");
  EXPECT_EQ(Phase("late"), "Failed OutOfcpu");
  EXPECT_EQ(node_.runtime.ListContainers({})->size(), 1U);
  EXPECT_THAT(node_.Events(),
              Contains("OutOfcpu: Node didn't have enough resource: cpu, requested: 2000, used: "
                       "3000, capacity: 4000"));
  Create("elsewhere", "nodeSelector: {zone: b}, containers: [{name: a}]");
  EXPECT_EQ(Phase("elsewhere"), "Failed NodeAffinity");
  EXPECT_EQ(asked_, 1);
  agent_->SetPressures({"DiskPressure"});
  Create("pressed", "containers: [{name: a}]");
  EXPECT_EQ(Phase("pressed"), "Failed Evicted");
  agent_->SetPressures({});
  agent_->SetShuttingDown(true);
  Create("after", "containers: [{name: a}]");
  EXPECT_EQ(Phase("after"), "Failed NodeShutdown");
}

// Ends twenty seconds after it was told to.
constexpr const char* kSlow =
    "containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 20}}}, resources: {requests: "
    "{cpu: 3}}}], terminationGracePeriodSeconds: 30";

TEST_F(AdmittingAgentTest, ACriticalPodOfTheSocketWaitsAndIsSeen) {
  Assign("victim", kSlow);
  const std::string spec = "containers: [{name: b, resources: {requests: {cpu: 2}}}]";
  Create("critical", spec, kSystem);
  node_.time.RunFor(10s);
  EXPECT_EQ(Phase("victim"), "Running");
  EXPECT_EQ(Phase("critical"), "Pending");
  EXPECT_EQ(node_.runtime.ListContainers({})->size(), 1U);
  // It counts already.
  Give("third", "containers: [{name: c, resources: {requests: {cpu: 500m}}}]");
  EXPECT_EQ(Phase("third"), "Failed OutOfcpu");
  v1::Pod again = PodOf(spec);
  again.metadata.name = "critical";
  EXPECT_EQ(agent_->CreatePod(again).error().code(), Code::kAlreadyExists);
  node_.time.RunFor(30s);
  EXPECT_EQ(Phase("victim"), "Failed Preempting");
  EXPECT_EQ(Phase("critical"), "Running");
  // And once.
  Assign("fourth", "containers: [{name: c, resources: {requests: {cpu: 2}}}]");
  EXPECT_EQ(Phase("fourth"), "Running");
}

TEST_F(AdmittingAgentTest, ACriticalPodOfTheSocketThatIsDeletedBeforeItsTurnGoes) {
  Assign("victim", kSlow);
  Create("critical", "containers: [{name: b, resources: {requests: {cpu: 2}}}]", kSystem);
  ASSERT_TRUE(agent_->DeletePod("ns", "critical", std::nullopt).ok());
  node_.time.RunFor(5s);
  EXPECT_EQ(Phase("victim"), "Running");
  EXPECT_FALSE(agent_->GetPod("ns", "critical").ok());
  node_.time.RunFor(40s);
  EXPECT_EQ(Phase("victim"), "Failed Preempting");
  EXPECT_FALSE(agent_->GetPod("ns", "critical").ok());
}

TEST_F(AdmittingAgentTest, ACriticalPodOfTheSocketThatWaitedWhenTheMachineBeganToGoDownFails) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Assign("victim", "containers: [{name: a, resources: {requests: {cpu: 3}}}]");
  Create("critical", "containers: [{name: b, resources: {requests: {cpu: 2}}}]", kSystem);
  agent_->SetShuttingDown(true);
  node_.time.RunFor(60s);
  EXPECT_EQ(Phase("critical"), "Failed NodeShutdown");
  EXPECT_EQ(agent_->GetPod("ns", "critical")->status.message,
            "Pod was rejected: Pod was rejected as the node is shutting down.");
  EXPECT_EQ(node_.runtime.ListContainers({})->size(), 1U);
}

TEST_F(AdmittingAgentTest, LabelsAreAskedOfTheServerBeforeItIsRefused) {
  v1::Node node = Usual();
  node.metadata.labels["new"] = "yes";
  newer_ = std::make_shared<const v1::Node>(std::move(node));
  Assign("web", "nodeSelector: {new: \"yes\"}, containers: [{name: a}]");
  EXPECT_EQ(Phase("web"), "Running");
  EXPECT_EQ(asked_, 1);
  Assign("big", "nodeSelector: {old: x}, containers: [{name: a, resources: {requests: {cpu: 9}}}]");
  EXPECT_EQ(Phase("big"), "Failed OutOfcpu");
  EXPECT_EQ(asked_, 1);
}

TEST_F(AdmittingAgentTest, ACriticalPodWaitsForThoseThatEndForIt) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Assign("victim",
         "containers: [{name: a, resources: {requests: {cpu: 3}}}], "
         "terminationGracePeriodSeconds: 30");
  Give("critical", "containers: [{name: b, resources: {requests: {cpu: 2}}}]", kSystem);
  EXPECT_EQ(Phase("victim"), "Running");
  EXPECT_EQ(Phase("critical"), "");
  // It counts already.
  Give("third", "containers: [{name: c, resources: {requests: {cpu: 500m}}}]");
  EXPECT_EQ(Phase("third"), "Failed OutOfcpu");
  node_.time.RunFor(40s);
  EXPECT_EQ(Phase("victim"), "Failed Preempting");
  EXPECT_EQ(Phase("critical"), "Running");
  const v1::PodStatus status = agent_->GetPod("ns", "victim")->status;
  EXPECT_EQ(status.message, "Preempted in order to admit critical pod");
  const auto condition = std::ranges::find(status.conditions, "DisruptionTarget",
                                           [](const auto& each) { return each.type; });
  ASSERT_NE(condition, status.conditions.end());
  EXPECT_EQ(condition->status, "True");
  EXPECT_EQ(condition->reason, "TerminationByKubelet");
  EXPECT_EQ(condition->message, "Preempted in order to admit critical pod");
  EXPECT_THAT(node_.Events(), Contains("Preempting: Preempted in order to admit critical pod"));
}

TEST_F(AdmittingAgentTest, APodThatWaitedWhenTheMachineBeganToGoDownIsRefused) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Assign("victim", "containers: [{name: a, resources: {requests: {cpu: 3}}}]");
  Give("critical", "containers: [{name: b, resources: {requests: {cpu: 2}}}]", kSystem);
  agent_->SetShuttingDown(true);
  node_.time.RunFor(40s);
  EXPECT_EQ(Phase("victim"), "Failed Preempting");
  EXPECT_EQ(Phase("critical"), "Failed NodeShutdown");
  EXPECT_EQ(agent_->GetPod("ns", "critical")->status.message,
            "Pod was rejected: Pod was rejected as the node is shutting down.");
  Assign("late", "containers: [{name: c}]");
  EXPECT_EQ(Phase("late"), "Failed NodeShutdown");
  agent_->SetShuttingDown(false);
  Assign("later", "containers: [{name: c}]");
  EXPECT_EQ(Phase("later"), "Running");
}

TEST_F(AdmittingAgentTest, StaticPodsThatEndedWithTheMachineBeginAnew) {
  const auto assign = [&](const std::string& name, PodOrigin origin) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = pod.metadata.uid = name;
    pod.status.phase = "Pending";
    ASSERT_TRUE(agent_->Assign(std::move(pod), origin).ok());
    node_.time.RunFor(1s);
  };
  assign("static", PodOrigin::kFile);
  assign("evicted", PodOrigin::kFile);
  assign("bound", PodOrigin::kApi);
  agent_->Evict("static", ShutdownFailure(), 1);
  agent_->Evict("bound", ShutdownFailure(), 1);
  agent_->Evict("evicted", {.reason = "Evicted", .message = "", .disrupts = true}, 1);
  node_.time.RunFor(10s);
  EXPECT_EQ(Phase("static"), "Failed Terminated");
  agent_.reset();
  auto opened = Agent::Open(PartsOf(node_, objects_));
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  agent_ = *std::move(opened);
  for (const char* name : {"static", "evicted"}) assign(name, PodOrigin::kFile);
  assign("bound", PodOrigin::kApi);
  EXPECT_EQ(Phase("static"), "Running");
  EXPECT_EQ(Phase("evicted"), "Failed Evicted");
  EXPECT_EQ(Phase("bound"), "Failed Terminated");
}

TEST_F(AdmittingAgentTest, TheShortestTimeCountsForAPodThatEnds) {
  Assign("web",
         "containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 900}}}}], "
         "terminationGracePeriodSeconds: 1000");
  agent_->Evict("web", {.reason = "Evicted", .message = "", .disrupts = true}, 600);
  node_.time.RunFor(60s);
  EXPECT_FALSE(agent_->HasEnded("web"));
  agent_->Evict("web", {.reason = "Terminated", .message = "", .disrupts = true}, 5);
  node_.time.RunFor(3s);
  EXPECT_FALSE(agent_->HasEnded("web"));
  EXPECT_EQ(ends_, 0);
  node_.time.RunFor(10s);
  EXPECT_EQ(Phase("web"), "Failed Evicted");
  EXPECT_TRUE(agent_->HasEnded("web"));
  EXPECT_TRUE(agent_->HasEnded("nobody"));
  EXPECT_EQ(ends_, 1);
}

TEST_F(AdmittingAgentTest, ACriticalPodThatGoesBeforeItsTurnIsForgotten) {
  node_.runtime.Script("a", {.ignores_stop_signal = true});
  Assign("victim", "containers: [{name: a, resources: {requests: {cpu: 3}}}]");
  Give("critical", "containers: [{name: b, resources: {requests: {cpu: 2}}}]", kSystem);
  agent_->Unassign("critical");
  node_.time.RunFor(40s);
  EXPECT_EQ(Phase("victim"), "Failed Preempting");
  EXPECT_EQ(Phase("critical"), "");
}

}  // namespace
}  // namespace podium::node
