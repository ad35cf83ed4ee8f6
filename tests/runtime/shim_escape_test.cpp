// Ways out of a container that systems of this kind have had. Each is tried here and must fail.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "runtime/shim_harness.h"
#include "support/long_form.h"

namespace podium::runtime::shim {
namespace {

class ShimEscapeTest : public ShimTest {};

constexpr int kRounds = 60;

int Rounds() { return podium::testing::IsLongForm() ? 10 * kRounds : kRounds; }

// Exchanges two names of a folder all the time, as a container that shares it could.
class Swapper {
 public:
  Swapper(const std::string& left, const std::string& right)
      : thread_([this, left, right] {
          while (!stop_) {
            syscall(SYS_renameat2, AT_FDCWD, left.c_str(), AT_FDCWD, right.c_str(), 2);
          }
        }) {}
  ~Swapper() {
    stop_ = true;
    thread_.join();
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// CVE-2024-21626: a working directory that is a descriptor of the runtime's.
TEST_F(ShimEscapeTest, WorkingDirectoryIsNoDescriptor) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("idle", ProgramPlan({"sleep", "999"})).Failure(), "");
  ASSERT_EQ(pod.Start("idle").Failure(), "");
  for (int fd = 0; fd <= 64; ++fd) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    Plan plan = ProgramPlan({"pwd"});
    plan.cwd = path;
    EXPECT_NE(pod.Create("c1", plan).Failure().find("30 "), std::string::npos) << fd;
    Plan exec = ExecPlan({"pwd"});
    exec.cwd = path;
    EXPECT_NE(pod.Exec("e1", "idle", exec).Failure().find("30 "), std::string::npos) << fd;
  }
}

TEST_F(ShimEscapeTest, ProgramsInheritThreeDescriptors) {
  Pod pod;
  ASSERT_EQ(pod.Run({.shm_size = 1 << 20}).Failure(), "");
  EXPECT_EQ(pod.RunToEnd("c1", ProgramPlan({"ls", "/proc/self/fd"})).log, "0\n1\n2\n3\n");
  ASSERT_EQ(pod.Create("c2", ProgramPlan({"sleep", "99"}), {.flags = kProcessTerminal}).Failure(),
            "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  EXPECT_EQ(pod.ExecToEnd("e1", "c2", ExecPlan({"ls", "/proc/1/fd", "/proc/self/fd"})).log,
            "/proc/1/fd:\n0\n1\n2\n\n/proc/self/fd:\n0\n1\n2\n3\n");
}

// CVE-2020-15257: a pod in the host's network sees the abstract names of all that share it.
TEST_F(ShimEscapeTest, HasNoAbstractSocketWhileAContainerStarts) {
  Pod pod;
  ASSERT_EQ(pod.Run({.flags = kSandboxNewIpc | kSandboxNewUts | kSandboxNewPid}).Failure(), "");
  const Answer created = pod.Create("c1", ProgramPlan({"true"}));
  ASSERT_EQ(created.Failure(), "");
  const pid_t pid = created.As<ProcessInfo>().state.pid;
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  // The shim has told it to go on, and waits: a moment that is too short to be met otherwise.
  std::thread start([&pod] { EXPECT_EQ(pod.Start("c1").Failure(), ""); });
  std::string sockets;
  for (int round = 0; round < 20 && sockets.find(" @") == std::string::npos; ++round) {
    usleep(10'000);
    sockets = ReadPath("/proc/net/unix");
  }
  kill(pid, SIGCONT);
  start.join();
  EXPECT_EQ(sockets.find(" @"), std::string::npos) << sockets;
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 0);
}

// CVE-2019-5736: the runtime's program, reached through /proc/PID/exe of what enters.
TEST_F(ShimEscapeTest, TheRuntimesProgramCannotBeWritten) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ProgramPlan({"/proc/self/exe"});
  // What it runs is the shim's own program in the container's surroundings: it finds no connection.
  const Output itself = pod.RunToEnd("c1", plan);
  EXPECT_NE(itself.failure + std::to_string(itself.state.exit_code), "0");
  Plan writer = ShellPlan(
      "echo up; while :; do for p in /proc/[0-9]*; do "
      "[ $p != /proc/1 ] && (echo bad >$p/exe) 2>/dev/null && echo WROTE; done; done");
  ASSERT_EQ(pod.Create("c2", writer).Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c2").empty(); ++i) usleep(10'000);
  for (int i = 0; i < Rounds(); ++i) {
    EXPECT_EQ(pod.ExecToEnd("e1", "c2", ExecPlan({"true"})).failure, "");
  }
  EXPECT_EQ(pod.Log("c2"), "up\n");
  // The seal holds, whoever asks.
  const UniqueFd program(
      open(("/proc/" + std::to_string(pod.pid()) + "/exe").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(program) << "a program that runs is not writable, and this one is sealed too";
}

// CVE-2021-30465: the place of a mount is swapped for a link while containers start.
TEST_F(ShimEscapeTest, MountPointsSwappedForLinksStayInside) {
  MakeFolderAt("/mnt/shared");
  MakeFolderAt("/mnt/shared/place");
  MakeFolderAt("/mnt/outside");
  MakeFolderAt("/mnt/volume");
  WritePath("/mnt/volume/mine", "");
  ASSERT_EQ(symlink("/mnt/outside", "/mnt/shared/link"), 0);
  MakeFolderAt(std::string(kRootPath) + "/mnt");
  MakeFolderAt(std::string(kRootPath) + "/mnt/outside");
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Swapper swapper("/mnt/shared/place", "/mnt/shared/link");
  for (int i = 0; i < Rounds(); ++i) {
    Plan plan = ShellPlan("ls /mnt/outside /data/place/");
    plan.mounts.push_back({.kind = MountKind::kAttach, .target = "/data", .descriptor = 1});
    plan.mounts.push_back({.kind = MountKind::kAttach,
                           .target = "/data/place/below",
                           .flags = kMountMakeTarget,
                           .descriptor = 2});
    const UniqueFd trees[] = {CloneTree("/mnt/shared"), CloneTree("/mnt/volume")};
    const std::string failure =
        pod.Create("c1", plan, {.descriptors = {trees[0].get(), trees[1].get()}}).Failure();
    // Made inside or refused, never followed out.
    EXPECT_TRUE(std::filesystem::is_empty("/mnt/outside"));
    if (failure.empty()) {
      EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c1").Failure(), "");
    }
  }
}

// CVE-2019-19921, CVE-2025-52881: an image's or volume's own /proc.
TEST_F(ShimEscapeTest, AFakeProcIsNotMountedOnNorUsed) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  std::filesystem::remove(std::string(kRootPath) + "/proc");
  ASSERT_EQ(symlink("/tmp", (std::string(kRootPath) + "/proc").c_str()), 0);
  EXPECT_EQ(pod.Create("c1", ProgramPlan({"true"})).Failure(), "16 40 /proc");
  // A mount in front of what is in proc.
  std::filesystem::remove(std::string(kRootPath) + "/proc");
  MakeFolderAt("/mnt/fake");
  Plan plan = ProgramPlan({"true"});
  plan.mounts.push_back({.kind = MountKind::kAttach, .target = "/proc/sys", .descriptor = 1});
  const UniqueFd fake = CloneTree("/mnt/fake");
  EXPECT_EQ(pod.Create("c1", plan, {.descriptors = {fake.get()}}).Failure(), "16 1 /proc/sys");
  // A mask whose path leads elsewhere.
  plan = ProgramPlan({"true"});
  ASSERT_EQ(symlink("/etc", (std::string(kRootPath) + "/data/proc").c_str()), 0);
  plan.mounts.push_back(
      {.kind = MountKind::kMask, .target = "/data/proc", .file_system = PROC_SUPER_MAGIC});
  EXPECT_EQ(pod.Create("c1", plan).Failure(), "18 1 /data/proc");
}

// CVE-2026-41579: /dev is a link to somewhere.
TEST_F(ShimEscapeTest, DevMayBeNoLink) {
  MakeFolderAt("/mnt/outside");
  std::filesystem::remove(std::string(kRootPath) + "/dev");
  ASSERT_EQ(symlink("/mnt/outside", (std::string(kRootPath) + "/dev").c_str()), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  EXPECT_EQ(pod.Create("c1", ProgramPlan({"true"})).Failure(), "16 40 /dev");
  EXPECT_TRUE(std::filesystem::is_empty("/mnt/outside"));
  // Devices without a mount on /dev follow the link inside the root.
  Plan plan = ProgramPlan({"true"});
  plan.mounts.erase(plan.mounts.begin() + 2, plan.mounts.begin() + 6);
  for (MountStep& mount : plan.mounts) mount.flags |= kMountMakeTarget;
  pod.RunToEnd("c1", plan);
  EXPECT_TRUE(std::filesystem::is_empty("/mnt/outside"));
}

// CVE-2025-31133: what masks with /dev/null trusts no /dev/null of the container.
TEST_F(ShimEscapeTest, MasksShowNothingWhateverDevNullIs) {
  const std::string core_pattern = ReadPath("/proc/sys/kernel/core_pattern");
  MakeFolderAt("/mnt/dev");
  ASSERT_EQ(symlink("/proc/sys/kernel/core_pattern", "/mnt/dev/null"), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "wc -c </proc/meminfo; stat -c '%F %t:%T' /proc/meminfo; "
      "echo bad 2>/dev/null >/proc/meminfo; true");
  // A volume in place of our /dev.
  plan.mounts.resize(2);
  plan.mounts.push_back({.kind = MountKind::kAttach, .target = "/dev", .descriptor = 1});
  plan.mounts.push_back(
      {.kind = MountKind::kMask, .target = "/proc/meminfo", .file_system = PROC_SUPER_MAGIC});
  const UniqueFd dev = CloneTree("/mnt/dev");
  const Output output = pod.RunToEnd("c1", plan, {.descriptors = {dev.get()}});
  EXPECT_EQ(output.log.substr(0, output.log.find("sh:")), "0\ncharacter special file 1:3\n");
  EXPECT_EQ(ReadPath("/proc/sys/kernel/core_pattern"), core_pattern);
}

// CVE-2025-52565: /dev/console and /dev/pts/N.
TEST_F(ShimEscapeTest, TheConsoleIsTheTerminalItself) {
  MakeFolderAt("/mnt/dev");
  MakeFolderAt("/mnt/dev/pts");
  WritePath("/mnt/outside-file", "intact");
  ASSERT_EQ(symlink("/proc/sys/kernel/core_pattern", "/mnt/dev/console"), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan("true");
  plan.flags |= kPlanConsole;
  MountStep pts = plan.mounts[3];
  plan.mounts.resize(2);
  plan.mounts.push_back({.kind = MountKind::kAttach, .target = "/dev", .descriptor = 1});
  plan.mounts.push_back(pts);
  const UniqueFd dev = CloneTree("/mnt/dev");
  EXPECT_EQ(
      pod.Create("c1", plan, {.flags = kProcessTerminal, .descriptors = {dev.get()}}).Failure(),
      "22 40 console");
}

// A plan that can still change, or that is not a plan.
TEST_F(ShimEscapeTest, PlansMustBeSealedAndWhole) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const UniqueFd open_file(static_cast<int>(syscall(SYS_memfd_create, "plan", MFD_CLOEXEC)));
  const std::string bytes = *EncodePlan(ProgramPlan({"true"}));
  ASSERT_EQ(write(open_file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const UniqueFd root = CloneTree(kRootPath);
  const auto create = [&](int plan) {
    CreateContainer request = {};
    std::memcpy(request.id, "c1", 3);
    request.log = -1;
    request.cgroups = {.folder = -1, .kill = -1, .procs_count = 0, .procs = {}};
    request.first_plan_descriptor = 1;
    request.plan_descriptor_count = 1;
    return pod.Ask(MessageType::kCreateContainer, request, {plan, root.get()}).Failure();
  };
  EXPECT_EQ(create(open_file.get()), "5 1 ");
  EXPECT_EQ(create(SealedFile("not a plan").get()), "5 22 ");
  EXPECT_EQ(create(SealedFile(bytes.substr(0, bytes.size() - 1)).get()), "5 22 ");
  EXPECT_EQ(create(root.get()), "5 1 ");
}

// CVE-2024-40635 and its like: an id that means "unchanged" to the kernel.
TEST_F(ShimEscapeTest, NoUserIsRootByAccident) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ProgramPlan({"id", "-u"});
  plan.uid = 0xffffffff;
  EXPECT_EQ(pod.Create("c1", plan).Failure(), "5 22 ");
  plan.uid = 0xfffffffe;
  EXPECT_EQ(pod.RunToEnd("c1", plan).log, "4294967294\n");
}

// CVE-2022-0492, and mounts in general: a default container cannot.
TEST_F(ShimEscapeTest, DefaultCapabilitiesMountNothing) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("mount -t tmpfs none /tmp 2>/dev/null && echo MOUNTED; "
                                         "umount /proc 2>/dev/null && echo UNMOUNTED; "
                                         "mount -t cgroup2 none /tmp 2>/dev/null && echo CGROUP; "
                                         "mount -o remount,rw /sys 2>/dev/null && echo RW; true"))
                .log,
            "");
}

// What comes before the program is a copy of the shim: another container must not look into it.
TEST_F(ShimEscapeTest, ACreatedContainerIsNotLookedInto) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ProgramPlan({"true"});
  plan.flags &= ~uint32_t{kPlanNewPid};
  ASSERT_EQ(pod.Create("c1", plan).Failure(), "");
  // That it has descriptors may be seen, and not which.
  plan = ShellPlan(
      "for p in /proc/[0-9]*; do case $(cat $p/cmdline | tr '\\0' ' ') in podium-shim*) echo seen; "
      "readlink $p/fd/* $p/exe $p/root; ls $p/cwd/; head -c1 $p/environ; head -c1 $p/mem; "
      "(echo x >$p/fd/4) && echo wrote;; esac; done 2>/dev/null");
  plan.flags &= ~uint32_t{kPlanNewPid};
  EXPECT_EQ(pod.RunToEnd("c2", plan).log, "seen\n");
}

