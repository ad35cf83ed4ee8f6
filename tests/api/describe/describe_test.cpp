// What the clusters of tests/cli/describe/ do not show, which kubectl says the same of: objects
// that no server has filled in, what kubectl leaves to chance, and what a kubectl that tests can
// have does not know yet. The texts are those of upstream's describe.go.
#include "api/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "api/scheme.h"
#include "api/types/resources.h"
#include "reflect/yaml.h"
#include "support/cpu_time.h"
#include "support/random_object.h"

namespace podium::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 2026-01-01T01:00:00Z.
const Time kNow = Time::FromUnix(1767229200);

std::vector<reflect::ObjectPtr> Read(const std::string& yaml) {
  std::vector<reflect::ObjectPtr> out;
  reflect::YamlReader reader(yaml);
  reflect::YamlDocument document;
  while (true) {
    const auto more = reader.Next(&document);
    EXPECT_TRUE(more.ok()) << more.error().message() << yaml;
    if (!more.ok() || !*more) return out;
    const auto header = reflect::ReadHeader(document.json);
    EXPECT_TRUE(header.ok());
    auto object =
        reflect::Object::FromJson(document.json, FindType(header->api_version, header->kind));
    EXPECT_TRUE(object.ok()) << object.error().message();
    out.push_back(*std::move(object));
  }
}

// Of the first object, among all of them.
std::string Described(const std::string& yaml, DescribeOptions options = {.now = kNow}) {
  const std::vector<reflect::ObjectPtr> objects = Read(yaml);
  const auto related = RelatedObjects::Create(objects);
  if (!related.ok()) return "error: " + related.error().message();
  options.related = &*related;
  const auto text = Describe(*objects.front(), options);
  return text.ok() ? *text : "error: " + text.error().message();
}

#define OBJECT(version, kind, name) \
  "apiVersion: " version "\nkind: " kind "\nmetadata: {name: " name ", namespace: shop, uid: u}\n"

struct Case {
  const char* what;
  const char* yaml;
  const char* part;  // of the description
};

