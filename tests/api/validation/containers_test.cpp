// Containers of the three kinds: names, ports, policies.
#include "api/validation/containers.h"

#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

constexpr char kC[] = "spec.containers[0]";
std::string C(const std::string& rest) { return kC + rest; }
std::string I(const std::string& rest) { return "spec.initContainers[0]" + rest; }

const char* const kInit = R"(spec.initContainers[0]={"name":"i","image":"i"})";
const char* const kSidecar =
    R"(spec.initContainers[0]={"name":"i","image":"i","restartPolicy":"Always"})";

TEST(ContainersTest, NamesAndImages) {
  ExpectPodErrors({
      {{}, {}},
      {{"spec.containers=[]"}, {"spec.containers: Required value"}},
      {{C(".name=\"\"")}, {"spec.containers[0].name: Required value"}},
      {{C(".name=\"A\"")}, {"spec.containers[0].name: Invalid value: \"A\": " + kNotLabel}},
      {{C(".name=\"a.b\"")},
       {"spec.containers[0].name: Invalid value: \"a.b\": must not contain dots"}},
      {{C(".image")}, {"spec.containers[0].image: Required value"}},
      {{C(".image=\" i\"")},
       {"spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
        "whitespace"}},
      {{C(".image=\"i\\u00a0\"")},
       {"spec.containers[0].image: Invalid value: \"i\\u00a0\": must not have leading or trailing "
        "whitespace"}},
      {{"spec.containers[1]={\"name\":\"c\",\"image\":\"i\"}"},
       {"spec.containers[1].name: Duplicate value: \"c\""}},
      {{"spec.containers[1]={\"name\":\"d\",\"image\":\"i\"}"}, {}},
      {{kInit, I(".name=\"c\"")}, {"spec.initContainers[0].name: Duplicate value: \"c\""}},
      {{kInit, I(".image=\" \"")},
       {"spec.initContainers[0].image: Invalid value: \" \": must not have leading or trailing "
        "whitespace"}},
      {{kInit, "spec.initContainers[1]={\"name\":\"i\",\"image\":\"i\"}"},
       {"spec.initContainers[1].name: Duplicate value: \"i\""}},
  });
}

TEST(ContainersTest, DefaultedFieldsAreRequired) {
  EXPECT_THAT(RawCreateErrors(kPod),
              ::testing::ElementsAre("spec.terminationGracePeriodSeconds: Required value",
                                     "spec.containers[0].terminationMessagePolicy: Required value",
                                     "spec.containers[0].imagePullPolicy: Required value",
                                     "spec.restartPolicy: Required value",
                                     "spec.dnsPolicy: Required value"));
}

TEST(ContainersTest, Policies) {
  ExpectPodErrors({
      {{C(".terminationMessagePolicy=\"FallbackToLogsOnError\"")}, {}},
      {{C(".terminationMessagePolicy=\"x\"")},
       {"spec.containers[0].terminationMessagePolicy: Unsupported value: \"x\": supported values: "
        "\"File\", \"FallbackToLogsOnError\""}},
      {{C(".imagePullPolicy=\"Never\"")}, {}},
      {{C(".imagePullPolicy=\"x<\"")},
       {"spec.containers[0].imagePullPolicy: Unsupported value: \"x\\u003c\": supported values: "
        "\"Always\", \"IfNotPresent\", \"Never\""}},
  });
}

