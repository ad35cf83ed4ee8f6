// The connection inside the server's process, held against what every connection must do.
#include "apiserver/local_connection.h"

#include <memory>

#include "api/types/apps_v1.h"
#include "api/types/autoscaling_v1.h"
#include "apiserver/write_support.h"
#include "client/client.h"
#include "client/contract.h"

namespace podium::apiserver {
namespace {

class LocalContractServer : public client::ContractServer {
 public:
  client::Connection& connection() override { return connection_; }
  bool Compact() override {
    const auto range = rig_.store.memory.Range({.keys = store::KeyRange::Prefix("/"), .limit = 1});
    if (!range.ok()) return false;
    auto promise = std::make_shared<std::promise<bool>>();
    auto future = promise->get_future();
    rig_.store.memory.Compact(
        range->revision, [promise](Result<void> compacted) { promise->set_value(compacted.ok()); });
    return future.get();
  }

 private:
  WriteRig rig_;
  Dispatcher dispatcher_{[this] {
    Dispatcher::Parts parts = rig_.DispatcherParts();
    parts.paths = [](const CallPtr& call, const CatalogPtr&) -> Result<apiserver::Answer> {
      if (call->path != "/version") return api::NoSuchPathError();
      return apiserver::Answer{.body = R"({"major":"1"})"};
    };
    return parts;
  }()};
  LocalConnection connection_{dispatcher_, User{.name = "contract"}, "contract"};
};

std::unique_ptr<client::ContractServer> MakeLocal() {
  return std::make_unique<LocalContractServer>();
}

}  // namespace
}  // namespace podium::apiserver

namespace podium::client {
namespace {

INSTANTIATE_TEST_SUITE_P(Local, ConnectionContract, testing::Values(&apiserver::MakeLocal));

}  // namespace
}  // namespace podium::client

namespace podium::apiserver {
namespace {

using api::autoscaling::v1::Scale;

// What follows every object of a cluster, such as the garbage collector, keeps no whole ones.
TEST(LocalConnection, MetadataAlone) {
  using api::meta::v1::PartialObjectMetadata;
  WriteRig rig;
  const Replied made = rig.Post(kMaps, MapText("m", "v", R"(,"labels":{"a":"b"})"));
  ASSERT_EQ(made.status, 201);
  const Dispatcher dispatcher(rig.DispatcherParts());
  LocalConnection connection(dispatcher, rig.user, "test");
  client::Target target{"", "v1", "configmaps", "a"};
  target.metadata_only = true;
  const auto list = connection.List(target, {});
  ASSERT_TRUE(list.ok()) << list.error().message();
  ASSERT_EQ(list->items.size(), 1U);
  target.name = "m";
  const auto got = connection.Get(target, {});
  ASSERT_TRUE(got.ok()) << got.error().message();
  for (const client::SharedObject& object : {list->items[0], *got}) {
    const auto partial = object.As<PartialObjectMetadata>();
    ASSERT_NE(partial, nullptr);
    EXPECT_EQ(partial->kind, "PartialObjectMetadata");
    EXPECT_EQ(partial->apiVersion, "meta.k8s.io/v1");
    EXPECT_EQ(partial->metadata.name, "m");
    EXPECT_EQ(partial->metadata.namespace_, "a");
    EXPECT_EQ(partial->metadata.uid, made.At("metadata.uid"));
    EXPECT_EQ(partial->metadata.resourceVersion, made.At("metadata.resourceVersion"));
    EXPECT_EQ(partial->metadata.labels.at("a"), "b");
    EXPECT_TRUE(partial->metadata.managedFields.empty());
  }
}

TEST(LocalConnection, ShowsScales) {
  WriteRig rig;
  ASSERT_EQ(rig.Post(kDeployments, DeploymentText("d", 1)).status, 201);
  const Dispatcher dispatcher(rig.DispatcherParts());
  LocalConnection connection(dispatcher, rig.user, "test");
  const client::Target target{"apps", "v1", "deployments", "a", "d", "scale"};
  const auto got = connection.Get(target, {});
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_NE(got->As<Scale>(), nullptr);
  EXPECT_EQ(got->As<Scale>()->spec.replicas, 1);
  const auto patched =
      connection.Patch(target, client::PatchType::kMerge, R"({"spec":{"replicas":3}})", {});
  ASSERT_TRUE(patched.ok()) << patched.error().message();
  ASSERT_NE(patched->As<Scale>(), nullptr);
  EXPECT_EQ(patched->As<Scale>()->spec.replicas, 3);
  api::meta::v1::PatchOptions only_try;
  only_try.dryRun = {"All"};
  const auto dry =
      connection.Patch(target, client::PatchType::kMerge, R"({"spec":{"replicas":4}})", only_try);
  ASSERT_TRUE(dry.ok()) << dry.error().message();
  ASSERT_NE(dry->As<Scale>(), nullptr);
  EXPECT_EQ(dry->As<Scale>()->spec.replicas, 4);
}

}  // namespace
}  // namespace podium::apiserver
