// `podium agent`: the node of one machine. Everything that it is made of is put together here.
#include "node/agent.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/release.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/unique_fd.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/agent_process.h"
#include "commands/cluster.h"
#include "commands/commands.h"
#include "commands/machine.h"
#include "commands/node_options.h"
#include "commands/node_process.h"
#include "commands/port_option.h"
#include "commands/registries.h"
#include "http/listener.h"
#include "http/poller.h"
#include "http/server.h"
#include "image/image_store.h"
#include "image/puller.h"
#include "linux/cgroup.h"
#include "linux/memory_watch.h"
#include "linux/open_files.h"
#include "linux/start_memory.h"
#include "network/open_network.h"
#include "node/agent_api.h"
#include "node/container_commands.h"
#include "node/cpus/cpu_manager.h"
#include "node/embedded_images.h"
#include "node/event_recorder.h"
#include "node/eviction/dead_containers.h"
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
#include "node/server/configz.h"
#include "node/shutdown/logind_watch.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/static_pods.h"
#include "node/streams/stream_service.h"
#include "node/volumes/volume_manager.h"
#include "runtime/embedded_runtime.h"

namespace podium::commands {
namespace {

using std::chrono::milliseconds;

constexpr char kKubeconfigOption[] = "kubeconfig";
constexpr char kBootstrapOption[] = "bootstrap-kubeconfig";
constexpr char kRotateOption[] = "rotate-server-certificates";
constexpr char kLocalServerOption[] = "local-server";
constexpr char kPortOption[] = "port";
constexpr char kManifestsOption[] = "pod-manifest-path";
constexpr milliseconds kTick{1000};
constexpr int kTicksPerLook = 10;    // at logs and disks
constexpr int kTicksPerRetry = 180;  // of resizes for which there was no room
constexpr int kTicksPerCollection = 300;
// So long without a pod or a connection before an agent that was started for a play goes.
constexpr int kIdleTicks = 5;
// After which a node has found its pods again, and its server.
constexpr int kStartTicks = 2;
constexpr milliseconds kStopGrace{2000};
constexpr char kPodsCgroup[] = "kubepods";
// Younger images are not removed, however full the disk (upstream's imageMinimumGCAge).
constexpr std::chrono::minutes kImageAge{2};
constexpr milliseconds kRemoveTimeout{2000};
// Made ahead, so that a pod does not wait for one.
constexpr uint32_t kSpareNamespaces = 4;

// Whether what a container has in swap can be limited by itself.
bool CountsSwap(kernel::CgroupDriver& cgroups) {
  if (cgroups.mode() != kernel::CgroupMode::kV2 || !cgroups.Create(kPodsCgroup, {}).ok()) {
    return false;
  }
  const auto stats = cgroups.Stats(kPodsCgroup, kernel::CgroupDetail::kUse);
  return stats.ok() && stats->memory && stats->memory->swap_usage;
}

// All parts, in the order in which they need each other; they go in the reverse one.
class Node {
 public:
  struct Options {
    Cluster::Server server{};  // whose node this is; nothing given: nobody's
    std::string manifests{};   // the folder of static pods; "": none
    NodeOptions node{};
    uint16_t port = node::kKubeletPort;
  };
  static Result<std::unique_ptr<Node>> Open(const Instance& instance, const Options& options) {
    // Before what is made for all to see: without cgroups there is no agent.
    TRY(auto cgroups, kernel::CgroupDriver::Detect({.root = instance.cgroup_root}));
    node::NodeConfig config = options.node.config;
    config.counts_swap = CountsSwap(*cgroups);
    if (config.limited_swap && !config.counts_swap) {
      return Error(Code::kUnsupported,
                   "--memory-swap-behavior=LimitedSwap needs cgroups v2, and a kernel that counts "
                   "swap");
    }
    std::unique_ptr<Node> node(new Node(instance, std::move(config), std::move(cgroups)));
    if (options.server.given()) {
      node->cluster_ = Cluster::Open({.server = options.server,
                                      .node = options.node.description,
                                      .port = options.port,
                                      .config = node->config_,
                                      .clock = node->clock_,
                                      .executor = node->executor_,
                                      .local_events = node->events_,
                                      .metrics = node->metrics_,
                                      .configuration = ConfigurationOf(options),
                                      .health = [raw = node.get()] { return raw->Health(); }});
    }
    if (!node->cluster_) {
      node->own_node_ = std::make_shared<const node::v1::Node>(
          node::InitialNode(options.node.description, {}, node->clock_.Now()));
    }
    node->MakeShutdown(options.node.shutdown);
    TRY_VOID(node->OpenParts(!options.manifests.empty()));
    node->OpenEviction(options.node.eviction);
    TRY(node->logs_, node::FollowedLogs::Create(*node->agent_, *node->poller_));
    if (node->cluster_) {
      TRY_VOID(node->cluster_->Begin(*node->agent_, *node->runtime_, *node->logs_));
    }
    if (!options.manifests.empty()) TRY_VOID(node->OpenManifests(options.manifests));
    if (node->logind_) TRY_VOID(node->logind_->Start());
    TRY_VOID(node->OpenServer());
    return node;
  }

