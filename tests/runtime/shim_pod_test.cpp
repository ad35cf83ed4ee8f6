// The pod: infra, the shim's life and death, agents that come and go.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "runtime/shim_harness.h"

namespace podium::runtime::shim {
namespace {

class ShimPodTest : public ShimTest {};

bool IsGone(int32_t pid) {
  for (int i = 0; i < 500; ++i) {
    if (kill(pid, 0) != 0 && errno == ESRCH) return true;
    waitpid(pid, nullptr, WNOHANG);
    usleep(10'000);
  }
  return false;
}

TEST_F(ShimPodTest, InfraIsNobodyAndSeesNothing) {
  Pod pod;
  const Answer running = pod.Run({.oom_score_adj = 100});
  ASSERT_EQ(running.Failure(), "");
  const int32_t infra = running.As<SandboxRunning>().infra_pid;
  // It names itself once it runs, which the answer does not wait for.
  for (int i = 0; i < 500 && StatusField(infra, "Name") != "pause"; ++i) usleep(10'000);
  EXPECT_EQ(StatusField(infra, "Name"), "pause");
  EXPECT_EQ(StatusField(infra, "Uid"), "65535\t65535\t65535\t65535");
  EXPECT_EQ(StatusField(infra, "Groups"), " ");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(StatusField(infra, set), "0000000000000000") << set;
  }
  EXPECT_EQ(StatusField(infra, "NoNewPrivs"), "1");
  EXPECT_EQ(ReadPath("/proc/" + std::to_string(infra) + "/oom_score_adj"), "100\n");
  const std::string mounts = ReadPath("/proc/" + std::to_string(infra) + "/mountinfo");
  EXPECT_EQ(std::count(mounts.begin(), mounts.end(), '\n'), 1) << mounts;
  EXPECT_NE(mounts.find(" / / ro,nosuid,"), std::string::npos) << mounts;
  EXPECT_TRUE(std::filesystem::is_empty("/proc/" + std::to_string(infra) + "/fd"));
  // The two descriptors are what they are said to be.
  ASSERT_EQ(running.descriptors.size(), 2U);
  struct stat ours = {};
  struct stat its = {};
  ASSERT_EQ(fstat(running.descriptors[1].get(), &ours), 0);
  ASSERT_EQ(stat(("/proc/" + std::to_string(infra) + "/ns/net").c_str(), &its), 0);
  EXPECT_EQ(ours.st_ino, its.st_ino);
  EXPECT_EQ(syscall(SYS_pidfd_send_signal, running.descriptors[0].get(), 0, nullptr, 0), 0);
}

TEST_F(ShimPodTest, TheShimShowsItsPodAndIsSmall) {
  Pod pod;
  ASSERT_EQ(pod.Run({.id = "abcdef"}).Failure(), "");
  const std::string proc = "/proc/" + std::to_string(pod.pid());
  EXPECT_EQ(ReadPath(proc + "/comm"), "podium-shim\n");
  EXPECT_STREQ(ReadPath(proc + "/cmdline").substr(12).c_str(), "abcdef");
  ASSERT_EQ(pod.Create("c1", ProgramPlan({"sleep", "999"})).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const auto pss = [](const std::string& path) {
    const std::string rollup = ReadPath(path + "/smaps_rollup");
    return std::atoi(rollup.c_str() + rollup.find("Pss:") + 4);
  };
  EXPECT_GT(pss(proc), 0);
  // Alone on the machine; what several pods share is less still.
  EXPECT_LT(pss(proc), 200) << "KiB";
}

TEST_F(ShimPodTest, ANewAgentGetsTheWholeState) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ShellPlan("sleep 0.5; echo late; sleep 99")).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  pod.RunToEnd("c2", ShellPlan("exit 3"));
  ASSERT_EQ(pod.Create("c3", ShellPlan("exit 3")).Failure(), "");
  ASSERT_EQ(pod.Exec("e1", "c1", ExecPlan({"sleep", "99"})).Failure(), "");
  pod.Abandon();
  pod.SetControl(pod.Connect());
  Hello hello = {};
  hello.version = kMessageVersion;
  const Answer greeted = pod.Ask(MessageType::kHello, hello);
  EXPECT_EQ(greeted.As<Hello>().pid, pod.pid());
  EXPECT_EQ(greeted.As<Hello>().version, kMessageVersion);
  const auto state = pod.Ask(MessageType::kState, Plain{}).As<SandboxState>();
  EXPECT_STREQ(state.id, "pod1");
  ASSERT_EQ(state.entries, 5U);
  std::string seen;
  for (uint32_t i = 0; i < state.entries; ++i) {
    const Answer entry = pod.Receive();
    ASSERT_EQ(entry.type(), MessageType::kProcessState);
    const auto process = entry.As<ProcessInfo>().state;
    seen += std::string(process.id) + ":" + std::to_string(static_cast<int>(process.phase)) + ":" +
            std::to_string(process.exit_code) + ":" + std::to_string(entry.descriptors.size()) +
            " ";
  }
  EXPECT_EQ(seen, "pod1:3:0:1 c1:3:0:1 c2:4:3:0 c3:2:0:1 e1:3:0:1 ");
  EXPECT_EQ(pod.Receive().type(), MessageType::kStateEnd);
  // Logs went on, and requests work.
  for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
  EXPECT_EQ(pod.Log("c1"), "late\n");
  EXPECT_EQ(pod.Start("c3").Failure(), "");
  EXPECT_EQ(pod.AwaitExit("c3").exit_code, 3);
  EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c2").Failure(), "");
  EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c2").Failure(), "2 2 c2");
  EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c1").Failure(), "3 16 c1");
}

TEST_F(ShimPodTest, RemovingACreatedContainerKillsIt) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const int32_t pid = pod.Create("c1", ShellPlan("echo no")).As<ProcessInfo>().state.pid;
  EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c1").Failure(), "");
  EXPECT_TRUE(IsGone(pid));
  EXPECT_EQ(pod.AwaitExit("c1").started_ns, 0U);
  EXPECT_EQ(pod.Log("c1"), "");
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("echo yes")).log, "yes\n");
}

