#include "node/qos_tiers.h"

#include "api/validation/resources.h"
#include "node/resources.h"

namespace podium::node {

Result<void> QosTiers::Add(const v1::Pod& pod) {
  std::lock_guard lock(mutex_);
  if (api::ComputePodQos(pod.spec) == "Burstable") {
    int64_t& its = burstable_[pod.metadata.uid];
    wanted_ -= its;
    its = PodCpuRequest(pod);
    wanted_ += its;
  }
  return Update();
}

Result<void> QosTiers::Remove(const std::string& uid) {
  std::lock_guard lock(mutex_);
  const auto found = burstable_.find(uid);
  if (found == burstable_.end()) return {};
  wanted_ -= found->second;
  burstable_.erase(found);
  return Update();
}

Result<void> QosTiers::Update() {
  const auto cpu = config_.allocatable.find("cpu");
  TRY_VOID(Set("kubepods", cpu == config_.allocatable.end() ? 1000 : cpu->second.MilliValue()));
  TRY_VOID(Set("kubepods/burstable", wanted_));
  return Set("kubepods/besteffort", 0);
}

Result<void> QosTiers::Set(const std::string& path, int64_t milli_cpu) {
  const auto shares = static_cast<uint64_t>(SharesOf(milli_cpu));
  const auto before = shares_.find(path);
  if (before != shares_.end() && before->second == shares) return {};
  TRY_VOID(set_(path, shares));
  shares_[path] = shares;
  return {};
}

}  // namespace podium::node
