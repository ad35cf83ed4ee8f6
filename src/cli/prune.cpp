#include "cli/prune.h"

#include <utility>

#include "base/text.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

struct Kind {
  const char* version;
  const char* kind;
};
constexpr Kind kDefaults[] = {
    {"v1", "ConfigMap"},
    {"v1", "Endpoints"},
    {"v1", "Namespace"},
    {"v1", "PersistentVolumeClaim"},
    {"v1", "PersistentVolume"},
    {"v1", "Pod"},
    {"v1", "ReplicationController"},
    {"v1", "Secret"},
    {"v1", "Service"},
    {"batch/v1", "Job"},
    {"batch/v1", "CronJob"},
    {"networking.k8s.io/v1", "Ingress"},
    {"apps/v1", "DaemonSet"},
    {"apps/v1", "Deployment"},
    {"apps/v1", "ReplicaSet"},
    {"apps/v1", "StatefulSet"},
};

Result<const ServerResource*> ResourceOf(const ServerResources& resources,
                                         const std::string& group_version,
                                         const std::string& kind) {
  const ServerResource* resource = resources.OfKind(group_version, kind);
  if (resource) return resource;
  return Error(Code::kNotFound, "no matches for kind " + reflect::GoQuoted(kind) + " in version " +
                                    reflect::GoQuoted(group_version));
}

Result<const ServerResource*> AllowedKind(const ServerResources& resources,
                                          const std::string& text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  if (parts.size() != 3) {
    return Error(Code::kInvalidArgument, "invalid GroupVersionKind format: " + text +
                                             ", please follow <group/version/kind>");
  }
  const bool core = parts[0].empty() || parts[0] == "core";
  const std::string version = (core ? "" : std::string(parts[0]) + "/") + std::string(parts[1]);
  return ResourceOf(resources, version, std::string(parts[2]));
}

}  // namespace

// The error's words alone: kubectl tells it as its own, not as the server's.
Error PruneError(const ServerResource& resource, const Error& error) {
  return {error.code(), std::string("error pruning ") +
                            (resource.namespaced ? "namespaced" : "nonNamespaced") + " object " +
                            resource.group + "/" + resource.version + ", Kind=" + resource.kind +
                            ": " + error.message()};
}

Result<std::unique_ptr<Pruner>> Pruner::Of(Server& server, const Invocation& invocation) {
  if (!invocation.Has("prune")) return std::unique_ptr<Pruner>();
  auto pruner = std::unique_ptr<Pruner>(new Pruner(server, invocation));
  const std::vector<std::string> allowed = invocation.All("prune-allowlist");
  if (allowed.empty()) return pruner;
  TRY(const ServerResources* resources, server.Resources());
  for (const std::string& each : allowed) {
    TRY(const ServerResource* resource, AllowedKind(*resources, each));
    pruner->kinds_.push_back(resource);
  }
  return pruner;
}

void Pruner::Keep(const Selected& item, const JsonValue& object) {
  if (item.resource->namespaced) namespaces_.insert(item.namespace_);
  kept_.emplace(TextAt(object, {"metadata", "uid"}));
}

Result<std::vector<Selected>> Pruner::Find() {
  if (kinds_.empty()) {
    TRY(const ServerResources* resources, server_.Resources());
    for (const auto& [version, kind] : kDefaults) {
      auto resource = ResourceOf(*resources, version, kind);
      if (!resource.ok()) {
        return std::move(resource).error().WithContext("error retrieving RESTMappings to prune");
      }
      kinds_.push_back(*resource);
    }
  }
  std::vector<Selected> found;
  for (const std::string& name_space : namespaces_) {
    for (const ServerResource* resource : kinds_) {
      if (resource->namespaced) TRY_VOID(FindIn(name_space, *resource, &found));
    }
  }
  for (const ServerResource* resource : kinds_) {
    if (!resource->namespaced) TRY_VOID(FindIn("", *resource, &found));
  }
  return found;
}

Result<void> Pruner::FindIn(const std::string& name_space, const ServerResource& resource,
                            std::vector<Selected>* found) {
  auto listed = Listed(server_, invocation_, {.resource = &resource, .namespace_ = name_space});
  if (!listed.ok()) return PruneError(resource, listed.error());
  for (Selected& item : *listed) {
    // What was made in another way was never in a file.
    if (!LastApplied(item.object)) continue;
    if (kept_.contains(TextAt(item.object, {"metadata", "uid"}))) continue;
    found->push_back(std::move(item));
  }
  return {};
}

}  // namespace podium::cli
