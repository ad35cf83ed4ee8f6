#include "api/validation/persistent_volume.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::PersistentVolume;

constexpr char kVolume[] = R"({
  "metadata": {"name": "v"},
  "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
           "hostPath": {"path": "/x"}}})";
const std::string kCsi = R"(spec.csi={"driver":"d","volumeHandle":"h"})";  // NOLINT

TEST(PersistentVolume, Spec) {
  ExpectCreate<PersistentVolume>(
      kVolume,
      {{{}, {}},
       {{"spec.accessModes=[]", "spec.capacity={}"},
        {"spec.accessModes: Required value", "spec.capacity: Required value",
         "spec.capacity: Unsupported value: null: supported values: \"storage\""}},
       {{R"(spec.accessModes=["X","ReadWriteOncePod","ReadOnlyMany"])",
         R"(spec.capacity={"storage":"-1","cpu":"1"})", "spec.persistentVolumeReclaimPolicy=\"X\""},
        {("spec.accessModes: Unsupported value: \"X\": supported values: \"ReadOnlyMany\", "
          "\"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\""),
         "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
         "spec.capacity: Unsupported value: {\"cpu\":\"1\",\"storage\":\"-1\"}: supported values: "
         "\"storage\"",
         "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
         "spec.capacity[storage]: Invalid value: \"-1\": must be greater than zero",
         "spec.persistentVolumeReclaimPolicy: Unsupported value: \"X\": supported values: "
         "\"Delete\", \"Recycle\", \"Retain\""}},
       {{"spec.hostPath.path=\"/a/../.\"", "spec.persistentVolumeReclaimPolicy=\"Recycle\""},
        {"spec.hostPath.path: Invalid value: \"/a/../.\": must not contain '..'",
         "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount "
         "of '/'"}},
       {{"spec.storageClassName=\"S\"", "spec.volumeMode=\"X\"",
         "spec.volumeAttributesClassName=\"\""},
        {"spec.storageClassName: Invalid value: \"S\": " + kBadSubdomain,
         "spec.volumeMode: Unsupported value: \"X\": supported values: \"Block\", \"Filesystem\"",
         "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
         "spec.csi: Required value: has to be specified when using volumeAttributesClassName"}},
       {{"spec.hostPath", kCsi, "spec.volumeAttributesClassName=\"C\""},
        {"spec.volumeAttributesClassName: Invalid value: \"C\": " + kBadSubdomain}},
       {{"spec.nodeAffinity={}"},
        {"spec.nodeAffinity.required: Required value: must specify required node constraints"}},
       {{"spec.nodeAffinity.required.nodeSelectorTerms=[]"},
        {"spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one "
         "node "
         "selector term"}}});
}

TEST(PersistentVolume, MountOptions) {
  const std::string options =
      "metadata.annotations['volume.beta.kubernetes.io/mount-options']=\"ro\"";
  const std::string refused =
      "metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify "
      "mount options for this volume type";
  const std::string modes = "spec.accessModes: Required value";
  const std::string nfs = R"(spec.nfs={"server":"s","path":"/"})";
  ExpectCreate<PersistentVolume>(kVolume, {{{options}, {refused}},
                                           {{options, "spec.hostPath", kCsi}, {refused}},
                                           {{options, "spec.hostPath", nfs}, {}},
                                           {{options, "spec.accessModes=[]"}, {modes, refused}}});
  // Upstream's second look at the volume itself passes over them.
  ExpectUpdate<PersistentVolume>(
      kVolume,
      {{{options}, {refused}}, {{options, "spec.accessModes=[]"}, {modes, refused, modes}}});
}

TEST(PersistentVolume, OneSource) {
  const std::string more = ": Forbidden: may not specify more than 1 volume type";
  std::vector<std::string> edits = {"spec.csi={}", "spec.flexVolume={\"driver\":\"d\"}"};
  std::vector<std::string> errors;
  for (const char* name : {"gcePersistentDisk",
                           "awsElasticBlockStore",
                           "glusterfs",
                           "flocker",
                           "nfs",
                           "rbd",
                           "quobyte",
                           "cephFS",
                           "iscsi",
                           "cinder",
                           "fc",
                           "azureFile",
                           "vsphereVolume",
                           "photonPersistentDisk",
                           "portworxVolume",
                           "azureDisk",
                           "scaleIO",
                           "local",
                           "storageos",
                           "csi"}) {
    const std::string json_name = std::string(name) == "cephFS" ? "cephfs" : name;
    if (json_name != "csi") edits.push_back("spec." + json_name + "={}");
    errors.push_back(std::string("spec.") + name + more);
  }
  ExpectCreate<PersistentVolume>(
      kVolume,
      {{edits, errors}, {{"spec.hostPath"}, {"spec: Required value: must specify a volume type"}}});
}

