#include "linux/seccomp_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <rapidcheck.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "linux/syscall_numbers.h"

namespace podium::kernel {
namespace {

using ::testing::HasSubstr;
using Arguments = std::array<uint64_t, 6>;

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr auto kX8664 = SeccompArchitecture::kX8664;
constexpr auto kX86 = SeccompArchitecture::kX86;

uint32_t AuditOf(SeccompArchitecture architecture) {
  constexpr std::array<uint32_t, 4> kAudit = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
                                              AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM};
  return kAudit.at(static_cast<size_t>(architecture));
}

struct Run {
  uint32_t value = 0;
  int steps = 0;
};

// The kernel's machine, as far as filters use it.
Run Interpret(const std::vector<sock_filter>& program, uint32_t audit, uint32_t number,
              const Arguments& arguments) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = audit;
  std::memcpy(data.args, arguments.data(), sizeof(data.args));
  uint32_t accumulator = 0;
  Run run;
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& one = program[at];
    ++run.steps;
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (one.k % 4 != 0 || one.k + 4 > sizeof(data)) ADD_FAILURE() << "loads from " << one.k;
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + one.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= one.k;
        break;
      case BPF_JMP | BPF_JA:
        at += one.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += accumulator > one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= one.k ? one.jt : one.jf;
        break;
      case BPF_RET | BPF_K:
        run.value = one.k;
        return run;
      default:
        ADD_FAILURE() << "instruction " << one.code;
        return run;
    }
  }
  ADD_FAILURE() << "the program does not end";
  return run;
}

uint32_t Ask(const SeccompFilter& filter, SeccompArchitecture architecture, const char* name,
             const Arguments& arguments = {}) {
  const auto number = SyscallNumber(name, architecture);
  EXPECT_TRUE(number) << name;
  return Interpret(filter.program, AuditOf(architecture), number.value_or(0), arguments).value;
}

bool Matches(const SeccompArgument& argument, const Arguments& arguments) {
  const uint64_t value = arguments.at(argument.index);
  switch (argument.op) {
    case SeccompOperator::kNotEqual:
      return value != argument.value;
    case SeccompOperator::kLess:
      return value < argument.value;
    case SeccompOperator::kLessOrEqual:
      return value <= argument.value;
    case SeccompOperator::kEqual:
      return value == argument.value;
    case SeccompOperator::kGreaterOrEqual:
      return value >= argument.value;
    case SeccompOperator::kGreater:
      return value > argument.value;
    case SeccompOperator::kMaskedEqual:
      return (value & argument.value) == argument.value_two;
  }
  return false;
}

bool Matches(const SeccompRule& rule, const Arguments& arguments) {
  std::set<uint32_t> indexes;
  size_t matching = 0;
  for (const SeccompArgument& argument : rule.args) {
    indexes.insert(argument.index);
    if (Matches(argument, arguments)) ++matching;
  }
  return indexes.size() == rule.args.size() ? matching == rule.args.size() : matching > 0;
}

uint32_t ValueOf(SeccompAction action, std::optional<uint32_t> errno_ret) {
  switch (action) {
    case SeccompAction::kKillThread:
      return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::kKillProcess:
      return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::kTrap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::kErrno:
      return SECCOMP_RET_ERRNO | errno_ret.value_or(EPERM);
    case SeccompAction::kTrace:
      return SECCOMP_RET_TRACE | errno_ret.value_or(EPERM);
    case SeccompAction::kAllow:
      return SECCOMP_RET_ALLOW;
    case SeccompAction::kLog:
      return SECCOMP_RET_LOG;
    default:
      ADD_FAILURE();
      return 0;
  }
}

