#include "node/observed_pod.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "node/labels.h"

namespace podium::node {
namespace {

template <class T>
T NumberOf(const reflect::Map<std::string>& values, std::string_view key, int base, T fallback) {
  auto found = values.find(key);
  if (found == values.end()) return fallback;
  const std::string& text = found->second;
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() ? number : fallback;
}

std::string TextOf(const reflect::Map<std::string>& values, std::string_view key) {
  auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

}  // namespace

const ObservedContainer* ObservedPod::Find(std::string_view name) const {
  for (const ObservedContainer& container : containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

const ObservedContainer* ObservedPod::FindExited(std::string_view name) const {
  for (const ObservedContainer& container : containers) {
    if (container.name == name && container.exited()) return &container;
  }
  return nullptr;
}

const ObservedContainer* ObservedPod::FindById(std::string_view id) const {
  for (const ObservedContainer& container : containers) {
    if (container.id == id) return &container;
  }
  return nullptr;
}

const cri::PodSandboxStatus* ObservedPod::ReadySandbox() const {
  if (sandboxes.empty()) return nullptr;
  const cri::PodSandboxStatus& newest = sandboxes.front();
  return newest.state == cri::PodSandboxState::kSandboxReady ? &newest : nullptr;
}

bool ObservedPod::AnythingRuns() const {
  return std::ranges::any_of(sandboxes,
                             [](const auto& sandbox) {
                               return sandbox.state == cri::PodSandboxState::kSandboxReady;
                             }) ||
         std::ranges::any_of(containers, [](const ObservedContainer& container) {
           return container.running() || container.state == cri::ContainerState::kContainerUnknown;
         });
}

std::vector<std::string> ObservedPod::Addresses() const {
  std::vector<std::string> out;
  const cri::PodSandboxStatus* sandbox = ReadySandbox();
  if (!sandbox || !sandbox->network || sandbox->network->ip.empty()) return out;
  out.push_back(sandbox->network->ip);
  for (const cri::PodIP& address : sandbox->network->additional_ips) out.push_back(address.ip);
  return out;
}

void ObservedPod::Sort() {
  std::ranges::sort(sandboxes, [](const auto& a, const auto& b) {
    const uint32_t attempt_a = a.metadata ? a.metadata->attempt : 0;
    const uint32_t attempt_b = b.metadata ? b.metadata->attempt : 0;
    return std::tuple(attempt_b, b.created_at, b.id) < std::tuple(attempt_a, a.created_at, a.id);
  });
  std::ranges::sort(containers, [](const auto& a, const auto& b) {
    return std::tuple(b.created_at, b.restart_count, b.id) <
           std::tuple(a.created_at, a.restart_count, a.id);
  });
}

ObservedContainer ObserveContainer(const cri::ContainerStatus& status,
                                   std::string_view sandbox_id) {
  ObservedContainer out;
  out.id = status.id;
  out.name = TextOf(status.labels, kContainerNameLabel);
  if (out.name.empty() && status.metadata) out.name = status.metadata->name;
  out.sandbox_id = sandbox_id;
  out.state = status.state;
  out.created_at = status.created_at;
  out.started_at = status.started_at;
  out.finished_at = status.finished_at;
  out.exit_code = status.exit_code;
  out.reason = status.reason;
  out.message = status.message;
  if (status.image) {
    out.image = status.image->user_specified_image.empty() ? status.image->image
                                                           : status.image->user_specified_image;
  }
  out.image_ref = status.image_ref;
  out.log_path = status.log_path;
  const auto& notes = status.annotations;
  out.hash = NumberOf<uint64_t>(notes, kContainerHashAnnotation, 16, 0);
  out.restart_count = NumberOf<int32_t>(notes, kRestartCountAnnotation, 10, 0);
  out.termination_grace_period =
      NumberOf<int64_t>(notes, kPodTerminationGracePeriodAnnotation, 10, -1);
  out.termination_message_path = TextOf(notes, kTerminationMessagePathAnnotation);
  out.termination_message_policy = TextOf(notes, kTerminationMessagePolicyAnnotation);
  for (const cri::Mount& mount : status.mounts) {
    if (!out.termination_message_path.empty() &&
        mount.container_path == out.termination_message_path) {
      out.termination_message_file = mount.host_path;
    }
  }
  out.resources = status.resources;
  out.user = status.user;
  out.stop_signal = status.stop_signal;
  return out;
}

std::string_view StateName(cri::ContainerState state) {
  switch (state) {
    case cri::ContainerState::kContainerCreated:
      return "created";
    case cri::ContainerState::kContainerRunning:
      return "running";
    case cri::ContainerState::kContainerExited:
      return "exited";
    case cri::ContainerState::kContainerUnknown:
      break;
  }
  return "unknown";
}

}  // namespace podium::node
