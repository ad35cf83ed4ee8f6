// Further processes in a container, and its output to attached readers and logs.
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <sstream>

#include "runtime/shim_harness.h"

namespace podium::runtime::shim {
namespace {

class ShimExecTest : public ShimTest {
 protected:
  // A container that does nothing.
  static void RunIdle(Pod& pod, const PodOptions& options = {}) {
    ASSERT_EQ(pod.Run(options).Failure(), "");
    ASSERT_EQ(pod.Create("c1", ProgramPlan({"sleep", "999"})).Failure(), "");
    ASSERT_EQ(pod.Start("c1").Failure(), "");
  }
};

TEST_F(ShimExecTest, RunsInTheContainersNamespaces) {
  Pod pod;
  RunIdle(pod);
  const Output output = pod.ExecToEnd(
      "e1", "c1",
      ExecPlan({"sh", "-c",
                "for n in net ipc uts mnt pid cgroup; do "
                "[ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] && echo $n; done; "
                "cat /proc/1/comm; hostname; exit 4"}));
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log, "net\nipc\nuts\nmnt\npid\ncgroup\nsleep\nweb-0\n");
  EXPECT_EQ(output.state.exit_code, 4);
  EXPECT_EQ(output.state.kind, ProcessKind::kExec);
  EXPECT_STREQ(output.state.container, "c1");
}

TEST_F(ShimExecTest, HasAUserAndCapabilitiesOfItsOwn) {
  Pod pod;
  RunIdle(pod);
  Plan plan = ExecPlan({"sh", "-c",
                        "id -u; id -G; pwd; grep -E 'CapInh|CapBnd|NoNew' "
                        "/proc/self/status | tr '\\t' ' '; ls /proc/self/fd"});
  plan.uid = 7;
  plan.gid = 8;
  plan.groups = {9};
  plan.cwd = "/tmp";
  plan.flags = kPlanNoNewPrivileges;
  plan.bounding = 1;
  plan.effective = plan.permitted = 0;
  EXPECT_EQ(pod.ExecToEnd("e1", "c1", plan).log,
            "7\n8 9\n/tmp\nCapInh: 0000000000000000\nCapBnd: 0000000000000001\nNoNewPrivs: 1\n"
            "0\n1\n2\n3\n");
}

TEST_F(ShimExecTest, HasATerminalThatTheCallerHolds) {
  Pod pod;
  RunIdle(pod);
  Answer started =
      pod.Exec("e1", "c1", ExecPlan({"sh", "-c", "stty size; readlink /proc/self/fd/0"}), {},
               kProcessTerminal);
  ASSERT_EQ(started.Failure(), "");
  ASSERT_EQ(started.descriptors.size(), 2U);
  EXPECT_EQ(ReadAll(started.descriptors[1].get()), "24 80\r\n/dev/pts/0\r\n");
  EXPECT_EQ(pod.AwaitExit("e1").exit_code, 0);
}

TEST_F(ShimExecTest, StreamsAreTheCallers) {
  Pod pod;
  RunIdle(pod);
  int in[2];
  int out[2];
  int err[2];
  for (int* pipe : {in, out, err}) ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd ends[] = {UniqueFd(in[1]), UniqueFd(out[0]), UniqueFd(err[0])};
  ASSERT_EQ(
      pod.Exec("e1", "c1", ExecPlan({"sh", "-c", "cat; echo bad >&2"}), {in[0], out[1], err[1]})
          .Failure(),
      "");
  for (const int fd : {in[0], out[1], err[1]}) close(fd);
  EXPECT_EQ(write(ends[0].get(), "typed", 5), 5);
  const_cast<UniqueFd&>(ends[0]).reset();
  EXPECT_EQ(ReadAll(ends[1].get()), "typed");
  EXPECT_EQ(ReadAll(ends[2].get()), "bad\n");
  pod.AwaitExit("e1");
}

TEST_F(ShimExecTest, FailuresSayWhatWasSought) {
  Pod pod;
  RunIdle(pod);
  const auto failure = [&](std::vector<std::string> arguments) {
    return pod.Exec("e1", "c1", ExecPlan(std::move(arguments))).Failure();
  };
  EXPECT_EQ(failure({"nothing"}), "31 2 nothing");
  EXPECT_EQ(failure({"/no/thing"}), "31 2 /no/thing");
  EXPECT_EQ(failure({"/etc"}), "31 21 /etc");
  EXPECT_EQ(failure({"/proc/version"}), "31 13 /proc/version");
  EXPECT_EQ(failure({""}), "31 2 ");
  WritePath(std::string(kRootPath) + "/bin/odd", "no program");
  chmod((std::string(kRootPath) + "/bin/odd").c_str(), 0755);
  EXPECT_EQ(failure({"odd"}), "32 8 /bin/odd");
  Plan plan = ExecPlan({"true"});
  plan.cwd = "/gone";
  EXPECT_EQ(pod.Exec("e1", "c1", plan).Failure(), "30 2 /gone");
  EXPECT_EQ(pod.Exec("e1", "c9", ExecPlan({"true"})).Failure(), "2 2 c9");
  // None of these is remembered.
  EXPECT_EQ(pod.ExecToEnd("e1", "c1", ExecPlan({"true"})).failure, "");
}

TEST_F(ShimExecTest, EndsWithItsContainerAndBySignal) {
  Pod pod;
  RunIdle(pod);
  ASSERT_EQ(pod.Exec("e1", "c1", ExecPlan({"sleep", "99"})).Failure(), "");
  EXPECT_EQ(pod.Exec("e1", "c1", ExecPlan({"true"})).Failure(), "3 17 e1");
  EXPECT_EQ(pod.Signal(ProcessKind::kExec, "e1", SIGTERM).Failure(), "");
  EXPECT_EQ(pod.AwaitExit("e1").exit_code, 143);
  ASSERT_EQ(pod.Exec("e2", "c1", ExecPlan({"sleep", "99"})).Failure(), "");
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c1", SIGKILL).Failure(), "");
  EXPECT_EQ(pod.AwaitExit("e2").exit_code, 137);
  pod.AwaitExit("c1");
  EXPECT_EQ(pod.Exec("e3", "c1", ExecPlan({"true"})).Failure(), "3 22 c1");
}

TEST_F(ShimExecTest, WorksInASharedAndInTheHostsPidNamespace) {
  {
    Pod pod;
    ASSERT_EQ(pod.Run().Failure(), "");
    Plan shared = ProgramPlan({"sleep", "999"});
    shared.flags &= ~uint32_t{kPlanNewPid};
    ASSERT_EQ(pod.Create("c1", shared).Failure(), "");
    ASSERT_EQ(pod.Start("c1").Failure(), "");
    EXPECT_EQ(pod.ExecToEnd("e1", "c1", ExecPlan({"cat", "/proc/1/comm"})).log, "pause\n");
  }
  Pod pod;
  PodOptions host;
  host.flags &= ~uint32_t{kSandboxNewPid};
  ASSERT_EQ(pod.Run(host).Failure(), "");
  Plan plan = ProgramPlan({"sleep", "999"});
  plan.flags &= ~uint32_t{kPlanNewPid};
  const Answer created = pod.Create("c1", plan);
  ASSERT_EQ(created.Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const std::string pid = std::to_string(created.As<ProcessInfo>().state.pid);
  EXPECT_EQ(pod.ExecToEnd("e1", "c1", ExecPlan({"cat", "/proc/" + pid + "/comm"})).log, "sleep\n");
}

// --- output ---

TEST_F(ShimExecTest, LogEntriesHaveTheFormatOfTheCri) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  pod.RunToEnd("c1",
               ShellPlan("echo out; sleep 0.1; echo err >&2; sleep 0.1; printf 'a\\r\\nrest'"));
  const std::string log = pod.RawLog("c1");
  EXPECT_THAT(
      log, ::testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z stdout F out\n"
                                   "[0-9T:.-]{29}Z stderr F err\n[0-9T:.-]{29}Z stdout F a\n"
                                   "[0-9T:.-]{29}Z stdout P rest\n"));
}

