#include "runtime/default_apparmor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/path.h"
#include "linux/process.h"

namespace podium::runtime {
namespace {

constexpr const char* kProfiles = "/sys/kernel/security/apparmor/profiles";
constexpr size_t kMaxProfiles = size_t{4} << 20;
constexpr size_t kMaxSaid = 4096;
constexpr int kPatienceMs = 30'000;

// Rules that deny win over those that allow. Of the kernel's settings a container may change its
// own: message queues, semaphores, shared memory, its network; whether they can be written at all
// is up to the mounts.
constexpr std::string_view kProfile = R"(
profile podium-default flags=(attach_disconnected,mediate_deleted) {
  capability,
  file,
  network,
  unix,
  signal (send, receive) peer=podium-default,
  signal (receive) peer=unconfined,
  ptrace (read, trace, readby, tracedby) peer=podium-default,
  ptrace (readby, tracedby) peer=unconfined,

  deny mount,
  deny umount,
  deny pivot_root,

  deny /proc/{kcore,kmem,mem,kmsg,keys,timer_list,sysrq-trigger} rwklmx,
  deny /proc/{acpi,scsi,bus,irq}/** wklx,
  deny /proc/sys/{abi,crypto,debug,dev,fs,user,vm}/** wklx,
  deny /proc/sys/kernel/{[^ms]*,m[^s]*,s[^eh]*,se[^m]*} wklx,
  deny /proc/sys/kernel/*/** wklx,

  deny /sys/{block,bus,class,dev,devices,firmware,hypervisor,kernel,module,power}/** wklmx,
  deny /sys/fs/{bpf,ext4,pstore,selinux,smackfs}/** rwklmx,
}
)";

Result<std::string> RunParser() {
  UniqueFd program;
  for (const char* path :
       {"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/bin/apparmor_parser"}) {
    if (!program) program = UniqueFd(open(path, O_RDONLY | O_CLOEXEC));
  }
  if (!program) return Error(Code::kNotFound, "apparmor_parser is not installed");
  TRY(const UniqueFd profile, kernel::SealedMemory("podium-default", kProfile));
  const UniqueFd said(memfd_create("said", MFD_CLOEXEC));
  if (!said) return Error::FromErrno(errno, "memfd_create");
  TRY(const kernel::Spawned parser,
      kernel::Spawn({.program = program.get(),
                     .arguments = {"apparmor_parser", "--config-file", "/dev/null", "--skip-cache",
                                   "--quiet", "--replace", "/proc/self/fd/3"},
                     .descriptors = {profile.get()},
                     .output = said.get()}));
  pollfd end = {.fd = parser.process.fd(), .events = POLLIN, .revents = 0};
  int count = 0;
  while ((count = poll(&end, 1, kPatienceMs)) < 0 && errno == EINTR) continue;
  if (count <= 0) TRY_VOID(parser.process.Signal(SIGKILL));
  while (poll(&end, 1, -1) < 0 && errno == EINTR) continue;
  TRY([[maybe_unused]] const auto status, parser.process.Reap());
  std::string text(kMaxSaid, '\0');
  const ssize_t size = pread(said.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool Load(const DefaultApparmor::Warn& warn) {
  if (IsApparmorLoaded(kDefaultApparmorName)) return true;
  const auto said = RunParser();
  if (IsApparmorLoaded(kDefaultApparmorName)) return true;
  warn("containers run without AppArmor's profile podium-default, which could not be loaded: " +
       (said.ok() ? *said : said.error().message()));
  return false;
}

}  // namespace

// Lines are "name (mode)".
bool IsApparmorLoaded(std::string_view name) {
  const auto text = kernel::ReadFile(AT_FDCWD, kProfiles, kMaxProfiles);
  if (!text.ok()) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.substr(0, line.rfind(" (")) == name) return true;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return false;
}

DefaultApparmor::~DefaultApparmor() {
  if (loaded_.valid()) loaded_.wait();
}

void DefaultApparmor::Begin(Warn warn) {
  loaded_ = std::async(std::launch::async, [warn = std::move(warn)] { return Load(warn); }).share();
}

bool DefaultApparmor::IsLoaded() const { return loaded_.valid() && loaded_.get(); }

}  // namespace podium::runtime
