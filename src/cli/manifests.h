// The objects in the files that people name: YAML, JSON or Kubernetes protobuf, whichever it is.
#pragma once

#include <string>
#include <vector>

#include "cli/check.h"
#include "reflect/object.h"

namespace podium::cli {

// One object, decoded; or as JSON, when its kind is not known.
struct ManifestObject {
  reflect::AnyObject object;
  std::string json;
  std::string source{};  // the JSON as it was written, with what it says and nothing else

  Result<std::string> Json() const;
};

struct Manifests {
  std::vector<ManifestObject> objects;
  // What is wrong, for people: a line for each, with file, line and column. The objects of a
  // document with errors are left out.
  std::string errors;
};

// `names` as ListFiles takes them. Objects come in the order of the files; a List is one object.
Manifests ReadManifests(const std::vector<std::string>& names, bool recursive,
                        const CheckOptions& options);

}  // namespace podium::cli
