// Patches of every form, and what is written through subresources.
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "apiserver/write_support.h"

namespace podium::apiserver {
namespace {

struct WritePatchTest : testing::Test, WriteRig {
  Replied Json(const std::string& target, std::string body) {
    return Send("PATCH", target, std::move(body), "application/json-patch+json");
  }
  Replied Strategic(const std::string& target, std::string body) {
    return Send("PATCH", target, std::move(body), "application/strategic-merge-patch+json");
  }
};

const std::string kServices = "/api/v1/namespaces/a/services";

TEST_F(WritePatchTest, EveryForm) {
  ASSERT_EQ(Post(kPods, PodText("p")).status, 201);
  const Replied json =
      Json(kPods + "/p", R"([{"op":"add","path":"/metadata/labels","value":{"a":"1"}},)"
                         R"({"op":"test","path":"/metadata/labels/a","value":"1"}])");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.At("metadata.labels.a"), "1");
  const Replied merge = Merge(kPods + "/p", R"({"metadata":{"labels":{"a":null,"b":"2"}}})");
  EXPECT_EQ(merge.At("metadata.labels"), R"({"b":"2"})");
  // By the containers' names; a merge patch would have replaced the list.
  const Replied strategic =
      Strategic(kPods + "/p", R"({"spec":{"containers":[{"name":"c","image":"j"}]}})");
  EXPECT_EQ(strategic.status, 200) << strategic.message();
  EXPECT_EQ(strategic.At("spec.containers.0.image"), "j");
  EXPECT_EQ(strategic.At("spec.containers.0.terminationMessagePath"), "/dev/termination-log");
  // What changes nothing is not stored.
  EXPECT_EQ(Merge(kPods + "/p", "{}").At("metadata.resourceVersion"),
            strategic.At("metadata.resourceVersion"));
}

TEST_F(WritePatchTest, Refused) {
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  const std::string path = kMaps + "/m";
  const Replied operations = Json(path, "{}");
  EXPECT_EQ(operations.status, 400);
  EXPECT_EQ(operations.message(),
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  const Replied test = Json(path, R"([{"op":"test","path":"/data/k","value":"x"}])");
  EXPECT_EQ(test.status, 422);
  EXPECT_EQ(test.reason(), "Invalid");
  EXPECT_EQ(Merge(path, "[1").status, 400);
  EXPECT_EQ(Merge(kMaps + "/none", "{}").status, 404);
  const Replied stale = Merge(path, R"({"metadata":{"resourceVersion":"1000"}})");
  EXPECT_EQ(stale.status, 409);
  const Replied forced = Merge(path + "?force=true", "{}");
  EXPECT_EQ(forced.status, 422);
  EXPECT_NE(forced.message().find("may not be specified for non-apply patch"), std::string::npos);
  EXPECT_EQ(Send("PATCH", path, "{}", "application/json").status, 415);
  EXPECT_EQ(Send("PATCH", path, "{}", "text/plain").message(), "415: Unsupported Media Type");
  EXPECT_EQ(Merge(path + "?fieldValidation=Strict", R"({"dta":{}})").status, 422);
  const Replied warned = Merge(path, R"({"dta":{}})");
  EXPECT_EQ(warned.status, 200);
  EXPECT_EQ(warned.warnings, (std::vector<std::string>{"unknown field \"dta\""}));
  // The system's fields are not the client's.
  const Replied system =
      Merge(path, R"({"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"}})");
  EXPECT_GT(system.At("metadata.creationTimestamp"), "2026");
}

// What only a strict reader minds: 422 with the object that a patch leaves, or the strategic patch.
TEST_F(WritePatchTest, StrictPatches) {
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  const std::string path = kMaps + "/m";
  const std::string strict = path + "?fieldValidation=Strict";
  const auto ends = [](const Replied& replied, const std::string& end) {
    EXPECT_EQ(replied.status, 422);
    EXPECT_EQ(replied.reason(), "Invalid");
    EXPECT_TRUE(replied.message().starts_with(" \"\" is invalid: patch: Invalid value: \"{"))
        << replied.message();
    EXPECT_TRUE(replied.message().ends_with("}\": strict decoding error: " + end))
        << replied.message();
  };
  ends(Merge(strict, R"({"data":{"a":"1","a":"2"},"dta":{}})"),
       R"(duplicate field "data.a", unknown field "dta")");
  ends(Json(strict, R"([{"op":"add","op":"add","path":"/data/a","value":"x","vaule":1}])"),
       R"(json patch duplicate field "[0].op", json patch unknown field "[0].vaule")");
  ends(Json(strict, R"([{"op":"add","path":"/dta","value":1}])"), R"(unknown field "dta")");
  EXPECT_EQ(Strategic(strict, R"({"data":{"a":"1","a":"2"},"dta":null,"ab":1})").message(),
            " \"\" is invalid: patch: Invalid value: \"map[ab:1 data:map[a:2] dta:<nil>]\": strict "
            R"(decoding error: duplicate field "data.a", unknown field "ab")");
  const std::string doubled =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: x\n  a: z\n";
  const std::string in_yaml =
      "error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key \"a\" already set in "
      "map";
  const Replied applied = Apply(strict + "&fieldManager=one", doubled);
  EXPECT_EQ(applied.status, 400);
  EXPECT_EQ(applied.message(), "error strict decoding YAML: " + in_yaml);

  EXPECT_EQ(Merge(path, R"({"data":{"a":"1","a":"2"}})").warnings,
            (std::vector<std::string>{R"(duplicate field "data.a")"}));
  EXPECT_EQ(Apply(path + "?fieldManager=one&force=true", doubled).warnings,
            (std::vector<std::string>{in_yaml}));
  EXPECT_TRUE(Merge(path + "?fieldValidation=Ignore", R"({"data":{"a":"3","a":"4"},"dta":1})")
                  .warnings.empty());
  // What no reader takes, whatever is asked for.
  const Replied wrong = Merge(path + "?fieldValidation=Ignore", R"({"data":[1]})");
  EXPECT_EQ(wrong.status, 422);
}

TEST_F(WritePatchTest, StrategicPatchesThatAreWrong) {
  ASSERT_EQ(Post(kServices, R"({"metadata":{"name":"s"},"spec":{"selector":{"a":"b"},)"
                            R"("ports":[{"port":80}]}})")
                .status,
            201);
  const Replied boom =
      Strategic(kServices + "/s", R"({"spec":{"ports":[{"$patch":"boom","port":80}]}})");
  EXPECT_EQ(boom.status, 500);
  EXPECT_EQ(boom.message(), "unknown patch type: boom in map: map[$patch:boom port:80]");
  EXPECT_EQ(Strategic(kServices + "/s", R"({"spec":{"ports":[{"name":"x"}]}})").message(),
            "map: map[name:x] does not contain declared merge key: port");
}

// What is kept can be read, whatever a client calls itself.
TEST_F(WritePatchTest, AManagerThatIsNoText) {
  const std::string path = kMaps + "/m?fieldManager=a%FF%C3b";
  for (const char* value : {"1", "2"}) {
    const Replied applied = Apply(path, MapText("m", value));
    EXPECT_EQ(applied.At("data.k"), value);
    EXPECT_EQ(applied.At("metadata.managedFields.0.manager"), "a\uFFFD\uFFFDb");
    EXPECT_EQ(applied.At("metadata.managedFields.1.manager"), "");
  }
}

TEST_F(WritePatchTest, ServerSideApply) {
  const std::string path = kMaps + "/m";
  const Replied made = Apply(path + "?fieldManager=one", MapText("m", "1"));
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.At("metadata.uid"), "");
  EXPECT_EQ(made.At("metadata.managedFields.0.manager"), "one");
  EXPECT_EQ(made.At("metadata.managedFields.0.operation"), "Apply");
  EXPECT_EQ(Apply(path + "?fieldManager=one", MapText("m", "1")).At("metadata.resourceVersion"),
            made.At("metadata.resourceVersion"));
  const Replied conflict = Apply(path + "?fieldManager=two", MapText("m", "2"));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.message(), "Apply failed with 1 conflict: conflict with \"one\": .data.k");
  EXPECT_EQ(conflict.At("details.causes.0.reason"), "FieldManagerConflict");
  const Replied forced = Apply(path + "?fieldManager=two&force=true", MapText("m", "2"));
  EXPECT_EQ(forced.status, 200);
  EXPECT_EQ(forced.At("data.k"), "2");
  // What its only owner no longer names goes.
  const Replied without =
      Apply(path + "?fieldManager=two",
            R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"}})");
  EXPECT_EQ(without.At("data.k"), "");
  EXPECT_EQ(Apply(path, MapText("m")).message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required "
            "for apply patch");
  EXPECT_EQ(
      Apply(path + "?fieldManager=one", MapText("m", "1", R"(,"managedFields":[{}])")).message(),
      "metadata.managedFields must be nil");
  EXPECT_EQ(Apply(path + "?fieldManager=one", R"({"kind":"Secret","apiVersion":"v1"})").status,
            400);
  EXPECT_EQ(Apply(kMaps + "/dry?dryRun=All&fieldManager=one", MapText("dry")).status, 201);
  EXPECT_EQ(Merge(kMaps + "/dry", "{}").status, 404);
}

