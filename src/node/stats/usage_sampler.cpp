#include "node/stats/usage_sampler.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace podium::node {
namespace {

constexpr int64_t kFresh = kNanosPerSecond;
constexpr int64_t kRateWindow = 10 * kNanosPerSecond;
// What is older says nothing of now.
constexpr int64_t kLongestWindow = 120 * kNanosPerSecond;

}  // namespace

std::optional<uint64_t> NodeSample::NanoCores(std::string_view cgroup) const {
  const auto found = nano_cores.find(cgroup);
  if (found == nano_cores.end()) return std::nullopt;
  return found->second;
}

std::shared_ptr<const NodeSample> UsageSampler::Take(kernel::CgroupDetail detail) {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.Now();
  const bool fresh = last_ && now >= last_->read_at && now - last_->read_at < kFresh;
  if (fresh && (detail == kernel::CgroupDetail::kUse || last_->detail == detail)) return last_;
  auto sample = ReadAll(detail);
  AddRates(sample.get());
  last_ = std::move(sample);
  return last_;
}

std::shared_ptr<NodeSample> UsageSampler::ReadAll(kernel::CgroupDetail detail) const {
  auto sample = std::make_shared<NodeSample>();
  sample->read_at = clock_.Now();
  sample->detail = detail;
  sample->agent = ReadOwnUse();
  // From within outwards: what is used meanwhile makes no part more than the whole.
  sample->pods = reader_.PodsUsage(detail);
  for (const std::string_view path :
       {kBestEffortCgroup, kBurstableCgroup, kPodsCgroup, runtime::kRuntimeCgroup}) {
    auto group = reader_.CgroupUsage(path, detail);
    if (group.ok()) sample->groups.emplace(path, *std::move(group));
  }
  sample->machine = ReadMachineUse(clock_.Now(), root_);
  std::ranges::sort(sample->pods, {}, [](const runtime::PodUsage& pod) {
    return std::tie(pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  });
  return sample;
}

void UsageSampler::AddRates(NodeSample* sample) {
  Points points;
  points["/"] = {sample->machine.read_at, sample->machine.cpu_ns};
  points[""] = {sample->read_at, sample->agent.cpu_ns};
  const auto add = [&](const std::string& cgroup, int64_t time, const kernel::CgroupStats& used) {
    if (used.cpu) points[cgroup] = {time, used.cpu->usage_ns};
  };
  for (const auto& [path, group] : sample->groups) add(group.cgroup, group.read_at, group.used);
  for (const runtime::PodUsage& pod : sample->pods) {
    add(pod.cgroup, pod.read_at, pod.used);
    for (const auto& container : pod.containers) {
      add(container.cgroup, container.read_at, container.used);
    }
  }
  const int64_t now = sample->read_at;
  const bool jumped = now < next_at_;
  if (next_at_ == 0 || jumped || now - next_at_ >= kRateWindow) {
    base_ = jumped ? Points() : std::exchange(next_, {});
    base_at_ = jumped ? 0 : next_at_;
    next_ = points;
    next_at_ = now;
  }
  if (base_at_ == 0 || now - base_at_ > kLongestWindow) return;
  for (const auto& [cgroup, point] : points) {
    const auto before = base_.find(cgroup);
    if (before == base_.end() || point.time <= before->second.time ||
        point.cpu_ns < before->second.cpu_ns) {
      continue;
    }
    const double seconds = static_cast<double>(point.time - before->second.time) / kNanosPerSecond;
    sample->nano_cores[cgroup] =
        static_cast<uint64_t>(static_cast<double>(point.cpu_ns - before->second.cpu_ns) / seconds);
  }
}

}  // namespace podium::node
