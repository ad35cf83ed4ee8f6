#include "node/resize.h"

#include <algorithm>
#include <array>
#include <utility>

#include "node/container_status.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using Amounts = reflect::Map<api::Quantity>;
using reflect::JsonValue;

constexpr std::array<std::string_view, 2> kResizable{"cpu", "memory"};

bool SameAmount(const Amounts& a, const Amounts& b, std::string_view name) {
  const auto in_a = a.find(name);
  const auto in_b = b.find(name);
  if (in_a == a.end() || in_b == b.end()) return in_a == a.end() && in_b == b.end();
  return in_a->second == in_b->second;
}

bool SameAmount(const v1::ResourceRequirements& a, const v1::ResourceRequirements& b,
                std::string_view name) {
  return SameAmount(a.requests, b.requests, name) && SameAmount(a.limits, b.limits, name);
}

void CopyAmounts(const Amounts& from, Amounts* to) {
  for (const std::string_view name : kResizable) {
    const auto found = from.find(name);
    if (found != from.end()) {
      (*to)[std::string(name)] = found->second;
    } else if (const auto old = to->find(name); old != to->end()) {
      to->erase(old);
    }
  }
}

void CopyAmounts(const v1::ResourceRequirements& from, v1::ResourceRequirements* to) {
  CopyAmounts(from.requests, &to->requests);
  CopyAmounts(from.limits, &to->limits);
}

// Calls `each` with the containers of both, in the order of the first.
template <class A, class B, class Each>
void ForEachResizable(A& a, B& b, Each each) {
  for (size_t i = 0; i < std::min(a.initContainers.size(), b.initContainers.size()); ++i) {
    if (IsSidecar(a.initContainers[i])) each(a.initContainers[i], b.initContainers[i]);
  }
  for (size_t i = 0; i < std::min(a.containers.size(), b.containers.size()); ++i) {
    each(a.containers[i], b.containers[i]);
  }
}

// Null where there are none.
JsonValue Summary(const reflect::List<v1::Container>& containers, bool sidecars_only) {
  JsonValue list = JsonValue::Of(JsonValue::Array{});
  for (const v1::Container& container : containers) {
    if (sidecars_only && !IsSidecar(container)) continue;
    JsonValue entry = JsonValue::Of(JsonValue::Object{});
    entry.Set("name", JsonValue::String(container.name));
    const auto text = reflect::ToJson(container.resources);
    auto resources = reflect::ParseJson(text.ok() ? *text : "{}");
    entry.Set("resources",
              resources.ok() ? *std::move(resources) : JsonValue::Of(JsonValue::Object{}));
    list.array().push_back(std::move(entry));
  }
  return list;
}

}  // namespace

bool SameAmounts(const v1::ResourceRequirements& a, const v1::ResourceRequirements& b) {
  return std::ranges::all_of(kResizable,
                             [&](std::string_view name) { return SameAmount(a, b, name); });
}

bool SameAmounts(const v1::PodSpec& a, const v1::PodSpec& b) {
  bool same = a.resources.has_value() == b.resources.has_value() &&
              (!a.resources || SameAmounts(*a.resources, *b.resources));
  ForEachResizable(a, b, [&](const v1::Container& one, const v1::Container& other) {
    same = same && SameAmounts(one.resources, other.resources);
  });
  return same;
}

void CopyAmounts(const v1::PodSpec& from, v1::PodSpec* to) {
  if (from.resources && to->resources) CopyAmounts(*from.resources, &*to->resources);
  ForEachResizable(from, *to, [](const v1::Container& one, v1::Container& other) {
    CopyAmounts(one.resources, &other.resources);
  });
}

v1::ResourceRequirements ActuatedOf(const v1::Pod& pod, const v1::Container& container,
                                    const ObservedContainer& state, const GivenByName& given) {
  const auto known = given.find(container.name);
  if (known != given.end() && known->second.container_id == state.id) {
    return known->second.resources;
  }
  const v1::ContainerStatus* status = FindStatus(pod.status, container.name);
  if (status && status->state.running && status->resources &&
      status->containerID.ends_with("//" + state.id)) {
    return *status->resources;
  }
  return container.resources;
}

v1::PodSpec ActuatedSpec(const v1::Pod& pod, const ObservedPod& observed,
                         const GivenByName& given) {
  v1::PodSpec actuated = pod.spec;
  ForEachResizable(pod.spec, actuated, [&](const v1::Container& container, v1::Container& own) {
    const ObservedContainer* state = observed.Find(container.name);
    if (state && state->running()) {
      CopyAmounts(ActuatedOf(pod, container, *state, given), &own.resources);
    }
  });
  return actuated;
}

bool ResizeNeedsRestart(const v1::Container& container, const v1::ResourceRequirements& actuated) {
  return std::ranges::any_of(container.resizePolicy, [&](const v1::ContainerResizePolicy& policy) {
    return policy.restartPolicy == "RestartContainer" &&
           std::ranges::find(kResizable, policy.resourceName) != kResizable.end() &&
           !SameAmount(actuated, container.resources, policy.resourceName);
  });
}

std::string ResizeKillMessage(const v1::Container& container) {
  return "Container " + container.name + " resize requires restart";
}

std::string ResizeMessage(std::string_view what, const v1::PodSpec& spec, int64_t generation,
                          std::string_view error) {
  JsonValue summary = JsonValue::Of(JsonValue::Object{});
  if (JsonValue sidecars = Summary(spec.initContainers, true); !sidecars.array().empty()) {
    summary.Set("initContainers", std::move(sidecars));
  }
  summary.Set("containers", Summary(spec.containers, false));
  summary.Set("generation", JsonValue::Number(std::to_string(generation)));
  if (!error.empty()) summary.Set("error", JsonValue::String(std::string(error)));
  return "Pod resize " + std::string(what) + ": " + reflect::ToText(summary);
}

}  // namespace podium::node