  ~Node() {
    StopShutdown();
    StopEviction();
    StopServing();
    manifests_.reset();
    if (cluster_) cluster_->End();
    logs_.reset();
    agent_.reset();
    StopProbes();
  }

  void Tick(int count) {
    if (count % kTicksPerLook == 0) {
      eviction_->Look();
      agent_->CheckStorage();
      agent_->RotateLogs();
    }
    if (count % kTicksPerRetry == 0) agent_->RetryResizes();
    if (count % kTicksPerCollection == 0) collector_.Run();
  }

  // No pod, nothing left of one, and nobody who asks, or has asked since the last call: whoever
  // looked whether an agent serves is about to.
  bool IsIdle() {
    uint64_t version = 0;
    const http::Server::Counts counts = server_->counts();
    const bool asked = std::exchange(seen_, counts.accepted) != counts.accepted;
    return !asked && counts.connections == 0 && agent_->ListPods("", &version).empty() &&
           !agent_->IsRemoving() && !runtime_->IsRemoving();
  }

  // Takes away what is left on the machine when no pod is: bridge, rules, cgroups. Nothing works
  // afterwards. What cannot be removed stays for the next agent.
  void Uninstall() {
    StopShutdown();
    StopEviction();
    StopServing();
    logs_.reset();
    agent_.reset();
    StopProbes();
    runtime_.reset();
    (void)network_->Uninstall().ok();
    (void)cgroups_->Remove("", kRemoveTimeout).ok();
  }

  std::vector<std::string> TakeWarnings() {
    std::vector<std::string> warnings = runtime_->TakeWarnings();
    if (cluster_) std::ranges::move(cluster_->TakeWarnings(), std::back_inserter(warnings));
    const std::lock_guard lock(mutex_);
    std::ranges::move(std::exchange(warnings_, {}), std::back_inserter(warnings));
    return warnings;
  }

 private:
  static std::string ConfigurationOf(const Options& options) {
    return node::ConfigzPage(
        {.config = options.node.config,
         .node = options.node.description,
         .eviction = options.node.eviction,
         .static_pod_path = options.manifests,
         .port = options.port,
         // A kubeconfig alone is used as it is (node_credentials.h).
         .rotate_certificates =
             options.server.kubeconfig.empty() || !options.server.bootstrap_kubeconfig.empty(),
         .rotate_server_certificates = options.server.rotate_server_certificates});
  }
  Node(const Instance& instance, node::NodeConfig config,
       std::unique_ptr<kernel::CgroupDriver> cgroups)
      : instance_(instance),
        config_(std::move(config)),
        objects_(config_),
        events_(clock_, config_.name),
        collector_([this] { return images_->CollectGarbage({}, std::chrono::system_clock::now()); },
                   [this] { return images_->Usage(); }, events_),
        tiers_(
            config_,
            [this](const std::string& path, uint64_t shares) {
              return MeasureCgroup([&] { return cgroups_->Create(path, {.cpu_shares = shares}); });
            }),
        cgroups_(std::move(cgroups)) {}

  // What it gives, timed.
  template <class Change>
  Result<void> MeasureCgroup(const Change& change) {
    const auto begin = std::chrono::steady_clock::now();
    auto changed = change();
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
    metrics_.cgroup_manager.At(R"(operation_type="update")").ObserveNanos(took.count());
    return changed;
  }

