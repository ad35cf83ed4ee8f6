#include "commands/cluster.h"

#include <cstdlib>
#include <utility>

#include "client/kubeconfig.h"
#include "client/kubeconfig_address.h"

namespace podium::commands {
namespace {

constexpr int64_t kSilence = 60 * kNanosPerSecond;

const char* Environment(const char* variable) {
  return std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::Open(Options options) {
  std::unique_ptr<Cluster> cluster(new Cluster(std::move(options)));
  const Options& with = cluster->options_;
  TRY(const auto config,
      client::KubeConfig::Load(client::KubeConfigSourcesOf(Environment, with.kubeconfig)));
  TRY(auto chosen,
      client::AddressOf(config.Resolved(), {}, {.lookup = Environment, .clock = &with.clock}));
  TRY(cluster->connection_, client::HttpConnection::Create(std::move(chosen.address)));
  cluster->events_ = std::make_unique<node::ClusterEvents>(
      node::ClusterEvents::Parts{.local = with.local_events,
                                 .clock = with.clock,
                                 .executor = with.executor,
                                 .node_name = with.config.name});
  return cluster;
}

Cluster::~Cluster() { End(); }

Result<void> Cluster::Begin(node::Agent& agent) {
  events_->Start(*connection_);
  statuses_ = std::make_unique<node::StatusManager>(node::StatusManager::Services{
      .connection = *connection_,
      .executor = options_.executor,
      .clock = options_.clock,
      .on_error = [this](const std::string&, const Error& error) { Warn(error.message()); }});
  TRY_VOID(statuses_->Follow(agent));
  mirrors_ = std::make_unique<node::MirrorPods>(node::MirrorPods::Services{
      .connection = *connection_,
      .executor = options_.executor,
      .clock = options_.clock,
      .statuses = *statuses_,
      .node_name = agent.config().name,
      .on_error = [this](const Error& error) { Warn(error.message()); }});
  TRY_VOID(mirrors_->Follow(agent));
  pods_ = std::make_unique<node::PodSource>(
      node::PodSource::Services{.connection = *connection_,
                                .executor = options_.executor,
                                .clock = options_.clock,
                                .agent = agent,
                                .statuses = *statuses_,
                                .mirrors = *mirrors_,
                                .on_error = [this](const Error& error) { Warn(error.message()); }});
  pods_->Start();
  return {};
}

void Cluster::End() {
  // Whoever waits for the server does so no longer.
  if (connection_) connection_->Stop();
  if (pods_) pods_->Stop();
  if (mirrors_) mirrors_->Stop();
  if (statuses_) statuses_->Stop();
  if (events_) events_->Stop();
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
