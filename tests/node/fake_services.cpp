#include "node/fake_services.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>

namespace podium::node {

TestFolder::TestFolder() {
  static std::atomic<int> count = 0;
  path_ = std::filesystem::temp_directory_path() /
          ("podium_node_test_" + std::to_string(getpid()) + "_" + std::to_string(++count));
  std::filesystem::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FakeNode::FakeNode() {
  config.name = "node7";
  config.addresses = {"192.0.2.1"};
  config.data_dir = folder.path() + "/data";
  config.run_dir = folder.path() + "/run";
  config.log_dir = folder.path() + "/log";
  config.memory_bytes = int64_t{8} << 30;
  config.cluster_dns = {"10.96.0.10"};
}

std::vector<std::string> FakeNode::Events() const {
  std::vector<std::string> out;
  for (const v1::Event& event : events.List("")) {
    out.push_back(event.reason + ": " + event.message +
                  (event.count > 1 ? " x" + std::to_string(event.count) : ""));
  }
  return out;
}

std::string FakeNode::IdOf(std::string_view name) {
  std::string id;
  int64_t newest = -1;
  const auto containers = runtime.ListContainers({});
  for (const auto& container : *containers) {
    const bool later = container.created_at >= newest;
    if (!container.metadata || container.metadata->name != name || !later) continue;
    id = container.id;
    newest = container.created_at;
  }
  return id;
}

namespace {

Agent::Parts MakeParts(FakeNode& node, ObjectStore& objects, const Clock& clock, Executor& executor,
                       ProbeWheel& wheel) {
  return {.config = node.config,
          .clock = clock,
          .executor = executor,
          .runtime = node.runtime,
          .images = node.images,
          .volumes = node.volumes,
          .objects = objects,
          .network = node.network,
          .commands = node.commands,
          .wheel = wheel,
          .events = node.events,
          .metrics = node.metrics};
}

}  // namespace

Agent::Parts PartsOf(FakeNode& node, ObjectStore& objects) {
  return MakeParts(node, objects, node.time, node.time, node.wheel);
}

Agent::Parts PartsOf(FakeNode& node, ObjectStore& objects, const Clock& clock, Executor& executor) {
  node.other_wheel.emplace(executor, [&clock] { return clock.Now(); });
  return MakeParts(node, objects, clock, executor, *node.other_wheel);
}

}  // namespace podium::node