TEST(PersistentVolume, Sources) {
  const std::string required = ": Required value";
  const std::string prefix = "spec.hostPath";
  ExpectCreate<PersistentVolume>(
      Edited(kVolume, {prefix}),
      {{{"spec.gcePersistentDisk={}"}, {"spec.persistentDisk.pdName" + required}},
       {{"spec.awsElasticBlockStore={}"}, {"spec.awsElasticBlockStore.volumeID" + required}},
       {{"spec.glusterfs={\"endpointsNamespace\":\"\"}"},
        {"spec.glusterfs.endpoints" + required, "spec.glusterfs.path" + required,
         "spec.glusterfs.endpointsNamespace: Invalid value: \"\": if the endpointnamespace is set, "
         "it must be a valid namespace name"}},
       {{R"(spec.glusterfs={"endpoints":"e","path":"p","endpointsNamespace":"N"})"},
        {"spec.glusterfs.endpointsNamespace: Invalid value: \"N\": " + kBadLabel}},
       {{"spec.rbd={}"}, {"spec.rbd.monitors" + required, "spec.rbd.image" + required}},
       {{"spec.cephfs={}"}, {"spec.cephfs.monitors" + required}},
       {{"spec.cinder={\"secretRef\":{}}"},
        {"spec.cinder.volumeID" + required, "spec.cinder.secretRef.name" + required,
         "spec.cinder.secretRef.namespace" + required}},
       {{R"(spec.flexVolume={"options":{"k8s.io/a":"b"}})"},
        {"spec.flexVolume.driver" + required,
         "spec.flexVolume.options[k8s.io/a]: Invalid value: \"k8s.io/a\": kubernetes.io and k8s.io "
         "namespaces are reserved"}},
       {{"spec.azureFile={\"secretNamespace\":\"\"}"},
        {"spec.azureFile.secretName" + required, "spec.azureFile.shareName" + required,
         "spec.azureFile.secretNamespace" + required}},
       {{"spec.scaleIO={}"},
        {"spec.scaleIO.gateway" + required, "spec.scaleIO.system" + required,
         "spec.scaleIO.volumeName" + required}},
       {{R"(spec.storageos={"volumeNamespace":"N","secretRef":{}})"},
        {"spec.storageos.volumeName" + required,
         "spec.storageos.volumeNamespace: Invalid value: \"N\": " + kBadLabel,
         "spec.storageos.secretRef.name" + required,
         "spec.storageos.secretRef.namespace" + required}},
       {{"spec.local={}"},
        {"spec.local.path" + required,
         "spec.nodeAffinity: Required value: Local volume requires node affinity"}},
       {{"spec.local.path=\"..\"",
         R"(spec.nodeAffinity.required.nodeSelectorTerms=[{"matchExpressions":[{"key":"a","operator":"Exists"}]}])"},
        {"spec.local.path: Invalid value: \"..\": must not contain '..'"}},
       {{R"(spec.csi={"controllerExpandSecretRef":{},"nodePublishSecretRef":{"name":"S","namespace":"N"}})"},
        {"spec.csi.driver" + required, "spec.csi.volumeHandle" + required,
         "spec.csi.controllerExpandSecretRef.name" + required,
         "spec.csi.controllerExpandSecretRef.namespace" + required,
         "spec.csi.nodePublishSecretRef.name: Invalid value: \"S\": " + kBadSubdomain,
         "spec.csi.nodePublishSecretRef.namespace: Invalid value: \"N\": " + kBadLabel}},
       {{R"(spec.iscsi={"targetPortal":"1.2.3.4:3260","iqn":"iqn.2001-04.com.example:a","lun":1})"},
        {}},
       {{R"(spec.iscsi={"targetPortal":")" + std::string(63, 'p') +
         R"(","iqn":"x","initiatorName":"y","secretRef":{}})"},
        {"spec.iscsi.targetportal: Invalid value: \"" + std::string(63, 'p') +
             "\": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
             "if "
             "iscsi.initiatorName is specified.",
         "spec.iscsi.iqn: Invalid value: \"x\": must be valid format starting with iqn, eui, or "
         "naa",
         "spec.iscsi.secretRef.name" + required,
         "spec.iscsi.initiatorname: Invalid value: \"y\": must be valid format starting with iqn, "
         "eui, or naa"}}});
}

