#include "api/validation/namespace.h"

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"

namespace podium::api {

using core::v1::Namespace;
using core::v1::ServiceAccount;
using field::ErrorList;
using field::Path;

namespace {

ErrorList ValidateUpdatedMeta(const Namespace& object, const Namespace& old_object) {
  return ValidateObjectMetaUpdate(object.metadata, old_object.metadata, Path("metadata"));
}

}  // namespace

ErrorList ValidateNamespace(const Namespace& object) {
  ErrorList errors =
      ValidateObjectMeta(object.metadata, Scope::kCluster, NameIsDNSLabel, Path("metadata"));
  for (const std::string& finalizer : object.spec.finalizers) {
    errors.Append(ValidateFinalizerName(finalizer, Path("spec").Child("finalizers")));
  }
  return errors;
}

ErrorList ValidateNamespaceUpdate(const Namespace& object, const Namespace& old_object) {
  ErrorList errors = ValidateNamespace(object);
  errors.Append(ValidateUpdatedMeta(object, old_object));
  return errors;
}

ErrorList ValidateNamespaceStatusUpdate(const Namespace& object, const Namespace& old_object) {
  ErrorList errors = ValidateUpdatedMeta(object, old_object);
  const auto& deleted = object.metadata.deletionTimestamp;
  const bool going = deleted && !deleted->IsZero();
  if (object.status.phase != (going ? "Terminating" : "Active")) {
    // The name has a capital in upstream's errors.
    errors.Add(field::Invalid(Path("status").Child("Phase"), NamedString(object.status.phase),
                              going
                                  ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                                  : "may only be 'Active' if `deletionTimestamp` is empty"));
  }
  return errors;
}

ErrorList ValidateNamespaceFinalizeUpdate(const Namespace& object, const Namespace& old_object) {
  ErrorList errors = ValidateUpdatedMeta(object, old_object);
  const Path spec("spec");
  const Path path = spec.Child("finalizers");
  for (size_t i = 0; i < object.spec.finalizers.size(); ++i) {
    errors.Append(ValidateFinalizerName(object.spec.finalizers[i], path.Index(i)));
  }
  return errors;
}

ErrorList ValidateServiceAccount(const ServiceAccount& account) {
  return ValidateObjectMeta(account.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                            Path("metadata"));
}

ErrorList ValidateServiceAccountUpdate(const ServiceAccount& account,
                                       const ServiceAccount& old_account) {
  ErrorList errors =
      ValidateObjectMetaUpdate(account.metadata, old_account.metadata, Path("metadata"));
  errors.Append(ValidateServiceAccount(account));
  return errors;
}

}  // namespace podium::api
