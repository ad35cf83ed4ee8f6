#include "api/apply_rules.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/types/resources.h"
#include "reflect/apply/field_manager.h"

namespace podium::api {
namespace {

using reflect::FieldSet;
using reflect::PathElement;

struct ResetRow {
  std::string_view group;
  std::string_view resource;
  std::string_view subresource;
  std::string_view fields;  // paths, a space between them
};

// By group and resource. Not in it: servicecidrs, which upstream lists under a group that there is
// not ("networking"), so that nothing of them is reset.
constexpr ResetRow kResets[] = {
    {"", "namespaces", "", "status"},
    {"", "namespaces", "status", "spec"},
    {"", "namespaces", "finalize", "status"},
    {"", "nodes", "", "status"},
    {"", "nodes", "status", "spec"},
    {"", "persistentvolumeclaims", "", "status"},
    {"", "persistentvolumeclaims", "status", "spec"},
    {"", "persistentvolumes", "", "status"},
    {"", "persistentvolumes", "status", "spec"},
    {"", "pods", "", "status"},
    {"", "pods", "status", "spec metadata.deletionTimestamp metadata.ownerReferences"},
    {"", "replicationcontrollers", "", "status"},
    {"", "replicationcontrollers", "status", "spec"},
    {"", "resourcequotas", "", "status"},
    {"", "resourcequotas", "status", "spec"},
    {"", "services", "", "status"},
    {"", "services", "status", "spec"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies", "", "status"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies", "status", "metadata spec"},
    {"apiextensions.k8s.io", "customresourcedefinitions", "", "status"},
    {"apiextensions.k8s.io", "customresourcedefinitions", "status", "metadata spec"},
    {"apiregistration.k8s.io", "apiservices", "", "status"},
    {"apiregistration.k8s.io", "apiservices", "status", "metadata spec"},
    {"apps", "daemonsets", "", "status"},
    {"apps", "daemonsets", "status", "spec"},
    {"apps", "deployments", "", "status"},
    {"apps", "deployments", "status", "spec metadata.labels"},
    {"apps", "replicasets", "", "status"},
    {"apps", "replicasets", "status", "spec"},
    {"apps", "statefulsets", "", "status"},
    {"apps", "statefulsets", "status", "spec"},
    {"autoscaling", "horizontalpodautoscalers", "", "status"},
    {"autoscaling", "horizontalpodautoscalers", "status", "spec"},
    {"batch", "cronjobs", "", "status"},
    {"batch", "cronjobs", "status", "spec"},
    {"batch", "jobs", "", "status"},
    {"batch", "jobs", "status", "spec"},
    {"certificates.k8s.io", "certificatesigningrequests", "", "spec status"},
    {"certificates.k8s.io", "certificatesigningrequests", "status", "spec status.conditions"},
    {"certificates.k8s.io", "certificatesigningrequests", "approval", "spec status.certificate"},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", "", "status"},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", "status", "metadata spec"},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "", "status"},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "status", "metadata spec"},
    {"networking.k8s.io", "ingresses", "", "status"},
    {"networking.k8s.io", "ingresses", "status", "spec"},
    {"policy", "poddisruptionbudgets", "", "status"},
    {"policy", "poddisruptionbudgets", "status", "spec"},
    {"resource.k8s.io", "resourceclaims", "", "status"},
    {"resource.k8s.io", "resourceclaims", "status", "metadata spec"},
    {"storage.k8s.io", "volumeattachments", "", "status"},
    {"storage.k8s.io", "volumeattachments", "status", "metadata spec"},
};

// Subresources where everything but this is reset; `*` is any step.
constexpr ResetRow kKept[] = {
    {"", "pods", "ephemeralcontainers", "spec.ephemeralContainers"},
    {"", "pods", "resize",
     "spec.containers.*.resources spec.containers.*.resizePolicy "
     "spec.initContainers.*.resources spec.initContainers.*.resizePolicy"},
};

using Texts = std::vector<std::string_view>;

