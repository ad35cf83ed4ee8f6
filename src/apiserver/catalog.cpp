#include "apiserver/catalog.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "api/scheme.h"
#include "api/types/core_v1.h"
#include "api/types/resources.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/storage_keys.h"

namespace podium::apiserver {
namespace {

struct GroupPlural {
  std::string_view group;
  std::string_view plural;  // "" for the whole group
};

// What the tables have and this server does not serve, rather than take objects that nothing acts
// on.
constexpr GroupPlural kNotServed[] = {
    // Expressions in CEL, which nothing here evaluates.
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies"},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicybindings"},
    // Other servers behind this one.
    {"apiregistration.k8s.io", ""},
    // They would have to bound what requests run side by side.
    {"flowcontrol.apiserver.k8s.io", ""},
    // Devices are chosen by expressions in CEL.
    {"resource.k8s.io", ""},
};

bool IsServed(const api::Resource& resource) {
  return std::ranges::none_of(kNotServed, [&](const GroupPlural& left_out) {
    return left_out.group == resource.group &&
           (left_out.plural.empty() || left_out.plural == resource.plural);
  });
}

// Of what has objects: a ComponentStatus, and what nodes and pods use, is made when it is asked
// for.
bool IsStored(const api::Resource& resource) {
  return resource.HasVerb("get") && resource.plural != "componentstatuses" &&
         resource.group != "metrics.k8s.io";
}

// The resource whose version is stored; events.k8s.io are core's events, and of the two versions of
// autoscalers, which have the same keys, the newer one is stored.
const api::Resource& StoredResource(const api::Resource& resource) {
  const bool is_event = resource.plural == "events" && resource.group == "events.k8s.io";
  const bool is_scaler = resource.plural == "horizontalpodautoscalers";
  const api::Resource* stored =
      is_event ? api::FindResource("", "v1", "events")
               : api::FindResource(resource.group, is_scaler ? "v2" : resource.stored_version,
                                   resource.plural);
  return stored != nullptr ? *stored : resource;
}

ServedResource BuiltIn(const api::Resource& resource) {
  ServedResource served;
  served.group = resource.group;
  served.version = resource.version;
  served.plural = resource.plural;
  served.singular = resource.singular;
  served.kind = resource.kind;
  served.list_kind = std::string(resource.kind) + "List";
  served.api_version = resource.type->ApiVersion();
  served.namespaced = resource.namespaced;
  served.verbs.assign(resource.verbs.begin(), resource.verbs.end());
  served.short_names.assign(resource.short_names.begin(), resource.short_names.end());
  served.categories.assign(resource.categories.begin(), resource.categories.end());
  served.field_selectors.assign(resource.field_selectors.begin(), resource.field_selectors.end());
  served.builtin = &resource;
  served.type = resource.type;
  const api::Resource& stored = StoredResource(resource);
  served.stored_type = stored.type;
  served.stored_api_version = stored.type->ApiVersion();
  if (IsStored(resource)) served.prefix = KeyPrefix(stored);
  return served;
}

}  // namespace

bool ServedResource::HasVerb(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

std::span<const api::Subresource> ServedResource::subresources() const {
  if (builtin != nullptr) return builtin->subresources;
  return custom != nullptr ? std::span(custom->shown->subresources)
                           : std::span<const api::Subresource>();
}

const api::Subresource* ServedResource::FindSubresource(std::string_view name) const {
  const auto all = subresources();
  const auto found = std::ranges::find(all, name, &api::Subresource::name);
  return found != all.end() ? &*found : nullptr;
}

size_t Catalog::KeyHash::operator()(const Key& key) const {
  const std::hash<std::string_view> hash;
  return hash(key.group) * 31 + hash(key.version) * 17 + hash(key.name);
}

std::shared_ptr<const Catalog> Catalog::Make(std::vector<ServedResource> custom) {
  static std::atomic<uint64_t> last_number = 0;
  std::shared_ptr<Catalog> catalog(new Catalog());
  catalog->number_ = ++last_number;
  std::vector<ServedResource>& resources = catalog->resources_;
  for (const api::Resource& resource : api::kResources) {
    if (IsServed(resource)) resources.push_back(BuiltIn(resource));
  }
  for (ServedResource& each : custom) {
    const bool taken = std::ranges::any_of(api::kResources, [&](const api::Resource& builtin) {
      return builtin.group == each.group && builtin.plural == each.plural;
    });
    if (!taken) resources.push_back(std::move(each));
  }
  // Pointers from here on: the vector stays as it is.
  for (const ServedResource& resource : resources) {
    catalog->by_plural_.try_emplace({resource.group, resource.version, resource.plural}, &resource);
    catalog->by_kind_.try_emplace({resource.group, resource.version, resource.kind}, &resource);
  }
  return catalog;
}

const ServedResource* Catalog::Find(std::string_view group, std::string_view version,
                                    std::string_view plural) const {
  const auto found = by_plural_.find({group, version, plural});
  return found != by_plural_.end() ? found->second : nullptr;
}

const ServedResource* Catalog::FindKind(std::string_view group, std::string_view version,
                                        std::string_view kind) const {
  const auto found = by_kind_.find({group, version, kind});
  return found != by_kind_.end() ? found->second : nullptr;
}

bool Catalog::HasGroup(std::string_view group) const {
  return std::ranges::any_of(resources_, [&](const ServedResource& r) { return r.group == group; });
}

bool Catalog::HasVersion(std::string_view group, std::string_view version) const {
  return std::ranges::any_of(resources_, [&](const ServedResource& resource) {
    return resource.group == group && resource.version == version;
  });
}

}  // namespace podium::apiserver
