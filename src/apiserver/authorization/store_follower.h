// StoreFollower: what is worked out of the objects below some prefixes of the store, kept up to
// date by its watches, so that an answer does not begin with reading them all.
//
// It is brought up to date by whoever reads, before reading: a write that was acknowledged counts
// for whoever asks next. Nobody is woken for it, and nothing is done while nobody asks.
//
//   TRY(const auto lock, follower_.Read());
//   … look into what the handler has made …
//
// Threads: any. The handler is called by one reader at a time, while no other one reads.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

class StoreFollower {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // All is to be read anew: nothing is known.
    virtual void Reset() = 0;
    // The key has this entry now; `prefix` is the number of the prefix that it is below.
    virtual void Put(size_t prefix, const store::Entry& entry) = 0;
    // It is gone; it may be one that was never put.
    virtual void Remove(size_t prefix, std::string_view key) = 0;
  };

  // Store and handler outlive it. Nothing is read yet.
  StoreFollower(store::Store& store, std::vector<std::string> prefixes, Handler& handler);
  ~StoreFollower();
  StoreFollower(const StoreFollower&) = delete;
  StoreFollower& operator=(const StoreFollower&) = delete;

  // Up to date as of this call; what the handler has made stays as it is while the lock is held.
  // Errors: those of the store's Range and Watch but kExpired, after which it begins anew.
  Result<std::shared_lock<std::shared_mutex>> Read();

 private:
  // Under catching_up_.
  Result<void> CatchUp();
  Result<void> ReadAnew();
  // Hands over what there is below one prefix.
  Result<void> TakeAll(size_t prefix);

  store::Store& store_;
  const std::vector<std::string> prefixes_;
  Handler& handler_;
  std::mutex catching_up_;
  std::shared_mutex made_;
  // Under catching_up_. One for each prefix; empty before all was read.
  std::vector<std::unique_ptr<store::Watch>> watches_;
};

}  // namespace podium::apiserver
