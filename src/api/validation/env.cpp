// Environment variables of containers.

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/downward_api.h"
#include "api/validation/volume_paths.h"

namespace podium::api {

using core::v1::EnvFromSource;
using core::v1::EnvVar;
using core::v1::EnvVarSource;
using field::ErrorList;
using field::Path;

namespace {

std::vector<std::string> EnvNameProblems(std::string_view name,
                                         const PodValidationOptions& options) {
  return options.allow_relaxed_environment_variable_validation ? IsRelaxedEnvVarName(name)
                                                               : IsEnvVarName(name);
}

// References to one key of a ConfigMap or Secret look alike.
template <class Selector>
ErrorList ValidateKeySelector(const Selector& selector, const Path& path) {
  ErrorList errors;
  errors.AddInvalid(path.Child("name"), selector.name, NameIsDNSSubdomain(selector.name, false));
  if (selector.key.empty()) {
    errors.Add(field::Required(path.Child("key"), ""));
  } else {
    errors.AddInvalid(path.Child("key"), selector.key, IsConfigMapKey(selector.key));
  }
  return errors;
}

ErrorList ValidateFileKeySelector(const core::v1::FileKeySelector& selector, const Path& path) {
  ErrorList errors;
  if (selector.key.empty()) {
    errors.Add(field::Required(path.Child("key"), ""));
  } else {
    errors.AddInvalid(path.Child("key"), selector.key, IsRelaxedEnvVarName(selector.key));
  }
  if (selector.volumeName.empty()) {
    errors.Add(field::Required(path.Child("volumeName"), ""));
  } else {
    errors.Append(ValidateDNS1123Label(selector.volumeName, path.Child("volumeName")));
  }
  if (selector.path.empty()) {
    errors.Add(field::Required(path.Child("path"), ""));
  } else {
    errors.Append(ValidatePathNoBacksteps(selector.path, path.Child("path")));
  }
  return errors;
}

ErrorList ValidateValueFrom(const EnvVar& var, const Path& path,
                            const PodValidationOptions& options) {
  ErrorList errors;
  if (!var.valueFrom) return errors;
  const EnvVarSource& from = *var.valueFrom;
  int sources = 0;
  if (from.fieldRef) {
    ++sources;
    errors.Append(
        ValidateObjectFieldSelector(*from.fieldRef,
                                    {"metadata.name", "metadata.namespace", "metadata.uid",
                                     "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
                                     "status.hostIPs", "status.podIP", "status.podIPs"},
                                    path.Child("fieldRef")));
  }
  if (from.resourceFieldRef) {
    ++sources;
    errors.Append(ValidateResourceFieldSelector(
        *from.resourceFieldRef, path.Child("resourceFieldRef"), ResourceFieldUse::kEnv));
  }
  if (from.configMapKeyRef) {
    ++sources;
    errors.Append(ValidateKeySelector(*from.configMapKeyRef, path.Child("configMapKeyRef")));
  }
  if (from.secretKeyRef) {
    ++sources;
    errors.Append(ValidateKeySelector(*from.secretKeyRef, path.Child("secretKeyRef")));
  }
  if (from.fileKeyRef) {
    ++sources;
    errors.Append(ValidateFileKeySelector(*from.fileKeyRef, path.Child("fileKeyRef")));
  }

  if (sources == 0) {
    errors.Add(field::Invalid(
        path, "",
        options.allow_env_files_validation
            ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
              "`secretKeyRef` or `fileKeyRef`"
            : "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
              "`secretKeyRef`"));
  } else if (!var.value.empty()) {
    errors.Add(field::Invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) {
    errors.Add(field::Invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

ErrorList ValidateEnvSourceName(const std::string& name, const Path& path) {
  ErrorList errors;
  if (name.empty()) {
    errors.Add(field::Required(path.Child("name"), ""));
  } else {
    // As upstream: a name that ends in a dash passes here.
    errors.AddInvalid(path.Child("name"), name, NameIsDNSSubdomain(name, true));
  }
  return errors;
}

}  // namespace

ErrorList ValidateEnv(const reflect::List<EnvVar>& vars, const Path& path,
                      const PodValidationOptions& options) {
  ErrorList errors;
  for (size_t i = 0; i < vars.size(); ++i) {
    const EnvVar& var = vars[i];
    Path at = path.Index(i);
    if (var.name.empty()) {
      errors.Add(field::Required(at.Child("name"), ""));
    } else {
      errors.AddInvalid(at.Child("name"), var.name, EnvNameProblems(var.name, options));
    }
    errors.Append(ValidateValueFrom(var, at.Child("valueFrom"), options));
  }
  return errors;
}

ErrorList ValidateEnvFrom(const reflect::List<EnvFromSource>& sources, const Path& path,
                          const PodValidationOptions& options) {
  ErrorList errors;
  for (size_t i = 0; i < sources.size(); ++i) {
    const EnvFromSource& source = sources[i];
    Path at = path.Index(i);
    if (!source.prefix.empty()) {
      errors.AddInvalid(at.Child("prefix"), source.prefix, EnvNameProblems(source.prefix, options));
    }
    if (source.configMapRef) {
      errors.Append(ValidateEnvSourceName(source.configMapRef->name, at.Child("configMapRef")));
    }
    if (source.secretRef) {
      errors.Append(ValidateEnvSourceName(source.secretRef->name, at.Child("secretRef")));
    }
    // Upstream blames the list, not its element.
    if (!source.configMapRef && !source.secretRef) {
      errors.Add(field::Invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (source.configMapRef && source.secretRef) {
      errors.Add(field::Invalid(path, "", "may not have more than one field specified at a time"));
    }
  }
  return errors;
}

ErrorList ValidateFileKeyRefVolumes(const core::v1::PodSpec& spec, const Path& path) {
  ErrorList errors;
  std::map<std::string_view, const core::v1::Volume*> volumes;
  for (const core::v1::Volume& volume : spec.volumes) volumes[volume.name] = &volume;

  VisitContainers(spec, path, [&](const core::v1::Container& container, const Path& at) {
    Path env = at.Child("env");
    for (size_t i = 0; i < container.env.size(); ++i) {
      const EnvVar& var = container.env[i];
      if (!var.valueFrom || !var.valueFrom->fileKeyRef) continue;
      const std::string& name = var.valueFrom->fileKeyRef->volumeName;
      Path index = env.Index(i);
      Path value_from = index.Child("valueFrom");
      Path file_key = value_from.Child("fileKeyRef");
      auto found = volumes.find(name);
      if (found == volumes.end()) {
        errors.Add(field::NotFound(file_key.Child("volumeName"), name));
      } else if (!found->second->emptyDir) {
        errors.Add(field::Invalid(file_key.Child("volumeName"), name,
                                  "referenced volume must be of type emptyDir"));
      }
    }
  });
  return errors;
}

}  // namespace podium::api
