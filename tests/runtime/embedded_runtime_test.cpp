// What a container is, seen from inside, and what the runtime does when things go wrong.
#include "runtime/embedded_runtime.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "base/trace.h"
#include "embedded_harness.h"
#include "image/tar_builder.h"
#include "linux/path.h"
#include "support/long_form.h"

namespace podium::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

MakeHarness WithPrepared(size_t prepared) {
  return [prepared](std::string* skip) -> std::unique_ptr<ContractHarness> {
    *skip = EnterTestWorld();
    if (!skip->empty()) return nullptr;
    return std::make_unique<EmbeddedHarness>(prepared);
  };
}

INSTANTIATE_TEST_SUITE_P(Embedded, RuntimeContract,
                         ::testing::Values(ContractParameter{"FromNothing", WithPrepared(0)},
                                           ContractParameter{"Prepared", WithPrepared(2)}),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(EmbeddedTest, ArgumentsAndEnvironmentAreThoseOfKubernetes) {
  machine_->AddImage("words:1", R"("Entrypoint":["/bin/echo","entry"],"Cmd":["cmd"],
                                   "Env":["A=image","B=image"],"WorkingDir":"/tmp")");
  cri::ContainerConfig config = Shell("c", "");
  config.image->image = "words:1";
  config.command.clear();
  EXPECT_EQ(Output(config), "entry cmd\n");
  config.args = {"args"};
  EXPECT_EQ(Output(config), "entry args\n");
  config.command = {"/bin/echo", "command"};
  EXPECT_EQ(Output(config), "command args\n");
  config.args.clear();
  EXPECT_EQ(Output(config), "command\n");

  config.command = {"/bin/sh", "-c", "echo $A $B $C $HOSTNAME $HOME; pwd"};
  config.envs = {{"B", {"config"}}, {"C", {"config"}}};
  EXPECT_EQ(Output(config), "image config config p /root\n/tmp\n");
  config.working_dir = "/made/here";
  EXPECT_THAT(Output(config), HasSubstr("/made/here\n"));
}

// A container without the devices that it asks for would be another one.
TEST_F(EmbeddedTest, CdiDevicesAreRefused) {
  cri::ContainerConfig named = Shell("c", "true");
  named.CDI_devices.emplace_back().name = "vendor.com/gpu=0";
  EXPECT_EQ(Refusal(named), "CDI devices are not supported");
  cri::ContainerConfig annotated = Shell("c", "true");
  annotated.annotations["cdi.k8s.io/plugin"] = "vendor.com/gpu=0";
  EXPECT_EQ(Refusal(annotated), "CDI devices are not supported");
}

TEST_F(EmbeddedTest, UsersAreLookedUpInTheImage) {
  cri::ContainerConfig config = Shell("c", "id -u; id -g; id -G; echo $HOME");
  auto& security = *config.linux_->security_context;
  security.run_as_user = cri::Int64Value{1000};
  EXPECT_EQ(Output(config), "1000\n1001\n1001 8 29\n/home/web\n");
  security.run_as_group = cri::Int64Value{5};
  security.supplemental_groups = {77};
  EXPECT_EQ(Output(config), "1000\n5\n5 8 29 77\n/home/web\n");
  security.supplemental_groups_policy = cri::SupplementalGroupsPolicy::kStrict;
  EXPECT_EQ(Output(config), "1000\n5\n5 77\n/home/web\n");
  security = {};
  security.run_as_username = "web";
  EXPECT_THAT(Output(config), StartsWith("1000\n1001\n"));
  machine_->AddImage("user:1", R"("User":"web:mail")");
  config = Shell("c", "id -u; id -g");
  config.image->image = "user:1";
  EXPECT_EQ(Output(config), "1000\n8\n");
}

TEST_F(EmbeddedTest, ContainersOfAPodShareWhatTheyShould) {
  const std::string pod = RunPod(TestPod("shared"));
  const std::string script =
      "for n in net ipc uts pid mnt cgroup; do readlink /proc/self/ns/$n; done; hostname; "
      "cat /etc/hostname; exec sleep 1000";
  // Both run: what a container that has ended leaves is used again.
  const auto seen = [&](const std::string& name) {
    const std::string id = Start(pod, Shell(name, script));
    std::string text;
    for (int i = 0; i < 500 && std::ranges::count(text, '\n') < 8; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      text = LogOf(*runtime().ContainerStatus(id, false)->status);
    }
    return text;
  };
  const std::string a = seen("a");
  const std::string b = seen("b");
  const auto lines = [](const std::string& text) {
    std::vector<std::string> list;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) list.push_back(line);
    return list;
  };
  const auto of_a = lines(a);
  const auto of_b = lines(b);
  ASSERT_EQ(of_a.size(), 8U);
  ASSERT_EQ(of_b.size(), 8U);
  for (const size_t shared : {0, 1, 2}) EXPECT_EQ(of_a[shared], of_b[shared]);
  for (const size_t own : {3, 4}) EXPECT_NE(of_a[own], of_b[own]);
  EXPECT_EQ(of_a[6], "shared");
  EXPECT_EQ(of_a[7], "shared");
}