const Case kCases[] = {
    {"a volume without a source",
     OBJECT("v1", "Pod", "p") "spec: {containers: [], volumes: [{name: v}]}\n",
     "Volumes:\n  v:\n  <unknown>\nQoS Class:"},
    {"no containers, and what follows from no spec",
     OBJECT("v1", "Pod", "p") "spec: {containers: []}\n",
     "Namespace:    shop\nNode:         <none>\nLabels:       <none>\nAnnotations:  <none>\n"
     "Status:       \nIP:           \nIPs:          <none>\nContainers: <none>\n"
     "Volumes:         <none>\nQoS Class:       BestEffort\nNode-Selectors:  <none>\n"
     "Tolerations:     <none>\nEvents:          <none>\n"},
    {"a probe of gRPC without a service",
     OBJECT("v1", "Pod", "p") "spec: {containers: [{name: c, livenessProbe: {grpc: {port: 1}}}]}\n",
     "grpc <pod>:1  delay=0s timeout=0s period=0s #success=0 #failure=0\n"},
    {"the largest amount, which is one less than the float64 next to it",
     OBJECT("v1", "Pod", "p") "spec: {containers: [{name: c, resources: {requests: {memory: "
                              "9223372036854775807}}, env: [{name: E, valueFrom: "
                              "{resourceFieldRef: {resource: requests.memory}}}]}]}\n",
     "E:         -9223372036854775808 (requests.memory)\n"},
    {"a probe of nothing",
     OBJECT("v1", "Pod", "p") "spec: {containers: [{name: c, startupProbe: {}}]}\n",
     "Startup:      unknown delay=0s"},
    {"a URL without a scheme, and of all paths",
     OBJECT("v1", "Pod", "p") "spec: {containers: [{name: c, startupProbe: {httpGet: {port: 80, "
                              "path: '*', host: a b}}}]}\n",
     "http-get //a%20b:80/* delay"},
    {"the pod's own resources",
     OBJECT("v1", "Pod", "p") "spec: {resources: {limits: {cpu: 1}, requests: {memory: 1Mi}}, "
                              "containers: [{name: c}]}\n",
     "IPs:          <none>\nResources:\n  Limits:\n    cpu:  1\n  Requests:\n    memory:  1Mi\n"},
    {"a group that is scheduled together",
     OBJECT("v1", "Pod", "p") "spec: {schedulingGroup: {podGroupName: g}, containers: []}\n",
     "SchedulingGroup:\n  PodGroupName:  g\n"},
    {"an amount for huge pages",
     OBJECT("v1", "Pod", "p") "spec: {containers: [{name: c, resources: {limits: {hugepages-2Mi: "
                              "6Mi}}, env: [{name: E, valueFrom: {resourceFieldRef: {resource: "
                              "limits.hugepages-2Mi, divisor: 1Mi}}}]}]}\n",
     "E:         6 (limits.hugepages-2Mi)\n"},
    {"no template", OBJECT("v1", "ReplicationController", "r") "spec: {replicas: 1}\n",
     "Pod Template:\n  <unset>Events:  <none>\n"},
    {"a rolling update of which nothing is said",
     OBJECT("apps/v1", "Deployment", "d") "spec: {selector: {}, strategy: {type: RollingUpdate, "
                                          "rollingUpdate: {maxSurge: 1}}}\n",
     "RollingUpdateStrategy:  <nil> max unavailable, 1 max surge\n"},
    {"a Deployment's selector that is none",
     OBJECT("apps/v1", "Deployment", "d") "spec: {selector: {matchExpressions: [{key: a, operator: "
                                          "Is}]}}\n",
     "error: \"Is\" is not a valid label selector operator"},
    {"a Job's",
     OBJECT("batch/v1", "Job", "j") "spec: {selector: {matchExpressions: [{key: a, "
                                    "operator: Is}]}}\n",
     "Selector:       Failed to get selector: \"Is\" is not a valid label selector operator\n"},
    {"a Job without one", OBJECT("batch/v1", "Job", "j"), "Selector:       \n"},
    {"fewer completed indexes than are cut off",
     OBJECT("batch/v1", "Job", "j") "spec: {completionMode: Indexed}\nstatus: {completedIndexes: "
                                    "'0-9'}\n",
     "Completed Indexes:  0-9\n"},
    {"a CronJob of the version before",
     OBJECT("batch/v1beta1", "CronJob", "c") "spec: {schedule: '@daily'}\n",
     "Schedule:                      @daily\n"},
    {"resources of a LimitRange, by name",
     OBJECT("v1", "LimitRange",
            "l") "spec: {limits: [{type: Container, max: {memory: 1Gi, cpu: 2}, "
                 "default: {cpu: 1}}]}\n",
     "Container   cpu       -    2    -                1              -\n"
     "Container   memory    -    1Gi  -                -              -\n"},
    {"a quota whose used amounts are of another family",
     OBJECT("v1", "ResourceQuota", "q") "status: {hard: {memory: 1Gi}, used: {memory: 1024}}\n",
     "memory      1Ki   1Gi\n"},
    {"slices of the version before",
     OBJECT("v1", "Service", "s") "spec: {ports: [{port: 80}]}\n---\n"
                                  "apiVersion: discovery.k8s.io/v1beta1\nkind: "
                                  "EndpointSlice\nmetadata: {name: x, namespace: shop, "
                                  "labels: {kubernetes.io/service-name: s}}\naddressType: "
                                  "IPv4\nports: [{name: '', port: 8080}]\n"
                                  "endpoints: [{addresses: [10.0.0.1]}]\n",
     "Endpoints:         10.0.0.1:8080\n"},
    {"three endpoints, and then one that is not ready",
     OBJECT(
         "v1", "Service",
         "s") "spec: {ports: [{port: 80}]}\n---\n"
              "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: x, "
              "namespace: shop, "
              "labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nports: [{name: '', "
              "port: 1}]\n"
              "endpoints: [{addresses: [a]}, {addresses: [b]}, {addresses: [c]}, {addresses: [d], "
              "conditions: {ready: false}}]\n",
     "Endpoints:         a:1,b:1,c:1 + 0 more...\n"},
    {"events of events.k8s.io",
     OBJECT("v1", "ConfigMap",
            "c") "---\napiVersion: events.k8s.io/v1\nkind: Event\n"
                 "metadata: {name: e, namespace: shop}\nregarding: {kind: ConfigMap, name: c, "
                 "namespace: shop, uid: "
                 "u}\nnote: so it is\nreason: Why\ntype: Normal\nreportingController: who\n"
                 "eventTime: '2026-01-01T00:59:00.000000Z'\n",
     "Normal  Why     60s   who   so it is\n"},
    {"a kind that has no description of its own",
     OBJECT("apps/v1", "ControllerRevision", "b") "revision: 7\n",
     "Revision:  7\nEvents:    <none>\n"},
};

