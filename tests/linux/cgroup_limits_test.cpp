// The contract of CgroupDriver: what limits do, and what is counted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "linux/cgroup.h"
#include "linux/cgroup_harness.h"

namespace podium::kernel {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMiB = 1 << 20;

class CgroupLimitsTest : public CgroupTest {
 protected:
  void ExpectCreated(const std::string& path, const CgroupLimits& limits) {
    const auto created = driver().Create(path, limits);
    EXPECT_TRUE(created.ok()) << created.error().message();
  }
  void ExpectUpdated(const std::string& path, const CgroupLimits& limits) {
    const auto updated = driver().Update(path, limits);
    EXPECT_TRUE(updated.ok()) << updated.error().message();
  }
};

INSTANTIATE_TEST_SUITE_P(Machine, CgroupLimitsTest,
                         ::testing::Values(CgroupMode::kV2, CgroupMode::kV1, CgroupMode::kHybrid),
                         ModeName);

int Sleep() {
  for (;;) pause();
}

// Writes to so many bytes of fresh memory.
int Touch(int64_t bytes) {
  void* const memory = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  for (int64_t at = 0; at < bytes; at += 4096) static_cast<volatile char*>(memory)[at] = 1;
  return 0;
}

int Burn(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
  return 0;
}

TEST_P(CgroupLimitsTest, Pids) {
  if (!HasController("pids", "pids")) GTEST_SKIP() << "no pids controller";
  ExpectCreated("a", {.pids_limit = 3});
  EXPECT_EQ(driver().Stats("a")->pids->limit, 3u);
  const auto fork_three = [] {
    for (int i = 0; i < 2; ++i) {
      if (const pid_t pid = fork(); pid == 0) Sleep();
    }
    return fork() < 0 ? errno : 0;
  };
  EXPECT_EQ(RunIn(driver(), "a", fork_three), EAGAIN);
  ASSERT_TRUE(driver().Kill("a", kPatience).ok());
  ExpectUpdated("a", {.pids_limit = -1});
  EXPECT_EQ(driver().Stats("a")->pids->limit, std::nullopt);
}

TEST_P(CgroupLimitsTest, MemoryRunsOut) {
  if (!HasController("memory", "memory")) GTEST_SKIP() << "no memory controller";
  ExpectCreated("pod/a", {.memory_limit = 32 * kMiB, .memory_swap = 32 * kMiB});
  EXPECT_EQ(driver().Stats("pod/a")->memory->limit, 32u * kMiB);
  EXPECT_EQ(*driver().OomKills("pod/a"), 0u);
  auto watch = driver().WatchOom("pod/a");
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  pollfd ready{.fd = watch->fd.get(), .events = watch->events, .revents = 0};
  EXPECT_EQ(poll(&ready, 1, 0), 0);
  EXPECT_EQ(RunIn(driver(), "pod/a", [] { return Touch(4 * kMiB); }), 0);
  EXPECT_EQ(*driver().OomKills("pod/a"), 0u);
  EXPECT_EQ(RunIn(driver(), "pod/a", [] { return Touch(256 * kMiB); }), 128 + SIGKILL);
  EXPECT_EQ(poll(&ready, 1, 5000), 1);
  EXPECT_EQ(*driver().OomKills("pod/a"), 1u);
  // A pod's count has those of its containers.
  EXPECT_EQ(*driver().OomKills("pod"), 1u);
  watch->Acknowledge();
  EXPECT_EQ(poll(&ready, 1, 0), 0);
}

TEST_P(CgroupLimitsTest, MemoryOfThePodRunsOut) {
  if (!HasController("memory", "memory")) GTEST_SKIP() << "no memory controller";
  ExpectCreated("pod", {.memory_limit = 32 * kMiB, .memory_swap = 32 * kMiB});
  ExpectCreated("pod/a", {});
  EXPECT_EQ(RunIn(driver(), "pod/a", [] { return Touch(256 * kMiB); }), 128 + SIGKILL);
  EXPECT_EQ(*driver().OomKills("pod/a"), 1u);
}

TEST_P(CgroupLimitsTest, AnOomKillTakesAllOfAGroup) {
  if (!HasController("memory", "memory")) GTEST_SKIP() << "no memory controller";
  ExpectCreated("a",
                {.memory_limit = 32 * kMiB, .memory_swap = 32 * kMiB, .memory_oom_group = true});
  if (!HasV2("memory")) {
    EXPECT_THAT(driver().TakeWarnings(), ElementsAre(HasSubstr("as a whole")));
    return;
  }
  EXPECT_THAT(driver().TakeWarnings(), IsEmpty());
  CgroupChild bystander(driver(), "a", &Sleep);
  ASSERT_TRUE(Eventually([&] { return *driver().Populated("a"); }));
  EXPECT_EQ(RunIn(driver(), "a", [] { return Touch(256 * kMiB); }), 128 + SIGKILL);
  EXPECT_EQ(WTERMSIG(bystander.Wait()), SIGKILL);
}

// v1 holds one limit below the other at every moment: each step must find an order.
TEST_P(CgroupLimitsTest, MemoryUpAndDown) {
  if (!HasController("memory", "memory")) GTEST_SKIP() << "no memory controller";
  ExpectCreated("a", {.memory_limit = 64 * kMiB, .memory_swap = 64 * kMiB});
  const auto limits = [&] {
    const MemoryStats memory = *driver().Stats("a")->memory;
    return std::pair(memory.limit, memory.swap_limit);
  };
  using Pair = std::pair<std::optional<uint64_t>, std::optional<uint64_t>>;
  const bool swap = limits().second.has_value();
  const auto expect = [&](std::optional<uint64_t> memory, std::optional<uint64_t> swap_limit) {
    EXPECT_EQ(limits(), Pair(memory, swap ? swap_limit : std::nullopt));
  };
  expect(64 * kMiB, 0);
  ExpectUpdated("a", {.memory_limit = 256 * kMiB, .memory_swap = 512 * kMiB});
  expect(256 * kMiB, 256 * kMiB);
  ExpectUpdated("a", {.memory_limit = 400 * kMiB, .memory_swap = 400 * kMiB});
  expect(400 * kMiB, 0);
  ExpectUpdated("a", {.memory_limit = 32 * kMiB, .memory_swap = 48 * kMiB});
  expect(32 * kMiB, 16 * kMiB);
  ExpectUpdated("a", {.memory_swap = 32 * kMiB});
  expect(32 * kMiB, 0);
  ExpectUpdated("a", {.memory_limit = 128 * kMiB});
  EXPECT_EQ(limits().first, 128u * kMiB);
  ExpectUpdated("a", {.memory_limit = -1});
  expect(std::nullopt, std::nullopt);
  ExpectUpdated("a", {.memory_limit = 64 * kMiB, .memory_swap = -1});
  expect(64 * kMiB, std::nullopt);
  EXPECT_FALSE(driver().Update("a", {.memory_limit = 64 * kMiB, .memory_swap = 1 * kMiB}).ok());
}

TEST_P(CgroupLimitsTest, MemoryOfV2) {
  if (!HasV2("memory")) GTEST_SKIP() << "no memory controller of v2";
  ExpectCreated("a", {.memory_limit = 64 * kMiB,
                      .memory_reservation = 16 * kMiB,
                      .memory_min = 8 * kMiB,
                      .memory_high = 48 * kMiB});
  EXPECT_EQ(Read("memory", "a", "memory.high"), std::to_string(48 * kMiB));
  EXPECT_EQ(Read("memory", "a", "memory.low"), std::to_string(16 * kMiB));
  EXPECT_EQ(Read("memory", "a", "memory.min"), std::to_string(8 * kMiB));
  ExpectUpdated("a", {.memory_high = -1});
  EXPECT_EQ(Read("memory", "a", "memory.high"), "max");
}

TEST_P(CgroupLimitsTest, CpuShares) {
  if (!HasController("cpu", "cpu")) GTEST_SKIP() << "no cpu controller";
  ExpectCreated("a", {.cpu_shares = 2048});
  if (HasV1("cpu")) {
    EXPECT_EQ(Read("cpu", "a", "cpu.shares"), "2048");
  } else {
    EXPECT_EQ(Read("cpu", "a", "cpu.weight"), std::to_string(CpuWeightFromShares(2048)));
  }
}

TEST_P(CgroupLimitsTest, CpuQuotaThrottles) {
  if (!HasController("cpu", "cpu")) GTEST_SKIP() << "no cpu controller";
  ExpectCreated("a", {.cpu_quota = 2000, .cpu_period = 20000});
  EXPECT_EQ(RunIn(driver(), "a", [] { return Burn(std::chrono::milliseconds(300)); }), 0);
  const CpuStats cpu = *driver().Stats("a")->cpu;
  EXPECT_GT(cpu.throttled_periods, 0u);
  EXPECT_GE(cpu.periods, cpu.throttled_periods);
  EXPECT_GT(cpu.throttled_ns, 0u);
  // A tenth of a processor, with room for what is handed out in slices.
  EXPECT_LT(cpu.usage_ns, 200'000'000u);
  const auto quota = [&] {
    return HasV1("cpu")
               ? Read("cpu", "a", "cpu.cfs_quota_us") + " " + Read("cpu", "a", "cpu.cfs_period_us")
               : Read("cpu", "a", "cpu.max");
  };
  EXPECT_EQ(quota(), "2000 20000");
  ExpectUpdated("a", {.cpu_quota = 50000});
  EXPECT_EQ(quota(), "50000 20000");
  ExpectUpdated("a", {.cpu_period = 100000});
  EXPECT_EQ(quota(), "50000 100000");
  ExpectUpdated("a", {.cpu_quota = 60000, .cpu_burst = 60000});
  EXPECT_EQ(quota(), "60000 100000");
  ExpectUpdated("a", {.cpu_quota = 10000, .cpu_burst = 1000});
  EXPECT_EQ(quota(), "10000 100000");
  EXPECT_EQ(Read("cpu", "a", HasV1("cpu") ? "cpu.cfs_burst_us" : "cpu.max.burst"), "1000");
  ExpectUpdated("a", {.cpu_quota = -1, .cpu_burst = 0});
  EXPECT_EQ(quota(), HasV1("cpu") ? "-1 100000" : "max 100000");
}

// A child's share may not pass its parent's in between, in whichever order v1 is written.
TEST_P(CgroupLimitsTest, CpuQuotaBelowAPod) {
  if (!HasController("cpu", "cpu")) GTEST_SKIP() << "no cpu controller";
  ExpectCreated("pod", {.cpu_quota = 50000, .cpu_period = 100000});
  ExpectCreated("pod/a", {.cpu_quota = 50000, .cpu_period = 100000});
  ExpectUpdated("pod/a", {.cpu_quota = 5000, .cpu_period = 10000});
  ExpectUpdated("pod/a", {.cpu_quota = 50000, .cpu_period = 100000});
}

TEST_P(CgroupLimitsTest, Cpuset) {
  if (!HasController("cpuset", "cpuset")) GTEST_SKIP() << "no cpuset controller";
  const auto processors = [] {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : -1;
  };
  ExpectCreated("pod/a", {.cpuset_cpus = "0", .cpuset_mems = "0"});
  EXPECT_EQ(RunIn(driver(), "pod/a", processors), 1);
  EXPECT_FALSE(driver().Create("pod/b", {.cpuset_cpus = "4000"}).ok());
  EXPECT_EQ(driver().Stats("pod/b").error().code(), Code::kNotFound);
}

// Where the cgroup had no folder in the tree of the controller: its processes follow.
TEST_P(CgroupLimitsTest, CpusetOfRunningProcesses) {
  if (!HasController("cpuset", "cpuset")) GTEST_SKIP() << "no cpuset controller";
  ExpectCreated("pod/a", {});
  const SharedCounter entered;
  const CgroupChild child(driver(), "pod/a", [&] {
    ++*entered;
    return Sleep();
  });
  ASSERT_TRUE(Eventually([&] { return *entered == 1; }));
  ExpectUpdated("pod", {.cpuset_mems = "0"});
  if (HasV1("cpuset")) {
    EXPECT_EQ(Read("cpuset", "pod/a", "cgroup.procs"), std::to_string(child.pid()));
  }
  ExpectUpdated("pod/a", {.cpuset_cpus = "0"});
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(child.pid(), sizeof(set), &set), 0);
  EXPECT_EQ(CPU_COUNT(&set), 1);
  EXPECT_EQ(RunIn(driver(), "pod/a",
                  [] {
                    cpu_set_t own;
                    return sched_getaffinity(0, sizeof(own), &own) == 0 ? CPU_COUNT(&own) : -1;
                  }),
            1);
}

