// Services as requests write them: what a client leaves out, and what it is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "apiserver/services/service_allocator.h"
#include "apiserver/write_support.h"

namespace podium::apiserver {
namespace {

class ServiceWriteTest : public testing::Test {
 protected:
  ServiceWriteTest() {
    auto made =
        ServiceAllocator::Create(rig.store.objects, {},
                                 {.random = [this](uint64_t bound) { return random++ % bound; },
                                  .new_uid = [this] { return "uid-" + std::to_string(++uids); }});
    EXPECT_TRUE(made.ok());
    services = *std::move(made);
    Writer::Parts parts = rig.WriterParts();
    parts.services = services.get();
    rig.writer = std::make_unique<Writer>(parts);
  }
  static std::string Text(const std::string& name, const std::string& spec) {
    return R"({"kind":"Service","apiVersion":"v1","metadata":{"name":")" + name + R"("},"spec":{)" +
           spec + "}}";
  }

  WriteRig rig;
  uint64_t random = 0;
  int uids = 0;
  std::unique_ptr<ServiceAllocator> services;
  const std::string all = "/api/v1/namespaces/a/services";
};

// Clients of before release 1.20 know one address alone.
TEST_F(ServiceWriteTest, AHeadlessServiceGetsNoAddress) {
  const Replied made = rig.Post(all, Text("h", R"("clusterIP":"None","selector":{"a":"b"})"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec.clusterIP"), "None");
  EXPECT_EQ(made.At("spec.clusterIPs"), R"(["None"])");
}

TEST_F(ServiceWriteTest, AnAddressThatIsAskedForIsGiven) {
  const Replied made = rig.Post(all, Text("h", R"("clusterIP":"10.96.7.7","ports":[{"port":80}])"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec.clusterIP"), "10.96.7.7");
  EXPECT_EQ(made.At("spec.clusterIPs"), R"(["10.96.7.7"])");
}

// A PUT that says nothing of addresses and ports keeps them, and nobody else gets them.
TEST_F(ServiceWriteTest, WhatAReplacementLeavesOutStaysItsOwn) {
  const Replied made = rig.Post(all, Text("s", R"("type":"NodePort","ports":[{"port":80}])"));
  ASSERT_EQ(made.status, 201) << made.message();
  const std::string address = made.At("spec.clusterIP");
  const std::string port = made.At("spec.ports.0.nodePort");
  const Replied put = rig.Put(all + "/s", Text("s", R"("type":"NodePort","ports":[{"port":81}])"));
  ASSERT_EQ(put.status, 200) << put.message();
  EXPECT_EQ(put.At("spec.clusterIP"), address);
  EXPECT_EQ(put.At("spec.ports.0.nodePort"), port);
  const Replied second =
      rig.Post(all, Text("t", R"("clusterIP":")" + address + R"(","ports":[{"port":80}])"));
  EXPECT_EQ(second.status, 422);
  EXPECT_THAT(second.message(), testing::HasSubstr("provided IP is already allocated"));
  const Replied third = rig.Post(
      all, Text("u", R"("type":"NodePort","ports":[{"port":80,"nodePort":)" + port + "}]"));
  EXPECT_EQ(third.status, 422);
  EXPECT_THAT(third.message(), testing::HasSubstr("provided port is already allocated"));
}

TEST_F(ServiceWriteTest, AnAddressIsGivenBackWithItsType) {
  const Replied made = rig.Post(all, Text("s", R"("ports":[{"port":80}])"));
  ASSERT_EQ(made.status, 201) << made.message();
  const std::string address = made.At("spec.clusterIP");
  const Replied merged = rig.Merge(
      all + "/s", R"({"spec":{"type":"ExternalName","externalName":"x.example","clusterIP":null,)"
                  R"("clusterIPs":null}})");
  ASSERT_EQ(merged.status, 200) << merged.message();
  EXPECT_EQ(merged.At("spec.clusterIP"), "");
  const Replied second =
      rig.Post(all, Text("t", R"("clusterIP":")" + address + R"(","ports":[{"port":80}])"));
  EXPECT_EQ(second.status, 201) << second.message();
}

}  // namespace
}  // namespace podium::apiserver
