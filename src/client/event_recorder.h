// EventRecorder: tells people what happened to an object, by Events in the cluster (upstream's
// k8s.io/client-go/tools/record). The same thing told again counts up the Event that is there
// instead of making another one; the last 4096 are remembered for that.
//
// Left out of upstream's: similar events are not put together, and nobody is told less often for
// telling much. Who may tell without end must see to that.
//
// Threads: any; waits for the server.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"

namespace podium::client {

class EventRecorder {
 public:
  // Both outlive it. `component`: who tells, "ipallocator-repair-controller".
  EventRecorder(Connection& connection, const Clock& clock, std::string component)
      : connection_(connection), clock_(clock), component_(std::move(component)) {}

  // `type`: "Normal" or "Warning". In the object's namespace, or in default for what has none.
  // Errors are the server's, and nothing is remembered then.
  Result<void> Record(const api::core::v1::ObjectReference& about, std::string_view type,
                      std::string_view reason, std::string_view message);

 private:
  struct Told {
    std::string name;  // of the Event
    int32_t count = 1;
  };

  Result<bool> CountUp(const std::string& name_space, const Told& told);
  void Remember(const std::string& key, Told told);

  Connection& connection_;
  const Clock& clock_;
  const std::string component_;
  std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, Told> told_;
  std::deque<std::string> order_;  // of told_'s keys, the oldest first
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