std::vector<DeviceRule> OnlyNull() {
  return {{.allow = false},
          {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rw"},
          {.allow = true, .type = 'c', .access = "m"}};
}

int OpenError(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

TEST_P(CgroupLimitsTest, Devices) {
  ExpectCreated("a", {.devices = OnlyNull()});
  if (const auto warnings = driver().TakeWarnings(); !warnings.empty()) {
    GTEST_SKIP() << warnings[0];
  }
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/null", O_RDWR); }), 0);
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/zero", O_RDONLY); }), EPERM);
  const std::string node = ::testing::TempDir() + root_ + "-node";
  const auto make = [&](mode_t type, unsigned major, unsigned minor) {
    return RunIn(driver(), "a", [&] {
      const int made = mknod(node.c_str(), type | 0600, makedev(major, minor)) == 0 ? 0 : errno;
      unlink(node.c_str());
      return made;
    });
  };
  EXPECT_EQ(make(S_IFCHR, 1, 5), 0);
  EXPECT_EQ(make(S_IFBLK, 7, 0), EPERM);

  std::vector<DeviceRule> rules = OnlyNull();
  rules.push_back({.allow = true, .type = 'c', .major = 1, .minor = 5, .access = "r"});
  rules.push_back({.allow = false, .type = 'c', .major = 1, .minor = 3, .access = "w"});
  const auto update = driver().Update("a", {.devices = rules});
  // "c *:* m" is no obstacle: what is taken is not in it.
  ASSERT_TRUE(update.ok()) << update.error().message();
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/zero", O_RDONLY); }), 0);
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/zero", O_RDWR); }), EPERM);
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/null", O_RDONLY); }), 0);
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/null", O_WRONLY); }), EPERM);

  ExpectUpdated("a", {.devices = std::vector<DeviceRule>{{.allow = true}}});
  EXPECT_EQ(RunIn(driver(), "a", [] { return OpenError("/dev/zero", O_RDWR); }), 0);
  EXPECT_EQ(make(S_IFBLK, 7, 0), 0);
}

TEST_P(CgroupLimitsTest, DevicesOfThePodHoldForItsContainers) {
  ExpectCreated("pod", {.devices = OnlyNull()});
  if (!driver().TakeWarnings().empty()) GTEST_SKIP() << "devices cannot be limited";
  ExpectCreated("pod/a", {});
  EXPECT_EQ(RunIn(driver(), "pod/a", [] { return OpenError("/dev/zero", O_RDONLY); }), EPERM);
}

TEST_P(CgroupLimitsTest, Hugepages) {
  if (!HasController("hugetlb", "hugetlb")) GTEST_SKIP() << "no hugetlb controller";
  ExpectCreated("a", {.hugepages = {{.page_size = "2MB", .limit = 4 * kMiB}}});
  EXPECT_EQ(
      Read("hugetlb", "a", HasV1("hugetlb") ? "hugetlb.2MB.limit_in_bytes" : "hugetlb.2MB.max"),
      std::to_string(4 * kMiB));
  EXPECT_EQ(driver().Stats("a")->hugepages.at(0).page_size, "2MB");
  EXPECT_FALSE(driver().Create("b", {.hugepages = {{.page_size = "3MB", .limit = 0}}}).ok());
  for (const char* size : {"", "2", "MB", "2mb", "../2MB", "2MB/..", "2 MB", "123456789MB"}) {
    EXPECT_EQ(driver().Create("b", {.hugepages = {{.page_size = size, .limit = 0}}}).error().code(),
              Code::kInvalidArgument)
        << size;
  }
}

TEST_P(CgroupLimitsTest, Unified) {
  const CgroupLimits limits{.unified = {{"cgroup.max.depth", "3"}}};
  if (GetParam() != CgroupMode::kV2) {
    EXPECT_EQ(driver().Create("a", limits).error().code(), Code::kUnsupported);
    EXPECT_EQ(driver().Stats("a").error().code(), Code::kNotFound);
    return;
  }
  ExpectCreated("a", limits);
  EXPECT_EQ(Read("", "a", "cgroup.max.depth"), "3");
  for (const char* name : {"cgroup.procs", "cgroup.subtree_control", "cgroup.kill", "../a.b", "x",
                           ".x", "a/b.c", "cgroup.freeze"}) {
    EXPECT_EQ(driver().Update("a", {.unified = {{name, "1"}}}).error().code(),
              Code::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(driver().Update("a", {.unified = {{"none.such", "1"}}}).error().code(),
            Code::kNotFound);
}

TEST_P(CgroupLimitsTest, WhatIsMissingIsSaidOnce) {
  const CgroupLimits limits{.cpu_shares = 100, .memory_limit = 64 * kMiB, .pids_limit = 10};
  ExpectCreated("a", limits);
  size_t missing = 0;
  for (const char* controller : {"cpu", "memory", "pids"}) {
    if (!HasController(controller, controller)) ++missing;
  }
  EXPECT_EQ(driver().TakeWarnings().size(), missing);
  ExpectCreated("b", limits);
  ExpectUpdated("a", limits);
  EXPECT_THAT(driver().TakeWarnings(), IsEmpty());
}

TEST_P(CgroupLimitsTest, ARefusedLimitLeavesNothing) {
  if (!HasController("cpu", "cpu")) GTEST_SKIP() << "no cpu controller";
  const auto created = driver().Create("pod/a", {.cpu_quota = 10, .cpu_period = 5});
  ASSERT_FALSE(created.ok());
  EXPECT_THAT(created.error().message(), HasSubstr("pod/a"));
  EXPECT_EQ(driver().Stats("pod/a").error().code(), Code::kNotFound);
  EXPECT_TRUE(driver().Stats("pod").ok());
}

TEST_P(CgroupLimitsTest, Stats) {
  ExpectCreated("pod/a", {});
  const SharedCounter touched;
  CgroupChild child(driver(), "pod/a", [&] {
    Touch(16 * kMiB);
    ++*touched;
    return Burn(std::chrono::minutes(1));
  });
  ASSERT_TRUE(Eventually([&] {
    const auto stats = driver().Stats("pod/a");
    return *touched == 1 && stats.ok() && stats->cpu && stats->cpu->usage_ns > 90'000'000;
  }));
  // The pod's counts have those of its containers.
  const CgroupStats stats = *driver().Stats("pod");
  EXPECT_GT(stats.cpu->usage_ns, 90'000'000u);
  EXPECT_LT(stats.cpu->usage_ns, 10'000'000'000u);
  EXPECT_GT(stats.cpu->user_ns + stats.cpu->system_ns, 0u);
  EXPECT_EQ(stats.memory.has_value(), HasController("memory", "memory"));
  if (stats.memory) {
    EXPECT_GE(stats.memory->usage, 16u * kMiB);
    EXPECT_GE(stats.memory->rss, 16u * kMiB);
    EXPECT_LE(stats.memory->working_set, stats.memory->usage);
    EXPECT_GE(stats.memory->working_set, 16u * kMiB);
    EXPECT_GE(stats.memory->page_faults, 8u);  // pages may be huge ones
    EXPECT_EQ(stats.memory->limit, std::nullopt);
  }
  EXPECT_EQ(stats.pids.has_value(), HasController("pids", "pids"));
  if (stats.pids) EXPECT_EQ(stats.pids->current, 1u);
  EXPECT_EQ(stats.cpu_pressure.has_value(), !Read("", "pod", "cpu.pressure").empty());
  EXPECT_EQ(stats.processes, 0u);
  EXPECT_EQ(driver().Stats("pod/a")->processes, 1u);
  // The same of what both read, and no more of the rest.
  const CgroupStats use = *driver().Stats("pod", CgroupDetail::kUse);
  EXPECT_GE(use.cpu->usage_ns, stats.cpu->usage_ns);
  EXPECT_EQ(use.memory.has_value(), stats.memory.has_value());
  EXPECT_FALSE(use.pids || use.processes || use.cpu->shares);
  EXPECT_TRUE(use.io.empty() && use.hugepages.empty());
}

}  // namespace
}  // namespace podium::kernel
