#include "node/cluster/node_registration.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/status.h"

namespace podium::node {
namespace {

using std::chrono::nanoseconds;

const std::string kNode = "node";
constexpr int kMaxUpdates = 5;  // nodeStatusUpdateRetry
constexpr std::chrono::milliseconds kFirstBackOff{100};
constexpr std::chrono::seconds kMaxBackOff{7};
constexpr double kJitter = 0.04;

client::Target Nodes(const std::string& name = "", const std::string& subresource = "") {
  return {
      .group = "", .version = "v1", .resource = "nodes", .name = name, .subresource = subresource};
}

// Versions of one collection are numbers, and the greater one is the newer (since release 1.35 that
// is promised). 0 for what is none.
uint64_t VersionOf(const v1::Node& node) {
  const std::string& text = node.metadata.resourceVersion;
  uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

nanoseconds Scaled(nanoseconds time, double factor) {
  return nanoseconds(static_cast<int64_t>(static_cast<double>(time.count()) * factor));
}

bool IsReady(const v1::Node& node) {
  return std::ranges::any_of(node.status.conditions, [](const v1::NodeCondition& each) {
    return each.type == "Ready" && each.status == "True";
  });
}

}  // namespace

NodeRegistration::NodeRegistration(Parts parts)
    : parts_(std::move(parts)),
      work_({.executor = &parts_.executor,
             .clock = &parts_.clock,
             .reconcile =
                 [this](const auto&) {
                   return Result<client::Reconciled>(client::Reconciled{.requeue_after = Round()});
                 }}),
      informer_(
          parts_.connection, Nodes(),
          {.executor = &parts_.executor,
           .clock = &parts_.clock,
           .random = parts_.random,
           .field_selector = "metadata.name=" + parts_.node.name,
           .on_error = [this](const client::Target&, const Error& error) { Report(error); }}) {
  informer_.AddHandler(
      {.on_add = [this](const client::SharedObject& object, bool) { Saw(object.As<v1::Node>()); },
       .on_update = [this](const client::SharedObject&,
                           const client::SharedObject& object) { Saw(object.As<v1::Node>()); },
       .on_delete =
           [this](const client::SharedObject&, bool) {
             const std::lock_guard lock(mutex_);
             node_ = nullptr;
           }});
}

NodeRegistration::~NodeRegistration() { Stop(); }

void NodeRegistration::Start() {
  work_.Open();
  work_.Add(kNode);
}

void NodeRegistration::Stop() {
  // The task starts the informer; once it runs no more nobody does.
  work_.ShutDown();
  informer_.Stop();
}

void NodeRegistration::HealthChanged() { work_.Add(kNode); }

std::shared_ptr<const v1::Node> NodeRegistration::node() const {
  const std::lock_guard lock(mutex_);
  return node_;
}

nanoseconds NodeRegistration::Round() {
  if (!registered_) {
    const auto registered = Register();
    if (!registered.ok()) {
      Report(registered.error());
      back_off_ = back_off_.count() == 0 ? nanoseconds(kFirstBackOff)
                                         : std::min<nanoseconds>(back_off_ * 2, kMaxBackOff);
      return back_off_;
    }
    registered_ = true;
    informer_.Start();
    if (parts_.on_registered) parts_.on_registered();
  }
  const auto updated = UpdateStatus();
  if (!updated.ok()) Report(updated.error());
  const double random = parts_.random ? parts_.random() : 0;
  return Scaled(kUpdateFrequency, 1 + kJitter * random);
}

Result<void> NodeRegistration::Register() {
  std::vector<NodeEvent> events;
  const v1::Node initial = InitialNode(parts_.node, parts_.health(), parts_.clock.Now(), &events);
  const auto created = parts_.connection.Create(Nodes(), initial, {});
  if (created.ok()) {
    const NodePtr node = created->As<v1::Node>();
    if (!node) return Error(Code::kInternal, "the server's node is none");
    Record(events);
    // Upstream's first status always says that it is not ready yet, and the next one is told.
    if (IsReady(*node)) {
      Record({{EventType::kNormal, "NodeReady",
               "Node " + parts_.node.name + " status is now: NodeReady"}});
    }
    Told(*node);
    Saw(node);
    return {};
  }
  if (created.error().code() != Code::kAlreadyExists) return created.error();
  return Reconcile(initial);
}

Result<void> NodeRegistration::Reconcile(const v1::Node& initial) {
  TRY(NodePtr existing, Read());
  v1::Node wanted = *existing;
  if (ReconcileNode(initial, &wanted)) {
    TRY(existing, Patch(*existing, wanted));
  }
  Saw(existing);
  return {};
}

Result<void> NodeRegistration::UpdateStatus() {
  Result<void> result;
  for (int i = 0; i < kMaxUpdates; ++i) {
    result = TryUpdateStatus(i == 0);
    if (result.ok() || result.error().code() == Code::kCancelled) return result;
  }
  return result;
}

Result<void> NodeRegistration::TryUpdateStatus(bool first_try) {
  NodePtr before = first_try ? node() : nullptr;
  if (!before) {
    TRY(before, Read());
  }
  v1::Node after = *before;
  const auto events = SetNodeStatus(parts_.node, parts_.health(), parts_.clock.Now(), &after);
  const bool labelled = RestoreRequiredLabels(parts_.node, &after);
  TellSchedulable(after);
  const bool changed = labelled || NodeStatusHasChanged(before->status, after.status);
  if (!changed && !IsReportDue()) {
    Told(*before);
    return {};
  }
  TRY(const NodePtr patched, Patch(*before, after));
  Record(events);
  last_report_ = parts_.clock.Now();
  const double random = parts_.random ? parts_.random() : 0.5;
  report_delay_ = changed ? Scaled(kReportFrequency, random - 0.5) : nanoseconds(0);
  Told(*patched);
  Saw(patched);
  return {};
}

bool NodeRegistration::IsReportDue() const {
  if (last_report_ == 0) return true;
  const nanoseconds period = kReportFrequency + report_delay_;
  return parts_.clock.Now() - last_report_ >= period.count();
}

Result<NodeRegistration::NodePtr> NodeRegistration::Patch(const v1::Node& before,
                                                          const v1::Node& after) {
  TRY(const std::string patch, NodeStatusPatch(before, after));
  TRY(const auto patched, parts_.connection.Patch(Nodes(parts_.node.name, "status"),
                                                  client::PatchType::kStrategicMerge, patch, {}));
  NodePtr node = patched.As<v1::Node>();
  if (!node) return Error(Code::kInternal, "the server's node is none");
  return node;
}

Result<NodeRegistration::NodePtr> NodeRegistration::Read() {
  TRY(const auto found, parts_.connection.Get(Nodes(parts_.node.name), {}));
  NodePtr node = found.As<v1::Node>();
  if (!node) return Error(Code::kInternal, "the server's node is none");
  return node;
}

void NodeRegistration::Told(const v1::Node& node) {
  if (last_report_ == 0) last_report_ = parts_.clock.Now();
  const bool ready = IsReady(node);
  if (std::exchange(ready_, ready) == ready) return;
  if (parts_.on_ready) parts_.on_ready(ready);
}

void NodeRegistration::Saw(const NodePtr& node) {
  {
    const std::lock_guard lock(mutex_);
    // What the watch tells may be older than what a write was answered.
    if (node_ && node_->metadata.uid == node->metadata.uid &&
        VersionOf(*node_) >= VersionOf(*node)) {
      return;
    }
    node_ = node;
  }
  if (parts_.on_node) parts_.on_node(node);
}

void NodeRegistration::TellSchedulable(const v1::Node& node) {
  if (std::exchange(unschedulable_, node.spec.unschedulable) == node.spec.unschedulable) return;
  const std::string event = unschedulable_ ? "NodeNotSchedulable" : "NodeSchedulable";
  Record({{EventType::kNormal, event, "Node " + parts_.node.name + " status is now: " + event}});
}

void NodeRegistration::Report(const Error& error) const {
  if (parts_.on_error) parts_.on_error(error);
}

void NodeRegistration::Record(const std::vector<NodeEvent>& events) const {
  for (const NodeEvent& each : events) {
    parts_.events.RecordNode(each.type, each.reason, each.message);
  }
}

}  // namespace podium::node
