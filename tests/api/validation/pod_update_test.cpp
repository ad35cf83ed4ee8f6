// Changes of the main resource of a pod, and of its ephemeral containers.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

const std::string kNotUpdatable =
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions "
    "to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
    "was "
    "previously negative)\n";

void ExpectUpdates(const std::vector<UpdateCase>& cases) {
  ExpectUpdateErrors(cases, ValidatePodUpdate);
}

// Whether the errors are just that the spec may not change, with a difference that names `line`.
void ExpectNotUpdatable(const std::vector<std::string>& before,
                        const std::vector<std::string>& change, std::string_view line) {
  const std::string old_json = Edited(kStoredPod, before);
  const auto old_pod = Load<core::v1::Pod>(old_json);
  const auto new_pod = Load<core::v1::Pod>(Edited(old_json, change));
  const std::vector<std::string> errors = Texts(ValidateUpdate(new_pod, old_pod));
  ASSERT_EQ(errors.size(), 1u) << ::testing::PrintToString(errors);
  EXPECT_THAT(errors[0], ::testing::StartsWith(kNotUpdatable + "@@ -"));
  EXPECT_THAT(errors[0], ::testing::HasSubstr(line));
}

TEST(PodUpdateTest, WhatMayChange) {
  ExpectUpdates({
      {{}, {}, {}},
      {{}, {R"(metadata.labels={"a":"b"})", R"(metadata.annotations={"a":"b"})"}, {}},
      {{R"(spec.initContainers=[{"name":"i","image":"i"}])"},
       {"spec.containers[0].image=\"j\"", "spec.initContainers[0].image=\"j\""},
       {}},
      // The alias of the service account's name is not compared.
      {{"spec.serviceAccountName=\"a\""}, {"spec.serviceAccount=\"b\""}, {}},
  });
}

TEST(PodUpdateTest, WhatMayNotChange) {
  ExpectNotUpdatable({}, {"spec.restartPolicy=\"Never\""}, "\n+ \"RestartPolicy\": \"Never\",\n");
  ExpectNotUpdatable({}, {"spec.hostname=\"h\""},
                     "\n- \"Hostname\": \"\",\n+ \"Hostname\": \"h\",\n");
  ExpectNotUpdatable({}, {"spec.nodeName=\"n\""}, "\n+ \"NodeName\": \"n\",\n");
  ExpectNotUpdatable({}, {"spec.containers[0].name=\"d\""}, "\n+   \"Name\": \"d\",\n");
  ExpectNotUpdatable({}, {R"(spec.containers[0].command=["x"])"}, "\n+   \"Command\": [\n");
  ExpectNotUpdatable({}, {R"(spec.containers[0].resources={"limits":{"cpu":"1"}})"},
                     "\n+     \"cpu\": \"1\"\n");
  ExpectNotUpdatable({}, {R"(spec.nodeSelector={"a":"b"})"}, "\n+  \"a\": \"b\"\n");
  ExpectNotUpdatable({}, {"spec.terminationGracePeriodSeconds=1"},
                     "\n+ \"TerminationGracePeriodSeconds\": 1,\n");
  // An image that changes along with something else is no part of the difference.
  ExpectNotUpdatable({}, {"spec.containers[0].image=\"j\"", "spec.hostname=\"h\""},
                     "\n+ \"Hostname\": \"h\",\n");
  const auto old_pod = Load<core::v1::Pod>(kStoredPod);
  const auto new_pod = Load<core::v1::Pod>(
      Edited(kStoredPod, {"spec.containers[0].image=\"j\"", "spec.hostname=\"h\""}));
  EXPECT_THAT(Texts(ValidateUpdate(new_pod, old_pod))[0],
              ::testing::Not(::testing::HasSubstr("\"j\"")));
}

TEST(PodUpdateTest, Difference) {
  const auto old_pod = Load<core::v1::Pod>(kStoredPod);
  const auto new_pod = Load<core::v1::Pod>(Edited(kStoredPod, {"spec.hostname=\"h\""}));
  EXPECT_THAT(Texts(ValidateUpdate(new_pod, old_pod)),
              ::testing::ElementsAre(kNotUpdatable + R"(@@ -64,7 +64,7 @@
   "SELinuxChangePolicy": null
  },
  "ImagePullSecrets": null,
- "Hostname": "",
+ "Hostname": "h",
  "Subdomain": "",
  "SetHostnameAsFQDN": null,
  "Affinity": null,
)"));
}

