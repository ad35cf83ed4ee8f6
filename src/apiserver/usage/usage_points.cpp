#include "apiserver/usage/usage_points.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/clock.h"
#include "base/text.h"
#include "reflect/number_text.h"

namespace podium::apiserver {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;
// A rate over less says little (freshContainerMinMetricsResolution).
constexpr int64_t kLeastAge = 10 * kNanosPerSecond;

struct Sample {
  std::string_view name;
  std::string container;
  std::string pod;
  std::string name_space;
  double value = 0;
  std::optional<int64_t> time;
};

Error Broken(std::string_view line) {
  return Error(Code::kInvalidArgument, "no line of metrics: " + std::string(line.substr(0, 200)));
}

// `name="value",...}`: takes one pair off the text.
Result<std::pair<std::string_view, std::string>> TakeLabel(std::string_view* text) {
  const std::string_view all = *text;
  const size_t equals = text->find("=\"");
  if (equals == std::string_view::npos) return Broken(all);
  std::pair<std::string_view, std::string> label{text->substr(0, equals), ""};
  text->remove_prefix(equals + 2);
  while (!text->empty() && text->front() != '"') {
    char c = text->front();
    text->remove_prefix(1);
    if (c == '\\') {
      if (text->empty()) return Broken(all);
      c = text->front() == 'n' ? '\n' : text->front();
      text->remove_prefix(1);
    }
    label.second.push_back(c);
  }
  if (text->empty()) return Broken(all);
  text->remove_prefix(1);
  if (text->starts_with(',')) text->remove_prefix(1);
  return label;
}

Result<Sample> ParseLine(std::string_view line) {
  Sample sample;
  std::string_view rest = line;
  const size_t end = rest.find_first_of("{ ");
  if (end == std::string_view::npos || end == 0) return Broken(line);
  sample.name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (rest.starts_with('{')) {
    rest.remove_prefix(1);
    while (!rest.starts_with('}')) {
      TRY(auto label, TakeLabel(&rest));
      if (label.first == "container")
        sample.container = std::move(label.second);
      else if (label.first == "pod")
        sample.pod = std::move(label.second);
      else if (label.first == "namespace")
        sample.name_space = std::move(label.second);
    }
    rest.remove_prefix(1);
  }
  const auto words = Words(rest, " \t");
  if (words.empty() || words.size() > 2) return Broken(line);
  // What is no number is nobody's use.
  const bool none = words[0] == "NaN" || words[0] == "+Inf" || words[0] == "-Inf";
  const auto value = none ? std::optional(0.0) : reflect::ReadFloat(words[0]);
  if (!value) return Broken(line);
  sample.value = *value;
  if (words.size() == 2) {
    int64_t millis = 0;
    const auto [at, error] =
        std::from_chars(words[1].data(), words[1].data() + words[1].size(), millis);
    constexpr int64_t kMost = INT64_MAX / kNanosPerMilli;
    const bool whole = error == std::errc() && at == words[1].data() + words[1].size();
    if (!whole || millis < 0 || millis > kMost) return Broken(line);
    sample.time = millis * kNanosPerMilli;
  }
  return sample;
}

uint64_t Whole(double value) {
  constexpr double kMost = 9e18;
  return value > 0 ? static_cast<uint64_t>(std::min(value, kMost)) : 0;
}

// Of which number of a point a metric is; null for others.
enum class What { kCpu, kMemory, kSwap, kStart };
std::optional<What> WhatOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (name == "_cpu_usage_seconds_total") return What::kCpu;
  if (name == "_memory_working_set_bytes") return What::kMemory;
  if (name == "_swap_usage_bytes") return What::kSwap;
  if (name == "_start_time_seconds") return What::kStart;
  return std::nullopt;
}

void Note(What what, const Sample& sample, int64_t now, UsagePoint* point) {
  if (what == What::kStart) {
    point->started_at = static_cast<int64_t>(Whole(sample.value * kNanosPerSecond));
    return;
  }
  point->time = sample.time.value_or(now);
  if (what == What::kCpu) point->cpu_ns = Whole(std::round(sample.value * kNanosPerSecond));
  if (what == What::kMemory) point->memory = Whole(sample.value);
  if (what == What::kSwap) point->swap = Whole(sample.value);
}

bool IsWhole(const UsagePoint& point) {
  return point.time > 0 && point.cpu_ns > 0 && point.memory > 0;
}

