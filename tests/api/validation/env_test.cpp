// Environment variables.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string Env(const std::string& json) { return "spec.containers[0].env=" + json; }
std::string From(const std::string& json) {
  return R"(spec.containers[0].env=[{"name":"A","valueFrom":)" + json + "}]";
}
const std::string kAt = "spec.containers[0].env[0].valueFrom";

TEST(EnvTest, Names) {
  ExpectPodErrors({
      {{Env(R"([{"name":"A","value":"b"},{"name":"a.b-c d!"}])")}, {}},
      {{Env(R"([{"name":""}])")}, {"spec.containers[0].env[0].name: Required value"}},
      {{Env(R"([{"name":"A=B"}])")},
       {"spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name "
        "must consist only of printable ASCII characters other than '='"}},
  });
}

TEST(EnvTest, StrictNames) {
  PodValidationOptions strict{.resource_is_pod = true,
                              .allow_relaxed_environment_variable_validation = false};
  auto pod = Load<core::v1::Pod>(Edited(kPod, {Env(R"([{"name":"A!"}])")}));
  EXPECT_THAT(Texts(ValidatePodCreate(pod, strict)),
              ::testing::ElementsAre("spec.containers[0].env[0].name: Invalid value: \"A!\": a "
                                     "valid environment variable name "
                                     "must consist of alphabetic characters, digits, '_', '-', or "
                                     "'.', and must not start with a "
                                     "digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "
                                     "'MyEnvName1', regex used for validation "
                                     "is '[-._a-zA-Z][-._a-zA-Z0-9]*')"));
}

TEST(EnvTest, Sources) {
  ExpectPodErrors({
      {{From("{}")},
       {kAt + ": Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
              "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"}},
      {{From(R"({"fieldRef":{"fieldPath":"metadata.name"}})"),
        "spec.containers[0].env[0].value=\"x\""},
       {kAt + ": Invalid value: \"\": may not be specified when `value` is not empty"}},
      {{From(
           R"({"fieldRef":{"fieldPath":"metadata.name"},"configMapKeyRef":{"name":"m","key":"k"}})")},
       {kAt + ": Invalid value: \"\": may not have more than one field specified at a time"}},
  });
}

TEST(EnvTest, SourcesWithoutFiles) {
  ExpectPodErrors({{{From("{}")},
                    {kAt + ": Invalid value: \"\": must specify one of: `fieldRef`, "
                           "`resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"}}},
                  {.allow_env_files_validation = false});
}

TEST(EnvTest, FieldRef) {
  auto field = [](const std::string& path) {
    return From(R"({"fieldRef":{"apiVersion":"v1","fieldPath":")" + path + "\"}}");
  };
  std::vector<ErrorCase> cases = {
      {{From(R"({"fieldRef":{"fieldPath":""}})")}, {kAt + ".fieldRef.fieldPath: Required value"}},
      {{From(R"({"fieldRef":{"apiVersion":"v2","fieldPath":"metadata.name"}})")},
       {kAt + ".fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: "
              "unsupported pod version: v2"}},
      {{field("metadata.whoops")},
       {kAt +
        ".fieldRef.fieldPath: Invalid value: \"metadata.whoops\": error converting fieldPath: "
        "field label not supported: metadata.whoops"}},
      {{field("metadata.labels")},
       {kAt + ".fieldRef.fieldPath: Unsupported value: \"metadata.labels\": supported values: "
              "\"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", "
              "\"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", "
              "\"status.podIP\", \"status.podIPs\""}},
      {{field("metadata.name['x']")},
       {kAt + ".fieldRef.fieldPath: Invalid value: \"metadata.name['x']\": error converting "
              "fieldPath: field label does not support subscript: metadata.name['x']"}},
      {{field("metadata.labels['-']")},
       {kAt + ".fieldRef: Invalid value: \"-\": " + kNotQualified}},
      {{field("metadata.annotations['A/B']")}, {}},
  };
  for (const char* path :
       {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
        "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
        "status.podIPs", "metadata.labels['a/b']", "spec.host"}) {
    cases.push_back({{field(path)}, {}});
  }
  ExpectPodErrors(cases);
}

