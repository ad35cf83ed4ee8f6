// EventRecorder: tells people what happened to an object, by Events in the cluster (upstream's
// k8s.io/client-go/tools/record). What is told again and again is put together, counted and held
// back first (event_correlator.h).
//
// Upstream's sends what it is given later, from a queue, and tries what the server did not take
// again for two minutes. Here who tells waits for the server and hears of its error, and tells it
// again in its next round, if it still is so (Record); or it keeps what is to be told, and sends it
// as often as it likes (Prepare, Send, GiveUp).
//
// Threads: any; one after the other waits for the server.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"
#include "client/event_correlator.h"

namespace podium::client {

class EventRecorder {
 public:
  using Annotations = std::map<std::string, std::string>;

  // Both outlive it. `component`: who tells, "ipallocator-repair-controller"; `host`: on which
  // machine, where there are several of its kind.
  EventRecorder(Connection& connection, const Clock& clock, std::string component,
                std::string host = "")
      : connection_(connection),
        clock_(clock),
        component_(std::move(component)),
        host_(std::move(host)),
        correlator_(clock) {}

  // `type`: "Normal" or "Warning". In the object's namespace, or in default for what has none. What
  // is held back is no error. Errors are the server's, and the Event does not count then.
  Result<void> Record(const api::core::v1::ObjectReference& about, std::string_view type,
                      std::string_view reason, std::string_view message);

  // What became of an Event of `at`, nanoseconds since 1970: nothing more is to be done where it
  // says skip. In the order in which things happened; each is sent or given up before the next.
  CorrelatedEvent Prepare(const api::core::v1::ObjectReference& about, std::string_view type,
                          std::string_view reason, std::string_view message, int64_t at,
                          const Annotations& annotations = {});
  // After an error it may be sent again.
  Result<void> Send(const CorrelatedEvent& told);
  // It does not count, then.
  void GiveUp(const CorrelatedEvent& told);

 private:
  CorrelatedEvent PrepareLocked(const api::core::v1::ObjectReference& about, std::string_view type,
                                std::string_view reason, std::string_view message, int64_t at,
                                const Annotations& annotations = {});
  Result<void> SendLocked(const CorrelatedEvent& told);
  // The stored Event.
  Result<SharedObject> Store(const CorrelatedEvent& told);

  Connection& connection_;
  const Clock& clock_;
  const std::string component_;
  const std::string host_;
  // Held while an Event is sent, so that what is counted is in order.
  std::mutex mutex_;
  EventCorrelator correlator_;  // under mutex_
};

// A reference to it, as Events have it.
template <class T>
api::core::v1::ObjectReference ReferenceTo(const T& object) {
  const reflect::Type& type = reflect::TypeOf<T>();
  api::core::v1::ObjectReference reference;
  reference.kind = type.name;
  reference.apiVersion = type.ApiVersion();
  reference.namespace_ = object.metadata.namespace_;
  reference.name = object.metadata.name;
  reference.uid = object.metadata.uid;
  reference.resourceVersion = object.metadata.resourceVersion;
  return reference;
}

}  // namespace podium::client
