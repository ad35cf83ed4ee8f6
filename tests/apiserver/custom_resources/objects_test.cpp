// Objects of custom resources: all verbs, what their schema does to them, and how they are shown.
#include <gtest/gtest.h>

#include <string>

#include "apiserver/custom_resources/custom_support.h"

namespace podium::apiserver {
namespace {

const std::string kOne = kTabs + "/one";

TEST(CustomObjects, UnknownFieldsGo) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const std::string body =
      TabText("one", R"(,"bad":1,"any":{"x":[1]},"template":{"apiVersion":"v1","kind":"Pod",)"
                     R"("metadata":{"name":"p","wrong":1},"spec":{"a":1}})");
  const Replied made = rig.Post(kTabs, body);
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec.bad"), "");
  EXPECT_EQ(made.At("spec.any.x.0"), "1");
  EXPECT_EQ(made.At("spec.template.spec.a"), "1");
  EXPECT_EQ(made.At("spec.template.metadata"), R"({"name":"p"})");
  EXPECT_EQ(made.warnings, std::vector<std::string>{"unknown field \"spec.bad\""});

  const Replied strict = rig.Post(kTabs + "?fieldValidation=Strict", body);
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(strict.message(),
            "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: "
            "unknown field \"spec.bad\"");
  const Replied ignored =
      rig.Post(kTabs + "?fieldValidation=Ignore&dryRun=All", TabText("two", ",\"bad\":1"));
  EXPECT_EQ(ignored.status, 201);
  EXPECT_TRUE(ignored.warnings.empty());
  const Replied twice = rig.Post(kTabs + "?fieldValidation=Strict",
                                 TabText("two", ",\"image\":\"a\",\"image\":\"b\""));
  EXPECT_EQ(twice.status, 400);
  EXPECT_TRUE(twice.message().ends_with("duplicate field \"spec.image\"")) << twice.message();
}

TEST(CustomObjects, TheSchemaIsMet) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const Replied wrong =
      rig.Post(kTabs, TabText("one", R"(,"replicas":20,"hosts":["a","a"],"port":true)"));
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.At("details.causes.0.field"), "spec.port") << wrong.message();
  EXPECT_TRUE(wrong.message().contains(
      "spec.replicas: Invalid value: 20: spec.replicas in body should be less than or equal to 10"))
      << wrong.message();
  EXPECT_TRUE(wrong.message().contains("spec.hosts[1]: Duplicate value: \"a\"")) << wrong.message();
  std::string kind = TabText("one");
  kind.replace(kind.find("\"CronTab\""), 9, "\"Other\"");
  const Replied other = rig.Post(kTabs, kind);
  EXPECT_EQ(other.status, 422);
  EXPECT_TRUE(other.message().contains("kind: Invalid value: \"Other\": must be CronTab"));
  std::string version = TabText("one");
  version.replace(version.find("com/v1"), 6, "com/v2");
  EXPECT_EQ(rig.Post(kTabs, version).message(),
            "the API version in the data (stable.example.com/v2) does not match the expected API "
            "version (stable.example.com/v1)");
  EXPECT_EQ(rig.Post(kTabs, R"({"apiVersion":"stable.example.com/v1"})").status, 400);
  EXPECT_EQ(rig.Send("POST", kTabs, "k8s", "application/vnd.kubernetes.protobuf").status, 415);
  EXPECT_EQ(rig.Post(kTabs, TabText("Upper")).status, 422);
}

