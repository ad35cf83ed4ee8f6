// Write: how the next state of an object comes to be and into the store. Every write is the same
// loop: read what is there, compute what is to be, store it under compare-and-swap, and when
// somebody else was faster do it again on the newer object (upstream's GuaranteedUpdate and the
// handlers around it, k8s.io/apiserver/pkg/registry/generic/registry/store.go, release 1.36).
//
//   Writer writer(...);
//   writer.Create(std::move(call), resource, [](CallPtr call, Result<WriteOutcome> outcome) {...});
//
// Nothing here blocks the caller's thread, unless it is one that may block: a write whose kind
// allocates something, or that webhooks or quotas are asked about, goes on in the executor. `done`
// is called once: within the call when nothing is to be stored, on the store's thread after the
// commit, or on the executor's. It must be short.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/types/meta_v1.h"
#include "apiserver/admission/chain.h"
#include "apiserver/authorization/escalation.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/objects.h"
#include "apiserver/strategies/strategy.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/gate.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

struct WriteOutcome {
  int status = 200;
  // What is stored now, or was deleted; null with `value`, and of what others have deleted first.
  store::EntryPtr entry{};
  bool deleted = false;
  // What has no entry: the object of a dry run, in the stored version; a Status; a Scale.
  reflect::AnyObject value{};
};

using WriteDone = std::function<void(Result<WriteOutcome> outcome)>;

class Change;

class Writer {
 public:
  struct Parts {
    store::Store* store = nullptr;
    const Objects* objects = nullptr;
    const AdmissionChain* admission = nullptr;
    const Clock* clock = nullptr;
    Executor* executor = nullptr;  // for what may wait, and for another try after a lost race
    const LiveCatalog* catalog = nullptr;
    ServiceAllocator* services = nullptr;
    // Of roles and bindings that are written.
    const EscalationCheck* escalation = nullptr;
  };
  // All of it outlives the writer, which outlives its writes.
  explicit Writer(const Parts& parts) : parts_(parts) {}
  // Until every write has ended. The caller sees to it that none begins any more.
  void WaitForWrites() const { gate_.WaitUntilEmpty(); }

  // POST to a collection.
  void Create(CallPtr call, const ServedResource& resource, WriteDone done);
  // PUT to an object or to one of its subresources that hold a part of it: status, approval,
  // finalize, ephemeralcontainers, resize.
  void Update(CallPtr call, const ServedResource& resource, WriteDone done);
  // PATCH of the same, of every type.
  void Patch(CallPtr call, const ServedResource& resource, WriteDone done);
  void Delete(CallPtr call, const ServedResource& resource, WriteDone done);
  // DELETE of a collection: of what the selectors of the query choose. The outcome is a list of it.
  void DeleteCollection(CallPtr call, const ServedResource& resource, WriteDone done);

  // POST to pods/binding and to bindings; to pods/eviction. The outcome is a Status.
  void Bind(CallPtr call, const ServedResource& resource, WriteDone done);
  void Evict(CallPtr call, const ServedResource& pods, WriteDone done);

  const Parts& parts() const { return parts_; }

  // Runs a change from its first attempt on.
  void Start(std::shared_ptr<Change> change);

  // Held by who goes on with a write later.
  Gate::Pass Enter() const { return gate_.Enter(); }

 private:
  const Parts parts_;
  const Gate gate_;
};

}  // namespace podium::apiserver
