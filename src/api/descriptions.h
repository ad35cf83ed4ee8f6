// What types and fields are for, in one sentence each, as schema/ says it. `podium explain` and the
// OpenAPI documents show it. The texts are a table of their own, so that programs that do not ask
// for them do not carry them.
//
// Any thread may call; the answers live as long as the program. They are empty for what has no
// description.
#pragma once

#include <string_view>

#include "reflect/type.h"

namespace podium::api {

std::string_view DescriptionOf(const reflect::Type& type);

// The sentence of a field of `type`; where it has none, that of the field's own type. `field` is an
// element of type.fields.
std::string_view DescriptionOf(const reflect::Type& type, const reflect::Field& field);

}  // namespace podium::api
