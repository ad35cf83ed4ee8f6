// What an agent tells of its node, told to the API server as it is: its authorizer, NodeRestriction
// and its controllers take all of it from the node's own credentials.
#include "node/cluster/cluster_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "api/types/coordination_v1.h"
#include "apiserver/server.h"
#include "base/clock.h"
#include "base/executor.h"
#include "client/informer.h"
#include "client/paths.h"
#include "controllers/certificates.h"
#include "controllers/root_ca_publisher.h"
#include "node/cluster/descriptions.h"
#include "node/cluster/node_credentials.h"

namespace podium::commands {
namespace {

using namespace std::chrono_literals;
using api::coordination::v1::Lease;
using api::core::v1::Event;
using api::core::v1::Node;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

bool Within(std::chrono::seconds time, const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return holds();
}

// A server with the controllers that certificates need, and what asks it as an administrator.
class Server {
 public:
  explicit Server(const std::string& folder)
      : server_(*apiserver::ApiServer::Start({.data_dir = folder + "/server",
                                              .address = "127.0.0.1",
                                              .port = 0,
                                              .unix_socket = folder + "/server.sock"},
                                             clock_)),
        connection_(server_->Connect({.name = "system:kube-controller-manager",
                                      .groups = {"system:masters", "system:authenticated"}},
                                     "test")),
        informers_(*connection_, {.executor = &executor_, .clock = &clock_}) {
    const controllers::ControllerContext context{.connection = connection_.get(),
                                                 .informers = &informers_,
                                                 .executor = &executor_,
                                                 .clock = &clock_};
    controllers_.push_back(controllers::MakeRootCaPublisher(context, server_->root_ca()));
    controllers_.push_back(controllers::MakeCertificateApproving(context));
    controllers_.push_back(
        controllers::MakeCertificateSigning(context, server_->certificate_authority()));
    for (const auto& each : controllers_) each->Start();
    informers_.Start();
  }
  ~Server() {
    informers_.Stop();
    controllers_.clear();
  }

  client::Connection& admin() { return *connection_; }
  const std::string& kubeconfig() const { return server_->kubeconfig_path(); }

  template <class T>
  std::shared_ptr<const T> Get(const std::string& name_space, const std::string& name) {
    const auto got =
        connection_->Get(*client::TargetOf(reflect::TypeOf<T>(), {name_space, name}), {});
    return got.ok() ? got->template As<T>() : nullptr;
  }
  std::vector<std::string> EventReasons() {
    std::vector<std::string> out;
    const auto list =
        connection_->List(*client::TargetOf(reflect::TypeOf<Event>(), {"default", ""}), {});
    if (!list.ok()) return out;
    for (const auto& each : list->items) out.push_back(each.As<Event>()->reason);
    return out;
  }

 private:
  const SystemClock clock_;
  ThreadExecutor executor_{8};
  std::unique_ptr<apiserver::ApiServer> server_;
  std::unique_ptr<client::Connection> connection_;
  client::InformerFactory informers_;
  std::vector<std::unique_ptr<controllers::Controller>> controllers_;
};

// The agent's half: credentials, and the node once there is a connection.
class Agent {
 public:
  Agent(const std::string& folder, const std::string& admin_kubeconfig)
      : node_({.local_events = local_,
               .clock = clock_,
               .executor = executor_,
               .node = Described(),
               .health =
                   [this] {
                     const std::lock_guard lock(mutex_);
                     return node::HealthOfRuntime(node::RuntimeStatus(network_));
                   },
               .on_error = [this](const Error& error) { Note(error); }}),
        credentials_(
            {.server_socket = folder + "/server.sock",
             .server_kubeconfig = admin_kubeconfig,
             .certificates = {.folder = folder + "/pki",
                              .node_name = "n1",
                              .serving = {.dns = {"n1"}, .addresses = {"10.0.0.7"}}}},
            {.on_connected = [this](client::Connection& connection) { node_.Start(connection); },
             .clock = &clock_,
             .executor = &executor_,
             .environment = [](const char*) -> const char* { return nullptr; }}) {
    credentials_.Start();
  }
  ~Agent() {
    credentials_.Stop();
    node_.Stop();
  }