TEST_F(EmbeddedTest, SharedPidNamespace) {
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  const std::string pod = RunPod(config);
  cri::ContainerConfig first = Shell("first", "exec sleep 1000");
  cri::ContainerConfig second = Shell("second", "ps -o pid,args");
  for (auto* container : {&first, &second}) {
    container->linux_->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  }
  Start(pod, first);
  const std::string seen = LogOf(Wait(Start(pod, second)));
  EXPECT_THAT(seen, AllOf(HasSubstr("pause"), HasSubstr("sleep 1000")));
}

TEST_F(EmbeddedTest, MountsVolumesAndSources) {
  const std::string host = machine_->folder() + "/volume";
  ASSERT_TRUE(kernel::MakeFolders(host + "/sub", 0755).ok());
  WriteHostFile(host + "/sub/file", "of the volume");
  cri::ContainerConfig config =
      Shell("c",
            "cat /data/sub/file; cat /only/file; touch /data/new && echo made; "
            "touch /only/new || echo refused");
  cri::Mount whole;
  whole.container_path = "/data";
  whole.host_path = host;
  cri::Mount sub;
  sub.container_path = "/only";
  sub.host_path = "/nowhere/at/all";
  sub.readonly = true;
  config.mounts = {whole, sub};
  std::vector<MountSource> sources;
  sources.push_back({.index = 1, .fd = *kernel::OpenPath(host + "/sub", O_PATH)});
  const std::string pod = RunPod(TestPod("p"));
  const std::string text = LogOf(Wait(Start(pod, config, std::move(sources))));
  EXPECT_THAT(text, AllOf(HasSubstr("of the volumeof the volume"), HasSubstr("made"),
                          HasSubstr("refused")));
  EXPECT_EQ(access((host + "/new").c_str(), F_OK), 0);
  EXPECT_NE(access("/nowhere", F_OK), 0);
}

TEST_F(EmbeddedTest, APodsFilesAreInAVolumeAboveThemToo) {
  cri::ContainerConfig config = Shell("c", "cat /etc/hostname /etc/mine; ls -A /etc");
  const std::string folder = machine_->folder() + "/volume";
  std::filesystem::create_directories(folder);
  WriteHostFile(folder + "/mine", "mine\n");
  cri::Mount volume;
  volume.container_path = "/etc";
  volume.host_path = folder;
  config.mounts = {volume};
  EXPECT_EQ(Output("web-0", config), "web-0\nmine\nhostname\nhosts\nmine\nresolv.conf\n");
}

TEST_F(EmbeddedTest, ImageVolumesAreCopiedAndImagesMounted) {
  image::TarBuilder tar;
  tar.Folder("cache").File("cache/warm", "from the image");
  machine_->AddImage("volume:1", R"("Volumes":{"/cache":{},"/empty":{}})", tar.Finish());
  cri::ContainerConfig config =
      Shell("c",
            "cat /cache/warm; echo changed > /cache/warm; grep -c ' /cache ' /proc/mounts; "
            "cat /other/cache/warm; touch /other/x 2>/dev/null || echo read-only");
  config.image->image = "volume:1";
  cri::Mount image;
  image.container_path = "/other";
  image.image.emplace().image = "volume:1";
  config.mounts = {image};
  const std::string once = Output(config);
  EXPECT_THAT(once, AllOf(HasSubstr("from the image1\nfrom the image"), HasSubstr("read-only")));
  EXPECT_EQ(Output("again", config), once);
}

