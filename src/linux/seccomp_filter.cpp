#include "linux/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <ranges>
#include <set>
#include <span>
#include <utility>

#include "linux/syscall_numbers.h"

namespace podium::kernel {
namespace {

constexpr uint32_t kX32Bit = 0x40000000;
// ARM has calls of its own far above all others.
constexpr uint32_t kArmPrivate = 0x0f0000;
constexpr uint32_t kMaxErrno = 4095;
constexpr size_t kMaxArguments = 6;

template <class Value>
struct Name {
  std::string_view name;
  Value value;
};

constexpr auto kActions = std::to_array<Name<SeccompAction>>({
    {"SCMP_ACT_KILL", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kKillProcess},
    {"SCMP_ACT_TRAP", SeccompAction::kTrap},
    {"SCMP_ACT_ERRNO", SeccompAction::kErrno},
    {"SCMP_ACT_TRACE", SeccompAction::kTrace},
    {"SCMP_ACT_ALLOW", SeccompAction::kAllow},
    {"SCMP_ACT_LOG", SeccompAction::kLog},
    {"SCMP_ACT_NOTIFY", SeccompAction::kNotify},
});

constexpr auto kOperators = std::to_array<Name<SeccompOperator>>({
    {"SCMP_CMP_NE", SeccompOperator::kNotEqual},
    {"SCMP_CMP_LT", SeccompOperator::kLess},
    {"SCMP_CMP_LE", SeccompOperator::kLessOrEqual},
    {"SCMP_CMP_EQ", SeccompOperator::kEqual},
    {"SCMP_CMP_GE", SeccompOperator::kGreaterOrEqual},
    {"SCMP_CMP_GT", SeccompOperator::kGreater},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEqual},
});

constexpr auto kArchitectures = std::to_array<Name<SeccompArchitecture>>({
    {"SCMP_ARCH_X86_64", SeccompArchitecture::kX8664},
    {"SCMP_ARCH_X86", SeccompArchitecture::kX86},
    {"SCMP_ARCH_AARCH64", SeccompArchitecture::kAarch64},
    {"SCMP_ARCH_ARM", SeccompArchitecture::kArm},
});

// x32 is refused whether a profile lists it or not; the others are machines that we do not run on.
constexpr auto kOtherArchitectures = std::to_array<std::string_view>(
    {"SCMP_ARCH_X32", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
     "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
     "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
     "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
     "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"});

constexpr auto kFlags = std::to_array<Name<uint32_t>>({
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},  // a container starts with one thread
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
});

template <class Value, size_t size>
std::optional<Value> Find(const std::array<Name<Value>, size>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &Name<Value>::name);
  if (found == names.end()) return std::nullopt;
  return found->value;
}

uint32_t AuditArchitecture(SeccompArchitecture architecture) {
  switch (architecture) {
    case SeccompArchitecture::kX8664:
      return AUDIT_ARCH_X86_64;
    case SeccompArchitecture::kX86:
      return AUDIT_ARCH_I386;
    case SeccompArchitecture::kAarch64:
      return AUDIT_ARCH_AARCH64;
    case SeccompArchitecture::kArm:
      return AUDIT_ARCH_ARM;
  }
  std::unreachable();
}

// What one call of 32-bit x86 hides behind its first argument.
struct Hidden {
  std::string_view name;
  std::string_view behind;
  uint32_t number;
};

