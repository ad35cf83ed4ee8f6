// A process's surroundings up to its program: terminal, standard streams, working directory,
// execve.
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/termios.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mman.h>

#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr int kExecutable = 1;  // X_OK
constexpr unsigned kPtmxDevice = 5U << 8 | 2U;

// An array that the plan decides the size of.
const char** Allocate(size_t pointers) {
  const long address =
      sys::Mmap(pointers * sizeof(char*), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!sys::IsMapped(address)) Fail(FailedStep::kStartProgram, -address);
  return sys::Pointer<const char*>(address);
}

const char** PointersTo(const PlanReader& plan, TableRef texts) {
  const std::span<const TextRef> refs = plan.Texts(texts);
  const char** pointers = Allocate(refs.size() + 1);
  for (size_t i = 0; i < refs.size(); ++i) pointers[i] = plan.Text(refs[i]).data();
  pointers[refs.size()] = nullptr;
  return pointers;
}

// 0, or why a path cannot be run; as Go's exec.LookPath decides, which is what runc's users see.
int CheckExecutable(const char* path) {
  struct stat status = {};
  const long result = sys::Fstatat(AT_FDCWD, path, &status);
  if (result < 0) return static_cast<int>(-result);
  if ((status.st_mode & sys::kFileType) == sys::kFolder) return EISDIR;
  return static_cast<int>(-sys::Faccessat2(AT_FDCWD, path, kExecutable, AT_EACCESS));
}

std::string_view SearchPath(const PlanReader& plan) {
  constexpr std::string_view kName = "PATH=";
  for (const TextRef ref : plan.Texts(plan.header().environment)) {
    const std::string_view variable = plan.Text(ref);
    if (variable.substr(0, kName.size()) == kName) return variable.substr(kName.size());
  }
  return "";
}

// Whether we are at a place below the root: the kernel puts "(unreachable)" before one that is not.
bool IsInsideRoot() {
  static char path[kMaxPath];
  return sys::Getcwd(path, sizeof(path)) > 0 && path[0] == '/';
}

}  // namespace

// The other end by ioctl, not by its name in a folder that others may change (CVE-2025-52565).
int OpenTerminal(int ptmx_folder, uint16_t rows, uint16_t columns, int* terminal) {
  const open_how how = {.flags = O_RDWR | O_NOCTTY | O_CLOEXEC,
                        .mode = 0,
                        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  const int master =
      static_cast<int>(Must(sys::Openat2(ptmx_folder, "ptmx", how), FailedStep::kTerminal));
  struct statfs file_system = {};
  struct stat status = {};
  Must(sys::Fstatfs(master, &file_system), FailedStep::kTerminal);
  Must(sys::Fstat(master, &status), FailedStep::kTerminal);
  if (file_system.f_type != DEVPTS_SUPER_MAGIC || status.st_rdev != kPtmxDevice) {
    Fail(FailedStep::kTerminal, EPERM);
  }
  const int unlock = 0;
  Must(sys::Ioctl(master, TIOCSPTLCK, &unlock), FailedStep::kTerminal);
  const winsize size = {.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (rows != 0 || columns != 0) {
    Must(sys::Ioctl(master, TIOCSWINSZ, &size), FailedStep::kTerminal);
  }
  *terminal = static_cast<int>(Must(
      sys::IoctlNumber(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), FailedStep::kTerminal));
  return master;
}

void BeginSession(bool terminal) {
  Must(sys::Call(__NR_setsid), FailedStep::kSpawn);
  if (terminal) Must(sys::IoctlNumber(0, TIOCSCTTY, 0), FailedStep::kTerminal);
}

// The streams become the user's: a program opens /dev/stdout again, and without this only root
// could.
void SetStdio(const int (&stdio)[3], uint32_t uid) {
  for (int i = 0; i < 3; ++i) {
    // /dev/null may be in its place already; then it must only stay open.
    Must(stdio[i] == i ? sys::Fcntl(i, F_SETFD, 0) : sys::Dup3(stdio[i], i, 0), FailedStep::kStdio);
    struct stat status = {};
    Must(sys::Fstat(i, &status), FailedStep::kStdio);
    const bool null = (status.st_mode & sys::kFileType) == sys::kCharacterDevice &&
                      status.st_rdev == (1U << 8 | 3U);
    if (null || status.st_uid == uid) continue;
    const long result = sys::Call(__NR_fchown, i, uid, ~0U);
    // A file system that is read-only or knows no owners (a pipe from elsewhere): as it is.
    if (result == -EROFS || result == -EPERM || result == -EINVAL) continue;
    Must(result, FailedStep::kStdio);
  }
}

bool EnterWorkingDirectory(const PlanReader& plan, bool again) {
  const std::string_view path = plan.Text(plan.header().cwd);
  // Magic links lead to descriptors, perhaps of folders outside (CVE-2024-21626).
  const open_how how = {
      .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_NO_MAGICLINKS};
  const long fd = sys::Openat2(AT_FDCWD, path.data(), how);
  long result = fd;
  if (fd >= 0) {
    result = sys::Fchdir(static_cast<int>(fd));
    sys::Close(static_cast<int>(fd));
  }
  // Root may be refused where the user is not: a network file system.
  if (!again && (result == -EACCES || result == -EPERM)) return false;
  Must(result, FailedStep::kWorkingDirectory, path);
  if (!IsInsideRoot()) Fail(FailedStep::kWorkingDirectory, EPERM, path);
  return true;
}

const char* FindProgram(const PlanReader& plan) {
  const std::string_view name = plan.Text(plan.Texts(plan.header().arguments)[0]);
  if (name.find('/') != std::string_view::npos) {
    const int error = CheckExecutable(name.data());
    if (error != 0) Fail(FailedStep::kFindProgram, error, name);
    return name.data();
  }
  static char path[kMaxPath];
  std::string_view folders = SearchPath(plan);
  while (!name.empty() && !folders.empty()) {
    const size_t colon = folders.find(':');
    std::string_view folder = folders.substr(0, colon);
    folders.remove_prefix(colon == std::string_view::npos ? folders.size() : colon + 1);
    if (folder.empty()) folder = ".";
    if (folder.size() + name.size() + 2 > sizeof(path)) continue;
    __builtin_memcpy(path, folder.data(), folder.size());
    path[folder.size()] = '/';
    __builtin_memcpy(path + folder.size() + 1, name.data(), name.size());
    path[folder.size() + 1 + name.size()] = '\0';
    if (CheckExecutable(path) == 0) return path;
  }
  Fail(FailedStep::kFindProgram, ENOENT, name);
}

// What is ignored or blocked would stay so in the program.
void ResetSignals() {
  const sys::SignalAction standard = {
      .handler = SIG_DFL, .flags = 0, .restorer = nullptr, .mask = 0};
  sys::Sigaction(SIGHUP, standard);
  sys::Sigaction(SIGPIPE, standard);
  sys::Sigprocmask(SIG_SETMASK, 0);
}

void RunProgram(const PlanReader& plan, const char* path) {
  const char** arguments = PointersTo(plan, plan.header().arguments);
  const char** environment = PointersTo(plan, plan.header().environment);
  sys::Umask(plan.header().umask);
  // Everything but the three streams closes when the program runs, the report's socket too: that is
  // how the shim knows.
  Must(sys::CloseRange(3, ~0U, CLOSE_RANGE_CLOEXEC), FailedStep::kSpawn);
  ResetSignals();
  SetFilter(plan);
  Fail(FailedStep::kStartProgram, -sys::Execveat(AT_FDCWD, path, arguments, environment, 0), path);
}

}  // namespace podium::runtime::shim
