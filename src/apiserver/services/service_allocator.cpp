#include "apiserver/services/service_allocator.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "api/status.h"
#include "api/validation/service.h"
#include "apiserver/services/ip_families.h"
#include "apiserver/services/ip_range.h"
#include "apiserver/storage_keys.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::core::v1::ServicePort;
using api::core::v1::ServiceSpec;
using api::field::ErrorList;
using api::field::Path;
using api::networking::v1::IPAddress;
using api::networking::v1::ServiceCIDR;

constexpr std::string_view kTaken = "provided IP is already allocated";
constexpr std::string_view kPortTaken = "provided port is already allocated";
constexpr std::string_view kFull = "range is full";

Error Invalid(const Service& service, api::field::Error error) {
  return api::InvalidError("", "Service", service.metadata.name, {std::move(error)});
}

std::string KeyOfAddress(std::string_view address) {
  return KeyOf(Objects::PrefixOf(reflect::TypeOf<IPAddress>()), "", address);
}

std::string KeyOfPort(int32_t port) { return fmt::format("{}{}", kNodePortKeys, port); }

std::string NameOf(const Service& service) {
  return service.metadata.namespace_ + "/" + service.metadata.name;
}

// An address as it is known by its object's name.
std::string Canonical(std::string_view address) {
  const auto parsed = api::ParseIP(address);
  return parsed ? parsed->String() : std::string(address);
}

bool IsReady(const ServiceCIDR& cidr) {
  if (cidr.metadata.deletionTimestamp) return false;
  for (const auto& condition : cidr.status.conditions) {
    if (condition.type == "Ready") return condition.status == "True";
  }
  return true;
}

Result<std::vector<IpRange>> ReadyRanges(const Objects& objects, const ServiceNetworks& networks,
                                         std::string_view family) {
  std::vector<std::string> texts;
  TRY(const auto cidrs, objects.List<ServiceCIDR>(""));
  bool has_default = false;
  for (const auto& cidr : cidrs) {
    has_default = has_default || cidr->metadata.name == kDefaultServiceCidr;
    if (IsReady(*cidr)) texts.insert(texts.end(), cidr->spec.cidrs.begin(), cidr->spec.cidrs.end());
  }
  // Before the first start has come as far as the object.
  if (!has_default) texts.insert(texts.end(), networks.cidrs.begin(), networks.cidrs.end());
  std::vector<IpRange> ranges;
  for (const std::string& text : texts) {
    const auto range = IpRange::Parse(text);
    if (range && range->family() == family) ranges.push_back(*range);
  }
  return ranges;
}

bool TakesNodePorts(const ServiceSpec& spec) {
  return spec.type == "NodePort" || spec.type == "LoadBalancer";
}

bool AllocatesNodePorts(const ServiceSpec& spec) {
  return spec.type != "LoadBalancer" || spec.allocateLoadBalancerNodePorts.value_or(true);
}

std::vector<int32_t> NodePortsOf(const Service& service) {
  std::vector<int32_t> ports;
  for (const ServicePort& port : service.spec.ports) {
    if (port.nodePort != 0) ports.push_back(port.nodePort);
  }
  return ports;
}

bool Has(const std::vector<int32_t>& ports, int32_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

// What a port that has the same number, for another protocol, asks for.
int32_t RequestedNodePort(const ServiceSpec& spec, int32_t port) {
  for (const ServicePort& each : spec.ports) {
    if (each.port == port && each.nodePort != 0) return each.nodePort;
  }
  return 0;
}

}  // namespace

IPAddress MakeIpAddress(std::string_view address, std::string uid, api::Time now,
                        std::string service_namespace, std::string service_name) {
  IPAddress object;
  object.kind = "IPAddress";
  object.apiVersion = "networking.k8s.io/v1";
  object.metadata.name = address;
  object.metadata.uid = std::move(uid);
  object.metadata.creationTimestamp = now;
  object.metadata.labels["ipaddress.kubernetes.io/ip-family"] = FamilyOf(address);
  object.metadata.labels["ipaddress.kubernetes.io/managed-by"] = kIpAllocatorName;
  auto& parent = object.spec.parentRef.emplace();
  parent.resource = "services";
  parent.namespace_ = std::move(service_namespace);
  parent.name = std::move(service_name);
  return object;
}

