#include "node/agent_api.h"

#include <gmock/gmock.h>

#include "node/api_node.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMap[] =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"}})";

class AgentApiTest : public ApiNode {
 protected:
  v1::ConfigMap Map(const std::string& value) {
    v1::ConfigMap map;
    map.metadata.namespace_ = "ns";
    map.metadata.name = "c";
    map.data["k"] = value;
    return map;
  }
};

TEST_F(AgentApiTest, PathsAndMethodsThatAreNotThere) {
  for (const char* path :
       {"/", "/api", "/api/v1", "/api/v2/pods", "/api/v1/nodes",
        "/api/v1/namespaces/ns/pods/web/log/more", "/api/v1/namespaces/ns/pods/web/scale"}) {
    const Answer answer = Ask("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.failure().message, "the server could not find the requested resource") << path;
  }
  for (const auto& [method, path] :
       std::vector<std::pair<std::string, std::string>>{{"PUT", "/api/v1/namespaces/ns/pods"},
                                                        {"POST", "/api/v1/namespaces/ns/pods/web"},
                                                        {"DELETE", "/api/v1/namespaces/ns/pods"},
                                                        {"POST", "/api/v1/namespaces/ns/events"},
                                                        {"PUT", "/api/v1/namespaces/ns/configmaps"},
                                                        {"POST", "/api/v1/namespaces/ns/secrets/s"},
                                                        {"GET", "/api/v1/configmaps?watch=true"}}) {
    const Answer answer = Ask(method, path);
    EXPECT_EQ(answer.status, 405) << method << ' ' << path;
    EXPECT_EQ(answer.failure().reason, "MethodNotAllowed") << path;
  }
  EXPECT_EQ(Ask("GET", "/healthz").body, "ok");
  EXPECT_EQ(Ask("GET", "/api/v1/pods?labelSelector=%25%25").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/pods?labelSelector=%2").status, 400);
}

TEST_F(AgentApiTest, APodThatIsThereIsNotMadeAgain) {
  const v1::Pod made = Run("web", "containers: [{name: a}]");
  v1::Pod again = PodOf("containers: [{name: a}]");
  again.metadata.name = "web";
  const auto refused = client_->Create(again);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(refused.error().message(), "pods \"web\" already exists");
  EXPECT_EQ(client_->Get<v1::Pod>({"ns", "web"})->metadata.uid, made.metadata.uid);
}

TEST_F(AgentApiTest, BodiesThatDoNotFitThePath) {
  EXPECT_EQ(Ask("POST", "/api/v1/namespaces/ns/pods", "{").status, 400);
  EXPECT_EQ(
      Ask("POST", "/api/v1/namespaces/other/pods", R"({"metadata":{"name":"a","namespace":"ns"}})")
          .failure()
          .message,
      "the namespace of the provided object does not match the namespace sent on the request");
  EXPECT_EQ(Ask("POST", "/api/v1/pods", R"({"metadata":{"name":"a"}})").status, 405);
  EXPECT_EQ(Ask("PUT", "/api/v1/namespaces/ns/configmaps/d", kMap).failure().message,
            "the name of the object (c) does not match the name on the URL (d)");
}

TEST_F(AgentApiTest, APodsImageIsUpdatedAndItsContainerStartedAgain) {
  node_.images.in_registry.insert("busybox:2");
  v1::Pod pod = Run("web", "containers: [{name: a}]");
  const std::string version = pod.metadata.resourceVersion;
  // The same once more changes nothing, whoever wrote the file: nodeName and defaults are ours.
  v1::Pod same = PodOf("containers: [{name: a}]");
  same.metadata.name = "web";
  same.metadata.uid.clear();
  auto unchanged = client_->Update(same);
  ASSERT_TRUE(unchanged.ok()) << unchanged.error().message();
  EXPECT_EQ(unchanged->metadata.resourceVersion, version);
  EXPECT_EQ(unchanged->metadata.generation, 1);

  same.spec.containers[0].image = "busybox:2";
  auto updated = client_->Update(same);
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_EQ(updated->metadata.generation, 2);
  EXPECT_EQ(updated->metadata.uid, pod.metadata.uid);
  EXPECT_EQ(updated->metadata.creationTimestamp, pod.metadata.creationTimestamp);
  const v1::Pod now = WaitFor("web", [](const v1::Pod& each) {
    const auto& status = each.status.containerStatuses;
    return !status.empty() && status[0].restartCount == 1 && status[0].state.running;
  });
  EXPECT_EQ(now.spec.containers[0].image, "busybox:2");
}

TEST_F(AgentApiTest, WhatMayNotBeUpdatedOfAPod) {
  const v1::Pod made = Run("web", "containers: [{name: a}]");
  v1::Pod pod = made;
  pod.spec.containers[0].command = {"other"};
  const auto refused = client_->Update(pod);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("Pod \"web\" is invalid: spec: Forbidden: pod updates may not change "
                              "fields other than"),
                    HasSubstr("`spec.containers[*].image`")));
  pod = made;
  pod.metadata.resourceVersion = "1";
  EXPECT_EQ(client_->Update(pod).error().message(),
            "Operation cannot be fulfilled on pods \"web\": the object has been modified; please "
            "apply your changes to the latest version and try again");
  pod = made;
  pod.metadata.resourceVersion.clear();
  pod.metadata.uid = "another";
  EXPECT_EQ(client_->Update(pod).error().code(), Code::kConflict);
  pod.metadata.name = "none";
  EXPECT_EQ(client_->Update(pod).error().message(), "pods \"none\" not found");
}

