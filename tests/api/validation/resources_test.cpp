// Amounts of resources: of containers, pods and overhead; claims; quality of service.
#include "api/validation/resources.h"

#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string R(const std::string& json) { return "spec.containers[0].resources=" + json; }
const std::string kR = "spec.containers[0].resources";

TEST(ResourcesTest, NamesAndAmounts) {
  ExpectPodErrors({
      {{R(R"({"limits":{"cpu":"1","memory":"1Gi","ephemeral-storage":"1Gi","example.com/gpu":"1"}})")},
       {}},
      {{R(R"({"limits":{"disk":"1"}})")},
       {kR + ".limits[disk]: Invalid value: \"disk\": must be a standard resource type or fully "
             "qualified",
        kR + ".limits[disk]: Invalid value: \"disk\": must be a standard resource for containers",
        kR + ".requests[disk]: Invalid value: \"disk\": must be a standard resource type or fully "
             "qualified",
        kR + ".requests[disk]: Invalid value: \"disk\": must be a standard resource for "
             "containers"}},
      {{R(R"({"requests":{"pods":"1"}})")},
       {kR +
        ".requests[pods]: Invalid value: \"pods\": must be a standard resource for containers"}},
      {{R(R"({"requests":{"a b":"1"}})")},
       {kR + ".requests[a b]: Invalid value: \"a b\": " + kNotQualified,
        kR + ".requests[a b]: Invalid value: \"a b\": must be a standard resource for containers"}},
      {{R(R"({"requests":{"requests.example.com/gpu":"1"},"limits":{"requests.example.com/gpu":"1"}})")},
       {kR + ".limits[requests.example.com/gpu]: Invalid value: \"requests.example.com/gpu\": "
             "doesn't "
             "follow extended resource name standard",
        kR + ".requests[requests.example.com/gpu]: Invalid value: \"requests.example.com/gpu\": "
             "doesn't follow extended resource name standard"}},
      {{R(R"({"requests":{"cpu":"-1"}})")},
       {kR + ".requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"}},
      {{R(R"({"requests":{"example.com/gpu":"500m"},"limits":{"example.com/gpu":"500m"}})")},
       {kR + ".limits[example.com/gpu]: Invalid value: \"500m\": must be an integer",
        kR + ".requests[example.com/gpu]: Invalid value: \"500m\": must be an integer"}},
  });
}

TEST(ResourcesTest, RequestsFitLimits) {
  ExpectPodErrors({
      {{R(R"({"requests":{"cpu":"1"},"limits":{"cpu":"1"}})")}, {}},
      {{R(R"({"requests":{"cpu":"2"},"limits":{"cpu":"1"}})")},
       {kR + ".requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"}},
      {{R(R"({"requests":{"example.com/gpu":"1"},"limits":{"example.com/gpu":"2"}})")},
       {kR + ".requests: Invalid value: \"1\": must be equal to example.com/gpu limit of 2"}},
      {{R(R"({"requests":{"example.com/gpu":"1"}})")},
       {kR + ".limits: Required value: Limit must be set for non overcommitable resources"}},
  });
}

TEST(ResourcesTest, HugePages) {
  ExpectPodErrors({
      {{R(R"({"limits":{"cpu":"1","hugepages-2Mi":"4Mi"}})")}, {}},
      {{R(R"({"limits":{"hugepages-2Mi":"4Mi"}})")},
       {kR + ": Forbidden: HugePages require cpu or memory"}},
      {{R(R"({"limits":{"cpu":"1","hugepages-2Mi":"3Mi"}})")},
       {kR + ".limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple "
             "of "
             "hugepages-2Mi",
        kR + ".requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer "
             "multiple "
             "of hugepages-2Mi"}},
  });
}

TEST(ResourcesTest, ClaimsOfContainers) {
  const std::string claims =
      R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"},
                              {"name":"b","resourceClaimTemplateName":"y"}])";
  auto uses = [](const std::string& json) { return R(R"({"claims":)" + json + "}"); };
  ExpectPodErrors({
      {{claims, uses(R"([{"name":"a"},{"name":"b","request":"r"},{"name":"b","request":"s"}])")},
       {}},
      {{claims, uses(R"([{"name":"a"},{"name":"b"}])")}, {}},
      {{claims, uses(R"([{"name":""}])")}, {kR + ".claims[0]: Required value"}},
      {{claims, uses(R"([{"name":"a"},{"name":"a"}])")},
       {kR + ".claims[1]: Duplicate value: \"a\""}},
      {{claims, uses(R"([{"name":"a"},{"name":"a","request":"r"}])")},
       {kR + ".claims[1]: Duplicate value: \"a\""}},
      {{claims, uses(R"([{"name":"a","request":"r"},{"name":"a"}])")},
       {kR + ".claims[1]: Duplicate value: \"a\""}},
      {{claims, uses(R"([{"name":"a","request":"r"},{"name":"a","request":"r"}])")},
       {kR + ".claims[1]: Duplicate value: \"a/r\""}},
      // Of "x/y" and a request only the part before the first slash is the claim.
      {{claims, uses(R"([{"name":"x/y","request":"r"},{"name":"x/y"}])")},
       {kR + ".claims[0]: Not found: \"x/y\": must be one of the names in pod.spec.resourceClaims: "
             "a, b",
        kR + ".claims[1]: Not found: \"x/y\": must be one of the names in pod.spec.resourceClaims: "
             "a, b"}},
      {{claims, uses(R"([{"name":"a","request":"R"}])")},
       {kR + ".claims[0].request: Invalid value: \"R\": " + kNotLabel}},
      {{claims, uses(R"([{"name":"c"}])")},
       {kR +
        ".claims[0]: Not found: \"c\": must be one of the names in pod.spec.resourceClaims: a, b"}},
      {{uses(R"([{"name":"c"}])")},
       {kR +
        ".claims[0]: Not found: \"c\": must be one of the names in pod.spec.resourceClaims which "
        "is empty"}},
  });
}

