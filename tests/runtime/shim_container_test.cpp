// What a container is once it runs.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "runtime/shim_harness.h"
#include "runtime/shim_programs.h"

namespace podium::runtime::shim {
namespace {

class ShimContainerTest : public ShimTest {};

TEST_F(ShimContainerTest, RunsAProgramToItsEnd) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Output output = pod.RunToEnd("c1", ShellPlan("echo hello; echo $$; exit 7"));
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log, "hello\n1\n");
  EXPECT_EQ(output.state.exit_code, 7);
  EXPECT_EQ(output.state.exit_signal, 0);
  EXPECT_EQ(output.state.phase, ProcessPhase::kExited);
  EXPECT_GT(output.state.started_ns, output.state.created_ns);
  EXPECT_GE(output.state.finished_ns, output.state.started_ns);
  const ExitRecord record = pod.Record("c1");
  EXPECT_EQ(record.magic, kExitMagic);
  EXPECT_EQ(record.state.exit_code, 7);
  EXPECT_EQ(record.state.finished_ns, output.state.finished_ns);
}

TEST_F(ShimContainerTest, DoesNotWaitIfItIsToStartAtOnce) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Answer started = pod.Create("c1", ShellPlan("echo ran; exit 3"), {.flags = kProcessStart});
  ASSERT_EQ(started.type(), MessageType::kStarted);
  EXPECT_EQ(started.As<ProcessInfo>().state.phase, ProcessPhase::kRunning);
  EXPECT_NE(started.As<ProcessInfo>().state.pid, 0);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 3);
  EXPECT_EQ(pod.Log("c1"), "ran\n");
  EXPECT_EQ(pod.Start("c1").Failure(), "3 22 c1");
  const Answer terminal =
      pod.Create("c2", ShellPlan("tty"), {.flags = kProcessStart | kProcessTerminal});
  ASSERT_EQ(terminal.type(), MessageType::kStarted);
  EXPECT_EQ(pod.AwaitExit("c2").exit_code, 0);
  EXPECT_EQ(pod.Log("c2"), "/dev/pts/0\n");
  // What fails before its program, and with it.
  EXPECT_EQ(pod.Create("c3", ProgramPlan({"/no/thing"}), {.flags = kProcessStart}).Failure(),
            "31 2 /no/thing");
  WritePath(std::string(kRootPath) + "/bin/odd", "no program");
  chmod((std::string(kRootPath) + "/bin/odd").c_str(), 0755);
  EXPECT_EQ(pod.Create("c4", ProgramPlan({"odd"}), {.flags = kProcessStart}).Failure(),
            "32 8 /bin/odd");
  EXPECT_EQ(pod.AwaitExit("c4").failed_step, static_cast<uint32_t>(FailedStep::kStartProgram));
}

TEST_F(ShimContainerTest, WaitsForItsStart) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Answer created = pod.Create("c1", ShellPlan("echo ran"));
  ASSERT_EQ(created.Failure(), "");
  EXPECT_EQ(created.As<ProcessInfo>().state.phase, ProcessPhase::kCreated);
  ASSERT_EQ(created.descriptors.size(), 1U);
  EXPECT_EQ(syscall(SYS_pidfd_send_signal, created.descriptors[0].get(), 0, nullptr, 0), 0);
  usleep(50'000);
  EXPECT_EQ(pod.Log("c1"), "");
  const Answer started = pod.Start("c1");
  EXPECT_EQ(started.type(), MessageType::kStarted);
  EXPECT_EQ(started.As<ProcessInfo>().state.phase, ProcessPhase::kRunning);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 0);
  EXPECT_EQ(pod.Log("c1"), "ran\n");
  // Once only.
  EXPECT_EQ(pod.Start("c1").Failure(), "3 22 c1");
}

