// The formats of strings that schemas of custom resources may name (upstream's
// k8s.io/kube-openapi/pkg/validation/strfmt, as far as
// k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go lists them for release 1.36).
#pragma once

#include <string_view>

namespace podium::api {

// Whether strings are checked for the format; other names mean nothing. Hyphens in names do not
// count: date-time is datetime.
bool IsKnownFormat(std::string_view format);

// Whether the text is of a format that is known. Time is linear in the text.
bool HasFormat(std::string_view format, std::string_view text);

}  // namespace podium::api
