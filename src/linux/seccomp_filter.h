// Seccomp: which system calls a container may make, from a profile in OCI's words to a program that
// the kernel runs at each call (seccomp(2), struct sock_filter).
//
// The program is a balanced tree over ranges of numbers with the same answer, 290 instructions for
// RuntimeDefault with its 32-bit half: the kernel, which runs it once for every number when it is
// loaded (since 5.11), is done sooner than with a list of comparisons. libseccomp, which others
// use, makes a list by default, knows no call newer than itself, and would be a library to load in
// each start. (Not called seccomp.h: that is the kernel's.)
//
// Rules are read as runc and libseccomp read them:
//   * A rule without arguments decides its calls alone, whatever rules with arguments say. Two that
//     disagree are refused.
//   * Otherwise the first rule whose arguments all match decides. Of a rule that names the same
//     argument twice, one match is enough.
//   * A call that no rule decides gets the default action. Where that is an errno, calls that are
//     newer than the newest of the profile get ENOSYS instead: programs then use an older one.
//   * Names that an architecture does not have, or that no kernel knows, are passed over.
//   * socketcall and ipc of 32-bit x86 hide other calls: a rule for one of these holds there too,
//     as far as its arguments can be seen, and where they cannot, the stricter answer is given.
// Calls of an architecture that the profile does not name end the process; those of the x32 ABI,
// which has the architecture of x86_64 and numbers of its own, are ENOSYS always.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/capabilities.h"

namespace podium::kernel {

enum class SeccompAction {
  kUnset,  // of a profile that says nothing: refused, never taken for "allow" (CVE-2023-2431)
  kKillThread,
  kKillProcess,
  kTrap,
  kErrno,
  kTrace,
  kAllow,
  kLog,
  kNotify,  // refused: no agent listens
};

enum class SeccompOperator {
  kNotEqual,
  kLess,
  kLessOrEqual,
  kEqual,
  kGreaterOrEqual,
  kGreater,
  kMaskedEqual,  // (argument & value) == value_two
};

// Those that a machine of ours runs: each 64-bit one with its 32-bit one.
enum class SeccompArchitecture { kX8664, kX86, kAarch64, kArm };

struct SeccompArgument {
  uint32_t index = 0;  // 0 to 5
  uint64_t value = 0;
  uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::kEqual;
};

struct SeccompRule {
  std::vector<std::string> names = {};
  SeccompAction action = SeccompAction::kUnset;
  std::optional<uint32_t> errno_ret = {};  // of kErrno and kTrace; EPERM if absent
  std::vector<SeccompArgument> args = {};
};

struct SeccompProfile {
  SeccompAction default_action = SeccompAction::kUnset;
  std::optional<uint32_t> default_errno_ret = {};
  std::vector<SeccompArchitecture> architectures = {};  // empty: the machine's own
  std::vector<SeccompRule> syscalls = {};
  uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW
};

// What seccomp(SECCOMP_SET_MODE_FILTER) takes.
struct SeccompFilter {
  std::vector<sock_filter> program;
  uint32_t flags = 0;
};

// "SCMP_ACT_ALLOW", "SCMP_CMP_EQ", "SCMP_ARCH_X86_64", "SECCOMP_FILTER_FLAG_LOG" and so on.
std::optional<SeccompAction> ParseSeccompAction(std::string_view name);
std::optional<SeccompOperator> ParseSeccompOperator(std::string_view name);
// kNotFound within Result: an architecture that is none of ours, which a profile may list for other
// machines. kInvalidArgument: no architecture at all.
Result<SeccompArchitecture> ParseSeccompArchitecture(std::string_view name);
std::optional<uint32_t> ParseSeccompFlag(std::string_view name);

// Those of this machine: itself, then its 32-bit one.
std::vector<SeccompArchitecture> NativeArchitectures();

// kInvalidArgument: a profile without default action, a contradiction, an argument that no call
// has, an errno above 4095. kUnsupported: kNotify. kResourceExhausted: more than the kernel's 4,096
// instructions.
Result<SeccompFilter> CompileSeccomp(const SeccompProfile& profile);

// RuntimeDefault: what containerd 2.2 and Docker 29 allow a container with these capabilities. The
// rules are theirs, but for socket(): there the number of the address family is compared as the
// kernel reads it, 32 bits wide, so that AF_ALG (CVE-2026-31431) and AF_VSOCK cannot be reached by
// setting a higher bit.
SeccompProfile DefaultSeccompProfile(CapabilityMask granted);

// Compiles the default profile once for each set of capabilities that makes a difference. Threads:
// any.
class DefaultSeccomp {
 public:
  std::shared_ptr<const SeccompFilter> For(CapabilityMask granted);

 private:
  std::mutex mutex_;
  std::map<CapabilityMask, std::shared_ptr<const SeccompFilter>> filters_;
};

}  // namespace podium::kernel
