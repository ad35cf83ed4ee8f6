#include "api/validation/volumes.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kPod[] = R"({
  "metadata": {"name": "p"},
  "spec": {"containers": [{"name": "c", "image": "i"}],
           "volumes": [{"name": "v", "emptyDir": {}}]}})";

std::vector<std::string> Validate(const std::string& json) {
  const auto pod = Load<core::v1::Pod>(json);
  return Texts(ValidateVolumes(pod.spec.volumes, &pod.metadata,
                               field::Path("spec").Child("volumes"), PodValidationOptions()));
}

// The errors of one volume with the given source, behind its path.
void ExpectSource(const std::string& source, std::vector<std::string> errors) {
  for (std::string& error : errors) error = "spec.volumes[0]" + error;
  ExpectErrors(kPod, {{{"spec.volumes=[{\"name\":\"v\"," + source + "}]"}, std::move(errors)}},
               Validate);
}

TEST(Volumes, Names) {
  const std::string label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  ExpectErrors(
      kPod,
      {{{}, {}},
       {{"spec.volumes[0].name=\"V\""}, {"spec.volumes[0].name: Invalid value: \"V\": " + label}},
       {{"spec.volumes[0].name=\"" + std::string(64, 'a') + "\""},
        {"spec.volumes[0].name: Invalid value: \"" + std::string(64, 'a') +
         "\": must be no more than 63 bytes"}},
       {{"spec.volumes[0].name"}, {"spec.volumes[0].name: Required value"}},
       {{"spec.volumes[1]={\"name\":\"v\",\"emptyDir\":{}}"},
        {"spec.volumes[1].name: Duplicate value: \"v\""}},
       // A volume with errors leaves its name to others.
       {{"spec.volumes[0]={\"name\":\"v\",\"hostPath\":{}}",
         "spec.volumes[1]={\"name\":\"v\",\"emptyDir\":{}}"},
        {"spec.volumes[0].hostPath.path: Required value"}}},
      Validate);
}

TEST(Volumes, ValidOnesByName) {
  const auto pod = Load<core::v1::Pod>(Edited(
      kPod, {R"(spec.volumes[1]={"name":"bad","hostPath":{}})",
             R"(spec.volumes[2]={"name":"claim","persistentVolumeClaim":{"claimName":"c"}})"}));
  VolumesByName valid;
  EXPECT_FALSE(ValidateVolumes(pod.spec.volumes, nullptr, field::Path("v"), {}, &valid).empty());
  ASSERT_THAT(valid, ElementsAre(::testing::Key("claim"), ::testing::Key("v")));
  EXPECT_TRUE(IsClaimVolume(*valid.at("claim")));
  EXPECT_FALSE(IsClaimVolume(*valid.at("v")));
}

TEST(Volumes, OneSource) {
  ExpectSource(R"("emptyDir":{},"hostPath":{"path":"/x"})",
               {".hostPath: Forbidden: may not specify more than 1 volume type"});
  // Only the first is looked into; some are spelled oddly.
  ExpectSource(
      R"("hostPath":{},"cephfs":{"monitors":[]},"downwardAPI":{},"gcePersistentDisk":{"pdName":""})",
      {".hostPath.path: Required value",
       ".gcePersistentDisk: Forbidden: may not specify more than 1 volume type",
       ".cephFS: Forbidden: may not specify more than 1 volume type",
       ".downwarAPI: Forbidden: may not specify more than 1 volume type"});
  // All that exist, in the order of the rules.
  ExpectSource(
      R"("emptyDir":{},"hostPath":{"path":""},"gitRepo":{"repository":""},"gcePersistentDisk":{"pdName":""},)"
      R"("awsElasticBlockStore":{"volumeID":""},"secret":{},"nfs":{"server":"","path":""},)"
      R"("iscsi":{"targetPortal":"","iqn":"","lun":0},"glusterfs":{"endpoints":"","path":""},)"
      R"("flocker":{},"persistentVolumeClaim":{"claimName":""},"rbd":{"monitors":[],"image":""},)"
      R"("cinder":{"volumeID":""},"quobyte":{"registry":"","volume":""},"fc":{},"flexVolume":{"driver":""},)"
      R"("configMap":{},"azureFile":{"secretName":"","shareName":""},"vsphereVolume":{"volumePath":""},)"
      R"("photonPersistentDisk":{"pdID":""},"portworxVolume":{"volumeID":""},)"
      R"("azureDisk":{"diskName":"","diskURI":""},"storageos":{},"projected":{"sources":[]},)"
      R"("scaleIO":{"gateway":"","system":"","secretRef":null},"csi":{"driver":""},"ephemeral":{},"image":{})",
      [] {
        std::vector<std::string> errors;
        for (const char* name : {"hostPath",
                                 "gitRepo",
                                 "gcePersistentDisk",
                                 "awsElasticBlockStore",
                                 "secret",
                                 "nfs",
                                 "iscsi",
                                 "glusterfs",
                                 "flocker",
                                 "persistentVolumeClaim",
                                 "rbd",
                                 "cinder",
                                 "quobyte",
                                 "fc",
                                 "flexVolume",
                                 "configMap",
                                 "azureFile",
                                 "vsphereVolume",
                                 "photonPersistentDisk",
                                 "portworxVolume",
                                 "azureDisk",
                                 "storageos",
                                 "projected",
                                 "scaleIO",
                                 "csi",
                                 "ephemeral",
                                 "image"}) {
          errors.push_back("." + std::string(name) +
                           ": Forbidden: may not specify more than 1 volume type");
        }
        return errors;
      }());
}