TEST_F(ShimContainerTest, SharesThePodsNamespacesAndHasItsOwn) {
  Pod pod;
  ASSERT_EQ(pod.Run({.hostname = "web-0"}).Failure(), "");
  const std::string script =
      "hostname; for n in net ipc uts mnt pid cgroup; do readlink /proc/self/ns/$n; done";
  // At the same time: numbers of namespaces are used again.
  ASSERT_EQ(pod.Create("c1", ShellPlan(script + "; cat"), {.flags = kProcessStdin}).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const Output second = pod.RunToEnd("c2", ShellPlan(script));
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  pod.AwaitExit("c1");
  const Output first = {.state = {}, .log = pod.Log("c1"), .failure = ""};
  const auto line = [](const std::string& text, int number) {
    size_t at = 0;
    for (int i = 0; i < number; ++i) at = text.find('\n', at) + 1;
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(line(first.log, 0), "web-0");
  for (int i = 0; i <= 3; ++i) EXPECT_EQ(line(first.log, i), line(second.log, i));
  for (int i = 4; i <= 6; ++i) EXPECT_NE(line(first.log, i), line(second.log, i));
  char host[64] = {};
  ASSERT_GT(readlink("/proc/self/ns/net", host, sizeof(host) - 1), 0);
  EXPECT_NE(line(first.log, 1), host);
}

TEST_F(ShimContainerTest, HasTheUserGroupsAndLimitsOfItsPlan) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "id -u; id -g; id -G; umask; ulimit -n; cat /proc/self/oom_score_adj; pwd; "
      "echo $COLOR; echo own >/proc/self/fd/1");
  plan.uid = 1000;
  plan.gid = 2000;
  plan.groups = {2000, 3000};
  plan.umask = 027;
  plan.oom_score_adj = 500;
  plan.rlimits = {{.resource = RLIMIT_NOFILE, .unused = 0, .soft = 128, .hard = 256}};
  plan.cwd = "/srv/app";
  plan.environment.emplace_back("COLOR=blue");
  const Output output = pod.RunToEnd("c1", plan);
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log, "1000\n2000\n2000 3000\n0027\n128\n500\n/srv/app\nblue\nown\n");
  EXPECT_EQ(output.state.refused, 0U);
}

TEST_F(ShimContainerTest, GoesOnWhereAHardLimitCannotBeRaised) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan("ulimit -n");
  plan.rlimits = {{.resource = RLIMIT_NOFILE,
                   .unused = 0,
                   .soft = limit.rlim_max + 1000,
                   .hard = limit.rlim_max + 1000}};
  const Output output = pod.RunToEnd("c1", plan);
  EXPECT_EQ(output.failure, "");
  const bool refused = (output.state.refused & kRefusedRlimit) != 0;
  EXPECT_EQ(output.log, std::to_string(limit.rlim_max + (refused ? 0 : 1000)) + "\n");
}

TEST_F(ShimContainerTest, HasTheCapabilitiesOfItsPlanAndNoInheritableOnes) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan("grep -E 'Cap|NoNew|Seccomp:' /proc/self/status | tr -s '\\t' ' '");
  plan.bounding = plan.effective = plan.permitted = 0x21;
  EXPECT_EQ(pod.RunToEnd("c1", plan).log,
            "CapInh: 0000000000000000\nCapPrm: 0000000000000021\nCapEff: 0000000000000021\n"
            "CapBnd: 0000000000000021\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 0\n");
  plan.flags |= kPlanNoNewPrivileges;
  plan.uid = plan.gid = 1000;
  EXPECT_EQ(pod.RunToEnd("c2", plan).log,
            "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
            "CapBnd: 0000000000000021\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 0\n");
  plan.ambient = plan.inheritable = 0x20;
  EXPECT_EQ(pod.RunToEnd("c3", plan).log,
            "CapInh: 0000000000000020\nCapPrm: 0000000000000020\nCapEff: 0000000000000020\n"
            "CapBnd: 0000000000000021\nCapAmb: 0000000000000020\nNoNewPrivs: 1\nSeccomp: 0\n");
}

// A set-user-ID program of root's gains nothing where the plan says so, and gains where it does
// not.
TEST_F(ShimContainerTest, SetUserIdProgramsGainNothingWithoutPrivilegeEscalation) {
  // busybox drops what it gains by itself; infra does not care.
  const std::string program = std::string(kRootPath) + "/bin/gain";
  const auto bytes = InfraProgram();
  WritePath(program, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  ASSERT_EQ(chmod(program.c_str(), 04755), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ProgramPlan({"gain"});
  plan.uid = plan.gid = 1000;
  int32_t pid = pod.Create("c1", plan).As<ProcessInfo>().state.pid;
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  EXPECT_EQ(StatusField(pid, "Uid"), "1000\t0\t0\t0");
  plan.flags |= kPlanNoNewPrivileges;
  pid = pod.Create("c2", plan).As<ProcessInfo>().state.pid;
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  EXPECT_EQ(StatusField(pid, "Uid"), "1000\t1000\t1000\t1000");
}

// mkdir and mkdirat answer with ENOTTY.
std::string NoMkdirFilter() {
  const sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef SYS_mkdir
                                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 1, 0),
#endif
                                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
                                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
                                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  return {reinterpret_cast<const char*>(filter), sizeof(filter)};
}

TEST_F(ShimContainerTest, IsUnderItsFilterWithAndWithoutNewPrivileges) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status | tr '\\t' ' '; "
      "grep CapEff: /proc/self/status | tr '\\t' ' '");
  plan.filter = NoMkdirFilter();
  const std::string refused =
      "mkdir: can't create directory '/tmp/x': Inappropriate ioctl for device\nSeccomp: 2\nCapEff: "
      "0000000000000000\n";
  plan.uid = plan.gid = 1000;
  EXPECT_EQ(pod.RunToEnd("c1", plan).log, refused);
  plan.flags |= kPlanNoNewPrivileges;
  EXPECT_EQ(pod.RunToEnd("c2", plan).log, refused);
}

