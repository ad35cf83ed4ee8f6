#include "api/validation/stateful_set.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using apps::v1::StatefulSet;

constexpr char kSet[] = R"({
  "metadata": {"name": "d", "namespace": "n", "resourceVersion": "1"},
  "spec": {"serviceName": "s", "selector": {"matchLabels": {"a": "b"}},
           "template": {"metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [{"name": "c", "image": "i"}]}}}})";

const std::string kLabelRule =  // NOLINT: a test's constant
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateStatefulSet(Load<StatefulSet>(json)));
}

TEST(StatefulSet, Create) {
  ExpectErrors(kSet, RunsForeverCases("StatefulSet"), Create);
  ExpectErrors(
      kSet,
      {{{}, {}},
       {{"spec.serviceName"}, {}},
       {{"metadata.name=\"a.b\""},
        {"metadata.name: Invalid value: \"a.b\": must not contain dots"}},
       {{"metadata.name=\"a_b\""}, {"metadata.name: Invalid value: \"a_b\": " + kLabelRule}},
       {{"spec.serviceName=\"B_D\""}, {"spec.serviceName: Invalid value: \"B_D\": " + kLabelRule}},
       {{"spec.podManagementPolicy=\"Parallel\""}, {}},
       {{"spec.podManagementPolicy=\"X\""},
        {"spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'"}},
       {{"spec.replicas=-1", "spec.minReadySeconds=-1", "spec.ordinals.start=-1"},
        {std::string("spec.replicas") + kNegative, std::string("spec.minReadySeconds") + kNegative,
         std::string("spec.ordinals.start") + kNegative}},
       {{R"(spec.persistentVolumeClaimRetentionPolicy={"whenDeleted":"X","whenScaled":"Delete"})"},
        {"spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"X\": "
         "supported values: \"Retain\", \"Delete\""}},
       {{R"(spec.persistentVolumeClaimRetentionPolicy={"whenDeleted":"Delete","whenScaled":"X"})"},
        {"spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"X\": "
         "supported values: \"Retain\", \"Delete\""}},
       {{"spec.selector"},
        {"spec.selector: Required value",
         "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match "
         "template `labels`"}},
       {{"spec.selector={}"},
        {"spec.selector: Invalid value: {}: empty selector is invalid for statefulset"}},
       {{R"(spec.selector.matchExpressions=[{"key":"a","operator":"X"}])"},
        {"spec.selector.matchExpressions[0].operator: Invalid value: \"X\": not a valid selector "
         "operator",
         "spec.selector: Invalid value: "
         "{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"X\"}]"
         "}"}}},
      Create);
}

TEST(StatefulSet, Strategy) {
  const std::string rolling = "spec.updateStrategy.rollingUpdate";
  ExpectErrors(
      kSet,
      {{{"spec.updateStrategy.type=\"OnDelete\""}, {}},
       {{rolling + R"(={"partition":3,"maxUnavailable":"50%"})"}, {}},
       {{R"(spec.updateStrategy={"type":"OnDelete","rollingUpdate":{"partition":2}})"},
        {rolling + ": Invalid value: {\"Partition\":2,\"MaxUnavailable\":null}: only allowed for "
                   "updateStrategy 'RollingUpdate'"}},
       {{R"(spec.updateStrategy={"type":"RollingUpdate"})"}, {}},
       {{R"(spec.updateStrategy={"type":"X","rollingUpdate":{"partition":1}})"},
        {"spec.updateStrategy: Invalid value: "
         "{\"Type\":\"X\",\"RollingUpdate\":{\"Partition\":1,\"MaxUnavailable\":null}}: must be "
         "'RollingUpdate' or 'OnDelete'"}},
       {{"spec.updateStrategy.type=\"X\""},
        {"spec.updateStrategy: Invalid value: {\"Type\":\"X\",\"RollingUpdate\":null}: must be "
         "'RollingUpdate' or 'OnDelete'"}},
       {{rolling + R"(={"partition":-1,"maxUnavailable":0})"},
        {rolling + ".partition" + kNegative,
         rolling + ".maxUnavailable: Invalid value: 0: cannot be 0"}},
       {{rolling + R"(={"maxUnavailable":"101%"})"},
        {rolling + ".maxUnavailable: Invalid value: \"101%\": must not be greater than 100%"}},
       {{rolling + R"(={"maxUnavailable":"x"})"},
        {rolling +
             ".maxUnavailable: Invalid value: \"x\": a valid percent string must be a numeric "
             "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
             "'[0-9]+%')",
         rolling + ".maxUnavailable: Invalid value: \"x\": cannot be 0"}}},
      Create);
}

TEST(StatefulSet, WithoutDefaults) {
  auto set = Load<StatefulSet>(kSet);
  set.spec.podManagementPolicy.clear();
  set.spec.updateStrategy.type.clear();
  EXPECT_THAT(Texts(ValidateStatefulSet(set)),
              ::testing::ElementsAre("spec.podManagementPolicy: Required value",
                                     "spec.updateStrategy: Required value"));
}

constexpr char kClaim[] =
    R"({"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})";

