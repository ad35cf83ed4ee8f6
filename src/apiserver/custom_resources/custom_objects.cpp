#include "apiserver/custom_resources/custom_objects.h"

#include <utility>

#include "api/go_json.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "api/status.h"
#include "api/structural/custom_resource.h"
#include "apiserver/body.h"
#include "apiserver/stored_object.h"
#include "base/text.h"
#include "reflect/json.h"
#include "reflect/runtime_storage.h"

namespace podium::apiserver {
namespace {

using reflect::AnyObject;
using reflect::JsonValue;
using reflect::Problem;

constexpr reflect::JsonPrintOptions kSorted{.sort_keys = true, .canonical_numbers = true};

Error Damaged(const store::Entry& entry, std::string_view why) {
  return Error(Code::kDataLoss, "the stored object " + std::string(entry.key()) +
                                    " cannot be read: " + std::string(why));
}

std::string TextOf(const JsonValue& object, std::string_view member) {
  const JsonValue* value = object.Find(member);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

// The tree as an object of the envelope.
Result<AnyObject> Enveloped(const CustomSchema& schema, const JsonValue& tree) {
  AnyObject object(schema.envelope->root());
  TRY_VOID(reflect::DecodeJsonInto(reflect::ToText(tree, kSorted), object.type(), object.get(),
                                   {.strict = false}));
  return object;
}

// What a schema leaves of a value that was stored, or came out of a conversion: nothing is refused.
void Prune(const CustomSchema& schema, JsonValue* tree) {
  if (schema.structural == nullptr) return;
  reflect::PruneValue(schema.structural.get(), tree, {.max_paths = 0});
}
void Coerce(const CustomSchema& schema, JsonValue* tree) {
  static const reflect::Structural kAny;
  const reflect::Structural& structural = schema.structural != nullptr ? *schema.structural : kAny;
  api::CoerceMetadata(structural, true, true, api::field::Path(), tree);
}

Result<JsonValue> ReadStored(const CustomVersion& version, const store::Entry& entry) {
  auto tree = reflect::ParseJson(entry.value());
  if (!tree.ok()) return Damaged(entry, tree.error().message());
  if (!tree->is_object()) return Damaged(entry, "it is no object");
  const CustomSchema* stored = version.resource->Find(TextOf(*tree, "apiVersion"));
  // A version that the definition does not have any more has no schema.
  if (stored == nullptr || stored->structural == nullptr) return std::move(*tree);
  Prune(*stored, &*tree);
  Coerce(*stored, &*tree);
  reflect::DropNulls(*stored->structural, &*tree);
  TRY_VOID(reflect::ApplyDefaults(*stored->structural, &*tree));
  return std::move(*tree);
}

// `object` is what the form shows.
void Settle(const CustomVersion& version, const store::Entry& entry, const AnyObject& object,
            CustomForm* form) {
  if (form->json == entry.value()) {
    std::string().swap(form->json);
  } else if (version.may_wait()) {
    const auto* metadata = api::FindObjectMeta(object.type(), object.get());
    form->labels = metadata != nullptr ? metadata->labels : api::labels::Set();
  }
}

Result<CustomFormPtr> Form(const CustomVersion& version, const store::Entry& entry,
                           const JsonValue& tree) {
  auto object = Enveloped(*version.shown, tree);
  if (!object.ok()) return Damaged(entry, object.error().message());
  auto form = std::make_shared<CustomForm>();
  TRY_VOID(reflect::EncodeJson(object->type(), object->get(), &form->json));
  auto layout = reflect::ReadLayout(form->json);
  if (!layout.ok()) return Damaged(entry, layout.error().message());
  form->layout = *layout;
  Settle(version, entry, *object, form.get());
  return CustomFormPtr(std::move(form));
}

Result<CustomFormPtr> KnownForm(const CustomVersion& version, const store::Entry& entry) {
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  return std::static_pointer_cast<const CustomForm>(stored->Form(version.number));
}

Result<CustomFormPtr> Keep(const CustomVersion& version, const store::Entry& entry,
                           JsonValue tree) {
  if (TextOf(tree, "apiVersion") != version.shown->api_version) {
    return Damaged(entry, "it is of another version");
  }
  Prune(*version.shown, &tree);
  Coerce(*version.shown, &tree);
  TRY(CustomFormPtr form, Form(version, entry, tree));
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  stored->KeepForm(version.number, form);
  return form;
}

// The texts of what only a strict reader minds, of the text itself: members that come twice, and
// those that metadata does not have.
std::vector<std::string> StrictProblems(const CustomSchema& schema, std::string_view json) {
  const reflect::Type& type = (schema.typed ? schema.typed : schema.envelope)->root();
  AnyObject scratch(type);
  std::vector<std::string> texts;
  for (const Problem& problem : reflect::DecodeJson(json, type, scratch.get())) {
    const bool of_metadata =
        problem.kind == Problem::Kind::kUnknownField && problem.path.starts_with("metadata.");
    if (problem.kind == Problem::Kind::kDuplicateField || of_metadata) {
      texts.push_back(problem.Text());
    }
  }
  return texts;
}

}  // namespace

Result<JsonValue> CustomTree(const AnyObject& object) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &json));
  return reflect::ParseJson(json);
}