// Even where the socket's mode would let others in.
TEST_F(ShimPodTest, OnlyRootMayConnect) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const std::string path = pod.folder() + "/shim.sock";
  struct stat listener = {};
  ASSERT_EQ(stat(path.c_str(), &listener), 0);
  EXPECT_EQ(listener.st_mode & 0777, 0600U);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  ASSERT_EQ(chmod(kBase, 0755), 0);
  for (const uid_t user : {0U, 1000U}) {
    const pid_t child = fork();
    if (child == 0) {
      if (setresuid(user, user, user) != 0) _exit(2);
      const UniqueFd socket = pod.Connect();
      Hello hello = {};
      hello.header = {.magic = kMessageMagic,
                      .version = kMessageVersion,
                      .type = MessageType::kHello,
                      .length = sizeof(hello),
                      .descriptors = 0,
                      .id = 1};
      send(socket.get(), &hello, sizeof(hello), MSG_NOSIGNAL);
      _exit(recv(socket.get(), &hello, sizeof(hello), 0) == sizeof(hello) ? 10 : 20);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), user == 0 ? 10 : 20);
  }
}

TEST_F(ShimPodTest, InfrasEndIsThePodsEnd) {
  Pod pod;
  const int32_t infra = pod.Run().As<SandboxRunning>().infra_pid;
  Plan shared = ShellPlan("sleep 98 & sleep 99");
  shared.flags &= ~uint32_t{kPlanNewPid};
  ASSERT_EQ(pod.Create("c1", ShellPlan("sleep 98 & sleep 99")).Failure(), "");
  ASSERT_EQ(pod.Create("c2", shared).Failure(), "");
  ASSERT_EQ(pod.Create("c3", shared).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  ASSERT_EQ(kill(infra, SIGTERM), 0);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 137);
  EXPECT_EQ(pod.AwaitExit("c2").exit_code, 137);
  // Created, never started.
  EXPECT_EQ(pod.AwaitExit("c3").failed_step, static_cast<uint32_t>(FailedStep::kDied));
  const ProcessState ended = pod.AwaitExit("pod1");
  EXPECT_EQ(ended.kind, ProcessKind::kInfra);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(pod.Record("c1").state.exit_signal, SIGKILL);
  EXPECT_EQ(pod.Create("c4", ShellPlan("true")).Failure(), "3 3 ");
  // The state can still be asked for.
  EXPECT_EQ(pod.Ask(MessageType::kState, Plain{}).As<SandboxState>().phase,
            static_cast<uint32_t>(ProcessPhase::kExited));
  for (int i = 0; i < 5; ++i) pod.Receive();
}

