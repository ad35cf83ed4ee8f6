// floor: the kernel calls of the smallest possible pod, and nothing else. What it takes is what no
// program that makes pods can go below on this machine at this moment; other benchmarks divide by
// it.
//
//   floor [--pods N] [--upper DIR] [--keep] [--samples]
//
// A pod here: a process that holds network, UTS and IPC namespaces; a veth pair on a bridge, made
// in one message with its peer inside, an address and a route; limited cgroups; a container with
// mount, pid and cgroup namespaces, an overlay root, proc, sysfs, /dev with nodes and devpts,
// pivot_root, a seccomp filter of 90 calls, and execve of a static program. Then it is removed. The
// writable layer is on a tmpfs, or in DIR.
//
// Everything happens in a mount and a network namespace of its own; cgroups are made below
// podium-floor-PID and removed. Prints a table of microseconds per step: median and 99th
// percentile; with --samples a line of each pod's start and removal instead, for other programs.
// Each pod is removed before the next one is made, with --keep when all run. Plain calls without
// error paths: whatever fails ends it, and says what failed.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "floor_network.h"

namespace {

using bench::MakeBridge;
using bench::MakeVeth;
using bench::Must;
using bench::OpenRoute;
using bench::SetAddress;

enum Step {
  kInfra,
  kVeth,
  kAddress,
  kCgroups,
  kBirth,
  kJoin,
  kRoot,
  kKernelMounts,
  kDevices,
  kPivot,
  kFilter,
  kExec,
  kStart,
  kRemove,
  kSteps
};
constexpr std::array<const char*, kSteps> kNames = {
    "infra, with its namespaces",
    "veth, its peer made inside",
    "lo up, address, route",
    "cgroups, limits",
    "container's birth (clone3)",
    "cgroups and namespaces joined",
    "overlay",
    "proc, sysfs",
    "/dev, nodes, devpts",
    "pivot_root",
    "seccomp",
    "execve",
    "START, from nothing to the program",
    "REMOVAL, to no process and no cgroup",
};

using Clock = std::chrono::steady_clock;
int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

// Times of one pod, shared with its processes.
struct Times {
  int64_t step[kSteps];
};
Times* g_times = nullptr;

// From construction to Next, to Next, ...: each is one step.
class Timer {
 public:
  void Next(Step step) {
    const int64_t now = Now();
    g_times->step[step] = now - last_;
    last_ = now;
  }

