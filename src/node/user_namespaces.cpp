#include "node/user_namespaces.h"

#include <charconv>
#include <set>

#include "node/files.h"

namespace podium::node {
namespace {

std::string FileOf(const NodeConfig& config, std::string_view pod_uid) {
  return PodFolder(config, pod_uid) + "/userns";
}

wire::cri::UserNamespace Mapping(uint32_t range) {
  wire::cri::UserNamespace out;
  out.mode = wire::cri::NamespaceMode::kPod;
  wire::cri::IDMapping mapping;
  mapping.host_id = UserNamespaces::kFirst + (range * UserNamespaces::kLength);
  mapping.container_id = 0;
  mapping.length = UserNamespaces::kLength;
  out.uids.push_back(mapping);
  out.gids.push_back(mapping);
  return out;
}

}  // namespace

Result<wire::cri::UserNamespace> UserNamespaces::Take(std::string_view pod_uid) {
  Recover(pod_uid);
  std::lock_guard lock(mutex_);
  auto found = ranges_.find(pod_uid);
  if (found != ranges_.end()) return Mapping(found->second);
  std::set<uint32_t> taken;
  for (const auto& [uid, range] : ranges_) taken.insert(range);
  uint32_t range = 0;
  while (taken.contains(range)) ++range;
  if (range >= kRanges) {
    return Error(Code::kResourceExhausted, "no range of ids is left for a user namespace");
  }
  // On disk before it is used: a range must not be given to another pod after a crash.
  TRY_VOID(WriteFile(FileOf(config_, pod_uid), std::to_string(range), 0600));
  ranges_.emplace(pod_uid, range);
  return Mapping(range);
}

void UserNamespaces::Recover(std::string_view pod_uid) {
  const auto text = ReadSmallFile(FileOf(config_, pod_uid), 16);
  if (!text.ok()) return;
  uint32_t range = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), range);
  if (error != std::errc() || range >= kRanges) return;
  std::lock_guard lock(mutex_);
  ranges_.try_emplace(std::string(pod_uid), range);
}

void UserNamespaces::Release(std::string_view pod_uid) {
  std::lock_guard lock(mutex_);
  auto found = ranges_.find(pod_uid);
  if (found != ranges_.end()) ranges_.erase(found);
}

}  // namespace podium::node
