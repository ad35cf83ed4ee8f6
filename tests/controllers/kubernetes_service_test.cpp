// What upstream's kubernetesservice and instance reconciler tests ask.
#include "controllers/kubernetes_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Endpoints;
using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;
using testing::ElementsAre;
using testing::IsEmpty;

class KubernetesServiceTest : public ControllersTest {
 public:
  std::unique_ptr<Controller> Make(const std::string& endpoint = "10.0.0.7", uint16_t port = 6443) {
    return MakeKubernetesService(
        Context(), {.service_address = "10.43.0.1", .endpoint_address = endpoint, .port = port});
  }
  template <class T>
  std::shared_ptr<const T> Kubernetes() {
    return Get<T>("default", "kubernetes");
  }
};

TEST_F(KubernetesServiceTest, AllIsMade) {
  const auto controller = Make();
  Start(*controller);
  const auto service = Kubernetes<Service>();
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->spec.clusterIP, "10.43.0.1");
  EXPECT_EQ(service->spec.type, "ClusterIP");
  ASSERT_EQ(service->spec.ports.size(), 1U);
  EXPECT_EQ(service->spec.ports[0].port, 443);
  EXPECT_EQ(service->spec.ports[0].targetPort, api::IntOrString::FromInt(6443));
  const auto endpoints = Kubernetes<Endpoints>();
  ASSERT_NE(endpoints, nullptr);
  EXPECT_EQ(endpoints->metadata.labels.at("endpointslice.kubernetes.io/skip-mirror"), "true");
  EXPECT_EQ(endpoints->subsets.at(0).addresses.at(0).ip, "10.0.0.7");
  EXPECT_EQ(endpoints->subsets.at(0).ports.at(0).port, 6443);
  const auto slice = Kubernetes<EndpointSlice>();
  ASSERT_NE(slice, nullptr);
  EXPECT_EQ(slice->addressType, "IPv4");
  EXPECT_EQ(slice->metadata.labels.at("kubernetes.io/service-name"), "kubernetes");
  EXPECT_THAT(slice->endpoints.at(0).addresses, ElementsAre("10.0.0.7"));
  time.RunFor(60s);
  EXPECT_EQ(server.calls("create"), 3);
  EXPECT_EQ(server.calls("update"), 0);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(KubernetesServiceTest, WhatIsDeletedComesBackAndWhatIsChangedIsChangedBack) {
  const auto controller = Make();
  Start(*controller);
  Delete<Service>("default", "kubernetes");
  Delete<EndpointSlice>("default", "kubernetes");
  Endpoints astray = reflect::Copy(*Kubernetes<Endpoints>());
  astray.subsets.at(0).addresses.at(0).ip = "10.6.6.6";
  astray.metadata.labels["mine"] = "stays";
  ASSERT_TRUE(server.Update(At<Endpoints>("default", "kubernetes"), astray, {}).ok());
  time.RunFor(1s);
  EXPECT_NE(Kubernetes<Service>(), nullptr);
  EXPECT_NE(Kubernetes<EndpointSlice>(), nullptr);
  EXPECT_EQ(Kubernetes<Endpoints>()->subsets.at(0).addresses.at(0).ip, "10.0.0.7");
  EXPECT_EQ(Kubernetes<Endpoints>()->metadata.labels.at("mine"), "stays");
}

TEST_F(KubernetesServiceTest, TheNextStartMayBeAtAnotherPlace) {
  {
    const auto controller = Make();
    Start(*controller);
  }
  Service changed = reflect::Copy(*Kubernetes<Service>());
  changed.metadata.labels["mine"] = "stays";
  changed.spec.internalTrafficPolicy = "Cluster";
  ASSERT_TRUE(server.Update(At<Service>("default", "kubernetes"), changed, {}).ok());
  const std::string uid = Kubernetes<EndpointSlice>()->metadata.uid;
  const auto controller = Make("2001:db8::7", 7443);
  controller->Start();
  time.RunFor(1s);
  const auto service = Kubernetes<Service>();
  EXPECT_EQ(service->spec.ports.at(0).targetPort, api::IntOrString::FromInt(7443));
  EXPECT_EQ(service->metadata.labels.at("mine"), "stays");
  EXPECT_EQ(service->spec.clusterIP, "10.43.0.1");
  EXPECT_EQ(service->spec.internalTrafficPolicy, "Cluster");
  const auto slice = Kubernetes<EndpointSlice>();
  EXPECT_NE(slice->metadata.uid, uid);
  EXPECT_EQ(slice->addressType, "IPv6");
  EXPECT_EQ(slice->ports.at(0).port, 7443);
  EXPECT_EQ(Kubernetes<Endpoints>()->subsets.at(0).addresses.at(0).ip, "2001:db8::7");
}

TEST_F(KubernetesServiceTest, WithoutAnAddressEndpointsAreLeftAlone) {
  const auto controller = Make("");
  Start(*controller);
  EXPECT_NE(Kubernetes<Service>(), nullptr);
  EXPECT_EQ(Kubernetes<Endpoints>(), nullptr);
  EXPECT_EQ(Kubernetes<EndpointSlice>(), nullptr);
}

}  // namespace
}  // namespace podium::controllers
