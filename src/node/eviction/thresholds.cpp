#include "node/eviction/thresholds.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/time.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

using api::Quantity;
using reflect::GoQuoted;

struct Signal {
  std::string_view name;
  std::string_view resource;
  std::string_view condition;
};

constexpr std::string_view kMemory = "memory.available";
constexpr std::string_view kAllocatableMemory = "allocatableMemory.available";

constexpr Signal kSignals[] = {
    {kMemory, "memory", "MemoryPressure"},
    {kAllocatableMemory, "memory", "MemoryPressure"},
    {"nodefs.available", "ephemeral-storage", "DiskPressure"},
    {"nodefs.inodesFree", "inodes", "DiskPressure"},
    {"imagefs.available", "ephemeral-storage", "DiskPressure"},
    {"imagefs.inodesFree", "inodes", "DiskPressure"},
    {"containerfs.available", "ephemeral-storage", "DiskPressure"},
    {"containerfs.inodesFree", "inodes", "DiskPressure"},
    {"pid.available", "pids", "PIDPressure"},
};

const Signal* Find(std::string_view name) {
  const auto* found = std::ranges::find(kSignals, name, &Signal::name);
  return found == std::end(kSignals) ? nullptr : found;
}

Error Bad(std::string text) { return Error(Code::kInvalidArgument, std::move(text)); }

Result<void> CheckSignal(const std::string& signal) {
  if (!Find(signal)) return Bad("unsupported eviction signal " + signal);
  return {};
}

Result<float> ParsePercentage(std::string_view text) {
  const std::string_view digits = text.substr(0, text.find('%'));
  float value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size()) {
    return Bad("strconv.ParseFloat: parsing " + GoQuoted(digits) + ": invalid syntax");
  }
  return value / 100;
}

// Without a value for what says nothing.
Result<std::optional<EvictionThreshold>> ParseThreshold(const std::string& signal,
                                                        const std::string& text) {
  TRY_VOID(CheckSignal(signal));
  EvictionThreshold threshold{.signal = signal};
  if (text.ends_with('%')) {
    if (text == "0%" || text == "100%") return std::optional<EvictionThreshold>();
    TRY(threshold.percentage, ParsePercentage(text));
    if (threshold.percentage < 0) {
      return Bad("eviction percentage threshold " + signal + " must be >= 0%: " + text);
    }
    if (threshold.percentage > 1) {
      return Bad("eviction percentage threshold " + signal + " must be <= 100%: " + text);
    }
    return std::optional(threshold);
  }
  TRY(threshold.quantity, Quantity::Parse(text));
  if (threshold.quantity.Sign() <= 0) {
    return Bad("eviction threshold " + signal +
               " must be positive: " + threshold.quantity.String());
  }
  return std::optional(threshold);
}

Result<int64_t> ParseGracePeriod(const std::string& signal, const std::string& text) {
  TRY_VOID(CheckSignal(signal));
  TRY(const api::Duration period, api::Duration::Parse(text));
  if (period.nanos() < 0) {
    return Bad("invalid eviction grace period specified: " + text + ", must be a positive value");
  }
  return period.nanos();
}

Result<EvictionAmount> ParseReclaim(const std::string& signal, const std::string& text) {
  TRY_VOID(CheckSignal(signal));
  EvictionAmount amount;
  if (text.ends_with('%')) {
    TRY(amount.percentage, ParsePercentage(text));
    if (amount.percentage <= 0) {
      return Bad("eviction percentage minimum reclaim " + signal + " must be positive: " + text);
    }
    return amount;
  }
  TRY(amount.quantity, Quantity::Parse(text));
  if (amount.quantity.Sign() < 0) {
    return Bad("negative eviction minimum reclaim specified for " + signal);
  }
  return amount;
}

}  // namespace

Quantity EvictionAmount::Of(const Quantity& capacity) const {
  if (percentage == 0) return quantity;
  // In this order of roundings, so that the numbers are a kubelet's.
  const double part = static_cast<double>(capacity.Value()) * static_cast<double>(percentage);
  return Quantity::FromInt(static_cast<int64_t>(part), Quantity::Format::kBinarySI);
}

std::map<std::string, std::string> DefaultEvictionStatements() {
  return {{"memory.available", "100Mi"},
          {"nodefs.available", "10%"},
          {"nodefs.inodesFree", "5%"},
          {"imagefs.available", "15%"},
          {"imagefs.inodesFree", "5%"}};
}

std::vector<EvictionThreshold> DefaultEvictionHard() {
  auto parsed = ParseThresholds({.hard = DefaultEvictionStatements()});
  return *std::move(parsed);
}

Result<std::vector<EvictionThreshold>> ParseThresholds(const EvictionStatements& statements) {
  std::vector<EvictionThreshold> thresholds;
  for (const auto& [signal, text] : statements.hard) {
    TRY(const auto threshold, ParseThreshold(signal, text));
    if (threshold) thresholds.push_back(*threshold);
  }
  const auto soft = static_cast<ptrdiff_t>(thresholds.size());
  for (const auto& [signal, text] : statements.soft) {
    TRY(const auto threshold, ParseThreshold(signal, text));
    if (threshold) thresholds.push_back(*threshold);
  }
  std::map<std::string, int64_t, std::less<>> periods;
  for (const auto& [signal, text] : statements.soft_grace_period) {
    TRY(periods[signal], ParseGracePeriod(signal, text));
  }
  std::map<std::string, EvictionAmount, std::less<>> reclaims;
  for (const auto& [signal, text] : statements.minimum_reclaim) {
    TRY(reclaims[signal], ParseReclaim(signal, text));
  }
  for (auto each = thresholds.begin() + soft; each != thresholds.end(); ++each) {
    const auto period = periods.find(each->signal);
    if (period == periods.end()) {
      return Bad("grace period must be specified for the soft eviction threshold " + each->signal);
    }
    each->grace_period = period->second;
  }
  for (EvictionThreshold& each : thresholds) {
    const auto reclaim = reclaims.find(each.signal);
    if (reclaim != reclaims.end()) each.min_reclaim = reclaim->second;
  }
  return thresholds;
}

std::vector<EvictionThreshold> EffectiveThresholds(const std::vector<EvictionThreshold>& said) {
  std::vector<EvictionThreshold> out;
  for (const EvictionThreshold& each : said) {
    if (!each.signal.starts_with("containerfs.")) out.push_back(each);
  }
  for (const EvictionThreshold& each : said) {
    if (each.signal != kMemory || !each.hard()) continue;
    out.push_back(each);
    out.back().signal = kAllocatableMemory;
  }
  return out;
}

std::string_view ResourceOfSignal(std::string_view signal) {
  const Signal* found = Find(signal);
  return found ? found->resource : std::string_view();
}

std::string_view ConditionOfSignal(std::string_view signal) {
  const Signal* found = Find(signal);
  return found ? found->condition : std::string_view();
}

}  // namespace podium::node