std::optional<Usage> UsageBetween(const UsagePoint& before, const UsagePoint& last) {
  if (last.started_at < before.started_at || last.cpu_ns < before.cpu_ns ||
      last.time <= before.time) {
    return std::nullopt;
  }
  Usage usage;
  usage.time = last.time;
  usage.window = last.time - before.time;
  const double seconds = static_cast<double>(usage.window) / kNanosPerSecond;
  usage.nano_cores = Whole(static_cast<double>(last.cpu_ns - before.cpu_ns) / seconds);
  usage.memory = last.memory;
  usage.swap = last.swap;
  return usage;
}

}  // namespace

Result<NodePoints> ParseResourcePage(std::string_view page, int64_t now) {
  NodePoints points;
  UsagePoint node;
  for (std::string_view line : Split(page, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    TRY(const Sample sample, ParseLine(line));
    if (const auto what = WhatOf(sample.name, "node")) {
      Note(*what, sample, now, &node);
    } else if (const auto of = WhatOf(sample.name, "container"); of && !sample.container.empty()) {
      Note(*of, sample, now, &points.pods[{sample.name_space, sample.pod}][sample.container]);
    }
  }
  if (IsWhole(node)) points.node = node;
  std::erase_if(points.pods, [](const auto& pod) {
    return !std::ranges::all_of(pod.second, [](const auto& each) { return IsWhole(each.second); });
  });
  return points;
}

ContainerPoints UsageHistory::BeforeOf(const ContainerPoints& now, const ContainerPoints* last,
                                       const ContainerPoints* before) const {
  ContainerPoints out;
  for (const auto& [name, point] : now) {
    const int64_t age = point.time - point.started_at;
    if (age >= kLeastAge && age < period_) {
      out[name] = {.started_at = point.started_at, .time = point.started_at};
      continue;
    }
    const auto find = [&](const ContainerPoints* in) -> const UsagePoint* {
      if (in == nullptr) return nullptr;
      const auto found = in->find(name);
      return found == in->end() ? nullptr : &found->second;
    };
    const UsagePoint* known = find(last);
    // One that was started again begins anew.
    if (known == nullptr || point.started_at >= known->time) continue;
    if (point.time > known->time) {
      out[name] = *known;
    } else if (const UsagePoint* older = find(before); older && older->time < point.time) {
      out[name] = *older;
    }
  }
  return out;
}

void UsageHistory::Store(std::map<std::string, NodePoints, std::less<>> nodes) {
  std::map<std::string, Two, std::less<>> next;
  for (auto& [name, points] : nodes) {
    const auto known = nodes_.find(name);
    const Two* old = known == nodes_.end() ? nullptr : &known->second;
    Two& two = next[name];
    if (points.node && old && old->last.node) {
      const bool newer = points.node->time > old->last.node->time;
      two.before.node = newer ? old->last.node : old->before.node;
    }
    for (const auto& [pod, containers] : points.pods) {
      const auto find = [&](const NodePoints& in) -> const ContainerPoints* {
        const auto found = in.pods.find(pod);
        return found == in.pods.end() ? nullptr : &found->second;
      };
      ContainerPoints before =
          BeforeOf(containers, old ? find(old->last) : nullptr, old ? find(old->before) : nullptr);
      if (!before.empty()) two.before.pods.emplace(pod, std::move(before));
    }
    two.last = std::move(points);
  }
  nodes_ = std::move(next);
}

std::optional<Usage> UsageHistory::OfNode(std::string_view node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || !found->second.last.node || !found->second.before.node) {
    return std::nullopt;
  }
  return UsageBetween(*found->second.before.node, *found->second.last.node);
}

std::optional<PodUsage> UsageHistory::OfPod(std::string_view node, const PodName& pod) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  const auto last = found->second.last.pods.find(pod);
  const auto before = found->second.before.pods.find(pod);
  if (last == found->second.last.pods.end() || before == found->second.before.pods.end()) {
    return std::nullopt;
  }
  PodUsage usage;
  for (const auto& [name, point] : last->second) {
    const auto earlier = before->second.find(name);
    if (earlier == before->second.end()) return std::nullopt;
    const auto used = UsageBetween(earlier->second, point);
    if (!used) continue;
    usage.containers.emplace_back(name, *used);
    if (usage.time == 0 || used->time < usage.time) {
      usage.time = used->time;
      usage.window = used->window;
    }
  }
  if (usage.containers.empty()) return std::nullopt;
  return usage;
}

}  // namespace podium::apiserver
