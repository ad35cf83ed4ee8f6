#include "api/validation/pod_annotations.h"

#include <charconv>
#include <set>
#include <string_view>

#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/scheduling.h"
#include "api/validation/toleration_annotation.h"
#include "api/validation/volume_paths.h"
#include "reflect/go_text.h"

namespace podium::api {

using core::v1::AppArmorProfile;
using core::v1::Container;
using core::v1::Pod;
using core::v1::PodSpec;
using core::v1::SeccompProfile;
using field::ErrorList;
using field::Path;

namespace {

using Annotations = reflect::Map<std::string>;

constexpr std::string_view kTolerations = "scheduler.alpha.kubernetes.io/tolerations";
constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalhost = "localhost/";

// The annotation's value, or null.
const std::string* Find(const Annotations& annotations, std::string_view key) {
  auto found = annotations.find(key);
  return found == annotations.end() ? nullptr : &found->second;
}

ErrorList ValidateTolerationsAnnotation(const std::string& text, const Path& path,
                                        const PodValidationOptions& options) {
  Result<reflect::List<core::v1::Toleration>> tolerations = TolerationsFromAnnotation(text);
  if (!tolerations.ok()) {
    return {field::Invalid(path, kTolerations, tolerations.error().message())};
  }
  return ValidateTolerations(*tolerations, path.Child(kTolerations), options);
}

ErrorList ValidateSeccompAnnotation(std::string_view profile, const Path& path) {
  ErrorList errors;
  if (IsOneOf(profile, {"runtime/default", "docker/default", "unconfined"})) return errors;
  if (profile.starts_with(kLocalhost)) {
    return ValidateLocalDescendingPath(profile.substr(kLocalhost.size()), path);
  }
  errors.Add(field::Invalid(path, profile, "must be a valid seccomp profile"));
  return errors;
}

ErrorList ValidateSeccompAnnotations(const Annotations& annotations, const Path& path) {
  ErrorList errors;
  if (const std::string* profile = Find(annotations, kSeccompPod)) {
    errors.Append(ValidateSeccompAnnotation(*profile, path.Child(kSeccompPod)));
  }
  for (const auto& [key, profile] : annotations) {
    if (!key.starts_with(kSeccompContainer)) continue;
    errors.Append(ValidateSeccompAnnotation(profile, path.Child(key)));
  }
  return errors;
}

// Of all three lists.
std::set<std::string_view> ContainerNames(const PodSpec& spec) {
  std::set<std::string_view> names;
  const auto add = [&](const auto& containers) {
    for (const auto& container : containers) names.insert(container.name);
  };
  add(spec.initContainers);
  add(spec.containers);
  add(spec.ephemeralContainers);
  return names;
}

ErrorList ValidateAppArmorAnnotations(const Annotations& annotations, const PodSpec& spec,
                                      const Path& path) {
  ErrorList errors;
  std::set<std::string_view> containers;
  for (const auto& [key, profile] : annotations) {
    if (!key.starts_with(kAppArmor)) continue;
    if (containers.empty()) containers = ContainerNames(spec);
    std::string_view container = std::string_view(key).substr(kAppArmor.size());
    if (!containers.contains(container)) {
      errors.Add(field::Invalid(path.Key(key), container, "container not found"));
    }
    if (!IsOneOf(profile, {"", "runtime/default", "unconfined"}) &&
        !profile.starts_with(kLocalhost)) {
      errors.Add(field::Invalid(path.Key(key), profile,
                                "invalid AppArmor profile name: " + reflect::GoQuoted(profile)));
    }
  }
  return errors;
}

// The words of the two kinds of profile.
struct ProfileWords {
  std::string_view kind;  // in messages
  bool docker_default;    // an older word for the runtime's default
};

// Whether an annotation says what a profile's fields say.
template <class Profile>
ErrorList MatchProfile(const std::string& annotation, const Profile& profile, const Path& path,
                       const ProfileWords& words) {
  ErrorList errors;
  std::string_view text = annotation;
  bool same_type = true;
  if (profile.type == "Unconfined") {
    same_type = text == "unconfined";
  } else if (profile.type == "RuntimeDefault") {
    same_type = text == "runtime/default" || (words.docker_default && text == "docker/default");
  } else if (profile.type == "Localhost") {
    same_type = text.starts_with(kLocalhost);
    if (same_type && profile.localhostProfile != text.substr(kLocalhost.size())) {
      errors.Add(field::Forbidden(
          path.Child("localhostProfile"),
          std::string(words.kind) + " profile in annotation and field must match"));
    }
  }
  if (!same_type) {
    errors.Add(field::Forbidden(
        path.Child("type"), std::string(words.kind) + " type in annotation and field must match"));
  }
  return errors;
}

ErrorList MatchSeccomp(const Annotations& annotations, const PodSpec& spec, const Path& path) {
  ErrorList errors;
  constexpr ProfileWords kWords{.kind = "seccomp", .docker_default = true};
  auto match = [&](const SeccompProfile& profile, const std::string& key, const Path& at) {
    const std::string* annotation = Find(annotations, key);
    if (!annotation) return;
    Path context = at.Child("securityContext");
    errors.Append(MatchProfile(*annotation, profile, context.Child("seccompProfile"), kWords));
  };
  if (spec.securityContext && spec.securityContext->seccompProfile) {
    match(*spec.securityContext->seccompProfile, std::string(kSeccompPod), path);
  }
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    if (!container.securityContext || !container.securityContext->seccompProfile) return;
    match(*container.securityContext->seccompProfile,
          std::string(kSeccompContainer) + container.name, at);
  });
  return errors;
}