Texts Split(std::string_view text, char separator) {
  Texts parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

reflect::FieldPathElements PathOf(std::string_view text) {
  reflect::FieldPathElements path;
  for (const std::string_view name : Split(text, '.')) {
    path.push_back(PathElement::Field(std::string(name)));
  }
  return path;
}

FieldSet SetOf(std::string_view paths) {
  FieldSet set;
  for (const std::string_view path : Split(paths, ' ')) set.Insert(PathOf(path));
  return set;
}

template <size_t size>
const ResetRow* RowOf(const ResetRow (&rows)[size], const Resource& resource,
                      std::string_view subresource) {
  const auto* row = std::ranges::find_if(rows, [&](const ResetRow& each) {
    return each.group == resource.group && each.resource == resource.plural &&
           each.subresource == subresource;
  });
  return row == std::end(rows) ? nullptr : row;
}

// As discovery has them: v1, apps/v1.
std::vector<std::string> VersionsOf(const Resource& resource) {
  std::vector<std::string> versions;
  for (const Resource& each : kResources) {
    if (each.group != resource.group || each.plural != resource.plural) continue;
    const std::string version(each.version);
    versions.push_back(each.group.empty() ? version : std::string(each.group) + '/' + version);
  }
  return versions;
}

// What of a set lies on the way to what the patterns name, or behind it.
FieldSet Kept(const FieldSet& set, const std::vector<Texts>& patterns, size_t depth) {
  FieldSet out;
  for (const FieldSet::Node& node : set.nodes()) {
    std::vector<Texts> further;
    bool whole = false;
    for (const Texts& pattern : patterns) {
      const std::string_view name = pattern[depth];
      const bool is_field = node.step.kind() == PathElement::Kind::kField;
      if (name != "*" && !(is_field && node.step.field() == name)) continue;
      whole |= depth + 1 == pattern.size();
      further.push_back(pattern);
    }
    if (whole) {
      out.Add(node.step, node.is_member, node.behind);
    } else if (!further.empty()) {
      out.Add(node.step, node.is_member, Kept(node.behind, further, depth + 1));
    }
  }
  return out;
}

}  // namespace

FieldFilter OwnedFields(const Resource& resource, std::string_view subresource) {
  if (const ResetRow* row = RowOf(kResets, resource, subresource)) {
    std::vector<std::pair<std::string, FieldSet>> sets;
    for (std::string& version : VersionsOf(resource)) {
      sets.emplace_back(std::move(version), SetOf(row->fields));
    }
    return reflect::WithoutFields(std::move(sets));
  }
  if (const ResetRow* row = RowOf(kKept, resource, subresource)) {
    std::vector<Texts> patterns;
    for (const std::string_view path : Split(row->fields, ' ')) {
      patterns.push_back(Split(path, '.'));
    }
    return [patterns = std::move(patterns), versions = VersionsOf(resource)](
               std::string_view api_version, const FieldSet& fields) {
      const bool known = std::ranges::find(versions, api_version) != versions.end();
      return known ? Kept(fields, patterns, 0) : fields;
    };
  }
  return {};
}

FieldFilter CustomOwnedFields(const std::string& api_version, bool has_status,
                              std::string_view subresource) {
  if (!has_status || (!subresource.empty() && subresource != "status")) return {};
  return reflect::WithoutFields({{api_version, SetOf(subresource.empty() ? "status" : "spec")}});
}

reflect::ReplicasPaths ReplicasPathsOf(const Resource& resource) {
  reflect::ReplicasPaths paths;
  if (resource.FindSubresource("scale") == nullptr) return paths;
  for (const std::string& version : VersionsOf(resource)) paths[version] = PathOf("spec.replicas");
  return paths;
}

reflect::ReplicasPaths CustomReplicasPaths(std::span<const CustomScale> versions) {
  reflect::ReplicasPaths paths;
  for (const auto& [api_version, path] : versions) {
    paths[api_version] = PathOf(path.starts_with('.') ? path.substr(1) : path);
  }
  return paths;
}

}  // namespace podium::api
