// The rows of docs/pod-spec.md, by the types of the API. A type that stands in one place has a
// section of its own ("Probe.periodSeconds"); one that several types have is written out in each
// ("PodSecurityContext.seLinuxOptions.level", "SecurityContext.seLinuxOptions.level"), as what it
// does may differ. What ephemeral containers share with others counts as the others'.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "node/pod_spec.h"

namespace podium::node::pod_fields {

// All rows, in the order of declaration; nothing of what is inside a field that is not `open`.
std::vector<std::string> RowsOf(const std::function<bool(const std::string& row)>& open);
// The row of a field that is set somewhere in the pod, by its path: "spec.containers[0].image" is
// of Container.image. "" for the status.
std::string RowOf(std::string_view path);
// The rows of all fields on the way to this row wherever the pod sets it, itself included.
std::vector<std::string> RowsOnTheWay(const v1::Pod& pod, const std::string& row);
// The pod without this field, wherever it has it.
v1::Pod Without(v1::Pod pod, const std::string& row);

}  // namespace podium::node::pod_fields
