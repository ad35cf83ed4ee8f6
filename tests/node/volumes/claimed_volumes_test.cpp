#include "node/volumes/claimed_volumes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/text.h"
#include "node/fake_objects.h"
#include "node/volumes/volume_manager.h"
#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;

class ClaimedVolumesTest : public ::testing::Test {
 protected:
  ClaimedVolumesTest() {
    config_.data_dir = scratch_.path() + "/data";
    disk_ = scratch_.path() + "/disk";
    fs::create_directories(disk_ + "/sub");
    WriteText(disk_ + "/file", "kept");
    objects_.node.metadata.labels["zone"] = "a";
    Bind("c", "pv").spec.local.ensure().path = disk_;
  }

  // The volume of a claim.
  v1::PersistentVolume& Bind(const std::string& claim, const std::string& volume) {
    v1::PersistentVolumeClaim& made = objects_.claims[claim];
    made.metadata.namespace_ = "ns";
    made.metadata.name = claim;
    made.metadata.uid = "uid-of-" + claim;
    made.spec.volumeName = volume;
    made.status.phase = "Bound";
    v1::PersistentVolume& out = objects_.persistent_volumes[volume];
    out.metadata.name = volume;
    out.spec.claimRef.ensure().uid = made.metadata.uid;
    return out;
  }
  v1::PersistentVolume& pv() { return objects_.persistent_volumes["pv"]; }
  v1::PersistentVolumeClaim& claim() { return objects_.claims["c"]; }

  static v1::Pod PodWith(const std::string& source, const std::string& more = "") {
    return PodOf(more + "volumes: [{name: v, " + source +
                 "}], containers: [{name: a, volumeMounts: [{name: v, mountPath: /d}]}]");
  }
  std::string SetUp(const v1::Pod& pod) { return Join(manager_.SetUp(pod), "; ", &Error::message); }
  using ::testing::Test::SetUp;
  std::string SetUpClaim() { return SetUp(PodWith("persistentVolumeClaim: {claimName: c}")); }
  // "path rw" of the one mount; what is mounted must be there.
  std::string MountOf(const v1::Pod& pod) {
    auto mounts = manager_.MountsOf(pod, pod.spec.containers[0], Environment(), {});
    if (!mounts.ok()) return mounts.error().message();
    const ContainerMount& mount = mounts->front();
    struct stat a{};
    struct stat b{};
    if (fstat(mount.source.get(), &a) != 0 || stat(mount.mount.host_path.c_str(), &b) != 0 ||
        a.st_ino != b.st_ino) {
      return "something else";
    }
    return mount.mount.host_path + (mount.mount.readonly ? " ro" : " rw");
  }
  static std::string Unattached(const std::string& why) {
    return "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], "
           "failed to process volumes=[v]: " +
           why;
  }

  ScratchFolder scratch_;
  std::string disk_;
  NodeConfig config_;
  FakeObjects objects_;
  FixedClock clock_;
  VolumeManager manager_{config_, objects_, clock_};
};

TEST_F(ClaimedVolumesTest, ALocalVolumeIsMountedAndStays) {
  const v1::Pod pod = PodWith("persistentVolumeClaim: {claimName: c}");
  EXPECT_EQ(SetUp(pod), "");
  EXPECT_EQ(MountOf(pod), disk_ + " rw");
  ASSERT_TRUE(manager_.TearDown("u").ok());
  fs::remove_all(RemovedVolumes(config_, "u"));
  EXPECT_EQ(ReadText(disk_ + "/file"), "kept");
  EXPECT_NE(MountOf(pod), disk_ + " rw");
}

TEST_F(ClaimedVolumesTest, AHostPathIsWhatItsTypeSays) {
  pv().spec.local.reset();
  pv().spec.hostPath.ensure().path = disk_;
  pv().spec.hostPath->type = "File";
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.SetUp failed for volume \"pv\" : hostPath type check failed: " + disk_ +
                " is not a file");
  pv().spec.hostPath->type = "Directory";
  EXPECT_EQ(SetUpClaim(), "");
  EXPECT_EQ(MountOf(PodWith("persistentVolumeClaim: {claimName: c}")), disk_ + " rw");
}

