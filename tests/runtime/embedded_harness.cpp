#include "embedded_harness.h"

#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "image/image_builder.h"
#include "image/tar_builder.h"
#include "linux/namespaces.h"
#include "linux/path.h"

namespace podium::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kWorld = "/mnt";
constexpr const char* kBusybox = "/usr/bin/busybox";
constexpr const char* kApplets[] = {
    "sh",       "cat",   "echo", "env",   "id", "sleep", "ls",    "mount",    "true",
    "false",    "kill",  "stat", "touch", "ps", "head",  "mkdir", "hostname", "nc",
    "wc",       "dd",    "tail", "grep",  "ln", "mv",    "rm",    "yes",      "unshare",
    "readlink", "chmod", "su",   "sort",  "df", "pwd",   "stty"};

std::string BusyboxLayer() {
  image::TarBuilder tar;
  for (const char* folder : {"bin", "etc", "proc", "sys", "dev", "tmp", "root", "var", "home"}) {
    tar.Folder(folder, std::string(folder) == "tmp" ? 01777 : 0755);
  }
  tar.File("bin/busybox", ReadHostFile(kBusybox), 0755);
  for (const char* applet : kApplets) tar.Symlink(std::string("bin/") + applet, "busybox");
  tar.File("etc/passwd",
           "root:x:0:0:root:/root:/bin/sh\n"
           "web:x:1000:1001:web:/home/web:/bin/sh\n"
           "nobody:x:65534:65534:nobody:/:/bin/false\n");
  tar.File("etc/group", "root:x:0:\nweb:x:1001:\nmail:x:8:web\naudio:x:29:web,root\n");
  return tar.Finish();
}

void BringLoopbackUp() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  EXPECT_EQ(ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
}

// Children of this process, those it has adopted too; it waits for those that are on their way out.
std::string LeftProcesses() {
  for (int i = 0; i < 500; ++i) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return "";
    std::this_thread::sleep_for(milliseconds(10));
  }
  std::string left;
  const auto entries = kernel::ListFolder(kernel::OpenPath("/proc", O_RDONLY)->get());
  for (const std::string& name : *entries) {
    const std::string status = ReadHostFile("/proc/" + name + "/status");
    if (status.find("\nPPid:\t" + std::to_string(getpid()) + "\n") == std::string::npos) continue;
    left += status.substr(0, status.find('\n')) + ' ' + name + "; ";
  }
  return left;
}

// Those of the test's world. Others that were there when it began go when somebody outside removes
// the folder that they are on.
size_t MountCount() {
  std::istringstream table(ReadHostFile("/proc/self/mountinfo"));
  size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string place;
    for (int word = 0; word < 5; ++word) words >> place;  // the fifth is where it is mounted
    if (place.starts_with(kWorld)) ++count;
  }
  return count;
}

// Cgroups of a machine that does not limit devices.
class WithoutDevices : public kernel::CgroupDriver {
 public:
  explicit WithoutDevices(std::unique_ptr<CgroupDriver> driver) : driver_(std::move(driver)) {}
  kernel::CgroupMode mode() const override { return driver_->mode(); }
  bool LimitsDevices() const override { return false; }
  Result<void> Create(std::string_view path, const kernel::CgroupLimits& limits) override {
    return driver_->Create(path, Without(limits));
  }
  Result<void> Update(std::string_view path, const kernel::CgroupLimits& limits) override {
    return driver_->Update(path, Without(limits));
  }
  Result<void> Remove(std::string_view path, milliseconds timeout) override {
    return driver_->Remove(path, timeout);
  }
  Result<void> Kill(std::string_view path, milliseconds timeout) override {
    return driver_->Kill(path, timeout);
  }
  Result<void> Freeze(std::string_view path, milliseconds timeout) override {
    return driver_->Freeze(path, timeout);
  }
  Result<void> Thaw(std::string_view path) override { return driver_->Thaw(path); }
  Result<bool> Populated(std::string_view path) const override { return driver_->Populated(path); }
  Result<std::vector<pid_t>> Processes(std::string_view path) const override {
    return driver_->Processes(path);
  }
  Result<kernel::CgroupStats> Stats(std::string_view path,
                                    kernel::CgroupDetail detail) const override {
    return driver_->Stats(path, detail);
  }
  Result<uint64_t> OomKills(std::string_view path) const override {
    return driver_->OomKills(path);
  }
  Result<kernel::CgroupWatch> WatchOom(std::string_view path) const override {
    return driver_->WatchOom(path);
  }
  Result<kernel::CgroupWatch> WatchPopulated(std::string_view path) const override {
    return driver_->WatchPopulated(path);
  }
  Result<kernel::CgroupEntry> OpenForSpawn(std::string_view path) const override {
    return driver_->OpenForSpawn(path);
  }
  Result<void> Join(std::string_view path, pid_t pid) override { return driver_->Join(path, pid); }
  std::vector<std::string> TakeWarnings() override { return driver_->TakeWarnings(); }

