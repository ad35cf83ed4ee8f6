#include "api/conversion/conversion.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "api/scheme.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/discovery_v1beta1.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/yaml.h"
#include "support/cpu_time.h"
#include "support/random_object.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::Type;

struct Version {
  const char* api_version;
  const char* kind;

  const Type& type() const {
    const Type* found = FindType(api_version, kind);
    EXPECT_NE(found, nullptr) << api_version << ' ' << kind;
    return *found;
  }
};

std::string JsonOf(const Type& type, const void* object) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(type, object, &out).ok());
  return out;
}

AnyObject Converted(const Type& from, const void* object, const Type& to) {
  auto out = ConvertObject(from, object, to);
  EXPECT_TRUE(out.ok()) << out.error().message();
  return *std::move(out);
}

// The object of `from` that the YAML says, as `to`, in JSON.
std::string Convert(const Version& from, const char* yaml, const Version& to) {
  const auto document = reflect::YamlToJson(yaml);
  EXPECT_TRUE(document.ok()) << document.error().message();
  AnyObject object(from.type());
  const auto decoded = reflect::DecodeJsonInto(document->json, from.type(), object.get());
  EXPECT_TRUE(decoded.ok()) << decoded.error().message();
  return JsonOf(to.type(), Converted(from.type(), object.get(), to.type()).get());
}

// Through the other version an object comes back as it was.
void ExpectLossless(const Version& one, const Version& other) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    AnyObject object(one.type());
    testing::FillRandom(one.type(), object.get(), {.seed = seed});
    const AnyObject there = Converted(one.type(), object.get(), other.type());
    const AnyObject back = Converted(other.type(), there.get(), one.type());
    // It has the version's own name then.
    const AnyObject before = Converted(one.type(), object.get(), one.type());
    std::string was = JsonOf(one.type(), before.get());
    std::string is = JsonOf(one.type(), back.get());
    for (std::string* text : {&was, &is}) {
      const size_t at = text->find("\"apiVersion\":");
      if (at != std::string::npos) text->erase(at, text->find_first_of(",}", at) - at);
    }
    ASSERT_EQ(is, was) << one.api_version << ' ' << one.kind << ' ' << seed;
  }
}

constexpr Version kCronJob{"batch/v1", "CronJob"};
constexpr Version kOldCronJob{"batch/v1beta1", "CronJob"};
constexpr Version kBudget{"policy/v1", "PodDisruptionBudget"};
constexpr Version kOldBudget{"policy/v1beta1", "PodDisruptionBudget"};
constexpr Version kEviction{"policy/v1", "Eviction"};
constexpr Version kOldEviction{"policy/v1beta1", "Eviction"};
constexpr Version kSlice{"discovery.k8s.io/v1", "EndpointSlice"};
constexpr Version kOldSlice{"discovery.k8s.io/v1beta1", "EndpointSlice"};
constexpr Version kEvent{"events.k8s.io/v1", "Event"};
constexpr Version kCoreEvent{"v1", "Event"};
constexpr Version kScaler{"autoscaling/v2", "HorizontalPodAutoscaler"};
constexpr Version kOldScaler{"autoscaling/v1", "HorizontalPodAutoscaler"};

TEST(ConversionTest, NothingIsLost) {
  ExpectLossless(kCronJob, kOldCronJob);
  ExpectLossless(kOldCronJob, kCronJob);
  ExpectLossless(kBudget, kOldBudget);
  ExpectLossless(kOldBudget, kBudget);
  ExpectLossless(kEviction, kOldEviction);
  ExpectLossless(kOldEviction, kEviction);
  ExpectLossless(kSlice, kOldSlice);
  ExpectLossless(kEvent, kCoreEvent);
  ExpectLossless(kCoreEvent, kEvent);
}

