// The core group but for pods and nodes, and events of both groups.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "api/table/cells.h"
#include "api/types/discovery_v1.h"
#include "api/types/events_v1.h"
#include "base/text.h"
#include "reflect/go_trim.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: fifteen kinds, named once

constexpr size_t kMostEndpoints = 3;

template <class Container>
int64_t SizeOf(const Container& container) {
  return static_cast<int64_t>(container.size());
}

void MakeComponentStatus(const ComponentStatus& object, Cells* cells) {
  const auto found = std::ranges::find(object.conditions, "Healthy", &ComponentCondition::type);
  const bool known = found != object.conditions.end();
  cells->Text(object.metadata.name);
  cells->Text(!known ? "Unknown" : found->status == "True" ? "Healthy" : "Unhealthy");
  cells->Text(known ? found->message : "");
  cells->Text(known ? found->error : "");
}

void MakeConfigMap(const ConfigMap& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(SizeOf(object.data) + SizeOf(object.binaryData));
  cells->Age(object.metadata);
}

void MakeSecret(const Secret& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.type);
  cells->Number(SizeOf(object.data));
  cells->Age(object.metadata);
}

void MakeServiceAccount(const ServiceAccount& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(SizeOf(object.secrets));
  cells->Age(object.metadata);
}

void MakeNamespace(const Namespace& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.status.phase);
  cells->Age(object.metadata);
}

void MakeEndpoints(const Endpoints& object, Cells* cells) {
  std::vector<std::string> all;
  for (const EndpointSubset& subset : object.subsets) {
    if (subset.ports.empty()) {
      for (const EndpointAddress& address : subset.addresses) all.push_back(address.ip);
    }
    for (const EndpointPort& port : subset.ports) {
      for (const EndpointAddress& address : subset.addresses) {
        all.push_back(HostPort(address.ip, std::to_string(port.port)));
      }
    }
  }
  cells->Text(object.metadata.name);
  cells->Text(object.subsets.empty() ? std::string(kNone) : JoinSome(all, kMostEndpoints, ","));
  cells->Age(object.metadata);
}

void MakeEndpointSlice(const discovery::v1::EndpointSlice& object, Cells* cells) {
  std::vector<std::string> ports;
  for (const auto& port : object.ports) {
    ports.push_back(port.port ? std::to_string(*port.port) : port.name.value_or("*"));
  }
  std::vector<std::string> addresses;
  for (const auto& endpoint : object.endpoints) {
    addresses.insert(addresses.end(), endpoint.addresses.begin(), endpoint.addresses.end());
  }
  cells->Text(object.metadata.name);
  cells->Text(object.addressType);
  cells->Text(JoinSome(ports, kMostEndpoints, ","), kUnset);
  cells->Text(JoinSome(addresses, kMostEndpoints, ","), kUnset);
  cells->Age(object.metadata);
}

// An event of either group.
struct EventFields {
  const meta::v1::ObjectMeta& metadata;
  const std::string& type;
  const std::string& reason;
  const ObjectReference& object;
  const std::string& message;
  const EventSource& source;
  const std::string& controller;
  const std::string& instance;
  Time first;
  Time last;
  MicroTime time;
  int64_t count;
  std::optional<std::pair<int64_t, MicroTime>> series;  // how many, and when last
};

void MakeEventCells(const EventFields& event, Cells* cells) {
  const std::string first = event.first.IsZero() ? cells->Ago(event.time) : cells->Ago(event.first);
  std::string last = event.last.IsZero() ? first : cells->Ago(event.last);
  int64_t count = event.count == 0 ? 1 : event.count;
  if (event.series) {
    count = event.series->first;
    last = cells->Ago(event.series->second);
  }
  std::string object = LowerCase(event.object.kind);
  if (!event.object.name.empty()) object += '/' + event.object.name;
  std::string source = event.source.component.empty() ? event.controller : event.source.component;
  const std::string& instance = event.source.host.empty() ? event.instance : event.source.host;
  if (!instance.empty()) source += ", " + instance;
  cells->Text(last);
  cells->Text(event.type);
  cells->Text(event.reason);
  cells->Text(object);
  cells->Text(event.object.fieldPath);
  cells->Text(source);
  cells->Text(reflect::TrimGoSpace(event.message));
  cells->Text(first);
  cells->Number(count);
  cells->Text(event.metadata.name);
}

void MakeEvent(const Event& event, Cells* cells) {
  EventFields fields{.metadata = event.metadata,
                     .type = event.type,
                     .reason = event.reason,
                     .object = event.involvedObject,
                     .message = event.message,
                     .source = event.source,
                     .controller = event.reportingComponent,
                     .instance = event.reportingInstance,
                     .first = event.firstTimestamp,
                     .last = event.lastTimestamp,
                     .time = event.eventTime,
                     .count = event.count,
                     .series = {}};
  if (event.series.has_value())
    fields.series = {event.series->count, event.series->lastObservedTime};
  MakeEventCells(fields, cells);
}

void MakeNewEvent(const events::v1::Event& event, Cells* cells) {
  EventFields fields{.metadata = event.metadata,
                     .type = event.type,
                     .reason = event.reason,
                     .object = event.regarding,
                     .message = event.note,
                     .source = event.deprecatedSource,
                     .controller = event.reportingController,
                     .instance = event.reportingInstance,
                     .first = event.deprecatedFirstTimestamp,
                     .last = event.deprecatedLastTimestamp,
                     .time = event.eventTime,
                     .count = event.deprecatedCount,
                     .series = {}};
  if (event.series.has_value())
    fields.series = {event.series->count, event.series->lastObservedTime};
  MakeEventCells(fields, cells);
}