constexpr auto kHidden = std::to_array<Hidden>({
    {"socket", "socketcall", 1},
    {"bind", "socketcall", 2},
    {"connect", "socketcall", 3},
    {"listen", "socketcall", 4},
    {"accept", "socketcall", 5},
    {"getsockname", "socketcall", 6},
    {"getpeername", "socketcall", 7},
    {"socketpair", "socketcall", 8},
    {"send", "socketcall", 9},
    {"recv", "socketcall", 10},
    {"sendto", "socketcall", 11},
    {"recvfrom", "socketcall", 12},
    {"shutdown", "socketcall", 13},
    {"setsockopt", "socketcall", 14},
    {"getsockopt", "socketcall", 15},
    {"sendmsg", "socketcall", 16},
    {"recvmsg", "socketcall", 17},
    {"accept4", "socketcall", 18},
    {"recvmmsg", "socketcall", 19},
    {"sendmmsg", "socketcall", 20},
    {"semop", "ipc", 1},
    {"semget", "ipc", 2},
    {"semctl", "ipc", 3},
    {"semtimedop", "ipc", 4},
    {"msgsnd", "ipc", 11},
    {"msgrcv", "ipc", 12},
    {"msgget", "ipc", 13},
    {"msgctl", "ipc", 14},
    {"shmat", "ipc", 21},
    {"shmdt", "ipc", 22},
    {"shmget", "ipc", 23},
    {"shmctl", "ipc", 24},
});

// The value that a filter returns.
Result<uint32_t> ReturnValue(SeccompAction action, const std::optional<uint32_t>& errno_ret) {
  const uint32_t data = errno_ret.value_or(EPERM);
  if (data > kMaxErrno && action == SeccompAction::kErrno) {
    return Error(Code::kInvalidArgument,
                 "a seccomp profile names the errno " + std::to_string(data));
  }
  switch (action) {
    case SeccompAction::kKillThread:
      return uint32_t{SECCOMP_RET_KILL_THREAD};
    case SeccompAction::kKillProcess:
      return uint32_t{SECCOMP_RET_KILL_PROCESS};
    case SeccompAction::kTrap:
      return uint32_t{SECCOMP_RET_TRAP};
    case SeccompAction::kErrno:
      return SECCOMP_RET_ERRNO | data;
    case SeccompAction::kTrace:
      return SECCOMP_RET_TRACE | (data & SECCOMP_RET_DATA);
    case SeccompAction::kAllow:
      return uint32_t{SECCOMP_RET_ALLOW};
    case SeccompAction::kLog:
      return uint32_t{SECCOMP_RET_LOG};
    case SeccompAction::kNotify:
      return Error(Code::kUnsupported,
                   "SCMP_ACT_NOTIFY needs an agent that listens: there is none");
    case SeccompAction::kUnset:
      break;
  }
  return Error(Code::kInvalidArgument, "a seccomp profile, or a rule of it, has no action");
}

// What is decided for one call: a value alone, or arguments to look at first.
struct Decision {
  struct Case {
    std::vector<SeccompArgument> args;  // all must match
    uint32_t value = 0;
  };
  std::vector<Case> cases;  // empty if `final` is set
  std::optional<uint32_t> final;
};

using Decisions = std::map<uint32_t, Decision>;

Result<void> Add(uint32_t number, const SeccompRule& rule, uint32_t value, Decisions* decisions) {
  Decision& decision = (*decisions)[number];
  if (rule.args.empty()) {
    if (decision.final && *decision.final != value) {
      return Error(Code::kInvalidArgument, "a seccomp profile has two answers for one call");
    }
    decision.final = value;
    return {};
  }
  std::set<uint32_t> indexes;
  for (const SeccompArgument& argument : rule.args) {
    if (argument.index >= kMaxArguments) {
      return Error(Code::kInvalidArgument,
                   "a seccomp profile names the argument " + std::to_string(argument.index));
    }
    indexes.insert(argument.index);
  }
  if (indexes.size() == rule.args.size()) {
    decision.cases.push_back({rule.args, value});
  } else {
    for (const SeccompArgument& one : rule.args) decision.cases.push_back({{one}, value});
  }
  return {};
}

bool IsLenient(SeccompAction action) {
  return action == SeccompAction::kAllow || action == SeccompAction::kLog;
}

