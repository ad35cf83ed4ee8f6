// Small rules that many validations share, in upstream's words (pkg/apis/core/validation and
// k8s.io/apimachinery/pkg/api/validation, release 1.36). Errors stand in upstream's order.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/quantity.h"
#include "reflect/copy.h"

namespace podium::api {

// A value of one of upstream's named string types (a phase, a policy), or what a *string points to:
// messages print it as JSON, where they print plain strings as Go's %q.
field::BadValue NamedString(std::string_view value);
inline field::BadValue NamedString(const std::string& value) {
  return NamedString(std::string_view(value));
}
field::BadValue NamedString(const std::optional<std::string>& value);

field::ErrorList ValidateDNS1123Label(std::string_view value, const field::Path& path);
field::ErrorList ValidateDNS1123Subdomain(std::string_view value, const field::Path& path);
field::ErrorList ValidateQualifiedName(std::string_view value, const field::Path& path);
field::ErrorList ValidateNonnegativeField(int64_t value, const field::Path& path);
field::ErrorList ValidatePositiveField(int64_t value, const field::Path& path);

field::ErrorList ValidateNonnegativeQuantity(const Quantity& value, const field::Path& path);
// TCP, UDP or SCTP, and not missing.
field::ErrorList ValidatePortProtocol(std::string_view protocol, const field::Path& path);

// Of a CSI driver: a DNS subdomain of up to 63 bytes, in capitals too.
field::ErrorList ValidateCsiDriverName(std::string_view name, const field::Path& path);

// Not negative, and whole where the resource is counted (pods, extended resources).
field::ErrorList ValidateResourceQuantityValue(std::string_view resource, const Quantity& value,
                                               const field::Path& path);

// White space, by Unicode, at either end.
bool HasOuterSpace(std::string_view text);

// Go's strings.ToLower as far as its result can be a name: the letters of ASCII, and the two others
// that become such ones, U+0130 and U+212A.
std::string LowerToAscii(std::string_view text);

// What Invalid says of a field that must stay as it is.
inline constexpr std::string_view kFieldImmutable = "field is immutable";

template <class T>
bool SameLists(const reflect::List<T>& a, const reflect::List<T>& b) {
  return std::ranges::equal(a, b, [](const T& x, const T& y) { return reflect::Equal(x, y); });
}

// Whether `value` is one of `values`.
constexpr bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> values) {
  for (std::string_view each : values) {
    if (value == each) return true;
  }
  return false;
}

}  // namespace podium::api
