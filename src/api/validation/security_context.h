// Rules for security contexts, and for what depends on the operating system of a pod. Internal to
// the folder. Source: upstream's pkg/apis/core/validation, release 1.36.
#pragma once

#include "api/validation/containers.h"

namespace podium::api {

// Of a container.
field::ErrorList ValidateSecurityContext(const reflect::Box<core::v1::SecurityContext>& context,
                                         const field::Path& path, bool host_users);

// spec.securityContext, and the fields of the spec that upstream keeps there. `path` is that of the
// security context.
field::ErrorList ValidatePodSecurityContext(const core::v1::PodSpec& spec, const field::Path& path,
                                            const PodValidationOptions& options);

// True for a sysctl of a namespace that the pod shares with its host.
bool IsHostSysctl(std::string_view name, const core::v1::PodSpec& spec);

// The rules below look at the whole spec; `path` is that of the spec.

// Pods with a user namespace of their own cannot have everything.
field::ErrorList ValidateHostUsers(const core::v1::PodSpec& spec, const field::Path& path,
                                   const PodValidationOptions& options);
// Windows HostProcess containers.
field::ErrorList ValidateWindowsHostProcess(const core::v1::PodSpec& spec, const field::Path& path);
// spec.os, and fields that the named system does not have.
field::ErrorList ValidateOs(const core::v1::PodSpec& spec, const field::Path& path);

// Parts that containers and pods both have.
field::ErrorList ValidateSeccompProfile(const reflect::Box<core::v1::SeccompProfile>& profile,
                                        const field::Path& path);
field::ErrorList ValidateAppArmorProfile(const reflect::Box<core::v1::AppArmorProfile>& profile,
                                         const field::Path& path);
field::ErrorList ValidateWindowsOptions(
    const reflect::Box<core::v1::WindowsSecurityContextOptions>& options, const field::Path& path);

}  // namespace podium::api
