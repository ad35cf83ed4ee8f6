// A server of the Kubernetes API over plain maps, for tests of what speaks to one: versions,
// conflicts, selectors, pages, finalizers, patches, watches with history, and failures on demand.
// What it does not do: validation, defaults, admission, users, graceful deletion, conversion
// between versions (each is stored for itself), subresources but status, binding and eviction.
//
// It behaves as tests/client/contract.h asks of every Connection. Deterministic: uids and versions
// are counted, time is the clock's. Threads: any; it waits for nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "client/connection.h"

namespace podium::client {

class FakeWatch;

// The connection of everyone; watches must not outlive it.
class FakeServer : public Connection {
 public:
  // Outlived by the clock.
  explicit FakeServer(const Clock& clock) : clock_(clock) {}
  ~FakeServer() override;

  // What a call is to fail with, if at all. `verb`: "get", "list", "create", "update", "patch",
  // "delete", "deletecollection", "watch".
  using Fault = std::function<std::optional<Error>(std::string_view verb, const Target& target)>;
  void SetFault(Fault fault);
  // Of one verb, all in all, also those that failed.
  int calls(std::string_view verb) const;
  // The newest version.
  int64_t version() const;
  // History and older lists are gone: watches that have not taken what there was get kExpired.
  void Compact();
  // All watches: they end in order; they break off; they get a bookmark, if they asked for such.
  void EndWatches();
  void BreakWatches(const Error& error);
  void SendBookmarks();
  size_t watches() const;

  Result<SharedObject> Get(const Target& target, const api::meta::v1::GetOptions& options) override;
  Result<ObjectList> List(const Target& target, const api::meta::v1::ListOptions& options) override;
  Result<SharedObject> Create(const Target& target, const ObjectView& object,
                              const api::meta::v1::CreateOptions& options) override;
  Result<SharedObject> Update(const Target& target, const ObjectView& object,
                              const api::meta::v1::UpdateOptions& options) override;
  Result<SharedObject> Patch(const Target& target, PatchType type, std::string_view patch,
                             const api::meta::v1::PatchOptions& options) override;
  Result<SharedObject> Delete(const Target& target,
                              const api::meta::v1::DeleteOptions& options) override;
  Result<void> DeleteCollection(const Target& target, const api::meta::v1::DeleteOptions& options,
                                const api::meta::v1::ListOptions& which) override;
  Result<std::unique_ptr<ObjectWatch>> Watch(const Target& target,
                                             const api::meta::v1::ListOptions& options,
                                             Ready ready) override;
  // "/version" and nothing else.
  Result<std::string> GetRaw(const std::string& path_and_query) override;

 private:
  friend class FakeWatch;
  using Key = std::pair<std::string, std::string>;  // namespace, name
  struct Change {
    int64_t version;
    std::string resource;
    SharedObject object;    // null: it is deleted
    SharedObject previous;  // its last state; null: it is new
    SharedObject last;      // of a deletion: the previous one, at this version
  };

  static std::string ResourceOf(const Target& target);
  Result<void> Begin(std::string_view verb, const Target& target);
  Result<const SharedObject*> FindLocked(const Target& target) const;
  // The newest state, or that of `version` again.
  std::map<Key, SharedObject> StateLocked(const std::string& resource, int64_t version) const;
  SharedObject StoreLocked(const Target& target, reflect::AnyObject object, SharedObject previous);
  SharedObject RemoveLocked(const Target& target, const SharedObject& object);
  Result<SharedObject> ReplaceLocked(const Target& target, reflect::AnyObject object,
                                     const SharedObject& previous, bool dry_run);
  Result<SharedObject> CreateLocked(const Target& target, const ObjectView& object, bool dry_run);
  Result<reflect::AnyObject> PatchedLocked(PatchType type, std::string_view patch,
                                           const SharedObject& live) const;
  Result<SharedObject> ApplyLocked(const Target& target, std::string_view config,
                                   const api::meta::v1::PatchOptions& options);
  Result<SharedObject> BindLocked(const Target& target, const ObjectView& binding);
  Result<SharedObject> DeleteLocked(const Target& target,
                                    const api::meta::v1::DeleteOptions& options);
  void WakeAll();

  const Clock& clock_;
  mutable std::mutex mutex_;
  // Under mutex_.
  Fault fault_;
  std::map<std::string, int, std::less<>> calls_;
  int64_t version_ = 1;
  int64_t compacted_ = 0;
  int64_t named_ = 0;
  std::map<std::string, std::map<Key, SharedObject>> objects_;  // by resource
  std::vector<Change> history_;                                 // after compacted_
  std::set<FakeWatch*> watches_;
};

}  // namespace podium::client
