#include "apiserver/services/service_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "api/ip.h"
#include "api/validation/service.h"
#include "apiserver/services/ip_range.h"
#include "apiserver/storage_keys.h"
#include "apiserver/stored_object.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::networking::v1::IPAddress;
using api::networking::v1::ServiceCIDR;

constexpr int kRunsBeforeLeaked = 3;

std::string NameOf(const Service& service) {
  return service.metadata.namespace_ + "/" + service.metadata.name;
}

// "" for an address that names no service.
std::string OwnerOf(const IPAddress& address) {
  const auto& parent = address.spec.parentRef;
  if (!parent || parent->resource != "services" || !parent->group.empty()) return "";
  return parent->namespace_ + "/" + parent->name;
}

bool IsOurs(const IPAddress& address) {
  const auto& labels = address.metadata.labels;
  const auto found = labels.find("ipaddress.kubernetes.io/managed-by");
  return found != labels.end() && found->second == kIpAllocatorName;
}

class Planner {
 public:
  explicit Planner(const ServiceRecords& records) : records_(records) {
    for (const std::string& cidr : records.cidrs) {
      if (const auto range = IpRange::Parse(cidr)) ranges_.push_back(*range);
    }
    for (const auto& address : records.addresses) {
      kept_addresses_[address->metadata.name] = OwnerOf(*address);
    }
  }

  ServiceRepairs Plan() && {
    auto services = records_.services;
    std::ranges::sort(services, [](const auto& a, const auto& b) {
      return std::tuple(a->metadata.creationTimestamp, NameOf(*a)) <
             std::tuple(b->metadata.creationTimestamp, NameOf(*b));
    });
    for (const auto& service : services) CheckService(*service);
    for (const auto& address : records_.addresses) {
      const std::string& name = address->metadata.name;
      if (IsOurs(*address) && !had_addresses_.contains(name)) {
        repairs_.leaked_addresses.push_back(name);
      }
    }
    for (const auto& [port, owner] : records_.ports) {
      if (!had_ports_.contains(port)) repairs_.leaked_ports.push_back(port);
    }
    return std::move(repairs_);
  }

 private:
  void Tell(const Service& service, std::string_view reason, std::string message) {
    repairs_.findings.push_back({.namespace_ = service.metadata.namespace_,
                                 .name = service.metadata.name,
                                 .uid = service.metadata.uid,
                                 .reason = std::string(reason),
                                 .message = std::move(message)});
  }

  void CheckService(const Service& service) {
    const auto& spec = service.spec;
    if (spec.type != "ExternalName" && !api::IsHeadless(spec)) {
      for (const std::string& address : spec.clusterIPs) CheckAddress(service, address);
    }
    std::set<int32_t> own;  // one number may stand for several protocols
    for (const auto& port : spec.ports) {
      if (port.nodePort != 0 && own.insert(port.nodePort).second) {
        CheckPort(service, port.nodePort, port.protocol);
      }
    }
    if (spec.healthCheckNodePort != 0 && own.insert(spec.healthCheckNodePort).second) {
      CheckPort(service, spec.healthCheckNodePort, "TCP");
    }
  }

  void CheckAddress(const Service& service, const std::string& text) {
    const auto address = api::ParseIP(text);
    if (!address) {
      Tell(service, "ClusterIPNotValid",
           fmt::format("Cluster IP {} is not a valid IP; please recreate Service", text));
      return;
    }
    const std::string family(FamilyOf(text));
    if (!std::ranges::any_of(ranges_, [&](const IpRange& r) { return r.Contains(*address); })) {
      Tell(service, "ClusterIPOutOfRange",
           fmt::format("Cluster IP [{}]: {} is not within any configured Service CIDR; please "
                       "recreate service",
                       family, text));
      // It keeps what it has all the same.
      had_addresses_.insert(address->String());
      return;
    }
    const std::string name = address->String();
    if (!had_addresses_.insert(name).second) {
      Tell(service, "ClusterIPAlreadyAllocated",
           fmt::format("Cluster IP [{}]: {} was assigned to multiple services; please recreate "
                       "service",
                       family, text));
      return;
    }
    const auto kept = kept_addresses_.find(name);
    if (kept != kept_addresses_.end() && kept->second == NameOf(service)) return;
    Tell(service, "ClusterIPNotAllocated",
         fmt::format("Cluster IP [{}]: {} is not allocated; repairing", family, text));
    repairs_.take_addresses[name] = NameOf(service);
  }

  void CheckPort(const Service& service, int32_t port, std::string_view protocol) {
    if (port < records_.first_node_port || port > records_.last_node_port) {
      Tell(service, "PortOutOfRange",
           fmt::format("Port {}/{} is not within the port range {}-{}; please recreate service",
                       port, protocol, records_.first_node_port, records_.last_node_port));
      had_ports_.insert(port);
      return;
    }
    if (!had_ports_.insert(port).second) {
      Tell(service, "PortAlreadyAllocated",
           fmt::format("Port {}/{} was assigned to multiple services; please recreate service",
                       port, protocol));
      return;
    }
    const auto kept = records_.ports.find(port);
    if (kept != records_.ports.end() && kept->second == NameOf(service)) return;
    Tell(service, "PortNotAllocated",
         fmt::format("Port {}/{} is not allocated; repairing", port, protocol));
    repairs_.take_ports[port] = NameOf(service);
  }

