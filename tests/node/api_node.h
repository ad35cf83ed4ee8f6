// An agent behind its socket, on real threads and real time, over a runtime without a kernel.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/executor.h"
#include "client/client.h"
#include "http/client.h"
#include "http/listener.h"
#include "http/server.h"
#include "node/agent.h"
#include "node/agent_api.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {

class ApiNode : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    // Ends of containers are told in the runtime's time, and waits after them in ours.
    node_.runtime.Advance(std::chrono::nanoseconds(clock_.Now()) - node_.runtime.now());
    auto streams = StreamService::Create(executor_);
    ASSERT_TRUE(streams.ok()) << streams.error().message();
    streams_ = *std::move(streams);
    node_.other_wheel.emplace(executor_, [this] { return clock_.Now(); });
    auto opened = Agent::Open({.config = node_.config,
                               .clock = clock_,
                               .executor = executor_,
                               .runtime = node_.runtime,
                               .images = node_.images,
                               .volumes = node_.volumes,
                               .objects = objects_,
                               .network = node_.network,
                               .commands = node_.commands,
                               .wheel = *node_.other_wheel,
                               .events = events_,
                               .metrics = node_.metrics});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
    logs_ = *FollowedLogs::Create(*agent_, *poller_);
    api_ = std::make_unique<AgentApi>(*agent_, node_.images, nullptr, *streams_, *logs_, "v-test");
    http::ServerOptions options;
    options.treatment = AgentApi::TreatmentOf;
    auto listener = http::Listener::Unix(Socket());
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    auto server = http::Server::Start(
        *std::move(listener), std::move(options),
        [this](const std::shared_ptr<http::Exchange>& exchange) { api_->Handle(exchange); });
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = *std::move(server);
    client_.emplace(*client::Client::Create(client::AgentAt(node_.config.run_dir)));
    http_.emplace(*http::Client::Create({}));
  }
  void TearDown() override {
    if (server_) server_->Stop(std::chrono::seconds(2));
    if (streams_) streams_->Stop();
    poller_->Stop();
  }

  std::string Socket() const { return node_.config.run_dir + "/agent.sock"; }

  struct Answer {
    int status = 0;
    std::string body;
    api::meta::v1::Status failure() const {
      auto read = reflect::FromJson<api::meta::v1::Status>(body, {.strict = false});
      return read.ok() ? *read : api::meta::v1::Status();
    }
  };
  // As a client without any knowledge would ask.
  Answer Ask(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.url = "http://localhost" + target;
    request.unix_socket = Socket();
    request.body = body;
    auto response = http_->Send(request);
    if (!response.ok()) return {0, response.error().message()};
    Answer out{response->status(), ""};
    auto text = response->ReadAll(size_t{1} << 20);
    if (text.ok()) out.body = *std::move(text);
    return out;
  }

  // A pod of this spec, running.
  v1::Pod Run(const std::string& name, const std::string& spec) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    pod.metadata.uid.clear();
    auto created = client_->Create(pod);
    EXPECT_TRUE(created.ok()) << created.error().message();
    return WaitFor(name, [](const v1::Pod& now) { return now.status.phase == "Running"; });
  }
  // The pod as soon as this is true; fails after ten seconds.
  v1::Pod WaitFor(const std::string& name, const std::function<bool(const v1::Pod&)>& is) {
    for (int i = 0; i < 1000; ++i) {
      auto pod = client_->Get<v1::Pod>({"ns", name});
      if (pod.ok() && is(*pod)) return *std::move(pod);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << name << " did not come so far";
    return {};
  }

  SystemClock clock_;
  FakeNode node_;
  EventRecorder events_{clock_, "node7"};
  ObjectStore objects_{node_.config};
  ThreadExecutor executor_;
  std::unique_ptr<Agent> agent_;
  std::shared_ptr<http::Poller> poller_ = *http::Poller::Create();
  std::unique_ptr<FollowedLogs> logs_;
  std::unique_ptr<StreamService> streams_;
  std::unique_ptr<AgentApi> api_;
  std::unique_ptr<http::Server> server_;
  std::optional<client::Client> client_;
  std::optional<http::Client> http_;
};

}  // namespace podium::node
