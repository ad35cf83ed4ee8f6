// Objects whose owners are gone go as well; owners that wait for what they own (foreground), or
// that leave it behind (orphan), are let go when that is done (upstream's
// pkg/controller/garbagecollector, release 1.36).
//
// Informers over the metadata of every resource make a graph by uid, which says who to look at;
// what is done is decided by what the server says then: an owner is absent when a GET of its name
// finds nothing, or another uid. An owner is looked for in the namespace of what it owns, so that
// one of another namespace is absent. What cannot be told, an owner of a kind that nobody serves,
// or a namespaced owner of what is in no namespace, keeps its objects.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/types/meta_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

enum class OwnerState {
  kSolid,    // is there, or nobody can say
  kWaiting,  // is being deleted, and waits for its dependents
  kAbsent,
};

struct Collection {
  enum Action { kKeep, kDropReferences, kDelete };
  Action action = kKeep;
  std::vector<std::string> drop{};  // uids of owners to forget
  std::string policy{};             // of the deletion
};

// `owners`: of each of the object's owner references, in their order. Pure.
Collection DecideCollection(const api::meta::v1::ObjectMeta& object,
                            const std::vector<OwnerState>& owners, bool has_dependents);

std::unique_ptr<Controller> MakeGarbageCollector(const ControllerContext& context);

}  // namespace podium::controllers
