#include "node/cpus/cpu_manager.h"

#include <algorithm>
#include <utility>

#include "api/validation/resources.h"
#include "linux/path.h"
#include "node/files.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using reflect::JsonValue;

constexpr size_t kMostState = size_t{4} << 20;
constexpr int64_t kMilli = 1000;

void Add(const CpuSet& from, CpuSet* to) { to->insert(from.begin(), from.end()); }

void Remove(const CpuSet& what, CpuSet* from) {
  for (const int cpu : what) from->erase(cpu);
}

std::string TextOf(const JsonValue& value, std::string_view key) {
  const JsonValue* found = value.is_object() ? value.Find(key) : nullptr;
  return found && found->is_string() ? found->string() : std::string();
}

Error OtherMachine(const std::string& path, const std::string& why) {
  return Error(Code::kInvalidArgument,
               "could not restore state from checkpoint: " + why +
                   ", please drain this node and delete the CPU manager checkpoint file \"" + path +
                   "\" before restarting Kubelet");
}

}  // namespace

size_t ExclusiveCpus(const v1::Pod& pod, const v1::Container& container) {
  if (api::ComputePodQos(pod.spec) != "Guaranteed") return 0;
  const auto asked = container.resources.requests.find("cpu");
  if (asked == container.resources.requests.end()) return 0;
  const int64_t milli = asked->second.MilliValue();
  return milli % kMilli == 0 ? static_cast<size_t>(milli / kMilli) : 0;
}

Result<std::unique_ptr<CpuManager>> CpuManager::Open(Options options) {
  std::unique_ptr<CpuManager> manager(new CpuManager(std::move(options)));
  manager->all_ = AllOf(manager->options_.topology);
  TRY_VOID(manager->Reserve());
  TRY_VOID(manager->Load());
  return manager;
}

Result<void> CpuManager::Reserve() {
  reserved_ = options_.reserved;
  if (reserved_.empty()) {
    const int64_t count = (options_.reserved_milli + kMilli - 1) / kMilli;
    if (count <= 0) {
      return Error(Code::kInvalidArgument,
                   "the static policy requires systemreserved.cpu + kubereserved.cpu to be greater "
                   "than zero");
    }
    TRY(reserved_, TakeCpus(options_.topology, all_, static_cast<size_t>(count)));
  }
  if (!std::ranges::includes(all_, reserved_)) {
    return Error(Code::kInvalidArgument, "reserved CPUs " + CpuSetText(reserved_) +
                                             " are not all among those online, " +
                                             CpuSetText(all_));
  }
  return {};
}

Result<void> CpuManager::Load() {
  const auto text = ReadSmallFile(options_.state, kMostState);
  if (!text.ok() && text.error().code() == Code::kNotFound) return {};
  if (!text.ok()) return text.error();
  const auto state = reflect::ParseJson(*text);
  if (!state.ok()) return OtherMachine(options_.state, state.error().message());
  if (const std::string policy = TextOf(*state, "policyName"); policy != "static") {
    return OtherMachine(options_.state,
                        "configured policy \"static\" differs from state checkpoint "
                        "policy \"" +
                            policy + "\"");
  }
  TRY(CpuSet known, ParseCpuSet(TextOf(*state, "defaultCpuSet")));
  Pods pods;
  if (const JsonValue* entries = state->Find("entries"); entries && entries->is_object()) {
    for (const auto& [uid, containers] : entries->object()) {
      if (!containers.is_object()) continue;
      for (const auto& [name, cpus] : containers.object()) {
        TRY(CpuSet set, ParseCpuSet(cpus.is_string() ? cpus.string() : ""));
        Add(set, &known);
        pods[uid][name] = std::move(set);
      }
    }
  }
  if (known != all_) {
    return OtherMachine(options_.state, "current set of available CPUs \"" + CpuSetText(all_) +
                                            "\" doesn't match with CPUs in state \"" +
                                            CpuSetText(known) + "\"");
  }
  pods_ = std::move(pods);
  return {};
}

CpuSet CpuManager::SharedPool(const Pods& pods) const {
  CpuSet shared = all_;
  for (const auto& [uid, containers] : pods) {
    for (const auto& [name, cpus] : containers) Remove(cpus, &shared);
  }
  return shared;
}

