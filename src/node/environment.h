// The environment of a container (upstream's pkg/kubelet/kubelet_pods.go makeEnvironmentVariables,
// release 1.36). Pure but for its sources.
//
//   envFrom    in the order of the list, later ones win; within one, keys in byte order
//   env        in order; takes the place of a variable of the same name
//   services   variables that nothing else sets
// $(VAR) in a value stands for the variable as far as the list goes before it, or for a service's;
// what is not known stays as it is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/expansion.h"
#include "base/result.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/pod_spec.h"

namespace podium::node {

class Environment {
 public:
  struct Variable {
    std::string name;
    std::string value;

    friend bool operator==(const Variable&, const Variable&) = default;
  };

  // Adds it at the end, or changes the one of this name in its place.
  void Set(std::string_view name, std::string value);
  // Null when there is none.
  const std::string* Find(std::string_view name) const;
  const std::vector<Variable>& variables() const { return variables_; }
  // With $(VAR) replaced. `what` must outlive the call only.
  std::string Expand(std::string_view text) const;

 private:
  std::vector<Variable> variables_;
};

struct EnvironmentInput {
  const v1::Pod& pod;
  const v1::Container& container;
  const NodeConfig& config;
  const ObjectSource& objects;
  const std::vector<std::string>& pod_addresses;
  const Environment& services;
  // The text of a file in a volume (fileKeyRef); kNotFound when it is not there.
  std::function<Result<std::string>(std::string_view volume, std::string_view path)> read_file;
};

// Errors, all of which make CreateContainerConfigError, are in upstream's words: `configmap "c" not
// found`, `couldn't find key k in Secret ns/s`.
Result<Environment> MakeEnvironment(const EnvironmentInput& input);

// The value of a key in a file of lines KEY=VALUE (# begins a comment, quotes enclose), or
// kNotFound.
Result<std::string> EnvFileValue(std::string_view text, std::string_view key);

// subPathExpr with its variables replaced; kInvalidArgument when one of them is not there,
// or empty.
Result<std::string> ExpandSubPath(const v1::VolumeMount& mount, const Environment& environment);

}  // namespace podium::node
