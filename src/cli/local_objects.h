// The objects of files as JSON trees, for commands that work on them without a cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/input.h"
#include "reflect/json_value.h"
#include "reflect/object.h"

namespace podium::cli {

struct LocalObject {
  const reflect::Type* type = nullptr;  // null: of a kind that is not known
  reflect::ObjectHeader header;
  reflect::JsonValue json;    // of a known kind, as an API server would write it
  reflect::JsonValue source;  // as it was written, with what it says and nothing else

  // "pod/web", "deployment.apps/web": as kubectl -o name prints it.
  std::string Name() const;
  // Of one that names none, "default" where objects of its kind have namespaces, as kubectl has it.
  std::string Namespace() const;
};

struct LocalObjects {
  std::vector<LocalObject> objects;
  std::string errors;  // as Manifests has them
};

struct LocalOptions {
  bool recursive = false;
  bool set_defaults = false;
};

// Items of a List of apiVersion v1 stand for themselves. An object is read strictly.
LocalObjects ReadLocalObjects(const std::vector<std::string>& names, const LocalOptions& options);

// The object of this JSON, of a type that may be null, decoded strictly and encoded again.
Result<LocalObject> ToLocalObject(const reflect::Type* type, const reflect::JsonValue& json,
                                  bool set_defaults = false);

}  // namespace podium::cli
