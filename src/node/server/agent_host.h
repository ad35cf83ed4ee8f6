// The agent as the kubelet's port sees it.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "node/agent.h"
#include "node/server/kubelet_api.h"

namespace podium::node {

class AgentHost : public KubeletHost {
 public:
  // The agent outlives it.
  explicit AgentHost(Agent& agent) : agent_(agent) {}

  std::vector<std::shared_ptr<const v1::Pod>> Pods() override {
    uint64_t version = 0;
    return agent_.ListPods("", &version);
  }
  std::shared_ptr<const v1::Pod> FindPod(std::string_view name_space,
                                         std::string_view name) override {
    auto pod = agent_.GetPod(name_space, name);
    return pod.ok() ? std::make_shared<const v1::Pod>(*std::move(pod)) : nullptr;
  }
  // Its pods have a worker each, and no loop that could stand still.
  Result<void> CheckSyncLoop() override { return {}; }
  runtime::Runtime& runtime() override { return agent_.runtime(); }

 private:
  Agent& agent_;
};

}  // namespace podium::node
