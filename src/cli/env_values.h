// Values of variables that are said to come from elsewhere: keys of config maps and secrets, fields
// of the object, amounts of a container (upstream's k8s.io/kubectl/pkg/cmd/set/env,
// env_resolve.go).
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "cli/server.h"
#include "reflect/json_value.h"

namespace podium::cli {

// "configmap settings, key color": of an EnvVarSource.
std::string ReferenceText(const reflect::JsonValue& from);

// Asks for each config map and secret once. Threads: one at a time.
class EnvResolver {
 public:
  // `server` may be null: then what it would be asked for is an error. Errors are kubectl's.
  Result<std::string> ValueOf(Server* server, const reflect::JsonValue& from,
                              const reflect::JsonValue& object,
                              const reflect::JsonValue& container);

 private:
  Result<std::string> KeyOf(Server* server, const char* kind, const reflect::JsonValue& reference);

  std::map<std::string, reflect::JsonValue> read_;  // by their paths
};

}  // namespace podium::cli
