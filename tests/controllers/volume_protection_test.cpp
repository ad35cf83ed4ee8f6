#include "controllers/volume_protection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kOfClaims = "kubernetes.io/pvc-protection";
constexpr const char* kOfVolumes = "kubernetes.io/pv-protection";

class VolumeProtectionTest : public ControllersTest {
 public:
  static Pod User(const std::string& claim, const std::string& node) {
    Pod pod;
    pod.metadata.namespace_ = "a";
    pod.metadata.name = "p";
    pod.spec.nodeName = node;
    auto& volume = pod.spec.volumes.emplace_back();
    volume.name = "data";
    volume.persistentVolumeClaim.ensure().claimName = claim;
    return pod;
  }
};

TEST_F(VolumeProtectionTest, AClaimStaysWhileAPodOfANodeUsesIt) {
  PutIn<PersistentVolumeClaim>("a", "used", kOfClaims);
  PutIn<PersistentVolumeClaim>("a", "free", kOfClaims);
  PutIn<PersistentVolumeClaim>("b", "used", kOfClaims);
  Put(User("used", "n1"));
  const auto controller = MakeClaimProtection(Context());
  Start(*controller);
  Delete<PersistentVolumeClaim>("a", "used");
  Delete<PersistentVolumeClaim>("a", "free");
  Delete<PersistentVolumeClaim>("b", "used");
  time.RunFor(1s);
  EXPECT_NE(Get<PersistentVolumeClaim>("a", "used"), nullptr);
  EXPECT_EQ(Get<PersistentVolumeClaim>("a", "free"), nullptr);
  EXPECT_EQ(Get<PersistentVolumeClaim>("b", "used"), nullptr);
  // A pod that is over still has it.
  Pod over = reflect::Copy(*Get<Pod>("a", "p"));
  over.status.phase = "Succeeded";
  client::Target status = At<Pod>("a", "p");
  status.subresource = "status";
  ASSERT_TRUE(server.Update(status, over, {}).ok());
  time.RunFor(1s);
  EXPECT_NE(Get<PersistentVolumeClaim>("a", "used"), nullptr);
  Delete<Pod>("a", "p");
  time.RunFor(1s);
  EXPECT_EQ(Get<PersistentVolumeClaim>("a", "used"), nullptr);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(VolumeProtectionTest, APodWithoutANodeKeepsNoClaim) {
  PutIn<PersistentVolumeClaim>("a", "c", kOfClaims);
  Put(User("c", ""));
  const auto controller = MakeClaimProtection(Context());
  Start(*controller);
  Delete<PersistentVolumeClaim>("a", "c");
  time.RunFor(1s);
  EXPECT_EQ(Get<PersistentVolumeClaim>("a", "c"), nullptr);
}

// The informer hears of no pods: what the server says keeps the claim.
TEST_F(VolumeProtectionTest, AnOldCacheDoesNotLetAClaimGo) {
  PutIn<PersistentVolumeClaim>("a", "c", kOfClaims);
  const auto controller = MakeClaimProtection(Context());
  Start(*controller);
  server.SetFault(
      [](std::string_view /*verb*/, const client::Target& target) -> std::optional<Error> {
        if (target.resource == "pods" && target.namespace_.empty()) {
          return Error(Code::kUnavailable, "not now");
        }
        return std::nullopt;
      });
  server.BreakWatches(Error(Code::kUnavailable, "broken"));
  time.RunFor(100ms);
  Put(User("c", "n1"));
  Delete<PersistentVolumeClaim>("a", "c");
  time.RunFor(20s);
  EXPECT_NE(Get<PersistentVolumeClaim>("a", "c"), nullptr);
}

TEST_F(VolumeProtectionTest, OldClaimsAndVolumesGetTheFinalizer) {
  PutIn<PersistentVolumeClaim>("a", "c");
  PutIn<PersistentVolume>("", "v", "x/y");
  const auto claims = MakeClaimProtection(Context());
  const auto volumes = MakeVolumeProtection(Context());
  claims->Start();
  Start(*volumes);
  EXPECT_THAT(Get<PersistentVolumeClaim>("a", "c")->metadata.finalizers, ElementsAre(kOfClaims));
  EXPECT_THAT(Get<PersistentVolume>("", "v")->metadata.finalizers, ElementsAre("x/y", kOfVolumes));
}

TEST_F(VolumeProtectionTest, AVolumeStaysWhileItIsBound) {
  PutIn<PersistentVolume>("", "free", kOfVolumes);
  PersistentVolume bound;
  bound.metadata.name = "bound";
  bound.metadata.finalizers = {kOfVolumes};
  bound.status.phase = "Bound";
  Put(bound);
  const auto controller = MakeVolumeProtection(Context());
  Start(*controller);
  Delete<PersistentVolume>("", "free");
  Delete<PersistentVolume>("", "bound");
  time.RunFor(1s);
  EXPECT_EQ(Get<PersistentVolume>("", "free"), nullptr);
  ASSERT_NE(Get<PersistentVolume>("", "bound"), nullptr);
  PersistentVolume released = reflect::Copy(*Get<PersistentVolume>("", "bound"));
  released.status.phase = "Released";
  client::Target status = At<PersistentVolume>("", "bound");
  status.subresource = "status";
  ASSERT_TRUE(server.Update(status, released, {}).ok());
  time.RunFor(1s);
  EXPECT_EQ(Get<PersistentVolume>("", "bound"), nullptr);
}

TEST(PodUsesClaimTest, EphemeralVolumes) {
  Pod pod;
  pod.metadata.name = "p";
  pod.metadata.uid = "u";
  pod.spec.nodeName = "n";
  auto& volume = pod.spec.volumes.emplace_back();
  volume.name = "data";
  volume.ephemeral.ensure();
  PersistentVolumeClaim claim;
  claim.metadata.name = "p-data";
  // A namesake that is somebody else's.
  EXPECT_FALSE(PodUsesClaim(pod, claim));
  auto& owner = claim.metadata.ownerReferences.emplace_back();
  owner.uid = "u";
  owner.controller = true;
  EXPECT_TRUE(PodUsesClaim(pod, claim));
  pod.metadata.deletionTimestamp = api::Time::FromUnix(1);
  pod.metadata.deletionGracePeriodSeconds = 30;
  EXPECT_TRUE(PodUsesClaim(pod, claim));
  pod.metadata.deletionGracePeriodSeconds = 0;
  EXPECT_FALSE(PodUsesClaim(pod, claim));
}

}  // namespace
}  // namespace podium::controllers
