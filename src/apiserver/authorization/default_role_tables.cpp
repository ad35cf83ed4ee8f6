#include "apiserver/authorization/default_roles.h"

namespace podium::apiserver {

// default_roles.h says how to read it.
const std::string_view kDefaultRoleTable = R"(
clusterrole cluster-admin
  * | * | *
  * | paths | *
clusterrole system:discovery
  get | paths | /livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*
clusterrole system:monitoring
  get | paths | /metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/* /flagz /statusz
  get | core | nodes/metrics
clusterrole system:basic-user
  create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews
  create | authentication.k8s.io | selfsubjectreviews
clusterrole system:public-info-viewer
  get | paths | /livez /readyz /healthz /version /version/

clusterrole admin aggregate=rbac.authorization.k8s.io/aggregate-to-admin
clusterrole edit label=rbac.authorization.k8s.io/aggregate-to-admin aggregate=rbac.authorization.k8s.io/aggregate-to-edit
clusterrole view label=rbac.authorization.k8s.io/aggregate-to-edit aggregate=rbac.authorization.k8s.io/aggregate-to-view
clusterrole system:aggregate-to-admin label=rbac.authorization.k8s.io/aggregate-to-admin
  create | authorization.k8s.io | localsubjectaccessreviews
  readwrite | rbac.authorization.k8s.io | roles rolebindings
clusterrole system:aggregate-to-edit label=rbac.authorization.k8s.io/aggregate-to-edit
  read | core | pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy
  impersonate | core | serviceaccounts
  write | core | pods pods/attach pods/proxy pods/exec pods/portforward
  create | core | pods/eviction
  write | core | replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy persistentvolumeclaims configmaps secrets
  create | core | serviceaccounts/token
  write | core events.k8s.io | events
  write | apps | statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets replicasets/scale
  write | autoscaling | horizontalpodautoscalers
  write | batch | jobs cronjobs
  write | extensions | daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale replicationcontrollers/scale networkpolicies
  write | policy | poddisruptionbudgets
  write | networking.k8s.io | networkpolicies ingresses
  readwrite | coordination.k8s.io | leases
  write | resource.k8s.io | resourceclaims resourceclaimtemplates
clusterrole system:aggregate-to-view label=rbac.authorization.k8s.io/aggregate-to-view
  read | core | pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps
  read | core | limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status replicationcontrollers/status pods/log
  read | core | namespaces
  read | core events.k8s.io | events
  read | discovery.k8s.io | endpointslices
  read | apps | controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale
  read | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status
  read | batch | jobs cronjobs cronjobs/status jobs/status
  read | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies
  read | policy | poddisruptionbudgets poddisruptionbudgets/status
  read | networking.k8s.io | networkpolicies ingresses ingresses/status
  read | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates
clusterrole system:aggregated-metrics-reader label=rbac.authorization.k8s.io/aggregate-to-admin label=rbac.authorization.k8s.io/aggregate-to-edit label=rbac.authorization.k8s.io/aggregate-to-view
  get list watch | metrics.k8s.io | pods nodes

clusterrole system:heapster
  read | core | events pods nodes namespaces
  read | extensions | deployments
clusterrole system:node
  create | authentication.k8s.io | tokenreviews
  create | authorization.k8s.io | subjectaccessreviews localsubjectaccessreviews
  read | core | services
  create get list watch | core | nodes
  update patch | core | nodes/status
  update patch | core | nodes
  create update patch | core events.k8s.io | events
  read | core | pods
  create delete | core | pods
  update patch | core | pods/status
  create | core | pods/eviction
  get list watch | core | secrets configmaps
  get | core | persistentvolumeclaims persistentvolumes
  get | core | endpoints
  create get list watch | certificates.k8s.io | certificatesigningrequests
  get create update patch delete | coordination.k8s.io | leases
  get | storage.k8s.io | volumeattachments
  create | core | serviceaccounts/token
  get update patch | core | persistentvolumeclaims/status
  get list watch | storage.k8s.io | csidrivers
  get create update patch delete | storage.k8s.io | csinodes
  get list watch | node.k8s.io | runtimeclasses
  get | resource.k8s.io | resourceclaims
  deletecollection | resource.k8s.io | resourceslices
  get | core | serviceaccounts
clusterrole system:node-problem-detector
  get | core | nodes
  patch | core | nodes/status
  events
clusterrole system:node-bootstrapper
  create get list watch | certificates.k8s.io | certificatesigningrequests
clusterrole system:auth-delegator
  create | authentication.k8s.io | tokenreviews
  create | authorization.k8s.io | subjectaccessreviews
clusterrole system:kube-aggregator
  read | core | services endpoints
clusterrole system:kube-controller-manager
  events
  create | coordination.k8s.io | leases
  get update | coordination.k8s.io | leases | kube-controller-manager
  create | core | secrets serviceaccounts
  delete | core | secrets
  get | core | namespaces secrets serviceaccounts configmaps
  update | core | secrets serviceaccounts
  create | authentication.k8s.io | tokenreviews
  create | authorization.k8s.io | subjectaccessreviews
  list watch | * | *
  create | core | serviceaccounts/token
clusterrole system:kube-dns
  list watch | core | endpoints services
clusterrole system:persistent-volume-provisioner
  get list watch create delete | core | persistentvolumes
  get list watch update | core | persistentvolumeclaims
  read | storage.k8s.io | storageclasses
  watch | core | events
  events
clusterrole system:certificates.k8s.io:certificatesigningrequests:nodeclient
  create | certificates.k8s.io | certificatesigningrequests/nodeclient
clusterrole system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
  create | certificates.k8s.io | certificatesigningrequests/selfnodeclient
clusterrole system:volume-scheduler
  readupdate | core | persistentvolumes
  read | storage.k8s.io | storageclasses
  readupdate | core | persistentvolumeclaims
clusterrole system:certificates.k8s.io:legacy-unknown-approver
  approve | certificates.k8s.io | signers | kubernetes.io/legacy-unknown
clusterrole system:certificates.k8s.io:kubelet-serving-approver
  approve | certificates.k8s.io | signers | kubernetes.io/kubelet-serving
clusterrole system:certificates.k8s.io:kube-apiserver-client-approver
  approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client
clusterrole system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
clusterrole system:service-account-issuer-discovery
  get | paths | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/
clusterrole system:kubelet-api-admin
  get list watch | core | nodes
  proxy | core | nodes
  * | core | nodes/proxy nodes/metrics nodes/stats nodes/log
  * | core | nodes/pods nodes/healthz nodes/configz
clusterrole system:node-proxier
  list watch | core | services endpoints
  get list watch | core | nodes
  events
  list watch | networking.k8s.io | servicecidrs
  list watch | discovery.k8s.io | endpointslices
clusterrole system:kube-scheduler
  events
  create | coordination.k8s.io | leases
  get update list watch | coordination.k8s.io | leases | kube-scheduler
  readwrite | coordination.k8s.io | leasecandidates
  read | core | nodes
  get list watch delete | core | pods
  create | core | pods/binding bindings
  patch update | core | pods/status
  read | core | services replicationcontrollers
  read | apps extensions | replicasets
  read | apps | statefulsets
  read | policy | poddisruptionbudgets
  read | core | persistentvolumeclaims persistentvolumes
  create | authentication.k8s.io | tokenreviews
  create | authorization.k8s.io | subjectaccessreviews
  read | storage.k8s.io | csinodes
  get list watch | storage.k8s.io | volumeattachments
  read | core | namespaces
  read | storage.k8s.io | csidrivers
  read | storage.k8s.io | csistoragecapacities
  read | resource.k8s.io | deviceclasses
  readupdate | resource.k8s.io | resourceclaims
  readupdate | resource.k8s.io | resourceclaims/status
  update | core | pods/finalizers
  read | resource.k8s.io | resourceslices
  create delete | resource.k8s.io | resourceclaims
  update patch | resource.k8s.io | resourceclaims/binding

binding cluster-admin group=system:masters
binding system:monitoring group=system:monitoring
binding system:discovery group=system:authenticated
binding system:basic-user group=system:authenticated
binding system:public-info-viewer group=system:authenticated group=system:unauthenticated
binding system:node-proxier user=system:kube-proxy
binding system:kube-controller-manager user=system:kube-controller-manager
binding system:kube-dns account=kube-system/kube-dns
binding system:kube-scheduler user=system:kube-scheduler
binding system:volume-scheduler user=system:kube-scheduler
binding system:node
binding system:service-account-issuer-discovery group=system:serviceaccounts

role kube-system extension-apiserver-authentication-reader
  read | core | configmaps | extension-apiserver-authentication
role kube-system system:controller:bootstrap-signer
  get list watch | core | secrets
role kube-system system:controller:cloud-provider
  create get list watch | core | configmaps
role kube-system system:controller:token-cleaner
  get list watch delete | core | secrets
  events
role kube-system system::leader-locking-kube-controller-manager
  get list watch create update | coordination.k8s.io | leases
  get list watch create update | coordination.k8s.io | leasecandidates
role kube-system system::leader-locking-kube-scheduler
  get list watch create update | coordination.k8s.io | leases
  get list watch create update | coordination.k8s.io | leasecandidates
role kube-public system:controller:bootstrap-signer
  get list watch | core | configmaps
  update | core | configmaps | cluster-info
  events

rolebinding kube-system system::extension-apiserver-authentication-reader extension-apiserver-authentication-reader user=system:kube-controller-manager user=system:kube-scheduler
rolebinding kube-system system:controller:bootstrap-signer system:controller:bootstrap-signer account=kube-system/bootstrap-signer
rolebinding kube-system system:controller:cloud-provider system:controller:cloud-provider account=kube-system/cloud-provider
rolebinding kube-system system:controller:token-cleaner system:controller:token-cleaner account=kube-system/token-cleaner
rolebinding kube-system system::leader-locking-kube-controller-manager system::leader-locking-kube-controller-manager user=system:kube-controller-manager account=kube-system/kube-controller-manager account=kube-system/leader-election-controller
rolebinding kube-system system::leader-locking-kube-scheduler system::leader-locking-kube-scheduler user=system:kube-scheduler account=kube-system/kube-scheduler
rolebinding kube-public system:controller:bootstrap-signer system:controller:bootstrap-signer account=kube-system/bootstrap-signer
)";

const std::string_view kControllerRoleTable = R"(
clusterrole system:controller:attachdetach-controller
  list watch | core | persistentvolumes persistentvolumeclaims
  get list watch | core | nodes
  patch update | core | nodes/status
  list watch | core | pods
  events
  get create delete list watch | storage.k8s.io | volumeattachments
  get list watch | storage.k8s.io | csidrivers
  get list watch | storage.k8s.io | csinodes
clusterrole system:controller:clusterrole-aggregation-controller
  escalate get list watch update patch | rbac.authorization.k8s.io | clusterroles
clusterrole system:controller:cronjob-controller
  get list watch update | batch | cronjobs
  get list watch create update delete patch | batch | jobs
  update | batch | cronjobs/status
  update | batch | cronjobs/finalizers
  list watch delete | core | pods
  events
clusterrole system:controller:daemon-set-controller
  get list watch | extensions apps | daemonsets
  update | extensions apps | daemonsets/status
  update | extensions apps | daemonsets/finalizers
  list watch | core | nodes
  list watch create delete patch | core | pods
  create | core | pods/binding
  get list watch create delete update patch | apps | controllerrevisions
  events
clusterrole system:controller:deployment-controller
  get list watch update | extensions apps | deployments
  update | extensions apps | deployments/status
  update | extensions apps | deployments/finalizers
  get list watch create update patch delete | apps extensions | replicasets
  get list watch update | core | pods
  events
clusterrole system:controller:disruption-controller
  get list watch | extensions apps | deployments
  get list watch | apps extensions | replicasets
  get list watch | core | replicationcontrollers
  get list watch | policy | poddisruptionbudgets
  get list watch | apps | statefulsets
  update | policy | poddisruptionbudgets/status
  patch update | core | pods/status
  get | * | */scale
  events
clusterrole system:controller:endpoint-controller
  get list watch | core | services pods
  get list watch create update delete | core | endpoints
  create | core | endpoints/restricted
  events
clusterrole system:controller:endpointslice-controller
  get list watch | core | services pods nodes
  update | core | services/finalizers
  get list watch create update delete | discovery.k8s.io | endpointslices
  events
clusterrole system:controller:endpointslicemirroring-controller
  get list watch | core | services endpoints
  update | core | services/finalizers
  update | core | endpoints/finalizers
  get list watch create update delete | discovery.k8s.io | endpointslices
  events
clusterrole system:controller:expand-controller
  get list watch update patch | core | persistentvolumes
  update patch | core | persistentvolumeclaims/status
  get list watch | core | persistentvolumeclaims
  events
clusterrole system:controller:ephemeral-volume-controller
  get list watch | core | pods
  update | core | pods/finalizers
  get list watch create | core | persistentvolumeclaims
  events
clusterrole system:controller:resource-claim-controller
  get list watch | core | pods
  update | core | pods/finalizers
  get list watch create delete | resource.k8s.io | resourceclaims
  update patch | resource.k8s.io | resourceclaims resourceclaims/status
  update patch | core | pods/status
  events
  update patch | resource.k8s.io | resourceclaims/binding
clusterrole system:controller:device-taint-eviction-controller
  get list watch delete | core | pods
  update patch | core | pods/status
  get list watch | resource.k8s.io | resourceclaims
  get list watch | resource.k8s.io | resourceslices
  get list watch | resource.k8s.io | deviceclasses
  events
clusterrole system:controller:generic-garbage-collector
  get list watch patch update delete | * | *
  events
clusterrole system:controller:horizontal-pod-autoscaler
  get list watch | autoscaling | horizontalpodautoscalers
  update | autoscaling | horizontalpodautoscalers/status
  get update | * | */scale
  list watch | core | pods
  list watch | metrics.k8s.io | pods
  get list watch | custom.metrics.k8s.io | *
  get list watch | external.metrics.k8s.io | *
  events
clusterrole system:controller:job-controller
  get list watch update patch | batch | jobs
  update | batch | jobs/status
  update | batch | jobs/finalizers
  list watch create delete patch | core | pods
  events
clusterrole system:controller:namespace-controller
  get list watch delete | core | namespaces
  update | core | namespaces/finalize namespaces/status
  get list watch delete deletecollection | * | *
clusterrole system:controller:node-controller
  get list watch update delete patch | core | nodes
  patch update | core | nodes/status
  patch update | core | pods/status
  list watch get delete | core | pods
  events
clusterrole system:controller:persistent-volume-binder
  get list watch update create delete | core | persistentvolumes
  update | core | persistentvolumes/status
  get list watch update | core | persistentvolumeclaims
  update | core | persistentvolumeclaims/status
  list watch get create delete | core | pods
  get list watch | storage.k8s.io | storageclasses
  list watch | core | nodes
  events
  watch | core | events
clusterrole system:controller:pod-garbage-collector
  list watch delete | core | pods
  get list watch | core | nodes
  patch | core | pods/status
clusterrole system:controller:replicaset-controller
  get list watch update | apps extensions | replicasets
  update | apps extensions | replicasets/status
  update | apps extensions | replicasets/finalizers
  list watch patch create delete | core | pods
  events
clusterrole system:controller:replication-controller
  get list watch update | core | replicationcontrollers
  update | core | replicationcontrollers/status
  update | core | replicationcontrollers/finalizers
  list watch patch create delete | core | pods
  events
clusterrole system:controller:resourcequota-controller
  list watch | * | *
  update | core | resourcequotas/status
  events
clusterrole system:controller:route-controller
  list watch | core | nodes
  patch | core | nodes/status
  events
clusterrole system:controller:service-account-controller
  create | core | serviceaccounts
  events
clusterrole system:controller:service-controller
  get list watch | core | services
  patch update | core | services/status
  list watch | core | nodes
  events
clusterrole system:controller:service-cidrs-controller
  get list watch patch update | networking.k8s.io | servicecidrs
  patch update | networking.k8s.io | servicecidrs/finalizers
  patch update | networking.k8s.io | servicecidrs/status
  get list watch | networking.k8s.io | ipaddresses
  events
clusterrole system:controller:statefulset-controller
  list watch | core | pods
  get list watch | apps | statefulsets
  update | apps | statefulsets/status
  update | apps | statefulsets/finalizers
  get create delete update patch | core | pods
  get create delete update patch list watch | apps | controllerrevisions
  get create list watch | core | persistentvolumeclaims
  update delete | core | persistentvolumeclaims
  update | core | pods/finalizers
  events
clusterrole system:controller:ttl-controller
  update patch list watch | core | nodes
  events
clusterrole system:controller:certificate-controller
  get list watch delete | certificates.k8s.io | certificatesigningrequests
  update | certificates.k8s.io | certificatesigningrequests/status certificatesigningrequests/approval
  approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
  sign | certificates.k8s.io | signers | kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving
  create | authorization.k8s.io | subjectaccessreviews
  events
clusterrole system:controller:pvc-protection-controller
  get list watch update | core | persistentvolumeclaims
  update | core | persistentvolumeclaims/status
  list watch get | core | pods
  events
clusterrole system:controller:pv-protection-controller
  get list watch update | core | persistentvolumes
  events
clusterrole system:controller:volumeattributesclass-protection-controller
  list watch get | core | persistentvolumeclaims
  list watch get | core | persistentvolumes
  get list watch update | storage.k8s.io | volumeattributesclasses
  events
clusterrole system:controller:ttl-after-finished-controller
  get list watch delete | batch | jobs
  events
clusterrole system:controller:root-ca-cert-publisher
  create update | core | configmaps
  events
clusterrole system:controller:validatingadmissionpolicy-status-controller
  get list watch | admissionregistration.k8s.io | validatingadmissionpolicies
  get patch update | admissionregistration.k8s.io | validatingadmissionpolicies/status
  events
clusterrole system:controller:legacy-service-account-token-cleaner
  get | core | configmaps | kube-apiserver-legacy-service-account-token-tracking
  patch delete | core | secrets
clusterrole system:controller:selinux-warning-controller
  events
  get list watch | core | persistentvolumes
  get list watch | core | persistentvolumeclaims
  get list watch | core | pods
  get list watch | storage.k8s.io | csidrivers
)";

}  // namespace podium::apiserver
