#include "cli/kinds.h"

#include <gtest/gtest.h>

#include "api/types/apiextensions_v1.h"
#include "api/types/core_v1.h"

namespace podium::cli {
namespace {

TEST(Kinds, KnownApiVersions) {
  for (const char* known : {"v1", "apps/v1", "batch/v1beta1", "networking.k8s.io/v1"}) {
    EXPECT_TRUE(IsKnownApiVersion(known)) << known;
  }
  for (const char* unknown : {"", "v2", "apps", "apps/v1beta1", "/v1", "extensions/v1beta1"}) {
    EXPECT_FALSE(IsKnownApiVersion(unknown)) << unknown;
  }
}

TEST(Kinds, UnknownOnesAndWhatMayHaveBeenMeant) {
  const struct {
    const char* api_version;
    const char* kind;
    const char* message;
  } cases[] = {
      {"example.com/v1", "Widget", R"(no matches for kind "Widget" in version "example.com/v1")"},
      {"v1", "pod", R"(no matches for kind "pod" in version "v1"; did you mean "Pod"?)"},
      {"apps/v1", "Deploymnet",
       R"(no matches for kind "Deploymnet" in version "apps/v1"; did you mean "Deployment"?)"},
      {"extensions/v1beta1", "Deployment",
       R"(no matches for kind "Deployment" in version "extensions/v1beta1"; there is one in apps/v1)"},
      {"v1", "HorizontalPodAutoscaler",
       R"(no matches for kind "HorizontalPodAutoscaler" in version "v1"; there is one in autoscaling/v1, autoscaling/v2)"},
      {"v1", "Deploymen", R"(no matches for kind "Deploymen" in version "v1")"},
  };
  for (const auto& [api_version, kind, message] : cases) {
    EXPECT_EQ(UnknownKindMessage(api_version, kind), message);
  }
}

TEST(Kinds, FieldsThatMayHaveBeenMeant) {
  const struct {
    const char* path;
    const char* nearest;
  } cases[] = {
      {"sepc", "spec"},
      {"spec.containers[0].imagePullpolicy", "imagePullPolicy"},
      {"spec.containers[0].ports[12].hostport", "hostPort"},
      {"spec.overhead.cpu.x", ""},
      {"spec.nodeName.x", ""},
      {"spec.nothing.name", ""},
      {"spec.containers", "containers"},
      {"zzz", ""},
      {"", ""},
  };
  const reflect::Type& pod = reflect::TypeOf<api::core::v1::Pod>();
  for (const auto& [path, nearest] : cases) EXPECT_EQ(NearestField(pod, path), nearest) << path;
  const reflect::Type& definition =
      reflect::TypeOf<api::apiextensions::v1::CustomResourceDefinition>();
  EXPECT_EQ(
      NearestField(definition, "spec.versions[0].schema.openAPIV3Schema.properties.a.nulable"),
      "nullable");
}

}  // namespace
}  // namespace podium::cli
