#include "cli/field_names.h"

#include <optional>
#include <set>

#include "api/scheme.h"
#include "api/types/resources.h"
#include "cli/kinds.h"
#include "cli/text.h"
#include "reflect/field_path.h"

namespace podium::cli {
namespace {

using reflect::Field;
using reflect::Type;

const api::Resource* FindNamed(std::string_view name, std::string_view api_version) {
  if (api_version.empty()) return api::ResolveResource(name);
  const std::optional<api::GroupVersion> gv = api::ParseApiVersion(api_version);
  if (!gv) return nullptr;
  const api::Resource* found = api::ResolveResource(
      std::string(name) + '.' + std::string(gv->version) + '.' + std::string(gv->group));
  return found && found->group == gv->group && found->version == gv->version ? found : nullptr;
}

Error NoSuchResource(std::string_view name, std::string_view api_version) {
  std::string message = "there is no resource type \"" + Printable(name) + '"';
  if (!api_version.empty()) message += " in " + Printable(api_version);
  std::vector<std::string_view> candidates;
  for (const api::Resource& resource : api::kResources) {
    candidates.insert(candidates.end(), {resource.plural, resource.singular});
  }
  // Behind the long ones, which win when both are near.
  for (const api::ResourceName& each : api::kResourceNames) candidates.push_back(each.name);
  return {Code::kNotFound, message + (FindNamed(name, {}) ? "" : DidYouMean(name, candidates))};
}

}  // namespace

bool HasFields(const Field& field) {
  return field.kind == reflect::Kind::kStruct && field.type->form == reflect::Form::kStruct &&
         !field.type->fields.empty();
}

const Type* FieldPlace::type() const {
  if (fields.empty()) return resource->type;
  return HasFields(*fields.back()) ? fields.back()->type : nullptr;
}

Result<FieldPlace> FindFieldPlace(std::string_view path, std::string_view api_version) {
  const std::string_view name = path.substr(0, path.find('.'));
  FieldPlace place;
  place.resource = FindNamed(name, api_version);
  if (!place.resource) return NoSuchResource(name, api_version);
  if (name.size() == path.size()) return place;

  TRY(const reflect::FieldPath fields, reflect::FieldPath::Parse(path.substr(name.size() + 1)));
  std::string read(name);
  for (const reflect::PathStep& step : fields.steps()) {
    if (step.index) continue;
    const Type* owner = place.type();
    if (const Field* field = owner ? owner->Find(step.name) : nullptr) {
      place.fields.push_back(field);
      read.append(".").append(step.name);
      continue;
    }
    const bool is_key = !place.fields.empty() && place.fields.back()->shape == reflect::Shape::kMap;
    if (is_key) continue;
    return Error(Code::kNotFound, "field \"" + Printable(step.name) + "\" does not exist in " +
                                      read +
                                      (owner ? DidYouMean(NearestName(*owner, step.name)) : ""));
  }
  return place;
}

std::vector<std::string> FieldPathsFrom(std::string_view typed) {
  std::set<std::string> found;
  bool has_fields = false;
  const size_t dot = typed.rfind('.');
  if (dot == std::string_view::npos) {
    for (const api::Resource& resource : api::kResources) {
      if (resource.plural.starts_with(typed)) found.emplace(resource.plural);
    }
    has_fields = true;
  } else if (const Result<FieldPlace> owner = FindFieldPlace(typed.substr(0, dot), {});
             owner.ok() && owner->type()) {
    const std::string_view begun = typed.substr(dot + 1);
    for (const Field& field : owner->type()->fields) {
      if (!field.name().starts_with(begun)) continue;
      found.insert(std::string(typed.substr(0, dot + 1)) + std::string(field.name()));
      has_fields = HasFields(field);
    }
  }
  std::vector<std::string> paths(found.begin(), found.end());
  if (paths.size() == 1 && has_fields) paths.push_back(paths[0] + '.');
  return paths;
}

}  // namespace podium::cli
