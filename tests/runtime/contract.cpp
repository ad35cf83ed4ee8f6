#include "contract.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace podium::runtime {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using State = cri::ContainerState;
using std::chrono::seconds;

void RuntimeContract::SetUp() {
  std::string skip;
  harness_ = GetParam().make(&skip);
  if (!harness_) GTEST_SKIP() << skip;
}

cri::PodSandboxConfig RuntimeContract::Pod(const std::string& name) {
  cri::PodSandboxConfig config;
  config.metadata = cri::PodSandboxMetadata{name, "uid-" + name, "default", 0};
  config.labels["pod"] = name;
  config.annotations["note"] = "of " + name;
  return config;
}

std::string RuntimeContract::RunPod(const std::string& name) {
  const auto id = runtime().RunPodSandbox(Pod(name), "");
  EXPECT_TRUE(id.ok()) << id.error().message();
  return id.ok() ? *id : "";
}

std::string RuntimeContract::Create(const std::string& sandbox,
                                    const cri::ContainerConfig& config) {
  const auto id = runtime().CreateContainer(sandbox, config, {});
  EXPECT_TRUE(id.ok()) << id.error().message();
  return id.ok() ? *id : "";
}

std::string RuntimeContract::Start(const std::string& sandbox, const cri::ContainerConfig& config) {
  const std::string id = Create(sandbox, config);
  const auto started = runtime().StartContainer(id);
  EXPECT_TRUE(started.ok()) << started.error().message();
  return id;
}

cri::ContainerStatus RuntimeContract::StatusOf(const std::string& container) {
  const auto response = runtime().ContainerStatus(container, false);
  EXPECT_TRUE(response.ok()) << response.error().message();
  return response.ok() ? *response->status : cri::ContainerStatus{};
}

cri::PodSandboxState RuntimeContract::StateOf(const std::string& sandbox) {
  const auto response = runtime().PodSandboxStatus(sandbox, false);
  EXPECT_TRUE(response.ok()) << response.error().message();
  return response.ok() ? response->status->state : cri::PodSandboxState::kSandboxNotready;
}

cri::ContainerStatus RuntimeContract::WaitForExit(const std::string& container) {
  const auto end = std::chrono::steady_clock::now() + seconds(10);
  cri::ContainerStatus status = StatusOf(container);
  while (status.state != State::kContainerExited && std::chrono::steady_clock::now() < end) {
    harness_->Pass();
    status = StatusOf(container);
  }
  EXPECT_EQ(status.state, State::kContainerExited);
  return status;
}

TEST_P(RuntimeContract, SandboxIsReadyUntilStoppedAndGoneWhenRemoved) {
  const std::string id = RunPod("a");
  EXPECT_THAT(id, SizeIs(64));
  EXPECT_EQ(StateOf(id), cri::PodSandboxState::kSandboxReady);
  const auto status = runtime().PodSandboxStatus(id, false);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->status->metadata, Pod("a").metadata);
  EXPECT_EQ(status->status->labels, Pod("a").labels);
  EXPECT_EQ(status->status->annotations, Pod("a").annotations);
  EXPECT_FALSE(status->status->network->ip.empty());
  EXPECT_GT(status->status->created_at, 0);

  ASSERT_TRUE(runtime().StopPodSandbox(id).ok());
  EXPECT_EQ(StateOf(id), cri::PodSandboxState::kSandboxNotready);
  EXPECT_TRUE(runtime().StopPodSandbox(id).ok());
  ASSERT_TRUE(runtime().RemovePodSandbox(id).ok());
  EXPECT_TRUE(runtime().RemovePodSandbox(id).ok());
  EXPECT_TRUE(runtime().StopPodSandbox(id).ok());
  EXPECT_EQ(runtime().PodSandboxStatus(id, false).error().code(), Code::kNotFound);
  EXPECT_THAT(*runtime().ListPodSandbox({}), IsEmpty());
}

TEST_P(RuntimeContract, NamesAreUniqueUntilRemoved) {
  const std::string id = RunPod("a");
  const auto again = runtime().RunPodSandbox(Pod("a"), "");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(again.error().message(), HasSubstr("is reserved for \"" + id + "\""));
  cri::PodSandboxConfig second = Pod("a");
  second.metadata->attempt = 1;
  EXPECT_TRUE(runtime().RunPodSandbox(second, "").ok());

  Create(id, harness_->Runs("c"));
  EXPECT_EQ(runtime().CreateContainer(id, harness_->Runs("c"), {}).error().code(),
            Code::kAlreadyExists);
  ASSERT_TRUE(runtime().RemovePodSandbox(id).ok());
  EXPECT_TRUE(runtime().RunPodSandbox(Pod("a"), "").ok());
}

