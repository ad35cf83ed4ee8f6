#include "network/fake_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PodNetworkRequest RequestFor(const std::string& id) {
  PodNetworkRequest request;
  request.sandbox_id = id;
  request.pod_name = id;
  request.pod_namespace = "default";
  return request;
}

TEST(FakeNetworkTest, ALife) {
  FakeNetwork network;
  ASSERT_TRUE(network.PrepareNamespace("a").ok());
  const auto first = network.Setup(RequestFor("a"));
  const auto second = network.Setup(RequestFor("b"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->addresses, second->addresses);
  EXPECT_EQ(network.Setup(RequestFor("a")).error().code(), Code::kAlreadyExists);
  EXPECT_TRUE(network.Check("a").ok());
  EXPECT_TRUE(network.Counters("a").ok());
  EXPECT_THAT(network.LiveIds(), ElementsAre("a", "b"));
  EXPECT_EQ(network.Uninstall().error().code(), Code::kConflict);
  EXPECT_TRUE(network.Teardown("a").ok());
  EXPECT_TRUE(network.Teardown("a").ok());
  EXPECT_EQ(network.Check("a").error().code(), Code::kNotFound);
  EXPECT_EQ(network.Counters("a").error().code(), Code::kNotFound);
  EXPECT_TRUE(network.Recover({}).ok());
  EXPECT_THAT(network.LiveIds(), IsEmpty());
  EXPECT_TRUE(network.Uninstall().ok());
  EXPECT_TRUE(network.Status().ready);
}

TEST(FakeNetworkTest, HostPortsAreHeld) {
  FakeNetwork network;
  PodNetworkRequest request = RequestFor("a");
  request.ports = {{.container_port = 80, .host_port = 8080, .host_ip = {}},
                   {.container_port = 81, .host_port = 0, .host_ip = {}}};
  ASSERT_TRUE(network.Setup(request).ok());
  request.sandbox_id = "b";
  const auto conflict = network.Setup(request);
  ASSERT_FALSE(conflict.ok());
  EXPECT_EQ(conflict.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(conflict.error().message(), HasSubstr("8080/tcp is taken by pod default/a"));
  request.ports[0].protocol = Protocol::kUdp;
  EXPECT_TRUE(network.Setup(request).ok());
}

TEST(FakeNetworkTest, FaultsComeOnce) {
  FakeNetwork network;
  network.FailNext("Setup", Error(Code::kResourceExhausted, "full"));
  EXPECT_EQ(network.Setup(RequestFor("a")).error().message(), "full");
  EXPECT_TRUE(network.Setup(RequestFor("a")).ok());
  EXPECT_THAT(network.Calls(), ElementsAre("Setup a", "Setup a"));
}

}  // namespace
}  // namespace podium::network
