// What the status of a CustomResourceDefinition says: the names it was given, and its conditions
// (upstream's naming, establishing, nonstructuralschema, apiapproval and finalizer controllers,
// k8s.io/apiextensions-apiserver/pkg/controller, release 1.36). Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "api/time.h"
#include "api/types/apiextensions_v1.h"

namespace podium::apiserver {

inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

// The names that the definitions of one group were given. Of two that want the same one, who has it
// keeps it.
struct GroupNames {
  std::set<std::string, std::less<>> resources;  // plurals, singulars, short names
  std::set<std::string, std::less<>> kinds;      // of objects and lists

  void Add(const api::apiextensions::v1::CustomResourceDefinitionNames& accepted);
};

// Gives names to the definition and says how it is. A definition is established once all its names
// were accepted, at once: there is no other server that would have to hear of it first. `names`
// holds what the group has, this definition's own names among it. True when that changed anything.
bool SettleStatus(const GroupNames& names, api::Time now,
                  api::apiextensions::v1::CustomResourceDefinition* definition);

bool IsConditionTrue(const api::apiextensions::v1::CustomResourceDefinition& definition,
                     std::string_view type);
// True when it is not as it was.
bool SetCondition(api::apiextensions::v1::CustomResourceDefinitionCondition condition,
                  api::Time now, api::apiextensions::v1::CustomResourceDefinition* definition);
bool SetTerminating(bool is, std::string_view reason, std::string_view message, api::Time now,
                    api::apiextensions::v1::CustomResourceDefinition* definition);

bool HasCleanupFinalizer(const api::apiextensions::v1::CustomResourceDefinition& definition);

}  // namespace podium::apiserver
