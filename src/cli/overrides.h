// --overrides and --override-type: what the user says of an object that a command has made
// (upstream's k8s.io/kubectl/pkg/cmd/util/override_options.go).
#pragma once

#include "base/result.h"
#include "cli/command.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::cli {

inline constexpr Option kOverridesOption = {
    .name = "overrides", .value = "JSON", .help = "a patch of the object before it is sent"};
inline constexpr Option kOverrideTypeOption = {
    .name = "override-type",
    .value = "TYPE",
    .help = "of the patch: json, merge or strategic; merge if not given"};

struct Overridden {
  const reflect::Type* type;  // another one where the patch says so
  reflect::JsonValue object;
};

// The object as it is where --overrides says nothing. `object` is of `type`, in the form of
// upstream's struct (AsStruct).
Result<Overridden> Override(const Invocation& invocation, const reflect::Type& type,
                            reflect::JsonValue object);

}  // namespace podium::cli
