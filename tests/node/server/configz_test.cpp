// What /configz says is what is in force.
#include "node/server/configz.h"

#include <gmock/gmock.h>

#include "reflect/json_value.h"

namespace podium::node {
namespace {

using reflect::JsonValue;

JsonValue Configuration(const ConfigzInput& input) {
  auto page = reflect::ParseJson(ConfigzPage(input));
  EXPECT_TRUE(page.ok());
  const JsonValue* inner = page->Find("kubeletconfig");
  EXPECT_NE(inner, nullptr);
  return inner == nullptr ? JsonValue() : *inner;
}

std::string Text(const JsonValue& value, std::string_view key) {
  const JsonValue* found = value.Find(key);
  return found == nullptr ? "" : reflect::ToText(*found);
}

TEST(Configz, AsItIsByDefault) {
  const NodeConfig config{.name = "node7"};
  const NodeDescription node;
  EvictionSettings eviction;
  const JsonValue all =
      Configuration({.config = config, .node = node, .eviction = eviction, .port = 10250});
  EXPECT_EQ(Text(all, "port"), "10250");
  EXPECT_EQ(Text(all, "maxPods"), "110");
  EXPECT_EQ(Text(all, "containerLogMaxSize"), R"("10Mi")");
  EXPECT_EQ(Text(all, "containerLogMaxFiles"), "5");
  EXPECT_EQ(Text(all, "evictionHard"),
            R"({"imagefs.available":"15%","imagefs.inodesFree":"5%","memory.available":"100Mi",)"
            R"("nodefs.available":"10%","nodefs.inodesFree":"5%"})");
  EXPECT_EQ(Text(all, "evictionPressureTransitionPeriod"), R"("5m0s")");
  EXPECT_EQ(Text(all, "authorization"),
            R"({"mode":"Webhook","webhook":{"cacheAuthorizedTTL":"5m0s",)"
            R"("cacheUnauthorizedTTL":"30s"}})");
  EXPECT_EQ(Text(all, "nodeStatusUpdateFrequency"), R"("10s")");
  EXPECT_EQ(Text(all, "nodeLeaseDurationSeconds"), "40");
  EXPECT_EQ(Text(all, "enableSystemLogHandler"), "false");
  EXPECT_EQ(Text(all, "evictionSoft"), "");
  EXPECT_EQ(Text(all, "staticPodPath"), "");
  EXPECT_EQ(Text(all, "memorySwap"), R"({"swapBehavior":"NoSwap"})");
  EXPECT_EQ(Text(all, "shutdownGracePeriodByPodPriority"), "");
}

TEST(Configz, AsItWasSaid) {
  NodeConfig config{.name = "node7", .static_cpus = true, .reserved_cpus = "0-1"};
  config.pods_memory_limit = 1 << 30;
  config.limited_swap = true;
  NodeDescription node;
  node.settings.max_pods = 12;
  node.settings.kube_reserved["memory"] = *api::Quantity::Parse("200Mi");
  EvictionStatements said;
  said.soft = {{"memory.available", "300Mi"}};
  said.soft_grace_period = {{"memory.available", "1m30s"}};
  said.minimum_reclaim = {{"memory.available", "50Mi"}};
  EvictionSettings eviction;
  eviction.thresholds = *ParseThresholds(said);
  eviction.max_pod_grace_seconds = 7;
  const JsonValue all = Configuration({.config = config,
                                       .node = node,
                                       .eviction = eviction,
                                       .static_pod_path = "/etc/manifests",
                                       .port = 1,
                                       .rotate_certificates = false,
                                       .rotate_server_certificates = true,
                                       .shutdown = {{0, 20}, {2'000'000'000, 10}}});
  EXPECT_EQ(Text(all, "evictionHard"), "{}");
  EXPECT_EQ(Text(all, "evictionSoft"), R"({"memory.available":"300Mi"})");
  EXPECT_EQ(Text(all, "evictionSoftGracePeriod"), R"({"memory.available":"1m30s"})");
  EXPECT_EQ(Text(all, "evictionMinimumReclaim"), R"({"memory.available":"50Mi"})");
  EXPECT_EQ(Text(all, "evictionMaxPodGracePeriod"), "7");
  EXPECT_EQ(Text(all, "cpuManagerPolicy"), R"("static")");
  EXPECT_EQ(Text(all, "reservedSystemCPUs"), R"("0-1")");
  EXPECT_EQ(Text(all, "kubeReserved"), R"({"memory":"200Mi"})");
  EXPECT_EQ(Text(all, "enforceNodeAllocatable"), R"(["pods"])");
  EXPECT_EQ(Text(all, "staticPodPath"), R"("/etc/manifests")");
  EXPECT_EQ(Text(all, "serverTLSBootstrap"), "true");
  EXPECT_EQ(Text(all, "rotateCertificates"), "false");
  EXPECT_EQ(Text(all, "maxPods"), "12");
  EXPECT_EQ(Text(all, "memorySwap"), R"({"swapBehavior":"LimitedSwap"})");
  EXPECT_EQ(Text(all, "shutdownGracePeriodByPodPriority"),
            R"([{"priority":0,"shutdownGracePeriodSeconds":20},)"
            R"({"priority":2000000000,"shutdownGracePeriodSeconds":10}])");
}

}  // namespace
}  // namespace podium::node
