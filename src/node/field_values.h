// What a pod tells its containers about themselves, by environment variables and by files of
// downwardAPI volumes: fieldRef and resourceFieldRef. Values and errors as the kubelet's
// (k8s.io/kubernetes/pkg/fieldpath, pkg/api/v1/resource; release 1.36). Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::node {

namespace v1 = api::core::v1;

using Resources = reflect::Map<api::Quantity>;

// The field as text; what the pod does not have is "". metadata.labels and metadata.annotations are
// a line for each, `key="value"`, in the order of the keys; metadata.labels['key'] is one value.
// Further metadata.name, metadata.namespace, metadata.uid, spec.nodeName, spec.serviceAccountName,
// status.hostIP, status.hostIPs, status.podIP and status.podIPs, the lists joined by commas.
// kInvalidArgument for others.
Result<std::string> PodFieldValue(const v1::Pod& pod, std::string_view path);

// The amount in units of the divisor, rounded up, for the container that the selector names, or for
// `container` when it names none. A limit of cpu, memory or ephemeral-storage that is not set is
// what the node can allocate.
Result<std::string> ResourceFieldValue(const v1::Pod& pod, std::string_view container,
                                       const v1::ResourceFieldSelector& selector,
                                       const Resources& allocatable);

}  // namespace podium::node