TEST(Volumes, NoSource) {
  // Defaulting makes an emptyDir of nothing; a volume made otherwise may have none.
  core::v1::Volume volume;
  volume.name = "v";
  EXPECT_THAT(Texts(ValidateVolumes({volume}, nullptr, field::Path("v"), {})),
              ElementsAre("v[0]: Required value: must specify a volume type"));
}

TEST(Volumes, EmptyDir) {
  ExpectSource(R"("emptyDir":{"medium":"Memory","sizeLimit":"1Gi"})", {});
  ExpectSource(R"("emptyDir":{"medium":"HugePages-2Mi"})", {});
  ExpectSource(R"("emptyDir":{"medium":"Disk"})", {});
  ExpectSource(R"("emptyDir":{"sizeLimit":"0"})", {});
  ExpectSource(R"("emptyDir":{"sizeLimit":"-1"})",
               {".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource "
                "quantity"});
}

TEST(Volumes, HostPath) {
  ExpectSource(R"("hostPath":{"path":"/x","type":"DirectoryOrCreate"})", {});
  ExpectSource(R"("hostPath":{"path":"x..y/..z","type":""})", {});
  ExpectSource(R"("hostPath":{"path":"","type":"X"})", {".hostPath.path: Required value"});
  ExpectSource(R"("hostPath":{"path":"/a/../b"})",
               {".hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"});
  ExpectSource(R"("hostPath":{"path":"/a","type":"Dir"})",
               {".hostPath.type: Unsupported value: \"Dir\": supported values: \"\", "
                "\"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", "
                "\"FileOrCreate\", \"Socket\""});
}

TEST(Volumes, GitRepo) {
  ExpectSource(R"("gitRepo":{"repository":"https://x/y","directory":"a/b"})", {});
  ExpectSource(R"("gitRepo":{"repository":"","directory":"/a/.."})",
               {".gitRepo.repository: Required value",
                ".gitRepo.directory: Invalid value: \"/a/..\": must be a relative path",
                ".gitRepo.directory: Invalid value: \"/a/..\": must not contain '..'"});
}

TEST(Volumes, SecretAndConfigMap) {
  ExpectSource(
      R"("secret":{"secretName":"s","defaultMode":511,"items":[{"key":"k","path":"a/b","mode":0}]})",
      {});
  ExpectSource(R"("configMap":{"name":"c","defaultMode":0,"items":[{"key":"k","path":"a"}]})", {});
  ExpectSource(
      R"("secret":{"defaultMode":512,"items":[{"key":"","path":"","mode":-1},{"key":"k","path":"../x"}]})",
      {".secret.secretName: Required value",
       (".secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), "
        "both "
        "inclusive"),
       ".secret.items[0].key: Required value", ".secret.items[0].path: Required value",
       (".secret.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), "
        "both inclusive"),
       ".secret.items[1].path: Invalid value: \"../x\": must not contain '..'"});
  ExpectSource(
      R"("configMap":{"defaultMode":-1,"items":[{"key":"k","path":"/abs"},{"key":"k","path":"..x"}]})",
      {".configMap.name: Required value",
       ".configMap.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), "
       "both inclusive",
       ".configMap.items[0].path: Invalid value: \"/abs\": must be a relative path",
       ".configMap.items[1].path: Invalid value: \"..x\": must not start with '..'"});
}

TEST(Volumes, DownwardApi) {
  ExpectSource(
      R"("downwardAPI":{"items":[
           {"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}},
           {"path":"app","fieldRef":{"fieldPath":"metadata.labels['app.kubernetes.io/name']"}},
           {"path":"cpu","mode":256,"resourceFieldRef":{"containerName":"c","resource":"limits.cpu","divisor":"1m"}}]})",
      {});
  // Errors name the volume and not the item.
  ExpectSource(
      R"("downwardAPI":{"defaultMode":1000,"items":[
           {"path":"","fieldRef":{"fieldPath":"spec.nodeName"},"mode":512},
           {"path":"..","resourceFieldRef":{"resource":"limits.cpu"}},
           {"path":"a"},
           {"path":"b","fieldRef":{"fieldPath":"metadata.name"},"resourceFieldRef":{"resource":"x"}}]})",
      {(".downwardAPI.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 "
        "(octal), both inclusive"),
       ".downwardAPI.path: Required value",
       (".downwardAPI.fieldRef.fieldPath: Unsupported value: \"spec.nodeName\": supported values: "
        "\"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", "
        "\"metadata.uid\""),
       (".downwardAPI.mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both "
        "inclusive"),
       ".downwardAPI.path: Invalid value: \"..\": must not contain '..'",
       ".downwardAPI.path: Invalid value: \"..\": must not start with '..'",
       ".downwardAPI.resourceFieldRef.containerName: Required value",
       ".downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
       (".downwardAPI: Invalid value: \"resource\": fieldRef and resourceFieldRef can not be "
        "specified simultaneously")});
}

