// Has what Services were given of addresses and ports looked over, at the start and every three
// minutes, and tells of what is wrong by Events about the Service (upstream: the repair loops of
// kube-apiserver, pkg/registry/core/service/{ipallocator,portallocator}/controller).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controllers/controller.h"

namespace podium::controllers {

struct ServiceProblem {
  std::string namespace_{};
  std::string name{};
  std::string uid{};
  std::string reason{};  // "ClusterIPNotAllocated", "PortAlreadyAllocated"
  std::string message{};
};

// `repair` is what looks and mends: only the server knows what is allocated. One at a time; it may
// wait for the store.
std::unique_ptr<Controller> MakeServiceRepair(
    const ControllerContext& context, std::function<Result<std::vector<ServiceProblem>>()> repair);

}  // namespace podium::controllers