// What the disk or a person did to them is mended before they are used, not after a failure.
TEST_F(EmbeddedTest, LayersThatWereLostAreUnpackedAgain) {
  image::TarBuilder tar;
  tar.Folder("more").File("more/file", "all there");
  machine_->AddImage("more:1", "", tar.Finish());
  cri::ContainerConfig config = Shell("c", "cat /more/file /other/more/file");
  config.image->image = "more:1";
  cri::Mount image;
  image.container_path = "/other";
  image.image.emplace().image = "more:1";
  config.mounts = {image};
  const auto layers = machine_->images().Resolve("more:1")->layers;
  const std::string& last = layers.back();
  for (const std::string& lost : {last + "/more", last.substr(0, last.rfind('/')),
                                  layers.front().substr(0, layers.front().rfind('/'))}) {
    std::filesystem::remove_all(lost);
    EXPECT_EQ(Output("pod" + std::to_string(lost.size()), config), "all thereall there") << lost;
  }
}

TEST_F(EmbeddedTest, ReadOnlyRootAndMaskedPaths) {
  cri::ContainerConfig config =
      Shell("c",
            "touch /x || echo root; touch /dev/x && echo dev; "
            "touch /proc/sys/kernel/domainname 2>/dev/null; echo h > /proc/sys/kernel/domainname "
            "|| echo proc; wc -c < /proc/kcore; ls /proc/scsi | wc -l");
  auto& security = *config.linux_->security_context;
  security.readonly_rootfs = true;
  security.readonly_paths = {"/proc/sys", "/proc/nothing"};
  security.masked_paths = {"/proc/kcore", "/proc/scsi", "/sys/firmware"};
  const std::string text = Output(config);
  EXPECT_THAT(text, AllOf(HasSubstr("root\n"), HasSubstr("dev\n"), HasSubstr("proc\n"),
                          HasSubstr("\n0\n")));
}

TEST_F(EmbeddedTest, CgroupsAreMountedOnceAndReadOnly) {
  const std::string text = Output(Shell("c",
                                        "cat /proc/self/mountinfo; mkdir /sys/fs/cgroup/x || echo "
                                        "refused; for i in /sys/fs/cgroup/*; do mkdir $i/x && echo "
                                        "made; done"));
  EXPECT_THAT(text, HasSubstr("refused\n"));
  EXPECT_EQ(text.find("made\n"), std::string::npos) << text;
  std::istringstream lines(text);
  std::string line;
  std::set<std::string> seen;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string skipped;
    std::string place;
    std::string attributes;
    words >> skipped >> skipped >> skipped >> skipped >> place >> attributes;
    if (!place.starts_with("/sys/fs/cgroup")) continue;
    EXPECT_TRUE(seen.insert(place).second) << line;
    EXPECT_THAT(attributes, StartsWith("ro,")) << line;
  }
  EXPECT_TRUE(seen.contains("/sys/fs/cgroup"));
}

TEST_F(EmbeddedTest, PlacesToMountOnAreInNobodysLayer) {
  const std::string id = Start(RunPod(TestPod("p")), Shell("c", "while true; do sleep 0.05; done"));
  const std::string upper = machine_->instance().data_dir + "/containers/" + id + "/upper";
  EXPECT_TRUE(std::filesystem::is_empty(upper));
  const auto text = runtime().ExecSync(
      id, {"/bin/sh", "-c", "cat /etc/hostname; echo mine > /etc/mine; ls -A /etc"}, seconds(20));
  ASSERT_TRUE(text.ok()) << text.error().message();
  EXPECT_THAT(text->stdout_.data,
              AllOf(StartsWith("p\n"), HasSubstr("mine\n"), HasSubstr("resolv.conf\n")));
  EXPECT_EQ(ReadHostFile(upper + "/etc/mine"), "mine\n");
  EXPECT_EQ(ReadHostFile(machine_->instance().data_dir + "/places/etc/hostname"), "");
}

