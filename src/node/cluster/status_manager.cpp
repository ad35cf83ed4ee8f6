#include "node/cluster/status_manager.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "client/watch.h"
#include "node/cluster/mirror_pods.h"
#include "node/pod_conditions.h"
#include "node/pod_origin.h"
#include "node/pod_status.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using reflect::JsonValue;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Requests at once. What waits behind them is the load under which changes of a pod come together.
constexpr int kWorkers = 16;
// As often as upstream's looks at what the server did not take.
constexpr seconds kLongestWait{10};

// Of a request that somebody else's write came before, one after the other.
constexpr int kAttempts = 5;

// Names that the strategic merge goes by; what it has no key for is replaced whole.
constexpr std::string_view kConditions = "conditions";
constexpr std::string_view kPodIps = "podIPs";
constexpr std::string_view kHostIps = "hostIPs";

client::Target TargetOf(const v1::Pod& pod, std::string subresource) {
  return {.group = "",
          .version = "v1",
          .resource = "pods",
          .namespace_ = pod.metadata.namespace_,
          .name = pod.metadata.name,
          .subresource = std::move(subresource)};
}

// Versions are compared as numbers where they are such (KEP-5504); of others nothing is known.
bool IsOlder(const v1::Pod& pod, const v1::Pod& than) {
  const auto number = [](const std::string& text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
  };
  const uint64_t version = number(pod.metadata.resourceVersion);
  const uint64_t other = number(than.metadata.resourceVersion);
  return version != 0 && other != 0 && version < other;
}

Result<JsonValue> Tree(const v1::PodStatus& status) {
  TRY(const std::string text, reflect::ToJson(status));
  return reflect::ParseJson(text);
}

std::string_view TypeOf(const JsonValue& condition) {
  const JsonValue* type = condition.Find("type");
  return type ? std::string_view(type->string()) : std::string_view();
}

std::string_view ReasonOf(const JsonValue& condition) {
  const JsonValue* reason = condition.Find("reason");
  return reason ? std::string_view(reason->string()) : std::string_view();
}

// Of the kubelet's conditions those that changed or came, and those that went, to be deleted.
JsonValue ConditionsPatch(const JsonValue* shown, const JsonValue* said) {
  const JsonValue::Array none;
  const JsonValue::Array& before = shown ? shown->array() : none;
  const JsonValue::Array& after = said ? said->array() : none;
  const auto find = [](const JsonValue::Array& list, std::string_view type) {
    return std::ranges::find(list, type, TypeOf);
  };
  JsonValue::Array patch;
  for (const JsonValue& condition : after) {
    const auto old = find(before, TypeOf(condition));
    if (!IsKubeletCondition(TypeOf(condition), ReasonOf(condition)) ||
        (old != before.end() && *old == condition)) {
      continue;
    }
    JsonValue next = condition;
    if (old != before.end()) {
      for (const auto& [key, value] : old->object()) {
        if (!next.Find(key)) next.Set(key, {});
      }
    }
    patch.push_back(std::move(next));
  }
  for (const JsonValue& condition : before) {
    if (!IsKubeletCondition(TypeOf(condition)) || find(after, TypeOf(condition)) != after.end()) {
      continue;
    }
    patch.push_back(JsonValue::Of({{"$patch", JsonValue::String("delete")},
                                   {"type", JsonValue::String(std::string(TypeOf(condition)))}}));
  }
  return JsonValue::Of(std::move(patch));
}

// What was there already keeps its place otherwise.
JsonValue OrderOf(const JsonValue& conditions) {
  JsonValue::Array order;
  for (const JsonValue& condition : conditions.array()) {
    order.push_back(JsonValue::Of(
        JsonValue::Object{{"type", JsonValue::String(std::string(TypeOf(condition)))}}));
  }
  return JsonValue::Of(std::move(order));
}

// A value in a strategic patch that stands for all of it, whatever is there.
JsonValue Whole(std::string_view key, const JsonValue& value) {
  JsonValue whole = value;
  const auto replace = [] { return JsonValue::String("replace"); };
  if (whole.is_object()) whole.Set("$patch", replace());
  if (key == kPodIps || key == kHostIps) {
    whole.array().push_back(JsonValue::Of(JsonValue::Object{{"$patch", replace()}}));
  }
  return whole;
}

