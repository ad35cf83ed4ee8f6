// What upstream's controller_test.go of the ephemeral volume controller asks.
#include "controllers/ephemeral_volumes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Event;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EphemeralVolumesTest : public ControllersTest {
 public:
  void PutPod(const std::string& name, bool deleted = false) {
    Pod pod;
    pod.metadata.namespace_ = "a";
    pod.metadata.name = name;
    pod.spec.volumes.emplace_back().name = "plain";
    auto& volume = pod.spec.volumes.emplace_back();
    volume.name = "scratch";
    auto& model = volume.ephemeral.ensure().volumeClaimTemplate.ensure();
    model.metadata.labels["of"] = "template";
    model.metadata.annotations["why"] = "scratch";
    model.spec.accessModes = {"ReadWriteOnce"};
    model.spec.resources.requests["storage"] = api::Quantity::FromInt(7);
    if (deleted) pod.metadata.finalizers = {"test/held"};
    Put(pod);
    if (deleted) Delete<Pod>("a", name);
  }
  std::shared_ptr<const PersistentVolumeClaim> Claim(const std::string& name) {
    return Get<PersistentVolumeClaim>("a", name);
  }
  size_t Claims() { return server.List(At<PersistentVolumeClaim>("a"), {})->items.size(); }
};

TEST_F(EphemeralVolumesTest, AClaimIsMadeOfTheTemplate) {
  PutPod("web");
  const auto controller = MakeEphemeralVolumes(Context());
  Start(*controller);
  const auto claim = Claim("web-scratch");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->metadata.labels.at("of"), "template");
  EXPECT_EQ(claim->metadata.annotations.at("why"), "scratch");
  EXPECT_EQ(claim->spec.resources.requests.at("storage"), api::Quantity::FromInt(7));
  ASSERT_THAT(claim->metadata.ownerReferences, SizeIs(1));
  const auto& owner = claim->metadata.ownerReferences[0];
  EXPECT_EQ(owner.apiVersion + " " + owner.kind + " " + owner.name, "v1 Pod web");
  EXPECT_EQ(owner.uid, Get<Pod>("a", "web")->metadata.uid);
  EXPECT_EQ(owner.controller, true);
  EXPECT_EQ(owner.blockOwnerDeletion, true);
  EXPECT_EQ(Claims(), 1U);
  PutPod("later");
  time.RunFor(1s);
  EXPECT_NE(Claim("later-scratch"), nullptr);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(EphemeralVolumesTest, OneThatIsDeletedIsMadeAgain) {
  PutPod("web");
  const auto controller = MakeEphemeralVolumes(Context());
  Start(*controller);
  const std::string uid = Claim("web-scratch")->metadata.uid;
  Delete<PersistentVolumeClaim>("a", "web-scratch");
  time.RunFor(1s);
  ASSERT_NE(Claim("web-scratch"), nullptr);
  EXPECT_NE(Claim("web-scratch")->metadata.uid, uid);
}

TEST_F(EphemeralVolumesTest, NoneForPodsThatGo) {
  PutPod("web", true);
  const auto controller = MakeEphemeralVolumes(Context());
  Start(*controller);
  EXPECT_EQ(Claims(), 0U);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(EphemeralVolumesTest, SomebodyElsesClaimIsLeftAlone) {
  PutIn<PersistentVolumeClaim>("a", "web-scratch");
  PutPod("web");
  const auto controller = MakeEphemeralVolumes(Context());
  Start(*controller);
  EXPECT_THAT(Claim("web-scratch")->metadata.ownerReferences, IsEmpty());
  ASSERT_FALSE(errors.empty());
  EXPECT_THAT(errors[0], HasSubstr("pod a/web, ephemeral volume scratch: PVC a/web-scratch was not "
                                   "created for pod a/web (pod is not owner)"));
  const auto events = server.List(At<Event>("a"), {});
  ASSERT_THAT(events->items, SizeIs(1));
  const auto event = events->items[0].As<Event>();
  EXPECT_EQ(event->reason, "FailedBinding");
  EXPECT_EQ(event->source.component, "ephemeral_volume");
  EXPECT_EQ(event->involvedObject.name, "web");
  // It is made when the other one goes.
  Delete<PersistentVolumeClaim>("a", "web-scratch");
  time.RunFor(1s);
  EXPECT_THAT(Claim("web-scratch")->metadata.ownerReferences, SizeIs(1));
}

TEST_F(EphemeralVolumesTest, WhatFailsIsTriedAgain) {
  int refusals = 2;
  server.SetFault([&](std::string_view verb, const client::Target& target) -> std::optional<Error> {
    if (verb == "create" && target.resource == "persistentvolumeclaims" && refusals-- > 0) {
      return Error(Code::kPermissionDenied, "quota");
    }
    return std::nullopt;
  });
  PutPod("web");
  const auto controller = MakeEphemeralVolumes(Context());
  Start(*controller);
  EXPECT_NE(Claim("web-scratch"), nullptr);
  EXPECT_THAT(errors, SizeIs(2));
}

}  // namespace
}  // namespace podium::controllers
