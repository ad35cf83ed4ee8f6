#include "api/descriptions.h"

#include <algorithm>

#include "api/types/descriptions.h"
#include "api/types/registry.h"

namespace podium::api {
namespace {

// The lines of a generated type; empty for others.
std::string_view LinesOf(const reflect::Type& type) {
  for (size_t i = 0; i < kPackages.size(); ++i) {
    if (kPackages[i].package != type.package) continue;
    const auto types = kPackages[i].types;
    const std::string_view name = type.name;
    const auto found = std::ranges::lower_bound(
        types, name, {}, [](const reflect::Type* t) { return std::string_view(t->name); });
    if (found == types.end() || *found != &type) return {};
    return kDescriptions[i][static_cast<size_t>(found - types.begin())];
  }
  return {};
}

std::string_view Line(std::string_view lines, size_t number) {
  for (; number > 0; --number) {
    const size_t end = lines.find('\n');
    if (end == std::string_view::npos) return {};
    lines.remove_prefix(end + 1);
  }
  return lines.substr(0, lines.find('\n'));
}

}  // namespace

std::string_view DescriptionOf(const reflect::Type& type) {
  return type.leaf ? type.leaf->description : Line(LinesOf(type), 0);
}

std::string_view DescriptionOf(const reflect::Type& type, const reflect::Field& field) {
  const auto index = static_cast<size_t>(&field - type.fields.data());
  const std::string_view own = Line(LinesOf(type), index + 1);
  return own.empty() && field.type ? DescriptionOf(*field.type) : own;
}

}  // namespace podium::api
