#include "api/table/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/types/columns.h"
#include "api/types/core_v1.h"
#include "reflect/json.h"
#include "reflect/yaml.h"
#include "support/cpu_time.h"
#include "support/random_object.h"

namespace podium::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// 2026-01-01T01:00:00Z; objects are an hour old.
const Time kNow = Time::FromUnix(1767229200);

struct Case {
  const char* api_version;
  const char* kind;
  const char* yaml;  // without apiVersion, kind and metadata's usual members
  const char* cells;
};

reflect::ObjectPtr ObjectOf(const Case& each) {
  const std::string text =
      std::string("apiVersion: ") + each.api_version + "\nkind: " + each.kind + "\n" + each.yaml;
  const auto document = reflect::YamlToJson(text);
  EXPECT_TRUE(document.ok()) << document.error().message() << text;
  const reflect::Type* type = FindType(each.api_version, each.kind);
  EXPECT_NE(type, nullptr) << each.kind;
  auto object = reflect::Object::FromJson(document->json, type);
  EXPECT_TRUE(object.ok()) << object.error().message();
  return *std::move(object);
}

std::string Cells(const meta::v1::TableRow& row) {
  std::string out;
  for (const reflect::RawJson& cell : row.cells) {
    if (!out.empty()) out += ' ';
    out += cell.text;
  }
  // As Go writes them.
  for (const auto& [escaped, plain] :
       {std::pair("\\u003c", '<'), {"\\u003e", '>'}, {"\\u0026", '&'}}) {
    for (size_t at = out.find(escaped); at != std::string::npos; at = out.find(escaped, at)) {
      out.replace(at, std::string_view(escaped).size(), 1, plain);
    }
  }
  return out;
}

#define META "metadata: {name: the, creationTimestamp: 2026-01-01T00:00:00Z}\n"
#define TEMPLATE                                                                                  \
  "{metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: x, image: i}, {name: w, image: " \
  "j}], initContainers: [{name: z, image: k}]}}"

