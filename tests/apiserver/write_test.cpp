// Creations and updates of whole objects.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "api/types/core_v1.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/first_objects.h"
#include "apiserver/write_support.h"
#include "reflect/protobuf.h"

namespace podium::apiserver {
namespace {

struct WriteTest : testing::Test, WriteRig {};

TEST_F(WriteTest, CreationSetsWhatIsTheSystems) {
  const Replied made =
      Post(kMaps, MapText("m", "v",
                          R"(,"uid":"mine","selfLink":"/x","creationTimestamp":)"
                          R"("2001-01-01T00:00:00Z","deletionTimestamp":"2001-01-01T00:00:00Z",)"
                          R"("deletionGracePeriodSeconds":7)"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.At("metadata.namespace"), "a");
  EXPECT_EQ(made.At("metadata.uid").size(), 36U);
  EXPECT_GT(made.At("metadata.creationTimestamp"), "2026");
  EXPECT_NE(made.At("metadata.resourceVersion"), "");
  EXPECT_EQ(made.At("metadata.deletionTimestamp"), "");
  EXPECT_EQ(made.At("metadata.deletionGracePeriodSeconds"), "");
  EXPECT_EQ(made.At("metadata.selfLink"), "");
  EXPECT_EQ(made.At("metadata.managedFields.0.manager"), "test");
  EXPECT_EQ(made.At("metadata.managedFields.0.operation"), "Update");
  EXPECT_EQ(made.At("metadata.managedFields.0.apiVersion"), "v1");
  // What is stored has no resourceVersion: the store's is the truth.
  EXPECT_EQ(Stored("/registry/configmaps/a/m").find("resourceVersion"), std::string::npos);
  const std::vector<std::string> seen = {"admit CREATE configmaps/m",
                                         "validate CREATE configmaps/m"};
  EXPECT_EQ(plugin->seen, seen);
}

TEST_F(WriteTest, CreationIsRefused) {
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  const Replied taken = Post(kMaps, MapText("m"));
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.reason(), "AlreadyExists");
  EXPECT_EQ(taken.message(), "configmaps \"m\" already exists");
  const Replied versioned = Post(kMaps, MapText("n", "v", R"(,"resourceVersion":"1")"));
  EXPECT_EQ(versioned.status, 500);
  EXPECT_EQ(versioned.message(), "resourceVersion should not be set on objects to be created");
  const Replied elsewhere = Post(kMaps, MapText("n", "v", R"(,"namespace":"zz")"));
  EXPECT_EQ(elsewhere.status, 400);
  EXPECT_EQ(elsewhere.message(),
            "the namespace of the provided object does not match the namespace sent on the "
            "request");
  const Replied secret = Post(kMaps, R"({"kind":"Secret","apiVersion":"v1","metadata":{}})");
  EXPECT_EQ(secret.message(),
            "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to "
            "(core.ConfigMap): unknown conversion");
  const Replied nameless = Post(kMaps, R"({"data":{}})");
  EXPECT_EQ(nameless.status, 422);
  EXPECT_EQ(nameless.reason(), "Invalid");
  EXPECT_EQ(Post(kMaps, "[1").status, 400);
  EXPECT_EQ(Post(kMaps + "?dryRun=Some", MapText("n")).message(),
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: "
            "[]string{\"Some\"}: supported values: \"All\"");
}

TEST_F(WriteTest, ABodyOfNullIsAnObjectThatSaysNothing) {
  const Replied json = Post(kMaps, " null\n");
  EXPECT_EQ(json.status, 422);
  EXPECT_EQ(json.message(),
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
            "required");
  EXPECT_EQ(Send("POST", kMaps, "null", "application/yaml").status, 422);
  EXPECT_EQ(Post(kMaps, "").status, 400);
  EXPECT_EQ(Post(kMaps, "[]").status, 400);
}

// CVE-2019-11253. In every format and every way to write.
TEST_F(WriteTest, YamlAndJsonBombs) {
  constexpr std::string_view kYaml = "application/yaml";
  std::string aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j) aliases += "," + before;
    aliases += "]\n";
  }
  const std::string head = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"x":)";
  const std::string deep = head + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  const std::string digits(size_t{3} << 20, '9');
  const std::string pods = "/api/v1/namespaces/a/pods";
  const auto begin = std::chrono::steady_clock::now();
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB
  };
  const auto before = peak();
  const auto refused = [&](const Replied& replied, std::string_view what) {
    EXPECT_GE(replied.status, 400) << what;
    EXPECT_LT(replied.status, 500) << what;
    // It may say what it was sent, as Go does, and no more than that.
    EXPECT_LT(replied.message().size(), size_t{4} << 20) << what;
  };

  refused(Send("POST", kMaps, aliases, std::string(kYaml)), "aliases");
  refused(Send("PATCH", kMaps + "/m?fieldManager=x", aliases, "application/apply-patch+yaml"),
          "aliases that are applied");
  refused(Post(kMaps, deep), "depth");
  refused(Send("POST", kMaps, deep, std::string(kYaml)), "depth in YAML");
  refused(Post(pods, R"({"metadata":{"name":"p"},"spec":{"priority":)" + digits + "}}"), "number");
  refused(Post(kMaps + "?fieldValidation=Strict",
               R"({"metadata":{"name":"m"},"data":{"a":"1","a":"2"}})"),
          "a key that comes twice");

  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  refused(Merge(kMaps + "/m", deep), "depth in a merge patch");
  refused(Send("PATCH", kMaps + "/m", deep, "application/strategic-merge-patch+json"),
          "depth in a strategic merge patch");
  refused(Send("PATCH", kMaps + "/m",
               R"([{"op":"add","path":"/data/x","value":)" + std::string(10'000, '[') +
                   std::string(10'000, ']') + "}]",
               "application/json-patch+json"),
          "depth in a JSON patch");
  std::string doubling = R"([{"op":"add","path":"/data/a","value":"xxxxxxxx"})";
  for (int i = 0; i < 40; ++i) {
    doubling += R"(,{"op":"copy","from":"/data","path":"/data/b)" + std::to_string(i) + "\"}";
  }
  refused(Send("PATCH", kMaps + "/m", doubling + "]", "application/json-patch+json"),
          "copies of copies");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  // Sanitizers keep what is freed for a while: 256 MiB.
  EXPECT_LT(peak() - before, 512 << 10);
}