TEST_F(ShimContainerTest, RootIsReadOnlyIfThePlanSaysSo) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan("touch /x 2>&1; touch /dev/shm/x && echo shm");
  plan.flags |= kPlanReadOnlyRoot;
  plan.mounts.push_back({.kind = MountKind::kNew,
                         .target = "/dev/shm",
                         .source = "tmpfs",
                         .flags = kMountMakeTarget});
  EXPECT_EQ(pod.RunToEnd("c1", plan).log, "touch: /x: Read-only file system\nshm\n");
}

TEST_F(ShimContainerTest, SeesNothingOfTheHost) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Output output = pod.RunToEnd(
      "c1", ShellPlan("ls /; cut -d' ' -f5 /proc/self/mountinfo | head -99; ls /proc/self/fd"));
  EXPECT_EQ(output.log.find("root"), std::string::npos) << output.log;
  const Output mounts = pod.RunToEnd(
      "c2", ShellPlan("while read a b c d e f; do echo $e; done </proc/self/mountinfo"));
  EXPECT_EQ(mounts.log, "/\n/proc\n/sys\n/dev\n/dev/pts\n");
  // Descriptors 0, 1, 2, and ls's own.
  EXPECT_EQ(pod.RunToEnd("c3", ProgramPlan({"ls", "/proc/self/fd"})).log, "0\n1\n2\n3\n");
}

TEST_F(ShimContainerTest, VolumesAreAttachedAndTheirPlacesMade) {
  MakeFolderAt("/mnt/volume");
  WritePath("/mnt/volume/file", "content");
  WritePath("/mnt/hosts", "127.0.0.1 localhost\n");
  MakeFolderAt("/mnt/volume/below");
  ASSERT_EQ(mount("tmpfs", "/mnt/volume/below", "tmpfs", 0, nullptr), 0);
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "cat /data/deep/volume/file; echo; cat /etc/hosts; touch /data/deep/volume/new && echo rw; "
      "touch /ro/new 2>&1; touch /ro/below/new 2>&1; touch /half/new 2>&1; touch /half/below/x && "
      "echo below");
  plan.mounts.push_back({.kind = MountKind::kAttach,
                         .target = "/data/deep/volume",
                         .flags = kMountMakeTarget,
                         .descriptor = 1});
  plan.mounts.push_back({.kind = MountKind::kAttach,
                         .target = "/etc/hosts",
                         .flags = kMountMakeTarget,
                         .descriptor = 2});
  plan.mounts.push_back({.kind = MountKind::kAttach,
                         .target = "/ro",
                         .flags = kMountMakeTarget | kMountRecursive,
                         .descriptor = 3,
                         .attr_set = MOUNT_ATTR_RDONLY});
  plan.mounts.push_back({.kind = MountKind::kAttach,
                         .target = "/half",
                         .flags = kMountMakeTarget,
                         .descriptor = 4,
                         .attr_set = MOUNT_ATTR_RDONLY});
  const UniqueFd trees[] = {CloneTree("/mnt/volume"), CloneTree("/mnt/hosts"),
                            CloneTree("/mnt/volume"), CloneTree("/mnt/volume")};
  const Output output = pod.RunToEnd(
      "c1", plan,
      {.descriptors = {trees[0].get(), trees[1].get(), trees[2].get(), trees[3].get()}});
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log,
            "content\n127.0.0.1 localhost\nrw\ntouch: /ro/new: Read-only file system\n"
            "touch: /ro/below/new: Read-only file system\n"
            "touch: /half/new: Read-only file system\nbelow\n");
  EXPECT_EQ(access("/mnt/volume/new", F_OK), 0);
  EXPECT_EQ(access((std::string(kRootPath) + "/data/deep/volume").c_str(), F_OK), 0);
}

