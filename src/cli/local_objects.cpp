#include "cli/local_objects.h"

#include <utility>

#include "api/defaults.h"
#include "api/scheme.h"
#include "base/ascii.h"
#include "cli/manifests.h"
#include "cli/text.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Result<void> AddObject(const ManifestObject& object, const LocalOptions& options,
                       std::vector<LocalObject>* out) {
  TRY(const std::string text, object.source.empty() ? object.Json() : object.source);
  TRY(const JsonValue json, reflect::ParseJson(text));
  TRY(const reflect::ObjectHeader header, reflect::ReadHeader(text));
  const JsonValue* items = json.Find("items");
  if (header.api_version == "v1" && header.kind == "List" && items && items->is_array()) {
    for (const JsonValue& item : items->array()) {
      TRY(const reflect::ObjectHeader its, reflect::ReadHeader(ToText(item)));
      TRY(LocalObject local,
          ToLocalObject(api::FindType(its.api_version, its.kind), item, options.set_defaults));
      out->push_back(std::move(local));
    }
    return {};
  }
  const reflect::Type* type = object.object ? &object.object.type() : nullptr;
  TRY(LocalObject local, ToLocalObject(type, json, options.set_defaults));
  out->push_back(std::move(local));
  return {};
}

}  // namespace

std::string LocalObject::Name() const {
  std::string name;
  for (const char c : header.kind) name += IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  const size_t slash = header.api_version.find('/');
  if (slash != std::string::npos) name += '.' + header.api_version.substr(0, slash);
  return name + '/' + header.name;
}

std::string LocalObject::Namespace() const {
  const auto version = api::ParseApiVersion(header.api_version);
  const api::Resource* resource =
      version ? api::FindResourceByKind(version->group, version->version, header.kind) : nullptr;
  const bool is_default = header.namespace_.empty() && resource && resource->namespaced;
  return is_default ? "default" : header.namespace_;
}

Result<LocalObject> ToLocalObject(const reflect::Type* type, const JsonValue& json,
                                  bool set_defaults) {
  LocalObject local{.type = type, .header = {}, .json = json, .source = json};
  std::string text = ToText(json);
  if (type != nullptr) {
    reflect::AnyObject object(*type);
    TRY_VOID(reflect::DecodeJsonInto(text, *type, object.get()));
    if (set_defaults) api::SetDefaults(*type, object.get(), {});
    text.clear();
    TRY_VOID(reflect::EncodeJson(*type, object.get(), &text));
    TRY(local.json, reflect::ParseJson(text));
  }
  TRY(local.header, reflect::ReadHeader(text));
  return local;
}

LocalObjects ReadLocalObjects(const std::vector<std::string>& names, const LocalOptions& options) {
  Manifests manifests =
      ReadManifests(names, options.recursive, {.rules = false, .ignore_unknown_kinds = true});
  LocalObjects local{.objects = {}, .errors = std::move(manifests.errors)};
  for (const ManifestObject& object : manifests.objects) {
    const Result<void> added = AddObject(object, options, &local.objects);
    if (!added.ok()) local.errors += Printable(added.error().message()) + '\n';
  }
  return local;
}

}  // namespace podium::cli
