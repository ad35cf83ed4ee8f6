// A container's plan from anywhere: whatever is accepted can be read to its end.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "fuzz/require.h"
#include "runtime/shim/plan_reader.h"

namespace {

using namespace podium::runtime::shim;
using podium::fuzz::Require;

void RequireText(const PlanReader& plan, TextRef ref) {
  const std::string_view text = plan.Text(ref);
  Require(std::strlen(text.data()) == text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint64_t> aligned(size / 8 + 1);
  std::memcpy(aligned.data(), data, size);
  PlanReader plan;
  constexpr uint32_t kDescriptors = 4;
  if (!plan.Open({reinterpret_cast<const unsigned char*>(aligned.data()), size}, kDescriptors)) {
    return 0;
  }
  const PlanHeader& header = plan.header();
  Require(header.uid != 0xffffffff && header.gid != 0xffffffff);
  Require(!plan.Texts(header.arguments).empty());
  for (const TextRef ref : plan.Texts(header.arguments)) RequireText(plan, ref);
  for (const TextRef ref : plan.Texts(header.environment)) RequireText(plan, ref);
  RequireText(plan, header.cwd);
  RequireText(plan, header.label);
  Require(plan.Text(header.filter).size() % 8 == 0);
  uint64_t sum = 0;
  for (const uint32_t group : plan.Groups()) sum += group;
  for (const PlanRlimit& limit : plan.Rlimits()) sum += limit.soft;
  for (const PlanMount& mount : plan.Mounts()) {
    RequireText(plan, mount.target);
    RequireText(plan, mount.source);
    Require(plan.Text(mount.target).find("/../") == std::string_view::npos);
    for (const TextRef ref : plan.Texts(mount.options)) RequireText(plan, ref);
    Require(mount.kind != MountKind::kAttach ||
            (mount.descriptor >= 0 && mount.descriptor < static_cast<int32_t>(kDescriptors)));
    sum += mount.attr_set;
  }
  volatile uint64_t read = sum;
  static_cast<void>(read);
  return 0;
}
