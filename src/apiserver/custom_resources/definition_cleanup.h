// What happens to a definition that is deleted: its instances are deleted, straight in the store as
// upstream does it; when the last one is gone, so is the definition (upstream's CRDFinalizer,
// k8s.io/apiextensions-apiserver/pkg/controller/finalizer, release 1.36). Instances with finalizers
// stay until those are removed; until then the definition is served.
#pragma once

#include <memory>
#include <string>

#include "apiserver/catalog.h"
#include "base/clock.h"
#include "base/executor.h"
#include "store/store.h"

namespace podium::apiserver {

class DefinitionCleanup {
 public:
  struct Parts {
    store::Store* store = nullptr;
    const Clock* clock = nullptr;
    Executor* executor = nullptr;
    const LiveCatalog* catalog = nullptr;
  };
  // All of it outlives this, and the executor's tasks end before the rest goes.
  explicit DefinitionCleanup(const Parts& parts);
  ~DefinitionCleanup();
  DefinitionCleanup(const DefinitionCleanup&) = delete;
  DefinitionCleanup& operator=(const DefinitionCleanup&) = delete;

  // Of a definition that waits for it; goes on in the executor until it is gone. Does nothing for
  // one that is being cleaned up already. Threads: any; nothing waits.
  void Begin(const std::string& name);

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::apiserver
