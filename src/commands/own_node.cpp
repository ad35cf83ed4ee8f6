#include "commands/own_node.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/machine.h"
#include "commands/node_process.h"
#include "commands/registries.h"
#include "http/listener.h"
#include "network/open_network.h"
#include "node/server/configz.h"

namespace podium::commands {
namespace {

using std::chrono::milliseconds;

constexpr int kTicksPerLook = 10;    // at logs and disks
constexpr int kTicksPerRetry = 180;  // of resizes for which there was no room
constexpr int kTicksPerCollection = 300;
constexpr milliseconds kStopGrace{2000};
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

}  // namespace

Result<std::unique_ptr<Node>> Node::Open(const Instance& instance, const Options& options) {
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
  // Sets the marks of memory: pods may fill it before the first of the looks that come with ticks.
  node->eviction_->Look();
  return node;
}

Node::~Node() {
  StopShutdown();
  StopEviction();
  StopServing();
  manifests_.reset();
  if (cluster_) cluster_->End();
  logs_.reset();
  agent_.reset();
  StopProbes();
}

void Node::Tick(int count) {
  if (count % kTicksPerLook == 0) {
    eviction_->Look();
    agent_->CheckStorage();
    agent_->RotateLogs();
  }
  if (count % kTicksPerRetry == 0) agent_->RetryResizes();
  if (count % kTicksPerCollection == 0) collector_.Run();
}

bool Node::IsIdle() {
  uint64_t version = 0;
  const http::Server::Counts counts = server_->counts();
  const bool asked = std::exchange(seen_, counts.accepted) != counts.accepted;
  return !asked && counts.connections == 0 && agent_->ListPods("", &version).empty() &&
         !agent_->IsRemoving() && !runtime_->IsRemoving();
}

void Node::Uninstall() {
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

std::vector<std::string> Node::TakeWarnings() {
  std::vector<std::string> warnings = runtime_->TakeWarnings();
  if (cluster_) std::ranges::move(cluster_->TakeWarnings(), std::back_inserter(warnings));
  const std::lock_guard lock(mutex_);
  std::ranges::move(std::exchange(warnings_, {}), std::back_inserter(warnings));
  return warnings;
}

std::string Node::ConfigurationOf(const Options& options) {
  return node::ConfigzPage({.config = options.node.config,
                            .node = options.node.description,
                            .eviction = options.node.eviction,
                            .static_pod_path = options.manifests,
                            .port = options.port,
                            // A kubeconfig alone is used as it is (node_credentials.h).
                            .rotate_certificates = options.server.kubeconfig.empty() ||
                                                   !options.server.bootstrap_kubeconfig.empty(),
                            .rotate_server_certificates = options.server.rotate_server_certificates,
                            .shutdown = options.node.shutdown});
}

Node::Node(const Instance& instance, node::NodeConfig config,
           std::unique_ptr<kernel::CgroupDriver> cgroups)
    : instance_(instance),
      config_(std::move(config)),
      objects_(config_),
      events_(clock_, config_.name),
      collector_([this] { return images_->CollectGarbage({}, std::chrono::system_clock::now()); },
                 [this] { return images_->Usage(); }, events_),
      tiers_(config_,
             [this](const std::string& path, uint64_t shares) {
               return MeasureCgroup([&] { return cgroups_->Create(path, {.cpu_shares = shares}); });
             }),
      cgroups_(std::move(cgroups)) {}

Result<void> Node::MeasureCgroup(const std::function<Result<void>()>& change) {
  const auto begin = std::chrono::steady_clock::now();
  auto changed = change();
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
  metrics_.cgroup_manager.At(R"(operation_type="update")").ObserveNanos(took.count());
  return changed;
}

Result<void> Node::OpenParts(bool files) {
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

Result<void> Node::OpenCpus() {
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

void Node::StopServing() {
  if (logs_) logs_->Stop();
  if (server_) server_->Stop(kStopGrace);
  if (streams_) streams_->Stop();
}

void Node::StopProbes() {
  if (poller_) poller_->Stop();
  wheel_.reset();
  commands_.reset();
  probes_.reset();
}

Result<void> Node::OpenManifests(const std::string& folder) {
  TRY(manifests_,
      node::StaticPods::Start(
          {.folder = folder, .agent = agent_.get(), .on_error = [this](const std::string& text) {
             const std::lock_guard lock(mutex_);
             warnings_.push_back(text);
           }}));
  return {};
}

Result<void> Node::OpenServer() {
  TRY(streams_, node::StreamService::Create(executor_));
  api_ = std::make_unique<node::AgentApi>(*agent_, *node_images_, images_.get(), *streams_, *logs_,
                                          cli::VersionText(), shutdown_.get());
  TRY(auto listener, http::Listener::Unix(instance_.run_dir + "/agent.sock"));
  http::ServerOptions options;
  options.treatment = node::AgentApi::TreatmentOf;
  TRY(server_, http::Server::Start(std::move(listener), std::move(options),
                                   [this](const std::shared_ptr<http::Exchange>& exchange) {
                                     api_->Handle(exchange);
                                   }));
  return {};
}

}  // namespace podium::commands
