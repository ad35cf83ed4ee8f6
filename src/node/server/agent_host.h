// The agent as the kubelet's port sees it.
#pragma once

#include <chrono>
#include <future>
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
  // Its pods have a worker each, and all are tasks: whether one that is posted now is run. Waits
  // for it.
  Result<void> CheckSyncLoop() override {
    auto ran = std::make_shared<std::promise<void>>();
    const std::future<void> done = ran->get_future();
    agent_.executor().Post([ran] { ran->set_value(); });
    if (done.wait_for(kPatience) == std::future_status::ready) return {};
    return Error(Code::kDeadlineExceeded, "no task has begun for five seconds");
  }
  runtime::Runtime& runtime() override { return agent_.runtime(); }

 private:
  static constexpr std::chrono::seconds kPatience{5};

  Agent& agent_;
};

}  // namespace podium::node