// Keys that were made for a service, and those that it has no use for once the write is made.
class ServiceAllocator::Taken final : public Allocation {
 public:
  Taken(const Objects& objects, std::string owner) : objects_(objects), owner_(std::move(owner)) {}
  ~Taken() override {
    if (kept_) return;
    for (const auto& [key, revision] : taken_) Remove(key, revision);
  }
  void Keep() override {
    kept_ = true;
    for (const std::string& key : released_) GiveBack(key);
  }

  // False: somebody has it.
  Result<bool> Make(const std::string& key, std::string value) {
    TRY(const store::Written written,
        objects_.store().WriteAndWait({.key = key, .value = std::move(value), .expected = 0}));
    if (written.changed) taken_.emplace(key, written.revision);
    return written.changed;
  }
  bool Took(const std::string& key) const { return taken_.contains(key); }
  void ReleaseLater(std::string key) { released_.push_back(std::move(key)); }

  // Unless it is somebody else's by now. What cannot be given back is left for the repair loop.
  void GiveBack(const std::string& key) {
    const auto entry = objects_.store().Get(key);
    if (!entry.ok() || !*entry || !IsOwn(key, **entry)) return;
    Remove(key, (*entry)->mod_revision());
  }

 private:
  bool IsOwn(const std::string& key, const store::Entry& entry) const {
    if (key.starts_with(kNodePortKeys)) return entry.value() == owner_;
    IPAddress address;
    const auto problems = reflect::DecodeJson(entry.value(), reflect::TypeOf<IPAddress>(), &address,
                                              {.strict = false});
    if (!problems.empty() || !address.spec.parentRef) return false;
    const auto& parent = *address.spec.parentRef;
    return parent.resource == "services" && parent.namespace_ + "/" + parent.name == owner_;
  }
  void Remove(const std::string& key, store::Revision revision) {
    (void)objects_.store().WriteAndWait({.key = key, .expected = revision});
  }

  const Objects& objects_;
  const std::string owner_;
  std::map<std::string, store::Revision> taken_;
  std::vector<std::string> released_;
  bool kept_ = false;
};

Result<std::unique_ptr<ServiceAllocator>> ServiceAllocator::Create(const Objects& objects,
                                                                   ServiceNetworks networks,
                                                                   Hooks hooks) {
  if (networks.cidrs.empty() || networks.cidrs.size() > 2) {
    return Error(Code::kInvalidArgument, "services need one network of addresses, or two");
  }
  std::vector<std::string_view> families;
  for (const std::string& cidr : networks.cidrs) {
    const auto range = IpRange::Parse(cidr);
    if (!range || range->size() == 0) {
      return Error(Code::kInvalidArgument,
                   "no network that services could have addresses of: " + cidr);
    }
    families.push_back(range->family());
  }
  if (families.size() == 2 && families[0] == families[1]) {
    return Error(Code::kInvalidArgument, "the networks of services are of one family");
  }
  if (networks.first_node_port < 1 || networks.last_node_port > 65535 ||
      networks.last_node_port < networks.first_node_port) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("no range of ports: {}-{}", networks.first_node_port, networks.last_node_port));
  }
  return std::unique_ptr<ServiceAllocator>(
      new ServiceAllocator(objects, std::move(networks), std::move(hooks)));
}

std::string ServiceAllocator::FirstAddress() const {
  return IpRange::Parse(networks_.cidrs.front())->At(0);
}

ServiceCIDR ServiceAllocator::DefaultServiceCidr(api::Time now) const {
  ServiceCIDR cidr;
  cidr.kind = "ServiceCIDR";
  cidr.apiVersion = "networking.k8s.io/v1";
  cidr.metadata.name = kDefaultServiceCidr;
  // As its controller sees to: it must not go before that has begun.
  cidr.metadata.finalizers = {"networking.k8s.io/service-cidr-finalizer"};
  cidr.spec.cidrs = {networks_.cidrs.begin(), networks_.cidrs.end()};
  api::meta::v1::Condition ready;
  ready.type = "Ready";
  ready.status = "True";
  ready.lastTransitionTime = now;
  ready.message = "Kubernetes default Service CIDR is ready";
  cidr.status.conditions.push_back(std::move(ready));
  return cidr;
}

