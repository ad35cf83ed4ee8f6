#include "apiserver/first_objects.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/defaults.h"
#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/scheduling_v1.h"
#include "apiserver/authorization/default_roles.h"
#include "apiserver/authorization/reconcile.h"
#include "apiserver/storage_keys.h"
#include "base/random_name.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Namespace;
using api::core::v1::Service;
using api::networking::v1::IPAddress;
using api::scheduling::v1::PriorityClass;

bool IsIpv6(const std::string& address) { return address.contains(':'); }

// Somebody else's write is in the way for that often at most.
constexpr int kMostTries = 10;

// Writes that are made side by side, so that all of them share a few syncs of the disk.
class Batch {
 public:
  explicit Batch(const Objects& objects) : objects_(objects) {}

  template <class T>
  Result<void> Write(T object, api::Time now, store::Revision expected) {
    const reflect::Type& type = reflect::TypeOf<T>();
    object.kind = type.name;
    object.apiVersion = type.ApiVersion();
    if (object.metadata.uid.empty()) object.metadata.uid = NewUid();
    if (object.metadata.creationTimestamp.IsZero()) object.metadata.creationTimestamp = now;
    object.metadata.resourceVersion.clear();
    api::SetDefaults(object, {.now = now});
    TRY(std::string json, reflect::ToJson(object));
    auto promise = std::make_shared<std::promise<Result<store::Written>>>();
    written_.push_back(promise->get_future());
    objects_.store().Apply(
        {.key = KeyOf(Objects::PrefixOf(type), object.metadata.namespace_, object.metadata.name),
         .value = std::move(json),
         .expected = expected},
        [promise](Result<store::Written> written) { promise->set_value(std::move(written)); });
    return {};
  }

  // Waits for all of them. False: somebody else's write was in the way of one.
  Result<bool> Wait() {
    bool all = true;
    for (auto& future : std::exchange(written_, {})) {
      TRY(const store::Written written, future.get());
      all = all && written.changed;
    }
    return all;
  }

 private:
  const Objects& objects_;
  std::vector<std::future<Result<store::Written>>> written_;
};

template <class T>
Result<void> WriteIfMissing(const Objects& objects, Batch& batch, T object, api::Time now) {
  TRY(const auto existing, objects.Get<T>(object.metadata.namespace_, object.metadata.name));
  if (existing != nullptr) return {};
  return batch.Write(std::move(object), now, 0);
}

template <class T>
Result<void> ReconcileOne(const Objects& objects, Batch& batch, const T& wanted, api::Time now) {
  TRY(const auto existing, objects.Get<T>(wanted.metadata.namespace_, wanted.metadata.name));
  Reconciled<T> next = Reconcile(existing.get(), wanted);
  if (next.action == ReconcileAction::kNone) return {};
  const store::Revision expected =
      existing != nullptr ? std::stoll(existing->metadata.resourceVersion) : 0;
  // What is made anew has another uid; whoever watches sees a change of the binding all the same.
  if (next.action == ReconcileAction::kRecreate) next.object.metadata.uid.clear();
  return batch.Write(std::move(next.object), now, expected);
}

// What pods call the API by.
Service ApiService(const std::string& address, uint16_t port) {
  Service service;
  service.metadata.namespace_ = "default";
  service.metadata.name = "kubernetes";
  service.metadata.labels = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  service.spec.type = "ClusterIP";
  service.spec.clusterIP = address;
  service.spec.clusterIPs = {address};
  service.spec.ipFamilies = {IsIpv6(address) ? "IPv6" : "IPv4"};
  service.spec.ipFamilyPolicy = "SingleStack";
  service.spec.sessionAffinity = "None";
  service.spec.internalTrafficPolicy = "Cluster";
  api::core::v1::ServicePort& https = service.spec.ports.emplace_back();
  https.name = "https";
  https.protocol = "TCP";
  https.port = 443;
  https.targetPort = api::IntOrString::FromInt(port);
  return service;
}

// That its address is taken.
IPAddress ApiServiceAddress(const std::string& address) {
  IPAddress taken;
  taken.metadata.name = address;
  taken.metadata.labels = {{"ipaddress.kubernetes.io/ip-family", IsIpv6(address) ? "IPv6" : "IPv4"},
                           {"ipaddress.kubernetes.io/managed-by", std::string(kIpAllocatorName)}};
  auto& parent = taken.spec.parentRef.ensure();
  parent.resource = "services";
  parent.namespace_ = "default";
  parent.name = "kubernetes";
  return taken;
}

Result<void> WriteNamespaces(const Objects& objects, Batch& batch, api::Time now) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    Namespace name_space;
    name_space.metadata.name = name;
    name_space.spec.finalizers = {"kubernetes"};
    name_space.status.phase = "Active";
    TRY_VOID(WriteIfMissing(objects, batch, std::move(name_space), now));
  }
  return {};
}

Result<void> WritePriorityClasses(const Objects& objects, Batch& batch, api::Time now) {
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
    TRY_VOID(WriteIfMissing(objects, batch, std::move(priority), now));
  }
  return {};
}

Result<void> WriteRoles(const Objects& objects, Batch& batch, api::Time now) {
  const DefaultRoles roles = MakeDefaultRoles();
  for (const auto& role : roles.cluster_roles) TRY_VOID(ReconcileOne(objects, batch, role, now));
  for (const auto& binding : roles.cluster_role_bindings) {
    TRY_VOID(ReconcileOne(objects, batch, binding, now));
  }
  for (const auto& role : roles.roles) TRY_VOID(ReconcileOne(objects, batch, role, now));
  for (const auto& binding : roles.role_bindings)
    TRY_VOID(ReconcileOne(objects, batch, binding, now));
  return {};
}

}  // namespace

Result<void> WriteFirstService(const Objects& objects, const ServiceAllocator& services,
                               uint16_t port, api::Time now) {
  Batch batch(objects);
  TRY_VOID(WriteIfMissing(objects, batch, services.DefaultServiceCidr(now), now));
  TRY_VOID(WriteIfMissing(objects, batch, ApiService(services.FirstAddress(), port), now));
  TRY_VOID(WriteIfMissing(objects, batch, ApiServiceAddress(services.FirstAddress()), now));
  // Not changed: another server of the same cluster was faster.
  TRY(const bool written, batch.Wait());
  return (void)written, Result<void>();
}

Result<void> WriteFirstObjects(const Objects& objects, api::Time now) {
  for (int i = 0; i < kMostTries; ++i) {
    Batch batch(objects);
    TRY_VOID(WriteNamespaces(objects, batch, now));
    TRY_VOID(WritePriorityClasses(objects, batch, now));
    TRY_VOID(WriteRoles(objects, batch, now));
    TRY(const bool written, batch.Wait());
    if (written) return {};
  }
  return Error(Code::kUnavailable,
               "the default roles are written by somebody else again and again");
}

}  // namespace podium::apiserver