 private:
  int64_t last_ = Now();
};

void WriteFile(const std::string& path, const std::string& text) {
  const int fd = Must(open(path.c_str(), O_WRONLY | O_CLOEXEC), path.c_str());
  Must(write(fd, text.data(), text.size()), path.c_str());
  close(fd);
}

// --- cgroups: version 2, or the version 1 trees of cpu, memory and pids ---

struct Limit {
  const char* tree;
  const char* file;
  const char* value;
};
constexpr Limit kV1[] = {{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "50000"},
                         {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "67108864"},
                         {"/sys/fs/cgroup/pids", "pids.max", "100"}};
constexpr const char* kV2 = "/sys/fs/cgroup";

bool IsV2() { return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0; }

std::vector<std::string> ParentsOf(const std::string& name) {
  std::vector<std::string> parents;
  if (IsV2()) return {kV2 + name};
  for (const Limit& limit : kV1) parents.push_back(limit.tree + name);
  return parents;
}

void MakeParents(const std::vector<std::string>& parents) {
  for (const std::string& parent : parents) Must(mkdir(parent.c_str(), 0755), parent.c_str());
  if (IsV2()) {
    WriteFile(std::string(kV2) + "/cgroup.subtree_control", "+cpu +memory +pids");
    WriteFile(parents[0] + "/cgroup.subtree_control", "+cpu +memory +pids");
  }
}

std::vector<std::string> MakeCgroups(const std::vector<std::string>& parents, int pod) {
  std::vector<std::string> made;
  for (size_t i = 0; i < parents.size(); ++i) {
    const std::string path = parents[i] + "/" + std::to_string(pod);
    Must(mkdir(path.c_str(), 0755), path.c_str());
    if (IsV2()) {
      WriteFile(path + "/cpu.max", "50000 100000");
      WriteFile(path + "/memory.max", "67108864");
      WriteFile(path + "/pids.max", "100");
    } else {
      WriteFile(path + "/" + kV1[i].file, kV1[i].value);
    }
    made.push_back(path);
  }
  return made;
}

void RemoveCgroups(const std::vector<std::string>& cgroups) {
  for (const std::string& path : cgroups) {
    int result = rmdir(path.c_str());
    for (int i = 0; i < 10'000 && result != 0 && errno == EBUSY; ++i) {
      usleep(100);
      result = rmdir(path.c_str());
    }
    Must(result, path.c_str());
  }
}

// --- the container ---

// A search tree over 90 allowed calls; the rest gets EPERM.
std::vector<sock_filter> MakeFilter() {
  std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  constexpr unsigned kCalls = 90;
  constexpr unsigned kStride = 5;
  const auto emit = [&](const auto& self, unsigned from, unsigned to) -> void {
    if (to - from == 1) {
      // All below the highest are allowed in truth: this is about the length of the way.
      filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kCalls * kStride + 1000, 1, 0));
      filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
      filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
      return;
    }
    const unsigned middle = (from + to) / 2;
    const size_t jump = filter.size();
    filter.push_back(BPF_STMT(0, 0));
    filter.push_back(BPF_STMT(0, 0));
    self(self, from, middle);
    // Far jumps: a conditional one reaches 255 instructions.
    filter[jump] = BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, middle * kStride, 0, 1);
    filter[jump + 1] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<uint32_t>(filter.size() - jump - 2));
    self(self, middle, to);
  };
  emit(emit, 0, kCalls);
  return filter;
}

// If the benchmark fails, nothing of it stays.
void DieWithParent() { Must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "death signal"); }

void MakeNode(const char* path, unsigned major_number, unsigned minor_number) {
  Must(mknod(path, S_IFCHR | 0666, makedev(major_number, minor_number)), path);
}

[[noreturn]] void Container(int infra, const std::vector<std::string>& cgroups,
                            const std::string& options) {
  DieWithParent();
  Timer timer;
  // v1: to the file that moves a thread, which needs no lock over all processes.
  const char* const file = IsV2() ? "/cgroup.procs" : "/tasks";
  for (const std::string& cgroup : cgroups) WriteFile(cgroup + file, "0");
  Must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
  Must(setns(infra, CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC), "setns");
  timer.Next(kJoin);
  Must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private");
  Must(mount("overlay", "/mnt/root", "overlay", 0, options.c_str()), "overlay");
  Must(chdir("/mnt/root"), "chdir");
  timer.Next(kRoot);
  Must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr), "proc");
  Must(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
       "sysfs");
  timer.Next(kKernelMounts);
  Must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k"), "dev");
  MakeNode("dev/null", 1, 3);
  MakeNode("dev/zero", 1, 5);
  MakeNode("dev/full", 1, 7);
  MakeNode("dev/random", 1, 8);
  MakeNode("dev/urandom", 1, 9);
  MakeNode("dev/tty", 5, 0);
  Must(mkdir("dev/pts", 0755), "pts");
  Must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620"),
       "pts");
  timer.Next(kDevices);
  Must(static_cast<int>(syscall(SYS_pivot_root, ".", ".")), "pivot_root");
  Must(umount2(".", MNT_DETACH), "umount");
  timer.Next(kPivot);
  static const std::vector<sock_filter> kFilter90 = MakeFilter();
  const sock_fprog program = {.len = static_cast<uint16_t>(kFilter90.size()),
                              .filter = const_cast<sock_filter*>(kFilter90.data())};
  Must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  Must(static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)), "seccomp");
  timer.Next(kFilter);
  char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"), nullptr};
  char* const environment[] = {nullptr};
  g_times->step[kExec] = Now();
  execve("/bin/busybox", arguments, environment);
  std::perror("execve");
  _exit(1);
}

