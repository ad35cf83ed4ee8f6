#include "api/validation/node.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/go_json.h"
#include "api/ip.h"
#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "base/text.h"
#include "reflect/json.h"

namespace podium::api {

using core::v1::ConfigMapNodeConfigSource;
using core::v1::Node;
using core::v1::NodeConfigSource;
using core::v1::Taint;
using field::ErrorList;
using field::Path;

namespace {

constexpr std::string_view kTaintsKey = "scheduler.alpha.kubernetes.io/taints";
constexpr std::string_view kAvoidKey = "scheduler.alpha.kubernetes.io/preferAvoidPods";

void CheckTaints(const reflect::List<Taint>& taints, const Path& path, ErrorList* errors) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (size_t i = 0; i < taints.size(); ++i) {
    const Taint& taint = taints[i];
    const Path at = path.Index(i);
    errors->Append(ValidateLabelName(taint.key, at.Child("key")));
    if (const Messages messages = IsValidLabelValue(taint.value); !messages.empty()) {
      errors->Add(field::Invalid(at.Child("value"), taint.value, Join(messages, ";")));
    }
    if (taint.effect.empty()) {
      errors->Add(field::Required(at.Child("effect"), ""));
    } else if (!IsOneOf(taint.effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"})) {
      errors->Add(field::NotSupported(at.Child("effect"), NamedString(taint.effect),
                                      {"NoSchedule", "PreferNoSchedule", "NoExecute"}));
    }
    if (seen.emplace(taint.effect, taint.key).second) continue;
    field::Error duplicate = field::Duplicate(at, UnversionedValue(taint));
    duplicate.detail = "taints must be unique by key and effect pair";
    errors->Add(std::move(duplicate));
  }
}

// Reads what an annotation holds into `object`; else why Go cannot.
template <class T>
std::optional<std::string> ReadAnnotation(std::string_view text, std::string_view before,
                                          std::string_view after, T* object) {
  if (auto problem = GoJsonSyntaxProblem(text)) return problem;
  const std::string json = std::string(before).append(text).append(after);
  const auto problems = reflect::DecodeJson(json, reflect::TypeOf<T>(), object, {.strict = false});
  if (problems.empty()) return std::nullopt;
  return problems.front().Text();
}

// Taints as they were written before they were a field.
void CheckTaintsAnnotation(const std::string& text, const Path& path, ErrorList* errors) {
  core::v1::NodeSpec spec;
  if (const auto problem = ReadAnnotation(text, "{\"taints\":", "}", &spec)) {
    errors->Add(field::Invalid(path, kTaintsKey, *problem));
    return;
  }
  CheckTaints(spec.taints, path.Child(kTaintsKey), errors);
}

void CheckAvoidAnnotation(const std::string& text, const Path& path, ErrorList* errors) {
  core::v1::AvoidPods avoid;
  if (const auto problem = ReadAnnotation(text, "", "", &avoid)) {
    errors->Add(field::Invalid(path.Child("AvoidPods"), kAvoidKey, *problem));
    return;
  }
  const Path list = path.Child(kAvoidKey);
  for (size_t i = 0; i < avoid.preferAvoidPods.size(); ++i) {
    const Path at = list.Index(i);
    const Path signature = at.Child("PodSignature");
    const auto& controller = avoid.preferAvoidPods[i].podSignature.podController;
    if (!controller) {
      errors->Add(field::Required(signature, ""));
    } else if (!controller->controller.value_or(false)) {
      errors->Add(field::Invalid(signature.Child("PodController").Child("Controller"), false,
                                 "must point to a controller"));
    }
  }
}

void CheckAnnotations(const meta::v1::ObjectMeta& metadata, const Path& path, ErrorList* errors) {
  const auto text_of = [&](std::string_view key) {
    const auto found = metadata.annotations.find(key);
    return found == metadata.annotations.end() ? std::string() : found->second;
  };
  if (const std::string text = text_of(kTaintsKey); !text.empty()) {
    CheckTaintsAnnotation(text, path, errors);
  }
  if (const std::string text = text_of(kAvoidKey); !text.empty()) {
    CheckAvoidAnnotation(text, path, errors);
  }
}

void CheckResources(const Node& node, ErrorList* errors) {
  const Path status("status");
  const auto check = [&](const reflect::Map<Quantity>& list, std::string_view name) {
    const Path path = status.Child(name);
    for (const auto& [resource, value] : list) {
      errors->Append(ValidateResourceQuantityValue(resource, value, path.Child(resource)));
    }
  };
  check(node.status.capacity, "capacity");
  check(node.status.allocatable, "allocatable");
}

// Both fields in one: the older one is an alias of the first range.
reflect::List<std::string> RangesOf(const core::v1::NodeSpec& spec) {
  if (!spec.podCIDRs.empty() || spec.podCIDR.empty()) return spec.podCIDRs;
  return {spec.podCIDR};
}

void CheckRanges(const core::v1::NodeSpec& spec, ErrorList* errors) {
  const Path spec_path("spec");
  const Path path = spec_path.Child("podCIDRs");
  const reflect::List<std::string> ranges = RangesOf(spec);
  for (size_t i = 0; i < ranges.size(); ++i) CheckLegacyCIDR(ranges[i], {}, path.Index(i), errors);
  if (ranges.size() < 2) return;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ParseCIDR(ranges[i])) continue;
    errors->Add(field::InternalError(
        path, "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[" +
                  std::to_string(i) + "]: <nil> (invalid CIDR address: " + ranges[i] + ")"));
    break;
  }
  if (!IsDualStackCIDRs(ranges) || ranges.size() > 2) {
    errors->Add(
        field::Invalid(path, ranges, "may specify no more than one CIDR for each IP family"));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (!seen.insert(ranges[i]).second) errors->Add(field::Duplicate(path.Index(i), ranges[i]));
  }
}

