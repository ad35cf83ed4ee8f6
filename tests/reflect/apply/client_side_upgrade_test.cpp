// After upstream's csaupgrade/upgrade_test.go.
#include "reflect/apply/client_side_upgrade.h"

#include <gtest/gtest.h>

#include <string>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/field_manager.h"
#include "reflect/patch/json_patch.h"

namespace podium::reflect {
namespace {

using testing::ThingType;
using testing::Y;

constexpr const char* kAnnotation =
    "'f:metadata': {'f:annotations': {.: {}, "
    "'f:kubectl.kubernetes.io/last-applied-configuration': {}}}";
constexpr const char* kClient = "kubectl-client-side-apply";

std::string Entry(const std::string& manager, const char* operation, const std::string& fields,
                  const char* version = "v1", const char* subresource = "") {
  std::string out = "{manager: " + manager + ", operation: " + operation +
                    ", apiVersion: " + version + ", fieldsType: FieldsV1, fieldsV1: {" + fields +
                    "}";
  if (*subresource) out += ", subresource: " + std::string(subresource);
  return out + "}";
}

std::string Data(const std::string& keys) { return "'f:data': {.: {}, " + keys + "}"; }

TEST(ClientSideUpgradeTest, OwnersOfFields) {
  const JsonValue entries =
      Y("[" + Entry("a", "Update", Data("'f:k': {}") + ", " + kAnnotation) + ", " +
        Entry("b", "Apply", Data("'f:k': {}") + ", " + kAnnotation) + ", " +
        Entry("c", "Update", kAnnotation) + ", " + Entry("d", "Update", Data("'f:l': {}")) +
        ", {manager: e, operation: Update, fieldsV1: {'x': {}}}]");
  using Names = std::set<std::string>;
  const auto owners = [&](ManagedOperation operation, const FieldSet& fields) {
    return FieldsOwners(&entries, operation, fields);
  };
  FieldSet both = LastAppliedField();
  both.Insert({PathElement::Field("data"), PathElement::Field("k")});
  FieldSet data;
  data.Insert({PathElement::Field("data")});
  EXPECT_EQ(owners(ManagedOperation::kUpdate, LastAppliedField()), (Names{"a", "c"}));
  EXPECT_EQ(owners(ManagedOperation::kApply, LastAppliedField()), (Names{"b"}));
  EXPECT_EQ(owners(ManagedOperation::kUpdate, both), (Names{"a"}));
  EXPECT_EQ(owners(ManagedOperation::kUpdate, data), (Names{"a", "d"}));
  EXPECT_TRUE(FieldsOwners(nullptr, ManagedOperation::kUpdate, data).empty());
}

TEST(ClientSideUpgradeTest, Entries) {
  const std::string both = Data("'f:k': {}, 'f:l': {}");
  const std::string one = Data("'f:k': {}");
  const struct {
    const char* what;
    std::set<std::string> clients;
    std::string entries;
    std::string expected;
    const char* subresource = "";
  } cases[] = {
      {"no server-side entry: the client's becomes it",
       {kClient},
       Entry(kClient, "Update", both),
       Entry("kubectl", "Apply", both)},
      {"both: one entry with the fields of both",
       {kClient},
       Entry("kubectl", "Apply", one) + ", " + Entry(kClient, "Update", both),
       Entry("kubectl", "Apply", both)},
      {"other versions are dropped",
       {kClient},
       Entry("kubectl", "Apply", one, "v5") + ", " + Entry(kClient, "Update", both, "v1") + ", " +
           Entry(kClient, "Update", both, "v2"),
       Entry("kubectl", "Apply", one, "v5")},
      {"of several the first becomes it, with those of its version",
       {kClient},
       Entry(kClient, "Update", one, "v2") + ", " + Entry(kClient, "Update", both, "v1"),
       Entry("kubectl", "Apply", one, "v2")},
      {"several managers",
       {"a", kClient},
       Entry("a", "Update", Data("'f:a': {}")) + ", " + Entry(kClient, "Update", one) + ", " +
           Entry("other", "Update", both),
       Entry("kubectl", "Apply", Data("'f:a': {}, 'f:k': {}")) + ", " +
           Entry("other", "Update", both)},
      {"what is applied and subresources stay",
       {kClient},
       Entry(kClient, "Apply", one) + ", " + Entry(kClient, "Update", both, "v1", "status"),
       Entry(kClient, "Apply", one) + ", " + Entry(kClient, "Update", both, "v1", "status")},
      {"of a subresource",
       {kClient},
       Entry(kClient, "Update", both, "v1", "status") + ", " + Entry(kClient, "Update", one),
       Entry("kubectl", "Apply", both, "v1", "status") + ", " + Entry(kClient, "Update", one),
       "status"},
      {"nobody", {}, Entry(kClient, "Update", both), Entry(kClient, "Update", both)},
  };
  for (const auto& c : cases) {
    const auto upgraded =
        UpgradeManagedFields(Y("[" + c.entries + "]"), c.clients, "kubectl", c.subresource);
    ASSERT_TRUE(upgraded.ok()) << c.what;
    EXPECT_TRUE(Equivalent(*upgraded, Y("[" + c.expected + "]")))
        << c.what << ": " << ToText(*upgraded);
  }
  const auto wrong =
      UpgradeManagedFields(Y("[" + Entry(kClient, "Update", "x: {}") + "]"), {kClient}, "kubectl");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(),
            "failed to convert fields to set: key must be 2 characters long:");
}

TEST(ClientSideUpgradeTest, Patches) {
  const JsonValue object = Y("{metadata: {resourceVersion: '7', managedFields: [" +
                             Entry(kClient, "Update", Data("'f:k': {}")) + "]}}");
  const auto patch = UpgradeManagedFieldsPatch(object, {kClient}, "kubectl");
  ASSERT_TRUE(patch.ok() && patch->has_value());
  EXPECT_EQ(ToText(**patch),
            ToText(Y("[{op: replace, path: /metadata/managedFields, value: [" +
                     Entry("kubectl", "Apply", Data("'f:k': {}")) +
                     "]}, {op: replace, path: /metadata/resourceVersion, value: '7'}]")));
  for (const char* text : {"{metadata: {}}", "{metadata: {managedFields: []}}", "{}"}) {
    EXPECT_FALSE(UpgradeManagedFieldsPatch(Y(text), {kClient}, "kubectl")->has_value()) << text;
  }
  EXPECT_FALSE(UpgradeManagedFieldsPatch(object, {"other"}, "kubectl")->has_value());
}

// From `kubectl apply` to `kubectl apply --server-side`, as kubectl does it.
TEST(ClientSideUpgradeTest, FromTheAnnotationToTheEnd) {
  const FieldManager fields(
      {.type = &ThingType(), .api_version = "example.com/v1", .kind = "Thing", .hooks = {}});
  const auto thing = [](const std::string& annotations, const std::string& spec) {
    return Y("{apiVersion: example.com/v1, kind: Thing, metadata: {name: t, resourceVersion: '1'" +
             annotations + "}, spec: " + spec + "}");
  };
  // Client-side apply is an update that leaves what it applied in the annotation.
  const std::string last =
      R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"t"},)"
      R"("spec":{"map":{"a":"x","b":"x"},"number":1}})";
  const JsonValue created =
      thing(", annotations: {kubectl.kubernetes.io/last-applied-configuration: '" + last + "'}",
            "{map: {a: x, b: x}, number: 1}");
  auto live = fields.Update(*fields.NewObject(), created,
                            {.manager = kClient, .time = "2026-01-01T00:00:00Z"});
  ASSERT_TRUE(live.ok());

  // The first server-side apply changes a field without a conflict, as that is what the annotation
  // says; what it leaves out stays, as the client-side manager owns it.
  const JsonValue config = Y(
      "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {map: {a: w}, number: "
      "1}}");
  const WriteOptions kubectl{.manager = "kubectl", .time = "2026-01-02T00:00:00Z"};
  auto first = fields.Apply(*live, config, kubectl);
  ASSERT_TRUE(first.ok() && first->conflicts.empty());
  EXPECT_EQ(ToText(*first->object.Find("spec")), ToText(Y("{map: {a: w, b: x}, number: 1}")));

  const JsonValue& entries = *first->object.Find("metadata")->Find("managedFields");
  const auto clients = FieldsOwners(&entries, ManagedOperation::kUpdate, LastAppliedField());
  EXPECT_EQ(clients, std::set<std::string>{kClient});
  auto patch = UpgradeManagedFieldsPatch(first->object, clients, "kubectl");
  ASSERT_TRUE(patch.ok() && patch->has_value());
  const auto operations = JsonPatch::FromValue(**patch);
  ASSERT_TRUE(operations.ok() && operations->Apply(&first->object).ok());

  // Applied once more, what is left out goes, the annotation too.
  const auto second = fields.Apply(first->object, config, kubectl);
  ASSERT_TRUE(second.ok() && second->conflicts.empty());
  EXPECT_EQ(ToText(*second->object.Find("spec")), ToText(Y("{map: {a: w}, number: 1}")));
  const JsonValue& left = *second->object.Find("metadata")->Find("managedFields");
  ASSERT_EQ(left.array().size(), 1U);
  EXPECT_EQ(left.array()[0].Find("manager")->string(), "kubectl");
  EXPECT_FALSE(UpgradeManagedFieldsPatch(second->object, clients, "kubectl")->has_value());
}

}  // namespace
}  // namespace podium::reflect