const Case kCases[] = {
    // Workloads.
    {"v1", "Pod",
     META "spec: {nodeName: m, containers: [{name: a}], readinessGates: [{conditionType: g}, "
          "{conditionType: h}]}\nstatus: {phase: Running, podIPs: [{ip: 10.0.0.1}], "
          "nominatedNodeName: o, conditions: [{type: g, status: 'True'}], containerStatuses: "
          "[{name: a, ready: true, state: {running: {}}}]}\n",
     R"c("the" "1/1" "Running" "0" "60m" "10.0.0.1" "m" "o" "1/2")c"},
    {"v1", "Pod", META "status: {phase: Pending}\n",
     R"c("the" "0/0" "Pending" "0" "60m" "<none>" "<none>" "<none>" "<none>")c"},
    {"v1", "Node",
     "metadata: {name: the, labels: {node-role.kubernetes.io/worker: '', "
     "node-role.kubernetes.io/: '', kubernetes.io/role: edge, node-role.kubernetes.io/a: ''}}\n"
     "spec: {unschedulable: true}\n"
     "status: {conditions: [{type: Ready, status: 'True'}], nodeInfo: {kubeletVersion: v1, "
     "osImage: "
     "Debian, kernelVersion: '6.1', containerRuntimeVersion: podium://1}, addresses: [{type: "
     "InternalIP, address: 10.0.0.1}, {type: InternalIP, address: 10.0.0.2}]}\n",
     R"c("the" "Ready,SchedulingDisabled" "a,edge,worker" "<unknown>" "v1" "10.0.0.1" "<none>" "Debian" "6.1" "podium://1")c"},
    {"v1", "Node", META "status: {conditions: [{type: Ready, status: Unknown}]}\n",
     R"c("the" "NotReady" "<none>" "60m" "" "<none>" "<none>" "<unknown>" "<unknown>" "<unknown>")c"},
    // Of two conditions the last one counts, of two addresses the first one, whatever it says.
    {"v1", "Node",
     META "status: {conditions: [{type: Ready, status: 'False'}, {type: Ready, status: 'True'}], "
          "addresses: [{type: ExternalIP, address: ''}, {type: ExternalIP, address: 1.1.1.1}]}\n",
     R"c("the" "Ready" "<none>" "60m" "" "<none>" "" "<unknown>" "<unknown>" "<unknown>")c"},
    {"v1", "Node", META,
     R"c("the" "Unknown" "<none>" "60m" "" "<none>" "<none>" "<unknown>" "<unknown>" "<unknown>")c"},
    {"v1", "PodTemplate", META "template: " TEMPLATE "\n", R"c("the" "x,w" "i,j" "a=b,c=d")c"},
    {"v1", "ReplicationController",
     META "spec: {replicas: 3, selector: {b: c, a: b}, template: " TEMPLATE
          "}\nstatus: {replicas: 2, readyReplicas: 1}\n",
     R"c("the" 3 2 1 "60m" "x,w" "i,j" "a=b,b=c")c"},
    {"v1", "ReplicationController", META, R"c("the" 0 0 0 "60m" "" "" "<none>")c"},
    {"apps/v1", "ReplicaSet",
     META "spec: {replicas: 3, selector: {matchLabels: {a: b}, matchExpressions: [{key: c, "
          "operator: In, values: [x, w]}]}, template: " TEMPLATE
          "}\nstatus: {replicas: 2, readyReplicas: 1}\n",
     R"c("the" 3 2 1 "60m" "x,w" "i,j" "a=b,c in (w,x)")c"},
    {"apps/v1", "Deployment",
     META "spec: {replicas: 3, selector: {matchLabels: {a: b}}, template: " TEMPLATE
          "}\nstatus: {readyReplicas: 1, updatedReplicas: 2, availableReplicas: 4}\n",
     R"c("the" "1/3" 2 4 "60m" "x,w" "i,j" "a=b")c"},
    {"apps/v1", "Deployment",
     META "spec: {selector: {matchExpressions: [{key: c, operator: Like}]}}\n",
     R"c("the" "0/0" 0 0 "60m" "" "" "<invalid>")c"},
    {"apps/v1", "Deployment", META "spec: {selector: {}}\n", R"c("the" "0/0" 0 0 "60m" "" "" "")c"},
    {"apps/v1", "StatefulSet",
     META "spec: {replicas: 3, template: " TEMPLATE "}\nstatus: {readyReplicas: 1}\n",
     R"c("the" "1/3" "60m" "x,w" "i,j")c"},
    {"apps/v1", "DaemonSet",
     META "spec: {selector: {}, template: {spec: {nodeSelector: {d: e}, containers: [{name: x, "
          "image: i}]}}}\nstatus: {desiredNumberScheduled: 1, currentNumberScheduled: 2, "
          "numberReady: 3, updatedNumberScheduled: 4, numberAvailable: 5}\n",
     R"c("the" 1 2 3 4 5 "d=e" "60m" "x" "i" "<none>")c"},
    {"apps/v1", "ControllerRevision",
     "metadata: {name: the, ownerReferences: [{apiVersion: v1, kind: Node, name: m}, {apiVersion: "
     "apps/v1, kind: DaemonSet, name: d, controller: true}]}\nrevision: 7\n",
     R"c("the" "daemonset.apps/d" 7 "<unknown>")c"},
    {"apps/v1", "ControllerRevision", META, R"c("the" "<none>" 0 "60m")c"},
    {"apps/v1", "ControllerRevision",
     "metadata: {name: the, ownerReferences: [{name: d, controller: true}]}\n",
     R"c("the" "d" 0 "<unknown>")c"},
    {"batch/v1", "Job",
     META
     "spec: {completions: 5, parallelism: 2, selector: {matchLabels: {a: b}}, template: " TEMPLATE
     "}\nstatus: {succeeded: 2, startTime: 2026-01-01T00:59:00Z}\n",
     R"c("the" "Running" "2/5" "60s" "60m" "x,w" "i,j" "a=b")c"},
    {"batch/v1", "Job",
     META "spec: {parallelism: 2}\nstatus: {succeeded: 1, startTime: 2026-01-01T00:00:00Z, "
          "completionTime: 2026-01-01T00:00:10Z, conditions: [{type: Complete, status: 'True'}]}\n",
     R"c("the" "Complete" "1/1 of 2" "10s" "60m" "" "" "<none>")c"},
    {"batch/v1", "Job",
     META "spec: {parallelism: 1}\nstatus: {conditions: [{type: Complete, status: 'False'}, {type: "
          "FailureTarget, status: 'True'}, {type: Suspended, status: 'True'}]}\n",
     R"c("the" "Suspended" "0/1" "" "60m" "" "" "<none>")c"},
    {"batch/v1", "Job", META "status: {conditions: [{type: FailureTarget, status: 'True'}]}\n",
     R"c("the" "FailureTarget" "0/1" "" "60m" "" "" "<none>")c"},
    {"batch/v1", "Job",
     "metadata: {name: the, deletionTimestamp: 2026-01-01T00:00:00Z}\nstatus: {conditions: [{type: "
     "Suspended, status: 'True'}]}\n",
     R"c("the" "Terminating" "0/1" "" "<unknown>" "" "" "<none>")c"},
    {"batch/v1", "Job", META "status: {conditions: [{type: SuccessCriteriaMet, status: 'True'}]}\n",
     R"c("the" "SuccessCriteriaMet" "0/1" "" "60m" "" "" "<none>")c"},
    {"batch/v1", "Job",
     META "status: {conditions: [{type: SuccessCriteriaMet, status: 'True'}, {type: FailureTarget, "
          "status: 'True'}, {type: Failed, status: 'False'}, {type: Failed, status: 'True'}]}\n",
     R"c("the" "FailureTarget" "0/1" "" "60m" "" "" "<none>")c"},
    // Years that a duration of Go does not reach.
    {"batch/v1", "Job",
     "metadata: {name: the, creationTimestamp: 0001-01-02T00:00:00Z}\nstatus: {startTime: "
     "0001-01-01T00:00:00Z, completionTime: 9999-12-31T23:59:59Z}\n",
     R"c("the" "Running" "0/1" "292y" "292y" "" "" "<none>")c"},
    {"batch/v1", "Job",
     "metadata: {name: the, creationTimestamp: 9999-12-31T23:59:59Z}\nspec: {completions: -1}\n"
     "status: {succeeded: -2, startTime: 9999-12-31T23:59:59Z}\n",
     R"c("the" "Running" "-2/-1" "<invalid>" "<invalid>" "" "" "<none>")c"},
    {"batch/v1", "CronJob",
     META "spec: {schedule: '* * * * *', timeZone: Etc/UTC, suspend: false, jobTemplate: {spec: "
          "{selector: {matchLabels: {a: b}}, template: " TEMPLATE
          "}}}\nstatus: {active: [{}, {}], lastScheduleTime: 2026-01-01T00:59:30Z}\n",
     R"c("the" "* * * * *" "Etc/UTC" "False" 2 "30s" "60m" "x,w" "i,j" "a=b")c"},
    {"batch/v1", "CronJob", META,
     R"c("the" "" "<none>" "<unset>" 0 "<none>" "60m" "" "" "<none>")c"},
    {"autoscaling/v1", "Scale", META "spec: {replicas: 2}\nstatus: {replicas: 1}\n",
     R"c("the" 2 1 "60m")c"},

    // Core.
    {"v1", "ComponentStatus",
     META "conditions: [{type: Other}, {type: Healthy, status: 'True', message: ok, error: e}]\n",
     R"c("the" "Healthy" "ok" "e")c"},
    {"v1", "ComponentStatus", META "conditions: [{type: Healthy, status: 'False'}]\n",
     R"c("the" "Unhealthy" "" "")c"},
    {"v1", "ComponentStatus", META, R"c("the" "Unknown" "" "")c"},
    {"v1", "ConfigMap", META "data: {a: b, c: d}\nbinaryData: {e: ''}\n", R"c("the" 3 "60m")c"},
    {"v1", "Secret", META "type: Opaque\ndata: {a: ''}\n", R"c("the" "Opaque" 1 "60m")c"},
    {"v1", "ServiceAccount", META "secrets: [{}, {}]\n", R"c("the" 2 "60m")c"},
    {"v1", "Namespace", META "status: {phase: Active}\n", R"c("the" "Active" "60m")c"},
    {"v1", "Endpoints", META, R"c("the" "<none>" "60m")c"},
    {"v1", "Endpoints",
     META "subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 'fd00::1'}], ports: [{port: 80}, {port: "
          "81}]}, {addresses: [{ip: 10.0.0.3}]}]\n",
     R"c("the" "10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 2 more..." "60m")c"},
    {"v1", "Endpoints", META "subsets: [{addresses: [{ip: 10.0.0.3}]}]\n",
     R"c("the" "10.0.0.3" "60m")c"},
    {"discovery.k8s.io/v1", "EndpointSlice",
     META "addressType: IPv4\nports: [{port: 80}, {name: web}, {}, {port: 81}]\nendpoints: "
          "[{addresses: [a, b]}, {addresses: [c, d, e]}]\n",
     R"c("the" "IPv4" "80,web,* + 1 more..." "a,b,c + 2 more..." "60m")c"},
    {"discovery.k8s.io/v1", "EndpointSlice", META, R"c("the" "" "<unset>" "<unset>" "60m")c"},
    {"v1", "Event",
     META "type: Normal\nreason: Pulled\nmessage: '  hello '\ninvolvedObject: {kind: Pod, name: p, "
          "fieldPath: 'spec.containers{a}'}\nsource: {component: kubelet, host: m}\n"
          "reportingComponent: other\nfirstTimestamp: 2026-01-01T00:59:00Z\nlastTimestamp: "
          "2026-01-01T00:59:30Z\ncount: 3\n",
     R"c("30s" "Normal" "Pulled" "pod/p" "spec.containers{a}" "kubelet, m" "hello" "60s" 3 "the")c"},
    {"v1", "Event",
     META "involvedObject: {kind: Node}\nreportingComponent: c\nreportingInstance: i\neventTime: "
          "2026-01-01T00:58:59.500000Z\n",
     R"c("60s" "" "" "node" "" "c, i" "" "60s" 1 "the")c"},
    {"v1", "Event",
     META "eventTime: 2026-01-01T00:50:00.000000Z\nseries: {count: 9, lastObservedTime: "
          "2026-01-01T00:59:55.000000Z}\n",
     R"c("5s" "" "" "" "" "" "" "10m" 9 "the")c"},
    {"v1", "Event", META "count: -3\n", R"c("<unknown>" "" "" "" "" "" "" "<unknown>" -3 "the")c"},
    {"events.k8s.io/v1", "Event",
     META "type: Warning\nreason: R\nnote: hi\nregarding: {kind: Pod, name: p}\n"
          "reportingController: c\neventTime: 2026-01-01T00:59:00.000000Z\n",
     R"c("60s" "Warning" "R" "pod/p" "" "c" "hi" "60s" 1 "the")c"},
    {"v1", "PersistentVolume",
     META "spec: {capacity: {storage: 1Gi}, accessModes: [ReadOnlyMany, ReadWriteOnce, "
          "ReadWriteOnce, ReadWriteOncePod], persistentVolumeReclaimPolicy: Retain, claimRef: "
          "{namespace: ns, name: c}, storageClassName: s, volumeMode: Block, "
          "volumeAttributesClassName: v}\nstatus: {phase: Bound, reason: r}\n",
     R"c("the" "1Gi" "RWO,ROX,RWOP" "Retain" "Bound" "ns/c" "s" "v" "r" "60m" "Block")c"},
    {"v1", "PersistentVolume",
     "metadata: {name: the, deletionTimestamp: 2026-01-01T00:00:00Z, annotations: "
     "{volume.beta.kubernetes.io/storage-class: old}}\nspec: {storageClassName: s}\n",
     R"c("the" "0" "" "" "Terminating" "" "old" "<unset>" "" "<unknown>" "<unset>")c"},
    {"v1", "PersistentVolumeClaim",
     META "spec: {volumeName: v, storageClassName: s, volumeMode: Filesystem}\nstatus: {phase: "
          "Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteMany]}\n",
     R"c("the" "Bound" "v" "1Gi" "RWX" "s" "<unset>" "60m" "Filesystem")c"},
    {"v1", "PersistentVolumeClaim",
     META "status: {phase: Pending, capacity: {storage: 1Gi}, accessModes: [ReadWriteMany]}\n",
     R"c("the" "Pending" "" "" "" "" "<unset>" "60m" "<unset>")c"},
    {"v1", "ResourceQuota",
     META "status: {hard: {pods: '4', limits.cpu: '2', cpu: '1', limits.memory: 1Gi}, used: {pods: "
          "'1', limits.cpu: 500m}}\n",
     R"c("the" "cpu: 0/1, pods: 1/4" "limits.cpu: 500m/2, limits.memory: 0/1Gi" "60m")c"},
    {"v1", "Service",
     META "spec: {type: NodePort, clusterIPs: [10.96.0.1, 'fd00::1'], selector: {a: b}, ports: "
          "[{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}]}\n",
     R"c("the" "NodePort" "10.96.0.1" "<none>" "80:30080/TCP,53/UDP" "60m" "a=b")c"},
    {"v1", "Service",
     META "spec: {type: LoadBalancer, externalIPs: [1.2.3.4]}\nstatus: {loadBalancer: {ingress: "
          "[{ip: 9.9.9.9}, {hostname: a.b}, {ip: 1.1.1.1}, {ip: 9.9.9.9}]}}\n",
     R"c("the" "LoadBalancer" "<none>" "1.1.1.1,9.9.9.9,a.b,1.2.3.4" "<none>" "60m" "<none>")c"},
    {"v1", "Service", META "spec: {type: LoadBalancer}\n",
     R"c("the" "LoadBalancer" "<none>" "<pending>" "<none>" "60m" "<none>")c"},
    {"v1", "Service", META "spec: {type: ClusterIP, clusterIPs: [''], externalIPs: ['']}\n",
     R"c("the" "ClusterIP" "" "" "<none>" "60m" "<none>")c"},
    {"v1", "Service", META "spec: {type: ExternalName, externalName: a.b}\n",
     R"c("the" "ExternalName" "<none>" "a.b" "<none>" "60m" "<none>")c"},
    {"v1", "Service", META "spec: {type: ClusterIP, externalIPs: [1.2.3.4, 1.2.3.5]}\n",
     R"c("the" "ClusterIP" "<none>" "1.2.3.4,1.2.3.5" "<none>" "60m" "<none>")c"},
    {"v1", "Service", META, R"c("the" "" "<none>" "<unknown>" "<none>" "60m" "<none>")c"},
    // Without columns of their own.
    {"v1", "LimitRange", META, R"c("the" "2026-01-01T00:00:00Z")c"},
    {"rbac.authorization.k8s.io/v1", "ClusterRole", META, R"c("the" "2026-01-01T00:00:00Z")c"},

    // Networking, storage, budgets, roles.
    {"networking.k8s.io/v1", "IPAddress",
     META "spec: {parentRef: {resource: Services, namespace: ns, name: s}}\n",
     R"c("the" "services/ns/s" "60m")c"},
    {"networking.k8s.io/v1", "IPAddress",
     META "spec: {parentRef: {group: g.io, resource: things, name: s}}\n",
     R"c("the" "things.g.io/s" "60m")c"},
    {"networking.k8s.io/v1", "IPAddress", META, R"c("the" "<none>" "60m")c"},
    {"networking.k8s.io/v1", "Ingress",
     META "spec: {ingressClassName: c, tls: [{}], rules: [{host: a}, {}, {host: b}, {host: c}, "
          "{host: d}]}\nstatus: {loadBalancer: {ingress: [{ip: 2.2.2.2}, {hostname: h}, {ip: "
          "1.1.1.1}]}}\n",
     R"c("the" "c" "a,b,c + 2 more..." "1.1.1.1,2.2.2.2,h" "80, 443" "60m")c"},
    {"networking.k8s.io/v1", "Ingress", META, R"c("the" "<none>" "*" "" "80" "60m")c"},
    {"networking.k8s.io/v1", "IngressClass",
     META "spec: {controller: a/b, parameters: {apiGroup: g, kind: K, name: p}}\n",
     R"c("the" "a/b" "K.g/p" "60m")c"},
    {"networking.k8s.io/v1", "IngressClass", META "spec: {parameters: {kind: K, name: p}}\n",
     R"c("the" "" "K/p" "60m")c"},
    {"networking.k8s.io/v1", "IngressClass", META, R"c("the" "" "<none>" "60m")c"},
    {"networking.k8s.io/v1", "NetworkPolicy", META "spec: {podSelector: {matchLabels: {a: b}}}\n",
     R"c("the" "a=b" "60m")c"},
    {"networking.k8s.io/v1", "NetworkPolicy",
     META "spec: {podSelector: {matchExpressions: [{key: a, operator: X}]}}\n",
     R"c("the" "<error>" "60m")c"},
    {"networking.k8s.io/v1", "ServiceCIDR", META "spec: {cidrs: [10.0.0.0/16, 'fd00::/64']}\n",
     R"c("the" "10.0.0.0/16,fd00::/64" "60m")c"},
    {"policy/v1", "PodDisruptionBudget",
     META "spec: {minAvailable: 50%}\nstatus: {disruptionsAllowed: 2}\n",
     R"c("the" "50%" "N/A" 2 "60m")c"},
    {"policy/v1", "PodDisruptionBudget", META "spec: {maxUnavailable: 1}\n",
     R"c("the" "N/A" "1" 0 "60m")c"},
    {"rbac.authorization.k8s.io/v1", "RoleBinding",
     META "roleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}, {kind: Group, name: "
          "g}, {kind: User, name: v}, {kind: ServiceAccount, namespace: ns, name: s}]\n",
     R"c("the" "Role/r" "60m" "u, v" "g" "ns/s")c"},
    {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding",
     META "roleRef: {kind: ClusterRole, name: r}\n", R"c("the" "ClusterRole/r" "60m" "" "" "")c"},
    {"storage.k8s.io/v1", "CSIDriver", META,
     R"c("the" true false false "<unset>" false "<none>" "60m")c"},
    {"storage.k8s.io/v1", "CSIDriver",
     META "spec: {attachRequired: false, podInfoOnMount: true, storageCapacity: true, "
          "tokenRequests: [{audience: a}, {audience: b}], requiresRepublish: true, "
          "volumeLifecycleModes: [Persistent, Ephemeral]}\n",
     R"c("the" false true true "a,b" true "Persistent,Ephemeral" "60m")c"},
    {"storage.k8s.io/v1", "CSINode", META "spec: {drivers: [{}, {}]}\n", R"c("the" 2 "60m")c"},
    {"storage.k8s.io/v1", "CSIStorageCapacity", META "storageClassName: s\ncapacity: 1Gi\n",
     R"c("the" "s" "1Gi")c"},
    {"storage.k8s.io/v1", "CSIStorageCapacity", META, R"c("the" "" "<unset>")c"},
    {"storage.k8s.io/v1", "StorageClass",
     "metadata: {name: the, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\n"
     "provisioner: p\n",
     R"c("the (default)" "p" "Delete" "Immediate" false "<unknown>")c"},
    {"storage.k8s.io/v1", "StorageClass",
     "metadata: {name: the, annotations: {storageclass.kubernetes.io/is-default-class: 'yes'}}\n"
     "reclaimPolicy: Retain\nvolumeBindingMode: WaitForFirstConsumer\nallowVolumeExpansion: true\n",
     R"c("the" "" "Retain" "WaitForFirstConsumer" true "<unknown>")c"},
    {"storage.k8s.io/v1", "VolumeAttachment",
     META "spec: {attacher: a, nodeName: m, source: {persistentVolumeName: p}}\nstatus: {attached: "
          "true}\n",
     R"c("the" "a" "p" "m" true "60m")c"},
    {"storage.k8s.io/v1", "VolumeAttributesClass", META "driverName: d\n", R"c("the" "d" "60m")c"},
    {"storage.k8s.io/v1", "VolumeAttributesClass",
     "metadata: {name: the, annotations: "
     "{volumeattributesclass.alpha.kubernetes.io/is-default-class: 'true'}}\n",
     R"c("the (default)" "" "<unknown>")c"},

    // The rest.
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {scaleTargetRef: {kind: Deployment, name: d}, minReplicas: 1, maxReplicas: 5}\n"
          "status: {currentReplicas: 2}\n",
     R"c("the" "Deployment/d" "<none>" 1 5 2 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {maxReplicas: 5, metrics: [{type: Resource, resource: {name: cpu, target: "
          "{averageUtilization: 80}}}, {type: ContainerResource, containerResource: {name: memory, "
          "target: {averageValue: 1Gi}}}, {type: Pods}]}\nstatus: {currentMetrics: [{type: "
          "Resource, resource: {name: cpu, current: {averageUtilization: 20}}}, {type: "
          "ContainerResource, containerResource: {name: memory, current: {averageValue: 1Mi}}}]}\n",
     R"c("the" "/" "cpu: 20%/80%, memory: 1Mi/1Gi + 1 more..." "<unset>" 5 0 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {metrics: [{type: Resource, resource: {name: cpu}}, {type: Pods, pods: {target: "
          "{averageValue: '10'}}}]}\n",
     R"c("the" "/" "cpu: <unknown>/<auto>, <unknown>/10" "<unset>" 0 0 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {metrics: [{type: Object, object: {target: {value: '10'}}}, {type: External, "
          "external: {target: {averageValue: '3'}}}]}\nstatus: {currentMetrics: [{object: "
          "{current: {value: '7'}}}, {external: {current: {averageValue: '2'}}}]}\n",
     R"c("the" "/" "7/10, 2/3 (avg)" "<unset>" 0 0 "60m")c"},
    // A status that is there without the value is another thing than none: Go's word for it.
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {metrics: [{type: Object, object: {target: {value: '10'}}}, {type: External, "
          "external: {target: {}}}]}\nstatus: {currentMetrics: [{object: {current: {averageValue: "
          "'7'}}}]}\n",
     R"c("the" "/" "<nil>/10, <unknown>/<nil>" "<unset>" 0 0 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {metrics: [{type: Pods, pods: {target: {}}}, {type: Resource, resource: {name: "
          "cpu, target: {averageValue: '1'}}}]}\nstatus: {currentMetrics: [{pods: {}}, {resource: "
          "{current: {averageUtilization: 5}}}]}\n",
     R"c("the" "/" "<nil>/<nil>, cpu: <nil>/1" "<unset>" 0 0 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler",
     META "spec: {metrics: [{type: External, external: {target: {averageValue: '3'}}}, {type: "
          "ContainerResource, containerResource: {name: cpu, target: {averageUtilization: 5}}}]}\n"
          "status: {currentMetrics: [{external: {}}, {containerResource: {}}]}\n",
     R"c("the" "/" "<unknown>/3 (avg), cpu: <unknown>/5%" "<unset>" 0 0 "60m")c"},
    {"autoscaling/v2", "HorizontalPodAutoscaler", META "spec: {metrics: [{type: New}]}\n",
     R"c("the" "/" "<unknown type>" "<unset>" 0 0 "60m")c"},
    {"autoscaling/v1", "HorizontalPodAutoscaler",
     META "spec: {targetCPUUtilizationPercentage: 80}\n",
     R"c("the" "/" "cpu: <unknown>/80%" "<unset>" 0 0 "60m")c"},
    {"certificates.k8s.io/v1", "CertificateSigningRequest",
     META "spec: {signerName: s, username: u, expirationSeconds: 3600}\nstatus: {conditions: "
          "[{type: Approved}], certificate: YQ==}\n",
     R"c("the" "60m" "s" "u" "60m" "Approved,Issued")c"},
    {"certificates.k8s.io/v1", "CertificateSigningRequest",
     META "status: {conditions: [{type: Approved}, {type: Failed}, {type: Denied}]}\n",
     R"c("the" "60m" "<none>" "" "<none>" "Denied,Failed")c"},
    {"certificates.k8s.io/v1", "CertificateSigningRequest", META,
     R"c("the" "60m" "<none>" "" "<none>" "Pending")c"},
    {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", META "webhooks: [{}]\n",
     R"c("the" 1 "60m")c"},
    {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", META "webhooks: [{}, {}]\n",
     R"c("the" 2 "60m")c"},
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy",
     META "spec: {validations: [{}], paramKind: {apiVersion: v1, kind: ConfigMap}}\n",
     R"c("the" 1 "v1/ConfigMap" "60m")c"},
    {"admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", META "spec: {mutations: [{}]}\n",
     R"c("the" 1 "<unset>" "60m")c"},
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding",
     META "spec: {policyName: p, paramRef: {name: c, namespace: ns}}\n",
     R"c("the" "p" "ns/c" "60m")c"},
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding",
     META "spec: {policyName: p, paramRef: {name: c}}\n", R"c("the" "p" "*/c" "60m")c"},
    {"admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding",
     META "spec: {policyName: p, paramRef: {selector: {matchLabels: {c: d, a: b}}}}\n",
     R"c("the" "p" "&LabelSelector{MatchLabels:map[string]string{a: b,c: d,},)c"
     R"c(MatchExpressions:[]LabelSelectorRequirement{},}" "60m")c"},
    {"admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding",
     META "spec: {policyName: p, paramRef: {selector: {matchExpressions: [{key: k, operator: In, "
          "values: [x, w]}, {key: l, operator: Exists}]}}}\n",
     R"c("the" "p" "&LabelSelector{MatchLabels:map[string]string{},)c"
     R"c(MatchExpressions:[]LabelSelectorRequirement{)c"
     R"c(LabelSelectorRequirement{Key:k,Operator:In,Values:[x w],},)c"
     R"c(LabelSelectorRequirement{Key:l,Operator:Exists,Values:[],},},}" "60m")c"},
    {"admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding", META,
     R"c("the" "" "<unset>" "60m")c"},
    {"apiregistration.k8s.io/v1", "APIService", META, R"c("the" "Local" "Unknown" "60m")c"},
    {"apiregistration.k8s.io/v1", "APIService",
     META "spec: {service: {namespace: ns, name: s}}\nstatus: {conditions: [{type: Available, "
          "status: 'False', reason: Missing}]}\n",
     R"c("the" "ns/s" "False (Missing)" "60m")c"},
    {"apiregistration.k8s.io/v1", "APIService",
     META "status: {conditions: [{type: Available, status: 'False'}]}\n",
     R"c("the" "Local" "False" "60m")c"},
    {"apiregistration.k8s.io/v1", "APIService",
     META "status: {conditions: [{type: Available, status: 'True', reason: Local}]}\n",
     R"c("the" "Local" "True" "60m")c"},
    {"scheduling.k8s.io/v1", "PriorityClass",
     META "value: 7\nglobalDefault: true\npreemptionPolicy: Never\n",
     R"c("the" 7 true "60m" "Never")c"},
    {"coordination.k8s.io/v1", "Lease", META "spec: {holderIdentity: h}\n", R"c("the" "h" "60m")c"},
    {"node.k8s.io/v1", "RuntimeClass", META "handler: h\n", R"c("the" "h" "60m")c"},
    {"resource.k8s.io/v1", "DeviceClass", META, R"c("the" "60m")c"},
    {"resource.k8s.io/v1", "ResourceClaimTemplate", META, R"c("the" "60m")c"},
    {"resource.k8s.io/v1", "ResourceClaim", META, R"c("the" "pending" "60m")c"},
    {"resource.k8s.io/v1", "ResourceClaim", META "status: {allocation: {}, reservedFor: [{}]}\n",
     R"c("the" "allocated,reserved" "60m")c"},
    {"resource.k8s.io/v1", "ResourceClaim",
     "metadata: {name: the, deletionTimestamp: 2026-01-01T00:00:00Z}\nstatus: {allocation: {}}\n",
     R"c("the" "deleted,allocated" "<unknown>")c"},
    {"resource.k8s.io/v1", "ResourceClaim",
     "metadata: {name: the, deletionTimestamp: 2026-01-01T00:00:00Z}\n",
     R"c("the" "deleted" "<unknown>")c"},
    {"resource.k8s.io/v1", "ResourceSlice",
     META "spec: {nodeName: m, driver: d, pool: {name: p}}\n", R"c("the" "m" "d" "p" "60m")c"},
    {"flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
     META "spec: {priorityLevelConfiguration: {name: p}, matchingPrecedence: 9, "
          "distinguisherMethod: {type: ByUser}}\nstatus: {conditions: [{type: Dangling, status: "
          "'False'}]}\n",
     R"c("the" "p" 9 "ByUser" "60m" "False")c"},
    {"flowcontrol.apiserver.k8s.io/v1", "FlowSchema", META, R"c("the" "" 0 "<none>" "60m" "?")c"},
    {"flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration",
     META "spec: {type: Limited, limited: {nominalConcurrencyShares: 5, limitResponse: {queuing: "
          "{queues: 1, handSize: 2, queueLengthLimit: 3}}}}\n",
     R"c("the" "Limited" 5 1 2 3 "60m")c"},
    {"flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", META "spec: {type: Exempt}\n",
     R"c("the" "Exempt" "<none>" "<none>" "<none>" "<none>" "60m")c"},
    {"v1", "Status", "status: Failure\nreason: NotFound\nmessage: gone\n",
     R"c("Failure" "NotFound" "gone")c"},
};