TEST_F(EmbeddedTest, PrivilegedHasAll) {
  cri::ContainerConfig config =
      Shell("c",
            "grep CapEff /proc/self/status; ls /dev | wc -l; touch /sys/fs/cgroup && echo rw; "
            "grep -c ' /sys sysfs rw' /proc/mounts; ls /proc/kcore");
  config.linux_->security_context->masked_paths = {"/proc/kcore"};
  const std::string plain = Output(config);
  config.linux_->security_context->privileged = true;
  const std::string privileged = Output(config);
  const auto capabilities = [](const std::string& text) {
    return std::stoull(text.substr(text.find('\t') + 1), nullptr, 16);
  };
  EXPECT_EQ(capabilities(plain), 0xa80425fbU);
  EXPECT_GT(capabilities(privileged), 0xa80425fbU);
  EXPECT_THAT(plain, AllOf(::testing::Not(HasSubstr("rw\n")), HasSubstr("\n0\n")));
  EXPECT_THAT(privileged, AllOf(HasSubstr("rw\n1\n"), HasSubstr("/proc/kcore")));
}

TEST_F(EmbeddedTest, DevicesAsConfigured) {
  cri::ContainerConfig config =
      Shell("c", "stat -c %F /dev/mine; head -c 1 /dev/mine > /dev/null && echo read");
  config.devices = {{.container_path = "/dev/mine", .host_path = "/dev/zero", .permissions = "r"}};
  EXPECT_EQ(Output(config), "character special file\nread\n");
  config.devices[0].host_path = "/etc/passwd";
  EXPECT_THAT(Refusal(config), HasSubstr("not a device node"));
  config.devices[0] = {.container_path = "/dev/mine", .host_path = "/dev/zero", .permissions = "x"};
  EXPECT_THAT(Refusal(config), HasSubstr("permissions"));
}

TEST_F(EmbeddedTest, ExecRunsWhereTheContainerRuns) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "echo here > /tmp/mark; exec sleep 1000");
  config.linux_->security_context->run_as_user = cri::Int64Value{1000};
  config.envs = {{"WORD", {"hello"}}};
  const std::string id = Start(pod, config);
  auto result = runtime().ExecSync(
      id, {"/bin/sh", "-c", "cat /tmp/mark; echo $WORD; id -u; echo bad >&2; exit 5"}, seconds(10));
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->stdout_.data, "here\nhello\n1000\n");
  EXPECT_EQ(result->stderr_.data, "bad\n");
  EXPECT_EQ(result->exit_code, 5);

  const auto begin = std::chrono::steady_clock::now();
  result = runtime().ExecSync(id, {"/bin/sleep", "100"}, seconds(1));
  EXPECT_EQ(result.error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_FALSE(runtime().ExecSync(id, {"/nothing"}, seconds(1)).ok());

  cri::ExecRequest request;
  request.container_id = id;
  request.cmd = {"/bin/cat"};
  request.stdin_ = request.stdout_ = true;
  const auto session = runtime().Exec(request, {});
  ASSERT_TRUE(session.ok()) << session.error().message();
  EXPECT_EQ((*session)->Wait(milliseconds(10)).error().code(), Code::kDeadlineExceeded);
  ASSERT_TRUE(kernel::WriteAll((*session)->stdin_fd(), "through cat").ok());
  (*session)->CloseStdin();
  EXPECT_EQ(*kernel::ReadDescriptor((*session)->stdout_fd(), 100), "through cat");
  EXPECT_EQ(*(*session)->Wait(milliseconds(5000)), 0);
}

TEST_F(EmbeddedTest, TerminalsAreResized) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
  cri::ExecRequest request;
  request.container_id = id;
  request.cmd = {"/bin/sh", "-c", "read line; stty size"};
  request.tty = request.stdin_ = request.stdout_ = true;
  const auto session = runtime().Exec(request, {});
  ASSERT_TRUE(session.ok()) << session.error().message();
  ASSERT_TRUE((*session)->Resize(123, 45).ok());
  ASSERT_TRUE(kernel::WriteAll((*session)->stdin_fd(), "go\n").ok());
  EXPECT_EQ(*(*session)->Wait(milliseconds(5000)), 0);
  std::string text;
  char piece[256];
  // A terminal gives line by line, and an error at its end.
  for (ssize_t size = 0; (size = read((*session)->stdout_fd(), piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<size_t>(size));
  }
  EXPECT_THAT(text, HasSubstr("45 123"));
}

