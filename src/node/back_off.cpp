#include "node/back_off.h"

#include <algorithm>

namespace podium::node {

std::optional<int64_t> BackOff::WaitUntil(std::string_view key, int64_t event, int64_t now) const {
  auto found = entries_.find(key);
  if (found == entries_.end() || Expired(found->second, event)) return std::nullopt;
  const int64_t until = event + found->second.delay;
  if (now >= until) return std::nullopt;
  return until;
}

std::optional<int64_t> BackOff::RetryAt(std::string_view key, int64_t now) const {
  auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return WaitUntil(key, found->second.last, now);
}

int64_t BackOff::Delay(std::string_view key) const {
  auto found = entries_.find(key);
  return found == entries_.end() ? 0 : found->second.delay;
}

void BackOff::Next(std::string_view key, int64_t event, int64_t now) {
  auto [at, inserted] = entries_.try_emplace(std::string(key));
  Entry& entry = at->second;
  entry.delay = inserted || Expired(entry, event) ? kInitial : std::min(entry.delay * 2, kMax);
  entry.last = now;
}

void BackOff::Forget(std::string_view key) {
  auto found = entries_.find(key);
  if (found != entries_.end()) entries_.erase(found);
}

void BackOff::Prune(int64_t now) {
  std::erase_if(entries_, [&](const auto& each) { return Expired(each.second, now); });
}

}  // namespace podium::node
