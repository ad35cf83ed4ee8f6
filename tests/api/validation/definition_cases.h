// What tests of definitions of custom resources share.
#pragma once

#include "api/validation/custom_resource_definition.h"
#include "api/validation/kind_cases.h"

namespace podium::api {

// One version, whose schema says nothing but that it is an object.
inline constexpr char kDefinition[] = R"({"metadata": {"name": "cups.example.com"}, "spec": {
  "group": "example.com", "scope": "Namespaced", "names": {"plural": "cups", "kind": "Cup"},
  "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
    {"type": "object"}}}]}})";

inline void ExpectNewDefinition(const std::vector<ErrorCase>& cases) {
  ExpectCreate<apiextensions::v1::CustomResourceDefinition>(kDefinition, cases);
}

}  // namespace podium::api
