#include "api/validation/storage.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using storage::v1::CSIDriver;
using storage::v1::CSINode;
using storage::v1::CSIStorageCapacity;
using storage::v1::StorageClass;
using storage::v1::VolumeAttachment;
using storage::v1::VolumeAttributesClass;

TEST(Storage, StorageClass) {
  constexpr char kClass[] = R"({"metadata": {"name": "s"}, "provisioner": "example.com/P"})";
  const std::string topology = "allowedTopologies[0].matchLabelExpressions";
  ExpectCreate<StorageClass>(
      kClass,
      {{{"parameters.a=\"b\"", topology + R"(=[{"key":"a","values":["b"]}])"}, {}},
       {{"provisioner=\"\"", "reclaimPolicy=\"Recycle\"", "volumeBindingMode=\"X\""},
        {"provisioner: Required value",
         "reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\"",
         "volumeBindingMode: Unsupported value: \"X\": supported values: \"Immediate\", "
         "\"WaitForFirstConsumer\""}},
       {{"provisioner=\"-\"", "parameters['']=\"x\""},
        {"provisioner: Invalid value: \"-\": " + kBadQualified,
         "parameters: Invalid value: \"\": field can not be empty."}},
       {{"parameters.a=\"" + std::string(256 * 1024, 'x') + "\""},
        {"parameters: Too long: may not be more than 262144 bytes"}},
       {{topology + R"(=[{"key":"-"},{"key":"a","values":["b","b"]},{"key":"a","values":["c"]}])"},
        {topology + "[0].values: Required value",
         topology + "[0].key: Invalid value: \"-\": " + kBadQualified,
         topology + "[1].values[1]: Duplicate value: \"b\"",
         topology + "[2].key: Duplicate value: \"a\""}},
       {{R"(allowedTopologies=[{"matchLabelExpressions":[{"key":"a","values":["b"]}]},{"matchLabelExpressions":[{"key":"a","values":["b"]}]}])"},
        {"allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\""}}});
  ExpectUpdate<StorageClass>(
      kClass,
      {{{"allowVolumeExpansion=true"}, {}},
       {{"parameters.a=\"b\"", "provisioner=\"q\"", "reclaimPolicy=\"Retain\"",
         "volumeBindingMode=\"WaitForFirstConsumer\""},
        {"parameters: Forbidden: updates to parameters are forbidden.",
         "provisioner: Forbidden: updates to provisioner are forbidden.",
         "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
         "volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable"}}});
  auto storage_class = Load<StorageClass>(kClass);
  storage_class.volumeBindingMode.reset();
  for (int i = 0; i < 513; ++i) storage_class.parameters[std::to_string(i)] = "";
  EXPECT_THAT(Texts(ValidateStorageClass(storage_class)),
              ::testing::ElementsAre("parameters: Too long: may not be more than 512 bytes",
                                     "volumeBindingMode: Required value"));
}

TEST(Storage, VolumeAttributesClass) {
  constexpr char kClass[] =
      R"({"metadata": {"name": "s"}, "driverName": "d", "parameters": {"a": "b"}})";
  const std::string none = "parameters: Required value: must contain at least one key/value pair";
  ExpectCreate<VolumeAttributesClass>(
      kClass,
      {{{}, {}}, {{"driverName=\"\"", "parameters={}"}, {"driverName: Required value", none}}});
  ExpectUpdate<VolumeAttributesClass>(
      kClass, {{{"metadata.labels.a=\"b\""}, {}},
               {{"driverName=\"e\"", "parameters={}"},
                {none, "driverName: Forbidden: updates to driverName are forbidden.",
                 "parameters: Forbidden: updates to parameters are forbidden.", none}}});
}