Result<void> AddHidden(const std::string& name, const SeccompRule& rule, uint32_t value,
                       Decisions* decisions) {
  const auto hidden = std::ranges::find(kHidden, name, &Hidden::name);
  if (hidden == kHidden.end()) return {};
  // Its arguments are in memory, where a filter cannot look.
  if (!rule.args.empty() && IsLenient(rule.action)) return {};
  SeccompRule behind = rule;
  // ipc has a version in the upper half.
  behind.args = {{.index = 0,
                  .value = 0xffff,
                  .value_two = hidden->number,
                  .op = SeccompOperator::kMaskedEqual}};
  const auto number = SyscallNumber(hidden->behind, SeccompArchitecture::kX86);
  return Add(*number, behind, value, decisions);
}

Result<Decisions> Decide(const SeccompProfile& profile, SeccompArchitecture architecture) {
  Decisions decisions;
  for (const SeccompRule& rule : profile.syscalls) {
    TRY(const uint32_t value, ReturnValue(rule.action, rule.errno_ret));
    for (const std::string& name : rule.names) {
      if (const auto number = SyscallNumber(name, architecture)) {
        TRY_VOID(Add(*number, rule, value, &decisions));
      }
      if (architecture == SeccompArchitecture::kX86) {
        TRY_VOID(AddHidden(name, rule, value, &decisions));
      }
    }
  }
  for (auto& [number, decision] : decisions) {
    if (decision.final) decision.cases.clear();
  }
  return decisions;
}

// From `first` on, up to the next range.
struct Range {
  uint32_t first = 0;
  const Decision* decision = nullptr;  // with cases; otherwise `value`
  uint32_t value = 0;
};

void Append(Range range, std::vector<Range>* ranges) {
  if (!ranges->empty() && ranges->back().first == range.first) ranges->pop_back();
  const bool same = !ranges->empty() && !range.decision && !ranges->back().decision &&
                    ranges->back().value == range.value;
  if (!same) ranges->push_back(range);
}

// All numbers, each in one range.
std::vector<Range> Ranges(const Decisions& decisions, SeccompArchitecture architecture,
                          uint32_t default_value) {
  std::optional<uint32_t> newest;
  for (const auto& [number, decision] : decisions) {
    if (number < kArmPrivate) newest = number;
  }
  const uint32_t no_such_call = SECCOMP_RET_ERRNO | ENOSYS;
  const bool is_errno = (default_value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
  std::vector<Range> ranges;
  const auto otherwise = [&](uint32_t number) {
    Append({.first = number,
            .value = is_errno && newest && number > *newest ? no_such_call : default_value},
           &ranges);
  };
  otherwise(0);
  for (const auto& [number, decision] : decisions) {
    Append({.first = number,
            .decision = decision.final ? nullptr : &decision,
            .value = decision.final.value_or(default_value)},
           &ranges);
    otherwise(number + 1);
  }
  if (architecture == SeccompArchitecture::kX8664) {
    Append({.first = kX32Bit, .value = no_such_call}, &ranges);
  }
  return ranges;
}

// The halves of an argument: all of our architectures are little-endian.
size_t LowHalf(uint32_t index) { return offsetof(seccomp_data, args) + 8 * size_t{index}; }
size_t HighHalf(uint32_t index) { return LowHalf(index) + 4; }
uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

// Writes a program from its end to its beginning, since jumps go forward only: what an instruction
// leads to is there before it, and known by its place. The kernel's time to load a program grows
// with its length, so answers are shared by all that can reach them.
class Assembler {
 public:
  using Place = size_t;

  Place Return(uint32_t value) {
    const auto known = returns_.find(value);
    if (known != returns_.end() && IsNear(known->second)) return known->second;
    const Place place = Push(BPF_STMT(BPF_RET | BPF_K, value));
    returns_[value] = place;
    return place;
  }

  Place If(uint16_t comparison, uint32_t value, Place yes, Place no) {
    yes = Near(yes);
    no = Near(no);
    return Push({.code = static_cast<uint16_t>(BPF_JMP | comparison | BPF_K),
                 .jt = static_cast<uint8_t>(Distance(yes)),
                 .jf = static_cast<uint8_t>(Distance(no)),
                 .k = value});
  }

  Place Load(size_t offset, Place next) {
    return Then(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)), next);
  }
  Place And(uint32_t mask, Place next) {
    return Then(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask), next);
  }

  // What was written last comes first.
  std::vector<sock_filter> Finish() {
    std::ranges::reverse(reversed_);
    return std::move(reversed_);
  }

 private:
  // How many instructions the next one would jump over.
  size_t Distance(Place place) const { return reversed_.size() - place - 1; }
  // Also from behind a few more that may come first.
  bool IsNear(Place place) const { return Distance(place) + kMargin <= kFarthestJump; }
  Place Push(sock_filter instruction) {
    reversed_.push_back(instruction);
    return reversed_.size() - 1;
  }
  Place JumpTo(Place place) {
    return Push(BPF_STMT(BPF_JMP | BPF_JA, static_cast<uint32_t>(Distance(place))));
  }
  Place Near(Place place) { return IsNear(place) ? place : JumpTo(place); }
  Place Then(sock_filter instruction, Place next) {
    if (Distance(next) != 0) JumpTo(next);
    return Push(instruction);
  }

  static constexpr size_t kFarthestJump = 255;
  static constexpr size_t kMargin = 4;

  std::vector<sock_filter> reversed_;
  std::map<uint32_t, Place> returns_;
};

