// The objects of one kind that pods of this node refer to, each with a watch of its own: a node may
// watch only single objects that its pods name (upstream's pkg/kubelet/util/manager,
// watch_based_manager.go, release 1.36). Internal to the folder.
//
// Counted: a watch begins with the first reference to its object and ends with the last, or once
// the object says that it is immutable.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/connection.h"
#include "client/object.h"
#include "node/cluster/server_access.h"

namespace podium::node {

// Threads: any.
class WatchedObjects {
 public:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  // An object came, changed or went. Called by tasks of the executor, under no lock; must not wait.
  using Changed = std::function<void(const std::string& name_space)>;

  // `resource`: "configmaps"; `word`: how messages name one, "configmap".
  WatchedObjects(ServerAccess access, std::string_view resource, std::string_view word,
                 Changed changed);
  WatchedObjects(const WatchedObjects&) = delete;
  WatchedObjects& operator=(const WatchedObjects&) = delete;
  // Ends all watches, and waits for what they are doing.
  ~WatchedObjects();

  // Both wait for nothing.
  void Add(const std::vector<Key>& keys);
  void Remove(const std::vector<Key>& keys);

  // What the watch says; the first time it waits until the object is read, for a second at most.
  // kNotFound in upstream's words; kUnavailable when it could not be read in that time, kInternal
  // for what nobody has referred to.
  Result<client::SharedObject> Get(std::string_view name_space, std::string_view name) const;
  // How many there are that are being watched.
  size_t watches() const;

 private:
  struct Item;
  struct State;

  std::shared_ptr<Item> Start(const Key& key) const;

  const ServerAccess access_;
  const client::Target resource_;  // of no namespace, without a name
  const std::string word_;
  const Changed changed_;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::node
