#include "node/unsupported.h"

namespace podium::node {
namespace {

using api::field::ErrorList;
using api::field::Forbidden;
using api::field::Path;

void CheckContainer(const v1::Container& container, const Path& path, ErrorList* errors) {
  if (!container.volumeDevices.empty()) {
    errors->Add(Forbidden(path.Child("volumeDevices"), "block devices are not offered here"));
  }
  if (!container.resources.claims.empty()) {
    errors->Add(
        Forbidden(path.Child("resources").Child("claims"), "resource claims are not offered here"));
  }
  if (container.securityContext && container.securityContext->windowsOptions) {
    errors->Add(Forbidden(path.Child("securityContext").Child("windowsOptions"),
                          "containers here run on Linux"));
  }
}

}  // namespace

Result<void> CheckSupported(const v1::Container& container) {
  ErrorList errors;
  CheckContainer(container, Path(), &errors);
  if (errors.empty()) return {};
  return Error(Code::kUnsupported, errors.AggregateText());
}

ErrorList UnsupportedFields(const v1::Pod& pod) {
  ErrorList errors;
  const Path spec("spec");
  if (pod.spec.os && pod.spec.os->name != "linux") {
    errors.Add(Forbidden(spec.Child("os").Child("name"), "pods here run on Linux"));
  }
  if (pod.spec.runtimeClassName && *pod.spec.runtimeClassName != "podium") {
    errors.Add(Forbidden(spec.Child("runtimeClassName"),
                         "there is one runtime here, with the handler podium"));
  }
  if (!pod.spec.resourceClaims.empty()) {
    errors.Add(Forbidden(spec.Child("resourceClaims"), "resource claims are not offered here"));
  }
  if (!pod.spec.schedulingGates.empty()) {
    errors.Add(Forbidden(spec.Child("schedulingGates"),
                         "nobody here lifts them: the pod would never start"));
  }
  if (pod.spec.securityContext && pod.spec.securityContext->windowsOptions) {
    errors.Add(Forbidden(spec.Child("securityContext").Child("windowsOptions"),
                         "containers here run on Linux"));
  }
  for (size_t i = 0; i < pod.spec.initContainers.size(); ++i) {
    CheckContainer(pod.spec.initContainers[i], spec.Child("initContainers").Index(i), &errors);
  }
  for (size_t i = 0; i < pod.spec.containers.size(); ++i) {
    CheckContainer(pod.spec.containers[i], spec.Child("containers").Index(i), &errors);
  }
  return errors;
}

}  // namespace podium::node
