// Changes of a pod's status.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

void ExpectStatus(const std::vector<UpdateCase>& cases) {
  ExpectUpdateErrors(cases, ValidatePodStatusUpdate);
}

TEST(PodStatusTest, Conditions) {
  const std::string at = "status.conditions[0]";
  ExpectStatus({
      {{},
       {R"(status.conditions=[{"type":"Ready","status":"True"},{"type":"a.b/c","status":"True"}])"},
       {}},
      {{},
       {R"(status.conditions=[{"type":"a b","status":"True"}])"},
       {at + ".Type: Invalid value: \"a b\": " + kNotQualified}},
      {{},
       {R"(status.conditions=[{"type":"Ready","status":"True","observedGeneration":-1}])"},
       {at + ".observedGeneration: Invalid value: -1: must be a non-negative integer"}},
      {{}, {"status.observedGeneration=1"}, {}},
      {{},
       {"status.observedGeneration=-1"},
       {"status.observedGeneration: Invalid value: -1: must be a non-negative integer"}},
  });
}

TEST(PodStatusTest, Nodes) {
  ExpectStatus({
      {{}, {"spec.nodeName=\"n\""}, {"status.nodeName: Forbidden: may not be changed directly"}},
      {{}, {"status.nominatedNodeName=\"a.b\""}, {}},
      {{},
       {"status.nominatedNodeName=\"A\""},
       {"status.nominatedNodeName: Invalid value: \"A\": " + kNotSubdomain}},
      {{"spec.nodeName=\"n\""},
       {"status.nominatedNodeName=\"m\""},
       {"status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a "
        "node"}},
      // What was there may stay, and go.
      {{"spec.nodeName=\"n\"", "status.nominatedNodeName=\"m\""}, {}, {}},
      {{"spec.nodeName=\"n\"", "status.nominatedNodeName=\"m\""}, {"status.nominatedNodeName"}, {}},
  });
}

TEST(PodStatusTest, QosClassStays) {
  ExpectStatus({
      {{"status.qosClass=\"Burstable\""}, {}, {}},
      {{"status.qosClass=\"Burstable\""},
       {"status.qosClass=\"Guaranteed\""},
       {"status.qosClass: Invalid value: \"Guaranteed\": field is immutable"}},
  });
}

std::string Terminated(const std::string& list, int exit_code) {
  return "status." + list +
         R"(=[{"name":"c","image":"i","imageID":"","ready":false,"restartCount":0,
      "state":{"terminated":{"exitCode":)" +
         std::to_string(exit_code) + "}}}]";
}
std::string Running(const std::string& list) {
  return "status." + list + R"([0].state={"running":{}})";
}

TEST(PodStatusTest, ContainersThatEndedStaySo) {
  const std::string list = "containerStatuses";
  const std::vector<std::string> revived = {
      "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated "
      "state"};
  const std::string always = "spec.restartPolicy=\"Always\"";
  const std::string on_failure = "spec.restartPolicy=\"OnFailure\"";
  const std::string never = "spec.restartPolicy=\"Never\"";
  const std::string rules = R"(spec.containers[0].restartPolicyRules=[{"action":"Restart",
      "exitCodes":{"operator":"In","values":[42]}}])";
  const std::string own_never = "spec.containers[0].restartPolicy=\"Never\"";
  ExpectStatus({
      {{always, Terminated(list, 0)}, {Running(list)}, {}},
      {{on_failure, Terminated(list, 1)}, {Running(list)}, {}},
      {{on_failure, Terminated(list, 0)}, {Running(list)}, revived},
      {{never, Terminated(list, 1)}, {Running(list)}, revived},
      {{never, Terminated(list, 1)}, {}, {}},
      // Unknown policies of the container pass on to the pod's, and those count as Always.
      {{never, "spec.containers[0].restartPolicy=\"x\"", Terminated(list, 1)},
       {Running(list)},
       revived},
      {{"spec.restartPolicy=\"x\"", Terminated(list, 0)}, {Running(list)}, {}},
      {{never, Terminated(list, 1)}, {"status.containerStatuses"}, {}},
      // The container's own policy, and its rules, come first.
      {{always, own_never, Terminated(list, 1)}, {Running(list)}, revived},
      {{always, own_never, rules, Terminated(list, 42)}, {Running(list)}, {}},
      {{always, own_never, rules, Terminated(list, 1)}, {Running(list)}, revived},
      {{always, own_never, R"(spec.containers[0].restartPolicyRules=[{"action":"Restart"}])",
        Terminated(list, 1)},
       {Running(list)},
       revived},
      {{never, own_never, rules,
        "spec.containers[0].restartPolicyRules[0].exitCodes.operator=\"x\"", Terminated(list, 42)},
       {Running(list)},
       revived},
      {{never, own_never, rules,
        R"(spec.containers[0].restartPolicyRules[0].exitCodes.operator="NotIn")",
        Terminated(list, 1)},
       {Running(list)},
       {}},
      // Actions that are not known do nothing.
      {{never, own_never, rules, "spec.containers[0].restartPolicyRules[0].action=\"x\"",
        Terminated(list, 42)},
       {Running(list)},
       revived},
      // Statuses of containers that are not in the spec.
      {{always, Terminated(list, 1), "status.containerStatuses[0].name=\"d\""},
       {Running(list)},
       revived},
      {{never, Terminated(list, 1)}, {Running(list), "status.containerStatuses[0].name=\"d\""}, {}},
      {{never, R"(spec.initContainers=[{"name":"i","image":"i","restartPolicy":"Always",
            "restartPolicyRules":[{"action":"RestartAllContainers",
            "exitCodes":{"operator":"In","values":[1]}}]}])",
        Terminated(list, 1)},
       {Running(list)},
       {}},
      {{never, own_never, rules,
        R"(spec.containers[0].restartPolicyRules[0].exitCodes.operator="NotIn")",
        Terminated(list, 42)},
       {Running(list)},
       revived},
      {{never, own_never,
        R"(spec.containers[0].restartPolicyRules=[{"action":"RestartAllContainers",
            "exitCodes":{"operator":"In","values":[1]}}])",
        Terminated(list, 0)},
       {Running(list)},
       {}},
  });
}

