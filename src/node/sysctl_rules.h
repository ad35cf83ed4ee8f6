// Which sysctls pods may set here (upstream's pkg/kubelet/sysctl, release 1.36): those that only
// the pod itself feels, and what the administrator allows beside them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/pod_spec.h"

namespace podium::node {

// A name may be written with slashes between its parts; then full stops stand for slashes within
// them. As runtimes take it.
std::string DottedSysctl(std::string name);

class SysctlRules {
 public:
  // Names, or beginnings of names with '*' behind them. kInvalidArgument, in upstream's words, for
  // one that is no name, or is not known to be of a namespace.
  static Result<SysctlRules> Of(const std::vector<std::string>& allowed_unsafe);

  // Why the pod may not have one of its own; in upstream's words.
  std::optional<std::string> Refusal(const v1::Pod& pod) const;

 private:
  enum class Namespace : uint8_t { kIpc, kNet };
  static std::optional<Namespace> NamespaceOf(std::string_view name);
  std::optional<Namespace> Find(std::string_view name) const;

  std::map<std::string, Namespace, std::less<>> names_;
  std::map<std::string, Namespace, std::less<>> beginnings_;
};

}  // namespace podium::node
