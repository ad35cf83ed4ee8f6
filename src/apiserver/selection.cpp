#include "apiserver/selection.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "api/status.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/storage_keys.h"
#include "apiserver/stored_object.h"
#include "base/text.h"
#include "reflect/field_access.h"
#include "reflect/field_path.h"
#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

// Fields that stand elsewhere in the stored object than they are called, or that are not "" where
// they are absent. No path: such selectors are taken, and the field is never there.
struct FieldRule {
  std::string_view plural;
  std::string_view field;
  std::string_view path;
  std::string_view otherwise;        // where the field is absent
  std::string_view fallback_path{};  // where it is empty
};

constexpr FieldRule kRules[] = {
    {"pods", "spec.hostNetwork", "spec.hostNetwork", "false"},
    {"pods", "status.podIPs", "", ""},
    {"nodes", "spec.unschedulable", "spec.unschedulable", "false"},
    {"replicationcontrollers", "status.replicas", "status.replicas", "0"},
    {"replicasets", "status.replicas", "status.replicas", "0"},
    {"jobs", "status.successful", "status.succeeded", "0"},
    {"events", "source", "source.component", "", "reportingComponent"},
    {"events", "reportingController", "reportingComponent", ""},
    {"events", "regarding.kind", "involvedObject.kind", ""},
    {"events", "regarding.namespace", "involvedObject.namespace", ""},
    {"events", "regarding.name", "involvedObject.name", ""},
    {"events", "regarding.uid", "involvedObject.uid", ""},
    {"events", "regarding.apiVersion", "involvedObject.apiVersion", ""},
    {"events", "regarding.resourceVersion", "involvedObject.resourceVersion", ""},
    {"events", "regarding.fieldPath", "involvedObject.fieldPath", ""},
};

const FieldRule* FindRule(const ServedResource& resource, std::string_view field) {
  if (resource.builtin == nullptr) return nullptr;
  const auto* found = std::ranges::find_if(kRules, [&](const FieldRule& rule) {
    return rule.plural == resource.plural && rule.field == field;
  });
  return found != std::end(kRules) ? found : nullptr;
}

Result<std::string> TextAt(const reflect::AnyObject& object, std::string_view path) {
  TRY(const reflect::FieldPath parsed, reflect::FieldPath::Parse(path));
  auto text = reflect::FieldText(object.type(), object.get(), parsed);
  if (!text.ok() && text.error().code() == Code::kNotFound) return std::string();
  return text;
}

// As texts, as upstream has them: numbers and truths too; "" for what is none of these.
Result<std::string> ReadCustomField(const CustomVersion& version, const store::Entry& entry,
                                    std::string_view field) {
  TRY(const CustomFormPtr form, FormOf(version, entry));
  TRY(const reflect::JsonValue tree, reflect::ParseJson(form->text(entry)));
  const reflect::JsonValue* at = &tree;
  for (const std::string_view step : Split(field, '.')) {
    at = at->Find(step);
    if (at == nullptr) return std::string();
  }
  if (at->is_string()) return at->string();
  return at->is_bool() || at->is_number() ? reflect::ToText(*at) : std::string();
}

Result<std::string> ReadField(const ServedResource& resource, const StoredObject& stored,
                              std::string_view field) {
  TRY(const DecodedPtr decoded, stored.Decode(*resource.stored_type, false));
  const FieldRule* rule = FindRule(resource, field);
  const std::string_view path = rule != nullptr ? rule->path : field;
  if (path.empty()) return std::string();
  TRY(std::string text, TextAt(*decoded, path));
  if (!text.empty() || rule == nullptr) return text;
  if (!rule->fallback_path.empty()) return TextAt(*decoded, rule->fallback_path);
  return std::string(rule->otherwise);
}

bool IsListed(const ServedResource& resource, std::string_view field) {
  return std::ranges::find(resource.field_selectors, field) != resource.field_selectors.end();
}

// Kinds that have none take the namespace of what has no namespace, too.
bool HasOwnFields(const ServedResource& resource) {
  return resource.builtin != nullptr &&
         std::ranges::any_of(resource.field_selectors, [](std::string_view field) {
           return !field.starts_with("metadata.");
         });
}

// As the kind's own conversion of field labels says it, or the one of kinds that have none.
Error NotSelectable(const ServedResource& resource, std::string_view field) {
  const std::string name(field);
  if (resource.builtin == nullptr) {
    return api::BadRequestError("field label not supported for " + resource.api_version +
                                ", Kind=" + resource.kind + ": " + name);
  }
  if (resource.plural == "jobs") {
    return api::BadRequestError("field label \"" + name + "\" not supported for batchv1.Job");
  }
  if (HasOwnFields(resource)) return api::BadRequestError("field label not supported: " + name);
  return api::BadRequestError("\"" + name +
                              "\" is not a known field selector: only \"metadata.name\", "
                              "\"metadata.namespace\"");
}

// What kept values are found by: two resources that show the same entries may number their fields
// differently.
size_t NumberOf(const ServedResource& resource, std::string_view field) {
  const size_t number = std::hash<std::string_view>()(field);
  return resource.custom != nullptr ? number * 31 + resource.custom->number : number;
}