Result<std::unique_ptr<Allocation>> ServiceAllocator::BeginCreate(const StrategyContext& context,
                                                                  Service* service) {
  auto taken = std::make_unique<Taken>(objects_, NameOf(*service));
  TRY_VOID(InitIpFamilies(networks_, nullptr, service));
  TRY_VOID(TakeAddresses(context, service, 0, taken.get()));
  if (TakesNodePorts(service->spec)) TRY_VOID(TakeNewPorts(context, service, taken.get()));
  if (api::NeedsHealthCheck(service->spec)) {
    TRY_VOID(TakeHealthPort(context, service, taken.get()));
  }
  return std::unique_ptr<Allocation>(std::move(taken));
}

Result<std::unique_ptr<Allocation>> ServiceAllocator::BeginUpdate(const StrategyContext& context,
                                                                  const Service& old,
                                                                  Service* service) {
  auto taken = std::make_unique<Taken>(objects_, NameOf(*service));
  TRY_VOID(InitIpFamilies(networks_, &old, service));
  const bool had_addresses = old.spec.type != "ExternalName" && !api::IsHeadless(old.spec);
  const bool has_addresses =
      service->spec.type != "ExternalName" && !api::IsHeadless(service->spec);
  if (has_addresses && !KeepsFamilies(old, *service)) {
    TRY_VOID(TakeAddresses(context, service, had_addresses ? old.spec.clusterIPs.size() : 0,
                           taken.get()));
  }
  if (had_addresses) {
    for (const std::string& address : old.spec.clusterIPs) {
      const auto& kept = service->spec.clusterIPs;
      if (has_addresses && std::ranges::find(kept, address) != kept.end()) continue;
      taken->ReleaseLater(KeyOfAddress(Canonical(address)));
    }
  }
  TRY_VOID(TakeChangedPorts(context, old, service, taken.get()));
  return std::unique_ptr<Allocation>(std::move(taken));
}

void ServiceAllocator::Release(const Service& service) {
  Taken taken(objects_, NameOf(service));
  if (service.spec.type != "ExternalName" && !api::IsHeadless(service.spec)) {
    for (const std::string& address : service.spec.clusterIPs) {
      taken.ReleaseLater(KeyOfAddress(Canonical(address)));
    }
  }
  for (const int32_t port : NodePortsOf(service)) taken.ReleaseLater(KeyOfPort(port));
  if (service.spec.healthCheckNodePort != 0) {
    taken.ReleaseLater(KeyOfPort(service.spec.healthCheckNodePort));
  }
  taken.Keep();
}

// One for each family from `from` on; those before are had already.
Result<void> ServiceAllocator::TakeAddresses(const StrategyContext& context, Service* service,
                                             size_t from, Taken* taken) {
  ServiceSpec& spec = service->spec;
  if (spec.type == "ExternalName" || api::IsHeadless(spec)) return {};
  reflect::List<std::string> addresses = spec.clusterIPs;
  addresses.resize(std::max(addresses.size(), spec.ipFamilies.size()));
  for (size_t i = from; i < spec.ipFamilies.size(); ++i) {
    TRY(addresses[i], TakeAddress(context, *service, spec.ipFamilies[i], addresses[i], taken));
  }
  spec.clusterIPs = std::move(addresses);
  if (!spec.clusterIPs.empty()) spec.clusterIP = spec.clusterIPs.front();
  return {};
}

Result<std::string> ServiceAllocator::TakeAddress(const StrategyContext& context,
                                                  const Service& service, std::string_view family,
                                                  std::string_view wanted, Taken* taken) {
  if (wanted.empty()) return TakeAnyAddress(context, service, family, taken);
  const auto refuse = [&](std::string_view why) {
    const Path spec("spec");
    return Invalid(service,
                   api::field::Invalid(spec.Child("clusterIPs"), service.spec.clusterIPs,
                                       fmt::format("failed to allocate IP {}: {}", wanted, why)));
  };
  TRY(const auto ranges, ReadyRanges(objects_, networks_, family));
  const auto address = api::ParseIP(wanted);
  const bool in_range = address && std::ranges::any_of(ranges, [&](const IpRange& range) {
                          return range.Contains(*address);
                        });
  if (!in_range) return refuse("the provided network does not match the current range");
  TRY(const bool free, TakeOneAddress(context, service, address->String(), taken));
  if (!free) return refuse(kTaken);
  return std::string(wanted);
}