// A uid says that it is about an object that is there.
TEST_F(WritePatchTest, AppliesToAnObjectThatIsGone) {
  const Replied refused =
      Apply(kMaps + "/m?fieldManager=one", MapText("m", "1", R"(,"uid":"1234")"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.message(),
            "Operation cannot be fulfilled on configmaps \"m\": uid mismatch: the provided object "
            "specified uid 1234, and no existing object was found");
  EXPECT_EQ(Stored("/registry/configmaps/a/m"), "");
}

TEST_F(WritePatchTest, AppliesThatCreateWarn) {
  const std::string pod = PodText("p", "", R"("nodeSelector":{"beta.kubernetes.io/os":"linux"},)");
  const Replied posted = Post(kPods + "?dryRun=All", pod);
  ASSERT_EQ(posted.status, 201) << posted.message();
  EXPECT_FALSE(posted.warnings.empty());
  const Replied applied = Apply(kPods + "/p?fieldManager=one", pod);
  EXPECT_EQ(applied.status, 201);
  EXPECT_EQ(applied.warnings, posted.warnings);
}

TEST_F(WritePatchTest, Scale) {
  const Replied made = Post(kDeployments, DeploymentText("d", 1));
  const std::string path = kDeployments + "/d/scale";
  const auto scale = [](int replicas, const std::string& more) {
    return R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"d","namespace":"a")" +
           more + R"(},"spec":{"replicas":)" + std::to_string(replicas) + "}}";
  };
  const Replied put = Put(path, scale(4, ""));
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.At("kind"), "Scale");
  EXPECT_EQ(put.At("spec.replicas"), "4");
  EXPECT_EQ(put.At("status.selector"), "a=b");
  const std::string stale = made.At("metadata.resourceVersion");
  EXPECT_EQ(Put(path, scale(5, R"(,"resourceVersion":")" + stale + '"')).status, 409);
  EXPECT_EQ(
      Put(path, scale(5, R"(,"resourceVersion":")" + put.At("metadata.resourceVersion") + '"'))
          .status,
      200);
  EXPECT_EQ(Merge(path, R"({"spec":{"replicas":6}})").At("spec.replicas"), "6");
  EXPECT_EQ(Merge(path, R"({"spec":{"replicas":-1}})").status, 422);
  const Replied now = Merge(kDeployments + "/d", "{}");
  EXPECT_EQ(now.At("spec.replicas"), "6");
  EXPECT_EQ(now.At("metadata.generation"), "4");
}

// Who owns the number is known at both ends: the scale has an owner's entry in its own version, the
// object one in the object's.
TEST_F(WritePatchTest, AppliesToTheScale) {
  const auto config = [](int replicas) {
    return R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"d"},)"
           R"("spec":{"replicas":)" +
           std::to_string(replicas) + "}}";
  };
  const std::string scale = kDeployments + "/d/scale";
  EXPECT_EQ(Apply(scale + "?fieldManager=one", config(1)).status, 404);
  ASSERT_EQ(Post(kDeployments + "?fieldManager=maker", DeploymentText("d", 1)).status, 201);
  const Replied conflict = Apply(scale + "?fieldManager=one", config(4));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.message(),
            "Apply failed with 1 conflict: conflict with \"maker\" using autoscaling/v1: "
            ".spec.replicas");
  const Replied forced = Apply(scale + "?fieldManager=one&force=true", config(4));
  ASSERT_EQ(forced.status, 200) << forced.message();
  EXPECT_EQ(forced.At("kind"), "Scale");
  EXPECT_EQ(forced.At("spec.replicas"), "4");

  const Replied now = Merge(kDeployments + "/d?fieldManager=maker", "{}");
  EXPECT_EQ(now.At("spec.replicas"), "4");
  std::string owners;
  for (const reflect::JsonValue& entry : now.Find("metadata.managedFields")->array()) {
    const std::string fields = reflect::ToText(*entry.Find("fieldsV1"));
    if (!fields.contains("f:replicas")) continue;
    owners += reflect::ToText(*entry.Find("manager")) + reflect::ToText(*entry.Find("operation")) +
              reflect::ToText(*entry.Find("apiVersion")) +
              reflect::ToText(*entry.Find("subresource")) + fields;
  }
  EXPECT_EQ(owners, R"("one""Apply""apps/v1""scale"{"f:spec":{"f:replicas":{}}})");
  // The next one has to take it from there.
  EXPECT_EQ(Apply(scale + "?fieldManager=two", config(5)).message(),
            "Apply failed with 1 conflict: conflict with \"one\" with subresource \"scale\": "
            ".spec.replicas");
  EXPECT_EQ(Apply(scale + "?fieldManager=two", config(4)).status, 200);

  const Replied other =
      Apply(scale + "?fieldManager=one", R"({"kind":"Deployment","apiVersion":"apps/v1"})");
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(Apply(scale + "?fieldManager=one&force=true", config(-1)).status, 422);
  std::string elsewhere = config(4);
  elsewhere.replace(elsewhere.find("\"d\""), 3, "\"e\"");
  EXPECT_EQ(Apply(scale + "?fieldManager=one&force=true", elsewhere).status, 400);
}