TEST_F(ClaimedVolumesTest, ReadOnly) {
  const v1::Pod pod = PodWith("persistentVolumeClaim: {claimName: c, readOnly: true}");
  EXPECT_EQ(SetUp(pod), "");
  EXPECT_EQ(MountOf(pod), disk_ + " ro");
}

// A container is started again while no server is there, also by a new agent.
TEST_F(ClaimedVolumesTest, OnceSetUpNobodyIsAsked) {
  const v1::Pod pod = PodWith("persistentVolumeClaim: {claimName: c}");
  EXPECT_EQ(SetUp(pod), "");
  const int questions = objects_.questions;
  claim().metadata.deletionTimestamp = api::Time::FromUnix(1);
  VolumeManager other(config_, objects_, clock_);
  EXPECT_TRUE(other.SetUp(pod).empty());
  EXPECT_EQ(MountOf(pod), disk_ + " rw");
  EXPECT_EQ(objects_.questions, questions);
}

TEST_F(ClaimedVolumesTest, ClaimsThatCannotBeUsed) {
  const std::string in = "error processing PVC ns/c: ";
  claim().metadata.deletionTimestamp = api::Time::FromUnix(1);
  EXPECT_EQ(SetUpClaim(), Unattached(in + "PVC is being deleted"));
  claim().metadata.deletionTimestamp.reset();
  claim().status.phase = "Pending";
  EXPECT_EQ(SetUpClaim(), Unattached(in + "PVC is not bound"));
  claim().status.phase = "Bound";
  claim().spec.volumeName = "";
  EXPECT_EQ(SetUpClaim(), Unattached(in + "PVC has empty pvc.Spec.VolumeName"));
  claim().spec.volumeName = "gone";
  EXPECT_EQ(SetUpClaim(), Unattached(in + "failed to fetch PV gone from API server: "
                                          "persistentvolumes \"gone\" not found"));
  claim().spec.volumeName = "pv";
  pv().spec.claimRef->uid = "other";
  EXPECT_EQ(SetUpClaim(),
            Unattached(in + "found PV object pv but its pv.Spec.ClaimRef.UID other does not point "
                            "to claim.UID uid-of-c"));
  pv().spec.claimRef.reset();
  EXPECT_EQ(SetUpClaim(), Unattached(in + "found PV object pv but it has a nil pv.Spec.ClaimRef "
                                          "indicating it is not yet bound to the claim"));
  EXPECT_EQ(SetUp(PodWith("persistentVolumeClaim: {claimName: none}")),
            Unattached("error processing PVC ns/none: failed to fetch PVC from API server: "
                       "persistentvolumeclaims \"none\" not found"));
}

TEST_F(ClaimedVolumesTest, VolumesThatAreNotForThisNode) {
  v1::NodeSelector& required = pv().spec.nodeAffinity.ensure().required.ensure();
  auto& expression = required.nodeSelectorTerms.emplace_back().matchExpressions.emplace_back();
  expression.key = "zone";
  expression.operator_ = "In";
  expression.values = {"b"};
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.NodeAffinity check failed for volume \"pv\" : no matching "
            "NodeSelectorTerms");
  expression.values = {"a"};
  EXPECT_EQ(SetUpClaim(), "");
}

