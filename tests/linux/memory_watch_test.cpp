// A watch of memory tells when a cgroup's usage has grown as far as was said, and not before.
#include "linux/memory_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "linux/cgroup_harness.h"

namespace podium::kernel {
namespace {

constexpr size_t kMi = size_t{1} << 20;

bool IsReady(const MemoryWatch& watch, int milliseconds) {
  pollfd wait{.fd = watch.watch.fd.get(), .events = watch.watch.events, .revents = 0};
  return poll(&wait, 1, milliseconds) > 0;
}

class MemoryWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "cgroups are made";
    auto driver = CgroupDriver::Detect({.root = root_});
    if (!driver.ok()) GTEST_SKIP() << driver.error().message();
    driver_ = *std::move(driver);
    ASSERT_TRUE(driver_->Create("a", {}).ok());
  }
  void TearDown() override {
    if (!driver_) return;
    EXPECT_TRUE(driver_->Kill("", kPatience).ok());
    EXPECT_TRUE(driver_->Remove("", kPatience).ok());
  }
  std::string Path() const { return root_ + "/a"; }

  const std::string root_ = "podium-memory-watch-" + std::to_string(getpid());
  std::unique_ptr<CgroupDriver> driver_;
};

TEST_F(MemoryWatchTest, ReadyWhenUsageHasGrownSoFar) {
  auto far = WatchMemoryGrowth(Path(), 64 * kMi);
  auto near = WatchMemoryGrowth(Path(), 8 * kMi);
  ASSERT_TRUE(far.ok()) << far.error().message();
  ASSERT_TRUE(near.ok()) << near.error().message();
  if (near->lasting) GTEST_SKIP() << "this kernel has no marks";
  EXPECT_FALSE(IsReady(*near, 0));
  const CgroupChild child(*driver_, "a", [] {
    constexpr size_t kSize = 24 * kMi;
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    std::memset(memory, 1, kSize);
    pause();
    return 0;
  });
  EXPECT_TRUE(IsReady(*near, 10'000));
  near->watch.Acknowledge();
  EXPECT_FALSE(IsReady(*near, 0)) << "once for each crossing";
  EXPECT_FALSE(IsReady(*far, 200));
}

// Pressure stall information: what is over memory.high has to wait for every page more.
TEST_F(MemoryWatchTest, ReadyWhenProcessesWaitForMemory) {
  auto all = WatchMemoryGrowth("", kMi);
  auto group = WatchMemoryGrowth(Path(), kMi);
  ASSERT_TRUE(all.ok()) << all.error().message();
  ASSERT_TRUE(group.ok()) << group.error().message();
  if (!group->lasting) GTEST_SKIP() << "this kernel has marks";
  const auto touch = [](size_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    std::memset(memory, 1, size);
    pause();
    return 0;
  };
  const CgroupChild easy(*driver_, "a", [&] { return touch(24 * kMi); });
  EXPECT_FALSE(IsReady(*group, 3'000)) << "memory that is there is nothing to wait for";
  ASSERT_TRUE(driver_->Update("a", {.memory_high = 32 * kMi}).ok());
  const CgroupChild hard(*driver_, "a", [&] { return touch(64 * kMi); });
  EXPECT_TRUE(IsReady(*group, 30'000));
  EXPECT_TRUE(IsReady(*all, 30'000));
  // One that lasts tells it again as long as it goes on.
  EXPECT_TRUE(IsReady(*group, 30'000));
}

TEST_F(MemoryWatchTest, OfTheWholeMachine) {
  const auto watch = WatchMemoryGrowth("", uint64_t{1} << 50);
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  if (!watch->lasting) EXPECT_FALSE(IsReady(*watch, 0));
}

TEST_F(MemoryWatchTest, OfACgroupThatIsNotThere) {
  EXPECT_EQ(WatchMemoryGrowth(root_ + "/none", 1).error().code(), Code::kNotFound);
  EXPECT_EQ(WatchMemoryGrowth(root_ + "/../..", 1).ok(), false);
}

}  // namespace
}  // namespace podium::kernel