// Whatever a container's processes do about parents, sessions and death signals.
TEST_F(ShimPodTest, NothingOutlivesAShimThatIsKilled) {
  for (const bool shared : {false, true}) {
    Pod pod;
    ASSERT_EQ(pod.Run().Failure(), "");
    Plan plan = ShellPlan("(trap '' TERM HUP INT; sleep 97 & sleep 98) & echo up; sleep 99");
    if (shared) plan.flags &= ~uint32_t{kPlanNewPid};
    ASSERT_EQ(pod.Create("c1", plan).Failure(), "");
    ASSERT_EQ(pod.Start("c1").Failure(), "");
    for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
    ASSERT_EQ(kill(pod.pid(), SIGKILL), 0);
    pod.Abandon();
    // All that were the pod's become ours and are reaped there: AwaitEnd waits for every one.
    EXPECT_TRUE(pod.AwaitEnd());
    int status = 0;
    EXPECT_TRUE(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
  }
}

TEST_F(ShimPodTest, AHostPidPodEndsWithItsShimToo) {
  Pod pod;
  PodOptions host;
  host.flags &= ~uint32_t{kSandboxNewPid};
  const Answer running = pod.Run(host);
  ASSERT_EQ(running.Failure(), "");
  Plan plan = ProgramPlan({"sleep", "99"});
  plan.flags &= ~uint32_t{kPlanNewPid};
  plan.uid = plan.gid = 1000;
  const int32_t pid = pod.Create("c1", plan).As<ProcessInfo>().state.pid;
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  ASSERT_EQ(kill(pod.pid(), SIGKILL), 0);
  pod.Abandon();
  EXPECT_TRUE(pod.AwaitEnd());
  EXPECT_TRUE(IsGone(pid));
  EXPECT_TRUE(IsGone(running.As<SandboxRunning>().infra_pid));
}

// With cgroup.kill even what has cleared its death signal goes.
class ShimKillDescriptorTest : public ShimTest {
 protected:
  void SetUp() override {
    ShimTest::SetUp();
    if (IsSkipped()) return;
    for (const char* root : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      if (access((std::string(root) + "/cgroup.procs").c_str(), F_OK) != 0) continue;
      folder_ = std::string(root) + "/podium-shim-test-" + std::to_string(getpid());
      break;
    }
    if (folder_.empty() || mkdir(folder_.c_str(), 0755) != 0 ||
        access((folder_ + "/cgroup.kill").c_str(), W_OK) != 0) {
      GTEST_SKIP() << "no version 2 cgroups with cgroup.kill (Linux 5.14) that may be changed here";
    }
  }
  void TearDown() override {
    ShimTest::TearDown();
    if (folder_.empty()) return;
    for (int i = 0; i < 500 && rmdir(folder_.c_str()) != 0 && errno == EBUSY; ++i) usleep(10'000);
    EXPECT_NE(access(folder_.c_str(), F_OK), 0) << folder_ << " is left";
  }
  std::string folder_;
};

TEST_F(ShimKillDescriptorTest, KillsWhatPidNamespacesDoNot) {
  const UniqueFd folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd kill_pod(open((folder_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  Pod pod;
  PodOptions host = {.kill = kill_pod.get(), .cgroup = folder.get()};
  host.flags &= ~uint32_t{kSandboxNewPid};
  ASSERT_EQ(pod.Run(host).Failure(), "");
  Plan plan = ShellPlan("sleep 98 & sleep 97 & echo up; cat /proc/self/cgroup | grep ^0; sleep 99");
  plan.flags = kPlanNewCgroup;
  ASSERT_EQ(pod.Create("c1", plan, {.cgroup = folder.get()}).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c1").size() < 4; ++i) usleep(10'000);
  // It was born in the cgroup, and its cgroup namespace begins there.
  EXPECT_EQ(pod.Log("c1"), "up\n0::/\n");
  ASSERT_EQ(kill(pod.pid(), SIGKILL), 0);
  pod.Abandon();
  EXPECT_TRUE(pod.AwaitEnd());
  for (int i = 0; i < 500 && !ReadPath(folder_ + "/cgroup.procs").empty(); ++i) usleep(10'000);
  EXPECT_EQ(ReadPath(folder_ + "/cgroup.procs"), "");
}

TEST_F(ShimKillDescriptorTest, SignalAllIsCgroupKill) {
  const UniqueFd folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd kill_it(open((folder_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  const UniqueFd procs(open((folder_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan shared = ShellPlan("sleep 98 & sleep 97 & sleep 99");
  shared.flags &= ~uint32_t{kPlanNewPid};
  // Joined the way of version 1: by writing to cgroup.procs.
  ASSERT_EQ(pod.Create("c1", shared, {.kill = kill_it.get(), .procs = {procs.get()}}).Failure(),
            "");
  ASSERT_EQ(pod.Create("c2", shared).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  EXPECT_NE(ReadPath(folder_ + "/cgroup.procs"), "");
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c1", SIGKILL, kSignalAll).Failure(), "");
  EXPECT_EQ(pod.AwaitExit("c1").exit_signal, SIGKILL);
  for (int i = 0; i < 500 && !ReadPath(folder_ + "/cgroup.procs").empty(); ++i) usleep(10'000);
  EXPECT_EQ(ReadPath(folder_ + "/cgroup.procs"), "");
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c2", SIGKILL, kSignalAll).Failure(), "34 95 c2");
}

TEST_F(ShimPodTest, SysctlsAreOfThePodsNamespaces) {
  Pod pod;
  ASSERT_EQ(pod.Run({.sysctls = {"net/ipv4/ip_unprivileged_port_start", "7", "kernel/shmmni", "77",
                                 "fs/mqueue/msg_max", "17"}})
                .Failure(),
            "");
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start "
                                         "kernel/shmmni fs/mqueue/msg_max"))
                .log,
            "7\n77\n17\n");
  EXPECT_NE(ReadPath("/proc/sys/kernel/shmmni"), "77\n");
}

TEST_F(ShimPodTest, SysctlsOfTheHostAreRefused) {
  const std::string before = ReadPath("/proc/sys/kernel/core_pattern");
  const auto failure = [](const PodOptions& options) {
    Pod pod;
    return pod.Run(options).Failure();
  };
  for (const char* name :
       {"kernel/core_pattern", "vm/overcommit_memory", "net/../kernel/core_pattern",
        "kernel/shm_rmid_forced=1+kernel/core_pattern", "/kernel/shmmni", "kernel/hostname"}) {
    EXPECT_EQ(failure({.sysctls = {name, "x"}}), "1 22 ") << name;
  }
  PodOptions host_network = {.sysctls = {"net/ipv4/ip_forward", "1"}};
  host_network.flags &= ~uint32_t{kSandboxNewNet};
  EXPECT_EQ(failure(host_network), "1 22 ");
  EXPECT_EQ(ReadPath("/proc/sys/kernel/core_pattern"), before);
  EXPECT_EQ(failure({.sysctls = {"net/no/such", "1"}}), "11 2 net/no/such");
}

TEST_F(ShimPodTest, SysctlsInAUserNamespace) {
  PodOptions options = {.sysctls = {"kernel/shmmni", "78", "net/ipv4/ip_forward", "1"}};
  options.flags |= kSandboxNewUser;
  Pod pod;
  ASSERT_EQ(pod.Run(options).Failure(), "");
  EXPECT_EQ(
      pod.RunToEnd("c1", ShellPlan("cd /proc/sys; cat kernel/shmmni net/ipv4/ip_forward")).log,
      "78\n1\n");
}

TEST_F(ShimPodTest, JoinsANetworkThatIsThere) {
  const UniqueFd host(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const UniqueFd net(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  struct stat made = {};
  ASSERT_EQ(fstat(net.get(), &made), 0);
  ASSERT_EQ(setns(host.get(), CLONE_NEWNET), 0);
  Pod pod;
  PodOptions options = {.net = net.get()};
  options.flags &= ~uint32_t{kSandboxNewNet};
  ASSERT_EQ(pod.Run(options).Failure(), "");
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("readlink /proc/self/ns/net")).log,
            "net:[" + std::to_string(made.st_ino) + "]\n");
}

TEST_F(ShimPodTest, IsMadeAheadAndNamedLater) {
  Pod pod;
  PodOptions ahead = {.id = "", .hostname = "", .listen = false};
  ahead.flags |= kSandboxPrepare;
  const Answer prepared = pod.Run(ahead);
  ASSERT_EQ(prepared.Failure(), "");
  EXPECT_EQ(pod.Create("c1", ShellPlan("true")).Failure(), "3 3 ");
  const Answer named =
      pod.Run({.hostname = "late", .sysctls = {"kernel/shmmni", "79", "net/ipv4/ip_forward", "1"}});
  ASSERT_EQ(named.Failure(), "");
  EXPECT_EQ(named.As<SandboxRunning>().infra_pid, prepared.As<SandboxRunning>().infra_pid);
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("hostname; cat /proc/sys/kernel/shmmni")).log,
            "late\n79\n");
  EXPECT_EQ(pod.Run().Failure(), "3 17 ");
}

TEST_F(ShimPodTest, SysctlsOfTheNetworkOfAPodMadeAhead) {
  const UniqueFd host(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const UniqueFd net(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(setns(host.get(), CLONE_NEWNET), 0);
  for (const bool own : {true, false}) {
    Pod pod;
    PodOptions ahead = {.id = "", .hostname = "", .listen = false};
    ahead.flags = (ahead.flags & ~uint32_t{kSandboxNewNet}) | kSandboxPrepare;
    if (own) ahead.net = net.get();
    ASSERT_EQ(pod.Run(ahead).Failure(), "");
    PodOptions named = {.sysctls = {"net/ipv4/ip_unprivileged_port_start", "81"}};
    named.flags &= ~uint32_t{kSandboxNewNet};
    EXPECT_EQ(pod.Run(named).Failure(), own ? "" : "1 22 ");
    if (!own) continue;
    EXPECT_EQ(
        pod.RunToEnd("c1", ShellPlan("cat /proc/sys/net/ipv4/ip_unprivileged_port_start")).log,
        "81\n");
  }
}

TEST_F(ShimPodTest, AShimWithoutANamedPodEndsWithItsAgent) {
  for (const bool prepare : {false, true}) {
    Pod pod;
    if (prepare) {
      PodOptions ahead = {.id = "", .hostname = "", .listen = false};
      ahead.flags |= kSandboxPrepare;
      ASSERT_EQ(pod.Run(ahead).Failure(), "");
      // The next pod of this test is a whole one again.
      PodOptions named;
    }
    pod.Abandon();
    EXPECT_TRUE(pod.AwaitEnd());
  }
}

TEST_F(ShimPodTest, SigtermEndsThePodAndRecordsIt) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ProgramPlan({"sleep", "99"})).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  ASSERT_EQ(kill(pod.pid(), SIGHUP), 0);
  EXPECT_EQ(pod.Ask(MessageType::kHello, Hello{}).Failure(), "");
  ASSERT_EQ(kill(pod.pid(), SIGTERM), 0);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 137);
  EXPECT_EQ(pod.AwaitExit("pod1").exit_code, 137);
  EXPECT_EQ(pod.Record("c1").state.exit_code, 137);
  pod.Abandon();
  EXPECT_TRUE(pod.AwaitEnd());
}

TEST_F(ShimPodTest, OrphansOfASharedPidNamespaceAreReaped) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "for i in 1 2 3 4 5 6 7 8; do (sleep 0.05 &) ; done; sleep 0.5; "
      "ps -o pid,comm,stat | grep -c Z; true");
  plan.flags &= ~uint32_t{kPlanNewPid};
  EXPECT_EQ(pod.RunToEnd("c1", plan).log, "0\n");
}

}  // namespace
}  // namespace podium::runtime::shim
