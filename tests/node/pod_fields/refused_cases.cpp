// Fields that are refused here, and fields that change nothing here.
#include <string>
#include <vector>

#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

const std::string kOne = ", containers: [{name: a}]";

RefusedCase Volume(const std::string& field, const std::string& source, std::string error = {}) {
  if (error.empty()) error = "no volume plugin matched: " + field + " is not offered here";
  return {.field = "Volume." + field,
          .spec = "volumes: [{name: v, " + field + ": {" + source + "}}]" + kOne,
          .error = "FailedMount: MountVolume.SetUp failed for volume \"v\" : " + error};
}

RefusedCase Projection(const std::string& field, const std::string& source,
                       const std::string& error) {
  return {.field = "VolumeProjection." + field,
          .spec = "volumes: [{name: v, projected: {sources: [{" + field + ": {" + source +
                  "}}]}}]" + kOne,
          .error = "FailedMount: MountVolume.SetUp failed for volume \"v\" : " + error};
}

RefusedCase Ephemeral(const std::string& field, const std::string& text) {
  return {.field = "EphemeralContainer." + field,
          .spec = "containers: [{name: a}], ephemeralContainers: [{name: e, " + field + ": " +
                  text + "}]",
          .error = "spec.ephemeralContainers[0]." + field +
                   ": Forbidden: cannot be set for an Ephemeral Container"};
}

std::vector<RefusedCase> VolumeSources() {
  return {
      Volume("gcePersistentDisk", "pdName: d"),
      Volume("awsElasticBlockStore", "volumeID: d"),
      Volume("gitRepo", "repository: r",
             "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by "
             "enabling the feature-gate `GitRepoVolumeDriver`"),
      Volume("nfs", "server: s, path: /p", "NFS volumes are not offered here"),
      Volume("iscsi", "targetPortal: t, iqn: 'iqn.2026-01.example:d', lun: 0"),
      Volume("glusterfs", "endpoints: e, path: p"),
      Volume("rbd", "monitors: [m], image: i"),
      Volume("flexVolume", "driver: example.com/d"),
      Volume("cinder", "volumeID: d"),
      Volume("cephfs", "monitors: [m]"),
      Volume("flocker", "datasetName: d"),
      Volume("fc", "targetWWNs: [w], lun: 0"),
      Volume("azureFile", "secretName: s, shareName: share"),
      Volume("vsphereVolume", "volumePath: p"),
      Volume("quobyte", "registry: 'r:1', volume: v"),
      Volume("azureDisk", "diskName: d, diskURI: 'https://d'"),
      Volume("photonPersistentDisk", "pdID: d"),
      Volume("portworxVolume", "volumeID: d"),
      Volume("scaleIO", "gateway: g, system: s, volumeName: name, secretRef: {name: s}"),
      Volume("storageos", "volumeName: name"),
      Volume("csi", "driver: example.com"),
      Projection("clusterTrustBundle", "name: b, path: p",
                 "volumes with a ClusterTrustBundle are not offered here"),
      Projection("podCertificate", "signerName: example.com/s, keyType: ED25519, keyPath: p",
                 "volumes with a pod's certificate are not offered here"),
  };
}

std::vector<RefusedCase> EphemeralCases() {
  return {
      Ephemeral("ports", "[{containerPort: 80}]"),
      Ephemeral("resources", "{limits: {cpu: 1}}"),
      Ephemeral("resizePolicy", "[{resourceName: cpu, restartPolicy: NotRequired}]"),
      Ephemeral("restartPolicy", "Always"),
      Ephemeral("restartPolicyRules",
                "[{action: Restart, exitCodes: {operator: In, values: [1]}}]"),
      Ephemeral("livenessProbe", "{exec: {command: [x]}}"),
      Ephemeral("readinessProbe", "{exec: {command: [x]}}"),
      Ephemeral("startupProbe", "{exec: {command: [x]}}"),
      Ephemeral("lifecycle", "{preStop: {exec: {command: [x]}}}"),
      {"EphemeralContainer.volumeDevices",
       "volumes: [{name: v, emptyDir: {}}], containers: [{name: a}], ephemeralContainers: [{name: "
       "e, volumeDevices: [{name: v, devicePath: /dev/v}]}]",
       "Failed: Error: volumeDevices: Forbidden: block devices are not offered here"},
  };
}

std::string Unsupported(const std::string& field, const std::string& why) {
  return "PodFeatureUnsupported: spec." + field + ": Forbidden: " + why;
}