TEST_F(WriteTest, GeneratedNames) {
  const std::string body = R"({"metadata":{"generateName":"m-"}})";
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) {
    const Replied made = Post(kMaps, body);
    EXPECT_EQ(made.status, 201);
    const std::string name = made.At("metadata.name");
    EXPECT_TRUE(name.starts_with("m-") && name.size() == 7) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 20U);
  // A name that is given wins.
  EXPECT_EQ(Post(kMaps, R"({"metadata":{"name":"x","generateName":"m-"}})").At("metadata.name"),
            "x");
}

// Whatever name is generated, somebody else is faster: eight names are tried.
TEST_F(WriteTest, GeneratedNamesThatAreTaken) {
  std::atomic<int> tries = 0;
  plugin->meanwhile = [&](const AdmissionRequest& request) -> Result<void> {
    ++tries;
    api::core::v1::ConfigMap other;
    other.metadata.namespace_ = "a";
    other.metadata.name = std::string(request.name);
    store.Put(other);
    return {};
  };
  const Replied refused = Post(kMaps, R"({"metadata":{"generateName":"m-"}})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.reason(), "AlreadyExists");
  EXPECT_EQ(tries, 8);
}

TEST_F(WriteTest, BodiesOfEveryFormat) {
  const Replied yaml =
      Send("POST", kMaps, "metadata:\n  name: yaml\ndata:\n  k: \"1\"\n", "application/yaml");
  EXPECT_EQ(yaml.status, 201) << yaml.message();
  EXPECT_EQ(yaml.At("data.k"), "1");
  api::core::v1::ConfigMap map;
  map.kind = "ConfigMap";
  map.apiVersion = "v1";
  map.metadata.name = "p";
  map.data["k"] = "2";
  std::string bytes;
  ASSERT_TRUE(
      reflect::EncodeEnveloped(reflect::TypeOf<api::core::v1::ConfigMap>(), &map, &bytes).ok());
  const Replied protobuf =
      Send("POST", kMaps, std::move(bytes), "application/vnd.kubernetes.protobuf");
  EXPECT_EQ(protobuf.status, 201);
  EXPECT_EQ(protobuf.At("data.k"), "2");
  const Replied text = Send("POST", kMaps, "x", "text/plain");
  EXPECT_EQ(text.status, 415);
  EXPECT_EQ(text.message(),
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

TEST_F(WriteTest, FieldValidation) {
  const std::string body = R"({"metadata":{"name":"NAME"},"dta":{},"data":{"k":"1","k":"2"}})";
  const auto named = [&](const std::string& name) {
    std::string text = body;
    return text.replace(text.find("NAME"), 4, name);
  };
  const Replied warned = Post(kMaps, named("w"));
  EXPECT_EQ(warned.status, 201);
  EXPECT_EQ(warned.warnings,
            (std::vector<std::string>{"unknown field \"dta\"", "duplicate field \"data.k\""}));
  const Replied ignored = Post(kMaps + "?fieldValidation=Ignore", named("i"));
  EXPECT_EQ(ignored.status, 201);
  EXPECT_TRUE(ignored.warnings.empty());
  const Replied strict = Post(kMaps + "?fieldValidation=Strict", named("s"));
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(strict.message(),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
            "unknown field \"dta\", duplicate field \"data.k\"");
  EXPECT_EQ(Post(kMaps + "?fieldValidation=Maybe", named("m")).status, 422);
}

TEST_F(WriteTest, DryRunStoresNothing) {
  const Replied made = Post(kMaps + "?dryRun=All", MapText("m"));
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.At("metadata.uid"), "");
  EXPECT_EQ(made.At("metadata.resourceVersion"), "");
  EXPECT_EQ(Stored("/registry/configmaps/a/m"), "");
  ASSERT_EQ(plugin->seen.size(), 2U);
  EXPECT_EQ(plugin->seen[1], "validate CREATE configmaps/m dry");
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  EXPECT_EQ(Post(kMaps + "?dryRun=All", MapText("m")).status, 409);
  const std::string before = Stored("/registry/configmaps/a/m");
  EXPECT_EQ(Put(kMaps + "/m?dryRun=All", MapText("m", "w")).At("data.k"), "w");
  EXPECT_EQ(Stored("/registry/configmaps/a/m"), before);
}

TEST_F(WriteTest, Updates) {
  const Replied made = Post(kMaps, MapText("m"));
  const std::string first = made.At("metadata.resourceVersion");
  const auto at = [](const std::string& version) {
    return R"(,"resourceVersion":")" + version + '"';
  };
  const Replied changed = Put(kMaps + "/m", MapText("m", "w", at(first)));
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.At("data.k"), "w");
  EXPECT_EQ(changed.At("metadata.uid"), made.At("metadata.uid"));
  EXPECT_EQ(changed.At("metadata.creationTimestamp"), made.At("metadata.creationTimestamp"));
  EXPECT_NE(changed.At("metadata.resourceVersion"), first);
  const Replied stale = Put(kMaps + "/m", MapText("m", "x", at(first)));
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.message(),
            "Operation cannot be fulfilled on configmaps \"m\": the object has been modified; "
            "please apply your changes to the latest version and try again");
  // Without a version it is taken as it is, and what changes nothing is not stored.
  const Replied blind = Put(kMaps + "/m", MapText("m", "y"));
  EXPECT_EQ(blind.status, 200);
  const Replied same = Put(kMaps + "/m", MapText("m", "y"));
  EXPECT_EQ(same.At("metadata.resourceVersion"), blind.At("metadata.resourceVersion"));
  const Replied another = Put(kMaps + "/m", MapText("m", "y", R"(,"uid":"x")"));
  EXPECT_EQ(another.status, 409);
  const Replied nothing = Put(kMaps + "/none", MapText("none"));
  EXPECT_EQ(nothing.status, 404);
}

