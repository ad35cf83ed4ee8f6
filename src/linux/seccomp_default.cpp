// The rules of RuntimeDefault: facts about containerd's and moby's default profiles (2.2, 29.x),
// the same in both where they matter for the kernels we run on (5.15 and newer).
#include <linux/capability.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "linux/seccomp_filter.h"

namespace podium::kernel {
namespace {

constexpr auto kAlways = std::to_array<const char*>({
    "_llseek",
    "_newselect",
    "accept",
    "accept4",
    "access",
    "adjtimex",
    "alarm",
    "bind",
    "brk",
    "cachestat",
    "capget",
    "capset",
    "chdir",
    "chmod",
    "chown",
    "chown32",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "close",
    "close_range",
    "connect",
    "copy_file_range",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_ctl_old",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "epoll_wait_old",
    "eventfd",
    "eventfd2",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fadvise64_64",
    "fallocate",
    "fanotify_mark",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchown32",
    "fchownat",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fork",
    "fremovexattr",
    "fsetxattr",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "fsync",
    "ftruncate",
    "ftruncate64",
    "futex",
    "futex_requeue",
    "futex_time64",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "futimesat",
    "get_robust_list",
    "get_thread_area",
    "getcpu",
    "getcwd",
    "getdents",
    "getdents64",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getgroups",
    "getgroups32",
    "getitimer",
    "getpeername",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresgid32",
    "getresuid",
    "getresuid32",
    "getrlimit",
    "getrusage",
    "getsid",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "getuid32",
    "getxattr",
    "getxattrat",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_pgetevents",
    "io_pgetevents_time64",
    "io_setup",
    "io_submit",
    "ioctl",
    "ioprio_get",
    "ioprio_set",
    "ipc",
    "kill",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "lchown",
    "lchown32",
    "lgetxattr",
    "link",
    "linkat",
    "listen",
    "listmount",
    "listxattr",
    "listxattrat",
    "llistxattr",
    "lremovexattr",
    "lseek",
    "lsetxattr",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "lstat",
    "lstat64",
    "madvise",
    "map_shadow_stack",
    "membarrier",
    "memfd_create",
    "memfd_secret",
    "mincore",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "mmap2",
    "mprotect",
    "mq_getsetattr",
    "mq_notify",
    "mq_open",
    "mq_timedreceive",
    "mq_timedreceive_time64",
    "mq_timedsend",
    "mq_timedsend_time64",
    "mq_unlink",
    "mremap",
    "mseal",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
    "name_to_handle_at",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pause",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe",
    "pipe2",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "poll",
    "ppoll",
    "ppoll_time64",
    "prctl",
    "pread64",
    "preadv",
    "preadv2",
    "prlimit64",
    "process_mrelease",
    "process_vm_readv",
    "process_vm_writev",
    "pselect6",
    "pselect6_time64",
    "ptrace",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "remap_file_pages",
    "removexattr",
    "removexattrat",
    "rename",
    "renameat",
    "renameat2",
    "restart_syscall",
    "rmdir",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_sigtimedwait_time64",
    "rt_tgsigqueueinfo",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_rr_get_interval_time64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "seccomp",
    "select",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "semtimedop_time64",
    "send",
    "sendfile",
    "sendfile64",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_thread_area",
    "set_tid_address",
    "setfsgid",
    "setfsgid32",
    "setfsuid",
    "setfsuid32",
    "setgid",
    "setgid32",
    "setgroups",
    "setgroups32",
    "setitimer",
    "setpgid",
    "setpriority",
    "setregid",
    "setregid32",
    "setresgid",
    "setresgid32",
    "setresuid",
    "setresuid32",
    "setreuid",
    "setreuid32",
    "setrlimit",
    "setsid",
    "setsockopt",
    "setuid",
    "setuid32",
    "setxattr",
    "setxattrat",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
    "shutdown",
    "sigaltstack",
    "signalfd",
    "signalfd4",
    "sigprocmask",
    "sigreturn",
    // Of 32-bit programs, which know no other way to a socket; the address family is out of sight.
    "socketcall",
    "socketpair",
    "splice",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statmount",
    "statx",
    "symlink",
    "symlinkat",
    "sync",
    "sync_file_range",
    "syncfs",
    "sysinfo",
    "tee",
    "tgkill",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_gettime64",
    "timer_settime",
    "timer_settime64",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_gettime64",
    "timerfd_settime",
    "timerfd_settime64",
    "times",
    "tkill",
    "truncate",
    "truncate64",
    "ugetrlimit",
    "umask",
    "uname",
    "unlink",
    "unlinkat",
    "uretprobe",
    "utime",
    "utimensat",
    "utimensat_time64",
    "utimes",
    "vfork",
    "vmsplice",
    "wait4",
    "waitid",
    "waitpid",
    "write",
    "writev",
});

#if defined(__x86_64__)
constexpr auto kOfMachine = std::to_array<const char*>({"arch_prctl", "modify_ldt"});
#else
constexpr auto kOfMachine =
    std::to_array<const char*>({"arm_fadvise64_64", "arm_sync_file_range", "breakpoint",
                                "cacheflush", "set_tls", "sync_file_range2"});
#endif

// Calls that are allowed with a capability. Several lines may name the same call.
struct WithCapability {
  int capability;
  std::array<const char*, 24> names;
};

constexpr auto kWithCapability = std::to_array<WithCapability>({
    {CAP_DAC_READ_SEARCH, {"open_by_handle_at"}},
    {CAP_SYS_ADMIN, {"bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
                     "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
                     "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
                     "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
                     "umount",        "umount2",       "unshare",     "open_tree_attr"}},
    {CAP_SYS_BOOT, {"reboot"}},
    {CAP_SYS_CHROOT, {"chroot"}},
    {CAP_SYS_MODULE, {"delete_module", "finit_module", "init_module"}},
    {CAP_SYS_PACCT, {"acct"}},
    {CAP_SYS_PTRACE, {"kcmp", "pidfd_getfd", "process_madvise"}},
    {CAP_SYS_RAWIO, {"ioperm", "iopl"}},
    {CAP_SYS_TIME, {"clock_settime", "clock_settime64", "settimeofday", "stime"}},
    {CAP_SYS_TTY_CONFIG, {"vhangup"}},
    {CAP_SYS_NICE, {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
    {CAP_SYSLOG, {"syslog"}},
    {CAP_BPF, {"bpf"}},
    {CAP_PERFMON, {"perf_event_open"}},
});

constexpr uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

// PER_LINUX, PER_LINUX32, with UNAME26, and the question what it is.
constexpr std::array<uint64_t, 5> kPersonalities = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

// All address families below 64 but 38 (AF_ALG) and 40 (AF_VSOCK), as blocks of a power of two.
struct Block {
  uint32_t mask;
  uint32_t first;
};
constexpr auto kAddressFamilies = std::to_array<Block>({{0xffffffe0, 0},
                                                        {0xfffffffc, 32},
                                                        {0xfffffffe, 36},
                                                        {0xffffffff, 39},
                                                        {0xffffffff, 41},
                                                        {0xfffffffe, 42},
                                                        {0xfffffffc, 44},
                                                        {0xfffffff0, 48}});

SeccompRule Allow(std::span<const char* const> names) {
  SeccompRule rule{.action = SeccompAction::kAllow};
  for (const char* name : names) {
    if (name) rule.names.emplace_back(name);
  }
  return rule;
}

SeccompRule AllowIf(const char* name, SeccompArgument argument) {
  return {.names = {name}, .action = SeccompAction::kAllow, .args = {argument}};
}

// The capabilities that a filter depends on.
CapabilityMask Relevant() {
  CapabilityMask mask = 0;
  for (const WithCapability& one : kWithCapability) mask |= CapabilityBit(one.capability);
  return mask;
}

}  // namespace

SeccompProfile DefaultSeccompProfile(CapabilityMask granted) {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kErrno;
  profile.default_errno_ret = EPERM;
  profile.architectures = NativeArchitectures();
  profile.syscalls = {Allow(kAlways), Allow(kOfMachine)};
  for (const Block& block : kAddressFamilies) {
    profile.syscalls.push_back(AllowIf("socket", {.index = 0,
                                                  .value = block.mask,
                                                  .value_two = block.first,
                                                  .op = SeccompOperator::kMaskedEqual}));
  }
  for (const uint64_t personality : kPersonalities) {
    profile.syscalls.push_back(AllowIf("personality", {.index = 0, .value = personality}));
  }
  for (const WithCapability& one : kWithCapability) {
    if ((granted & CapabilityBit(one.capability)) != 0) {
      profile.syscalls.push_back(Allow(one.names));
    }
  }
  if ((granted & CapabilityBit(CAP_SYS_ADMIN)) == 0) {
    profile.syscalls.push_back(AllowIf("clone", {.index = 0,
                                                 .value = kNewNamespaces,
                                                 .value_two = 0,
                                                 .op = SeccompOperator::kMaskedEqual}));
    // Its flags are in memory, where a filter cannot look; with ENOSYS libraries use clone.
    profile.syscalls.push_back(
        {.names = {"clone3"}, .action = SeccompAction::kErrno, .errno_ret = ENOSYS});
  }
  return profile;
}

std::shared_ptr<const SeccompFilter> DefaultSeccomp::For(CapabilityMask granted) {
  static const CapabilityMask kRelevant = Relevant();
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const SeccompFilter>& filter = filters_[granted & kRelevant];
  if (!filter) {
    // Our own rules compile.
    filter = std::make_shared<SeccompFilter>(
        CompileSeccomp(DefaultSeccompProfile(granted & kRelevant)).value());
  }
  return filter;
}

}  // namespace podium::kernel