  // `files`: whether it has static pods.
  Result<void> OpenParts(bool files) {
    TRY_VOID(objects_.Load());
    TRY(images_, OpenImages(instance_.data_dir + "/images"));
    TRY(auto registries, ReadRegistries(instance_, Environment));
    puller_ = std::make_unique<image::Puller>(*images_, std::move(registries), nullptr);
    node_images_ = std::make_unique<node::EmbeddedImages>(
        *images_, *puller_, [] { return ReadCredentials(Environment); });
    network::NetworkSettings settings;
    settings.spare_namespaces = kSpareNamespaces;
    TRY(network_, network::OpenNetwork(instance_, settings));
    TRY(runtime_,
        runtime::EmbeddedRuntime::Open({.instance = instance_}, *images_, *network_, *cgroups_));
    TRY(poller_, http::Poller::Create());
    TRY(probes_, node::HttpProbes::Create(poller_, executor_));
    measured_ = std::make_unique<node::MeasuredRuntime>(*runtime_, metrics_);
    measured_images_ = std::make_unique<node::MeasuredImages>(*node_images_, metrics_);
    commands_ = std::make_unique<node::ContainerCommands>(*measured_, poller_, executor_);
    wheel_ = std::make_unique<node::ProbeWheel>(
        executor_, [] { return std::chrono::steady_clock::now().time_since_epoch().count(); });
    node::ObjectSource& source = cluster_ ? cluster_->objects() : objects_;
    volumes_.emplace(config_, source, clock_);
    TRY_VOID(OpenCpus());
    std::set<node::PodOrigin> origins;
    if (cluster_) origins.insert(node::PodOrigin::kApi);
    if (files) origins.insert(node::PodOrigin::kFile);
    TRY(agent_,
        node::Agent::Open(
            {.config = config_,
             .clock = clock_,
             .executor = executor_,
             .runtime = *measured_,
             .images = *measured_images_,
             .volumes = *volumes_,
             .objects = objects_,
             .network = *probes_,
             .commands = *commands_,
             .wheel = *wheel_,
             .events = events_,
             .metrics = metrics_,
             .tiers = &tiers_,
             .cpus = cpus_.get(),
             .source = &source,
             .sink = cluster_ ? &cluster_->events() : nullptr,
             .node = [this](bool now) { return cluster_ ? cluster_->KnownNode(now) : own_node_; },
             .on_end = [this] { shutdown_->PodEnded(); },
             .origins = std::move(origins)}));
    return {};
  }

  Result<void> OpenCpus() {
    const std::string state = instance_.data_dir + "/cpu_manager_state";
    if (!config_.static_cpus) return node::CheckNoCpuState(state);
    TRY(node::CpuTopology topology, node::ReadCpuTopology("/sys/devices/system"));
    TRY(node::CpuSet reserved, node::ParseCpuSet(config_.reserved_cpus));
    TRY(cpus_, node::CpuManager::Open({.topology = std::move(topology),
                                       .reserved = std::move(reserved),
                                       .reserved_milli = config_.reserved_cpu_milli,
                                       .state = state}));
    return {};
  }

  node::NodeHealth Health() {
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

  node::RankedPods LivingPods() const {
    uint64_t version = 0;
    node::RankedPods pods = agent_->ListPods("", &version);
    std::erase_if(pods, [](const auto& pod) { return node::IsTerminalPhase(pod->status.phase); });
    return pods;
  }

  // Before there are pods, whose ends it is told.
  void MakeShutdown(node::ShutdownGraces graces) {
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
                  agent_->SetShuttingDown(shutting_down);
                  if (cluster_) cluster_->HealthChanged();
                },
            .on_done =
                [this] {
                  if (logind_) logind_->Release();
                }},
        std::move(graces));
    // Who has given pods time wants the machine to wait for them.
    if (shutdown_->graces().empty()) return;
    logind_ = std::make_unique<node::LogindWatch>(node::LogindWatch::Options{
        .needed = node::TotalOf(shutdown_->graces()),
        .override_file = std::string(node::kLogindFolder) + "/99-" + instance_.name + ".conf",
        .on_shutdown =
            [this](bool shutting_down) {
              shutting_down ? shutdown_->Begin() : shutdown_->Cancel();
            },
        .on_error = [this](const Error& error) { NoteLogind(error); }});
  }

  void NoteLogind(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (error.message() == logind_error_) return;
    logind_error_ = error.message();
    warnings_.push_back("unable to watch the node for shutdown events: " + logind_error_);
  }

