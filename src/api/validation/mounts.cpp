// Volume mounts and block devices of containers.

#include <map>
#include <set>

#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/volume_paths.h"

namespace podium::api {

using core::v1::Container;
using core::v1::VolumeDevice;
using core::v1::VolumeMount;
using field::ErrorList;
using field::Path;

namespace {

bool IsPrivileged(const Container& container) {
  return container.securityContext && container.securityContext->privileged.value_or(false);
}

// The container's mounts or devices: names, and their paths. Of a name that comes twice the last
// path counts, as upstream.
struct NamesAndPaths {
  std::map<std::string_view, std::string_view> path_of;
  std::set<std::string_view> paths;

  template <class List, class PathOf>
  NamesAndPaths(const List& list, PathOf path) {
    for (const auto& each : list) path_of[each.name] = each.*path;
    for (const auto& [name, last] : path_of) paths.insert(last);
  }
};

ErrorList ValidatePropagation(const VolumeMount& mount, const Container& container,
                              const Path& path) {
  ErrorList errors;
  if (!mount.mountPropagation) return errors;
  const std::string& mode = *mount.mountPropagation;
  if (!IsOneOf(mode, {"Bidirectional", "HostToContainer", "None"})) {
    errors.Add(
        field::NotSupported(path, NamedString(mode), {"Bidirectional", "HostToContainer", "None"}));
  }
  if (mode == "Bidirectional" && !IsPrivileged(container)) {
    errors.Add(field::Forbidden(
        path, "Bidirectional mount propagation is available only to privileged containers"));
  }
  return errors;
}

ErrorList ValidateRecursiveReadOnly(const VolumeMount& mount, const Path& path) {
  ErrorList errors;
  if (!mount.recursiveReadOnly) return errors;
  const std::string& mode = *mount.recursiveReadOnly;
  if (mode == "Disabled") return errors;
  if (mode != "Enabled" && mode != "IfPossible") {
    errors.Add(field::NotSupported(path, NamedString(mode), {"Disabled", "Enabled", "IfPossible"}));
    return errors;
  }
  if (!mount.readOnly) {
    errors.Add(field::Forbidden(path, "may only be specified when readOnly is true"));
  }
  if (mount.mountPropagation && *mount.mountPropagation != "None") {
    errors.Add(field::Forbidden(
        path, "may only be specified when mountPropagation is None or not specified"));
  }
  return errors;
}

}  // namespace

ErrorList ValidateVolumeMounts(const Container& container, const VolumesByName& volumes,
                               const Path& path) {
  ErrorList errors;
  const NamesAndPaths devices(container.volumeDevices, &VolumeDevice::devicePath);
  std::set<std::string_view> mount_paths;
  for (size_t i = 0; i < container.volumeMounts.size(); ++i) {
    const VolumeMount& mount = container.volumeMounts[i];
    Path at = path.Index(i);
    if (mount.name.empty()) errors.Add(field::Required(at.Child("name"), ""));
    if (!volumes.contains(mount.name)) errors.Add(field::NotFound(at.Child("name"), mount.name));
    if (mount.mountPath.empty()) errors.Add(field::Required(at.Child("mountPath"), ""));
    if (!mount_paths.insert(mount.mountPath).second) {
      errors.Add(field::Invalid(at.Child("mountPath"), mount.mountPath, "must be unique"));
    }
    if (devices.path_of.contains(mount.name)) {
      errors.Add(
          field::Invalid(at.Child("name"), mount.name, "must not already exist in volumeDevices"));
    }
    if (devices.paths.contains(mount.mountPath)) {
      errors.Add(field::Invalid(at.Child("mountPath"), mount.mountPath,
                                "must not already exist as a path in volumeDevices"));
    }
    // The paths of what follows lack the index, as upstream.
    if (!mount.subPath.empty()) {
      errors.Append(ValidateLocalDescendingPath(mount.subPath, path.Child("subPath")));
    }
    if (!mount.subPathExpr.empty()) {
      if (!mount.subPath.empty()) {
        errors.Add(field::Invalid(at.Child("subPathExpr"), mount.subPathExpr,
                                  "subPathExpr and subPath are mutually exclusive"));
      }
      errors.Append(ValidateLocalDescendingPath(mount.subPathExpr, path.Child("subPathExpr")));
    }
    errors.Append(ValidatePropagation(mount, container, path.Child("mountPropagation")));
    errors.Append(ValidateRecursiveReadOnly(mount, path.Child("recursiveReadOnly")));
  }
  return errors;
}

ErrorList ValidateVolumeDevices(const Container& container, const VolumesByName& volumes,
                                const Path& path) {
  ErrorList errors;
  const NamesAndPaths mounts(container.volumeMounts, &VolumeMount::mountPath);
  std::set<std::string_view> names;
  std::set<std::string_view> device_paths;
  for (size_t i = 0; i < container.volumeDevices.size(); ++i) {
    const auto& [name, device_path] = container.volumeDevices[i];
    Path at = path.Index(i);
    auto found = volumes.find(name);
    if (name.empty()) errors.Add(field::Required(at.Child("name"), ""));
    if (names.contains(name)) {
      errors.Add(field::Invalid(at.Child("name"), name, "must be unique"));
    }
    if (found != volumes.end() && !IsClaimVolume(*found->second)) {
      errors.Add(field::Invalid(at.Child("name"), name,
                                "can only use volume source type of PersistentVolumeClaim or "
                                "Ephemeral for block mode"));
    }
    if (found == volumes.end()) errors.Add(field::NotFound(at.Child("name"), name));
    if (device_path.empty()) errors.Add(field::Required(at.Child("devicePath"), ""));
    if (device_paths.contains(device_path)) {
      errors.Add(field::Invalid(at.Child("devicePath"), device_path, "must be unique"));
    }
    if (!device_path.empty() && !ValidatePathNoBacksteps(device_path, path).empty()) {
      errors.Add(
          field::Invalid(at.Child("devicePath"), device_path, "can not contain backsteps ('..')"));
    } else {
      device_paths.insert(device_path);
    }
    if (mounts.path_of.contains(name)) {
      errors.Add(field::Invalid(at.Child("name"), name, "must not already exist in volumeMounts"));
    }
    if (mounts.paths.contains(device_path)) {
      errors.Add(field::Invalid(at.Child("devicePath"), device_path,
                                "must not already exist as a path in volumeMounts"));
    }
    if (!name.empty()) names.insert(name);
  }
  return errors;
}

}  // namespace podium::api
