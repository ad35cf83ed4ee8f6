#include "commands/play_trace.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/node_facts.h"
#include "cli/text.h"

namespace podium::commands {
namespace {

using reflect::JsonValue;

// Of the whole: what is less is told together with its neighbours.
constexpr int64_t kSmallPart = 200;

std::string Milliseconds(int64_t nanoseconds) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%10.3f", static_cast<double>(nanoseconds) / 1e6);
  return text;
}

std::string Line(int64_t at, const std::string& takes, const std::string& own, uint32_t depth,
                 const std::string& what) {
  return Milliseconds(at) + takes + own + "  " + std::string(size_t{2} * depth, ' ') + what + '\n';
}

// What of a step is in none of the steps that it is made of. Those follow it.
int64_t OwnTime(const std::vector<PodTrace::Step>& steps, size_t index) {
  const PodTrace::Step& step = steps[index];
  int64_t own = step.end - step.begin;
  int64_t until = step.begin;
  for (size_t i = index + 1; i < steps.size() && steps[i].begin < step.end; ++i) {
    if (steps[i].depth != step.depth + 1) continue;
    // Steps of several threads may overlap.
    const int64_t begin = std::max(until, steps[i].begin);
    const int64_t end = std::min(step.end, steps[i].end);
    if (end > begin) own -= end - begin;
    until = std::max(until, end);
  }
  return own;
}

bool HasParts(const std::vector<PodTrace::Step>& steps, size_t index) {
  return index + 1 < steps.size() && steps[index + 1].depth > steps[index].depth &&
         steps[index + 1].begin < steps[index].end;
}

// Where the run of small steps side by side that begins here ends: each of less than that time,
// without parts. Moments are told one by one.
size_t EndOfSmall(const std::vector<PodTrace::Step>& steps, size_t begin, int64_t small) {
  size_t end = begin;
  while (end < steps.size() && steps[end].depth == steps[begin].depth &&
         steps[end].end > steps[end].begin && steps[end].end - steps[end].begin < small &&
         !HasParts(steps, end)) {
    ++end;
  }
  return end;
}

}  // namespace

Result<void> ReadSteps(std::string_view json, PodTrace* trace) {
  TRY(const JsonValue answer, reflect::ParseJson(json));
  for (const JsonValue& each : cli::ListAt(&answer, "steps")) {
    PodTrace::Step step;
    step.name = cli::TextAt(&each, "name");
    step.subject = cli::TextAt(&each, "subject");
    step.depth = static_cast<uint32_t>(
        std::clamp<int64_t>(cli::NumberAt(&each, "depth").value_or(0), 0, 100));
    step.begin = cli::NumberAt(&each, "beginNanoseconds").value_or(0);
    step.end = cli::NumberAt(&each, "endNanoseconds").value_or(0);
    if (step.begin <= trace->seen) trace->steps.push_back(std::move(step));
  }
  trace->dropped =
      static_cast<uint64_t>(std::max<int64_t>(cli::NumberAt(&answer, "dropped").value_or(0), 0));
  return {};
}

std::string TraceTable(std::string_view pod, const PodTrace& trace) {
  const std::string none(10, ' ');
  std::string out = "pod " + cli::Printable(pod) + ", in milliseconds since the request\n" +
                    "        at     takes       own  step\n";
  out += Line(0, Milliseconds(trace.answered - trace.asked), none, 0, "request and answer");
  const int64_t small = (trace.seen - trace.asked) / kSmallPart;
  for (size_t i = 0; i < trace.steps.size(); ++i) {
    const PodTrace::Step& step = trace.steps[i];
    if (const size_t end = EndOfSmall(trace.steps, i, small); end > i + 1) {
      int64_t together = 0;
      for (size_t each = i; each < end; ++each) {
        together += trace.steps[each].end - trace.steps[each].begin;
      }
      out += Line(step.begin - trace.asked, Milliseconds(together), none, step.depth,
                  "(" + cli::Count(end - i, "small step") + ")");
      i = end - 1;
      continue;
    }
    std::string what = cli::Printable(step.name);
    if (!step.subject.empty()) what += ": " + cli::Printable(step.subject);
    const bool moment = step.end == step.begin;
    out += Line(step.begin - trace.asked, moment ? none : Milliseconds(step.end - step.begin),
                HasParts(trace.steps, i) ? Milliseconds(OwnTime(trace.steps, i)) : none, step.depth,
                what);
  }
  if (trace.dropped > 0) out += none + "  " + cli::Count(trace.dropped, "step") + " more\n";
  return out + Line(trace.seen - trace.asked, none, none, 0, "seen to have started");
}

JsonValue TraceJson(const PodTrace& trace) {
  const auto number = [](int64_t value) { return JsonValue::Number(std::to_string(value)); };
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("askedNanoseconds", number(trace.asked));
  out.Set("answeredNanoseconds", number(trace.answered));
  out.Set("seenNanoseconds", number(trace.seen));
  JsonValue::Array steps;
  for (const PodTrace::Step& step : trace.steps) {
    JsonValue each = JsonValue::Of(JsonValue::Object{});
    each.Set("name", JsonValue::String(step.name));
    if (!step.subject.empty()) each.Set("subject", JsonValue::String(step.subject));
    each.Set("depth", number(step.depth));
    each.Set("beginNanoseconds", number(step.begin));
    each.Set("endNanoseconds", number(step.end));
    steps.push_back(std::move(each));
  }
  out.Set("steps", JsonValue::Of(std::move(steps)));
  out.Set("dropped", number(static_cast<int64_t>(trace.dropped)));
  return out;
}

}  // namespace podium::commands
