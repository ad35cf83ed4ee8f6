// The rows "Runtime and images" of the list of attacks that concern the runtime, one test each,
// named after the row. Each would get through where a runtime has had the hole.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "embedded_harness.h"
#include "image/tar_builder.h"
#include "linux/path.h"
#include "runtime/shim_programs.h"
#include "support/long_form.h"

namespace podium::runtime {
namespace {

using podium::testing::Times;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kCorePattern = "/proc/sys/kernel/core_pattern";

class AttackTest : public EmbeddedTest {
 protected:
  void SetUp() override {
    EmbeddedTest::SetUp();
    if (!machine_) return;
    core_pattern_ = ReadHostFile(kCorePattern);
    outside_ = machine_->folder() + "/outside";
    ASSERT_TRUE(kernel::MakeFolders(outside_, 0777).ok());
  }
  void TearDown() override {
    if (machine_) {
      EXPECT_EQ(ReadHostFile(kCorePattern), core_pattern_);
      const auto folder = kernel::OpenPath(outside_, O_RDONLY | O_DIRECTORY);
      EXPECT_THAT(*kernel::ListFolder(folder->get()), IsEmpty());
    }
    EmbeddedTest::TearDown();
  }
  static cri::Mount Volume(const std::string& host, const std::string& inside) {
    cri::Mount mount;
    mount.host_path = host;
    mount.container_path = inside;
    return mount;
  }

  std::string core_pattern_;
  std::string outside_;  // must stay empty
};

// Exchanges two names over and over.
class Flipper {
 public:
  Flipper(const std::string& a, const std::string& b)
      : thread_([this, a, b] {
          constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE
          while (!stop_) {
            if (syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), kExchange) == 0) {
              ++count_;
            }
          }
        }) {}
  int64_t count() const { return count_; }
  Flipper(const Flipper&) = delete;
  Flipper& operator=(const Flipper&) = delete;
  ~Flipper() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> count_ = 0;
  std::thread thread_;
};

// The programs of the shims and infra processes that this test has started.
std::vector<std::string> OwnPrograms() {
  std::vector<std::string> programs;
  const auto names = kernel::ListFolder(kernel::OpenPath("/proc", O_RDONLY)->get());
  for (const std::string& name : *names) {
    const std::string folder = "/proc/" + name;
    const std::string status = ReadHostFile(folder + "/status");
    const bool ours = status.find("\nPPid:\t" + std::to_string(getpid()) + '\n') != status.npos;
    if (ours && ReadHostFile(folder + "/comm") == "podium-shim\n") {
      programs.push_back(folder + "/exe");
    }
  }
  return programs;
}

