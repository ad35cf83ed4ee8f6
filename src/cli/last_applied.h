// The configuration that was applied last, as it stands in an annotation of the object
// (kubectl.kubernetes.io/last-applied-configuration), and patches made with it (upstream's
// k8s.io/kubectl/pkg/util, apply.go, and k8s.io/apimachinery/pkg/util/jsonmergepatch). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/object_printer.h"
#include "reflect/json_value.h"

namespace podium::cli {

inline constexpr std::string_view kLastAppliedAnnotation =
    "kubectl.kubernetes.io/last-applied-configuration";

// The object's text as kubectl writes it: sorted, and a line break behind it.
std::string CanonicalText(const reflect::JsonValue& object);

// Nothing where there is no such annotation.
std::optional<std::string> LastApplied(const reflect::JsonValue& object);
reflect::JsonValue WithoutLastApplied(reflect::JsonValue object);
// The object, which carries its own text without the annotation.
// As it stands it is one of upstream's structs.
reflect::JsonValue WithLastApplied(reflect::JsonValue object,
                                   MemberOrder order = MemberOrder::kSorted);
// The same where `save` asks for it, or where the object carries a text already.
reflect::JsonValue WithLastAppliedIf(bool save, reflect::JsonValue object, MemberOrder order);
// The configuration that says of the object nothing but this annotation.
reflect::JsonValue OnlyLastApplied(const reflect::JsonValue& object, std::string text);

// The merge patch that notes this text, and nothing else.
std::string LastAppliedPatch(std::string text);

// Members that are null go, in objects and in those of lists.
void PruneNulls(reflect::JsonValue* value);

// The merge patch that brings `current` to what `modified` says, and takes away what `original`
// said and `modified` does not.
reflect::JsonValue ThreeWayMergePatch(const reflect::JsonValue& original,
                                      const reflect::JsonValue& modified,
                                      const reflect::JsonValue& current);

}  // namespace podium::cli
