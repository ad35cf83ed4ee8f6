#include "node/cluster/node_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/cluster/descriptions.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::node {
namespace {

using api::Quantity;
using testing::ElementsAre;
using testing::IsEmpty;

// 14 March 2026, 9:26:53.
constexpr int64_t kNow = 1'773'480'413 * kNanosPerSecond;
constexpr int64_t kLater = kNow + 10 * kNanosPerSecond;

NodeHealth Healthy() { return HealthOfRuntime(RuntimeStatus()); }

// Compares with tests/node/golden/NAME; PODIUM_ACCEPT=1 writes it.
void ExpectGolden(const v1::Node& node, const std::string& name) {
  const auto path = std::filesystem::path(PODIUM_SOURCE_DIR) / "tests/node/golden" / name;
  std::string text;
  ASSERT_TRUE(reflect::JsonToYaml(*reflect::ToJson(node), &text).ok());
  if (std::getenv("PODIUM_ACCEPT")) {  // NOLINT(concurrency-mt-unsafe): nothing sets
    std::ofstream(path) << text;
  }
  std::ostringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, expected.str()) << path;
}

const v1::NodeCondition& ConditionOf(const v1::Node& node, std::string_view type) {
  static const v1::NodeCondition kNone;
  for (const auto& each : node.status.conditions) {
    if (each.type == type) return each;
  }
  ADD_FAILURE() << "no condition " << type;
  return kNone;
}

std::vector<std::string> Reasons(const std::vector<NodeEvent>& events) {
  std::vector<std::string> out;
  for (const NodeEvent& each : events) out.push_back(each.reason);
  return out;
}

// What a server makes of the patch.
v1::Node Patched(const v1::Node& before, const std::string& patch) {
  auto tree = reflect::ParseJson(*reflect::ToJson(before));
  EXPECT_TRUE(
      reflect::ApplyStrategicPatch(reflect::TypeOf<v1::Node>(), *reflect::ParseJson(patch), &*tree)
          .ok());
  return *reflect::FromJson<v1::Node>(reflect::ToText(*tree));
}

TEST(NodeObject, Golden) {
  NodeDescription node = SmallNode();
  node.machine.swap_bytes = 2 << 20;
  node.settings.labels = {{"disk", "ssd"}};
  node.settings.kube_reserved = {{"cpu", Quantity::Must("100m")}};
  node.settings.declared_features = {"Some"};
  NodeHealth health = Healthy();
  health.images = ImagesForStatus(
      {{.id = "sha256:1", .digests = {"r/a@sha256:1"}, .tags = {"r/a:1", "r/a:2"}, .size = 5000}});
  ExpectGolden(InitialNode(node, health, kNow), "node.yaml");
}

TEST(NodeObject, AllocatableIsWhatIsNotReserved) {
  NodeDescription node = SmallNode();
  node.settings.kube_reserved = {{"cpu", Quantity::Must("100m")},
                                 {"memory", Quantity::Must("200Mi")}};
  node.settings.system_reserved = {{"cpu", Quantity::Must("150m")},
                                   {"memory", Quantity::Must("50Mi")},
                                   {"ephemeral-storage", Quantity::Must("1Gi")}};
  const ResourceList capacity = CapacityOf(node);
  EXPECT_EQ(capacity.at("cpu").String(), "2");
  EXPECT_EQ(capacity.at("memory").String(), "4046864Ki");
  EXPECT_EQ(capacity.at("ephemeral-storage").String(), "30309264Ki");
  EXPECT_EQ(capacity.at("hugepages-2Mi").String(), "8Mi");
  EXPECT_EQ(capacity.at("hugepages-1Gi").String(), "0");
  EXPECT_EQ(capacity.at("pods").String(), "110");
  const ResourceList left = AllocatableOf(node, capacity);
  EXPECT_EQ(left.at("cpu").String(), "1750m");
  // Without 100Mi for eviction and 8Mi of huge pages.
  EXPECT_EQ(left.at("memory").String(), std::to_string(4046864 - 358 * 1024) + "Ki");
  EXPECT_EQ(left.at("pods").String(), "110");
  EXPECT_EQ(left.at("hugepages-2Mi").String(), "8Mi");
  // A tenth as kubelets count it, by way of a float.
  EXPECT_EQ(left.at("ephemeral-storage").Value(), int64_t{27933017657} - (int64_t{1} << 30));
}

