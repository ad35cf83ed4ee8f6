// ServiceAllocator: gives services what only the cluster as a whole can give: addresses, ports of
// nodes, and the families of addresses that are there (upstream's
// pkg/registry/core/service/{storage/alloc.go, ipallocator, portallocator}, release 1.36).
//
// What is taken is kept in the store, a key for each address and each port that only one writer can
// make, so that several servers over one store never give one away twice. An address is an
// IPAddress object that names its service; a port is a key below
// /registry/ranges/servicenodeports/, with the service's name as its value. What a server took and
// did not use because it died in between is given back by the repair loop (service_repair.h).
//
// Addresses come from the ServiceCIDRs that are ready. Of each range the first part (a sixteenth,
// 16 to 256 addresses) is for those who ask for an address by themselves; others get one of the
// rest by chance, and one of the first part only when the rest is full. Ports likewise.
//
// Threads: any. Everything but the constructor waits for the store's disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "apiserver/objects.h"
#include "apiserver/strategies/strategy.h"
#include "base/result.h"

namespace podium::apiserver {

struct ServiceNetworks {
  // One CIDR, or one of each family; the first one's family is that of services that do not ask.
  std::vector<std::string> cidrs{"10.96.0.0/16"};
  int32_t first_node_port = 30000;
  int32_t last_node_port = 32767;
};

inline constexpr std::string_view kDefaultServiceCidr = "kubernetes";  // the ServiceCIDR's name
inline constexpr std::string_view kNodePortKeys = "/registry/ranges/servicenodeports/";
inline constexpr std::string_view kIpAllocatorName = "ipallocator.k8s.io";

// The object by which a service has an address, whose canonical form is its name.
api::networking::v1::IPAddress MakeIpAddress(std::string_view address, std::string uid,
                                             api::Time now, std::string service_namespace,
                                             std::string service_name);

class ServiceAllocator {
 public:
  struct Hooks {
    // Below the bound, which is not 0.
    std::function<uint64_t(uint64_t bound)> random;
    // Of IPAddress objects.
    std::function<std::string()> new_uid;
  };

  // kInvalidArgument, saying which, when a network is none. The store outlives it.
  static Result<std::unique_ptr<ServiceAllocator>> Create(const Objects& objects,
                                                          ServiceNetworks networks, Hooks hooks);

  // Fills in spec.ipFamilies, ipFamilyPolicy, clusterIPs, nodePorts and healthCheckNodePort. Errors
  // are answers: 422 for what cannot be had, 500 when nothing is left.
  Result<std::unique_ptr<Allocation>> BeginCreate(const StrategyContext& context,
                                                  api::core::v1::Service* service);
  // The same for a change; what is not needed any more is given back by Keep.
  Result<std::unique_ptr<Allocation>> BeginUpdate(const StrategyContext& context,
                                                  const api::core::v1::Service& old,
                                                  api::core::v1::Service* service);
  // Of a service that is gone.
  void Release(const api::core::v1::Service& service);

  // That of the service `kubernetes` in the namespace default.
  std::string FirstAddress() const;
  // The ServiceCIDR that the server makes of its own networks at the first start; its conditions
  // say that it is ready. It has neither uid nor times.
  api::networking::v1::ServiceCIDR DefaultServiceCidr(api::Time now) const;

  const ServiceNetworks& networks() const { return networks_; }

 private:
  class Taken;

  ServiceAllocator(const Objects& objects, ServiceNetworks networks, Hooks hooks)
      : objects_(objects), networks_(std::move(networks)), hooks_(std::move(hooks)) {}

  Result<void> TakeAddresses(const StrategyContext& context, api::core::v1::Service* service,
                             size_t from, Taken* taken);
  Result<std::string> TakeAddress(const StrategyContext& context,
                                  const api::core::v1::Service& service, std::string_view family,
                                  std::string_view wanted, Taken* taken);
  Result<std::string> TakeAnyAddress(const StrategyContext& context,
                                     const api::core::v1::Service& service, std::string_view family,
                                     Taken* taken);
  // Whether it was free. Errors are the store's.
  Result<bool> TakeOneAddress(const StrategyContext& context, const api::core::v1::Service& service,
                              const std::string& address, Taken* taken);

  Result<void> TakeNewPorts(const StrategyContext& context, api::core::v1::Service* service,
                            Taken* taken);
  Result<void> TakeChangedPorts(const StrategyContext& context, const api::core::v1::Service& old,
                                api::core::v1::Service* service, Taken* taken);
  Result<void> TakeHealthPort(const StrategyContext& context, api::core::v1::Service* service,
                              Taken* taken);
  Result<void> TakePort(const StrategyContext& context, const api::core::v1::Service& service,
                        int32_t port, Taken* taken);
  Result<int32_t> TakeAnyPort(const StrategyContext& context, const api::core::v1::Service& service,
                              Taken* taken);

  const Objects& objects_;
  const ServiceNetworks networks_;
  const Hooks hooks_;
};

}  // namespace podium::apiserver
