// What follows a CustomResourceDefinition: its status, what is served, and how it goes.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "apiserver/custom_resources/custom_support.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/discovery/discovery.h"
#include "apiserver/discovery/documents.h"
#include "apiserver/watch.h"

namespace podium::apiserver {
namespace {

const std::string kTabs1 = kDefinitions + "/crontabs.stable.example.com";

TEST(Definitions, IsServedByTheNextRequest) {
  CustomRig rig;
  EXPECT_EQ(rig.Get(kTabs).status, 404);
  rig.Define(TabDefinition());
  EXPECT_EQ(rig.Get(kTabs).status, 200);
  EXPECT_EQ(rig.Post(kTabs, TabText("one")).status, 201);
  const Replied one = rig.Get(kTabs + "/one");
  EXPECT_EQ(one.At("spec.image"), "nginx");
  EXPECT_EQ(one.At("metadata.generation"), "1");
  EXPECT_EQ(one.At("metadata.managedFields.0.manager"), "test");
}

TEST(Definitions, StatusSaysWhatWasDone) {
  CustomRig rig;
  rig.Define(TabDefinition("", R"(,"shortNames":["ct"],"categories":["all"])"));
  const Replied definition = rig.Get(kTabs1);
  EXPECT_EQ(ConditionIn(definition, "NamesAccepted"), "True NoConflicts no conflicts found");
  EXPECT_EQ(ConditionIn(definition, "Established"),
            "True InitialNamesAccepted the initial names have been accepted");
  EXPECT_EQ(ConditionIn(definition, "NonStructuralSchema"), "");
  EXPECT_EQ(definition.At("status.acceptedNames.plural"), "crontabs");
  EXPECT_EQ(definition.At("status.acceptedNames.singular"), "crontab");
  EXPECT_EQ(definition.At("status.acceptedNames.listKind"), "CronTabList");
  EXPECT_EQ(definition.At("status.acceptedNames.shortNames.0"), "ct");
  EXPECT_EQ(definition.At("status.storedVersions.0"), "v1");
  const CatalogPtr catalog = rig.catalog.Now();
  const ServedResource* served = catalog->Find("stable.example.com", "v1", "crontabs");
  ASSERT_NE(served, nullptr);
  EXPECT_EQ(served->short_names, std::vector<std::string>{"ct"});
  EXPECT_EQ(served->categories, std::vector<std::string>{"all"});
}

TEST(Definitions, WhoHasANameKeepsIt) {
  CustomRig rig;
  rig.Define(TabDefinition("", R"(,"shortNames":["ct"])"));
  std::string other = TabDefinition("", R"(,"shortNames":["ct"],"singular":"thing")");
  for (size_t at; (at = other.find("crontabs")) != std::string::npos;) {
    other.replace(at, 8, "things");
  }
  rig.Define(other);
  const std::string path = kDefinitions + "/things.stable.example.com";
  const Replied refused = rig.Get(path);
  EXPECT_EQ(ConditionIn(refused, "NamesAccepted"),
            "False ListKindConflict \"CronTabList\" is already in use");
  EXPECT_EQ(ConditionIn(refused, "Established"), "False NotAccepted not all names are accepted");
  EXPECT_EQ(rig.Get("/apis/stable.example.com/v1/namespaces/a/things").status, 404);
  // The names are free again once their owner is gone.
  EXPECT_EQ(rig.Delete(kTabs1).status, 200);
  rig.WaitFor(kTabs1, 404);
  ASSERT_TRUE(rig.followed->CatchUp().ok());
  EXPECT_EQ(ConditionIn(rig.Get(path), "NamesAccepted"), "True NoConflicts no conflicts found");
  EXPECT_EQ(rig.Get("/apis/stable.example.com/v1/namespaces/a/things").status, 200);
}

TEST(Definitions, TellsOfApprovalInGroupsOfTheProject) {
  CustomRig rig;
  std::string text = TabDefinition();
  for (size_t at; (at = text.find("stable.example.com")) != std::string::npos;) {
    text.replace(at, 18, "x.k8s.io");
  }
  EXPECT_EQ(rig.Post(kDefinitions, text).status, 422);
  const std::string with =
      "\"metadata\":{\"annotations\":{\"api-approved.kubernetes.io\":"
      "\"unapproved, experimental\"},";
  text.replace(text.find("\"metadata\":{"), 12, with);
  rig.Define(text);
  EXPECT_EQ(ConditionIn(rig.Get(kDefinitions + "/crontabs.x.k8s.io"),
                        "KubernetesAPIApprovalPolicyConformant"),
            "False UnapprovedAnnotation not approved: \"unapproved, experimental\"");
}

TEST(Definitions, AChangeChangesWhatIsServed) {
  CustomRig rig;
  rig.Define(TabDefinition());
  EXPECT_EQ(rig.Post(kTabs, TabText("one", R"(,"replicas":20)")).status, 422);
  EXPECT_EQ(rig.Merge(kTabs1, R"({"spec":{"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})")
                .status,
            200);
  EXPECT_EQ(rig.Post(kTabs, TabText("one", R"(,"replicas":20)")).status, 201);
  // Not served any more.
  const Replied changed = rig.Merge(kTabs1, R"({"spec":{"versions":[
      {"name":"v1","served":false,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}},
      {"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
  EXPECT_EQ(changed.status, 200) << changed.message();
  EXPECT_EQ(rig.Get(kTabs).status, 404);
  EXPECT_EQ(rig.Get("/apis/stable.example.com/v2/crontabs").At("items.0.apiVersion"),
            "stable.example.com/v2");
  EXPECT_EQ(rig.Get(kTabs1).At("status.storedVersions"), R"(["v1","v2"])");
}

TEST(Definitions, InstancesGoBeforeTheirDefinition) {
  CustomRig rig;
  rig.Define(TabDefinition());
  rig.Post(kTabs, TabText("one"));
  std::string held = TabText("two");
  held.replace(held.find("\"name\":\"two\""), 12,
               R"("name":"two","finalizers":["example.com/hold"])");
  ASSERT_EQ(rig.Post(kTabs, held).status, 201);
  const Replied deleted = rig.Delete(kTabs1);
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.At("metadata.finalizers.0"), "customresourcecleanup.apiextensions.k8s.io");
  EXPECT_EQ(ConditionIn(deleted, "Terminating"),
            "True InstanceDeletionPending CustomResourceDefinition marked for deletion; "
            "CustomResource deletion will begin soon");
  rig.WaitFor(kTabs + "/one", 404);
  // Served while something is left, and nothing new comes.
  const Replied refused = rig.Post(kTabs, TabText("three"));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.message(),
            "create not allowed while custom resource definition is terminating");
  for (int i = 0; i < 500 && rig.Get(kTabs + "/two").At("metadata.deletionTimestamp").empty();
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(rig.Get(kTabs + "/two").At("metadata.deletionTimestamp"), "");
  EXPECT_EQ(ConditionIn(rig.Get(kTabs1), "Terminating"),
            "True InstanceDeletionInProgress CustomResource deletion is in progress");
  // A restart goes on with it.
  rig.Restart();
  EXPECT_EQ(rig.Merge(kTabs + "/two", R"({"metadata":{"finalizers":null}})").status, 200);
  rig.WaitFor(kTabs1, 404);
  ASSERT_TRUE(rig.followed->CatchUp().ok());
  EXPECT_EQ(rig.Get(kTabs).status, 404);
}

TEST(Definitions, SurviveARestart) {
  CustomRig rig;
  rig.Define(TabDefinition());
  rig.Post(kTabs, TabText("one"));
  rig.Restart();
  EXPECT_EQ(rig.Get(kTabs + "/one").status, 200);
}

// A definition called as a resource of the server must neither hide nor delete that.
TEST(Definitions, BuiltInResourcesAreNotTakenOver) {
  CustomRig rig;
  std::string text = TabDefinition();
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  };
  replace("stable.example.com", "apiextensions.k8s.io");
  replace("crontabs", "customresourcedefinitions");
  replace("\"name\":\"v1\"", "\"name\":\"v7\"");
  replace("\"metadata\":{",
          "\"metadata\":{\"annotations\":{\"api-approved.kubernetes.io\":"
          "\"unapproved\"},");
  rig.Define(text);
  rig.Define(TabDefinition());
  EXPECT_EQ(rig.Get("/apis/apiextensions.k8s.io/v7/customresourcedefinitions").status, 404);
  const std::string own = kDefinitions + "/customresourcedefinitions.apiextensions.k8s.io";
  EXPECT_EQ(rig.Delete(own).status, 200);
  rig.WaitFor(own, 404);
  EXPECT_EQ(rig.Get(kTabs1).status, 200);
  EXPECT_EQ(rig.Get(kTabs).status, 200);
}