TEST(Storage, CSIStorageCapacity) {
  constexpr char kCapacity[] =
      R"({"metadata": {"name": "c", "namespace": "n"}, "storageClassName": "s", "capacity": "1Gi"})";
  ExpectCreate<CSIStorageCapacity>(
      kCapacity,
      {{{"nodeTopology.matchLabels.a=\"b\""}, {}},
       {{"nodeTopology.matchLabels.a=\"-\"", "storageClassName=\"S\"", "capacity=\"-1\""},
        {"nodeTopology.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         "storageClassName: Invalid value: \"S\": " + kBadSubdomain,
         "capacity: Invalid value: \"-1\": must be greater than or equal to 0"}}});
  ExpectUpdate<CSIStorageCapacity>(
      kCapacity, {{{"capacity=\"2Gi\""}, {}},
                  {{"nodeTopology={}", "storageClassName=\"t\""},
                   {"nodeTopology: Invalid value: {}: field is immutable",
                    "storageClassName: Invalid value: \"t\": field is immutable"}}});
}

TEST(Storage, CSIDriver) {
  constexpr char kDriver[] = R"({"metadata": {"name": "d"}, "spec": {}})";
  const std::string tokens = "spec.tokenRequests";
  ExpectCreate<CSIDriver>(
      kDriver,
      {{{"spec.fsGroupPolicy=\"File\"", R"(spec.volumeLifecycleModes=["Ephemeral"])",
         tokens + R"(=[{"audience":"a","expirationSeconds":600}])",
         "spec.serviceAccountTokenInSecrets=true", "spec.nodeAllocatableUpdatePeriodSeconds=10"},
        {}},
       {{"spec.fsGroupPolicy=\"X\"", R"(spec.volumeLifecycleModes=["X"])",
         "spec.serviceAccountTokenInSecrets=false", "spec.nodeAllocatableUpdatePeriodSeconds=9"},
        {"spec.fsGroupPolicy: Unsupported value: \"X\": supported values: \"File\", \"None\", "
         "\"ReadWriteOnceWithFSType\"",
         "spec.volumeLifecycleModes: Unsupported value: \"X\": supported values: \"Persistent\", "
         "\"Ephemeral\"",
         "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal "
         "to 10 seconds",
         "spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is "
         "set but no tokenRequests are specified"}},
       {{tokens +
         R"(=[{"audience":"a","expirationSeconds":599},{"audience":"a"},{"audience":"","expirationSeconds":4294967297}])"},
        {tokens + "[0].expirationSeconds: Invalid value: 599: may not specify a duration less than "
                  "10 minutes",
         tokens + "[1].audience: Duplicate value: \"a\"",
         tokens + "[2].expirationSeconds: Invalid value: 4294967297: may not specify a duration "
                  "larger than 2^32 seconds"}}});
  ExpectUpdate<CSIDriver>(
      kDriver, {{{"spec.requiresRepublish=true"}, {}},
                {{"spec.attachRequired=false", R"(spec.volumeLifecycleModes=["Ephemeral"])"},
                 {"spec.attachedRequired: Invalid value: false: field is immutable",
                  "spec.volumeLifecycleModes: Invalid value: [\"Ephemeral\"]: field is "
                  "immutable"}}});
  CSIDriver driver;
  driver.metadata.name = "d";
  EXPECT_THAT(Texts(ValidateCSIDriver(driver)),
              ::testing::ElementsAre(
                  "spec.attachedRequired: Required value", "spec.podInfoOnMount: Required value",
                  "spec.storageCapacity: Required value", "spec.seLinuxMount: Required value"));
}