TEST_P(RuntimeContract, MetadataAndHandlerAreChecked) {
  EXPECT_EQ(runtime().RunPodSandbox({}, "").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(runtime().RunPodSandbox(Pod("a"), "kata").error().code(), Code::kInvalidArgument);
  const std::string id = RunPod("a");
  cri::ContainerConfig config = harness_->Runs("c");
  config.metadata.reset();
  EXPECT_EQ(runtime().CreateContainer(id, config, {}).error().code(), Code::kInvalidArgument);
  config = harness_->Runs("c");
  config.image.reset();
  EXPECT_EQ(runtime().CreateContainer(id, config, {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(runtime().CreateContainer("feed", harness_->Runs("c"), {}).error().code(),
            Code::kNotFound);
  EXPECT_THAT(*runtime().ListContainers({}), IsEmpty());
}

TEST_P(RuntimeContract, ContainerGoesThroughItsStates) {
  const std::string pod = RunPod("a");
  const std::string id = Create(pod, harness_->Runs("c"));
  cri::ContainerStatus status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerCreated);
  EXPECT_GT(status.created_at, 0);
  EXPECT_EQ(status.started_at, 0);
  EXPECT_EQ(status.metadata->name, "c");

  ASSERT_TRUE(runtime().StartContainer(id).ok());
  status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerRunning);
  EXPECT_GE(status.started_at, status.created_at);
  EXPECT_FALSE(runtime().StartContainer(id).ok());

  harness_->AwaitUp(id);
  ASSERT_TRUE(runtime().StopContainer(id, seconds(10)).ok());
  status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerExited);
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_EQ(status.reason, "Completed");
  EXPECT_GE(status.finished_at, status.started_at);
  EXPECT_TRUE(runtime().StopContainer(id, seconds(10)).ok());
  const auto started = runtime().StartContainer(id);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().message(), "container is in CONTAINER_EXITED state");

  ASSERT_TRUE(runtime().RemoveContainer(id).ok());
  EXPECT_TRUE(runtime().RemoveContainer(id).ok());
  EXPECT_TRUE(runtime().StopContainer(id, seconds(0)).ok());
  EXPECT_EQ(runtime().ContainerStatus(id, false).error().code(), Code::kNotFound);
}

TEST_P(RuntimeContract, ExitCodeAndReason) {
  const std::string pod = RunPod("a");
  cri::ContainerStatus status = WaitForExit(Start(pod, harness_->Exits("good", 0)));
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_EQ(status.reason, "Completed");
  status = WaitForExit(Start(pod, harness_->Exits("bad", 3)));
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.reason, "Error");
}

TEST_P(RuntimeContract, GracePeriodEndsWithKill) {
  const std::string pod = RunPod("a");
  const std::string id = Start(pod, harness_->IgnoresStop("c"));
  harness_->Pass();
  ASSERT_TRUE(runtime().StopContainer(id, seconds(1)).ok());
  const cri::ContainerStatus status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerExited);
  EXPECT_EQ(status.exit_code, 137);
  EXPECT_EQ(status.reason, "Error");
}

TEST_P(RuntimeContract, FailedStartIsAnExit) {
  const std::string pod = RunPod("a");
  const std::string id = Create(pod, harness_->CannotStart("c"));
  const auto started = runtime().StartContainer(id);
  ASSERT_FALSE(started.ok());
  const cri::ContainerStatus status = StatusOf(id);
  EXPECT_EQ(status.state, State::kContainerExited);
  EXPECT_EQ(status.exit_code, 128);
  EXPECT_EQ(status.reason, "StartError");
  EXPECT_EQ(status.message, started.error().message());
  EXPECT_TRUE(runtime().RemoveContainer(id).ok());
}

TEST_P(RuntimeContract, CreatedContainerIsNotStoppedButRemoved) {
  const std::string pod = RunPod("a");
  const std::string id = Create(pod, harness_->Runs("c"));
  EXPECT_TRUE(runtime().StopContainer(id, seconds(1)).ok());
  EXPECT_EQ(StatusOf(id).state, State::kContainerCreated);
  EXPECT_TRUE(runtime().RemoveContainer(id).ok());
  EXPECT_THAT(*runtime().ListContainers({}), IsEmpty());
}

TEST_P(RuntimeContract, RemovalKillsWhatRuns) {
  const std::string pod = RunPod("a");
  const std::string id = Start(pod, harness_->IgnoresStop("c"));
  EXPECT_TRUE(runtime().RemoveContainer(id).ok());
  Start(pod, harness_->IgnoresStop("c"));
  EXPECT_TRUE(runtime().RemovePodSandbox(pod).ok());
  EXPECT_THAT(*runtime().ListContainers({}), IsEmpty());
}

TEST_P(RuntimeContract, StoppedSandboxTakesNoContainers) {
  const std::string pod = RunPod("a");
  const std::string running = Start(pod, harness_->Runs("c"));
  const std::string created = Create(pod, harness_->Runs("d"));
  ASSERT_TRUE(runtime().StopPodSandbox(pod).ok());
  EXPECT_EQ(WaitForExit(running).exit_code, 137);
  EXPECT_FALSE(runtime().StartContainer(created).ok());
  EXPECT_FALSE(runtime().CreateContainer(pod, harness_->Runs("e"), {}).ok());
  EXPECT_EQ(StatusOf(running).state, State::kContainerExited);
}

