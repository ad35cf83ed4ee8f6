#include "api/validation/node.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::Node;

constexpr char kNode[] = R"({
  "metadata": {"name": "n"},
  "spec": {"podCIDRs": ["10.0.0.0/24"], "podCIDR": "10.0.0.0/24", "providerID": "p"},
  "status": {"capacity": {"cpu": "4", "pods": "110"},
             "addresses": [{"type": "InternalIP", "address": "1.2.3.4"}]}})";
const std::string kTaints =
    "metadata.annotations['scheduler.alpha.kubernetes.io/taints']";  // NOLINT
const std::string kAvoid =                                           // NOLINT
    "metadata.annotations['scheduler.alpha.kubernetes.io/preferAvoidPods']";

TEST(Node, Taints) {
  ExpectCreate<Node>(
      kNode,
      {{{}, {}},
       {{R"(spec.taints=[{"key":"a","effect":"NoSchedule"},{"key":"a","effect":"NoExecute"}])"},
        {}},
       {{R"(spec.taints=[{"key":"-","value":"-","effect":"X"},{"key":"a"}])"},
        {"metadata.taints[0].key: Invalid value: \"-\": " + kBadQualified,
         "metadata.taints[0].value: Invalid value: \"-\": " + kBadLabelValue,
         "metadata.taints[0].effect: Unsupported value: \"X\": supported values: \"NoSchedule\", "
         "\"PreferNoSchedule\", \"NoExecute\"",
         "metadata.taints[1].effect: Required value"}},
       {{R"(spec.taints=[{"key":"a","effect":"NoSchedule"},{"key":"a","value":"b","effect":"NoSchedule"}])"},
        {"metadata.taints[1]: Duplicate value: "
         "{\"Key\":\"a\",\"Value\":\"b\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: taints "
         "must be unique by key and effect pair"}}});
}

