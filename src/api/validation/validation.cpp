#include "api/validation/validation.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "api/names.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "api/types/meta_v1.h"
#include "api/validation/common.h"
#include "api/validation/kind_rules.h"
#include "api/validation/object_meta.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using meta::v1::ObjectMeta;
using reflect::Type;

namespace {

// Null when the kind, or the subresource, has none.
const KindRules* FindRules(const Type& type, std::string_view subresource = "") {
  for (const auto& table : {CoreRules(), WorkloadRules(), ClusterRules(), ServerRules()}) {
    for (const KindRules& rules : table) {
      if (rules.type == &type && rules.subresource == subresource) return &rules;
    }
  }
  return nullptr;
}

Scope ScopeOf(const Type& type) {
  const reflect::Package& package = *type.package;
  const Resource* resource = FindResourceByKind(package.group, package.version, type.name);
  return resource && !resource->namespaced ? Scope::kCluster : Scope::kNamespaced;
}

// Most names are DNS subdomains.
NameRule NameRuleOf(const Type& type) {
  std::string_view group = type.package->group;
  if (group.empty() && IsOneOf(type.name, {"Namespace", "Service"})) return NameIsDNSLabel;
  if (group == "rbac.authorization.k8s.io") return NameIsPathSegment;
  return NameIsDNSSubdomain;
}

// Kinds that are questions to the server: they have metadata, but nothing of it is required.
constexpr std::string_view kRequests[] = {"Binding",
                                          "Eviction",
                                          "LocalSubjectAccessReview",
                                          "Scale",
                                          "SelfSubjectAccessReview",
                                          "SelfSubjectReview",
                                          "SelfSubjectRulesReview",
                                          "SubjectAccessReview",
                                          "TokenRequest",
                                          "TokenReview"};

// Null where there is no metadata to check.
const ObjectMeta* MetaOf(const Type& type, const void* object) {
  if (std::ranges::find(kRequests, type.name) != std::end(kRequests)) return nullptr;
  return FindObjectMeta(type, object);
}

}  // namespace

ErrorList ValidateCreate(const Type& type, const void* object) {
  if (const KindRules* rules = FindRules(type)) return rules->create(object);
  const ObjectMeta* meta = MetaOf(type, object);
  if (!meta) return {};
  return ValidateObjectMeta(*meta, ScopeOf(type), NameRuleOf(type), Path("metadata"));
}

ErrorList ValidatePreparedCreate(const Type& type, const void* object) {
  const KindRules* rules = FindRules(type);
  if (rules != nullptr && rules->create_prepared != nullptr) return rules->create_prepared(object);
  return ValidateCreate(type, object);
}

ErrorList ValidateUpdate(const Type& type, const void* new_object, const void* old_object) {
  if (const KindRules* rules = FindRules(type)) {
    return rules->update ? rules->update(new_object, old_object) : ErrorList();
  }
  const ObjectMeta* meta = MetaOf(type, new_object);
  if (!meta) return {};
  return ValidateObjectMetaUpdate(*meta, *MetaOf(type, old_object), Path("metadata"));
}

ErrorList ValidateSubresourceUpdate(const Type& type, std::string_view subresource,
                                    const void* new_object, const void* old_object) {
  const KindRules* rules = FindRules(type, subresource);
  if (rules) return rules->update(new_object, old_object);
  const ObjectMeta* meta = MetaOf(type, new_object);
  if (!meta) return {};
  return ValidateObjectMetaUpdate(*meta, *MetaOf(type, old_object), Path("metadata"));
}

}  // namespace podium::api
