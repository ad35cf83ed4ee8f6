#include "api/validation/device_parts.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "api/go_json.h"
#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "base/ascii.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using resource::v1::DeviceToleration;

namespace {

using Names = reflect::List<std::string>;

// Why the text is no UUID in any of its forms, in the words of github.com/google/uuid. Empty when
// it is one.
std::string UuidProblem(std::string_view text) {
  constexpr size_t kLength = 36;
  constexpr std::string_view kUrn = "urn:uuid:";
  constexpr std::string_view kBadFormat = "invalid UUID format";
  if (text.size() == 32) {
    return std::ranges::all_of(text, IsHex) ? "" : std::string(kBadFormat);
  }
  if (text.size() == kLength + kUrn.size()) {
    const std::string_view prefix = text.substr(0, kUrn.size());
    if (LowerToAscii(prefix) != kUrn) {
      return "invalid urn prefix: " + reflect::GoQuoted(prefix);
    }
    text.remove_prefix(kUrn.size());
  } else if (text.size() == kLength + 2) {
    if (!text.starts_with('{') || !text.ends_with('}')) return "invalid bracketed UUID format";
    text = text.substr(1, kLength);
  } else if (text.size() != kLength) {
    return "invalid UUID length: " + std::to_string(text.size());
  }
  for (size_t i = 0; i < kLength; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !IsHex(text[i])) return std::string(kBadFormat);
  }
  return "";
}

void CheckIdentifier(std::string_view id, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxBytes = 32;
  if (id.size() > kMaxBytes) errors->Add(field::TooLong(path, kMaxBytes));
  errors->AddInvalid(path, id, IsCIdentifier(id));
}

void CheckEffect(const std::string& effect, const Path& path, ErrorList* errors) {
  if (IsOneOf(effect, {"NoExecute", "NoSchedule", "None"})) return;
  errors->Add(field::NotSupported(path, NamedString(effect), {"NoExecute", "NoSchedule", "None"}));
}

}  // namespace