TEST(CustomObjects, DefaultsOnWriteAndRead) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const Replied made =
      rig.Post(kTabs, TabText("one", R"(,"image":null,"nothing":null,"ports":[{"name":"a"}])"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec.image"), "nginx");
  EXPECT_EQ(made.At("spec.nothing"), "null");
  EXPECT_EQ(made.At("spec.ports.0.number"), "80");
  // A field of a newer schema, in an object that is older.
  std::string newer = kTabSchema;
  newer.replace(newer.find("\"image\""), 7, R"("color":{"type":"string","default":"red"},"image")");
  newer.replace(newer.find("\"any\""), 5, "\"other\"");
  const std::string patch = R"({"spec":{"versions":[{"name":"v1","served":true,"storage":true,)"
                            R"("schema":{"openAPIV3Schema":)" +
                            newer + "}}]}}";
  ASSERT_EQ(rig.Merge(kDefinitions + "/crontabs.stable.example.com", patch).status, 200);
  EXPECT_EQ(rig.Get(kOne).At("spec.color"), "red");
  EXPECT_EQ(rig.Get(kTabs).At("items.0.spec.color"), "red");
  EXPECT_EQ(rig.Stored("/registry/stable.example.com/crontabs/a/one").find("color"),
            std::string::npos);
}

TEST(CustomObjects, EveryVerb) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const Replied made = rig.Post(kTabs, TabText("one"));
  const std::string version = made.At("metadata.resourceVersion");
  EXPECT_EQ(rig.Post(kTabs, TabText("one")).status, 409);
  EXPECT_EQ(rig.Put(kOne, TabText("one", R"(,"image":"b")")).message(),
            "CronTab.stable.example.com \"one\" is invalid: metadata.resourceVersion: Invalid "
            "value: 0: must be specified for an update");
  std::string next = TabText("one", R"(,"image":"b")");
  next.replace(next.find("\"name\":\"one\""), 12,
               R"("name":"one","resourceVersion":")" + version + "\"");
  const Replied put = rig.Put(kOne, next);
  EXPECT_EQ(put.status, 200) << put.message();
  EXPECT_EQ(put.At("metadata.generation"), "2");
  EXPECT_EQ(rig.Put(kOne, next).status, 409);
  EXPECT_EQ(rig.Put(kTabs + "/none", TabText("none")).status, 404);
  const Replied merged = rig.Merge(kOne, R"({"metadata":{"labels":{"a":"b"}}})");
  EXPECT_EQ(merged.At("metadata.generation"), "2");
  const Replied json =
      rig.Send("PATCH", kOne, R"([{"op":"add","path":"/spec/replicas","value":3}])",
               "application/json-patch+json");
  EXPECT_EQ(json.At("spec.replicas"), "3");
  EXPECT_EQ(json.At("metadata.generation"), "3");
  const Replied strategic = rig.Send("PATCH", kOne, "{}", "application/strategic-merge-patch+json");
  EXPECT_EQ(strategic.status, 415);
  EXPECT_EQ(strategic.message(),
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/apply-patch+yaml");
  EXPECT_EQ(rig.Get(kTabs + "?labelSelector=a%3Db").Find("items")->array().size(), 1U);
  EXPECT_EQ(rig.Get(kTabs).At("kind"), "CronTabList");
  rig.Post(kTabs, TabText("two"));
  const Replied gone = rig.Delete(kOne);
  EXPECT_EQ(gone.At("status"), "Success");
  const Replied all = rig.Delete(kTabs);
  EXPECT_EQ(all.status, 200) << all.message();
  EXPECT_EQ(all.At("kind"), "CronTabList");
  EXPECT_EQ(all.At("items.0.metadata.name"), "two");
  EXPECT_TRUE(rig.Get(kTabs).Find("items")->array().empty());
  // Across all namespaces things are listed, and not made.
  EXPECT_EQ(rig.Get("/apis/stable.example.com/v1/crontabs").status, 200);
  EXPECT_EQ(rig.Post("/apis/stable.example.com/v1/crontabs", TabText("x")).status, 405);
  EXPECT_EQ(rig.Get(kOne + "/status").status, 404);
}

TEST(CustomObjects, ApplyMergesListsByTheirKeys) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const auto apply = [&](const std::string& manager, const std::string& spec) {
    return rig.Apply(kOne + "?fieldManager=" + manager,
                     R"({"apiVersion":"stable.example.com/v1","kind":"CronTab",)"
                     R"("metadata":{"name":"one"},"spec":{)" +
                         spec + "}}");
  };
  const Replied made =
      apply("one", R"("cronSpec":"*","ports":[{"name":"a"}],"hosts":["x"],"image":"i")");
  ASSERT_EQ(made.status, 201) << made.message();
  const Replied both = apply("two", R"("ports":[{"name":"b","number":1}],"hosts":["y"])");
  ASSERT_EQ(both.status, 200) << both.message();
  EXPECT_EQ(both.At("spec.ports"), R"([{"name":"a","number":80},{"name":"b","number":1}])");
  EXPECT_EQ(both.At("spec.hosts"), R"(["x","y"])");
  const Replied conflict = apply("two", R"("image":"other")");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.message(), "Apply failed with 1 conflict: conflict with \"one\": .spec.image");
  const Replied less = apply("one", R"("cronSpec":"*","image":"i")");
  EXPECT_EQ(less.At("spec.ports"), R"([{"name":"b","number":1}])");
}

