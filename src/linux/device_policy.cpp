#include "linux/device_policy.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "linux/cgroup_files.h"

namespace podium::kernel {
namespace {

constexpr uint32_t kAllAccesses = kDeviceMknod | kDeviceRead | kDeviceWrite;

Error WrongRule(const std::string& why) { return {Code::kInvalidArgument, "a device rule " + why}; }

Result<uint32_t> ParseAccess(std::string_view text) {
  uint32_t access = 0;
  for (const char letter : text) {
    if (letter != 'r' && letter != 'w' && letter != 'm') {
      return WrongRule("has the access \"" + std::string(text) + "\"");
    }
    access |= letter == 'r' ? kDeviceRead : letter == 'w' ? kDeviceWrite : kDeviceMknod;
  }
  if (access == 0) return WrongRule("names no access");
  return access;
}

Result<std::optional<uint32_t>> ParseNumber(const std::optional<int64_t>& number) {
  if (!number || *number == -1) return std::optional<uint32_t>();
  if (*number < 0 || *number > std::numeric_limits<uint32_t>::max()) {
    return WrongRule("has the device number " + std::to_string(*number));
  }
  return std::optional<uint32_t>(static_cast<uint32_t>(*number));
}

// Whether every device of `inner` is one of `outer`.
bool Covers(const DeviceKey& outer, const DeviceKey& inner) {
  return outer.type == inner.type && (!outer.major || outer.major == inner.major) &&
         (!outer.minor || outer.minor == inner.minor);
}

bool Meet(const DeviceKey& a, const DeviceKey& b) {
  return a.type == b.type && (!a.major || !b.major || a.major == b.major) &&
         (!a.minor || !b.minor || a.minor == b.minor);
}

// A rule that says again what holds for all: it ends exceptions.
Result<void> EndExceptions(const DeviceKey& key, uint32_t access, DevicePolicy* policy) {
  for (auto& [other, other_access] : policy->exceptions) {
    if ((other_access & access) == 0 || !Meet(key, other)) continue;
    if (!Covers(key, other)) return WrongRule("takes a part out of an earlier wildcard");
    other_access &= ~access;
  }
  std::erase_if(policy->exceptions, [](const auto& entry) { return entry.second == 0; });
  return {};
}

Result<void> AddRule(const DeviceRule& rule, DevicePolicy* policy) {
  TRY(const uint32_t access, ParseAccess(rule.access));
  TRY(const auto major, ParseNumber(rule.major));
  TRY(const auto minor, ParseNumber(rule.minor));
  if (rule.type == 'a') {
    if (major || minor || access != kAllAccesses) {
      return WrongRule("for all devices names a number, or not every access");
    }
    *policy = DevicePolicy{.allow = rule.allow, .exceptions = {}};
    return {};
  }
  if (rule.type != 'b' && rule.type != 'c') {
    return WrongRule(std::string("has the type \"") + rule.type + "\"");
  }
  const DeviceKey key{.type = rule.type, .major = major, .minor = minor};
  if (rule.allow == policy->allow) return EndExceptions(key, access, policy);
  policy->exceptions[key] |= access;
  return {};
}

// As devices.allow, devices.deny and devices.list have it: "c 1:3 rwm".
std::string RuleText(const DeviceKey& key, uint32_t access) {
  const auto number = [](const std::optional<uint32_t>& value) {
    return value ? std::to_string(*value) : std::string("*");
  };
  std::string text = std::string(1, key.type) + " " + number(key.major) + ":" + number(key.minor);
  text += ' ';
  if ((access & kDeviceRead) != 0) text += 'r';
  if ((access & kDeviceWrite) != 0) text += 'w';
  if ((access & kDeviceMknod) != 0) text += 'm';
  return text;
}

// What v1's devices.list says. It shows the exceptions of a list that denies the rest; where
// everything is allowed it shows "a *:* rwm" alone, whatever the exceptions.
Result<DevicePolicy> ReadDevicePolicy(int folder) {
  TRY(const std::string text, ReadCgroupFile(folder, "devices.list"));
  DevicePolicy policy{.allow = false, .exceptions = {}};
  for (const std::string_view line : CgroupLines(text)) {
    const std::vector<std::string_view> words = CgroupWords(line);
    const size_t colon = words.size() == 3 ? words[1].find(':') : std::string_view::npos;
    if (colon == std::string_view::npos) return WrongRule("of devices.list cannot be read");
    if (words[0] == "a") return DevicePolicy{};
    const auto number = [](std::string_view digits) -> std::optional<int64_t> {
      if (const auto value = ParseCgroupNumber(digits)) return static_cast<int64_t>(*value);
      return std::nullopt;
    };
    TRY_VOID(AddRule({.allow = true,
                      .type = words[0].front(),
                      .major = number(words[1].substr(0, colon)),
                      .minor = number(words[1].substr(colon + 1)),
                      .access = std::string(words[2])},
                     &policy));
  }
  return policy;
}

bpf_insn Instruction(uint8_t code, uint8_t target, uint8_t source, int16_t offset, int32_t value) {
  bpf_insn instruction{};
  instruction.code = code;
  instruction.dst_reg = target & 0xf;
  instruction.src_reg = source & 0xf;
  instruction.off = offset;
  instruction.imm = value;
  return instruction;
}

bpf_insn Load(uint8_t target, size_t offset) {
  return Instruction(BPF_LDX | BPF_MEM | BPF_W, target, BPF_REG_1, static_cast<int16_t>(offset), 0);
}

void Return(bool allowed, std::vector<bpf_insn>* program) {
  program->push_back(Instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allowed ? 1 : 0));
  program->push_back(Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

// In the program: type in r2, accesses in r3, major in r4, minor in r5. Leaves with !allow when the
// exception applies, and falls through when it does not.
void CompileException(const DeviceKey& key, uint32_t access, bool allow,
                      std::vector<bpf_insn>* program) {
  std::vector<bpf_insn> part;
  std::vector<size_t> jumps;  // to the next exception; 32 bits, as numbers of devices are
  const auto unless_equal = [&](uint8_t target, uint32_t value) {
    jumps.push_back(part.size());
    part.push_back(
        Instruction(BPF_JMP32 | BPF_JNE | BPF_K, target, 0, 0, static_cast<int32_t>(value)));
  };
  unless_equal(BPF_REG_2, key.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  // Allowing exceptions must cover the access as a whole, denying ones a part of it.
  if (access != kAllAccesses) {
    const uint32_t mask = allow ? access : kAllAccesses & ~access;
    part.push_back(Instruction(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_3, 0, 0));
    part.push_back(
        Instruction(BPF_ALU | BPF_AND | BPF_K, BPF_REG_0, 0, 0, static_cast<int32_t>(mask)));
    jumps.push_back(part.size());
    part.push_back(
        Instruction(BPF_JMP32 | (allow ? BPF_JEQ : BPF_JNE) | BPF_K, BPF_REG_0, 0, 0, 0));
  }
  if (key.major) unless_equal(BPF_REG_4, *key.major);
  if (key.minor) unless_equal(BPF_REG_5, *key.minor);
  Return(!allow, &part);
  for (const size_t jump : jumps) {
    part[jump].off = static_cast<int16_t>(part.size() - jump - 1);
  }
  program->insert(program->end(), part.begin(), part.end());
}

int Bpf(int command, bpf_attr* attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, attributes, sizeof(*attributes)));
}

uint64_t Address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

Result<UniqueFd> LoadProgram(std::span<const bpf_insn> program) {
  static constexpr char kLicense[] = "GPL";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = Address(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = Address(&kLicense[0]);
  // The kernel sets close-on-exec on every descriptor of BPF's.
  UniqueFd loaded(Bpf(BPF_PROG_LOAD, &attributes));
  if (!loaded) return Error::FromErrno(errno, "loading a program that filters devices");
  return loaded;
}

// The programs of this kind that hang on the cgroup itself, as descriptors.
Result<std::vector<UniqueFd>> AttachedPrograms(int folder) {
  std::array<uint32_t, 64> numbers{};
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<uint32_t>(folder);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = Address(numbers.data());
  attributes.query.prog_cnt = numbers.size();
  if (Bpf(BPF_PROG_QUERY, &attributes) != 0) {
    return Error::FromErrno(errno, "asking for the programs of a cgroup");
  }
  std::vector<UniqueFd> programs;
  for (uint32_t index = 0; index < attributes.query.prog_cnt; ++index) {
    bpf_attr by_number{};
    by_number.prog_id = numbers.at(index);
    UniqueFd program(Bpf(BPF_PROG_GET_FD_BY_ID, &by_number));
    if (!program && errno == ENOENT) continue;
    if (!program) return Error::FromErrno(errno, "opening a program of a cgroup");
    programs.push_back(std::move(program));
  }
  return programs;
}

}  // namespace

Result<DevicePolicy> MakeDevicePolicy(std::span<const DeviceRule> rules) {
  DevicePolicy policy;
  for (const DeviceRule& rule : rules) TRY_VOID(AddRule(rule, &policy));
  return policy;
}

std::vector<bpf_insn> CompileDevicePolicy(const DevicePolicy& policy) {
  std::vector<bpf_insn> program;
  program.push_back(Load(BPF_REG_2, offsetof(bpf_cgroup_dev_ctx, access_type)));
  program.push_back(Instruction(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0));
  program.push_back(Instruction(BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff));
  program.push_back(Instruction(BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16));
  program.push_back(Load(BPF_REG_4, offsetof(bpf_cgroup_dev_ctx, major)));
  program.push_back(Load(BPF_REG_5, offsetof(bpf_cgroup_dev_ctx, minor)));
  for (const auto& [key, access] : policy.exceptions) {
    CompileException(key, access, policy.allow, &program);
  }
  Return(policy.allow, &program);
  return program;
}

Result<void> AttachDevicePolicy(int folder, const DevicePolicy& policy) {
  TRY(const std::vector<UniqueFd> before, AttachedPrograms(folder));
  if (before.empty() && policy == DevicePolicy{}) return {};
  TRY(const UniqueFd program, LoadProgram(CompileDevicePolicy(policy)));
  bpf_attr attach{};
  attach.target_fd = static_cast<uint32_t>(folder);
  attach.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  // Those of the cgroups above are asked too, and those below may bring their own.
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (before.size() == 1) {
    attach.attach_flags |= BPF_F_REPLACE;
    attach.replace_bpf_fd = static_cast<uint32_t>(before.front().get());
  }
  if (Bpf(BPF_PROG_ATTACH, &attach) != 0) {
    return Error::FromErrno(errno, "attaching a program that filters devices");
  }
  if (before.size() < 2) return {};
  for (const UniqueFd& old : before) {
    bpf_attr detach{};
    detach.target_fd = static_cast<uint32_t>(folder);
    detach.attach_bpf_fd = static_cast<uint32_t>(old.get());
    detach.attach_type = BPF_CGROUP_DEVICE;
    if (Bpf(BPF_PROG_DETACH, &detach) != 0) {
      return Error::FromErrno(errno, "detaching a program that filters devices");
    }
  }
  return {};
}

Result<void> WriteDevicePolicy(int folder, const DevicePolicy& policy) {
  TRY(DevicePolicy before, ReadDevicePolicy(folder));
  // The list does not show what is denied where the rest is allowed: such a policy starts anew.
  const bool anew = policy.allow || before.allow;
  if (anew) {
    TRY_VOID(WriteCgroupFile(folder, policy.allow ? "devices.allow" : "devices.deny", "a"));
    before = DevicePolicy{.allow = policy.allow, .exceptions = {}};
  }
  const char* const add = policy.allow ? "devices.deny" : "devices.allow";
  const char* const remove = policy.allow ? "devices.allow" : "devices.deny";
  for (const auto& [key, access] : policy.exceptions) {
    const auto found = before.exceptions.find(key);
    const uint32_t missing = access & ~(found == before.exceptions.end() ? 0 : found->second);
    if (missing != 0) TRY_VOID(WriteCgroupFile(folder, add, RuleText(key, missing)));
  }
  for (const auto& [key, access] : before.exceptions) {
    const auto found = policy.exceptions.find(key);
    const uint32_t more = access & ~(found == policy.exceptions.end() ? 0 : found->second);
    if (more != 0) TRY_VOID(WriteCgroupFile(folder, remove, RuleText(key, more)));
  }
  return {};
}

}  // namespace podium::kernel
