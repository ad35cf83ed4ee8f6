// What happens to a namespace that is deleted: what is in it goes, pods first, and when nothing is
// left, the namespace (upstream's pkg/controller/namespace/deletion, release 1.36). What is in the
// way is told in its status.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "controllers/controller.h"

namespace podium::controllers {

// What one look at a namespace has found.
struct DeletionFindings {
  std::vector<std::string> discovery_failures{};
  std::vector<std::string> content_failures{};
  std::map<std::string, int64_t> remaining{};   // "pods." → how many
  std::map<std::string, int64_t> finalizers{};  // "example.com/x" → on how many
  std::chrono::seconds estimate{0};             // until it is worth another look
};

// Writes the five conditions of a namespace that goes; whether any has changed. Pure.
bool SetDeletionConditions(const DeletionFindings& findings, api::Time now,
                           api::core::v1::NamespaceStatus* status);

std::unique_ptr<Controller> MakeNamespaceController(const ControllerContext& context);

}  // namespace podium::controllers