TEST(DescribeTest, Cases) {
  for (const Case& each : kCases) {
    EXPECT_THAT(Described(each.yaml), HasSubstr(each.part)) << each.what;
  }
}

TEST(DescribeTest, DatesAreLocal) {
  const char* yaml =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
      "status: {startTime: '2024-02-29T23:30:00Z'}\n";
  EXPECT_THAT(Described(yaml), HasSubstr("Thu, 29 Feb 2024 23:30:00 +0000\n"));
  EXPECT_THAT(Described(yaml, {.now = kNow, .utc_offset = [](Time) { return 5400; }}),
              HasSubstr("Fri, 01 Mar 2024 01:00:00 +0130\n"));
  EXPECT_THAT(Described(yaml, {.now = kNow, .utc_offset = [](Time) { return -12600; }}),
              HasSubstr("Thu, 29 Feb 2024 20:00:00 -0330\n"));
  // The zero time is of no place.
  EXPECT_THAT(Described("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec: "
                        "{selector: {}}\n",
                        {.now = kNow, .utc_offset = [](Time) { return 5400; }}),
              HasSubstr("CreationTimestamp:  Mon, 01 Jan 0001 00:00:00 +0000\n"));
}

TEST(DescribeTest, EventsOnlyWhereAskedFor) {
  const char* yaml = OBJECT("v1", "ServiceAccount", "s");
  EXPECT_THAT(Described(yaml), HasSubstr("Events:"));
  EXPECT_THAT(Described(yaml, {.now = kNow, .show_events = false}), Not(HasSubstr("Events:")));
}

TEST(DescribeTest, EventsOfOneMomentAsTheyAreListed) {
  std::string yaml = OBJECT("v1", "ServiceAccount", "s");
  for (int i = 40; i >= 10; --i) {
    yaml += "---\napiVersion: v1\nkind: Event\nmetadata: {namespace: shop, name: e" +
            std::to_string(i) +
            "}\ninvolvedObject: {kind: ServiceAccount, name: s, namespace: shop, "
            "uid: u}\nreason: R" +
            std::to_string(i) + "\n";
  }
  const std::string text = Described(yaml);
  for (int i = 10; i < 40; ++i) {
    EXPECT_LT(text.find("R" + std::to_string(i)), text.find("R" + std::to_string(i + 1)));
  }
}

// component-helpers' PodRequests: the most of what is asked for, allocated and in use, while a pod
// is resized; without what cannot be had.
TEST(DescribeTest, WhatAResizedPodAsksFor) {
  const auto row = [](const std::string& conditions) {
    return Described(
        "apiVersion: v1\nkind: Node\nmetadata: {name: w, uid: u}\nstatus: {capacity: {cpu: 10, "
        "memory: 10Gi}}\n---\n" OBJECT("v1", "Pod", "p") "spec: {nodeName: w, containers: [{name: "
        "c, resources: {requests: {cpu: 3, memory: 1Gi}, limits: {cpu: 5}}}]}\nstatus: "
        "{containerStatuses: [{name: c, allocatedResources: {cpu: 2, memory: 2Gi}, resources: "
        "{requests: {cpu: 1}, limits: {cpu: 4}}}], conditions: [" + conditions + "]}\n");
  };
  EXPECT_THAT(row(""), HasSubstr("p       3 (30%)       5 (50%)     2Gi (20%)        0 (0%)"));
  EXPECT_THAT(row("{type: PodResizePending, status: 'True', reason: Deferred}"),
              HasSubstr("p       3 (30%)       5 (50%)     2Gi (20%)        0 (0%)"));
  EXPECT_THAT(row("{type: PodResizePending, status: 'True', reason: Infeasible}"),
              HasSubstr("p       2 (20%)       4 (40%)     2Gi (20%)        0 (0%)"));
  // Sums are of what is asked for.
  EXPECT_THAT(row(""), HasSubstr("cpu                3 (30%)    5 (50%)\n"));
}

