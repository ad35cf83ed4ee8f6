#include "cli/field_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::string Describe(const char* path, const char* api_version = "") {
  const Result<FieldPlace> place = FindFieldPlace(path, api_version);
  if (!place.ok()) return place.error().message();
  std::string out = std::string(place->resource->group) + '/' +
                    std::string(place->resource->version) + ' ' +
                    std::string(place->resource->kind);
  for (const reflect::Field* field : place->fields) out += '.' + std::string(field->name());
  return out + (place->type() ? std::string(" of ") + place->type()->name : "");
}

TEST(FieldNames, Places) {
  const struct {
    const char* path;
    const char* place;
  } cases[] = {
      {"pod", "/v1 Pod of Pod"},
      {"pods", "/v1 Pod of Pod"},
      {"po", "/v1 Pod of Pod"},
      {"Pod", "/v1 Pod of Pod"},
      {"deploy.spec.template.spec", "apps/v1 Deployment.spec.template.spec of PodSpec"},
      {"pod.spec.containers", "/v1 Pod.spec.containers of Container"},
      {"pod.spec.containers.image", "/v1 Pod.spec.containers.image"},
      {"pod.spec.containers[0].ports[1].hostPort", "/v1 Pod.spec.containers.ports.hostPort"},
      {"pod.metadata.labels[a.b/c]", "/v1 Pod.metadata.labels"},
      {"hpa", "autoscaling/v2 HorizontalPodAutoscaler of HorizontalPodAutoscaler"},
      {"pdo", "there is no resource type \"pdo\"; did you mean \"pod\"?"},
      {"zzzz.spec", "there is no resource type \"zzzz\""},
      {"", "there is no resource type \"\""},
      {"pod.sepc", "field \"sepc\" does not exist in pod; did you mean \"spec\"?"},
      {"pod.spec.contaners.name",
       "field \"contaners\" does not exist in pod.spec; did you mean \"containers\"?"},
      {"pod.spec.nodeName.x", "field \"x\" does not exist in pod.spec.nodeName"},
      {"pod.spec.nodeSelector.disk", "/v1 Pod.spec.nodeSelector"},
      {"pod.spec..x", "field path \"spec..x\": offset 5: expected a name"},
  };
  for (const auto& [path, place] : cases) EXPECT_EQ(Describe(path), place) << path;
}

TEST(FieldNames, ApiVersions) {
  EXPECT_EQ(Describe("hpa.spec.minReplicas", "autoscaling/v1"),
            "autoscaling/v1 HorizontalPodAutoscaler.spec.minReplicas");
  EXPECT_EQ(Describe("pods", "v1"), "/v1 Pod of Pod");
  EXPECT_EQ(Describe("events", "events.k8s.io/v1"), "events.k8s.io/v1 Event of Event");
  EXPECT_EQ(Describe("events", "v1"), "/v1 Event of Event");
  EXPECT_EQ(Describe("pods", "apps/v1"), "there is no resource type \"pods\" in apps/v1");
  EXPECT_EQ(Describe("pods", "a/b/c"), "there is no resource type \"pods\" in a/b/c");
}

TEST(FieldNames, Completion) {
  EXPECT_THAT(FieldPathsFrom("pod"), Contains("pods"));
  EXPECT_THAT(FieldPathsFrom("pod"), Contains("podtemplates"));
  EXPECT_THAT(FieldPathsFrom("pod"), Not(Contains("pods.")));
  EXPECT_THAT(FieldPathsFrom("deplo"), ElementsAre("deployments", "deployments."));
  EXPECT_THAT(FieldPathsFrom("deploy.s"), ElementsAre("deploy.spec", "deploy.status"));
  EXPECT_THAT(FieldPathsFrom("pod.spec.con"),
              ElementsAre("pod.spec.containers", "pod.spec.containers."));
  EXPECT_THAT(FieldPathsFrom("pod.spec.nodeN"), ElementsAre("pod.spec.nodeName"));
  EXPECT_THAT(FieldPathsFrom("pod.spec.nodeName."), IsEmpty());
  EXPECT_THAT(FieldPathsFrom("nothing.s"), IsEmpty());
  EXPECT_THAT(FieldPathsFrom(""), Contains("services"));
}

}  // namespace
}  // namespace podium::cli