Result<AnyObject> TakeCustomObject(const CustomVersion& version, JsonValue tree,
                                   std::vector<std::string>* unknown) {
  static const reflect::Structural kAny;
  const reflect::Structural* schema = version.shown->structural.get();
  if (schema != nullptr) {
    for (const std::string& path : reflect::PruneValue(schema, &tree)) {
      if (unknown != nullptr) unknown->push_back("unknown field \"" + path + "\"");
    }
  }
  const api::field::ErrorList problems = api::CoerceMetadata(
      schema != nullptr ? *schema : kAny, true, false, api::field::Path(), &tree);
  if (!problems.empty()) return api::BadRequestError(problems.AggregateText());
  if (schema != nullptr) {
    reflect::DropNulls(*schema, &tree);
    const auto filled = reflect::ApplyDefaults(*schema, &tree);
    if (!filled.ok()) return api::RequestEntityTooLargeError(filled.error().message());
  }
  const std::string text = reflect::ToText(tree);
  if (const std::string_view number = reflect::NumberBeyondDouble(text); !number.empty()) {
    return api::BadRequestError(reflect::BeyondDoubleText(number));
  }
  auto object = Enveloped(*version.shown, tree);
  if (!object.ok()) return api::BadRequestError(object.error().message());
  return object;
}

Result<void> TakeCustomAgain(const CustomVersion& version, AnyObject* object) {
  TRY(JsonValue tree, CustomTree(*object));
  TRY(*object, TakeCustomObject(version, std::move(tree), nullptr));
  return {};
}

Result<AnyObject> DecodeCustomBody(Call& call, const ServedResource& resource,
                                   FieldValidation validation) {
  const CustomVersion& version = *resource.custom;
  const ExpectedBody expected{.type = resource.type,
                              .group = resource.group,
                              .version = resource.version,
                              .kind = resource.kind};
  std::vector<std::string> strict;
  std::string json;
  if (call.decoded_body.object != nullptr) {
    TRY_VOID(reflect::EncodeJson(*call.decoded_body.type, call.decoded_body.object, &json));
  } else {
    TRY(const BodyFormat format, BodyFormatOf(call.Header("Content-Type")));
    if (format == BodyFormat::kProtobuf) {
      return api::UnsupportedMediaTypeError({"application/json", "application/yaml"});
    }
    auto read = JsonOfBody(call.body, format, &strict);
    if (!read.ok()) return UnrecognizedBody(call, expected, read.error().message());
    json = *std::move(read);
  }
  auto tree = reflect::ParseJson(json);
  if (!tree.ok() || !tree->is_object()) {
    return UnrecognizedBody(call, expected,
                            api::GoJsonObjectProblem(json).value_or("it is no object"));
  }
  const std::string kind = TextOf(*tree, "kind");
  const std::string api_version = TextOf(*tree, "apiVersion");
  if (kind.empty()) {
    return UnrecognizedBody(call, expected, "Object 'Kind' is missing in '" + json + "'");
  }
  if (api_version != resource.api_version) {
    return api::BadRequestError("the API version in the data (" + api_version +
                                ") does not match the expected API version (" +
                                resource.api_version + ")");
  }
  if (validation != FieldValidation::kIgnore) {
    for (std::string& text : StrictProblems(*version.shown, json)) {
      strict.push_back(std::move(text));
    }
  }
  std::vector<std::string> unknown;
  auto object = TakeCustomObject(version, *std::move(tree), &unknown);
  if (!object.ok()) {
    return CannotBeHandled(kind, api_version, resource.kind, object.error().message());
  }
  for (std::string& text : unknown) strict.push_back(std::move(text));
  TRY_VOID(TellStrict(call, expected, validation, kind, api_version, std::move(strict)));
  return object;
}

Result<JsonValue> TreeAs(const CustomVersion& version, const reflect::Type& type,
                         const void* object, const CustomSchema& to) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, object, &json));
  TRY(JsonValue tree, reflect::ParseJson(json));
  std::vector<JsonValue> one;
  one.push_back(std::move(tree));
  TRY(one, version.resource->conversion->Convert(std::move(one), to.api_version));
  Prune(to, one.data());
  Coerce(to, one.data());
  return std::move(one.front());
}

