// Changes of the resources of a pod that is there.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

void ExpectResizes(const std::vector<UpdateCase>& cases) {
  ExpectUpdateErrors(cases, ValidatePodResize);
}

const std::string kBurstable =  // NOLINT: a constant of tests
    R"(spec.containers[0].resources={"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2"}})";
const std::string kOnlyCpu =
    "spec: Forbidden: only cpu and memory resources are mutable";  // NOLINT

TEST(PodResizeTest, CpuAndMemory) {
  const std::string resources = "spec.containers[0].resources";
  ExpectResizes({
      {{kBurstable}, {}, {}},
      {{kBurstable}, {resources + ".requests.cpu=\"2\"", resources + ".limits.memory=\"2Gi\""}, {}},
      {{kBurstable},
       {R"(spec.containers[0].resizePolicy=[{"resourceName":"cpu","restartPolicy":"NotRequired"}])"},
       {kOnlyCpu}},
      {{kBurstable},
       {R"(spec.containers[0].resources.requests['ephemeral-storage']="1Gi")"},
       {kOnlyCpu}},
      {{kBurstable}, {"spec.hostname=\"h\""}, {kOnlyCpu}},
      {{kBurstable},
       {resources + ".requests.memory"},
       {resources + ".requests: Forbidden: resource requests cannot be removed"}},
      {{kBurstable},
       {resources + ".limits={}"},
       {resources + ".limits: Forbidden: resource limits cannot be removed"}},
  });
}

TEST(PodResizeTest, WhatIsWrittenInTwoWaysIsTheSame) {
  ExpectResizes({
      {{kBurstable, "spec.serviceAccount=\"s\"", "spec.serviceAccountName=\"s\""},
       {"spec.serviceAccount"},
       {}},
      {{kBurstable, "spec.serviceAccountName=\"s\""},
       {"spec.serviceAccountName=\"t\""},
       {kOnlyCpu}},
  });
  // The security context is there by default.
  auto old_pod = Load<core::v1::Pod>(Edited(kStoredPod, {kBurstable}));
  core::v1::Pod new_pod = old_pod;
  old_pod.spec.securityContext.reset();
  EXPECT_THAT(Texts(ValidatePodResize(new_pod, old_pod, {})), ::testing::IsEmpty());
}

TEST(PodResizeTest, QosClassStays) {
  const std::string changed = "Pod QOS Class may not change as a result of resizing";
  ExpectResizes({
      {{}, {kBurstable}, {"spec: Invalid value: \"\": " + changed}},
      {{kBurstable},
       {R"(spec.containers[0].resources={"requests":{"cpu":"1","memory":"1Gi"},
           "limits":{"cpu":"1","memory":"1Gi"}})"},
       {"spec: Invalid value: \"\": " + changed}},
      // What the status says counts for the pod of before.
      {{kBurstable, "status.qosClass=\"Guaranteed\""},
       {},
       {"spec: Invalid value: \"Guaranteed\": " + changed}},
  });
}

TEST(PodResizeTest, PodsThatCannot) {
  const std::string running =
      R"(status.containerStatuses=[{"name":"c","image":"i","imageID":"","ready":true,"restartCount":0,
          "state":{"running":{}}}])";
  ExpectResizes({
      {{kBurstable, R"(metadata.annotations={"kubernetes.io/config.mirror":"m"})",
        "spec.nodeName=\"n\""},
       {},
       {"[]: Forbidden: static pods cannot be resized"}},
      {{kBurstable, R"(spec.os={"name":"windows"})"},
       {},
       {"[]: Forbidden: windows pods cannot be resized"}},
      {{kBurstable, running},
       {},
       {"spec: Forbidden: Pod running on node without support for resize"}},
      {{kBurstable, running, "status.containerStatuses[0].resources={}"}, {}, {}},
      {{kBurstable, R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"}])",
        R"(status.nodeAllocatableResourceClaimStatuses=[{"resourceClaimName":"x","containers":["c"],
            "resources":{"cpu":"1"}}])"},
       {},
       {"spec: Forbidden: pods with node allocatable resource claims cannot be resized"}},
  });
}

TEST(PodResizeTest, ContainersKeepTheirPlaces) {
  const std::string two = R"(spec.containers[1]={"name":"d","image":"i"})";
  const std::string init = R"(spec.initContainers=[{"name":"i","image":"i"}])";
  ExpectResizes({
      {{kBurstable, two}, {}, {}},
      {{kBurstable},
       {two},
       {"spec.containers: Forbidden: containers may not be added or removed on resize"}},
      {{kBurstable},
       {init},
       {"spec.initContainers: Forbidden: initContainers may not be added or removed on resize"}},
      {{kBurstable},
       {"spec.containers[0].name=\"d\""},
       {"spec.containers[0].name: Forbidden: containers may not be renamed or reordered on "
        "resize"}},
      {{kBurstable, init},
       {"spec.initContainers[0].name=\"j\""},
       {"spec.initContainers[0].name: Forbidden: initContainers may not be renamed or reordered on "
        "resize"}},
  });
}