// An absent quantity is printed as zero.
std::string StorageIn(const reflect::Map<Quantity>& resources) {
  const auto found = resources.find("storage");
  return found == resources.end() ? "0" : found->second.String();
}

void MakePersistentVolume(const PersistentVolume& object, Cells* cells) {
  const PersistentVolumeSpec& spec = object.spec;
  cells->Text(object.metadata.name);
  cells->Text(StorageIn(spec.capacity));
  cells->Text(AccessModes(spec.accessModes));
  cells->Text(spec.persistentVolumeReclaimPolicy);
  cells->Text(object.metadata.deletionTimestamp ? "Terminating" : object.status.phase);
  cells->Text(spec.claimRef.has_value() ? spec.claimRef->namespace_ + '/' + spec.claimRef->name
                                        : std::string());
  cells->Text(StorageClassOf(object.metadata, spec.storageClassName));
  cells->Text(spec.volumeAttributesClassName, kUnset);
  cells->Text(object.status.reason);
  cells->Age(object.metadata);
  cells->Text(spec.volumeMode, kUnset);
}

void MakePersistentVolumeClaim(const PersistentVolumeClaim& object, Cells* cells) {
  const bool bound = !object.spec.volumeName.empty();
  cells->Text(object.metadata.name);
  cells->Text(object.metadata.deletionTimestamp ? "Terminating" : object.status.phase);
  cells->Text(object.spec.volumeName);
  cells->Text(bound ? StorageIn(object.status.capacity) : "");
  cells->Text(bound ? AccessModes(object.status.accessModes) : "");
  cells->Text(StorageClassOf(object.metadata, object.spec.storageClassName
                                                  ? std::string_view(*object.spec.storageClassName)
                                                  : std::string_view()));
  cells->Text(object.spec.volumeAttributesClassName, kUnset);
  cells->Age(object.metadata);
  cells->Text(object.spec.volumeMode, kUnset);
}

void MakeResourceQuota(const ResourceQuota& object, Cells* cells) {
  std::string requests;
  std::string limits;
  for (const auto& [name, hard] : object.status.hard) {
    std::string& text = name.starts_with("limits.") ? limits : requests;
    if (!text.empty()) text += ", ";
    const auto used = object.status.used.find(name);
    text += name + ": " + (used == object.status.used.end() ? "0" : used->second.String()) + '/' +
            hard.String();
  }
  cells->Text(object.metadata.name);
  cells->Text(requests);
  cells->Text(limits);
  cells->Age(object.metadata);
}

std::string ExternalIpsOf(const Service& service) {
  const ServiceSpec& spec = service.spec;
  if (spec.type == "ClusterIP" || spec.type == "NodePort") {
    return spec.externalIPs.empty() ? std::string(kNone) : Join(spec.externalIPs, ",");
  }
  if (spec.type == "ExternalName") return spec.externalName;
  if (spec.type != "LoadBalancer") return std::string(kUnknown);
  std::set<std::string> balancers;
  for (const LoadBalancerIngress& ingress : service.status.loadBalancer.ingress) {
    const std::string& address = ingress.ip.empty() ? ingress.hostname : ingress.ip;
    if (!address.empty()) balancers.insert(address);
  }
  std::vector<std::string> all(balancers.begin(), balancers.end());
  all.insert(all.end(), spec.externalIPs.begin(), spec.externalIPs.end());
  return all.empty() ? "<pending>" : Join(all, ",");
}

void MakeService(const Service& object, Cells* cells) {
  std::vector<std::string> ports;
  for (const ServicePort& port : object.spec.ports) {
    std::string& text = ports.emplace_back(std::to_string(port.port));
    if (port.nodePort > 0) text += ':' + std::to_string(port.nodePort);
    text += '/' + port.protocol;
  }
  cells->Text(object.metadata.name);
  cells->Text(object.spec.type);
  cells->Text(object.spec.clusterIPs.empty() ? kNone : object.spec.clusterIPs[0]);
  cells->Text(ExternalIpsOf(object));
  cells->Text(Join(ports, ","), kNone);
  cells->Age(object.metadata);
  cells->Text(LabelsText(object.spec.selector));
}

}  // namespace

std::span<const CellMaker> CoreCells() {
  static const CellMaker kMakers[] = {
      Maker<ComponentStatus, MakeComponentStatus>(),
      Maker<ConfigMap, MakeConfigMap>(),
      Maker<Secret, MakeSecret>(),
      Maker<ServiceAccount, MakeServiceAccount>(),
      Maker<Namespace, MakeNamespace>(),
      Maker<Endpoints, MakeEndpoints>(),
      Maker<discovery::v1::EndpointSlice, MakeEndpointSlice>(),
      Maker<Event, MakeEvent>(),
      Maker<events::v1::Event, MakeNewEvent>(),
      Maker<PersistentVolume, MakePersistentVolume>(),
      Maker<PersistentVolumeClaim, MakePersistentVolumeClaim>(),
      Maker<ResourceQuota, MakeResourceQuota>(),
      Maker<Service, MakeService>(),
  };
  return kMakers;
}

}  // namespace podium::api
