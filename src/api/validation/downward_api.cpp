#include "api/validation/downward_api.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>

#include "api/validation/common.h"

namespace podium::api {
namespace {

// The field paths of a v1 Pod that have a stable meaning; each place allows some of them.
constexpr std::array<std::string_view, 14> kPodFields = {
    "metadata.annotations", "metadata.labels",    "metadata.name",
    "metadata.namespace",   "metadata.uid",       "spec.nodeName",
    "spec.restartPolicy",   "spec.schedulerName", "spec.serviceAccountName",
    "status.hostIP",        "status.hostIPs",     "status.phase",
    "status.podIP",         "status.podIPs"};

struct Subscripted {
  std::string_view path;
  std::string_view subscript;
};

// metadata.labels['app'] is path "metadata.labels" with subscript "app".
std::optional<Subscripted> SplitSubscript(std::string_view text) {
  if (!text.ends_with("']")) return std::nullopt;
  text.remove_suffix(2);
  const size_t bracket = text.find("['");
  if (bracket == std::string_view::npos || bracket == 0) return std::nullopt;
  return Subscripted{text.substr(0, bracket), text.substr(bracket + 2)};
}

template <class Values>
bool Has(const Values& values, std::string_view value) {
  return std::ranges::find(values, value) != std::ranges::end(values);
}

constexpr std::array<std::string_view, 2> kCpuDivisors = {"1", "1m"};
constexpr std::array<std::string_view, 13> kByteDivisors = {
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};

void CheckDivisor(const core::v1::ResourceFieldSelector& selector, const field::Path& path,
                  field::ErrorList* errors) {
  if (selector.divisor.IsZero()) return;
  const std::string_view resource = selector.resource;
  const auto check = [&](std::span<const std::string_view> allowed, const std::string& named,
                         const std::string& kind) {
    if (Has(allowed, selector.divisor.String())) return;
    errors->Add(field::Invalid(
        path.Child("divisor"), resource,
        "only divisor's values " + named + " are supported with the " + kind + " resource"));
  };
  const std::string bytes = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
  if (resource == "limits.cpu" || resource == "requests.cpu") {
    check(kCpuDivisors, "1m and 1", "cpu");
  } else if (resource == "limits.memory" || resource == "requests.memory") {
    check(kByteDivisors, bytes, "memory");
  } else if (resource == "limits.ephemeral-storage" || resource == "requests.ephemeral-storage") {
    check(kByteDivisors, bytes, "local ephemeral storage");
  } else if (resource.starts_with("limits.hugepages-") ||
             resource.starts_with("requests.hugepages-")) {
    check(kByteDivisors, bytes, "hugepages");
  }
}

bool IsContainerResource(std::string_view resource) {
  constexpr std::array<std::string_view, 6> kNames = {
      "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
      "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  return Has(kNames, resource) || resource.starts_with("limits.hugepages-") ||
         resource.starts_with("requests.hugepages-");
}

}  // namespace

field::ErrorList ValidateObjectFieldSelector(const core::v1::ObjectFieldSelector& selector,
                                             std::initializer_list<std::string_view> fields,
                                             const field::Path& path) {
  field::ErrorList errors;
  if (selector.apiVersion.empty()) {
    errors.Add(field::Required(path.Child("apiVersion"), ""));
    return errors;
  }
  if (selector.fieldPath.empty()) {
    errors.Add(field::Required(path.Child("fieldPath"), ""));
    return errors;
  }
  const field::Path field_path = path.Child("fieldPath");
  const auto cannot_convert = [&](const std::string& problem) {
    errors.Add(
        field::Invalid(field_path, selector.fieldPath, "error converting fieldPath: " + problem));
  };
  if (selector.apiVersion != "v1") {
    cannot_convert("unsupported pod version: " + selector.apiVersion);
    return errors;
  }
  if (const auto subscripted = SplitSubscript(selector.fieldPath)) {
    if (subscripted->path == "metadata.annotations") {
      errors.Append(ValidateQualifiedName(LowerToAscii(subscripted->subscript), path));
    } else if (subscripted->path == "metadata.labels") {
      errors.Append(ValidateQualifiedName(subscripted->subscript, path));
    } else {
      cannot_convert("field label does not support subscript: " + selector.fieldPath);
    }
    return errors;
  }
  // What the field was called before v1.
  const std::string_view name =
      selector.fieldPath == "spec.host" ? "spec.nodeName" : std::string_view(selector.fieldPath);
  if (!Has(kPodFields, name)) {
    cannot_convert("field label not supported: " + selector.fieldPath);
  } else if (!Has(fields, name)) {
    errors.Add(field::NotSupported(field_path, name, fields));
  }
  return errors;
}

field::ErrorList ValidateResourceFieldSelector(const core::v1::ResourceFieldSelector& selector,
                                               const field::Path& path, ResourceFieldUse use) {
  field::ErrorList errors;
  if (use == ResourceFieldUse::kVolume && selector.containerName.empty()) {
    errors.Add(field::Required(path.Child("containerName"), ""));
  } else if (selector.resource.empty()) {
    errors.Add(field::Required(path.Child("resource"), ""));
  } else if (!IsContainerResource(selector.resource)) {
    errors.Add(
        field::NotSupported(path.Child("resource"), selector.resource,
                            {"limits.cpu", "limits.ephemeral-storage", "limits.memory",
                             "requests.cpu", "requests.ephemeral-storage", "requests.memory"}));
  }
  CheckDivisor(selector, path, &errors);
  return errors;
}

}  // namespace podium::api