ErrorList MatchAppArmor(const Annotations& annotations, const PodSpec& spec, const Path& path) {
  ErrorList errors;
  if (spec.os && spec.os->name == "windows") return errors;
  const AppArmorProfile* of_pod =
      spec.securityContext ? spec.securityContext->appArmorProfile.get() : nullptr;
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    const AppArmorProfile* own =
        container.securityContext ? container.securityContext->appArmorProfile.get() : nullptr;
    const AppArmorProfile* profile = own ? own : of_pod;
    if (!profile) return;
    const std::string* annotation = Find(annotations, std::string(kAppArmor) + container.name);
    if (!annotation) return;
    Path context = at.Child("securityContext");
    errors.Append(MatchProfile(*annotation, *profile, context.Child("appArmorProfile"),
                               {.kind = "apparmor", .docker_default = false}));
  });
  return errors;
}

// Annotations that a pod keeps from its creation on.
std::string_view LastingKind(std::string_view key) {
  if (key.starts_with(kAppArmor)) return "AppArmor annotations";
  if (key == kMirrorPodAnnotation) return "mirror pod annotation";
  return {};
}

}  // namespace

bool IsValidDeletionCost(const Annotations& annotations) {
  const std::string* text = Find(annotations, kDeletionCost);
  if (!text) return true;
  if (text->empty()) return false;
  // No plus sign, and no zero before other digits.
  char first = text->front();
  bool starts_well = first == '-' || *text == "0" || (first >= '1' && first <= '9');
  if (!starts_well) return false;
  int32_t cost = 0;
  const char* end = text->data() + text->size();
  auto [at, code] = std::from_chars(text->data(), end, cost);
  return code == std::errc() && at == end;
}

ErrorList ValidatePodSpecificAnnotations(const Annotations& annotations, const PodSpec& spec,
                                         const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  if (const std::string* mirror = Find(annotations, kMirrorPodAnnotation);
      mirror && spec.nodeName.empty()) {
    errors.Add(field::Invalid(path.Key(kMirrorPodAnnotation), *mirror,
                              "must set spec.nodeName if mirror pod annotation is set"));
  }
  if (const std::string* text = Find(annotations, kTolerations); text && !text->empty()) {
    errors.Append(ValidateTolerationsAnnotation(*text, path, options));
  }
  if (!options.allow_invalid_pod_deletion_cost && !IsValidDeletionCost(annotations)) {
    errors.Add(field::Invalid(path.Key(kDeletionCost), *Find(annotations, kDeletionCost),
                              "must be a 32bit integer"));
  }
  errors.Append(ValidateSeccompAnnotations(annotations, path));
  errors.Append(ValidateAppArmorAnnotations(annotations, spec, path));
  return errors;
}

ErrorList ValidatePodSpecificAnnotationUpdates(const Pod& new_pod, const Pod& old_pod,
                                               const Path& path,
                                               const PodValidationOptions& options) {
  ErrorList errors;
  const Annotations& now = new_pod.metadata.annotations;
  const Annotations& before = old_pod.metadata.annotations;
  for (const auto& [key, value] : before) {
    std::string_view kind = LastingKind(key);
    const std::string* kept = Find(now, key);
    if (kind.empty() || (kept && *kept == value)) continue;
    errors.Add(field::Forbidden(path.Key(key), "may not remove or update " + std::string(kind)));
  }
  for (const auto& [key, value] : now) {
    std::string_view kind = LastingKind(key);
    if (kind.empty() || before.contains(key)) continue;
    errors.Add(field::Forbidden(path.Key(key), "may not add " + std::string(kind)));
  }
  errors.Append(ValidatePodSpecificAnnotations(now, new_pod.spec, path, options));
  return errors;
}

ErrorList ValidateProfilesMatchAnnotations(const Annotations& annotations, const PodSpec& spec,
                                           const Path& path) {
  ErrorList errors = MatchSeccomp(annotations, spec, path);
  errors.Append(MatchAppArmor(annotations, spec, path));
  return errors;
}

}  // namespace podium::api
