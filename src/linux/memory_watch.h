// Tells when the memory of a cgroup grows, without looking again and again: by a mark on
// memory.usage_in_bytes where the kernel has it (v1;
// Documentation/admin-guide/cgroup-v1/memory.rst, section 9), otherwise when its processes have to
// wait for memory (Documentation/accounting/ psi.rst). What upstream's kubelets use as
// kernelMemcgNotification is the former.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "linux/cgroup.h"

namespace podium::kernel {

struct MemoryWatch {
  CgroupWatch watch;
  // Ready whenever memory is scarce, and not for a mark: there is no use in making it anew.
  bool lasting = false;
};

// `path`: from where cgroups are mounted; "" for the whole machine. Ready when its usage, which
// counts files as well, has passed what it is now and `growth` more, in either direction.
// kNotFound without the cgroup; kUnsupported where the kernel tells neither.
Result<MemoryWatch> WatchMemoryGrowth(std::string_view path, uint64_t growth);

}  // namespace podium::kernel