using Place = Assembler::Place;

Place EmitEqual(const SeccompArgument& argument, Place yes, Place no, Assembler* out) {
  const Place low =
      out->Load(LowHalf(argument.index), out->If(BPF_JEQ, Low(argument.value), yes, no));
  return out->Load(HighHalf(argument.index), out->If(BPF_JEQ, High(argument.value), low, no));
}

// `comparison` of the lower half decides where the upper ones are equal: BPF_JGT or BPF_JGE.
Place EmitGreater(const SeccompArgument& argument, uint16_t comparison, Place yes, Place no,
                  Assembler* out) {
  const Place low =
      out->Load(LowHalf(argument.index), out->If(comparison, Low(argument.value), yes, no));
  const Place equal = out->If(BPF_JEQ, High(argument.value), low, no);
  return out->Load(HighHalf(argument.index), out->If(BPF_JGT, High(argument.value), yes, equal));
}

Place EmitMasked(const SeccompArgument& argument, Place yes, Place no, Assembler* out) {
  const auto half = [&](size_t offset, uint32_t mask, uint32_t value, Place equal) {
    return out->Load(offset, out->And(mask, out->If(BPF_JEQ, value, equal, no)));
  };
  const Place low =
      half(LowHalf(argument.index), Low(argument.value), Low(argument.value_two), yes);
  if (High(argument.value) == 0 && High(argument.value_two) == 0) return low;
  return half(HighHalf(argument.index), High(argument.value), High(argument.value_two), low);
}

Place EmitCondition(const SeccompArgument& argument, Place yes, Place no, Assembler* out) {
  switch (argument.op) {
    case SeccompOperator::kEqual:
      return EmitEqual(argument, yes, no, out);
    case SeccompOperator::kNotEqual:
      return EmitEqual(argument, no, yes, out);
    case SeccompOperator::kGreater:
      return EmitGreater(argument, BPF_JGT, yes, no, out);
    case SeccompOperator::kGreaterOrEqual:
      return EmitGreater(argument, BPF_JGE, yes, no, out);
    case SeccompOperator::kLess:
      return EmitGreater(argument, BPF_JGE, no, yes, out);
    case SeccompOperator::kLessOrEqual:
      return EmitGreater(argument, BPF_JGT, no, yes, out);
    case SeccompOperator::kMaskedEqual:
      return EmitMasked(argument, yes, no, out);
  }
  std::unreachable();
}