TEST_F(AgentApiTest, ConfigMapsAreMadeOnceAndThenUpdated) {
  const auto created = client_->Create(Map("1"));
  ASSERT_TRUE(created.ok()) << created.error().message();
  EXPECT_EQ(created->metadata.uid.size(), 36U);
  EXPECT_NE(created->metadata.creationTimestamp, api::Time());
  const auto again = client_->Create(Map("2"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(again.error().message(), "configmaps \"c\" already exists");
  EXPECT_EQ(client_->Get<v1::ConfigMap>({"ns", "c"})->data.at("k"), "1");

  const auto updated = client_->Update(Map("2"));
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_EQ(updated->metadata.uid, created->metadata.uid);
  EXPECT_NE(updated->metadata.resourceVersion, created->metadata.resourceVersion);
  EXPECT_EQ(client_->Update(Map("2"))->metadata.resourceVersion, updated->metadata.resourceVersion);
  v1::ConfigMap old = *created;
  old.data["k"] = "3";
  EXPECT_EQ(client_->Update(old).error().code(), Code::kConflict);
  v1::ConfigMap fixed = Map("2");
  fixed.immutable = true;
  ASSERT_TRUE(client_->Update(fixed).ok());
  EXPECT_THAT(client_->Update(Map("4")).error().message(), HasSubstr("field is immutable"));

  ASSERT_TRUE(client_->Delete<v1::ConfigMap>({"ns", "c"}).ok());
  EXPECT_EQ(client_->Update(Map("5")).error().message(), "configmaps \"c\" not found");
  EXPECT_EQ(client_->Delete<v1::ConfigMap>({"ns", "c"}).error().code(), Code::kNotFound);
}

TEST_F(AgentApiTest, SecretsKeepTextAsBytes) {
  v1::Secret secret;
  secret.metadata.namespace_ = "ns";
  secret.metadata.generateName = "s-";
  secret.stringData["k"] = "v";
  const auto created = client_->Create(secret);
  ASSERT_TRUE(created.ok()) << created.error().message();
  EXPECT_THAT(created->metadata.name, ::testing::StartsWith("s-"));
  EXPECT_EQ(created->metadata.name.size(), 7U);
  EXPECT_EQ(created->data.at("k").data, "v");
  EXPECT_TRUE(created->stringData.empty());
  EXPECT_EQ(created->type, "Opaque");
  v1::Secret next = *created;
  next.stringData["k"] = "w";
  EXPECT_EQ(client_->Update(next)->data.at("k").data, "w");
  next.metadata.resourceVersion.clear();
  next.type = "kubernetes.io/tls";
  EXPECT_THAT(client_->Update(next).error().message(), HasSubstr("is invalid"));
  EXPECT_EQ(client_->List<v1::SecretList>("")->items.size(), 1U);
  EXPECT_EQ(client_->List<v1::SecretList>("other")->items.size(), 0U);
}

TEST_F(AgentApiTest, ListsAreFiltered) {
  Run("web", "containers: [{name: a}]");
  Run("job", "restartPolicy: Never, containers: [{name: a}]");
  api::meta::v1::ListOptions options;
  options.fieldSelector = "spec.restartPolicy=Never";
  const auto found = client_->List<v1::PodList>("ns", options);
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_EQ(found->items.size(), 1U);
  EXPECT_EQ(found->items[0].metadata.name, "job");
  EXPECT_EQ(client_->List<v1::PodList>("other")->items.size(), 0U);
}

TEST_F(AgentApiTest, PodsAreWatchedUntilTheyAreGone) {
  Run("web", "containers: [{name: a}]");
  auto watch = client_->WatchObjects<v1::Pod>("ns");
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  auto event = watch->Next();
  ASSERT_TRUE(event.ok() && *event);
  EXPECT_EQ((*event)->type, client::EventType::kAdded);
  api::meta::v1::DeleteOptions now;
  now.gracePeriodSeconds = 0;
  ASSERT_TRUE(client_->Delete<v1::Pod>({"ns", "web"}, now).ok());
  for (int i = 0; i < 20 && (*event)->type != client::EventType::kDeleted; ++i) {
    event = watch->Next();
    ASSERT_TRUE(event.ok() && *event);
  }
  EXPECT_EQ((*event)->type, client::EventType::kDeleted);
  EXPECT_EQ((*event)->object.metadata.name, "web");
}

TEST_F(AgentApiTest, AWatchEndsWhenItsTimeIsOver) {
  for (const char* path :
       {"/api/v1/pods?watch=true&timeoutSeconds=1", "/api/v1/events?watch=true&timeoutSeconds=1"}) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Ask("GET", path).status, 200);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(900));
  }
}