TEST(CustomObjects, StatusAndSpecAreApart) {
  CustomRig rig;
  rig.Define(TabDefinition(kParts));
  const Replied made = rig.Post(kTabs, TabText("one", "", R"(,"status":{"note":"x"})"));
  EXPECT_EQ(made.Find("status.note"), nullptr);
  const Replied status =
      rig.Merge(kOne + "/status", R"({"metadata":{"labels":{"a":"b"}},"spec":{"image":"z"},)"
                                  R"("status":{"note":"y","replicas":2,"selector":"a=b"}})");
  ASSERT_EQ(status.status, 200) << status.message();
  EXPECT_EQ(status.At("status.note"), "y");
  EXPECT_EQ(status.At("spec.image"), "nginx");
  EXPECT_EQ(status.Find("metadata.labels"), nullptr);
  EXPECT_EQ(status.At("metadata.generation"), "1");
  const Replied spec = rig.Merge(kOne, R"({"spec":{"image":"z"},"status":{"note":"q"}})");
  EXPECT_EQ(spec.At("status.note"), "y");
  EXPECT_EQ(spec.At("metadata.generation"), "2");
  EXPECT_EQ(rig.Merge(kOne + "/status", R"({"status":{"note":5}})").status, 422);
}

TEST(CustomObjects, Scale) {
  CustomRig rig;
  rig.Define(TabDefinition(kParts));
  rig.Post(kTabs, TabText("one"));
  const Replied without = rig.Get(kOne + "/scale");
  EXPECT_EQ(without.status, 500);
  EXPECT_TRUE(
      without.message().contains("the spec replicas field \".spec.replicas\" does not exist"));
  const Replied patched = rig.Merge(kOne + "/scale", R"({"spec":{"replicas":3}})");
  EXPECT_EQ(patched.status, 200) << patched.message();
  EXPECT_EQ(patched.At("kind"), "Scale");
  EXPECT_EQ(patched.At("spec.replicas"), "3");
  rig.Merge(kOne + "/status", R"({"status":{"replicas":2,"selector":"a=b"}})");
  const Replied scale = rig.Get(kOne + "/scale");
  EXPECT_EQ(scale.At("status"), R"({"replicas":2,"selector":"a=b"})");
  const Replied put = rig.Put(kOne + "/scale", R"({"apiVersion":"autoscaling/v1","kind":"Scale",)"
                                               R"("metadata":{"name":"one","namespace":"a"},)"
                                               R"("spec":{"replicas":5}})");
  EXPECT_EQ(put.status, 200) << put.message();
  EXPECT_EQ(rig.Get(kOne).At("spec.replicas"), "5");
  EXPECT_EQ(rig.Merge(kOne + "/scale", R"({"spec":{"replicas":50}})").status, 422);
  EXPECT_EQ(rig.Merge(kOne + "/scale", R"({"spec":{"replicas":-1}})").status, 422);
}

