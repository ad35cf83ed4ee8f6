#include "runtime/selinux.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <filesystem>

#include "embedded_harness.h"
#include "image/temporary_folder.h"
#include "linux/path.h"

namespace podium::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kPairs = "s0:c[0-9]+,c[0-9]+";

const SelinuxContexts kContexts{"system_u:system_r:container_t:s0",
                                "system_u:object_r:container_file_t:s0",
                                "system_u:object_r:container_ro_file_t:s0"};

std::string Checked(const std::string& level, bool machine_has_it) {
  cri::SELinuxOption options;
  options.level = level;
  const auto checked = CheckSelinux(&options, machine_has_it, std::nullopt);
  return checked.ok() ? "" : checked.error().message();
}

TEST(SelinuxTest, LevelsAreContainerdsOwn) {
  for (const char* level : {"", "s0", "s0-s1", "s0:c1", "s0:c1023", "s0:c1,c2", "s0-s0:c0.c1023",
                            "s1:c1.c2,c5,c7.c9"}) {
    EXPECT_EQ(Checked(level, false), "") << level;
  }
  for (const char* level : {"x", "s", "s00", "s0-", "s0-1", "s0:", "s0:c", "s0:c12345", "s0:c1,",
                            "s0:c1.", "s0:c1.c2.c3", "s0:c1 ", " s0", "s0,c1", "c1"}) {
    EXPECT_EQ(Checked(level, false),
              "the format of 'level' \"" + std::string(level) + "\" is not correct");
  }
}

// A label that is asked for and not given would be no protection and look like one.
TEST(SelinuxTest, WithoutContextsALabelIsRefused) {
  EXPECT_TRUE(CheckSelinux(nullptr, true, std::nullopt).ok());
  EXPECT_TRUE(CheckSelinux(nullptr, false, std::nullopt).ok());
  const cri::SELinuxOption empty;
  EXPECT_TRUE(CheckSelinux(&empty, true, std::nullopt).ok());
  cri::SELinuxOption type;
  type.type = "container_t";
  EXPECT_TRUE(CheckSelinux(&type, false, std::nullopt).ok());
  EXPECT_TRUE(CheckSelinux(&type, true, kContexts).ok());
  const auto refused = CheckSelinux(&type, true, std::nullopt);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUnsupported);
}

TEST(SelinuxTest, ContextsAreThePolicys) {
  const image::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  EXPECT_FALSE(FindSelinuxContexts(folder));
  std::filesystem::create_directories(folder + "/targeted/contexts");
  const auto with = [&](const std::string& config, const std::string& contexts) {
    WriteHostFile(folder + "/config", config);
    WriteHostFile(folder + "/targeted/contexts/lxc_contexts", contexts);
    const auto found = FindSelinuxContexts(folder);
    return found ? found->process + ' ' + found->file + ' ' + found->layer : "";
  };
  const std::string good =
      "process = \"u:r:t:s0\"\ncontent = \"u:o:v:s0\"\nfile = \"u:o:f:s0\"\n"
      "ro_file=\"u:o:r:s0\"\n";
  EXPECT_EQ(with("# SELINUXTYPE=mls\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", good),
            "u:r:t:s0 u:o:f:s0 u:o:r:s0");
  EXPECT_EQ(with("SELINUXTYPE = targeted", "file=u:o:f\nprocess=u:r:t"), "u:r:t u:o:f u:o:f");
  EXPECT_EQ(with("SELINUXTYPE=other", good), "");
  EXPECT_EQ(with("SELINUXTYPE=..", good), "");
  EXPECT_EQ(with("SELINUX=disabled", good), "");
  EXPECT_EQ(with("SELINUXTYPE=targeted", "process = \"u:r:t:s0\"\n"), "");
  EXPECT_EQ(with("SELINUXTYPE=targeted", "process = \"t\"\nfile = \"f\"\n"), "");
}

