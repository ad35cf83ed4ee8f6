// Probes and hooks.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string Probe(const std::string& kind, const std::string& json) {
  return "spec.containers[0]." + kind + "=" + json;
}
const std::string kL = "spec.containers[0].livenessProbe";

TEST(ProbesTest, Handlers) {
  ExpectPodErrors({
      {{Probe("livenessProbe", R"({"exec":{"command":["x"]}})")}, {}},
      {{Probe("livenessProbe", R"({"httpGet":{"path":"/","port":80}})")}, {}},
      {{Probe("livenessProbe", R"({"tcpSocket":{"port":"http"}})")}, {}},
      {{Probe("livenessProbe", R"({"grpc":{"port":80}})")}, {}},
      {{Probe("livenessProbe", "{}")}, {kL + ": Required value: must specify a handler type"}},
      {{Probe("livenessProbe", R"({"exec":{"command":["x"]},"httpGet":{"port":80},
                                  "tcpSocket":{"port":1},"grpc":{"port":1}})")},
       {kL + ".httpGet: Forbidden: may not specify more than 1 handler type",
        kL + ".tcpSocket: Forbidden: may not specify more than 1 handler type",
        kL + ".grpc: Forbidden: may not specify more than 1 handler type"}},
      {{Probe("livenessProbe", R"({"exec":{}})")}, {kL + ".exec.command: Required value"}},
      {{Probe("livenessProbe", R"({"httpGet":{"path":"/","port":0}})")},
       {kL + ".httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"}},
      {{Probe("livenessProbe", R"({"httpGet":{"path":"/","port":"HTTP"}})")},
       {kL + ".httpGet.port: Invalid value: \"HTTP\": must contain only alpha-numeric characters "
             "(a-z, 0-9), and hyphens (-)",
        kL + ".httpGet.port: Invalid value: \"HTTP\": must contain at least one letter (a-z)"}},
      {{Probe("livenessProbe", R"({"httpGet":{"path":"/","port":80,"scheme":"http"}})")},
       {kL +
        ".httpGet.scheme: Unsupported value: \"http\": supported values: \"HTTP\", \"HTTPS\""}},
      {{Probe("livenessProbe",
              R"({"httpGet":{"path":"/","port":80,"httpHeaders":[{"name":"X-A","value":"b"}]}})")},
       {}},
      {{Probe("livenessProbe",
              R"({"httpGet":{"path":"/","port":80,"httpHeaders":[{"name":"X A","value":"b"}]}})")},
       {kL + ".httpGet.httpHeaders: Invalid value: \"X A\": a valid HTTP header must consist of "
             "alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is "
             "'[-A-Za-z0-9]+')"}},
      {{Probe("livenessProbe", R"({"tcpSocket":{"port":70000}})")},
       {kL + ".tcpSocket.port: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
      {{Probe("livenessProbe", R"({"grpc":{"port":0}})")},
       {kL + ".grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"}},
  });
}

TEST(ProbesTest, HttpPathIsRequiredWithoutDefaults) {
  EXPECT_THAT(
      RawCreateErrors(Edited(kPod, {Probe("livenessProbe", R"({"httpGet":{"port":80}})")})),
      ::testing::IsSupersetOf({kL + ".httpGet.path: Required value",
                               kL + ".httpGet.scheme: Unsupported value: \"\": supported values: "
                                    "\"HTTP\", \"HTTPS\""}));
}

TEST(ProbesTest, Numbers) {
  const std::string exec = R"("exec":{"command":["x"]})";
  ExpectPodErrors({
      {{Probe("livenessProbe", "{" + exec + R"(,"initialDelaySeconds":-1,"timeoutSeconds":-1,
              "periodSeconds":-1,"successThreshold":1,"failureThreshold":-1})")},
       {kL + ".initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0",
        kL + ".timeoutSeconds: Invalid value: -1: must be greater than or equal to 0",
        kL + ".periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        kL + ".failureThreshold: Invalid value: -1: must be greater than or equal to 0"}},
      {{Probe("livenessProbe", "{" + exec + R"(,"successThreshold":2})")},
       {kL + ".successThreshold: Invalid value: 2: must be 1"}},
      {{Probe("livenessProbe", "{" + exec + R"(,"successThreshold":-1})")},
       {kL + ".successThreshold: Invalid value: -1: must be greater than or equal to 0",
        kL + ".successThreshold: Invalid value: -1: must be 1"}},
      {{Probe("startupProbe", "{" + exec + R"(,"successThreshold":2})")},
       {"spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1"}},
      {{Probe("readinessProbe", "{" + exec + R"(,"successThreshold":2})")}, {}},
      {{Probe("livenessProbe", "{" + exec + R"(,"terminationGracePeriodSeconds":1})")}, {}},
      {{Probe("livenessProbe", "{" + exec + R"(,"terminationGracePeriodSeconds":0})")},
       {kL + ".terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"}},
      {{Probe("readinessProbe", "{" + exec + R"(,"terminationGracePeriodSeconds":1})")},
       {"spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must "
        "not "
        "be set for readinessProbes"}},
  });
}

TEST(ProbesTest, Lifecycle) {
  const std::string at = "spec.containers[0].lifecycle";
  ExpectPodErrors({
      {{Probe("lifecycle", R"({"postStart":{"exec":{"command":["x"]}},
                              "preStop":{"httpGet":{"port":80}}})")},
       {}},
      {{Probe("lifecycle", R"({"postStart":{},"preStop":{}})")},
       {at + ".postStart: Required value: must specify a handler type",
        at + ".preStop: Required value: must specify a handler type"}},
      {{Probe("lifecycle", R"({"preStop":{"tcpSocket":{"port":80}}})")}, {}},
      {{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":0}}})")}, {}},
      {{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":30}}})")}, {}},
      {{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":31}}})")},
       {at + ".preStop.sleep: Invalid value: 31: must be non-negative and less than "
             "terminationGracePeriodSeconds (30)"}},
      {{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":-1}}})")},
       {at + ".preStop.sleep: Invalid value: -1: must be non-negative and less than "
             "terminationGracePeriodSeconds (30)"}},
      {{Probe("lifecycle", R"({"preStop":{"exec":{"command":["x"]},"sleep":{"seconds":1}}})")},
       {at + ".preStop.sleep: Forbidden: may not specify more than 1 handler type"}},
      {{Probe("lifecycle", R"({"stopSignal":"SIGTERM"})")},
       {at + ".stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"}},
      {{Probe("lifecycle", R"({"stopSignal":"SIGRTMIN+3"})"), R"(spec.os={"name":"linux"})"}, {}},
      {{Probe("lifecycle", R"({"stopSignal":"SIGKILL"})"), R"(spec.os={"name":"windows"})"}, {}},
      {{Probe("lifecycle", R"({"stopSignal":"SIGHUP"})"), R"(spec.os={"name":"windows"})"},
       {at + ".stopSignal: Unsupported value: \"SIGHUP\": supported values: \"SIGKILL\", "
             "\"SIGTERM\""}},
  });
}

