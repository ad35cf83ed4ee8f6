#include "node/cpus/cpu_topology.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "node/files.h"

namespace podium::node {
namespace {

constexpr size_t kMostText = 4096;

using Level = int Cpu::*;

Result<std::string> ReadText(const std::string& path) {
  TRY(std::string text, ReadSmallFile(path, kMostText));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::optional<int> ReadNumber(const std::string& path) {
  const auto text = ReadText(path);
  int number = 0;
  if (!text.ok() || std::from_chars(text->data(), text->data() + text->size(), number).ptr !=
                        text->data() + text->size()) {
    return std::nullopt;
  }
  return number;
}

int CountOf(const CpuTopology& topology, Level level) {
  CpuSet seen;
  for (const Cpu& cpu : topology) seen.insert(cpu.*level);
  return static_cast<int>(seen.size());
}

// What is free, in the order in which it is taken.
class FreeCpus {
 public:
  FreeCpus(const CpuTopology& topology, const CpuSet& available, size_t needed)
      : topology_(topology), needed_(needed) {
    for (const Cpu& cpu : topology) {
      if (available.contains(cpu.id)) free_.push_back(cpu);
    }
    levels_ = {&Cpu::numa_node, &Cpu::socket, &Cpu::core};
    if (CountOf(topology, &Cpu::socket) < CountOf(topology, &Cpu::numa_node)) {
      std::swap(levels_[0], levels_[1]);
    }
  }

  void TakeWhole(size_t depth) {
    const Level level = levels_[depth];
    Sort();
    std::vector<int> groups;
    for (const Cpu& cpu : free_) {
      if (std::ranges::find(groups, cpu.*level) == groups.end()) groups.push_back(cpu.*level);
    }
    for (const int group : groups) {
      const auto member = [&](const Cpu& cpu) { return cpu.*level == group; };
      const auto size = static_cast<size_t>(std::ranges::count_if(topology_, member));
      if (size > needed_ || static_cast<size_t>(std::ranges::count_if(free_, member)) != size) {
        continue;
      }
      std::erase_if(free_, [&](const Cpu& cpu) { return member(cpu) && Take(cpu); });
    }
  }
  void TakeSingle() {
    Sort();
    std::erase_if(free_, [&](const Cpu& cpu) { return needed_ > 0 && Take(cpu); });
  }

  size_t depths() const { return levels_.size(); }
  size_t needed() const { return needed_; }
  CpuSet taken() const { return taken_; }

 private:
  bool Take(const Cpu& cpu) {
    taken_.insert(cpu.id);
    --needed_;
    return true;
  }
  // At each level those with fewest free ones first.
  void Sort() {
    std::array<std::map<int, int>, 3> counts;
    for (const Cpu& cpu : free_) {
      for (size_t i = 0; i < levels_.size(); ++i) ++counts[i][cpu.*levels_[i]];
    }
    const auto rank = [&](const Cpu& cpu) {
      const auto at = [&](size_t i) {
        const int group = cpu.*levels_[i];
        return std::pair(counts[i].at(group), group);
      };
      return std::tuple(at(0), at(1), at(2), cpu.id);
    };
    std::ranges::sort(free_, {}, rank);
  }

  const CpuTopology& topology_;
  std::array<Level, 3> levels_{};  // the widest first
  std::vector<Cpu> free_;
  size_t needed_;
  CpuSet taken_;
};

}  // namespace

Result<CpuTopology> ReadCpuTopology(const std::string& system) {
  TRY(const std::string online, ReadText(system + "/cpu/online"));
  TRY(const CpuSet ids, ParseCpuSet(online));
  std::map<int, int> nodes;
  if (const auto text = ReadText(system + "/node/online"); text.ok()) {
    TRY(const CpuSet numbers, ParseCpuSet(*text));
    for (const int node : numbers) {
      TRY(const std::string list,
          ReadText(system + "/node/node" + std::to_string(node) + "/cpulist"));
      TRY(const CpuSet members, ParseCpuSet(list));
      for (const int cpu : members) nodes[cpu] = node;
    }
  }
  CpuTopology topology;
  // A core is called by its first thread.
  std::map<std::pair<int, int>, int> cores;
  for (const int id : ids) {
    const std::string folder = system + "/cpu/cpu" + std::to_string(id) + "/topology/";
    const int socket = ReadNumber(folder + "physical_package_id").value_or(0);
    const int core = ReadNumber(folder + "core_id").value_or(id);
    const int first = cores.try_emplace({socket, core}, id).first->second;
    const auto node = nodes.find(id);
    topology.push_back({.id = id,
                        .core = first,
                        .socket = std::max(socket, 0),
                        .numa_node = node == nodes.end() ? 0 : node->second});
  }
  return topology;
}

CpuSet AllOf(const CpuTopology& topology) {
  CpuSet all;
  for (const Cpu& cpu : topology) all.insert(cpu.id);
  return all;
}

Result<CpuSet> TakeCpus(const CpuTopology& topology, const CpuSet& available, size_t count) {
  if (count > available.size()) {
    return Error(Code::kResourceExhausted,
                 "not enough cpus available to satisfy request: requested=" +
                     std::to_string(count) + ", available=" + std::to_string(available.size()));
  }
  FreeCpus free(topology, available, count);
  for (size_t depth = 0; depth < free.depths(); ++depth) free.TakeWhole(depth);
  free.TakeSingle();
  if (free.needed() > 0) return Error(Code::kResourceExhausted, "failed to allocate cpus");
  return free.taken();
}

}  // namespace podium::node