TEST(DescribeTest, DevicesOfANodeTenPoolsOfThem) {
  std::string yaml = "apiVersion: v1\nkind: Node\nmetadata: {name: w, uid: u}\n";
  const auto add = [&](int pool, const std::string& name, const std::string& node) {
    yaml += "---\napiVersion: resource.k8s.io/v1\nkind: ResourceSlice\nmetadata: {name: " + name +
            "}\nspec: {driver: gpu.example.com, nodeName: " + node + ", pool: {name: p" +
            std::to_string(pool) + "}, devices: [{name: a}, {name: b}]}\n";
  };
  for (int i = 10; i < 20; ++i) add(i, "s" + std::to_string(i), "w");
  add(10, "again", "w");
  add(99, "elsewhere", "x");
  EXPECT_THAT(Described(yaml), HasSubstr("Node-Local ResourceSlices:\n"
                                         "  Driver           Pool  Slices  Devices\n"
                                         "  ------           ----  ------  -------\n"
                                         "  gpu.example.com  p10   2       4\n"
                                         "  gpu.example.com  p11   1       2\n"));
  EXPECT_THAT(Described(yaml), Not(HasSubstr("more pools")));
  add(20, "s20", "w");
  EXPECT_THAT(Described(yaml), HasSubstr("gpu.example.com  p19   1       2\n"
                                         "  ...and 1 more pools\nSystem Info:\n"));
}

TEST(DescribeTest, RelatedObjectsThatCannotBeReadAreAnError) {
  EXPECT_THAT(Described(OBJECT("v1", "Secret", "s") "---\n" OBJECT("v1", "Pod", "p") "spec: 1\n"),
              HasSubstr("error: "));
}

TEST(DescribeTest, AnyObjectHasADescription) {
  for (const Resource& resource : kResources) {
    for (uint32_t round = 0; round < 3; ++round) {
      reflect::AnyObject object(*resource.type);
      podium::testing::FillRandom(*resource.type, object.get(), {.seed = round});
      const auto whole = reflect::Object::FromDecoded(std::move(object));
      ASSERT_TRUE(whole.ok()) << resource.kind << ": " << whole.error().message();
      const auto text = Describe(**whole, {.now = kNow});
      // A random selector is mostly none.
      if (resource.group == "apps" && !text.ok()) {
        EXPECT_EQ(text.error().code(), Code::kInvalidArgument) << resource.kind;
        continue;
      }
      ASSERT_TRUE(text.ok()) << resource.kind << ": " << text.error().message();
      EXPECT_TRUE(text->starts_with("Name:")) << resource.kind;
    }
  }
}

// Of kinds that are not known fields are printed by their names, which may be as long as the
// object.
TEST(DescribeTest, LongNamesOfFieldsDoNotMakeItSlow) {
  std::string json = R"({"apiVersion":"example.com/v1","kind":"Tab","metadata":{"name":"a"},")" +
                     std::string(size_t{2} << 20, 'k') + "\":{\"metadata\":{\"name\":\"inner\"}";
  for (int i = 0; i < 60'000; ++i) json += ",\"m" + std::to_string(i) + "\":1e2";
  auto object = reflect::Object::FromJson(json + "}}", nullptr);
  ASSERT_TRUE(object.ok()) << object.error().message();
  const auto start = podium::testing::CpuTime();
  const auto text = Describe(**object, {.now = kNow});
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(5));
  ASSERT_TRUE(text.ok());
  // Only the object's own metadata are shown above.
  EXPECT_TRUE(text->contains("\n  Metadata:\n    Name:  inner\nMetadata:\nEvents:"))
      << text->substr(text->size() - 200);
  EXPECT_TRUE(text->contains("\n  m59999:  100\n")) << text->substr(text->size() - 200);
}

}  // namespace
}  // namespace podium::api