// A label of the older version may become a field too, so that an object does not come back as it
// was; but what it said it says again, and the object that is stored stays the same.
TEST(ConversionTest, NothingThatTopologySaysIsLost) {
  using Slice = discovery::v1beta1::EndpointSlice;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Slice slice;
    testing::FillRandom(kOldSlice.type(), &slice, {.seed = seed});
    for (size_t i = 0; i < slice.endpoints.size(); ++i) {
      discovery::v1beta1::Endpoint& endpoint = slice.endpoints[i];
      if ((seed + i) % 2 == 0) endpoint.topology["topology.kubernetes.io/zone"] = "z";
      if ((seed + i) % 3 != 0) endpoint.topology["kubernetes.io/hostname"] = "label";
      if ((seed + i) % 4 == 0) endpoint.nodeName = "label";
    }
    const AnyObject there = Converted(kOldSlice.type(), &slice, kSlice.type());
    const AnyObject back = Converted(kSlice.type(), there.get(), kOldSlice.type());
    const AnyObject again = Converted(kOldSlice.type(), back.get(), kSlice.type());
    ASSERT_EQ(JsonOf(kSlice.type(), again.get()), JsonOf(kSlice.type(), there.get())) << seed;
    auto is = reflect::Copy(*static_cast<const Slice*>(back.get()));
    ASSERT_EQ(is.endpoints.size(), slice.endpoints.size());
    for (size_t i = 0; i < slice.endpoints.size(); ++i) {
      for (const auto& [key, value] : slice.endpoints[i].topology) {
        ASSERT_EQ(is.endpoints[i].topology[key], value) << seed << ' ' << key;
      }
      if (slice.endpoints[i].nodeName) {
        ASSERT_EQ(is.endpoints[i].nodeName, slice.endpoints[i].nodeName) << seed;
      }
      is.endpoints[i].topology = slice.endpoints[i].topology;
      is.endpoints[i].nodeName = slice.endpoints[i].nodeName;
    }
    is.apiVersion = slice.apiVersion;
    ASSERT_EQ(JsonOf(kOldSlice.type(), &is), JsonOf(kOldSlice.type(), &slice)) << seed;
  }
}

// The older version has no word for some of what random metrics say (a target of another type than
// its value); all else comes back, and a second trip changes nothing.
TEST(ConversionTest, RandomAutoscalersSettle) {
  using Scaler = autoscaling::v2::HorizontalPodAutoscaler;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Scaler scaler;
    testing::FillRandom(kScaler.type(), &scaler, {.seed = seed});
    auto& behavior = scaler.spec.behavior;
    // One that says nothing is none, as upstream has it.
    if (behavior.has_value() && !behavior->scaleUp.has_value() &&
        !behavior->scaleDown.has_value()) {
      behavior = {};
    }
    const AnyObject old = Converted(kScaler.type(), &scaler, kOldScaler.type());
    const AnyObject once = Converted(kOldScaler.type(), old.get(), kScaler.type());
    const AnyObject old_again = Converted(kScaler.type(), once.get(), kOldScaler.type());
    const AnyObject twice = Converted(kOldScaler.type(), old_again.get(), kScaler.type());
    ASSERT_EQ(JsonOf(kScaler.type(), twice.get()), JsonOf(kScaler.type(), once.get())) << seed;
    auto is = reflect::Copy(*static_cast<const Scaler*>(once.get()));
    if (!scaler.spec.metrics.empty()) {
      ASSERT_EQ(is.spec.metrics.size(), scaler.spec.metrics.size()) << seed;
    }
    ASSERT_EQ(is.status.currentMetrics.size(), scaler.status.currentMetrics.size()) << seed;
    is.spec.metrics = scaler.spec.metrics;
    is.status.currentMetrics = scaler.status.currentMetrics;
    is.apiVersion = scaler.apiVersion;
    ASSERT_EQ(JsonOf(kScaler.type(), &is), JsonOf(kScaler.type(), &scaler)) << seed;
  }
}

TEST(ConversionTest, BetweenOtherTypesThereIsNone) {
  const AnyObject object(kBudget.type());
  const auto none = ConvertObject(kBudget.type(), object.get(), kCronJob.type());
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), Code::kUnsupported);
  EXPECT_FALSE(IsConvertible(kBudget.type(), kCronJob.type()));
  EXPECT_TRUE(IsConvertible(kBudget.type(), kOldBudget.type()));
  EXPECT_TRUE(IsConvertible(kBudget.type(), kBudget.type()));
}

TEST(ConversionTest, TheVersionIsNamed) {
  EXPECT_EQ(Convert(kOldEviction, "{apiVersion: policy/v1beta1, kind: Eviction}", kEviction),
            R"({"kind":"Eviction","apiVersion":"policy/v1","metadata":{}})");
  EXPECT_EQ(Convert(kOldEviction, "{metadata: {name: p}}", kEviction),
            R"({"metadata":{"name":"p"}})");
}

std::string SpecOf(const std::string& json) {
  const size_t begin = json.find("\"spec\":");
  return json.substr(begin, json.find(",\"status\"") - begin);
}

