#include "node/stats/machine_use.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include "base/clock.h"
#include "base/text.h"
#include "linux/path.h"
#include "reflect/number_text.h"

namespace podium::node {
namespace {

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr uint64_t kKibi = 1024;

std::string Read(const std::string& path) {
  auto text = kernel::ReadFile(AT_FDCWD, path, kMaxFile);
  return text.ok() ? *std::move(text) : "";
}

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "name number ...", or "name: number kB"; by the name.
std::map<std::string, uint64_t, std::less<>> TableOf(const std::string& text) {
  std::map<std::string, uint64_t, std::less<>> table;
  for (const std::string_view line : Split(text, '\n')) {
    const auto words = Words(line, " \t:");
    if (words.size() >= 2) table.emplace(words[0], NumberOf(words[1]));
  }
  return table;
}

uint64_t NanosOfTicks(uint64_t ticks) {
  static const auto kTicks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return ticks * (static_cast<uint64_t>(kNanosPerSecond) / kTicks);
}

void ReadProcessors(const std::string& root, MachineUse* use) {
  for (const std::string_view line : Split(Read(root + "/proc/stat"), '\n')) {
    const auto words = Words(line, " ");
    const auto ticks = [&](size_t at) { return at < words.size() ? NumberOf(words[at]) : 0; };
    if (words.empty()) continue;
    if (words[0] == "btime") use->booted_at = static_cast<int64_t>(ticks(1)) * kNanosPerSecond;
    if (words[0] != "cpu") continue;
    // user nice system idle iowait irq softirq; what guests use is among the first two.
    use->cpu_user_ns = NanosOfTicks(ticks(1) + ticks(2));
    use->cpu_system_ns = NanosOfTicks(ticks(3) + ticks(6) + ticks(7));
    use->cpu_ns = use->cpu_user_ns + use->cpu_system_ns;
  }
}

void ReadMemory(const std::string& root, MachineUse* use) {
  const auto info = TableOf(Read(root + "/proc/meminfo"));
  const auto bytes = [&](std::string_view key) {
    const auto found = info.find(key);
    return found == info.end() ? 0 : found->second * kKibi;
  };
  use->memory_total = bytes("MemTotal");
  use->memory_usage = use->memory_total - std::min(use->memory_total, bytes("MemFree"));
  use->memory_working_set =
      use->memory_usage - std::min(use->memory_usage, bytes("Inactive(file)"));
  use->memory_rss = bytes("AnonPages");
  use->memory_cache = bytes("Cached");
  use->swap_total = bytes("SwapTotal");
  use->swap_usage = use->swap_total - std::min(use->swap_total, bytes("SwapFree"));
  const auto counts = TableOf(Read(root + "/proc/vmstat"));
  const auto count = [&](std::string_view key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
  };
  use->page_faults = count("pgfault");
  use->major_page_faults = count("pgmajfault");
}

// "  eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs drop ..."
void ReadDevices(const std::string& root, MachineUse* use) {
  constexpr size_t kNumbers = 12;  // of those there are
  // As cAdvisor leaves them out.
  constexpr std::array<std::string_view, 2> kIgnored = {"lo", "veth"};
  for (const std::string_view line : Split(Read(root + "/proc/net/dev"), '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = Words(line.substr(0, colon), " ");
    const auto numbers = Words(line.substr(colon + 1), " ");
    if (name.size() != 1 || numbers.size() < kNumbers) continue;
    if (std::ranges::any_of(kIgnored, [&](auto prefix) { return name[0].starts_with(prefix); })) {
      continue;
    }
    const auto number = [&](size_t at) { return NumberOf(numbers[at]); };
    use->devices.push_back({.name = std::string(name[0]),
                            .rx_bytes = number(0),
                            .rx_packets = number(1),
                            .rx_errors = number(2),
                            .rx_dropped = number(3),
                            .tx_bytes = number(8),
                            .tx_packets = number(9),
                            .tx_errors = number(10),
                            .tx_dropped = number(11)});
  }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
kernel::Pressure::Line PressureLine(const std::vector<std::string_view>& words) {
  kernel::Pressure::Line line;
  for (const std::string_view word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (key == "total") line.total_us = NumberOf(value);
    const auto share = reflect::ReadFloat(value);
    if (key == "avg10") line.avg10 = share.value_or(0);
    if (key == "avg60") line.avg60 = share.value_or(0);
    if (key == "avg300") line.avg300 = share.value_or(0);
  }
  return line;
}

std::optional<kernel::Pressure> ReadPressure(const std::string& path) {
  const std::string text = Read(path);
  if (text.empty()) return std::nullopt;
  kernel::Pressure pressure;
  for (const std::string_view line : Split(text, '\n')) {
    const auto words = Words(line, " ");
    if (words.empty()) continue;
    if (words[0] == "some") pressure.some = PressureLine(words);
    if (words[0] == "full") pressure.full = PressureLine(words);
  }
  return pressure;
}

}  // namespace

MachineUse ReadMachineUse(int64_t now, const std::string& root) {
  MachineUse use;
  use.read_at = now;
  ReadProcessors(root, &use);
  ReadMemory(root, &use);
  ReadDevices(root, &use);
  use.max_pid = static_cast<int64_t>(NumberOf(Read(root + "/proc/sys/kernel/pid_max")));
  // "0.20 0.18 0.12 1/80 11206": the fourth is how many threads run, and how many there are.
  const std::string load = Read(root + "/proc/loadavg");
  const auto words = Words(load, " ");
  if (words.size() > 3) {
    use.threads = static_cast<int64_t>(
        NumberOf(words[3].substr(std::min(words[3].find('/'), words[3].size() - 1) + 1)));
  }
  use.cpu_pressure = ReadPressure(root + "/proc/pressure/cpu");
  use.memory_pressure = ReadPressure(root + "/proc/pressure/memory");
  use.io_pressure = ReadPressure(root + "/proc/pressure/io");
  return use;
}

ProcessUse ReadOwnUse() {
  ProcessUse use;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto nanos = [](const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec * kNanosPerSecond + time.tv_usec * 1000);
  };
  use.cpu_ns = nanos(usage.ru_utime) + nanos(usage.ru_stime);
  use.page_faults = static_cast<uint64_t>(usage.ru_minflt + usage.ru_majflt);
  use.major_page_faults = static_cast<uint64_t>(usage.ru_majflt);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const std::string pages = Read("/proc/self/statm");
  const auto words = Words(pages, " ");
  if (words.size() > 1) {
    use.virtual_bytes = NumberOf(words[0]) * page;
    use.resident_bytes = NumberOf(words[1]) * page;
  }
  // Behind the name, which may have blanks: the 20th word from there, in ticks since the boot.
  const std::string stat = Read("/proc/self/stat");
  const auto fields =
      Words(std::string_view(stat).substr(std::min(stat.rfind(')') + 1, stat.size())), " ");
  constexpr size_t kStartTime = 19;
  if (fields.size() > kStartTime) {
    MachineUse machine;
    ReadProcessors("", &machine);
    use.started_at =
        machine.booted_at + static_cast<int64_t>(NanosOfTicks(NumberOf(fields[kStartTime])));
  }
  return use;
}

std::optional<FileSystemUse> ReadFileSystemUse(const std::string& path) {
  struct statvfs disk{};
  if (statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return FileSystemUse{.capacity = disk.f_blocks * disk.f_frsize,
                       .available = disk.f_bavail * disk.f_frsize,
                       .used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize,
                       .inodes = disk.f_files,
                       .inodes_free = disk.f_ffree};
}

}  // namespace podium::node
