#include "commands/cluster.h"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/random_name.h"
#include "node/stats/metrics_text.h"

namespace podium::commands {
namespace {

constexpr std::chrono::milliseconds kStopGrace{2000};
constexpr int64_t kSilence = 60 * kNanosPerSecond;

const char* Environment(const char* variable) {
  return std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
}

}  // namespace

std::unique_ptr<Cluster> Cluster::Open(Options options) {
  std::unique_ptr<Cluster> cluster(new Cluster(std::move(options)));
  cluster->OpenCredentials();
  cluster->OpenParts();
  return cluster;
}

void Cluster::OpenCredentials() {
  const Server& server = options_.server;
  const node::NodeConfig& config = options_.config;
  credentials_ = std::make_unique<node::NodeCredentials>(
      node::NodeCredentials::Options{
          .kubeconfig = server.kubeconfig,
          .bootstrap_kubeconfig = server.bootstrap_kubeconfig,
          .server_socket = server.socket,
          .server_kubeconfig = server.admin_kubeconfig,
          .rotate_server_certificates = server.rotate_server_certificates,
          .certificates = {.folder = config.data_dir + "/pki",
                           .node_name = config.name,
                           .serving = {.dns = {config.name}, .addresses = config.addresses}}},
      node::NodeCredentials::Parts{
          .on_connected = [this](client::Connection& connection) { connection_.Set(connection); },
          .on_serving = [this](const node::NodeCertificate& certificate) { Serve(certificate); },
          .on_error = [this](const Error& error) { Warn(error.message()); },
          .on_answer =
              [this](std::string_view method, const std::string& host, const std::string& status) {
                options_.metrics.rest_requests
                    .At(node::MetricsText::LabelsText(
                        {{"code", status}, {"host", host}, {"method", method}}))
                    .Add();
              },
          .clock = &options_.clock,
          .executor = &options_.executor,
          .environment = Environment});
}

void Cluster::OpenParts() {
  node_ = std::make_unique<node::ClusterNode>(
      node::ClusterNode::Parts{.local_events = options_.local_events,
                               .clock = options_.clock,
                               .executor = options_.executor,
                               .node = options_.node,
                               .health = options_.health,
                               .random = RandomFraction,
                               .on_error = [this](const Error& error) { Warn(error.message()); }});
  objects_ = std::make_unique<node::ClusterObjects>(node::ClusterObjects::Options{
      .connection = &connection_,
      .executor = &options_.executor,
      .clock = &options_.clock,
      .node_name = options_.config.name,
      .random = RandomFraction,
      .changed =
          [this](const std::string& name_space) {
            node::Agent* agent = nullptr;
            {
              const std::lock_guard lock(mutex_);
              agent = agent_;
            }
            if (agent) agent->ObjectsChanged(name_space);
          },
      .on_error = [this](const client::Target&, const Error& error) { Warn(error.message()); }});
}

Cluster::~Cluster() { End(); }

Result<void> Cluster::Begin(node::Agent& agent, runtime::UsageReader& usage,
                            node::FollowedLogs& logs) {
  {
    const std::lock_guard lock(mutex_);
    agent_ = &agent;
  }
  TRY_VOID(OpenPort(agent, usage, logs));
  credentials_->Start();
  node_->Start(connection_);
  statuses_ = std::make_unique<node::StatusManager>(node::StatusManager::Services{
      .connection = connection_,
      .executor = options_.executor,
      .clock = options_.clock,
      .sync_duration = &options_.metrics.pod_status_sync,
      .on_error = [this](const std::string&, const Error& error) { Warn(error.message()); }});
  TRY_VOID(statuses_->Follow(agent));
  mirrors_ = std::make_unique<node::MirrorPods>(node::MirrorPods::Services{
      .connection = connection_,
      .executor = options_.executor,
      .clock = options_.clock,
      .statuses = *statuses_,
      .node_name = agent.config().name,
      .on_error = [this](const Error& error) { Warn(error.message()); }});
  TRY_VOID(mirrors_->Follow(agent));
  pods_ = std::make_unique<node::PodSource>(
      node::PodSource::Services{.connection = connection_,
                                .executor = options_.executor,
                                .clock = options_.clock,
                                .agent = agent,
                                .statuses = *statuses_,
                                .mirrors = *mirrors_,
                                .on_error = [this](const Error& error) { Warn(error.message()); }});
  pods_->Start();
  return {};
}

Result<void> Cluster::OpenPort(node::Agent& agent, runtime::UsageReader& usage,
                               node::FollowedLogs& logs) {
  host_ = std::make_unique<node::AgentHost>(agent);
  auth_ = std::make_unique<node::KubeletAuth>(connection_, options_.clock, agent.config().name,
                                              [this] { return credentials_->root_ca(); });
  TRY(streams_, node::StreamService::Create(options_.executor));
  const auto pods = [&agent] {
    uint64_t version = 0;
    return agent.ListPods("", &version);
  };
  disks_ = std::make_shared<node::PodDisks>(node::PodDisks::Services{.config = options_.config,
                                                                     .clock = options_.clock,
                                                                     .executor = options_.executor,
                                                                     .runtime = agent.runtime(),
                                                                     .pods = pods});
  pages_ = std::make_unique<node::StatsPages>(
      node::StatsPages::Parts{.usage = usage,
                              .clock = options_.clock,
                              .config = options_.config,
                              .metrics = options_.metrics,
                              .runtime = agent.runtime(),
                              .pods = pods,
                              .disks = disks_,
                              .configuration = options_.configuration});
  api_ =
      std::make_unique<node::KubeletApi>(*host_, *auth_, *streams_, logs, *pages_, options_.clock);
  return {};
}

void Cluster::Serve(const node::NodeCertificate& certificate) {
  Result<void> served;
  {
    const std::lock_guard lock(mutex_);
    if (!agent_) return;
    if (port_) {
      served = port_->SetCertificate(certificate.certificate, certificate.key);
    } else {
      auto port = node::KubeletServer::Start(*api_, {.port = options_.port,
                                                     .certificate = certificate.certificate,
                                                     .key = certificate.key,
                                                     .client_roots = credentials_->root_ca()});
      if (port.ok()) {
        port_ = *std::move(port);
      } else {
        served = port.error();
      }
    }
  }
  if (!served.ok()) {
    Warn("logs, exec and the like are not served to the API server: " + served.error().message());
  }
}

void Cluster::End() {
  // Whoever waits for the server does so no longer.
  connection_.Stop();
  if (credentials_) credentials_->Stop();
  if (pods_) pods_->Stop();
  if (mirrors_) mirrors_->Stop();
  if (statuses_) statuses_->Stop();
  if (node_) node_->Stop();
  if (streams_) streams_->Stop();
  std::unique_ptr<node::KubeletServer> port;
  {
    const std::lock_guard lock(mutex_);
    agent_ = nullptr;
    port = std::move(port_);
  }
  if (port) port->Stop(kStopGrace);
  if (disks_) disks_->Stop();
}

void Cluster::Warn(const std::string& text) {
  const std::lock_guard lock(mutex_);
  const int64_t now = options_.clock.Now();
  std::erase_if(warned_, [&](const auto& each) { return each.second + kSilence < now; });
  if (warned_.emplace(text, now).second) warnings_.push_back(text);
}

std::vector<std::string> Cluster::TakeWarnings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

}  // namespace podium::commands