TEST(NodeObject, AllocatableIsNeverBelowZero) {
  NodeDescription node = SmallNode();
  node.settings.kube_reserved = {{"cpu", Quantity::Must("3")}, {"memory", Quantity::Must("4Gi")}};
  const ResourceList left = AllocatableOf(node, CapacityOf(node));
  EXPECT_EQ(left.at("cpu").String(), "0");
  EXPECT_EQ(left.at("memory").String(), "0");
}

TEST(NodeObject, EvictionThresholdsAreAmountsOrParts) {
  NodeDescription node = SmallNode();
  node.machine.huge_pages.clear();
  node.settings.eviction_hard = {{.signal = "memory.available", .percentage = 0.5F},
                                 {.signal = "nodefs.available", .quantity = Quantity::Must("1Ki")}};
  const ResourceList left = AllocatableOf(node, CapacityOf(node));
  EXPECT_EQ(left.at("memory").String(), std::to_string(4046864 / 2) + "Ki");
  EXPECT_EQ(left.at("ephemeral-storage").String(), "30309263Ki");
  node.settings.eviction_hard.clear();
  EXPECT_EQ(AllocatableOf(node, CapacityOf(node)).at("memory").String(), "4046864Ki");
}

TEST(NodeObject, UnschedulableIsTaintedAtOnce) {
  NodeDescription node = SmallNode();
  v1::Taint mine;
  mine.key = "a";
  mine.effect = "NoExecute";
  node.settings.taints = {mine};
  node.settings.register_schedulable = false;
  v1::Node object = InitialNode(node, Healthy(), kNow);
  EXPECT_TRUE(object.spec.unschedulable);
  ASSERT_EQ(object.spec.taints.size(), 2U);
  EXPECT_EQ(object.spec.taints[1].key, "node.kubernetes.io/unschedulable");
  node.settings.taints = {object.spec.taints[1]};
  EXPECT_EQ(InitialNode(node, Healthy(), kNow).spec.taints.size(), 1U);
}

TEST(NodeObject, ReadyOrWhyNot) {
  const NodeDescription node = SmallNode();
  v1::Node object;
  EXPECT_THAT(
      Reasons(SetNodeStatus(node, Healthy(), kNow, &object)),
      ElementsAre("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"));
  EXPECT_EQ(ConditionOf(object, "Ready").status, "True");
  EXPECT_EQ(ConditionOf(object, "Ready").reason, "KubeletReady");
  EXPECT_EQ(ConditionOf(object, "Ready").message, "kubelet is posting ready status");
  EXPECT_EQ(object.status.conditions.back().type, "Ready");

  const NodeHealth no_network = HealthOfRuntime(RuntimeStatus(false));
  EXPECT_THAT(SetNodeStatus(node, no_network, kLater, &object),
              ElementsAre(NodeEvent{EventType::kNormal, "NodeNotReady",
                                    "Node n1 status is now: NodeNotReady"}));
  EXPECT_EQ(ConditionOf(object, "Ready").status, "False");
  EXPECT_EQ(ConditionOf(object, "Ready").reason, "KubeletNotReady");
  EXPECT_EQ(ConditionOf(object, "Ready").message,
            "container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:cni plugin not initialized");
  EXPECT_EQ(ConditionOf(object, "Ready").lastTransitionTime.unix_seconds(), kLater / 1000000000);
  EXPECT_EQ(ConditionOf(object, "MemoryPressure").lastTransitionTime.unix_seconds(),
            kNow / 1000000000);
  EXPECT_EQ(ConditionOf(object, "MemoryPressure").lastHeartbeatTime.unix_seconds(),
            kLater / 1000000000);

  NodeHealth two = no_network;
  two.problems.emplace_back("node is shutting down");
  two.problems.push_back(two.problems.back());
  EXPECT_THAT(SetNodeStatus(node, two, kLater, &object), IsEmpty());
  EXPECT_EQ(ConditionOf(object, "Ready").message,
            "[container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:cni plugin not initialized, "
            "node is shutting down]");
  EXPECT_THAT(Reasons(SetNodeStatus(node, Healthy(), kLater, &object)), ElementsAre("NodeReady"));
}