pid_t Clone(uint64_t flags) {
  clone_args args = {};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  return static_cast<pid_t>(Must(syscall(SYS_clone3, &args, sizeof(args)), "clone3"));
}

struct Surroundings {
  int route;
  unsigned bridge;
  int host_network;
  std::vector<std::string> parents;
  std::string upper;
};

struct Pod {
  pid_t infra;
  pid_t container;
  std::vector<std::string> cgroups;
  Times times;
};

Pod StartPod(const Surroundings& around, int pod) {
  const int64_t start = Now();
  Timer timer;
  const pid_t infra = Clone(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC);
  if (infra == 0) {
    DieWithParent();
    for (;;) pause();
  }
  timer.Next(kInfra);
  MakeVeth(around.route, pod, infra, around.bridge);
  timer.Next(kVeth);
  const int pidfd = Must(static_cast<int>(syscall(SYS_pidfd_open, infra, 0)), "pidfd_open");
  Must(setns(pidfd, CLONE_NEWNET), "setns");
  SetAddress(pod);
  Must(setns(around.host_network, CLONE_NEWNET), "setns back");
  timer.Next(kAddress);
  std::vector<std::string> cgroups = MakeCgroups(around.parents, pod);
  timer.Next(kCgroups);
  const std::string layer = around.upper + "/" + std::to_string(pod);
  for (const char* folder : {"", "/upper", "/work"}) {
    Must(mkdir((layer + folder).c_str(), 0755), layer.c_str());
  }
  const std::string options =
      "lowerdir=/mnt/lower,upperdir=" + layer + "/upper,workdir=" + layer + "/work";
  int done[2];
  Must(pipe2(done, O_CLOEXEC), "pipe");
  timer.Next(kRoot);  // the folders; the container adds its own part below
  const int64_t folders = g_times->step[kRoot];
  const int64_t birth = Now();
  const pid_t container = Clone(CLONE_NEWNS | CLONE_NEWPID);
  if (container == 0) {
    g_times->step[kBirth] = Now() - birth;
    Container(pidfd, cgroups, options);
  }
  close(done[1]);
  close(pidfd);
  char byte = 0;
  Must(read(done[0], &byte, 1), "read");
  close(done[0]);
  const int64_t running = Now();
  Times times = *g_times;
  times.step[kRoot] += folders;
  times.step[kExec] = running - times.step[kExec];
  times.step[kStart] = running - start;
  return {infra, container, std::move(cgroups), times};
}

void RemovePod(Pod* pod) {
  const int64_t begin = Now();
  kill(pod->container, SIGKILL);
  kill(pod->infra, SIGKILL);
  int status = 0;
  Must(waitpid(pod->container, &status, 0), "waitpid");
  if (!WIFSIGNALED(status)) _exit(1);
  Must(waitpid(pod->infra, nullptr, 0), "waitpid");
  RemoveCgroups(pod->cgroups);
  pod->times.step[kRemove] = Now() - begin;
}

std::vector<Times> AllPods(const Surroundings& around, int count, bool keep) {
  std::vector<Pod> pods;
  pods.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    pods.push_back(StartPod(around, i));
    if (!keep) RemovePod(&pods.back());
  }
  std::vector<Times> all;
  for (Pod& pod : pods) {
    if (keep) RemovePod(&pod);
    all.push_back(pod.times);
  }
  return all;
}

