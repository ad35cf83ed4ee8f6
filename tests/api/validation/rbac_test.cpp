#include "api/validation/rbac.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using rbac::v1::ClusterRole;
using rbac::v1::ClusterRoleBinding;
using rbac::v1::Role;
using rbac::v1::RoleBinding;

constexpr char kRole[] = R"({"metadata": {"name": "system:r", "namespace": "n"},
  "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]})";
constexpr char kBinding[] = R"({"metadata": {"name": "b", "namespace": "n"},
  "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
  "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "n"}]})";

TEST(Rbac, Rules) {
  const std::string urls = "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: ";
  ExpectCreate<Role>(
      kRole,
      {{{}, {}},
       {{"rules=[{\"verbs\":[]}]"},
        {"rules[0].verbs: Required value: verbs must contain at least one value",
         "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
         "rules[0].resources: Required value: resource rules must supply at least one resource"}},
       {{R"(rules[0].nonResourceURLs=["/x"])"},
        {urls + "namespaced rules cannot apply to non-resource URLs",
         urls + "rules cannot apply to both regular resources and non-resource URLs"}}});
  const std::string cluster = Edited(kRole, {"metadata.namespace"});
  const std::string selectors = "aggregationRule.clusterRoleSelectors";
  ExpectCreate<ClusterRole>(
      cluster, {{{R"(rules=[{"verbs":["get"],"nonResourceURLs":["/x"]}])",
                  selectors + R"(=[{"matchLabels":{"a":"b"}}])"},
                 {}},
                {{"aggregationRule={}"},
                 {selectors + ": Required value: at least one clusterRoleSelector required if "
                              "aggregationRule is non-nil"}},
                {{selectors + R"(=[{"matchLabels":{"a":"-"}}])"},
                 {selectors + "[0].matchLabels: Invalid value: \"-\": " + kBadLabelValue,
                  selectors + "[0]: Invalid value: null: invalid label selector."}}});
  // The registry checks an object that changes by itself, and once more as a change.
  const std::string verbs = "rules[0].verbs: Required value: verbs must contain at least one value";
  const std::string uid = "metadata.uid: Invalid value: \"u\": field is immutable";
  const std::vector<ErrorCase> updates = {
      {{"rules=[]"}, {}}, {{"metadata.uid=\"u\"", "rules[0].verbs=[]"}, {verbs, verbs, uid}}};
  ExpectUpdate<Role>(kRole, updates);
  ExpectUpdate<ClusterRole>(cluster, updates);
}

TEST(Rbac, Bindings) {
  const std::string group = ": supported values: \"rbac.authorization.k8s.io\"";
  ExpectCreate<RoleBinding>(
      kBinding,
      {{{}, {}},
       {{"roleRef.kind=\"Role\"", "subjects[0].namespace",
         R"(subjects[1]={"kind":"User","name":"u"})", R"(subjects[2]={"kind":"Group","name":"g"})"},
        {}},
       {{R"(roleRef={"apiGroup":"x","kind":"X","name":"a/b"})"},
        {"roleRef.apiGroup: Unsupported value: \"x\"" + group,
         "roleRef.kind: Unsupported value: \"X\": supported values: \"Role\", \"ClusterRole\"",
         "roleRef.name: Invalid value: \"a/b\": may not contain '/'"}},
       {{"roleRef.name=\"\""}, {"roleRef.name: Required value"}},
       {{R"(subjects=[{"kind":"ServiceAccount","name":"A","apiGroup":"x"},{"kind":"User","name":"","apiGroup":"x"},{"kind":"Group","name":""},{"kind":"X","name":"x"}])"},
        {"subjects[0].name: Invalid value: \"A\": " + kBadSubdomain,
         "subjects[0].apiGroup: Unsupported value: \"x\": supported values: \"\"",
         "subjects[1].name: Required value",
         "subjects[1].apiGroup: Unsupported value: \"x\"" + group,
         "subjects[2].name: Required value",
         ("subjects[3].kind: Unsupported value: \"X\": supported values: \"ServiceAccount\", "
          "\"User\", \"Group\"")}}});
  const std::string cluster = Edited(kBinding, {"metadata.namespace"});
  ExpectCreate<ClusterRoleBinding>(
      cluster, {{{}, {}},
                {{"roleRef.kind=\"Role\"", "subjects[0].namespace"},
                 {"roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
                  "subjects[0].namespace: Required value"}}});
  const std::string changed =
      "roleRef: Invalid value: "
      "{\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\",\"Name\":\"s\"}: "
      "cannot "
      "change roleRef";
  const std::string name = "subjects[0].name: Required value";
  const std::vector<ErrorCase> updates = {
      {{"subjects=[]"}, {}},
      {{"roleRef.name=\"s\""}, {changed}},
      {{"roleRef.name=\"s\"", "subjects[0].name=\"\""}, {name, name, changed}}};
  ExpectUpdate<RoleBinding>(kBinding, updates);
  ExpectUpdate<ClusterRoleBinding>(cluster, updates);
}

}  // namespace
}  // namespace podium::api