TEST(ResourcesTest, ClaimsOfPods) {
  auto claims = [](const std::string& json) { return "spec.resourceClaims=" + json; };
  const std::string at = "spec.resourceClaims";
  ExpectPodErrors({
      {{claims(R"([{"name":"","resourceClaimName":"x"}])")}, {at + "[0].name: Required value"}},
      {{claims(R"([{"name":"A","resourceClaimName":"x"}])")},
       {at + "[0].name: Invalid value: \"A\": " + kNotLabel}},
      {{claims(R"([{"name":"a","resourceClaimName":"x"},{"name":"a","resourceClaimName":"x"}])")},
       {at + "[1].name: Duplicate value: \"a\""}},
      {{claims(R"([{"name":"a"}])")},
       {at + "[0]: Invalid value: "
             "{\"Name\":\"a\",\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}: must "
             "specify one of: `resourceClaimName`, `resourceClaimTemplateName`"}},
      {{claims(R"([{"name":"a","resourceClaimName":"x","resourceClaimTemplateName":"y"}])")},
       {at + "[0]: Invalid value: "
             "{\"Name\":\"a\",\"ResourceClaimName\":\"x\",\"ResourceClaimTemplateName\":\"y\"}: at "
             "most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"}},
      {{claims(
           R"([{"name":"a","resourceClaimName":"X"},{"name":"b","resourceClaimTemplateName":""}])")},
       {at + "[0].resourceClaimName: Invalid value: \"X\": " + kNotSubdomain,
        at + "[1].resourceClaimTemplateName: Invalid value: \"\": " + kNotSubdomain}},
      {{claims(R"([{"name":"a","resourceClaimName":"x"}])"), "spec.nodeName=\"n\"",
        R"(metadata.annotations={"kubernetes.io/config.mirror":"m"})"},
       {"[]: Forbidden: static pods do not support resource claims"}},
  });
}

TEST(ResourcesTest, PodLevel) {
  auto pod = [](const std::string& json) { return "spec.resources=" + json; };
  const std::string at = "spec.resources";
  ExpectPodErrors({
      {{pod(R"({"requests":{"cpu":"2"},"limits":{"cpu":"2","memory":"1Gi"}})"),
        R(R"({"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}})")},
       {}},
      {{pod(R"({"requests":{"ephemeral-storage":"1"}})")},
       {at + ".requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported "
             "values: \"cpu\", \"hugepages-\", \"memory\""}},
      {{pod(R"({"claims":[{"name":"a"}]})"),
        R"(spec.resourceClaims=[{"name":"a","resourceClaimName":"x"}])"},
       {at + ".claims: Forbidden: claims may not be set for Resources at pod-level"}},
      {{pod(R"({"requests":{"cpu":"1"},"limits":{"cpu":"3"}})"),
        R(R"({"requests":{"cpu":"1500m"}})")},
       {at + ".requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate "
             "container requests of 1500m"}},
      {{pod(R"({"requests":{"cpu":"1"},"limits":{"cpu":"1"}})"),
        R(R"({"requests":{"cpu":"1"},"limits":{"cpu":"2"}})")},
       {at + ".containers[0][cpu].limits: Invalid value: \"2\": must be less than or equal to pod "
             "limits of 1"}},
      {{pod(R"({"limits":{"cpu":"1","hugepages-2Mi":"2Mi"}})"),
        R(R"({"limits":{"cpu":"1","hugepages-2Mi":"2Mi"}})"),
        R"(spec.containers[1]={"name":"d","image":"i","resources":
           {"limits":{"memory":"1","hugepages-2Mi":"2Mi"}}})"},
       {at + ".requests[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or equal to "
             "aggregate container requests of 4Mi",
        at + ".limits[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or equal to "
             "aggregate container limits of 4Mi"}},
      {{pod(R"({"limits":{"cpu":"1"}})"), R"(spec.os={"name":"windows"})"},
       {at + ": Forbidden: may not be set for a windows pod"}},
  });
}

