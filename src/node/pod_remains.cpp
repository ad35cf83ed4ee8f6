#include "node/pod_remains.h"

#include <unistd.h>

#include <algorithm>
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
using Clock = std::chrono::steady_clock;

constexpr std::string_view kManifest = ".json";
constexpr std::string_view kRecord = ".ended";
constexpr size_t kMaxRecord = size_t{8} << 20;
// Pods are often removed together, and the others are waited for.
constexpr milliseconds kRest{100};
constexpr milliseconds kRetry{10'000};

}  // namespace

void PodRemains::Finish(milliseconds patience) {
  until_ = Clock::now() + patience;
  RemoveAll();
  const std::lock_guard lock(mutex_);
  if (timer_ != 0) executor_.Cancel(timer_);
}

bool PodRemains::busy() const {
  const std::lock_guard lock(mutex_);
  return in_work_ > 0 ||
         std::ranges::any_of(left_, [](const auto& entry) { return !entry.second.failed; });
}

std::string PodRemains::ManifestOf(std::string_view uid) const {
  return config_.run_dir + "/pods/" + std::string(uid) + std::string(kManifest);
}

std::string PodRemains::RecordOf(std::string_view uid) const {
  return config_.run_dir + "/pods/" + std::string(uid) + std::string(kRecord);
}

std::string PodRemains::EndOf(std::string_view uid) const {
  return config_.run_dir + "/pods/" + std::string(uid) + std::string(kEnd);
}

void PodRemains::KeepEnd(std::string_view uid) const {
  // Without it, on a full disk, the end is told as long as this process lives.
  (void)link(ManifestOf(uid).c_str(), EndOf(uid).c_str());
}

void PodRemains::DropEnd(std::string_view uid) const { (void)unlink(EndOf(uid).c_str()); }

void PodRemains::Leave(const api::core::v1::Pod& pod) {
  const std::string& uid = pod.metadata.uid;
  // A manifest that is not there was removed by somebody; the rest is to go all the same.
  (void)rename(ManifestOf(uid).c_str(), RecordOf(uid).c_str());
  Add(uid, {.whole = true,
            .logs = PodLogFolder(config_, pod.metadata.namespace_, pod.metadata.name, uid)});
}

void PodRemains::LeaveFolder(const std::string& uid) { Add(uid, {.whole = true, .logs = {}}); }

void PodRemains::LeaveVolumes(const std::string& uid) { Add(uid, {}); }

void PodRemains::Add(const std::string& uid, Left left) {
  const std::lock_guard lock(mutex_);
  Left& known = left_[uid];
  // Of a pod that has gone since its volumes did, all goes.
  known.whole = known.whole || left.whole;
  if (known.logs.empty()) known.logs = std::move(left.logs);
  known.failed = left.failed;
  if (timer_ == 0) SetTimer(left.failed ? kRetry : kRest);
}

void PodRemains::SetTimer(milliseconds delay) {
  timer_ = executor_.PostAfter(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->RemoveAll();
  });
}

bool PodRemains::Remove(const std::string& uid, const Left& left) const {
  const kernel::GoOn go_on = [this] { return Clock::now() < until_.load(); };
  if (!left.whole) return RemoveTree(RemovedVolumes(config_, uid), go_on).ok();
  return RemoveTree(PodFolder(config_, uid), go_on).ok() &&
         (left.logs.empty() || RemoveTree(left.logs, go_on).ok()) &&
         (unlink(RecordOf(uid).c_str()) == 0 || errno == ENOENT);
}

void PodRemains::RemoveAll() {
  const std::lock_guard removing(removing_);
  std::map<std::string, Left> left;
  {
    const std::lock_guard lock(mutex_);
    if (timer_ != 0) executor_.Cancel(timer_);
    timer_ = 0;
    left.swap(left_);
    in_work_ = left.size();
  }
  for (auto& [uid, what] : left) {
    what.failed = !Remove(uid, what);
    if (what.failed) Add(uid, std::move(what));
    const std::lock_guard lock(mutex_);
    --in_work_;
  }
}

void PodRemains::Recover() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config_.data_dir + "/pods", error)) {
    const std::string uid = entry.path().filename();
    if (access(RemovedVolumes(config_, uid).c_str(), F_OK) == 0) LeaveVolumes(uid);
  }
  for (const auto& entry : std::filesystem::directory_iterator(config_.run_dir + "/pods", error)) {
    if (entry.path().extension() != kRecord) continue;
    const std::string uid = entry.path().stem();
    const auto text = ReadSmallFile(entry.path(), kMaxRecord);
    if (!text.ok()) continue;
    const auto pod = reflect::FromJson<api::core::v1::Pod>(*text, {.strict = false});
    // What cannot be read has no logs that could be named.
    if (!pod.ok()) {
      LeaveFolder(uid);
      continue;
    }
    Add(uid, {.whole = true,
              .logs = PodLogFolder(config_, pod->metadata.namespace_, pod->metadata.name, uid)});
  }
}

}  // namespace podium::node
