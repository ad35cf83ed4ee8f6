// Decoding with positions: JSON offsets back to lines of YAML.
#include <algorithm>
#include <set>
#include <tuple>

#include "reflect/yaml.h"

namespace podium::reflect {

YamlFields::YamlFields(const YamlDocument& document)
    : document_(document), locator_(document.json) {}

YamlFields::Place YamlFields::ToPlace(const JsonPlace& place) const {
  const PositionMap& positions = document_.positions;
  return {positions.At(place.key), positions.At(place.value), place.exact,
          positions.At(place.best())};
}

std::vector<YamlProblem> DecodeYaml(const YamlDocument& document, const Type& type, void* object,
                                    const DecodeOptions& options) {
  std::vector<YamlProblem> found;
  std::set<size_t> duplicates;  // offsets of those that the decoder saw
  for (Problem& problem : DecodeJson(document.json, type, object, options)) {
    if (problem.kind == Problem::Kind::kDuplicateField) duplicates.insert(problem.offset);
    const Position position = document.positions.At(problem.offset);
    found.push_back({std::move(problem), position});
  }
  if (options.strict && document.duplicates.size() > duplicates.size()) {
    const JsonLocator locator(document.json);
    for (const YamlDuplicate& duplicate : document.duplicates) {
      if (found.size() >= options.max_problems) break;
      if (duplicates.contains(duplicate.offset)) continue;
      found.push_back({{Problem::Kind::kDuplicateField, locator.PathAt(duplicate.offset).Text(),
                        "duplicate field", duplicate.offset},
                       duplicate.position});
    }
  }
  // What came through an alias has one position for all places, and keeps their order.
  const auto order = [](const YamlProblem& a, const YamlProblem& b) {
    return std::tie(a.position.line, a.position.column, a.problem.offset) <
           std::tie(b.position.line, b.position.column, b.problem.offset);
  };
  std::sort(found.begin(), found.end(), order);
  return found;
}

}  // namespace podium::reflect