TEST(SelinuxTest, EachPodHasALevelOfItsOwn) {
  std::multiset<std::string, std::less<>> taken;
  for (int i = 0; i < 2000; ++i) {
    const auto pod = PodSelinux(kContexts, nullptr, taken);
    EXPECT_EQ(pod.user + pod.role + pod.type, "system_usystem_rcontainer_t");
    EXPECT_THAT(pod.level, MatchesRegex(kPairs));
    EXPECT_FALSE(taken.contains(pod.level)) << pod.level;
    taken.insert(pod.level);
  }
  cri::SELinuxOption asked;
  asked.level = "s0:c1,c2";
  asked.type = "other_t";
  const auto pod = PodSelinux(kContexts, &asked, taken);
  EXPECT_EQ(pod.level, "s0:c1,c2");
  EXPECT_EQ(pod.type, "other_t");
  // A policy without levels.
  EXPECT_EQ(PodSelinux({"u:r:t", "u:o:f", "u:o:f"}, &asked, taken).level, "");
}

TEST(SelinuxTest, ContainersHaveThePodsLabelOrTheirOwn) {
  cri::SELinuxOption pod;
  pod.user = "system_u";
  pod.role = "system_r";
  pod.type = "pod_t";
  pod.level = "s0:c1,c2";
  const auto labels = [&](const cri::SELinuxOption* own) {
    const SelinuxLabels made = LabelsOf(kContexts, pod, own);
    return made.process + ' ' + made.mount;
  };
  const std::string files = " system_u:object_r:container_file_t:";
  EXPECT_EQ(labels(nullptr), "system_u:system_r:pod_t:s0:c1,c2" + files + "s0:c1,c2");
  cri::SELinuxOption own;
  EXPECT_EQ(labels(&own), labels(nullptr));
  own.type = "own_t";
  EXPECT_EQ(labels(&own), "system_u:system_r:own_t:s0:c1,c2" + files + "s0:c1,c2");
  own = {};
  own.level = "s0:c7";
  EXPECT_EQ(labels(&own), "system_u:system_r:container_t:s0:c7" + files + "s0:c7");
  own = {};
  own.user = "user_u";
  own.role = "user_r";
  EXPECT_EQ(labels(&own),
            "user_u:user_r:container_t:s0:c1,c2"
            " user_u:object_r:container_file_t:s0:c1,c2");
  const auto flat = LabelsOf({"u:r:t", "u:o:f", "u:o:f"},
                             PodSelinux({"u:r:t", "u:o:f", "u:o:f"}, nullptr, {}), nullptr);
  EXPECT_EQ(flat.process + ' ' + flat.mount, "u:r:t u:o:f");
}

TEST(SelinuxTest, WhatIsTheMachinesKeepsItsLabels) {
  for (const char* path : {"/", "/etc", "/usr/", "/home"}) {
    const UniqueFd fd(open(path, O_PATH | O_CLOEXEC));
    const auto done = Relabel(fd.get(), path, "u:o:f:s0");
    ASSERT_FALSE(done.ok()) << path;
    EXPECT_EQ(done.error().message(),
              "SELinux relabeling of " + std::string(path) + " is not allowed");
  }
}

using SelinuxRuntimeTest = EmbeddedTest;

