#include "base/bulk_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace podium {
namespace bulk {
namespace {

constexpr size_t kReserved = size_t{16} << 30;
// Pages are made usable in steps, so that little is charged where the kernel counts what could be
// used (overcommit_memory=2).
constexpr size_t kStep = size_t{1} << 20;
constexpr size_t kAlignment = 16;
constexpr size_t kPage = 4096;
// Idle runs beyond these give their pages back, but for the one with the header.
constexpr uint32_t kWarmRuns = 32;

// A run while its thread still allocates from it counts this much more, so that it is not found
// empty by another thread: the thread itself counts what it makes, less what of that it lets go of
// itself, only when it leaves the run.
constexpr uint32_t kInUse = uint32_t{1} << 31;

struct Run {
  std::atomic<uint32_t> alive;
  Run* next_idle;
};
constexpr size_t kHeader = (sizeof(Run) + kAlignment - 1) & ~(kAlignment - 1);

// What all threads share. Written under the mutex; `base` once, before any memory of it is given
// out, so that who holds such memory sees it.
struct Shared {
  std::mutex mutex;
  std::atomic<char*> base = nullptr;
  bool refused = false;
  size_t usable = 0;
  uint32_t runs = 0;
  uint32_t idle = 0;
  Run* idle_runs = nullptr;
};
constinit Shared shared;

struct ThreadState {
  char* at = nullptr;
  char* end = nullptr;
  Run* run = nullptr;
  uint32_t made = 0;  // in `run` and not freed by this thread, not counted there yet
  uint32_t scopes = 0;
};
constinit thread_local ThreadState thread;

bool Reserve() {
  if (shared.base.load(std::memory_order_relaxed)) return true;
  if (shared.refused) return false;
  void* memory = mmap(nullptr, kReserved + kRunBytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    shared.refused = true;
    return false;
  }
  // A huge page would hold 64 runs' worth of memory for one.
  madvise(memory, kReserved + kRunBytes, MADV_NOHUGEPAGE);
  char* const start = static_cast<char*>(memory);
  const size_t over = reinterpret_cast<uintptr_t>(start) % kRunBytes;
  shared.base.store(over == 0 ? start : start + kRunBytes - over, std::memory_order_relaxed);
  return true;
}

Run* TakeRun() {
  const std::lock_guard lock(shared.mutex);
  if (Run* run = shared.idle_runs) {
    shared.idle_runs = run->next_idle;
    --shared.idle;
    return run;
  }
  if (!Reserve()) return nullptr;
  char* const base = shared.base.load(std::memory_order_relaxed);
  const size_t offset = size_t{shared.runs} * kRunBytes;
  if (offset == kReserved) return nullptr;
  if (offset == shared.usable) {
    if (mprotect(base + offset, kStep, PROT_READ | PROT_WRITE) != 0) {
      return nullptr;
    }
    shared.usable += kStep;
  }
  ++shared.runs;
  return reinterpret_cast<Run*>(base + offset);
}

void GiveBack(Run* run) {
  const std::lock_guard lock(shared.mutex);
  if (shared.idle >= kWarmRuns) {
    madvise(reinterpret_cast<char*>(run) + kPage, kRunBytes - kPage, MADV_DONTNEED);
  }
  run->next_idle = shared.idle_runs;
  shared.idle_runs = run;
  ++shared.idle;
}

// Counts what the thread made in its run, and lets go of it.
void LeaveRun() {
  if (!thread.run) return;
  const uint32_t change = thread.made - kInUse;
  if (thread.run->alive.fetch_add(change, std::memory_order_acq_rel) + change == 0) {
    GiveBack(thread.run);
  }
  thread.run = nullptr;
  thread.at = thread.end = nullptr;
  thread.made = 0;
}

// A thread that ends leaves its run.
struct AtThreadEnd {
  ~AtThreadEnd() { LeaveRun(); }
  void Watch() {}
};
thread_local AtThreadEnd at_thread_end;

[[gnu::noinline]] void* AllocateInNewRun(size_t bytes) {
  if (bytes > kLargest) return nullptr;
  LeaveRun();
  Run* run = TakeRun();
  if (!run) return nullptr;
  at_thread_end.Watch();
  run->alive.store(kInUse, std::memory_order_relaxed);
  char* const start = reinterpret_cast<char*>(run);
  thread.run = run;
  thread.at = start + kHeader + bytes;
  thread.end = start + kRunBytes;
  thread.made = 1;
  return start + kHeader;
}

}  // namespace

bool Active() { return thread.scopes != 0; }

void* Allocate(size_t bytes) {
  // The rounded size is 0 for what no run could hold, too.
  const size_t rounded = (std::max<size_t>(bytes, 1) + kAlignment - 1) & ~(kAlignment - 1);
  if (bytes <= kLargest && rounded <= static_cast<size_t>(thread.end - thread.at)) [[likely]] {
    void* const memory = thread.at;
    thread.at += rounded;
    ++thread.made;
    return memory;
  }
  return bytes > kLargest ? nullptr : AllocateInNewRun(rounded);
}

bool Owns(const void* memory) {
  const char* const base = shared.base.load(std::memory_order_relaxed);
  return base &&
         reinterpret_cast<uintptr_t>(memory) - reinterpret_cast<uintptr_t>(base) < kReserved;
}

void Free(void* memory) {
  const size_t inside = reinterpret_cast<uintptr_t>(memory) % kRunBytes;
  Run* const run = reinterpret_cast<Run*>(static_cast<char*>(memory) - inside);
  if (run == thread.run) {
    // As much freed as made, and all by this thread: the run is as new.
    if (--thread.made == 0) thread.at = reinterpret_cast<char*>(run) + kHeader;
    return;
  }
  if (run->alive.fetch_sub(1, std::memory_order_acq_rel) == 1) GiveBack(run);
}

Usage CurrentUsage() {
  const std::lock_guard lock(shared.mutex);
  return {shared.runs, shared.idle};
}

}  // namespace bulk

BulkAllocation::BulkAllocation() { ++bulk::thread.scopes; }
BulkAllocation::~BulkAllocation() { --bulk::thread.scopes; }

}  // namespace podium
