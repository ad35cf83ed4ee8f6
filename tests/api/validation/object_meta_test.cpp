#include "api/validation/object_meta.h"

#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

using meta::v1::ObjectMeta;

constexpr char kMeta[] = R"({"name":"n","namespace":"ns"})";

std::vector<std::string> Errors(const std::string& json, Scope scope = Scope::kNamespaced) {
  Result<ObjectMeta> meta = reflect::FromJson<ObjectMeta>(json);
  if (!meta.ok()) return {meta.error().message()};
  return Texts(ValidateObjectMeta(*meta, scope, NameIsDNSSubdomain, field::Path("metadata")));
}

TEST(ObjectMetaTest, NamesAndNamespaces) {
  ExpectErrors(kMeta,
               {
                   {{}, {}},
                   {{"name"}, {"metadata.name: Required value: name or generateName is required"}},
                   {{"name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kNotSubdomain}},
                   {{"name=\"a-\""}, {"metadata.name: Invalid value: \"a-\": " + kNotSubdomain}},
                   {{"name=\"" + std::string(254, 'a') + "\""},
                    {"metadata.name: Invalid value: \"" + std::string(254, 'a') +
                     "\": must be no more than 253 bytes"}},
                   {{"generateName=\"a-\""}, {}},
                   {{"generateName=\"Ab-\""},
                    {"metadata.generateName: Invalid value: \"Ab-\": " + kNotSubdomain}},
                   {{"namespace"}, {"metadata.namespace: Required value"}},
                   {{"namespace=\"a.b\""},
                    {"metadata.namespace: Invalid value: \"a.b\": must not contain dots"}},
                   {{"generation=-1"},
                    {"metadata.generation: Invalid value: -1: must be greater than or equal to 0"}},
               },
               [](const std::string& json) { return Errors(json); });
  EXPECT_THAT(Errors(kMeta, Scope::kCluster),
              ::testing::ElementsAre("metadata.namespace: Forbidden: not allowed on this type"));
  EXPECT_THAT(Errors(R"({"name":"n"})", Scope::kCluster), ::testing::IsEmpty());
}

TEST(ObjectMetaTest, LabelsAndAnnotations) {
  ExpectErrors(
      kMeta,
      {
          {{R"(labels={"a/b":"c","d":""})", R"(annotations={"A/B":"any thing"})"}, {}},
          {{R"(labels={"-":"c","a":"b c"})"},
           {"metadata.labels: Invalid value: \"-\": " + kNotQualified,
            "metadata.labels: Invalid value: \"b c\": " + kNotLabelValue}},
          // Case does not count, in Unicode's sense: the Kelvin sign is a k, the dotted I an i.
          {{R"(annotations={"\u212a\u0130":"c"})"}, {}},
          {{R"(annotations={"a b":"c"})"},
           {"metadata.annotations: Invalid value: \"a b\": " + kNotQualified}},
          {{R"(annotations={"a":")" + std::string(256 * 1024 - 1, 'x') + "\"}"}, {}},
          {{R"(annotations={"a":")" + std::string(256 * 1024, 'x') + "\"}"},
           {"metadata.annotations: Too long: may not be more than 262144 bytes"}},
      },
      [](const std::string& json) { return Errors(json); });
}

TEST(ObjectMetaTest, OwnerReferences) {
  const std::string good = R"({"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"u")";
  const std::string at = "metadata.ownerReferences";
  ExpectErrors(
      kMeta,
      {
          {{"ownerReferences=[" + good + R"(,"controller":true},)" + good + "}]"}, {}},
          {{R"(ownerReferences=[{"apiVersion":"","kind":"","name":"","uid":""}])"},
           {at + ".apiVersion: Invalid value: \"\": version must not be empty",
            at + ".kind: Invalid value: \"\": must not be empty",
            at + ".name: Invalid value: \"\": must not be empty",
            at + ".uid: Invalid value: \"\": must not be empty"}},
          {{R"(ownerReferences=[{"apiVersion":"a/b/c","kind":"K","name":"n","uid":"u"}])"},
           {at + ".apiVersion: Invalid value: \"a/b/c\": version must not be empty"}},
          {{R"(ownerReferences=[{"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}])"},
           {at +
            ": Invalid value: {\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"e\",\"uid\":"
            "\"u\"}: /v1, Kind=Event is disallowed from being an owner"}},
          {{"ownerReferences=[" + good + R"(,"controller":true},)" + good +
            R"(,"controller":true}])"},
           {at + ": Invalid value: [" + good + R"(,"controller":true},)" + good +
            ",\"controller\":true}]: Only one reference can have Controller set to true. Found "
            "\"true\" in references for ReplicaSet/r and ReplicaSet/r"}},
      },
      [](const std::string& json) { return Errors(json); });
}