// How a pod has ended stays so once the server has it, whoever told it. (The agent takes an end on
// that others told, Agent::Assign.)
void KeepEnd(const v1::PodStatus& shown, v1::PodStatus* status) {
  if (!IsTerminalPhase(shown.phase)) return;
  status->phase = shown.phase;
  status->reason = shown.reason;
  status->message = shown.message;
}

}  // namespace

Result<std::string> StatusPatch(const v1::Pod& shown, v1::PodStatus said) {
  TakeOthersPart(shown.status, &said);
  // Of a static pod the node alone decides: it may begin it anew.
  if (!IsMirrorPod(shown)) KeepEnd(shown.status, &said);
  TRY(const JsonValue before, Tree(shown.status));
  TRY(const JsonValue after, Tree(said));
  JsonValue status = JsonValue::Of(JsonValue::Object());
  for (const auto& [key, value] : after.object()) {
    const JsonValue* old = before.Find(key);
    if (key != kConditions && !(old && *old == value)) status.Set(key, Whole(key, value));
  }
  for (const auto& [key, value] : before.object()) {
    if (key != kConditions && !after.Find(key)) status.Set(key, {});
  }
  JsonValue conditions = ConditionsPatch(before.Find(kConditions), after.Find(kConditions));
  if (!conditions.array().empty()) {
    if (const JsonValue* said_now = after.Find(kConditions)) {
      status.Set("$setElementOrder/conditions", OrderOf(*said_now));
    }
    status.Set(kConditions, std::move(conditions));
  }
  if (status.object().empty()) return std::string();
  JsonValue metadata = JsonValue::Of(JsonValue::Object());
  metadata.Set("uid", JsonValue::String(shown.metadata.uid));
  if (const std::string& version = shown.metadata.resourceVersion; !version.empty()) {
    metadata.Set("resourceVersion", JsonValue::String(version));
  }
  JsonValue patch = JsonValue::Of(JsonValue::Object());
  patch.Set("metadata", std::move(metadata));
  patch.Set("status", std::move(status));
  return reflect::ToText(patch);
}

StatusManager::StatusManager(const Services& services)
    : connection_(services.connection),
      clock_(services.clock),
      sync_duration_(services.sync_duration),
      queue_({.executor = &services.executor,
              .clock = &services.clock,
              .workers = kWorkers,
              .reconcile = [this](const std::string& uid) { return Sync(uid); },
              .on_error = services.on_error,
              .limits = {.base = milliseconds(50), .max = kLongestWait, .per_second = 1000}}) {
  queue_.Open();
}

StatusManager::~StatusManager() { Stop(); }

Result<void> StatusManager::Follow(Agent& agent) {
  uint64_t version = 0;
  for (const auto& pod : agent.ListPods("", &version)) {
    Tell({.type = ChangeType::kAdded, .version = version, .pod = pod});
  }
  for (const auto& pod : agent.FinishedPods()) {
    Tell({.type = ChangeType::kDeleted, .version = version, .pod = pod});
  }
  TRY(watch_, agent.Watch(version, [this](const PodChange& change) { Tell(change); }));
  agent_ = &agent;
  return {};
}

void StatusManager::Stop() {
  if (agent_) agent_->Unwatch(watch_);
  agent_ = nullptr;
  queue_.ShutDown();
}

void StatusManager::Tell(const PodChange& change) {
  if (OriginOf(*change.pod) != PodOrigin::kApi) return;
  Say(change.pod->metadata.uid, change.pod, change.type == ChangeType::kDeleted);
}

void StatusManager::Say(const std::string& uid, std::shared_ptr<const v1::Pod> pod, bool gone) {
  {
    const std::lock_guard lock(mutex_);
    const auto place = pods_.try_emplace(uid).first;
    Told& told = place->second;
    if (told.hidden && gone) {
      pods_.erase(place);
      return;
    }
    told.said = std::move(pod);
    if (told.changed_at == 0) told.changed_at = clock_.Now();
    told.gone = gone;
  }
  queue_.Add(uid);
}