Result<bool> ServiceAllocator::TakeOneAddress(const StrategyContext& context,
                                              const Service& service, const std::string& address,
                                              Taken* taken) {
  const std::string key = KeyOfAddress(address);
  TRY(const store::EntryPtr entry, objects_.store().Get(key));
  if (entry) return false;
  if (context.dry_run) return true;
  const IPAddress object = MakeIpAddress(address, hooks_.new_uid(), context.now,
                                         service.metadata.namespace_, service.metadata.name);
  TRY(std::string json, reflect::ToJson(object));
  return taken->Make(key, std::move(json));
}

Result<std::string> ServiceAllocator::TakeAnyAddress(const StrategyContext& context,
                                                     const Service& service,
                                                     std::string_view family, Taken* taken) {
  TRY(const auto ranges, ReadyRanges(objects_, networks_, family));
  for (const IpRange& range : ranges) {
    // Nothing is held for a dry run, so that upstream names no address either that could be had.
    if (context.dry_run) return range.NetworkAddress();
    const uint64_t low = std::min(range.static_size(), range.size());
    const std::pair<uint64_t, uint64_t> parts[] = {{low, range.size() - low}, {0, low}};
    for (const auto& [first, count] : parts) {
      const uint64_t start = count > 0 ? hooks_.random(count) : 0;
      for (uint64_t i = 0; i < count; ++i) {
        std::string address = range.At(first + (start + i) % count);
        TRY(const bool free, TakeOneAddress(context, service, address, taken));
        if (free) return address;
      }
    }
  }
  return api::InternalError(fmt::format("failed to allocate a serviceIP: {}", kFull));
}

Result<void> ServiceAllocator::TakePort(const StrategyContext& context, const Service& service,
                                        int32_t port, Taken* taken) {
  if (port < networks_.first_node_port || port > networks_.last_node_port) {
    return Error(Code::kInvalidArgument,
                 fmt::format("provided port is not in the valid range. The range of valid ports is "
                             "{}-{}",
                             networks_.first_node_port, networks_.last_node_port));
  }
  const std::string key = KeyOfPort(port);
  const Error refused(Code::kAlreadyExists, std::string(kPortTaken));
  TRY(const store::EntryPtr entry, objects_.store().Get(key));
  if (entry) return refused;
  if (context.dry_run) return {};
  TRY(const bool free, taken->Make(key, NameOf(service)));
  if (!free) return refused;
  return {};
}

Result<int32_t> ServiceAllocator::TakeAnyPort(const StrategyContext& context,
                                              const Service& service, Taken* taken) {
  const auto size = static_cast<uint64_t>(networks_.last_node_port - networks_.first_node_port) + 1;
  const uint64_t low = size < 16 ? 0 : StaticPart(size, 16, 128, 32);
  const std::pair<uint64_t, uint64_t> parts[] = {{low, size - low}, {0, low}};
  for (const auto& [first, count] : parts) {
    const uint64_t start = count > 0 ? hooks_.random(count) : 0;
    for (uint64_t i = 0; i < count; ++i) {
      const auto port = static_cast<int32_t>(static_cast<uint64_t>(networks_.first_node_port) +
                                             first + (start + i) % count);
      TRY(const store::EntryPtr entry, objects_.store().Get(KeyOfPort(port)));
      if (entry) continue;
      if (context.dry_run) return port;
      TRY(const bool free, taken->Make(KeyOfPort(port), NameOf(service)));
      if (free) return port;
    }
  }
  return Error(Code::kResourceExhausted, std::string(kFull));
}

