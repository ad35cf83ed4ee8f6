// What services have against what is kept as taken: addresses and ports that nobody has any more
// are given back, those that a service has and nobody keeps are taken for it, and what two services
// have is told (upstream's pkg/registry/core/service/{ipallocator,portallocator}/controller,
// release 1.36). A server that died between taking and writing leaves the first kind, a restored
// backup any.
//
//   PlanServiceRepairs   decides, and is pure
//   ServiceRepair        reads, writes, and remembers what it saw before
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "apiserver/objects.h"
#include "apiserver/services/service_allocator.h"
#include "base/result.h"

namespace podium::apiserver {

// For an Event of type Warning about the service.
struct ServiceFinding {
  std::string namespace_{};
  std::string name{};
  std::string uid{};
  std::string reason{};  // "ClusterIPAlreadyAllocated"
  std::string message{};

  friend bool operator==(const ServiceFinding&, const ServiceFinding&) = default;
};

struct ServiceRecords {
  std::vector<std::shared_ptr<const api::core::v1::Service>> services{};
  std::vector<std::shared_ptr<const api::networking::v1::IPAddress>> addresses{};
  std::map<int32_t, std::string> ports{};  // and whose they are: "namespace/name"
  std::vector<std::string> cidrs{};        // that addresses may be of
  int32_t first_node_port = 0;
  int32_t last_node_port = 0;
};

struct ServiceRepairs {
  // Addresses and ports to take, and for whom: "namespace/name".
  std::map<std::string, std::string> take_addresses{};
  std::map<int32_t, std::string> take_ports{};
  // That no service has. One that is being made has its addresses before it is there.
  std::vector<std::string> leaked_addresses{};
  std::vector<int32_t> leaked_ports{};
  std::vector<ServiceFinding> findings{};
};

// Of several services with one address or port the oldest has it, then the first by name.
ServiceRepairs PlanServiceRepairs(const ServiceRecords& records);

// Threads: one at a time. Waits for the store's disk.
class ServiceRepair {
 public:
  // Both outlive it. `new_uid`: of the IPAddress objects that it makes.
  ServiceRepair(const Objects& objects, const ServiceAllocator& allocator,
                std::function<std::string()> new_uid)
      : objects_(objects), allocator_(allocator), new_uid_(std::move(new_uid)) {}

  // Once: at start, and every three minutes from then on, as upstream. What leaks is given back
  // when it was seen in three runs, so that no service loses what it is just about to get.
  Result<std::vector<ServiceFinding>> Run(api::Time now);

 private:
  Result<ServiceRecords> Read() const;
  Result<void> Take(const ServiceRepairs& repairs, api::Time now);
  Result<void> GiveBack(const std::set<std::string>& leaked);

  const Objects& objects_;
  const ServiceAllocator& allocator_;
  const std::function<std::string()> new_uid_;
  std::map<std::string, int> leaks_;  // keys, and in how many runs
};

}  // namespace podium::apiserver
