// Real types by path: what field selectors and the downward API ask of a Pod.
#include <gtest/gtest.h>

#include "api/types/core_v1.h"
#include "reflect/field_access.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/prune.h"
#include "reflect/walk.h"

namespace podium::api::core::v1 {
namespace {

constexpr std::string_view kPod = R"({
  "kind": "Pod", "apiVersion": "v1",
  "metadata": {"name": "web", "creationTimestamp": "2026-03-14T09:26:53Z",
               "labels": {"app.kubernetes.io/name": "web"}},
  "spec": {"nodeName": "n1", "hostNetwork": true, "containers": [
    {"name": "a", "image": "nginx:1.27", "ports": [{"containerPort": 80, "protocol": "TCP"}],
     "resources": {"limits": {"cpu": "100m"}},
     "livenessProbe": {"httpGet": {"path": "/", "port": "http"}}}]},
  "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.7"}]}
})";

Pod ReadPod() {
  auto pod = reflect::FromJson<Pod>(kPod);
  EXPECT_TRUE(pod.ok()) << pod.error().message();
  return *std::move(pod);
}

std::string Text(const Pod& pod, std::string_view path) {
  auto text = reflect::FieldText(reflect::TypeOf<Pod>(), &pod, *reflect::FieldPath::Parse(path));
  return text.ok() ? *text : text.error().message();
}

TEST(PodFieldsTest, Get) {
  const Pod pod = ReadPod();
  const struct {
    std::string path;
    std::string text;
  } cases[] = {
      {"metadata.name", "web"},
      {"metadata.creationTimestamp", "2026-03-14T09:26:53Z"},
      {"metadata.deletionTimestamp", ""},
      {"metadata.labels['app.kubernetes.io/name']", "web"},
      {"metadata.annotations['none']", ""},
      {"spec.nodeName", "n1"},
      {"spec.hostNetwork", "true"},
      {"spec.restartPolicy", ""},
      {"spec.containers[0].image", "nginx:1.27"},
      {"spec.containers[0].ports[0].containerPort", "80"},
      {"spec.containers[0].resources.limits.cpu", "100m"},
      {"spec.containers[0].livenessProbe.httpGet.port", "http"},
      {"spec.securityContext.runAsUser", ""},
      {"status.podIPs[0].ip", "10.0.0.7"},
      {"spec.nodeNam", "no field \"spec.nodeNam\" in Pod"},
  };
  for (const auto& c : cases) EXPECT_EQ(Text(pod, c.path), c.text) << c.path;
}

TEST(PodFieldsTest, Set) {
  Pod pod = ReadPod();
  const auto set = [&](std::string_view path, std::string_view json) {
    return reflect::SetField(reflect::TypeOf<Pod>(), &pod, *reflect::FieldPath::Parse(path), json);
  };
  EXPECT_TRUE(set("spec.containers[0].image", R"("nginx:1.28")").ok());
  EXPECT_TRUE(set("spec.securityContext.runAsUser", "1000").ok());
  EXPECT_TRUE(set("metadata.annotations['a/b']", R"("c")").ok());
  EXPECT_TRUE(set("spec.containers[0].resources.limits.cpu", "2").ok());
  EXPECT_EQ(pod.spec.containers[0].image, "nginx:1.28");
  EXPECT_EQ(pod.spec.securityContext->runAsUser, 1000);
  EXPECT_EQ(pod.metadata.annotations.at("a/b"), "c");
  EXPECT_EQ(Text(pod, "spec.containers[0].resources.limits.cpu"), "2");
  EXPECT_FALSE(set("spec.containers[0].resources.limits.cpu", R"("two")").ok());
}

TEST(PodFieldsTest, EveryValueIsFoundByItsPath) {
  const Pod pod = ReadPod();
  const reflect::Type& type = reflect::TypeOf<Pod>();
  std::vector<std::string> leaves;
  reflect::Walk(type, &pod, [&](const reflect::WalkPath& path, const reflect::ValueRef& value) {
    const auto found = reflect::FindField(type, &pod, *reflect::FieldPath::Parse(path.Text()));
    EXPECT_TRUE(found.ok() && found->get() == value.get()) << path.Text();
    if (!value.is_container()) leaves.push_back(path.Text());
    return reflect::Next::kInside;
  });
  EXPECT_EQ(leaves,
            (std::vector<std::string>{
                "kind", "apiVersion", "metadata.name", "metadata.creationTimestamp",
                "metadata.labels['app.kubernetes.io/name']", "spec.containers[0].name",
                "spec.containers[0].image", "spec.containers[0].ports[0].containerPort",
                "spec.containers[0].ports[0].protocol", "spec.containers[0].resources.limits.cpu",
                "spec.containers[0].livenessProbe.httpGet.path",
                "spec.containers[0].livenessProbe.httpGet.port", "spec.nodeName",
                "spec.hostNetwork", "status.phase", "status.podIPs[0].ip"}));
}

TEST(PodFieldsTest, Prune) {
  auto value = reflect::ParseJson(kPod);
  ASSERT_TRUE(value.ok());
  value->Find("spec")->Set("nodeNam", reflect::JsonValue::String("typo"));
  value->Find("spec")->Find("containers")->array()[0].Set("img", {});
  EXPECT_EQ(reflect::PruneUnknown(reflect::TypeOf<Pod>(), &*value),
            (std::vector<std::string>{"spec.nodeNam", "spec.containers[0].img"}));
  EXPECT_TRUE(reflect::Equivalent(*value, *reflect::ParseJson(kPod)));
}

}  // namespace
}  // namespace podium::api::core::v1
