#include "reflect/apply/apply_types.h"

#include <gtest/gtest.h>

#include "reflect/runtime_types.h"
#include "reflect/yaml.h"

namespace podium::reflect::testing {
namespace {

constexpr std::string_view kThing = R"(
type: object
properties:
  spec:
    type: object
    properties:
      number: {type: integer}
      text: {type: string}
      flag: {type: boolean}
      port: {x-kubernetes-int-or-string: true}
      items:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name]
        items:
          type: object
          properties:
            name: {type: string}
            value: {type: integer}
            nested: {type: object, properties: {a: {type: integer}, b: {type: integer}}}
            tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      ports:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [containerPort, protocol]
        items:
          type: object
          properties:
            containerPort: {type: integer}
            protocol: {type: string, default: TCP}
            name: {type: string}
      wholes:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name]
        items:
          type: object
          x-kubernetes-map-type: atomic
          properties: {name: {type: string}, value: {type: integer}}
      words: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      numbers: {type: array, x-kubernetes-list-type: set, items: {type: integer}}
      list: {type: array, items: {type: string}}
      map: {type: object, additionalProperties: {type: string}}
      maps: {type: object, additionalProperties: {type: object,
             properties: {a: {type: integer}, b: {type: integer}}}}
      fixed: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
      point: {type: object, x-kubernetes-map-type: atomic,
              properties: {x: {type: integer}, w: {type: integer}}}
      struct:
        type: object
        properties:
          a: {type: integer}
          b: {type: integer}
          inner: {type: object, properties: {x: {type: integer}, w: {type: integer}}}
      any: {x-kubernetes-preserve-unknown-fields: true}
  status:
    type: object
    properties: {phase: {type: string}, count: {type: integer}}
)";

}  // namespace

const Type& ThingType() {
  static const auto kTypes = [] {
    auto made = RuntimeTypes::FromSchema(Y(kThing), {"example.com", "v1", "Thing"});
    if (!made.ok()) ADD_FAILURE() << made.error().message();
    return *std::move(made);
  }();
  return kTypes->root();
}

ValueSchema ThingSchema() { return SchemaOf(&ThingType()); }

JsonValue Y(std::string_view yaml) {
  const auto document = YamlToJson(yaml);
  if (!document.ok()) {
    ADD_FAILURE() << yaml << ": " << document.error().message();
    return {};
  }
  auto value = ParseJson(document->json);
  EXPECT_TRUE(value.ok()) << yaml;
  return value.ok() ? *std::move(value) : JsonValue();
}

std::string Paths(const FieldSet& set) {
  std::string out;
  set.ForEach([&](const FieldPathElements& path) {
    if (!out.empty()) out += ' ';
    out += Shown(path);
  });
  return out;
}

FieldSet SetOfPaths(std::string_view paths) {
  FieldSet set;
  FieldPathElements path;
  const auto finish = [&] {
    if (!path.empty()) set.Insert(path);
    path.clear();
  };
  while (!paths.empty()) {
    const char first = paths[0];
    paths.remove_prefix(1);
    if (first == ' ') {
      finish();
    } else if (first == '.') {
      const size_t end = std::min(paths.find_first_of(".[ "), paths.size());
      path.push_back(PathElement::Field(std::string(paths.substr(0, end))));
      paths.remove_prefix(end);
    } else {
      const size_t end = paths.find(']');
      std::string_view inside = paths.substr(0, end);
      paths.remove_prefix(end + 1);
      PathElement::Keys keys;
      while (!inside.empty()) {
        const size_t comma = std::min(inside.find(','), inside.size());
        const size_t equals = inside.find('=');
        keys.emplace_back(inside.substr(0, equals),
                          Y(inside.substr(equals + 1, comma - equals - 1)));
        inside.remove_prefix(std::min(comma + 1, inside.size()));
      }
      const bool is_value = keys.size() == 1 && keys[0].first.empty();
      path.push_back(is_value ? PathElement::Value(keys[0].second) : PathElement::Key(keys));
    }
  }
  finish();
  return set;
}

}  // namespace podium::reflect::testing
