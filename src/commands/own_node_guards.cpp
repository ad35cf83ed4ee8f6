// What looks after a node: when it is short of something, and when its machine goes down.
#include <algorithm>
#include <chrono>
#include <utility>

#include "commands/own_node.h"
#include "linux/memory_watch.h"
#include "node/eviction/dead_containers.h"

namespace podium::commands {
namespace {

// Younger images are not removed, however full the disk (upstream's imageMinimumGCAge).
constexpr std::chrono::minutes kImageAge{2};

}  // namespace

node::NodeHealth Node::Health() {
  node::NodeHealth health = node::LookAtNode(*measured_, images_.get());
  if (shutdown_->state().shutting_down) health.problems.emplace_back(node::kShutdownProblem);
  const std::lock_guard lock(mutex_);
  const auto has = [&](const char* condition) {
    return std::ranges::find(pressures_, condition) != pressures_.end();
  };
  health.memory_pressure = has("MemoryPressure");
  health.disk_pressure = has("DiskPressure");
  health.pid_pressure = has("PIDPressure");
  return health;
}

node::RankedPods Node::LivingPods() const {
  uint64_t version = 0;
  node::RankedPods pods = agent_->ListPods("", &version);
  std::erase_if(pods, [](const auto& pod) { return node::IsTerminalPhase(pod->status.phase); });
  return pods;
}

void Node::MakeShutdown(node::ShutdownGraces graces) {
  NoteRecord(shutdown_record_.Load());
  shutdown_ = std::make_shared<node::ShutdownManager>(
      node::ShutdownManager::Services{
          .executor = executor_,
          .events = cluster_ ? cluster_->events() : events_,
          .pods = [this] { return LivingPods(); },
          .end = [this](const std::string& uid, const node::PodFailure& why,
                        int64_t grace) { agent_->Evict(uid, why, grace); },
          .has_ended = [this](const std::string& uid) { return agent_->HasEnded(uid); },
          .on_change =
              [this](bool shutting_down) {
                NoteRecord(shutting_down ? shutdown_record_.Begin() : shutdown_record_.End());
                agent_->SetShuttingDown(shutting_down);
                if (cluster_) cluster_->HealthChanged();
              },
          .on_done =
              [this] {
                NoteRecord(shutdown_record_.End());
                if (logind_) logind_->Release();
              }},
      std::move(graces));
  // Who has given pods time wants the machine to wait for them.
  if (shutdown_->graces().empty()) return;
  logind_ = std::make_unique<node::LogindWatch>(node::LogindWatch::Options{
      .needed = node::TotalOf(shutdown_->graces()),
      .override_file = std::string(node::kLogindFolder) + "/99-" + instance_.name + ".conf",
      .on_shutdown =
          [this](bool shutting_down) { shutting_down ? shutdown_->Begin() : shutdown_->Cancel(); },
      .on_error = [this](const Error& error) { NoteLogind(error); }});
}

void Node::NoteLogind(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (error.message() == logind_error_) return;
  logind_error_ = error.message();
  warnings_.push_back("unable to watch the node for shutdown events: " + logind_error_);
}

void Node::NoteRecord(const Result<void>& kept) {
  if (kept.ok()) return;
  const std::lock_guard lock(mutex_);
  warnings_.push_back("the time of the node's shutdown is not known: " + kept.error().message());
}

void Node::StopShutdown() {
  shutdown_->Stop();
  logind_.reset();
}

void Node::NotePressures(const std::vector<std::string>& conditions) {
  {
    const std::lock_guard lock(mutex_);
    pressures_ = conditions;
  }
  agent_->SetPressures(conditions);
  if (cluster_) cluster_->HealthChanged();
}

void Node::LimitPods() {
  if (config_.pods_memory_limit <= 0) return;
  const auto limited = cgroups_->Create(kPodsCgroup, {.memory_limit = config_.pods_memory_limit});
  node::EventSink& events = cluster_ ? cluster_->events() : events_;
  if (limited.ok()) {
    events.RecordNode(node::EventType::kNormal, "NodeAllocatableEnforced",
                      "Updated Node Allocatable limit across pods");
    return;
  }
  events.RecordNode(
      node::EventType::kWarning, "FailedNodeAllocatableEnforcement",
      "Failed to update Node Allocatable Limits [\"kubepods\"]: " + limited.error().message());
  const std::lock_guard lock(mutex_);
  warnings_.push_back("pods are not kept to the memory that is theirs: " +
                      limited.error().message());
}

void Node::OpenMemoryAlarm() {
  const std::string root = instance_.cgroup_root;
  alarm_ = std::make_shared<node::MemoryAlarm>(node::MemoryAlarm::Services{
      .poller = poller_,
      .executor = executor_,
      .alarm =
          [this] {
            if (eviction_) eviction_->Look();
          },
      .watch = kernel::WatchMemoryGrowth,
      .cgroups = {{"memory.available", ""},
                  {"allocatableMemory.available", root + "/" + kPodsCgroup}}});
}

void Node::OpenEviction(const node::EvictionSettings& settings) {
  LimitPods();
  OpenMemoryAlarm();
  reader_.emplace(node::NodeReader::Parts{
      .config = config_,
      .runtime = *measured_,
      .pods_memory = [this]() -> std::optional<kernel::MemoryStats> {
        const auto stats = cgroups_->Stats(kPodsCgroup, kernel::CgroupDetail::kUse);
        return stats.ok() ? stats->memory : std::nullopt;
      }});
  eviction_ = std::make_shared<node::EvictionManager>(
      node::EvictionManager::Services{
          .clock = clock_,
          .executor = executor_,
          .events = cluster_ ? cluster_->events() : events_,
          .observe = [this] { return reader_->Observe(); },
          .measure = [this](std::string_view signal,
                            const auto& pods) { return reader_->Measure(signal, pods); },
          .pods = [this] { return LivingPods(); },
          .is_removing = [this] { return agent_->IsRemoving() || runtime_->IsRemoving(); },
          .reclaim_disk =
              [this] {
                // In upstream's order.
                uint64_t version = 0;
                (void)node::RemoveDeadContainers(agent_->ListPods("", &version), *measured_);
                (void)images_->Prune(
                    {.all = true, .before = std::chrono::system_clock::now() - kImageAge});
              },
          .evict = [this](const std::string& uid, const node::PodFailure& why,
                          int64_t grace) { agent_->Evict(uid, why, grace); },
          .on_conditions = [this](const auto& conditions) { NotePressures(conditions); },
          .expect = [this](const auto& left) { alarm_->Expect(left); }},
      settings);
}

void Node::StopEviction() {
  if (alarm_) alarm_->Stop();
  if (eviction_) eviction_->Stop();
}

}  // namespace podium::commands