std::vector<RefusedCase> OtherCases() {
  const std::string claims = "resource claims are not offered here";
  const std::string version =
      "items: [{path: f, fieldRef: {apiVersion: v2, fieldPath: metadata.name}}]";
  const std::string no_version =
      "fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: "
      "unsupported pod version: v2";
  return {
      {"PodSpec.runtimeClassName", "runtimeClassName: kata" + kOne,
       Unsupported("runtimeClassName", "there is one runtime here, with the handler podium")},
      {"PodSpec.resourceClaims", "resourceClaims: [{name: c, resourceClaimName: d}]" + kOne,
       Unsupported("resourceClaims", claims)},
      {"PodSpec.schedulingGates", "schedulingGates: [{name: example.com/g}]" + kOne,
       Unsupported("schedulingGates", "nobody here lifts them: the pod would never start")},
      {"PodSpec.resources.claims", "resources: {claims: [{name: c}]}" + kOne,
       "spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level"},
      {"PodSecurityContext.windowsOptions",
       "securityContext: {windowsOptions: {runAsUserName: u}}" + kOne,
       Unsupported("securityContext.windowsOptions", "containers here run on Linux")},
      {"SecurityContext.windowsOptions",
       "containers: [{name: a, securityContext: {windowsOptions: {runAsUserName: u}}}]",
       Unsupported("containers[0].securityContext.windowsOptions", "containers here run on Linux")},
      {"Container.volumeDevices",
       "containers: [{name: a, volumeDevices: [{name: v, devicePath: /dev/v}]}]",
       Unsupported("containers[0].volumeDevices", "block devices are not offered here")},
      {"Container.resources.claims", "containers: [{name: a, resources: {claims: [{name: c}]}}]",
       Unsupported("containers[0].resources.claims", claims)},
      {"LifecycleHandler.tcpSocket",
       "containers: [{name: a, lifecycle: {postStart: {tcpSocket: {port: 80}}}}]",
       "FailedPostStartHook: PostStartHook failed"},
      {"DownwardAPIVolumeSource.items.fieldRef.apiVersion",
       "volumes: [{name: v, downwardAPI: {" + version + "}}]" + kOne,
       "spec.volumes[0].downwardAPI." + no_version},
      {"DownwardAPIProjection.items.fieldRef.apiVersion",
       "volumes: [{name: v, projected: {sources: [{downwardAPI: {" + version + "}}]}}]" + kOne,
       "spec.volumes[0].projected.sources[0].downwardAPI." + no_version},
  };
}

}  // namespace

std::vector<RefusedCase> RefusedCases() {
  std::vector<RefusedCase> out;
  for (auto part : {OtherCases, EphemeralCases, VolumeSources}) {
    std::ranges::move(part(), std::back_inserter(out));
  }
  return out;
}

std::vector<UnmovedCase> UnmovedCases() {
  const std::string scheduler = "the scheduler's";
  return {
      {"Affinity.podAffinity",
       "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
       "zone}]}}" +
           kOne,
       scheduler, ""},
      {"Affinity.podAntiAffinity",
       "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{topologyKey: zone}]}}" +
           kOne,
       scheduler, ""},
      {"NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
       "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, "
       "preference: {matchExpressions: [{key: disk, operator: Exists}]}}]}}" +
           kOne,
       scheduler, ""},
      {"Toleration.tolerationSeconds",
       "tolerations: [{key: old, operator: Exists, effect: NoExecute, tolerationSeconds: 1}]" +
           kOne,
       "of the controller that evicts pods for taints", ""},
      {"PodSpec.schedulerName", "schedulerName: another" + kOne, scheduler, ""},
      {"PodSpec.preemptionPolicy", "preemptionPolicy: Never" + kOne, scheduler, ""},
      {"PodSpec.topologySpreadConstraints",
       "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "
       "DoNotSchedule}]" +
           kOne,
       scheduler, ""},
      {"PodSpec.schedulingGroup", "schedulingGroup: {podGroupName: g}" + kOne, scheduler, ""},
      {"PodSpec.serviceAccount", "serviceAccount: robot" + kOne,
       "the API's defaults take serviceAccountName from it", "PodDefaults.PodSpec"},
      {"PodSpec.automountServiceAccountToken", "automountServiceAccountToken: false" + kOne,
       "the API server's, which gives pods the token's volume",
       "PodPluginsTest.TokenIsMountedUnlessPodOrAccountSayNo"},
      {"PodSecurityContext.seLinuxChangePolicy",
       "securityContext: {seLinuxChangePolicy: Recursive}" + kOne,
       "of volumes of CSI drivers, which are refused here", ""},
      {"EphemeralVolumeSource.volumeClaimTemplate",
       "volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
       "[ReadWriteOnce]}}}}]" +
           kOne,
       "the controller's that makes the claim from it",
       "EphemeralVolumesTest.AClaimIsMadeOfTheTemplate"},
  };
}

}  // namespace podium::node::pod_fields
