// Definitions: what follows the CustomResourceDefinitions of the store. Their status is settled
// (definition_status.h), what they define is put into the catalog, and of one that is deleted the
// instances are deleted first.
//
// At once: a catalog has a resource before its definition is told to be established, and who has
// written a definition is answered after CatchUp, so that the next request finds what it says.
// Requests themselves only load a pointer (LiveCatalog).
//
// Status and finalizers are written into the store itself, past admission, as the server's own
// controllers do upstream, under compare-and-swap; what is lost is made again on the newer state.
// Nothing is kept outside the store: after a restart Start reads all of it, and deletions go on.
#pragma once

#include <memory>

#include "apiserver/catalog.h"
#include "apiserver/custom_resources/custom_conversion.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

class Definitions {
 public:
  struct Parts {
    store::Store* store = nullptr;
    const Clock* clock = nullptr;
    Executor* executor = nullptr;
    LiveCatalog* catalog = nullptr;
    const ConversionWebhooks* webhooks = nullptr;  // may be null: none is called
  };
  // All of it outlives this, and the executor's tasks end before the rest goes.
  explicit Definitions(const Parts& parts);
  ~Definitions();
  Definitions(const Definitions&) = delete;
  Definitions& operator=(const Definitions&) = delete;

  // Reads all there are; from then on changes are followed by themselves, too.
  Result<void> Start();
  // Until all that is stored now is in the catalog and in the definitions' status. It may wait for
  // the store: not for threads of a loop or of the store. Threads: any other.
  Result<void> CatchUp();
  // Follows no more. Before the executor ends.
  void Stop();

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::apiserver