TEST(TableTest, CellsAsUpstreamPrintsThem) {
  for (const Case& each : kCases) {
    const auto row = TableRowOf(*ObjectOf(each), IncludeObject::kNone, kNow);
    ASSERT_TRUE(row.ok()) << row.error().message();
    EXPECT_EQ(Cells(*row), each.cells) << each.kind << '\n' << each.yaml;
    EXPECT_TRUE(row->object.is_null());
  }
}

// Kinds that are views of another version have no cells of their own: what is stored is shown.
TEST(TableTest, EveryKindHasACaseAndACellForEachColumn) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Case& each : kCases) seen.emplace(each.api_version, each.kind);
  for (const TableColumns& columns : kTableColumns) {
    if (columns.kind.empty()) continue;
    const std::string version =
        columns.group.empty() ? std::string(columns.version)
                              : std::string(columns.group) + '/' + std::string(columns.version);
    const std::string kind(columns.kind);
    const bool status = kind == "Status";
    EXPECT_TRUE(seen.contains({status ? "v1" : version, kind})) << version << ' ' << kind;
    const reflect::Type* type = FindType(status ? "v1" : version, kind);
    ASSERT_NE(type, nullptr) << version << ' ' << kind;
    for (uint32_t round = 0; round < 20; ++round) {
      reflect::AnyObject object(*type);
      podium::testing::FillRandom(*type, object.get(), {.seed = round});
      EXPECT_EQ(CellsOf(*type, object.get(), kNow).size(),
                columns.columns.size() + columns.extra_cells.size())
          << kind;
    }
  }
}