TEST(Volumes, Claim) {
  ExpectSource(R"("persistentVolumeClaim":{"claimName":"c"})", {});
  ExpectSource(R"("persistentVolumeClaim":{"claimName":""})",
               {".persistentVolumeClaim.claimName: Required value"});
}

TEST(Volumes, Csi) {
  ExpectSource(R"("csi":{"driver":"CSI.example.com","nodePublishSecretRef":{"name":"s"}})", {});
  const std::string subdomain =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  ExpectSource(R"("csi":{"driver":"","nodePublishSecretRef":{}})",
               {".csi.driver: Required value", ".csi.nodePublishSecretRef.name: Required value"});
  ExpectSource(R"("csi":{"driver":"a b"})", {".csi.driver: Invalid value: \"a b\": " + subdomain});
  // U+212A and U+0130 are capitals of letters of ASCII.
  ExpectSource(R"("csi":{"driver":"\u212A\u0130.example.com"})", {});
  ExpectSource(
      R"("csi":{"driver":")" + std::string(64, 'A') + R"(","nodePublishSecretRef":{"name":"S"}})",
      {".csi.driver: Too long: may not be more than 63 bytes",
       ".csi.name: Invalid value: \"S\": " + subdomain});
}

TEST(Volumes, Image) {
  ExpectSource(R"("image":{"reference":"quay.io/a:1","pullPolicy":"Never"})", {});
  ExpectSource(R"("image":{"pullPolicy":"Sometimes"})",
               {".image.reference: Required value",
                ".image.pullPolicy: Unsupported value: \"Sometimes\": supported values: "
                "\"Always\", \"IfNotPresent\", \"Never\""});
  PodValidationOptions options;
  options.allow_empty_image_volume_reference = true;
  core::v1::Volume volume;
  volume.name = "v";
  volume.image.emplace();
  EXPECT_THAT(Texts(ValidateVolumes({volume}, nullptr, field::Path("v"), options)),
              ElementsAre("v[0].image.pullPolicy: Required value"));
}

constexpr char kEphemeral[] =
    R"({"volumeClaimTemplate":{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"}},)"
    R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}})";

TEST(Volumes, Ephemeral) {
  ExpectSource(std::string("\"ephemeral\":") + kEphemeral, {});
  ExpectSource(R"("ephemeral":{})", {".ephemeral.volumeClaimTemplate: Required value"});
  ExpectSource(
      R"("ephemeral":{"volumeClaimTemplate":{"metadata":{"name":"n","uid":"u","finalizers":["f"],"labels":{"a b":"c"}},"spec":{}}})",
      {(".ephemeral.volumeClaimTemplate.metadata.labels: Invalid value: \"a b\": name part must "
        "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
        "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"),
       ".ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
       ".ephemeral.volumeClaimTemplate.metadata.uID: Forbidden: cannot be set",
       ".ephemeral.volumeClaimTemplate.metadata.finalizers: Forbidden: cannot be set",
       (".ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode "
        "is "
        "required"),
       ".ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"});
}

