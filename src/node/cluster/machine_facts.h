// What the machine is, as its kernel and its files tell it, for the Node object: read where
// cAdvisor reads it for kubelets (github.com/google/cadvisor, machine and utils/sysfs).
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace podium::node {

struct MachineFacts {
  std::string machine_id{};      // /etc/machine-id
  std::string system_uuid{};     // the firmware's; the machine id where there is none
  std::string boot_id{};         // new at every boot
  std::string kernel_version{};  // uname -r
  std::string os_image{};        // PRETTY_NAME of os-release
  std::string architecture{};    // in Go's spelling: amd64
  int64_t cpus = 0;              // online
  int64_t memory_bytes = 0;
  int64_t swap_bytes = 0;
  int64_t disk_bytes = 0;  // of the file system that pods' files are on
  // How many pages there are, by their size in bytes.
  std::map<int64_t, int64_t> huge_pages{};
};

// "amd64" for "x86_64"; what is not known stays as it is.
std::string GoArchitecture(const std::string& machine);

// What cannot be read is empty or 0. `data_dir` is a folder of the file system of pods' files.
// `root`: stands before the paths of all other files, for tests; cpus and kernel are this
// machine's.
MachineFacts ReadMachineFacts(const std::string& data_dir, const std::string& root = "");

}  // namespace podium::node