TEST(ContainersTest, Ports) {
  const std::string port = R"(spec.containers[0].ports[0]={"containerPort":80})";
  const std::string second = R"(spec.containers[0].ports[1]={"containerPort":81})";
  auto p = [](const std::string& rest) { return "spec.containers[0].ports" + rest; };
  ExpectPodErrors({
      {{port}, {}},
      {{port, p("[0].containerPort")},
       {"spec.containers[0].ports[0].containerPort: Required value"}},
      {{port, p("[0].containerPort=65536")},
       {"spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and "
        "65535, inclusive"}},
      {{port, p("[0].containerPort=-1")},
       {"spec.containers[0].ports[0].containerPort: Invalid value: -1: must be between 1 and "
        "65535, "
        "inclusive"}},
      {{port, p("[0].hostPort=65535")}, {}},
      {{port, p("[0].hostPort=65536")},
       {"spec.containers[0].ports[0].hostPort: Invalid value: 65536: must be between 1 and 65535, "
        "inclusive"}},
      {{port, p("[0].protocol=\"SCTP\"")}, {}},
      {{port, p("[0].protocol=\"tcp\"")},
       {"spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: "
        "\"SCTP\", \"TCP\", \"UDP\""}},
      {{port, p("[0].name=\"http\"")}, {}},
      {{port, p("[0].name=\"-\"")},
       {"spec.containers[0].ports[0].name: Invalid value: \"-\": must contain at least one letter "
        "(a-z)",
        "spec.containers[0].ports[0].name: Invalid value: \"-\": must not begin or end with a "
        "hyphen"}},
      {{port, p("[0].name=\"sixteen-chars-ab\"")},
       {"spec.containers[0].ports[0].name: Invalid value: \"sixteen-chars-ab\": must be no more "
        "than 15 bytes"}},
      {{port, second, p("[0].name=\"a\""), p("[1].name=\"a\"")},
       {"spec.containers[0].ports[1].name: Duplicate value: \"a\""}},
      {{port, second, p("[0].hostPort=8080"), p("[1].hostPort=8080")},
       {"spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//8080\""}},
      {{port, second, p("[0].hostPort=8080"), p("[1].hostPort=8080"), p("[1].protocol=\"UDP\"")},
       {}},
      {{port, second, p("[0].hostPort=8080"), p("[1].hostPort=8080"), p("[1].hostIP=\"10.0.0.1\"")},
       {}},
      {{port, p("[0].hostPort=8080"),
        R"(spec.containers[1]={"name":"d","image":"i","ports":[{"containerPort":1,"hostPort":8080}]})"},
       {"spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//8080\""}},
      // Init containers run one after the other; sharing a port among two of them is fine.
      {{R"(spec.initContainers=[{"name":"i","image":"i","ports":[{"containerPort":1,"hostPort":2}]},
                                {"name":"j","image":"i","ports":[{"containerPort":1,"hostPort":2},
                                 {"containerPort":3,"hostPort":2}]}])"},
       {"spec.initContainers[0].ports[1].hostPort: Duplicate value: \"TCP//2\""}},
  });
}

TEST(ContainersTest, ResizePolicy) {
  auto r = [](const std::string& json) { return "spec.containers[0].resizePolicy=" + json; };
  ExpectPodErrors({
      {{r(R"([{"resourceName":"cpu","restartPolicy":"NotRequired"},
              {"resourceName":"memory","restartPolicy":"RestartContainer"}])")},
       {}},
      {{r(R"([{"resourceName":"cpu","restartPolicy":"NotRequired"},
              {"resourceName":"cpu","restartPolicy":"NotRequired"}])")},
       {"spec.containers[0].resizePolicy[1]: Duplicate value: \"cpu\""}},
      {{r(R"([{"resourceName":"","restartPolicy":""}])")},
       {"spec.containers[0].resizePolicy: Required value",
        "spec.containers[0].resizePolicy: Required value"}},
      {{r(R"([{"resourceName":"disk","restartPolicy":"x"}])")},
       {"spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", "
        "\"memory\"",
        "spec.containers[0].resizePolicy: Unsupported value: \"x\": supported values: "
        "\"NotRequired\", \"RestartContainer\""}},
      {{r(R"([{"resourceName":"cpu","restartPolicy":"RestartContainer"}])"),
        "spec.restartPolicy=\"Never\""},
       {"spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be "
        "'NotRequired' "
        "when pod `restartPolicy` is 'Never'"}},
      {{kSidecar,
        I(R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"RestartContainer"}])")},
       {}},
      {{kInit, I(R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"NotRequired"}])")}, {}},
      {{kInit, I(R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"RestartContainer"}])")},
       {"spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: "
        "\"RestartContainer\": "
        "must not be set to 'RestartContainer' for non-sidecar initContainers"}},
  });
}

