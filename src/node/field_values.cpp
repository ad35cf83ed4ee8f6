#include "node/field_values.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "node/pod_spec.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

using Strings = reflect::Map<std::string>;

std::string Lines(const Strings& values) {
  std::string out;
  for (const auto& [key, value] : values) {
    if (!out.empty()) out += '\n';
    out.append(key).append("=");
    reflect::AppendGoQuoted(value, &out);
  }
  return out;
}

// "metadata.labels['app']" is "metadata.labels" and "app".
std::optional<std::pair<std::string_view, std::string_view>> SplitSubscript(std::string_view path) {
  if (!path.ends_with("']")) return std::nullopt;
  const size_t open = path.find("['");
  if (open == std::string_view::npos || open == 0 || open + 4 > path.size()) return std::nullopt;
  return std::pair(path.substr(0, open), path.substr(open + 2, path.size() - open - 4));
}

std::string Value(const Strings& values, std::string_view key) {
  const auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

bool MayBeOvercommitted(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || resource == "ephemeral-storage";
}

// What a container without a limit may use: what the pod may, or else the node.
api::Quantity LimitOfAll(const v1::Pod& pod, std::string_view resource,
                         const Resources& allocatable) {
  if (pod.spec.resources.has_value()) {
    const auto own = pod.spec.resources->limits.find(resource);
    if (own != pod.spec.resources->limits.end() && !own->second.IsZero()) return own->second;
  }
  const auto all = allocatable.find(resource);
  return all == allocatable.end() ? api::Quantity() : all->second;
}

}  // namespace

Result<std::string> PodFieldValue(const v1::Pod& pod, std::string_view path) {
  const auto& metadata = pod.metadata;
  if (const auto subscript = SplitSubscript(path)) {
    if (subscript->first == "metadata.annotations") {
      return Value(metadata.annotations, subscript->second);
    }
    if (subscript->first == "metadata.labels") return Value(metadata.labels, subscript->second);
    return Error(Code::kInvalidArgument,
                 "fieldPath " + reflect::GoQuoted(path) + " does not support subscript");
  }
  if (path == "metadata.annotations") return Lines(metadata.annotations);
  if (path == "metadata.labels") return Lines(metadata.labels);
  if (path == "metadata.name") return metadata.name;
  if (path == "metadata.namespace") return metadata.namespace_;
  if (path == "metadata.uid") return metadata.uid;
  if (path == "spec.nodeName") return pod.spec.nodeName;
  if (path == "spec.serviceAccountName") return pod.spec.serviceAccountName;
  if (path == "status.hostIP") return pod.status.hostIP;
  if (path == "status.hostIPs") return Join(pod.status.hostIPs, ",", &v1::HostIP::ip);
  if (path == "status.podIP") return pod.status.podIP;
  if (path == "status.podIPs") return Join(pod.status.podIPs, ",", &v1::PodIP::ip);
  return Error(Code::kInvalidArgument, "unsupported fieldPath: " + std::string(path));
}

Result<std::string> ResourceFieldValue(const v1::Pod& pod, std::string_view container,
                                       const v1::ResourceFieldSelector& selector,
                                       const Resources& allocatable) {
  const std::string_view name = selector.containerName.empty() ? container : selector.containerName;
  const v1::Container* found = FindContainer(pod.spec, name);
  if (!found) {
    return Error(Code::kNotFound, "container " + std::string(name) + " not found");
  }
  const std::string_view field = selector.resource;
  const bool limit = field.starts_with("limits.");
  const bool request = field.starts_with("requests.");
  const std::string_view resource =
      limit || request ? field.substr(field.find('.') + 1) : std::string_view();
  if (!MayBeOvercommitted(resource) && !resource.starts_with("hugepages-")) {
    return Error(Code::kInvalidArgument, "unsupported container resource : " + std::string(field));
  }
  const Resources& of = limit ? found->resources.limits : found->resources.requests;
  api::Quantity amount;
  if (const auto set = of.find(resource); set != of.end()) amount = set->second;
  if (limit && amount.IsZero() && MayBeOvercommitted(resource)) {
    amount = LimitOfAll(pod, resource, allocatable);
  }
  const int scale = resource == "cpu" ? api::Quantity::kMilli : api::Quantity::kOne;
  const api::Quantity unit =
      selector.divisor.IsZero() ? api::Quantity::FromInt(1) : selector.divisor;
  const double parts = std::ceil(static_cast<double>(amount.ScaledValue(scale)) /
                                 static_cast<double>(unit.ScaledValue(scale)));
  return std::to_string(static_cast<int64_t>(parts));
}

}  // namespace podium::node