TEST(PodUpdateTest, Metadata) {
  ExpectUpdates({
      {{}, {"metadata.uid=\"v\""}, {"metadata.uid: Invalid value: \"v\": field is immutable"}},
      {{},
       {"metadata.resourceVersion"},
       {"metadata.resourceVersion: Invalid value: \"\": must be specified for an update"}},
      // Labels are checked as changed metadata and again as that of a whole pod.
      {{},
       {R"(metadata.labels={"a":"-"})"},
       {"metadata.labels: Invalid value: \"-\": " + kNotLabelValue,
        "metadata.labels: Invalid value: \"-\": " + kNotLabelValue}},
      {{}, {"metadata.name=\"q\""}, {"metadata.name: Invalid value: \"q\": field is immutable"}},
  });
}

TEST(PodUpdateTest, LastingAnnotations) {
  const std::string apparmor =
      "metadata.annotations['container.apparmor.security.beta.kubernetes.io/c']";
  const std::string at =
      "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: ";
  const std::string mirror = "metadata.annotations['kubernetes.io/config.mirror']";
  ExpectUpdates({
      {{apparmor + "=\"unconfined\""}, {}, {}},
      {{apparmor + "=\"unconfined\""},
       {apparmor + "=\"runtime/default\""},
       {at + "may not remove or update AppArmor annotations"}},
      {{apparmor + "=\"unconfined\""},
       {apparmor},
       {at + "may not remove or update AppArmor annotations"}},
      {{}, {apparmor + "=\"unconfined\""}, {at + "may not add AppArmor annotations"}},
      {{"spec.nodeName=\"n\"", mirror + "=\"m\""},
       {mirror},
       {"metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update "
        "mirror "
        "pod annotation"}},
      {{"spec.nodeName=\"n\""},
       {mirror + "=\"m\""},
       {"metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
        "annotation"}},
  });
}

TEST(PodUpdateTest, Images) {
  const std::string second = R"(spec.containers[1]={"name":"d","image":"i"})";
  const std::string init = R"(spec.initContainers[0]={"name":"e","image":"i"})";
  const std::string policy = "spec.containers[0].imagePullPolicy=\"Always\"";
  ExpectUpdates({
      {{}, {second}, {"spec.containers: Forbidden: pod updates may not add or remove containers"}},
      {{second},
       {"spec.containers[1]"},
       {"spec.containers: Forbidden: pod updates may not add or remove containers"}},
      // What follows is not looked at.
      {{},
       {second, init, "spec.hostname=\"h\""},
       {"spec.containers: Forbidden: pod updates may not add or remove containers"}},
      {{},
       {init},
       {"spec.initContainers: Forbidden: pod updates may not add or remove containers"}},
      // The default of the pull policy follows the image.
      {{policy},
       {"spec.containers[0].image=\"\""},
       {"spec.containers[0].image: Required value", "spec.containers[0].image: Required value"}},
      {{policy},
       {"spec.containers[0].image=\" i\""},
       {"spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
        "whitespace",
        "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
        "whitespace"}},
  });
}

TEST(PodUpdateTest, Deadline) {
  const std::string at = "spec.activeDeadlineSeconds";
  ExpectUpdates({
      {{}, {at + "=10"}, {}},
      {{at + "=10"}, {at + "=10"}, {}},
      {{at + "=10"}, {at + "=9"}, {}},
      {{at + "=10"},
       {at + "=11"},
       {at + ": Invalid value: 11: must be less than or equal to previous value"}},
      {{at + "=10"},
       {at},
       {at + ": Invalid value: null: must not update from a positive integer to nil value"}},
      {{},
       {at + "=-1"},
       {at + ": Invalid value: -1: must be between 1 and 2147483647, inclusive",
        at + ": Invalid value: -1: must be between 0 and 2147483647, inclusive"}},
  });
}

TEST(PodUpdateTest, Tolerations) {
  const std::string one =
      R"(spec.tolerations=[{"key":"a","operator":"Exists","effect":"NoExecute"}])";
  ExpectUpdates({
      {{}, {one}, {}},
      {{one}, {R"(spec.tolerations[1]={"key":"b","operator":"Exists"})"}, {}},
      {{one}, {"spec.tolerations[0].tolerationSeconds=5"}, {}},
      {{one},
       {"spec.tolerations=[]"},
       {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
        "tolerationSeconds"}},
      {{R"(spec.tolerations=[{"key":"a","operator":"Equal","value":"v"}])"},
       {"spec.tolerations[0].value=\"w\""},
       {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
        "tolerationSeconds"}},
      {{one},
       {"spec.tolerations[0].effect=\"NoSchedule\""},
       {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
        "tolerationSeconds"}},
      {{one},
       {R"(spec.tolerations[1]={"operator":"Exists","value":"x"})"},
       {"spec.tolerations[1].operator: Invalid value: \"x\": value must be empty when `operator` "
        "is "
        "'Exists'",
        "spec.tolerations[1].operator: Invalid value: \"x\": value must be empty when `operator` "
        "is "
        "'Exists'"}},
  });
}

