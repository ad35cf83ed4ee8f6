// Where the time of a call goes, step by step: what `podium play --trace` shows.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace podium::runtime {

struct TraceStep {
  std::string_view id;    // of the sandbox or container
  std::string_view step;  // "network", "root file system"
  std::chrono::steady_clock::time_point begin;
  std::chrono::steady_clock::time_point end;
};

// Called from the thread that did the step; must return soon. May be called from several at once.
using TraceSink = std::function<void(const TraceStep&)>;

// One step, from its making to its end.
class TraceSpan {
 public:
  TraceSpan(const TraceSink& sink, std::string_view id, std::string_view step)
      : sink_(sink), id_(id), step_(step) {
    if (sink_) begin_ = std::chrono::steady_clock::now();
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (sink_) sink_({id_, step_, begin_, std::chrono::steady_clock::now()});
  }

 private:
  const TraceSink& sink_;
  std::string_view id_;
  std::string_view step_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace podium::runtime
