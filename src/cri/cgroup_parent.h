// cgroup_parent as a folder of the hierarchy. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::cri {

// A kubelet with the cgroupfs driver gives a path ("/kubepods/burstable/pod1"), one with the
// systemd driver the path of a slice or its name alone ("kubepods-burstable-pod1.slice"), which
// stands for "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"
// (systemd.slice(5)). Without slashes at the ends; "" for the hierarchy's root. kInvalidArgument
// for a slice whose name is none, and for paths that lead elsewhere.
Result<std::string> CgroupPathOf(std::string_view parent);

}  // namespace podium::cri
