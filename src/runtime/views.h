// What a runtime tells of its sandboxes and containers, in CRI's words; shared by all runtimes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/filters.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// What all runtimes know of a sandbox; only looked at during a call.
struct SandboxView {
  const std::string& id;
  const wire::cri::PodSandboxConfig& config;
  wire::cri::PodSandboxState state;
  int64_t created_at;  // in nanoseconds since 1970
  const std::string& handler;
};

wire::cri::PodSandbox Listed(const SandboxView& sandbox);
// `addresses`: the first is the pod's, the others are told beside it.
wire::cri::PodSandboxStatus StatusOf(const SandboxView& sandbox,
                                     const std::vector<std::string>& addresses);

// A container that was made just now. Its image is told as the configuration names it.
wire::cri::ContainerStatus CreatedStatus(const std::string& id,
                                         const wire::cri::ContainerConfig& config,
                                         const std::string& log_directory, int64_t created_at);
wire::cri::Container Listed(const std::string& sandbox_id,
                            const wire::cri::ContainerStatus& container);

// The oldest first.
void SortByAge(std::vector<wire::cri::ContainerStatus>* statuses);

// What this runtime can do, without its conditions.
wire::cri::StatusResponse Abilities();

// What `show` makes of the values of a map, as far as the filter takes it.
template <class Filter, class Map, class Show>
auto ListMatching(const Filter& filter, const Map& objects, const Show& show) {
  std::vector<decltype(show(*objects.begin()))> list;
  for (const auto& object : objects) {
    auto shown = show(object);
    if (Matches(filter, shown)) list.push_back(std::move(shown));
  }
  return list;
}

}  // namespace podium::runtime
