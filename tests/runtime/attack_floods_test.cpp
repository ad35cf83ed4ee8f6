// The rows "Runtime and images" of the list of attacks that are about using up: what they take is
// bounded and counted, and others live on.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "embedded_harness.h"
#include "linux/path.h"
#include "support/live_heap.h"
#include "support/long_form.h"

namespace podium::runtime {
namespace {

using podium::testing::LiveHeap;
using podium::testing::Times;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

size_t OpenDescriptors() {
  return kernel::ListFolder(kernel::OpenPath("/proc/self/fd", O_RDONLY)->get())->size();
}

class FloodTest : public EmbeddedTest {
 protected:
  // A pod with a container that says "up" and then runs its script.
  std::string Begin(const std::string& name, cri::ContainerConfig config,
                    std::string* sandbox = nullptr) {
    const std::string pod = RunPod(TestPod(name));
    if (sandbox) *sandbox = pod;
    const std::string id = Start(pod, config);
    for (int i = 0; i < 500 && LogSize(id) == 0; ++i) usleep(10'000);
    return id;
  }
  size_t LogSize(const std::string& id) { return ReadHostFile(Status(id).log_path).size(); }
  cri::ContainerStatus Status(const std::string& id) {
    return *runtime().ContainerStatus(id, false)->status;
  }
  // The process of the pod's shim, which is this process's child.
  static std::string ShimOf(const std::string& sandbox) {
    for (const std::string& name :
         *kernel::ListFolder(kernel::OpenPath("/proc", O_RDONLY)->get())) {
      const std::string command = ReadHostFile("/proc/" + name + "/cmdline");
      if (command.starts_with("podium-shim") && command.find(sandbox) != command.npos) {
        return name;
      }
    }
    return "";
  }
  static int64_t Resident(const std::string& pid) {
    const std::string status = ReadHostFile("/proc/" + pid + "/status");
    const size_t at = status.find("VmRSS:");
    return at == status.npos ? -1 : std::stoll(status.substr(at + 6));
  }
  // A neighbour is as well as ever: it answers, and nothing of it has ended.
  void ExpectWell(const std::string& neighbour) {
    const auto answer =
        runtime().ExecSync(neighbour, {"/bin/sh", "-c", "(echo a; echo b) | sort"}, seconds(20));
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->stdout_.data, "a\nb\n");
    EXPECT_EQ(Status(neighbour).state, cri::ContainerState::kContainerRunning);
  }
};

TEST_F(FloodTest, ExecAndAttachFloods) {
  std::string pod;
  const std::string id =
      Begin("p", Shell("c", "echo up; while true; do yes | head -c 100000; sleep 0.1; done"), &pod);
  const std::string shim = ShimOf(pod);
  ASSERT_NE(shim, "");
  const auto once = [&](bool attach) {
    if (attach) {
      cri::AttachRequest request;
      request.container_id = id;
      request.stdout_ = true;
      EXPECT_TRUE(runtime().Attach(request).ok());
    } else {
      cri::ExecRequest request;
      request.container_id = id;
      request.cmd = {"/bin/sleep", "1000"};
      request.stdin_ = request.stdout_ = request.stderr_ = true;
      EXPECT_TRUE(runtime().Exec(request, {}).ok());
    }
  };
  for (int i = 0; i < 50; ++i) once(i % 2 == 0);
  const size_t heap = LiveHeap();
  const size_t descriptors = OpenDescriptors();
  const int64_t resident = Resident(shim);
  int64_t done = 0;
  for (Times times(100'000); times.Next(); ++done) once(done % 2 == 0);
  EXPECT_GE(done, 10);
  // Aborted ones are killed; the last of them need a moment.
  std::string left;
  for (int i = 0; i < 500; ++i) {
    const auto processes = runtime().ExecSync(id, {"/bin/ps"}, seconds(10));
    ASSERT_TRUE(processes.ok()) << processes.error().message();
    left = processes->stdout_.data;
    if (left.find("sleep 1000") == left.npos) break;
    usleep(10'000);
  }
  EXPECT_EQ(left.find("sleep 1000"), left.npos) << left;
  EXPECT_LT(LiveHeap(), heap + (size_t{1} << 20));
  EXPECT_LE(OpenDescriptors(), descriptors + 4);
  EXPECT_LE(Resident(shim), resident + 64);
}

TEST_F(FloodTest, EndlessOutput) {
  std::string pod;
  const std::string id = Begin("p", Shell("c", "echo up; exec sleep 1000"), &pod);
  const std::string shim = ShimOf(pod);
  const auto bounded =
      runtime().ExecSync(id, {"/bin/sh", "-c", "yes | head -c 30000000"}, seconds(60));
  ASSERT_TRUE(bounded.ok()) << bounded.error().message();
  EXPECT_EQ(bounded->stdout_.data.size(), kMaxExecSyncOutput);
  const int64_t resident = Resident(shim);
  const size_t heap = LiveHeap();
  // One that has no end is ended, and what nobody reads is kept nowhere.
  const auto endless = runtime().ExecSync(id, {"/bin/yes"}, seconds(1));
  ASSERT_FALSE(endless.ok());
  EXPECT_EQ(endless.error().code(), Code::kDeadlineExceeded);
  cri::ExecRequest request;
  request.container_id = id;
  request.cmd = {"/bin/yes"};
  request.stdout_ = true;
  {
    const auto unread = runtime().Exec(request, {});
    ASSERT_TRUE(unread.ok());
    cri::AttachRequest attach;
    attach.container_id = Start(pod, Shell("loud", "exec yes"));
    attach.stdout_ = true;
    const auto reader = runtime().Attach(attach);
    ASSERT_TRUE(reader.ok());
    usleep(500'000);
    EXPECT_LE(Resident(shim), resident + 128);
    EXPECT_LT(LiveHeap(), heap + (size_t{1} << 20));
    ASSERT_TRUE(runtime().StopContainer(attach.container_id, seconds(0)).ok());
  }
  std::string left;
  for (int i = 0; i < 500; ++i) {
    left = runtime().ExecSync(id, {"/bin/ps"}, seconds(10))->stdout_.data;
    if (left.find("yes") == left.npos) break;
    usleep(10'000);
  }
  EXPECT_EQ(left.find("yes"), left.npos) << left;
}

TEST_F(FloodTest, ForkBomb) {
  const std::string neighbour = Begin("neighbour", Shell("n", "echo up; exec sleep 1000"));
  // Its processes are of the pod, whose limit counts them all.
  cri::PodSandboxConfig pod = TestPod("bomb");
  constexpr int64_t kLimit = 64;
  pod.linux_->cgroup_parent = "kubepods/bomb";
  const std::string sandbox = RunPod(pod);
  // As node/ limits every pod.
  kernel::CgroupLimits limits;
  limits.pids_limit = kLimit;
  ASSERT_TRUE(machine_->cgroups().Update("kubepods/bomb", limits).ok());
  // A shell that cannot fork ends, but not the first one, nor what sleeps.
  const std::string bomb =
      Start(sandbox, Shell("bomb",
                           "trap '' TERM; echo up; (b() { b | b & }; b; while true; do "
                           "sleep 1000 & done) & wait; exec sleep 1000"));
  int64_t most = 0;
  for (int i = 0; i < 100 && most < kLimit; ++i) {
    const auto stats = runtime().PodSandboxStats(sandbox);
    ASSERT_TRUE(stats.ok()) << stats.error().message();
    const auto& count = stats->linux_->process->process_count;
    if (count) most = std::max(most, static_cast<int64_t>(count->value));
    usleep(20'000);
  }
  EXPECT_LE(most, kLimit);
  EXPECT_GE(most, kLimit / 2);
  ExpectWell(neighbour);
  ASSERT_TRUE(runtime().StopContainer(bomb, seconds(0)).ok());
  EXPECT_EQ(Status(bomb).exit_code, 128 + SIGKILL);
  EXPECT_EQ(Status(bomb).reason, kReasonError);
  EXPECT_TRUE(runtime().RemovePodSandbox(sandbox).ok());
  ExpectWell(neighbour);
}

TEST_F(FloodTest, Memory) {
  const std::string neighbour = Begin("neighbour", Shell("n", "echo up; exec sleep 1000"));
  const auto limited = [](const std::string& script) {
    cri::ContainerConfig config = Shell("bomb", script);
    auto& resources = config.linux_->resources.emplace();
    resources.memory_limit_in_bytes = int64_t{32} << 20;
    resources.oom_score_adj = 1000;
    return config;
  };
  const std::string pod = RunPod(TestPod("bomb"));
  // The program's own memory.
  cri::ContainerStatus ended =
      Wait(Start(pod, limited("x=$(yes | head -c 20000000); y=\"$x$x$x\"; echo survived")));
  EXPECT_EQ(ended.reason, kReasonOomKilled);
  EXPECT_EQ(ended.exit_code, 128 + SIGKILL);
  EXPECT_EQ(LogOf(ended), "");
  // Files in memory are memory: of /dev and of the pod's /dev/shm.
  for (const char* folder : {"/dev", "/dev/shm"}) {
    cri::ContainerConfig config =
        limited(std::string("dd if=/dev/zero of=") + folder + "/x bs=1M count=60 2>&1; echo end");
    config.metadata->name = "files";
    ended = Wait(Start(pod, config));
    EXPECT_EQ(ended.reason, kReasonOomKilled) << folder << LogOf(ended);
    ASSERT_TRUE(runtime().RemoveContainer(ended.id).ok());
  }
  // A child that is killed for it is counted too: one of the container's processes was.
  cri::ContainerConfig config =
      limited("sh -c 'x=$(yes | head -c 20000000); y=\"$x$x$x\"'; echo child $?; exit 3");
  config.metadata->name = "child";
  config.log_path = "child.log";
  ended = Wait(Start(pod, config));
  EXPECT_EQ(ended.reason, kReasonOomKilled);
  // Alone it leaves the shell behind where the kernel kills one process, not the whole cgroup.
  EXPECT_THAT(ended.exit_code, ::testing::AnyOf(3, 128 + SIGKILL));
  ExpectWell(neighbour);
}

TEST_F(FloodTest, Descriptors) {
  const std::string neighbour = Begin("neighbour", Shell("n", "echo up; exec sleep 1000"));
  // As many as one process may have, in as many as 32 processes.
  const std::string greedy = Begin(
      "greedy", Shell("g",
                      "n=3; ulimit -n $(ulimit -Hn); for p in 1 2 3 4 5 6 7 8; do "
                      "( n=10; while [ $n -lt 3000 ] && eval \"exec $n</dev/null\" 2>/dev/null; do "
                      "n=$((n+1)); done; echo opened $n; exec sleep 1000 ) & done; wait"));
  for (int i = 0; i < 1000 && LogSize(greedy) < 8 * 50; ++i) usleep(10'000);
  EXPECT_THAT(LogOf(Status(greedy)), HasSubstr("opened"));
  ExpectWell(neighbour);
  ASSERT_TRUE(runtime().StopContainer(greedy, seconds(0)).ok());
  // A limit of its own is held.
  cri::ContainerConfig config =
      Shell("held",
            "ulimit -n 64; n=10; while [ $n -lt 300 ] && (eval \"exec $n</dev/null\") 2>/dev/null; "
            "do n=$((n+1)); done; echo opened $n");
  EXPECT_EQ(Output("held", config), "opened 64\n");
}

}  // namespace
}  // namespace podium::runtime