TEST(StatefulSet, ClaimTemplates) {
  const std::string claim = std::string("spec.volumeClaimTemplates[0]=") + kClaim;
  const std::string mount =
      R"(spec.template.spec.containers[0].volumeMounts=[{"name":"data","mountPath":"/d"}])";
  ExpectErrors(
      kSet,
      {{{claim, mount}, {}},
       // A volume of the template gives way to the claim of the same name.
       {{claim, mount, R"(spec.template.spec.volumes=[{"name":"data","hostPath":{"path":""}}])"},
        {}},
       // Of two claims of one name there is one volume.
       {{claim, std::string("spec.volumeClaimTemplates[1]=") + kClaim, mount}, {}},
       {{mount}, {"spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\""}},
       {{claim, "spec.volumeClaimTemplates[0].spec.accessModes=[]"},
        {"spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is "
         "required"}},
       // Other volumes stand behind the claims.
       {{claim, R"(spec.template.spec.volumes=[{"name":"x","hostPath":{"path":""}}])"},
        {"spec.template.spec.volumes[1].hostPath.path: Required value"}},
       // The controller sets these two.
       {{"spec.template.spec.hostname=\"A_B\"", "spec.template.spec.subdomain=\"A_B\""}, {}}},
      Create);
}

TEST(StatefulSet, Update) {
  const std::string fixed =
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
      "'template', 'updateStrategy', 'revisionHistoryLimit', "
      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  const auto old_set = Load<StatefulSet>(kSet);
  ExpectErrors(
      kSet,
      {{{"spec.replicas=2", "spec.ordinals.start=1", "spec.template.spec.containers[0].image=\"j\"",
         "spec.updateStrategy.type=\"OnDelete\"", "spec.revisionHistoryLimit=3",
         R"(spec.persistentVolumeClaimRetentionPolicy={"whenDeleted":"Delete","whenScaled":"Delete"})",
         "spec.minReadySeconds=1"},
        {}},
       {{"spec.serviceName=\"t\""}, {fixed}},
       {{"spec.podManagementPolicy=\"Parallel\""}, {fixed}},
       {{std::string("spec.volumeClaimTemplates[0]=") + kClaim}, {fixed}},
       {{R"(spec.selector={"matchLabels":{"a":"z"}})"},
        {"spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match "
         "template `labels`",
         fixed}},
       {{"spec.template.spec.containers[0].image=\"\""},
        {"spec.template.spec.containers[0].image: Required value"}}},
      [&](const std::string& json) {
        return Texts(ValidateStatefulSetUpdate(Load<StatefulSet>(json), old_set));
      });
}

// A claim template may name its kind or not; the API always answers with the name.
TEST(StatefulSet, KindOfClaimTemplates) {
  const std::string json = Edited(kSet, {std::string("spec.volumeClaimTemplates[0]=") + kClaim});
  auto named = Load<StatefulSet>(json);
  named.spec.volumeClaimTemplates[0].apiVersion = "v1";
  named.spec.volumeClaimTemplates[0].kind = "PersistentVolumeClaim";
  EXPECT_THAT(Texts(ValidateStatefulSetUpdate(Load<StatefulSet>(json), named)),
              ::testing::IsEmpty());
  EXPECT_THAT(Texts(ValidateStatefulSetUpdate(named, Load<StatefulSet>(json))),
              ::testing::IsEmpty());
}

TEST(StatefulSet, OldFaultsStay) {
  // Name, service name, claims and a template with errors do not hold up an update.
  const std::string json =
      Edited(kSet, {"metadata.name=\"a.b\"", "spec.serviceName=\"B_D\"",
                    R"(spec.volumeClaimTemplates=[{"metadata":{"name":"x"},"spec":{}}])",
                    "spec.template.spec.containers[0].image=\"\""});
  EXPECT_THAT(Create(json), ::testing::SizeIs(5));
  const auto old_set = Load<StatefulSet>(json);
  auto new_set = old_set;
  new_set.spec.replicas = 3;
  EXPECT_THAT(Texts(ValidateStatefulSetUpdate(new_set, old_set)), ::testing::IsEmpty());
  new_set.spec.template_.metadata.labels["b ad"] = "x";
  EXPECT_THAT(
      Texts(ValidateStatefulSetUpdate(new_set, old_set)),
      ::testing::ElementsAre(
          "spec.template.labels: Invalid value: \"b ad\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
          "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
}

TEST(StatefulSet, Status) {
  const auto old_set =
      Load<StatefulSet>(Edited(kSet, {"status.replicas=0", "status.collisionCount=1"}));
  ExpectErrors(
      kSet,
      {{{R"(status={"replicas":3,"readyReplicas":2,"currentReplicas":3,"updatedReplicas":3,"availableReplicas":1,"collisionCount":1})"},
        {}},
       {{R"(status={"replicas":-1,"readyReplicas":-1,"currentReplicas":-1,"updatedReplicas":-1,"availableReplicas":-1,"observedGeneration":-1,"collisionCount":-1})"},
        {std::string("status.replicas") + kNegative,
         std::string("status.readyReplicas") + kNegative,
         std::string("status.currentReplicas") + kNegative,
         std::string("status.updatedReplicas") + kNegative,
         std::string("status.availableReplicas") + kNegative,
         std::string("status.observedGeneration") + kNegative,
         std::string("status.collisionCount") + kNegative,
         "status.collisionCount: Invalid value: -1: cannot be decremented"}},
       {{R"(status={"replicas":1,"readyReplicas":2,"currentReplicas":3,"updatedReplicas":4,"availableReplicas":5,"collisionCount":1})"},
        {"status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
         "status.currentReplicas: Invalid value: 3: cannot be greater than status.replicas",
         "status.updatedReplicas: Invalid value: 4: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 5: cannot be greater than status.replicas",
         ("status.availableReplicas: Invalid value: 5: cannot be greater than "
          "status.readyReplicas")}}},
      [&](const std::string& json) {
        return Texts(ValidateStatefulSetStatusUpdate(Load<StatefulSet>(json), old_set));
      });
}

}  // namespace
}  // namespace podium::api
