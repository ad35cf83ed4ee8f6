#include "apiserver/custom_resources/definition_store.h"

#include <string>
#include <utility>

#include "apiserver/managed_fields.h"
#include "apiserver/objects.h"
#include "apiserver/stored_object.h"
#include "reflect/json.h"

namespace podium::apiserver {

using api::apiextensions::v1::CustomResourceDefinition;

std::string_view DefinitionPrefix() {
  static const std::string kPrefix = Objects::PrefixOf(reflect::TypeOf<CustomResourceDefinition>());
  return kPrefix;
}

Result<DefinitionPtr> DecodeDefinition(const store::Entry& entry) {
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  TRY(DecodedPtr decoded, stored->Decode(reflect::TypeOf<CustomResourceDefinition>(), false));
  const auto* definition = decoded->As<CustomResourceDefinition>();
  return DefinitionPtr(std::move(decoded), definition);
}

Result<bool> WriteDefinition(store::Store& store, const Catalog& catalog,
                             const store::Entry& current, CustomResourceDefinition changed,
                             api::Time now) {
  TRY(const DefinitionPtr before, DecodeDefinition(current));
  reflect::AnyObject object(reflect::TypeOf<CustomResourceDefinition>());
  CustomResourceDefinition& definition = *object.As<CustomResourceDefinition>();
  definition = std::move(changed);
  const ServedResource* resource =
      catalog.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  if (resource != nullptr) {
    TRY_VOID(TrackFields(*resource, "status", "kube-apiserver", now, before.get(), &object));
  }
  definition.metadata.resourceVersion.clear();
  store::Write write{.key = std::string(current.key()), .expected = current.mod_revision()};
  const auto& metadata = definition.metadata;
  if (!metadata.deletionTimestamp || !metadata.finalizers.empty()) {
    TRY(write.value, reflect::ToJson(definition));
  }
  TRY(const store::Written written, store.WriteAndWait(std::move(write)));
  return written.changed;
}

}  // namespace podium::apiserver