// Settings of kubelets that nobody reads any more, but that are still checked. In a spec the source
// names no particular object, in a status it does.
void CheckConfigMapSource(const ConfigMapNodeConfigSource& source, bool in_spec, const Path& path,
                          ErrorList* errors) {
  const auto check_id = [&](const std::string& value, std::string_view name) {
    const std::string subject(name);
    if (in_spec && !value.empty()) {
      errors->Add(field::Forbidden(path.Child(name), subject + " must not be set in spec"));
    } else if (!in_spec && value.empty()) {
      errors->Add(field::Required(path.Child(name), subject + " must be set in status"));
    }
  };
  check_id(source.uid, "uid");
  check_id(source.resourceVersion, "resourceVersion");
  const auto check_name = [&](const std::string& value, std::string_view name,
                              const Messages& messages) {
    if (value.empty()) {
      errors->Add(field::Required(path.Child(name), std::string(name) + " must be set"));
    } else {
      errors->AddInvalid(path.Child(name), value, messages);
    }
  };
  check_name(source.namespace_, "namespace", NameIsDNSLabel(source.namespace_, false));
  check_name(source.name, "name", NameIsDNSSubdomain(source.name, false));
  check_name(source.kubeletConfigKey, "kubeletConfigKey", IsConfigMapKey(source.kubeletConfigKey));
}

void CheckConfigSource(const reflect::Box<NodeConfigSource>& source, bool in_spec, const Path& path,
                       ErrorList* errors) {
  if (!source) return;
  if (source->configMap) {
    CheckConfigMapSource(*source->configMap, in_spec, path.Child("configMap"), errors);
  } else {
    errors->Add(field::Invalid(path, UnversionedValue(*source),
                               "exactly one reference subfield must be non-nil"));
  }
}

void CheckUnchanged(const core::v1::NodeSpec& spec, const core::v1::NodeSpec& old_spec,
                    const Path& path, ErrorList* errors) {
  const reflect::List<std::string> ranges = RangesOf(spec);
  const reflect::List<std::string> old_ranges = RangesOf(old_spec);
  const auto refuse_range = [&] {
    errors->Add(field::Forbidden(path.Child("podCIDRs"),
                                 "node updates may not change podCIDR except from \"\" to valid"));
  };
  if (!old_ranges.empty() && old_ranges.size() != ranges.size()) {
    refuse_range();
  } else {
    for (size_t i = 0; i < old_ranges.size(); ++i) {
      if (ranges[i] != old_ranges[i]) refuse_range();
    }
  }
  if (!old_spec.providerID.empty() && spec.providerID != old_spec.providerID) {
    errors->Add(
        field::Forbidden(path.Child("providerID"),
                         "node updates may not change providerID except from \"\" to valid"));
  }
}

}  // namespace

ErrorList ValidateNode(const Node& node) {
  const Path metadata("metadata");
  ErrorList errors =
      ValidateObjectMeta(node.metadata, Scope::kCluster, NameIsDNSSubdomain, metadata);
  CheckAnnotations(node.metadata, metadata.Child("annotations"), &errors);
  // Upstream places taints in the metadata.
  CheckTaints(node.spec.taints, metadata.Child("taints"), &errors);
  CheckResources(node, &errors);
  CheckRanges(node.spec, &errors);
  return errors;
}

ErrorList ValidateNodeUpdate(const Node& node, const Node& old_node) {
  ErrorList errors = ValidateNode(node);
  errors.Append(ValidateNodeStatusUpdate(node, old_node));
  return errors;
}

ErrorList ValidateNodeStatusUpdate(const Node& node, const Node& old_node) {
  const Path metadata("metadata");
  const Path spec("spec");
  const Path status("status");
  ErrorList errors = ValidateObjectMetaUpdate(node.metadata, old_node.metadata, metadata);
  CheckAnnotations(node.metadata, metadata.Child("annotations"), &errors);
  CheckResources(node, &errors);
  std::set<std::pair<std::string_view, std::string_view>> addresses;
  const Path addresses_path = status.Child("addresses");
  for (size_t i = 0; i < node.status.addresses.size(); ++i) {
    const auto& address = node.status.addresses[i];
    if (addresses.emplace(address.type, address.address).second) continue;
    errors.Add(field::Duplicate(addresses_path.Index(i), UnversionedValue(address)));
  }
  CheckUnchanged(node.spec, old_node.spec, spec, &errors);
  CheckConfigSource(node.spec.configSource, true, spec.Child("configSource"), &errors);
  if (const auto& config = node.status.config) {
    const Path path = status.Child("config");
    CheckConfigSource(config->assigned, false, path.Child("assigned"), &errors);
    CheckConfigSource(config->active, false, path.Child("active"), &errors);
    CheckConfigSource(config->lastKnownGood, false, path.Child("lastKnownGood"), &errors);
  }
  CheckTaints(node.spec.taints, metadata.Child("taints"), &errors);
  if (node.spec.externalID != old_node.spec.externalID) {
    errors.Add(field::Forbidden(spec.Child("externalID"), "may not be updated"));
  }
  return errors;
}

}  // namespace podium::api
