// What a request is about, from its method, path and query: upstream's RequestInfo
// (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go, release 1.36), which authorization,
// admission, audit and routing speak of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/url.h"

namespace podium::apiserver {

struct RequestInfo {
  // False: /version, /healthz, /apis/apps/v1. Then only verb and path count, and the verb is the
  // method in lower case.
  bool is_resource = false;
  std::string_view path;
  // get, list, watch, create, update, patch, delete, deletecollection; proxy.
  std::string_view verb;
  std::string_view prefix;  // "api" or "apis"
  std::string_view group;   // "" for core
  std::string_view version;
  std::string_view namespace_;  // of /namespaces/x its own name, too
  std::string_view resource;    // as it stands in the path
  std::string_view subresource;
  std::string_view name;
  // Resource, name, subresource and what comes behind: of a proxy's path.
  std::vector<std::string_view> parts;
  // /api/v1/watch/…, the old way to ask for a watch.
  bool old_watch_path = false;
  // Of a list or watch of one object, whose name a field selector says: metadata.name=x. Upstream
  // has it as the name; authorization asks by it, routing must not.
  std::string selected_name{};

  // The name that authorization asks by.
  std::string_view asked_name() const { return name.empty() ? selected_name : name; }
};

// `path` and `query` are decoded and outlive the answer. kInvalidArgument: /api/v1/watch and
// nothing behind it.
Result<RequestInfo> ReadRequestInfo(std::string_view method, std::string_view path,
                                    const http::QueryParameters& query);

// The first value of a parameter; "" when there is none.
std::string_view QueryValue(const http::QueryParameters& query, std::string_view name);

}  // namespace podium::apiserver