TEST(ProbesTest, UnknownLinuxSignalsAreToldAll) {
  std::vector<std::string> errors = CreateErrors(Edited(
      kPod, {Probe("lifecycle", R"({"stopSignal":"TERM"})"), R"(spec.os={"name":"linux"})"}));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0],
              ::testing::StartsWith("spec.containers[0].lifecycle.stopSignal: Unsupported value: "
                                    "\"TERM\": supported values: \"SIGABRT\", \"SIGALRM\", "
                                    "\"SIGBUS\""));
  EXPECT_THAT(errors[0], ::testing::EndsWith("\"SIGXCPU\", \"SIGXFSZ\""));
  EXPECT_THAT(errors[0], ::testing::HasSubstr("\"SIGRTMAX-14\", \"SIGRTMAX-2\""));
}

TEST(ProbesTest, ZeroSleepWithoutTheGate) {
  PodValidationOptions options{.resource_is_pod = true,
                               .allow_pod_lifecycle_sleep_action_zero_value = false};
  auto pod = Load<core::v1::Pod>(
      Edited(kPod, {Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":0}}})")}));
  EXPECT_THAT(Texts(ValidatePodCreate(pod, options)),
              ::testing::ElementsAre(
                  "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 0: must be greater "
                  "than 0 and less than terminationGracePeriodSeconds (30). Enable "
                  "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."));
  ExpectPodErrors(
      {{{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":30}}})")}, {}},
       {{Probe("lifecycle", R"({"preStop":{"sleep":{"seconds":31}}})")},
        {"spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be greater than 0 "
         "and less than terminationGracePeriodSeconds (30). Enable "
         "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."}}},
      options);
}

}  // namespace
}  // namespace podium::api
