#include "node/container_commands.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "http/poller.h"
#include "runtime/fake_runtime.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;

// Commands that never end, when they are to.
class StubbornRuntime : public runtime::FakeRuntime {
 public:
  bool stubborn = false;
  Result<std::unique_ptr<runtime::Session>> Exec(const runtime::cri::ExecRequest& request,
                                                 const runtime::WindowSize& window) override {
    if (!stubborn) return FakeRuntime::Exec(request, window);
    runtime::cri::AttachRequest attach;
    attach.container_id = request.container_id;
    attach.stdout_ = attach.stderr_ = true;
    return FakeRuntime::Attach(attach);
  }
};

class ContainerCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    runtime::cri::PodSandboxConfig sandbox;
    sandbox.metadata.emplace();
    sandbox.metadata->name = "p";
    sandbox.metadata->uid = "u";
    sandbox.metadata->namespace_ = "ns";
    runtime::cri::ContainerConfig config;
    config.metadata.emplace();
    config.metadata->name = "a";
    config.image.emplace();
    config.image->image = "busybox:1";
    const auto sandbox_id = runtime_.RunPodSandbox(sandbox, "");
    ASSERT_TRUE(sandbox_id.ok()) << sandbox_id.error().message();
    const auto container = runtime_.CreateContainer(*sandbox_id, config, {});
    ASSERT_TRUE(container.ok()) << container.error().message();
    container_ = *container;
    ASSERT_TRUE(runtime_.StartContainer(container_).ok());
  }
  ~ContainerCommandsTest() override { poller_->Stop(); }

  std::future<Result<CommandOutput>> Begin(const std::vector<std::string>& command,
                                           std::chrono::seconds timeout) {
    const auto promise = std::make_shared<std::promise<Result<CommandOutput>>>();
    commands_->RunInContainer(
        container_, command, timeout,
        [promise](Result<CommandOutput> output) { promise->set_value(std::move(output)); });
    return promise->get_future();
  }

  StubbornRuntime runtime_;
  ThreadExecutor executor_;
  std::shared_ptr<http::Poller> poller_ = *http::Poller::Create();
  std::unique_ptr<ContainerCommands> commands_ =
      std::make_unique<ContainerCommands>(runtime_, poller_, executor_);
  std::string container_;
};

TEST_F(ContainerCommandsTest, WhatACommandPrintsAndHowItEnds) {
  runtime_.ScriptExec([](const std::string& name, const std::vector<std::string>& command) {
    return runtime::FakeRuntime::ExecResult{
        .stdout_text = name, .stderr_text = " " + command.at(1), .exit_code = 3};
  });
  const auto output = Begin({"sh", "-c"}, 5s).get();
  ASSERT_TRUE(output.ok()) << output.error().message();
  EXPECT_EQ(output->exit_code, 3);
  EXPECT_EQ(output->text, "a -c");
  EXPECT_EQ(runtime_.sessions(), 0);
}

TEST_F(ContainerCommandsTest, OnlyTheBeginningIsKept) {
  runtime_.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    return runtime::FakeRuntime::ExecResult{.stdout_text = std::string(100'000, 'o'),
                                            .stderr_text = std::string(100'000, 'e')};
  });
  const auto output = Begin({"x"}, 5s).get();
  ASSERT_TRUE(output.ok()) << output.error().message();
  EXPECT_EQ(output->text, std::string(10 << 10, 'o'));
}

TEST_F(ContainerCommandsTest, TheTimePasses) {
  runtime_.stubborn = true;
  const auto output = Begin({"sleep", "a \"day\""}, 1s).get();
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(output.error().message(), R"(command timed out: "sleep a \"day\"" timed out after 1s)");
  EXPECT_EQ(runtime_.sessions(), 0);
}

TEST_F(ContainerCommandsTest, ACommandThatCannotBegin) {
  ASSERT_TRUE(runtime_.Exit(container_, 0).ok());
  const auto output = Begin({"x"}, 5s).get();
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().code(), Code::kDeadlineExceeded);
}

TEST_F(ContainerCommandsTest, NoSessionOutlivesIt) {
  runtime_.stubborn = true;
  auto output = Begin({"x"}, 100s);
  for (int i = 0; i < 1000 && runtime_.sessions() == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(runtime_.sessions(), 1);
  poller_->Stop();
  commands_.reset();
  EXPECT_EQ(runtime_.sessions(), 0);
  EXPECT_EQ(output.get().error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::node