TEST(Definitions, RulesInCelAreWarnedOf) {
  CustomRig rig;
  std::string text = TabDefinition();
  text.replace(text.find("\"replicas\":{\"type\":\"integer\""), 28,
               R"("replicas":{"x-kubernetes-validations":[{"rule":"self > 1"}],"type":"integer")");
  const Replied made = rig.Define(text);
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_TRUE(made.warnings[0].contains("x-kubernetes-validations"));
}

TEST(Definitions, ManyOfThem) {
  CustomRig rig;
  constexpr int kMany = 60;
  for (int i = 0; i < kMany; ++i) {
    std::string text = TabDefinition();
    const std::string number = std::to_string(i);
    for (size_t at = 0; (at = text.find("crontabs", at)) != std::string::npos; at += 8) {
      text.replace(at, 8, "tabs" + number);
    }
    text.replace(text.find("\"kind\":\"CronTab\""), 16, "\"kind\":\"Tab" + number + "\"");
    rig.Define(text);
  }
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(rig.Get("/apis/stable.example.com/v1/tabs" + std::to_string(i)).status, 200);
  }
}

TEST(Definitions, WatchesEndWhenTheirsChanges) {
  CustomRig rig;
  rig.Define(TabDefinition());
  const WatchRoom room{
      .store = rig.store.memory, .clock = rig.clock, .executor = rig.store.executor};
  const CatalogPtr now = rig.catalog.Now();
  const CallPtr call = MakeCall(kTabs + "?watch=true");
  Answer answer = AnswerWatch(call, room, *now->Find("stable.example.com", "v1", "crontabs"), now);
  ASSERT_NE(answer.pulled, nullptr);
  rig.Post(kTabs, TabText("one"));
  std::string text;
  for (int i = 0; i < 100 && text.empty(); ++i) text = answer.pulled->Next()->bytes;
  EXPECT_TRUE(text.contains("\"ADDED\"")) << text;
  // Status and annotations change nothing of what is served.
  rig.Merge(kTabs1, R"({"metadata":{"annotations":{"a":"b"}}})");
  EXPECT_EQ(answer.pulled->Next()->then, http::BodyPiece::Then::kWait);
  rig.Merge(kTabs1, R"({"spec":{"names":{"shortNames":["ct"]}}})");
  EXPECT_EQ(answer.pulled->Next()->then, http::BodyPiece::Then::kEnd);
}

