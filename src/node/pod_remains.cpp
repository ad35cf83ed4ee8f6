#include "node/pod_remains.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "node/files.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kManifest = ".json";
constexpr std::string_view kRecord = ".ended";
constexpr size_t kMaxRecord = size_t{8} << 20;
// Pods are often removed together, and the others are waited for.
constexpr milliseconds kRest{100};
constexpr milliseconds kRetry{10'000};

}  // namespace

void PodRemains::Finish() {
  RemoveAll();
  const std::lock_guard lock(mutex_);
  if (timer_ != 0) executor_.Cancel(timer_);
}

std::string PodRemains::ManifestOf(std::string_view uid) const {
  return config_.run_dir + "/pods/" + std::string(uid) + std::string(kManifest);
}

std::string PodRemains::RecordOf(std::string_view uid) const {
  return config_.run_dir + "/pods/" + std::string(uid) + std::string(kRecord);
}

void PodRemains::Leave(const api::core::v1::Pod& pod) {
  const std::string& uid = pod.metadata.uid;
  // A manifest that is not there was removed by somebody; the rest is to go all the same.
  (void)rename(ManifestOf(uid).c_str(), RecordOf(uid).c_str());
  Add(uid, PodLogFolder(config_, pod.metadata.namespace_, pod.metadata.name, uid));
}

void PodRemains::Add(const std::string& uid, std::string logs) {
  const std::lock_guard lock(mutex_);
  left_[uid] = std::move(logs);
  if (timer_ == 0) SetTimer(kRest);
}

void PodRemains::SetTimer(milliseconds delay) {
  timer_ = executor_.PostAfter(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->RemoveAll();
  });
}

void PodRemains::RemoveAll() {
  const std::lock_guard removing(removing_);
  std::map<std::string, std::string> left;
  {
    const std::lock_guard lock(mutex_);
    if (timer_ != 0) executor_.Cancel(timer_);
    timer_ = 0;
    left.swap(left_);
  }
  for (auto& [uid, logs] : left) {
    const bool removed =
        RemoveTree(PodFolder(config_, uid)).ok() && (logs.empty() || RemoveTree(logs).ok());
    if (removed && (unlink(RecordOf(uid).c_str()) == 0 || errno == ENOENT)) continue;
    const std::lock_guard lock(mutex_);
    left_.try_emplace(uid, std::move(logs));
    if (timer_ == 0) SetTimer(kRetry);
  }
}

void PodRemains::Recover() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config_.run_dir + "/pods", error)) {
    if (entry.path().extension() != kRecord) continue;
    const std::string uid = entry.path().stem();
    const auto text = ReadSmallFile(entry.path(), kMaxRecord);
    if (!text.ok()) continue;
    const auto pod = reflect::FromJson<api::core::v1::Pod>(*text, {.strict = false});
    // What cannot be read has no logs that could be named.
    Add(uid, pod.ok() ? PodLogFolder(config_, pod->metadata.namespace_, pod->metadata.name, uid)
                      : std::string());
  }
}

}  // namespace podium::node