// CVE-2016-9962, by one who may trace: what a pod's containers see of a process that is about to be
// one of them has nothing but what they have.
TEST_F(ShimEscapeTest, ATracerFindsNothingInWhatIsCreated) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ProgramPlan({"true"});
  plan.flags &= ~uint32_t{kPlanNewPid};
  const uint64_t granted = plan.permitted;
  ASSERT_EQ(pod.Create("c1", plan).Failure(), "");
  plan = ShellPlan(
      "for p in /proc/[0-9]*; do case $(cat $p/comm) in podium-shim) cat $p/status; "
      "for f in $p/fd/*; do readlink $f; done; esac; done 2>/dev/null");
  plan.flags &= ~uint32_t{kPlanNewPid};
  constexpr uint64_t kTrace = uint64_t{1} << 19;  // CAP_SYS_PTRACE
  for (uint64_t* set : {&plan.bounding, &plan.effective, &plan.permitted}) *set |= kTrace;
  const std::string seen = pod.RunToEnd("c2", plan).log;
  char expected[32];
  std::snprintf(expected, sizeof expected, "CapPrm:\t%016lx\n", granted);
  EXPECT_THAT(seen, ::testing::HasSubstr(expected));
  const std::string links = seen.substr(seen.find("nonvoluntary_ctxt_switches"));
  EXPECT_THAT(links, ::testing::HasSubstr("/dev/null"));
  EXPECT_EQ(links.find("/proc"), std::string::npos) << links;
  EXPECT_EQ(links.find("anon_inode"), std::string::npos) << links;
  EXPECT_EQ(links.find("memfd"), std::string::npos) << links;
}

