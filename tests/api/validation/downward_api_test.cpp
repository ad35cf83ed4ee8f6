#include "api/validation/downward_api.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Field(std::string path, std::string version = "v1") {
  core::v1::ObjectFieldSelector selector;
  selector.apiVersion = std::move(version);
  selector.fieldPath = std::move(path);
  return Texts(
      ValidateObjectFieldSelector(selector, {"metadata.name", "spec.nodeName"}, field::Path("f")));
}

TEST(DownwardApi, Fields) {
  EXPECT_THAT(Field("metadata.name"), IsEmpty());
  EXPECT_THAT(Field("spec.host"), IsEmpty()) << "the name that nodeName once had";
  EXPECT_THAT(Field("metadata.labels['a.b/c']"), IsEmpty());
  EXPECT_THAT(Field("metadata.annotations['A.b/C']"), IsEmpty());
  EXPECT_THAT(Field("metadata.name", ""), ElementsAre("f.apiVersion: Required value"));
  EXPECT_THAT(Field(""), ElementsAre("f.fieldPath: Required value"));
  EXPECT_THAT(Field("metadata.name", "v2"),
              ElementsAre("f.fieldPath: Invalid value: \"metadata.name\": error converting "
                          "fieldPath: unsupported pod version: v2"));
  EXPECT_THAT(Field("spec.containers"),
              ElementsAre("f.fieldPath: Invalid value: \"spec.containers\": error converting "
                          "fieldPath: field label not supported: spec.containers"));
  EXPECT_THAT(Field("status.podIP"),
              ElementsAre("f.fieldPath: Unsupported value: \"status.podIP\": supported values: "
                          "\"metadata.name\", \"spec.nodeName\""));
  for (const char* elsewhere :
       {"metadata.annotations", "metadata.labels", "metadata.namespace", "metadata.uid",
        "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.hostIP",
        "status.hostIPs", "status.phase", "status.podIPs"}) {
    EXPECT_THAT(Field(elsewhere), ElementsAre(::testing::HasSubstr("Unsupported value")))
        << elsewhere;
  }
  EXPECT_THAT(Field("metadata.name['a']"),
              ElementsAre("f.fieldPath: Invalid value: \"metadata.name['a']\": error converting "
                          "fieldPath: field label does not support subscript: metadata.name['a']"));
  EXPECT_THAT(Field("['a']"),
              ElementsAre("f.fieldPath: Invalid value: \"['a']\": error converting fieldPath: "
                          "field label not supported: ['a']"));
  const std::string name =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
      "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  EXPECT_THAT(Field("metadata.labels['A b']"), ElementsAre("f: Invalid value: \"A b\": " + name));
  EXPECT_THAT(Field("metadata.annotations['A b']"),
              ElementsAre("f: Invalid value: \"a b\": " + name));
}

std::vector<std::string> Resource(std::string resource, std::string_view divisor = "0",
                                  ResourceFieldUse use = ResourceFieldUse::kEnv,
                                  std::string container = "") {
  core::v1::ResourceFieldSelector selector;
  selector.containerName = std::move(container);
  selector.resource = std::move(resource);
  selector.divisor = Quantity::Must(divisor);
  return Texts(ValidateResourceFieldSelector(selector, field::Path("r"), use));
}

TEST(DownwardApi, Resources) {
  for (const char* resource : {"limits.cpu", "limits.memory", "limits.ephemeral-storage",
                               "requests.cpu", "requests.memory", "requests.ephemeral-storage",
                               "limits.hugepages-2Mi", "requests.hugepages-1Gi"}) {
    EXPECT_THAT(Resource(resource), IsEmpty()) << resource;
    EXPECT_THAT(Resource(resource, "1"), IsEmpty()) << resource;
  }
  EXPECT_THAT(Resource("limits.cpu", "0", ResourceFieldUse::kVolume, "c"), IsEmpty());
  EXPECT_THAT(Resource("limits.cpu", "0", ResourceFieldUse::kVolume),
              ElementsAre("r.containerName: Required value"));
  EXPECT_THAT(Resource(""), ElementsAre("r.resource: Required value"));
  EXPECT_THAT(Resource("limits.gpu", "7"),
              ElementsAre("r.resource: Unsupported value: \"limits.gpu\": supported values: "
                          "\"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", "
                          "\"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\""));
}

TEST(DownwardApi, Divisors) {
  EXPECT_THAT(Resource("requests.cpu", "1m"), IsEmpty());
  EXPECT_THAT(Resource("requests.memory", "1Mi"), IsEmpty());
  EXPECT_THAT(Resource("limits.cpu", "10m"),
              ElementsAre("r.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and "
                          "1 are supported with the cpu resource"));
  const std::string bytes =
      "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported "
      "with the ";
  EXPECT_THAT(
      Resource("requests.memory", "1m"),
      ElementsAre("r.divisor: Invalid value: \"requests.memory\": " + bytes + "memory resource"));
  EXPECT_THAT(Resource("limits.ephemeral-storage", "2Mi"),
              ElementsAre("r.divisor: Invalid value: \"limits.ephemeral-storage\": " + bytes +
                          "local ephemeral storage resource"));
  EXPECT_THAT(Resource("limits.hugepages-2Mi", "3"),
              ElementsAre("r.divisor: Invalid value: \"limits.hugepages-2Mi\": " + bytes +
                          "hugepages resource"));
}

}  // namespace
}  // namespace podium::api