  // Its parts call each other until then.
  void StopShutdown() {
    shutdown_->Stop();
    logind_.reset();
  }

  void NotePressures(const std::vector<std::string>& conditions) {
    {
      const std::lock_guard lock(mutex_);
      pressures_ = conditions;
    }
    agent_->SetPressures(conditions);
    if (cluster_) cluster_->HealthChanged();
  }

  // Without it pods could take what is the system's: the node says so, and goes on.
  void LimitPods() {
    if (config_.pods_memory_limit <= 0) return;
    const auto limited = cgroups_->Create(kPodsCgroup, {.memory_limit = config_.pods_memory_limit});
    if (limited.ok()) return;
    const std::lock_guard lock(mutex_);
    warnings_.push_back("pods are not kept to the memory that is theirs: " +
                        limited.error().message());
  }

  // Memory may run out between two looks.
  void OpenMemoryAlarm() {
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

  void OpenEviction(const node::EvictionSettings& settings) {
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

  void StopEviction() {
    if (alarm_) alarm_->Stop();
    if (eviction_) eviction_->Stop();
  }

  // Streams go on when the server has handed them over; none may outlive the runtime.
  void StopServing() {
    if (logs_) logs_->Stop();
    if (server_) server_->Stop(kStopGrace);
    if (streams_) streams_->Stop();
  }

  // When nobody probes any more; commands of probes do not outlive the runtime.
  void StopProbes() {
    if (poller_) poller_->Stop();
    wheel_.reset();
    commands_.reset();
    probes_.reset();
  }

  Result<void> OpenManifests(const std::string& folder) {
    TRY(manifests_,
        node::StaticPods::Start(
            {.folder = folder, .agent = agent_.get(), .on_error = [this](const std::string& text) {
               const std::lock_guard lock(mutex_);
               warnings_.push_back(text);
             }}));
    return {};
  }

  Result<void> OpenServer() {
    TRY(streams_, node::StreamService::Create(executor_));
    api_ = std::make_unique<node::AgentApi>(*agent_, *node_images_, images_.get(), *streams_,
                                            *logs_, cli::VersionText(), shutdown_.get());
    TRY(auto listener, http::Listener::Unix(instance_.run_dir + "/agent.sock"));
    http::ServerOptions options;
    options.treatment = node::AgentApi::TreatmentOf;
    TRY(server_, http::Server::Start(std::move(listener), std::move(options),
                                     [this](const std::shared_ptr<http::Exchange>& exchange) {
                                       api_->Handle(exchange);
                                     }));
    return {};
  }

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
  std::shared_ptr<node::ShutdownManager> shutdown_;
  std::string logind_error_;                   // the last one; under mutex_
  std::unique_ptr<node::LogindWatch> logind_;  // null: the machine waits for nobody
  std::unique_ptr<node::AgentApi> api_;
  std::unique_ptr<http::Server> server_;
  uint64_t seen_ = 0;  // connections
};

Cluster::Server ServerOf(const cli::Invocation& invocation, const Instance& instance) {
  Cluster::Server server{
      .kubeconfig = std::string(invocation.Get(kKubeconfigOption)),
      .bootstrap_kubeconfig = std::string(invocation.Get(kBootstrapOption)),
      .rotate_server_certificates = invocation.Has(kRotateOption),
  };
  if (invocation.Has(kLocalServerOption)) {
    server.socket = instance.ServerSocket();
    server.admin_kubeconfig = instance.AdminKubeconfig();
  }
  return server;
}

Result<void> Serve(const cli::Invocation& invocation, const cli::Streams& streams) {
  if (geteuid() != 0) {
    return Error(Code::kPermissionDenied,
                 "running pods takes root: namespaces, mounts and cgroups are made");
  }
  TRY(const Instance instance, cli::ThisInstance());
  TRY_VOID(CheckInstance(instance));
  TRY_VOID(MakeInstanceFolders(instance));
  TRY(const UniqueFd lock, LockInstance(instance));
  TRY(const UniqueFd signals, StopSignals());
  // Pods' files are made with the modes they are to have.
  umask(0022);
  // A stream to a container takes four.
  kernel::RaiseOpenFiles();
  TRY(NodeOptions described, ReadNodeOptions(invocation, DescribeMachine(instance),
                                             node::ReadMachineFacts(instance.data_dir)));
  TRY(const uint16_t port, PortOf(invocation, kPortOption, node::kKubeletPort));
  described.description.settings.kubelet_port = port;
  described.description.settings.kubelet_version = api::kGitVersion;
  // Streams of WebSockets need no translation on their way (node/streams).
  described.description.settings.declared_features = {"ExtendWebSocketsToKubelet"};
  described.description.settings.runtime_version = "podium://" + std::string(cli::Version());
  const Node::Options options{.server = ServerOf(invocation, instance),
                              .manifests = std::string(invocation.Get(kManifestsOption)),
                              .node = std::move(described),
                              .port = port};
  const bool until_idle = invocation.Has(kUntilIdleOption);
  if (until_idle && options.server.given()) {
    return Error(Code::kInvalidArgument,
                 "a node of a cluster does not end when it has no pods: --until-idle does not go "
                 "together with a server");
  }
  TRY(const std::unique_ptr<Node> node, Node::Open(instance, options));
  const auto tell = [&] {
    for (const std::string& warning : node->TakeWarnings()) {
      (void)streams.Err("podium agent: " + warning + '\n');
    }
  };
  tell();
  TellReady(invocation.Get(kReadyOption));
  int idle_ticks = 0;
  for (int tick = 1;; ++tick) {
    pollfd wait{signals.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(kTick.count())) > 0) return {};
    node->Tick(tick);
    if (tick == kStartTicks) kernel::ReleaseStartMemory();
    tell();
    idle_ticks = until_idle && node->IsIdle() ? idle_ticks + 1 : 0;
    if (idle_ticks < kIdleTicks) continue;
    node->Uninstall();
    return {};
  }
}

cli::Outcome RunAgent(const cli::Invocation& invocation, const cli::Streams& streams) {
  const auto served = Serve(invocation, streams);
  return served.ok() ? cli::Outcome() : cli::Failed("agent", served.error());
}

constexpr cli::Option kOwnOptions[] = {
    {.name = kKubeconfigOption,
     .value = "FILE",
     .help = "the API server whose node this is, and who this node is there"},
    {.name = kBootstrapOption,
     .value = "FILE",
     .help = "a kubeconfig that may ask for this node's certificates"},
    {.name = kRotateOption,
     .help = "has the certificate of its port signed by the cluster, where somebody approves that; "
             "on the machine of the server it is in any case"},
    {.name = kLocalServerOption, .help = "the node of the podium server on this machine"},
    {.name = kPortOption,
     .value = "PORT",
     .help = "where the API server reaches the agent, for logs, exec and the like (10250)"},
    {.name = kManifestsOption,
     .value = "FOLDER",
     .help = "static pods: each manifest in it runs as long as it is there"},
    {.name = kUntilIdleOption, .help = "end when no pod is left and nobody asks"},
    {.name = kReadyOption,
     .value = "NUMBER",
     .help = "an open descriptor to which a byte is written when the agent serves"},
};

}  // namespace