TEST_F(EmbeddedTest, AttachSeesAndFeeds) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "read line; echo got $line; exec cat");
  config.stdin_ = config.stdin_once = true;
  const std::string id = Start(pod, config);
  cri::AttachRequest request;
  request.container_id = id;
  request.stdin_ = request.stdout_ = true;
  const auto session = runtime().Attach(request);
  ASSERT_TRUE(session.ok()) << session.error().message();
  ASSERT_TRUE(kernel::WriteAll((*session)->stdin_fd(), "one\ntwo\n").ok());
  (*session)->CloseStdin();
  EXPECT_EQ(*kernel::ReadDescriptor((*session)->stdout_fd(), 100), "got one\ntwo\n");
  EXPECT_EQ(*(*session)->Wait(milliseconds(5000)), 0);
  EXPECT_EQ(LogOf(Wait(id)), "got one\ntwo\n");
}

TEST_F(EmbeddedTest, PortForwardReachesLocalhostOfThePod) {
  const std::string pod = RunPod(TestPod("p"));
  Start(pod, Shell("c", "echo answer | nc -l -p 8080"));
  Result<UniqueFd> socket = Error(Code::kUnavailable, "");
  for (int i = 0; i < 200 && !socket.ok(); ++i) {
    socket = runtime().PortForward(pod, 8080);
    if (!socket.ok()) std::this_thread::sleep_for(milliseconds(10));
  }
  ASSERT_TRUE(socket.ok()) << socket.error().message();
  char text[16] = {};
  EXPECT_EQ(read(socket->get(), text, sizeof text), 7);
  EXPECT_STREQ(text, "answer\n");
  EXPECT_FALSE(runtime().PortForward(pod, 9).ok());
}

TEST_F(EmbeddedTest, OutOfMemoryIsSaid) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "x=$(yes | head -c 200000000); echo survived");
  config.linux_->resources.emplace().memory_limit_in_bytes = int64_t{16} << 20;
  const cri::ContainerStatus status = Wait(Start(pod, config));
  EXPECT_EQ(status.reason, "OOMKilled");
  EXPECT_EQ(LogOf(status).find("survived"), std::string::npos);
}

TEST_F(EmbeddedTest, StatsAndUpdates) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c",
                                      "dd if=/dev/zero of=/file bs=1024 count=2000; "
                                      "while true; do :; done");
  config.linux_->resources.emplace().memory_limit_in_bytes = int64_t{64} << 20;
  const std::string id = Start(pod, config);
  std::this_thread::sleep_for(milliseconds(300));
  const auto stats = runtime().ContainerStats(id);
  ASSERT_TRUE(stats.ok());
  EXPECT_GT(stats->cpu->usage_core_nano_seconds->value, 1'000'000U);
  EXPECT_GT(stats->memory->working_set_bytes->value, 0U);
  EXPECT_GT(stats->writable_layer->used_bytes->value, 2'000'000U);
  const auto of_pod = runtime().PodSandboxStats(pod);
  ASSERT_TRUE(of_pod.ok());
  ASSERT_EQ(of_pod->linux_->containers.size(), 1U);
  EXPECT_GE(of_pod->linux_->cpu->usage_core_nano_seconds->value, 1'000'000U);
  cri::LinuxContainerResources more;
  more.memory_limit_in_bytes = int64_t{128} << 20;
  ASSERT_TRUE(runtime().UpdateContainerResources(id, more).ok());
  const auto used = machine_->cgroups().Stats("pods/" + pod + "/" + id);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(used->memory->limit, uint64_t{128} << 20);
  EXPECT_EQ(runtime().ContainerStatus(id, false)->status->resources->linux_->memory_limit_in_bytes,
            int64_t{128} << 20);
}