TEST(Storage, CSINode) {
  constexpr char kNode[] = R"({"metadata": {"name": "n"}, "spec": {"drivers": [
      {"name": "d", "nodeID": "i", "topologyKeys": ["a"], "allocatable": {"count": 1}}]}})";
  ExpectCreate<CSINode>(
      kNode,
      {{{}, {}},
       {{R"(spec.drivers=[{"name":"D_","nodeID":"","topologyKeys":["","a","a"],"allocatable":{"count":-1}},{"name":"D_","nodeID":"i","topologyKeys":null}])"},
        {"spec.drivers[0].name: Invalid value: \"D_\": " + kBadSubdomain,
         "spec.drivers[0].nodeID: Required value",
         "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
         "spec.drivers[0]: Required value",
         "spec.drivers[0]: Invalid value: \"\": name part must be non-empty",
         "spec.drivers[0]: Invalid value: \"\": " + kBadQualified,
         "spec.drivers[0]: Duplicate value: \"a\"",
         "spec.drivers[1].name: Invalid value: \"D_\": " + kBadSubdomain,
         "spec.drivers[1].name: Duplicate value: \"D_\""}},
       {{"spec.drivers[0].nodeID=\"" + std::string(257, 'i') + "\""},
        {"spec.drivers[0].nodeID: Invalid value: \"" + std::string(257, 'i') +
         "\": must be 256 characters or less"}}});
  ExpectUpdate<CSINode>(
      kNode, {{{"spec.drivers[0].allocatable.count=2"}, {}},
              {{"spec.drivers=[]"}, {}},
              {{"spec.drivers[0].nodeID=\"j\""},
               {"spec.drivers: Invalid value: "
                "{\"Name\":\"d\",\"NodeID\":\"j\",\"TopologyKeys\":[\"a\"],\"Allocatable\":null}: "
                "field is immutable"}}});
}

TEST(Storage, VolumeAttachment) {
  constexpr char kAttachment[] = R"({"metadata": {"name": "a"},
    "spec": {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "v"}}})";
  const std::string one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const std::string inline_spec =
      R"(spec.source.inlineVolumeSpec={"accessModes":["ReadWriteOnce"],"csi":{"driver":"d","volumeHandle":"h"}})";
  ExpectCreate<VolumeAttachment>(
      kAttachment,
      {{{}, {}},
       {{"spec.source.persistentVolumeName", inline_spec}, {}},
       {{"spec.attacher=\"\"", "spec.source={}", "spec.nodeName=\"N\""},
        {"spec.attacher: Required value", "spec.source: Required value: " + one,
         "spec.nodeName: Invalid value: \"N\": " + kBadSubdomain, "spec.attacher: Required value"}},
       {{inline_spec}, {"spec.source: Forbidden: " + one}},
       {{"spec.source.persistentVolumeName", "spec.source.inlineVolumeSpec={}"},
        {"spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of "
         "inline volumes",
         "spec.source.inlineVolumeSpec.accessModes: Required value",
         "spec.source.inlineVolumeSpec: Required value: must specify a volume type"}},
       {{"spec.source.persistentVolumeName=\"\""},
        {"spec.source.persistentVolumeName: Required value: must specify non empty "
         "persistentVolumeName",
         "spec.source.persistentVolumeName: Invalid value: \"\": " + kBadSubdomain}},
       {{"status.attachError.errorCode=-1",
         "status.attachmentMetadata.a=\"" + std::string(256 * 1024, 'x') + "\"",
         "status.detachError.message=\"" + std::string(1025, 'x') + "\""},
        {"status.attachmentMetadata: Too long: may not be more than 262144 bytes",
         "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, "
         "inclusive",
         "status.detachError.message: Too long: may not be more than 262144 bytes"}}});
  const std::string changed =
      "spec: Invalid value: "
      "{\"Attacher\":\"d\",\"Source\":{\"PersistentVolumeName\":\"v\",\"InlineVolumeSpec\":null},"
      "\"NodeName\":\"m\"}: field is immutable";
  ExpectUpdate<VolumeAttachment>(
      kAttachment, {{{"status.attached=true"}, {}}, {{"spec.nodeName=\"m\""}, {changed}}},
      "status");
  ExpectUpdate<VolumeAttachment>(kAttachment, {{{"spec.nodeName=\"m\""}, {changed}}});
}

}  // namespace
}  // namespace podium::api