TEST(ConversionTest, AnEmptySelectorKeepsItsMeaning) {
  struct Case {
    const char* from;
    const char* to;
  };
  constexpr const char* kLabel = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
  const std::string exists = std::string(R"("spec":{"selector":{"matchExpressions":[{"key":")") +
                             kLabel + R"(","operator":"Exists"}]}})";
  const std::string absent = std::string(R"("spec":{"selector":{"matchExpressions":[{"key":")") +
                             kLabel + R"(","operator":"DoesNotExist"}]}})";
  const std::string exists_yaml = "{" + exists + "}";
  const std::string absent_yaml = "{" + absent + "}";
  constexpr const char* kEmpty = R"("spec":{"selector":{}})";
  EXPECT_EQ(SpecOf(Convert(kOldBudget, "{spec: {selector: {}}}", kBudget)), exists);
  EXPECT_EQ(SpecOf(Convert(kBudget, exists_yaml.c_str(), kOldBudget)), kEmpty);
  EXPECT_EQ(SpecOf(Convert(kBudget, "{spec: {selector: {}}}", kOldBudget)), absent);
  EXPECT_EQ(SpecOf(Convert(kOldBudget, absent_yaml.c_str(), kBudget)), kEmpty);
  EXPECT_EQ(SpecOf(Convert(kOldBudget,
                           "{spec: {selector: {matchLabels: {}, matchExpressions: []}}}", kBudget)),
            exists);
  EXPECT_EQ(SpecOf(Convert(kBudget, "{spec: {selector: {matchLabels: {}, matchExpressions: []}}}",
                           kOldBudget)),
            absent);
  // What says the same in both is left alone.
  EXPECT_EQ(SpecOf(Convert(kOldBudget, exists_yaml.c_str(), kBudget)), exists);
  EXPECT_EQ(SpecOf(Convert(kOldBudget, "{spec: {minAvailable: 1}}", kBudget)),
            R"("spec":{"minAvailable":1})");
}

TEST(ConversionTest, TopologyAndItsFields) {
  const std::string old = Convert(kSlice,
                                  "{addressType: IPv4, endpoints: [{addresses: [a], nodeName: m, "
                                  "zone: z, deprecatedTopology: {other: o}}, {addresses: [b]}]}",
                                  kOldSlice);
  EXPECT_NE(old.find(R"("topology":{"kubernetes.io/hostname":"m","other":"o",)"
                     R"("topology.kubernetes.io/zone":"z"})"),
            std::string::npos)
      << old;
  const std::string now =
      Convert(kOldSlice,
              "{addressType: IPv4, endpoints: [{addresses: [a], topology: {kubernetes.io/hostname: "
              "m, topology.kubernetes.io/zone: z}}]}",
              kSlice);
  EXPECT_NE(now.find(R"("nodeName":"m","zone":"z")"), std::string::npos) << now;
  EXPECT_EQ(now.find("opology"), std::string::npos) << now;
  // Both stay where they differ.
  const char* differing =
      "{endpoints: [{nodeName: field, topology: {kubernetes.io/hostname: label}}]}";
  const std::string kept = Convert(kOldSlice, differing, kSlice);
  EXPECT_NE(kept.find(R"("deprecatedTopology":{"kubernetes.io/hostname":"label"})"),
            std::string::npos)
      << kept;
  const std::string again = Convert(kSlice, kept.c_str(), kOldSlice);
  EXPECT_NE(again.find(R"("topology":{"kubernetes.io/hostname":"label"})"), std::string::npos)
      << again;
  EXPECT_NE(again.find(R"("nodeName":"field")"), std::string::npos) << again;
  // The field is stronger than the label.
  EXPECT_NE(
      Convert(kOldSlice,
              "{endpoints: [{nodeName: field, topology: {kubernetes.io/hostname: label}}]}", kSlice)
          .find(R"("nodeName":"field")"),
      std::string::npos);
}

TEST(ConversionTest, EventsUnderBothNames) {
  const std::string event = Convert(
      kCoreEvent,
      "{involvedObject: {kind: Pod}, message: m, reportingComponent: c, source: {component: "
      "s}, firstTimestamp: 2026-01-01T00:00:00Z, lastTimestamp: 2026-01-01T00:00:01Z, "
      "count: 2, reason: r}",
      kEvent);
  EXPECT_EQ(event, R"({"metadata":{},"eventTime":null,"reportingController":"c","reason":"r",)"
                   R"("regarding":{"kind":"Pod"},"note":"m","deprecatedSource":{"component":"s"},)"
                   R"("deprecatedFirstTimestamp":"2026-01-01T00:00:00Z",)"
                   R"("deprecatedLastTimestamp":"2026-01-01T00:00:01Z","deprecatedCount":2})");
}