cli::Command AgentCommand() {
  static const std::vector<cli::Option> kOptions = [] {
    std::vector<cli::Option> options(std::begin(kOwnOptions), std::end(kOwnOptions));
    std::ranges::copy(NodeOptionTable(), std::back_inserter(options));
    return options;
  }();
  return {
      .name = "agent",
      .summary = "Run this machine's node: the pods that it is given",
      .details =
          "Takes pods at its socket (for root alone, in the run folder), from a folder of "
          "manifests, "
          "and, as a node of a cluster, from its API server; runs them, and keeps them running. It "
          "may be killed and started again at any time: containers run on, and a new "
          "agent finds them. `podium play` starts one where there is none.\n"
          "Folders, bridge, cgroup and address range are those of the instance: PODIUM_INSTANCE "
          "names another one.\n"
          "Mirrors of registries, those without TLS and their certificates stand in "
          "/etc/podium/registries.json (PODIUM_CONFIG_DIR; read at the start), credentials where "
          "`docker login` puts them.",
      .example =
          "  podium agent\n"
          "  podium agent --local-server\n"
          "  podium agent --bootstrap-kubeconfig join.conf --node-labels disk=ssd\n",
      .options = kOptions,
      .live = RunAgent,
  };
}

}  // namespace podium::commands
