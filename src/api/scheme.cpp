#include "api/scheme.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <tuple>

#include "api/types/columns.h"
#include "api/types/meta_v1.h"
#include "api/types/registry.h"
#include "api/types/resources.h"
#include "base/text.h"

namespace podium::api {
namespace {

using Key = std::tuple<std::string_view, std::string_view, std::string_view>;

// The entry of a table sorted by group, version and kind, or null.
template <class Entry>
const Entry* FindSorted(std::span<const Entry> table, const Key& key) {
  auto key_of = [](const Entry& entry) { return Key(entry.group, entry.version, entry.kind); };
  const auto found = std::ranges::lower_bound(table, key, {}, key_of);
  return found != table.end() && key_of(*found) == key ? &*found : nullptr;
}

// Types of meta.k8s.io/v1 that stand for the same kind elsewhere.
struct Shared {
  std::string_view kind;
  const reflect::Type* type;
};

// In every group-version, as upstream's metav1.AddToGroupVersion registers them.
constexpr Shared kEverywhere[] = {
    {"CreateOptions", &meta::v1::kCreateOptionsType},
    {"DeleteOptions", &meta::v1::kDeleteOptionsType},
    {"GetOptions", &meta::v1::kGetOptionsType},
    {"ListOptions", &meta::v1::kListOptionsType},
    {"PatchOptions", &meta::v1::kPatchOptionsType},
    {"UpdateOptions", &meta::v1::kUpdateOptionsType},
    {"WatchEvent", &meta::v1::kWatchEventType},
};
// Those without a version of their own, which upstream puts under v1.
constexpr Shared kUnderCore[] = {
    {"APIGroup", &meta::v1::kAPIGroupType},
    {"APIGroupList", &meta::v1::kAPIGroupListType},
    {"APIResourceList", &meta::v1::kAPIResourceListType},
    {"APIVersions", &meta::v1::kAPIVersionsType},
    {"Status", &meta::v1::kStatusType},
};

const reflect::Type* FindShared(std::span<const Shared> table, std::string_view kind) {
  const auto found = std::ranges::find(table, kind, &Shared::kind);
  return found == table.end() ? nullptr : found->type;
}

bool IsKnown(const GroupVersion& gv) {
  return std::ranges::any_of(kPackages, [&](const PackageTypes& package) {
    return gv.group == package.package->group && gv.version == package.package->version;
  });
}

// The first resource of that name for which `fits` holds, in the order of discovery.
template <class Fits>
const Resource* FirstNamed(std::string_view name, Fits fits) {
  const auto range = std::ranges::equal_range(kResourceNames, name, {}, &ResourceName::name);
  for (const ResourceName& entry : range) {
    const Resource& resource = kResources[entry.resource];
    if (fits(resource)) return &resource;
  }
  return nullptr;
}

}  // namespace

bool Resource::HasVerb(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

const Subresource* Resource::FindSubresource(std::string_view name) const {
  const auto found = std::ranges::find(subresources, name, &Subresource::name);
  return found == subresources.end() ? nullptr : &*found;
}

std::optional<GroupVersion> ParseApiVersion(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) {
    if (api_version.empty()) return std::nullopt;
    return GroupVersion{"", api_version};
  }
  const std::string_view version = api_version.substr(slash + 1);
  if (version.empty() || version.find('/') != std::string_view::npos) return std::nullopt;
  return GroupVersion{api_version.substr(0, slash), version};
}

const reflect::Type* FindType(std::string_view api_version, std::string_view kind) {
  const auto gv = ParseApiVersion(api_version);
  if (!gv) return nullptr;
  if (const auto* entry = FindSorted(kKinds, Key(gv->group, gv->version, kind))) return entry->type;
  if (gv->group.empty() && gv->version == "v1") {
    if (const reflect::Type* type = FindShared(kUnderCore, kind)) return type;
  }
  const reflect::Type* type = FindShared(kEverywhere, kind);
  return type && IsKnown(*gv) ? type : nullptr;
}

const Resource* FindResource(std::string_view group, std::string_view version,
                             std::string_view plural) {
  return FirstNamed(plural, [&](const Resource& resource) {
    return resource.plural == plural && resource.group == group && resource.version == version;
  });
}

const Resource* FindResourceByKind(std::string_view group, std::string_view version,
                                   std::string_view kind) {
  const auto found = std::ranges::find_if(kResources, [&](const Resource& resource) {
    return resource.kind == kind && resource.group == group && resource.version == version;
  });
  return found == kResources.end() ? nullptr : &*found;
}

const Resource* ResolveResource(std::string_view text) {
  const std::string lower = LowerCase(text);
  const std::string_view all = lower;
  const size_t dot = all.find('.');
  const std::string_view name = all.substr(0, dot);
  if (dot == std::string_view::npos) {
    return FirstNamed(name, [](const Resource&) { return true; });
  }
  const std::string_view rest = all.substr(dot + 1);
  if (const size_t second = rest.find('.'); second != std::string_view::npos) {
    const std::string_view version = rest.substr(0, second);
    const std::string_view group = rest.substr(second + 1);
    const Resource* exact = FirstNamed(name, [&](const Resource& resource) {
      return resource.version == version && resource.group == group;
    });
    if (exact) return exact;
  }
  const Resource* exact =
      FirstNamed(name, [&](const Resource& resource) { return resource.group == rest; });
  if (exact) return exact;
  return FirstNamed(name,
                    [&](const Resource& resource) { return resource.group.starts_with(rest); });
}

const TableColumns& ColumnsOf(std::string_view group, std::string_view version,
                              std::string_view kind) {
  if (const auto* columns = FindSorted(kTableColumns, Key(group, version, kind))) return *columns;
  const Resource* resource = FindResourceByKind(group, version, kind);
  if (resource && resource->stored_version != version) {
    return ColumnsOf(group, resource->stored_version, kind);
  }
  assert(kTableColumns[0].kind.empty());
  return kTableColumns[0];
}

}  // namespace podium::api
