// What claims' volumes hold.
#include "node/stats/claim_use.h"

#include <gmock/gmock.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

#include "node/fake_services.h"
#include "node/pods.h"
#include "node/stats/pod_disks.h"

namespace podium::node {
namespace {

using ::testing::SizeIs;

class ClaimUseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pod_ = PodOf(
        "volumes: [{name: data, persistentVolumeClaim: {claimName: c}}, {name: cache, ephemeral: "
        "{}}, {name: host, persistentVolumeClaim: {claimName: h}}, {name: waits, "
        "persistentVolumeClaim: {claimName: w}}, {name: none, emptyDir: {}}], containers: "
        "[{name: a}]");
    pod_.metadata.uid = "u1";
    pod_.metadata.namespace_ = "ns";
    pod_.metadata.name = "web";
    Keep("data", R"({"spec": {"local": {"path": "/proc"}}})");
    Keep("cache", R"({"spec": {"local": {"path": "/"}}})");
    Keep("host", R"({"spec": {"hostPath": {"path": "/"}}})");
  }
  // As volumes/claimed_volumes.h keeps them.
  void Keep(const std::string& volume, const std::string& found) {
    const std::string folder = PodFolder(node_.config, "u1") + "/volumes/podium~claim";
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + volume + ".json") << found;
  }

  FakeNode node_;
  v1::Pod pod_;
};

TEST_F(ClaimUseTest, LocalVolumesAsTheirFileSystemsTell) {
  const auto claims = MeasureClaims(pod_, node_.config);
  ASSERT_THAT(claims, SizeIs(2)) << "a hostPath is not measured, and one is not set up yet";
  EXPECT_EQ(claims[0].name_space, "ns");
  EXPECT_EQ(claims[0].claim, "c");
  EXPECT_EQ(claims[0].volume, "data");
  EXPECT_EQ(claims[0].use.capacity, 0U) << "/proc has none";
  EXPECT_EQ(claims[1].claim, "web-cache") << "made for the pod, and named after it";
  struct statvfs root{};
  ASSERT_EQ(statvfs("/", &root), 0);
  EXPECT_EQ(claims[1].use.capacity, root.f_blocks * root.f_frsize);
  EXPECT_EQ(claims[1].use.inodes, root.f_files);
}

TEST_F(ClaimUseTest, FoldersThatAreGoneAreNotTold) {
  Keep("data", R"({"spec": {"local": {"path": "/nowhere/at/all"}}})");
  EXPECT_THAT(MeasureClaims(pod_, node_.config), SizeIs(1));
}

TEST_F(ClaimUseTest, EachClaimOnce) {
  std::vector<ClaimUse> claims = {{.name_space = "b", .claim = "c", .use = {}},
                                  {.name_space = "a", .claim = "d", .use = {}},
                                  {.name_space = "b", .claim = "c", .use = {}},
                                  {.name_space = "a", .claim = "c", .use = {}}};
  SortClaims(&claims);
  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(claims[0].claim, "c");
  EXPECT_EQ(claims[1].claim, "d");
  EXPECT_EQ(claims[2].name_space, "b");
}

TEST_F(ClaimUseTest, ThePodsDiskHasThemAndDoesNotCountThem) {
  const PodDisk disk = MeasurePodDisk(pod_, node_.config, node_.runtime, node_.time);
  ASSERT_TRUE(disk.volumes.contains("cache"));
  const VolumeUse& cache = disk.volumes.at("cache");
  EXPECT_EQ(cache.claim, "web-cache");
  ASSERT_TRUE(cache.own);
  EXPECT_EQ(cache.used.bytes, cache.own->used);
  EXPECT_LT(disk.together.bytes, 1U << 20) << "what is in a claim is not the pod's own";
  EXPECT_FALSE(disk.volumes.contains("host"));
}

}  // namespace
}  // namespace podium::node