TEST(PodUpdateTest, GracePeriod) {
  const std::string at = "spec.terminationGracePeriodSeconds";
  ExpectUpdates({{{at + "=-1"}, {at + "=1"}, {}}});
  ExpectNotUpdatable({at + "=-1"}, {at + "=2"}, "\n+ \"TerminationGracePeriodSeconds\": 2,\n");
  ExpectNotUpdatable({at + "=5"}, {at + "=1"}, "\n+ \"TerminationGracePeriodSeconds\": 1,\n");
}

TEST(PodUpdateTest, SchedulingGates) {
  const std::string gates = R"(spec.schedulingGates=[{"name":"a"},{"name":"b"}])";
  ExpectUpdates({
      {{gates}, {"spec.schedulingGates[0]"}, {}},
      {{gates}, {"spec.schedulingGates"}, {}},
      {{gates},
       {R"(spec.schedulingGates[2]={"name":"c"})"},
       {"spec.schedulingGates[2].name: Forbidden: only deletion is allowed, but found new "
        "scheduling "
        "gate 'c'"}},
      {{},
       {gates},
       {"spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new "
        "scheduling "
        "gate 'a'",
        "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new "
        "scheduling "
        "gate 'b'"}},
  });
}

TEST(PodUpdateTest, NodeSelectorsOfGatedPods) {
  const std::string gate = R"(spec.schedulingGates=[{"name":"a"}])";
  const std::string selector = R"(spec.nodeSelector={"a":"b"})";
  const std::string text =
      "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
  ExpectUpdates({
      {{gate}, {selector}, {}},
      {{gate, selector}, {"spec.nodeSelector.c=\"d\""}, {}},
      {{gate, selector},
       {"spec.nodeSelector.a=\"c\""},
       {"spec.nodeSelector: Invalid value: {\"a\":\"c\"}: " + text}},
      {{gate, selector},
       {R"(spec.nodeSelector={"c":"d"})"},
       {"spec.nodeSelector: Invalid value: {\"c\":\"d\"}: " + text}},
  });
}

TEST(PodUpdateTest, NodeAffinityOfGatedPods) {
  const std::string gate = R"(spec.schedulingGates=[{"name":"a"}])";
  const std::string at =
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const std::string one = at + R"(=[{"matchExpressions":[{"key":"k","operator":"Exists"}]}])";
  const std::string second_term = R"({"matchExpressions":[{"key":"l","operator":"Exists"}]})";
  const std::string preferred =
      R"(spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution=[{"weight":1,
          "preference":{"matchExpressions":[{"key":"l","operator":"Exists"}]}}])";
  const std::string zones =
      R"(spec.affinity.podAffinity={"requiredDuringSchedulingIgnoredDuringExecution":
      [{"topologyKey":"z","labelSelector":{}}]})";
  ExpectUpdates({
      {{gate}, {one}, {}},
      {{gate, one}, {preferred}, {}},
      {{gate, one}, {at + R"([0].matchExpressions[1]={"key":"l","operator":"Exists"})"}, {}},
      {{gate, one},
       {at + R"([0].matchFields=[{"key":"metadata.name","operator":"In","values":["n"]}])"},
       {}},
      {{gate, zones}, {one}, {}},
      {{gate, one},
       {at + "[1]=" + second_term},
       {at +
        R"(: Invalid value: [{"MatchExpressions":[{"Key":"k","Operator":"Exists","Values":null}],)"
        R"("MatchFields":null},{"MatchExpressions":[{"Key":"l","Operator":"Exists","Values":null}],)"
        R"("MatchFields":null}]: no additions/deletions to non-empty NodeSelectorTerms list are )"
        "allowed"}},
      {{gate, one},
       {"spec.affinity"},
       {at +
        ": Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are "
        "allowed"}},
      {{gate, one},
       {at + "[0]=" + second_term},
       {at + R"([0]: Invalid value: {"MatchExpressions":[{"Key":"l","Operator":"Exists",)"
             R"("Values":null}],"MatchFields":null}: only additions are allowed (no mutations or )"
             "deletions)"}},
  });
  ExpectNotUpdatable({}, {one}, "\n+ \"Affinity\": {\n");
  ExpectNotUpdatable({gate}, {zones}, "\n+  \"PodAffinity\": {\n");
}

TEST(EphemeralContainersUpdateTest, Rules) {
  const std::string one = R"(spec.ephemeralContainers=[{"name":"e","image":"i"}])";
  const std::string at = "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\"";
  ExpectUpdateErrors(
      {
          {{}, {one}, {}},
          {{one},
           {R"(spec.ephemeralContainers=[{"name":"f","image":"i"},{"name":"e","image":"i"}])"},
           {}},
          {{one}, {"spec.ephemeralContainers"}, {at + " may not be removed\n"}},
          {{},
           {R"(spec.ephemeralContainers=[{"name":"c","image":"i"}])"},
           {"spec.ephemeralContainers[0].name: Duplicate value: \"c\""}},
          {{R"(metadata.annotations={"kubernetes.io/config.mirror":"m"})", "spec.nodeName=\"n\""},
           {one},
           {"[]: Forbidden: static pods do not support ephemeral containers"}},
      },
      ValidatePodEphemeralContainersUpdate);
}

