// What was found out before, by the bytes it was found out of: at most so many, and when it is full
// the older half goes. Threads: any.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace podium::apiserver {

template <class Value>
class BoundedCache {
 public:
  explicit BoundedCache(size_t most) : half_((most + 1) / 2) {}

  std::shared_ptr<const Value> Find(std::string_view key) const {
    const std::shared_lock lock(mutex_);
    if (const auto found = young_.find(key); found != young_.end()) return found->second;
    const auto found = old_.find(key);
    return found != old_.end() ? found->second : nullptr;
  }

  void Set(std::string_view key, std::shared_ptr<const Value> value) {
    const std::unique_lock lock(mutex_);
    if (young_.size() >= half_ && !young_.contains(key)) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.insert_or_assign(std::string(key), std::move(value));
  }

  void Remove(std::string_view key) {
    const std::unique_lock lock(mutex_);
    for (Map* map : {&young_, &old_}) {
      if (const auto found = map->find(key); found != map->end()) map->erase(found);
    }
  }

  size_t size() const {
    const std::shared_lock lock(mutex_);
    return young_.size() + old_.size();
  }

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): std's
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Map = std::unordered_map<std::string, std::shared_ptr<const Value>, Hash, std::equal_to<>>;

  const size_t half_;
  mutable std::shared_mutex mutex_;
  Map young_;
  Map old_;
};

}  // namespace podium::apiserver
