// Any bytes as a seccomp profile: read and compiled in bounded time; the program ends with an
// answer whatever is asked.
#include <linux/audit.h>
#include <linux/filter.h>

#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "linux/seccomp_filter.h"
#include "runtime/seccomp_profile.h"

using namespace podium;  // NOLINT: a fuzz target
using podium::fuzz::Require;

namespace {

// The kernel's own rules (bpf_check_classic, seccomp_check_filter): jumps go forward and stay
// inside, loads are of the data's words, the last instruction returns.
void Check(const std::vector<sock_filter>& program) {
  Require(!program.empty() && program.size() <= BPF_MAXINSNS);
  Require(program.back().code == (BPF_RET | BPF_K));
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& one = program[at];
    const size_t left = program.size() - at - 1;
    if (one.code == (BPF_LD | BPF_W | BPF_ABS)) Require(one.k % 4 == 0 && one.k < 64);
    if (one.code == (BPF_JMP | BPF_JA)) {
      Require(one.k < left);
    } else if (BPF_CLASS(one.code) == BPF_JMP) {
      Require(one.jt < left && one.jf < left);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const runtime::SeccompConditions conditions{.granted = kernel::kDefaultCapabilities,
                                              .running = {.major = 6, .minor = 1}};
  const auto profile = runtime::ParseSeccompProfile(text, conditions);
  if (!profile.ok()) {
    Require(!profile.error().message().empty());
    return 0;
  }
  Require(profile->default_action != kernel::SeccompAction::kUnset);
  const auto filter = kernel::CompileSeccomp(*profile);
  if (filter.ok()) Check(filter->program);
  return 0;
}
