// What several rules ask of the schemas of definitions. Internal to the folder.
#pragma once

#include <memory>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/apiextensions_v1.h"
#include "base/result.h"
#include "reflect/schema/structural.h"

namespace podium::api {

bool IsSchemaType(std::string_view type);

// The schema of all elements of a list; null when there is none.
const apiextensions::v1::JSONSchemaProps* ItemsOf(const apiextensions::v1::JSONSchemaProps& schema);

bool IsListType(const apiextensions::v1::JSONSchemaProps& schema, std::string_view type);

bool HasDefault(const apiextensions::v1::JSONSchemaProps& schema);

// The word that keeps what is an element of a set from being atomic; empty when it is.
std::string_view NonAtomicWord(const apiextensions::v1::JSONSchemaProps& element);
// Whether the schema is that of a set whose elements are not atomic.
bool HasNonAtomicSet(const apiextensions::v1::JSONSchemaProps& schema);

// That elements of sets and maps are never null, and keys always there.
field::ErrorList CheckListElements(const apiextensions::v1::JSONSchemaProps& schema,
                                   const field::Path& path);

// kInvalidArgument with upstream's text for what cannot be read as a structural schema.
Result<std::unique_ptr<reflect::Structural>> StructuralOf(
    const apiextensions::v1::JSONSchemaProps& schema);

}  // namespace podium::api
