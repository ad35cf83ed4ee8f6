#include "apiserver/services/service_allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "api/status.h"
#include "apiserver/services/ip_range.h"
#include "apiserver/test_store.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::networking::v1::IPAddress;
using api::networking::v1::ServiceCIDR;
using testing::ElementsAre;

TEST(IpRangeTest, AddressesAndParts) {
  const auto range = IpRange::Parse("10.96.0.0/16");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->family(), "IPv4");
  EXPECT_EQ(range->size(), 65534U);
  EXPECT_EQ(range->static_size(), 256U);
  EXPECT_EQ(range->At(0), "10.96.0.1");
  EXPECT_EQ(range->At(65533), "10.96.255.254");
  const auto contains = [&](std::string_view text) { return range->Contains(*api::ParseIP(text)); };
  EXPECT_FALSE(contains("10.96.0.0"));
  EXPECT_TRUE(contains("10.96.0.1"));
  EXPECT_TRUE(contains("10.96.255.254"));
  EXPECT_FALSE(contains("10.96.255.255"));
  EXPECT_FALSE(contains("10.97.0.1"));
  EXPECT_FALSE(contains("fd00::1"));
  EXPECT_EQ(IpRange::Parse("10.0.0.0/28")->static_size(), 0U);
  EXPECT_EQ(IpRange::Parse("10.0.0.0/28")->size(), 14U);
  EXPECT_EQ(IpRange::Parse("10.0.0.0/24")->static_size(), 16U);
  EXPECT_EQ(IpRange::Parse("10.0.0.1/32")->size(), 0U);
  const auto wide = IpRange::Parse("fd00:1::/64");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->At(0), "fd00:1::1");
  EXPECT_TRUE(wide->Contains(*api::ParseIP("fd00:1::ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(IpRange::Parse("fd00::/56"));
  EXPECT_FALSE(IpRange::Parse("10.0.0.0"));
}

class ServiceAllocatorTest : public testing::Test {
 protected:
  std::unique_ptr<ServiceAllocator> Make(ServiceNetworks networks) {
    auto made =
        ServiceAllocator::Create(store.objects, std::move(networks),
                                 {.random = [this](uint64_t bound) { return random++ % bound; },
                                  .new_uid = [this] { return "uid-" + std::to_string(++uids); }});
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  static void AddPort(const std::string& name, const std::string& protocol, Service* service) {
    auto& port = service->spec.ports.emplace_back();
    port.name = name;
    port.protocol = protocol;
    port.port = 80;
  }
  static Service Of(const std::string& name, const std::string& type = "ClusterIP") {
    Service service;
    service.metadata.namespace_ = "ns";
    service.metadata.name = name;
    service.spec.type = type;
    service.spec.selector["a"] = "b";
    AddPort("", "TCP", &service);
    if (type == "NodePort" || type == "LoadBalancer") {
      service.spec.externalTrafficPolicy = "Cluster";
    }
    return service;
  }
  // "" when it went well; the write is then made.
  std::string Begin(ServiceAllocator& allocator, Service* service, bool dry_run = false) {
    auto allocation = allocator.BeginCreate(Context(dry_run), service);
    if (!allocation.ok()) return std::string(allocation.error().message());
    if (*allocation) (*allocation)->Keep();
    return "";
  }
  std::string Change(ServiceAllocator& allocator, const Service& old, Service* service) {
    auto allocation = allocator.BeginUpdate(Context(false), old, service);
    if (!allocation.ok()) return std::string(allocation.error().message());
    (*allocation)->Keep();
    return "";
  }
  static StrategyContext Context(bool dry_run) {
    StrategyContext context;
    context.now = api::Time::FromUnix(9);
    context.dry_run = dry_run;
    return context;
  }
  std::set<std::string> Addresses() {
    std::set<std::string> names;
    for (const auto& each : *store.objects.List<IPAddress>("")) names.insert(each->metadata.name);
    return names;
  }
  std::set<std::string> Ports() {
    std::set<std::string> ports;
    const auto range =
        store.memory.Range({.keys = store::KeyRange::Prefix(std::string(kNodePortKeys))});
    for (const auto& entry : range->entries) {
      ports.insert(std::string(entry->key().substr(kNodePortKeys.size())));
    }
    return ports;
  }

  TestStore store;
  std::atomic<uint64_t> random = 0;
  std::atomic<int> uids = 0;
};

TEST_F(ServiceAllocatorTest, AnAddressIsAnObjectThatNamesItsService) {
  const auto allocator = Make({});
  Service service = Of("web");
  ASSERT_EQ(Begin(*allocator, &service), "");
  EXPECT_EQ(service.spec.clusterIP, "10.96.1.1");
  EXPECT_THAT(service.spec.clusterIPs, ElementsAre("10.96.1.1"));
  EXPECT_THAT(service.spec.ipFamilies, ElementsAre("IPv4"));
  EXPECT_EQ(service.spec.ipFamilyPolicy, "SingleStack");
  const auto address = *store.objects.Get<IPAddress>("", "10.96.1.1");
  ASSERT_NE(address, nullptr);
  EXPECT_EQ(address->metadata.uid, "uid-1");
  EXPECT_EQ(address->metadata.labels.find("ipaddress.kubernetes.io/ip-family")->second, "IPv4");
  EXPECT_EQ(address->metadata.labels.find("ipaddress.kubernetes.io/managed-by")->second,
            "ipallocator.k8s.io");
  EXPECT_EQ(address->spec.parentRef->resource, "services");
  EXPECT_EQ(address->spec.parentRef->namespace_, "ns");
  EXPECT_EQ(address->spec.parentRef->name, "web");
  EXPECT_EQ(allocator->FirstAddress(), "10.96.0.1");

  allocator->Release(service);
  EXPECT_TRUE(Addresses().empty());
}

TEST_F(ServiceAllocatorTest, WhatIsTakenIsRefused) {
  const auto allocator = Make({});
  Service first = Of("a", "NodePort");
  first.spec.clusterIP = "10.96.0.7";
  first.spec.clusterIPs = {"10.96.0.7"};
  first.spec.ports[0].nodePort = 30080;
  ASSERT_EQ(Begin(*allocator, &first), "");
  Service second = Of("b", "NodePort");
  second.spec.clusterIPs = {"10.96.0.7"};
  EXPECT_EQ(Begin(*allocator, &second),
            "Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.7\"]: failed to "
            "allocate IP 10.96.0.7: provided IP is already allocated");
  second.spec.clusterIPs = {"10.97.0.7"};
  EXPECT_EQ(Begin(*allocator, &second),
            "Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.97.0.7\"]: failed to "
            "allocate IP 10.97.0.7: the provided network does not match the current range");
  second.spec.clusterIPs.clear();
  second.spec.ports[0].nodePort = 30080;
  EXPECT_EQ(Begin(*allocator, &second),
            "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port "
            "is already allocated");
  // The address that it had until then is free again.
  EXPECT_THAT(Addresses(), ElementsAre("10.96.0.7"));
  second.spec.ports[0].nodePort = 80;
  second.spec.clusterIPs.clear();
  EXPECT_EQ(Begin(*allocator, &second),
            "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is "
            "not in the valid range. The range of valid ports is 30000-32767");
  EXPECT_THAT(Addresses(), ElementsAre("10.96.0.7"));
  EXPECT_THAT(Ports(), ElementsAre("30080"));
}

TEST_F(ServiceAllocatorTest, AWriteThatIsNotMadeGivesBack) {
  const auto allocator = Make({});
  Service service = Of("a", "NodePort");
  {
    const auto allocation = allocator->BeginCreate(Context(false), &service);
    ASSERT_TRUE(allocation.ok());
    EXPECT_EQ(Addresses().size(), 1U);
    EXPECT_EQ(Ports().size(), 1U);
  }
  EXPECT_TRUE(Addresses().empty());
  EXPECT_TRUE(Ports().empty());
}

TEST_F(ServiceAllocatorTest, ADryRunTakesNothing) {
  const auto allocator = Make({});
  Service service = Of("a", "NodePort");
  ASSERT_EQ(Begin(*allocator, &service, true), "");
  EXPECT_EQ(service.spec.clusterIP, "10.96.0.0");
  EXPECT_GE(service.spec.ports[0].nodePort, 30086);
  EXPECT_TRUE(Addresses().empty());
  EXPECT_TRUE(Ports().empty());
}

TEST_F(ServiceAllocatorTest, TheStaticPartIsUsedLast) {
  const auto allocator =
      Make({.cidrs = {"10.0.0.0/27"}, .first_node_port = 31000, .last_node_port = 31031});
  std::set<std::string> given;
  for (int i = 0; i < 30; ++i) {
    Service service = Of("s" + std::to_string(i), "NodePort");
    ASSERT_EQ(Begin(*allocator, &service), "") << i;
    EXPECT_TRUE(given.insert(service.spec.clusterIP).second);
    const auto number = std::stoi(service.spec.clusterIP.substr(7));
    // 30 addresses, of which 16 are set aside; 32 ports, of which 16 are.
    EXPECT_EQ(number > 16, i < 14) << number;
    EXPECT_EQ(service.spec.ports[0].nodePort >= 31016, i < 16);
  }
  Service service = Of("last");
  EXPECT_EQ(Begin(*allocator, &service),
            "Internal error occurred: failed to allocate a serviceIP: range is full");
}

TEST_F(ServiceAllocatorTest, TwoServersNeverGiveOneAddressTwice) {
  const auto one = Make({.cidrs = {"10.0.0.0/24"}});
  const auto two = Make({.cidrs = {"10.0.0.0/24"}});
  std::atomic<int> failures = 0;
  std::mutex mutex;
  std::set<std::string> given;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      ServiceAllocator& allocator = t % 2 == 0 ? *one : *two;
      for (int i = 0; i < 20; ++i) {
        Service service = Of("s" + std::to_string(t * 100 + i));
        StrategyContext context = Context(false);
        auto allocation = allocator.BeginCreate(context, &service);
        if (!allocation.ok()) {
          ++failures;
          continue;
        }
        (*allocation)->Keep();
        const std::lock_guard lock(mutex);
        if (!given.insert(service.spec.clusterIP).second) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(given.size(), 80U);
}

TEST_F(ServiceAllocatorTest, HeadlessAndExternalNamesTakeNothing) {
  const auto allocator = Make({});
  Service headless = Of("a");
  headless.spec.clusterIP = "None";
  headless.spec.clusterIPs = {"None"};
  ASSERT_EQ(Begin(*allocator, &headless), "");
  EXPECT_THAT(headless.spec.ipFamilies, ElementsAre("IPv4"));
  Service free = reflect::Copy(headless);
  free.spec.selector.clear();
  free.spec.ipFamilies.clear();
  free.spec.ipFamilyPolicy.reset();
  ASSERT_EQ(Begin(*allocator, &free), "");
  EXPECT_EQ(free.spec.ipFamilyPolicy, "RequireDualStack");
  EXPECT_THAT(free.spec.ipFamilies, ElementsAre("IPv4", "IPv6"));
  Service external = Of("b", "ExternalName");
  ASSERT_EQ(Begin(*allocator, &external), "");
  EXPECT_TRUE(external.spec.ipFamilies.empty());
  EXPECT_TRUE(Addresses().empty());
}

TEST_F(ServiceAllocatorTest, DualStack) {
  const auto single = Make({});
  Service service = Of("a");
  service.spec.ipFamilyPolicy = "RequireDualStack";
  EXPECT_EQ(Begin(*single, &service),
            "Service \"a\" is invalid: spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": "
            "this cluster is not configured for dual-stack services");
  service.spec.ipFamilyPolicy = "PreferDualStack";
  ASSERT_EQ(Begin(*single, &service), "");
  EXPECT_EQ(service.spec.clusterIPs.size(), 1U);

  const auto both = Make({.cidrs = {"10.1.0.0/24", "fd00::/112"}});
  Service second = Of("b");
  second.spec.ipFamilyPolicy = "RequireDualStack";
  second.spec.ipFamilies = {"IPv6"};
  ASSERT_EQ(Begin(*both, &second), "");
  EXPECT_THAT(second.spec.ipFamilies, ElementsAre("IPv6", "IPv4"));
  ASSERT_EQ(second.spec.clusterIPs.size(), 2U);
  EXPECT_EQ(second.spec.clusterIP, second.spec.clusterIPs[0]);
  EXPECT_EQ(FamilyOf(second.spec.clusterIPs[0]), "IPv6");
  EXPECT_EQ(FamilyOf(second.spec.clusterIPs[1]), "IPv4");

  // One that prefers two does not change because the cluster has.
  Service same = reflect::Copy(service);
  ASSERT_EQ(Change(*both, service, &same), "");
  EXPECT_EQ(same.spec.clusterIPs.size(), 1U);
  // Down to one, and the second address is free; and up again.
  Service down = reflect::Copy(second);
  down.spec.ipFamilyPolicy = "SingleStack";
  ASSERT_EQ(Change(*both, second, &down), "");
  EXPECT_EQ(down.spec.clusterIPs.size(), 1U);
  EXPECT_FALSE(Addresses().contains(second.spec.clusterIPs[1]));
  EXPECT_TRUE(Addresses().contains(second.spec.clusterIPs[0]));
  Service up = reflect::Copy(down);
  up.spec.ipFamilyPolicy = "PreferDualStack";
  ASSERT_EQ(Change(*both, down, &up), "");
  EXPECT_EQ(up.spec.clusterIPs.size(), 2U);
  EXPECT_EQ(up.spec.clusterIPs[0], down.spec.clusterIPs[0]);
  EXPECT_TRUE(Addresses().contains(up.spec.clusterIPs[1]));
}

TEST_F(ServiceAllocatorTest, AChangeOfTypeGivesBackWhenItIsMade) {
  const auto allocator = Make({});
  Service balancer = Of("a", "LoadBalancer");
  balancer.spec.externalTrafficPolicy = "Local";
  AddPort("dns", "UDP", &balancer);
  ASSERT_EQ(Begin(*allocator, &balancer), "");
  // One number for both protocols, and one for the health check.
  EXPECT_EQ(balancer.spec.ports[0].nodePort, balancer.spec.ports[1].nodePort);
  EXPECT_NE(balancer.spec.healthCheckNodePort, 0);
  EXPECT_EQ(Ports().size(), 2U);

  Service changed = reflect::Copy(balancer);
  changed.spec.type = "ExternalName";
  changed.spec.clusterIP.clear();
  changed.spec.clusterIPs.clear();
  changed.spec.ports.clear();
  changed.spec.healthCheckNodePort = 0;
  {
    const auto allocation = allocator->BeginUpdate(Context(false), balancer, &changed);
    ASSERT_TRUE(allocation.ok());
  }
  EXPECT_EQ(Ports().size(), 2U);
  EXPECT_EQ(Addresses().size(), 1U);
  ASSERT_EQ(Change(*allocator, balancer, &changed), "");
  EXPECT_TRUE(Ports().empty());
  EXPECT_TRUE(Addresses().empty());

  Service back = reflect::Copy(changed);
  back.spec.type = "ClusterIP";
  ASSERT_EQ(Change(*allocator, changed, &back), "");
  EXPECT_EQ(Addresses().size(), 1U);
}

TEST_F(ServiceAllocatorTest, ABalancerMayDoWithoutNodePorts) {
  const auto allocator = Make({});
  Service service = Of("a", "LoadBalancer");
  service.spec.allocateLoadBalancerNodePorts = false;
  ASSERT_EQ(Begin(*allocator, &service), "");
  EXPECT_EQ(service.spec.ports[0].nodePort, 0);
  EXPECT_TRUE(Ports().empty());
}

TEST_F(ServiceAllocatorTest, FurtherNetworksAreObjects) {
  const auto allocator = Make({.cidrs = {"10.0.0.0/30"}});
  store.Put(allocator->DefaultServiceCidr(api::Time::FromUnix(3)));
  Service one = Of("a");
  Service two = Of("b");
  Service three = Of("c");
  ASSERT_EQ(Begin(*allocator, &one), "");
  ASSERT_EQ(Begin(*allocator, &two), "");
  ASSERT_EQ(Begin(*allocator, &three),
            "Internal error occurred: failed to allocate a serviceIP: range is full");
  ServiceCIDR more;
  more.metadata.name = "more";
  more.spec.cidrs = {"10.9.0.0/28"};
  store.Put(more);
  ASSERT_EQ(Begin(*allocator, &three), "");
  EXPECT_TRUE(three.spec.clusterIP.starts_with("10.9.0.")) << three.spec.clusterIP;
}

TEST_F(ServiceAllocatorTest, NetworksThatCannotBe) {
  for (const ServiceNetworks& networks :
       {ServiceNetworks{.cidrs = {}}, ServiceNetworks{.cidrs = {"10.0.0.0"}},
        ServiceNetworks{.cidrs = {"10.0.0.0/24", "10.1.0.0/24"}},
        ServiceNetworks{.cidrs = {"10.0.0.1/32"}},
        ServiceNetworks{.first_node_port = 5, .last_node_port = 4}}) {
    const auto made = ServiceAllocator::Create(store.objects, networks, {});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace podium::apiserver
