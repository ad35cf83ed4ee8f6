#include "node/cluster/cluster_node.h"

#include <utility>

namespace podium::node {

NodeHealth LookAtNode(runtime::Runtime& runtime, const image::ImageStore* images) {
  NodeHealth health = HealthOfRuntime(runtime.Status());
  if (!images) return health;
  std::vector<ListedImage> listed;
  for (image::ImageInfo& each : images->List()) {
    listed.push_back({.id = each.id.String(),
                      .digests = std::move(each.repo_digests),
                      .tags = std::move(each.names),
                      .size = static_cast<int64_t>(each.size)});
  }
  health.images = ImagesForStatus(std::move(listed));
  return health;
}

ClusterNode::ClusterNode(Parts parts)
    : parts_(std::move(parts)),
      events_({.local = parts_.local_events,
               .clock = parts_.clock,
               .executor = parts_.executor,
               .node_name = parts_.node.name,
               .random = parts_.random}) {}

ClusterNode::~ClusterNode() { Stop(); }

void ClusterNode::Start(client::Connection& connection) {
  events_.RecordNode(EventType::kNormal, "Starting", "Starting kubelet.");
  events_.Start(connection);
  const std::lock_guard lock(mutex_);
  if (stopped_ || registration_) return;
  connection_ = &connection;
  lease_ = std::make_unique<NodeLease>(NodeLease::Parts{.connection = connection,
                                                        .clock = parts_.clock,
                                                        .executor = parts_.executor,
                                                        .node_name = parts_.node.name,
                                                        .random = parts_.random,
                                                        .on_error = parts_.on_error});
  registration_ = std::make_unique<NodeRegistration>(
      NodeRegistration::Parts{.connection = connection,
                              .clock = parts_.clock,
                              .executor = parts_.executor,
                              .events = events_,
                              .node = parts_.node,
                              .health = parts_.health,
                              .random = parts_.random,
                              // The node is to own it.
                              .on_registered = [lease = lease_.get()] { lease->Start(); },
                              .on_ready = parts_.on_ready,
                              .on_node = parts_.on_node,
                              .on_error = parts_.on_error});
  registration_->Start();
}

void ClusterNode::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  // What was made stays until this goes, so that nobody who has it meets nothing.
  if (NodeRegistration* made = registration()) {
    made->Stop();
    lease_->Stop();
  }
  events_.Stop();
}

void ClusterNode::HealthChanged() {
  if (NodeRegistration* made = registration()) made->HealthChanged();
}

std::shared_ptr<const v1::Node> ClusterNode::node() const {
  const NodeRegistration* made = registration();
  return made ? made->node() : nullptr;
}

std::shared_ptr<const v1::Node> ClusterNode::Known(bool now) const {
  auto seen = node();
  if (!seen) {
    return std::make_shared<const v1::Node>(InitialNode(parts_.node, {}, parts_.clock.Now()));
  }
  if (!now) return seen;
  client::Connection* connection = nullptr;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_;
  }
  auto current = connection->Get(
      {.group = "", .version = "v1", .resource = "nodes", .name = parts_.node.name}, {});
  auto object = current.ok() ? current->As<v1::Node>() : nullptr;
  return object ? std::move(object) : seen;
}

NodeRegistration* ClusterNode::registration() const {
  const std::lock_guard lock(mutex_);
  return registration_.get();
}

}  // namespace podium::node
