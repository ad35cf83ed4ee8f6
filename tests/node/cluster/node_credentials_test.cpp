#include "node/cluster/node_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "api/types/core_v1.h"
#include "client/fake_http.h"
#include "client/signing_server.h"
#include "client/virtual_time.h"
#include "pki/certificate.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kClient = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr const char* kServing = "kubernetes.io/kubelet-serving";

// Somebody approves serving certificates once they have been looked at so often.
class Cluster : public client::SigningServer {
 public:
  using SigningServer::SigningServer;
  Result<client::SharedObject> Get(const client::Target& target,
                                   const api::meta::v1::GetOptions& options) override {
    if (target.resource == "certificatesigningrequests" && --looks == 0) {
      using Request = api::certificates::v1::CertificateSigningRequest;
      Request request = *FakeServer::Get(target, {})->As<Request>();
      request.status.conditions.emplace_back().type = "Approved";
      client::Target approval = target;
      approval.subresource = "approval";
      EXPECT_TRUE(Update(approval, request, {}).ok());
    }
    return SigningServer::Get(target, options);
  }
  int looks = 0;
};

class NodeCredentialsTest : public testing::Test {
 public:
  NodeCredentialsTest() {
    char name[] = "/tmp/podium_node_credentials_XXXXXX";
    folder = mkdtemp(name);
    api::core::v1::ConfigMap map;
    map.metadata.namespace_ = "ns";
    map.metadata.name = "m";
    EXPECT_TRUE(server.Create({"", "v1", "configmaps", "ns"}, map, {}).ok());
  }
  ~NodeCredentialsTest() override {
    credentials.reset();
    std::filesystem::remove_all(folder);
  }

  std::string WriteKubeconfig(const std::string& file, const std::string& token) {
    std::ofstream(folder + "/" + file) << R"(apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: ")" + http.url() +
                                              R"("}}]
users: [{name: u, user: {token: ")" + token + R"("}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
)";
    return folder + "/" + file;
  }
  void Start(NodeCredentials::Options options) {
    options.certificates = {.folder = folder + "/pki",
                            .node_name = "n1",
                            .serving = {.dns = {"n1"}, .addresses = {"10.0.0.7"}}};
    connected.clear();
    shown.clear();
    credentials = std::make_unique<NodeCredentials>(
        std::move(options),
        NodeCredentials::Parts{
            .on_connected = [this](client::Connection& each) { connected.push_back(&each); },
            .on_serving = [this](const NodeCertificate& each) { shown.push_back(each); },
            .on_error = [this](const Error& error) { errors.push_back(error.message()); },
            .clock = &time,
            .executor = &time,
            .environment = [](const char*) -> const char* { return nullptr; }});
    credentials->Start();
    time.Settle();
  }
  Result<void> Ask() {
    TRY_VOID(connected.at(0)->Get({"", "v1", "configmaps", "ns", "m"}, {}));
    return {};
  }
  std::string TokenAsked() { return std::string(http.headers().Get("Authorization")); }
  std::vector<std::string> TakeSigned() { return std::exchange(server.signed_for, {}); }

  client::VirtualTime time;
  Cluster server{time};
  client::FakeHttp http{server};
  std::string folder;
  std::vector<client::Connection*> connected;
  std::vector<NodeCertificate> shown;
  std::vector<std::string> errors;
  std::unique_ptr<NodeCredentials> credentials;
};

TEST_F(NodeCredentialsTest, AKubeconfigIsUsedAsItIs) {
  Start({.kubeconfig = WriteKubeconfig("agent.conf", "mine"),
         .bootstrap_kubeconfig = folder + "/not-there"});
  ASSERT_THAT(connected, SizeIs(1));
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(TokenAsked(), "Bearer mine");
  EXPECT_THAT(TakeSigned(), IsEmpty());
  // It signs what it shows itself.
  ASSERT_THAT(shown, SizeIs(1));
  const auto chain = pki::Certificate::AllFromPem(shown[0].certificate);
  ASSERT_THAT(*chain, SizeIs(2));
  EXPECT_TRUE((*chain)[0].IsSignedBy((*chain)[1]));
  EXPECT_EQ((*chain)[0].alternative_names(),
            (pki::AlternativeNames{.dns = {"n1"}, .addresses = {"10.0.0.7"}}));
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(NodeCredentialsTest, WaitsForTheKubeconfig) {
  Start({.kubeconfig = folder + "/agent.conf"});
  time.RunFor(90s);
  EXPECT_THAT(connected, IsEmpty());
  // At once, after 1, 2, 4, 8, 16 and 32 seconds.
  EXPECT_THAT(errors, SizeIs(7));
  WriteKubeconfig("agent.conf", "mine");
  time.RunFor(60s);
  EXPECT_THAT(connected, SizeIs(1));
}

TEST_F(NodeCredentialsTest, BecomesANodeByABootstrapToken) {
  const NodeCredentials::Options options{
      .kubeconfig = folder + "/not-there",
      .bootstrap_kubeconfig = WriteKubeconfig("bootstrap.conf", "abcdef.0123456789abcdef")};
  Start(options);
  ASSERT_THAT(connected, SizeIs(1)) << errors.at(0);
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient));
  EXPECT_EQ(TokenAsked(), "Bearer abcdef.0123456789abcdef");
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(TokenAsked(), "");
  EXPECT_THAT(shown, SizeIs(1));
  EXPECT_TRUE(std::filesystem::exists(folder + "/pki/kubelet-client-current.pem"));
  // The next start is somebody already.
  std::filesystem::remove(folder + "/bootstrap.conf");
  WriteKubeconfig("bootstrap.conf", "gone");
  credentials.reset();
  Start(options);
  ASSERT_THAT(connected, SizeIs(1));
  EXPECT_THAT(TakeSigned(), IsEmpty());
  EXPECT_TRUE(Ask().ok());
}

