#include "api/validation/resources.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/common.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/unversioned_json.h"
#include "base/text.h"

namespace podium::api {

using core::v1::Container;
using core::v1::PodResourceClaim;
using core::v1::PodSpec;
using core::v1::ResourceClaim;
using core::v1::ResourceRequirements;
using field::ErrorList;
using field::Path;

namespace {

using ResourceList = reflect::Map<Quantity>;
using NameCheck = ErrorList (*)(const std::string& name, const Path& path);

bool IsPodLevelResource(std::string_view name) {
  return name == "cpu" || name == "memory" || IsHugePageResourceName(name);
}

ErrorList ValidatePodResourceName(const std::string& name, const Path& path) {
  ErrorList errors = ValidateResourceName(name, path);
  if (errors.empty() && !IsPodLevelResource(name)) {
    errors.Add(field::NotSupported(path, NamedString(name), {"cpu", "hugepages-", "memory"}));
  }
  return errors;
}

ErrorList ValidateHugePageValue(const std::string& name, const Quantity& quantity, const Path& path,
                                const PodValidationOptions& options) {
  ErrorList errors;
  if (!options.allow_indivisible_huge_pages_values &&
      !IsHugePageResourceValueDivisible(name, quantity)) {
    errors.Add(field::Invalid(
        path, quantity.String(),
        fmt::format("{} is not positive integer multiple of {}", quantity.String(), name)));
  }
  return errors;
}

// A request against its limit.
ErrorList ValidateRequestFits(const std::string& name, const Quantity& request,
                              const ResourceList& limits, const Path& limits_path,
                              const Path& requests_path) {
  ErrorList errors;
  bool overcommit = IsOvercommitAllowed(name);
  auto limit = limits.find(name);
  if (limit == limits.end()) {
    if (!overcommit) {
      errors.Add(
          field::Required(limits_path, "Limit must be set for non overcommitable resources"));
    }
    return errors;
  }
  int order = request.Cmp(limit->second);
  if (order != 0 && !overcommit) {
    errors.Add(field::Invalid(
        requests_path, request.String(),
        fmt::format("must be equal to {} limit of {}", name, limit->second.String())));
  } else if (order > 0) {
    errors.Add(field::Invalid(
        requests_path, request.String(),
        fmt::format("must be less than or equal to {} limit of {}", name, limit->second.String())));
  }
  return errors;
}

// As they stand in the error of each reference to another claim: not so many that these would take
// the square of what the pod takes.
std::string ListedNames(const ClaimNames& names) {
  constexpr size_t kMost = size_t{16} << 10;
  std::string out;
  for (const std::string& name : names) {
    if (out.size() + name.size() > kMost) return out + ", ...";
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

// A claim may be listed once as a whole, or once for each of its requests.
ErrorList ValidateClaimReferences(const reflect::List<ResourceClaim>& claims,
                                  const ClaimNames& claim_names, const Path& path) {
  ErrorList errors;
  ClaimNames seen;  // "claim" or "claim/request"
  for (size_t i = 0; i < claims.size(); ++i) {
    const std::string& name = claims[i].name;
    const std::string& request = claims[i].request;
    Path at = path.Index(i);
    if (name.empty()) {
      errors.Add(field::Required(at, ""));
      continue;
    }
    if (seen.contains(name)) {
      errors.Add(field::Duplicate(at, name));
    } else {
      std::string key = name;
      if (!request.empty()) {
        errors.Append(ValidateDNS1123Label(request, at.Child("request")));
        key += "/" + request;
      }
      if (seen.contains(key)) {
        errors.Add(field::Duplicate(at, key));
      } else if (request.empty()) {
        const std::string requests = name + "/";
        // Of a name with a slash, which is an error of its own, no request is listed under it.
        for (auto other = seen.lower_bound(requests);
             other != seen.end() && other->starts_with(requests) && !name.contains('/'); ++other) {
          errors.Add(field::Duplicate(at, name));
        }
      }
      seen.insert(std::move(key));
    }
    if (!claim_names.contains(name) && !errors.full()) {
      field::Error error = field::NotFound(at, name);
      error.detail = "must be one of the names in pod.spec.resourceClaims";
      error.detail += claim_names.empty() ? " which is empty" : ": " + ListedNames(claim_names);
      errors.Add(std::move(error));
    }
  }
  return errors;
}

ErrorList ValidateResourceRequirements(const ResourceRequirements& requirements,
                                       NameCheck check_name, const ClaimNames& claim_names,
                                       const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  Path limits_path = path.Child("limits");
  Path requests_path = path.Child("requests");
  bool compute = false;
  bool huge_pages = false;
  auto validate_amount = [&](const std::string& name, const Quantity& quantity, const Path& at) {
    errors.Append(check_name(name, at));
    errors.Append(ValidateResourceQuantityValue(name, quantity, at));
  };
  auto note_kind = [&](const std::string& name, const Quantity& quantity, const Path& at) {
    if (IsHugePageResourceName(name)) {
      huge_pages = true;
      errors.Append(ValidateHugePageValue(name, quantity, at, options));
    }
    compute |= name == "cpu" || name == "memory";
  };
  for (const auto& [name, quantity] : requirements.limits) {
    Path at = limits_path.Key(name);
    validate_amount(name, quantity, at);
    note_kind(name, quantity, at);
  }
  for (const auto& [name, quantity] : requirements.requests) {
    Path at = requests_path.Key(name);
    validate_amount(name, quantity, at);
    errors.Append(
        ValidateRequestFits(name, quantity, requirements.limits, limits_path, requests_path));
    note_kind(name, quantity, at);
  }
  if (huge_pages && !compute) {
    errors.Add(field::Forbidden(path, "HugePages require cpu or memory"));
  }
  errors.Append(ValidateClaimReferences(requirements.claims, claim_names, path.Child("claims")));
  return errors;
}

void AddAll(const ResourceList& from, ResourceList* to) {
  for (const auto& [name, quantity] : from) {
    auto [at, inserted] = to->try_emplace(name, quantity);
    if (!inserted) at->second.Add(quantity);
  }
}

void TakeLarger(const ResourceList& from, ResourceList* to) {
  for (const auto& [name, quantity] : from) {
    auto [at, inserted] = to->try_emplace(name, quantity);
    if (!inserted && quantity.Cmp(at->second) > 0) at->second = quantity;
  }
}

// At the time an init container runs, the sidecars declared before it run too.
ResourceList Aggregate(const PodSpec& spec, ResourceList ResourceRequirements::* amounts) {
  ResourceList total;
  for (const Container& container : spec.containers) AddAll(container.resources.*amounts, &total);
  ResourceList sidecars;
  ResourceList peak;
  for (const Container& container : spec.initContainers) {
    ResourceList current = container.resources.*amounts;
    if (IsRestartableInitContainer(container)) {
      AddAll(current, &total);
      AddAll(current, &sidecars);
      current = sidecars;
    } else {
      AddAll(sidecars, &current);
    }
    TakeLarger(current, &peak);
  }
  TakeLarger(peak, &total);
  return total;
}

ErrorList ValidatePodResourceConsistency(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  const ResourceRequirements& pod = *spec.resources;
  Path requests_path = path.Child("requests");
  for (const auto& [name, needed] : AggregateContainerRequests(spec)) {
    auto given = pod.requests.find(name);
    if (given == pod.requests.end() || needed.Cmp(given->second) <= 0) continue;
    errors.Add(field::Invalid(
        requests_path.Key(name), given->second.String(),
        fmt::format("must be greater than or equal to aggregate container requests of {}",
                    needed.String())));
  }
  // Huge pages cannot be overcommitted, so their limits add up too.
  Path limits_path = path.Child("limits");
  for (const auto& [name, needed] : AggregateContainerLimits(spec)) {
    if (!IsHugePageResourceName(name)) continue;
    auto given = pod.limits.find(name);
    if (given == pod.limits.end() || needed.Cmp(given->second) <= 0) continue;
    errors.Add(field::Invalid(
        limits_path.Key(name), given->second.String(),
        fmt::format("must be greater than or equal to aggregate container limits of {}",
                    needed.String())));
  }
  Path containers_path = path.Child("containers");
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    for (const auto& [name, limit] : spec.containers[i].resources.limits) {
      auto given = pod.limits.find(name);
      if (given == pod.limits.end() || limit.Cmp(given->second) <= 0) continue;
      Path index = containers_path.Index(i);
      Path key = index.Key(name);
      errors.Add(field::Invalid(
          key.Child("limits"), limit.String(),
          fmt::format("must be less than or equal to pod limits of {}", given->second.String())));
    }
  }
  return errors;
}

}  // namespace

ErrorList ValidateResourceName(const std::string& name, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path, NamedString(name), IsQualifiedName(name));
  if (!errors.empty()) return errors;
  if (name.find('/') == name.npos && !IsStandardResourceName(name)) {
    errors.Add(field::Invalid(path, NamedString(name),
                              "must be a standard resource type or fully qualified"));
  }
  return errors;
}

ErrorList ValidateContainerResourceName(const std::string& name, const Path& path) {
  ErrorList errors = ValidateResourceName(name, path);
  if (std::ranges::count(name, '/') == 0) {
    if (!IsStandardContainerResourceName(name)) {
      errors.Add(
          field::Invalid(path, NamedString(name), "must be a standard resource for containers"));
    }
  } else if (!IsNativeResource(name) && !IsExtendedResourceName(name)) {
    errors.Add(
        field::Invalid(path, NamedString(name), "doesn't follow extended resource name standard"));
  }
  return errors;
}

ErrorList ValidateContainerResourceRequirements(const ResourceRequirements& requirements,
                                                const ClaimNames& claim_names, const Path& path,
                                                const PodValidationOptions& options) {
  return ValidateResourceRequirements(requirements, ValidateContainerResourceName, claim_names,
                                      path, options);
}

ErrorList ValidateOverhead(const ResourceList& overhead, const Path& path,
                           const PodValidationOptions& options) {
  // Upstream reads the overhead as the limits of a container, and its paths say so.
  ResourceRequirements requirements;
  requirements.limits = overhead;
  return ValidateContainerResourceRequirements(requirements, {}, path, options);
}

ErrorList ValidatePodResources(const PodSpec& spec, const ClaimNames& claim_names, const Path& path,
                               const PodValidationOptions& options) {
  ErrorList errors;
  if (!spec.resources) return errors;
  Path resources = path.Child("resources");
  if (spec.os && spec.os->name == "windows") {
    errors.Add(field::Forbidden(resources, "may not be set for a windows pod"));
    return errors;
  }
  if (!spec.resources->claims.empty()) {
    errors.Add(field::Forbidden(resources.Child("claims"),
                                "claims may not be set for Resources at pod-level"));
  }
  errors.Append(ValidateResourceRequirements(*spec.resources, ValidatePodResourceName, claim_names,
                                             resources, options));
  errors.Append(ValidatePodResourceConsistency(spec, resources));
  return errors;
}

ErrorList ValidatePodResourceClaims(const PodSpec& spec, const meta::v1::ObjectMeta* pod_meta,
                                    const Path& path) {
  ErrorList errors;
  bool is_static = pod_meta && pod_meta->annotations.contains(kMirrorPodAnnotation);
  ClaimNames seen;
  for (size_t i = 0; i < spec.resourceClaims.size(); ++i) {
    const PodResourceClaim& claim = spec.resourceClaims[i];
    Path at = path.Index(i);
    if (is_static) {
      errors.Add(field::Forbidden(Path(""), "static pods do not support resource claims"));
      continue;
    }
    if (claim.name.empty()) {
      errors.Add(field::Required(at.Child("name"), ""));
    } else if (seen.contains(claim.name)) {
      errors.Add(field::Duplicate(at.Child("name"), claim.name));
    } else {
      errors.Append(ValidateDNS1123Label(claim.name, at.Child("name")));
      seen.insert(claim.name);
    }
    if (claim.resourceClaimName && claim.resourceClaimTemplateName) {
      errors.Add(field::Invalid(at, UnversionedValue(claim),
                                "at most one of `resourceClaimName` or "
                                "`resourceClaimTemplateName` may be specified"));
    }
    if (!claim.resourceClaimName && !claim.resourceClaimTemplateName) {
      errors.Add(
          field::Invalid(at, UnversionedValue(claim),
                         "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    }
    if (claim.resourceClaimName) {
      errors.AddInvalid(at.Child("resourceClaimName"), *claim.resourceClaimName,
                        NameIsDNSSubdomain(*claim.resourceClaimName, false));
    }
    if (claim.resourceClaimTemplateName) {
      errors.AddInvalid(at.Child("resourceClaimTemplateName"), *claim.resourceClaimTemplateName,
                        NameIsDNSSubdomain(*claim.resourceClaimTemplateName, false));
    }
  }
  return errors;
}

ResourceList AggregateContainerRequests(const PodSpec& spec) {
  return Aggregate(spec, &ResourceRequirements::requests);
}

ResourceList AggregateContainerLimits(const PodSpec& spec) {
  return Aggregate(spec, &ResourceRequirements::limits);
}

}  // namespace podium::api