Place EmitCases(const Decision& decision, uint32_t default_value, Assembler* out) {
  Place next = out->Return(default_value);
  for (const Decision::Case& one : std::views::reverse(decision.cases)) {
    Place match = out->Return(one.value);
    for (const SeccompArgument& argument : std::views::reverse(one.args)) {
      match = EmitCondition(argument, match, next, out);
    }
    next = match;
  }
  return next;
}

// With the number loaded: finds its range by halves.
Place EmitTree(std::span<const Range> ranges, uint32_t default_value, Assembler* out) {
  if (ranges.size() == 1) {
    const Range& range = ranges.front();
    return range.decision ? EmitCases(*range.decision, default_value, out)
                          : out->Return(range.value);
  }
  const size_t half = ranges.size() / 2;
  const Place right = EmitTree(ranges.subspan(half), default_value, out);
  const Place left = EmitTree(ranges.first(half), default_value, out);
  return out->If(BPF_JGE, ranges[half].first, right, left);
}

}  // namespace

std::optional<SeccompAction> ParseSeccompAction(std::string_view name) {
  return Find(kActions, name);
}

std::optional<SeccompOperator> ParseSeccompOperator(std::string_view name) {
  return Find(kOperators, name);
}

Result<SeccompArchitecture> ParseSeccompArchitecture(std::string_view name) {
  if (const auto found = Find(kArchitectures, name)) return *found;
  const std::string text = "\"" + std::string(name) + "\"";
  if (std::ranges::find(kOtherArchitectures, name) != kOtherArchitectures.end()) {
    return Error(Code::kNotFound, text + " is an architecture of other machines");
  }
  return Error(Code::kInvalidArgument, text + " is no architecture of a seccomp profile");
}

std::optional<uint32_t> ParseSeccompFlag(std::string_view name) { return Find(kFlags, name); }

std::vector<SeccompArchitecture> NativeArchitectures() {
#if defined(__x86_64__)
  return {SeccompArchitecture::kX8664, SeccompArchitecture::kX86};
#elif defined(__aarch64__)
  return {SeccompArchitecture::kAarch64, SeccompArchitecture::kArm};
#else
#error "no system call numbers for this architecture"
#endif
}

Result<SeccompFilter> CompileSeccomp(const SeccompProfile& profile) {
  TRY(const uint32_t default_value, ReturnValue(profile.default_action, profile.default_errno_ret));
  std::vector<SeccompArchitecture> architectures = profile.architectures;
  if (architectures.empty()) architectures = {NativeArchitectures().front()};
  Assembler out;
  Place check = out.Return(SECCOMP_RET_KILL_PROCESS);
  std::vector<std::pair<uint32_t, Place>> sections;
  std::set<SeccompArchitecture> done;
  for (const SeccompArchitecture architecture : architectures) {
    if (!done.insert(architecture).second) continue;
    TRY(const Decisions decisions, Decide(profile, architecture));
    const std::vector<Range> ranges = Ranges(decisions, architecture, default_value);
    const Place tree = EmitTree(ranges, default_value, &out);
    sections.emplace_back(AuditArchitecture(architecture),
                          out.Load(offsetof(seccomp_data, nr), tree));
  }
  // The machine's own architecture is asked for first.
  for (const auto& [audit, section] : std::views::reverse(sections))
    check = out.If(BPF_JEQ, audit, section, check);
  out.Load(offsetof(seccomp_data, arch), check);
  SeccompFilter filter{.program = out.Finish(), .flags = profile.flags};
  if (filter.program.size() > BPF_MAXINSNS) {
    return Error(Code::kResourceExhausted, "a seccomp profile becomes " +
                                               std::to_string(filter.program.size()) +
                                               " instructions; the kernel takes 4096");
  }
  return filter;
}

}  // namespace podium::kernel
