// What the room knows of its node: set once by the command that starts the agent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "reflect/values.h"

namespace podium::node {

struct NodeConfig {
  std::string name = {};                    // of the node, as the API has it
  std::vector<std::string> addresses = {};  // of the node, the first one first; status.hostIPs

  std::string data_dir = {};  // DATA of the instance
  std::string run_dir = {};   // RUN
  std::string log_dir = {};   // LOG: below it a folder a pod

  // Containers that ask for whole CPUs get them for themselves (the kubelet's static CPU manager).
  bool static_cpus = false;
  std::string reserved_cpus = {};  // "0-1": for everything else; empty: as many as are reserved
  int64_t reserved_cpu_milli = 0;  // for the system and Kubernetes

  // Services of a cluster. Without cluster_dns, pods use what the host uses.
  std::vector<std::string> cluster_dns = {};
  std::string cluster_domain = "cluster.local";

  // Containers without a seccomp profile get RuntimeDefault, as kubelets with --seccomp-default.
  bool seccomp_default = true;
  int64_t memory_bytes = int64_t{1} << 30;  // of the machine
  // cpu, memory, ephemeral-storage: what pods may use together, and a container without limits
  // alone.
  reflect::Map<api::Quantity> allocatable = {};
  // Bytes that all pods together may have, by their cgroup; 0: the node says nothing of it.
  int64_t pods_memory_limit = 0;
  // The kernel counts swap apart from memory (memory.swap.max of cgroups v2): every container has a
  // limit of its own for it, which is none at all but for limited_swap (resources.h).
  bool counts_swap = false;
  bool limited_swap = false;                  // memorySwap.swapBehavior is LimitedSwap
  int64_t swap_bytes = 0;                     // of the machine
  std::vector<int64_t> huge_page_sizes = {};  // bytes, of this kernel
  bool apparmor = true;                       // the kernel has it
  // Sysctls that pods may set beside those that only the pod itself feels (sysctl_rules.h).
  std::vector<std::string> allowed_unsafe_sysctls = {};
  int64_t pod_pids_limit = -1;  // processes and threads of a pod (podPidsLimit); -1: no limit

  // When a container's log is rotated, and how many files of it are kept.
  int64_t log_max_bytes = 10 * int64_t{1024} * 1024;  // containerLogMaxSize
  int log_max_files = 5;                              // containerLogMaxFiles
};

// DATA/pods/UID, what is kept of a pod while it is known here.
std::string PodFolder(const NodeConfig& config, std::string_view uid);
// What was in the pod's volumes, put aside until somebody finds the time to remove it: beside the
// folder that they were in (volumes/volume_manager.h, pod_remains.h).
std::string RemovedVolumes(const NodeConfig& config, std::string_view uid);
// LOG/NAMESPACE_NAME_UID
std::string PodLogFolder(const NodeConfig& config, std::string_view name_space,
                         std::string_view name, std::string_view uid);

}  // namespace podium::node
