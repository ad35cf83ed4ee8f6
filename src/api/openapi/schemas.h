// Schemas of OpenAPI from descriptors. Private to api/openapi.
#pragma once

#include <string>
#include <string_view>

#include "api/openapi/document.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::api::openapi {

enum class Version { kV2, kV3 };

using reflect::JsonValue;
using Members = JsonValue::Object;

JsonValue Text(std::string_view text);
JsonValue Texts(std::initializer_list<std::string_view> texts);
// {"group": ..., "kind": ..., "version": ...}
JsonValue GroupVersionKind(std::string_view group, std::string_view version, std::string_view kind);

// io.k8s.api.core.v1.Pod
std::string DefinitionName(const reflect::Type& type);
// com.example.stable.v1.CronTab
std::string DefinitionName(const CustomKind& kind, std::string_view kind_name);
// {"$ref": "#/definitions/NAME"}
JsonValue Reference(std::string_view definition, Version version);

// Types that have no descriptor of their own.
inline constexpr std::string_view kRawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";
inline constexpr std::string_view kFieldsV1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
inline constexpr std::string_view kAnyJson =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";

inline constexpr std::string_view kVersionInfo = "io.k8s.apimachinery.pkg.version.Info";

// The definition of a type. `groups_and_versions`: of all that serve the kinds that every
// group-version has (DeleteOptions).
JsonValue Definition(const reflect::Type& type, Version version,
                     std::span<const GroupVersion> group_versions);
// The definition of one of the names above.
JsonValue RawDefinition(std::string_view name);

// The definitions of a custom resource and of its list.
JsonValue CustomDefinition(const CustomKind& kind, Version version);
JsonValue CustomListDefinition(const CustomKind& kind, Version version);

}  // namespace podium::api::openapi
