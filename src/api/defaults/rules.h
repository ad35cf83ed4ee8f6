// Inside of defaulting: the shared rules, named after the type they are about, and the tables of
// kinds. A rule covers its type and all below it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/defaults.h"
#include "api/quantity.h"
#include "reflect/values.h"

namespace podium::api::core::v1 {
struct PersistentVolumeClaim;
struct PersistentVolumeClaimSpec;
struct PersistentVolumeSpec;
struct Pod;
struct PodSpec;
struct ResourceRequirements;
struct Volume;
}  // namespace podium::api::core::v1

namespace podium::api::defaults {

// One root kind and its rule.
struct Kind {
  const reflect::Type* type;
  void (*apply)(void* object, const DefaultOptions& options);
};

// A table row for `Rule(T&)` or `Rule(T&, const DefaultOptions&)`.
template <class T, auto rule>
Kind KindOf() {
  return {&reflect::TypeOf<T>(), [](void* object, const DefaultOptions& options) {
            if constexpr (requires(T& t) { rule(t, options); }) {
              rule(*static_cast<T*>(object), options);
            } else {
              rule(*static_cast<T*>(object));
            }
          }};
}

// The kinds with rules, by group.
std::span<const Kind> CoreKinds();
std::span<const Kind> AppsKinds();      // apps, batch, autoscaling
std::span<const Kind> NetworkKinds();   // networking.k8s.io, discovery.k8s.io
std::span<const Kind> ServerKinds();    // admissionregistration.k8s.io, apiextensions.k8s.io,
                                        // apiregistration.k8s.io, flowcontrol.apiserver.k8s.io
std::span<const Kind> StorageKinds();   // storage.k8s.io, resource.k8s.io
std::span<const Kind> IdentityKinds();  // rbac, authentication, scheduling

inline void SetIfEmpty(std::string& field, const char* value) {
  if (field.empty()) field = value;
}
template <class T, class U>
void SetIfUnset(std::optional<T>& field, U&& value) {
  if (!field) field = std::forward<U>(value);
}
template <class T>
void SetIfZero(T& field, T value) {
  if (field == T{}) field = value;
}

using ResourceList = reflect::Map<Quantity>;

// Copies the entries that `to` lacks.
void AddMissing(const ResourceList& from, ResourceList& to);

void DefaultResourceList(ResourceList& list);
void DefaultResourceRequirements(core::v1::ResourceRequirements& resources);
// What holds for a Pod and not for a template: requests, service links, host ports.
void DefaultPodOnly(core::v1::Pod& pod);
// Pod-level requests and huge page limits from those of the containers.
void DefaultPodResources(core::v1::PodSpec& spec);
void DefaultPodSpec(core::v1::PodSpec& spec);
void DefaultVolume(core::v1::Volume& volume);
void DefaultPersistentVolumeSource(core::v1::PersistentVolumeSpec& spec);
void DefaultPersistentVolumeClaimSpec(core::v1::PersistentVolumeClaimSpec& spec);
void DefaultPersistentVolumeClaim(core::v1::PersistentVolumeClaim& claim);

// Always for an image with the tag latest, IfNotPresent for others.
void DefaultPullPolicy(std::string& policy, const std::string& image);

}  // namespace podium::api::defaults
