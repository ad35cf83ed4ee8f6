// Path items of OpenAPI from operations. Private to api/openapi.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "api/openapi/operations.h"
#include "api/openapi/schemas.h"

namespace podium::api::openapi {

// The parameters that v2 writes once and refers to where they are used. As in kube-openapi's
// builder, these are all but those of path items alone: `name`, bodies, and dryRun and
// fieldValidation, which clients look for in the operations themselves. Their names end in a hash
// of what they say: pretty-tJGM1-ng.
class SharedParameters {
 public:
  // Null for one that is not shared.
  const std::string* NameOf(const Parameter& parameter);
  // v2's object of those that were asked for.
  JsonValue Value() const;

 private:
  using Key = std::tuple<std::string, std::string_view, std::string_view, std::string>;

  std::map<Key, std::string> names_;
  std::map<std::string, Parameter> parameters_;  // by name
};

// `shared` is null for v3, which has none.
JsonValue PathItem(const Path& path, Version version, SharedParameters* shared);

// The last part of a shared parameter's name, of its JSON as Go writes it: the first six bytes of
// its FNV-1 hash of 64 bits, in base64 for URLs.
std::string ParameterHash(std::string_view json);

}  // namespace podium::api::openapi
