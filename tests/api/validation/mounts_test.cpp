// Mounts and devices of containers.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

const char* const kVolumes =
    R"(spec.volumes=[{"name":"v","emptyDir":{}},{"name":"w","emptyDir":{}},
                     {"name":"claim","persistentVolumeClaim":{"claimName":"c"}}])";
std::string Mounts(const std::string& json) { return "spec.containers[0].volumeMounts=" + json; }
std::string Devices(const std::string& json) { return "spec.containers[0].volumeDevices=" + json; }
const std::string kM = "spec.containers[0].volumeMounts";
const std::string kD = "spec.containers[0].volumeDevices";

TEST(MountsTest, NamesAndPaths) {
  ExpectPodErrors({
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v"},{"name":"v","mountPath":"/w"}])")}, {}},
      {{kVolumes, Mounts(R"([{"name":"x","mountPath":"/v"}])")},
       {kM + "[0].name: Not found: \"x\""}},
      {{kVolumes, Mounts(R"([{"name":"","mountPath":""}])")},
       {kM + "[0].name: Required value", kM + "[0].name: Not found: \"\"",
        kM + "[0].mountPath: Required value"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v"},{"name":"w","mountPath":"/v"}])")},
       {kM + "[1].mountPath: Invalid value: \"/v\": must be unique"}},
      // A volume with an error cannot be mounted.
      {{R"(spec.volumes=[{"name":"v","emptyDir":{},"hostPath":{"path":"/"}}])",
        Mounts(R"([{"name":"v","mountPath":"/v"}])")},
       {"spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
        kM + "[0].name: Not found: \"v\""}},
  });
}

TEST(MountsTest, SubPaths) {
  ExpectPodErrors({
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","subPath":"a/b"}])")}, {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","subPathExpr":"$(A)/b"}])")}, {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","subPath":"/a"}])")},
       {kM + ".subPath: Invalid value: \"/a\": must be a relative path"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","subPath":"a/../../b"}])")},
       {kM + ".subPath: Invalid value: \"a/../../b\": must not contain '..'"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","subPath":"a","subPathExpr":"/.."}])")},
       {kM + "[0].subPathExpr: Invalid value: \"/..\": subPathExpr and subPath are mutually "
             "exclusive",
        kM + ".subPathExpr: Invalid value: \"/..\": must be a relative path",
        kM + ".subPathExpr: Invalid value: \"/..\": must not contain '..'"}},
  });
}

TEST(MountsTest, Propagation) {
  ExpectPodErrors({
      {{kVolumes,
        Mounts(R"([{"name":"v","mountPath":"/v","mountPropagation":"HostToContainer"}])")},
       {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","mountPropagation":"x"}])")},
       {kM + ".mountPropagation: Unsupported value: \"x\": supported values: \"Bidirectional\", "
             "\"HostToContainer\", \"None\""}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","mountPropagation":"Bidirectional"}])")},
       {kM + ".mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
             "privileged containers"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","mountPropagation":"Bidirectional"}])"),
        R"(spec.containers[0].securityContext={"privileged":true})"},
       {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","mountPropagation":"Bidirectional"}])"),
        R"(spec.containers[0].securityContext={"privileged":false})"},
       {kM + ".mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
             "privileged containers"}},
  });
}

TEST(MountsTest, RecursiveReadOnly) {
  ExpectPodErrors({
      {{kVolumes,
        Mounts(R"([{"name":"v","mountPath":"/v","readOnly":true,"recursiveReadOnly":"Enabled"}])")},
       {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","recursiveReadOnly":"Disabled"}])")}, {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","readOnly":true,
                              "mountPropagation":"None","recursiveReadOnly":"Enabled"}])")},
       {}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","recursiveReadOnly":"IfPossible"}])")},
       {kM + ".recursiveReadOnly: Forbidden: may only be specified when readOnly is true"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","readOnly":true,
                              "mountPropagation":"HostToContainer","recursiveReadOnly":"Enabled"}])")},
       {kM +
        ".recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or "
        "not specified"}},
      {{kVolumes, Mounts(R"([{"name":"v","mountPath":"/v","recursiveReadOnly":"x"}])")},
       {kM + ".recursiveReadOnly: Unsupported value: \"x\": supported values: \"Disabled\", "
             "\"Enabled\", \"IfPossible\""}},
  });
}

TEST(MountsTest, Devices) {
  ExpectPodErrors({
      {{kVolumes, Devices(R"([{"name":"claim","devicePath":"/dev/x"}])")}, {}},
      {{kVolumes, Devices(R"([{"name":"v","devicePath":"/dev/x"}])")},
       {kD + "[0].name: Invalid value: \"v\": can only use volume source type of "
             "PersistentVolumeClaim or Ephemeral for block mode"}},
      {{kVolumes, Devices(R"([{"name":"x","devicePath":"/dev/x"}])")},
       {kD + "[0].name: Not found: \"x\""}},
      {{kVolumes, Devices(R"([{"name":"","devicePath":""}])")},
       {kD + "[0].name: Required value", kD + "[0].name: Not found: \"\"",
        kD + "[0].devicePath: Required value"}},
      {{kVolumes, Devices(R"([{"name":"claim","devicePath":"/dev/x"},
                              {"name":"claim","devicePath":"/dev/x"}])")},
       {kD + "[1].name: Invalid value: \"claim\": must be unique",
        kD + "[1].devicePath: Invalid value: \"/dev/x\": must be unique"}},
      {{kVolumes, Devices(R"([{"name":"claim","devicePath":"/dev/../x"}])")},
       {kD + "[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')"}},
      {{kVolumes, Devices(R"([{"name":"claim","devicePath":"/x"}])"),
        Mounts(R"([{"name":"claim","mountPath":"/x"}])")},
       {kM + "[0].name: Invalid value: \"claim\": must not already exist in volumeDevices",
        kM + "[0].mountPath: Invalid value: \"/x\": must not already exist as a path in "
             "volumeDevices",
        kD + "[0].name: Invalid value: \"claim\": must not already exist in volumeMounts",
        kD + "[0].devicePath: Invalid value: \"/x\": must not already exist as a path in "
             "volumeMounts"}},
  });
}

}  // namespace
}  // namespace podium::api
