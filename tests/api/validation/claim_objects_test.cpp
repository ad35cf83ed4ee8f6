#include "api/validation/claims.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::PersistentVolumeClaim;

constexpr char kClaim[] = R"({
  "metadata": {"name": "c", "namespace": "n"},
  "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}})";
const std::string kClass =  // NOLINT: a constant of tests
    "metadata.annotations['volume.beta.kubernetes.io/storage-class']";
constexpr char kFixed[] =
    "spec: Forbidden: spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims\n";

// Texts up to the end of the line: what follows is a difference.
std::vector<std::string> FirstLines(const field::ErrorList& errors) {
  std::vector<std::string> lines;
  for (const std::string& text : Texts(errors)) {
    lines.push_back(text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1));
  }
  return lines;
}

void ExpectClaimUpdate(const std::string& old_json, const std::vector<ErrorCase>& cases) {
  const std::string stored = Edited(old_json, {"metadata.resourceVersion=\"1\""});
  const auto old_claim = Load<PersistentVolumeClaim>(stored);
  ExpectErrors(stored, cases, [&](const std::string& json) {
    return FirstLines(ValidateUpdate(Load<PersistentVolumeClaim>(json), old_claim));
  });
}

TEST(ClaimObjects, Create) {
  ExpectCreate<PersistentVolumeClaim>(
      kClaim, {{{}, {}},
               {{"metadata.name=\"C\"", "spec.accessModes"},
                {"metadata.name: Invalid value: \"C\": " + kBadSubdomain,
                 "spec.accessModes: Required value: at least 1 access mode is required"}}});
}

TEST(ClaimObjects, Update) {
  ExpectClaimUpdate(kClaim,
                    {{{"spec.volumeName=\"v\""}, {}},
                     {{"spec.storageClassName=\"s\""}, {}},
                     {{R"(spec.accessModes=["ReadWriteMany"])"}, {kFixed}},
                     {{"spec.resources.requests.storage=\"3Gi\""}, {kFixed}},
                     {{"spec.volumeMode=\"Block\""},
                      {kFixed, "volumeMode: Invalid value: \"Block\": field is immutable"}},
                     {{kClass + "=\"s\""},
                      {"metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid "
                       "value: \"s\": field is immutable"}}});
  const std::string annotated = Edited(kClaim, {kClass + "=\"s\""});
  ExpectClaimUpdate(annotated, {{{"spec.storageClassName=\"s\""}, {}},
                                {{"spec.storageClassName=\"s\"", kClass}, {}},
                                {{"spec.storageClassName=\"t\""}, {kFixed}}});
}

TEST(ClaimObjects, Resize) {
  const std::string size = "spec.resources.requests.storage=";
  const std::string bound =
      Edited(kClaim, {"status.phase=\"Bound\"", "status.capacity.storage=\"1Gi\"",
                      "spec.volumeAttributesClassName=\"gold\""});
  const std::string small =
      "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity";
  const std::string attributes = "spec.volumeAttributesClassName: Forbidden: ";
  ExpectClaimUpdate(bound,
                    {{{size + "\"3Gi\"", "spec.volumeAttributesClassName=\"silver\""}, {}},
                     {{size + "\"1500Mi\""}, {}},
                     {{size + "\"1Gi\""}, {small}},
                     {{"spec.volumeAttributesClassName"},
                      {kFixed, attributes + "update from non-nil value to nil is forbidden"}},
                     {{"spec.volumeAttributesClassName=\"\""},
                      {attributes + "update from non-nil value to an empty string is forbidden"}}});
  ExpectClaimUpdate(kClaim, {{{size + "\"1Gi\""}, {kFixed}}});
}

// What is invalid today may stay.
TEST(ClaimObjects, OldValues) {
  const std::string old = Edited(
      kClaim, {R"(spec.selector.matchExpressions=[{"key":"a","operator":"In","values":["-"]}])",
               R"(spec.dataSource={"apiGroup":"G","kind":"K","name":"n"})"});
  ExpectClaimUpdate(old, {{{"metadata.labels.a=\"b\""}, {}}});
}

TEST(ClaimObjects, Difference) {
  const auto old_claim = Load<PersistentVolumeClaim>(kClaim);
  const auto claim =
      Load<PersistentVolumeClaim>(Edited(kClaim, {R"(spec.accessModes=["ReadWriteMany"])"}));
  EXPECT_THAT(Texts(ValidatePersistentVolumeClaimUpdate(claim, old_claim))[1],
              ::testing::HasSubstr("-  \"ReadWriteOnce\"\n+  \"ReadWriteMany\"\n"));
}

TEST(ClaimObjects, Status) {
  const std::string statuses = "status.allocatedResourceStatuses";
  const std::string supported =
      "supported values: \"ControllerResizeInProgress\", \"ControllerResizeInfeasible\", "
      "\"NodeResizeInProgress\", \"NodeResizeInfeasible\", \"NodeResizePending\"";
  ExpectUpdate<PersistentVolumeClaim>(
      kClaim,
      {{{"status.capacity.storage=\"1Gi\"", statuses + ".storage=\"NodeResizePending\"",
         "status.allocatedResources.storage=\"1Gi\""},
        {}},
       {{"metadata.resourceVersion=\"\"", "spec.accessModes"},
        {"metadata.resourceVersion: Invalid value: \"\": must be specified for an update",
         "resourceVersion: Required value", "Spec.accessModes: Required value"}},
       {{"status.capacity.storage=\"-1\"", statuses + R"(={"-":"NodeResizePending","cpu":"X"})",
         R"(status.allocatedResources={"cpu":"1","storage":"-1","example.com/x":"1"})"},
        {"status.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
         "status.allocatedResourceStatus: Invalid value: \"-\": " + kBadQualified,
         ("status.allocatedResourceStatus: Unsupported value: \"cpu\": supported values: "
          "\"storage\""),
         "status.allocatedResourceStatus: Unsupported value: \"cpu\": " + supported,
         "status.allocatedResources: Unsupported value: \"cpu\": supported values: \"storage\"",
         "status.allocatedResources[storage]: Invalid value: -1: must be a valid resource "
         "quantity"}}},
      "status");
}

}  // namespace
}  // namespace podium::api