TEST(EphemeralContainersUpdateTest, Difference) {
  const std::string before =
      Edited(kStoredPod, {R"(spec.ephemeralContainers=[{"name":"e","image":"i"}])"});
  const auto old_pod = Load<core::v1::Pod>(before);
  const auto new_pod =
      Load<core::v1::Pod>(Edited(before, {"spec.ephemeralContainers[0].image=\"j\""}));
  EXPECT_THAT(
      Texts(ValidatePodEphemeralContainersUpdate(new_pod, old_pod, {.resource_is_pod = true})),
      ::testing::ElementsAre(
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be "
          "changed\n"
          R"(@@ -1,6 +1,6 @@
 {
  "Name": "e",
- "Image": "i",
+ "Image": "j",
  "Command": null,
  "Args": null,
  "WorkingDir": "",
)"));
}

TEST(PodUpdateTest, DeadlinesFarAway) {
  const std::string at = "spec.activeDeadlineSeconds";
  ExpectUpdates({{{},
                  {at + "=2147483648"},
                  {at + ": Invalid value: 2147483648: must be between 1 and 2147483647, inclusive",
                   at + ": Invalid value: 2147483648: must be between 0 and 2147483647, "
                        "inclusive"}}});
}

TEST(PodUpdateTest, RequirementsOfGatedPodsStay) {
  const std::string gate = R"(spec.schedulingGates=[{"name":"a"}])";
  const std::string affinity =
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
  const std::string at = affinity + ".nodeSelectorTerms";
  const std::string k = R"({"key":"k","operator":"Exists"})";
  const std::string l = R"({"key":"l","operator":"Exists"})";
  const std::string by_name = R"([{"key":"metadata.name","operator":"In","values":["n"]}])";
  const std::string by_other = R"([{"key":"metadata.name","operator":"In","values":["o"]}])";
  const std::string preferred =
      R"(spec.affinity.nodeAffinity={"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,
          "preference":{"matchExpressions":[{"key":"l","operator":"Exists"}]}}]})";
  const std::string only = ": only additions are allowed (no mutations or deletions)";
  const auto shown = [](const std::string& expressions, const std::string& fields) {
    return "[0]: Invalid value: {\"MatchExpressions\":" + expressions +
           ",\"MatchFields\":" + fields + "}";
  };
  const std::string shown_k = R"([{"Key":"k","Operator":"Exists","Values":null}])";
  ExpectUpdates({
      // A requirement less, or another.
      {{gate, at + "=[{\"matchExpressions\":[" + k + "," + l + "]}]"},
       {at + "[0].matchExpressions[1]"},
       {at + shown(shown_k, "null") + only}},
      {{gate, at + "=[{\"matchFields\":" + by_name + "}]"},
       {at + "[0].matchFields=" + by_other},
       {at + shown("null", R"([{"Key":"metadata.name","Operator":"In","Values":["o"]}])") + only}},
      {{gate, at + "=[{\"matchExpressions\":[" + k + "],\"matchFields\":" + by_name + "}]"},
       {at + "[0].matchFields"},
       {at + shown(shown_k, "null") + only}},
      // A term without requirements stays without.
      {{gate, at + "=[{}]"},
       {at + "[0].matchExpressions=[" + k + "]"},
       {at + shown(shown_k, "null") + only}},
      {{gate, at + "=[{}]"},
       {at + "[0].matchFields=" + by_name},
       {at + shown("null", R"([{"Key":"metadata.name","Operator":"In","Values":["n"]}])") + only}},
      {{gate, at + "=[{}]"},
       {preferred.substr(0, preferred.find('=')) +
        R"(.preferredDuringSchedulingIgnoredDuringExecution=[{"weight":1,
          "preference":{"matchExpressions":[{"key":"l","operator":"Exists"}]}}])"},
       {}},
      // Preferences are free, and where no terms were, any may come.
      {{gate, preferred}, {at + "=[{\"matchExpressions\":[" + k + "]}]"}, {}},
      {{gate, preferred}, {"spec.affinity.nodeAffinity"}, {}},
      {{gate, affinity + "={\"nodeSelectorTerms\":[]}"},
       {at + "=[{\"matchExpressions\":[" + k + "]}]"},
       {}},
      {{gate, at + "=[{\"matchExpressions\":[" + k + "]}]"},
       {preferred},
       {at + ": Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list "
             "are allowed"}},
  });
}

}  // namespace
}  // namespace podium::api