TEST_F(SelinuxRuntimeTest, OptionsOfSandboxesAndContainers) {
  if (MachineHasSelinux()) GTEST_SKIP() << "for machines without SELinux";
  cri::PodSandboxConfig wrong = TestPod("wrong");
  wrong.linux_.ensure().security_context.ensure().selinux_options.ensure().level = "high";
  const auto refused = runtime().RunPodSandbox(wrong, "");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "the format of 'level' \"high\" is not correct");

  const std::string pod = RunPod(TestPod("pod"));
  cri::ContainerConfig config = Shell("c", "true");
  auto& options = config.linux_.ensure().security_context.ensure().selinux_options.ensure();
  options.level = "high";
  EXPECT_EQ(runtime().CreateContainer(pod, config, {}).error().message(),
            "the format of 'level' \"high\" is not correct");
  EXPECT_THAT(runtime().TakeWarnings(), ::testing::Not(Contains(std::string(kNoSelinux))));
  options.level = "s0:c1,c2";
  const auto made = runtime().CreateContainer(pod, config, {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_THAT(runtime().TakeWarnings(), Contains(std::string(kNoSelinux)));
}

// In a virtual machine with the policy of tests/vm/selinux, enforced.
class SelinuxMachineTest : public EmbeddedTest {
 protected:
  void SetUp() override {
    if (!MachineHasSelinux()) GTEST_SKIP() << "no SELinux here";
    EmbeddedTest::SetUp();
  }

  pid_t PidOf(const std::string& container) {
    const auto status = runtime().ContainerStatus(container, true);
    const std::string& info = status->info.at("info");
    return std::stoi(info.substr(info.find("\"pid\":") + 6));
  }
  static std::string ProcessLabel(pid_t pid) {
    const std::string label = ReadHostFile("/proc/" + std::to_string(pid) + "/attr/current");
    return label.c_str();  // without its NUL
  }
  // As the container has it at `path`; links are its own.
  static std::string FileLabel(pid_t pid, const std::string& path) {
    std::array<char, 256> label{};
    const std::string whole = "/proc/" + std::to_string(pid) + "/root" + path;
    if (getxattr(whole.c_str(), shim::kSelinuxAttribute, label.data(), label.size() - 1) < 0) {
      return "errno " + std::to_string(errno);
    }
    return label.data();
  }
  static std::string LevelOf(const std::string& label) {
    return label.substr(label.find(":s0") + 1);
  }
  // Joined log of what runs in a pod that stays.
  std::string Run(const std::string& pod, cri::ContainerConfig config) {
    return LogOf(Wait(Start(pod, config)));
  }
};

cri::Mount Bind(const std::string& from, const std::string& to, bool relabel) {
  cri::Mount mount;
  mount.host_path = from;
  mount.container_path = to;
  mount.selinux_relabel = relabel;
  return mount;
}

TEST_F(SelinuxMachineTest, ProcessesAndFilesHaveThePodsLabel) {
  for (const size_t prepared : {0, 1}) {
    machine_.reset();
    machine_ = std::make_unique<Machine>(MachineOptions{.prepared = prepared});
    const std::string pod = RunPod(TestPod("p"));
    const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
    const pid_t pid = PidOf(id);
    const std::string label = ProcessLabel(pid);
    const std::string level = LevelOf(label);
    EXPECT_THAT(level, MatchesRegex(kPairs));
    EXPECT_EQ(label, "system_u:system_r:container_t:" + level);
    const std::string files = "system_u:object_r:container_file_t:" + level;
    for (const char* path : {"/", "/bin/busybox", "/dev", "/dev/null", "/dev/pts", "/dev/shm",
                             "/dev/mqueue", "/etc/hosts", "/etc/resolv.conf"}) {
      EXPECT_EQ(FileLabel(pid, path), files) << path;
    }
    const auto exec =
        runtime().ExecSync(id, {"/bin/cat", "/proc/self/attr/current"}, std::chrono::seconds(20));
    ASSERT_TRUE(exec.ok()) << exec.error().message();
    EXPECT_EQ(std::string(exec->stdout_.data.c_str()), label);
    const std::string beside = Start(pod, Shell("d", "exec sleep 1000"));
    EXPECT_EQ(ProcessLabel(PidOf(beside)), label);
    const std::string other = RunPod(TestPod("q"));
    const std::string elsewhere = Start(other, Shell("c", "exec sleep 1000"));
    EXPECT_NE(LevelOf(ProcessLabel(PidOf(elsewhere))), level);
  }
}

// Writes to its root and its memory, and reads devices and what is masked.
cri::ContainerConfig Everything() {
  cri::ContainerConfig config =
      Shell("c",
            "echo a >/tmp-file && cat /tmp-file && echo b >/dev/shm/x && cat /dev/shm/x && "
            "echo c >/dev/null && head -c 3 /dev/zero | wc -c && ls /dev/pts >/dev/null && "
            "cat /proc/kcore | wc -c && ls /sys/firmware | wc -l");
  auto& security = *config.linux_->security_context;
  security.masked_paths = {"/proc/kcore", "/sys/firmware"};
  security.no_new_privs = true;
  return config;
}

TEST_F(SelinuxMachineTest, ContainersWorkInsideTheirLabel) {
  EXPECT_EQ(Output(Everything()), "a\nb\n3\n0\n0\n");
}

TEST_F(SelinuxMachineTest, UserNamespaces) {
  if (!MapsOwners()) GTEST_SKIP() << "a kernel before 6.3";
  cri::PodSandboxConfig pod = TestPod("p");
  auto& users = pod.linux_->security_context->namespace_options->userns_options.emplace();
  users.mode = cri::NamespaceMode::kPod;
  users.uids = {{.host_id = 200'000, .container_id = 0, .length = 65'536}};
  users.gids = users.uids;
  cri::ContainerConfig config = Everything();
  config.linux_->security_context->namespace_options->userns_options = users;
  EXPECT_EQ(Run(RunPod(pod), config), "a\nb\n3\n0\n0\n");
}

TEST_F(SelinuxMachineTest, APodsFilesAreItsOwn) {
  const std::string folder = machine_->folder() + "/volume";
  std::filesystem::create_directories(folder + "/deep/er");
  WriteHostFile(folder + "/deep/er/file", "secret");
  std::filesystem::create_symlink("/etc/passwd", folder + "/link");
  const std::string passwd = FileLabel(getpid(), "/etc/passwd");
  const auto reader = [&](const std::string& name, bool relabel) {
    cri::ContainerConfig config = Shell(name, "cat /v/deep/er/file 2>&1");
    config.mounts.push_back(Bind(folder, "/v", relabel));
    return config;
  };
  const std::string pod = RunPod(TestPod("p"));
  const std::string other = RunPod(TestPod("q"));
  EXPECT_THAT(Run(pod, reader("a", false)), HasSubstr("Permission denied"));
  EXPECT_EQ(Run(pod, reader("b", true)), "secret");
  EXPECT_EQ(Run(pod, reader("c", false)), "secret");
  EXPECT_THAT(Run(other, reader("a", false)), HasSubstr("Permission denied"));
  EXPECT_EQ(FileLabel(getpid(), "/etc/passwd"), passwd);
}

TEST_F(SelinuxMachineTest, WhatPodsAndContainersAskFor) {
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->security_context->selinux_options.emplace().level = "s0:c5,c6";
  const std::string pod = RunPod(config);
  const auto label = [&](const std::string& sandbox, const cri::ContainerConfig& container) {
    return ProcessLabel(PidOf(Start(sandbox, container)));
  };
  cri::ContainerConfig container = Shell("a", "exec sleep 1000");
  EXPECT_EQ(label(pod, container), "system_u:system_r:container_t:s0:c5,c6");
  container.metadata->name = "b";
  auto& options = container.linux_->security_context->selinux_options.emplace();
  options.type = "other_t";
  EXPECT_EQ(label(pod, container), "system_u:system_r:other_t:s0:c5,c6");
  container.metadata->name = "c";
  options.level = "s0:c9";
  EXPECT_EQ(label(pod, container), "system_u:system_r:other_t:s0:c9");
  container.metadata->name = "d";
  options.type = "no_such_t";
  EXPECT_THAT(Refusal(container), HasSubstr("no_such_t"));
  cri::PodSandboxConfig privileged = TestPod("privileged");
  privileged.linux_->security_context->privileged = true;
  cri::ContainerConfig all = Shell("a", "exec sleep 1000");
  all.linux_->security_context->privileged = true;
  EXPECT_EQ(label(RunPod(privileged), all), ProcessLabel(getpid()));
  cri::PodSandboxConfig of_host = TestPod("host");
  of_host.linux_->security_context->namespace_options->ipc = cri::NamespaceMode::kNode;
  EXPECT_EQ(label(RunPod(of_host), Shell("a", "exec sleep 1000")), ProcessLabel(getpid()));
}

TEST_F(SelinuxMachineTest, ALevelOutlivesTheAgent) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
  const std::string label = ProcessLabel(PidOf(id));
  machine_->Restart();
  const auto exec =
      runtime().ExecSync(id, {"/bin/cat", "/proc/self/attr/current"}, std::chrono::seconds(20));
  ASSERT_TRUE(exec.ok()) << exec.error().message();
  EXPECT_EQ(std::string(exec->stdout_.data.c_str()), label);
  EXPECT_EQ(ProcessLabel(PidOf(Start(pod, Shell("d", "exec sleep 1000")))), label);
}

TEST_F(SelinuxMachineTest, ImagesAsVolumes) {
  cri::ContainerConfig config = Shell("c", "ls /image/bin/busybox && touch /image/x 2>&1");
  cri::Mount mount;
  mount.container_path = "/image";
  mount.image.emplace().image = "busybox";
  mount.readonly = true;
  config.mounts.push_back(mount);
  EXPECT_THAT(Output(config), ::testing::StartsWith("/image/bin/busybox\n"));
  machine_->AddImage("volume:1", R"("Volumes":{"/data":{}})");
  cri::ContainerConfig own = Shell("d", "echo x >/data/x && cat /data/x");
  own.image->image = "volume:1";
  EXPECT_EQ(Output("q", own), "x\n");
}

}  // namespace
}  // namespace podium::runtime
