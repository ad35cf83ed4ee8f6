#include "apiserver/subresources/scale_write.h"

#include <limits>
#include <utility>
#include <vector>

#include "api/apply_rules.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/managed_fields.h"
#include "apiserver/subresources/scale.h"
#include "reflect/apply/scale_fields.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::autoscaling::v1::Scale;
using reflect::AnyObject;
using reflect::JsonValue;

constexpr int32_t kNoReplicas = std::numeric_limits<int32_t>::min();

reflect::ReplicasPaths PathsOf(const ServedResource& resource) {
  if (resource.custom == nullptr) return api::ReplicasPathsOf(*resource.builtin);
  std::vector<api::CustomScale> versions;
  for (const CustomSchemaPtr& schema : resource.custom->resource->versions) {
    versions.push_back({schema->api_version, {}});
    if (schema->scale) versions.back().spec_replicas_path = schema->scale->spec_replicas;
  }
  return api::CustomReplicasPaths(versions);
}

// Of the Scale itself: its one version, of which nothing is reset.
reflect::FieldManager ScaleFields() {
  return reflect::FieldManager({.type = &reflect::TypeOf<Scale>(),
                                .api_version = "autoscaling/v1",
                                .kind = "Scale",
                                .subresource = "scale"});
}

}  // namespace

ExpectedBody ScaleBody() {
  return {
      .type = &reflect::TypeOf<Scale>(), .group = "autoscaling", .version = "v1", .kind = "Scale"};
}

Result<Scale> ScaleToChange(const ServedResource& resource, const AnyObject& live) {
  TRY(Scale scale, ScaleOf(resource, live, MissingReplicas::kLeast));
  TRY(const JsonValue entries, EntriesTree(*api::FindObjectMeta(live.type(), live.get())));
  TRY(const JsonValue mapped, reflect::ManagedFieldsOfScale(&entries, PathsOf(resource)));
  TRY(scale.metadata.managedFields, EntriesOf(&mapped));
  return scale;
}

Result<void> TrackScale(const std::string& manager, api::Time now, const Scale& before,
                        Scale* scale) {
  TRY(scale->metadata.managedFields,
      TrackedEntries(ScaleFields(), reflect::TypeOf<Scale>(), manager, now, &before, scale));
  return {};
}

Result<reflect::ApplyOutcome> ApplyToScale(const Scale& before, const JsonValue& config,
                                           const reflect::WriteOptions& options) {
  TRY(const std::string json, reflect::ToJson(before));
  TRY(JsonValue tree, reflect::ParseJson(json));
  return ScaleFields().Apply(std::move(tree), config, options);
}

Result<AnyObject> Scaled(const ServedResource& resource, const Scale& scale,
                         const AnyObject& live) {
  if (resource.custom != nullptr && scale.spec.replicas == kNoReplicas) {
    return api::BadRequestError("the spec replicas field " +
                                reflect::GoQuoted(resource.custom->shown->scale->spec_replicas) +
                                " cannot be empty");
  }
  AnyObject object(live.type());
  reflect::CopyObject(live.type(), live.get(), object.get());
  TRY_VOID(ApplyScale(scale, resource, &object));
  api::meta::v1::ObjectMeta& metadata = *api::EnsureObjectMeta(object.type(), object.get());
  // Without one it is about what is there.
  if (!scale.metadata.resourceVersion.empty()) {
    metadata.resourceVersion = scale.metadata.resourceVersion;
  }
  TRY(const JsonValue entries, EntriesTree(metadata));
  TRY(const JsonValue of_scale, EntriesTree(scale.metadata));
  TRY(const JsonValue mapped, reflect::ManagedFieldsAfterScale(
                                  &entries, &of_scale, resource.api_version, PathsOf(resource)));
  TRY(metadata.managedFields, EntriesOf(&mapped));
  return object;
}

}  // namespace podium::apiserver