TEST(EnvTest, ResourceFieldRef) {
  auto resource = [](const std::string& name, const std::string& divisor) {
    return From(R"({"resourceFieldRef":{"resource":")" + name + "\",\"divisor\":\"" + divisor +
                "\"}}");
  };
  ExpectPodErrors({
      {{resource("limits.cpu", "1m")}, {}},
      {{resource("requests.hugepages-2Mi", "1Mi")}, {}},
      {{resource("", "0")}, {kAt + ".resourceFieldRef.resource: Required value"}},
      {{resource("limits.disk", "0")},
       {kAt + ".resourceFieldRef.resource: Unsupported value: \"limits.disk\": supported values: "
              "\"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", "
              "\"requests.ephemeral-storage\", \"requests.memory\""}},
      {{resource("limits.cpu", "2")},
       {kAt + ".resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m "
              "and 1 are supported with the cpu resource"}},
      {{resource("limits.memory", "3Ki")},
       {kAt +
        ".resourceFieldRef.divisor: Invalid value: \"limits.memory\": only divisor's values 1, "
        "1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory "
        "resource"}},
  });
}

TEST(EnvTest, KeyRefs) {
  ExpectPodErrors({
      {{From(R"({"configMapKeyRef":{"name":"m","key":"k"}})")}, {}},
      {{From(R"({"configMapKeyRef":{"name":"m"}})")},
       {kAt + ".configMapKeyRef.key: Required value"}},
      {{From(R"({"configMapKeyRef":{"name":"M","key":"a b"}})")},
       {kAt + ".configMapKeyRef.name: Invalid value: \"M\": " + kNotSubdomain,
        kAt + ".configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of "
              "alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
              "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"}},
      {{From(R"({"secretKeyRef":{"name":"s","key":"k"}})")}, {}},
      {{From(R"({"secretKeyRef":{"name":"S","key":""}})")},
       {kAt + ".secretKeyRef.name: Invalid value: \"S\": " + kNotSubdomain,
        kAt + ".secretKeyRef.key: Required value"}},
      {{From(R"({"secretKeyRef":{"name":"s","key":".."}})")},
       {kAt + ".secretKeyRef.key: Invalid value: \"..\": must not be '..'"}},
  });
}

TEST(EnvTest, FileKeyRef) {
  const std::string ref =
      From(R"({"fileKeyRef":{"volumeName":"v","path":"env","key":"K","optional":false}})");
  const std::string volume = R"(spec.volumes=[{"name":"v","emptyDir":{}}])";
  const std::string file = kAt + ".fileKeyRef";
  ExpectPodErrors({
      {{ref, volume}, {}},
      {{ref}, {file + ".volumeName: Not found: \"v\""}},
      {{ref, R"(spec.volumes=[{"name":"v","hostPath":{"path":"/"}}])"},
       {file + ".volumeName: Invalid value: \"v\": referenced volume must be of type emptyDir"}},
      {{From(R"({"fileKeyRef":{"volumeName":"","path":"","key":""}})")},
       {file + ".key: Required value", file + ".volumeName: Required value",
        file + ".path: Required value", file + ".volumeName: Not found: \"\""}},
      {{volume, From(R"({"fileKeyRef":{"volumeName":"v","path":"a/../b","key":"K"}})")},
       {file + ".path: Invalid value: \"a/../b\": must not contain '..'"}},
  });
}

TEST(EnvTest, EnvFrom) {
  auto env_from = [](const std::string& json) { return "spec.containers[0].envFrom=" + json; };
  const std::string at = "spec.containers[0].envFrom";
  ExpectPodErrors({
      {{env_from(R"([{"configMapRef":{"name":"m"}},{"prefix":"P_","secretRef":{"name":"s"}}])")},
       {}},
      {{env_from(R"([{}])")},
       {at + ": Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"}},
      {{env_from(R"([{"configMapRef":{"name":"m"},"secretRef":{"name":"s"}}])")},
       {at + ": Invalid value: \"\": may not have more than one field specified at a time"}},
      {{env_from(R"([{"configMapRef":{"name":""}},{"secretRef":{"name":"S"}}])")},
       {at + "[0].configMapRef.name: Required value",
        at + "[1].secretRef.name: Invalid value: \"S\": " + kNotSubdomain}},
      {{env_from(R"([{"prefix":"a=","secretRef":{"name":"s"}}])")},
       {at +
        "[0].prefix: Invalid value: \"a=\": a valid environment variable name must consist only "
        "of printable ASCII characters other than '='"}},
  });
}

}  // namespace
}  // namespace podium::api