TEST_F(EmbeddedTest, UsageOfPods) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "while true; do :; done");
  config.linux_->resources.emplace().memory_limit_in_bytes = int64_t{64} << 20;
  config.linux_->resources->cpu_quota = 50000;
  config.linux_->resources->cpu_period = 100000;
  const std::string id = Start(pod, config);
  EXPECT_EQ(Wait(Start(pod, Shell("ended", "exit 0"))).exit_code, 0);
  std::this_thread::sleep_for(milliseconds(300));

  const auto pods = runtime().PodsUsage(kernel::CgroupDetail::kAll);
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(pods[0].sandbox_id, pod);
  EXPECT_EQ(pods[0].metadata.name, "p");
  const std::string root = "/" + machine_->instance().cgroup_root;
  EXPECT_EQ(pods[0].cgroup, root + "/pods/" + pod);
  EXPECT_EQ(pods[0].interface.empty(), !pods[0].network.has_value());
  ASSERT_EQ(pods[0].containers.size(), 1U) << "what has ended uses nothing";
  const ContainerUsage& container = pods[0].containers[0];
  EXPECT_EQ(container.id, id);
  EXPECT_EQ(container.name, "c");
  EXPECT_EQ(container.image, config.image->image);
  EXPECT_EQ(container.cgroup, root + "/pods/" + pod + "/" + id);
  EXPECT_GE(container.read_at, container.started_at + 250'000'000);
  // What it used is between what was read before and what is read after.
  const auto after = machine_->cgroups().Stats("pods/" + pod + "/" + id);
  EXPECT_GT(container.used.cpu->usage_ns, 1'000'000U);
  EXPECT_LE(container.used.cpu->usage_ns, after->cpu->usage_ns);
  EXPECT_EQ(container.used.cpu->quota_us, 50000U);
  EXPECT_EQ(container.used.cpu->period_us, 100000U);
  EXPECT_EQ(container.used.memory->limit, uint64_t{64} << 20);
  EXPECT_EQ(container.used.processes, 1U);
  EXPECT_GE(pods[0].used.memory->usage, container.used.memory->working_set);
  EXPECT_GE(pods[0].read_at, container.read_at) << "the whole after its parts";

  // Nobody asked for the rest.
  const auto use = runtime().PodsUsage(kernel::CgroupDetail::kUse);
  ASSERT_EQ(use.size(), 1U);
  EXPECT_GE(use[0].containers.at(0).used.cpu->usage_ns, container.used.cpu->usage_ns);
  EXPECT_FALSE(use[0].used.pids);
  EXPECT_FALSE(use[0].network);

  // Shims are in no pod's cgroup.
  const auto own = runtime().CgroupUsage(kRuntimeCgroup, kernel::CgroupDetail::kAll);
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->cgroup, root + "/shims");
  EXPECT_GE(own->used.processes.value_or(0), 2U);
  EXPECT_EQ(runtime().CgroupUsage("none", kernel::CgroupDetail::kUse).error().code(),
            Code::kNotFound);
  ASSERT_TRUE(runtime().StopPodSandbox(pod).ok());
  EXPECT_TRUE(runtime().PodsUsage(kernel::CgroupDetail::kUse).empty());
}