 private:
  static kernel::CgroupLimits Without(kernel::CgroupLimits limits) {
    limits.devices.reset();
    return limits;
  }
  std::unique_ptr<CgroupDriver> driver_;
};

size_t g_mounts = 0;
// The process that made the namespaces; those it forks share its names.
pid_t g_world = 0;

}  // namespace

std::string ReadHostFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

pid_t ParentOf(pid_t pid) {
  const std::string stat = ReadHostFile("/proc/" + std::to_string(pid) + "/stat");
  return std::stoi(stat.substr(stat.rfind(')') + 4));
}

void WriteHostFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
}

bool MapsOwners() {
  utsname kernel{};
  int major = 0;
  int minor = 0;
  if (uname(&kernel) != 0 || sscanf(kernel.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 3);
}

std::string EnterTestWorld() {
  static const std::string kProblem = []() -> std::string {
    if (geteuid() != 0) return "pods need root";
    g_world = getpid();
    if (access(kBusybox, X_OK) != 0) return "the package busybox-static is not installed";
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return "no namespaces here";
    EXPECT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    EXPECT_EQ(mount("tmpfs", kWorld, "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    BringLoopbackUp();
    return "";
  }();
  return kProblem;
}

Result<UniqueFd> LoopbackNetwork::PrepareNamespace(const std::string& sandbox_id) {
  TRY_VOID(book_.PrepareNamespace(sandbox_id));
  TRY(UniqueFd made, kernel::NewNetNamespace());
  TRY(const auto entry, kernel::NetNamespaceEntry::Enter(made.get()));
  BringLoopbackUp();
  return made;
}

Machine::Machine(MachineOptions options) : options_(std::move(options)) {
  folder_ = std::string(kWorld) + '/' + options_.name;
  instance_.data_dir = folder_ + "/data";
  instance_.run_dir = folder_ + "/run";
  instance_.log_dir = folder_ + "/log";
  EXPECT_TRUE(kernel::MakeFolders(folder_ + "/images", 0755).ok());
  auto images = image::ImageStore::Open(folder_ + "/images");
  // A process that was being started when its parent was killed holds the lock until its exec.
  for (int i = 0; i < 500 && !images.ok() && images.error().code() == Code::kUnavailable; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    images = image::ImageStore::Open(folder_ + "/images");
  }
  EXPECT_TRUE(images.ok()) << images.error().message();
  images_ = *std::move(images);
  AddImage("busybox:latest", R"("Cmd":["/bin/sh"],"Env":["IMAGE=yes","PATH=/bin"])");
  kernel::CgroupOptions cgroups;
  cgroups.root = "podium-test-" + std::to_string(g_world) + "-" + options_.name;
  auto driver = kernel::CgroupDriver::Detect(cgroups);
  EXPECT_TRUE(driver.ok()) << driver.error().message();
  cgroups_ = *std::move(driver);
  if (!options_.limits_devices) cgroups_ = std::make_unique<WithoutDevices>(std::move(cgroups_));
  network_ = std::make_unique<LoopbackNetwork>();
  g_mounts = MountCount();
  OpenRuntime();
  auto recovery = runtime_->Recover();
  EXPECT_TRUE(recovery.ok()) << recovery.error().message();
  if (recovery.ok()) first_recovery_ = *std::move(recovery);
}

void Machine::OpenRuntime() {
  auto opened = EmbeddedRuntime::Open({.instance = instance_,
                                       .prepared = options_.prepared,
                                       .seccomp_folder = folder_ + "/seccomp"},
                                      *images_, *network_, *cgroups_);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  runtime_ = *std::move(opened);
  runtime_->SetLogHandler(options_.log_handler, options_.log_bound);
}

Recovery Machine::Restart(const std::function<void()>& between) {
  runtime_.reset();
  if (between) between();
  network_ = std::make_unique<LoopbackNetwork>();
  OpenRuntime();
  auto recovery = runtime_->Recover();
  EXPECT_TRUE(recovery.ok()) << recovery.error().message();
  return recovery.ok() ? *std::move(recovery) : Recovery{};
}

void Machine::AddImage(const std::string& name, const std::string& config,
                       const std::string& more_layer) {
  image::ImageBuilder builder;
  static const std::string kLayer = BusyboxLayer();
  builder.Layer(kLayer);
  if (!more_layer.empty()) builder.Layer(more_layer);
  builder.config = R"("config":{)" + config + "}";
  const std::string names[] = {name};
  const auto added = images_->AddManifest(builder.PutInto(&images_->content()), names);
  EXPECT_TRUE(added.ok()) << added.error().message();
}

Machine::~Machine() {
  if (runtime_) {
    const auto sandboxes = runtime_->ListPodSandbox({});
    for (const auto& sandbox : *sandboxes) {
      const auto removed = runtime_->RemovePodSandbox(sandbox.id);
      EXPECT_TRUE(removed.ok()) << removed.error().message();
    }
    for (const std::string& warning : runtime_->TakeWarnings()) {
      // What this machine lacks is no failure; what could not be undone is.
      EXPECT_EQ(warning.find("removing"), std::string::npos) << warning;
      EXPECT_EQ(warning.find("undoing"), std::string::npos) << warning;
      EXPECT_EQ(warning.find("ending"), std::string::npos) << warning;
    }
    runtime_.reset();
  }
  EXPECT_EQ(LeftProcesses(), "");
  EXPECT_EQ(network_->book().LiveIds(), std::vector<std::string>{});
  for (const std::string& folder :
       {instance_.run_dir + "/sandboxes", instance_.data_dir + "/containers",
        instance_.data_dir + "/roots"}) {
    const auto opened = kernel::OpenPath(folder, O_RDONLY | O_DIRECTORY);
    EXPECT_TRUE(opened.ok()) << folder;
    if (opened.ok())
      EXPECT_EQ(*kernel::ListFolder(opened->get()), std::vector<std::string>{}) << folder;
  }
  EXPECT_EQ(MountCount(), g_mounts);
  const auto pods = cgroups_->Processes("");
  if (pods.ok()) EXPECT_EQ(pods->size(), 0U);
  EXPECT_TRUE(cgroups_->Remove("", seconds(5)).ok());
  for (const auto& image : images_->List()) EXPECT_EQ(image.pins, 0U);
  images_.reset();
  EXPECT_TRUE(kernel::RemoveTree(AT_FDCWD, folder_).ok());
}

cri::ContainerConfig Shell(const std::string& name, const std::string& script) {
  cri::ContainerConfig config;
  config.metadata = cri::ContainerMetadata{name, 0};
  config.image.emplace().image = "busybox";
  config.command = {"/bin/sh", "-c", script};
  config.log_path = name + ".log";
  auto& options = config.linux_.emplace().security_context.emplace().namespace_options.emplace();
  options.pid = cri::NamespaceMode::kContainer;
  return config;
}

cri::PodSandboxConfig TestPod(const std::string& name) {
  cri::PodSandboxConfig config;
  config.metadata = cri::PodSandboxMetadata{name, "uid-" + name, "default", 0};
  config.hostname = name;
  config.log_directory = "/mnt/a/log/" + name;
  auto& options = config.linux_.emplace().security_context.emplace().namespace_options.emplace();
  options.pid = cri::NamespaceMode::kContainer;
  return config;
}

cri::ContainerConfig EmbeddedHarness::Runs(const std::string& name) {
  cri::ContainerConfig config = Shell(name, "trap 'exit 0' TERM; while true; do sleep 0.02; done");
  config.log_path = "";
  return config;
}

cri::ContainerConfig EmbeddedHarness::IgnoresStop(const std::string& name) {
  cri::ContainerConfig config = Shell(name, "trap '' TERM; while true; do sleep 0.02; done");
  config.log_path = "";
  return config;
}

cri::ContainerConfig EmbeddedHarness::Exits(const std::string& name, int code) {
  cri::ContainerConfig config = Shell(name, "exit " + std::to_string(code));
  config.log_path = "";
  return config;
}

cri::ContainerConfig EmbeddedHarness::CannotStart(const std::string& name) {
  cri::ContainerConfig config = Shell(name, "");
  config.log_path = "";
  config.command = {"/nothing"};
  return config;
}

void EmbeddedHarness::AwaitUp(const std::string& container) {
  // The kernel drops a signal that a PID 1 has no handler for: its shell must have set one.
  const auto status = runtime().ContainerStatus(container, true);
  const std::string& info = status->info.at("info");
  const std::string pid = std::to_string(std::stoi(info.substr(info.find("\"pid\":") + 6)));
  constexpr uint64_t kTerm = uint64_t{1} << (SIGTERM - 1);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = ReadHostFile("/proc/" + pid + "/status");
    const size_t at = text.find("SigCgt:");
    if (at != std::string::npos && (std::stoull(text.substr(at + 7), nullptr, 16) & kTerm) != 0) {
      return;
    }
    Pass();
  }
  ADD_FAILURE() << "the container does not come up";
}

void EmbeddedHarness::Pass() { std::this_thread::sleep_for(milliseconds(10)); }

void EmbeddedTest::SetUp() {
  if (const std::string problem = EnterTestWorld(); !problem.empty()) GTEST_SKIP() << problem;
  machine_ = std::make_unique<Machine>();
}

std::string EmbeddedTest::RunPod(const cri::PodSandboxConfig& config) {
  const auto id = runtime().RunPodSandbox(config, "");
  EXPECT_TRUE(id.ok()) << id.error().message();
  return id.ok() ? *id : "";
}

std::string EmbeddedTest::Start(const std::string& sandbox, const cri::ContainerConfig& config,
                                std::vector<MountSource> sources) {
  const auto id = runtime().CreateContainer(sandbox, config, std::move(sources));
  EXPECT_TRUE(id.ok()) << id.error().message();
  if (!id.ok()) return "";
  const auto started = runtime().StartContainer(*id);
  EXPECT_TRUE(started.ok()) << started.error().message();
  return *id;
}

cri::ContainerStatus EmbeddedTest::Wait(const std::string& container) {
  const auto end = std::chrono::steady_clock::now() + seconds(20);
  while (true) {
    const auto response = runtime().ContainerStatus(container, false);
    EXPECT_TRUE(response.ok());
    if (!response.ok()) return {};
    if (response->status->state == cri::ContainerState::kContainerExited) return *response->status;
    if (std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << "the container does not end";
      return *response->status;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

std::string EmbeddedTest::LogOf(const cri::ContainerStatus& status) const {
  std::istringstream lines(ReadHostFile(status.log_path));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    // time, stream, tag, content
    size_t at = 0;
    for (int i = 0; i < 3; ++i) at = line.find(' ', at) + 1;
    const bool partial = line.compare(at - 2, 1, "P") == 0;
    text += line.substr(at) + (partial ? "" : "\n");
  }
  return text;
}

std::string EmbeddedTest::Output(const std::string& pod, const cri::ContainerConfig& config) {
  const std::string sandbox = RunPod(TestPod(pod));
  const cri::ContainerStatus status = Wait(Start(sandbox, config));
  const std::string text = LogOf(status);
  EXPECT_TRUE(runtime().RemovePodSandbox(sandbox).ok());
  // Logs outlive their container; the next one begins anew.
  unlink(status.log_path.c_str());
  return text;
}

std::string EmbeddedTest::Refusal(const cri::ContainerConfig& config) {
  const std::string sandbox = RunPod(TestPod("refused"));
  std::string text;
  const auto id = runtime().CreateContainer(sandbox, config, {});
  if (!id.ok()) {
    text = id.error().message();
  } else {
    const auto started = runtime().StartContainer(*id);
    if (!started.ok()) text = started.error().message();
  }
  EXPECT_TRUE(runtime().RemovePodSandbox(sandbox).ok());
  return text;
}

}  // namespace podium::runtime