TEST_F(AttackTest, RuntimeBinaryOverwrittenFromInside) {
  struct stat before{};
  ASSERT_EQ(stat("/proc/self/exe", &before), 0);
  const std::string pod = RunPod(TestPod("p"));
  const auto bytes = ShimProgram();
  const std::string program(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // The program that is found there is no program of the container's: it is refused, or runs as
  // what it is, a sealed file that nobody has asked to make a pod.
  machine_->AddImage("itself:1", R"("Entrypoint":["/proc/self/exe"])");
  cri::ContainerConfig itself = Shell("itself", "");
  itself.command.clear();
  itself.image->image = "itself:1";
  const auto id = runtime().CreateContainer(pod, itself, {});
  ASSERT_TRUE(id.ok());
  if (runtime().StartContainer(*id).ok()) EXPECT_NE(Wait(*id).exit_code, 0);
  // By one who may trace, too: through the name, and through a descriptor that is kept.
  cri::ContainerConfig config = Shell(
      "writer",
      "while true; do for p in /proc/[0-9]*; do [ $p = /proc/$$ ] && continue; "
      "( echo owned > $p/exe ) 2>/dev/null && echo wrote $p; "
      "( exec 9<$p/exe; for i in 1 2 3; do echo owned > /proc/self/fd/9 && echo wrote fd; done ) "
      "2>/dev/null; done; done");
  config.linux_->security_context->capabilities.emplace().add_capabilities.push_back("SYS_PTRACE");
  const std::string writer = Start(pod, config);
  for (Times times(500); times.Next();) {
    (void)runtime().ExecSync(writer, {"/proc/self/exe"}, seconds(5));
    (void)runtime().ExecSync(writer, {"/bin/true"}, seconds(5));
  }
  ASSERT_TRUE(runtime().StopContainer(writer, seconds(0)).ok());
  EXPECT_EQ(LogOf(Wait(writer)), "");
  struct stat after{};
  ASSERT_EQ(stat("/proc/self/exe", &after), 0);
  EXPECT_EQ(after.st_size, before.st_size);
  EXPECT_EQ(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
  EXPECT_EQ(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
  const std::vector<std::string> programs = OwnPrograms();
  EXPECT_THAT(programs, Not(IsEmpty()));
  for (const std::string& path : programs) EXPECT_TRUE(ReadHostFile(path) == program) << path;
  EXPECT_TRUE(RunPod(TestPod("q")) != "");
}

TEST_F(AttackTest, LeakedDescriptorOrWorkingDirectory) {
  const std::string shared = machine_->folder() + "/shared";
  ASSERT_TRUE(kernel::MakeFolders(shared + "/place", 0777).ok());
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig runs_in_place = Shell("runs", "exec sleep 1000");
  runs_in_place.mounts = {Volume(shared, "/shared")};
  runs_in_place.working_dir = "/shared/place";
  const std::string runs = Start(pod, runs_in_place);
  ASSERT_EQ(rmdir((shared + "/place").c_str()), 0);
  for (int n = 3; n <= 64; n += 1) {
    const std::string descriptor = "/proc/self/fd/" + std::to_string(n);
    // By its name, and by a link that leads there.
    ASSERT_EQ(symlink(descriptor.c_str(), (shared + "/place").c_str()), 0);
    for (const std::string& folder : {descriptor, std::string("/shared/place")}) {
      cri::ContainerConfig config = Shell("c", "ls /etc/../../..; cat cgroup");
      config.mounts = {Volume(shared, "/shared")};
      config.working_dir = folder;
      const auto id = runtime().CreateContainer(pod, config, {});
      if (!id.ok()) continue;
      EXPECT_FALSE(runtime().StartContainer(*id).ok()) << n;
      EXPECT_TRUE(runtime().RemoveContainer(*id).ok());
    }
    EXPECT_FALSE(runtime().ExecSync(runs, {"/bin/pwd"}, seconds(10)).ok()) << n;
    ASSERT_EQ(unlink((shared + "/place").c_str()), 0);
  }
  ASSERT_TRUE(kernel::MakeFolders(shared + "/place", 0777).ok());
  const auto descriptors =
      runtime().ExecSync(runs, {"/bin/sh", "-c", "ls /proc/self/fd | wc -l"}, seconds(10));
  ASSERT_TRUE(descriptors.ok());
  // ls itself has one open: of the folder.
  EXPECT_EQ(descriptors->stdout_.data, "4\n");
  const std::string log =
      LogOf(Wait(Start(pod, Shell("count", "ls /proc/self/fd | wc -l; ls -l /proc/1/fd"))));
  EXPECT_THAT(log, ::testing::StartsWith("4\n"));
}

TEST_F(AttackTest, MaskedPathRace) {
  // A volume over /dev of one container, in which another swaps what is masked with.
  const std::string shared = machine_->folder() + "/shared";
  ASSERT_TRUE(kernel::MakeFolders(shared, 0777).ok());
  ASSERT_EQ(symlink(kCorePattern, (shared + "/null").c_str()), 0);
  WriteHostFile(shared + "/other", "");
  const std::string pod = RunPod(TestPod("p"));
  {
    const Flipper flipper(shared + "/null", shared + "/other");
    for (Times times(1000); times.Next();) {
      cri::ContainerConfig config = Shell("c",
                                          "echo owned > /proc/sys/kernel/core_pattern; "
                                          "echo owned > /dev/null; cat /proc/kcore | head -c 4");
      config.mounts = {Volume(shared, "/dev")};
      config.linux_->security_context->masked_paths = {"/proc/kcore", "/proc/keys"};
      config.linux_->security_context->readonly_paths = {"/proc/sys"};
      const auto id = runtime().CreateContainer(pod, config, {});
      ASSERT_TRUE(id.ok());
      if (runtime().StartContainer(*id).ok()) Wait(*id);
      EXPECT_TRUE(runtime().RemoveContainer(*id).ok());
    }
  }
  EXPECT_EQ(ReadHostFile(kCorePattern), core_pattern_);
}

TEST_F(AttackTest, FakeProc) {
  // A volume at /proc: nothing that is written there may be taken for the kernel's.
  const std::string fake = machine_->folder() + "/fake";
  ASSERT_TRUE(kernel::MakeFolders(fake + "/self/attr", 0777).ok());
  WriteHostFile(fake + "/self/attr/exec", "untouched");
  WriteHostFile(fake + "/self/oom_score_adj", "untouched");
  cri::ContainerConfig config = Shell("c", "true");
  config.mounts = {Volume(fake, "/proc")};
  config.linux_->security_context->masked_paths = {"/proc/kcore", "/proc/self"};
  EXPECT_THAT(Refusal(config), Not(IsEmpty()));
  EXPECT_EQ(ReadHostFile(fake + "/self/attr/exec"), "untouched");
  EXPECT_EQ(ReadHostFile(fake + "/self/oom_score_adj"), "untouched");
  // An image in which /proc is a link.
  image::TarBuilder tar;
  tar.Symlink("proc", "/tmp");
  machine_->AddImage("fake:1", R"("Cmd":["/bin/true"])", tar.Finish());
  config = Shell("c", "true");
  config.image->image = "fake:1";
  EXPECT_THAT(Refusal(config), Not(IsEmpty()));
}

TEST_F(AttackTest, DevALinkInTheImage) {
  image::TarBuilder tar;
  tar.Symlink("dev", outside_);
  machine_->AddImage("dev:1", R"("Cmd":["/bin/true"])", tar.Finish());
  cri::ContainerConfig config = Shell("c", "true");
  config.image->image = "dev:1";
  EXPECT_THAT(Refusal(config), Not(IsEmpty()));
}

TEST_F(AttackTest, MountPointSwappedForALink) {
  const std::string shared = machine_->folder() + "/shared";
  ASSERT_TRUE(kernel::MakeFolders(shared + "/place", 0777).ok());
  ASSERT_EQ(symlink(("/../../../.." + outside_).c_str(), (shared + "/link").c_str()), 0);
  const std::string data = machine_->folder() + "/data-volume";
  ASSERT_TRUE(kernel::MakeFolders(data, 0777).ok());
  const std::string pod = RunPod(TestPod("p"));
  const Flipper flipper(shared + "/place", shared + "/link");
  int started = 0;
  for (Times times(10'000); times.Next();) {
    cri::ContainerConfig config = Shell("c", "echo mark > /shared/place/mark");
    config.mounts = {Volume(shared, "/shared"), Volume(data, "/shared/place")};
    const auto id = runtime().CreateContainer(pod, config, {});
    ASSERT_TRUE(id.ok());
    if (runtime().StartContainer(*id).ok()) {
      ++started;
      Wait(*id);
    }
    EXPECT_TRUE(runtime().RemoveContainer(*id).ok());
  }
  EXPECT_GT(started, 0);
  EXPECT_GE(flipper.count(), 10'000);
}

// What node/ does: the path is resolved below the volume, and what was opened is handed over. The
// name beside it is not looked at again.
TEST_F(AttackTest, SubPath) {
  const std::string volume = machine_->folder() + "/volume";
  ASSERT_TRUE(kernel::MakeFolders(volume + "/folder/inner", 0777).ok());
  WriteHostFile(volume + "/folder/inner/mark", "inside");
  const std::string elsewhere = machine_->folder() + "/elsewhere";
  ASSERT_TRUE(kernel::MakeFolders(elsewhere + "/inner", 0777).ok());
  WriteHostFile(elsewhere + "/inner/mark", "ELSEWHERE");
  ASSERT_EQ(symlink(elsewhere.c_str(), (volume + "/link").c_str()), 0);
  const auto opened = kernel::OpenPath(volume, O_PATH | O_DIRECTORY);
  ASSERT_TRUE(opened.ok());
  const std::string pod = RunPod(TestPod("p"));
  int mounted = 0;
  {
    const Flipper flipper(volume + "/folder", volume + "/link");
    for (Times times(10'000); times.Next();) {
      auto source = kernel::OpenBeneath(opened->get(), "folder/inner", O_PATH);
      // Half of the time there is the link, which leads out.
      for (int i = 0; i < 100'000 && !source.ok(); ++i) {
        source = kernel::OpenBeneath(opened->get(), "folder/inner", O_PATH);
      }
      ASSERT_TRUE(source.ok()) << source.error().message();
      cri::ContainerConfig config = Shell("c", "cat /sub/mark; echo");
      config.log_path = "c.log";
      config.mounts = {Volume(volume + "/folder/inner", "/sub")};
      std::vector<MountSource> sources;
      sources.push_back({.index = 0, .fd = *std::move(source)});
      const auto id = runtime().CreateContainer(pod, config, std::move(sources));
      ASSERT_TRUE(id.ok()) << id.error().message();
      ASSERT_TRUE(runtime().StartContainer(*id).ok());
      const cri::ContainerStatus status = Wait(*id);
      ASSERT_EQ(LogOf(status), "inside\n");
      unlink(status.log_path.c_str());
      EXPECT_TRUE(runtime().RemoveContainer(*id).ok());
      ++mounted;
    }
    EXPECT_GE(flipper.count(), 1000);
  }
  EXPECT_GT(mounted, 0);
}

TEST_F(AttackTest, ImageVolumeOrWorkdirTraversal) {
  machine_->AddImage("volume:1", R"("Volumes":{"/../../../../../../etc":{},"../../x":{}},
                                    "WorkingDir":"/../../../../etc")");
  cri::ContainerConfig config = Shell("c", "pwd; cat passwd");
  config.image->image = "volume:1";
  const std::string text = Output(config);
  EXPECT_THAT(text, AllOf(HasSubstr("/etc\n"), HasSubstr("web:x:1000")));
  EXPECT_EQ(text.find("systemd"), std::string::npos);
}

// The row "layer archives", for nodes that are in an image: of no use, with device cgroups and
// without; and so are those in a volume, and new ones.
TEST_F(AttackTest, DeviceNodesForNonPrivilegedUse) {
  for (const bool limited : {true, false}) {
    SCOPED_TRACE(limited);
    machine_.reset();
    machine_ = std::make_unique<Machine>(MachineOptions{.limits_devices = limited});
    ASSERT_TRUE(kernel::MakeFolders(outside_, 0777).ok());
    image::TarBuilder tar;
    tar.Add({.path = "kmsg", .type = '3', .mode = 0666, .major = 1, .minor = 11});
    machine_->AddImage("node:1", R"("Cmd":["/bin/true"])", tar.Finish());
    const std::string volume = machine_->folder() + "/volume";
    ASSERT_TRUE(kernel::MakeFolders(volume, 0777).ok());
    ASSERT_EQ(mknod((volume + "/kmsg").c_str(), S_IFCHR | 0666, makedev(1, 11)), 0);
    cri::ContainerConfig config =
        Shell("c",
              "ls /kmsg /volume/kmsg; for f in /kmsg /volume/kmsg; do "
              "(dd if=$f of=/dev/null bs=8k count=1 >/dev/null) 2>&1; done; "
              "busybox mknod /dev/own c 1 11 2>/dev/null && (head -c1 /dev/own >/dev/null) 2>&1; "
              "echo x > /dev/null && head -c1 /dev/zero | wc -c");
    config.image->image = "node:1";
    config.mounts = {Volume(volume, "/volume")};
    const std::string text = Output(config);
    EXPECT_THAT(text, ::testing::StartsWith("/kmsg\n/volume/kmsg\n"));
    EXPECT_THAT(text, ::testing::EndsWith("\n1\n"));
    for (const char* path : {"/kmsg", "/volume/kmsg"}) {
      EXPECT_THAT(text, ::testing::ContainsRegex("'" + std::string(path) +
                                                 "': (Operation not permitted|Permission denied)"));
    }
    // It is made and cannot be used, or it is not made.
    if (limited) {
      EXPECT_THAT(text, HasSubstr("/dev/own: Operation not permitted"));
    } else {
      EXPECT_THAT(text, Not(HasSubstr("/dev/own")));
    }
  }
}

TEST_F(AttackTest, UidOverflow) {
  int number = 0;
  for (const char* user : {"2147483648", "4294967296", "18446744073709551616", "-1", " ", "0x0",
                           "web ", ":0", "1:2:3", "99999999999", "web:none"}) {
    const std::string name = "user:" + std::to_string(++number);
    machine_->AddImage(name, std::string(R"("User":")") + user + '"');
    cri::ContainerConfig config = Shell("c", "id -u");
    config.image->image = name;
    EXPECT_THAT(Refusal(config), Not(IsEmpty())) << user;
  }
  for (const int64_t uid : {int64_t{-1}, int64_t{1} << 31, int64_t{1} << 32, INT64_MAX}) {
    cri::ContainerConfig config = Shell("c", "id -u");
    config.linux_->security_context->run_as_user = cri::Int64Value{uid};
    EXPECT_THAT(Refusal(config), HasSubstr("out of range"));
  }
  cri::ContainerConfig config = Shell("c", "id -u");
  config.linux_->security_context->run_as_user = cri::Int64Value{2147483647};
  EXPECT_EQ(Output(config), "2147483647\n");
}

TEST_F(AttackTest, ReleaseAgent) {
  cri::ContainerConfig config =
      Shell("c",
            "unshare -Urm true && echo unshared; mkdir /tmp/cg; "
            "mount -t cgroup -o memory cgroup /tmp/cg && echo mounted; "
            "for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/release_agent; do "
            "(echo /x > $f) 2>/dev/null && echo wrote; done; echo end");
  config.linux_->security_context->seccomp.emplace().profile_type =
      cri::ProfileType::kRuntimeDefault;
  const std::string text = Output(config);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("unshared")), Not(HasSubstr("mounted")),
                          Not(HasSubstr("wrote")), HasSubstr("end")));
  // Without a filter a user namespace may be had, and in it cgroups; not their agent.
  config = Shell("c",
                 "mkdir /tmp/cg; unshare -Urm sh -c '"
                 "for c in memory rdma pids; do mount -t cgroup -o $c cgroup /tmp/cg && "
                 "{ (echo /x > /tmp/cg/release_agent) && echo wrote; umount /tmp/cg; }; done; "
                 "mount -t cgroup2 none /tmp/cg && ls /tmp/cg/release_agent && echo wrote'; "
                 "echo end");
  EXPECT_THAT(Output(config), AllOf(Not(HasSubstr("wrote")), HasSubstr("end")));
}

TEST_F(AttackTest, SysctlInjection) {
  const std::pair<const char*, const char*> tried[] = {
      {"kernel.shm_rmid_forced", "1+kernel.core_pattern=|/evil"},
      {"kernel.shm_rmid_forced", "1\nkernel.core_pattern=|/evil"},
      {"kernel.shm_rmid_forced=1+kernel.core_pattern", "|/evil"},
      {"kernel.core_pattern", "|/evil"},
      {"kernel/shm/../core_pattern", "|/evil"},
      {"net.ipv4/../../kernel/core_pattern", "|/evil"},
      {"net...kernel.core_pattern", "|/evil"},
      {"vm.overcommit_memory", "1"},
  };
  for (const auto& [name, value] : tried) {
    cri::PodSandboxConfig config = TestPod("p");
    config.linux_->sysctls[name] = value;
    EXPECT_FALSE(runtime().RunPodSandbox(config, "").ok()) << name;
  }
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->sysctls["net.ipv4.ip_forward"] = "1";
  config.linux_->security_context->namespace_options->network = cri::NamespaceMode::kNode;
  EXPECT_FALSE(runtime().RunPodSandbox(config, "").ok());
}

TEST_F(AttackTest, InheritableCapabilities) {
  cri::ContainerConfig config = Shell("c", "grep Cap /proc/self/status; exec sleep 1000");
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, config);
  const auto exec = runtime().ExecSync(id, {"/bin/grep", "Cap", "/proc/self/status"}, seconds(10));
  ASSERT_TRUE(exec.ok());
  ASSERT_TRUE(runtime().StopContainer(id, seconds(0)).ok());
  for (const std::string& text : {LogOf(Wait(id)), exec->stdout_.data}) {
    EXPECT_THAT(text, HasSubstr("CapInh:\t0000000000000000"));
    EXPECT_THAT(text, HasSubstr("CapAmb:\t0000000000000000"));
    EXPECT_THAT(text, HasSubstr("CapBnd:\t00000000a80425fb"));
  }
}

TEST_F(AttackTest, EmptySeccompProfile) {
  const std::string folder = machine_->folder() + "/seccomp";
  ASSERT_TRUE(kernel::MakeFolders(folder, 0755).ok());
  WriteHostFile(folder + "/empty.json", "");
  WriteHostFile(folder + "/object.json", "{}");
  WriteHostFile(folder + "/unknown.json", R"({"defaultAction":"SCMP_ACT_WHATEVER"})");
  for (const char* name : {"", "missing.json", "empty.json", "object.json", "unknown.json",
                           "../outside.json", "localhost/"}) {
    cri::ContainerConfig config = Shell("c", "true");
    auto& seccomp = config.linux_->security_context->seccomp.emplace();
    seccomp.profile_type = cri::ProfileType::kLocalhost;
    seccomp.localhost_ref = name;
    EXPECT_THAT(Refusal(config), HasSubstr("seccomp")) << name;
  }
  WriteHostFile(folder + "/good.json",
                R"({"defaultAction":"SCMP_ACT_ALLOW",
                    "syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]})");
  cri::ContainerConfig config =
      Shell("c", "mkdir /x || echo refused; grep Seccomp: /proc/self/status");
  auto& seccomp = config.linux_->security_context->seccomp.emplace();
  seccomp.profile_type = cri::ProfileType::kLocalhost;
  seccomp.localhost_ref = "good.json";
  EXPECT_THAT(Output(config), AllOf(HasSubstr("refused"), HasSubstr("Seccomp:\t2")));
}

TEST_F(AttackTest, AbstractSockets) {
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->security_context->namespace_options->network = cri::NamespaceMode::kNode;
  const std::string pod = RunPod(config);
  const std::string text = LogOf(Wait(Start(pod, Shell("c", "cat /proc/net/unix"))));
  // An abstract name is shown with an @; podium has none.
  EXPECT_EQ(text.find(" @"), std::string::npos) << text;
}

TEST_F(AttackTest, SetuidAndNoNewPrivileges) {
  image::TarBuilder tar;
  tar.Add({.path = "bin/busybox-root", .data = ReadHostFile("/usr/bin/busybox"), .mode = 04755});
  machine_->AddImage("setuid:1", R"("User":"1000")", tar.Finish());
  // su says so when it is not run as root.
  cri::ContainerConfig config = Shell(
      "c", "grep NoNewPrivs /proc/self/status; echo | /bin/busybox-root su nobody -c true 2>&1");
  config.image->image = "setuid:1";
  EXPECT_THAT(Output(config), AllOf(HasSubstr("NoNewPrivs:\t0"), Not(HasSubstr("must be suid"))));
  config.linux_->security_context->no_new_privs = true;
  EXPECT_THAT(Output(config), AllOf(HasSubstr("NoNewPrivs:\t1"), HasSubstr("must be suid")));
}

}  // namespace
}  // namespace podium::runtime