TEST_F(ShimContainerTest, MountsPropagateAsThePlanSays) {
  MakeFolderAt("/mnt/shared");
  ASSERT_EQ(mount("tmpfs", "/mnt/shared", "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, "/mnt/shared", nullptr, MS_SHARED, nullptr), 0);
  for (const char* folder : {"slave", "private", "both"}) {
    MakeFolderAt(std::string("/mnt/shared/") + folder);
  }
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "echo ready; cat; ls /slave/slave /private/private; "
      "mount -t tmpfs none /both/both && touch /both/both/up && cat /go");
  plan.bounding = plan.effective = plan.permitted = ~uint64_t{0};
  const UniqueFd trees[] = {CloneTree("/mnt/shared"), CloneTree("/mnt/shared"),
                            CloneTree("/mnt/shared")};
  const std::pair<const char*, uint32_t> kinds[] = {
      {"/slave", MS_SLAVE}, {"/private", MS_PRIVATE}, {"/both", 0}};
  int32_t descriptor = 0;
  for (const auto& [target, propagation] : kinds) {
    plan.mounts.push_back({.kind = MountKind::kAttach,
                           .target = target,
                           .flags = kMountMakeTarget | kMountRecursive,
                           .descriptor = ++descriptor,
                           .propagation = propagation});
  }
  ASSERT_EQ(mkfifo((std::string(kRootPath) + "/go").c_str(), 0600), 0);
  ASSERT_EQ(pod.Create("c1", plan,
                       {.flags = kProcessStdin,
                        .descriptors = {trees[0].get(), trees[1].get(), trees[2].get()}})
                .Failure(),
            "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  // From the host into the container...
  for (const char* folder : {"slave", "private"}) {
    const std::string path = std::string("/mnt/shared/") + folder;
    ASSERT_EQ(mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0);
    WritePath(path + "/down-" + folder, "");
  }
  ASSERT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c1").Failure(), "");
  // ... and from the container to the host.
  for (int i = 0; i < 500 && access("/mnt/shared/both/up", F_OK) != 0; ++i) usleep(10'000);
  EXPECT_EQ(access("/mnt/shared/both/up", F_OK), 0);
  const UniqueFd go(open((std::string(kRootPath) + "/go").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write(go.get(), "gone\n", 5), 5);
  EXPECT_EQ(umount2("/mnt/shared/both", MNT_DETACH), 0);
}

TEST_F(ShimContainerTest, PathsAreMaskedAndReadOnly) {
  WritePath(std::string(kRootPath) + "/etc/secret", "secret");
  MakeFolderAt(std::string(kRootPath) + "/data/keys");
  WritePath(std::string(kRootPath) + "/data/keys/one", "secret");
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "exec 2>&1; cat /etc/secret; ls /data/keys; touch /data/keys/x 2>&1; "
      "touch /tmp/x 2>&1; wc -c </proc/meminfo; "
      "echo x >/proc/sys/kernel/domainname; ls /proc/sys/kernel/domainname");
  for (const char* path : {"/etc/secret", "/data/keys", "/not/there"}) {
    plan.mounts.push_back({.kind = MountKind::kMask, .target = path});
  }
  plan.mounts.push_back(
      {.kind = MountKind::kMask, .target = "/proc/meminfo", .file_system = PROC_SUPER_MAGIC});
  plan.mounts.push_back(
      {.kind = MountKind::kReadOnly, .target = "/proc/sys", .file_system = PROC_SUPER_MAGIC});
  for (const char* path : {"/tmp", "/nor/there"}) {
    plan.mounts.push_back({.kind = MountKind::kReadOnly, .target = path});
  }
  const Output output = pod.RunToEnd("c1", plan);
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log,
            "touch: /data/keys/x: Read-only file system\ntouch: /tmp/x: Read-only file system\n0\n"
            "sh: can't create /proc/sys/kernel/domainname: Read-only file system\n"
            "/proc/sys/kernel/domainname\n");
}

TEST_F(ShimContainerTest, DevicesQueuesAndCgroupsAreThere) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "head -c3 /dev/zero | wc -c; echo x >/dev/null; stat -c '%t:%T %a' "
      "/dev/null /dev/full; readlink /dev/ptmx; touch /dev/mqueue/x && echo queue;"
      "stat -f -c %t /sys/fs/cgroup; mkdir /sys/fs/cgroup/x 2>&1; "
      "stat -c '%a %u:%g' /srv/own");
  plan.mounts.push_back({.kind = MountKind::kNew,
                         .target = "/dev/mqueue",
                         .source = "mqueue",
                         .flags = kMountMakeTarget,
                         .attr_set = MOUNT_ATTR_NOSUID});
  plan.mounts.push_back({.kind = MountKind::kNew,
                         .target = "/sys/fs/cgroup",
                         .source = "cgroup2",
                         .attr_set = MOUNT_ATTR_RDONLY});
  plan.mounts.push_back({.kind = MountKind::kFolder,
                         .target = "/srv/own",
                         .flags = kMountMakeTarget,
                         .mode = 0710,
                         .uid = 5,
                         .gid = 6});
  const Output output = pod.RunToEnd("c1", plan);
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log,
            "3\n1:3 666\n1:7 666\npts/ptmx\nqueue\n63677270\n"
            "mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n710 5:6\n");
}