// Under the mutex.
Result<void> CpuManager::Replace(Pods pods) {
  JsonValue entries = JsonValue::Of(JsonValue::Object{});
  for (const auto& [uid, containers] : pods) {
    JsonValue entry = JsonValue::Of(JsonValue::Object{});
    for (const auto& [name, cpus] : containers) {
      entry.Set(name, JsonValue::String(CpuSetText(cpus)));
    }
    entries.Set(uid, std::move(entry));
  }
  JsonValue state = JsonValue::Of(JsonValue::Object{});
  state.Set("policyName", JsonValue::String("static"));
  state.Set("defaultCpuSet", JsonValue::String(CpuSetText(SharedPool(pods))));
  state.Set("entries", std::move(entries));
  TRY_VOID(WriteFile(options_.state, reflect::ToText(state), 0600));
  pods_ = std::move(pods);
  return {};
}

void CpuManager::OnChange(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
}

void CpuManager::TellChange() {
  std::function<void()> changed;
  {
    const std::lock_guard lock(mutex_);
    changed = changed_;
  }
  if (changed) changed();
}

Result<void> CpuManager::Allocate(const v1::Pod& pod) {
  {
    const std::lock_guard lock(mutex_);
    if (pods_.contains(pod.metadata.uid)) return {};
    CpuSet free = SharedPool(pods_);
    Remove(reserved_, &free);
    Containers containers;
    CpuSet reusable;  // those of init containers, which have ended before
    const auto give = [&](const v1::Container& container, bool ends) -> Result<void> {
      const size_t count = ExclusiveCpus(pod, container);
      if (count == 0) return {};
      CpuSet from = free;
      Add(reusable, &from);
      TRY(CpuSet cpus, TakeCpus(options_.topology, from, count));
      Remove(cpus, &free);
      if (ends) {
        Add(cpus, &reusable);
      } else {
        Remove(cpus, &reusable);
      }
      containers[container.name] = std::move(cpus);
      return {};
    };
    for (const v1::Container& each : pod.spec.initContainers)
      TRY_VOID(give(each, !IsSidecar(each)));
    for (const v1::Container& each : pod.spec.containers) TRY_VOID(give(each, false));
    if (containers.empty()) return {};
    Pods pods = pods_;
    pods[pod.metadata.uid] = std::move(containers);
    TRY_VOID(Replace(std::move(pods)));
  }
  TellChange();
  return {};
}

void CpuManager::Release(std::string_view uid) {
  ReleaseOthers([&](std::string_view each) { return each != uid; });
}

void CpuManager::ReleaseOthers(const std::function<bool(std::string_view uid)>& is_there) {
  {
    const std::lock_guard lock(mutex_);
    Pods pods = pods_;
    if (std::erase_if(pods, [&](const auto& each) { return !is_there(each.first); }) == 0) return;
    // What cannot be written is the state of a moment ago, and found out by the next agent.
    if (Pods left = pods; !Replace(std::move(pods)).ok()) pods_ = std::move(left);
  }
  TellChange();
}

CpuManager::Cpus CpuManager::CpusOf(std::string_view uid, std::string_view container) const {
  const std::lock_guard lock(mutex_);
  if (const auto pod = pods_.find(uid); pod != pods_.end()) {
    if (const auto own = pod->second.find(container); own != pod->second.end()) {
      return {.cpus = own->second, .exclusive = true};
    }
  }
  return {.cpus = SharedPool(pods_)};
}

bool CpuManager::HasExclusive(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  return pods_.contains(uid);
}

Result<void> CheckNoCpuState(const std::string& state) {
  const auto text = ReadSmallFile(state, kMostState);
  if (!text.ok() && text.error().code() == Code::kNotFound) return {};
  return OtherMachine(state,
                      "configured policy \"none\" differs from state checkpoint policy \"static\"");
}

void PinContainer(const CpuManager* cpus, std::string_view uid, std::string_view container,
                  wire::cri::LinuxContainerResources* resources) {
  if (cpus == nullptr) return;
  const CpuManager::Cpus own = cpus->CpusOf(uid, container);
  resources->cpuset_cpus = CpuSetText(own.cpus);
  if (own.exclusive) resources->cpu_quota = 0;
}

void PinPod(const CpuManager* cpus, std::string_view uid,
            wire::cri::LinuxContainerResources* resources) {
  if (cpus != nullptr && cpus->HasExclusive(uid)) resources->cpu_quota = 0;
}

}  // namespace podium::node