// What the header promises, read from the profile itself.
uint32_t Expected(const SeccompProfile& profile, SeccompArchitecture architecture, uint32_t number,
                  const Arguments& arguments) {
  if (std::ranges::find(profile.architectures, architecture) == profile.architectures.end()) {
    return SECCOMP_RET_KILL_PROCESS;
  }
  if (architecture == kX8664 && number >= 0x40000000) return kEnosys;
  const SeccompRule* first = nullptr;
  std::optional<uint32_t> newest;
  bool named = false;
  for (const SeccompRule& rule : profile.syscalls) {
    for (const std::string& name : rule.names) {
      const auto own = SyscallNumber(name, architecture);
      if (own && *own < 0xf0000) newest = std::max(newest, own);
      if (own != number) continue;
      named = true;
      if (rule.args.empty()) return ValueOf(rule.action, rule.errno_ret);
      if (!first && Matches(rule, arguments)) first = &rule;
    }
  }
  if (first) return ValueOf(first->action, first->errno_ret);
  if (profile.default_action == SeccompAction::kErrno && !named && newest && number > *newest) {
    return kEnosys;
  }
  return ValueOf(profile.default_action, profile.default_errno_ret);
}

SeccompProfile Profile(SeccompAction action, std::vector<SeccompRule> rules) {
  return {.default_action = action, .architectures = {kX8664}, .syscalls = std::move(rules)};
}

