// The Pod Security Standards: what pods of a level may say (upstream's
// k8s.io/pod-security-admission/{api, policy}, release 1.36). Pure. Internal to the folder, but for
// the configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "reflect/values.h"

namespace podium::apiserver {

enum class SecurityLevel { kPrivileged, kBaseline, kRestricted };  // by strictness

// The standards as they were in release 1.<minor>.
struct SecurityVersion {
  static constexpr int kLatest = -1;
  int minor = kLatest;
  friend bool operator==(const SecurityVersion&, const SecurityVersion&) = default;
};

struct LevelVersion {
  SecurityLevel level = SecurityLevel::kPrivileged;
  SecurityVersion version{};
  // "restricted:v1.25"
  std::string String() const;
  friend bool operator==(const LevelVersion&, const LevelVersion&) = default;
};

struct SecurityPolicy {
  LevelVersion enforce{};
  LevelVersion audit{};
  LevelVersion warn{};
};

// Upstream's PodSecurityConfiguration; the default one has no effect where namespaces have no
// labels.
struct PodSecurityConfiguration {
  SecurityPolicy defaults{};
  std::vector<std::string> exempt_users{};
  std::vector<std::string> exempt_runtime_classes{};
  std::vector<std::string> exempt_namespaces{};
};

// What the labels of a namespace say, and the defaults where they say nothing. Of a label that
// cannot be read an error is added, and the strictest is taken to enforce, the least strict for the
// rest.
SecurityPolicy PolicyOf(const reflect::Map<std::string>& labels, const SecurityPolicy& defaults,
                        api::field::ErrorList* errors);

struct Violation {
  std::string reason;  // "host namespaces"
  std::string detail;  // "hostNetwork=true"
};

// In upstream's order; none: the pod is fine.
std::vector<Violation> ViolationsOf(const LevelVersion& policy,
                                    const reflect::Map<std::string>& annotations,
                                    const api::core::v1::PodSpec& spec);
// "host namespaces, privileged"
std::string ReasonsOf(const std::vector<Violation>& violations);
// `host namespaces (hostNetwork=true), privileged (…)`
std::string DetailsOf(const std::vector<Violation>& violations);

}  // namespace podium::apiserver
