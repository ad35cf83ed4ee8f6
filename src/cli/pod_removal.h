// Deletes pods and waits until they are gone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "client/client.h"

namespace podium::cli {

// Asks, and returns at once. Those that are gone already, and others in their place, are no error.
Result<void> AskToRemovePods(const client::Client& client,
                             const std::vector<api::core::v1::Pod>& pods,
                             std::optional<int64_t> grace);

// Asks for all of them first, then waits for each. Those that are gone already count as removed.
// `grace` in seconds; without one, each pod's own.
Result<void> RemovePods(const client::Client& client, const std::vector<api::core::v1::Pod>& pods,
                        std::optional<int64_t> grace);

}  // namespace podium::cli