// The same while a process is being made to run in it.
TEST_F(ShimEscapeTest, ATracerFindsNothingInExecs) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "echo up; while :; do for p in /proc/[0-9]*; do case $p in /proc/1|/proc/self) ;; *) "
      "for f in $p/fd/*; do case \"$(readlink $f)\" in /proc|*memfd:*|*pidfd*) echo FOUND $f;; "
      "esac; "
      "[ -d $f/1/root/. ] && echo HOST; done;; esac; done; done 2>/dev/null");
  constexpr uint64_t kTrace = uint64_t{1} << 19;
  for (uint64_t* set : {&plan.bounding, &plan.effective, &plan.permitted}) *set |= kTrace;
  ASSERT_EQ(pod.Create("c1", plan).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
  for (int i = 0; i < 5 * Rounds(); ++i) {
    ASSERT_EQ(pod.ExecToEnd("e1", "c1", ExecPlan({"true"})).failure, "");
  }
  EXPECT_EQ(pod.Log("c1"), "up\n");
}

// Infra, in a process namespace that containers share: not even one of its own user looks into it.
TEST_F(ShimEscapeTest, InfraIsNotLookedInto) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan =
      ShellPlan("cat /proc/1/comm; ls /proc/1/root/ /proc/1/fd/; head -c4 /proc/1/exe; true");
  plan.flags &= ~uint32_t{kPlanNewPid};
  plan.uid = plan.gid = 65535;
  plan.permitted = plan.effective = plan.bounding = 0;
  const std::string seen = pod.RunToEnd("c1", plan).log;
  EXPECT_THAT(seen, ::testing::HasSubstr("pause\n"));
  for (const char* what : {"/proc/1/root/", "/proc/1/fd/", "/proc/1/exe"}) {
    EXPECT_THAT(seen, ::testing::ContainsRegex(std::string(what) + ".*Permission denied"));
  }
}

