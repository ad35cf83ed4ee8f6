#include "linux/cgroup_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "linux/folder_stream.h"

namespace podium::kernel {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr size_t kMaxFileSize = size_t{16} << 20;

bool IsSegment(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name != "." && name != ".." &&
         std::ranges::none_of(name, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

Result<std::vector<std::string>> CgroupSegments(std::string_view path) {
  std::vector<std::string> segments;
  if (path.empty()) return segments;
  for (const std::string_view name : Split(path, '/')) {
    if (!IsSegment(name)) {
      return Error(Code::kInvalidArgument, "\"" + std::string(path) + "\" is no path of a cgroup");
    }
    segments.emplace_back(name);
  }
  return segments;
}

Result<UniqueFd> OpenCgroup(int at, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const char* const name = path.empty() ? "." : path.c_str();
  UniqueFd folder(static_cast<int>(syscall(SYS_openat2, at, name, &how, sizeof(how))));
  if (!folder) return Error::FromErrno(errno, "opening the cgroup " + path);
  return folder;
}

Result<bool> MakeCgroup(int at, const std::string& name) {
  if (mkdirat(at, name.c_str(), kFolderMode) == 0) return true;
  if (errno == EEXIST) return false;
  return Error::FromErrno(errno, "making the cgroup " + name);
}

Result<UniqueFd> OpenCgroupFile(int folder, const std::string& name, int flags) {
  UniqueFd file(openat(folder, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return Error::FromErrno(errno, "opening " + name);
  return file;
}

Result<std::string> ReadCgroupFile(int folder, const std::string& name) {
  TRY(const UniqueFd file, OpenCgroupFile(folder, name, O_RDONLY));
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() < kMaxFileSize) {
    const ssize_t size = read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, "reading " + name);
    if (size == 0) break;
    text.append(part.data(), static_cast<size_t>(size));
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<void> WriteCgroupFile(int folder, const std::string& name, std::string_view value) {
  TRY(const UniqueFd file, OpenCgroupFile(folder, name, O_WRONLY));
  while (write(file.get(), value.data(), value.size()) < 0) {
    if (errno == EINTR) continue;
    return Error::FromErrno(errno, "writing \"" + std::string(value) + "\" to " + name);
  }
  return {};
}

bool HasCgroupFile(int folder, const std::string& name) {
  return faccessat(folder, name.c_str(), F_OK, 0) == 0;
}

Result<std::vector<std::string>> ChildCgroups(int folder) {
  TRY(FolderStream stream, FolderStream::Open(folder, "reading a cgroup"));
  std::vector<std::string> names;
  int error = 0;  // of a cgroup that is removed meanwhile: it has no more
  while (const dirent* entry = stream.Next(&error)) {
    if (entry->d_type == DT_DIR) names.emplace_back(&entry->d_name[0]);
  }
  return names;
}

std::optional<uint64_t> ParseCgroupNumber(std::string_view text) {
  // v1 shows "no limit" as the largest multiple of a page, whatever the page's size (at most 64
  // KiB).
  constexpr uint64_t kNoLimit = std::numeric_limits<int64_t>::max() - uint64_t{1 << 16};
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number >= kNoLimit) {
    return std::nullopt;
  }
  return number;
}

std::optional<uint64_t> ReadCgroupNumber(int folder, const std::string& name) {
  const auto text = ReadCgroupFile(folder, name);
  return text.ok() ? ParseCgroupNumber(*text) : std::nullopt;
}

std::map<std::string, uint64_t, std::less<>> ReadCgroupTable(int folder, const std::string& name) {
  std::map<std::string, uint64_t, std::less<>> table;
  const auto text = ReadCgroupFile(folder, name);
  if (!text.ok()) return table;
  for (const std::string_view line : CgroupLines(*text)) {
    const std::vector<std::string_view> words = CgroupWords(line);
    if (words.size() != 2) continue;
    if (const auto number = ParseCgroupNumber(words[1])) table.emplace(words[0], *number);
  }
  return table;
}

uint64_t TableValue(const std::map<std::string, uint64_t, std::less<>>& table,
                    std::string_view key) {
  const auto found = table.find(key);
  return found == table.end() ? 0 : found->second;
}

std::vector<std::string_view> CgroupWords(std::string_view text) { return Words(text, " \t\n"); }
std::vector<std::string_view> CgroupLines(std::string_view text) { return Words(text, "\n"); }

}  // namespace podium::kernel
