// Objects as text for people: what `kubectl describe` prints (upstream's
// k8s.io/kubectl/pkg/describe, release 1.36), byte for byte. Pure.
//
// A description also says what other objects have to do with this one. They are looked for among
// those that the caller gives, as kubectl asks a server for them, and shown in the order in which a
// server lists them, by namespace and name:
//
//   Pod                    events
//   Node                   pods of the node that have not ended, its Lease in kube-node-lease,
//                          ResourceSlices of the node, events (of its uid, and of its name as uid)
//   Deployment             ReplicaSets that it controls, events
//   ReplicaSet, ReplicationController, StatefulSet, DaemonSet
//                          pods that it controls, events
//   Job, CronJob           events
//   Service                EndpointSlices with the label kubernetes.io/service-name, events
//   PersistentVolumeClaim  pods that use it or own it, events
//   Namespace              ResourceQuotas and LimitRanges in it
//   Ingress                Services and EndpointSlices that it leads to, events
//   PersistentVolume, StorageClass, VolumeAttributesClass, CSINode, ConfigMap, ServiceAccount,
//   PriorityClass, PodDisruptionBudget, Endpoints, EndpointSlice, IngressClass, ServiceCIDR,
//   IPAddress              events
//   Secret, LimitRange, ResourceQuota, RoleBinding, ClusterRoleBinding
//                          nothing
//   any other kind         events; its fields are printed as they stand, by names made from theirs
//
// Upstream has ways of its own for five kinds more, whose fields are printed here: Role,
// ClusterRole, NetworkPolicy, HorizontalPodAutoscaler, CertificateSigningRequest.
//
// Where kubectl's answer is left to chance, this one is settled: resources of a LimitRange come by
// name (kubectl: in the order of a Go map), and events of one moment, where there are more than
// twelve, as they were listed. Where kubectl breaks down on an object that no server has filled in
// (a probe of gRPC without a service), an absent value is empty or zero.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "api/time.h"
#include "base/result.h"
#include "reflect/object.h"

namespace podium::api {

// The objects around those that are described, which may be among them. Immutable; any thread.
class RelatedObjects {
 public:
  // None.
  RelatedObjects() = default;
  // Those whose type is unknown are passed over. Errors: as of decoding the others.
  static Result<RelatedObjects> Create(std::span<const reflect::ObjectPtr> objects);

  // Decoded, in the order of a server's list. Objects of older versions, and events of
  // events.k8s.io, are found as what they are converted to.
  std::span<const reflect::ObjectPtr> OfType(const reflect::Type& type) const;

 private:
  std::map<const reflect::Type*, std::vector<reflect::ObjectPtr>> by_type_;
};

struct DescribeOptions {
  Time now;
  // Seconds that local time is ahead of UTC at this moment; dates are local, as kubectl's. Null:
  // UTC.
  int32_t (*utc_offset)(Time moment) = nullptr;
  // kubectl's --show-events.
  bool show_events = true;
  // Null: there are none.
  const RelatedObjects* related = nullptr;
};

// Whole lines. Of a CronJob, an EndpointSlice or an Event in another version those lines are of the
// one that kubectl asks for; objects of other kinds are given in it. Errors:
// as of decoding the object; kInvalidArgument with upstream's message for a
// workload's selector that is none.
Result<std::string> Describe(const reflect::Object& object, const DescribeOptions& options);

}  // namespace podium::api
