// The log of requests: a line of JSON for each that took long, or for every one, with the keys that
// upstream's server logs under --logging-format=json (k8s.io/apiserver/pkg/server/httplog):
//
//   {"ts":1795381986123.456,"msg":"HTTP","verb":"LIST","URI":"/api/v1/pods","latency":"1.2ms",
//    "userAgent":"kubectl/v1.36.0","audit-ID":"…","srcIP":"10.0.0.1:4711","resp":200}
//
// The message of one that is there for its time alone is `slow request`. What is in headers and
// bodies is never logged.
#pragma once

#include <chrono>

#include "apiserver/call.h"
#include "apiserver/line_log.h"
#include "base/clock.h"

namespace podium::apiserver {

struct RequestLogOptions {
  // Every request, watches too, which are logged as they begin.
  bool all = false;
  // Else those that take longer. Long-running ones take as long as they are asked to and are not
  // slow; of those that are upgraded or streamed the time to the answer's head counts.
  std::chrono::nanoseconds slow = std::chrono::seconds(1);
};

// Threads: any.
class RequestLog {
 public:
  // Both outlive it.
  RequestLog(const RequestLogOptions& options, LineLog& log, const Clock& clock)
      : options_(options), log_(log), clock_(clock) {}

  // Of a call that is answered now.
  void Note(const Call& call, int status) const;

 private:
  const RequestLogOptions options_;
  LineLog& log_;
  const Clock& clock_;
};

}  // namespace podium::apiserver
