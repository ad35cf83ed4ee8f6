// Deletions: of objects that something holds, of pods with a grace period, of collections.
#include <atomic>
#include <thread>

#include "apiserver/write_support.h"

namespace podium::apiserver {
namespace {

struct WriteDeleteTest : testing::Test, WriteRig {};

TEST_F(WriteDeleteTest, AnswersWithWhatWasDeleted) {
  const std::string uid = Post(kMaps, MapText("m")).At("metadata.uid");
  const Replied gone = Delete(kMaps + "/m");
  EXPECT_EQ(gone.status, 200);
  EXPECT_EQ(gone.At("status"), "Success");
  EXPECT_EQ(gone.At("details.uid"), uid);
  EXPECT_EQ(gone.At("details.kind"), "configmaps");
  EXPECT_EQ(Delete(kMaps + "/m").status, 404);
  EXPECT_EQ(Delete(kMaps + "/m").message(), "configmaps \"m\" not found");
}

// Between the deletion's look at the pod and its mark somebody writes the pod: the deletion is made
// again on the newer one, and not taken for done.
TEST_F(WriteDeleteTest, AgainstAWriteOfSomebodyElse) {
  ASSERT_EQ(Post(kPods, PodText("p", "", R"("nodeName":"n",)")).status, 201);
  std::atomic<bool> once = false;
  plugin->meanwhile = [&](const AdmissionRequest& request) -> Result<void> {
    if (request.operation == Operation::kDelete && !once.exchange(true)) {
      EXPECT_EQ(Merge(kPods + "/p", R"({"metadata":{"labels":{"by":"another"}}})").status, 200);
    }
    return {};
  };
  EXPECT_EQ(Delete(kPods + "/p?gracePeriodSeconds=0").status, 200);
  EXPECT_TRUE(once);
  EXPECT_EQ(Merge(kPods + "/p", "{}").status, 404);
}

// What has taken the name of a pod that is gone is another pod.
TEST_F(WriteDeleteTest, WhatCameInsteadStays) {
  ASSERT_EQ(Post(kPods, PodText("p", "", R"("nodeName":"n",)")).status, 201);
  std::atomic<bool> once = false;
  plugin->meanwhile = [&](const AdmissionRequest& request) -> Result<void> {
    if (request.operation == Operation::kDelete && !once.exchange(true)) {
      EXPECT_EQ(Delete(kPods + "/p?gracePeriodSeconds=0").status, 200);
      EXPECT_EQ(Post(kPods, PodText("p")).status, 201);
    }
    return {};
  };
  const Replied first = Merge(kPods + "/p", "{}");
  EXPECT_EQ(Delete(kPods + "/p", R"({"gracePeriodSeconds":0,"preconditions":{"uid":")" +
                                     first.At("metadata.uid") + R"("}})")
                .status,
            409);
  EXPECT_EQ(Merge(kPods + "/p", "{}").status, 200);
}

TEST_F(WriteDeleteTest, GracePeriodsOfPods) {
  ASSERT_EQ(Post(kPods, PodText("p", "", R"("nodeName":"n",)")).status, 201);
  const Replied begun = Delete(kPods + "/p");
  EXPECT_EQ(begun.status, 200);
  EXPECT_EQ(begun.At("metadata.deletionGracePeriodSeconds"), "30");
  EXPECT_NE(begun.At("metadata.deletionTimestamp"), "");
  // Longer is not possible, shorter is.
  const Replied longer = Delete(kPods + "/p?gracePeriodSeconds=60");
  EXPECT_EQ(longer.At("metadata.deletionGracePeriodSeconds"), "30");
  EXPECT_EQ(longer.At("metadata.resourceVersion"), begun.At("metadata.resourceVersion"));
  const Replied shorter = Delete(kPods + "/p?gracePeriodSeconds=5");
  EXPECT_EQ(shorter.At("metadata.deletionGracePeriodSeconds"), "5");
  EXPECT_LT(shorter.At("metadata.deletionTimestamp"), begun.At("metadata.deletionTimestamp"));
  EXPECT_EQ(Delete(kPods + "/p?gracePeriodSeconds=0").status, 200);
  EXPECT_EQ(Merge(kPods + "/p", "{}").status, 404);
  // Nobody runs a pod without a node: it goes at once.
  ASSERT_EQ(Post(kPods, PodText("q")).status, 201);
  EXPECT_EQ(Delete(kPods + "/q").status, 200);
  EXPECT_EQ(Merge(kPods + "/q", "{}").status, 404);
}

TEST_F(WriteDeleteTest, WaitsForTheLastFinalizer) {
  ASSERT_EQ(Post(kMaps, MapText("m", "v", R"(,"finalizers":["a/x","a/y"])")).status, 201);
  const Replied marked = Delete(kMaps + "/m");
  EXPECT_EQ(marked.status, 200);
  EXPECT_EQ(marked.At("metadata.deletionGracePeriodSeconds"), "0");
  const Replied again = Delete(kMaps + "/m");
  EXPECT_EQ(again.At("metadata.resourceVersion"), marked.At("metadata.resourceVersion"));
  EXPECT_EQ(again.At("metadata.deletionTimestamp"), marked.At("metadata.deletionTimestamp"));
  const Replied taken = Post(kMaps, MapText("m"));
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.message(), "object is being deleted: configmaps \"m\" already exists");
  const Replied added = Merge(kMaps + "/m", R"({"metadata":{"finalizers":["a/x","a/y","a/z"]}})");
  EXPECT_EQ(added.status, 422);
  EXPECT_EQ(Merge(kMaps + "/m", R"({"metadata":{"finalizers":["a/y"]}})").status, 200);
  EXPECT_EQ(Merge(kMaps + "/m", R"({"metadata":{"finalizers":null}})").status, 200);
  EXPECT_EQ(Merge(kMaps + "/m", "{}").status, 404);
}

