// What a new runtime finds of pods that change while it looks.
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include "embedded_harness.h"
#include "runtime/messages.h"
#include "shim_proxy.h"

namespace podium::runtime {
namespace {

using ::testing::IsEmpty;

// The infra process is killed between the shim's word that it runs and the agent's next step.
class KillInfra {
 public:
  explicit KillInfra(const std::string& folder)
      : proxy_(folder, [this](ShimProxy::From from, std::string* packet) { Look(from, *packet); }) {
  }
  bool has_killed() const { return has_killed_; }

 private:
  void Look(ShimProxy::From from, const std::string& packet) {
    shim::ProcessInfo info{};
    if (from != ShimProxy::From::kShim || packet.size() < sizeof info) return;
    std::memcpy(&info, packet.data(), sizeof info);
    if (info.header.type != shim::MessageType::kProcessState ||
        info.state.kind != shim::ProcessKind::kInfra) {
      return;
    }
    const std::string namespaces = "/proc/" + std::to_string(info.state.pid) + "/ns/net";
    has_killed_ = kill(info.state.pid, SIGKILL) == 0;
    for (int i = 0; i < 1000 && access(namespaces.c_str(), F_OK) == 0; ++i) usleep(10'000);
  }

  std::atomic<bool> has_killed_ = false;
  ShimProxy proxy_;
};

class RecoverTest : public EmbeddedTest {};

TEST_F(RecoverTest, AnInfraProcessThatEndsMeanwhile) {
  const std::string pod = RunPod(TestPod("p"));
  std::unique_ptr<KillInfra> killer;
  const Recovery recovery = machine_->Restart([&] {
    killer = std::make_unique<KillInfra>(machine_->instance().run_dir + "/sandboxes/" + pod);
  });
  EXPECT_TRUE(killer->has_killed());
  EXPECT_THAT(recovery.problems, IsEmpty());
  EXPECT_THAT(recovery.ready, IsEmpty());
  const auto pods = runtime().ListPodSandbox({});
  ASSERT_TRUE(pods.ok()) << pods.error().message();
  ASSERT_EQ(pods->size(), 1U);
  EXPECT_EQ(pods->front().id, pod);
  EXPECT_EQ(pods->front().state, cri::PodSandboxState::kSandboxNotready);
  const auto removed = runtime().RemovePodSandbox(pod);
  EXPECT_TRUE(removed.ok()) << removed.error().message();
}

// The agent was killed when the container had started and that was not recorded, and the shim after
// it: nobody can say any more that it did not run.
TEST_F(RecoverTest, AStartThatWasNotRecordedAndAShimThatIsGone) {
  const std::string pod = RunPod(TestPod("p"));
  const auto created = runtime().CreateContainer(pod, Shell("c", "exec sleep 1000"), {});
  ASSERT_TRUE(created.ok()) << created.error().message();
  const std::string record = machine_->instance().run_dir + "/sandboxes/" + pod + "/containers/" +
                             *created + "/state.json";
  const std::string before = ReadHostFile(record);
  ASSERT_TRUE(runtime().StartContainer(*created).ok());
  const auto info = runtime().PodSandboxStatus(pod, true)->info.at("info");
  const pid_t infra = std::stoi(info.substr(info.find("\"pid\":") + 6));
  const pid_t shim = ParentOf(infra);
  machine_->Restart([&] {
    WriteHostFile(record, before);
    ASSERT_EQ(kill(shim, SIGKILL), 0);
    const std::string namespaces = "/proc/" + std::to_string(infra) + "/ns/net";
    for (int i = 0; i < 1000 && access(namespaces.c_str(), F_OK) == 0; ++i) usleep(10'000);
  });
  const auto status = runtime().ContainerStatus(*created, false);
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(status->status->state, cri::ContainerState::kContainerExited);
  EXPECT_EQ(status->status->exit_code, 255);
  EXPECT_EQ(status->status->reason, "Unknown");
  EXPECT_NE(status->status->started_at, 0);
}

}  // namespace
}  // namespace podium::runtime