// Nobody counts what a status has; a row must not take the square of it.
TEST(TableTest, APodOfManyPartsTakesNoLongTime) {
  constexpr int kMany = 20'000;
  core::v1::Pod pod;
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "part" + std::to_string(i);
    pod.spec.initContainers.emplace_back().name = name;
    auto& status = pod.status.initContainerStatuses.emplace_back();
    status.name = name;
    status.state.terminated.ensure();
    pod.spec.readinessGates.emplace_back().conditionType = name;
    auto& condition = pod.status.conditions.emplace_back();
    condition.type = name;
    condition.status = "True";
  }
  pod.spec.initContainers.back().restartPolicy = "Always";
  pod.status.initContainerStatuses.back().restartCount = 7;
  const auto start = podium::testing::CpuTime();
  const auto cells = CellsOf(reflect::TypeOf<core::v1::Pod>(), &pod, kNow);
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(1));
  EXPECT_EQ(cells[1].text, "\"0/1\"");
  EXPECT_EQ(cells[3].text, "\"7\"");
  EXPECT_EQ(cells[8].text, "\"20000/20000\"");
}

TEST(TableTest, WhatARowCarriesOfItsObject) {
  const auto object = ObjectOf({"v1", "Namespace", META "spec: {finalizers: [kubernetes]}\n", ""});
  const auto part = TableRowOf(*object, IncludeObject::kMetadata, kNow);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->object.text,
            R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)"
            R"({"name":"the","creationTimestamp":"2026-01-01T00:00:00Z"}})");
  const auto whole = TableRowOf(*object, IncludeObject::kObject, kNow);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->object.text, object->json());

  EXPECT_EQ(*ParseIncludeObject(""), IncludeObject::kMetadata);
  EXPECT_EQ(*ParseIncludeObject("Metadata"), IncludeObject::kMetadata);
  EXPECT_EQ(*ParseIncludeObject("None"), IncludeObject::kNone);
  EXPECT_EQ(*ParseIncludeObject("Object"), IncludeObject::kObject);
  EXPECT_EQ(ParseIncludeObject("All").error().message(),
            "unrecognized includeObject value: \"All\"");
}

