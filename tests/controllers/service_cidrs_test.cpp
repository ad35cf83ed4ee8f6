// What upstream's servicecidrs_controller_test.go and default_servicecidr_controller_test.go ask,
// and where this one does more.
#include "controllers/service_cidrs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Event;
using api::networking::v1::IPAddress;
using api::networking::v1::ServiceCIDR;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kFinalizer = "networking.k8s.io/service-cidr-finalizer";

ServiceCIDR CidrOf(const std::string& name, const std::vector<std::string>& cidrs,
                   bool goes = false) {
  ServiceCIDR cidr;
  cidr.metadata.name = name;
  cidr.spec.cidrs = {cidrs.begin(), cidrs.end()};
  if (goes) cidr.metadata.deletionTimestamp = api::Time::FromUnix(1);
  return cidr;
}

TEST(IsServiceCidrNeeded, WhileAnAddressIsInNoOther) {
  const ServiceCIDR going = CidrOf("going", {"192.168.0.0/24", "2001:db2::/64"}, true);
  const std::vector<std::string> address = {"192.168.0.23"};
  const auto needed = [&](std::vector<ServiceCIDR> others,
                          const std::vector<std::string>& addresses) {
    others.push_back(CidrOf("going", {"192.168.0.0/24", "2001:db2::/64"}, true));
    return IsServiceCidrNeeded(going, others, addresses);
  };
  EXPECT_FALSE(needed({}, {}));
  EXPECT_TRUE(needed({}, address));
  EXPECT_TRUE(needed({}, {"2001:db2::7"}));
  EXPECT_FALSE(needed({}, {"192.168.1.23", "10.0.0.1", "2001:db3::7", "::ffff:192.168.0.23"}));
  EXPECT_FALSE(needed({CidrOf("larger", {"192.168.0.0/16"})}, address));
  EXPECT_FALSE(needed({CidrOf("same", {"192.168.0.0/24"})}, address));
  EXPECT_FALSE(needed({CidrOf("around", {"192.168.0.16/28"})}, address));
  EXPECT_TRUE(needed({CidrOf("beside", {"192.168.0.128/25"})}, address));
  EXPECT_TRUE(needed({CidrOf("same", {"192.168.0.0/24"})}, {"2001:db2::7"}));
  EXPECT_TRUE(needed({CidrOf("goes", {"192.168.0.0/24"}, true)}, address));
}

class ServiceCidrsTest : public ControllersTest {
 public:
  // "True: message", "" for none.
  std::string Ready(const std::string& name) {
    for (const auto& each : Get<ServiceCIDR>("", name)->status.conditions) {
      if (each.type == "Ready") return each.status + " " + each.reason + ": " + each.message;
    }
    return "";
  }
  void PutAddress(const std::string& text, bool of_services = true) {
    IPAddress address;
    address.metadata.name = text;
    if (of_services) {
      address.metadata.labels["ipaddress.kubernetes.io/managed-by"] = "ipallocator.k8s.io";
    }
    Put(address);
  }
  std::vector<std::string> Events() {
    std::vector<std::string> texts;
    for (const auto& each : server.List(At<Event>("default"), {})->items) {
      texts.push_back(each.As<Event>()->reason + ": " + each.As<Event>()->message);
    }
    return texts;
  }

  std::unique_ptr<Controller> controller = MakeServiceCidrController(Context(), {"10.43.0.0/16"});
};

TEST_F(ServiceCidrsTest, TheDefaultOneIsMadeAndMadeAgain) {
  Start(*controller);
  const auto made = Get<ServiceCIDR>("", "kubernetes");
  ASSERT_NE(made, nullptr);
  EXPECT_THAT(made->spec.cidrs, ElementsAre("10.43.0.0/16"));
  EXPECT_THAT(made->metadata.finalizers, ElementsAre(kFinalizer));
  EXPECT_EQ(Ready("kubernetes"), "True : Kubernetes Service CIDR is ready");
  Delete<ServiceCIDR>("", "kubernetes");
  time.RunFor(11s);
  const auto again = Get<ServiceCIDR>("", "kubernetes");
  ASSERT_NE(again, nullptr);
  EXPECT_NE(again->metadata.uid, made->metadata.uid);
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(ServiceCidrsTest, ADefaultOneWithOtherRangesIsToldOfOnce) {
  Put(CidrOf("kubernetes", {"10.96.0.0/16"}));
  Start(*controller);
  PutAddress("10.96.0.1");
  Put(CidrOf("more", {"10.97.0.0/16"}));
  time.RunFor(1s);
  EXPECT_THAT(Events(), ElementsAre("KubernetesDefaultServiceCIDRInconsistent: The default "
                                    "ServiceCIDR [10.96.0.0/16] does not match the controller flag "
                                    "configurations [10.43.0.0/16]"));
  EXPECT_THAT(Get<ServiceCIDR>("", "kubernetes")->spec.cidrs, ElementsAre("10.96.0.0/16"));
}

TEST_F(ServiceCidrsTest, StaysWhileAddressesOfItAreUsed) {
  Put(CidrOf("more", {"10.97.0.0/16"}));
  PutAddress("10.97.0.7");
  PutAddress("10.97.0.8", false);
  Start(*controller);
  EXPECT_EQ(Ready("more"), "True : Kubernetes Service CIDR is ready");
  Delete<ServiceCIDR>("", "more");
  time.RunFor(60s);
  ASSERT_NE(Get<ServiceCIDR>("", "more"), nullptr);
  EXPECT_EQ(Ready("more"),
            "False Terminating: There are still IPAddresses referencing the ServiceCIDR, please "
            "remove them or create a new ServiceCIDR");
  Delete<IPAddress>("", "10.97.0.7");
  time.RunFor(1s);
  EXPECT_EQ(Get<ServiceCIDR>("", "more"), nullptr);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(ServiceCidrsTest, GoesWhenAnotherOneHasItsAddresses) {
  Put(CidrOf("more", {"10.97.0.0/16"}));
  PutAddress("10.97.0.7");
  Start(*controller);
  Delete<ServiceCIDR>("", "more");
  time.RunFor(60s);
  ASSERT_NE(Get<ServiceCIDR>("", "more"), nullptr);
  Put(CidrOf("larger", {"10.96.0.0/12"}));
  time.RunFor(1s);
  EXPECT_EQ(Get<ServiceCIDR>("", "more"), nullptr);
}

// An address that is being given out while the range goes.
TEST_F(ServiceCidrsTest, WaitsForTenSeconds) {
  Put(CidrOf("more", {"10.97.0.0/16"}));
  Start(*controller);
  Delete<ServiceCIDR>("", "more");
  time.RunFor(8s);
  ASSERT_NE(Get<ServiceCIDR>("", "more"), nullptr);
  PutAddress("10.97.0.7");
  time.RunFor(60s);
  ASSERT_NE(Get<ServiceCIDR>("", "more"), nullptr);
  Delete<IPAddress>("", "10.97.0.7");
  time.RunFor(1s);
  EXPECT_EQ(Get<ServiceCIDR>("", "more"), nullptr);
}

}  // namespace
}  // namespace podium::controllers
