#include "client/paths.h"

#include "api/scheme.h"
#include "http/url.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::client {
namespace {

std::string ScalarText(const reflect::JsonValue& value) {
  if (value.is_bool()) return value.boolean() ? "true" : "false";
  return value.is_number() ? value.number() : value.string();
}

Result<void> AppendStep(std::string_view step, std::string* path) {
  // "." and ".." are no names of objects, and would be folders of a path.
  if (step == "." || step == "..") {
    return Error(Code::kInvalidArgument, "\"" + std::string(step) + "\" is no name of an object");
  }
  *path += "/" + http::PercentEncode(std::string(step));
  return {};
}

}  // namespace

Result<std::string> QueryOf(const reflect::Type& type, const void* options) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, options, &json));
  TRY(const reflect::JsonValue value, reflect::ParseJson(json));
  http::QueryParameters parameters;
  for (const auto& [key, member] : value.object()) {
    if (key == "kind" || key == "apiVersion" || member.is_null()) continue;
    if (member.is_object()) {
      return Error(Code::kInvalidArgument, "\"" + key + "\" has no form as a query parameter");
    }
    if (!member.is_array()) {
      parameters.emplace_back(key, ScalarText(member));
      continue;
    }
    for (const reflect::JsonValue& element : member.array()) {
      parameters.emplace_back(key, ScalarText(element));
    }
  }
  return http::EncodeQuery(parameters);
}

Result<Target> TargetOf(const reflect::Type& type, const ObjectKey& key,
                        std::string_view subresource) {
  const std::string_view group = type.package->group;
  const std::string_view version = type.package->version;
  std::string_view kind = type.name;
  const api::Resource* resource = api::FindResourceByKind(group, version, kind);
  if (!resource && kind.ends_with("List")) {
    kind.remove_suffix(4);
    resource = api::FindResourceByKind(group, version, kind);
  }
  if (!resource) {
    return Error(Code::kInvalidArgument, "no resource is of kind " + std::string(type.name));
  }
  return Target{.group = std::string(group),
                .version = std::string(version),
                .resource = std::string(resource->plural),
                .namespace_ = resource->namespaced ? key.namespace_ : "",
                .name = key.name,
                .subresource = std::string(subresource)};
}

Result<std::string> PathOf(const Target& target) {
  std::string path = target.group.empty() ? "/api" : "/apis";
  if (!target.group.empty()) TRY_VOID(AppendStep(target.group, &path));
  TRY_VOID(AppendStep(target.version, &path));
  if (!target.namespace_.empty()) {
    path += "/namespaces";
    TRY_VOID(AppendStep(target.namespace_, &path));
  }
  TRY_VOID(AppendStep(target.resource, &path));
  if (!target.name.empty()) TRY_VOID(AppendStep(target.name, &path));
  if (!target.subresource.empty()) TRY_VOID(AppendStep(target.subresource, &path));
  return path;
}

}  // namespace podium::client
