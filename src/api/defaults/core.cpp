#include <array>

#include "api/defaults/rules.h"
#include "api/int_or_string.h"
#include "api/types/core_v1.h"

namespace podium::api::defaults {
namespace {

using namespace core::v1;

constexpr int32_t kAffinitySeconds = 10800;

void DefaultContainerStatuses(reflect::List<ContainerStatus>& statuses) {
  for (ContainerStatus& status : statuses) {
    DefaultResourceList(status.allocatedResources);
    if (status.resources) DefaultResourceRequirements(*status.resources);
  }
}

void DefaultPodStatus(PodStatus& status) {
  DefaultContainerStatuses(status.initContainerStatuses);
  DefaultContainerStatuses(status.containerStatuses);
  DefaultContainerStatuses(status.ephemeralContainerStatuses);
  DefaultResourceList(status.allocatedResources);
  if (status.resources) DefaultResourceRequirements(*status.resources);
}

void DefaultPod(Pod& pod) {
  DefaultPodOnly(pod);
  DefaultPodSpec(pod.spec);
  DefaultPodStatus(pod.status);
}

void DefaultPodStatusResult(PodStatusResult& result) { DefaultPodStatus(result.status); }

void DefaultPodTemplate(PodTemplate& object) { DefaultPodSpec(object.template_.spec); }

void DefaultReplicationController(ReplicationController& controller) {
  ReplicationControllerSpec& spec = controller.spec;
  SetIfUnset(spec.replicas, 1);
  if (!spec.template_) return;
  const auto& labels = spec.template_->metadata.labels;
  if (spec.selector.empty()) spec.selector = labels;
  if (controller.metadata.labels.empty()) controller.metadata.labels = labels;
  DefaultPodSpec(spec.template_->spec);
}

// Whether traffic from outside of the cluster can arrive.
bool IsExternallyAccessible(const ServiceSpec& spec) {
  return spec.type == "LoadBalancer" || spec.type == "NodePort" ||
         (spec.type == "ClusterIP" && !spec.externalIPs.empty());
}

void DefaultService(Service& service) {
  ServiceSpec& spec = service.spec;
  SetIfEmpty(spec.sessionAffinity, "None");
  if (spec.sessionAffinity == "None") spec.sessionAffinityConfig.reset();
  if (spec.sessionAffinity == "ClientIP") {
    SetIfUnset(spec.sessionAffinityConfig.ensure().clientIP.ensure().timeoutSeconds,
               kAffinitySeconds);
  }
  SetIfEmpty(spec.type, "ClusterIP");
  for (ServicePort& port : spec.ports) {
    SetIfEmpty(port.protocol, "TCP");
    if (port.targetPort.IsZero() || port.targetPort == IntOrString::FromString("")) {
      port.targetPort = IntOrString::FromInt(port.port);
    }
  }
  if (IsExternallyAccessible(spec)) SetIfEmpty(spec.externalTrafficPolicy, "Cluster");
  if (spec.type == "ClusterIP" || spec.type == "NodePort" || spec.type == "LoadBalancer") {
    SetIfUnset(spec.internalTrafficPolicy, "Cluster");
  }
  if (spec.type == "LoadBalancer") {
    SetIfUnset(spec.allocateLoadBalancerNodePorts, true);
    for (LoadBalancerIngress& ingress : service.status.loadBalancer.ingress) {
      if (!ingress.ip.empty()) SetIfUnset(ingress.ipMode, "VIP");
    }
  }
}

void DefaultEndpoints(Endpoints& endpoints) {
  for (EndpointSubset& subset : endpoints.subsets) {
    for (EndpointPort& port : subset.ports) SetIfEmpty(port.protocol, "TCP");
  }
}

void DefaultPersistentVolume(PersistentVolume& volume) {
  SetIfEmpty(volume.status.phase, "Pending");
  SetIfEmpty(volume.spec.persistentVolumeReclaimPolicy, "Retain");
  SetIfUnset(volume.spec.volumeMode, "Filesystem");
  DefaultPersistentVolumeSource(volume.spec);
}

void DefaultSecret(Secret& secret) { SetIfEmpty(secret.type, "Opaque"); }

// The label is what namespace selectors of policies and webhooks rely on, so it is forced. A name
// that is still to be generated has none yet.
void DefaultNamespace(Namespace& object) {
  const std::string& name = object.metadata.name;
  if (!name.empty()) object.metadata.labels["kubernetes.io/metadata.name"] = name;
  SetIfEmpty(object.status.phase, "Active");
}

void DefaultNode(Node& node) {
  if (node.status.allocatable.empty()) node.status.allocatable = node.status.capacity;
  DefaultResourceList(node.status.capacity);
  DefaultResourceList(node.status.allocatable);
}

void DefaultLimitRange(LimitRange& range) {
  for (LimitRangeItem& item : range.spec.limits) {
    if (item.type == "Container") {
      AddMissing(item.max, item.default_);
      AddMissing(item.default_, item.defaultRequest);
      AddMissing(item.min, item.defaultRequest);
    }
    for (ResourceList* list :
         {&item.max, &item.min, &item.default_, &item.defaultRequest, &item.maxLimitRequestRatio}) {
      DefaultResourceList(*list);
    }
  }
}

void DefaultResourceQuota(ResourceQuota& quota) {
  DefaultResourceList(quota.spec.hard);
  DefaultResourceList(quota.status.hard);
  DefaultResourceList(quota.status.used);
}

}  // namespace

std::span<const Kind> CoreKinds() {
  static const std::array kKinds = {
      KindOf<Pod, DefaultPod>(),
      KindOf<Service, DefaultService>(),
      KindOf<Secret, DefaultSecret>(),
      KindOf<Node, DefaultNode>(),
      KindOf<Namespace, DefaultNamespace>(),
      KindOf<Endpoints, DefaultEndpoints>(),
      KindOf<PersistentVolumeClaim, DefaultPersistentVolumeClaim>(),
      KindOf<PersistentVolume, DefaultPersistentVolume>(),
      KindOf<ReplicationController, DefaultReplicationController>(),
      KindOf<PodTemplate, DefaultPodTemplate>(),
      KindOf<PodStatusResult, DefaultPodStatusResult>(),
      KindOf<LimitRange, DefaultLimitRange>(),
      KindOf<ResourceQuota, DefaultResourceQuota>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