TEST(ContainersTest, RestartPolicyAndRules) {
  const std::string rule =
      R"(.restartPolicyRules=[{"action":"Restart","exitCodes":{"operator":"In","values":[42]}}])";
  ExpectPodErrors({
      {{C(".restartPolicy=\"Never\"")}, {}},
      {{C(".restartPolicy=\"Never\""), C(rule)}, {}},
      {{C(".restartPolicy=\"x\"")},
       {"spec.containers[0].restartPolicy: Unsupported value: \"x\": supported values: \"Always\", "
        "\"Never\", \"OnFailure\""}},
      {{C(rule)},
       {"spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart "
        "rules are used"}},
      {{C(".restartPolicy=\"Never\""), C(rule),
        C(".restartPolicyRules[0].action=\"RestartAllContainers\"")},
       {}},
      {{C(".restartPolicy=\"Never\""), C(rule), C(".restartPolicyRules[0].action=\"Stop\"")},
       {"spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Stop\": supported "
        "values: \"Restart\", \"RestartAllContainers\""}},
      {{C(".restartPolicy=\"Never\""), C(rule), C(".restartPolicyRules[0].exitCodes")},
       {"spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified"}},
      {{C(".restartPolicy=\"Never\""), C(rule),
        C(".restartPolicyRules[0].exitCodes.operator=\"Is\"")},
       {"spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: \"Is\": "
        "supported values: \"In\", \"NotIn\""}},
      {{kInit, I(rule)},
       {"spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when "
        "restart rules are used"}},
      {{kInit, I(".restartPolicy=\"OnFailure\""), I(rule)}, {}},
      {{kSidecar, I(rule)}, {}},
      {{kInit, I(".restartPolicy=\"x\"")},
       {"spec.initContainers[0].restartPolicy: Unsupported value: \"x\": supported values: "
        "\"Always\", \"Never\", \"OnFailure\""}},
  });
}

TEST(ContainersTest, RestartRulesAreFew) {
  auto with = [](size_t rules, size_t values) {
    std::string list;
    for (size_t i = 0; i < rules; ++i) {
      std::string codes;
      for (size_t j = 0; j < values; ++j) codes += (j ? "," : "") + std::to_string(j);
      list += std::string(i ? "," : "") +
              R"({"action":"Restart","exitCodes":{"operator":"In","values":[)" + codes + "]}}";
    }
    return std::vector<std::string>{C(".restartPolicy=\"Never\""),
                                    C(".restartPolicyRules=[" + list + "]")};
  };
  ExpectPodErrors({
      {with(20, 1), {}},
      {with(21, 1),
       {"spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items"}},
      {with(1, 255), {}},
      {with(1, 256),
       {"spec.containers[0].restartPolicyRules[0].exitCodes.values: Too many: 256: must have at "
        "most "
        "255 items"}},
  });
}

TEST(ContainersTest, GatesOfRestartRules) {
  auto errors = [](const std::vector<std::string>& edits, const PodValidationOptions& options) {
    return Texts(ValidatePodCreate(Load<core::v1::Pod>(Edited(kPod, edits)), options));
  };
  PodValidationOptions no_rules{.resource_is_pod = true,
                                .allow_container_restart_policy_rules = false};
  PodValidationOptions no_all{.resource_is_pod = true, .allow_restart_all_containers = false};
  EXPECT_THAT(errors({C(".restartPolicy=\"Never\"")}, no_rules),
              ::testing::ElementsAre(
                  "spec.containers[0].restartPolicy: Forbidden: may not be set for non-init "
                  "containers"));
  EXPECT_THAT(errors({kSidecar}, no_rules), ::testing::IsEmpty());
  EXPECT_THAT(errors({kInit, I(".restartPolicy=\"Never\"")}, no_rules),
              ::testing::ElementsAre("spec.initContainers[0].restartPolicy: Unsupported value: "
                                     "\"Never\": supported values: \"Always\""));
  const std::string rule =
      R"(.restartPolicyRules=[{"action":"Restart","exitCodes":{"operator":"In","values":[42]}}])";
  EXPECT_THAT(
      errors({kSidecar, I(rule)}, no_all),
      ::testing::ElementsAre(
          "spec.initContainers[0].restartPolicyRules: Forbidden: restartPolicyRules are not "
          "allowed for init containers with restart policy Always"));
  EXPECT_THAT(
      errors({C(".restartPolicy=\"Never\""), C(rule),
              C(".restartPolicyRules[0].action=\"RestartAllContainers\"")},
             no_all),
      ::testing::ElementsAre("spec.containers[0].restartPolicyRules[0].action: Unsupported value: "
                             "\"RestartAllContainers\": supported values: \"Restart\""));
  PodValidationOptions no_resize{.resource_is_pod = true, .allow_sidecar_resize_policy = false};
  EXPECT_THAT(errors({kSidecar,
                      I(R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"NotRequired"}])")},
                     no_resize),
              ::testing::ElementsAre("spec.initContainers[0].resizePolicy: Invalid value: "
                                     "[{\"ResourceName\":\"cpu\",\"RestartPolicy\":\"NotRequired\"}"
                                     "]: must not be set for init "
                                     "containers"));
}