  const ServiceRecords& records_;
  std::vector<IpRange> ranges_;
  std::map<std::string, std::string> kept_addresses_;
  std::set<std::string> had_addresses_;
  std::set<int32_t> had_ports_;
  ServiceRepairs repairs_;
};

}  // namespace

ServiceRepairs PlanServiceRepairs(const ServiceRecords& records) { return Planner(records).Plan(); }

namespace {

template <class T>
Result<std::vector<std::shared_ptr<const T>>> ListAt(store::Store& store, store::Revision at) {
  const std::string prefix = Objects::PrefixOf(reflect::TypeOf<T>());
  TRY(const auto range, store.Range({.keys = store::KeyRange::Prefix(prefix), .at = at}));
  std::vector<std::shared_ptr<const T>> objects;
  for (const store::EntryPtr& entry : range.entries) {
    TRY(const StoredObject* stored, StoredObject::Of(*entry));
    TRY(DecodedPtr decoded, stored->Decode(reflect::TypeOf<T>(), false));
    const T* object = decoded->As<T>();
    objects.emplace_back(std::move(decoded), object);
  }
  return objects;
}

}  // namespace

// All of one state: what is taken is there before its service, and goes after it, so that in none
// of the states between something is wrong that needs mending.
Result<ServiceRecords> ServiceRepair::Read() const {
  ServiceRecords records;
  store::Store& store = objects_.store();
  const store::Revision at = store.health().revision;
  TRY(records.services, ListAt<Service>(store, at));
  TRY(records.addresses, ListAt<IPAddress>(store, at));
  TRY(const auto ports,
      store.Range({.keys = store::KeyRange::Prefix(std::string(kNodePortKeys)), .at = at}));
  for (const store::EntryPtr& entry : ports.entries) {
    const std::string_view digits = entry->key().substr(kNodePortKeys.size());
    int32_t port = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    records.ports[port] = std::string(entry->value());
  }
  TRY(const auto cidrs, ListAt<ServiceCIDR>(store, at));
  const ServiceNetworks& networks = allocator_.networks();
  records.cidrs = networks.cidrs;
  for (const auto& cidr : cidrs) {
    records.cidrs.insert(records.cidrs.end(), cidr->spec.cidrs.begin(), cidr->spec.cidrs.end());
  }
  records.first_node_port = networks.first_node_port;
  records.last_node_port = networks.last_node_port;
  return records;
}

Result<std::vector<ServiceFinding>> ServiceRepair::Run(api::Time now) {
  TRY(const ServiceRecords records, Read());
  ServiceRepairs repairs = PlanServiceRepairs(records);
  TRY_VOID(Take(repairs, now));
  std::map<std::string, int> leaks;
  std::set<std::string> leaked;
  const auto seen = [&](std::string key) {
    const auto before = leaks_.find(key);
    const int runs = before != leaks_.end() ? before->second + 1 : 1;
    if (runs >= kRunsBeforeLeaked) leaked.insert(key);
    leaks.emplace(std::move(key), runs);
  };
  const std::string prefix = Objects::PrefixOf(reflect::TypeOf<IPAddress>());
  for (const std::string& name : repairs.leaked_addresses) seen(KeyOf(prefix, "", name));
  for (const int32_t port : repairs.leaked_ports) seen(fmt::format("{}{}", kNodePortKeys, port));
  leaks_ = std::move(leaks);
  TRY_VOID(GiveBack(leaked));
  return std::move(repairs.findings);
}

// Over what is kept for somebody else, whom no service of this run has it for.
Result<void> ServiceRepair::Take(const ServiceRepairs& repairs, api::Time now) {
  const std::string prefix = Objects::PrefixOf(reflect::TypeOf<IPAddress>());
  const auto put = [&](const std::string& key, std::string value) -> Result<void> {
    TRY(const store::EntryPtr entry, objects_.store().Get(key));
    TRY_VOID(objects_.store().WriteAndWait(
        {.key = key, .value = std::move(value), .expected = entry ? entry->mod_revision() : 0}));
    return {};
  };
  for (const auto& [name, owner] : repairs.take_addresses) {
    const size_t slash = owner.find('/');
    TRY(std::string json,
        reflect::ToJson(
            MakeIpAddress(name, new_uid_(), now, owner.substr(0, slash), owner.substr(slash + 1))));
    TRY_VOID(put(KeyOf(prefix, "", name), std::move(json)));
  }
  for (const auto& [port, owner] : repairs.take_ports) {
    TRY_VOID(put(fmt::format("{}{}", kNodePortKeys, port), owner));
  }
  return {};
}

Result<void> ServiceRepair::GiveBack(const std::set<std::string>& leaked) {
  for (const std::string& key : leaked) {
    TRY(const store::EntryPtr entry, objects_.store().Get(key));
    if (!entry) continue;
    TRY_VOID(objects_.store().WriteAndWait({.key = key, .expected = entry->mod_revision()}));
  }
  return {};
}

}  // namespace podium::apiserver
