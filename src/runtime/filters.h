// CRI's filters, and how ids are found by their beginnings; shared by all runtimes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// All fields that are set must match; ids match by their beginning, as containerd's do.
bool Matches(const wire::cri::PodSandboxFilter& filter, const wire::cri::PodSandbox& sandbox);
bool Matches(const wire::cri::ContainerFilter& filter, const wire::cri::Container& container);
bool Matches(const wire::cri::ContainerStatsFilter& filter, const wire::cri::Container& container);
bool Matches(const wire::cri::PodSandboxStatsFilter& filter, const wire::cri::PodSandbox& sandbox);

// "name_namespace_uid_attempt": unique among sandboxes.
std::string SandboxName(const wire::cri::PodSandboxMetadata& metadata);
// "name_pod_namespace_uid_attempt": unique among containers.
std::string ContainerName(const wire::cri::ContainerMetadata& container,
                          const wire::cri::PodSandboxMetadata& sandbox);

// "CONTAINER_RUNNING", as CRI spells it.
std::string_view StateName(wire::cri::ContainerState state);

// The entry whose key is `id` or the only one that begins with it; the end otherwise. An empty id
// finds nothing.
template <class Map>
auto FindById(Map& map, std::string_view id) {
  if (id.empty()) return map.end();
  auto found = map.lower_bound(id);
  if (found == map.end() || !std::string_view(found->first).starts_with(id)) return map.end();
  if (found->first == id) return found;
  auto next = std::next(found);
  if (next != map.end() && std::string_view(next->first).starts_with(id)) return map.end();
  return found;
}

}  // namespace podium::runtime