TEST(ResourcesTest, Overhead) {
  ExpectPodErrors({
      {{R"(spec.overhead={"cpu":"10m"})"}, {}},
      {{R"(spec.overhead={"cpu":"-10m"})"},
       {"spec.overhead.limits[cpu]: Invalid value: \"-10m\": must be greater than or equal to 0"}},
  });
}

std::string Sum(const reflect::Map<Quantity>& resources) {
  std::string out;
  for (const auto& [name, quantity] : resources) out += name + "=" + quantity.String() + " ";
  return out;
}

// Sidecars add to what comes after them; other init containers run alone.
TEST(ResourcesTest, InitContainersPeakBesideSidecars) {
  auto pod =
      Load<core::v1::Pod>(Edited(kPod, {R"(spec.containers[0].resources={"requests":{"cpu":"1"}})",
                                        R"(spec.initContainers=[
                  {"name":"a","image":"i","resources":{"requests":{"cpu":"3"}}},
                  {"name":"s","image":"i","restartPolicy":"Always","resources":{"requests":{"cpu":"2"}}},
                  {"name":"b","image":"i","resources":{"requests":{"cpu":"5","memory":"1Gi"}}}])"}));
  EXPECT_EQ(Sum(AggregateContainerRequests(pod.spec)), "cpu=7 memory=1Gi ");
  pod.spec.initContainers.pop_back();
  EXPECT_EQ(Sum(AggregateContainerRequests(pod.spec)), "cpu=3 ");
}

TEST(ResourcesTest, Qos) {
  auto qos = [](const std::vector<std::string>& edits) {
    return std::string(ComputePodQos(Load<core::v1::Pod>(Edited(kPod, edits)).spec));
  };
  EXPECT_EQ(qos({}), "BestEffort");
  EXPECT_EQ(qos({R(R"({"limits":{"cpu":"0"}})")}), "BestEffort");
  EXPECT_EQ(qos({R(R"({"requests":{"cpu":"1"}})")}), "Burstable");
  EXPECT_EQ(qos({R(R"({"limits":{"cpu":"1"}})")}), "Burstable");
  EXPECT_EQ(qos({R(R"({"limits":{"cpu":"1","memory":"1Gi"}})")}), "Guaranteed");
  EXPECT_EQ(qos({R(R"({"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}})")}),
            "Burstable");
  EXPECT_EQ(qos({R(R"({"limits":{"cpu":"1","memory":"1Gi"}})"),
                 R"(spec.initContainers=[{"name":"i","image":"i"}])"}),
            "Burstable");
  EXPECT_EQ(qos({R"(spec.resources={"limits":{"cpu":"1","memory":"1Gi"}})"}), "Guaranteed");
  EXPECT_EQ(qos({R"(spec.resources={"requests":{"cpu":"1"}})"}), "Burstable");
  // Limits alone, as before defaults.
  Result<core::v1::Pod> raw = reflect::FromJson<core::v1::Pod>(
      Edited(kPod, {R(R"({"limits":{"cpu":"1","memory":"1Gi"}})")}));
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(ComputePodQos(raw->spec), "Burstable");
}

TEST(ResourcesTest, HugePagesOfPods) {
  const auto huge = [](const std::string& amount) {
    return R(R"({"limits":{"cpu":"1","hugepages-2Mi":")" + amount + "\"}}");
  };
  const auto pod = [](const std::string& amounts) {
    return R"(spec.resources={"limits":)" + amounts + R"(,"requests":)" + amounts + "}";
  };
  ExpectPodErrors({
      {{huge("4Mi"), pod(R"({"cpu":"1","hugepages-2Mi":"4Mi"})")}, {}},
      {{huge("4Mi"), pod(R"({"cpu":"1"})")}, {}},
      {{huge("4Mi"), pod(R"({"cpu":"1","hugepages-2Mi":"2Mi"})")},
       {"spec.resources.requests[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or "
        "equal to aggregate container requests of 4Mi",
        "spec.resources.limits[hugepages-2Mi]: Invalid value: \"2Mi\": must be greater than or "
        "equal to aggregate container limits of 4Mi",
        "spec.resources.containers[0][hugepages-2Mi].limits: Invalid value: \"4Mi\": must be less "
        "than or equal to pod limits of 2Mi"}},
      {{huge("3Mi")},
       {kR + ".limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple "
             "of hugepages-2Mi",
        kR + ".requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer "
             "multiple of hugepages-2Mi"}},
  });
  ExpectPodErrors({{{huge("3Mi")}, {}}}, {.allow_indivisible_huge_pages_values = true});
}

}  // namespace
}  // namespace podium::api
