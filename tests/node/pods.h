// Pods and observed states for the tests of the room, written short.
#pragma once

#include <string>
#include <string_view>

#include "node/observed_pod.h"
#include "node/pod_actions.h"

namespace podium::node {

// Any time will do; whole seconds.
inline constexpr int64_t kNow = 1'800'000'000'000'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

// The spec (YAML, in flow style: "containers: [{name: a}]"), with defaults, in the pod "p" of the
// namespace "ns" with the uid "u". Containers without an image get one. Aborts when it is no pod.
v1::Pod PodOf(std::string_view spec);

// One of its containers as the runtime would tell it, made by the kubelet from this very pod.
// `state`: "running", "exited 3", "created" or "unknown".
ObservedContainer ContainerOf(const v1::Pod& pod, std::string_view name, std::string_view state);

cri::PodSandboxStatus SandboxOf(std::string_view id, bool ready, uint32_t attempt = 0,
                                std::string_view address = "10.208.0.2");

class FakeProbes : public ProbeResults {
 public:
  std::map<std::string, ProbeResult, std::less<>> startup;
  std::map<std::string, ProbeResult, std::less<>> liveness;

  std::optional<ProbeResult> Startup(std::string_view id) const override {
    return Find(startup, id);
  }
  std::optional<ProbeResult> Liveness(std::string_view id) const override {
    return Find(liveness, id);
  }

 private:
  static std::optional<ProbeResult> Find(
      const std::map<std::string, ProbeResult, std::less<>>& results, std::string_view id) {
    auto found = results.find(id);
    if (found == results.end()) return std::nullopt;
    return found->second;
  }
};

}  // namespace podium::node