TEST_F(WriteTest, WhatASecretSaysInTextIsData) {
  const std::string secrets = "/api/v1/namespaces/a/secrets";
  const auto text = [](const std::string& more) {
    return R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},)" + more + "}";
  };
  const Replied made =
      Post(secrets, text(R"("data":{"a":"YQ==","b":"Yg=="},"stringData":{"b":"new","c":"c"})"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.At("data.a"), "YQ==");
  EXPECT_EQ(made.At("data.b"), "bmV3");
  EXPECT_EQ(made.At("data.c"), "Yw==");
  EXPECT_EQ(made.body.Find("stringData"), nullptr);
  const Replied put = Put(secrets + "/s", text(R"("stringData":{"d":"d"})"));
  EXPECT_EQ(put.At("data.d"), "ZA==");
  for (const char* type :
       {"application/merge-patch+json", "application/strategic-merge-patch+json"}) {
    const Replied patched = Send("PATCH", secrets + "/s", R"({"stringData":{"d":"e"}})", type);
    EXPECT_EQ(patched.At("data.d"), "ZQ==") << type;
    EXPECT_EQ(patched.body.Find("stringData"), nullptr) << type;
  }
}

TEST_F(WriteTest, FieldsForOneFactAreKeptTogether) {
  const auto node = [&](const std::string& name, const std::string& spec) {
    return Post("/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name +
                                     R"("},"spec":{)" + spec + "}}");
  };
  const auto ranges = [](const Replied& replied) {
    const reflect::JsonValue* found = replied.body.Find("spec")->Find("podCIDRs");
    return found ? reflect::ToText(*found) : "";
  };
  EXPECT_EQ(ranges(node("a", R"("podCIDR":"10.1.0.0/24")")), R"(["10.1.0.0/24"])");
  EXPECT_EQ(node("b", R"("podCIDRs":["10.2.0.0/24","fd00::/64"])").At("spec.podCIDR"),
            "10.2.0.0/24");
  // What old clients know counts.
  const Replied both = node("c", R"("podCIDR":"10.3.0.0/24","podCIDRs":["10.4.0.0/24"])");
  EXPECT_EQ(both.At("spec.podCIDR"), "10.3.0.0/24");
  EXPECT_EQ(ranges(both), R"(["10.3.0.0/24"])");
  EXPECT_EQ(ranges(node("d", "")), "");
}

