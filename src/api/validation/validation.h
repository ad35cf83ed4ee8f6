// The public entry of the folder: whether an object may be stored, whatever its kind.
//
// Objects are decoded and have their defaults. Metadata is as the registry fills it in before: a
// name (generateName made into one), the namespace of the request; on update the resourceVersion,
// uid and creationTimestamp of the stored object. Errors are upstream's, release 1.36, in
// upstream's order; where upstream goes through a map in random order, key order is ours.
//
// Kinds with rules: Pod, PodTemplate, ReplicationController, ReplicaSet, Deployment, DaemonSet,
// StatefulSet, Job, CronJob, ConfigMap, Secret. Of other kinds only the metadata is checked.
//
// Everything here is a pure function and may run on any thread.
#pragma once

#include "api/field_errors.h"
#include "reflect/type.h"

namespace podium::api {

// `object` is of `type`, a root kind.
field::ErrorList ValidateCreate(const reflect::Type& type, const void* object);

// Both are of `type`.
field::ErrorList ValidateUpdate(const reflect::Type& type, const void* new_object,
                                const void* old_object);

template <class T>
field::ErrorList ValidateCreate(const T& object) {
  return ValidateCreate(reflect::TypeOf<T>(), &object);
}

template <class T>
field::ErrorList ValidateUpdate(const T& new_object, const T& old_object) {
  return ValidateUpdate(reflect::TypeOf<T>(), &new_object, &old_object);
}

}  // namespace podium::api