TEST(NodeObject, RuntimeThatIsNotReady) {
  wire::cri::StatusResponse status = RuntimeStatus();
  status.status->conditions.erase(status.status->conditions.begin() + 1);
  status.status->conditions[0] = {std::string(wire::cri::kRuntimeReady), false, "No", "later"};
  EXPECT_THAT(HealthOfRuntime(status).problems,
              ElementsAre("container runtime not ready: RuntimeReady=false reason:No message:later",
                          "container runtime network not ready: <nil>"));
  EXPECT_THAT(HealthOfRuntime(Error(Code::kUnavailable, "x")).problems,
              ElementsAre("container runtime is down"));
}

TEST(NodeObject, ACapacityThatIsNotKnownIsNotReady) {
  NodeDescription node = SmallNode();
  node.machine.disk_bytes = 0;
  EXPECT_EQ(ConditionOf(InitialNode(node, Healthy(), kNow), "Ready").message,
            "missing node capacity for resources: ephemeral-storage");
}

TEST(NodeObject, Pressures) {
  const NodeDescription node = SmallNode();
  v1::Node object = InitialNode(node, Healthy(), kNow);
  NodeHealth pressed = Healthy();
  pressed.memory_pressure = pressed.disk_pressure = pressed.pid_pressure = true;
  EXPECT_THAT(
      Reasons(SetNodeStatus(node, pressed, kLater, &object)),
      ElementsAre("NodeHasInsufficientMemory", "NodeHasDiskPressure", "NodeHasInsufficientPID"));
  EXPECT_EQ(ConditionOf(object, "DiskPressure").message, "kubelet has disk pressure");
  EXPECT_EQ(ConditionOf(object, "PIDPressure").reason, "KubeletHasInsufficientPID");
  EXPECT_EQ(ConditionOf(object, "MemoryPressure").status, "True");
  EXPECT_EQ(ConditionOf(object, "Ready").status, "True");
}

TEST(NodeObject, RebootIsTold) {
  NodeDescription node = SmallNode();
  v1::Node object = InitialNode(node, Healthy(), kNow);
  EXPECT_THAT(SetNodeStatus(node, Healthy(), kLater, &object), IsEmpty());
  node.machine.boot_id = "new";
  EXPECT_THAT(SetNodeStatus(node, Healthy(), kLater, &object),
              ElementsAre(NodeEvent{EventType::kWarning, "Rebooted",
                                    "Node n1 has been rebooted, boot id: new"}));
}

TEST(NodeObject, WhatOthersCountStays) {
  const NodeDescription node = SmallNode();
  v1::Node object = InitialNode(node, Healthy(), kNow);
  object.status.capacity["example.com/dongle"] = Quantity::Must("4");
  object.status.allocatable["example.com/gone"] = Quantity::Must("1");
  (void)SetNodeStatus(node, Healthy(), kLater, &object);
  EXPECT_EQ(object.status.capacity.at("example.com/dongle").String(), "4");
  EXPECT_EQ(object.status.allocatable.at("example.com/dongle").String(), "4");
  EXPECT_FALSE(object.status.allocatable.contains("example.com/gone"));
}

TEST(NodeObject, HeartbeatsAreNoChange) {
  const NodeDescription node = SmallNode();
  const v1::Node before = InitialNode(node, Healthy(), kNow);
  v1::Node after = before;
  (void)SetNodeStatus(node, Healthy(), kLater, &after);
  std::ranges::reverse(after.status.conditions);
  EXPECT_FALSE(NodeStatusHasChanged(before.status, after.status));
  after.status.conditions[0].message = "other";
  EXPECT_TRUE(NodeStatusHasChanged(before.status, after.status));
  after = before;
  after.status.images.emplace_back();
  EXPECT_TRUE(NodeStatusHasChanged(before.status, after.status));
}

TEST(NodeObject, ImagesAreTheLargestFifty) {
  std::vector<ListedImage> images(60);
  for (size_t i = 0; i < images.size(); ++i) {
    images[i] = {.id = std::to_string(i), .tags = {"t" + std::to_string(i)}, .size = int64_t(i)};
  }
  images[59].digests = {"d1", "d2", "d3"};
  images[59].tags = {"t1", "t2", "t3"};
  const auto told = ImagesForStatus(images);
  ASSERT_EQ(told.size(), 50U);
  EXPECT_THAT(told[0].names, ElementsAre("d1", "d2", "d3", "t1", "t2"));
  EXPECT_EQ(told[0].sizeBytes, 59);
  EXPECT_EQ(told[49].sizeBytes, 10);
}