TEST(PodStatusTest, InitAndEphemeralContainersThatEndedStaySo) {
  const std::string init = R"(spec.initContainers=[{"name":"c","image":"i"}])";
  const std::string sidecar =
      R"(spec.initContainers=[{"name":"c","image":"i","restartPolicy":"Always"}])";
  const std::string renamed = "spec.containers[0].name=\"d\"";
  const std::string never = "spec.restartPolicy=\"Never\"";
  const std::string text = "[0].state: Forbidden: may not be transitioned to non-terminated state";
  ExpectStatus({
      {{renamed, init, never, Terminated("initContainerStatuses", 1)},
       {Running("initContainerStatuses")},
       {"status.initContainerStatuses" + text}},
      {{renamed, sidecar, never, Terminated("initContainerStatuses", 1)},
       {Running("initContainerStatuses")},
       {}},
      {{Terminated("ephemeralContainerStatuses", 1)},
       {Running("ephemeralContainerStatuses")},
       {"status.ephemeralContainerStatuses" + text}},
      {{Terminated("ephemeralContainerStatuses", 1)}, {}, {}},
      {{Terminated("ephemeralContainerStatuses", 1)},
       {Running("ephemeralContainerStatuses"), "status.ephemeralContainerStatuses[0].name=\"d\""},
       {}},
  });
}

TEST(PodStatusTest, ResourceClaims) {
  const std::string claims = R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"}])";
  const std::string at = "status.resourceClaimStatuses";
  ExpectStatus({
      {{claims}, {R"(status.resourceClaimStatuses=[{"name":"a","resourceClaimName":"a.b"}])"}, {}},
      {{claims},
       {R"(status.resourceClaimStatuses=[{"name":"b"},{"name":"a","resourceClaimName":"A"},{"name":"a"}])"},
       {at + "[0].name: Invalid value: \"b\": must match the name of an entry in "
             "`spec.resourceClaims`",
        at + "[1].resourceClaimName: Invalid value: \"A\": " + kNotSubdomain,
        at + "[2].name: Duplicate value: \"a\""}},
  });
}

TEST(PodStatusTest, ExtendedResourceClaim) {
  const std::string requests = R"(spec.containers[0].resources={"limits":{"ex.io/gpu":"1"}})";
  const std::string at = "status.extendedResourceClaimStatus";
  const std::string good = R"({"containerName":"c","resourceName":"ex.io/gpu","requestName":"r"})";
  ExpectStatus({
      {{requests}, {at + R"(={"resourceClaimName":"x","requestMappings":[)" + good + "]}"}, {}},
      {{requests},
       {at + "={\"resourceClaimName\":\"A\"}"},
       {at + ".requestMappings: Required value: at least one request mapping is required",
        at + ".resourceClaimName: Invalid value: \"A\": " + kNotSubdomain}},
      {{requests},
       {at +
        R"(={"requestMappings":[{"containerName":"d","resourceName":"ex.io/gpu","requestName":"r"},
           {"containerName":"c","resourceName":"ex.io/x","requestName":"R"},)" +
        good + "," + good + "]}"},
       {at + ".requestMappings[0].containerName: Invalid value: \"d\": must match the name of an "
             "entry "
             "in spec.initContainers.name or spec.containers.name",
        at +
            ".requestMappings[1].resourceName: Invalid value: \"ex.io/x\": must match the extended "
            "resource name of an entry in spec.initContainers.resources.requests or "
            "spec.containers.resources.requests",
        at + ".requestName: Invalid value: \"R\": " + kNotLabel,
        at + ".requestMappings[3].containerName: Duplicate value: \"c\"",
        at + ".requestMappings[3].resourceName: Duplicate value: \"ex.io/gpu\"",
        at + ".requestMappings[3].requestName: Duplicate value: \"r\"",
        at + ".resourceClaimName: Required value"}},
  });
}

