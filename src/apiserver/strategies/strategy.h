// Strategy: what is special about writing one kind (upstream's registry strategies,
// k8s.io/kubernetes/pkg/registry/*/strategy.go and .../storage/storage.go, release 1.36). The write
// itself is the same for all (write.h), in this order:
//
//   create   decode, default, convert → Admit → metadata (uid, creationTimestamp, name of
//            generateName) → begin_create → prepare_create → validate → Validate → store
//   update   decode, default, convert → Admit → begin_update → prepare_update → validate → Validate
//            → store; on a lost race all of it again, on the newer object
//
// Objects are of the stored version's type. What a strategy leaves empty is what most kinds do.
// Kinds without a row in AllStrategies have the default: on create the status is dropped where
// there is a status subresource, and the generation is 1 where there is one; on update the status
// is the old one's, and the generation grows when anything but metadata and status has changed.
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

struct StrategyContext {
  const Objects* objects = nullptr;
  const User* user = nullptr;
  api::Time now;
  std::string_view namespace_{};
  std::string_view name{};
  bool dry_run = false;
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

struct Strategy {
  const reflect::Type* type = nullptr;  // stored
  std::string_view subresource{};       // "" for the object itself

  void (*prepare_create)(const StrategyContext& context, void* object) = nullptr;
  void (*prepare_update)(const StrategyContext& context, void* object, const void* old) = nullptr;
  // Beyond api/validation: what depends on other objects, or on the user.
  api::field::ErrorList (*validate_create)(const StrategyContext& context, const void* object) = nullptr;
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

// The rows; each file of this folder gives a part of them.
std::span<const Strategy> CoreStrategies();
std::span<const Strategy> WorkloadStrategies();
std::span<const Strategy> ServiceStrategies();
std::span<const Strategy> ClusterStrategies();

// Of this kind; the default one where there is no row. Constant.
const Strategy& StrategyOf(const reflect::Type& stored_type, std::string_view subresource = "");

}  // namespace podium::apiserver
