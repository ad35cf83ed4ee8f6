#include "runtime/shim_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

#include "linux/mounts.h"
#include "linux/packet_socket.h"
#include "linux/process.h"
#include "runtime/shim_programs.h"

namespace podium::runtime::shim {
namespace {

constexpr int kTimeoutMilliseconds = 20'000;

std::string_view BytesOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void SetId(std::string_view id, char (&field)[kIdSize]) {
  std::memcpy(field, id.data(), std::min(id.size(), kIdSize - 1));
}

// Adds to a message's descriptors; gives the place.
int32_t Add(std::vector<int>& descriptors, int fd) {
  if (fd < 0) return -1;
  descriptors.push_back(fd);
  return static_cast<int32_t>(descriptors.size() - 1);
}

CgroupDescriptors AddCgroups(std::vector<int>& descriptors, int folder, int kill,
                             const std::vector<int>& procs) {
  CgroupDescriptors cgroups = {};
  cgroups.folder = Add(descriptors, folder);
  cgroups.kill = Add(descriptors, kill);
  for (const int fd : procs) cgroups.procs[cgroups.procs_count++] = Add(descriptors, fd);
  return cgroups;
}

const char* const kApplets[] = {"sh",    "cat",  "echo", "env",   "false", "hostname", "id",
                                "kill",  "ls",   "ln",   "mkdir", "mount", "ps",       "pwd",
                                "sleep", "stat", "stty", "touch", "true",  "umount",   "usleep",
                                "rm",    "mv",   "grep", "head",  "dd",    "wc",       "readlink",
                                "sync",  "tr",   "yes",  "chmod", "chown", "unshare",  "su"};

}  // namespace

std::string Answer::Failure() const {
  if (type() != MessageType::kFailed) return "";
  const auto failed = As<Failed>();
  return std::to_string(static_cast<uint32_t>(failed.step)) + " " + std::to_string(failed.error) +
         " " + failed.detail;
}

UniqueFd SealedFile(std::string_view bytes) {
  auto file = kernel::SealedMemory("test", bytes);
  EXPECT_TRUE(file.ok());
  return *std::move(file);
}

UniqueFd PlanFile(const Plan& plan) {
  auto bytes = EncodePlan(plan);
  EXPECT_TRUE(bytes.ok());
  return SealedFile(*bytes);
}

UniqueFd CloneTree(const std::string& path) {
  const UniqueFd at(open(path.c_str(), O_PATH | O_CLOEXEC));
  EXPECT_TRUE(at) << path;
  auto mount = kernel::Mount::Clone(at.get(), true);
  EXPECT_TRUE(mount.ok()) << path;
  return std::move(*mount).Release();
}

std::string ReadAll(int fd) {
  std::string text;
  char bytes[4096];
  pollfd wait = {.fd = fd, .events = POLLIN, .revents = 0};
  while (poll(&wait, 1, kTimeoutMilliseconds) > 0) {
    const ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size <= 0) break;
    text.append(bytes, static_cast<size_t>(size));
  }
  return text;
}

