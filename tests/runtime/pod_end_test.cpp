// How containers and pods end when the processes that see to it are killed, and when something of
// them stays behind.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "embedded_harness.h"
#include "runtime/messages.h"

namespace podium::runtime {
namespace {

class PodEndTest : public EmbeddedTest {
 protected:
  pid_t InfraOf(const std::string& pod) {
    const auto info = runtime().PodSandboxStatus(pod, true)->info.at("info");
    return std::stoi(info.substr(info.find("\"pid\":") + 6));
  }
};

// The shim was killed after it had written how the container ended, and before it could say so.
TEST_F(PodEndTest, AnExitThatWasWrittenAndNotTold) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("c", "exec sleep 1000"));
  const pid_t shim = ParentOf(InfraOf(pod));
  ASSERT_EQ(kill(shim, SIGSTOP), 0);
  shim::ExitRecord record{.magic = shim::kExitMagic, .version = shim::kMessageVersion, .state = {}};
  record.state.kind = shim::ProcessKind::kContainer;
  record.state.phase = shim::ProcessPhase::kExited;
  record.state.exit_code = 7;
  record.state.started_ns = 1'000'000'000;
  record.state.finished_ns = 5'000'000'000;
  WriteHostFile(machine_->instance().run_dir + "/sandboxes/" + pod + "/containers/" + id + "/exit",
                {reinterpret_cast<const char*>(&record), sizeof record});
  ASSERT_EQ(kill(shim, SIGKILL), 0);
  const cri::ContainerStatus status = Wait(id);
  EXPECT_EQ(status.exit_code, 7);
  EXPECT_EQ(status.reason, "Error");
  EXPECT_EQ(status.finished_at, 5'000'000'000);
}

// In a shared pid namespace the kernel does not end what a container's first process leaves.
TEST_F(PodEndTest, NothingOfARunIsThereWhenTheNextBegins) {
  cri::PodSandboxConfig config = TestPod("p");
  config.linux_->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
  const std::string pod = RunPod(config);
  constexpr size_t kRuns = 8;
  std::vector<std::string> runs;
  for (uint32_t attempt = 0; attempt < kRuns; ++attempt) {
    cri::ContainerConfig container =
        Shell("c",
              "ps -o args | grep -c '^sleep 4242'; "
              "i=0; while [ $i -lt 200 ]; do sleep 4242 & i=$((i+1)); done");
    container.metadata->attempt = attempt;
    container.log_path = "c/" + std::to_string(attempt) + ".log";
    container.linux_->security_context->namespace_options->pid = cri::NamespaceMode::kPod;
    auto made = runtime().CreateContainer(pod, container, {});
    ASSERT_TRUE(made.ok()) << made.error().message();
    runs.push_back(*std::move(made));
  }
  for (const std::string& run : runs) {
    const auto started = runtime().StartContainer(run);
    ASSERT_TRUE(started.ok()) << started.error().message();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto runs_on = [&] {
      return runtime().ContainerStatus(run, false)->status->state !=
             cri::ContainerState::kContainerExited;
    };
    // Without a moment's rest: the next one starts as soon as that may be.
    while (runs_on() && std::chrono::steady_clock::now() < end) {
    }
  }
  for (const std::string& run : runs) EXPECT_EQ(LogOf(Wait(run)), "0\n");
}

}  // namespace
}  // namespace podium::runtime
