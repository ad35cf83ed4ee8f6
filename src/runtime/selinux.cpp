#include "runtime/selinux.h"

#include <fcntl.h>
#include <linux/magic.h>

#include "linux/path.h"
#include "reflect/go_text.h"

namespace podium::runtime {
namespace {

constexpr size_t kMaxLabel = 4096;
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

Result<void> CheckSelinux(const wire::cri::SELinuxOption* options, bool machine_has_it) {
  if (!options) return {};
  if (!options->level.empty() && !IsLevel(options->level)) {
    return Error(Code::kInvalidArgument,
                 "the format of 'level' " + reflect::GoQuoted(options->level) + " is not correct");
  }
  const bool asks = !options->user.empty() || !options->role.empty() || !options->type.empty() ||
                    !options->level.empty();
  if (!asks || !machine_has_it) return {};
  return Error(Code::kUnsupported,
               "SELinux options are not supported here, and this machine has SELinux: containers "
               "run with the agent's label");
}

}  // namespace podium::runtime