TEST_F(EmbeddedTest, StopSignalOfConfigurationThenImage) {
  machine_->AddImage("stop:1", R"("StopSignal":"SIGUSR1")");
  const std::string script =
      "trap 'exit 41' USR1; trap 'exit 42' USR2; trap 'exit 43' TERM; echo up; "
      "while true; do sleep 0.02; done";
  const std::string pod = RunPod(TestPod("p"));
  const auto code = [&](cri::ContainerConfig config) {
    const std::string id = Start(pod, config);
    const std::string log = runtime().ContainerStatus(id, false)->status->log_path;
    for (int i = 0; i < 500 && ReadHostFile(log).empty(); ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_TRUE(runtime().StopContainer(id, seconds(10)).ok());
    return Wait(id).exit_code;
  };
  cri::ContainerConfig config = Shell("term", script);
  EXPECT_EQ(code(config), 43);
  config = Shell("image", script);
  config.image->image = "stop:1";
  EXPECT_EQ(code(config), 41);
  config.metadata->name = "config";
  config.log_path = "config.log";
  config.stop_signal = cri::Signal::kSigusr2;
  EXPECT_EQ(code(config), 42);
}

TEST_F(EmbeddedTest, UserNamespacesMapTheRoot) {
  if (!MapsOwners()) GTEST_SKIP() << "a kernel before 6.3";
  cri::PodSandboxConfig config = TestPod("p");
  auto& users = config.linux_->security_context->namespace_options->userns_options.emplace();
  users.mode = cri::NamespaceMode::kPod;
  users.uids = {{.host_id = 200000, .container_id = 0, .length = 65536}};
  users.gids = users.uids;
  const std::string pod = RunPod(config);
  const std::string host = machine_->folder() + "/volume";
  ASSERT_TRUE(kernel::MakeFolders(host, 0755).ok());
  cri::ContainerConfig container =
      Shell("c",
            "id -u; cat /proc/self/uid_map; stat -c %u /bin/sh /etc/passwd /etc/hostname; "
            "touch /mine /data/file && stat -c %u /mine /data/file; ls -l /dev/null");
  cri::Mount mount;
  mount.container_path = "/data";
  mount.host_path = host;
  mount.uidMappings = users.uids;
  mount.gidMappings = users.gids;
  container.mounts = {mount};
  const cri::ContainerStatus status = Wait(Start(pod, container));
  const std::string text = LogOf(status);
  EXPECT_EQ(status.exit_code, 0) << text;
  EXPECT_THAT(text, StartsWith("0\n"));
  EXPECT_THAT(text, AllOf(HasSubstr("200000"), HasSubstr("\n0\n0\n0\n0\n0\n")));
  struct stat owner{};
  ASSERT_EQ(stat((host + "/file").c_str(), &owner), 0);
  EXPECT_EQ(owner.st_uid, 0U);
}

TEST_F(EmbeddedTest, HostNamespaces) {
  cri::PodSandboxConfig config = TestPod("p");
  auto& options = *config.linux_->security_context->namespace_options;
  options.network = options.ipc = options.pid = cri::NamespaceMode::kNode;
  const std::string pod = RunPod(config);
  cri::ContainerConfig container =
      Shell("c", "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done");
  *container.linux_->security_context->namespace_options = options;
  const std::string text = LogOf(Wait(Start(pod, container)));
  for (const char* kind : {"net", "ipc", "uts", "pid"}) {
    char link[64] = {};
    ASSERT_GT(readlink((std::string("/proc/self/ns/") + kind).c_str(), link, sizeof link - 1), 0);
    EXPECT_THAT(text, HasSubstr(link));
  }
  EXPECT_THAT(runtime().PodSandboxStatus(pod, false)->status->network->ip, IsEmpty());
}

TEST_F(EmbeddedTest, SysctlsAndDns) {
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->sysctls["net.ipv4.ip_unprivileged_port_start"] = "77";
  config.linux_->sysctls["kernel.shm_rmid_forced"] = "1";
  auto& dns = config.dns_config.emplace();
  dns.servers = {"10.0.0.10"};
  dns.searches = {"a.b", "c"};
  dns.options = {"ndots:5"};
  const std::string pod = RunPod(config);
  const std::string text = LogOf(
      Wait(Start(pod, Shell("c",
                            "cat /proc/sys/net/ipv4/ip_unprivileged_port_start "
                            "/proc/sys/kernel/shm_rmid_forced /etc/resolv.conf; df -k /dev/shm"))));
  EXPECT_THAT(text, StartsWith("77\n1\nsearch a.b c\nnameserver 10.0.0.10\noptions ndots:5\n"));
  EXPECT_THAT(text, HasSubstr("65536"));
}

TEST_F(EmbeddedTest, InfraAndShimEndThePod) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
  const auto info = runtime().PodSandboxStatus(pod, true)->info.at("info");
  const pid_t infra = std::stoi(info.substr(info.find("\"pid\":") + 6));
  ASSERT_EQ(kill(infra, SIGKILL), 0);
  EXPECT_EQ(Wait(id).exit_code, 137);
  for (int i = 0; i < 500; ++i) {
    if (runtime().PodSandboxStatus(pod, false)->status->state ==
        cri::PodSandboxState::kSandboxNotready) {
      break;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(runtime().PodSandboxStatus(pod, false)->status->state,
            cri::PodSandboxState::kSandboxNotready);
}

TEST_F(EmbeddedTest, ASessionOutlivesItsPod) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "exec sleep 1000");
  config.stdin_ = config.stdin_once = true;
  cri::AttachRequest request;
  request.container_id = Start(pod, config);
  request.stdin_ = true;
  const auto session = runtime().Attach(request);
  ASSERT_TRUE(session.ok()) << session.error().message();
  ASSERT_TRUE(runtime().RemovePodSandbox(pod).ok());
  (*session)->CloseStdin();
  EXPECT_EQ((*session)->Wait(seconds(10)).value(), 137);
}