TEST(PersistentVolume, Update) {
  const std::string csi = Edited(kVolume, {"spec.hostPath", kCsi});
  ExpectUpdate<PersistentVolume>(
      csi, {{{R"(spec.csi.controllerExpandSecretRef={"name":"s","namespace":"n"})",
              "spec.capacity.storage=\"2Gi\"", "spec.volumeAttributesClassName=\"gold\""},
             {}},
            {{"spec.volumeMode=\"Block\""},
             {"volumeMode: Invalid value: \"Block\": field is immutable"}}});
  ExpectUpdate<PersistentVolume>(
      Edited(csi, {"spec.volumeAttributesClassName=\"gold\""}),
      {{{"spec.volumeAttributesClassName"},
        {"spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is "
         "forbidden"}}});
  const auto old_volume = Load<PersistentVolume>(kVolume);
  const auto volume = Load<PersistentVolume>(Edited(kVolume, {"spec.hostPath.path=\"/y\""}));
  const auto errors = Texts(ValidatePersistentVolumeUpdate(volume, old_volume));
  ASSERT_EQ(errors.size(), 1);
  EXPECT_THAT(errors[0], ::testing::StartsWith(
                             "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource "
                             "is immutable after creation\n"));
  EXPECT_THAT(errors[0], ::testing::HasSubstr("-  \"Path\": \"/x\",\n+  \"Path\": \"/y\",\n"));
}

TEST(PersistentVolume, NodeAffinity) {
  const std::string terms = "spec.nodeAffinity.required.nodeSelectorTerms";
  const auto term = [&](const std::string& key) {
    return terms + R"(=[{"matchExpressions":[{"key":")" + key +
           R"(","operator":"In","values":["a"]}]}])";
  };
  const std::string old = Edited(kVolume, {term("failure-domain.beta.kubernetes.io/zone")});
  ExpectUpdate<PersistentVolume>(kVolume, {{{term("x")}, {}}});
  ExpectUpdate<PersistentVolume>(
      old,
      {{{term("topology.kubernetes.io/zone")}, {}},
       {{"spec.nodeAffinity"},
        {"nodeAffinity: Invalid value: null: field is immutable, except for updating from beta "
         "label to GA"}},
       {{term("topology.kubernetes.io/region")},
        {"nodeAffinity: Invalid value: "
         "{\"Required\":{\"NodeSelectorTerms\":[{\"MatchExpressions\":[{\"Key\":\"topology."
         "kubernetes.io/"
         "region\",\"Operator\":\"In\",\"Values\":[\"a\"]}],\"MatchFields\":null}]}}: "
         "field is immutable, except for updating from beta label to GA"}}});
}

TEST(PersistentVolume, Status) {
  ExpectUpdate<PersistentVolume>(
      kVolume,
      {{{"status.phase=\"Bound\""}, {}},
       {{"metadata.resourceVersion=\"\""},
        {"metadata.resourceVersion: Invalid value: \"\": must be specified for an update",
         "resourceVersion: Required value"}}},
      "status");
}

TEST(PersistentVolume, Inline) {
  const auto errors = [](const std::vector<std::string>& edits) {
    const auto volume = Load<PersistentVolume>(Edited(kVolume, edits));
    return Texts(ValidateInlineVolumeSpec(volume.spec, field::Path("s")));
  };
  EXPECT_THAT(errors({"spec.hostPath", kCsi, "spec.capacity"}), ::testing::IsEmpty());
  const std::string in = "in the context of inline volumes";
  EXPECT_THAT(
      errors({"spec.claimRef={}", "spec.persistentVolumeReclaimPolicy=\"Delete\"",
              "spec.nodeAffinity={}", "spec.storageClassName=\"s\"", "spec.volumeMode=\"Block\""}),
      ::testing::ElementsAre(
          "s.claimRef: Forbidden: may not be specified " + in,
          "s.capacity: Forbidden: may not be specified " + in,
          "s.csi: Required value: has to be specified " + in,
          "s.persistentVolumeReclaimPolicy: Forbidden: may only be Retain " + in,
          "s.nodeAffinity: Forbidden: may not be specified " + in,
          "s.storageClassName: Forbidden: may not be specified " + in,
          "s.volumeMode: Forbidden: may not specify volumeMode other than Filesystem " + in));
}

}  // namespace
}  // namespace podium::api