TEST(PodStatusTest, NodeAllocatableClaims) {
  const std::string claims = R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"}])";
  const std::string at = "status.nodeAllocatableResourceClaimStatuses";
  ExpectStatus({
      {{claims},
       {at + R"(=[{"resourceClaimName":"x","containers":["c"],"resources":{"cpu":"1"}}])"},
       {}},
      {{claims},
       {at + R"(=[{"resourceClaimName":"","containers":[],"resources":{}},
           {"resourceClaimName":"x","containers":["c"],"resources":{"cpu":"-1","ex.io/gpu":"1"}}])"},
       {at + "[0].resourceClaimName: Required value: must not be empty",
        at + "[0].resourceClaimName: Invalid value: \"\": no mapping found in pod reference",
        at + "[0].containers: Required value: must not be empty",
        at + "[0].resources: Required value: must not be empty",
        at + "[1].resources[cpu]: Invalid value: \"-1\": must be non-negative",
        at + "[1].resources[ex.io/gpu]: Invalid value: \"ex.io/gpu\": must be a node allocatable "
             "resource name"}},
  });
}

TEST(PodStatusTest, PodIps) {
  const std::string no_ip = ": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
  const std::string one_each = ": may specify no more than one IP for each IP family";
  ExpectStatus({
      {{}, {"status.podIP=\"10.0.0.1\""}, {}},
      {{}, {R"(status.podIPs=[{"ip":"10.0.0.1"},{"ip":"::1"}])"}, {}},
      {{}, {"status.podIP=\"x\""}, {"status.podIPs[0]: Invalid value: \"x\"" + no_ip}},
      // Addresses that were there are not looked at again.
      {{"status.podIP=\"x\""}, {}, {}},
      {{},
       {R"(status.podIPs=[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}])"},
       {R"(status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}])" + one_each}},
      {{},
       {R"(status.podIPs=[{"ip":"10.0.0.1"},{"ip":"::1"},{"ip":"::2"}])"},
       {R"(status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"::1"},{"IP":"::2"}])" +
        one_each}},
      {{},
       {R"(status.podIPs=[{"ip":"10.0.0.1"},{"ip":"x"}])"},
       {"status.podIPs[1]: Invalid value: \"x\"" + no_ip,
        "status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: x",
        R"(status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"x"}])" + one_each}},
  });
}

TEST(PodStatusTest, HostIps) {
  ExpectStatus({
      {{}, {"status.hostIP=\"10.0.0.1\"", R"(status.hostIPs=[{"ip":"10.0.0.1"}])"}, {}},
      {{},
       {"status.hostIP=\"10.0.0.2\"", R"(status.hostIPs=[{"ip":"10.0.0.1"}])"},
       {"status.hostIPs[0].ip: Invalid value: \"10.0.0.1\": must be equal to `hostIP`"}},
      {{},
       {"status.hostIP=\"x\"", R"(status.hostIPs=[{"ip":"x"}])"},
       {"status.hostIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
        "2001:db8::ffff)"}},
      {{"status.hostIP=\"x\"", R"(status.hostIPs=[{"ip":"x"}])"}, {}, {}},
      {{},
       {"status.hostIP=\"10.0.0.1\"", R"(status.hostIPs=[{"ip":"10.0.0.1"},{"ip":"::1"}])"},
       {}},
      {{},
       {"status.hostIP=\"10.0.0.1\"", R"(status.hostIPs=[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}])"},
       {R"(status.hostIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no )"
        "more than one IP for each IP family"}},
      {{},
       {"status.hostIP=\"::1\"", R"(status.hostIPs=[{"ip":"::1"},{"ip":"::2"}])"},
       {R"(status.hostIPs: Invalid value: [{"IP":"::1"},{"IP":"::2"}]: may specify no more than )"
        "one IP for each IP family"}},
      {{},
       {"status.hostIP=\"10.0.0.1\"",
        R"(status.hostIPs=[{"ip":"10.0.0.1"},{"ip":"::1"},{"ip":"::2"}])"},
       {R"(status.hostIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"::1"},{"IP":"::2"}]: may )"
        "specify no more than one IP for each IP family"}},
  });
}