// What upstream's conversions drop or fill in when they read.
TEST_F(WriteTest, WhatIsReadIsCompleted) {
  const std::string old =
      R"("annotations":{"pod.beta.kubernetes.io/init-containers":"[]","a":"b"})";
  const Replied pod = Post(kPods, PodText("p", "," + old));
  EXPECT_EQ(pod.At("metadata.annotations"), R"({"a":"b"})");

  const Replied set =
      Post("/apis/apps/v1/namespaces/a/statefulsets",
           R"({"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"s"},"spec":{
        "serviceName":"s","selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{
        "labels":{"a":"b"},)" +
               old + R"(},"spec":{"containers":[{"name":"c","image":"i"}]}},
        "volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],
        "resources":{"requests":{"storage":"1Gi"}}}}]}})");
  EXPECT_EQ(set.status, 201) << set.message();
  EXPECT_EQ(set.At("spec.template.metadata.annotations"), R"({"a":"b"})");
  EXPECT_EQ(set.At("spec.volumeClaimTemplates.0.apiVersion"), "v1");
  EXPECT_EQ(set.At("spec.volumeClaimTemplates.0.kind"), "PersistentVolumeClaim");

  const Replied budget = Post(
      "/apis/policy/v1/namespaces/a/poddisruptionbudgets",
      R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},"spec":{
        "selector":{"matchLabels":{"a":"b"},"matchExpressions":[{"operator":"Exists",
        "key":"pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"}]}}})");
  EXPECT_EQ(budget.At("spec.selector"), R"({"matchLabels":{"a":"b"}})");

  const Replied autoscaler = Post(
      "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers",
      R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h",
        "annotations":{"autoscaling.alpha.kubernetes.io/behavior":"{}","a":"b"}},"spec":{
        "maxReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}}})");
  EXPECT_EQ(autoscaler.At("metadata.annotations"), R"({"a":"b"})");
}

TEST_F(WriteTest, LimitRangesNameThemselves) {
  const std::string ranges = "/api/v1/namespaces/a/limitranges";
  const std::string text = R"({"apiVersion":"v1","kind":"LimitRange","metadata":{)";
  const Replied made = Post(ranges, text + "}}");
  EXPECT_EQ(made.status, 201) << made.message();
  const std::string name = made.At("metadata.name");
  EXPECT_EQ(name.size(), 36U);
  EXPECT_EQ(Send("PUT", ranges + "/" + name, text + R"("name":")" + name + R"("}})").status, 200);
  EXPECT_TRUE(
      Post(ranges, text + R"("generateName":"r-"}})").At("metadata.name").starts_with("r-"));
}

