// ComponentStatuses: what `kubectl get cs` shows, made when it is asked for (upstream's
// pkg/registry/core/componentstatus and componentStatusStorage of pkg/registry/core/rest, release
// 1.36). Three names: scheduler, controller-manager and etcd-0, which is the store. Of a component
// in this process its owner says how it is (Tell); else it is asked as upstream asks, at its usual
// port on this machine, so that upstream's own programs are seen beside this server.
//
// Threads: any. All and Get may wait.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

// Whether the store can be relied on: the check of /readyz/etcd, too. It does not wait.
Result<void> CheckStore(const store::Store& store);

class ComponentStatuses {
 public:
  // May wait, for some seconds.
  using Check = std::function<Result<void>()>;
  // Where a component listens that is not in this process.
  struct Port {
    std::string component;
    uint16_t port = 0;
  };

  explicit ComponentStatuses(const store::Store& store)
      : ComponentStatuses(store, {{"scheduler", 10259}, {"controller-manager", 10257}}) {}
  // Of other ports. The store outlives it.
  ComponentStatuses(const store::Store& store, std::vector<Port> ports);

  // The component is in this process now; {}: not any more, and no check runs when this returns.
  void Tell(const std::string& component, Check check);

  std::vector<api::core::v1::ComponentStatus> All() const;
  // 500, in upstream's words, for another name.
  Result<api::core::v1::ComponentStatus> Get(std::string_view name) const;

  // The answers to GET of one and of all.
  Answer AnswerGet(const Call& call, const ServedResource& resource) const;
  Answer AnswerList(const Call& call, const ServedResource& resource) const;

 private:
  api::core::v1::ComponentStatus StatusOf(const Port& port) const;

  const store::Store& store_;
  const std::vector<Port> ports_;
  // Held while a check runs.
  mutable std::mutex mutex_;
  std::map<std::string, Check> told_;
};

}  // namespace podium::apiserver