TEST(CustomObjects, AppliesToTheScale) {
  CustomRig rig;
  rig.Define(TabDefinition(kParts));
  rig.Post(kTabs, TabText("one"));
  const auto config = [](const std::string& spec) {
    return R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"one"})" + spec +
           "}";
  };
  const std::string path = kOne + "/scale?fieldManager=";
  // Nobody has said a number yet, and this does not either.
  const Replied none = rig.Apply(path + "a", config(""));
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(none.message(), "the spec replicas field \".spec.replicas\" cannot be empty");
  // What is not there counts as what was there before anybody applied, as upstream has it.
  const Replied first = rig.Apply(path + "a", config(R"(,"spec":{"replicas":3})"));
  EXPECT_EQ(first.status, 409);
  EXPECT_TRUE(first.message().contains("\"before-first-apply\"")) << first.message();
  const Replied applied = rig.Apply(path + "a&force=true", config(R"(,"spec":{"replicas":3})"));
  ASSERT_EQ(applied.status, 200) << applied.message();
  EXPECT_EQ(applied.At("spec.replicas"), "3");
  const Replied now = rig.Get(kOne);
  EXPECT_EQ(now.At("spec.replicas"), "3");
  EXPECT_TRUE(now.At("metadata.managedFields")
                  .contains(R"("manager":"a","operation":"Apply",)"
                            R"("apiVersion":"stable.example.com/v1")"))
      << now.At("metadata.managedFields");
  const Replied conflict = rig.Apply(path + "b", config(R"(,"spec":{"replicas":4})"));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.message(),
            "Apply failed with 1 conflict: conflict with \"a\" with subresource \"scale\": "
            ".spec.replicas");
}

TEST(CustomObjects, TablesHaveTheColumnsOfTheDefinition) {
  CustomRig rig;
  rig.Define(TabDefinition(
      R"(,"additionalPrinterColumns":[{"name":"Spec","type":"string","jsonPath":".spec.cronSpec"},)"
      R"({"name":"Replicas","type":"integer","jsonPath":".spec.replicas","priority":1}])"));
  rig.Post(kTabs, TabText("one", R"(,"replicas":3)"));
  const std::string accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  for (const std::string& path : {kTabs, kOne}) {
    const Replied table = rig.Get(path, accept);
    EXPECT_EQ(table.At("kind"), "Table");
    EXPECT_EQ(table.At("columnDefinitions.1.name"), "Spec");
    EXPECT_EQ(table.At("columnDefinitions.2.priority"), "1");
    EXPECT_EQ(table.At("rows.0.cells"), R"(["one","* *",3])");
    EXPECT_EQ(table.At("rows.0.object.kind"), "PartialObjectMetadata");
  }
}

TEST(CustomObjects, SelectableFields) {
  CustomRig rig;
  rig.Define(TabDefinition(R"(,"selectableFields":[{"jsonPath":".spec.image"}])"));
  rig.Post(kTabs, TabText("one", R"(,"image":"a")"));
  rig.Post(kTabs, TabText("two"));
  const auto names = [&](const std::string& selector) {
    return rig.Get(kTabs + "?fieldSelector=" + selector);
  };
  EXPECT_EQ(names("spec.image%3Da").At("items.0.metadata.name"), "one");
  EXPECT_EQ(names("spec.image!%3Da").At("items.0.metadata.name"), "two");
  const Replied unknown = names("spec.cronSpec%3Da");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.message(),
            "field label not supported for stable.example.com/v1, Kind=CronTab: spec.cronSpec");
}

TEST(CustomObjects, ClusterScope) {
  CustomRig rig;
  std::string text = TabDefinition();
  text.replace(text.find("\"Namespaced\""), 12, "\"Cluster\"");
  rig.Define(text);
  const std::string all = "/apis/stable.example.com/v1/crontabs";
  EXPECT_EQ(rig.Post(all, TabText("one")).status, 201);
  EXPECT_EQ(rig.Get(all + "/one").status, 200);
  EXPECT_EQ(rig.Get(kTabs).status, 404);
}

TEST(CustomObjects, HostilePatternsAndDepth) {
  CustomRig rig;
  std::string text = TabDefinition();
  text.replace(text.find("^[0-9*/ ]+$"), 11, "^(a|a)*(a|a)*(a|a)*$");
  rig.Define(text);
  const std::string many(100'000, 'a');
  std::string body = TabText("one");
  body.replace(body.find("* *"), 3, many + "b");
  EXPECT_EQ(rig.Post(kTabs, body).status, 422);
  std::string deep =
      TabText("two", R"(,"any":{"x":)" + std::string(3000, '[') + std::string(3000, ']') + "}");
  EXPECT_EQ(rig.Post(kTabs, deep).status, 400);
  EXPECT_EQ(rig.Post(kTabs, TabText("two", R"(,"any":{"x":1e999})")).status, 400);
}

}  // namespace
}  // namespace podium::apiserver
