// Pods that an API server has bound to this node, or that stand in its files.
#include <algorithm>
#include <string>
#include <utility>

#include "api/names.h"
#include "api/status.h"
#include "api/validation/resources.h"
#include "node/agent.h"
#include "node/labels.h"
#include "node/pod_origin.h"
#include "node/pod_status.h"
#include "node/unsupported.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

// Folders are named after these; who writes an API server's store could name anything.
Result<void> CheckNames(const v1::Pod& pod) {
  const auto refuse = [&](const char* what, const api::Messages& why) -> Result<void> {
    if (why.empty()) return {};
    return Error(Code::kInvalidArgument, "pod \"" + pod.metadata.namespace_ + "/" +
                                             pod.metadata.name + "\": " + what + ": " +
                                             why.front());
  };
  TRY_VOID(refuse("uid", api::NameIsDNSSubdomain(pod.metadata.uid, false)));
  TRY_VOID(refuse("namespace", api::IsDNS1123Label(pod.metadata.namespace_)));
  TRY_VOID(refuse("name", api::NameIsDNSSubdomain(pod.metadata.name, false)));
  const auto check = [&](const char* what, const auto& named) -> Result<void> {
    for (const auto& each : named) TRY_VOID(refuse(what, api::IsDNS1123Label(each.name)));
    return {};
  };
  TRY_VOID(check("init container", pod.spec.initContainers));
  TRY_VOID(check("container", pod.spec.containers));
  TRY_VOID(check("ephemeral container", pod.spec.ephemeralContainers));
  return check("volume", pod.spec.volumes);
}

// RFC 3339 with as many digits as there are.
std::string NanoTime(int64_t now) {
  std::string text = api::Time::FromUnix(now / kNanosPerSecond).String();
  std::string nanos = std::to_string(now % kNanosPerSecond);
  nanos.insert(0, 9 - nanos.size(), '0');
  while (nanos.ends_with('0')) nanos.pop_back();
  if (nanos.empty()) return text;
  text.pop_back();  // Z
  return text + '.' + nanos + 'Z';
}

// Why this node does not run it, in upstream's words where it has some (pkg/kubelet/lifecycle).
std::optional<PodFailure> Refusal(const v1::Pod& pod) {
  if (pod.spec.os && pod.spec.os->name != "linux") {
    return PodFailure{"PodOSNotSupported",
                      "Failed to admit pod as the OS field doesn't match node OS"};
  }
  const api::field::ErrorList errors = UnsupportedFields(pod);
  if (errors.empty()) return std::nullopt;
  return PodFailure{"PodFeatureUnsupported", errors.AggregateText()};
}

// What the API server shows of it beside what this node has written.
bool SameAsKnown(const v1::Pod& known, v1::Pod shown) {
  shown.metadata.resourceVersion = known.metadata.resourceVersion;
  return reflect::Equal(known, shown);
}

}  // namespace

Result<void> Agent::TakeOn(v1::Pod pod, PodOrigin origin) {
  pod.metadata.annotations[std::string(kConfigSourceAnnotation)] =
      origin == PodOrigin::kFile ? "file" : "api";
  pod.metadata.annotations[std::string(kConfigSeenAnnotation)] = NanoTime(parts_.clock.Now());
  const auto refused = IsTerminalPhase(pod.status.phase) || pod.metadata.deletionTimestamp
                           ? std::nullopt
                           : Refusal(pod);
  if (refused) {
    pod.status.phase = "Failed";
    pod.status.reason = refused->reason;
    pod.status.message = "Pod was rejected: " + refused->message;
    pod.status.observedGeneration = pod.metadata.generation;
  }
  const std::string version = pod.metadata.resourceVersion;
  TRY(const auto stored, Change(std::move(pod), ChangeType::kAdded));
  v1::Pod shown = *stored;
  shown.metadata.resourceVersion = version;
  if (refused) {
    sink_.Record(shown, std::nullopt, EventType::kWarning, refused->reason, refused->message);
  }
  StartWorker(shown);
  return {};
}

Result<void> Agent::Assign(v1::Pod pod, PodOrigin origin) {
  TRY_VOID(CheckNames(pod));
  pod.metadata.managedFields.clear();
  const std::string uid = pod.metadata.uid;
  std::shared_ptr<PodWorker> worker;
  {
    const std::lock_guard lock(mutex_);
    if (finished_.contains(uid)) return {};
    const auto found = pods_.find(uid);
    if (found == pods_.end()) return TakeOn(std::move(pod), origin);
    const v1::Pod& before = *found->second.pod;
    KeepLocalAnnotations(before, &pod);
    v1::PodStatus status = before.status;
    TakeOthersPart(pod.status, &status);
    pod.status = std::move(status);
    if (SameAsKnown(before, pod)) return {};
    worker = found->second.worker;
    TRY_VOID(Change(pod, ChangeType::kModified));
    source_.Follow(pod);
  }
  worker->Update(std::move(pod));
  return {};
}

void Agent::EndUnassigned(const std::string& uid) {
  std::shared_ptr<PodWorker> worker;
  v1::Pod pod;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || found->second.unassigned) return;
    found->second.unassigned = true;
    worker = found->second.worker;
    pod = *found->second.pod;
    if (pod.metadata.deletionTimestamp) return;
    const int64_t grace = pod.spec.terminationGracePeriodSeconds.value_or(30);
    pod.metadata.deletionTimestamp =
        api::Time::FromUnix((parts_.clock.Now() / kNanosPerSecond) + grace);
    pod.metadata.deletionGracePeriodSeconds = grace;
    // Without room on the disk it ends nevertheless.
    (void)Change(pod, ChangeType::kModified);
  }
  worker->Update(std::move(pod));
}

void Agent::Unassign(std::string_view uid) {
  {
    const std::lock_guard lock(mutex_);
    const auto finished = finished_.find(uid);
    if (finished != finished_.end()) {
      finished_.erase(finished);
      return;
    }
  }
  EndUnassigned(std::string(uid));
}

void Agent::UnassignOthers(PodOrigin origin, const std::set<std::string, std::less<>>& uids) {
  std::vector<std::string> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [uid, entry] : pods_) {
      if (OriginOf(*entry.pod) == origin && !uids.contains(uid)) others.push_back(uid);
    }
  }
  for (const std::string& uid : others) EndUnassigned(uid);
}

}  // namespace podium::node
