#include "runtime/selinux.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "base/random_name.h"
#include "base/text.h"
#include "linux/path.h"
#include "linux/tree_walk.h"
#include "reflect/go_text.h"
#include "reflect/go_trim.h"
#include "runtime/plan_layout.h"

namespace podium::runtime {
namespace {

namespace cri = wire::cri;

constexpr size_t kMaxLabel = 4096;
constexpr size_t kMaxConfig = 65536;
constexpr uint64_t kCategories = 1024;
constexpr int kTries = 1000;
constexpr size_t kMaxCategoryDigits = 4;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes "s0" off the front.
bool TakeSensitivity(std::string_view* text) {
  if (text->size() < 2 || (*text)[0] != 's' || !IsDigit((*text)[1])) return false;
  text->remove_prefix(2);
  return true;
}

// "c1" to "c1023".
bool TakeCategory(std::string_view* text) {
  if (!text->starts_with('c')) return false;
  size_t end = 1;
  while (end < text->size() && end <= kMaxCategoryDigits && IsDigit((*text)[end])) ++end;
  if (end == 1) return false;
  text->remove_prefix(end);
  return true;
}

bool Take(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// "s0", "s0-s1", "s0:c1", "s0:c1,c3.c5" and so on.
bool IsLevel(std::string_view text) {
  if (!TakeSensitivity(&text)) return false;
  if (Take(&text, '-') && !TakeSensitivity(&text)) return false;
  if (text.empty()) return true;
  if (!Take(&text, ':')) return false;
  do {
    if (!TakeCategory(&text)) return false;
    if (Take(&text, '.') && !TakeCategory(&text)) return false;
  } while (Take(&text, ','));
  return text.empty();
}

bool Asks(const cri::SELinuxOption* options) {
  return options != nullptr && (!options->user.empty() || !options->role.empty() ||
                                !options->type.empty() || !options->level.empty());
}

// The value of the line "name = value" or "name=value"; quotes around it are taken off.
std::string ValueOf(std::string_view text, std::string_view name) {
  for (const std::string_view line : Split(text, '\n')) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    if (reflect::TrimGoSpace(line.substr(0, equals)) != name) continue;
    std::string_view value = reflect::TrimGoSpace(line.substr(equals + 1));
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return {};
}

// "user:role:type:level"; the level may hold colons.
cri::SELinuxOption Parts(std::string_view context) {
  cri::SELinuxOption parts;
  const auto take = [&] {
    const size_t colon = context.find(':');
    std::string part(context.substr(0, colon));
    context.remove_prefix(colon == std::string_view::npos ? context.size() : colon + 1);
    return part;
  };
  parts.user = take();
  parts.role = take();
  parts.type = take();
  parts.level = context;
  return parts;
}

std::string Joined(const cri::SELinuxOption& parts) {
  std::string context = parts.user + ':' + parts.role + ':' + parts.type;
  return parts.level.empty() ? context : context + ':' + parts.level;
}

void Override(const cri::SELinuxOption& from, cri::SELinuxOption* to) {
  if (!from.user.empty()) to->user = from.user;
  if (!from.role.empty()) to->role = from.role;
  if (!from.type.empty()) to->type = from.type;
  if (!from.level.empty()) to->level = from.level;
}

// Two categories of one sensitivity: half a million of them.
std::string NewLevel(const std::multiset<std::string, std::less<>>& taken) {
  std::string level;
  for (int i = 0; i < kTries; ++i) {
    uint64_t first = RandomNumber() % kCategories;
    uint64_t second = RandomNumber() % kCategories;
    if (first == second) continue;
    if (first > second) std::swap(first, second);
    level = "s0:c" + std::to_string(first) + ",c" + std::to_string(second);
    if (!taken.contains(level)) break;
  }
  return level;
}

// As go-selinux has them: a container's label on these would be the end of the machine.
bool IsOfTheMachine(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  static constexpr std::string_view kPaths[] = {
      "/",     "/bin", "/boot",  "/dev",   "/etc", "/etc/passwd", "/etc/pki", "/etc/shadow",
      "/home", "/lib", "/lib64", "/media", "/opt", "/proc",       "/root",    "/run",
      "/sbin", "/srv", "/sys",   "/tmp",   "/usr", "/var",        "/var/lib", "/var/log"};
  return std::ranges::find(kPaths, path) != std::end(kPaths);
}

// A descriptor of O_PATH takes no fsetxattr; its name in /proc leads to it and no further.
std::string NameOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Result<void> LabelDescriptor(int fd, const std::string& label) {
  if (HasLabel(fd, label)) return {};
  const std::string name = NameOf(fd);
  if (setxattr(name.c_str(), shim::kSelinuxAttribute, label.c_str(), label.size() + 1, 0) == 0)
    return {};
  if (errno == EOPNOTSUPP) return {};
  return Error::FromErrno(errno, "setting the label " + label);
}

}  // namespace

bool MachineHasSelinux() {
  const auto folder = kernel::OpenPath("/sys/fs/selinux", O_PATH | O_DIRECTORY);
  if (!folder.ok()) return false;
  const auto type = kernel::FileSystemType(folder->get());
  if (!type.ok() || *type != SELINUX_MAGIC) return false;
  // Before a policy is loaded every process is "kernel".
  const auto own = kernel::ReadFile(AT_FDCWD, "/proc/self/attr/current", kMaxLabel);
  return own.ok() && !own->starts_with("kernel");
}

std::optional<SelinuxContexts> FindSelinuxContexts(const std::string& folder) {
  const auto config = kernel::ReadFile(AT_FDCWD, folder + "/config", kMaxConfig);
  if (!config.ok()) return std::nullopt;
  const std::string type = ValueOf(*config, "SELINUXTYPE");
  if (type.empty() || type.find('/') != std::string::npos || type == "..") return std::nullopt;
  const auto contexts =
      kernel::ReadFile(AT_FDCWD, folder + '/' + type + "/contexts/lxc_contexts", kMaxConfig);
  if (!contexts.ok()) return std::nullopt;
  SelinuxContexts found{ValueOf(*contexts, "process"), ValueOf(*contexts, "file"),
                        ValueOf(*contexts, "ro_file")};
  if (found.layer.empty()) found.layer = found.file;
  const auto is_context = [](const std::string& text) {
    return std::ranges::count(text, ':') >= 2;
  };
  if (!is_context(found.process) || !is_context(found.file)) return std::nullopt;
  return found;
}

Result<void> CheckSelinux(const cri::SELinuxOption* options, bool machine_has_it,
                          const std::optional<SelinuxContexts>& contexts) {
  if (!options) return {};
  if (!options->level.empty() && !IsLevel(options->level)) {
    return Error(Code::kInvalidArgument,
                 "the format of 'level' " + reflect::GoQuoted(options->level) + " is not correct");
  }
  if (!Asks(options) || !machine_has_it || contexts) return {};
  return Error(Code::kUnsupported,
               "this machine's SELinux policy knows no containers (no contexts/lxc_contexts; "
               "install container-selinux): they cannot have the label that is asked for");
}

cri::SELinuxOption PodSelinux(const SelinuxContexts& contexts, const cri::SELinuxOption* options,
                              const std::multiset<std::string, std::less<>>& taken) {
  cri::SELinuxOption parts = Parts(contexts.process);
  const bool has_levels = !parts.level.empty();
  parts.level.clear();
  if (options) Override(*options, &parts);
  if (!has_levels) {
    parts.level.clear();
  } else if (parts.level.empty()) {
    parts.level = NewLevel(taken);
  }
  return parts;
}

SelinuxLabels LabelsOf(const SelinuxContexts& contexts, const cri::SELinuxOption& pod,
                       const cri::SELinuxOption* container) {
  cri::SELinuxOption process = pod;
  if (Asks(container)) {
    process = Parts(contexts.process);
    process.level = pod.level;
    Override(*container, &process);
    if (pod.level.empty()) process.level.clear();
  }
  cri::SELinuxOption file = Parts(contexts.file);
  // What runs as another user has files of that user (go-selinux).
  if (process.user != Parts(contexts.process).user) file.user = process.user;
  if (!file.level.empty()) file.level = process.level;
  return {Joined(process), Joined(file)};
}

bool HasLabel(int fd, const std::string& label) {
  std::array<char, kMaxLabel> now{};
  const ssize_t size =
      getxattr(NameOf(fd).c_str(), shim::kSelinuxAttribute, now.data(), now.size() - 1);
  return size > 0 && label == now.data();
}

Result<void> Relabel(int fd, const std::string& path, const std::string& label) {
  if (IsOfTheMachine(path)) {
    return Error(Code::kInvalidArgument, "SELinux relabeling of " + path + " is not allowed");
  }
  struct stat status{};
  if (fstat(fd, &status) != 0) return Error::FromErrno(errno, path);
  if (S_ISDIR(status.st_mode)) {
    TRY(const UniqueFd folder, kernel::Reopen(fd, O_RDONLY | O_DIRECTORY));
    TRY_VOID(kernel::WalkTree(folder.get(), [&](const kernel::TreeEntry& entry) -> Result<void> {
      const UniqueFd file(
          openat(entry.folder, entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      // Gone meanwhile.
      if (!file && errno == ENOENT) return {};
      if (!file) return Error::FromErrno(errno, entry.path);
      return LabelDescriptor(file.get(), label);
    }));
  }
  // Last: whoever looks at the top's label alone finds the whole done.
  return LabelDescriptor(fd, label);
}

}  // namespace podium::runtime