TEST(ObjectMetaTest, Finalizers) {
  ExpectErrors(
      kMeta,
      {
          {{R"(finalizers=["kubernetes","orphan","example.com/f"])"}, {}},
          {{R"(finalizers=["custom"])"},
           {"metadata.finalizers[0]: Invalid value: \"custom\": name is neither a standard "
            "finalizer "
            "name nor is it fully qualified"}},
          {{R"(finalizers=["a/-"])"},
           {"metadata.finalizers: Invalid value: \"a/-\": " + kNotQualified}},
          {{R"(finalizers=["orphan","foregroundDeletion"])"},
           {"metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer "
            "orphan and foregroundDeletion cannot be both set"}},
      },
      [](const std::string& json) { return Errors(json); });
}

TEST(ObjectMetaTest, ManagedFields) {
  auto entry = [](const std::string& json) { return "managedFields=[" + json + "]"; };
  const std::string at = "metadata.managedFields[0]";
  ExpectErrors(
      kMeta,
      {
          {{entry(R"({"manager":"kubectl","operation":"Apply","fieldsType":"FieldsV1"})")}, {}},
          {{entry(R"({"operation":"x","fieldsType":"y"})")},
           {at + ".operation: Invalid value: \"x\": must be `Apply` or `Update`",
            at + ".fieldsType: Invalid value: \"y\": must be `FieldsV1`"}},
          {{entry(R"({"operation":"Apply","manager":")" + std::string(129, 'm') + "\"}")},
           {at + ".manager: Too long: may not be more than 128 bytes"}},
          {{entry(R"({"operation":"Apply","manager":"a\tb"})")},
           {at + ".manager: Invalid value: \"a\\tb\": invalid character U+0009 (at position 1)"}},
          {{entry(R"({"operation":"Apply","manager":"aé\u200b"})")},
           {at +
            ".manager: Invalid value: \"aé\\u200b\": invalid character U+200B (at position 3)"}},
          {{entry(R"({"operation":"Apply","subresource":")" + std::string(257, 's') + "\"}")},
           {at + ".subresource: Too long: may not be more than 256 bytes"}},
      },
      [](const std::string& json) { return Errors(json); });
}

TEST(ObjectMetaTest, Updates) {
  constexpr char kStored[] =
      R"({"name":"n","namespace":"ns","uid":"u","resourceVersion":"1","generation":2,
          "creationTimestamp":"2026-01-01T00:00:00Z"})";
  struct Case {
    std::vector<std::string> before;
    std::vector<std::string> change;
    std::vector<std::string> errors;
  };
  const std::string immutable = ": field is immutable";
  const std::vector<Case> cases = {
      {{}, {}, {}},
      {{}, {"labels={\"a\":\"b\"}", "generation=3", "finalizers=[\"a/b\"]"}, {}},
      {{},
       {"resourceVersion"},
       {"metadata.resourceVersion: Invalid value: \"\": must be specified for an update"}},
      {{}, {"generation=1"}, {"metadata.generation: Invalid value: 1: must not be decremented"}},
      {{},
       {"name=\"m\"", "namespace=\"o\"", "uid=\"v\"", "creationTimestamp=null",
        "deletionTimestamp=\"2026-01-02T00:00:00Z\"", "deletionGracePeriodSeconds=5"},
       {"metadata.name: Invalid value: \"m\"" + immutable,
        "metadata.namespace: Invalid value: \"o\"" + immutable,
        "metadata.uid: Invalid value: \"v\"" + immutable,
        "metadata.creationTimestamp: Invalid value: null" + immutable,
        "metadata.deletionTimestamp: Invalid value: \"2026-01-02T00:00:00Z\"" + immutable,
        "metadata.deletionGracePeriodSeconds: Invalid value: 5" + immutable}},
      {{"deletionTimestamp=\"2026-01-02T00:00:00Z\"", "finalizers=[\"a/b\",\"c/d\"]"},
       {"finalizers=[\"c/d\"]"},
       {}},
      {{"deletionTimestamp=\"2026-01-02T00:00:00Z\"", "finalizers=[\"a/b\"]"},
       {"finalizers=[\"z/z\",\"a/b\",\"e/f\"]"},
       {"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
        "deleted, found new finalizers []string{\"e/f\", \"z/z\"}"}},
      {{},
       {"labels={\"-\":\"\"}", "annotations={\"-\":\"\"}",
        "ownerReferences=[{\"apiVersion\":\"v1\","
        "\"kind\":\"K\",\"name\":\"n\",\"uid\":\"\"}]",
        "finalizers=[\"x\"]"},
       {"metadata.labels: Invalid value: \"-\": " + kNotQualified,
        "metadata.annotations: Invalid value: \"-\": " + kNotQualified,
        "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty",
        "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer name "
        "nor "
        "is it fully qualified"}},
      // A name that was valid once is not looked at again.
      {{"name=\"OLD_NAME\""}, {}, {}},
  };
  for (const Case& c : cases) {
    const std::string before = Edited(kStored, c.before);
    auto old_meta = reflect::FromJson<ObjectMeta>(before);
    auto new_meta = reflect::FromJson<ObjectMeta>(Edited(before, c.change));
    ASSERT_TRUE(old_meta.ok() && new_meta.ok());
    EXPECT_THAT(Texts(ValidateObjectMetaUpdate(*new_meta, *old_meta, field::Path("metadata"))),
                ::testing::ElementsAreArray(c.errors));
  }
}

}  // namespace
}  // namespace podium::api