TEST(SeccompFilterTest, Names) {
  EXPECT_EQ(ParseSeccompAction("SCMP_ACT_KILL_PROCESS"), SeccompAction::kKillProcess);
  EXPECT_EQ(ParseSeccompAction("SCMP_ACT_"), std::nullopt);
  EXPECT_EQ(ParseSeccompAction(""), std::nullopt);
  EXPECT_EQ(ParseSeccompOperator("SCMP_CMP_MASKED_EQ"), SeccompOperator::kMaskedEqual);
  EXPECT_EQ(ParseSeccompOperator("=="), std::nullopt);
  EXPECT_EQ(*ParseSeccompArchitecture("SCMP_ARCH_X86"), kX86);
  EXPECT_EQ(ParseSeccompArchitecture("SCMP_ARCH_S390X").error().code(), Code::kNotFound);
  EXPECT_EQ(ParseSeccompArchitecture("SCMP_ARCH_Z80").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(ParseSeccompFlag("SECCOMP_FILTER_FLAG_LOG"), SECCOMP_FILTER_FLAG_LOG);
  EXPECT_EQ(ParseSeccompFlag("SECCOMP_FILTER_FLAG_NEW_LISTENER"), std::nullopt);
}

TEST(SeccompFilterTest, Numbers) {
  EXPECT_EQ(SyscallNumber("read", kX8664), 0u);
  EXPECT_EQ(SyscallNumber("read", kX86), 3u);
  EXPECT_EQ(SyscallNumber("read", SeccompArchitecture::kAarch64), 63u);
  EXPECT_EQ(SyscallNumber("read", SeccompArchitecture::kArm), 3u);
  EXPECT_EQ(SyscallNumber("open", SeccompArchitecture::kAarch64), std::nullopt);
  EXPECT_EQ(SyscallNumber("nonsense", kX8664), std::nullopt);
  EXPECT_TRUE(IsSyscall("socketcall"));
  EXPECT_FALSE(IsSyscall("nonsense"));
}

TEST(SeccompFilterTest, WhatIsRefused) {
  const auto code = [](const SeccompProfile& profile) {
    const auto filter = CompileSeccomp(profile);
    return filter.ok() ? Code::kInternal : filter.error().code();
  };
  const auto with = [](SeccompRule rule) { return Profile(SeccompAction::kErrno, {rule}); };
  EXPECT_EQ(code({}), Code::kInvalidArgument);
  EXPECT_EQ(code(with({.names = {"read"}})), Code::kInvalidArgument);
  EXPECT_EQ(code(with({.names = {"read"}, .action = SeccompAction::kNotify})), Code::kUnsupported);
  EXPECT_EQ(code(with({.names = {"read"}, .action = SeccompAction::kErrno, .errno_ret = 4096})),
            Code::kInvalidArgument);
  EXPECT_EQ(code(with({.names = {"read"},
                       .action = SeccompAction::kAllow,
                       .args = {SeccompArgument{.index = 6}}})),
            Code::kInvalidArgument);
  EXPECT_EQ(
      code(Profile(SeccompAction::kErrno, {{.names = {"read"}, .action = SeccompAction::kAllow},
                                           {.names = {"read"}, .action = SeccompAction::kTrap}})),
      Code::kInvalidArgument);
  std::vector<SeccompRule> many;
  for (uint64_t value = 0; value < 2000; ++value) {
    many.push_back({.names = {"read"},
                    .action = SeccompAction::kAllow,
                    .args = {SeccompArgument{.index = 0, .value = value}}});
  }
  EXPECT_EQ(code(Profile(SeccompAction::kErrno, many)), Code::kResourceExhausted);
}

TEST(SeccompFilterTest, ArchitecturesAndX32) {
  const auto allow_all = CompileSeccomp(Profile(SeccompAction::kAllow, {}));
  ASSERT_TRUE(allow_all.ok());
  EXPECT_EQ(Interpret(allow_all->program, AUDIT_ARCH_X86_64, 0x3fffffff, {}).value, kAllow);
  EXPECT_EQ(Interpret(allow_all->program, AUDIT_ARCH_X86_64, 0x40000000, {}).value, kEnosys);
  EXPECT_EQ(Interpret(allow_all->program, AUDIT_ARCH_X86_64, 0xffffffff, {}).value, kEnosys);
  for (const uint32_t other : {uint32_t{AUDIT_ARCH_I386}, uint32_t{AUDIT_ARCH_AARCH64}, 0u}) {
    EXPECT_EQ(Interpret(allow_all->program, other, 0, {}).value, SECCOMP_RET_KILL_PROCESS);
  }
}

// What 32-bit x86 hides behind socketcall is no way around a rule.
TEST(SeccompFilterTest, CallsBehindOthers) {
  SeccompProfile deny = Profile(SeccompAction::kAllow,
                                {{.names = {"socket", "shmget"}, .action = SeccompAction::kErrno}});
  deny.architectures = {kX8664, kX86};
  const auto denied = CompileSeccomp(deny);
  ASSERT_TRUE(denied.ok());
  EXPECT_EQ(Ask(*denied, kX86, "socket"), kEperm);
  EXPECT_EQ(Ask(*denied, kX86, "socketcall", {1}), kEperm);
  EXPECT_EQ(Ask(*denied, kX86, "socketcall", {2}), kAllow);
  EXPECT_EQ(Ask(*denied, kX86, "ipc", {23}), kEperm);
  EXPECT_EQ(Ask(*denied, kX86, "ipc", {(1 << 16) | 23}), kEperm);
  EXPECT_EQ(Ask(*denied, kX86, "ipc", {21}), kAllow);

  const SeccompArgument family{.index = 0, .value = 38};
  deny.syscalls = {{.names = {"socket"}, .action = SeccompAction::kErrno, .args = {family}}};
  EXPECT_EQ(Ask(*CompileSeccomp(deny), kX86, "socketcall", {1}), kEperm);
  SeccompProfile allow = deny;
  allow.default_action = SeccompAction::kErrno;
  allow.syscalls = {{.names = {"socket"}, .action = SeccompAction::kAllow, .args = {family}}};
  EXPECT_EQ(Ask(*CompileSeccomp(allow), kX86, "socket", {38}), kAllow);
  EXPECT_NE(Ask(*CompileSeccomp(allow), kX86, "socketcall", {1}), kAllow);
  allow.syscalls = {{.names = {"socket"}, .action = SeccompAction::kAllow}};
  EXPECT_EQ(Ask(*CompileSeccomp(allow), kX86, "socketcall", {1}), kAllow);
}

TEST(SeccompDefaultTest, EveryNameIsACall) {
  for (const SeccompRule& rule : DefaultSeccompProfile(kNamedCapabilities).syscalls) {
    for (const std::string& name : rule.names) EXPECT_TRUE(IsSyscall(name)) << name;
  }
}

TEST(SeccompDefaultTest, Rules) {
  DefaultSeccomp defaults;
  const auto filter = defaults.For(kDefaultCapabilities);
  const auto ask = [&](const char* name, const Arguments& arguments = {}) {
    return Ask(*filter, NativeArchitectures().front(), name, arguments);
  };
  for (const char* allowed : {"read", "execve", "chroot", "ptrace", "mknodat", "fchmodat2"}) {
    EXPECT_EQ(ask(allowed), kAllow) << allowed;
  }
  for (const char* denied : {"mount",
                             "unshare",
                             "setns",
                             "bpf",
                             "keyctl",
                             "add_key",
                             "reboot",
                             "init_module",
                             "kexec_load",
                             "io_uring_setup",
                             "userfaultfd",
                             "open_by_handle_at",
                             "perf_event_open",
                             "settimeofday",
                             "pivot_root",
                             "swapon",
                             "acct",
                             "mbind",
                             "syslog",
                             "quotactl"}) {
    EXPECT_EQ(ask(denied), kEperm) << denied;
  }
  EXPECT_EQ(ask("clone3"), kEnosys);
  EXPECT_EQ(ask("clone", {SIGCHLD}), kAllow);
  for (const uint64_t flag : {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
                              CLONE_NEWNET, CLONE_NEWCGROUP}) {
    EXPECT_EQ(ask("clone", {flag | SIGCHLD}), kEperm) << flag;
  }
  for (const uint64_t fine : {0x0, 0x8, 0x20000, 0x20008})
    EXPECT_EQ(ask("personality", {fine}), kAllow);
  EXPECT_EQ(ask("personality", {0xffffffff}), kAllow);
  EXPECT_EQ(ask("personality", {0x40000}), kEperm);
  // As the kernel reads the number of a family: 32 bits.
  for (uint64_t family = 0; family < 64; ++family) {
    const uint32_t expected = family == 38 || family == 40 ? kEperm : kAllow;
    EXPECT_EQ(ask("socket", {family}), expected) << family;
    EXPECT_EQ(ask("socket", {family | (uint64_t{1} << 32)}), expected) << family;
    EXPECT_EQ(ask("socket", {family | (uint64_t{1} << 63)}), expected) << family;
  }
  EXPECT_EQ(ask("socket", {~uint64_t{0}}), kEperm);
  EXPECT_EQ(Interpret(filter->program, AuditOf(NativeArchitectures().front()), 9999, {}).value,
            kEnosys);
}

TEST(SeccompDefaultTest, CapabilitiesOpenCalls) {
  DefaultSeccomp defaults;
  const auto filter = defaults.For(kNamedCapabilities);
  for (const char* allowed : {"mount", "unshare", "setns", "bpf", "reboot", "init_module", "clone3",
                              "open_by_handle_at", "perf_event_open", "settimeofday", "acct",
                              "mbind", "syslog", "pidfd_getfd", "open_tree_attr"}) {
    EXPECT_EQ(Ask(*filter, NativeArchitectures().front(), allowed), kAllow) << allowed;
  }
  EXPECT_EQ(Ask(*filter, NativeArchitectures().front(), "clone", {CLONE_NEWUSER}), kAllow);
  EXPECT_EQ(Ask(*filter, NativeArchitectures().front(), "kexec_load"), kEperm);
  const auto nothing = defaults.For(0);
  EXPECT_EQ(Ask(*nothing, NativeArchitectures().front(), "chroot"), kEperm);
  const auto bpf = defaults.For(CapabilityBit(CAP_BPF));
  EXPECT_EQ(Ask(*bpf, NativeArchitectures().front(), "bpf"), kAllow);
  EXPECT_EQ(Ask(*bpf, NativeArchitectures().front(), "mount"), kEperm);
  // One for all sets that differ in nothing a filter asks about.
  EXPECT_EQ(defaults.For(0), defaults.For(CapabilityBit(CAP_CHOWN)));
}

TEST(SeccompDefaultTest, IsATree) {
  for (const CapabilityMask granted :
       {CapabilityMask{0}, kDefaultCapabilities, kNamedCapabilities}) {
    const SeccompProfile profile = DefaultSeccompProfile(granted);
    const SeccompFilter filter = *CompileSeccomp(profile);
    EXPECT_LT(filter.program.size(), 400u);
    int longest = 0;
    for (const SeccompArchitecture architecture : NativeArchitectures()) {
      for (uint32_t number = 0; number < 1000; ++number) {
        longest =
            std::max(longest, Interpret(filter.program, AuditOf(architecture), number, {}).steps);
      }
    }
    // Thirteen halvings, and up to eight conditions.
    EXPECT_LT(longest, 60);
  }
}

void ExpectAsTheProfileSays(const SeccompProfile& profile, const std::vector<uint32_t>& numbers,
                            const std::vector<Arguments>& samples) {
  const auto filter = CompileSeccomp(profile);
  ASSERT_TRUE(filter.ok()) << filter.error().message();
  for (const SeccompArchitecture architecture :
       {kX8664, SeccompArchitecture::kAarch64, SeccompArchitecture::kArm}) {
    for (const uint32_t number : numbers) {
      for (const Arguments& arguments : samples) {
        ASSERT_EQ(Interpret(filter->program, AuditOf(architecture), number, arguments).value,
                  Expected(profile, architecture, number, arguments))
            << number << " of " << static_cast<int>(architecture);
      }
    }
  }
}

TEST(SeccompDefaultTest, DecidesAsTheProfileSays) {
  std::vector<uint32_t> numbers = {0xf0002, 0xf0005, 0xf0006, 0x40000000, 0x40000001, 0xffffffff};
  for (uint32_t number = 0; number < 520; ++number) numbers.push_back(number);
  std::vector<Arguments> samples;
  for (const uint64_t value : {uint64_t{0}, uint64_t{8}, uint64_t{38}, uint64_t{0x20008},
                               uint64_t{CLONE_NEWUSER}, uint64_t{0x100000026}, ~uint64_t{0}}) {
    samples.push_back({value, 0, 0, 0, 0, 0});
  }
  for (const CapabilityMask granted :
       {CapabilityMask{0}, kDefaultCapabilities, kNamedCapabilities}) {
    ExpectAsTheProfileSays(DefaultSeccompProfile(granted), numbers, samples);
  }
}

const std::vector<std::string>& SomeNames() {
  static const std::vector<std::string> kNames = {
      "read",   "write", "open",  "close", "openat",  "mmap",       "clone",
      "clone3", "prctl", "statx", "mseal", "set_tls", "breakpoint", "nonsense"};
  return kNames;
}

// Those of the names, and their neighbours.
std::vector<uint32_t> SomeNumbers() {
  std::set<uint32_t> numbers = {0x40000000, 0x40000001, 0xffffffff, 999};
  for (const std::string& name : SomeNames()) {
    for (const auto architecture :
         {kX8664, SeccompArchitecture::kAarch64, SeccompArchitecture::kArm}) {
      const auto number = SyscallNumber(name, architecture);
      if (number) numbers.insert({*number, *number + 1, *number == 0 ? 0 : *number - 1});
    }
  }
  return {numbers.begin(), numbers.end()};
}

// Values that are near each other, in either half.
rc::Gen<uint64_t> AnyValue() {
  return rc::gen::map(rc::gen::pair(rc::gen::element<uint64_t>(0, 1, 2, 0xffffffff),
                                    rc::gen::element<uint64_t>(0, 1, 2, 7, 0x80000000, 0xffffffff)),
                      [](const auto& halves) { return (halves.first << 32) | halves.second; });
}

rc::Gen<SeccompArgument> AnyArgument() {
  return rc::gen::build<SeccompArgument>(
      rc::gen::set(&SeccompArgument::index, rc::gen::inRange<uint32_t>(0, 6)),
      rc::gen::set(&SeccompArgument::value, AnyValue()),
      rc::gen::set(&SeccompArgument::value_two, AnyValue()),
      rc::gen::set(&SeccompArgument::op, rc::gen::map(rc::gen::inRange(0, 7), [](int op) {
        return static_cast<SeccompOperator>(op);
      })));
}

rc::Gen<SeccompAction> AnyAction() {
  return rc::gen::element(SeccompAction::kKillThread, SeccompAction::kKillProcess,
                          SeccompAction::kTrap, SeccompAction::kErrno, SeccompAction::kTrace,
                          SeccompAction::kAllow, SeccompAction::kLog);
}

rc::Gen<SeccompRule> AnyRule() {
  return rc::gen::build<SeccompRule>(
      rc::gen::set(&SeccompRule::names,
                   rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(SomeNames()))),
      rc::gen::set(&SeccompRule::action, AnyAction()),
      rc::gen::set(
          &SeccompRule::args,
          rc::gen::resize(4, rc::gen::container<std::vector<SeccompArgument>>(AnyArgument()))));
}

