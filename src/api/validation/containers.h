// Rules for the containers of a PodSpec, and for their parts. Internal to the folder; see
// pod_template.h for the whole spec. Source: upstream's pkg/apis/core/validation, release 1.36.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_options.h"
#include "api/validation/volumes.h"

namespace podium::api {

using ClaimNames = std::set<std::string, std::less<>>;

// What the rules of a container need to know of its pod.
struct ContainerContext {
  const core::v1::PodSpec& spec;
  const VolumesByName& volumes;   // those without errors
  const ClaimNames& claim_names;  // of spec.resourceClaims
  const PodValidationOptions& options;

  bool host_users() const { return spec.hostUsers.value_or(true); }
};

// The three lists; `path` is that of the list.
field::ErrorList ValidateContainers(const ContainerContext& context, const field::Path& path);
field::ErrorList ValidateInitContainers(const ContainerContext& context, const field::Path& path);
field::ErrorList ValidateEphemeralContainers(const ContainerContext& context,
                                             const field::Path& path);

// What holds for the containers of a pod but not for those of a template.
field::ErrorList ValidateContainersOnlyForPod(const reflect::List<core::v1::Container>& containers,
                                              const field::Path& path);

// An ephemeral container as an ordinary one: the fields that both have.
core::v1::Container AsContainer(const core::v1::EphemeralContainer& container);

inline bool IsRestartableInitContainer(const core::v1::Container& container) {
  return container.restartPolicy == "Always";
}

// Calls visit(const Container&, const Path&) for init, regular and ephemeral containers, in this
// order; `spec_path` is that of the spec.
template <class Visit>
void VisitContainers(const core::v1::PodSpec& spec, const field::Path& spec_path, Visit visit) {
  field::Path init = spec_path.Child("initContainers");
  for (size_t i = 0; i < spec.initContainers.size(); ++i) {
    visit(spec.initContainers[i], init.Index(i));
  }
  field::Path regular = spec_path.Child("containers");
  for (size_t i = 0; i < spec.containers.size(); ++i) visit(spec.containers[i], regular.Index(i));
  field::Path ephemeral = spec_path.Child("ephemeralContainers");
  for (size_t i = 0; i < spec.ephemeralContainers.size(); ++i) {
    visit(AsContainer(spec.ephemeralContainers[i]), ephemeral.Index(i));
  }
}

// Parts of a container. `path` is that of the part.
field::ErrorList ValidateEnv(const reflect::List<core::v1::EnvVar>& vars, const field::Path& path,
                             const PodValidationOptions& options);
field::ErrorList ValidateEnvFrom(const reflect::List<core::v1::EnvFromSource>& sources,
                                 const field::Path& path, const PodValidationOptions& options);
field::ErrorList ValidateVolumeMounts(const core::v1::Container& container,
                                      const VolumesByName& volumes, const field::Path& path);
field::ErrorList ValidateVolumeDevices(const core::v1::Container& container,
                                       const VolumesByName& volumes, const field::Path& path);

// `path` is that of the container: its lifecycle and its three probes.
field::ErrorList ValidateLifecycleAndProbes(const core::v1::Container& container,
                                            const ContainerContext& context,
                                            const field::Path& path);

// Volumes of fileKeyRef variables are there and are emptyDir; `path` is that of the spec.
field::ErrorList ValidateFileKeyRefVolumes(const core::v1::PodSpec& spec, const field::Path& path);

}  // namespace podium::api
