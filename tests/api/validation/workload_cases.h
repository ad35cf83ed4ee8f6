// Rows that hold for every kind whose pods run for ever.
#pragma once

#include "api/validation/harness.h"

namespace podium::api {

// What is wrong with the template of `kind`, in rows for a base object with selector a=b.
inline std::vector<ErrorCase> RunsForeverCases(const std::string& kind) {
  return {
      {{"spec.template.spec.restartPolicy=\"Never\""},
       {"spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
        "\"Always\""}},
      {{"spec.template.spec.activeDeadlineSeconds=1"},
       {"spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in " + kind +
        " is not Supported"}},
      {{"spec.template.spec.containers"}, {"spec.template.spec.containers: Required value"}},
      {{"spec.template.spec.ephemeralContainers=[{\"name\":\"e\",\"image\":\"i\"}]"},
       {"spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in "
        "pod template"}},
      {{"spec.template.metadata.labels={\"a\":\"c\"}"},
       {"spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match "
        "template `labels`"}},
      {{"spec.template.metadata"},
       {"spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
        "`labels`"}},
  };
}

inline constexpr char kNegative[] = ": Invalid value: -1: must be greater than or equal to 0";

}  // namespace podium::api
