#include "api/validation/common.h"

#include "api/names.h"
#include "api/resource_names.h"
#include "base/ascii.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::api {

using field::ErrorList;
using field::Path;

field::BadValue NamedString(std::string_view value) {
  std::string json;
  reflect::AppendJsonString(value, &json);
  return field::BadValue::Json(std::move(json));
}

field::BadValue NamedString(const std::optional<std::string>& value) {
  return value ? NamedString(*value) : field::BadValue(nullptr);
}

ErrorList ValidateDNS1123Label(std::string_view value, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path, value, IsDNS1123Label(value));
  return errors;
}

ErrorList ValidateDNS1123Subdomain(std::string_view value, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path, value, IsDNS1123Subdomain(value));
  return errors;
}

ErrorList ValidateQualifiedName(std::string_view value, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path, value, IsQualifiedName(value));
  return errors;
}

ErrorList ValidateNonnegativeField(int64_t value, const Path& path) {
  ErrorList errors;
  if (value < 0) errors.Add(field::Invalid(path, value, "must be greater than or equal to 0"));
  return errors;
}

ErrorList ValidatePositiveField(int64_t value, const Path& path) {
  ErrorList errors;
  if (value <= 0) errors.Add(field::Invalid(path, value, "must be greater than zero"));
  return errors;
}

ErrorList ValidateNonnegativeQuantity(const Quantity& value, const Path& path) {
  ErrorList errors;
  if (value.Sign() < 0) {
    errors.Add(field::Invalid(path, value.String(), "must be greater than or equal to 0"));
  }
  return errors;
}

ErrorList ValidatePortProtocol(std::string_view protocol, const Path& path) {
  ErrorList errors;
  if (protocol.empty()) {
    errors.Add(field::Required(path, ""));
  } else if (!IsOneOf(protocol, {"SCTP", "TCP", "UDP"})) {
    errors.Add(field::NotSupported(path, NamedString(protocol), {"SCTP", "TCP", "UDP"}));
  }
  return errors;
}

ErrorList ValidateCsiDriverName(std::string_view name, const Path& path) {
  constexpr size_t kMaxBytes = 63;
  ErrorList errors;
  if (name.empty()) {
    errors.Add(field::Required(path, ""));
    return errors;
  }
  if (name.size() > kMaxBytes) errors.Add(field::TooLong(path, kMaxBytes));
  errors.AddInvalid(path, name, IsDNS1123Subdomain(LowerToAscii(name)));
  return errors;
}

ErrorList ValidateResourceQuantityValue(std::string_view resource, const Quantity& value,
                                        const Path& path) {
  ErrorList errors = ValidateNonnegativeQuantity(value, path);
  if (IsIntegerResourceName(resource) && value.MilliValue() % 1000 != 0) {
    errors.Add(field::Invalid(path, field::BadValue::Of(value), "must be an integer"));
  }
  return errors;
}

std::string LowerToAscii(std::string_view text) {
  constexpr std::string_view kDottedI = "\xc4\xb0";
  constexpr std::string_view kKelvin = "\xe2\x84\xaa";
  std::string lower;
  while (!text.empty()) {
    size_t bytes = 1;
    if (text.starts_with(kDottedI)) {
      lower += 'i';
      bytes = kDottedI.size();
    } else if (text.starts_with(kKelvin)) {
      lower += 'k';
      bytes = kKelvin.size();
    } else {
      lower += ToLower(text[0]);
    }
    text.remove_prefix(bytes);
  }
  return lower;
}

bool HasOuterSpace(std::string_view text) {
  bool first = false;
  bool last = false;
  reflect::ForEachRune(text, [&](size_t at, char32_t rune) {
    last = reflect::IsGoSpace(rune);
    if (at == 0) first = last;
  });
  return first || last;
}

}  // namespace podium::api
