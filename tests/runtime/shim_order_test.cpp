// Orders of events that a machine brings about only now and then, made by stopping processes of the
// pod where they are (ptrace).
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <set>
#include <thread>

#include "runtime/shim_harness.h"

namespace podium::runtime::shim {
namespace {

// Keeps every launcher of a shim from ending: those of the shim's children that have given birth
// themselves stay where they are about to close what they have open. All else runs on as if it were
// not looked at. They go on when this ends.
class LauncherStop {
 public:
  explicit LauncherStop(pid_t shim) : tracer_([this, shim] { Trace(shim); }) {
    while (!ready_) usleep(1000);
  }
  ~LauncherStop() {
    over_ = true;
    // Tracees run on when the thread that traces them is gone.
    tracer_.join();
  }
  LauncherStop(const LauncherStop&) = delete;
  LauncherStop& operator=(const LauncherStop&) = delete;

  bool works() const { return works_; }
  int stopped() const { return stopped_; }

 private:
  void Trace(pid_t shim) {
    constexpr uintptr_t kOptions = PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT;
    works_ = ptrace(PTRACE_SEIZE, shim, nullptr, kOptions) == 0;
    ready_ = true;
    std::set<pid_t> launchers;
    while (works_ && !over_) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG);
      if (pid <= 0) {
        usleep(1000);
        continue;
      }
      if (!WIFSTOPPED(status)) continue;
      const int event = status >> 16;
      const bool birth = event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_CLONE;
      if (birth && pid != shim) launchers.insert(pid);
      if (event == PTRACE_EVENT_EXIT && launchers.contains(pid)) {
        ++stopped_;
        continue;
      }
      const int signal = event == 0 ? WSTOPSIG(status) : 0;
      ptrace(PTRACE_CONT, pid, nullptr, static_cast<uintptr_t>(signal));
    }
  }

  std::atomic<bool> ready_ = false;
  std::atomic<bool> works_ = false;
  std::atomic<bool> over_ = false;
  std::atomic<int> stopped_ = 0;
  std::thread tracer_;
};

class ShimOrderTest : public ShimTest {};

// The launcher of a process holds the socket too by whose end the shim learns that the program
// runs. Whoever waits for that must not wait for the launcher.
TEST_F(ShimOrderTest, AnExecEndsBeforeItsLauncherIsGone) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  ASSERT_EQ(pod.Create("c1", ProgramPlan({"sleep", "999"})).Failure(), "");
  ASSERT_EQ(pod.Start("c1").Failure(), "");
  const LauncherStop stop(pod.pid());
  ASSERT_TRUE(stop.works());
  const Answer started = pod.Exec("e1", "c1", ExecPlan({"true"}));
  ASSERT_EQ(started.type(), MessageType::kExecStarted);
  EXPECT_EQ(stop.stopped(), 1);
  EXPECT_EQ(pod.AwaitExit("e1").exit_code, 0);
}

TEST_F(ShimOrderTest, AContainerEndsBeforeItsLauncherIsGone) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const LauncherStop stop(pod.pid());
  ASSERT_TRUE(stop.works());
  ASSERT_EQ(pod.Create("c1", ShellPlan("exit 3")).Failure(), "");
  const Answer started = pod.Start("c1");
  ASSERT_EQ(started.type(), MessageType::kStarted);
  EXPECT_EQ(stop.stopped(), 1);
  const ProcessState ended = pod.AwaitExit("c1");
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_EQ(ended.failed_step, 0U);
  EXPECT_NE(ended.started_ns, 0U);
}

TEST_F(ShimOrderTest, AContainerThatStartsAtOnceEndsBeforeItsLauncherIsGone) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const LauncherStop stop(pod.pid());
  ASSERT_TRUE(stop.works());
  const Answer started = pod.Create("c1", ShellPlan("exit 3"), {.flags = kProcessStart});
  ASSERT_EQ(started.type(), MessageType::kStarted);
  EXPECT_EQ(stop.stopped(), 1);
  EXPECT_EQ(pod.AwaitExit("c1").exit_code, 3);
}

TEST_F(ShimOrderTest, ACreatedContainerIsKilledBeforeItsLauncherIsGone) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const LauncherStop stop(pod.pid());
  ASSERT_TRUE(stop.works());
  ASSERT_EQ(pod.Create("c1", ShellPlan("exit 3")).Failure(), "");
  EXPECT_EQ(pod.AskAbout(MessageType::kRemoveContainer, "c1").Failure(), "");
  const ProcessState ended = pod.AwaitExit("c1");
  EXPECT_EQ(ended.failed_step, static_cast<uint32_t>(FailedStep::kDied));
  EXPECT_EQ(ended.started_ns, 0U);
}

}  // namespace
}  // namespace podium::runtime::shim