TEST(SeccompFilterTest, RandomProfilesDecideAsTheySay) {
  const std::vector<uint32_t> numbers = SomeNumbers();
  EXPECT_TRUE(rc::check([&] {
    SeccompProfile profile;
    profile.default_action = *AnyAction();
    profile.architectures = *rc::gen::container<std::vector<SeccompArchitecture>>(
        rc::gen::element(kX8664, SeccompArchitecture::kAarch64, SeccompArchitecture::kArm));
    if (profile.architectures.empty()) profile.architectures = {kX8664};
    profile.syscalls = *rc::gen::resize(8, rc::gen::container<std::vector<SeccompRule>>(AnyRule()));
    // So that no two disagree.
    const SeccompAction plain = *AnyAction();
    for (SeccompRule& rule : profile.syscalls) {
      if (rule.args.empty()) rule.action = plain;
    }
    std::vector<Arguments> samples;
    for (int i = 0; i < 5; ++i) {
      samples.push_back(*rc::gen::container<Arguments>(AnyValue()));
    }
    ExpectAsTheProfileSays(profile, numbers, samples);
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

// What a child finds under the default filter: 0, or the number of the line that was wrong.
int UnderTheDefaultFilter(const SeccompFilter& filter) {
  const sock_fprog program{.len = static_cast<unsigned short>(filter.program.size()),
                           .filter = const_cast<sock_filter*>(filter.program.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) != 0) return 2;
  if (getpid() <= 0) return 3;
  if (ErrnoOf(syscall(SYS_unshare, CLONE_NEWUSER)) != EPERM) return 4;
  if (ErrnoOf(syscall(SYS_clone3, nullptr, 0)) != ENOSYS) return 5;
  if (ErrnoOf(syscall(SYS_socket, 38, SOCK_SEQPACKET, 0)) != EPERM) return 6;
  if (ErrnoOf(syscall(SYS_socket, 0x100000026, SOCK_SEQPACKET, 0)) != EPERM) return 7;
  if (ErrnoOf(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)) != 0) return 8;
  if (ErrnoOf(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0)) != EPERM) {
    return 9;
  }
  if (ErrnoOf(syscall(SYS_personality, 0x40000)) != EPERM) return 10;
  if (ErrnoOf(syscall(999)) != ENOSYS) return 11;
#if defined(__x86_64__)
  if (ErrnoOf(syscall(0x40000000 | SYS_getpid)) != ENOSYS) return 12;
#endif
  return 0;
}

TEST(SeccompDefaultTest, TheKernelTakesIt) {
  for (const CapabilityMask granted : {CapabilityMask{0}, kDefaultCapabilities}) {
    const SeccompFilter filter = *CompileSeccomp(DefaultSeccompProfile(granted));
    const pid_t pid = fork();
    if (pid == 0) _exit(UnderTheDefaultFilter(filter));
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

}  // namespace
}  // namespace podium::kernel
