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

}  // namespace
}  // namespace podium::runtime
