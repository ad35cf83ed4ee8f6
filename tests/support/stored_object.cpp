#include "support/stored_object.h"

#include "api/defaults.h"
#include "api/scheme.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "api/validation/job.h"
#include "api/validation/pod.h"

namespace podium::testing {
namespace {

using namespace podium::api;

void SetIfEmpty(std::string& text, std::string_view value) {
  if (text.empty()) text = value;
}

bool IsNamespaced(const reflect::Type& type) {
  const reflect::Package& package = *type.package;
  const Resource* resource = FindResourceByKind(package.group, package.version, type.name);
  return !resource || resource->namespaced;
}

}  // namespace

void PrepareForStorage(const reflect::Type& type, void* object) {
  SetDefaults(type, object, DefaultOptions{});
  const reflect::Field* field = type.Find("metadata");
  if (field != nullptr && field->type == &reflect::TypeOf<meta::v1::ObjectMeta>()) {
    auto& meta = *static_cast<meta::v1::ObjectMeta*>(field->at(object));
    SetIfEmpty(meta.name, "name");
    if (IsNamespaced(type)) SetIfEmpty(meta.namespace_, "default");
    SetIfEmpty(meta.uid, "6e1f9a6c-8b1e-4a53-9f0e-4f4b6a4c2d10");
    SetIfEmpty(meta.resourceVersion, "1");
    if (meta.creationTimestamp.IsZero()) {
      meta.creationTimestamp = *Time::Parse("2026-01-01T00:00:00Z");
    }
  }
  if (&type == &reflect::TypeOf<batch::v1::Job>()) {
    GenerateJobSelector(static_cast<batch::v1::Job*>(object));
  } else if (&type == &reflect::TypeOf<core::v1::Pod>()) {
    MergeMatchLabelKeys(static_cast<core::v1::Pod*>(object));
  }
}

}  // namespace podium::testing
