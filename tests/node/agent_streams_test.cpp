#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <future>

#include "node/api_node.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr char kLog[] = "/api/v1/namespaces/ns/pods/web/log";

class AgentStreamsTest : public ApiNode {
 protected:
  // What a run of a container of the pod has printed.
  void Print(const std::string& container, int run, const std::string& text) {
    const std::string uid = client_->Get<v1::Pod>({"ns", "web"})->metadata.uid;
    const std::string folder = PodLogFolder(node_.config, "ns", "web", uid) + "/" + container;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + std::to_string(run) + ".log", std::ios::app)
        << "2026-11-22T00:00:01.5Z stdout F " << text << '\n';
  }
  static std::string ReadAll(client::RemoteCommand& command, std::string* errors = nullptr) {
    std::string out;
    while (true) {
      auto piece = command.Read();
      if (!piece.ok() || !*piece) return out;
      (errors && (*piece)->is_stderr ? *errors : out) += (*piece)->data;
    }
  }
  Result<client::RemoteCommand> Exec(std::vector<std::string> words, const std::string& container) {
    v1::PodExecOptions options;
    options.command = std::move(words);
    options.container = container;
    options.stdout_ = true;
    options.stderr_ = true;
    return client_->Exec({"ns", "web"}, options);
  }
};

TEST_F(AgentStreamsTest, LogsOfWhatRuns) {
  Run("web", "containers: [{name: a}]");
  EXPECT_EQ(Ask("GET", kLog).body, "");
  Print("a", 0, "one");
  Print("a", 0, "two");
  EXPECT_EQ(Ask("GET", kLog).body, "one\ntwo\n");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?tailLines=1&timestamps=true").body,
            "2026-11-22T00:00:01.5Z two\n");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?stream=Stderr").body, "");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?sinceTime=2026-11-22T00:00:02Z").body, "");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?sinceTime=yesterday").status, 400);
}

TEST_F(AgentStreamsTest, LogsThatCannotBeGiven) {
  EXPECT_EQ(Ask("GET", kLog).failure().message, "pods \"web\" not found");
  Run("web", "containers: [{name: a}, {name: b}]");
  EXPECT_EQ(Ask("GET", kLog).failure().message,
            "a container name must be specified for pod web, choose one of: [a b]");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?container=c").failure().message,
            "container c is not valid for pod web");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?container=a&previous=true").failure().message,
            "previous terminated container \"a\" in pod \"web\" not found");
}

TEST_F(AgentStreamsTest, LogsOfAContainerThatWaits) {
  v1::Pod pod = PodOf("containers: [{name: a, image: 'none:1'}]");
  pod.metadata.name = "web";
  ASSERT_TRUE(client_->Create(pod).ok());
  WaitFor("web", [](const v1::Pod& now) {
    return !now.status.containerStatuses.empty() && now.status.containerStatuses[0].state.waiting &&
           now.status.containerStatuses[0].state.waiting->reason == "ErrImagePull";
  });
  EXPECT_EQ(Ask("GET", kLog).failure().message,
            "container \"a\" in pod \"web\" is waiting to start: image can't be pulled");
}

TEST_F(AgentStreamsTest, LogsOfTheRunBefore) {
  Run("web", "containers: [{name: a}]");
  Print("a", 0, "first");
  Print("a", 1, "second");
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 1).ok());
  WaitFor("web", [](const v1::Pod& now) {
    const auto& status = now.status.containerStatuses[0];
    return status.restartCount == 1 && status.state.running;
  });
  EXPECT_EQ(Ask("GET", kLog).body, "second\n");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?previous=true").body, "first\n");
  // It waits now: what ended last is meant either way, as with kubelets.
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 1).ok());
  WaitFor("web", [](const v1::Pod& now) {
    const auto& state = now.status.containerStatuses[0].state;
    return state.waiting && state.waiting->reason == "CrashLoopBackOff";
  });
  EXPECT_EQ(Ask("GET", kLog).body, "second\n");
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?previous=true").body, "second\n");
}

