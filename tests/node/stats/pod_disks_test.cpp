// What pods hold on disks, and how often that is looked at.
#include "node/stats/pod_disks.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Lt;
using namespace std::chrono_literals;

constexpr uint64_t kMi = 1 << 20;

class PodDisksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pod = std::make_shared<v1::Pod>(
        PodOf("volumes: [{name: cache, emptyDir: {}}, {name: none, emptyDir: {}}, {name: host, "
              "hostPath: {path: /}}], containers: [{name: a}]"));
    pod->metadata.uid = "u1";
    pod_ = pod;
    pods_ = {pod};
  }
  void Write(const std::string& path, uint64_t bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
  }
  std::string InPod(const std::string& path) const { return PodFolder(node_.config, "u1") + path; }

  FakeNode node_;
  std::shared_ptr<const v1::Pod> pod_;
  std::vector<std::shared_ptr<const v1::Pod>> pods_;
  int looks_ = 0;
  std::shared_ptr<PodDisks> disks_ =
      std::make_shared<PodDisks>(PodDisks::Services{.config = node_.config,
                                                    .clock = node_.time,
                                                    .executor = node_.time,
                                                    .runtime = node_.runtime,
                                                    .pods = [this] {
                                                      ++looks_;
                                                      return pods_;
                                                    }});
};

TEST_F(PodDisksTest, AllPartsOfAPod) {
  Write(InPod("/volumes/kubernetes.io~empty-dir/cache/deep/file"), kMi);
  Write(InPod("/containers/a/0"), kMi / 4);
  Write(InPod("/etc-hosts"), 8192);
  const PodDisk disk = MeasurePodDisk(*pod_, node_.config, node_.runtime, node_.time);
  ASSERT_EQ(disk.volumes.size(), 1U) << "one is not there yet, one is the host's";
  const VolumeUse& cache = disk.volumes.at("cache");
  EXPECT_THAT(cache.used.bytes, AllOf(Ge(kMi), Lt(kMi + 64 * 1024)));
  EXPECT_EQ(cache.used.inodes, 3U);
  EXPECT_FALSE(cache.own);
  EXPECT_THAT(disk.together.bytes,
              AllOf(Ge(kMi + (kMi / 4) + 8192), Lt(kMi + (kMi / 4) + 128 * 1024)));
  EXPECT_EQ(disk.read_at, node_.time.Now());
}

TEST_F(PodDisksTest, LayersAndLogsAreTheContainers) {
  node_.runtime.Script("a", {.writable_layer = kMi / 2});
  const auto worker = PodWorker::Create(node_.services, *pod_,
                                        {.status = [](const auto&, const auto&) {},
                                         .unmounted = [](const auto&) {},
                                         .gone = [](const auto&) {}});
  node_.time.Settle();
  Write(
      PodLogFolder(node_.config, pod_->metadata.namespace_, pod_->metadata.name, "u1") + "/a/0.log",
      kMi);
  const PodDisk disk = MeasurePodDisk(*pod_, node_.config, node_.runtime, node_.time);
  ASSERT_TRUE(disk.layers.contains("a"));
  EXPECT_EQ(disk.layers.at("a").bytes, kMi / 2);
  EXPECT_GE(disk.logs.at("a").bytes, kMi);
  EXPECT_GE(disk.together.bytes, kMi + (kMi / 2));
  worker->Stop();
}

TEST_F(PodDisksTest, NobodyLooksUnlessSomebodyAsks) {
  node_.time.RunFor(10min);
  EXPECT_EQ(looks_, 0);
  EXPECT_TRUE(disks_->Ask().empty()) << "nobody has looked yet";
  node_.time.Settle();
  EXPECT_EQ(looks_, 1);
  EXPECT_TRUE(disks_->Ask().contains("u1"));
  node_.time.RunFor(59s);
  EXPECT_TRUE(disks_->Ask().contains("u1"));
  node_.time.Settle();
  EXPECT_EQ(looks_, 1);
  node_.time.RunFor(2s);
  pods_.clear();
  (void)disks_->Ask();
  node_.time.Settle();
  EXPECT_EQ(looks_, 2);
  EXPECT_TRUE(disks_->Ask().empty()) << "the pod is gone";
}

// A walk that takes nine seconds is not made again before three minutes have passed.
TEST_F(PodDisksTest, LongWalksAreMadeLessOften) {
  auto disks = std::make_shared<PodDisks>(PodDisks::Services{.config = node_.config,
                                                             .clock = node_.time,
                                                             .executor = node_.time,
                                                             .runtime = node_.runtime,
                                                             .pods = [this] {
                                                               ++looks_;
                                                               node_.time.Sleep(9s, -1);
                                                               return pods_;
                                                             }});
  (void)disks->Ask();
  node_.time.RunFor(10s);
  EXPECT_EQ(looks_, 1);
  node_.time.RunFor(170s);
  (void)disks->Ask();
  node_.time.RunFor(10s);
  EXPECT_EQ(looks_, 1);
  (void)disks->Ask();
  node_.time.RunFor(10s);
  EXPECT_EQ(looks_, 2);
}

TEST_F(PodDisksTest, StopIsForGood) {
  disks_->Stop();
  (void)disks_->Ask();
  node_.time.RunFor(2min);
  EXPECT_EQ(looks_, 0);
}

}  // namespace
}  // namespace podium::node
