// Finds types and resources by the names that documents, URLs and people use.
//
// All answers point into constant tables. Nothing here allocates more than a short string; any
// thread may call.
#pragma once

#include <optional>
#include <string_view>

#include "api/resource.h"
#include "reflect/type.h"

namespace podium::api {

struct GroupVersion {
  std::string_view group;  // "" for core
  std::string_view version;
};

// "v1" or "apps/v1"; nothing when there is more than one slash, or no version. The parts point into
// `api_version`.
std::optional<GroupVersion> ParseApiVersion(std::string_view api_version);

// The type of a document with this apiVersion and kind, or null. Also knows what every
// group-version has (DeleteOptions and its like, WatchEvent) and what v1 lends from meta (Status,
// APIGroup, List).
const reflect::Type* FindType(std::string_view api_version, std::string_view kind);

// The resource at this place of the API, or null: apps, v1, deployments.
const Resource* FindResource(std::string_view group, std::string_view version,
                             std::string_view plural);
// The resource whose objects are of this kind, or null.
const Resource* FindResourceByKind(std::string_view group, std::string_view version,
                                   std::string_view kind);

// The resource that a person means by `text`, in upper or lower case: a plural, singular or short
// name, or the kind; with a group or its beginning behind it ("deployments.apps", "deploy.ap"), or
// with version and group ("deployments.v1.apps"). Of several, the first in the order of discovery.
// Null when there is none.
const Resource* ResolveResource(std::string_view text);

// The printing columns of a kind; the default ones for kinds that have none of their own. A kind
// that is a view of another version has the columns of the stored one.
const TableColumns& ColumnsOf(std::string_view group, std::string_view version,
                              std::string_view kind);

}  // namespace podium::api
