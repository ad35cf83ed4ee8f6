#include "apiserver/discovery/documents.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace podium::apiserver {
namespace {

using api::apidiscovery::v2::APIGroupDiscovery;
using api::apidiscovery::v2::APIGroupDiscoveryList;
using api::apidiscovery::v2::APIResourceDiscovery;
using api::apidiscovery::v2::APISubresourceDiscovery;
using api::apidiscovery::v2::APIVersionDiscovery;
using api::meta::v1::APIGroup;
using api::meta::v1::APIGroupList;
using api::meta::v1::APIResource;
using api::meta::v1::APIResourceList;
using api::meta::v1::APIVersions;
using api::meta::v1::GroupVersionKind;

std::string GroupVersion(std::string_view group, std::string_view version) {
  std::string text(group);
  if (!text.empty()) text += '/';
  return text.append(version);
}

// Groups in the order of discovery, and the versions of one, the preferred one first.
std::vector<std::string_view> Groups(const Catalog& catalog) {
  std::vector<std::string_view> groups;
  for (const ServedResource& resource : catalog.resources()) {
    if (std::ranges::find(groups, resource.group) == groups.end()) groups.push_back(resource.group);
  }
  return groups;
}
std::vector<std::string_view> Versions(const Catalog& catalog, std::string_view group) {
  std::vector<std::string_view> versions;
  for (const ServedResource& resource : catalog.resources()) {
    if (resource.group != group) continue;
    if (std::ranges::find(versions, resource.version) == versions.end()) {
      versions.push_back(resource.version);
    }
  }
  return versions;
}

std::vector<const ServedResource*> Resources(const Catalog& catalog, std::string_view group,
                                             std::string_view version) {
  std::vector<const ServedResource*> resources;
  for (const ServedResource& resource : catalog.resources()) {
    if (resource.group == group && resource.version == version) resources.push_back(&resource);
  }
  std::ranges::sort(resources, {}, [](const ServedResource* each) { return each->plural; });
  return resources;
}

APIResource ResourceEntry(const ServedResource& resource) {
  APIResource entry;
  entry.name = resource.plural;
  entry.singularName = resource.singular;
  entry.namespaced = resource.namespaced;
  entry.kind = resource.kind;
  for (const std::string& verb : resource.verbs) entry.verbs.items.push_back(verb);
  for (const std::string& name : resource.short_names) entry.shortNames.push_back(name);
  for (const std::string& category : resource.categories) entry.categories.push_back(category);
  if (resource.builtin != nullptr)
    entry.storageVersionHash = resource.builtin->storage_version_hash;
  return entry;
}

APIResource SubresourceEntry(const ServedResource& resource, const api::Subresource& subresource) {
  APIResource entry;
  entry.name = resource.plural + "/" + std::string(subresource.name);
  entry.namespaced = resource.namespaced;
  if (subresource.group != resource.group || subresource.version != resource.version) {
    entry.group = subresource.group;
    entry.version = subresource.version;
  }
  entry.kind = subresource.kind;
  for (const std::string_view verb : subresource.verbs) entry.verbs.items.emplace_back(verb);
  return entry;
}

GroupVersionKind KindOf(std::string_view group, std::string_view version, std::string_view kind) {
  GroupVersionKind out;
  out.group = group;
  out.version = version;
  out.kind = kind;
  return out;
}

APIResourceDiscovery AggregatedResource(const ServedResource& resource) {
  APIResourceDiscovery out;
  out.resource = resource.plural;
  out.responseKind.ensure() = KindOf(resource.group, resource.version, resource.kind);
  out.scope = resource.namespaced ? "Namespaced" : "Cluster";
  out.singularResource = resource.singular;
  for (const std::string& verb : resource.verbs) out.verbs.push_back(verb);
  for (const std::string& name : resource.short_names) out.shortNames.push_back(name);
  for (const std::string& category : resource.categories) out.categories.push_back(category);
  for (const api::Subresource& subresource : resource.subresources()) {
    APISubresourceDiscovery& sub = out.subresources.emplace_back();
    sub.subresource = subresource.name;
    sub.responseKind.ensure() = KindOf(subresource.group, subresource.version, subresource.kind);
    for (const std::string_view verb : subresource.verbs) sub.verbs.emplace_back(verb);
  }
  return out;
}

APIGroup Group(const Catalog& catalog, std::string_view name) {
  APIGroup group;
  group.name = name;
  for (const std::string_view version : Versions(catalog, name)) {
    auto& entry = group.versions.emplace_back();
    entry.groupVersion = GroupVersion(name, version);
    entry.version = version;
  }
  if (!group.versions.empty()) group.preferredVersion = group.versions.front();
  return group;
}

}  // namespace

APIVersions CoreVersions(std::string_view address) {
  APIVersions versions;
  versions.kind = "APIVersions";
  versions.versions.push_back("v1");
  auto& entry = versions.serverAddressByClientCIDRs.emplace_back();
  entry.clientCIDR = "0.0.0.0/0";
  entry.serverAddress = address;
  return versions;
}

APIGroupList GroupList(const Catalog& catalog) {
  APIGroupList list;
  list.kind = "APIGroupList";
  list.apiVersion = "v1";
  for (const std::string_view group : Groups(catalog)) {
    if (!group.empty()) list.groups.push_back(Group(catalog, group));
  }
  return list;
}

std::optional<APIGroup> GroupOf(const Catalog& catalog, std::string_view group) {
  if (group.empty() || !catalog.HasGroup(group)) return std::nullopt;
  APIGroup out = Group(catalog, group);
  out.kind = "APIGroup";
  out.apiVersion = "v1";
  return out;
}

std::optional<APIResourceList> ResourceList(const Catalog& catalog, std::string_view group,
                                            std::string_view version) {
  if (!catalog.HasVersion(group, version)) return std::nullopt;
  APIResourceList list;
  list.kind = "APIResourceList";
  // As upstream, the core group's says nothing more.
  if (!group.empty()) list.apiVersion = "v1";
  list.groupVersion = GroupVersion(group, version);
  for (const ServedResource* resource : Resources(catalog, group, version)) {
    list.resources.push_back(ResourceEntry(*resource));
    for (const api::Subresource& subresource : resource->subresources()) {
      list.resources.push_back(SubresourceEntry(*resource, subresource));
    }
  }
  std::ranges::sort(list.resources, {}, &APIResource::name);
  return list;
}

APIGroupDiscoveryList AggregatedList(const Catalog& catalog, bool core) {
  APIGroupDiscoveryList list;
  list.kind = "APIGroupDiscoveryList";
  list.apiVersion = "apidiscovery.k8s.io/v2";
  for (const std::string_view name : Groups(catalog)) {
    if (name.empty() != core) continue;
    APIGroupDiscovery& group = list.items.emplace_back();
    group.metadata.name = name;
    for (const std::string_view version : Versions(catalog, name)) {
      APIVersionDiscovery& out = group.versions.emplace_back();
      out.version = version;
      out.freshness = "Current";
      for (const ServedResource* resource : Resources(catalog, name, version)) {
        out.resources.push_back(AggregatedResource(*resource));
      }
    }
  }
  return list;
}

}  // namespace podium::apiserver