void CheckPoolName(const std::string& name, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxBytes = 253;
  if (name.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  if (name.size() > kMaxBytes) errors->Add(field::TooLong(path, kMaxBytes));
  for (std::string_view part : Split(name, '/')) {
    errors->Append(ValidateDNS1123Subdomain(part, path));
  }
}

void CheckShareID(const std::string& id, const Path& path, ErrorList* errors) {
  const std::string problem = UuidProblem(id);
  if (!problem.empty()) {
    errors->Add(field::Invalid(path, id, "error validating uid: " + problem));
  } else if (id.size() != 36 || std::ranges::any_of(id, IsUpper)) {
    errors->Add(field::Invalid(path, id,
                               "uid must be in RFC 4122 normalized form, "
                               "`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal "
                               "characters"));
  }
}

// Upstream lets names of three parts and more pass.
void CheckDeviceName(const std::string& name, const Path& path, ErrorList* errors) {
  const std::vector<std::string_view> parts = Split(name, '/');
  if (parts.size() == 1) CheckIdentifier(name, path, errors);
  if (parts.size() != 2) return;
  if (parts[0].empty()) {
    errors->Add(field::Invalid(path, "", "the domain must not be empty"));
  } else {
    errors->Append(ValidateCsiDriverName(parts[0], path));
  }
  if (parts[1].empty()) {
    errors->Add(field::Invalid(path, "", "the name must not be empty"));
  } else {
    CheckIdentifier(parts[1], path, errors);
  }
}

void CheckFullDeviceName(const std::string& name, const Path& path, ErrorList* errors) {
  CheckDeviceName(name, path, errors);
  if (!name.contains('/')) {
    errors->Add(
        field::Invalid(path, NamedString(name),
                       "a fully qualified name must be a domain and a name separated by a slash"));
  }
}

void CheckDeviceSelectors(const reflect::List<resource::v1::DeviceSelector>& selectors,
                          const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 32;
  constexpr size_t kMaxBytes = 10'240;
  CheckItems(selectors, kMost, path, errors, [&](const auto& selector, const Path& at) {
    const Path cel = at.Child("cel");
    if (!selector.cel) {
      errors->Add(field::Required(cel, ""));
    } else if (selector.cel->expression.size() > kMaxBytes) {
      errors->Add(field::TooLong(cel.Child("expression"), kMaxBytes));
    }
  });
}

void CheckDeviceConfiguration(const reflect::Box<resource::v1::OpaqueDeviceConfiguration>& opaque,
                              bool stored, const Path& path, ErrorList* errors) {
  const Path at = path.Child("opaque");
  if (!opaque) {
    errors->Add(field::Required(at, ""));
    return;
  }
  errors->Append(ValidateCsiDriverName(opaque->driver, at.Child("driver")));
  CheckRawObject(opaque->parameters, stored, at.Child("parameters"), errors);
}

void CheckRawObject(const reflect::RawJson& raw, bool stored, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxBytes = 10'240;
  constexpr std::string_view kOmitted = "<value omitted>";
  const std::string_view text = raw.text;
  if (text.empty()) {
    errors->Add(field::Required(path, ""));
    return;
  }
  if (!stored && text.size() > kMaxBytes) {
    errors->Add(field::TooLong(path, kMaxBytes));
    return;
  }
  // Only what came by protobuf can be no JSON.
  std::optional<std::string> problem = GoJsonSyntaxProblem(text);
  // As a member of an object every value can be read but for a number that is too large.
  if (!problem) problem = GoJsonObjectProblem("{\"\":" + raw.text + "}");
  if (problem) {
    errors->Add(field::Invalid(path, kOmitted, "error parsing data as JSON: " + *problem));
    return;
  }
  const char first = text[text.find_first_not_of(" \t\r\n")];
  if (first == 'n') {
    errors->Add(field::Required(path, ""));
  } else if (first != '{') {
    errors->Add(field::Invalid(path, kOmitted, "must be a valid JSON object"));
  }
}

void CheckDeviceTaint(const resource::v1::DeviceTaint& taint, const Path& path, ErrorList* errors) {
  errors->Append(ValidateLabelName(taint.key, path.Child("key")));
  errors->AddInvalid(path.Child("value"), taint.value, IsValidLabelValue(taint.value));
  const Path effect = path.Child("effect");
  if (taint.effect.empty()) {
    errors->Add(field::Required(effect, ""));
  } else {
    CheckEffect(taint.effect, effect, errors);
  }
}

void CheckDeviceTolerations(const reflect::List<DeviceToleration>& tolerations, const Path& path,
                            ErrorList* errors) {
  CheckItems(tolerations, kAnyNumber, path, errors, [&](const auto& each, const Path& at) {
    if (!each.key.empty()) errors->Append(ValidateLabelName(each.key, at.Child("key")));
    const Path value = at.Child("value");
    const Path op = at.Child("operator");
    if (each.operator_ == "Exists") {
      if (!each.value.empty()) {
        errors->Add(field::Invalid(value, each.value, "must be empty for operator `Exists`"));
      }
    } else if (each.operator_ == "Equal") {
      errors->AddInvalid(value, each.value, IsValidLabelValue(each.value));
    } else if (each.operator_.empty()) {
      errors->Add(field::Required(op, ""));
    } else {
      errors->Add(field::NotSupported(op, NamedString(each.operator_), {"Equal", "Exists"}));
    }
    if (!each.effect.empty()) CheckEffect(each.effect, at.Child("effect"), errors);
  });
}

void CheckBindingConditions(const Names& conditions, const Names& failure_conditions,
                            const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 4;
  const Path at = path.Child("bindingConditions");
  const Path failures_at = path.Child("bindingFailureConditions");
  const auto check_name = [&](const std::string& name, const Path& name_at) {
    errors->Append(ValidateLabelName(name, name_at));
  };
  CheckItems(conditions, kMost, at, errors, check_name);
  CheckItems(failure_conditions, kMost, failures_at, errors, check_name);
  // Of too many names too, the same one twice is told.
  std::set<std::string_view> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    if (!seen.insert(conditions[i]).second) {
      errors->Add(field::Duplicate(at.Index(i), conditions[i]));
    }
  }
  std::set<std::string_view> failures_seen;
  for (size_t i = 0; i < failure_conditions.size(); ++i) {
    const std::string& name = failure_conditions[i];
    if (!failures_seen.insert(name).second) {
      errors->Add(field::Duplicate(failures_at.Index(i), name));
    }
    if (seen.contains(name)) {
      errors->Add(
          field::Invalid(failures_at.Index(i), name,
                         "bindingFailureConditions must not overlap with bindingConditions"));
    }
  }
  if (conditions.empty() && !failure_conditions.empty()) {
    errors->Add(field::Invalid(at, conditions,
                               "bindingConditions are required to use bindingFailureConditions"));
  }
  if (failure_conditions.empty() && !conditions.empty()) {
    errors->Add(field::Invalid(failures_at, failure_conditions,
                               "bindingFailureConditions are required to use bindingConditions"));
  }
}

}  // namespace podium::api