TEST_F(ShimContainerTest, SharedMemoryIsThePods) {
  Pod pod;
  ASSERT_EQ(pod.Run({.shm_size = 1 << 20}).Failure(), "");
  Plan plan = ShellPlan(
      "echo one >/dev/shm/x; dd if=/dev/zero of=/dev/shm/big bs=4096 count=999 "
      "2>/dev/null || echo full; rm /dev/shm/big");
  plan.mounts.push_back(
      {.kind = MountKind::kPodShm, .target = "/dev/shm", .flags = kMountMakeTarget});
  EXPECT_EQ(pod.RunToEnd("c1", plan).log, "full\n");
  plan.arguments = {"cat", "/dev/shm/x"};
  EXPECT_EQ(pod.RunToEnd("c2", plan).log, "one\n");
}

TEST_F(ShimContainerTest, StdinIsAPipeOrNothing) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  EXPECT_EQ(pod.RunToEnd("c1", ShellPlan("cat; readlink /proc/self/fd/0")).log, "/dev/null\n");
  ASSERT_EQ(pod.Create("c2", ShellPlan("cat"), {.flags = kProcessStdin}).Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  Attach attach = {};
  attach.flags = kProcessStdin;
  std::memcpy(attach.id, "c2", 3);
  attach.stdout_fd = attach.stderr_fd = -1;
  Answer attached = pod.Ask(MessageType::kAttach, attach);
  ASSERT_EQ(attached.descriptors.size(), 1U);
  EXPECT_EQ(write(attached.descriptors[0].get(), "typed\n", 6), 6);
  attached.descriptors.clear();
  // A second one finds it open still.
  EXPECT_EQ(pod.Ask(MessageType::kAttach, attach).descriptors.size(), 1U);
  EXPECT_EQ(pod.AskAbout(MessageType::kCloseStdin, "c2").Failure(), "");
  EXPECT_EQ(pod.AwaitExit("c2").exit_code, 0);
  EXPECT_EQ(pod.Log("c2"), "typed\n");
}

TEST_F(ShimContainerTest, ATerminalIsTheConsoleAndCanBeResized) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  Plan plan = ShellPlan(
      "stty size; read x; stty size; readlink /proc/self/fd/0; "
      "echo there >/dev/console; echo tty >/dev/tty; ls -l /dev/pts | wc -l");
  plan.flags |= kPlanConsole;
  ASSERT_EQ(
      pod.Create("c1", plan, {.flags = kProcessTerminal, .rows = 33, .columns = 111}).Failure(),
      "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
  EXPECT_EQ(pod.Log("c1"), "33 111\n");
  ResizeTerminal resize = {};
  std::memcpy(resize.id, "c1", 3);
  resize.rows = 50;
  resize.columns = 60;
  EXPECT_EQ(pod.Ask(MessageType::kResizeTerminal, resize).Failure(), "");
  Attach attach = {};
  attach.flags = kProcessStdin;
  std::memcpy(attach.id, "c1", 3);
  attach.stdout_fd = attach.stderr_fd = -1;
  const Answer attached = pod.Ask(MessageType::kAttach, attach);
  ASSERT_EQ(attached.descriptors.size(), 1U);
  EXPECT_EQ(write(attached.descriptors[0].get(), "\n", 1), 1);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 0);
  EXPECT_EQ(pod.Log("c1"), "33 111\n\n50 60\n/dev/pts/0\nthere\ntty\n3\n");
  EXPECT_EQ(pod.RawLog("c1").find('\r'), std::string::npos);
}