  void SetNetwork(bool ready) {
    {
      const std::lock_guard lock(mutex_);
      network_ = ready;
    }
    node_.HealthChanged();
  }
  node::ClusterNode& node() { return node_; }
  std::vector<std::string> errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  static node::NodeDescription Described() {
    node::NodeDescription node = node::SmallNode();
    node.settings.labels = {{"disk", "ssd"}, {"node.kubernetes.io/x", "y"}};
    node.settings.taints.resize(1);
    node.settings.taints[0].key = "a";
    node.settings.taints[0].effect = "NoSchedule";
    return node;
  }
  void Note(const Error& error) {
    const std::lock_guard lock(mutex_);
    errors_.push_back(error.message());
  }

  const SystemClock clock_;
  std::mutex mutex_;
  bool network_ = true;
  std::vector<std::string> errors_;
  ThreadExecutor executor_{8};
  node::EventRecorder local_{clock_, "n1"};
  node::ClusterNode node_;
  node::NodeCredentials credentials_;
};

class ClusterNodeOnServer : public testing::Test {
 public:
  ClusterNodeOnServer() {
    char name[] = "/tmp/podium_cluster_node_XXXXXX";
    folder = mkdtemp(name);
  }
  ~ClusterNodeOnServer() override { std::filesystem::remove_all(folder); }
  static std::string ReadyOf(const std::shared_ptr<const Node>& node) {
    return node ? node->status.conditions.back().status : "";
  }
  std::string folder;
};

TEST_F(ClusterNodeOnServer, TheServerTakesAllOfIt) {
  Server server(folder);
  Agent agent(folder, server.kubeconfig());
  ASSERT_TRUE(Within(30s, [&] { return server.Get<Lease>("kube-node-lease", "n1") != nullptr; }));
  const auto node = server.Get<Node>("", "n1");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(ReadyOf(node), "True");
  EXPECT_EQ(node->metadata.labels.at("disk"), "ssd");
  EXPECT_EQ(node->metadata.labels.at("node.kubernetes.io/x"), "y");
  EXPECT_EQ(node->status.capacity.at("cpu").String(), "2");
  EXPECT_EQ(node->status.nodeInfo.containerRuntimeVersion, "podium://0.1.0");
  EXPECT_EQ(server.Get<Lease>("kube-node-lease", "n1")->metadata.ownerReferences.at(0).uid,
            node->metadata.uid);
  EXPECT_TRUE(Within(10s, [&] { return server.EventReasons().size() >= 5; }));
  EXPECT_THAT(server.EventReasons(),
              IsSupersetOf({"Starting", "NodeReady", "NodeHasSufficientMemory",
                            "NodeHasNoDiskPressure", "NodeHasSufficientPID"}));

  agent.SetNetwork(false);
  EXPECT_TRUE(Within(5s, [&] { return ReadyOf(server.Get<Node>("", "n1")) == "False"; }));

  Node relabelled = *server.Get<Node>("", "n1");
  relabelled.metadata.labels["zone"] = "z";
  const client::Target target{"", "v1", "nodes", "", "n1"};
  ASSERT_TRUE(server.admin().Update(target, relabelled, {}).ok());
  EXPECT_TRUE(Within(5s, [&] {
    const auto seen = agent.node().node();
    return seen && seen->metadata.labels.contains("zone");
  }));
  EXPECT_THAT(agent.errors(), IsEmpty());
}

TEST_F(ClusterNodeOnServer, OneThatComesAgainMendsItsLabels) {
  Server server(folder);
  {
    Agent agent(folder, server.kubeconfig());
    ASSERT_TRUE(Within(30s, [&] { return ReadyOf(server.Get<Node>("", "n1")) == "True"; }));
  }
  Node node = *server.Get<Node>("", "n1");
  node.metadata.labels["kubernetes.io/hostname"] = "other";
  node.metadata.labels.erase("disk");
  node.metadata.annotations.clear();
  ASSERT_TRUE(server.admin().Update({"", "v1", "nodes", "", "n1"}, node, {}).ok());
  Agent agent(folder, server.kubeconfig());
  EXPECT_TRUE(Within(30s, [&] {
    const auto now = server.Get<Node>("", "n1");
    return now->metadata.labels.at("kubernetes.io/hostname") == "n1" &&
           now->metadata.annotations.size() == 1;
  }));
  EXPECT_FALSE(server.Get<Node>("", "n1")->metadata.labels.contains("disk"));
  EXPECT_THAT(agent.errors(), IsEmpty());
}

}  // namespace
}  // namespace podium::commands
