// Ids for pods with hostUsers: false: a range of 65,536 host ids each, so that no two pods, and no
// pod and the host, have one in common (upstream's pkg/kubelet/userns). A pod keeps its range as
// long as it is known here: the file DATA/pods/UID/userns has it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/node_config.h"
#include "wire/types/cri.h"

namespace podium::node {

// Threads: any.
class UserNamespaces {
 public:
  static constexpr uint32_t kLength = 65536;
  // The first range begins here, the last ends below 2^31, which some file systems take for signed.
  static constexpr uint32_t kFirst = kLength;
  static constexpr uint32_t kRanges = (uint32_t{1} << 15) - 1;

  explicit UserNamespaces(const NodeConfig& config) : config_(config) {}

  // The pod's folder is there. The same pod gets the same range again, also after a restart.
  Result<wire::cri::UserNamespace> Take(std::string_view pod_uid);
  // Reads what an earlier process gave to a pod, if anything.
  void Recover(std::string_view pod_uid);
  void Release(std::string_view pod_uid);

 private:
  const NodeConfig& config_;
  std::mutex mutex_;
  std::map<std::string, uint32_t, std::less<>> ranges_;  // by pod: the number of its range
};

}  // namespace podium::node
