#include "api/conversion/conversion.h"

#include <algorithm>
#include <utility>

#include "api/conversion/converters.h"
#include "api/types/meta_v1.h"
#include "reflect/copy.h"
#include "reflect/field_access.h"
#include "reflect/json_value.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::JsonValue;
using reflect::Type;

constexpr const char* kEphemeralContainers = "EphemeralContainers";

const Conversion* Find(const Type& from, const Type& to) {
  for (const auto conversions : {ObjectConversions(), AutoscalerConversions()}) {
    const auto found = std::ranges::find_if(
        conversions, [&](const Conversion& each) { return each.from == &from && each.to == &to; });
    if (found != conversions.end()) return &*found;
  }
  return nullptr;
}

Result<void> SetApiVersion(const Conversion& conversion, AnyObject* object) {
  TRY(const auto path, reflect::FieldPath::Parse("apiVersion"));
  TRY(const std::string before,
      reflect::FieldText(*conversion.to, std::as_const(*object).get(), path));
  if (before.empty()) return {};
  std::string json;
  reflect::AppendJsonString(conversion.api_version, &json);
  return reflect::SetField(*conversion.to, object->get(), path, json);
}

std::string TextAt(const JsonValue* object, std::string_view key) {
  const JsonValue* found = object ? object->Find(key) : nullptr;
  return found && found->is_string() ? found->string() : std::string();
}

Error NotForThisPod(const std::string& what) {
  return {Code::kInvalidArgument, std::string(kEphemeralContainers) + ": " + what};
}

}  // namespace

Result<void> ConvertByName(const Type& from_type, const void* from, const Type& to_type, void* to) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(from_type, from, &json));
  return reflect::DecodeJsonInto(json, to_type, to, {.strict = false});
}

bool IsConvertible(const Type& from, const Type& to) {
  return &from == &to || Find(from, to) != nullptr;
}

Result<AnyObject> ConvertObject(const Type& from, const void* object, const Type& to) {
  if (&from == &to) return AnyObject(to, reflect::NewCopy(to, object));
  const Conversion* conversion = Find(from, to);
  if (!conversion) return Error(Code::kUnsupported, "no conversion from one version to the other");
  AnyObject out(to);
  TRY_VOID(conversion->convert(object, out.get()));
  TRY_VOID(SetApiVersion(*conversion, &out));
  return out;
}

Result<std::string> EphemeralContainersOf(const core::v1::Pod& pod) {
  TRY(const std::string text, reflect::ToJson(pod));
  TRY(JsonValue whole, reflect::ParseJson(text));
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("kind", JsonValue::String(kEphemeralContainers));
  out.Set("apiVersion", JsonValue::String("v1"));
  out.Set("metadata", std::move(*whole.Find("metadata")));
  JsonValue* spec = whole.Find("spec");
  JsonValue* containers = spec ? spec->Find("ephemeralContainers") : nullptr;
  out.Set("ephemeralContainers", containers ? std::move(*containers) : JsonValue());
  return reflect::ToText(out);
}

Result<core::v1::Pod> WithEphemeralContainers(const core::v1::Pod& live, std::string_view json) {
  TRY(const JsonValue asked, reflect::ParseJson(json));
  if (TextAt(&asked, "kind") != kEphemeralContainers || TextAt(&asked, "apiVersion") != "v1") {
    return NotForThisPod("not an object of this kind in v1");
  }
  const JsonValue* metadata = asked.Find("metadata");
  if (TextAt(metadata, "name") != live.metadata.name ||
      TextAt(metadata, "namespace") != live.metadata.namespace_) {
    return NotForThisPod("of another pod");
  }
  core::v1::Pod pod = reflect::Copy(live);
  pod.spec.ephemeralContainers.clear();
  if (const JsonValue* containers = asked.Find("ephemeralContainers")) {
    TRY(const auto path, reflect::FieldPath::Parse("spec.ephemeralContainers"));
    TRY_VOID(reflect::SetField(reflect::TypeOf<core::v1::Pod>(), &pod, path,
                               reflect::ToText(*containers)));
  }
  for (const auto& [key, member] :
       {std::pair("resourceVersion", &meta::v1::ObjectMeta::resourceVersion),
        {"uid", &meta::v1::ObjectMeta::uid}}) {
    std::string text = TextAt(metadata, key);
    if (!text.empty()) pod.metadata.*member = std::move(text);
  }
  return pod;
}

}  // namespace podium::api
