// Watchers, and which of them a key concerns. Not synchronised: Core's, under its lock.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/store.h"

namespace podium::store {

// One watcher's place: the revision it has taken everything up to. While it is `idle` it has taken
// all there was, and its place moves on by itself with every change that is announced and does not
// concern it: nothing is done for watchers that have nothing to get.
struct Watcher {
  KeyRange keys;
  std::function<void()> ready;

  // Under Core's lock.
  Revision seen = 0;
  bool idle = false;
  size_t position = 0;  // in its list of the registry

  // Held while `ready` is called, so that nobody takes the watch away meanwhile.
  std::mutex calling;
  bool gone = false;  // under `calling`

  // Tells it that there is something to take; without Core's lock.
  void Wake() {
    std::lock_guard lock(calling);
    if (!gone && ready) ready();
  }
};

class WatcherRegistry {
 public:
  void Add(std::shared_ptr<Watcher> watcher);
  void Remove(Watcher& watcher);
  size_t size() const { return size_; }

  // Calls `visit` with every watcher that wants to know of the key. Takes a look-up for each length
  // that the prefixes have, and not one for each watcher.
  template <class Visit>
  void ForEachOf(std::string_view key, Visit visit) const {
    VisitList(singles_, key, visit);
    for (const auto& [length, lists] : prefixes_) {
      if (length > key.size()) break;
      VisitList(lists, key.substr(0, length), visit);
    }
  }
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, list] : singles_) VisitAll(list, visit);
    for (const auto& [length, lists] : prefixes_) {
      for (const auto& [prefix, list] : lists) VisitAll(list, visit);
    }
  }

 private:
  using List = std::vector<std::shared_ptr<Watcher>>;
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's word
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Lists = std::unordered_map<std::string, List, Hash, std::equal_to<>>;

  template <class Visit>
  static void VisitAll(const List& list, Visit& visit) {
    for (const std::shared_ptr<Watcher>& watcher : list) visit(watcher);
  }
  template <class Visit>
  static void VisitList(const Lists& lists, std::string_view text, Visit& visit) {
    const auto found = lists.find(text);
    if (found != lists.end()) VisitAll(found->second, visit);
  }
  static void RemoveFrom(Lists& lists, Watcher& watcher);

  Lists singles_;
  std::map<size_t, Lists> prefixes_;  // by length
  size_t size_ = 0;
};

}  // namespace podium::store