TEST(Volumes, NamesOfClaimsMadeForPods) {
  const std::string ephemeral =
      std::string("spec.volumes[0]={\"name\":\"v\",\"ephemeral\":") + kEphemeral + "}";
  const std::string claim =
      R"(spec.volumes[1]={"name":"w","persistentVolumeClaim":{"claimName":"p-v"}})";
  const std::string long_name(252, 'a');
  ExpectErrors(kPod,
               {{{ephemeral, claim},
                 {"spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: \"p-v\": must "
                  "not reference a PVC that gets created for an ephemeral volume"}},
                // Without the pod's name nothing is known of its claims.
                {{"metadata.name", ephemeral, claim}, {}},
                {{"metadata.name=\"" + long_name + "\"", ephemeral},
                 {"spec.volumes[0].name: Invalid value: \"v\": PVC name \"" + long_name +
                  "-v\": must be no more than 253 bytes"}}},
               Validate);
}

TEST(Volumes, Nfs) {
  ExpectSource(R"("nfs":{"server":"s","path":"/p"})", {});
  ExpectSource(R"("nfs":{"server":"","path":""})",
               {".nfs.server: Required value", ".nfs.path: Required value",
                ".nfs.path: Invalid value: \"\": must be an absolute path"});
  ExpectSource(R"("nfs":{"server":"s","path":"p"})",
               {".nfs.path: Invalid value: \"p\": must be an absolute path"});
}

TEST(Volumes, Iscsi) {
  const auto source = [](const std::string& iqn, const std::string& more = "") {
    return R"("iscsi":{"targetPortal":"1.2.3.4","lun":0,"iqn":")" + iqn + "\"" + more + "}";
  };
  for (const char* iqn :
       {"iqn.2001-04.com.example:storage:disk1.sys1.xyz", "eui.0123456789ABCDEF",
        "naa.62004567BA64678D0123456789ABCDEF", "iqn.bad:iqn.2001-04.com.example:x"}) {
    ExpectSource(source(iqn), {});
  }
  for (const char* iqn : {"iqn.2001-04.com.example", "iqn.2001-4.com.example:x", "iqn.2001-04.:x",
                          "iqn.2001-04.com.example:a b", "iqn.2001-04.com.example:", "iqn.2001",
                          "iqn.2001-04.:", "iqn", "eui.0123456789ABCDE", "eui.0123456789ABCDEG-",
                          "naa.62004567BA64678D0123456789ABCDEFF"}) {
    ExpectSource(source(iqn),
                 {".iscsi.iqn: Invalid value: \"" + std::string(iqn) + "\": must be valid format"});
  }
  ExpectSource(source("wwn.1"), {".iscsi.iqn: Invalid value: \"wwn.1\": must be valid format "
                                 "starting with iqn, eui, or naa"});
  ExpectSource(R"("iscsi":{"targetPortal":"","lun":256,"iqn":"","chapAuthSession":true})",
               {".iscsi.targetPortal: Required value", ".iscsi.iqn: Required value",
                ".iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
                ".iscsi.secretRef: Required value"});
  ExpectSource(R"("iscsi":{"targetPortal":"p","lun":-1,"iqn":"naa"})",
               {".iscsi.iqn: Invalid value: \"naa\": must be valid format",
                ".iscsi.lun: Invalid value: -1: must be between 0 and 255, inclusive"});
  const std::string iqn = "iqn.2001-04.com.example:x";
  ExpectSource(source(iqn, R"(,"chapAuthDiscovery":true,"secretRef":{"name":"s"})"), {});
  ExpectSource(source(iqn, R"(,"initiatorName":"x")"),
               {".iscsi.initiatorname: Invalid value: \"x\": must be valid format starting with "
                "iqn, eui, or naa"});
  ExpectSource(source(iqn, R"(,"initiatorName":"eui.0")"),
               {".iscsi.initiatorname: Invalid value: \"eui.0\": must be valid format"});
  ExpectSource(
      R"("iscsi":{"targetPortal":")" + std::string(63, 'a') +
          R"(","lun":0,"iqn":"iqn.2001-04.com.example:x","initiatorName":"iqn.2001-04.com.example:y"})",
      {".name: Invalid value: \"v\": Total length of <volume name>:<iscsi.targetPortal> "
       "must be under 64 characters if iscsi.initiatorName is specified."});
}

