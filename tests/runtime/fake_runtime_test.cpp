#include "runtime/fake_runtime.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "contract.h"

namespace podium::runtime {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

cri::ContainerConfig Named(const std::string& name) {
  cri::ContainerConfig config;
  config.metadata = cri::ContainerMetadata{name, 0};
  config.image.emplace().image = "busybox";
  return config;
}

class FakeHarness : public ContractHarness {
 public:
  Runtime& runtime() override { return runtime_; }
  cri::ContainerConfig Runs(const std::string& name) override { return Named(name); }
  cri::ContainerConfig IgnoresStop(const std::string& name) override {
    runtime_.Script(name, {.ignores_stop_signal = true});
    return Named(name);
  }
  cri::ContainerConfig Exits(const std::string& name, int code) override {
    runtime_.Script(name, {.exits_after = seconds(1), .exit_code = code});
    return Named(name);
  }
  cri::ContainerConfig CannotStart(const std::string& name) override {
    runtime_.Script(name, {.start_error = "exec: \"/nothing\": no such file or directory"});
    return Named(name);
  }
  void Pass() override { runtime_.Advance(seconds(1)); }

 private:
  FakeRuntime runtime_;
};

INSTANTIATE_TEST_SUITE_P(Fake, RuntimeContract,
                         ::testing::Values(ContractParameter{
                             "Fake",
                             [](std::string*) { return std::make_unique<FakeHarness>(); }}));

class FakeRuntimeTest : public ::testing::Test {
 protected:
  std::string Pod() {
    cri::PodSandboxConfig config;
    config.metadata = cri::PodSandboxMetadata{"pod", "uid", "default", 0};
    return *runtime_.RunPodSandbox(config, "");
  }
  std::string Start(const std::string& name) {
    const std::string id = *runtime_.CreateContainer(pod_, Named(name), {});
    EXPECT_TRUE(runtime_.StartContainer(id).ok());
    return id;
  }
  cri::ContainerStatus Status(const std::string& id) {
    return *runtime_.ContainerStatus(id, false)->status;
  }

  FakeRuntime runtime_;
  std::string pod_ = Pod();
};

TEST_F(FakeRuntimeTest, ContainersExitWhenTheirTimeHasCome) {
  runtime_.Script("late", {.exits_after = seconds(5), .exit_code = 2});
  runtime_.Script("soon", {.exits_after = seconds(1), .exit_code = 1});
  const std::string late = Start("late");
  const std::string soon = Start("soon");
  std::vector<std::string> order;
  runtime_.SetEventHandler(
      [&](const cri::ContainerEventResponse& event) { order.push_back(event.container_id); });
  const auto before = runtime_.now();
  runtime_.Advance(seconds(4));
  EXPECT_EQ(Status(soon).exit_code, 1);
  EXPECT_EQ(Status(soon).finished_at, (before + seconds(1)).count());
  EXPECT_EQ(Status(late).state, cri::ContainerState::kContainerRunning);
  runtime_.Advance(seconds(1));
  EXPECT_EQ(Status(late).exit_code, 2);
  EXPECT_THAT(order, ElementsAre(soon, late));
}

TEST_F(FakeRuntimeTest, FailuresComeAsScripted) {
  runtime_.Fail("StartContainer", Error(Code::kUnavailable, "busy"), 1, "b");
  Start("a");
  const std::string b = *runtime_.CreateContainer(pod_, Named("b"), {});
  const auto started = runtime_.StartContainer(b);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), Code::kUnavailable);
  EXPECT_EQ(Status(b).reason, "StartError");
  runtime_.Fail("StopPodSandbox", Error(Code::kInternal, "stuck"), 2);
  EXPECT_FALSE(runtime_.StopPodSandbox(pod_).ok());
  EXPECT_FALSE(runtime_.StopPodSandbox(pod_).ok());
  EXPECT_TRUE(runtime_.StopPodSandbox(pod_).ok());
}

TEST_F(FakeRuntimeTest, ExitsOnDemandWithAReason) {
  const std::string id = Start("a");
  ASSERT_TRUE(runtime_.Exit(id, 137, "OOMKilled").ok());
  EXPECT_EQ(Status(id).reason, "OOMKilled");
  EXPECT_FALSE(runtime_.Exit(id, 0).ok());
}

TEST_F(FakeRuntimeTest, InfraEndsThePod) {
  const std::string id = Start("a");
  ASSERT_TRUE(runtime_.KillInfra(pod_).ok());
  EXPECT_EQ(Status(id).exit_code, 137);
  EXPECT_EQ(runtime_.PodSandboxStatus(pod_, false)->status->state,
            cri::PodSandboxState::kSandboxNotready);
}

TEST_F(FakeRuntimeTest, ExecIsScripted) {
  Start("a");
  runtime_.ScriptExec([](const std::string& name, const std::vector<std::string>& command) {
    return FakeRuntime::ExecResult{
        .stdout_text = name + ':' + command[0], .exit_code = 4, .takes = seconds(2)};
  });
  const std::string id = (*runtime_.ListContainers({}))[0].id;
  const auto result = runtime_.ExecSync(id, {"ls"}, seconds(3));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stdout_.data, "a:ls");
  EXPECT_EQ(result->exit_code, 4);
  EXPECT_EQ(runtime_.ExecSync(id, {"ls"}, seconds(1)).error().code(), Code::kDeadlineExceeded);

  cri::ExecRequest request;
  request.container_id = id;
  request.cmd = {"ls"};
  request.stdout_ = true;
  const auto session = runtime_.Exec(request, {});
  ASSERT_TRUE(session.ok());
  char text[16] = {};
  EXPECT_EQ(read((*session)->stdout_fd(), text, sizeof text), 4);
  EXPECT_STREQ(text, "a:ls");
  EXPECT_EQ((*session)->stdin_fd(), -1);
  EXPECT_EQ(*(*session)->Wait(std::chrono::milliseconds(0)), 4);
}

TEST_F(FakeRuntimeTest, CallsAreNoted) {
  Start("a");
  EXPECT_THAT(runtime_.calls(),
              ElementsAre("RunPodSandbox pod", "CreateContainer a", "StartContainer a"));
}

}  // namespace
}  // namespace podium::runtime
