// CustomVersion: a resource that a CustomResourceDefinition defines, in one of its versions, read
// into what serving it takes. The catalog holds these (ServedResource::custom).
//
// Objects of custom resources are untyped: what is decoded has apiVersion, kind, metadata as
// ObjectMeta, and spec, status and all other members as JSON (`envelope`). Their schema is asked
// about the JSON itself (custom_objects.h, custom_rules.h), so that an object that no longer meets
// its schema can still be read; only who owns which field goes by types made of the schema
// (`typed`). In writes an object is of the request's version throughout, and becomes one of the
// storage version in the last step, as upstream has it.
//
// Everything here is immutable once made. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/resource.h"
#include "api/table/custom_columns.h"
#include "api/types/apiextensions_v1.h"
#include "apiserver/catalog.h"
#include "apiserver/custom_resources/custom_conversion.h"
#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/runtime_types.h"
#include "reflect/schema/structural.h"

namespace podium::apiserver {

// Paths as the definition has them: ".spec.replicas".
struct CustomScalePaths {
  std::string spec_replicas;
  std::string status_replicas;
  std::optional<std::string> label_selector{};
};

// One version of a definition, served or not: stored objects may be of any.
struct CustomSchema {
  std::string group;
  std::string version;
  std::string kind;
  std::string api_version;
  bool served = false;
  std::string deprecation{};  // the text of its Warning; "" for none

  reflect::JsonValue schema{};  // openAPIV3Schema; null: none
  // Null: objects of any content.
  std::unique_ptr<const reflect::Structural> structural{};
  std::shared_ptr<const reflect::RuntimeTypes> envelope{};
  std::shared_ptr<const reflect::RuntimeTypes> list{};  // of an answer to deletecollection
  // Null where the schema is larger than the engine takes: lists are then atomic to apply.
  std::shared_ptr<const reflect::RuntimeTypes> typed{};

  bool has_status = false;
  std::optional<CustomScalePaths> scale{};
  std::vector<api::Subresource> subresources{};  // as discovery has them
  std::vector<std::string> selectable_fields{};  // "spec.color"
  api::CustomColumns columns;
};
using CustomSchemaPtr = std::shared_ptr<const CustomSchema>;

// A definition.
struct CustomResource {
  std::string group;
  std::vector<CustomSchemaPtr> versions;  // in the order of the definition
  std::string storage_version;
  std::shared_ptr<const CustomConversion> conversion;  // never null
  // Being deleted: nothing new is created.
  bool terminating = false;

  // Null when there is none.
  const CustomSchema* Find(std::string_view api_version) const;
};

struct CustomVersion {
  std::shared_ptr<const CustomResource> resource;
  CustomSchemaPtr shown;
  // Different in every one of this process: what entries keep their forms under.
  uint64_t number = 0;
  // Set once another one, or none, is served instead. Watches end then, as upstream's do.
  std::shared_ptr<std::atomic<bool>> retired = std::make_shared<std::atomic<bool>>(false);

  const CustomSchema& storage() const;
  // Whether showing or storing an object may wait for a webhook.
  bool may_wait() const { return resource->conversion->may_wait(); }
};

// Reads a definition. `webhooks` may be null where none is called. kInvalidArgument for a schema
// that cannot be read, which validation lets no definition have.
Result<std::shared_ptr<const CustomResource>> ReadDefinition(
    const api::apiextensions::v1::CustomResourceDefinition& definition,
    const ConversionWebhooks* webhooks);

// Its served versions, the preferred one first, under the names that were accepted.
std::vector<ServedResource> ServedVersions(
    const api::apiextensions::v1::CustomResourceDefinition& definition,
    const std::shared_ptr<const CustomResource>& resource);

// Which of two versions clients prefer: v2 before v1 before v2beta1 before v1alpha2 before others
// by name (apimachinery's version.CompareKubeAwareVersionStrings). Negative when `a` comes first.
int CompareVersions(std::string_view a, std::string_view b);

}  // namespace podium::apiserver
