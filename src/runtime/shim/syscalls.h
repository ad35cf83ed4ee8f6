// System calls without a C library. Each returns what the kernel returns: the result, or minus
// errno. Thin on purpose: the manual page of the same name is the contract.
#pragma once

#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/uio.h>

#include <cstddef>
#include <cstdint>

namespace podium::runtime::shim::sys {

namespace internal {

#if defined(__x86_64__)
inline long Raw(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long Raw(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
#else
#error "the shim knows x86_64 and aarch64"
#endif

template <class T>
long Word(T value) {
  return static_cast<long>(value);
}
template <class T>
long Word(T* value) {
  return reinterpret_cast<long>(value);
}
inline long Word(std::nullptr_t) { return 0; }

}  // namespace internal

template <class... Args>
long Call(long number, Args... args) {
  static_assert(sizeof...(Args) <= 6);
  const long words[6] = {internal::Word(args)...};
  return internal::Raw(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

// <linux/stat.h> keeps these to itself once glibc's features.h has been seen.
inline constexpr unsigned kFileType = 0170000;
inline constexpr unsigned kFolder = 0040000;
inline constexpr unsigned kCharacterDevice = 0020000;

// What <sys/socket.h> has and the kernel's headers for users lack.
struct MessageHeader {
  void* name;
  int name_size;
  iovec* parts;
  size_t part_count;
  void* control;
  size_t control_size;
  unsigned int flags;
};
struct ControlHeader {
  size_t size;
  int level;
  int type;
};
// struct sigaction as the kernel has it, which is not the C library's.
struct SignalAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};
struct Credentials {
  int32_t pid;
  uint32_t uid, gid;
};
inline constexpr int kAfUnix = 1;
inline constexpr int kSockSeqpacket = 5;
inline constexpr int kSockCloexec = 02000000;
inline constexpr int kSockNonblock = 04000;
inline constexpr int kSolSocket = 1;
inline constexpr int kSoPasscred = 16;
inline constexpr int kSoPeercred = 17;
inline constexpr int kSoSndbufForce = 32;
inline constexpr int kScmRights = 1;
inline constexpr int kScmCredentials = 2;
inline constexpr unsigned kMsgDontwait = 0x40;
inline constexpr unsigned kMsgNosignal = 0x4000;
inline constexpr unsigned kMsgTrunc = 0x20;
inline constexpr unsigned kMsgCtrunc = 0x8;
inline constexpr unsigned kMsgCmsgCloexec = 0x40000000;

[[noreturn]] inline void Exit(int code) {
  for (;;) Call(__NR_exit_group, code);
}

// Descriptors.
inline long Close(int fd) { return Call(__NR_close, fd); }
inline long CloseRange(unsigned first, unsigned last, unsigned flags) {
  return Call(__NR_close_range, first, last, flags);
}
inline long Dup3(int from, int to, int flags) { return Call(__NR_dup3, from, to, flags); }
inline long Fcntl(int fd, int command, long argument) {
  return Call(__NR_fcntl, fd, command, argument);
}
inline long Ioctl(int fd, unsigned long request, const void* argument) {
  return Call(__NR_ioctl, fd, request, argument);
}
// A request whose argument is a number, not an address.
inline long IoctlNumber(int fd, unsigned long request, unsigned long argument) {
  return Call(__NR_ioctl, fd, request, argument);
}
inline long Read(int fd, void* to, size_t size) { return Call(__NR_read, fd, to, size); }
inline long Write(int fd, const void* from, size_t size) {
  return Call(__NR_write, fd, from, size);
}
inline long Writev(int fd, const iovec* parts, int count) {
  return Call(__NR_writev, fd, parts, count);
}
inline long Pipe2(int* fds, int flags) { return Call(__NR_pipe2, fds, flags); }

// Files.
inline long Openat(int folder, const char* path, int flags, unsigned mode = 0) {
  return Call(__NR_openat, folder, path, flags, mode);
}
inline long Openat2(int folder, const char* path, const open_how& how) {
  return Call(__NR_openat2, folder, path, &how, sizeof(how));
}
inline long Mkdirat(int folder, const char* path, unsigned mode) {
  return Call(__NR_mkdirat, folder, path, mode);
}
inline long Mknodat(int folder, const char* path, unsigned mode, unsigned device) {
  return Call(__NR_mknodat, folder, path, mode, device);
}
inline long Symlinkat(const char* content, int folder, const char* path) {
  return Call(__NR_symlinkat, content, folder, path);
}
inline long Renameat(int folder, const char* from, const char* to) {
  return Call(__NR_renameat2, folder, from, folder, to, 0);
}
inline long Unlinkat(int folder, const char* path, int flags) {
  return Call(__NR_unlinkat, folder, path, flags);
}
inline long Fchownat(int folder, const char* path, unsigned uid, unsigned gid, int flags) {
  return Call(__NR_fchownat, folder, path, uid, gid, flags);
}
inline long Fstat(int fd, struct stat* out) { return Call(__NR_fstat, fd, out); }
inline long Fstatat(int folder, const char* path, struct stat* out) {
  return Call(__NR_newfstatat, folder, path, out, 0);
}
inline long Fstatfs(int fd, struct statfs* out) { return Call(__NR_fstatfs, fd, out); }
inline long Faccessat2(int folder, const char* path, int mode, int flags) {
  return Call(__NR_faccessat2, folder, path, mode, flags);
}
inline long Lsetxattr(const char* path, const char* name, const void* value, size_t size) {
  return Call(__NR_lsetxattr, path, name, value, size, 0);
}
inline long Fsetxattr(int fd, const char* name, const void* value, size_t size) {
  return Call(__NR_fsetxattr, fd, name, value, size, 0);
}
inline long Fchdir(int fd) { return Call(__NR_fchdir, fd); }
inline long Chdir(const char* path) { return Call(__NR_chdir, path); }
inline long Getcwd(char* to, size_t size) { return Call(__NR_getcwd, to, size); }
inline long Umask(unsigned mask) { return Call(__NR_umask, mask); }

// Mounts.
inline long Fsopen(const char* type) { return Call(__NR_fsopen, type, FSOPEN_CLOEXEC); }
inline long Fsconfig(int fd, unsigned command, const char* key, const char* value) {
  return Call(__NR_fsconfig, fd, command, key, value, 0);
}
inline long Fsmount(int fd, unsigned attributes) {
  return Call(__NR_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}
inline long OpenTree(int folder, const char* path, unsigned flags) {
  return Call(__NR_open_tree, folder, path, flags | OPEN_TREE_CLOEXEC);
}
inline long MoveMount(int from, int to_folder, const char* to_path, unsigned flags) {
  return Call(__NR_move_mount, from, "", to_folder, to_path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}
inline long MountSetattr(int fd, unsigned flags, const mount_attr& attributes) {
  return Call(__NR_mount_setattr, fd, "", flags, &attributes, sizeof(attributes));
}
inline long PivotRoot(const char* to, const char* put_old) {
  return Call(__NR_pivot_root, to, put_old);
}
inline long Umount2(const char* path, int flags) { return Call(__NR_umount2, path, flags); }

// Memory.
inline long Mmap(size_t size, int protection, int flags, int fd) {
  return Call(__NR_mmap, nullptr, size, protection, flags, fd, 0);
}
// Errors are the last page of addresses; those of user space may have any sign.
inline bool IsMapped(long address) { return address < -4095 || address > 0; }
template <class T>
T* Pointer(long address) {
  return __builtin_bit_cast(T*, address);
}

// Processes.
inline long Clone3(const clone_args& args) { return Call(__NR_clone3, &args, sizeof(args)); }
inline long Setns(int fd, unsigned flags) { return Call(__NR_setns, fd, flags); }
inline long Unshare(unsigned flags) { return Call(__NR_unshare, flags); }
inline long Getpid() { return Call(__NR_getpid); }
inline long PidfdOpen(int pid) { return Call(__NR_pidfd_open, pid, 0); }
inline long Sigaction(int signal, const SignalAction& action) {
  return Call(__NR_rt_sigaction, signal, &action, nullptr, sizeof(action.mask));
}
inline long Sigprocmask(int how, uint64_t mask) {
  return Call(__NR_rt_sigprocmask, how, &mask, nullptr, sizeof(mask));
}
inline long PidfdSendSignal(int pidfd, int signal) {
  return Call(__NR_pidfd_send_signal, pidfd, signal, nullptr, 0);
}
inline long Prctl(int option, unsigned long a, unsigned long b = 0, unsigned long c = 0,
                  unsigned long d = 0) {
  return Call(__NR_prctl, option, a, b, c, d);
}
inline long Execveat(int folder, const char* path, const char* const* arguments,
                     const char* const* environment, int flags) {
  return Call(__NR_execveat, folder, path, arguments, environment, flags);
}
inline long ClockGettime(int clock, __kernel_timespec* out) {
  return Call(__NR_clock_gettime, clock, out);
}

// Sockets.
inline long Sendmsg(int fd, const MessageHeader* message, unsigned flags) {
  return Call(__NR_sendmsg, fd, message, flags);
}
inline long Recvmsg(int fd, MessageHeader* message, unsigned flags) {
  return Call(__NR_recvmsg, fd, message, flags);
}
inline long Setsockopt(int fd, int level, int option, int value) {
  return Call(__NR_setsockopt, fd, level, option, &value, sizeof(value));
}

}  // namespace podium::runtime::shim::sys