TEST(ContainersTest, InitContainersHaveNoProbesUnlessTheyStay) {
  const std::string probe = R"(={"exec":{"command":["x"]}})";
  const std::string why =
      ": Forbidden: may not be set for init containers without restartPolicy=Always";
  ExpectPodErrors({
      {{kInit, I(".livenessProbe" + probe), I(".readinessProbe" + probe),
        I(".startupProbe" + probe), I(R"(.lifecycle={"preStop":{"sleep":{"seconds":1}}})")},
       {"spec.initContainers[0].lifecycle" + why, "spec.initContainers[0].livenessProbe" + why,
        "spec.initContainers[0].readinessProbe" + why,
        "spec.initContainers[0].startupProbe" + why}},
      {{kSidecar, I(".livenessProbe" + probe), I(".readinessProbe" + probe),
        I(".startupProbe" + probe), I(R"(.lifecycle={"preStop":{"sleep":{"seconds":1}}})")},
       {}},
      {{kSidecar, I(".livenessProbe={}")},
       {"spec.initContainers[0].livenessProbe: Required value: must specify a handler type"}},
  });
}

// Ephemeral containers are not for new pods, so their rules are tested on an update.
TEST(ContainersTest, EphemeralContainers) {
  auto e = [](const std::string& rest) { return "spec.ephemeralContainers[0]" + rest; };
  const std::string debug = R"(spec.ephemeralContainers[0]={"name":"e","image":"i"})";
  const std::string forbidden = ": Forbidden: cannot be set for an Ephemeral Container";
  ExpectUpdateErrors(
      {
          {{}, {debug}, {}},
          {{}, {debug, e(".targetContainerName=\"c\"")}, {}},
          {{},
           {debug, e(".targetContainerName=\"e\"")},
           {"spec.ephemeralContainers[0].targetContainerName: Not found: \"e\""}},
          {{},
           {debug, e(".name=\"c\"")},
           {"spec.ephemeralContainers[0].name: Duplicate value: \"c\""}},
          {{kInit},
           {debug, e(".name=\"i\"")},
           {"spec.ephemeralContainers[0].name: Duplicate value: \"i\""}},
          {{}, {debug, e(".image")}, {"spec.ephemeralContainers[0].image: Required value"}},
          {{},
           {debug, e(".image=\"i \"")},
           {"spec.ephemeralContainers[0].image: Invalid value: \"i \": must not have leading or "
            "trailing whitespace"}},
          {{},
           {debug, e(R"(.lifecycle={"preStop":{"exec":{"command":["x"]}}})"),
            e(R"(.livenessProbe={"exec":{"command":["x"]}})"),
            e(R"(.readinessProbe={"exec":{"command":["x"]}})"),
            e(R"(.startupProbe={"exec":{"command":["x"]}})"), e(R"(.ports=[{"containerPort":1}])"),
            e(R"(.resources={"limits":{"cpu":"1"}})"), e(".restartPolicy=\"Always\""),
            e(R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"NotRequired"}])"),
            e(R"(.restartPolicyRules=[{"action":"Restart"}])")},
           {"spec.ephemeralContainers[0].ports" + forbidden,
            "spec.ephemeralContainers[0].resources" + forbidden,
            "spec.ephemeralContainers[0].resizePolicy" + forbidden,
            "spec.ephemeralContainers[0].restartPolicy" + forbidden,
            "spec.ephemeralContainers[0].restartPolicyRules" + forbidden,
            "spec.ephemeralContainers[0].livenessProbe" + forbidden,
            "spec.ephemeralContainers[0].readinessProbe" + forbidden,
            "spec.ephemeralContainers[0].startupProbe" + forbidden,
            "spec.ephemeralContainers[0].lifecycle" + forbidden}},
          {{R"(spec.volumes=[{"name":"v","emptyDir":{}}])"},
           {debug, e(R"(.volumeMounts=[{"name":"v","mountPath":"/v"}])")},
           {}},
          {{R"(spec.volumes=[{"name":"v","emptyDir":{}}])"},
           {debug, e(R"(.volumeMounts=[{"name":"v","mountPath":"/v","subPath":"a"},
                                       {"name":"v","mountPath":"/w","subPathExpr":"b"}])")},
           {"spec.ephemeralContainers[0].volumeMounts[0].subPath" + forbidden,
            "spec.ephemeralContainers[0].volumeMounts[1].subPathExpr" + forbidden}},
      },
      ValidatePodEphemeralContainersUpdate);
}

}  // namespace
}  // namespace podium::api