// The shim is ended while the one who asked it for a kill is still being answered.
TEST_F(EmbeddedTest, AStopAndARemovalMeet) {
  const int rounds = testing::IsLongForm() ? 200 : 20;
  for (int i = 0; i < rounds; ++i) {
    const std::string pod = RunPod(TestPod("p" + std::to_string(i)));
    const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
    std::thread stop([&] { EXPECT_TRUE(runtime().StopContainer(id, seconds(0)).ok()); });
    Wait(id);
    EXPECT_TRUE(runtime().RemovePodSandbox(pod).ok());
    stop.join();
  }
}

TEST_F(EmbeddedTest, ARestartFindsEverything) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string runs =
      Start(pod, Shell("runs", "echo one; sleep 1; echo two; exec sleep 1000"));
  const std::string ends = Start(pod, Shell("ends", "sleep 0.2; exit 7"));
  const std::string ended = Start(pod, Shell("ended", "exit 3"));
  Wait(ended);
  const std::string created = *runtime().CreateContainer(pod, Shell("created", ""), {});
  const std::string stopped = RunPod(TestPod("q"));
  ASSERT_TRUE(runtime().StopPodSandbox(stopped).ok());
  const auto address = runtime().PodSandboxStatus(pod, false)->status->network->ip;

  const Recovery recovery = machine_->Restart();
  EXPECT_THAT(recovery.ready, ElementsAre(pod));
  EXPECT_THAT(recovery.not_ready, ElementsAre(stopped));
  EXPECT_THAT(recovery.undone, ElementsAre(created));
  EXPECT_THAT(recovery.problems, IsEmpty());
  EXPECT_EQ(runtime().PodSandboxStatus(pod, false)->status->network->ip, address);
  EXPECT_EQ(Wait(ends).exit_code, 7);
  EXPECT_EQ(Wait(ended).exit_code, 3);
  EXPECT_EQ(runtime().ContainerStatus(runs, false)->status->state,
            cri::ContainerState::kContainerRunning);
  const auto result = runtime().ExecSync(runs, {"/bin/echo", "alive"}, seconds(10));
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->stdout_.data, "alive\n");
  std::this_thread::sleep_for(milliseconds(1100));
  EXPECT_EQ(LogOf(*runtime().ContainerStatus(runs, false)->status), "one\ntwo\n");
  ASSERT_TRUE(runtime().StopContainer(runs, seconds(0)).ok());
  EXPECT_EQ(Wait(runs).exit_code, 137);
  Start(pod, Shell("created", "exit 0"));
}

TEST_F(EmbeddedTest, WhatFailsLeavesNothing) {
  machine_->network().book().FailNext("Setup", Error(Code::kResourceExhausted, "no address"));
  const auto failed = runtime().RunPodSandbox(TestPod("p"), "");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(*runtime().ListPodSandbox({}), IsEmpty());
  EXPECT_THAT(machine_->network().book().LiveIds(), IsEmpty());
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig config = Shell("c", "");
  config.image->image = "no-such-image";
  EXPECT_EQ(runtime().CreateContainer(pod, config, {}).error().code(), Code::kNotFound);
  const auto layers = kernel::OpenPath(machine_->instance().data_dir + "/containers", O_RDONLY);
  EXPECT_THAT(*kernel::ListFolder(layers->get()), IsEmpty());
  EXPECT_THAT(Refusal([] {
                cri::ContainerConfig missing = Shell("x", "");
                missing.command = {"nothing-like-that"};
                return missing;
              }()),
              HasSubstr("exec: \"nothing-like-that\": executable file not found in $PATH"));
}

TEST_F(EmbeddedTest, TraceNamesTheSteps) {
  Trace trace;
  {
    const TraceScope scope(&trace);
    const std::string pod = RunPod(TestPod("p"));
    Start(pod, Shell("c", "true"));
  }
  std::vector<std::string> steps;
  for (const TraceStep& step : trace.steps()) {
    steps.push_back(std::string(step.depth, ' ') + step.name);
  }
  EXPECT_THAT(steps, ::testing::IsSupersetOf({"RunPodSandbox", " shim and infra", " network",
                                              "CreateContainer", " root file system",
                                              "StartContainer", " container stage, exec"}));
}

}  // namespace
}  // namespace podium::runtime
