#include "cli/kinds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/types/registry.h"
#include "cli/text.h"
#include "reflect/field_path.h"

namespace podium::cli {
namespace {

using reflect::Field;
using reflect::Shape;
using reflect::Type;

std::string ApiVersionOf(const api::KindEntry& entry) {
  const std::string group = entry.group;
  return group.empty() ? entry.version : group + "/" + entry.version;
}

}  // namespace

bool IsKnownApiVersion(std::string_view api_version) {
  return std::ranges::any_of(
      api::kKinds, [&](const api::KindEntry& entry) { return ApiVersionOf(entry) == api_version; });
}

std::string UnknownKindMessage(std::string_view api_version, std::string_view kind) {
  std::string message = "no matches for kind \"" + std::string(kind) + "\" in version \"" +
                        std::string(api_version) + "\"";
  const bool version_known = IsKnownApiVersion(api_version);
  std::string elsewhere;
  std::vector<std::string_view> candidates;
  for (const api::KindEntry& entry : api::kKinds) {
    if (entry.kind == kind) elsewhere += (elsewhere.empty() ? "" : ", ") + ApiVersionOf(entry);
    if (!version_known || ApiVersionOf(entry) == api_version) candidates.emplace_back(entry.kind);
  }
  if (!elsewhere.empty()) return message + "; there is one in " + elsewhere;
  return message + DidYouMean(kind, candidates);
}

std::string_view NearestName(const Type& owner, std::string_view name) {
  std::vector<std::string_view> candidates;
  for (const Field& field : owner.fields) candidates.push_back(field.name());
  return Nearest(name, candidates);
}

std::string_view NearestField(const Type& type, std::string_view path) {
  const Result<reflect::FieldPath> parsed = reflect::FieldPath::Parse(path);
  if (!parsed.ok() || parsed->empty()) return {};
  const Type* owner = &type;
  const Field* container = nullptr;  // a list or map whose element comes next
  for (size_t i = 0; i + 1 < parsed->steps().size(); ++i) {
    if (container) {
      owner = std::exchange(container, nullptr)->type;
      continue;
    }
    const Field* field = owner->Find(parsed->steps()[i].name);
    if (!field || field->kind != reflect::Kind::kStruct) return {};
    if (field->shape == Shape::kList || field->shape == Shape::kMap) {
      container = field;
    } else {
      owner = field->type;
    }
  }
  return container ? std::string_view() : NearestName(*owner, parsed->steps().back().name);
}

}  // namespace podium::cli
