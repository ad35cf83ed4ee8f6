// Labels of nodes that have other names today. Internal to the folder.
// Source: upstream's pkg/api/node/util.go.
#pragma once

#include <string_view>

namespace podium::apiserver {

// What a warning says of the label; "" for one that is not deprecated.
constexpr std::string_view DeprecatedNodeLabel(std::string_view key) {
  struct Row {
    std::string_view key;
    std::string_view why;
  };
  constexpr Row kRows[] = {
      {"beta.kubernetes.io/arch", R"(deprecated since v1.14; use "kubernetes.io/arch" instead)"},
      {"beta.kubernetes.io/os", R"(deprecated since v1.14; use "kubernetes.io/os" instead)"},
      {"failure-domain.beta.kubernetes.io/region",
       R"(deprecated since v1.17; use "topology.kubernetes.io/region" instead)"},
      {"failure-domain.beta.kubernetes.io/zone",
       R"(deprecated since v1.17; use "topology.kubernetes.io/zone" instead)"},
      {"beta.kubernetes.io/instance-type",
       R"(deprecated since v1.17; use "node.kubernetes.io/instance-type" instead)"},
  };
  for (const Row& row : kRows) {
    if (row.key == key) return row.why;
  }
  return "";
}

}  // namespace podium::apiserver