TEST_F(WriteDeleteTest, Preconditions) {
  const Replied made = Post(kMaps, MapText("m"));
  const std::string uid = made.At("metadata.uid");
  const Replied other = Delete(kMaps + "/m", R"({"preconditions":{"uid":"x"}})");
  EXPECT_EQ(other.status, 409);
  // The kind, where other conflicts have the resource: upstream's BeforeDelete.
  EXPECT_EQ(other.message(),
            "Operation cannot be fulfilled on ConfigMap \"m\": the UID in the precondition (x) "
            "does not match the UID in record (" +
                uid + "). The object might have been deleted and then recreated");
  EXPECT_EQ(other.At("details.kind"), "ConfigMap");
  const Replied stale = Delete(kMaps + "/m", R"({"preconditions":{"resourceVersion":"1000"}})");
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(Delete(kMaps + "/m", R"({"preconditions":{"uid":")" + uid + R"(","resourceVersion":")" +
                                     made.At("metadata.resourceVersion") + R"("}})")
                .status,
            200);
}

TEST_F(WriteDeleteTest, PropagationIsAFinalizer) {
  ASSERT_EQ(Post(kMaps, MapText("m")).status, 201);
  EXPECT_EQ(Delete(kMaps + "/m?propagationPolicy=Foreground").At("metadata.finalizers"),
            R"(["foregroundDeletion"])");
  EXPECT_EQ(Delete(kMaps + "/m?propagationPolicy=Orphan").At("metadata.finalizers"),
            R"(["orphan"])");
  EXPECT_EQ(Delete(kMaps + "/m").At("metadata.finalizers"), R"(["orphan"])");
  EXPECT_EQ(Delete(kMaps + "/m?propagationPolicy=Background").At("status"), "Success");
  EXPECT_EQ(Delete(kMaps + "/m").status, 404);
  EXPECT_EQ(Delete(kMaps + "/m", R"({"orphanDependents":true,"propagationPolicy":"Foreground"})")
                .message(),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: "
            "\"Foreground\": orphanDependents and deletionPropagation cannot be both set");
}

TEST_F(WriteDeleteTest, DryRunDeletesNothing) {
  const Replied made = Post(kMaps, MapText("m"));
  EXPECT_EQ(Delete(kMaps + "/m?dryRun=All").status, 200);
  EXPECT_EQ(Delete(kMaps + "/m?dryRun=All&propagationPolicy=Foreground").status, 200);
  EXPECT_EQ(Merge(kMaps + "/m", "{}").At("metadata.resourceVersion"),
            made.At("metadata.resourceVersion"));
}

TEST_F(WriteDeleteTest, CollectionsBySelector) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    const std::string label = std::string(name) < "d" ? "low" : "high";
    ASSERT_EQ(Post(kMaps, MapText(name, "v", R"(,"labels":{"half":")" + label + R"("})")).status,
              201);
  }
  ASSERT_EQ(Post("/api/v1/namespaces/b/configmaps", MapText("a")).status, 201);
  const Replied one = Delete(kMaps + "?fieldSelector=metadata.name%3Da");
  EXPECT_EQ(one.At("kind"), "ConfigMapList");
  EXPECT_EQ(one.At("items.0.metadata.name"), "a");
  EXPECT_EQ(one.At("items.1"), "");
  EXPECT_EQ(Delete(kMaps + "?labelSelector=half%3Dhigh").status, 200);
  EXPECT_EQ(Merge(kMaps + "/d", "{}").status, 404);
  EXPECT_EQ(Merge(kMaps + "/b", "{}").status, 200);
  EXPECT_EQ(Delete(kMaps).status, 200);
  EXPECT_EQ(Merge(kMaps + "/c", "{}").status, 404);
  EXPECT_EQ(Merge("/api/v1/namespaces/b/configmaps/a", "{}").status, 200);
}

// All but one of the objects are gone before the second worker has begun its first.
TEST_F(WriteDeleteTest, CollectionsWhereOneTakesLong) {
  for (const char* name : {"a", "b", "c", "d"}) {
    ASSERT_EQ(Post(kMaps, MapText(name)).status, 201);
  }
  plugin->meanwhile = [&](const AdmissionRequest& request) -> Result<void> {
    if (request.operation != Operation::kDelete || request.name != "b") return {};
    for (int i = 0; i < 500; ++i) {
      if (Stored("/registry/configmaps/a/d").empty()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    // Its worker finds that there is no more.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return {};
  };
  EXPECT_EQ(Delete(kMaps).status, 200);
  EXPECT_EQ(Merge(kMaps + "/b", "{}").status, 404);
}

}  // namespace
}  // namespace podium::apiserver
