// Texts that Go's standard library makes and upstream's users see: quoted strings, and the errors
// of strconv and encoding/json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::api {

// Appends `text` as Go's %q prints it: \n, \", \\, \x7f, \u00ad; bytes that are not UTF-8 as \xff.
void AppendGoQuoted(std::string_view text, std::string* out);
std::string GoQuoted(std::string_view text);

// A decimal int64 with an optional sign; the error is that of strconv.Atoi:
// `strconv.Atoi: parsing "x": invalid syntax`.
Result<int64_t> ParseGoInt(std::string_view text);

// `json: cannot unmarshal bool into Go value of type string`.
std::string GoJsonTypeError(reflect::JsonScalar::Form form, std::string_view go_type);

}  // namespace podium::api