// Other writes to the scale own the number in the object's version.
TEST_F(WritePatchTest, ScaleTakesTheNumberFromItsOwner) {
  ASSERT_EQ(Post(kDeployments + "?fieldManager=maker", DeploymentText("d", 1)).status, 201);
  ASSERT_EQ(Merge(kDeployments + "/d/scale?fieldManager=hpa", R"({"spec":{"replicas":6}})").status,
            200);
  const Replied now = Merge(kDeployments + "/d?fieldManager=maker", "{}");
  std::string owners;
  for (const reflect::JsonValue& entry : now.Find("metadata.managedFields")->array()) {
    if (!reflect::ToText(*entry.Find("fieldsV1")).contains("f:replicas")) continue;
    owners += reflect::ToText(*entry.Find("manager")) + reflect::ToText(*entry.Find("subresource"));
  }
  EXPECT_EQ(owners, R"("hpa""scale")");
}

TEST_F(WritePatchTest, Binding) {
  ASSERT_EQ(Post(kPods, PodText("p")).status, 201);
  const std::string body = R"({"kind":"Binding","apiVersion":"v1","metadata":{"name":"p"},)"
                           R"("target":{"kind":"Node","name":"n"}})";
  const Replied bound = Post(kPods + "/p/binding", body);
  EXPECT_EQ(bound.status, 201);
  EXPECT_EQ(bound.At("status"), "Success");
  EXPECT_EQ(Merge(kPods + "/p", "{}").At("spec.nodeName"), "n");
  EXPECT_EQ(Post(kPods + "/p/binding", body).status, 409);
  std::string absent = body;
  absent.replace(absent.find("\"p\""), 3, "\"none\"");
  EXPECT_EQ(Post(kPods + "/none/binding", absent).message(), "pods \"none\" not found");
}

