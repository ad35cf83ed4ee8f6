#include "http/connection_pool.h"

#include <poll.h>

#include <algorithm>
#include <iterator>

namespace podium::http {

bool Connection::IsStale() const {
  if (reader.HasRest() || stream->Buffered()) return true;
  pollfd polled{stream->fd(), POLLIN, 0};
  return poll(&polled, 1, 0) != 0;
}

std::unique_ptr<Connection> ConnectionPool::Take(const Route& route) {
  // Closed without the lock: closing may take its time.
  std::list<Idle> dropped;
  const std::lock_guard lock(mutex_);
  const Clock::time_point oldest = Clock::now() - keep_;
  while (!idle_.empty() && idle_.back().since < oldest) {
    dropped.splice(dropped.end(), idle_, std::prev(idle_.end()));
  }
  for (auto next = idle_.begin(); next != idle_.end();) {
    const auto idle = next++;
    if (idle->connection->route != route) continue;
    dropped.splice(dropped.begin(), idle_, idle);
    if (dropped.front().connection->IsStale()) continue;
    dropped.front().connection->reused = true;
    return std::move(dropped.front().connection);
  }
  return nullptr;
}

void ConnectionPool::Put(std::unique_ptr<Connection> connection) {
  if (connection->IsStale()) return;
  // What bounded the request is no longer there.
  connection->stream->SetLimits({});
  std::list<Idle> dropped;
  const std::lock_guard lock(mutex_);
  idle_.push_front({std::move(connection), Clock::now()});
  const Route& route = idle_.front().connection->route;
  const auto same = [&](const Idle& idle) { return idle.connection->route == route; };
  if (std::ranges::count_if(idle_, same) > static_cast<ptrdiff_t>(max_per_route_)) {
    const auto oldest = std::find_if(idle_.rbegin(), idle_.rend(), same);
    dropped.splice(dropped.end(), idle_, std::prev(oldest.base()));
  }
  if (idle_.size() > max_idle_) dropped.splice(dropped.end(), idle_, std::prev(idle_.end()));
}

void ConnectionPool::Clear() {
  std::list<Idle> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
}

}  // namespace podium::http
