#include "apiserver/services/service_repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::networking::v1::IPAddress;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::shared_ptr<Service> Of(const std::string& name, int64_t created, const std::string& address,
                            int32_t port) {
  auto service = std::make_shared<Service>();
  service->metadata.namespace_ = "n";
  service->metadata.name = name;
  service->metadata.creationTimestamp = api::Time::FromUnix(created);
  service->spec.type = port != 0 ? "NodePort" : "ClusterIP";
  service->spec.clusterIP = address;
  service->spec.clusterIPs = {address};
  auto& each = service->spec.ports.emplace_back();
  each.protocol = "TCP";
  each.port = 80;
  each.nodePort = port;
  return service;
}

std::shared_ptr<IPAddress> Kept(const std::string& address, const std::string& owner) {
  return std::make_shared<IPAddress>(
      MakeIpAddress(address, "u", api::Time::FromUnix(1), "n", owner));
}

ServiceRecords Records() {
  return {.cidrs = {"10.0.0.0/24"}, .first_node_port = 30000, .last_node_port = 30100};
}

std::vector<std::string> Told(const ServiceRepairs& repairs) {
  std::vector<std::string> texts;
  for (const ServiceFinding& finding : repairs.findings) {
    texts.push_back(finding.name + " " + finding.reason + ": " + finding.message);
  }
  return texts;
}

TEST(ServiceRepairTest, WhatAgreesIsLeftAlone) {
  ServiceRecords records = Records();
  records.services = {Of("a", 1, "10.0.0.1", 30001)};
  records.addresses = {Kept("10.0.0.1", "a")};
  records.ports = {{30001, "n/a"}};
  const ServiceRepairs repairs = PlanServiceRepairs(records);
  EXPECT_THAT(Told(repairs), IsEmpty());
  EXPECT_THAT(repairs.take_addresses, IsEmpty());
  EXPECT_THAT(repairs.take_ports, IsEmpty());
  EXPECT_THAT(repairs.leaked_addresses, IsEmpty());
  EXPECT_THAT(repairs.leaked_ports, IsEmpty());
}

TEST(ServiceRepairTest, TheOldestHasWhatTwoHave) {
  ServiceRecords records = Records();
  records.services = {Of("young", 9, "10.0.0.1", 30001), Of("old", 1, "10.0.0.1", 30001)};
  records.addresses = {Kept("10.0.0.1", "young")};
  records.ports = {{30001, "n/old"}};
  const ServiceRepairs repairs = PlanServiceRepairs(records);
  EXPECT_THAT(
      Told(repairs),
      ElementsAre("old ClusterIPNotAllocated: Cluster IP [IPv4]: 10.0.0.1 is not allocated; "
                  "repairing",
                  "young ClusterIPAlreadyAllocated: Cluster IP [IPv4]: 10.0.0.1 was assigned to "
                  "multiple services; please recreate service",
                  "young PortAlreadyAllocated: Port 30001/TCP was assigned to multiple services; "
                  "please recreate service"));
  EXPECT_THAT(repairs.take_addresses, ElementsAre(Pair("10.0.0.1", "n/old")));
  EXPECT_THAT(repairs.take_ports, IsEmpty());
}

TEST(ServiceRepairTest, LeaksAndWhatIsOutOfRange) {
  ServiceRecords records = Records();
  records.services = {Of("a", 1, "10.9.0.1", 40000), Of("b", 2, "bad", 0)};
  auto foreign = Kept("10.0.0.8", "x");
  foreign->metadata.labels.clear();
  records.addresses = {Kept("10.0.0.7", "gone"), foreign};
  records.ports = {{30005, "n/gone"}};
  const ServiceRepairs repairs = PlanServiceRepairs(records);
  EXPECT_THAT(Told(repairs),
              ElementsAre("a ClusterIPOutOfRange: Cluster IP [IPv4]: 10.9.0.1 is not within any "
                          "configured Service CIDR; please recreate service",
                          "a PortOutOfRange: Port 40000/TCP is not within the port range "
                          "30000-30100; please recreate service",
                          "b ClusterIPNotValid: Cluster IP bad is not a valid IP; please recreate "
                          "Service"));
  EXPECT_THAT(repairs.leaked_addresses, ElementsAre("10.0.0.7"));
  EXPECT_THAT(repairs.leaked_ports, ElementsAre(30005));
}

TEST(ServiceRepairTest, RunsMendTheStore) {
  TestStore store;
  const auto made = ServiceAllocator::Create(
      store.objects, {.cidrs = {"10.0.0.0/24"}, .first_node_port = 30000, .last_node_port = 30100},
      {});
  ASSERT_TRUE(made.ok());
  std::vector<std::string> told;
  ServiceRepair repair(store.objects, **made, [] { return "uid"; });
  store.Put(*Of("a", 1, "10.0.0.1", 30001));
  store.Put(*Kept("10.0.0.7", "gone"));
  store.Put(std::string(kNodePortKeys) + "30005", "n/gone");
  const auto has = [&](const std::string& key) {
    return static_cast<bool>(*store.memory.Get(key));
  };
  const auto run = [&] {
    const auto findings = repair.Run(api::Time::FromUnix(100));
    ASSERT_TRUE(findings.ok());
    for (const ServiceFinding& each : *findings) told.push_back(each.reason);
  };
  run();
  EXPECT_THAT(told, ElementsAre("ClusterIPNotAllocated", "PortNotAllocated"));
  const auto address = *store.objects.Get<IPAddress>("", "10.0.0.1");
  ASSERT_NE(address, nullptr);
  EXPECT_EQ(address->spec.parentRef->name, "a");
  EXPECT_EQ((*store.memory.Get(std::string(kNodePortKeys) + "30001"))->value(), "n/a");
  run();
  EXPECT_EQ(told.size(), 2U);
  EXPECT_NE(*store.objects.Get<IPAddress>("", "10.0.0.7"), nullptr);
  EXPECT_TRUE(has(std::string(kNodePortKeys) + "30005"));
  run();
  EXPECT_EQ(*store.objects.Get<IPAddress>("", "10.0.0.7"), nullptr);
  EXPECT_FALSE(has(std::string(kNodePortKeys) + "30005"));
  EXPECT_NE(*store.objects.Get<IPAddress>("", "10.0.0.1"), nullptr);
}

}  // namespace
}  // namespace podium::apiserver