// Through v1 nobody writes the topology of v1beta1; who changes a slice that has it loses none of
// what v1 has a field for.
TEST_F(WriteTest, TopologyIsOfOldSlicesOnly) {
  const std::string slices = "/namespaces/a/endpointslices";
  const auto text = [](const std::string& version, const std::string& endpoint) {
    return R"({"apiVersion":"discovery.k8s.io/)" + version +
           R"(","kind":"EndpointSlice","metadata":{"name":"s"},"addressType":"IPv4",)"
           R"("endpoints":[{"addresses":["1.2.3.4"])" +
           endpoint + "}]}";
  };
  const std::string v1 = "/apis/discovery.k8s.io/v1" + slices;
  const Replied made =
      Post(v1, text("v1", R"(,"deprecatedTopology":{"x":"y","kubernetes.io/hostname":"n"})"));
  EXPECT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.Find("endpoints.0.deprecatedTopology"), nullptr);
  EXPECT_EQ(made.Find("endpoints.0.nodeName"), nullptr);
  const Replied labelled = Merge(v1 + "/s", R"({"metadata":{"labels":{"a":"b"}}})");
  EXPECT_EQ(labelled.At("metadata.generation"), "2");
  EXPECT_EQ(Merge(v1 + "/s", R"({"metadata":{"annotations":{"a":"b"}}})").At("metadata.generation"),
            "2");
  const Replied old = Put("/apis/discovery.k8s.io/v1beta1" + slices + "/s",
                          text("v1beta1", R"(,"topology":{"x":"y"})"));
  EXPECT_EQ(old.At("endpoints.0.topology"), R"({"x":"y"})") << old.message();
  EXPECT_EQ(
      Merge(v1 + "/s", R"({"metadata":{"labels":{"c":"d"}}})").At("endpoints.0.deprecatedTopology"),
      R"({"x":"y"})");
  const Replied changed = Put(v1 + "/s", text("v1", R"(,"hostname":"h")"));
  EXPECT_EQ(changed.Find("endpoints.0.deprecatedTopology"), nullptr);
}

// Where the metadata is the old object's, so is whether it is being deleted.
TEST_F(WriteTest, StatusesDoNotBeginADeletion) {
  Post(kPods, PodText("p"));
  const std::string deleted = R"({"metadata":{"deletionTimestamp":"2020-01-01T00:00:00Z"}})";
  const Replied status = Merge(kPods + "/p/status", deleted);
  EXPECT_EQ(status.status, 200) << status.message();
  EXPECT_EQ(status.Find("metadata.deletionTimestamp"), nullptr);
  EXPECT_EQ(Merge(kPods + "/p/resize", deleted).status, 200);
  EXPECT_EQ(Merge(kPods + "/p", deleted).status, 422);
}

TEST_F(WriteTest, UpdatesOfAnotherName) {
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  // The body is looked at before the store is, as upstream.
  for (const char* path : {"/m", "/none"}) {
    const Replied refused = Put(kMaps + path, MapText("other"));
    EXPECT_EQ(refused.status, 400) << path;
    EXPECT_EQ(refused.message(),
              "the name of the object (other) does not match the name on the "
              "URL (" +
                  std::string(path + 1) + ")");
  }
  const Replied nameless = Put(kMaps + "/m", R"({"data":{"k":"w"}})");
  EXPECT_EQ(nameless.status, 400);
  EXPECT_EQ(nameless.message(),
            "the name of the object (m based on URL) was undeterminable: name must be provided");
  EXPECT_EQ(Put(kMaps + "/m", MapText("m", "v", R"(,"namespace":"b")")).status, 400);
  EXPECT_EQ(Merge(kMaps + "/m", R"({"metadata":{"name":"other"}})").message(),
            "the name of the object (other) does not match the name on the URL (m)");
}

TEST_F(WriteTest, PutCreatesWhereTheKindAllowsIt) {
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/a/leases";
  const Replied made = Put(leases + "/l", R"({"metadata":{"name":"l"},"spec":{}})");
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.At("metadata.uid"), "");
  EXPECT_EQ(plugin->seen.front(), "admit CREATE leases/l");
  // Leases are updated under a version only.
  const Replied blind = Put(leases + "/l", R"({"metadata":{"name":"l"},"spec":{}})");
  EXPECT_EQ(blind.status, 422);
  EXPECT_NE(blind.message().find("metadata.resourceVersion: Invalid value"), std::string::npos);
}

TEST_F(WriteTest, GenerationCountsTheSpec) {
  ASSERT_EQ(Post(kDeployments, DeploymentText("d", 1)).At("metadata.generation"), "1");
  EXPECT_EQ(Put(kDeployments + "/d", DeploymentText("d", 2)).At("metadata.generation"), "2");
  EXPECT_EQ(
      Merge(kDeployments + "/d", R"({"metadata":{"labels":{"a":"b"}}})").At("metadata.generation"),
      "2");
}