TEST(Volumes, Fc) {
  ExpectSource(R"("fc":{"targetWWNs":["w"],"lun":255})", {});
  ExpectSource(R"("fc":{"wwids":["w"]})", {});
  ExpectSource(R"("fc":{})", {".fc.targetWWNs: Required value: must specify either targetWWNs or "
                              "wwids, but not both"});
  ExpectSource(R"("fc":{"targetWWNs":["a"],"wwids":["b"]})",
               {".fc.targetWWNs: Invalid value: [\"a\"]: targetWWNs and wwids can not be specified "
                "simultaneously",
                ".fc.lun: Required value: lun is required if targetWWNs is specified"});
  ExpectSource(R"("fc":{"targetWWNs":["a"],"lun":-1})",
               {".fc.lun: Invalid value: -1: must be between 0 and 255, inclusive"});
}

TEST(Volumes, Glusterfs) {
  ExpectSource(R"("glusterfs":{"endpoints":"e","path":"p"})", {});
  ExpectSource(R"("glusterfs":{"endpoints":"","path":""})",
               {".glusterfs.endpoints: Required value", ".glusterfs.path: Required value"});
}

TEST(Volumes, Flocker) {
  ExpectSource(R"("flocker":{"datasetName":"d"})", {});
  ExpectSource(R"("flocker":{"datasetUUID":"u"})", {});
  ExpectSource(R"("flocker":{})",
               {".flocker: Required value: one of datasetName and datasetUUID is required"});
  ExpectSource(R"("flocker":{"datasetName":"a/b","datasetUUID":"u"})",
               {".flocker: Invalid value: \"resource\": datasetName and datasetUUID can not be "
                "specified simultaneously",
                ".flocker.datasetName: Invalid value: \"a/b\": must not contain '/'"});
}

TEST(Volumes, Ceph) {
  ExpectSource(R"("rbd":{"monitors":["m"],"image":"i"})", {});
  ExpectSource(R"("rbd":{"monitors":[],"image":""})",
               {".rbd.monitors: Required value", ".rbd.image: Required value"});
  ExpectSource(R"("cephfs":{"monitors":["m"]})", {});
  ExpectSource(R"("cephfs":{"monitors":[]})", {".cephfs.monitors: Required value"});
}

TEST(Volumes, Quobyte) {
  const std::string pairs = "must be a host:port pair or multiple pairs separated by commas";
  ExpectSource(R"("quobyte":{"registry":"r:1,[::1]:2,:3,h:","volume":"v","tenant":"t"})", {});
  ExpectSource(R"("quobyte":{"registry":"","volume":""})",
               {".quobyte.registry: Required value: " + pairs, ".quobyte.volume: Required value"});
  ExpectSource(
      R"("quobyte":{"registry":"r:1","volume":"v","tenant":")" + std::string(65, 't') + "\"}",
      {".quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 "
       "characters"});
  for (const char* registry :
       {"r", "a:b:1", "[::1]", "[::1:2", "[a]b:1", "a]:1", "[a[:1", "[a]:1:2"}) {
    ExpectSource(R"("quobyte":{"registry":")" + std::string(registry) + R"(","volume":"v"})",
                 {".quobyte.registry: Invalid value: \"" + std::string(registry) + "\": " + pairs});
  }
  ExpectSource(R"("quobyte":{"registry":"a,b:1,","volume":"v"})",
               {".quobyte.registry: Invalid value: \"a,b:1,\": " + pairs,
                ".quobyte.registry: Invalid value: \"a,b:1,\": " + pairs});
}

TEST(Volumes, FlexVolume) {
  ExpectSource(
      R"("flexVolume":{"driver":"d","options":{"kubernetes.io":"","a/kubernetes.io":"","xk8s.io/a":""}})",
      {".flexVolume.options[kubernetes.io]: Invalid value: \"kubernetes.io\": "
       "kubernetes.io and k8s.io namespaces are reserved"});
  ExpectSource(R"("flexVolume":{"driver":"d","options":{"\u212A8s.\u0130o/a":""}})",
               {".flexVolume.options[\u212A8s.\u0130o/a]: Invalid value: \"\u212A8s.\u0130o/a\": "
                "kubernetes.io and k8s.io namespaces are reserved"});
  ExpectSource(R"("flexVolume":{"driver":"","options":{"X.K8S.io/a":"","example.com/a":""}})",
               {".flexVolume.driver: Required value",
                ".flexVolume.options[X.K8S.io/a]: Invalid value: \"X.K8S.io/a\": kubernetes.io and "
                "k8s.io namespaces are reserved"});
}

