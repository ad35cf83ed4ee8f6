#include "node/cluster/machine_facts.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <charconv>
#include <initializer_list>
#include <string_view>

#include "base/text.h"
#include "linux/path.h"
#include "reflect/go_trim.h"

namespace podium::node {
namespace {

constexpr size_t kMaxFile = size_t{64} << 10;
constexpr int64_t kKibi = 1024;

// Without the white space around it; "" when it cannot be read.
std::string Read(const std::string& path) {
  const auto text = kernel::ReadFile(AT_FDCWD, path, kMaxFile);
  return text.ok() ? std::string(reflect::TrimGoSpace(*text)) : "";
}

// Of the first file that says something.
std::string ReadFirst(const std::string& root, std::initializer_list<const char*> paths) {
  for (const char* path : paths) {
    std::string text = Read(root + path);
    // Device trees end their strings as C does.
    while (text.ends_with('\0')) text.pop_back();
    if (!text.empty()) return text;
  }
  return "";
}

int64_t NumberAtStart(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "MemTotal:  4046864 kB"
int64_t BytesOf(std::string_view meminfo, std::string_view key) {
  for (const std::string_view line : Split(meminfo, '\n')) {
    if (!line.starts_with(key)) continue;
    const auto words = Words(line.substr(key.size()), " \t");
    return words.empty() ? 0 : NumberAtStart(words[0]) * kKibi;
  }
  return 0;
}

std::string OsImage(const std::string& root) {
  constexpr std::string_view kKey = "PRETTY_NAME=";
  const std::string text = ReadFirst(root, {"/etc/os-release", "/usr/lib/os-release"});
  for (std::string_view line : Split(text, '\n')) {
    line = reflect::TrimGoSpace(line);
    if (!line.starts_with(kKey)) continue;
    line.remove_prefix(kKey.size());
    while (line.starts_with('"')) line.remove_prefix(1);
    while (line.ends_with('"')) line.remove_suffix(1);
    return std::string(line);
  }
  return "Linux";
}

std::map<int64_t, int64_t> HugePages(const std::string& root) {
  constexpr std::string_view kPrefix = "hugepages-";
  std::map<int64_t, int64_t> pages;
  const std::string path = root + "/sys/kernel/mm/hugepages";
  const auto folder = kernel::OpenPath(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder.ok()) return pages;
  const auto names = kernel::ListFolder(folder->get());
  if (!names.ok()) return pages;
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    const int64_t kib = NumberAtStart(std::string_view(name).substr(kPrefix.size()));
    if (kib <= 0) continue;
    std::string file = path;
    file.append("/").append(name).append("/nr_hugepages");
    pages[kib * kKibi] = NumberAtStart(Read(file));
  }
  return pages;
}

}  // namespace

std::string GoArchitecture(const std::string& machine) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"x86_64", "amd64"},        {"i386", "386"},    {"i686", "386"},
      {"aarch64", "arm64"},       {"armv7l", "arm"},  {"armv6l", "arm"},
      {"ppc64le", "ppc64le"},     {"s390x", "s390x"}, {"riscv64", "riscv64"},
      {"loongarch64", "loong64"},
  };
  const auto found = kNames.find(machine);
  return found == kNames.end() ? machine : std::string(found->second);
}

MachineFacts ReadMachineFacts(const std::string& data_dir, const std::string& root) {
  MachineFacts facts;
  facts.machine_id = ReadFirst(root, {"/etc/machine-id", "/var/lib/dbus/machine-id"});
  facts.system_uuid =
      ReadFirst(root, {"/sys/class/dmi/id/product_uuid", "/proc/device-tree/system-id",
                       "/proc/device-tree/vm,uuid", "/etc/machine-id"});
  facts.boot_id = ReadFirst(root, {"/proc/sys/kernel/random/boot_id"});
  facts.os_image = OsImage(root);
  utsname names{};
  if (uname(&names) == 0) {
    facts.kernel_version = names.release;
    facts.architecture = GoArchitecture(names.machine);
  }
  facts.cpus = get_nprocs();
  const std::string meminfo = Read(root + "/proc/meminfo");
  facts.memory_bytes = BytesOf(meminfo, "MemTotal:");
  facts.swap_bytes = BytesOf(meminfo, "SwapTotal:");
  facts.huge_pages = HugePages(root);
  struct statvfs disk{};
  if (statvfs(data_dir.c_str(), &disk) == 0) {
    facts.disk_bytes = static_cast<int64_t>(disk.f_blocks * disk.f_frsize);
  }
  return facts;
}

}  // namespace podium::node
