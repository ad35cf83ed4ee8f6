// Connection: what components need of a server of the Kubernetes API, in decoded form. The server
// in the same process implements it without encoding anything; another one speaks HTTP. Scheduler,
// controllers and node know a cluster only through this.
//
// A call carries no user: whoever makes a connection says whose it is, and every call of it passes
// authorization and admission as that user's request from outside would.
//
//   who         thread                       waiting
//   calls       any, any number at once      until the server has answered: over HTTP for as long
//                                            as that takes; in the same process for admission and
//                                            the store, and in a simulation not at all
//   watches     one at a time each           never: they are pulled, and tell when to
//
// Errors are the server's: they carry its metav1.Status (client/status_error.h), the code follows
// its reason:
//   kNotFound, kAlreadyExists, kConflict, kInvalidArgument (Invalid, BadRequest), kPermissionDenied
//   (Forbidden), kUnauthenticated, kExpired (Gone, Expired), kUnsupported (no such verb, type or
//   form), kResourceExhausted (too large), kUnavailable (too many requests, a server that is not
//   ready or not there), kDeadlineExceeded, kInternal
// and kCancelled once the connection is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/object.h"

namespace podium::client {

// What a request is about, in the words of its path.
struct Target {
  std::string group;     // "" for core
  std::string version;   // "v1"
  std::string resource;  // plural: "pods"
  // "": of the cluster; and for lists, watches and deleted collections, all namespaces.
  std::string namespace_ = {};
  std::string name = {};         // "" for collections, and for create unless of a subresource
  std::string subresource = {};  // "status", "scale", "binding"; "" for the object itself
  // Only metadata is wanted. Answers may then be PartialObjectMetadata, without managedFields; they
  // may be whole objects as well, so read them by SharedObject::meta().
  bool metadata_only = false;

  friend bool operator==(const Target&, const Target&) = default;
};

struct ObjectList {
  // resourceVersion: of the state that was read, to watch from. continue: the next page's token.
  api::meta::v1::ListMeta metadata;
  // In the server's order: by namespace, then name.
  std::vector<SharedObject> items;
};

enum class PatchType {
  kJson,            // RFC 6902
  kMerge,           // RFC 7386
  kStrategicMerge,  // not for custom resources: kUnsupported
  kApply,           // server-side apply: the whole wanted object; needs a fieldManager
};

enum class EventType { kAdded, kModified, kDeleted, kBookmark };

struct ObjectEvent {
  EventType type = EventType::kAdded;
  // kDeleted: its last state, at the delete's revision. kBookmark: null.
  SharedObject object = {};
  // kBookmark: every change up to this one was told.
  std::string resource_version = {};
  // kBookmark of a watch with sendInitialEvents: the objects that were there are all told.
  bool initial_events_end = false;
};

struct EventBatch {
  std::vector<ObjectEvent> events;  // in the order of their changes
  // There may be more to take now; `ready` will not be called for it.
  bool more = false;
  // The server has ended the watch in order (timeoutSeconds, a shutdown): nothing follows. Watch
  // again from the version seen last.
  bool ended = false;
};

// A place in the changes of a collection. Every change is handed out once and in order.
//
// Pulled: nobody waits in it, so that a watch needs no thread. Destroying it ends the watch, at the
// server too, and waits for `ready` if that is running in another thread.
class ObjectWatch {
 public:
  virtual ~ObjectWatch() = default;
  // What is there, at most so many events (at least 1), possibly nothing. After an error every
  // further call gives the same. kExpired: the version that it was at is gone, so list again; other
  // codes: it broke off, so watch again from the version seen last.
  virtual Result<EventBatch> Take(size_t max_events) = 0;
};

class Connection {
 public:
  // Called once when there is something to Take (events, the end or an error), after a Take that
  // left nothing; so the first Take comes unasked. On any thread, perhaps within Take or a call
  // that writes an object: it must do no more than note it or post a task, and must not destroy the
  // watch.
  using Ready = std::function<void()>;

  virtual ~Connection() = default;

  virtual Result<SharedObject> Get(const Target& target,
                                   const api::meta::v1::GetOptions& options) = 0;
  // One page of it where options.limit says so; `watch` is not looked at.
  virtual Result<ObjectList> List(const Target& target,
                                  const api::meta::v1::ListOptions& options) = 0;
  // `object` is read while the call runs, and never kept. What comes back is the object as it is
  // stored, which with a subresource may be another kind.
  virtual Result<SharedObject> Create(const Target& target, const ObjectView& object,
                                      const api::meta::v1::CreateOptions& options) = 0;
  virtual Result<SharedObject> Update(const Target& target, const ObjectView& object,
                                      const api::meta::v1::UpdateOptions& options) = 0;
  // `patch`: JSON; of kApply also YAML.
  virtual Result<SharedObject> Patch(const Target& target, PatchType type, std::string_view patch,
                                     const api::meta::v1::PatchOptions& options) = 0;
  // The object, if it stays for a while (a grace period, finalizers) or was the server's to show;
  // otherwise a metav1.Status of success.
  virtual Result<SharedObject> Delete(const Target& target,
                                      const api::meta::v1::DeleteOptions& options) = 0;
  virtual Result<void> DeleteCollection(const Target& target,
                                        const api::meta::v1::DeleteOptions& options,
                                        const api::meta::v1::ListOptions& which) = 0;
  // Changes after options.resourceVersion; "": what is there as kAdded, then what changes.
  // `watch` is taken as set. A single object: its name in target.name. kExpired comes from here or
  // from Take.
  virtual Result<std::unique_ptr<ObjectWatch>> Watch(const Target& target,
                                                     const api::meta::v1::ListOptions& options,
                                                     Ready ready) = 0;
  // A GET of what is no resource: discovery, "/version", "/openapi/v3?hash=x". The body, JSON where
  // there is a choice.
  virtual Result<std::string> GetRaw(const std::string& path_and_query) = 0;
};

}  // namespace podium::client