// Namespace and name of a key of the resource.
std::pair<std::string_view, std::string_view> NamesOf(const ServedResource& resource,
                                                      std::string_view key) {
  key.remove_prefix(std::min(key.size(), resource.prefix.size()));
  if (!resource.namespaced) return {{}, key};
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {{}, key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

// Names that clients of old use for a field.
std::string_view CurrentName(const ServedResource& resource, std::string_view field) {
  if (resource.builtin == nullptr) return field.starts_with('.') ? field.substr(1) : field;
  if (resource.plural == "pods" && field == "spec.host") return "spec.nodeName";
  if (resource.plural == "namespaces" && field == "name") return "metadata.name";
  return field;
}

}  // namespace

Result<Selection> Selection::Create(const ServedResource& resource, std::string_view labels,
                                    std::string_view fields, std::string_view name) {
  Selection selection;
  selection.resource_ = &resource;
  auto by_label = api::labels::Selector::Parse(labels);
  if (!by_label.ok()) return api::BadRequestError(by_label.error().message());
  selection.labels_ = std::move(*by_label);
  auto by_field = api::fields::Selector::Parse(fields);
  if (!by_field.ok()) return api::BadRequestError(by_field.error().message());
  std::vector<api::fields::Requirement> requirements = by_field->requirements();
  for (api::fields::Requirement& requirement : requirements) {
    requirement.field = CurrentName(resource, requirement.field);
    const std::string& field = requirement.field;
    const bool known =
        IsListed(resource, field) ||
        (!HasOwnFields(resource) && (field == "metadata.name" || field == "metadata.namespace"));
    if (!known) return NotSelectable(resource, field);
  }
  selection.fields_ = api::fields::Selector(std::move(requirements));
  if (name.empty()) return selection;
  if (!selection.fields_.Empty()) {
    if (selection.fields_.RequiresExactMatch("metadata.name") != name) {
      return api::BadRequestError("fieldSelector metadata.name doesn't match requested name");
    }
    return selection;
  }
  selection.fields_ = api::fields::Selector(std::vector<api::fields::Requirement>{
      {.field = "metadata.name", .value = std::string(name)}});
  return selection;
}

store::KeyRange Selection::Keys(std::string_view name_space) const {
  const ServedResource& resource = *resource_;
  // No name has a slash; a key made of one that had would be another resource's.
  const auto one = [&](std::string_view field) {
    auto value = fields_.RequiresExactMatch(field);
    if (value && (value->empty() || value->find('/') != std::string::npos)) value.reset();
    return value;
  };
  std::string in(resource.namespaced ? name_space : std::string_view());
  std::string prefix = KeyOf(resource.prefix, in, "");
  const auto name = one("metadata.name");
  if (!name) return store::KeyRange::Prefix(std::move(prefix));
  if (resource.namespaced && in.empty()) {
    const auto selected = one("metadata.namespace");
    if (!selected) return store::KeyRange::Prefix(std::move(prefix));
    in = *selected;
  }
  return store::KeyRange::Single(KeyOf(resource.prefix, in, *name));
}

size_t Selection::weight() const {
  size_t weight = fields_.requirements().size();
  for (const api::labels::Requirement& each : labels_.requirements()) {
    weight += 1 + each.values().size();
  }
  return weight;
}

bool Selection::MatchesName(std::string_view name) const { return MatchesObject("", name, {}); }

bool Selection::MatchesObject(std::string_view name_space, std::string_view name,
                              const api::labels::Set& labels) const {
  const auto value = [&](std::string_view field) {
    return field == "metadata.name"        ? name
           : field == "metadata.namespace" ? name_space
                                           : std::string_view();
  };
  return fields_.Matches(value) && labels_.Matches(labels);
}

Result<bool> Selection::Matches(const store::Entry& entry) const {
  if (Empty()) return true;
  if (!fields_.Empty()) {
    const auto [name_space, name] = NamesOf(*resource_, entry.key());
    for (const api::fields::Requirement& requirement : fields_.requirements()) {
      bool is = false;
      if (requirement.field == "metadata.name") {
        is = requirement.value == name;
      } else if (requirement.field == "metadata.namespace") {
        is = requirement.value == name_space;
      } else {
        TRY(const StoredObject* stored, StoredObject::Of(entry));
        TRY(is, stored->FieldIs(NumberOf(*resource_, requirement.field), requirement.value, [&] {
          return resource_->custom != nullptr
                     ? ReadCustomField(*resource_->custom, entry, requirement.field)
                     : ReadField(*resource_, *stored, requirement.field);
        }));
      }
      if (is == requirement.negated) return false;
    }
  }
  if (labels_.Empty()) return true;
  if (resource_->custom != nullptr && resource_->custom->may_wait()) {
    // Of the version that is shown: upstream, too, converts before it selects.
    TRY(const CustomFormPtr form, FormOf(*resource_->custom, entry));
    if (form->labels) return labels_.Matches(*form->labels);
  }
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  return labels_.Matches(stored->labels());
}

}  // namespace podium::apiserver