void CopyBusybox() {
  const int from =
      Must(open("/bin/busybox", O_RDONLY | O_CLOEXEC), "/bin/busybox (busybox-static)");
  const int to =
      Must(open("/mnt/lower/bin/busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755), "busybox");
  while (Must(sendfile(to, from, nullptr, 1 << 20), "sendfile") > 0) {
  }
  close(from);
  close(to);
}

Surroundings Prepare(const std::string& upper, const std::vector<std::string>& parents) {
  Must(unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare (floor needs root)");
  Must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private");
  const int folder =
      upper.empty() ? -1 : Must(open(upper.c_str(), O_PATH | O_CLOEXEC), upper.c_str());
  Must(mount("tmpfs", "/mnt", "tmpfs", 0, nullptr), "/mnt");
  for (const char* path : {"/mnt/root", "/mnt/lower", "/mnt/lower/bin", "/mnt/lower/proc",
                           "/mnt/lower/sys", "/mnt/lower/dev", "/mnt/layers"}) {
    Must(mkdir(path, 0755), path);
  }
  if (folder >= 0) {
    const std::string self = "/proc/self/fd/" + std::to_string(folder);
    Must(mount(self.c_str(), "/mnt/layers", nullptr, MS_BIND, nullptr), "bind");
  }
  CopyBusybox();
  void* shared =
      mmap(nullptr, sizeof(Times), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_times = static_cast<Times*>(shared);
  Surroundings around = {
      .route = OpenRoute(),
      .bridge = 0,
      .host_network = Must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "ns"),
      .parents = parents,
      .upper = "/mnt/layers"};
  MakeParents(parents);
  MakeBridge(around.route);
  around.bridge = if_nametoindex("floor0");
  return around;
}

void Print(std::vector<Times>& all) {
  std::printf("%-40s %10s %10s %10s   (us, %zu pods)\n", "step", "p50", "p99", "min", all.size());
  for (size_t step = 0; step < kSteps; ++step) {
    std::ranges::sort(all, {}, [&](const Times& times) { return times.step[step]; });
    const auto at = [&](size_t percent) {
      const size_t place = (all.size() - 1) * percent / 100;
      return static_cast<double>(all[place].step[step]) / 1000;
    };
    std::printf("%-40s %10.1f %10.1f %10.1f\n", kNames[step], at(50), at(99), at(0));
  }
}

void PrintSamples(const std::vector<Times>& all) {
  for (const Times& times : all) {
    std::printf("%.1f %.1f\n", static_cast<double>(times.step[kStart]) / 1000,
                static_cast<double>(times.step[kRemove]) / 1000);
  }
}

struct Options {
  int pods = 100;
  std::string upper;
  bool keep = false;
  bool samples = false;
};

bool Read(int count, char** values, Options* options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view name = values[i];
    if (name == "--keep") {
      options->keep = true;
    } else if (name == "--samples") {
      options->samples = true;
    } else if (name == "--pods" && i + 1 < count) {
      options->pods = std::atoi(values[++i]);
    } else if (name == "--upper" && i + 1 < count) {
      options->upper = values[++i];
    } else {
      return false;
    }
  }
  return options->pods >= 1 && options->pods <= 10'000;
}

}  // namespace

int main(int count, char** values) {
  Options options;
  if (!Read(count, values, &options)) {
    std::fprintf(stderr, "usage: floor [--pods N] [--upper DIR] [--keep] [--samples]\n");
    return 2;
  }
  const std::vector<std::string> parents = ParentsOf("/podium-floor-" + std::to_string(getpid()));
  // In a process of its own, so that cgroups are removed however it ends.
  const pid_t worker = Must(fork(), "fork");
  if (worker == 0) {
    const Surroundings around = Prepare(options.upper, parents);
    std::vector<Times> all = AllPods(around, options.pods, options.keep);
    if (options.samples) {
      PrintSamples(all);
    } else {
      Print(all);
    }
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  Must(waitpid(worker, &status, 0), "waitpid");
  for (int pod = 0; pod < options.pods && status != 0; ++pod) {
    for (const std::string& parent : parents) rmdir((parent + "/" + std::to_string(pod)).c_str());
  }
  for (const std::string& parent : parents) rmdir(parent.c_str());
  return status == 0 ? 0 : 1;
}