TEST_F(AgentApiTest, AWatchFromAVersionNobodyKnows) {
  for (const char* path : {"/api/v1/pods?watch=true&resourceVersion=999999",
                           "/api/v1/events?watch=true&resourceVersion=999999"}) {
    const Answer answer = Ask("GET", path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, AllOf(HasSubstr(R"("type":"ERROR")"), HasSubstr(R"("code":410)"),
                                   HasSubstr(R"("reason":"Expired")")));
  }
}

TEST_F(AgentApiTest, EventsAreListedAndWatched) {
  Run("web", "containers: [{name: a}]");
  api::meta::v1::ListOptions options;
  options.fieldSelector = "involvedObject.name=web,reason=Started";
  auto started = client_->List<v1::EventList>("ns", options);
  ASSERT_TRUE(started.ok()) << started.error().message();
  ASSERT_EQ(started->items.size(), 1U);
  EXPECT_EQ(started->items[0].message, "Container started");
  const std::string name = started->items[0].metadata.name;
  EXPECT_EQ(client_->Get<v1::Event>({"ns", name})->reason, "Started");
  EXPECT_EQ(Ask("GET", "/api/v1/namespaces/ns/events/none").status, 404);

  options.fieldSelector = "involvedObject.kind=Node";
  options.resourceVersion = started->metadata.resourceVersion;
  auto watch = client_->WatchObjects<v1::Event>("", options);
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  for (int i = 0; i < 2; ++i) {
    events_.RecordNode(EventType::kWarning, "ImageGCFailed", "why");
    auto event = watch->Next();
    ASSERT_TRUE(event.ok() && *event) << (event.ok() ? "" : event.error().message());
    EXPECT_EQ((*event)->type, i == 0 ? client::EventType::kAdded : client::EventType::kModified);
    EXPECT_EQ((*event)->object.count, i + 1);
    EXPECT_EQ((*event)->object.involvedObject.name, "node7");
    EXPECT_EQ((*event)->object.metadata.namespace_, "default");
  }
}

TEST_F(AgentApiTest, FactsOfTheNode) {
  Run("web", "containers: [{name: a}]");
  EXPECT_THAT(Ask("GET", "/node/v1/version").body, HasSubstr("v-test"));
  const Answer containers = Ask("GET", "/node/v1/containers");
  EXPECT_EQ(containers.status, 200);
  EXPECT_THAT(containers.body, HasSubstr(R"("name":"a")"));
  const Answer sandboxes = Ask("GET", "/node/v1/sandboxes");
  EXPECT_EQ(sandboxes.status, 200);
  EXPECT_TRUE(reflect::ParseJson(sandboxes.body, {}).ok());
  EXPECT_TRUE(reflect::ParseJson(Ask("GET", "/node/v1/stats").body, {}).ok());
}

}  // namespace
}  // namespace podium::node
