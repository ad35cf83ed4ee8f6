#include "api/validation/autoscaling.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using autoscaling::v1::Scale;
using autoscaling::v2::HorizontalPodAutoscaler;

constexpr char kAutoscaler[] = R"({"metadata": {"name": "h", "namespace": "n"},
  "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
           "minReplicas": 1, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {"name": "cpu",
             "target": {"type": "Utilization", "averageUtilization": 80}}}]}})";
const std::string kMetric = "spec.metrics[0]";  // NOLINT: a constant of tests

void ExpectSpec(const std::vector<ErrorCase>& cases) {
  ExpectCreate<HorizontalPodAutoscaler>(kAutoscaler, cases);
}

TEST(Autoscaling, Replicas) {
  ExpectSpec(
      {{{}, {}},
       {{"spec.minReplicas=0", "spec.maxReplicas=0", "spec.scaleTargetRef={}"},
        {"spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
         "spec.maxReplicas: Invalid value: 0: must be greater than 0",
         "spec.scaleTargetRef.kind: Required value", "spec.scaleTargetRef.name: Required value",
         "spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group",
         ("spec.metrics: Forbidden: must specify at least one Object or External metric to "
          "support scaling to zero replicas")}},
       {{"spec.minReplicas=4", "spec.scaleTargetRef.kind=\"a/b\"",
         "spec.scaleTargetRef.name=\"a/b\""},
        {"spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`",
         "spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'",
         "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'"}}});
  ExpectUpdate<HorizontalPodAutoscaler>(
      kAutoscaler, {{{"spec.maxReplicas=4"}, {}},
                    {{"spec.minReplicas=-1"},
                     {"spec.minReplicas: Invalid value: -1: must be greater than or equal to 1"}}});
  const std::string zero = Edited(
      kAutoscaler,
      {"spec.minReplicas=0",
       kMetric +
           R"(={"type":"External","external":{"metric":{"name":"m"},"target":{"type":"Value","value":"1"}}})"});
  ExpectUpdate<HorizontalPodAutoscaler>(
      zero, {{{"spec.maxReplicas=4"}, {}},
             {{"spec.minReplicas=-1"},
              {"spec.minReplicas: Invalid value: -1: must be greater than or equal to 0"}}});
  ExpectUpdate<HorizontalPodAutoscaler>(
      kAutoscaler,
      {{{"status.currentReplicas=1"}, {}},
       {{R"(status={"currentReplicas":-1,"desiredReplicas":-1})"},
        {"status.currentReplicas: Invalid value: -1: must be greater than or equal to 0",
         "status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0"}}},
      "status");
}

// Since release 1.34 the group is asked for; what is stored without one may stay.
TEST(Autoscaling, ApiVersions) {
  const std::string at = "spec.scaleTargetRef.apiVersion";
  const auto no_group = [&](const std::string& version) {
    return at + ": Invalid value: \"" + version + "\": apiVersion must specify API group";
  };
  const std::string of_core = "spec.scaleTargetRef.kind=\"ReplicationController\"";
  const std::string three_parts =
      ": Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c";
  ExpectSpec({{{at + "=\"a/\""}, {}},
              {{at + "=\"v1\""}, {no_group("v1")}},
              {{at + "=\"/\""}, {no_group("/")}},
              {{at + "=\"/v1\""}, {no_group("/v1")}},
              {{at + "=\"\"", of_core}, {}},
              {{at + "=\"v1\"", of_core}, {}},
              {{at + "=\"a/b/c\"", of_core}, {at + three_parts}}});
  const std::string without = Edited(kAutoscaler, {at + "=\"\""});
  ExpectUpdate<HorizontalPodAutoscaler>(without,
                                        {{{"spec.maxReplicas=4"}, {}},
                                         {{at + "=\"v1\""}, {no_group("v1")}},
                                         {{"spec.scaleTargetRef.kind=\"D\""}, {no_group("")}},
                                         {{of_core}, {}}});
  const auto described = [&](const std::string& version) {
    return Edited(kAutoscaler,
                  {kMetric + R"(={"type":"Object","object":{"describedObject":{"apiVersion":")" +
                   version + R"(","kind":"K","name":"n"},"metric":{"name":"m"},)" +
                   R"("target":{"type":"Value","value":"1"}}})"});
  };
  const std::string object = kMetric + ".object.describedObject.apiVersion";
  ExpectCreate<HorizontalPodAutoscaler>(
      described("v1"), {{{}, {}}, {{object + "=\"a/b/c\""}, {object + three_parts}}});
  ExpectUpdate<HorizontalPodAutoscaler>(
      described("v1"), {{{}, {}}, {{object + "=\"a/b/c\""}, {object + three_parts}}});
  ExpectUpdate<HorizontalPodAutoscaler>(described("x/y/z"), {{{object + "=\"a/b/c\""}, {}}});
}

