// A Pod as one row of a table: what `get pods` shows. As upstream's printer
// (k8s.io/kubernetes/pkg/printers/internalversion, printPod; release 1.36). Pure.
#pragma once

#include <string>

#include "api/time.h"
#include "api/types/core_v1.h"

namespace podium::api {

struct PodRow {
  std::string name;
  std::string ready;     // "1/2": ready containers, sidecars among them, of all
  std::string status;    // Running, Init:0/1, CrashLoopBackOff, Terminating ...
  std::string restarts;  // "2 (5m ago)"
  std::string age;       // "<unknown>" without a creation time
  std::string ip;        // "<none>" without one
  std::string node;      // likewise
};

PodRow RowOf(const core::v1::Pod& pod, Time now);

// A span of time in two units at most: 75s, 4m20s, 3h5m, 2d4h, 400d, 3y (upstream's
// k8s.io/apimachinery/pkg/util/duration, HumanDuration). "<invalid>" for what lies more than a
// second ahead; no span is longer than 292y, where Go's durations end.
std::string HumanDuration(int64_t seconds);

}  // namespace podium::api
