#include "controllers/discovery.h"

#include <algorithm>
#include <map>
#include <utility>

#include "api/types/meta_v1.h"
#include "reflect/json.h"

namespace podium::controllers {
namespace {

using api::meta::v1::APIGroupList;
using api::meta::v1::APIResource;
using api::meta::v1::APIResourceList;
using client::Connection;

template <class T>
Result<T> GetAs(Connection& connection, const std::string& path) {
  TRY(const std::string text, connection.GetRaw(path));
  return reflect::FromJson<T>(text);
}

// Those of a group: each in the version that the server prefers, or in the first one that has it.
using OfGroup = std::map<std::string, DiscoveredResource>;

void AddResources(const std::string& group, const std::string& version, bool preferred,
                  const APIResourceList& list, OfGroup* found) {
  for (const APIResource& resource : list.resources) {
    DiscoveredResource each;
    each.target.group = group;
    each.target.version = version;
    each.target.resource = resource.name;
    each.kind = resource.kind;
    each.namespaced = resource.namespaced;
    each.verbs = resource.verbs.items;
    const bool is_subresource = resource.name.contains('/');
    if (is_subresource || (found->contains(resource.name) && !preferred)) continue;
    (*found)[resource.name] = std::move(each);
  }
}

void Take(OfGroup of_group, DiscoveredResources* found) {
  for (auto& [name, resource] : of_group) {
    if (resource.HasVerb("delete")) found->resources.push_back(std::move(resource));
  }
}

}  // namespace

bool DiscoveredResource::HasVerb(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

Result<DiscoveredResources> Discover(Connection& connection) {
  DiscoveredResources found;
  TRY(const auto core, GetAs<APIResourceList>(connection, "/api/v1"));
  OfGroup of_core;
  AddResources("", "v1", true, core, &of_core);
  Take(std::move(of_core), &found);
  TRY(const auto groups, GetAs<APIGroupList>(connection, "/apis"));
  for (const auto& group : groups.groups) {
    OfGroup of_group;
    for (const auto& version : group.versions) {
      const auto list = GetAs<APIResourceList>(connection, "/apis/" + version.groupVersion);
      if (!list.ok()) {
        found.failures.push_back(version.groupVersion + ": " + std::string(list.error().message()));
        continue;
      }
      AddResources(group.name, version.version, version.version == group.preferredVersion.version,
                   *list, &of_group);
    }
    Take(std::move(of_group), &found);
  }
  return found;
}

}  // namespace podium::controllers
