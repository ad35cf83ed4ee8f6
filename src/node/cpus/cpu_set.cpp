#include "node/cpus/cpu_set.h"

#include <charconv>

#include "base/text.h"

namespace podium::node {
namespace {

// More than any kernel is built for.
constexpr int kMostCpus = 1 << 16;

bool ReadNumber(std::string_view text, int* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end && *number >= 0 && *number < kMostCpus;
}

}  // namespace

Result<CpuSet> ParseCpuSet(std::string_view text) {
  CpuSet cpus;
  if (text.empty()) return cpus;
  for (const std::string_view part : Split(text, ',')) {
    const size_t dash = part.find('-');
    int first = 0;
    int last = 0;
    const bool read = ReadNumber(part.substr(0, dash), &first) &&
                      (dash == part.npos || ReadNumber(part.substr(dash + 1), &last));
    if (dash == part.npos) last = first;
    if (!read || last < first) {
      return Error(Code::kInvalidArgument, "\"" + std::string(text) + "\" is no set of CPUs");
    }
    for (int cpu = first; cpu <= last; ++cpu) cpus.insert(cpu);
  }
  return cpus;
}

std::string CpuSetText(const CpuSet& cpus) {
  std::string out;
  for (const int cpu : cpus) {
    if (cpus.contains(cpu - 1)) continue;
    int last = cpu;
    while (cpus.contains(last + 1)) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(cpu);
    if (last != cpu) out += '-' + std::to_string(last);
  }
  return out;
}

}  // namespace podium::node