TEST(Volumes, ScaleIoStorageOsPortworx) {
  ExpectSource(R"("scaleIO":{"gateway":"g","system":"s","secretRef":null,"volumeName":"n"})", {});
  ExpectSource(R"("scaleIO":{"gateway":"","system":"","secretRef":null})",
               {".scaleIO.gateway: Required value", ".scaleIO.system: Required value",
                ".scaleIO.volumeName: Required value"});
  ExpectSource(R"("storageos":{"volumeName":"n","volumeNamespace":"m","secretRef":{"name":"s"}})",
               {});
  const std::string label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  ExpectSource(R"("storageos":{"volumeName":"","volumeNamespace":"M","secretRef":{}})",
               {".storageos.volumeName: Required value",
                ".storageos.volumeNamespace: Invalid value: \"M\": " + label,
                ".storageos.secretRef.name: Required value"});
  ExpectSource(R"("storageos":{"volumeName":"N"})",
               {".storageos.volumeName: Invalid value: \"N\": " + label});
  ExpectSource(R"("portworxVolume":{"volumeID":"i"})", {});
  ExpectSource(R"("portworxVolume":{"volumeID":""})", {".portworxVolume.volumeID: Required value"});
}

TEST(Volumes, Clouds) {
  const std::string range = ": must be between 1 and 255, inclusive";
  ExpectSource(R"("gcePersistentDisk":{"pdName":"d","partition":255})", {});
  ExpectSource(R"("gcePersistentDisk":{"pdName":"","partition":256})",
               {".persistentDisk.pdName: Required value",
                ".persistentDisk.partition: Invalid value: 256" + range});
  ExpectSource(R"("awsElasticBlockStore":{"volumeID":"v","partition":0})", {});
  ExpectSource(R"("awsElasticBlockStore":{"volumeID":"","partition":-1})",
               {".awsElasticBlockStore.volumeID: Required value",
                ".awsElasticBlockStore.partition: Invalid value: -1" + range});
  ExpectSource(R"("azureFile":{"secretName":"s","shareName":"h"})", {});
  ExpectSource(R"("azureFile":{"secretName":"","shareName":""})",
               {".azureFile.secretName: Required value", ".azureFile.shareName: Required value"});
  ExpectSource(R"("cinder":{"volumeID":"v","secretRef":{"name":"s"}})", {});
  ExpectSource(R"("cinder":{"volumeID":"","secretRef":{}})",
               {".cinder.volumeID: Required value", ".cinder.secretRef.name: Required value"});
  ExpectSource(R"("vsphereVolume":{"volumePath":"p"})", {});
  ExpectSource(R"("vsphereVolume":{"volumePath":""})",
               {".vsphereVolume.volumePath: Required value"});
  ExpectSource(R"("photonPersistentDisk":{"pdID":"p"})", {});
  ExpectSource(R"("photonPersistentDisk":{"pdID":""})",
               {".photonPersistentDisk.pdID: Required value"});
}

TEST(Volumes, AzureDisk) {
  const std::string managed =
      "\"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
      "{disk-id}\"";
  const std::string blob =
      "\"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd\"";
  ExpectSource(R"("azureDisk":{"diskName":"d","diskURI":"https://x"})", {});
  ExpectSource(
      R"("azureDisk":{"diskName":"d","diskURI":"/subscriptions/x","kind":"Managed","cachingMode":"None"})",
      {});
  ExpectSource(R"("azureDisk":{"diskName":"","diskURI":"","cachingMode":"X","kind":"Y"})",
               {".azureDisk.diskName: Required value", ".azureDisk.diskURI: Required value",
                (".azureDisk.cachingMode: Unsupported value: \"X\": supported values: \"None\", "
                 "\"ReadOnly\", \"ReadWrite\""),
                (".azureDisk.kind: Unsupported value: \"Y\": supported values: \"Dedicated\", "
                 "\"Managed\", \"Shared\""),
                ".azureDisk.diskURI: Unsupported value: \"\": supported values: " + blob});
  ExpectSource(
      R"("azureDisk":{"diskName":"d","diskURI":"https://x","kind":"Managed"})",
      {".azureDisk.diskURI: Unsupported value: \"https://x\": supported values: " + managed});
  ExpectSource(
      R"("azureDisk":{"diskName":"d","diskURI":"/subscriptions/x","kind":"Dedicated"})",
      {".azureDisk.diskURI: Unsupported value: \"/subscriptions/x\": supported values: " + blob});
}

}  // namespace
}  // namespace podium::api
