#include "cli/object_maker.h"

#include <array>
#include <utility>

#include "api/scheme.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"

namespace podium::cli {
namespace {

using api::meta::v1::ObjectMeta;
using reflect::Field;
using reflect::JsonValue;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

// Of ObjectMeta, in its order.
constexpr std::array<std::string_view, 7> kBeforeCreation = {
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"};

// Release 1.32 prints the time though there is none.
void AddCreation(JsonValue* metadata) {
  if (metadata->Find("creationTimestamp")) return;
  auto& members = metadata->object();
  auto place = members.begin();
  for (auto member = members.begin(); member != members.end(); ++member) {
    for (const std::string_view key : kBeforeCreation) {
      if (member->key == key) place = member + 1;
    }
  }
  members.insert(place, {"creationTimestamp", JsonValue()});
}

void AddCreations(const Type& type, JsonValue* value);

void AddCreationsIn(const Field& field, JsonValue* value) {
  if (field.shape == Shape::kList && value->is_array()) {
    for (JsonValue& element : value->array()) AddCreations(*field.type, &element);
  } else if (field.shape == Shape::kMap && value->is_object()) {
    for (auto& member : value->object()) AddCreations(*field.type, &member.value);
  } else if (field.shape == Shape::kScalar || field.shape == Shape::kBox) {
    AddCreations(*field.type, value);
  }
}

void AddCreations(const Type& type, JsonValue* value) {
  if (!value->is_object() || type.form != reflect::Form::kStruct) return;
  for (const Field& field : type.fields) {
    if (field.kind != Kind::kStruct) continue;
    const bool is_metadata =
        field.type == &reflect::TypeOf<ObjectMeta>() && field.shape == Shape::kScalar;
    JsonValue* its = value->Find(field.name());
    if (is_metadata && !its) {
      its = &value->Set(field.name(), JsonValue::Of(JsonValue::Object()));
    }
    if (!its) continue;
    AddCreationsIn(field, its);
    if (is_metadata && its->is_object()) AddCreation(its);
  }
}

}  // namespace

Result<JsonValue> AsStruct(const Type& type, const JsonValue& object) {
  reflect::AnyObject decoded(type);
  TRY_VOID(
      reflect::DecodeJsonInto(reflect::ToText(object), type, decoded.get(), {.strict = false}));
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, decoded.get(), &json));
  TRY(JsonValue value, reflect::ParseJson(json));
  AddCreations(type, &value);
  return value;
}

ServerResource ResourceOf(const Type& type) {
  const api::Resource* known =
      api::FindResourceByKind(type.package->group, type.package->version, type.name);
  if (!known) return {};
  return {.group = std::string(known->group),
          .version = std::string(known->version),
          .plural = std::string(known->plural),
          .singular = std::string(known->singular),
          .kind = std::string(known->kind),
          .namespaced = known->namespaced};
}

void ObjectMaker::SetKind(const Type& type, std::string* api_version, std::string* kind) {
  *api_version = type.ApiVersion();
  *kind = type.name;
}

Result<ObjectMaker> ObjectMaker::Of(const Invocation& invocation, const Streams& streams,
                                    const MakerRules& rules) {
  TRY(const DryRun dry_run, DryRunOf(invocation));
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run, MemberOrder::kAsTheyStand));
  ObjectMaker made(rules, dry_run, std::move(printer));
  made.saves_ = invocation.Has("save-config");
  TRY(made.server_, Server::Of(invocation, streams));
  made.writer_ =
      std::make_unique<Writer>(*made.server_, dry_run, CreateManagerOf(invocation, rules.manager),
                               FieldValidationOf(invocation));
  return made;
}

ObjectMeta ObjectMaker::Metadata(std::string name) const {
  ObjectMeta metadata;
  metadata.name = std::move(name);
  const bool names_it = is_create_ || dry_run_ == DryRun::kClient;
  if (names_it && server_->namespace_given()) metadata.namespace_ = server_->namespace_();
  return metadata;
}

Result<JsonValue> ObjectMaker::Make(const Type& type, const JsonValue& object) {
  TRY(JsonValue made, AsStruct(type, object));
  const bool send = dry_run_ != DryRun::kClient;
  if (send || is_create_) {
    // Once more, as annotations stand in the order of their names.
    TRY(made,
        AsStruct(type, WithLastAppliedIf(saves_, std::move(made), MemberOrder::kAsTheyStand)));
  }
  if (!send) return made;
  const ServerResource resource = ResourceOf(type);
  if (resource.plural.empty()) {
    return Error(Code::kUnsupported, std::string(type.name) + " is nothing to create");
  }
  const Selected item{.resource = &resource,
                      .namespace_ = server_->namespace_(),
                      .name = std::string(TextAt(made, {"metadata", "name"}))};
  TRY(const JsonValue answer, writer_->Create(item, made));
  return AsStruct(type, answer);
}

}  // namespace podium::cli
