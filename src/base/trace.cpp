#include "base/trace.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

namespace podium {

int64_t TraceNow() {
  // CLOCK_MONOTONIC, on Linux.
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Trace::Add(TraceStep step) {
  const std::lock_guard lock(mutex_);
  if (steps_.size() < max_steps_) {
    steps_.push_back(std::move(step));
  } else {
    ++dropped_;
  }
}

std::vector<TraceStep> Trace::steps() const {
  std::vector<TraceStep> out;
  {
    const std::lock_guard lock(mutex_);
    out = steps_;
  }
  // Steps are added when they end: of two that began at once the inner one came first.
  std::ranges::sort(out, [](const TraceStep& a, const TraceStep& b) {
    return std::tuple(a.begin, a.depth, a.end) < std::tuple(b.begin, b.depth, b.end);
  });
  return out;
}

size_t Trace::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void TraceSpan::Begin(const char* name, std::string_view subject) {
  name_ = name;
  subject_ = subject;
  ++TraceContext::Current().depth;
  begin_ = TraceNow();
}

void TraceSpan::End() {
  const int64_t end = TraceNow();
  const uint32_t depth = --TraceContext::Current().depth;
  trace_->Add({.name = name_,
               .subject = std::string(subject_),
               .begin = begin_,
               .end = end,
               .depth = depth});
}

void TraceInterval(const char* name, int64_t begin, int64_t end, std::string_view subject) {
  const TraceContext& current = TraceContext::Current();
  if (!current.trace) return;
  current.trace->Add({.name = name,
                      .subject = std::string(subject),
                      .begin = begin,
                      .end = end,
                      .depth = current.depth});
}

void TraceMark(const char* name, std::string_view subject) {
  if (!TraceContext::Current().trace) return;
  const int64_t now = TraceNow();
  TraceInterval(name, now, now, subject);
}

}  // namespace podium
