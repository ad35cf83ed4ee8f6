// Where things are at a server of the Kubernetes API: paths and query parameters of requests.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "client/connection.h"
#include "reflect/type.h"

namespace podium::client {

struct ObjectKey {
  std::string namespace_;  // "" for what has none
  std::string name;
};

// Options of requests as query parameters, as upstream's conversion writes them: members that JSON
// would have, lists repeated. `options` is PodLogOptions, ListOptions and their like.
Result<std::string> QueryOf(const reflect::Type& type, const void* options);
template <class Options>
Result<std::string> QueryOf(const Options& options) {
  return QueryOf(reflect::TypeOf<Options>(), &options);
}

// What a request about this object is about; `type` is of the objects or of their list.
// kInvalidArgument when no resource is of this kind. Kinds of the cluster drop the namespace.
Result<Target> TargetOf(const reflect::Type& type, const ObjectKey& key,
                        std::string_view subresource = "");

// "/apis/apps/v1/namespaces/ns/deployments/web/scale". kInvalidArgument for names that would lead
// elsewhere.
Result<std::string> PathOf(const Target& target);

}  // namespace podium::client