TEST(TableTest, PodsThatAreOverAreMarked) {
  for (const auto& [phase, reason] : {std::pair("Succeeded", "Succeeded"), {"Failed", "Failed"}}) {
    const std::string yaml = std::string(META "status: {phase: ") + phase + "}\n";
    const auto row =
        TableRowOf(*ObjectOf({"v1", "Pod", yaml.c_str(), ""}), IncludeObject::kNone, kNow);
    ASSERT_TRUE(row.ok());
    ASSERT_EQ(row->conditions.size(), 1U);
    EXPECT_EQ(row->conditions[0].type, "Completed");
    EXPECT_EQ(row->conditions[0].status, "True");
    EXPECT_EQ(row->conditions[0].reason, reason);
  }
  const auto row = TableRowOf(*ObjectOf({"v1", "Pod", META "status: {phase: Running}\n", ""}),
                              IncludeObject::kNone, kNow);
  ASSERT_TRUE(row.ok());
  EXPECT_THAT(row->conditions, IsEmpty());
}

std::vector<std::string> FirstCells(const meta::v1::Table& table) {
  std::vector<std::string> out;
  for (const auto& row : table.rows) out.push_back(row.cells[0].text);
  return out;
}

TEST(TableTest, AListIsATableInItsOrder) {
  const char* kind = "FlowSchema";
  const char* version = "flowcontrol.apiserver.k8s.io/v1";
  const std::vector<reflect::ObjectPtr> objects = {
      ObjectOf({version, kind, "metadata: {name: a}\nspec: {matchingPrecedence: 9}\n", ""}),
      ObjectOf({version, kind, "metadata: {name: c}\nspec: {matchingPrecedence: 1}\n", ""}),
      ObjectOf({version, kind, "metadata: {name: b}\nspec: {matchingPrecedence: 1}\n", ""})};
  const auto* resource = FindResource("flowcontrol.apiserver.k8s.io", "v1", "flowschemas");
  ASSERT_NE(resource, nullptr);
  const auto table = TableOf(*resource, objects, IncludeObject::kNone, kNow);
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(FirstCells(*table), ElementsAre("\"b\"", "\"c\"", "\"a\""));

  const std::vector<reflect::ObjectPtr> namespaces = {
      ObjectOf({"v1", "Namespace", "metadata: {name: z}\n", ""}),
      ObjectOf({"v1", "Namespace", "metadata: {name: a}\n", ""})};
  const auto second =
      TableOf(*FindResource("", "v1", "namespaces"), namespaces, IncludeObject::kNone, kNow);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(FirstCells(*second), ElementsAre("\"z\"", "\"a\""));
  ASSERT_EQ(second->columnDefinitions.size(), 3U);
  EXPECT_EQ(second->columnDefinitions[0].name, "Name");
  EXPECT_EQ(second->columnDefinitions[0].format, "name");
  EXPECT_EQ(second->kind, "Table");
  EXPECT_EQ(second->apiVersion, "meta.k8s.io/v1");
}

TEST(TableTest, ColumnsAreDescribedAsTheFieldsThatTheyShow) {
  const auto* resource = FindResource("apps", "v1", "daemonsets");
  const auto columns = ColumnDefinitions(ColumnsOf("apps", "v1", "DaemonSet"), resource->type);
  for (const auto& column : columns) {
    EXPECT_EQ(column.description.empty(), column.name == "Containers" || column.name == "Images")
        << column.name;
  }
  EXPECT_EQ(ColumnDefinitions(ColumnsOf("apps", "v1", "DaemonSet"), nullptr)[0].description, "");
}

}  // namespace
}  // namespace podium::api