constexpr const char* kAllMetrics = R"({
  "metadata": {"name": "h"},
  "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 5, "metrics": [
    {"type": "Object", "object": {"describedObject": {"kind": "Ingress", "name": "i"},
      "target": {"type": "Value", "value": "10"}, "metric": {"name": "hits", "selector": {"matchLabels": {"a": "b"}}}}},
    {"type": "Object", "object": {"describedObject": {"kind": "Ingress", "name": "i", "apiVersion": "networking.k8s.io/v1"},
      "target": {"type": "AverageValue", "averageValue": "3"}, "metric": {"name": "hits"}}},
    {"type": "Pods", "pods": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "2"}}},
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
    {"type": "ContainerResource", "containerResource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 40}, "container": "c"}},
    {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "7"}}},
    {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "8"}}},
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
  "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]},
    "scaleDown": {"tolerance": "100m"}}},
  "status": {"currentReplicas": 2, "desiredReplicas": 3, "currentMetrics": [
    {"type": "Object", "object": {"metric": {"name": "hits"}, "current": {"value": "9"}, "describedObject": {"kind": "Ingress", "name": "i"}}},
    {"type": "Pods", "pods": {"metric": {"name": "q"}, "current": {"averageValue": "1"}}},
    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageValue": "100m", "averageUtilization": 20}}},
    {"type": "ContainerResource", "containerResource": {"name": "cpu", "current": {"averageValue": "1"}, "container": "c"}},
    {"type": "External", "external": {"metric": {"name": "queue"}, "current": {"value": "5", "averageValue": "2"}}}],
  "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "R", "message": "m"}]}
})";

