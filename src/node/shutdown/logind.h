// systemd's logind, as far as a node needs it: who delays the machine's going down, and who says
// that it is about to (systemd's inhibitor locks, org.freedesktop.login1(5)).
//
// Its library, sd-bus of libsystemd, is loaded by the first connection: a machine without it has no
// logind either, and a node that does not ask for it does not carry it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::node {

// One connection. Threads: one at a time.
class Logind {
 public:
  virtual ~Logind() = default;

  // How long it lets the machine be delayed at most.
  virtual Result<std::chrono::microseconds> InhibitDelayMax() = 0;
  // Reads its configuration again, some time soon.
  virtual Result<void> Reload() = 0;
  // The machine does not go down while it is open, for as long as logind has patience.
  virtual Result<UniqueFd> InhibitShutdown() = 0;
  // Waits until the machine is about to go down (true) or is not any more (false). Nothing: the
  // descriptor `wake` has become readable. What was said since the connection began is not missed.
  // An error: the connection is gone.
  virtual Result<std::optional<bool>> NextShutdown(int wake) = 0;
};

// The one of this machine, by the system's bus. kUnavailable where there is none.
Result<std::unique_ptr<Logind>> ConnectLogind();

}  // namespace podium::node
