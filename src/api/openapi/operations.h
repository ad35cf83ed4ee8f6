// What can be done at the paths of the API, in no version of OpenAPI yet. Private to api/openapi.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/openapi/document.h"
#include "api/resource.h"
#include "reflect/type.h"

namespace podium::api::openapi {

struct Parameter {
  std::string name;
  std::string_view in;      // "query" or "path"
  std::string_view type;    // "string", "integer", "boolean"
  std::string description;  // may be empty

  friend bool operator==(const Parameter& a, const Parameter& b) {
    return a.name == b.name && a.in == b.in;
  }
};

// What requests and answers may hold: a definition, or plain text.
struct Payload {
  std::string definition;  // empty: none
  bool plain = false;      // a string
};

struct Operation {
  std::string_view method;  // "get"
  std::string id;           // "readCoreV1NamespacedPod"
  std::string description;
  std::string_view action;  // x-kubernetes-action; empty: none
  std::string tag;          // "core_v1"
  // x-kubernetes-group-version-kind; an empty version: none.
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::vector<std::string_view> consumes;
  std::vector<std::string_view> produces;
  Payload body;
  bool body_required = false;
  Payload answer;
  std::vector<int> statuses;  // of success
  std::vector<Parameter> parameters;
};

struct Path {
  std::string path;
  std::vector<Operation> operations;  // by method
  std::vector<Parameter> parameters;  // of all of them
};

// The paths of one resource with its subresources, in no particular order. The definitions that
// they name are those of the kinds involved and of meta/v1.
std::vector<Path> ResourcePaths(const Resource& resource);
std::vector<Path> ResourcePaths(const CustomKind& kind);
// Discovery: /api/, /apis/apps/, /apis/apps/v1/. With an empty version, of the group alone.
Path DiscoveryPath(const GroupVersion& group_version);
// /apis/ and /version/.
std::vector<Path> RootPaths();

// The kinds that operations of a resource read and write: their definitions are needed.
std::vector<const reflect::Type*> TypesOf(const Resource& resource);

}  // namespace podium::api::openapi