TEST_P(RuntimeContract, FiltersAndShortIds) {
  const std::string a = RunPod("a");
  const std::string b = RunPod("b");
  const std::string one = Start(a, harness_->Runs("one"));
  const std::string two = Create(b, harness_->Runs("two"));
  const auto names = [&](const cri::ContainerFilter& wanted) {
    std::vector<std::string> found;
    const auto list = runtime().ListContainers(wanted);
    for (const auto& container : *list) found.push_back(container.metadata->name);
    std::ranges::sort(found);
    return found;
  };
  EXPECT_THAT(names({}), ElementsAre("one", "two"));
  cri::ContainerFilter filter;
  filter.id = one.substr(0, 12);
  EXPECT_THAT(names(filter), ElementsAre("one"));
  filter = {};
  filter.pod_sandbox_id = b;
  EXPECT_THAT(names(filter), ElementsAre("two"));
  filter = {};
  filter.state = cri::ContainerStateValue{State::kContainerRunning};
  EXPECT_THAT(names(filter), ElementsAre("one"));
  filter = {};
  filter.label_selector["no"] = "such";
  EXPECT_THAT(names(filter), IsEmpty());
  cri::PodSandboxFilter of_b;
  of_b.label_selector["pod"] = "b";
  const auto pods = runtime().ListPodSandbox(of_b);
  ASSERT_THAT(*pods, SizeIs(1));
  EXPECT_EQ(pods->front().id, b);
  EXPECT_EQ(StatusOf(one.substr(0, 12)).id, one);
  EXPECT_EQ(runtime().ContainerStatus("", false).error().code(), Code::kNotFound);
  EXPECT_THAT(runtime().PodSandboxStatus(b, false)->containers_statuses, SizeIs(1));
}

TEST_P(RuntimeContract, WhatNeedsARunningContainerSaysSo) {
  const std::string pod = RunPod("a");
  const std::string id = Create(pod, harness_->Runs("c"));
  EXPECT_FALSE(runtime().ExecSync(id, {"true"}, seconds(1)).ok());
  cri::ExecRequest exec;
  exec.container_id = id;
  exec.cmd = {"true"};
  EXPECT_FALSE(runtime().Exec(exec, {}).ok());
  cri::AttachRequest attach;
  attach.container_id = id;
  attach.stdout_ = true;
  EXPECT_FALSE(runtime().Attach(attach).ok());
  EXPECT_FALSE(runtime().ReopenContainerLog(id).ok());
  EXPECT_EQ(runtime().ExecSync("feed", {"true"}, seconds(1)).error().code(), Code::kNotFound);
  ASSERT_TRUE(runtime().StartContainer(id).ok());
  const auto result = runtime().ExecSync(id, {"true"}, seconds(10));
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->exit_code, 0);
}

TEST_P(RuntimeContract, EventsComeInOrder) {
  using Type = cri::ContainerEventType;
  std::mutex mutex;
  std::vector<std::pair<std::string, Type>> events;
  runtime().SetEventHandler([&](const cri::ContainerEventResponse& event) {
    const std::lock_guard lock(mutex);
    events.emplace_back(event.container_id, event.container_event_type);
  });
  const std::string pod = RunPod("a");
  const std::string id = Start(pod, harness_->Exits("c", 0));
  WaitForExit(id);
  ASSERT_TRUE(runtime().RemoveContainer(id).ok());
  ASSERT_TRUE(runtime().RemovePodSandbox(pod).ok());
  const auto of = [&](const std::string& wanted) {
    const std::lock_guard lock(mutex);
    std::vector<Type> types;
    for (const auto& [name, type] : events) {
      if (name == wanted) types.push_back(type);
    }
    return types;
  };
  const std::vector<Type> all = {Type::kContainerCreatedEvent, Type::kContainerStartedEvent,
                                 Type::kContainerStoppedEvent, Type::kContainerDeletedEvent};
  for (int i = 0; i < 1000 && (of(id) != all || of(pod) != all); ++i) harness_->Pass();
  EXPECT_EQ(of(id), all);
  EXPECT_EQ(of(pod), all);
  runtime().SetEventHandler(nullptr);
}

TEST_P(RuntimeContract, StatusNamesItsConditions) {
  const auto response = runtime().Status();
  ASSERT_TRUE(response.ok()) << response.error().message();
  std::set<std::string> types;
  for (const auto& condition : response->status->conditions) types.insert(condition.type);
  EXPECT_EQ(types, (std::set<std::string>{"RuntimeReady", "NetworkReady"}));
}

}  // namespace podium::runtime
