#include "api/validation/pod_template_object.h"

#include "api/names.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_template.h"

namespace podium::api {

field::ErrorList ValidatePodTemplate(const core::v1::PodTemplate& object) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(object.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  errors.Append(ValidatePodTemplateSpec(object.template_, root.Child("template"),
                                        PodValidationOptionsForTemplate(nullptr)));
  return errors;
}

field::ErrorList ValidatePodTemplateUpdate(const core::v1::PodTemplate& object,
                                           const core::v1::PodTemplate& old_object) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(object.metadata, old_object.metadata, root.Child("metadata"));
  errors.Append(ValidatePodTemplateSpec(object.template_, root.Child("template"),
                                        PodValidationOptionsForTemplate(&old_object.template_)));
  return errors;
}

}  // namespace podium::api
