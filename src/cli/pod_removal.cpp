#include "cli/pod_removal.h"

#include <set>
#include <string>
#include <utility>

namespace podium::cli {
namespace {

using api::core::v1::Pod;
using api::core::v1::PodList;

// The uids of those that are still there, and the version that was true at.
Result<std::pair<std::set<std::string>, std::string>> Present(const client::Client& client,
                                                              const std::set<std::string>& wanted) {
  TRY(const PodList list, client.List<PodList>(""));
  std::set<std::string> present;
  for (const Pod& pod : list.items) {
    if (wanted.contains(pod.metadata.uid)) present.insert(pod.metadata.uid);
  }
  return std::pair(std::move(present), list.metadata.resourceVersion);
}

// False when the watch ended before they were gone.
Result<bool> WaitForEnd(const client::Client& client, const std::string& version,
                        std::set<std::string>* present) {
  api::meta::v1::ListOptions options;
  options.resourceVersion = version;
  TRY(client::Watch<Pod> watch, client.WatchObjects<Pod>("", options));
  while (!present->empty()) {
    TRY(const auto event, watch.Next());
    if (!event) return false;
    if (event->type == client::EventType::kDeleted) present->erase(event->object.metadata.uid);
  }
  return true;
}

}  // namespace

Result<void> AskToRemovePods(const client::Client& client, const std::vector<Pod>& pods,
                             std::optional<int64_t> grace) {
  for (const Pod& pod : pods) {
    api::meta::v1::DeleteOptions options;
    options.gracePeriodSeconds = grace;
    options.preconditions.ensure().uid = pod.metadata.uid;
    auto deleted = client.Delete<Pod>({pod.metadata.namespace_, pod.metadata.name}, options);
    // Gone, or another of that name came in its place.
    const bool gone = !deleted.ok() && (deleted.error().code() == Code::kNotFound ||
                                        deleted.error().code() == Code::kConflict);
    if (!deleted.ok() && !gone) return deleted;
  }
  return {};
}

Result<void> RemovePods(const client::Client& client, const std::vector<Pod>& pods,
                        std::optional<int64_t> grace) {
  TRY_VOID(AskToRemovePods(client, pods, grace));
  std::set<std::string> wanted;
  for (const Pod& pod : pods) wanted.insert(pod.metadata.uid);
  while (true) {
    TRY(auto there, Present(client, wanted));
    if (there.first.empty()) return {};
    TRY(const bool gone, WaitForEnd(client, there.second, &there.first));
    if (gone) return {};
  }
}

}  // namespace podium::cli