TEST(NodeObject, ReconcilesDefaultsAlone) {
  NodeDescription node = SmallNode();
  node.settings.labels = {{"mine", "new"}};
  const v1::Node initial = InitialNode(node, Healthy(), kNow);
  v1::Node existing = initial;
  EXPECT_FALSE(ReconcileNode(initial, &existing));
  existing.metadata.labels = {{"kubernetes.io/hostname", "old"}, {"theirs", "1"}};
  existing.metadata.annotations.clear();
  existing.spec.taints.emplace_back().key = "theirs";
  existing.status.capacity["hugepages-64Ki"] = Quantity::Must("1Mi");
  existing.status.allocatable["hugepages-64Ki"] = Quantity::Must("1Mi");
  existing.status.capacity["hugepages-2Mi"] = Quantity::Must("2Mi");
  EXPECT_TRUE(ReconcileNode(initial, &existing));
  EXPECT_EQ(existing.metadata.labels.at("kubernetes.io/hostname"), "n1");
  EXPECT_EQ(existing.metadata.labels.at("beta.kubernetes.io/arch"), "amd64");
  EXPECT_EQ(existing.metadata.labels.at("theirs"), "1");
  EXPECT_FALSE(existing.metadata.labels.contains("mine"));
  EXPECT_EQ(
      existing.metadata.annotations.at("volumes.kubernetes.io/controller-managed-attach-detach"),
      "true");
  EXPECT_EQ(existing.spec.taints.size(), 1U);
  EXPECT_FALSE(existing.status.capacity.contains("hugepages-64Ki"));
  EXPECT_FALSE(existing.status.allocatable.contains("hugepages-64Ki"));
  EXPECT_EQ(existing.status.capacity.at("hugepages-2Mi").String(), "8Mi");
  EXPECT_FALSE(ReconcileNode(initial, &existing));
}

TEST(NodeObject, RequiredLabelsComeBack) {
  const NodeDescription node = SmallNode();
  v1::Node object = InitialNode(node, Healthy(), kNow);
  EXPECT_FALSE(RestoreRequiredLabels(node, &object));
  object.metadata.labels = {{"kubernetes.io/os", "windows"}};
  EXPECT_TRUE(RestoreRequiredLabels(node, &object));
  EXPECT_EQ(object.metadata.labels.at("kubernetes.io/os"), "linux");
  EXPECT_EQ(object.metadata.labels.at("kubernetes.io/arch"), "amd64");
}

TEST(NodeObject, PatchIsOfStatusAndMetadata) {
  NodeDescription node = SmallNode();
  node.addresses = {"10.0.0.7", "fd00::7"};
  const v1::Node before = InitialNode(node, Healthy(), kNow);
  v1::Node after = before;
  after.spec.unschedulable = true;
  EXPECT_EQ(*NodeStatusPatch(before, after), "{}");
  (void)SetNodeStatus(node, HealthOfRuntime(RuntimeStatus(false)), kLater, &after);
  const auto patch = NodeStatusPatch(before, after);
  ASSERT_TRUE(patch.ok());
  const v1::Node patched = Patched(before, *patch);
  EXPECT_FALSE(patched.spec.unschedulable);
  EXPECT_TRUE(reflect::Equal(patched.status, after.status)) << *patch;
  EXPECT_EQ(patch->find("images"), std::string::npos);
}

// Two addresses of one type, which the merge key takes for one.
TEST(NodeObject, PatchReplacesAddresses) {
  NodeDescription node = SmallNode();
  node.addresses = {"10.0.0.7", "fd00::7"};
  const v1::Node before = InitialNode(node, Healthy(), kNow);
  node.addresses = {"fd00::8", "10.0.0.8"};
  v1::Node after = before;
  (void)SetNodeStatus(node, Healthy(), kNow, &after);
  const auto patch = NodeStatusPatch(before, after);
  ASSERT_TRUE(patch.ok());
  EXPECT_TRUE(reflect::Equal(Patched(before, *patch).status, after.status)) << *patch;
}

}  // namespace
}  // namespace podium::node