TEST_F(AgentStreamsTest, AFollowedLogEndsWithItsContainer) {
  Run("web", "restartPolicy: Never, containers: [{name: a}]");
  Print("a", 0, "one");
  v1::PodLogOptions options;
  options.follow = true;
  auto log = client_->Logs({"ns", "web"}, options);
  ASSERT_TRUE(log.ok()) << log.error().message();
  std::array<char, 100> buffer{};
  ASSERT_EQ(*log->Read(buffer), 4U);
  Print("a", 0, "two");
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 0).ok());
  std::string rest;
  while (true) {
    const auto got = log->Read(buffer);
    ASSERT_TRUE(got.ok()) << got.error().message();
    if (*got == 0) break;
    rest.append(buffer.data(), *got);
  }
  EXPECT_EQ(rest, "two\n");
}

TEST_F(AgentStreamsTest, AFollowedLogEndsWithItsPod) {
  Run("web", "containers: [{name: a}]");
  Print("a", 0, "one");
  v1::PodLogOptions options;
  options.follow = true;
  auto log = client_->Logs({"ns", "web"}, options);
  ASSERT_TRUE(log.ok()) << log.error().message();
  std::array<char, 100> buffer{};
  ASSERT_EQ(*log->Read(buffer), 4U);
  ASSERT_TRUE(agent_->DeletePod("ns", "web", 0).ok());
  const auto end = log->Read(buffer);
  ASSERT_TRUE(end.ok()) << end.error().message();
  EXPECT_EQ(*end, 0U);
}

// A container that has ended when it is asked for, or is replaced, is not waited for.
TEST_F(AgentStreamsTest, AFollowedLogOfWhatHasEndedEnds) {
  Run("web", "restartPolicy: Never, containers: [{name: a}]");
  Print("a", 0, "one");
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 0).ok());
  WaitFor("web", [](const v1::Pod& now) {
    return now.status.containerStatuses[0].state.terminated.has_value();
  });
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?follow=true").body, "one\n");
}

TEST_F(AgentStreamsTest, FollowedLogsEndWithTheAgent) {
  Run("web", "containers: [{name: a}]");
  Print("a", 0, "one");
  v1::PodLogOptions options;
  options.follow = true;
  auto log = client_->Logs({"ns", "web"}, options);
  ASSERT_TRUE(log.ok()) << log.error().message();
  std::array<char, 100> buffer{};
  ASSERT_EQ(*log->Read(buffer), 4U);
  logs_->Stop();
  // As a whole: an answer that is broken off is an error.
  const auto end = log->Read(buffer);
  ASSERT_TRUE(end.ok()) << end.error().message();
  EXPECT_EQ(*end, 0U);
  EXPECT_EQ(Ask("GET", std::string(kLog) + "?follow=true").body, "one\n");
}

size_t Threads() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                                           std::filesystem::directory_iterator()));
}

TEST_F(AgentStreamsTest, LogsThatAreFollowedHoldNoThreads) {
  Run("web", "restartPolicy: Never, containers: [{name: a}]");
  Print("a", 0, "one");
  const size_t before = Threads();
  v1::PodLogOptions options;
  options.follow = true;
  constexpr int kFollowers = 200;
  std::vector<client::ByteStream> logs;
  std::array<char, 100> buffer{};
  for (int i = 0; i < kFollowers; ++i) {
    auto log = client_->Logs({"ns", "web"}, options);
    ASSERT_TRUE(log.ok()) << log.error().message();
    ASSERT_EQ(*log->Read(buffer), 4U);
    logs.push_back(*std::move(log));
  }
  EXPECT_LE(Threads(), before + 10);
  Print("a", 0, "another");
  for (auto& log : logs) EXPECT_EQ(*log.Read(buffer), 8U);
  while (logs.size() > kFollowers / 2) logs.pop_back();  // the others go on
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 0).ok());
  for (auto& log : logs) EXPECT_EQ(*log.Read(buffer), 0U);
}

