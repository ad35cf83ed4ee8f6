#include "node/field_values.h"

#include <gtest/gtest.h>

#include <string>

#include "node/pods.h"

namespace podium::node {
namespace {

v1::Pod ThePod() {
  v1::Pod pod = PodOf(R"(
    nodeName: n1, serviceAccountName: robot,
    initContainers: [{name: init, resources: {limits: {memory: 10Mi}}}],
    containers: [
      {name: a, resources: {requests: {cpu: 1500m, memory: 100Mi, hugepages-2Mi: 4Mi},
                            limits: {cpu: 2500m, memory: 200Mi, hugepages-2Mi: 4Mi}}},
      {name: b}])");
  pod.metadata.labels = {{"app", "web"}, {"a.b/c", "x\"y\n"}};
  pod.metadata.annotations = {{"note", "two\nlines"}};
  pod.status.hostIP = "192.0.2.1";
  pod.status.hostIPs = {{"192.0.2.1"}, {"2001:db8::1"}};
  pod.status.podIP = "10.208.0.2";
  pod.status.podIPs = {{"10.208.0.2"}};
  return pod;
}

TEST(PodFieldValue, EveryField) {
  const v1::Pod pod = ThePod();
  const std::pair<const char*, const char*> cases[] = {
      {"metadata.name", "p"},
      {"metadata.namespace", "ns"},
      {"metadata.uid", "u"},
      {"metadata.labels", "a.b/c=\"x\\\"y\\n\"\napp=\"web\""},
      {"metadata.annotations", "note=\"two\\nlines\""},
      {"metadata.labels['app']", "web"},
      {"metadata.labels['a.b/c']", "x\"y\n"},
      {"metadata.labels['none']", ""},
      {"metadata.annotations['note']", "two\nlines"},
      {"spec.nodeName", "n1"},
      {"spec.serviceAccountName", "robot"},
      {"status.hostIP", "192.0.2.1"},
      {"status.hostIPs", "192.0.2.1,2001:db8::1"},
      {"status.podIP", "10.208.0.2"},
      {"status.podIPs", "10.208.0.2"},
  };
  for (const auto& [path, value] : cases) {
    auto got = PodFieldValue(pod, path);
    ASSERT_TRUE(got.ok()) << path << ": " << got.error().message();
    EXPECT_EQ(*got, value) << path;
  }
}

TEST(PodFieldValue, OthersAreErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {"spec.schedulerName", "unsupported fieldPath: spec.schedulerName"},
      {"", "unsupported fieldPath: "},
      {"metadata.labels['", "unsupported fieldPath: metadata.labels['"},
      {"['x']", "unsupported fieldPath: ['x']"},
      {"metadata.name['x']", "fieldPath \"metadata.name['x']\" does not support subscript"},
  };
  for (const auto& [path, message] : cases) {
    auto got = PodFieldValue(ThePod(), path);
    ASSERT_FALSE(got.ok()) << path;
    EXPECT_EQ(got.error().message(), message);
  }
}

TEST(ResourceFieldValue, AmountsInUnitsOfTheDivisorRoundedUp) {
  const v1::Pod pod = ThePod();
  const Resources node = {{"cpu", api::Quantity::Must("8")},
                          {"memory", api::Quantity::Must("16Gi")},
                          {"ephemeral-storage", api::Quantity::Must("100Gi")}};
  struct Case {
    const char* named;  // by the selector
    const char* container;
    const char* resource;
    const char* divisor;
    const char* value;
  };
  const Case cases[] = {
      {"a", "", "requests.cpu", "0", "2"},
      {"a", "", "requests.cpu", "1m", "1500"},
      {"a", "", "limits.cpu", "1", "3"},
      {"a", "", "requests.memory", "1Mi", "100"},
      {"a", "", "limits.memory", "1", "209715200"},
      {"a", "", "limits.memory", "1Gi", "1"},
      {"a", "", "limits.hugepages-2Mi", "1Mi", "4"},
      {"", "a", "requests.hugepages-2Mi", "1", "4194304"},
      {"", "init", "limits.memory", "1Mi", "10"},
      // Not set: a request is nothing, a limit is the node.
      {"b", "a", "requests.cpu", "1", "0"},
      {"b", "", "limits.cpu", "1", "8"},
      {"b", "", "limits.memory", "1Gi", "16"},
      {"b", "", "limits.ephemeral-storage", "1Gi", "100"},
      {"b", "", "limits.hugepages-2Mi", "1", "0"},
  };
  for (const Case& c : cases) {
    v1::ResourceFieldSelector selector;
    selector.containerName = c.named;
    selector.resource = c.resource;
    selector.divisor = api::Quantity::Must(c.divisor);
    auto got = ResourceFieldValue(pod, c.container, selector, node);
    ASSERT_TRUE(got.ok()) << c.resource << ": " << got.error().message();
    EXPECT_EQ(*got, c.value) << c.named << c.container << ' ' << c.resource << ' ' << c.divisor;
  }
}

TEST(ResourceFieldValue, ALimitOfThePodGoesBeforeTheNodes) {
  const v1::Pod pod = PodOf(
      "resources: {limits: {memory: 64Mi}}, "
      "containers: [{name: a, resources: {limits: {memory: 16Mi}}}, {name: b}]");
  const Resources node = {{"cpu", api::Quantity::Must("8")},
                          {"memory", api::Quantity::Must("16Gi")}};
  const auto value = [&](const char* container, const char* resource) {
    v1::ResourceFieldSelector selector;
    selector.resource = resource;
    return *ResourceFieldValue(pod, container, selector, node);
  };
  EXPECT_EQ(value("a", "limits.memory"), std::to_string(16 << 20));
  EXPECT_EQ(value("b", "limits.memory"), std::to_string(64 << 20));
  EXPECT_EQ(value("b", "limits.cpu"), "8");
}

TEST(ResourceFieldValue, OthersAreErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {"limits.pods", "unsupported container resource : limits.pods"},
      {"memory", "unsupported container resource : memory"},
  };
  for (const auto& [resource, message] : cases) {
    v1::ResourceFieldSelector selector;
    selector.resource = resource;
    auto got = ResourceFieldValue(ThePod(), "a", selector, {});
    ASSERT_FALSE(got.ok()) << resource;
    EXPECT_EQ(got.error().message(), message);
  }
  auto got = ResourceFieldValue(ThePod(), "c", {}, {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().message(), "container c not found");
}

}  // namespace
}  // namespace podium::node
