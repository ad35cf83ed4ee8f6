#include "api/validation/api_service.h"

#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "reflect/go_text.h"

namespace podium::api {

using apiregistration::v1::APIService;
using apiregistration::v1::APIServiceSpec;
using field::ErrorList;
using field::Path;

namespace {

// The name is that of the version that the object announces.
void CheckName(const APIService& service, ErrorList* errors) {
  const std::string required = service.spec.version + "." + service.spec.group;
  const auto check = [&](const std::string& name, std::string_view field_name) {
    if (name.empty() || !NameIsPathSegment(name, false).empty() || name == required) return;
    errors->Add(
        field::Invalid(Path("metadata").Child(field_name), name,
                       "must be `spec.version+\".\"+spec.group`: " + reflect::GoQuoted(required)));
  };
  check(service.metadata.generateName, "generateName");
  check(service.metadata.name, "name");
}

void CheckTls(const APIServiceSpec& spec, const Path& path, ErrorList* errors) {
  const Path insecure = path.Child("insecureSkipTLSVerify");
  if (!spec.service) {
    if (!spec.caBundle.empty()) {
      errors->Add(field::Invalid(path.Child("caBundle"),
                                 std::to_string(spec.caBundle.data.size()) + " bytes",
                                 "local APIServices may not have a caBundle"));
    }
    if (spec.insecureSkipTLSVerify) {
      errors->Add(
          field::Invalid(insecure, true, "local APIServices may not have insecureSkipTLSVerify"));
    }
    return;
  }
  const Path service = path.Child("service");
  if (spec.service->namespace_.empty())
    errors->Add(field::Required(service.Child("namespace"), ""));
  if (spec.service->name.empty()) errors->Add(field::Required(service.Child("name"), ""));
  const int32_t port = spec.service->port.value_or(0);
  for (const std::string& message : IsValidPortNum(port)) {
    errors->Add(field::Invalid(service.Child("port"), port, "port is not valid: " + message));
  }
  if (spec.insecureSkipTLSVerify && !spec.caBundle.empty()) {
    errors->Add(field::Invalid(insecure, true, "may not be true if caBundle is present"));
  }
}

}  // namespace

ErrorList ValidateAPIService(const APIService& service) {
  const APIServiceSpec& spec = service.spec;
  const Path path("spec");
  ErrorList errors = ValidateGenericObjectMeta(service.metadata, Scope::kCluster, NameIsPathSegment,
                                               Path("metadata"));
  // Upstream's rule of the name is one; the rest of the metadata comes behind it.
  ErrorList name_errors;
  CheckName(service, &name_errors);
  errors.insert(errors.begin(), name_errors.begin(), name_errors.end());
  if (spec.group.empty()) {
    if (spec.version != "v1") {
      errors.Add(field::Required(path.Child("group"),
                                 "only v1 may have an empty group and it better be legacy kube"));
    }
  } else {
    errors.Append(ValidateDNS1123Subdomain(spec.group, path.Child("group")));
  }
  errors.AddInvalid(path.Child("version"), spec.version, IsDNS1035Label(spec.version));
  if (spec.groupPriorityMinimum <= 0 || spec.groupPriorityMinimum > 20000) {
    errors.Add(field::Invalid(path.Child("groupPriorityMinimum"), spec.groupPriorityMinimum,
                              "must be positive and less than 20000"));
  }
  if (spec.versionPriority <= 0 || spec.versionPriority > 1000) {
    errors.Add(field::Invalid(path.Child("versionPriority"), spec.versionPriority,
                              "must be positive and less than 1000"));
  }
  CheckTls(spec, path, &errors);
  return errors;
}

ErrorList ValidateAPIServiceUpdate(const APIService& service, const APIService& old_service) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(service.metadata, old_service.metadata, Path("metadata"));
  errors.Append(ValidateAPIService(service));
  return errors;
}

ErrorList ValidateAPIServiceStatusUpdate(const APIService& service, const APIService& old_service) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(service.metadata, old_service.metadata, Path("metadata"));
  const Path status("status");
  const Path path = status.Child("conditions");
  for (size_t i = 0; i < service.status.conditions.size(); ++i) {
    const std::string& value = service.status.conditions[i].status;
    if (IsOneOf(value, {"True", "False", "Unknown"})) continue;
    errors.Add(field::NotSupported(path.Index(i).Child("status"), NamedString(value),
                                   {"True", "False", "Unknown"}));
  }
  return errors;
}

}  // namespace podium::api
