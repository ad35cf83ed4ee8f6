#include "commands/node_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace podium::commands {
namespace {

using api::Quantity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

using Given = std::vector<std::pair<std::string, std::string>>;

Result<NodeOptions> Read(const Given& given) {
  cli::Invocation invocation;
  for (const auto& [option, value] : given) invocation.Add(option, value);
  node::NodeConfig config;
  config.name = "box";
  // None of a machine that tests run on (RFC 5737, RFC 3849).
  config.addresses = {"192.0.2.7", "198.51.100.7", "2001:db8::7"};
  config.allocatable = {{"cpu", Quantity::Must("2")}, {"memory", Quantity::Must("4Gi")}};
  return ReadNodeOptions(invocation, config,
                         {.cpus = 2, .memory_bytes = int64_t{4} << 30, .disk_bytes = 1000});
}
NodeOptions Good(const Given& given) {
  auto options = Read(given);
  EXPECT_TRUE(options.ok()) << options.error().message();
  return options.ok() ? *std::move(options) : NodeOptions();
}
std::string Bad(const std::string& option, const std::string& value) {
  const auto options = Read({{option, value}});
  EXPECT_FALSE(options.ok());
  if (options.ok()) return "";
  EXPECT_EQ(options.error().code(), Code::kInvalidArgument);
  return options.error().message();
}

TEST(NodeOptions, WithoutAnyItIsTheMachine) {
  const NodeOptions options = Good({});
  EXPECT_EQ(options.description.name, "box");
  EXPECT_EQ(options.description.settings.hostname, "box");
  EXPECT_THAT(options.config.addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(options.description.addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(options.description.settings.eviction_hard,
              UnorderedElementsAreArray(node::DefaultEvictionHard()));
  EXPECT_EQ(options.description.settings.max_pods, 110);
  EXPECT_TRUE(options.description.settings.register_schedulable);
  EXPECT_EQ(options.config.cluster_domain, "cluster.local");
  // Containers without limits do not see what is kept free.
  EXPECT_EQ(options.config.allocatable.at("memory").String(), "3996Mi");
  EXPECT_EQ(options.config.allocatable.at("cpu").String(), "2");
}

TEST(NodeOptions, Names) {
  const NodeOptions options = Good({{"hostname-override", " Node-A "}});
  EXPECT_EQ(options.config.name, "node-a");
  EXPECT_EQ(options.description.settings.hostname, "node-a");
  EXPECT_EQ(Bad("hostname-override", " "), "empty hostname is invalid");
  EXPECT_THAT(Bad("hostname-override", "my_box"), HasSubstr("RFC 1123 subdomain"));
}

TEST(NodeOptions, Addresses) {
  EXPECT_THAT(Good({{"node-ip", "198.51.100.7"}}).description.addresses,
              ElementsAre("198.51.100.7"));
  EXPECT_THAT(Good({{"node-ip", "2001:db8::7,192.0.2.7"}}).config.addresses,
              ElementsAre("2001:db8::7", "192.0.2.7"));
  EXPECT_THAT(Good({{"node-ip", "::"}}).config.addresses, ElementsAre("2001:db8::7"));
  EXPECT_THAT(Good({{"node-ip", "0.0.0.0"}}).config.addresses, ElementsAre("192.0.2.7"));
  EXPECT_EQ(Bad("node-ip", "x"), R"(bad --node-ip "x": could not parse "x")");
  const std::string pair = "must contain either a single IP or a dual-stack pair of IPs";
  EXPECT_EQ(Bad("node-ip", "192.0.2.7,198.51.100.7"),
            "bad --node-ip \"192.0.2.7,198.51.100.7\": " + pair);
  EXPECT_THAT(Bad("node-ip", "192.0.2.7,2001:db8::7,192.0.2.7"), HasSubstr(pair));
  EXPECT_EQ(Bad("node-ip", "0.0.0.0,2001:db8::7"),
            "bad --node-ip \"0.0.0.0,2001:db8::7\": dual-stack node IP cannot include '0.0.0.0' "
            "or '::'");
  EXPECT_EQ(Bad("node-ip", "127.0.0.1"), "nodeIP can't be loopback address");
  EXPECT_EQ(Bad("node-ip", "::1"), "nodeIP can't be loopback address");
  EXPECT_EQ(Bad("node-ip", "224.0.0.1"), "nodeIP can't be a multicast address");
  EXPECT_EQ(Bad("node-ip", "ff02::1"), "nodeIP can't be a multicast address");
  EXPECT_EQ(Bad("node-ip", "169.254.1.1"), "nodeIP can't be a link-local unicast address");
  EXPECT_EQ(Bad("node-ip", "fe80::1"), "nodeIP can't be a link-local unicast address");
  EXPECT_EQ(Bad("node-ip", "192.0.2.8"),
            "node IP: \"192.0.2.8\" not found in the host's network interfaces");
}

TEST(NodeOptions, Labels) {
  const NodeOptions options =
      Good({{"node-labels", "a=b, c = d ,node.kubernetes.io/x=y,bare"},
            {"node-labels", "kubernetes.io/os=linux,topology.kubernetes.io/zone=z"}});
  const auto& labels = options.description.settings.labels;
  EXPECT_THAT(labels, SizeIs(6));
  EXPECT_EQ(labels.at("a"), "b");
  EXPECT_EQ(labels.at("c"), "d");
  EXPECT_EQ(labels.at("bare"), "");
  EXPECT_EQ(labels.at("topology.kubernetes.io/zone"), "z");
  EXPECT_THAT(Bad("node-labels", "node-role.kubernetes.io/worker=,x.k8s.io/a=b"),
              ::testing::StartsWith(
                  "failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels "
                  "specified with --node-labels: [node-role.kubernetes.io/worker x.k8s.io/a]\n"
                  "--node-labels in the 'kubernetes.io' namespace must begin with an allowed "
                  "prefix (kubelet.kubernetes.io, node.kubernetes.io) or be in the specifically "
                  "allowed set (beta.kubernetes.io/arch, "));
  EXPECT_THAT(Bad("node-labels", "a=b c"),
              ::testing::StartsWith(
                  "failed to validate kubelet flags: invalid node labels: 'b c' - a valid label"));
}

TEST(NodeOptions, Taints) {
  const NodeOptions options = Good(
      {{"register-with-taints", "a=b:NoSchedule,c:NoExecute"}, {"register-schedulable", "false"}});
  const auto& taints = options.description.settings.taints;
  ASSERT_THAT(taints, SizeIs(2));
  EXPECT_EQ(taints[0].key, "a");
  EXPECT_EQ(taints[0].value, "b");
  EXPECT_EQ(taints[0].effect, "NoSchedule");
  EXPECT_EQ(taints[1].key, "c");
  EXPECT_EQ(taints[1].effect, "NoExecute");
  EXPECT_FALSE(options.description.settings.register_schedulable);
  const std::string begin = "for \"--register-with-taints\" flag: ";
  EXPECT_EQ(Bad("register-with-taints", "a=b:Never"),
            "invalid argument \"a=b:Never\" " + begin +
                "invalid taint effect: Never, unsupported taint effect");
  EXPECT_THAT(Bad("register-with-taints", "a"),
              HasSubstr("invalid taint effect: , unsupported taint effect"));
  EXPECT_THAT(Bad("register-with-taints", "a=b=c:NoSchedule"),
              HasSubstr(begin + "invalid taint spec: a=b=c:NoSchedule"));
  EXPECT_THAT(Bad("register-with-taints", "a:b:NoSchedule"),
              HasSubstr(begin + "invalid taint spec: a:b:NoSchedule"));
  EXPECT_THAT(Bad("register-with-taints", "a b:NoSchedule"),
              HasSubstr(begin + "invalid taint spec: a b:NoSchedule, name part must consist of"));
}

TEST(NodeOptions, Reservations) {
  const NodeOptions options = Good({{"kube-reserved", "cpu=100m,memory=100Mi"},
                                    {"system-reserved", "memory=96Mi,ephemeral-storage=1"}});
  EXPECT_EQ(options.description.settings.kube_reserved.at("cpu").String(), "100m");
  EXPECT_EQ(options.description.settings.system_reserved.at("memory").String(), "96Mi");
  EXPECT_EQ(options.config.allocatable.at("cpu").String(), "1900m");
  EXPECT_EQ(options.config.allocatable.at("memory").String(), "3800Mi");
  EXPECT_EQ(Bad("kube-reserved", "cpu"),
            "invalid argument \"cpu\" for \"--kube-reserved\" flag: malformed pair, expect "
            "string=string");
  EXPECT_EQ(Bad("kube-reserved", "gpu=1"),
            "--kube-reserved value failed to parse: cannot reserve \"gpu\" resource");
  EXPECT_EQ(Bad("system-reserved", "cpu=-1"),
            "--system-reserved value failed to parse: resource quantity for \"cpu\" cannot be "
            "negative: -1");
  EXPECT_THAT(Bad("system-reserved", "cpu=x"),
              ::testing::StartsWith("--system-reserved value failed to parse: failed to parse "
                                    "quantity \"x\" for \"cpu\" resource: quantities must match"));
  // Nothing would keep them.
  EXPECT_EQ(Bad("system-reserved", "pid=100"),
            "--system-reserved value failed to parse: cannot reserve \"pid\" resource");
}

TEST(NodeOptions, EvictionThresholds) {
  const auto thresholds =
      Good({{"eviction-hard", "memory.available<200Mi,nodefs.available<5%,imagefs.available<0%"}})
          .description.settings.eviction_hard;
  EXPECT_THAT(thresholds, ElementsAre(node::EvictionThreshold{.signal = "memory.available",
                                                              .quantity = Quantity::Must("200Mi")},
                                      node::EvictionThreshold{.signal = "nodefs.available",
                                                              .percentage = 0.05F}));
  EXPECT_THAT(Good({{"eviction-hard", ""}}).description.settings.eviction_hard, IsEmpty());
  EXPECT_EQ(Bad("eviction-hard", "memory.available=1"),
            "invalid argument \"memory.available=1\" for \"--eviction-hard\" flag: malformed pair, "
            "expect string<string");
  EXPECT_EQ(Bad("eviction-hard", "memory.free<1"), "unsupported eviction signal memory.free");
  EXPECT_EQ(Bad("eviction-hard", "memory.available<0"),
            "eviction threshold memory.available must be positive: 0");
  EXPECT_EQ(Bad("eviction-hard", "nodefs.available<-3%"),
            "eviction percentage threshold nodefs.available must be >= 0%: -3%");
  EXPECT_EQ(Bad("eviction-hard", "nodefs.available<101%"),
            "eviction percentage threshold nodefs.available must be <= 100%: 101%");
  EXPECT_EQ(Bad("eviction-hard", "nodefs.available<x%"),
            "strconv.ParseFloat: parsing \"x\": invalid syntax");
}

TEST(NodeOptions, SoftEvictionAndPeriods) {
  const node::EvictionSettings usual = Good({}).eviction;
  // Said by nobody, they only count as reserved.
  EXPECT_THAT(usual.thresholds, ::testing::IsEmpty());
  EXPECT_EQ(usual.transition_period, 300'000'000'000);
  EXPECT_EQ(usual.max_pod_grace_seconds, 0);
  const NodeOptions options = Good({{"eviction-hard", "memory.available<200Mi"},
                                    {"eviction-soft", "memory.available<300Mi"},
                                    {"eviction-soft-grace-period", "memory.available=30s"},
                                    {"eviction-minimum-reclaim", "memory.available=50Mi"},
                                    {"eviction-pressure-transition-period", "30s"},
                                    {"eviction-max-pod-grace-period", "-1"}});
  const node::EvictionAmount reclaim{.quantity = Quantity::Must("50Mi")};
  const node::EvictionThreshold hard{
      .signal = "memory.available", .quantity = Quantity::Must("200Mi"), .min_reclaim = reclaim};
  EXPECT_THAT(options.eviction.thresholds,
              ElementsAre(hard, node::EvictionThreshold{.signal = "memory.available",
                                                        .quantity = Quantity::Must("300Mi"),
                                                        .grace_period = 30'000'000'000,
                                                        .min_reclaim = reclaim}));
  // Only the hard ones are kept from pods.
  EXPECT_THAT(options.description.settings.eviction_hard, ElementsAre(hard));
  EXPECT_EQ(options.eviction.transition_period, 30'000'000'000);
  EXPECT_EQ(options.eviction.max_pod_grace_seconds, -1);
  EXPECT_EQ(Bad("eviction-soft", "memory.available<300Mi"),
            "grace period must be specified for the soft eviction threshold memory.available");
  EXPECT_EQ(Bad("eviction-pressure-transition-period", "5"),
            "invalid argument \"5\" for \"--eviction-pressure-transition-period\" flag: time: "
            "missing unit in duration \"5\"");
}

TEST(NodeOptions, TimeBeforeTheMachineGoesDown) {
  using node::ShutdownGrace;
  EXPECT_THAT(Good({}).shutdown, IsEmpty());
  EXPECT_THAT(
      Good({{"shutdown-grace-period", "1m"}, {"shutdown-grace-period-critical-pods", "10s"}})
          .shutdown,
      ElementsAre(ShutdownGrace{0, 50}, ShutdownGrace{2'000'000'000, 10}));
  EXPECT_THAT(Good({{"shutdown-grace-period-by-pod-priority", "100=5,-7=10"}}).shutdown,
              ElementsAre(ShutdownGrace{-7, 10}, ShutdownGrace{100, 5}));
  EXPECT_EQ(Bad("shutdown-grace-period", "5"),
            "invalid argument \"5\" for \"--shutdown-grace-period\" flag: time: missing unit in "
            "duration \"5\"");
  EXPECT_EQ(Bad("shutdown-grace-period-critical-pods", "1s"),
            "invalid configuration: shutdownGracePeriodCriticalPods {1s} must be <= "
            "shutdownGracePeriod {0s}");
  const auto malformed = [](const std::string& value) {
    return "invalid argument \"" + value +
           "\" for \"--shutdown-grace-period-by-pod-priority\" flag: malformed pair, expect "
           "PRIORITY=SECONDS";
  };
  for (const char* value : {"100", "100=", "=5", "100=-5", "100=5s", "100=5,"}) {
    EXPECT_EQ(Bad("shutdown-grace-period-by-pod-priority", value), malformed(value));
  }
  EXPECT_EQ(Bad("shutdown-grace-period-by-pod-priority", "1=5,1=6"),
            "invalid argument \"1=5,1=6\" for \"--shutdown-grace-period-by-pod-priority\" flag: "
            "priority 1 stands there twice");
}

TEST(NodeOptions, ProcessesOfAPod) {
  EXPECT_EQ(Good({{"pod-max-pids", "1000"}}).config.pod_pids_limit, 1000);
  EXPECT_EQ(Good({{"pod-max-pids", "-1"}}).config.pod_pids_limit, -1);
  EXPECT_EQ(Bad("pod-max-pids", "0"), "--pod-max-pids 0 must be a positive number, or -1");
  EXPECT_EQ(Bad("pod-max-pids", "many"),
            "invalid argument \"many\" for \"--pod-max-pids\" flag: strconv.ParseInt: parsing "
            "\"many\": invalid syntax");
}

TEST(NodeOptions, Swap) {
  EXPECT_FALSE(Good({}).config.limited_swap);
  EXPECT_TRUE(Good({{"memory-swap-behavior", "LimitedSwap"}}).config.limited_swap);
  EXPECT_EQ(
      Bad("memory-swap-behavior", "UnlimitedSwap"),
      "invalid configuration: memorySwap.swapBehavior \"UnlimitedSwap\" must be one of: \"\", "
      "\"LimitedSwap\" or \"NoSwap\"");
  const auto on_swap = [](const char* fail) {
    cli::Invocation invocation;
    invocation.Add("fail-swap-on", fail);
    node::NodeConfig config;
    config.name = "box";
    config.addresses = {"192.0.2.7"};
    return ReadNodeOptions(invocation, config, {.swap_bytes = 1000});
  };
  EXPECT_EQ(on_swap("false")->config.swap_bytes, 1000);
  EXPECT_EQ(on_swap("true").error().message(),
            "running with swap on is not supported, please disable swap or set --fail-swap-on flag "
            "to false");
  EXPECT_EQ(Good({{"fail-swap-on", "true"}}).config.swap_bytes, 0);
}

TEST(NodeOptions, MemoryOfOneNumaNodeIsNotOffered) {
  Good({{"memory-manager-policy", "None"}, {"topology-manager-policy", "none"}});
  const auto refused = Read({{"memory-manager-policy", "Static"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUnsupported);
  EXPECT_EQ(refused.error().message(),
            "--memory-manager-policy=Static is not offered here yet, only None");
  EXPECT_EQ(Read({{"topology-manager-policy", "single-numa-node"}}).error().message(),
            "--topology-manager-policy=single-numa-node is not offered here yet, only none");
  EXPECT_EQ(Bad("topology-manager-policy", "best"), "unknown policy: \"best\"");
}

TEST(NodeOptions, WhatPodsHaveOfMemoryTogether) {
  const NodeOptions options =
      Good({{"system-reserved", "memory=1Gi"}, {"kube-reserved", "memory=24Mi"}});
  // What is kept for eviction is within it.
  EXPECT_EQ(options.config.pods_memory_limit, (int64_t{4} << 30) - (int64_t{1048} << 20));
}

TEST(NodeOptions, UnsafeSysctls) {
  EXPECT_THAT(Good({}).config.allowed_unsafe_sysctls, IsEmpty());
  EXPECT_THAT(Good({{"allowed-unsafe-sysctls", "kernel.msg*,net.core.somaxconn"}})
                  .config.allowed_unsafe_sysctls,
              ElementsAre("kernel.msg*", "net.core.somaxconn"));
  EXPECT_EQ(Bad("allowed-unsafe-sysctls", "vm.swappiness"),
            "the sysctl \"vm.swappiness\" are not known to be namespaced");
}

TEST(NodeOptions, PodsAndNames) {
  EXPECT_EQ(Good({{"max-pods", "0"}}).description.settings.max_pods, 0);
  EXPECT_EQ(Good({{"max-pods", "250"}}).description.settings.max_pods, 250);
  EXPECT_EQ(Bad("max-pods", "-1"),
            "invalid configuration: maxPods (--max-pods) -1 must not be a negative number");
  EXPECT_EQ(Bad("max-pods", "many"),
            "invalid argument \"many\" for \"--max-pods\" flag: strconv.ParseInt: parsing "
            "\"many\": invalid syntax");
  EXPECT_THAT(Bad("max-pods", "99999999999"), HasSubstr("value out of range"));
  const NodeOptions options =
      Good({{"cluster-dns", "10.43.0.10,fd00::10"}, {"cluster-domain", "example.org"}});
  EXPECT_THAT(options.config.cluster_dns, ElementsAre("10.43.0.10", "fd00::10"));
  EXPECT_EQ(options.config.cluster_domain, "example.org");
  EXPECT_THAT(Bad("cluster-dns", "10.43.0.10,dns"), HasSubstr("invalid clusterDNS IP \"dns\""));
}

}  // namespace
}  // namespace podium::commands
