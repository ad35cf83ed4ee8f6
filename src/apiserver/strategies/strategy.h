// Strategy: what is special about writing one kind (upstream's registry strategies,
// k8s.io/kubernetes/pkg/registry/*/strategy.go and .../storage/storage.go, release 1.36). The write
// itself is the same for all (write.h), in this order:
//
//   create   decode, default, convert → Admit → metadata (uid, creationTimestamp, name of
//            generateName) → begin_create → prepare_create → validate → Validate → store
//   update   decode, default, convert → Admit → begin_update → prepare_update → validate → Validate
//            → store; on a lost race all of it again, on the newer object
//
// Objects are of the stored version's type. What a strategy leaves empty is what most kinds do. A
// row is data as far as that goes: whether there is a status, what the generation counts, which
// part a subresource may change; PrepareForCreate and PrepareForUpdate do what it says, and then
// call the row's own function. Callers use those two, and never the pointers prepare_create and
// prepare_update.
//
// Threads: any. Only begin_* may wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/time.h"
#include "api/types/meta_v1.h"
#include "apiserver/objects.h"
#include "apiserver/user.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

class ServiceAllocator;  // services/service_allocator.h

struct StrategyContext {
  const Objects* objects = nullptr;
  const User* user = nullptr;
  api::Time now;
  std::string_view namespace_{};
  std::string_view name{};
  // Of the version that the request names, which is not the one that is stored: "v1beta1".
  std::string_view version{};
  bool dry_run = false;
  // Gives addresses and ports to services; null where none are given.
  ServiceAllocator* services = nullptr;
  // For the header Warning: what is lost when an object is prepared. May be null.
  std::vector<std::string>* warnings = nullptr;
};

// What begin_create and begin_update did outside the object (addresses, ports): kept when the write
// was made, undone otherwise. Dropped without either it is undone.
class Allocation {
 public:
  virtual ~Allocation() = default;
  virtual void Keep() = 0;
};

// How a deletion with these options goes.
struct GracefulDeletion {
  // The object stays, with a deletionTimestamp this many seconds from now.
  bool graceful = false;
  int64_t seconds = 0;
};

// What makes metadata.generation grow. It begins at 1 where anything does.
enum class Generation : uint8_t {
  kNone,     // the kind has none; what a client writes on create stays
  kSpec,     // a change of spec
  kContent,  // a change of anything but metadata and status
  kAll,      // a change of anything but metadata
  kOwn,      // what the row's own functions say
};

// What metadata is the old object's in an update. What no client may change (uid,
// creationTimestamp, deletionTimestamp, resourceVersion …) is the write's care before.
enum class KeptMetadata : uint8_t {
  kNothing,
  kLabels,
  kOwners,  // ownerReferences
  kNames,  // labels, annotations, finalizers, ownerReferences (upstream's ResetObjectMetaForStatus)
};

struct Strategy {
  const reflect::Type* type = nullptr;  // stored; null: of whatever has no row
  std::string_view subresource{};       // "" for the object itself

  // Of the object itself: the status is kept by what is updated, and dropped from what is created,
  // unless whoever registers the object may say it at once (Node).
  bool has_status = false;
  bool created_with_status = false;
  Generation generation = Generation::kNone;
  // Of a subresource: the one field, beside metadata, that is the new object's; all others are the
  // old one's. "" leaves it to prepare_update.
  std::string_view own_field{};
  KeptMetadata kept_metadata = KeptMetadata::kNothing;

  // Behind what is done by the data above; may be null.
  void (*prepare_create)(const StrategyContext& context, void* object) = nullptr;
  void (*prepare_update)(const StrategyContext& context, void* object, const void* old) = nullptr;
  // Beyond api/validation: what depends on other objects, or on the user.
  api::field::ErrorList (*validate_create)(const StrategyContext& context,
                                           const void* object) = nullptr;
  api::field::ErrorList (*validate_update)(const StrategyContext& context, const void* object,
                                           const void* old) = nullptr;
  // For the header Warning.
  std::vector<std::string> (*warnings)(const void* object, const void* old) = nullptr;

  // Takes what the object needs from elsewhere, writes it into the object, and may wait for the
  // store. Null is returned when there was nothing to take.
  Result<std::unique_ptr<Allocation>> (*begin_create)(const StrategyContext& context,
                                                      void* object) = nullptr;
  Result<std::unique_ptr<Allocation>> (*begin_update)(const StrategyContext& context, void* object,
                                                      const void* old) = nullptr;
  // When the object is gone for good: gives back what it had. May wait.
  void (*after_delete)(const StrategyContext& context, const void* old) = nullptr;

  // Null: gone at once, unless finalizers hold it.
  GracefulDeletion (*graceful_deletion)(const void* object,
                                        const api::meta::v1::DeleteOptions& options) = nullptr;
  // A new object with neither a name nor a generateName is named by a uid (LimitRange).
  bool names_itself = false;
  // A PUT of what is not there creates it.
  bool create_on_update = false;
  // A PUT without a resourceVersion is taken.
  bool unconditional_update = true;
  // Of a deletion that says nothing: dependents are orphaned (ReplicationController, Job).
  bool orphans_by_default = false;
  // A deletion answers with the object that was there, not with a Status.
  bool returns_deleted = false;
  // What keeps an object that is being deleted beside its finalizers (Namespace: spec.finalizers),
  // and what a deletion changes in it (Namespace: its phase).
  bool (*held)(const void* object) = nullptr;
  void (*mark_deleting)(void* object) = nullptr;
};

// Makes of what a client sent what is validated and stored. `object` and `old` are of `type`, which
// is the strategy's own unless it has none; the metadata is filled in (name, namespace, uid and
// times of a new object, those of the old one otherwise).
void PrepareForCreate(const Strategy& strategy, const reflect::Type& type,
                      const StrategyContext& context, void* object);
void PrepareForUpdate(const Strategy& strategy, const reflect::Type& type,
                      const StrategyContext& context, void* object, const void* old);

// Whether a field, by its JSON path from the top ("spec", "status", "metadata.labels"), is not
// taken from what is written, so that server-side apply does not let its writer own it.
bool IsResetField(const Strategy& strategy, const reflect::Type& type, std::string_view path);

// The rows; each file of this folder gives a part of them.
std::span<const Strategy> PodStrategies();
std::span<const Strategy> CoreStrategies();
std::span<const Strategy> WorkloadStrategies();
std::span<const Strategy> ServiceStrategies();
std::span<const Strategy> ClusterStrategies();
std::span<const Strategy> ServerStrategies();

// Of a built-in kind; where there is no row, the one of kinds that nothing is special about
// (without a status), or for the subresource "status" one that changes the status alone. Constant.
const Strategy& StrategyOf(const reflect::Type& stored_type, std::string_view subresource = "");

// Of custom resources: whether their definition has a status subresource decides about all of it.
const Strategy& CustomStrategyOf(bool has_status, std::string_view subresource = "");

}  // namespace podium::apiserver