TEST_F(ClaimedVolumesTest, VolumesThatAreNotOfferedHere) {
  const v1::PersistentVolume good = pv();
  pv().spec.volumeMode = "Block";
  EXPECT_EQ(SetUpClaim(),
            Unattached("volume v has volumeMode Block, but is specified in volumeMounts"));
  pv() = good;
  EXPECT_EQ(SetUp(PodOf("volumes: [{name: v, persistentVolumeClaim: {claimName: c}}], "
                        "containers: [{name: a, volumeDevices: [{name: v, devicePath: /dev/x}]}]")),
            Unattached("volume v has volumeMode Filesystem, but is specified in volumeDevices"));
  pv().spec.mountOptions = {"noatime"};
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.MountOptionSupport check failed for volume \"pv\" : mount options are "
            "not supported");
  pv() = good;
  pv().spec.local->path = disk_ + "/none";
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.NewMounter initialization failed for volume \"pv\" : path \"" + disk_ +
                "/none\" does not exist");
  pv().spec.local->path = disk_ + "/file";
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.NewMounter initialization failed for volume \"pv\" : only directory and "
            "block device are supported");
  pv().spec.local.reset();
  pv().spec.nfs.ensure().server = "nfs";
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.FindPluginBySpec failed for volume \"pv\" : NFS volumes are not offered "
            "here");
  pv().spec.nfs.reset();
  EXPECT_EQ(SetUpClaim(),
            "MountVolume.FindPluginBySpec failed for volume \"pv\" : only hostPath and local "
            "volumes are offered here");
  EXPECT_EQ(SetUp(PodWith("nfs: {server: a, path: /}")),
            "MountVolume.SetUp failed for volume \"v\" : NFS volumes are not offered here");
}

TEST_F(ClaimedVolumesTest, EphemeralOnesBelongToThePod) {
  Bind("p-v", "pv2").spec.local.ensure().path = disk_;
  const v1::Pod pod = PodWith(
      "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
      "resources: {requests: {storage: 1Mi}}}}}");
  EXPECT_EQ(SetUp(pod), Unattached("PVC ns/p-v was not created for pod ns/p (pod is not owner)"));
  auto& owner = objects_.claims["p-v"].metadata.ownerReferences.emplace_back();
  owner.uid = "u";
  EXPECT_NE(SetUp(pod), "");
  owner.controller = true;
  EXPECT_EQ(SetUp(pod), "");
  EXPECT_EQ(MountOf(pod), disk_ + " rw");
}

TEST_F(ClaimedVolumesTest, OneForOnePodHasOne) {
  pv().spec.accessModes = {"ReadWriteOncePod"};
  EXPECT_EQ(SetUpClaim(), "");
  v1::Pod other = PodWith("persistentVolumeClaim: {claimName: c}");
  other.metadata.uid = "w";
  EXPECT_EQ(SetUp(other),
            "MountVolume.SetUp failed for volume \"pv\" : volume uses the ReadWriteOncePod access "
            "mode and is already in use by another pod");
  EXPECT_EQ(SetUpClaim(), "");
  ASSERT_TRUE(manager_.TearDown("u").ok());
  EXPECT_EQ(SetUp(other), "");
}

TEST_F(ClaimedVolumesTest, TheFirstPodsGroupOwnsLocalOnes) {
  if (geteuid() != 0) GTEST_SKIP() << "gives files away";
  const auto group = [&] {
    struct stat status{};
    EXPECT_EQ(stat((disk_ + "/file").c_str(), &status), 0);
    return status.st_gid;
  };
  const std::string claim = "persistentVolumeClaim: {claimName: c}";
  const std::string of = "securityContext: {fsGroup: 4242}, ";
  EXPECT_EQ(SetUp(PodWith("persistentVolumeClaim: {claimName: c, readOnly: true}", of)), "");
  EXPECT_EQ(group(), 0U);
  ASSERT_TRUE(manager_.TearDown("u").ok());
  fs::remove_all(RemovedVolumes(config_, "u"));
  EXPECT_EQ(SetUp(PodWith(claim, of)), "");
  EXPECT_EQ(group(), 4242U);
  // The first one may rely on it.
  v1::Pod other = PodWith(claim, "securityContext: {fsGroup: 4343}, ");
  other.metadata.uid = "w";
  EXPECT_EQ(SetUp(other), "");
  EXPECT_EQ(group(), 4242U);
  // What the administrator shows by a hostPath is his.
  pv().spec.local.reset();
  pv().spec.hostPath.ensure().path = disk_;
  v1::Pod third = PodWith(claim, "securityContext: {fsGroup: 4444}, ");
  third.metadata.uid = "x";
  ASSERT_TRUE(manager_.TearDown("u").ok());
  ASSERT_TRUE(manager_.TearDown("w").ok());
  EXPECT_EQ(SetUp(third), "");
  EXPECT_EQ(group(), 4242U);
}

}  // namespace
}  // namespace podium::node