TEST_F(NodeCredentialsTest, WaitsForASigner) {
  server.signs = false;
  Start({.bootstrap_kubeconfig = WriteKubeconfig("bootstrap.conf", "t")});
  EXPECT_THAT(connected, IsEmpty());
  EXPECT_THAT(errors, Contains(HasSubstr("nobody has signed")));
  server.signs = true;
  time.RunFor(60s);
  EXPECT_THAT(connected, SizeIs(1));
}

TEST_F(NodeCredentialsTest, RenewedByItselfWhileItRuns) {
  Start({.bootstrap_kubeconfig = WriteKubeconfig("bootstrap.conf", "t")});
  (void)TakeSigned();
  (void)http.TakeRequests();
  time.RunFor(28000s);
  EXPECT_THAT(TakeSigned(), IsEmpty());
  time.RunFor(1000s);
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient));
  // Not with the token, which may have ended long ago.
  EXPECT_EQ(TokenAsked(), "");
  EXPECT_THAT(connected, SizeIs(1));
  EXPECT_TRUE(Ask().ok());
}

TEST_F(NodeCredentialsTest, AnAgentThatWasDownAsksAsItselfWhileItsCertificateLives) {
  const NodeCredentials::Options options{.bootstrap_kubeconfig =
                                             WriteKubeconfig("bootstrap.conf", "t")};
  Start(options);
  credentials.reset();
  (void)TakeSigned();
  time.RunFor(30000s);
  Start(options);
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient));
  EXPECT_EQ(TokenAsked(), "");
  credentials.reset();
  // And by the token once it is nobody any more.
  time.RunFor(40000s);
  Start(options);
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient));
  EXPECT_EQ(TokenAsked(), "Bearer t");
}

TEST_F(NodeCredentialsTest, WhatTheServerDoesNotTakeIsMadeAnew) {
  Start({.bootstrap_kubeconfig = WriteKubeconfig("bootstrap.conf", "t")});
  (void)TakeSigned();
  time.RunFor(120s);
  http.AnswerNext({{.status = 401, .headers = {}, .body = ""}});
  EXPECT_EQ(Ask().error().code(), Code::kUnauthenticated);
  time.Settle();
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient));
  EXPECT_EQ(TokenAsked(), "Bearer t");
  EXPECT_TRUE(Ask().ok());
  // Not again and again.
  http.AnswerNext({{.status = 401, .headers = {}, .body = ""}});
  EXPECT_FALSE(Ask().ok());
  time.Settle();
  EXPECT_THAT(TakeSigned(), IsEmpty());
}

TEST_F(NodeCredentialsTest, AServingCertificateThatSomebodyApproves) {
  server.looks = 40;
  Start({.kubeconfig = WriteKubeconfig("agent.conf", "mine"), .rotate_server_certificates = true});
  EXPECT_THAT(TakeSigned(), ElementsAre(kServing));
  ASSERT_THAT(shown, SizeIs(2));
  EXPECT_THAT(*pki::Certificate::AllFromPem(shown[0].certificate), SizeIs(2));
  EXPECT_TRUE(
      pki::Certificate::FromPem(shown[1].certificate)->IsSignedBy(server.authority.certificate()));
  // The next start shows it from the first moment on.
  credentials.reset();
  Start({.kubeconfig = folder + "/agent.conf", .rotate_server_certificates = true});
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_TRUE(
      pki::Certificate::FromPem(shown[0].certificate)->IsSignedBy(server.authority.certificate()));
  EXPECT_THAT(TakeSigned(), IsEmpty());
}

TEST_F(NodeCredentialsTest, NoServerOnThisMachineYet) {
  WriteKubeconfig("admin.conf", "");
  Start(
      {.server_socket = folder + "/server.sock", .server_kubeconfig = folder + "/not-there.conf"});
  EXPECT_THAT(errors, ElementsAre(HasSubstr("not-there.conf")));
  WriteKubeconfig("not-there.conf", "t");
  time.RunFor(1s);
  EXPECT_EQ(errors.back(), "no server is listening at " + folder + "/server.sock");
  EXPECT_THAT(connected, IsEmpty());
}

TEST_F(NodeCredentialsTest, StoppedCallsEnd) {
  Start({.kubeconfig = WriteKubeconfig("agent.conf", "mine")});
  credentials->Stop();
  EXPECT_EQ(Ask().error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::node