TEST_F(ShimContainerTest, SignalsReachIt) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ShellPlan("trap 'echo term; exit 5' TERM; echo up; "
                                       "while :; do usleep 10000; done"))
                .Failure(),
            "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  for (int i = 0; i < 500 && pod.Log("c1").empty(); ++i) usleep(10'000);
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c1", SIGTERM).Failure(), "");
  const ProcessState state = pod.AwaitExit("c1");
  EXPECT_EQ(state.exit_code, 5);
  EXPECT_EQ(pod.Log("c1"), "up\nterm\n");
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c1", SIGTERM).Failure(), "34 3 c1");

  ASSERT_EQ(pod.Create("c2", ShellPlan("sleep 99 & sleep 98")).Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  EXPECT_EQ(pod.Signal(ProcessKind::kContainer, "c2", SIGKILL, kSignalAll).Failure(), "");
  const ProcessState killed = pod.AwaitExit("c2");
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_EQ(killed.exit_signal, SIGKILL);
}

// Signals that the shim ignores or blocks are the program's own again.
TEST_F(ShimContainerTest, StartsWithStandardSignals) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  EXPECT_EQ(
      pod.RunToEnd("c1", ProgramPlan({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"})).log,
      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ShimContainerTest, AUserNamespaceOwnsItsWorld) {
  Pod pod;
  PodOptions options = {.shm_size = 1 << 20};
  options.flags |= kSandboxNewUser;
  const Answer running = pod.Run(options);
  ASSERT_EQ(running.Failure(), "");
  const std::string infra = std::to_string(running.As<SandboxRunning>().infra_pid);
  EXPECT_EQ(ReadPath("/proc/" + infra + "/uid_map"), "         0     100000      65536\n");
  chown(kRootPath, 100'000, 100'000);
  Plan plan = ShellPlan(
      "id -u; hostname; echo x >/dev/null && echo null; ls /sys/class/net; "
      "touch /dev/shm/x && echo shm; cat /proc/1/comm; touch /made; sleep 99 & "
      "mount -t tmpfs none /tmp && echo mounted");
  plan.bounding = plan.effective = plan.permitted = ~uint64_t{0};
  plan.mounts.push_back(
      {.kind = MountKind::kPodShm, .target = "/dev/shm", .flags = kMountMakeTarget});
  plan.mounts.push_back({.kind = MountKind::kMask, .target = "/proc/kcore"});
  plan.mounts.push_back({.kind = MountKind::kMask, .target = "/sys/firmware"});
  plan.mounts.push_back({.kind = MountKind::kReadOnly, .target = "/proc/sys"});
  const Output output = pod.RunToEnd("c1", plan);
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log, "0\nweb-0\nnull\nlo\nshm\nsh\nmounted\n");
  struct stat made = {};
  ASSERT_EQ(stat((std::string(kRootPath) + "/made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, 100'000U);

  ASSERT_EQ(pod.Create("c2", ProgramPlan({"sleep", "99"})).Failure(), "");
  ASSERT_EQ(pod.Start("c2").Failure(), "");
  Plan exec = ExecPlan({"sh", "-c", "id -u; cat /proc/self/uid_map"});
  EXPECT_EQ(pod.ExecToEnd("e1", "c2", exec).log, "0\n         0     100000      65536\n");
}

// What is not the pod's own is the host's, which a user namespace has no say over.
TEST_F(ShimContainerTest, AUserNamespaceInTheHostsNetwork) {
  Pod pod;
  PodOptions options = {.hostname = ""};
  options.flags = kSandboxNewUser | kSandboxNewPid;
  ASSERT_EQ(pod.Run(options).Failure(), "");
  Plan plan = ProgramPlan({"sleep", "999"});
  plan.flags &= ~uint32_t{kPlanNewCgroup};
  plan.mounts.erase(plan.mounts.begin() + 1);  // sysfs is the network namespace's
  ASSERT_EQ(pod.Create("c1", plan).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  char net[64] = {};
  ASSERT_GT(readlink("/proc/self/ns/net", net, sizeof(net) - 1), 0);
  EXPECT_EQ(pod.ExecToEnd("e1", "c1", ExecPlan({"readlink", "/proc/self/ns/net"})).log,
            std::string(net) + "\n");
}

}  // namespace
}  // namespace podium::runtime::shim