TEST(Definitions, VersionsThatAreDeprecatedSaySo) {
  CustomRig rig;
  std::string text = TabDefinition(R"(,"deprecated":true)");
  text.replace(text.find("\"versions\":["), 12,
               R"("versions":[{"name":"v2","served":true,"storage":false,"schema":{)"
               R"("openAPIV3Schema":{"type":"object"}}},{"name":"v1beta1","served":true,)"
               R"("storage":false,"deprecated":true,"deprecationWarning":"no more",)"
               R"("schema":{"openAPIV3Schema":{"type":"object"}}},)");
  rig.Define(text);
  const CatalogPtr catalog = rig.catalog.Now();
  const auto warning = [&](const std::string& version) {
    return catalog->Find("stable.example.com", version, "crontabs")->custom->shown->deprecation;
  };
  EXPECT_EQ(warning("v1"),
            "stable.example.com/v1 CronTab is deprecated; use stable.example.com/v2 CronTab");
  EXPECT_EQ(warning("v1beta1"), "no more");
  EXPECT_EQ(warning("v2"), "");
}

TEST(Definitions, DiscoveryFollows) {
  CustomRig rig;
  const auto hash = [&] {
    const CallPtr call =
        AcceptCall("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    const Discovery discovery("127.0.0.1:1", rig.clock, rig.store.executor);
    auto answer = discovery.Serve(call, rig.catalog.Now());
    EXPECT_TRUE(answer.ok() && *answer);
    return answer.ok() && *answer ? std::string(*(*answer)->headers.Find("ETag")) : "";
  };
  const std::string before = hash();
  EXPECT_EQ(hash(), before);
  rig.Define(TabDefinition(kParts));
  const std::string with = hash();
  EXPECT_NE(with, before);
  const auto list = ResourceList(*rig.catalog.Now(), "stable.example.com", "v1");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->resources.size(), 3U);
  EXPECT_EQ(list->resources[1].name, "crontabs/scale");
  EXPECT_EQ(list->resources[1].group, "autoscaling");
  EXPECT_EQ(list->resources[2].name, "crontabs/status");
  rig.Delete(kTabs1);
  rig.WaitFor(kTabs1, 404);
  ASSERT_TRUE(rig.followed->CatchUp().ok());
  EXPECT_EQ(hash(), before);
}

