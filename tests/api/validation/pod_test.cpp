// Whole pods, and the entry for objects of any kind.
#include "api/types/networking_v1.h"
#include "api/types/rbac_v1.h"
#include "api/validation/pod_harness.h"
#include "reflect/copy.h"

namespace podium::api {
namespace {

TEST(PodTest, MatchLabelKeysBecomeSelectors) {
  auto pod = Load<core::v1::Pod>(Edited(
      kPod, {R"(metadata.labels={"a":"1","b":"2"})",
             R"(spec.affinity={"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
          {"topologyKey":"z","labelSelector":{"matchLabels":{"x":"y"}},"matchLabelKeys":["a","c"],
           "mismatchLabelKeys":["b"]}]},
         "podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,
           "podAffinityTerm":{"topologyKey":"z","labelSelector":{},"matchLabelKeys":["a"]}}]}})",
             R"(spec.topologySpreadConstraints=[
          {"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule","matchLabelKeys":["b"],
           "labelSelector":{}},
          {"maxSkew":1,"topologyKey":"y","whenUnsatisfiable":"DoNotSchedule","matchLabelKeys":["b"]}])"}));
  MergeMatchLabelKeys(&pod);
  auto selector = [](const auto& holder) { return *reflect::ToJson(*holder.labelSelector); };
  const auto& affinity = *pod.spec.affinity;
  EXPECT_EQ(
      selector(affinity.podAffinity->requiredDuringSchedulingIgnoredDuringExecution[0]),
      R"({"matchLabels":{"x":"y"},"matchExpressions":[{"key":"a","operator":"In","values":["1"]},)"
      R"({"key":"b","operator":"NotIn","values":["2"]}]})");
  EXPECT_EQ(selector(affinity.podAntiAffinity->preferredDuringSchedulingIgnoredDuringExecution[0]
                         .podAffinityTerm),
            R"({"matchExpressions":[{"key":"a","operator":"In","values":["1"]}]})");
  EXPECT_EQ(selector(pod.spec.topologySpreadConstraints[0]),
            R"({"matchExpressions":[{"key":"b","operator":"In","values":["2"]}]})");
  // Without a selector there is nothing to narrow.
  EXPECT_FALSE(pod.spec.topologySpreadConstraints[1].labelSelector.has_value());
}

TEST(PodTest, GatedPodsHaveNoNode) {
  ExpectPodErrors({
      {{R"(spec.schedulingGates=[{"name":"a"}])"}, {}},
      {{R"(spec.schedulingGates=[{"name":"a"}])", "spec.nodeName=\"n\""},
       {"spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"}},
  });
}

TEST(PodTest, ErrorsOfAllPartsInOrder) {
  ExpectPodErrors(
      {{{"metadata.name=\"A\"", "metadata.namespace",
         R"(metadata.annotations={"controller.kubernetes.io/pod-deletion-cost":"x"})",
         R"(spec.volumes=[{"name":"v","hostPath":{"path":""}}])", "spec.containers[0].image=\"\"",
         "spec.restartPolicy=\"x\"", R"(spec.ephemeralContainers=[{"name":"e","image":"i"}])"},
        {"metadata.name: Invalid value: \"A\": " + kNotSubdomain,
         "metadata.namespace: Required value",
         std::string("metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid "
                     "value: \"x\": must be a 32bit integer"),
         "spec.volumes[0].hostPath.path: Required value",
         "spec.containers[0].image: Required value",
         std::string("spec.restartPolicy: Unsupported value: \"x\": supported values: "
                     "\"Always\", \"OnFailure\", \"Never\""),
         "spec.ephemeralContainers: Forbidden: cannot be set on create"}}});
}

TEST(PodBindingTest, Rules) {
  auto errors = [](const char* json) {
    return Texts(ValidatePodBinding(*reflect::FromJson<core::v1::Binding>(json)));
  };
  EXPECT_THAT(errors(R"({"target":{"kind":"Node","name":"n"}})"), ::testing::IsEmpty());
  EXPECT_THAT(errors(R"({"target":{"name":"n"}})"), ::testing::IsEmpty());
  EXPECT_THAT(errors(R"({"target":{"kind":"Pod"}})"),
              ::testing::ElementsAre("target.kind: Unsupported value: \"Pod\": supported values: "
                                     "\"Node\", \"<empty>\"",
                                     "target.name: Required value"));
}

// Of kinds without rules the metadata is checked, by the rules of the kind.
TEST(ValidationTest, MetadataOfOtherKinds) {
  auto node = Load<core::v1::Node>(R"({"metadata":{"name":"n"}})");
  EXPECT_THAT(Texts(ValidateCreate(node)), ::testing::IsEmpty());
  node.metadata.namespace_ = "ns";
  EXPECT_THAT(Texts(ValidateCreate(node)),
              ::testing::ElementsAre("metadata.namespace: Forbidden: not allowed on this type"));

  auto service = Load<core::v1::Service>(R"({"metadata":{"name":"a.b","namespace":"ns"}})");
  EXPECT_THAT(Texts(ValidateCreate(service)),
              ::testing::ElementsAre("metadata.name: Invalid value: \"a.b\": must not contain dots",
                                     "spec.ports: Required value"));

  auto role = Load<rbac::v1::ClusterRole>(R"({"metadata":{"name":"system:A"}})");
  EXPECT_THAT(Texts(ValidateCreate(role)), ::testing::IsEmpty());
  role.metadata.name = "a/b";
  EXPECT_THAT(Texts(ValidateCreate(role)),
              ::testing::ElementsAre("metadata.name: Invalid value: \"a/b\": may not contain '/'"));

  auto ingress = Load<networking::v1::Ingress>(
      R"({"metadata":{"name":"i","namespace":"ns","resourceVersion":"1"},
          "spec":{"rules":[{"host":"h"}]}})");
  EXPECT_THAT(Texts(ValidateUpdate(ingress, ingress)), ::testing::IsEmpty());
  auto renamed = reflect::Copy(ingress);
  renamed.metadata.name = "j";
  EXPECT_THAT(Texts(ValidateUpdate(renamed, ingress)),
              ::testing::ElementsAre("metadata.name: Invalid value: \"j\": field is immutable"));
}

// Questions to the server have metadata that nobody needs.
TEST(ValidationTest, RequestsNeedNoMetadata) {
  core::v1::Binding binding;
  binding.target.name = "n";
  EXPECT_THAT(ValidateCreate(binding), ::testing::IsEmpty());
  EXPECT_THAT(ValidateUpdate(core::v1::Binding(), core::v1::Binding()), ::testing::IsEmpty());
}

}  // namespace
}  // namespace podium::api
