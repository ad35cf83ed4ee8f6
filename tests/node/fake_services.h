// What a pod's worker works with, without a machine: images, volumes and a network that do as they
// are told, on virtual time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/time.h"
#include "base/text.h"
#include "node/agent.h"
#include "node/fake_objects.h"
#include "node/object_store.h"
#include "node/pod_services.h"
#include "node/virtual_time.h"
#include "reflect/go_text.h"
#include "runtime/fake_runtime.h"

namespace podium::node {

class FakeImages : public ImageService {
 public:
  explicit FakeImages(runtime::FakeRuntime& runtime) : runtime_(runtime) {}

  std::set<std::string> present;  // by name
  std::set<std::string> in_registry{"busybox:1"};
  std::string user;
  std::chrono::nanoseconds pull_takes{0};
  std::string error = "no such image";
  int pulls = 0;
  std::vector<std::string> secrets;
  // The registry takes only who has a secret with this "password".
  std::optional<std::string> private_to;

  std::optional<std::string> IdOf(std::string_view image) override {
    for (const std::string& each : present) {
      if (image == each || image == Image(each).id) return Image(each).id;
    }
    return std::nullopt;
  }
  std::vector<ImageSecret> SecretsFor(std::string_view /*image*/,
                                      const PullSecrets& with) override {
    std::vector<ImageSecret> out;
    for (const auto& secret : with) {
      const auto password = secret->data.find("password");
      if (password == secret->data.end()) continue;
      out.push_back({secret->metadata.uid, secret->metadata.namespace_, secret->metadata.name,
                     password->second.data});
    }
    return out;
  }
  Result<NodeImage> Find(std::string_view image) override {
    if (present.contains(std::string(image))) return Image(image);
    return Error(Code::kNotFound, "not here");
  }
  Result<NodeImage> Pull(std::string_view image, const PullSecrets& with,
                         const http::Cancellation* /*cancellation*/,
                         std::optional<ImageSecret>* used) override {
    ++pulls;
    for (const auto& secret : with) secrets.push_back(secret->metadata.name);
    runtime_.Advance(pull_takes);
    if (!in_registry.contains(std::string(image))) return Error(Code::kNotFound, error);
    const auto own = SecretsFor(image, with);
    if (private_to && std::ranges::find(own, *private_to, &ImageSecret::hash) == own.end()) {
      return Error(Code::kUnauthenticated, "unauthorized");
    }
    if (used) used->reset();
    if (used && private_to) *used = own.front();
    present.insert(std::string(image));
    return Image(image);
  }

 private:
  NodeImage Image(std::string_view image) const {
    return {.id = "id of " + std::string(image), .user = user, .size = 42};
  }
  runtime::FakeRuntime& runtime_;
};

class FakeVolumes : public PodVolumes {
 public:
  std::optional<Error> error;  // of SetUp
  std::optional<Error> mounts_error;
  std::function<void()> on_mounts;  // called when a container is about to be created
  int set_up = 0;
  std::optional<int64_t> refresh_at;
  std::vector<std::string> torn_down;
  VolumeImages images;

  std::vector<Error> SetUp(const v1::Pod& /*pod*/) override {
    if (error) return {*error};
    ++set_up;
    return {};
  }
  std::optional<int64_t> RefreshAt(std::string_view /*uid*/) const override { return refresh_at; }
  Result<std::vector<ContainerMount>> MountsOf(const v1::Pod& /*pod*/,
                                               const v1::Container& /*container*/,
                                               const Environment& /*environment*/,
                                               const VolumeImages& with) override {
    if (on_mounts) on_mounts();
    if (mounts_error) return *mounts_error;
    images = with;
    return std::vector<ContainerMount>();
  }
  Result<std::string> ReadFile(const v1::Pod& /*pod*/, std::string_view /*volume*/,
                               std::string_view /*path*/) override {
    return Error(Code::kNotFound, "no such file");
  }
  Result<void> TearDown(std::string_view uid) override {
    torn_down.emplace_back(uid);
    return {};
  }
};

class FakeNetworkProbes : public NetworkProbes {
 public:
  std::function<Result<Reply>(const HttpCall&)> http = [](const HttpCall&) -> Result<Reply> {
    return Reply{.status = 200, .body = "ok"};
  };
  std::vector<HttpCall> calls;
  std::vector<std::string> connections;  // "tcp HOST:PORT", "grpc HOST:PORT SERVICE"
  bool connects = true;
  bool serving = true;

  void HttpGet(HttpCall call, Done<Reply> done) override {
    calls.push_back(call);
    done(http(call));
  }
  void Connect(const std::string& host, uint16_t port, std::chrono::seconds /*timeout*/,
               Done<void> done) override {
    connections.push_back("tcp " + host + ":" + std::to_string(port));
    if (connects) return done({});
    done(Error(Code::kUnavailable, "connect: connection refused"));
  }
  void GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                  std::chrono::seconds /*timeout*/, Done<std::string> done) override {
    connections.push_back("grpc " + host + ":" + std::to_string(port) + " " + service);
    done(std::string(serving ? "SERVING" : "NOT_SERVING"));
  }
};

// Commands as the runtime is told that they do.
class FakeCommands : public CommandRunner {
 public:
  explicit FakeCommands(runtime::FakeRuntime& runtime) : runtime_(runtime) {}
  void RunInContainer(const std::string& container_id, const std::vector<std::string>& command,
                      std::chrono::seconds timeout, Done done) override {
    auto result = runtime_.ExecSync(container_id, command, timeout);
    if (!result.ok() && result.error().code() == Code::kDeadlineExceeded) {
      return done(Error(Code::kDeadlineExceeded,
                        "command timed out: " + reflect::GoQuoted(Join(command, " ")) +
                            " timed out after " +
                            api::Duration::FromSeconds(timeout.count()).String()));
    }
    if (!result.ok()) return done(std::move(result).error());
    done(CommandOutput{.exit_code = result->exit_code,
                       .text = result->stdout_.data + result->stderr_.data});
  }

 private:
  runtime::FakeRuntime& runtime_;
};

// A folder of its own, which goes with it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct FakeNode {
  FakeNode();

  TestFolder folder;
  NodeConfig config;
  runtime::FakeRuntime runtime;
  VirtualTime time{runtime};
  FakeImages images{runtime};
  FakeVolumes volumes;
  FakeObjects objects;
  FakeNetworkProbes network;
  FakeCommands commands{runtime};
  ProbeWheel wheel{time, [this] { return time.Now(); }};
  // Of an agent on another time.
  std::optional<ProbeWheel> other_wheel;
  EventRecorder events{time, "node7"};
  ImagePulls pulls{images, time, events, config};
  UserNamespaces users{config};
  NodeMetrics metrics;
  PodServices services{config,  time,     time,  runtime, pulls, volumes, objects,
                       network, commands, wheel, events,  users, metrics};

  // "Reason: message" of each, with " xN" when it came more than once.
  std::vector<std::string> Events() const;
  // The id of the newest container of that name; "" without any.
  std::string IdOf(std::string_view name);
};

// Of an agent on it. Another time than the node's own is for tests with threads.
Agent::Parts PartsOf(FakeNode& node, ObjectStore& objects);
Agent::Parts PartsOf(FakeNode& node, ObjectStore& objects, const Clock& clock, Executor& executor);

}  // namespace podium::node
