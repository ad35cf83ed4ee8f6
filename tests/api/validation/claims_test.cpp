#include "api/validation/claims.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

constexpr char kClaim[] = R"({
  "metadata": {"name": "c"},
  "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})";

void ExpectSpec(const std::vector<ErrorCase>& cases) {
  ExpectErrors(kClaim, cases, [](const std::string& json) {
    const auto claim = Load<core::v1::PersistentVolumeClaim>(json);
    return Texts(ValidatePersistentVolumeClaimSpec(claim.spec, field::Path("spec")));
  });
}

TEST(Claims, AccessModes) {
  const std::string supported =
      "supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", "
      "\"ReadWriteOncePod\"";
  ExpectSpec(
      {{{}, {}},
       {{R"(spec.accessModes=["ReadWriteOnce","ReadOnlyMany","ReadWriteMany"])"}, {}},
       {{R"(spec.accessModes=["ReadWriteOncePod"])"}, {}},
       {{"spec.accessModes=[]"},
        {"spec.accessModes: Required value: at least 1 access mode is required"}},
       {{R"(spec.accessModes=["RWO","ReadWriteOncePod"])"},
        {"spec.accessModes: Unsupported value: \"RWO\": " + supported}},
       {{R"(spec.accessModes=["ReadWriteOncePod","ReadOnlyMany"])"},
        {"spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"}}});
}

TEST(Claims, Storage) {
  ExpectSpec({{{"spec.resources.requests.storage"}, {"spec.resources[storage]: Required value"}},
              {{"spec.resources.requests.storage=\"0\""},
               {"spec.resources[storage]: Invalid value: \"0\": must be greater than zero"}},
              {{"spec.resources.requests.storage=\"-1Gi\""},
               {"spec.resources[storage]: Invalid value: \"-1Gi\": must be greater than zero"}}});
}

TEST(Claims, SelectorAndClasses) {
  const std::string subdomain =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  ExpectSpec(
      {{{R"(spec.selector={"matchLabels":{"a":"b"}})", "spec.storageClassName=\"\"",
         "spec.volumeMode=\"Block\"", "spec.volumeAttributesClassName=\"gold\""},
        {}},
       {{R"(spec.selector.matchExpressions=[{"key":"a","operator":"In"}])"},
        {"spec.selector.matchExpressions[0].values: Required value: must be specified when "
         "`operator` is 'In' or 'NotIn'"}},
       {{"spec.storageClassName=\"S\"", "spec.volumeMode=\"X\"",
         "spec.volumeAttributesClassName=\"V\""},
        {"spec.storageClassName: Invalid value: \"S\": " + subdomain,
         "spec.volumeMode: Unsupported value: \"X\": supported values: \"Block\", \"Filesystem\"",
         "spec.volumeAttributesClassName: Invalid value: \"V\": " + subdomain}}});
}

TEST(Claims, DataSources) {
  const std::string claim = R"({"kind":"PersistentVolumeClaim","name":"n"})";
  const std::string snapshot = R"({"apiGroup":"snapshot.storage.k8s.io","kind":"S","name":"n"})";
  ExpectSpec(
      {{{"spec.dataSource=" + claim}, {}},
       {{"spec.dataSource=" + snapshot, "spec.dataSourceRef=" + snapshot}, {}},
       {{"spec.dataSourceRef=" + snapshot, "spec.dataSourceRef.namespace=\"other\""}, {}},
       {{R"(spec.dataSource={"kind":"","name":""})"},
        {"spec.dataSource.name: Required value", "spec.dataSource.kind: Required value",
         "spec.dataSource: Invalid value: \"\": must be 'PersistentVolumeClaim' when referencing "
         "the default apiGroup"}},
       {{R"(spec.dataSourceRef={"apiGroup":"G","kind":"K","name":"","namespace":"N"})"},
        {"spec.dataSourceRef.name: Required value",
         "spec.dataSourceRef.apiGroup: Invalid value: \"G\": a lowercase RFC 1123 subdomain must "
         "consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
         "an alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
         "spec.dataSourceRef.namespace: Invalid value: \"N\": a lowercase RFC 1123 label must "
         "consist of lower case alphanumeric characters or '-', and must start and end with an "
         "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"}},
       {{"spec.dataSource=" + claim, "spec.dataSourceRef=" + snapshot},
        {"spec: Invalid value: {}: must match dataSourceRef"}},
       {{"spec.dataSource=" + snapshot, "spec.dataSourceRef=" + snapshot,
         "spec.dataSourceRef.kind=\"T\""},
        {"spec: Invalid value: {}: must match dataSourceRef"}},
       {{"spec.dataSource=" + snapshot, "spec.dataSourceRef=" + snapshot,
         "spec.dataSourceRef.name=\"m\""},
        {"spec: Invalid value: {}: must match dataSourceRef"}},
       // No group is not the empty one.
       {{"spec.dataSource=" + claim, "spec.dataSourceRef=" + claim,
         "spec.dataSourceRef.apiGroup=\"\""},
        {"spec: Invalid value: {}: must match dataSourceRef"}},
       {{"spec.dataSource=" + claim, "spec.dataSourceRef=" + claim,
         "spec.dataSourceRef.namespace=\"\""},
        {}},
       {{R"(spec.dataSourceRef={"kind":"","name":"n"})"},
        {"spec.dataSourceRef.kind: Required value",
         "spec.dataSourceRef: Invalid value: \"\": must be 'PersistentVolumeClaim' when "
         "referencing the default apiGroup"}},
       {{"spec.volumeAttributesClassName=\"\""}, {}},
       {{"spec.dataSource=" + snapshot, "spec.dataSourceRef=" + snapshot,
         "spec.dataSourceRef.namespace=\"other\""},
        {"spec: Invalid value: {}: may not be specified when dataSourceRef.namespace is "
         "specified"}}});
}

// The claim of an ephemeral volume takes labels and annotations along, and nothing else.
TEST(Claims, TemplateMetadata) {
  core::v1::PersistentVolumeClaimTemplate claim_template;
  claim_template.spec = Load<core::v1::PersistentVolumeClaim>(kClaim).spec;
  const auto errors = [&] {
    return Texts(ValidatePersistentVolumeClaimTemplate(claim_template, field::Path("t")));
  };
  claim_template.metadata.labels["a"] = "b";
  claim_template.metadata.annotations["a"] = "b c";
  EXPECT_THAT(errors(), ::testing::IsEmpty());
  claim_template.metadata = *reflect::FromJson<meta::v1::ObjectMeta>(R"({
      "name": "n", "generateName": "g", "namespace": "ns", "selfLink": "l", "uid": "u",
      "resourceVersion": "1", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z",
      "deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0,
      "ownerReferences": [{"kind": "K"}], "finalizers": ["f"], "managedFields": [{}]})");
  std::vector<std::string> expected;
  for (const char* name :
       {"name", "generateName", "namespace", "selfLink", "uID", "resourceVersion", "generation",
        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences",
        "finalizers", "managedFields"}) {
    expected.push_back(std::string("t.metadata.") + name + ": Forbidden: cannot be set");
  }
  EXPECT_THAT(errors(), ::testing::ElementsAreArray(expected));
}

}  // namespace
}  // namespace podium::api
