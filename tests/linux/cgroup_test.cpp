// The contract of CgroupDriver: how cgroups come, hold processes, and go. cgroup_limits_test.cpp
// has the limits.
#include "linux/cgroup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "linux/cgroup_harness.h"
#include "linux/cgroup_mounts.h"
#include "support/long_form.h"

namespace podium::kernel {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr std::chrono::milliseconds kShort{50};

int Sleep() {
  for (;;) pause();
}

INSTANTIATE_TEST_SUITE_P(Machine, CgroupTest,
                         ::testing::Values(CgroupMode::kV2, CgroupMode::kV1, CgroupMode::kHybrid),
                         ModeName);

TEST_P(CgroupTest, ComesAndGoes) {
  ASSERT_TRUE(driver().Create("pods/burstable/pod1/nginx", {}).ok());
  ASSERT_TRUE(driver().Create("pods/burstable/pod1/nginx", {}).ok());
  EXPECT_TRUE(driver().Stats("pods/burstable/pod1/nginx").ok());
  EXPECT_TRUE(driver().Stats("pods/burstable").ok());
  EXPECT_FALSE(*driver().Populated("pods"));
  ASSERT_TRUE(driver().Remove("pods/burstable/pod1", kPatience).ok());
  EXPECT_EQ(driver().Stats("pods/burstable/pod1").error().code(), Code::kNotFound);
  EXPECT_TRUE(driver().Stats("pods/burstable").ok());
  EXPECT_TRUE(driver().Remove("pods/burstable/pod1", kPatience).ok());
  EXPECT_TRUE(driver().Remove("never/was/there", kPatience).ok());
}

// For who works in the cgroups of others: nothing ends or removes what is everybody's.
TEST_P(CgroupTest, PathsFromTheMountsOn) {
  const bool v1 = GetParam() != CgroupMode::kV2;
  const bool v2 = GetParam() != CgroupMode::kV1;
  EXPECT_EQ(CgroupDriver::Detect({.use_v1 = v1, .use_v2 = v2}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(CgroupDriver::Detect({.root = "a", .whole = true}).error().code(),
            Code::kInvalidArgument);
  const auto whole = *CgroupDriver::Detect({.whole = true, .use_v1 = v1, .use_v2 = v2});
  ASSERT_TRUE(whole->Create(root_ + "/pods/one", {}).ok());
  EXPECT_TRUE(driver().Stats("pods/one").ok());
  EXPECT_EQ(whole->Remove("", kShort).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(whole->Kill("", kShort).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(whole->Freeze("", kShort).error().code(), Code::kInvalidArgument);
  ASSERT_TRUE(whole->Remove(root_ + "/pods/one", kPatience).ok());
  EXPECT_EQ(driver().Stats("pods/one").error().code(), Code::kNotFound);
  EXPECT_TRUE(driver().Stats("pods").ok());
}

TEST_P(CgroupTest, WhatIsNotThere) {
  EXPECT_EQ(driver().Update("none", {}).error().code(), Code::kNotFound);
  EXPECT_EQ(driver().Stats("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().OpenForSpawn("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().Populated("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().Processes("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().OomKills("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().WatchOom("none").error().code(), Code::kNotFound);
  EXPECT_EQ(driver().Freeze("none", kPatience).error().code(), Code::kNotFound);
  EXPECT_EQ(driver().Thaw("none").error().code(), Code::kNotFound);
  EXPECT_TRUE(driver().Kill("none", kPatience).ok());
}

TEST_P(CgroupTest, NoPathLeavesTheRoot) {
  const std::string long_name(256, 'a');
  for (const std::string& path :
       {std::string(".."), std::string("a/../.."), std::string("/a"), std::string("a/"),
        std::string("a//b"), std::string("."), std::string("a/."), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\x7f"), std::string("/"), long_name}) {
    EXPECT_EQ(driver().Create(path, {}).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Update(path, {}).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Remove(path, kPatience).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Kill(path, kPatience).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Freeze(path, kPatience).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Thaw(path).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Stats(path).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().OpenForSpawn(path).error().code(), Code::kInvalidArgument) << path;
    EXPECT_EQ(driver().Join(path, 1).error().code(), Code::kInvalidArgument) << path;
  }
  // A file of the kernel's, not a cgroup.
  ASSERT_TRUE(driver().Create("a", {}).ok());
  EXPECT_FALSE(driver().Create("a/cgroup.procs", {}).ok());
}

TEST_P(CgroupTest, AChildEntersEveryTree) {
  ASSERT_TRUE(driver().Create("pod/app", {}).ok());
  const SharedCounter entered;
  const CgroupChild child(driver(), "pod/app", [&] {
    ++*entered;
    return Sleep();
  });
  ASSERT_TRUE(Eventually([&] { return *entered == 1; }));
  EXPECT_TRUE(*driver().Populated("pod/app"));
  EXPECT_THAT(*driver().Processes("pod"), UnorderedElementsAre(child.pid()));
  std::ifstream membership("/proc/" + std::to_string(child.pid()) + "/cgroup");
  for (std::string line; std::getline(membership, line);) {
    const std::string controllers = line.substr(0, line.rfind(':'));
    for (const char* always : {":cpu", ":memory", ":pids", ":cpuacct"}) {
      if (GetParam() == CgroupMode::kV2 || !controllers.ends_with(always)) continue;
      EXPECT_THAT(line, HasSubstr(root_ + "/pod/app"));
    }
    if (line.starts_with("0::") && GetParam() != CgroupMode::kV1) {
      EXPECT_THAT(line, HasSubstr(root_ + "/pod/app"));
    }
  }
}

TEST_P(CgroupTest, AChildIsBornInside) {
  ASSERT_TRUE(driver().Create("app", {}).ok());
  const auto entry = driver().OpenForSpawn("app");
  ASSERT_TRUE(entry.ok());
  if (!entry->directory) GTEST_SKIP() << "CLONE_INTO_CGROUP is for v2";
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(entry->directory.get());
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid == 0) {
    Sleep();
  }
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(*driver().Populated("app"));
  EXPECT_TRUE(driver().Kill("app", kPatience).ok());
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST_P(CgroupTest, DescriptorsDoNotReachAProgram) {
  ASSERT_TRUE(driver().Create("app", {}).ok());
  const auto entry = driver().OpenForSpawn("app");
  ASSERT_TRUE(entry.ok());
  for (const UniqueFd& tasks : entry->tasks) {
    EXPECT_NE(fcntl(tasks.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  for (const UniqueFd* fd : {&entry->directory, &entry->directory_procs}) {
    if (*fd) EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(CgroupTest, JoinMovesARunningProcess) {
  ASSERT_TRUE(driver().Create("a", {}).ok());
  ASSERT_TRUE(driver().Create("b", {}).ok());
  const SharedCounter entered;
  CgroupChild child(driver(), "a", [&] {
    ++*entered;
    return Sleep();
  });
  ASSERT_TRUE(Eventually([&] { return *entered == 1; }));
  ASSERT_TRUE(driver().Join("b", child.pid()).ok());
  EXPECT_THAT(*driver().Processes("a"), IsEmpty());
  EXPECT_THAT(*driver().Processes("b"), UnorderedElementsAre(child.pid()));
  ASSERT_TRUE(driver().Kill("b", kPatience).ok());
  child.Wait();
  EXPECT_EQ(driver().Join("b", child.pid()).error().os_errno(), ESRCH);
}

TEST_P(CgroupTest, KillEndsAllBelow) {
  ASSERT_TRUE(driver().Create("pod/a", {}).ok());
  ASSERT_TRUE(driver().Create("pod/b/deeper", {}).ok());
  const auto family = [] {
    for (int i = 0; i < 5; ++i) {
      if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        setsid();
        Sleep();
      }
    }
    return Sleep();
  };
  CgroupChild first(driver(), "pod/a", family);
  CgroupChild second(driver(), "pod/b/deeper", family);
  ASSERT_TRUE(Eventually([&] { return driver().Processes("pod")->size() == 12; }));
  const auto killed = driver().Kill("pod", kPatience);
  ASSERT_TRUE(killed.ok()) << killed.error().message();
  EXPECT_FALSE(*driver().Populated("pod"));
  EXPECT_THAT(*driver().Processes("pod"), IsEmpty());
  EXPECT_EQ(WTERMSIG(first.Wait()), SIGKILL);
  EXPECT_EQ(WTERMSIG(second.Wait()), SIGKILL);
  EXPECT_TRUE(driver().Remove("pod", kPatience).ok());
}

TEST_P(CgroupTest, KillLeavesNeighboursAlone) {
  ASSERT_TRUE(driver().Create("pod/a", {}).ok());
  ASSERT_TRUE(driver().Create("pod/b", {}).ok());
  CgroupChild first(driver(), "pod/a", &Sleep);
  CgroupChild second(driver(), "pod/b", &Sleep);
  ASSERT_TRUE(Eventually([&] { return driver().Processes("pod")->size() == 2; }));
  ASSERT_TRUE(driver().Kill("pod/a", kPatience).ok());
  first.Wait();
  EXPECT_FALSE(second.Ended());
  EXPECT_THAT(*driver().Processes("pod"), UnorderedElementsAre(second.pid()));
}

// A cgroup whose processes fork as fast as they can: none escapes, in bounded time.
TEST_P(CgroupTest, KillEndsAForkBomb) {
  if (!HasController("pids", "pids")) GTEST_SKIP() << "no pids controller bounds the bomb";
  ASSERT_TRUE(driver().Create("bomb", {.pids_limit = 25}).ok());
  CgroupChild bomb(driver(), "bomb", [] {
    signal(SIGCHLD, SIG_IGN);
    for (;;) (void)!fork();
    return 0;
  });
  ASSERT_TRUE(Eventually([&] { return driver().Stats("bomb")->pids->current >= 20; }));
  EXPECT_LE(driver().Stats("bomb")->pids->current, 25u);
  const auto killed = driver().Kill("bomb", kPatience);
  ASSERT_TRUE(killed.ok()) << killed.error().message();
  EXPECT_FALSE(*driver().Populated("bomb"));
  bomb.Wait();
  EXPECT_TRUE(driver().Remove("bomb", kPatience).ok());
}

TEST_P(CgroupTest, FrozenProcessesStandStillAndCanBeKilled) {
  ASSERT_TRUE(driver().Create("pod/a", {}).ok());
  const SharedCounter counter;
  CgroupChild child(driver(), "pod/a", [&] {
    for (;;) ++*counter;
    return 0;
  });
  ASSERT_TRUE(Eventually([&] { return *counter > 0; }));
  const auto frozen = driver().Freeze("pod/a", kPatience);
  ASSERT_TRUE(frozen.ok()) << frozen.error().message();
  const uint64_t before = *counter;
  std::this_thread::sleep_for(kShort);
  EXPECT_EQ(*counter, before);
  ASSERT_TRUE(driver().Thaw("pod/a").ok());
  EXPECT_TRUE(Eventually([&] { return *counter > before; }));
  ASSERT_TRUE(driver().Freeze("pod/a", kPatience).ok());
  const auto killed = driver().Kill("pod", kPatience);
  ASSERT_TRUE(killed.ok()) << killed.error().message();
  EXPECT_EQ(WTERMSIG(child.Wait()), SIGKILL);
  // Whoever comes next runs.
  ASSERT_TRUE(driver().Kill("pod/a", kPatience).ok());
  EXPECT_EQ(RunIn(driver(), "pod/a", [] { return 7; }), 7);
}

TEST_P(CgroupTest, RemoveDoesNotKill) {
  ASSERT_TRUE(driver().Create("pod/a", {}).ok());
  // One that is in all of the trees: while it enters them it is seen in the first alone.
  const SharedCounter started;
  CgroupChild child(driver(), "pod/a", [&started] {
    ++*started;
    return Sleep();
  });
  ASSERT_TRUE(Eventually([&] { return *started == 1; }));
  const auto removed = driver().Remove("pod", kShort);
  ASSERT_EQ(removed.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(removed.error().message(), HasSubstr(std::to_string(child.pid())));
  EXPECT_FALSE(child.Ended());
  ASSERT_TRUE(driver().Kill("pod", kPatience).ok());
  child.Wait();
  EXPECT_TRUE(driver().Remove("pod", kPatience).ok());
}

TEST_P(CgroupTest, PopulatedIsTold) {
  ASSERT_TRUE(driver().Create("app", {}).ok());
  auto watch = driver().WatchPopulated("app");
  if (GetParam() == CgroupMode::kV1) {
    EXPECT_EQ(watch.error().code(), Code::kUnsupported);
    return;
  }
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  pollfd ready{.fd = watch->fd.get(), .events = watch->events, .revents = 0};
  EXPECT_EQ(poll(&ready, 1, 0), 0);
  CgroupChild child(driver(), "app", &Sleep);
  EXPECT_EQ(poll(&ready, 1, 5000), 1);
  watch->Acknowledge();
  ASSERT_TRUE(Eventually([&] { return *driver().Populated("app"); }));
  ASSERT_TRUE(driver().Kill("app", kPatience).ok());
  EXPECT_EQ(poll(&ready, 1, 5000), 1);
}

// What one thread does with its cgroups is of no concern to another.
TEST_P(CgroupTest, ThreadsShareADriver) {
  constexpr int kThreads = 4;
  const int rounds = testing::IsLongForm() ? 50 : 5;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < rounds; ++round) {
        const std::string path = "pods/pod" + std::to_string(thread) + "/" + std::to_string(round);
        const bool fine = driver().Create(path, {.cpu_shares = 512, .pids_limit = 10}).ok() &&
                          driver().Stats(path).ok() && driver().Kill(path, kPatience).ok() &&
                          driver().Remove(path, kPatience).ok();
        if (!fine) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(CgroupDetectTest, NeedsARoot) {
  EXPECT_EQ(CgroupDriver::Detect({.root = ""}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(CgroupDriver::Detect({.root = "../podium"}).error().code(), Code::kInvalidArgument);
  const auto none = CgroupDriver::Detect({.root = "podium", .use_v1 = false, .use_v2 = false});
  EXPECT_EQ(none.error().code(), Code::kUnsupported);
}

TEST(CgroupMountsTest, OfAHybridMachine) {
  const auto mounts = ParseCgroupMounts(
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "35 31 0:32 /a /my\\040cgroups/mem\\134ory rw - cgroup cgroup rw,memory\n"
      "36 31 0:32 / /again rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
      "42 31 0:38 / /second rw - cgroup2 cgroup2 rw\n"
      "43 31 0:38 / /odd rw -\n"
      "nonsense\n\n");
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[0].path, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_THAT(mounts[0].controllers, UnorderedElementsAre("cpu", "cpuacct"));
  EXPECT_FALSE(mounts[0].unified);
  EXPECT_EQ(mounts[1].path, "/my cgroups/mem\\ory");
  EXPECT_THAT(mounts[1].controllers, UnorderedElementsAre("memory"));
  EXPECT_EQ(mounts[2].path, "/sys/fs/cgroup/unified");
  EXPECT_TRUE(mounts[2].unified);
}

// A formula of others: the values are those that runc's own tests have.
TEST(CpuWeightTest, OfShares) {
  EXPECT_EQ(CpuWeightFromShares(0), 1u);
  EXPECT_EQ(CpuWeightFromShares(2), 1u);
  EXPECT_EQ(CpuWeightFromShares(1024), 100u);
  EXPECT_EQ(CpuWeightFromShares(262144), 10000u);
  EXPECT_EQ(CpuWeightFromShares(~uint64_t{0}), 10000u);
  for (uint64_t shares = 3; shares < 262144; ++shares) {
    ASSERT_LE(CpuWeightFromShares(shares - 1), CpuWeightFromShares(shares));
  }
  for (const uint64_t weight : {1U, 2U, 39U, 100U, 9999U, 10000U}) {
    const uint64_t shares = CpuSharesFromWeight(weight);
    EXPECT_EQ(CpuWeightFromShares(shares), weight);
    EXPECT_TRUE(shares == 2 || CpuWeightFromShares(shares - 1) < weight) << "the least";
  }
}

}  // namespace
}  // namespace podium::kernel