// The one status in `list` of a container c, with a further member.
std::string StatusWith(const std::string& list, const std::string& member) {
  return "status." + list +
         R"(=[{"name":"c","image":"i","imageID":"","ready":true,"restartCount":0,)" + member + "}]";
}

TEST(PodStatusTest, Users) {
  const std::string range = ": must be between 0 and 4294967295, inclusive";
  for (const std::string list :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    const std::string at = "status." + list + "[0].user.linux";
    const std::string bad =
        StatusWith(list, R"("user":{"linux":{"uid":-1,"gid":-2,"supplementalGroups":[0,-3]}})");
    ExpectStatus({
        {{},
         {StatusWith(list, R"("user":{"linux":{"uid":0,"gid":1,"supplementalGroups":[2]}})")},
         {}},
        {{},
         {bad},
         {at + ".uid: Invalid value: -1" + range, at + ".gid: Invalid value: -2" + range,
          at + ".supplementalGroups[1]: Invalid value: -3" + range}},
        {{R"(spec.os={"name":"windows"})"},
         {bad},
         {at + ": Forbidden: cannot be set for a windows pod"}},
        {{R"(spec.os={"name":"plan9"})"}, {bad}, {}},
    });
  }
}

TEST(PodStatusTest, AllocatedResources) {
  const std::string resources =
      R"(spec.containers[0].resources={"limits":{"ex.io/gpu":"1"},"claims":[{"name":"a"},{"name":"b","request":"r"}]})";
  const std::string claims =
      R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"},{"name":"b","resourceClaimName":"y"}])";
  const std::string at = "status.containerStatuses[0].allocatedResourcesStatus";
  auto allocated = [](const std::string& json) {
    return StatusWith("containerStatuses", "\"allocatedResourcesStatus\":" + json);
  };
  ExpectStatus({
      {{claims, resources},
       {allocated(R"([{"name":"ex.io/gpu","resources":[{"resourceID":"1","health":"Healthy"},
                       {"resourceID":"2","health":"Unknown","message":"m"}]},
                      {"name":"claim:a"},{"name":"claim:b/r"}])")},
       {}},
      {{claims, resources},
       {allocated(R"([{"name":"cpu"},{"name":"claim:b"},
                      {"name":"ex.io/gpu","resources":[{"resourceID":"1","health":"x","message":""},
                       {"resourceID":"1","health":"Healthy","message":")" +
                  std::string(1025, 'm') + "\"}]}]")},
       {at +
            "[0].name: Invalid value: \"cpu\": must match one of the container's resource requests",
        at + "[1].name: Invalid value: \"claim:b\": must match one of the container's resource "
             "claims in "
             "a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
        at + "[2].resources[0].health: Unsupported value: \"x\": supported values: \"Healthy\", "
             "\"Unhealthy\", \"Unknown\"",
        at + "[2].resources[0].message: Required value: must be non-empty if specified",
        at + "[2].resources[1].message: Too long: may not be more than 1024 bytes",
        at + "[2].resources[1].resourceID: Duplicate value: \"1\""}},
      {{},
       {StatusWith("ephemeralContainerStatuses", R"("allocatedResourcesStatus":[{"name":"cpu"}])")},
       {"status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be "
        "specified "
        "in container status"}},
  });
}

TEST(PodStatusTest, ImageVolumes) {
  auto errors = [](const std::string& ref, bool allowed) {
    const auto old_pod = Load<core::v1::Pod>(kStoredPod);
    const auto new_pod = Load<core::v1::Pod>(
        Edited(kStoredPod,
               {StatusWith("containerStatuses", R"("volumeMounts":[{"name":"v","mountPath":"/m",
                         "volumeStatus":{"image":{"imageRef":")" +
                                                    ref + "\"}}}]")}));
    return Texts(ValidatePodStatusUpdate(
        new_pod, old_pod, {.resource_is_pod = true, .allow_image_volume_with_digest = allowed}));
  };
  const std::string at =
      "status.containerStatuses[0].volumeMounts[0].volumeStatus.imageVolumeStatus.imageRef";
  EXPECT_THAT(errors("r", true), ::testing::IsEmpty());
  EXPECT_THAT(errors("", false), ::testing::IsEmpty());
  EXPECT_THAT(errors("", true),
              ::testing::ElementsAre(at + ": Required value: imageRef must not be empty"));
  EXPECT_THAT(errors(std::string(257, 'r'), true),
              ::testing::ElementsAre(at + ": Too long: may not be more than 256 bytes"));
}

}  // namespace
}  // namespace podium::api