// CVE-2025-64329: execs and attaches that come and go.
TEST_F(ShimEscapeTest, ExecAndAttachFloodsLeaveNothing) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ShellPlan("yes")).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const std::string proc = "/proc/" + std::to_string(pod.pid());
  const auto descriptors = [&] {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
      ++count;
    }
    return count;
  };
  const auto resident = [&] { return StatusField(pod.pid(), "VmRSS"); };
  pod.ExecToEnd("e0", "c1", ExecPlan({"true"}));
  const size_t before = descriptors();
  std::string memory;
  for (int i = 0; i < 2 * Rounds(); ++i) {
    int pipe[2];
    ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    Attach attach = {};
    std::memcpy(attach.id, "c1", 3);
    attach.stdout_fd = 0;
    attach.stderr_fd = -1;
    EXPECT_EQ(pod.Ask(MessageType::kAttach, attach, {pipe[1]}).Failure(), "");
    close(pipe[0]);
    close(pipe[1]);
    EXPECT_EQ(pod.Exec("e1", "c1", ExecPlan({"nothing"})).Failure(), "31 2 nothing");
    if (i == Rounds()) memory = resident();
  }
  // The kernel counts pages in batches.
  EXPECT_LE(std::stol(resident()), std::stol(memory) + 128);
  // The last reader is let go with the next output.
  for (int i = 0; i < 3000 && descriptors() > before; ++i) usleep(10'000);
  EXPECT_LE(descriptors(), before);
}

}  // namespace
}  // namespace podium::runtime::shim