TEST(Autoscaling, MetricTypes) {
  const std::string supported =
      ".type: Unsupported value: \"X\": supported values: \"ContainerResource\", \"External\", "
      "\"Object\", \"Pods\", \"Resource\"";
  ExpectSpec({{{kMetric + "={\"type\":\"X\"}"}, {kMetric + supported, kMetric + supported}},
              {{kMetric + "={\"type\":\"Pods\"}"},
               {kMetric + ".pods: Required value: must populate information for the given metric "
                          "source"}},
              {{kMetric + ".pods={}"},
               {kMetric + ".pods.metric.name: Required value: must specify a metric name",
                kMetric + ".pods.target.type: Required value: must specify a metric target type",
                kMetric + ".pods.target.type: Invalid value: \"\": must be either Utilization, "
                          "Value, or AverageValue",
                kMetric + ".pods.target.averageValue: Required value: must specify a positive "
                          "target averageValue",
                kMetric + ".pods: Forbidden: must populate the given metric source only"}}});
  auto autoscaler = Load<HorizontalPodAutoscaler>(kAutoscaler);
  autoscaler.spec.metrics[0].type = "";
  EXPECT_THAT(Texts(ValidateHorizontalPodAutoscaler(autoscaler))[0],
              kMetric + ".type: Required value: must specify a metric source type");
}

TEST(Autoscaling, Sources) {
  const auto source = [](const std::string& type, const std::string& name,
                         const std::string& json) {
    return kMetric + R"(={"type":")" + type + R"(",")" + name + R"(":)" + json + "}";
  };
  const std::string good =
      R"("metric":{"name":"m"},"target":{"type":"AverageValue","averageValue":"1"})";
  const std::string bad = R"("metric":{"name":""},"target":{"type":"Value"})";
  const std::string name = ".metric.name: Required value: must specify a metric name";
  ExpectSpec(
      {{{source("Pods", "pods", "{" + good + "}")}, {}},
       {{source("External", "external", "{" + good + "}")}, {}},
       {{source("Object", "object", R"({"describedObject":{"kind":"K","name":"n"},)" + good + "}")},
        {}},
       {{source("Pods", "pods", "{" + bad + "}")},
        {kMetric + ".pods" + name,
         kMetric + ".pods.target.averageValue: Required value: must specify a positive target "
                   "averageValue"}},
       {{source("External", "external", "{" + bad + "}")},
        {kMetric + ".external" + name,
         kMetric + ".external.target.averageValue: Required value: must set either a target value "
                   "for metric or a per-pod target"}},
       {{source("External", "external", "{" + good + "}"),
         kMetric + ".external.target.value=\"1\""},
        {kMetric + ".external.target.value: Forbidden: may not set both a target value for metric "
                   "and a per-pod target"}},
       {{source("Object", "object", R"({"describedObject":{},)" + bad + "}")},
        {kMetric + ".object.describedObject.kind: Required value",
         kMetric + ".object.describedObject.name: Required value", kMetric + ".object" + name,
         kMetric + ".object.target.averageValue: Required value: must set either a target value or "
                   "averageValue"}},
       {{source("Pods", "pods", "{" + good + "}"), kMetric + ".pods.metric.name=\"a/b\""},
        {kMetric + ".pods.metric.name: Invalid value: \"a/b\": may not contain '/'"}}});
}

TEST(Autoscaling, Resources) {
  const std::string target = kMetric + ".resource.target";
  const std::string container = kMetric + ".containerResource";
  ExpectSpec(
      {{{kMetric +
         R"(={"type":"ContainerResource","containerResource":{"name":"cpu","container":"c","target":{"type":"Utilization","averageUtilization":1}}})"},
        {}},
       {{kMetric +
         R"(={"type":"ContainerResource","containerResource":{"name":"","container":"","target":{"type":"Utilization","averageUtilization":1}}})"},
        {container + ".name: Required value: must specify a resource name",
         container + ".container: Required value: must specify a container"}},
       {{kMetric +
         R"(={"type":"ContainerResource","containerResource":{"name":"pods","container":"C","target":{"type":"Utilization","averageUtilization":1}}})"},
        {container + ".name: Invalid value: \"pods\": must be a standard resource for containers",
         container + ".container: Invalid value: \"C\": " + kBadLabel}},
       {{kMetric + ".resource.name=\"\"", target + "={\"type\":\"\"}"},
        {kMetric + ".resource.name: Required value: must specify a resource name",
         target + ".type: Required value: must specify a metric target type",
         target + ".type: Invalid value: \"\": must be either Utilization, Value, or AverageValue",
         target + ".averageUtilization: Required value: must set either a target raw value or a "
                  "target utilization"}},
       {{target + R"(={"type":"X","value":"0","averageValue":"-1","averageUtilization":0})"},
        {target + ".type: Invalid value: \"X\": must be either Utilization, Value, or AverageValue",
         target + ".value: Invalid value: \"0\": must be positive",
         target + ".averageValue: Invalid value: \"-1\": must be positive",
         target + ".averageUtilization: Invalid value: 0: must be greater than 0",
         target + ".averageValue: Forbidden: may not set both a target raw value and a target "
                  "utilization"}}});
}