Result<AnyObject> TakeFrom(const CustomVersion& version, const CustomSchema& from, JsonValue tree) {
  Prune(from, &tree);
  Coerce(from, &tree);
  if (from.structural != nullptr) {
    reflect::DropNulls(*from.structural, &tree);
    TRY_VOID(reflect::ApplyDefaults(*from.structural, &tree));
  }
  std::vector<JsonValue> one;
  one.push_back(std::move(tree));
  TRY(one, version.resource->conversion->Convert(std::move(one), version.shown->api_version));
  return TakeCustomObject(version, std::move(one.front()), nullptr);
}

Result<std::string> TextToStore(const CustomVersion& version, const AnyObject& object) {
  const CustomSchema& storage = version.storage();
  std::string json;
  if (&storage == version.shown.get()) {
    TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &json));
    return json;
  }
  TRY(JsonValue tree, CustomTree(object));
  std::vector<JsonValue> one;
  one.push_back(std::move(tree));
  TRY(one, version.resource->conversion->Convert(std::move(one), storage.api_version));
  Prune(storage, one.data());
  Coerce(storage, one.data());
  TRY(const AnyObject stored, Enveloped(storage, one.front()));
  TRY_VOID(reflect::EncodeJson(stored.type(), stored.get(), &json));
  return json;
}

Result<CustomFormPtr> FormOf(const CustomVersion& version, const store::Entry& entry) {
  TRY(CustomFormPtr known, KnownForm(version, entry));
  if (known != nullptr) return known;
  TRY(JsonValue tree, ReadStored(version, entry));
  if (TextOf(tree, "apiVersion") != version.shown->api_version) {
    std::vector<JsonValue> one;
    one.push_back(std::move(tree));
    TRY(one, version.resource->conversion->Convert(std::move(one), version.shown->api_version));
    tree = std::move(one.front());
  }
  return Keep(version, entry, std::move(tree));
}

Result<void> MakeForms(const CustomVersion& version, std::span<const store::EntryPtr> entries) {
  if (!version.may_wait()) return {};
  std::vector<JsonValue> trees;
  std::vector<const store::Entry*> of;
  for (const store::EntryPtr& entry : entries) {
    if (entry == nullptr || entry->deleted()) continue;
    TRY(const CustomFormPtr known, KnownForm(version, *entry));
    if (known != nullptr) continue;
    TRY(JsonValue tree, ReadStored(version, *entry));
    if (TextOf(tree, "apiVersion") == version.shown->api_version) {
      TRY_VOID(Keep(version, *entry, std::move(tree)));
      continue;
    }
    trees.push_back(std::move(tree));
    of.push_back(entry.get());
  }
  if (trees.empty()) return {};
  TRY(trees, version.resource->conversion->Convert(std::move(trees), version.shown->api_version));
  for (size_t i = 0; i < trees.size(); ++i) {
    TRY_VOID(Keep(version, *of[i], std::move(trees[i])));
  }
  return {};
}

Result<void> ShareForm(const CustomVersion& version, const store::Entry& from,
                       const store::Entry& to) {
  TRY(CustomFormPtr form, FormOf(version, from));
  TRY(const StoredObject* stored, StoredObject::Of(to));
  stored->KeepForm(version.number, std::move(form));
  return {};
}

void KeepForm(const CustomVersion& version, const store::Entry& entry, const AnyObject& object) {
  auto form = std::make_shared<CustomForm>();
  const auto stored = StoredObject::Of(entry);
  if (!stored.ok() || !reflect::EncodeJson(object.type(), object.get(), &form->json).ok()) return;
  const auto layout = reflect::ReadLayout(form->json);
  if (!layout.ok()) return;
  form->layout = *layout;
  Settle(version, entry, object, form.get());
  (*stored)->KeepForm(version.number, std::move(form));
}

Result<AnyObject> DecodeCustom(const CustomVersion& version, const store::Entry& entry) {
  TRY(const CustomFormPtr form, FormOf(version, entry));
  AnyObject object(version.shown->envelope->root());
  const auto decoded =
      reflect::DecodeJsonInto(form->text(entry), object.type(), object.get(), {.strict = false});
  if (!decoded.ok()) return Damaged(entry, decoded.error().message());
  api::EnsureObjectMeta(object.type(), object.get())->resourceVersion =
      std::to_string(entry.mod_revision());
  return object;
}

}  // namespace podium::apiserver
