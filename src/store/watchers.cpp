#include "store/watchers.h"

namespace podium::store {

void WatcherRegistry::Add(std::shared_ptr<Watcher> watcher) {
  const KeyRange& keys = watcher->keys;
  List& list = (keys.single ? singles_ : prefixes_[keys.text.size()])[keys.text];
  watcher->position = list.size();
  list.push_back(std::move(watcher));
  ++size_;
}

void WatcherRegistry::Remove(Watcher& watcher) {
  if (watcher.keys.single) {
    RemoveFrom(singles_, watcher);
  } else {
    const auto lists = prefixes_.find(watcher.keys.text.size());
    RemoveFrom(lists->second, watcher);
    if (lists->second.empty()) prefixes_.erase(lists);
  }
  --size_;
}

void WatcherRegistry::RemoveFrom(Lists& lists, Watcher& watcher) {
  const auto found = lists.find(watcher.keys.text);
  List& list = found->second;
  list.back()->position = watcher.position;
  list[watcher.position] = std::move(list.back());
  list.pop_back();
  if (list.empty()) lists.erase(found);
}

}  // namespace podium::store