std::string ReadPath(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void WritePath(const std::string& path, std::string_view text) {
  std::ofstream file(path);
  file << text;
}

void MakeFolderAt(const std::string& path) {
  EXPECT_TRUE(mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) << path;
}

std::string StatusField(int32_t pid, const std::string& name) {
  const std::string status = "\n" + ReadPath("/proc/" + std::to_string(pid) + "/status");
  const size_t at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return "";
  const size_t from = at + name.size() + 3;
  return status.substr(from, status.find('\n', from) - from);
}

Plan ExecPlan(std::vector<std::string> arguments) {
  Plan plan;
  plan.arguments = std::move(arguments);
  plan.environment = {"PATH=/usr/bin:/bin", "HOME=/"};
  plan.bounding = plan.effective = plan.permitted = kDockerCapabilities;
  return plan;
}

Plan ProgramPlan(std::vector<std::string> arguments) {
  Plan plan = ExecPlan(std::move(arguments));
  plan.flags = kPlanNewPid | kPlanNewCgroup;
  plan.root = 0;
  constexpr uint32_t kKernel = kMountMakeTarget | kMountNoSymlinks;
  constexpr uint64_t kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  plan.mounts = {
      {.kind = MountKind::kNew,
       .target = "/proc",
       .source = "proc",
       .flags = kKernel,
       .attr_set = kSafe},
      {.kind = MountKind::kNew,
       .target = "/sys",
       .source = "sysfs",
       .flags = kKernel,
       .attr_set = kSafe | MOUNT_ATTR_RDONLY},
      {.kind = MountKind::kNew,
       .target = "/dev",
       .source = "tmpfs",
       .options = {"mode=755", "size=64k"},
       .flags = kKernel,
       .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME},
      {.kind = MountKind::kNew,
       .target = "/dev/pts",
       .source = "devpts",
       .options = {"ptmxmode=0666", "mode=0620", "gid=5"},
       .flags = kKernel,
       .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
      {.kind = MountKind::kSymlink, .target = "/dev/ptmx", .source = "pts/ptmx"},
      {.kind = MountKind::kSymlink, .target = "/dev/fd", .source = "/proc/self/fd"},
  };
  const std::pair<const char*, std::pair<uint32_t, uint32_t>> devices[] = {
      {"/dev/null", {1, 3}},   {"/dev/zero", {1, 5}},    {"/dev/full", {1, 7}},
      {"/dev/random", {1, 8}}, {"/dev/urandom", {1, 9}}, {"/dev/tty", {5, 0}}};
  for (const auto& [path, number] : devices) {
    plan.mounts.push_back({.kind = MountKind::kDevice,
                           .target = path,
                           .mode = S_IFCHR | 0666,
                           .major = number.first,
                           .minor = number.second});
  }
  return plan;
}

Plan ShellPlan(const std::string& script) { return ProgramPlan({"sh", "-c", script}); }

void ShimTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "namespaces and mounts need root";
  if (access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "needs Debian's busybox-static";
  ASSERT_EQ(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  mkdir(kBase, 0755);  // an initial ramdisk may lack it
  ASSERT_EQ(mount("tmpfs", kBase, "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const std::string root = kRootPath;
  for (const char* folder : {"", "/bin", "/etc", "/tmp", "/proc", "/sys", "/dev", "/data"}) {
    MakeFolderAt(root + folder);
  }
  chmod((root + "/tmp").c_str(), 01777);
  WritePath(root + "/bin/busybox", ReadPath("/bin/busybox"));
  chmod((root + "/bin/busybox").c_str(), 0755);
  for (const char* applet : kApplets) {
    ASSERT_EQ(symlink("busybox", (root + "/bin/" + applet).c_str()), 0);
  }
}

void ShimTest::TearDown() {
  if (geteuid() != 0) return;
  // Whatever a pod left behind has become ours: there must be nothing.
  int status = 0;
  const pid_t left = waitpid(-1, &status, WNOHANG);
  EXPECT_TRUE(left == -1 && errno == ECHILD) << "a process is left over: " << left;
  umount2(kBase, MNT_DETACH);
}

Pod::Pod() {
  static int pods = 0;
  folder_ = std::string(kBase) + "/run" + std::to_string(++pods);
  MakeFolderAt(folder_);
  MakeFolderAt(folder_ + "/containers");
  auto pair = kernel::PacketSocketPair();
  EXPECT_TRUE(pair.ok());
  const UniqueFd program = SealedFile(BytesOf(ShimProgram()));
  auto spawned = kernel::Spawn({.program = program.get(),
                                .arguments = {"podium-shim", std::string(kIdSize, '-')},
                                .descriptors = {pair->second.get()}});
  EXPECT_TRUE(spawned.ok());
  pid_ = spawned->pid;
  control_ = std::move(pair->first);
}

Pod::~Pod() {
  if (pid_ == 0) return;
  if (control_) Ask(MessageType::kShutdown, Plain{});
  control_.reset();
  EXPECT_TRUE(AwaitEnd()) << "the shim does not end";
}

bool Pod::AwaitEnd() {
  if (pid_ == 0) return true;
  for (int i = 0; i < kTimeoutMilliseconds / 10; ++i) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno == ECHILD)) {
      pid_ = 0;
      // What it could not reap itself.
      for (int j = 0; j < kTimeoutMilliseconds / 10 && waitpid(-1, &status, WNOHANG) >= 0; ++j) {
        usleep(10'000);
      }
      return true;
    }
    usleep(10'000);
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
  return false;
}

Answer Pod::Receive() {
  pollfd wait = {.fd = control_.get(), .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, kTimeoutMilliseconds) <= 0) {
    ADD_FAILURE() << "no answer";
    return {.bytes = std::string(sizeof(Failed), '\0'), .descriptors = {}};
  }
  auto packet = kernel::ReceivePacket(control_.get(), kMaxMessage);
  if (!packet.ok() || packet->bytes.size() < sizeof(Header)) {
    ADD_FAILURE() << "the shim has closed the connection";
    return {.bytes = std::string(sizeof(Failed), '\0'), .descriptors = {}};
  }
  Answer answer{.bytes = std::move(packet->bytes), .descriptors = std::move(packet->descriptors)};
  const auto header = answer.As<Header>();
  EXPECT_EQ(header.magic, kMessageMagic);
  EXPECT_EQ(header.length, answer.bytes.size());
  EXPECT_EQ(header.descriptors, answer.descriptors.size());
  return answer;
}

Answer Pod::Ask(std::string message, const std::vector<int>& descriptors) {
  Header header = {};
  std::memcpy(&header, message.data(), sizeof(header));
  header.magic = kMessageMagic;
  header.version = kMessageVersion;
  header.length = static_cast<uint32_t>(message.size());
  header.descriptors = static_cast<uint32_t>(descriptors.size());
  header.id = ++last_id_;
  std::memcpy(message.data(), &header, sizeof(header));
  const auto sent = kernel::SendPacket(control_.get(), message, descriptors);
  EXPECT_TRUE(sent.ok());
  for (;;) {
    Answer answer = Receive();
    const uint64_t id = answer.As<Header>().id;
    if (id == last_id_ || answer.As<Header>().magic == 0) return answer;
    EXPECT_EQ(id, 0U);
    events_.push_back(std::move(answer));
  }
}

Answer Pod::AskAbout(MessageType type, std::string_view id) {
  Target target = {};
  SetId(id, target.id);
  return Ask(type, target);
}

Answer Pod::Run(const PodOptions& options) {
  std::vector<int> descriptors;
  RunSandbox run = {};
  run.flags = options.flags;
  SetId(options.id, run.id);
  std::memcpy(run.hostname, options.hostname.data(), options.hostname.size());
  const UniqueFd folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  UniqueFd listener;
  if (options.listen) {
    auto socket = kernel::ListenPackets(folder.get(), "shim.sock");
    EXPECT_TRUE(socket.ok());
    listener = *std::move(socket);
  }
  const bool prepare = (options.flags & kSandboxPrepare) != 0;
  run.listener = Add(descriptors, listener.get());
  run.run_dir = prepare ? -1 : Add(descriptors, folder.get());
  run.net = Add(descriptors, options.net);
  const UniqueFd infra = SealedFile(BytesOf(InfraProgram()));
  run.infra = prepared_ && !prepare ? -1 : Add(descriptors, infra.get());
  prepared_ = prepare;
  run.cgroups = AddCgroups(descriptors, options.cgroup, options.kill, options.procs);
  run.infra_oom_score_adj = options.oom_score_adj;
  run.shm_size = options.shm_size;
  if ((options.flags & kSandboxNewUser) != 0) {
    run.uid_mapping_count = run.gid_mapping_count = 1;
    run.uid_mappings[0] = run.gid_mappings[0] = {.inside = 0, .outside = 100'000, .length = 65'536};
  }
  run.sysctl_count = static_cast<uint32_t>(options.sysctls.size() / 2);
  run.sysctl_offset = options.sysctls.empty() ? 0 : sizeof(run);
  run.header.type = MessageType::kRunSandbox;
  std::string message(reinterpret_cast<const char*>(&run), sizeof(run));
  for (const std::string& text : options.sysctls) message += text + '\0';
  return Ask(std::move(message), descriptors);
}

Answer Pod::Create(std::string_view id, const Plan& plan, const ContainerOptions& options) {
  MakeFolderAt(folder_ + "/containers/" + std::string(id));
  std::vector<int> descriptors;
  CreateContainer create = {};
  SetId(id, create.id);
  create.flags = options.flags;
  const UniqueFd file = PlanFile(plan);
  create.plan = Add(descriptors, file.get());
  const std::string path = folder_ + "/" + std::string(id) + ".log";
  UniqueFd log;
  if (options.log && options.log_fd < 0) {
    log = UniqueFd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  }
  create.log = Add(descriptors, options.log_fd >= 0 ? options.log_fd : log.get());
  create.cgroups = AddCgroups(descriptors, options.cgroup, options.kill, options.procs);
  create.rows = options.rows;
  create.columns = options.columns;
  create.first_plan_descriptor = static_cast<uint32_t>(descriptors.size());
  create.plan_descriptor_count = static_cast<uint32_t>(1 + options.descriptors.size());
  const UniqueFd root = CloneTree(kRootPath);
  Add(descriptors, root.get());
  for (const int fd : options.descriptors) Add(descriptors, fd);
  return Ask(MessageType::kCreateContainer, create, descriptors);
}

Answer Pod::Exec(std::string_view id, std::string_view container, const Plan& plan,
                 std::vector<int> stdio, uint32_t flags) {
  stdio.resize(3, -1);
  std::vector<int> descriptors;
  shim::Exec exec = {};
  exec.flags = flags;
  SetId(id, exec.id);
  SetId(container, exec.container);
  const UniqueFd file = PlanFile(plan);
  exec.plan = Add(descriptors, file.get());
  for (size_t i = 0; i < 3; ++i) exec.stdio[i] = Add(descriptors, stdio[i]);
  exec.cgroups = AddCgroups(descriptors, -1, -1, {});
  exec.rows = 24;
  exec.columns = 80;
  return Ask(MessageType::kExec, exec, descriptors);
}

Answer Pod::Signal(ProcessKind kind, std::string_view id, int signal, uint32_t flags) {
  shim::Signal request = {};
  request.kind = kind;
  request.flags = flags;
  SetId(id, request.id);
  request.signal = signal;
  return Ask(MessageType::kSignal, request);
}

Answer Pod::AwaitEvent(MessageType type) {
  for (auto event = events_.begin(); event != events_.end(); ++event) {
    if (event->type() != type) continue;
    Answer found = std::move(*event);
    events_.erase(event);
    return found;
  }
  for (;;) {
    Answer answer = Receive();
    if (answer.type() == type || answer.As<Header>().magic == 0) return answer;
    EXPECT_EQ(answer.As<Header>().id, 0U);
    events_.push_back(std::move(answer));
  }
}

ProcessState Pod::AwaitExit(std::string_view id) {
  std::vector<Answer> others;
  ProcessState state = {};
  for (;;) {
    Answer event = AwaitEvent(MessageType::kProcessExited);
    if (event.As<Header>().magic == 0) break;
    state = event.As<ProcessInfo>().state;
    if (id == state.id) break;
    others.push_back(std::move(event));
  }
  for (Answer& other : others) events_.push_back(std::move(other));
  return state;
}

Output Pod::RunToEnd(std::string_view id, const Plan& plan, const ContainerOptions& options) {
  Output output;
  output.failure = Create(id, plan, options).Failure();
  if (!output.failure.empty()) return output;
  output.failure = Start(id).Failure();
  output.state = AwaitExit(id);
  if (options.log && options.log_fd < 0) output.log = Log(id);
  return output;
}

Output Pod::ExecToEnd(std::string_view id, std::string_view container, const Plan& plan) {
  int pipe[2];
  EXPECT_EQ(pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd reader(pipe[0]);
  Output output;
  output.failure = Exec(id, container, plan, {-1, pipe[1], pipe[1]}).Failure();
  close(pipe[1]);
  if (!output.failure.empty()) return output;
  output.log = ReadAll(reader.get());
  output.state = AwaitExit(id);
  return output;
}

std::string Pod::RawLog(std::string_view id) const {
  return ReadPath(folder_ + "/" + std::string(id) + ".log");
}

std::string Pod::Log(std::string_view id) const {
  std::istringstream lines(RawLog(id));
  std::string text;
  std::string line;
  while (std::getline(lines, line)) {
    // "2026-11-21T21:10:01.123456789Z stdout F content"
    constexpr size_t kPrefix = 40;
    EXPECT_GE(line.size(), kPrefix) << line;
    if (line.size() < kPrefix) continue;
    text += line.substr(kPrefix);
    if (line[38] == 'F') text += '\n';
  }
  return text;
}

ExitRecord Pod::Record(std::string_view id) const {
  const std::string bytes = ReadPath(folder_ + "/containers/" + std::string(id) + "/exit");
  ExitRecord record = {};
  if (bytes.size() == sizeof(record)) std::memcpy(&record, bytes.data(), sizeof(record));
  return record;
}

UniqueFd Pod::Connect() const {
  const UniqueFd folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  auto socket = kernel::ConnectPackets(folder.get(), "shim.sock");
  EXPECT_TRUE(socket.ok());
  return socket.ok() ? *std::move(socket) : UniqueFd();
}

}  // namespace podium::runtime::shim