TEST_F(WritePatchTest, EvictionAsksTheBudget) {
  api::policy::v1::PodDisruptionBudget budget;
  budget.metadata.namespace_ = "a";
  budget.metadata.name = "b";
  budget.metadata.generation = 1;
  budget.spec.selector.ensure().matchLabels["a"] = "b";
  budget.status.observedGeneration = 1;
  budget.status.disruptionsAllowed = 1;
  store.Put(budget);
  for (const char* name : {"p", "q"}) {
    ASSERT_EQ(Post(kPods, PodText(name, R"(,"labels":{"a":"b"})", R"("nodeName":"n",)")).status,
              201);
    ASSERT_EQ(Merge(kPods + "/" + name + "/status",
                    R"({"status":{"phase":"Running","conditions":[{"type":"Ready",)"
                    R"("status":"True"}]}})")
                  .status,
              200);
  }
  const auto evict = [&](const std::string& name) {
    return Post(
        kPods + "/" + name + "/eviction",
        R"({"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":")" + name + "\"}}");
  };
  EXPECT_EQ(evict("none").message(), "pods \"none\" not found");
  EXPECT_EQ(evict("p").status, 201);
  EXPECT_NE(Merge(kPods + "/p", "{}").At("metadata.deletionTimestamp"), "");
  const Replied refused = evict("q");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(Merge(kPods + "/q", "{}").At("metadata.deletionTimestamp"), "");
}

TEST_F(WritePatchTest, ReviewsAreAnsweredAndNotStored) {
  const Replied review =
      Post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
           R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})");
  EXPECT_EQ(review.status, 201);
  EXPECT_EQ(review.At("status.allowed"), "true");
  EXPECT_EQ(Post("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}")
                .At("status.userInfo.username"),
            "jane");
  EXPECT_EQ(Post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "{}").status, 422);
}

}  // namespace
}  // namespace podium::apiserver
