// Says who holds the port that a container wanted, when that is why it failed: two containers of
// one pod share its ports, and the second to bind one hears only "address already in use".
//
// Only what is known is said. A container is looked at once, right after it has failed soon after
// its start, while the one that holds the port still runs:
//   it declares the port (containerPort), and another container holds it
//       port 80 is held by container "first" (httpd, pid 4711)
//   the last lines that it printed tell of an address in use, and name a port that another holds
//       the same
//   they tell of an address in use, and name none
//       address in use; held by others here: port 80 by container "first" (httpd, pid 4711)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "node/event_recorder.h"
#include "node/observed_pod.h"
#include "runtime/runtime.h"

namespace podium::node {

// What to say, if anything. `holders`: none of the container's own. `last_lines`: what it printed
// last. Pure.
std::string DescribePortConflict(const v1::Container& container,
                                 const std::vector<runtime::PortHolder>& holders,
                                 std::string_view last_lines);

// Of one pod; one caller at a time.
class PortConflicts {
 public:
  PortConflicts(runtime::Runtime& runtime, const Clock& clock, EventSink& events)
      : runtime_(runtime), clock_(clock), events_(events) {}

  // Records an event (PortHeld) for a container that has failed so since the last call, and says
  // the same in the message of its state where the container itself has left none.
  void Look(const v1::Pod& pod, ObservedPod* observed);

 private:
  std::string Describe(const v1::Container& container, const ObservedContainer& failed) const;

  runtime::Runtime& runtime_;
  const Clock& clock_;
  EventSink& events_;
  std::map<std::string, std::string, std::less<>> found_;  // by container id; "": nothing to say
};

}  // namespace podium::node
