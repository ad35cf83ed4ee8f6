#include "apiserver/first_objects.h"

#include <optional>
#include <string>
#include <utility>

#include "api/defaults.h"
#include "api/types/core_v1.h"
#include "api/types/scheduling_v1.h"
#include "apiserver/authorization/default_roles.h"
#include "apiserver/authorization/reconcile.h"
#include "apiserver/storage_keys.h"
#include "base/random_name.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Namespace;
using api::scheduling::v1::PriorityClass;

// Somebody else's write is in the way for that often at most.
constexpr int kMostTries = 10;

template <class T>
Result<store::Written> WriteObject(const Objects& objects, T object, api::Time now,
                                   store::Revision expected) {
  const reflect::Type& type = reflect::TypeOf<T>();
  object.kind = type.name;
  object.apiVersion = type.ApiVersion();
  if (object.metadata.uid.empty()) object.metadata.uid = NewUid();
  if (object.metadata.creationTimestamp.IsZero()) object.metadata.creationTimestamp = now;
  object.metadata.resourceVersion.clear();
  api::SetDefaults(object, {.now = now});
  TRY(std::string json, reflect::ToJson(object));
  return objects.store().WriteAndWait(
      {.key = KeyOf(Objects::PrefixOf(type), object.metadata.namespace_, object.metadata.name),
       .value = std::move(json),
       .expected = expected});
}

template <class T>
Result<void> WriteIfMissing(const Objects& objects, T object, api::Time now) {
  TRY(const auto existing, objects.Get<T>(object.metadata.namespace_, object.metadata.name));
  if (existing != nullptr) return {};
  TRY(const store::Written written, WriteObject(objects, std::move(object), now, 0));
  // Not changed: another server of the same cluster was faster.
  return (void)written, Result<void>();
}

template <class T>
Result<void> ReconcileOne(const Objects& objects, const T& wanted, api::Time now) {
  for (int i = 0; i < kMostTries; ++i) {
    TRY(const auto existing, objects.Get<T>(wanted.metadata.namespace_, wanted.metadata.name));
    Reconciled<T> next = Reconcile(existing.get(), wanted);
    if (next.action == ReconcileAction::kNone) return {};
    const store::Revision expected =
        existing != nullptr ? std::stoll(existing->metadata.resourceVersion) : 0;
    // What is made anew has another uid; whoever watches sees a change of the binding all the same.
    if (next.action == ReconcileAction::kRecreate) next.object.metadata.uid.clear();
    TRY(const store::Written written, WriteObject(objects, std::move(next.object), now, expected));
    if (written.changed) return {};
  }
  return Error(Code::kUnavailable, "the default role " + wanted.metadata.name +
                                       " is written by somebody else again and again");
}

Result<void> WriteNamespaces(const Objects& objects, api::Time now) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    Namespace name_space;
    name_space.metadata.name = name;
    name_space.spec.finalizers = {"kubernetes"};
    name_space.status.phase = "Active";
    TRY_VOID(WriteIfMissing(objects, std::move(name_space), now));
  }
  return {};
}

Result<void> WritePriorityClasses(const Objects& objects, api::Time now) {
  struct Row {
    const char* name;
    int32_t value;
    const char* description;
  };
  static constexpr Row kRows[] = {
      {"system-cluster-critical", 2'000'000'000,
       "Used for system critical pods that must run in the cluster, but can be moved to another "
       "node if necessary."},
      {"system-node-critical", 2'000'001'000,
       "Used for system critical pods that must not be moved from their current node."},
  };
  for (const Row& row : kRows) {
    PriorityClass priority;
    priority.metadata.name = row.name;
    priority.metadata.generation = 1;
    priority.value = row.value;
    priority.description = row.description;
    TRY_VOID(WriteIfMissing(objects, std::move(priority), now));
  }
  return {};
}

Result<void> WriteRoles(const Objects& objects, api::Time now) {
  const DefaultRoles roles = MakeDefaultRoles();
  for (const auto& role : roles.cluster_roles) TRY_VOID(ReconcileOne(objects, role, now));
  for (const auto& binding : roles.cluster_role_bindings) {
    TRY_VOID(ReconcileOne(objects, binding, now));
  }
  for (const auto& role : roles.roles) TRY_VOID(ReconcileOne(objects, role, now));
  for (const auto& binding : roles.role_bindings) TRY_VOID(ReconcileOne(objects, binding, now));
  return {};
}

}  // namespace

Result<void> WriteFirstService(const Objects& objects, const ServiceAllocator& services,
                               api::Time now) {
  return WriteIfMissing(objects, services.DefaultServiceCidr(now), now);
}

Result<void> WriteFirstObjects(const Objects& objects, api::Time now) {
  TRY_VOID(WriteNamespaces(objects, now));
  TRY_VOID(WritePriorityClasses(objects, now));
  return WriteRoles(objects, now);
}

}  // namespace podium::apiserver