TEST_F(ShimExecTest, LongLinesAreCutAndNothingIsLost) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Output output = pod.RunToEnd(
      "c1", ShellPlan("head -c 40000 /dev/zero | tr '\\0' x; echo; head -c 16384 /dev/zero | "
                      "tr '\\0' y; echo; yes line | head -n 100000"));
  std::string expected = std::string(40000, 'x') + "\n" + std::string(16384, 'y') + "\n";
  for (int i = 0; i < 100'000; ++i) expected += "line\n";
  EXPECT_TRUE(output.log == expected) << output.log.size() << " " << expected.size();
  EXPECT_EQ(output.state.log_lost, 0U);
  const std::string raw = pod.RawLog("c1");
  EXPECT_NE(raw.find(" P " + std::string(16384, 'x') + "\n"), std::string::npos);
  EXPECT_NE(raw.find(" F " + std::string(40000 - 2 * 16384, 'x') + "\n"), std::string::npos);
  EXPECT_NE(raw.find(" F " + std::string(16384, 'y') + "\n"), std::string::npos);
}

TEST_F(ShimExecTest, AFullDiskLosesLinesAndNeverHoldsTheContainerUp) {
  MakeFolderAt("/mnt/small");
  ASSERT_EQ(mount("tmpfs", "/mnt/small", "tmpfs", 0, "size=64k"), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const UniqueFd log(open("/mnt/small/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ASSERT_EQ(pod.Create("c1", ShellPlan("yes line | head -n 20000; cat; echo after"),
                       {.flags = kProcessStdin, .log_fd = log.get()})
                .Failure(),
            "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const auto trouble = pod.AwaitEvent(MessageType::kLogTrouble).As<LogTrouble>();
  EXPECT_EQ(trouble.error, ENOSPC);
  EXPECT_STREQ(trouble.id, "c1");
  usleep(200'000);
  ASSERT_EQ(ftruncate(log.get(), 0), 0);
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  const ProcessState state = pod.AwaitExit("c1");
  EXPECT_EQ(state.exit_code, 0);
  EXPECT_GT(state.log_lost, 100'000U);
  const auto better = pod.AwaitEvent(MessageType::kLogTrouble).As<LogTrouble>();
  EXPECT_EQ(better.error, 0);
  EXPECT_EQ(better.lost, state.log_lost);
  // The torn line was ended before the next began.
  EXPECT_THAT(ReadPath("/mnt/small/log"), ::testing::MatchesRegex("\n?[^\n]* F after\n"));
  umount2("/mnt/small", MNT_DETACH);
}

TEST_F(ShimExecTest, TheGrowthOfALogIsTold) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ShellPlan("yes | head -c 300000; cat; yes | head -c 300000"),
                       {.flags = kProcessStdin})
                .Failure(),
            "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  // Each line of two bytes has a time and more in front of it.
  uint64_t before = 0;
  for (int i = 0; i < 5; ++i) {
    const auto grown = pod.AwaitEvent(MessageType::kLogGrown).As<LogGrown>();
    EXPECT_STREQ(grown.id, "c1");
    EXPECT_GE(grown.written, before + kLogStep);
    EXPECT_LE(grown.written, before + 2 * kLogStep);
    before = grown.written;
  }
  const UniqueFd log(open("/mnt/next", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  usleep(300'000);
  ReopenLog reopen = {};
  std::memcpy(reopen.id, "c1", 3);
  reopen.log = 0;
  ASSERT_EQ(pod.Ask(MessageType::kReopenLog, reopen, {log.get()}).Failure(), "");
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  // One that was told before may be on its way still.
  uint64_t written = before;
  for (int i = 0; i < 2 && written >= before; ++i) {
    written = pod.AwaitEvent(MessageType::kLogGrown).As<LogGrown>().written;
  }
  EXPECT_GE(written, kLogStep);
  EXPECT_LE(written, 2 * kLogStep);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 0);
}

TEST_F(ShimExecTest, ALogIsReopenedBetweenLines) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(
      pod.Create("c1", ShellPlan("echo one; cat; echo two"), {.flags = kProcessStdin}).Failure(),
      "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
  const UniqueFd next(open("/mnt/next", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ReopenLog reopen = {};
  std::memcpy(reopen.id, "c1", 3);
  reopen.log = 0;
  EXPECT_EQ(pod.Ask(MessageType::kReopenLog, reopen, {next.get()}).Failure(), "");
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  pod.AwaitExit("c1");
  EXPECT_EQ(pod.Log("c1"), "one\n");
  EXPECT_THAT(ReadPath("/mnt/next"), ::testing::EndsWith(" stdout F two\n"));
}

TEST_F(ShimExecTest, AttachedReadersGetBytesAndSlowOnesLoseThem) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(
      pod.Create("c1", ShellPlan("cat; printf 'half'; echo bad >&2; head -c 300000 /dev/zero"),
                 {.flags = kProcessStdin, .log = false})
          .Failure(),
      "");
  int out[2];
  int err[2];
  int slow[2];
  for (int* pipe : {out, err, slow}) ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd ends[] = {UniqueFd(out[0]), UniqueFd(err[0]), UniqueFd(slow[0])};
  Attach attach = {};
  std::memcpy(attach.id, "c1", 3);
  attach.stdout_fd = 0;
  attach.stderr_fd = 1;
  ASSERT_EQ(pod.Ask(MessageType::kAttach, attach, {out[1], err[1]}).Failure(), "");
  attach.stderr_fd = -1;
  ASSERT_EQ(pod.Ask(MessageType::kAttach, attach, {slow[1]}).Failure(), "");
  for (const int fd : {out[1], err[1], slow[1]}) close(fd);
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  EXPECT_EQ(ReadAll(ends[1].get()), "bad\n");
  const ProcessState state = pod.AwaitExit("c1");
  // Both ends of the pipe are gone: what it held is there, what it did not is counted.
  const std::string kept = ReadAll(ends[2].get());
  EXPECT_EQ(kept.substr(0, 4), "half");
  const std::string first = ReadAll(ends[0].get());
  EXPECT_EQ(first.size() + kept.size() + state.attach_lost, 2U * 300'004U);
  EXPECT_GT(state.attach_lost, 0U);
}

// Processor time of a process, in ticks of 10 ms.
long TicksOf(pid_t pid) {
  const std::string stat = ReadPath("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return user + system;
}

TEST_F(ShimExecTest, ATerminalThatOthersStillHoldIsNotWatched) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ShellPlan("echo end"), {.flags = kProcessTerminal}).Failure(), "");
  Attach attach = {};
  std::memcpy(attach.id, "c1", 3);
  attach.flags = kProcessStdin;
  attach.stdout_fd = attach.stderr_fd = -1;
  const Answer attached = pod.Ask(MessageType::kAttach, attach);
  ASSERT_EQ(attached.descriptors.size(), 1U);
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  pod.AwaitExit("c1");
  const long before = TicksOf(pod.pid());
  usleep(500'000);
  EXPECT_LT(TicksOf(pod.pid()) - before, 5);
}

}  // namespace
}  // namespace podium::runtime::shim
