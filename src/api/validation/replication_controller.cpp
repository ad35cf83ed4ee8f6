#include "api/validation/replication_controller.h"

#include <algorithm>

#include "api/names.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_template.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using core::v1::ReplicationController;
using core::v1::ReplicationControllerSpec;

bool Selects(const reflect::Map<std::string>& selector, const reflect::Map<std::string>& labels) {
  return std::ranges::all_of(selector, [&](const auto& entry) {
    const auto label = labels.find(entry.first);
    return label != labels.end() && label->second == entry.second;
  });
}

void CheckTemplate(const ReplicationControllerSpec& spec, const field::Path& path,
                   const PodValidationOptions& options, field::ErrorList* errors) {
  if (!spec.template_) {
    errors->Add(field::Required(path, ""));
    return;
  }
  const auto& pod_template = *spec.template_;
  CheckTemplateLabels(Selects(spec.selector, pod_template.metadata.labels), pod_template, path,
                      errors);
  errors->Append(ValidatePodTemplateSpec(pod_template, path, options));
  CheckRunsForever(pod_template.spec, path.Child("spec"), "ReplicationController", errors);
}

void CheckSpec(const ReplicationControllerSpec& spec, const field::Path& path,
               const PodValidationOptions& options, field::ErrorList* errors) {
  CheckNonnegative(spec.minReadySeconds, path.Child("minReadySeconds"), errors);
  if (spec.selector.empty()) errors->Add(field::Required(path.Child("selector"), ""));
  if (!spec.replicas) {
    errors->Add(field::Required(path.Child("replicas"), ""));
  } else {
    CheckNonnegative(*spec.replicas, path.Child("replicas"), errors);
  }
  CheckTemplate(spec, path.Child("template"), options, errors);
}

// A ReplicaSet seen as a ReplicationController tells in annotations which of its fields the older
// kind cannot hold; those must stay.
void CheckNonConvertible(const ReplicationController& controller,
                         const ReplicationController& old_controller, field::ErrorList* errors) {
  for (const auto& [key, value] : old_controller.metadata.annotations) {
    if (!key.starts_with("non-convertible.kubernetes.io")) continue;
    if (std::ranges::count(key, '/') != 1) continue;
    const std::string name = key.substr(key.find('/') + 1);
    if (name.find("selector") == std::string::npos) {
      errors->Add(field::Error{.type = field::ErrorType::kNotFound,
                               .field = name,
                               .bad_value = field::BadValue(value).text(),
                               .detail = "unknown non-convertible field"});
    } else if (controller.spec.selector != old_controller.spec.selector) {
      errors->Add(field::Invalid(field::Path("spec").Child("selector"), controller.spec.selector,
                                 "cannot update non-convertible selector"));
    }
  }
}

}  // namespace

field::ErrorList ValidateReplicationController(const ReplicationController& controller) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(controller.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  CheckSpec(controller.spec, root.Child("spec"), PodValidationOptionsForTemplate(nullptr), &errors);
  return errors;
}

field::ErrorList ValidateReplicationControllerUpdate(const ReplicationController& controller,
                                                     const ReplicationController& old_controller) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMetaUpdate(controller.metadata, old_controller.metadata,
                                                     root.Child("metadata"));
  CheckSpec(controller.spec, root.Child("spec"),
            PodValidationOptionsForTemplate(old_controller.spec.template_.get()), &errors);
  CheckNonConvertible(controller, old_controller, &errors);
  return errors;
}

field::ErrorList ValidateReplicationControllerStatusUpdate(
    const ReplicationController& controller, const ReplicationController& old_controller) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMetaUpdate(controller.metadata, old_controller.metadata,
                                                     root.Child("metadata"));
  const field::Path path = root.Child("status");
  const auto& status = controller.status;
  CheckReplicaCounters(status, path, &errors);
  CheckReplicaLimits(status, path, &errors);
  return errors;
}

}  // namespace podium::api
