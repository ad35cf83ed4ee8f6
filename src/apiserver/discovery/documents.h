// What a catalog says of itself, for clients that find out what a server has: the lists of groups,
// versions and resources, each by its path, and the aggregated form of all of them (upstream's
// k8s.io/apiserver/pkg/endpoints/discovery and its folder aggregated, release 1.36). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "api/types/apidiscovery_v2.h"
#include "api/types/meta_v1.h"
#include "apiserver/catalog.h"

namespace podium::apiserver {

// /api. `address`: where clients that ask are told to come to.
api::meta::v1::APIVersions CoreVersions(std::string_view address);
// /apis: all groups but core.
api::meta::v1::APIGroupList GroupList(const Catalog& catalog);
// /apis/GROUP; nothing when there is none.
std::optional<api::meta::v1::APIGroup> GroupOf(const Catalog& catalog, std::string_view group);
// /api/v1, /apis/GROUP/VERSION; nothing when there is none.
std::optional<api::meta::v1::APIResourceList> ResourceList(const Catalog& catalog,
                                                           std::string_view group,
                                                           std::string_view version);
// The same in one document: of the core group, or of all others.
api::apidiscovery::v2::APIGroupDiscoveryList AggregatedList(const Catalog& catalog, bool core);

}  // namespace podium::apiserver