TEST_F(AgentStreamsTest, ACommandAndHowItEnds) {
  node_.runtime.ScriptExec([](const std::string& name, const std::vector<std::string>& words) {
    return runtime::FakeRuntime::ExecResult{.stdout_text = name + ":" + words.at(1),
                                            .stderr_text = "oops",
                                            .exit_code = words.at(0) == "fail" ? 3 : 0};
  });
  Run("web", "containers: [{name: a}, {name: b}]");
  for (const auto& [word, code] : {std::pair("well", 0), std::pair("fail", 3)}) {
    auto command = Exec({word, "x y"}, "b");
    ASSERT_TRUE(command.ok()) << command.error().message();
    std::string errors;
    EXPECT_EQ(ReadAll(*command, &errors), "b:x y");
    EXPECT_EQ(errors, "oops");
    const auto ended = command->exit_code();
    ASSERT_TRUE(ended.ok()) << ended.error().message();
    EXPECT_EQ(*ended, code);
  }
}

TEST_F(AgentStreamsTest, CommandsThatCannotRun) {
  Run("web", "restartPolicy: Never, containers: [{name: a}, {name: b}]");
  EXPECT_THAT(Exec({}, "a").error().message(), HasSubstr("you must specify at least 1 command"));
  EXPECT_THAT(Exec({"x"}, "").error().message(), HasSubstr("choose one of: [a b]"));
  const std::string path = "/api/v1/namespaces/ns/pods/web/exec?command=x&container=a";
  EXPECT_EQ(Ask("GET", path).failure().message, "Upgrade request required");
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 0).ok());
  WaitFor("web", [](const v1::Pod& now) {
    return now.status.containerStatuses[0].state.terminated.has_value();
  });
  EXPECT_EQ(Exec({"x"}, "a").error().message(), "container \"a\" in pod \"web\" is not running");
  node_.runtime.Fail("Exec", Error(Code::kUnavailable, "the shim is gone"));
  EXPECT_EQ(Exec({"x"}, "b").error().message(), "the shim is gone");
}

TEST_F(AgentStreamsTest, AnAttachmentEndsWithItsClient) {
  Run("web", "containers: [{name: a}]");
  v1::PodAttachOptions options;
  options.stdout_ = true;
  auto attached = client_->Attach({"ns", "web"}, options);
  ASSERT_TRUE(attached.ok()) << attached.error().message();
  EXPECT_EQ(node_.runtime.sessions(), 1);
  attached->Stop();
  for (int i = 0; i < 500 && node_.runtime.sessions() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(node_.runtime.sessions(), 0);
}

TEST_F(AgentStreamsTest, APortOfThePod) {
  std::promise<UniqueFd> connected;
  node_.runtime.ScriptPorts([&](const std::string& pod, uint16_t port) -> Result<UniqueFd> {
    if (pod != "web" || port != 8080) return Error(Code::kUnavailable, "connection refused");
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      return Error(Code::kInternal, "socketpair");
    }
    connected.set_value(UniqueFd(ends[0]));
    return UniqueFd(ends[1]);
  });
  EXPECT_EQ(client_->PortForward({"ns", "web"}, 8080).error().code(), Code::kNotFound);
  Run("web", "containers: [{name: a}]");
  auto connection = client_->PortForward({"ns", "web"}, 8080);
  ASSERT_TRUE(connection.ok()) << connection.error().message();
  ASSERT_TRUE(connection->Write("ping").ok());
  // Which is made when the client has its streams.
  auto reached = connected.get_future();
  ASSERT_EQ(reached.wait_for(10s), std::future_status::ready);
  UniqueFd inside = reached.get();
  std::array<char, 16> buffer{};
  ASSERT_EQ(read(inside.get(), buffer.data(), buffer.size()), 4);
  ASSERT_EQ(write(inside.get(), "pong!", 5), 5);
  const auto got = connection->Read(buffer);
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(std::string_view(buffer.data(), *got), "pong!");
  inside.reset();
  EXPECT_EQ(*connection->Read(buffer), 0U);

  auto refused = client_->PortForward({"ns", "web"}, 81);
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_THAT(refused->Read(buffer).error().message(), HasSubstr("connection refused"));
  EXPECT_EQ(Ask("GET", "/api/v1/namespaces/ns/pods/web/portforward?port=70000").status, 400);
}

}  // namespace
}  // namespace podium::node
