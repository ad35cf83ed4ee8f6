// The node of one machine: everything that an agent is made of, put together. One thread uses it;
// its parts have theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/instance.h"
#include "base/result.h"
#include "commands/cluster.h"
#include "commands/node_options.h"
#include "http/poller.h"
#include "http/server.h"
#include "image/image_store.h"
#include "image/puller.h"
#include "linux/cgroup.h"
#include "network/network.h"
#include "node/agent.h"
#include "node/agent_api.h"
#include "node/container_commands.h"
#include "node/cpus/cpu_manager.h"
#include "node/embedded_images.h"
#include "node/event_recorder.h"
#include "node/eviction/eviction_manager.h"
#include "node/eviction/memory_alarm.h"
#include "node/eviction/node_reader.h"
#include "node/followed_logs.h"
#include "node/http_probes.h"
#include "node/image_collector.h"
#include "node/metrics/measured_runtime.h"
#include "node/metrics/node_metrics.h"
#include "node/object_store.h"
#include "node/probe_wheel.h"
#include "node/qos_tiers.h"
#include "node/shutdown/logind_watch.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/shutdown/shutdown_record.h"
#include "node/static_pods.h"
#include "node/streams/stream_service.h"
#include "node/volumes/volume_manager.h"
#include "runtime/embedded_runtime.h"

inline constexpr char kPodsCgroup[] = "kubepods";
namespace podium::commands {

// All parts, in the order in which they need each other; they go in the reverse one.
class Node {
 public:
  struct Options {
    Cluster::Server server{};  // whose node this is; nothing given: nobody's
    std::string manifests{};   // the folder of static pods; "": none
    NodeOptions node{};
    uint16_t port = node::kKubeletPort;
  };

  static Result<std::unique_ptr<Node>> Open(const Instance& instance, const Options& options);

  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Once a second, with how many there have been: looks at logs and disks, tries again, collects.
  void Tick(int count);

  // No pod, nothing left of one, and nobody who asks, or has asked since the last call: whoever
  // looked whether an agent serves is about to.
  bool IsIdle();

  // Takes away what is left on the machine when no pod is: bridge, rules, cgroups. Nothing works
  // afterwards. What cannot be removed stays for the next agent.
  void Uninstall();

  // What people are to be told, once.
  std::vector<std::string> TakeWarnings();

 private:
  static std::string ConfigurationOf(const Options& options);
  Node(const Instance& instance, node::NodeConfig config,
       std::unique_ptr<kernel::CgroupDriver> cgroups);
  // What it gives, timed.
  Result<void> MeasureCgroup(const std::function<Result<void>()>& change);
  // `files`: whether it has static pods.
  Result<void> OpenParts(bool files);
  Result<void> OpenCpus();
  node::NodeHealth Health();
  node::RankedPods LivingPods() const;
  // Before there are pods, whose ends it is told.
  void MakeShutdown(node::ShutdownGraces graces);
  void NoteLogind(const Error& error);
  // A time that is not kept stops nobody.
  void NoteRecord(const Result<void>& kept);
  // Its parts call each other until then.
  void StopShutdown();
  void NotePressures(const std::vector<std::string>& conditions);
  // Without it pods could take what is the system's: the node says so, and goes on.
  void LimitPods();
  // Memory may run out between two looks.
  void OpenMemoryAlarm();
  void OpenEviction(const node::EvictionSettings& settings);
  void StopEviction();
  // Streams go on when the server has handed them over; none may outlive the runtime.
  void StopServing();
  // When nobody probes any more; commands of probes do not outlive the runtime.
  void StopProbes();
  Result<void> OpenManifests(const std::string& folder);
  Result<void> OpenServer();

  const Instance instance_;
  const node::NodeConfig config_;
  SystemClock clock_;
  node::ObjectStore objects_;
  std::optional<node::VolumeManager> volumes_;
  node::NodeMetrics metrics_;  // outlives all that counts
  node::EventRecorder events_;
  node::ImageCollector collector_;
  node::QosTiers tiers_;
  std::unique_ptr<image::ImageStore> images_;
  std::unique_ptr<image::Puller> puller_;
  std::unique_ptr<node::EmbeddedImages> node_images_;
  std::unique_ptr<network::Network> network_;
  std::unique_ptr<kernel::CgroupDriver> cgroups_;
  std::unique_ptr<runtime::EmbeddedRuntime> runtime_;
  std::unique_ptr<node::MeasuredRuntime> measured_;
  std::unique_ptr<node::MeasuredImages> measured_images_;
  std::unique_ptr<node::CpuManager> cpus_;  // null: all containers share all CPUs
  ThreadExecutor executor_;
  std::shared_ptr<http::Poller> poller_;  // of the probes, and of followed logs
  std::unique_ptr<node::HttpProbes> probes_;
  std::unique_ptr<node::ContainerCommands> commands_;
  std::unique_ptr<node::ProbeWheel> wheel_;
  std::unique_ptr<Cluster> cluster_;                // null: this node is on its own
  std::shared_ptr<const node::v1::Node> own_node_;  // as it would be registered then
  std::unique_ptr<node::Agent> agent_;
  std::unique_ptr<node::FollowedLogs> logs_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;   // under mutex_
  std::vector<std::string> pressures_;  // under mutex_
  std::optional<node::NodeReader> reader_;
  std::shared_ptr<node::MemoryAlarm> alarm_;
  std::shared_ptr<node::EvictionManager> eviction_;
  std::unique_ptr<node::StaticPods> manifests_;
  std::unique_ptr<node::StreamService> streams_;
  node::ShutdownRecord shutdown_record_{
      {.clock = clock_, .start = metrics_.shutdown_start, .end = metrics_.shutdown_end},
      config_.data_dir};
  std::shared_ptr<node::ShutdownManager> shutdown_;
  std::string logind_error_;                   // the last one; under mutex_
  std::unique_ptr<node::LogindWatch> logind_;  // null: the machine waits for nobody
  std::unique_ptr<node::AgentApi> api_;
  std::unique_ptr<http::Server> server_;
  uint64_t seen_ = 0;  // connections
};

}  // namespace podium::commands