TEST(Autoscaling, Behavior) {
  const std::string up = "spec.behavior.scaleUp";
  ExpectSpec(
      {{{up +
         R"(={"stabilizationWindowSeconds":3600,"selectPolicy":"Min","tolerance":"0.1","policies":[{"type":"Pods","value":1,"periodSeconds":1800}]})"},
        {}},
       {{up +
         R"(={"stabilizationWindowSeconds":-1,"selectPolicy":"X","tolerance":"-1","policies":[{"type":"X","value":0,"periodSeconds":0}]})"},
        {up + ".stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to "
              "zero",
         up + ".selectPolicy: Unsupported value: \"X\": supported values: \"Disabled\", \"Max\", "
              "\"Min\"",
         up + ".policies[0].type: Unsupported value: \"X\": supported values: \"Percent\", "
              "\"Pods\"",
         up + ".policies[0].value: Invalid value: 0: must be greater than zero",
         up + ".policies[0].periodSeconds: Invalid value: 0: must be greater than zero",
         up + ".tolerance: Invalid value: \"-1\": must be greater than or equal to 0"}},
       {{up +
         R"(={"stabilizationWindowSeconds":3601,"policies":[{"type":"Pods","value":1,"periodSeconds":1801}]})"},
        {up +
             ".stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
         up + ".policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to "
              "1800"}}});
  auto autoscaler = Load<HorizontalPodAutoscaler>(kAutoscaler);
  autoscaler.spec.behavior.ensure().scaleDown.emplace();
  EXPECT_THAT(Texts(ValidateHorizontalPodAutoscaler(autoscaler)),
              ::testing::ElementsAre("spec.behavior.scaleDown.policies: Required value: must "
                                     "specify at least one Policy"));
}

TEST(Autoscaling, OlderVersion) {
  using OldAutoscaler = autoscaling::v1::HorizontalPodAutoscaler;
  constexpr char kOld[] = R"({"metadata": {"name": "h", "namespace": "n"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
             "maxReplicas": 3}})";
  const std::string utilization =
      "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than "
      "0";
  ExpectCreate<OldAutoscaler>(kOld, {{{"spec.targetCPUUtilizationPercentage=80"}, {}},
                                     {{"spec.targetCPUUtilizationPercentage=0"}, {utilization}}});
  ExpectUpdate<OldAutoscaler>(kOld, {{{"spec.targetCPUUtilizationPercentage=80"}, {}},
                                     {{"spec.targetCPUUtilizationPercentage=0"}, {utilization}}});
  ExpectUpdate<OldAutoscaler>(
      kOld,
      {{{"status.currentReplicas=-1"},
        {"status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"}}},
      "status");
  // What annotations say is checked as the fields that they stand for, and what cannot be read is
  // passed over. The metric of the field comes behind theirs.
  const auto annotation = [](const std::string& name, const std::string& text) {
    return "metadata.annotations['autoscaling.alpha.kubernetes.io/" + name + "']=\"" + text + "\"";
  };
  const std::string no_type =
      "spec.metrics[0].type: Unsupported value: \"\": supported values: \"ContainerResource\", "
      "\"External\", \"Object\", \"Pods\", \"Resource\"";
  const std::vector<ErrorCase> cases = {
      {{annotation("metrics", R"([{\"type\":\"Pods\",\"pods\":{\"metricName\":\"m\",)"
                              R"(\"targetAverageValue\":\"1\"}}])")},
       {}},
      {{annotation("metrics", "[{}]"), "spec.targetCPUUtilizationPercentage=0"},
       {"spec.metrics[0].type: Required value: must specify a metric source type", no_type, no_type,
        "spec.metrics[1].resource.target.averageUtilization: Invalid value: 0: must be greater "
        "than 0"}},
      {{annotation("behavior", R"({\"ScaleUp\":{\"StabilizationWindowSeconds\":-1,)"
                               R"(\"Policies\":[{\"Type\":\"Pods\",\"Value\":1,)"
                               R"(\"PeriodSeconds\":1}]}})")},
       {"spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be greater than "
        "or equal to zero"}},
      {{annotation("metrics", "x"), annotation("behavior", "[]"), annotation("conditions", "{"),
        annotation("current-metrics", "1")},
       {}},
  };
  ExpectCreate<OldAutoscaler>(kOld, cases);
  ExpectUpdate<OldAutoscaler>(kOld, cases);
}

TEST(Autoscaling, Scale) {
  constexpr char kScale[] = R"({"metadata": {"name": "s", "namespace": "n"}})";
  const std::vector<ErrorCase> cases = {
      {{"spec.replicas=3"}, {}},
      {{"metadata.name=\"S\"", "spec.replicas=-1"},
       {"metadata.name: Invalid value: \"S\": " + kBadSubdomain,
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"}}};
  ExpectCreate<Scale>(kScale, cases);
  ExpectUpdate<Scale>(kScale, cases);
}

}  // namespace
}  // namespace podium::api