TEST(ConversionTest, AutoscalersKeepTheirMetricsInAnnotations) {
  const std::string old = Convert(kScaler, kAllMetrics, kOldScaler);
  for (
      const char* part :
      {R"("targetCPUUtilizationPercentage":70)", R"("currentCPUUtilizationPercentage":20)",
       R"("autoscaling.alpha.kubernetes.io/metrics":"[{\"type\":\"Object\",\"object\":{\"target\":)",
       R"({\"type\":\"Pods\",\"pods\":{\"metricName\":\"q\",\"targetAverageValue\":\"2\"}})",
       R"("autoscaling.alpha.kubernetes.io/current-metrics":"[{\"type\":\"Object\")",
       R"("autoscaling.alpha.kubernetes.io/conditions":"[{\"type\":\"AbleToScale\")",
       // Upstream's internal struct, as Go writes it.
       (R"("autoscaling.alpha.kubernetes.io/behavior":"{\"ScaleUp\":{\"StabilizationWindowSeconds\":0,)"
        R"(\"SelectPolicy\":\"Max\",\"Policies\":[{\"Type\":\"Pods\",\"Value\":4,\"PeriodSeconds\":60}],)"
        R"(\"Tolerance\":null},\"ScaleDown\":{\"StabilizationWindowSeconds\":null,\"SelectPolicy\":null,)"
        R"(\"Policies\":null,\"Tolerance\":\"100m\"}}")")}) {
    EXPECT_NE(old.find(part), std::string::npos) << part << '\n' << old;
  }
  const std::string same = Convert(kScaler, kAllMetrics, kScaler);
  EXPECT_EQ(Convert(kOldScaler, old.c_str(), kScaler), same);
}

TEST(ConversionTest, AnAutoscalerOfTheFirstVersion) {
  const std::string now =
      Convert(kOldScaler,
              "{spec: {maxReplicas: 3, targetCPUUtilizationPercentage: 60}, status: "
              "{currentCPUUtilizationPercentage: 5}}",
              kScaler);
  EXPECT_NE(now.find(R"("metrics":[{"type":"Resource","resource":{"name":"cpu","target":)"
                     R"({"type":"Utilization","averageUtilization":60}}}])"),
            std::string::npos)
      << now;
  EXPECT_NE(now.find(R"("currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":)"
                     R"({"averageUtilization":5}}}])"),
            std::string::npos)
      << now;
  // What its controller took for one that says nothing.
  EXPECT_NE(
      Convert(kOldScaler, "{spec: {maxReplicas: 3}}", kScaler).find(R"("averageUtilization":80)"),
      std::string::npos);
}

// Nobody has looked at an object's size or its annotations before it is converted.
TEST(ConversionTest, ManyMembersOfAnAnnotationTakeNoLongTime) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += ",\\\"m" + std::to_string(i) + "\\\":1";
  const std::string object = R"({"metadata":{"annotations":{)"
                             R"("autoscaling.alpha.kubernetes.io/behavior":)"
                             "\"{\\\"ScaleUp\\\":{\\\"SelectPolicy\\\":\\\"Max\\\"}" +
                             text + R"(}"}},"spec":{"maxReplicas":3}})";
  const auto start = podium::testing::CpuTime();
  const std::string now = Convert(kOldScaler, object.c_str(), kScaler);
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(10));
  EXPECT_NE(now.find(R"("behavior":{"scaleUp":{"selectPolicy":"Max"}})"), std::string::npos)
      << now.substr(0, 500);
}

TEST(ConversionTest, AnnotationsThatCannotBeReadAreDropped) {
  for (const char* text : {"{", "{}", "[1]", "[{\\\"type\\\":1}]", ""}) {
    const std::string yaml =
        std::string(R"({"metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/metrics":")") +
        text + R"(","autoscaling.alpha.kubernetes.io/behavior":")" + text +
        R"(","autoscaling.alpha.kubernetes.io/conditions":")" + text +
        R"(","autoscaling.alpha.kubernetes.io/current-metrics":")" + text +
        R"(","autoscaling.alpha.kubernetes.io/scale-up-tolerance":"1",)"
        R"("autoscaling.alpha.kubernetes.io/scale-down-tolerance":"1",)"
        R"("other":"o"}},"spec":{"targetCPUUtilizationPercentage":1}})";
    const std::string now = Convert(kOldScaler, yaml.c_str(), kScaler);
    EXPECT_NE(now.find(R"("annotations":{"other":"o"})"), std::string::npos) << now;
    EXPECT_NE(now.find(R"("metrics":[{"type":"Resource")"), std::string::npos) << now;
    EXPECT_EQ(now.find("behavior"), std::string::npos) << now;
  }
  // Nor does an object of v2 show any in the older version that it did not get by conversion.
  const std::string old = Convert(
      kScaler,
      R"({"metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/scale-up-tolerance":"1",)"
      R"("autoscaling.alpha.kubernetes.io/metrics":"[]","other":"o"}}})",
      kOldScaler);
  EXPECT_NE(old.find(R"("annotations":{"other":"o"})"), std::string::npos) << old;
}

core::v1::Pod PodOf(const char* yaml) {
  const auto document = reflect::YamlToJson(yaml);
  EXPECT_TRUE(document.ok());
  auto pod = reflect::FromJson<core::v1::Pod>(document->json);
  EXPECT_TRUE(pod.ok()) << pod.error().message();
  return *std::move(pod);
}

TEST(EphemeralContainersTest, AsOldClientsGetAndPutThem) {
  const core::v1::Pod pod = PodOf(
      "{metadata: {name: p, namespace: ns, uid: u, resourceVersion: '7'}, spec: {containers: "
      "[{name: c}], ephemeralContainers: [{name: d, image: i}]}}");
  const auto shown = EphemeralContainersOf(pod);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(*shown, R"({"kind":"EphemeralContainers","apiVersion":"v1","metadata":{"name":"p",)"
                    R"("namespace":"ns","uid":"u","resourceVersion":"7"},"ephemeralContainers":)"
                    R"([{"name":"d","image":"i","resources":{}}]})");
  const auto back = WithEphemeralContainers(pod, *shown);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_TRUE(reflect::Equal(*back, pod));
  const auto none = EphemeralContainersOf(PodOf("{metadata: {name: p}}"));
  ASSERT_TRUE(none.ok());
  EXPECT_NE(none->find(R"("ephemeralContainers":null)"), std::string::npos);

  const auto changed = WithEphemeralContainers(
      pod, R"({"kind":"EphemeralContainers","apiVersion":"v1","metadata":{"name":"p","namespace":)"
           R"("ns","resourceVersion":"6"},"ephemeralContainers":[{"name":"d"},{"name":"e"}]})");
  ASSERT_TRUE(changed.ok()) << changed.error().message();
  EXPECT_EQ(changed->spec.ephemeralContainers.size(), 2U);
  EXPECT_EQ(changed->spec.containers.size(), 1U);
  EXPECT_EQ(changed->metadata.resourceVersion, "6");
  EXPECT_EQ(changed->metadata.uid, "u");
}

TEST(EphemeralContainersTest, OtherObjectsAreRefused) {
  const core::v1::Pod pod = PodOf("{metadata: {name: p, namespace: ns}}");
  for (
      const char* text :
      {"", "[]", "{}",
       R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"ns"}})",
       R"({"kind":"EphemeralContainers","apiVersion":"v1","metadata":{"name":"q","namespace":"ns"}})",
       R"({"kind":"EphemeralContainers","apiVersion":"v1"})",
       (R"({"kind":"EphemeralContainers","apiVersion":"v1","metadata":{"name":"p","namespace":"ns"},)"
        R"("ephemeralContainers":[{"nam":"x"}]})")}) {
    EXPECT_FALSE(WithEphemeralContainers(pod, text).ok()) << text;
  }
}

}  // namespace
}  // namespace podium::api