TEST(PodResizeTest, InitContainers) {
  const std::string init =
      R"(spec.initContainers=[{"name":"i","image":"i","resources":{"requests":{"cpu":"1"}}}])";
  const std::string at = "spec.initContainers[0]";
  ExpectResizes({
      {{kBurstable, init}, {at + ".resources.requests.cpu=\"2\""}, {}},
      {{kBurstable, init, at + ".restartPolicy=\"Always\""},
       {at + ".resources.requests.cpu=\"2\""},
       {}},
      {{kBurstable, init},
       {at + ".resources.requests={}"},
       {at + ".resources.requests: Forbidden: resource requests cannot be removed"}},
      {{kBurstable, init},
       {at + ".resources.requests['ephemeral-storage']=\"1Gi\""},
       {at +
        ": Forbidden: only cpu and memory resources for init or sidecar containers are mutable"}},
      // Such a policy is not for new init containers.
      {{kBurstable, init,
        at + R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"RestartContainer"}])"},
       {at + ".resources.requests.cpu=\"2\""},
       {at + ": Forbidden: non-sidecar init containers with a resize policy of RestartContainer "
             "cannot be "
             "resized"}},
      {{kBurstable, init, at + R"(.restartPolicy="Always")",
        at + R"(.resizePolicy=[{"resourceName":"cpu","restartPolicy":"RestartContainer"}])"},
       {at + ".resources.requests.cpu=\"2\""},
       {}},
  });
}

TEST(PodResizeTest, PodLevel) {
  const std::string pod = R"(spec.resources={"requests":{"cpu":"1"},"limits":{"cpu":"2"}})";
  ExpectResizes({
      {{pod}, {}, {}},
      {{pod}, {"spec.resources.requests.cpu=\"2\""}, {}},
      {{pod},
       {"spec.resources"},
       {"spec: Invalid value: \"\": Pod QOS Class may not change as a result of resizing",
        "spec.resources: Forbidden: pod-level resources cannot be removed"}},
      {{R"(spec.resources={"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2"}})"},
       {"spec.resources.requests.memory"},
       {"spec.resources.requests: Forbidden: pod-level resource requests cannot be removed"}},
      {{pod},
       {"spec.resources.limits={}"},
       {"spec.resources.limits: Forbidden: pod-level resource limits cannot be removed"}},
      {{pod},
       {"spec.resources.requests['hugepages-2Mi']=\"2Mi\"",
        "spec.resources.limits['hugepages-2Mi']=\"2Mi\""},
       {"spec: Forbidden: only cpu and memory resources are mutable at pod-level"}},
  });
  const auto resized = Load<core::v1::Pod>(Edited(kStoredPod, {pod}));
  EXPECT_THAT(
      Texts(ValidatePodResize(resized, resized,
                              {.resource_is_pod = true,
                               .in_place_pod_level_resources_vertical_scaling_enabled = false})),
      ::testing::ElementsAre(
          "[]: Forbidden: resize of pods with pod-level resources is forbidden when "
          "InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled"));
}

TEST(PodResizeTest, AmountsForTheWholePod) {
  const std::string at = "spec.resources";
  const std::string one = at + R"(={"requests":{"cpu":"2","memory":"2Gi"}})";
  ExpectResizes({
      // They may come.
      {{kBurstable}, {one}, {}},
      {{kBurstable},
       {at + "={}"},
       {"spec: Invalid value: \"\": Pod QOS Class may not change as a result of resizing"}},
      {{kBurstable},
       {at + R"(={"requests":{"cpu":"2","hugepages-2Mi":"2Mi"},"limits":{"hugepages-2Mi":"2Mi"}})"},
       {"spec: Forbidden: only cpu and memory resources are mutable at pod-level"}},
      {{kBurstable, one}, {one, at + ".requests.cpu=\"3\""}, {}},
      {{kBurstable, at + R"(={"requests":{"cpu":"2"}})"},
       {at + R"(={"requests":{"memory":"2Gi"}})"},
       {at + ".requests: Forbidden: pod-level resource requests cannot be removed"}},
      {{kBurstable, at + R"(={"requests":{"cpu":"2"},"limits":{"cpu":"3"}})"},
       {at + ".limits"},
       // Memory was asked for by default, of pods with limits only.
       {at + ".requests: Forbidden: pod-level resource requests cannot be removed",
        at + ".limits: Forbidden: pod-level resource limits cannot be removed"}},
      {{kBurstable, one}, {at}, {at + ": Forbidden: pod-level resources cannot be removed"}},
      // One kind for another.
      {{R"(spec.containers[0].resources={"requests":{"cpu":"1"}})"},
       {R"(spec.containers[0].resources={"requests":{"memory":"1Gi"}})"},
       {"spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"}},
  });
}

TEST(PodResizeTest, PodsThatCan) {
  ExpectResizes({
      {{kBurstable, R"(spec.os={"name":"linux"})"}, {}, {}},
      // Nothing runs.
      {{kBurstable,
        R"(status.containerStatuses=[{"name":"c","image":"i","imageID":"","ready":true,
            "restartCount":0,"state":{"waiting":{}}}])"},
       {},
       {}},
      {{kBurstable, R"(spec.initContainers=[{"name":"i","image":"i","resources":{"requests":
            {"cpu":"1"}},"resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"}]}])"},
       {"spec.initContainers[0].resources.requests.cpu=\"2\""},
       {}},
  });
}

}  // namespace
}  // namespace podium::api
