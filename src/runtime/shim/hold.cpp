// Containers that print faster than their logs are rotated. While one is held back its pipes are
// not read, and it waits as any program does whose reader is slower.
//
// It never depends on the agent alone: who is held back is looked at again in every turn of the
// loop, and goes on when the connection that asked for it has ended, when the container itself has,
// or after kLogPatience. Nothing of the shim waits meanwhile. Only what comes through the shim is
// held: an exec's streams are the caller's. A log may be larger than the bound by one chunk with
// its lines' times, and by what is left in the pipes of a container that has ended.
#include "runtime/shim/shim.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

// Of the connections that there are; 0: none has one.
uint64_t LogBound() {
  uint64_t bound = 0;
  for (const Connection& connection : g_shim.connections) {
    if (connection.fd >= 0 && connection.log_bound > bound) bound = connection.log_bound;
  }
  return bound;
}

// Somebody may have emptied the file in its place; and what is no file holds nothing.
void Measure(Process& process) {
  struct stat status = {};
  if (sys::Fstat(process.log, &status) < 0) return;
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size < process.log_written) process.log_written = process.log_reported = size;
}

void LookAt(Process& process, uint64_t now) {
  if (now - process.reminded >= kLogReminder) Measure(process);
  bool waits = MustWait(process);
  if (waits && now - process.held_since >= kLogPatience) {
    process.let_go = true;
    waits = false;
  }
  if (!waits) {
    process.held_since = 0;
    WatchStreams(process);
  } else if (now - process.reminded >= kLogReminder) {
    process.reminded = now;
    ReportGrowth(process);
  }
}

}  // namespace

bool MustWait(const Process& process) {
  // Nobody rotates the log of one that has ended.
  if (process.let_go || process.state.phase == ProcessPhase::kExited) return false;
  const uint64_t bound = LogBound();
  return bound != 0 && process.log_written >= bound;
}

bool Hold(Process& process) {
  if (process.held_since != 0) return true;  // by its other stream in this very turn
  Measure(process);
  if (!MustWait(process)) return false;
  for (const Stream& stream : process.streams) {
    // Not only unread but unwatched: that its writers are gone would be told without end.
    if (stream.fd >= 0) Unwatch(stream.fd);
  }
  g_shim.holding = true;
  process.held_since = process.reminded = MonotonicNow();
  ReportGrowth(process);
  return true;
}

int LookAtHeld() {
  const uint64_t now = MonotonicNow();
  g_shim.holding = false;
  for (size_t i = 0; i < g_shim.process_count; ++i) {
    Process& process = g_shim.processes[i];
    if (!process.used || process.held_since == 0) continue;
    LookAt(process, now);
    if (process.held_since != 0) g_shim.holding = true;
  }
  return g_shim.holding ? static_cast<int>(kLogReminder / kMillisecond) : -1;
}

}  // namespace podium::runtime::shim