// What a schema may not be is refused, and what is large is served all the same.
TEST(Definitions, HostileSchemas) {
  CustomRig rig;
  const auto with = [](const std::string& schema) {
    std::string text = TabDefinition();
    text.replace(text.find(kTabSchema), kTabSchema.size(), schema);
    return text;
  };
  std::string deep = R"({"type":"string"})";
  for (int i = 0; i < 400; ++i) deep = R"({"type":"object","properties":{"a":)" + deep + "}}";
  EXPECT_GE(rig.Post(kDefinitions, with(deep)).status, 400);
  EXPECT_EQ(
      rig.Post(kDefinitions, with(R"({"type":"object","properties":{"a":{"$ref":"#/x"}}})")).status,
      422);
  EXPECT_EQ(rig.Get(kTabs).status, 404);
  std::string wide = R"({"type":"object","properties":{"spec":{"type":"object","properties":{)";
  for (int i = 0; i < 25'000; ++i) {
    wide += (i > 0 ? ",\"f" : "\"f") + std::to_string(i) + R"(":{"type":"string"})";
  }
  rig.Define(with(wide + "}}}}"));
  const std::string body = R"({"apiVersion":"stable.example.com/v1","kind":"CronTab",)"
                           R"("metadata":{"name":"one"},"spec":{"f24999":"x","g":1}})";
  const Replied made = rig.Post(kTabs, body);
  EXPECT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.At("spec"), R"({"f24999":"x"})");
}

TEST(CompareVersions, AsUpstream) {
  const std::vector<std::string> order = {"v10",      "v2",      "v1",        "v11beta2",
                                          "v10beta3", "v3beta1", "v12alpha1", "v11alpha2",
                                          "foo1",     "foo10"};
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    EXPECT_LT(CompareVersions(order[i], order[i + 1]), 0) << order[i];
    EXPECT_GT(CompareVersions(order[i + 1], order[i]), 0) << order[i];
  }
  EXPECT_EQ(CompareVersions("v1", "v1"), 0);
}

}  // namespace
}  // namespace podium::apiserver