TEST_F(WriteTest, StatusAndSpecAreApart) {
  ASSERT_EQ(Post(kDeployments, DeploymentText("d", 1)).status, 201);
  const Replied status =
      Merge(kDeployments + "/d/status", R"({"spec":{"replicas":9},"status":{"replicas":3}})");
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(status.At("spec.replicas"), "1");
  EXPECT_EQ(status.At("status.replicas"), "3");
  EXPECT_EQ(status.At("metadata.generation"), "1");
  const Replied spec = Merge(kDeployments + "/d", R"({"spec":{"replicas":9},"status":null})");
  EXPECT_EQ(spec.At("spec.replicas"), "9");
  EXPECT_EQ(spec.At("status.replicas"), "3");
  const std::string fields = spec.At("metadata.managedFields");
  EXPECT_NE(fields.find(R"("subresource":"status")"), std::string::npos) << fields;
}

TEST_F(WriteTest, RacesOfPutsThatAreRepeated) {
  ASSERT_EQ(Post(kMaps, MapText("m", "0")).status, 201);
  constexpr int kWriters = 50;
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&] {
      for (int attempt = 0; attempt < 1000; ++attempt) {
        const Replied now = Merge(kMaps + "/m", "{}");
        const int next = std::stoi(now.At("data.k")) + 1;
        const Replied put =
            Put(kMaps + "/m",
                MapText("m", std::to_string(next),
                        R"(,"resourceVersion":")" + now.At("metadata.resourceVersion") + '"'));
        if (put.status == 200) {
          ++done;
          return;
        }
        ASSERT_EQ(put.status, 409);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, kWriters);
  EXPECT_EQ(Merge(kMaps + "/m", "{}").At("data.k"), std::to_string(kWriters));
}

TEST_F(WriteTest, RacesOfPatchesLoseNone) {
  ASSERT_EQ(Post(kMaps, MapText("m", "0")).status, 201);
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([this, i] {
      const std::string key = "k" + std::to_string(i);
      EXPECT_EQ(Merge(kMaps + "/m", R"({"data":{")" + key + R"(":"x"}})").status, 200);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Merge(kMaps + "/m", "{}").Find("data")->object().size(), 21U);
}

TEST_F(WriteTest, PrivilegeEscalationByRbac) {
  RbacAuthorizer rbac(store.memory);
  const EscalationCheck check(rbac, rbac);
  escalation = &check;
  writer = std::make_unique<Writer>(WriterParts());
  const std::string roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles";
  const std::string role = R"({"metadata":{"name":"r"},"rules":[{"verbs":["get"],"apiGroups":[""],)"
                           R"("resources":["secrets"]}]})";
  const Replied refused = Post(roles, role);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.message().find("is attempting to grant RBAC permissions not currently held"),
            std::string::npos);
  EXPECT_EQ(Send("PATCH", roles + "/r?fieldManager=m",
                 R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role",)" + role.substr(1),
                 "application/apply-patch+yaml")
                .status,
            403);
  EXPECT_EQ(Stored("/registry/roles/a/r"), "");
  user.groups = {"system:masters"};
  EXPECT_EQ(Post(roles, R"({"metadata":{"name":"r"},"rules":[]})").status, 201);
  user.groups = {"system:authenticated"};
  EXPECT_EQ(Put(roles + "/r", role).status, 403);
}

TEST_F(WriteTest, FirstObjectsAreWrittenOnce) {
  const api::Time now = api::Time::FromUnix(1'795'348'800);
  ASSERT_TRUE(WriteFirstObjects(store.objects, now).ok());
  const auto first = store.memory.Range({.keys = store::KeyRange::Prefix("/registry/")});
  ASSERT_TRUE(first.ok());
  EXPECT_NE(Stored("/registry/namespaces/kube-node-lease"), "");
  EXPECT_NE(Stored("/registry/clusterroles/cluster-admin"), "");
  ASSERT_TRUE(WriteFirstObjects(store.objects, api::Time::FromUnix(1'795'348'900)).ok());
  const auto second = store.memory.Range({.keys = store::KeyRange::Prefix("/registry/")});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->revision, second->revision);
}

}  // namespace
}  // namespace podium::apiserver