TEST(Node, Annotations) {
  const std::string shown = "metadata.annotations.scheduler.alpha.kubernetes.io/";
  ExpectCreate<Node>(
      kNode,
      {{{kTaints + R"(="[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]")"}, {}},
       {{kTaints + R"(="[{\"key\":\"a\"}]")"}, {shown + "taints[0].effect: Required value"}},
       {{kTaints + "=\"[\""},
        {"metadata.annotations: Invalid value: \"scheduler.alpha.kubernetes.io/taints\": "
         "unexpected end of JSON input"}},
       {{kAvoid +
         R"(="{\"preferAvoidPods\":[{\"podSignature\":{\"podController\":{\"controller\":true}}}]}")"},
        {}},
       {{kAvoid +
         R"(="{\"preferAvoidPods\":[{},{\"podSignature\":{\"podController\":{\"controller\":false}}}]}")"},
        {shown + "preferAvoidPods[0].PodSignature: Required value",
         shown + "preferAvoidPods[1].PodSignature.PodController.Controller: Invalid value: false: "
                 "must point to a controller"}},
       {{kAvoid + "=\"x\""},
        {"metadata.annotations.AvoidPods: Invalid value: "
         "\"scheduler.alpha.kubernetes.io/preferAvoidPods\": invalid character 'x' looking for "
         "beginning of value"}}});
}

TEST(Node, ResourcesAndRanges) {
  ExpectCreate<Node>(
      kNode,
      {{{R"(spec.podCIDRs=["10.0.0.0/24","2001:db8::/64"])"}, {}},
       {{"spec.podCIDRs"}, {}},
       {{"spec.podCIDRs", "spec.podCIDR=\"x\""},
        {"spec.podCIDRs[0]: Invalid value: \"x\": " + kBadCIDR}},
       {{R"(spec.podCIDRs=["x","10.0.0.0/24"])"},
        {"spec.podCIDRs[0]: Invalid value: \"x\": " + kBadCIDR,
         "spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with dual stack with "
         "error:invalid CIDR[0]: <nil> (invalid CIDR address: x)",
         "spec.podCIDRs: Invalid value: [\"x\",\"10.0.0.0/24\"]: may specify no more than one CIDR "
         "for each IP family"}},
       {{R"(spec.podCIDRs=["10.0.0.0/24","10.0.0.0/24"])"},
        {"spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.0.0/24\"]: may specify no more "
         "than "
         "one CIDR for each IP family",
         "spec.podCIDRs[1]: Duplicate value: \"10.0.0.0/24\""}},
       {{"status.capacity.pods=\"1500m\"", "status.allocatable.cpu=\"-1\""},
        {"status.capacity.pods: Invalid value: \"1500m\": must be an integer",
         "status.allocatable.cpu: Invalid value: \"-1\": must be greater than or equal to 0"}}});
}

TEST(Node, Update) {
  const std::string range =
      "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid";
  const std::vector<ErrorCase> cases = {
      {{"spec.unschedulable=true", "metadata.labels.a=\"b\"", "status.capacity.cpu=\"8\""}, {}},
      {{"spec.podCIDRs", "spec.podCIDR"}, {range}},
      {{R"(spec.podCIDRs=["10.0.1.0/24"])"}, {range}},
      {{"spec.providerID=\"q\"", "spec.externalID=\"e\"", R"(spec.taints=[{"key":"a"}])",
        R"(status.addresses[1]={"type":"InternalIP","address":"1.2.3.4"})"},
       {"status.addresses[1]: Duplicate value: {\"Type\":\"InternalIP\",\"Address\":\"1.2.3.4\"}",
        "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
        "valid",
        "metadata.taints[0].effect: Required value",
        "spec.externalID: Forbidden: may not be updated"}}};
  ExpectUpdate<Node>(kNode, cases, "status");
  ExpectUpdate<Node>(kNode, {{{"spec.podCIDRs", "spec.podCIDR"}, {range}},
                             // Told as of a new node, and as of a changed one.
                             {{R"(spec.taints=[{"key":"a"}])"},
                              {"metadata.taints[0].effect: Required value",
                               "metadata.taints[0].effect: Required value"}}});
  ExpectUpdate<Node>(R"({"metadata": {"name": "n"}})",
                     {{{"spec.podCIDR=\"10.0.0.0/24\"", "spec.providerID=\"p\""}, {}}});
}

TEST(Node, ConfigSources) {
  const std::string map = R"({"namespace":"n","name":"c","kubeletConfigKey":"k"})";
  const std::string stored =
      R"({"namespace":"n","name":"c","kubeletConfigKey":"k","uid":"u","resourceVersion":"1"})";
  const std::string one =
      ": Invalid value: {\"ConfigMap\":null}: exactly one reference subfield "
      "must be non-nil";
  ExpectUpdate<Node>(
      kNode,
      {{{"spec.configSource.configMap=" + map, "status.config.assigned.configMap=" + stored}, {}},
       {{"spec.configSource={}", "status.config={\"active\":{},\"lastKnownGood\":{}}"},
        {"spec.configSource" + one, "status.config.active" + one,
         "status.config.lastKnownGood" + one}},
       {{"spec.configSource.configMap=" + stored, "status.config.assigned.configMap={}"},
        {"spec.configSource.configMap.uid: Forbidden: uid must not be set in spec",
         ("spec.configSource.configMap.resourceVersion: Forbidden: resourceVersion must not be set "
          "in spec"),
         "status.config.assigned.configMap.uid: Required value: uid must be set in status",
         "status.config.assigned.configMap.resourceVersion: Required value: resourceVersion must "
         "be set in status",
         "status.config.assigned.configMap.namespace: Required value: namespace must be set",
         "status.config.assigned.configMap.name: Required value: name must be set",
         "status.config.assigned.configMap.kubeletConfigKey: Required value: kubeletConfigKey must "
         "be set"}},
       {{R"(spec.configSource.configMap={"namespace":"N","name":"C","kubeletConfigKey":"."})"},
        {"spec.configSource.configMap.namespace: Invalid value: \"N\": " + kBadLabel,
         "spec.configSource.configMap.name: Invalid value: \"C\": " + kBadSubdomain,
         "spec.configSource.configMap.kubeletConfigKey: Invalid value: \".\": must not be '.'"}}});
}

}  // namespace
}  // namespace podium::api