void StatusManager::SetShown(const std::string& uid, std::shared_ptr<const v1::Pod> pod) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  std::shared_ptr<const v1::Pod>& shown = found->second.shown;
  if (!shown || !IsOlder(*pod, *shown)) shown = std::move(pod);
}

void StatusManager::Show(std::shared_ptr<const v1::Pod> pod) {
  const std::string uid = pod->metadata.uid;
  {
    const std::lock_guard lock(mutex_);
    pods_.try_emplace(uid);
  }
  SetShown(uid, std::move(pod));
  queue_.Add(uid);
}

void StatusManager::Hide(std::string_view uid) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  Told& told = found->second;
  if (!told.said || told.gone) {
    pods_.erase(found);
  } else {
    told.shown = nullptr;
    told.hidden = true;
  }
}

void StatusManager::Withdraw(std::string_view uid) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found != pods_.end()) pods_.erase(found);
}

size_t StatusManager::size() const {
  const std::lock_guard lock(mutex_);
  return pods_.size();
}

bool StatusManager::idle() const { return queue_.idle(); }

Result<client::Reconciled> StatusManager::Sync(const std::string& uid) {
  Told told;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || !found->second.said || !found->second.shown) {
      return client::Reconciled{};
    }
    told = found->second;
    // Of what changes while the request is on its way the time is its own.
    found->second.changed_at = 0;
  }
  auto sent = SendStatus(uid, told);
  NoteSent(uid, told.changed_at, sent);
  // Who deletes a pod that is running may have removed it meanwhile; the watch tells.
  if (sent.ok() && told.gone && told.shown->metadata.deletionTimestamp) {
    if (auto removed = Remove(uid, *told.shown); !removed.ok()) sent = std::move(removed).error();
  }
  if (!sent.ok() && sent.error().code() != Code::kNotFound) return sent.error();
  return client::Reconciled{};
}

Result<bool> StatusManager::SendStatus(const std::string& uid, const Told& told) {
  std::shared_ptr<const v1::Pod> shown = told.shown;
  for (int attempts = 1;; ++attempts) {
    TRY(const std::string patch, StatusPatch(*shown, told.said->status));
    if (patch.empty()) return false;
    auto answer = connection_.Patch(TargetOf(*shown, "status"), client::PatchType::kStrategicMerge,
                                    patch, {});
    if (answer.ok()) {
      if (auto pod = answer->As<v1::Pod>()) SetShown(uid, std::move(pod));
      return true;
    }
    if (answer.error().code() != Code::kConflict || attempts == kAttempts) return answer.error();
    TRY(shown, Read(uid, *shown));
  }
}

// What the server has of it by now; kNotFound where that is another pod of the name.
Result<std::shared_ptr<const v1::Pod>> StatusManager::Read(const std::string& uid,
                                                           const v1::Pod& shown) {
  TRY(const client::SharedObject object, connection_.Get(TargetOf(shown, ""), {}));
  auto pod = object.As<v1::Pod>();
  if (!pod) return client::NotOfType(reflect::TypeOf<v1::Pod>(), object);
  if (pod->metadata.uid != uid) return Error(Code::kNotFound, "another pod");
  SetShown(uid, pod);
  return pod;
}

void StatusManager::NoteSent(const std::string& uid, int64_t changed_at, const Result<bool>& sent) {
  if (changed_at == 0) return;
  if (!sent.ok()) {
    const std::lock_guard lock(mutex_);
    const auto found = pods_.find(uid);
    if (found != pods_.end()) found->second.changed_at = changed_at;
  } else if (*sent && sync_duration_) {
    sync_duration_->ObserveNanos(clock_.Now() - changed_at);
  }
}

Result<void> StatusManager::Remove(const std::string& uid, const v1::Pod& pod) {
  api::meta::v1::DeleteOptions options;
  options.gracePeriodSeconds = 0;
  options.preconditions.ensure().uid = uid;
  auto removed = connection_.Delete(TargetOf(pod, ""), options);
  if (!removed.ok() && removed.error().code() != Code::kConflict) return removed.error();
  return {};
}

}  // namespace podium::node
