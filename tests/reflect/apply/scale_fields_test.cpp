// After upstream's scalehandler_test.go.
#include "reflect/apply/scale_fields.h"

#include <gtest/gtest.h>

#include <string>

#include "reflect/apply/apply_types.h"

namespace podium::reflect {
namespace {

using testing::Y;

ReplicasPaths Deployments() {
  const FieldPathElements path{PathElement::Field("spec"), PathElement::Field("replicas")};
  return {{"apps/v1", path}, {"apps/v1beta1", path}};
}

// MANAGER OPERATION VERSION SUBRESOURCE? FIELDS, of an entry.
std::string Entry(const char* manager, const char* operation, const char* version,
                  const char* fields, const char* subresource = "", const char* time = "") {
  std::string out = "{manager: " + std::string(manager) + ", operation: " + operation +
                    ", apiVersion: " + version;
  if (*time) out += ", time: '" + std::string(time) + "'";
  out += ", fieldsType: FieldsV1, fieldsV1: {" + std::string(fields) + "}";
  if (*subresource) out += ", subresource: " + std::string(subresource);
  return out + "}";
}

constexpr const char* kReplicas = "'f:spec': {'f:replicas': {}}";
constexpr const char* kSelector = "'f:spec': {'f:selector': {}}";
constexpr const char* kBoth = "'f:spec': {'f:replicas': {}, 'f:selector': {}}";
constexpr const char* kV1 = "apps/v1";
constexpr const char* kScale = "autoscaling/v1";

TEST(ScaleFieldsTest, OfTheScale) {
  const struct {
    std::string entries;
    std::string expected;
  } cases[] = {
      {"[]", "null"},
      // Only who owns the number, and only that.
      {"[" + Entry("a", "Apply", kV1, kSelector) + ", " +
           Entry("b", "Apply", kV1, kBoth, "", "2026-01-01T00:00:00Z") + "]",
       "[" + Entry("b", "Apply", kScale, kReplicas, "", "2026-01-01T00:00:00Z") + "]"},
      {"[" + Entry("a", "Apply", kV1, kReplicas) + ", " + Entry("b", "Update", kV1, kReplicas) +
           ", " + Entry("c", "Apply", kV1, kReplicas, "scale") + "]",
       "[" + Entry("a", "Apply", kScale, kReplicas) + ", " +
           Entry("c", "Apply", kScale, kReplicas, "scale") + ", " +
           Entry("b", "Update", kScale, kReplicas) + "]"},
      // Versions that are not known.
      {"[" + Entry("a", "Apply", "apps/v10", kReplicas) + "]", "null"},
  };
  for (const auto& c : cases) {
    const JsonValue entries = Y(c.entries);
    const auto scale = ManagedFieldsOfScale(&entries, Deployments());
    ASSERT_TRUE(scale.ok()) << c.entries;
    EXPECT_EQ(ToText(*scale), ToText(Y(c.expected))) << c.entries;
  }
  EXPECT_TRUE(ManagedFieldsOfScale(nullptr, Deployments())->is_null());
  const JsonValue wrong = Y("[{manager: a, operation: Delete}]");
  EXPECT_EQ(ManagedFieldsOfScale(&wrong, Deployments()).error().message(),
            "operation must be `Apply` or `Update`");
}

TEST(ScaleFieldsTest, AfterAWriteToTheScale) {
  const struct {
    const char* what;
    std::string entries;
    std::string scale;
    std::string expected;
  } cases[] = {
      {"another manager's update", Entry("test", "Apply", kV1, kBoth),
       Entry("scale", "Update", kScale, kReplicas, "scale"),
       Entry("test", "Apply", kV1, kSelector) + ", " +
           Entry("scale", "Update", kV1, kReplicas, "scale")},
      {"another manager's apply", Entry("test", "Apply", kV1, kBoth),
       Entry("scale", "Apply", kScale, kReplicas, "scale"),
       Entry("scale", "Apply", kV1, kReplicas, "scale") + ", " +
           Entry("test", "Apply", kV1, kSelector)},
      {"the same manager's apply", Entry("test", "Apply", kV1, kBoth),
       Entry("test", "Apply", kScale, kReplicas, "scale"),
       Entry("test", "Apply", kV1, kSelector) + ", " +
           Entry("test", "Apply", kV1, kReplicas, "scale")},
      {"update, then apply", Entry("test", "Update", kV1, kBoth),
       Entry("test", "Apply", kScale, kReplicas, "scale"),
       Entry("test", "Apply", kV1, kReplicas, "scale") + ", " +
           Entry("test", "Update", kV1, kSelector)},
      {"the scale does not own it any more", Entry("test", "Apply", kV1, kSelector),
       Entry("scale", "Update", kScale, "'f:status': {'f:replicas': {}}", "scale"),
       Entry("test", "Apply", kV1, kSelector)},
      {"all is taken", Entry("test", "Apply", kV1, kReplicas),
       Entry("scale", "Update", kScale, kReplicas, "scale"),
       Entry("scale", "Update", kV1, kReplicas, "scale")},
      {"nothing is taken from an applier",
       Entry("test", "Apply", kV1, kReplicas, "", "2026-01-01T00:00:00Z"),
       Entry("test", "Apply", kScale, kReplicas, "", "2026-01-01T00:00:00Z"),
       Entry("test", "Apply", kV1, kReplicas, "", "2026-01-01T00:00:00Z")},
      {"a version that is not known", Entry("old", "Apply", "apps/v10", kReplicas),
       Entry("scale", "Update", kScale, kReplicas, "scale"),
       Entry("scale", "Update", kV1, kReplicas, "scale")},
  };
  for (const auto& c : cases) {
    const JsonValue entries = Y("[" + c.entries + "]");
    const JsonValue scale = Y("[" + c.scale + "]");
    const auto after = ManagedFieldsAfterScale(&entries, &scale, kV1, Deployments());
    ASSERT_TRUE(after.ok()) << c.what;
    EXPECT_EQ(ToText(*after), ToText(Y("[" + c.expected + "]"))) << c.what;
  }
}

// A version of a custom resource without a scale subresource keeps what it has.
TEST(ScaleFieldsTest, VersionsWithoutAScale) {
  ReplicasPaths paths = Deployments();
  paths["apps/v2"] = {};
  const JsonValue entries = Y("[" + Entry("a", "Apply", "apps/v2", kReplicas) + "]");
  EXPECT_TRUE(ManagedFieldsOfScale(&entries, paths)->is_null());
  EXPECT_EQ(ToText(*ManagedFieldsAfterScale(&entries, nullptr, kV1, paths)), ToText(entries));
}

}  // namespace
}  // namespace podium::reflect