namespace {

// The answer of a port that cannot be had. Errors of the store stay what they are.
Error RefusedPort(const Service& service, size_t index, int32_t port, const Error& error) {
  if (error.code() != Code::kInvalidArgument && error.code() != Code::kAlreadyExists) return error;
  const Path spec("spec");
  const Path ports = spec.Child("ports");
  const Path at = ports.Index(index);
  return Invalid(service, api::field::Invalid(at.Child("nodePort"), port, error.message()));
}

Error NoPort(const Error& error, std::string_view what) {
  if (error.code() != Code::kResourceExhausted) return error;
  return api::InternalError(fmt::format("{}: {}", what, error.message()));
}

}  // namespace

// A port that is offered for several protocols has one number for all, unless others are asked for.
Result<void> ServiceAllocator::TakeNewPorts(const StrategyContext& context, Service* service,
                                            Taken* taken) {
  std::map<int32_t, int32_t> by_port;
  auto& ports = service->spec.ports;
  for (size_t i = 0; i < ports.size(); ++i) {
    ServicePort& port = ports[i];
    if (port.nodePort == 0 && !AllocatesNodePorts(service->spec)) continue;
    int32_t& known = by_port[port.port];
    if (known != 0 && port.nodePort == 0) port.nodePort = known;
    if (known != 0 && port.nodePort == known) continue;
    const int32_t wanted =
        port.nodePort != 0 ? port.nodePort : RequestedNodePort(service->spec, port.port);
    if (wanted == 0) {
      const auto any = TakeAnyPort(context, *service, taken);
      if (!any.ok()) return NoPort(any.error(), "failed to allocate a nodePort");
      port.nodePort = *any;
    } else {
      const auto got = TakePort(context, *service, wanted, taken);
      if (!got.ok()) return RefusedPort(*service, i, wanted, got.error());
      port.nodePort = wanted;
    }
    if (known == 0) known = port.nodePort;
  }
  return {};
}

Result<void> ServiceAllocator::TakeChangedPorts(const StrategyContext& context, const Service& old,
                                                Service* service, Taken* taken) {
  const std::vector<int32_t> before = NodePortsOf(old);
  auto& ports = service->spec.ports;
  for (size_t i = 0; TakesNodePorts(service->spec) && i < ports.size(); ++i) {
    ServicePort& port = ports[i];
    if (port.nodePort == 0) {
      if (!AllocatesNodePorts(service->spec)) continue;
      const auto any = TakeAnyPort(context, *service, taken);
      if (!any.ok()) return NoPort(any.error(), "failed to allocate a nodePort");
      port.nodePort = *any;
    } else if (!Has(before, port.nodePort) && !taken->Took(KeyOfPort(port.nodePort))) {
      const auto got = TakePort(context, *service, port.nodePort, taken);
      if (!got.ok()) return RefusedPort(*service, i, port.nodePort, got.error());
    }
  }
  const std::vector<int32_t> after = NodePortsOf(*service);
  for (const int32_t port : before) {
    if (!Has(after, port)) taken->ReleaseLater(KeyOfPort(port));
  }
  const bool needed = api::NeedsHealthCheck(old.spec);
  const bool needs = api::NeedsHealthCheck(service->spec);
  if (needs && !needed) return TakeHealthPort(context, service, taken);
  if (needed && !needs && old.spec.healthCheckNodePort != 0) {
    taken->ReleaseLater(KeyOfPort(old.spec.healthCheckNodePort));
    service->spec.healthCheckNodePort = 0;
  }
  return {};
}

Result<void> ServiceAllocator::TakeHealthPort(const StrategyContext& context, Service* service,
                                              Taken* taken) {
  int32_t& port = service->spec.healthCheckNodePort;
  if (port == 0) {
    const auto any = TakeAnyPort(context, *service, taken);
    if (!any.ok()) return NoPort(any.error(), "failed to allocate a HealthCheck NodePort 0");
    port = *any;
    return {};
  }
  const auto got = TakePort(context, *service, port, taken);
  if (got.ok()) return {};
  const Error& error = got.error();
  if (error.code() != Code::kInvalidArgument && error.code() != Code::kAlreadyExists) return error;
  return api::InternalError(fmt::format("failed to allocate requested HealthCheck NodePort {}: {}",
                                        port, error.message()));
}

}  // namespace podium::apiserver
