// Trace: where the time of a piece of work goes, step by step, as whoever asked for it wants to
// see it (`podium play --trace`: the start of a pod).
//
// A thread works for one trace at a time, or for none: whoever begins the work opens a TraceScope,
// and what is called below it says what it does with a TraceSpan, without knowing for whom. Without
// a trace a span costs the reading of a thread's own variable. Work that is handed to another
// thread takes TraceContext::Current() along.
//
// Times are CLOCK_MONOTONIC in nanoseconds: those of several processes of a machine, the shim's and
// a client's too, stand in one order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace podium {

int64_t TraceNow();

struct TraceStep {
  const char* name = "";  // a literal
  std::string subject;    // what it is about, where there are several: a container, an image
  int64_t begin = 0;
  int64_t end = 0;     // equal to begin: a moment
  uint32_t depth = 0;  // a step of depth 1 is part of the one of depth 0 that it lies in

  bool operator==(const TraceStep&) const = default;
};

// Threads: any.
class Trace {
 public:
  explicit Trace(size_t max_steps = 1024) : max_steps_(max_steps) {}
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // Dropped, and counted, when there are that many already.
  void Add(TraceStep step);
  // In the order in which they began; what contains comes before what is contained.
  std::vector<TraceStep> steps() const;
  size_t dropped() const;

 private:
  const size_t max_steps_;
  mutable std::mutex mutex_;
  std::vector<TraceStep> steps_;  // under mutex_
  size_t dropped_ = 0;            // under mutex_
};

// What a thread works for now.
struct TraceContext {
  Trace* trace = nullptr;
  uint32_t depth = 0;

  static TraceContext& Current() {
    static constinit thread_local TraceContext context;
    return context;
  }
};

// The thread works for this until the scope's end, then for what it did before.
class TraceScope {
 public:
  explicit TraceScope(Trace* trace) : TraceScope(trace, 0) {}
  // As the thread that `context` was copied in.
  explicit TraceScope(const TraceContext& context) : TraceScope(context.trace, context.depth) {}
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  ~TraceScope() { TraceContext::Current() = before_; }

 private:
  TraceScope(Trace* trace, uint32_t depth) : before_(TraceContext::Current()) {
    TraceContext::Current().trace = trace;
    TraceContext::Current().depth = depth;
  }

  const TraceContext before_;
};

// One step, from its making to its end. The subject outlives it.
class TraceSpan {
 public:
  explicit TraceSpan(const char* name, std::string_view subject = {})
      : trace_(TraceContext::Current().trace) {
    if (trace_) Begin(name, subject);
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (trace_) End();
  }

 private:
  void Begin(const char* name, std::string_view subject);
  void End();

  Trace* const trace_;
  const char* name_;  // these when there is a trace
  std::string_view subject_;
  int64_t begin_;
};

// A step that was measured elsewhere (by the shim), within those that are open now.
void TraceInterval(const char* name, int64_t begin, int64_t end, std::string_view subject = {});
// A moment.
void TraceMark(const char* name, std::string_view subject = {});

}  // namespace podium
