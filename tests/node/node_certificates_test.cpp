#include "node/node_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/types/core_v1.h"
#include "client/signing_server.h"
#include "client/virtual_time.h"
#include "pki/keys.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kClient = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr const char* kServing = "kubernetes.io/kubelet-serving";

class NodeCertificatesTest : public testing::Test {
 public:
  NodeCertificatesTest() {
    char name[] = "/tmp/podium_node_certificates_XXXXXX";
    folder = mkdtemp(name);
    PublishRootCa();
  }
  ~NodeCertificatesTest() override { std::filesystem::remove_all(folder); }

  void PublishRootCa() {
    api::core::v1::ConfigMap map;
    map.metadata.namespace_ = "kube-system";
    map.metadata.name = "kube-root-ca.crt";
    map.data["ca.crt"] = server.authority.certificate().Pem();
    const auto target = client::TargetOf(reflect::TypeOf<api::core::v1::ConfigMap>(),
                                         {"kube-system", "kube-root-ca.crt"});
    (void)server.Delete(*target, {});
    client::Target all = *target;
    all.name.clear();
    ASSERT_TRUE(server.Create(all, map, {}).ok());
  }
  NodeCertificates Make(const std::string& node = "n1", const std::string& address = "10.0.0.7") {
    return NodeCertificates({.folder = folder + "/pki",
                             .node_name = node,
                             .serving = {.dns = {node}, .addresses = {address}}},
                            time);
  }
  std::string Path(const char* name) { return folder + "/pki/" + name; }
  std::string Read(const char* name) {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> TakeSigned() { return std::exchange(server.signed_for, {}); }

  client::VirtualTime time;
  client::SigningServer server{time};
  std::string folder;
};

TEST_F(NodeCertificatesTest, BothAreMadeAndKept) {
  NodeCertificates certificates = Make();
  EXPECT_EQ(certificates.client(), nullptr);
  const auto again = certificates.Renew(server);
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient, kServing));
  EXPECT_EQ(certificates.root_ca(), server.authority.certificate().Pem());

  const auto client = pki::Certificate::FromPem(certificates.client()->certificate);
  EXPECT_EQ(client->subject(),
            (pki::Subject{.common_name = "system:node:n1", .organizations = {"system:nodes"}}));
  EXPECT_EQ(client->alternative_names(), pki::AlternativeNames());
  EXPECT_EQ(client->public_key(),
            pki::PrivateKey::FromPem(certificates.client()->key)->public_key());
  const auto serving = pki::Certificate::FromPem(certificates.serving()->certificate);
  EXPECT_EQ(serving->alternative_names(),
            (pki::AlternativeNames{.dns = {"n1"}, .addresses = {"10.0.0.7"}}));
  EXPECT_NE(certificates.client()->key, certificates.serving()->key);
  EXPECT_EQ(*again, client->not_before() + 36000 / 5 * 4);

  struct stat status = {};
  ASSERT_EQ(stat(Path("kubelet-client-current.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((folder + "/pki").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);

  // The next start has them, and asks nobody.
  NodeCertificates next = Make();
  ASSERT_TRUE(next.Renew(server).ok());
  EXPECT_THAT(TakeSigned(), IsEmpty());
  EXPECT_EQ(next.client()->certificate, certificates.client()->certificate);
  EXPECT_EQ(next.serving()->key, certificates.serving()->key);
}

TEST_F(NodeCertificatesTest, RenewedAfterFourFifths) {
  NodeCertificates certificates = Make();
  const int64_t again = *certificates.Renew(server);
  (void)TakeSigned();
  const std::string old_key = certificates.client()->key;
  time.RunFor(std::chrono::seconds(again - time.Now() / kNanosPerSecond - 2));
  EXPECT_EQ(*certificates.Renew(server), again);
  EXPECT_THAT(TakeSigned(), IsEmpty());
  time.RunFor(3s);
  EXPECT_GT(*certificates.Renew(server), again);
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient, kServing));
  EXPECT_NE(certificates.client()->key, old_key);
}

TEST_F(NodeCertificatesTest, WhatDoesNotFitIsMadeAnew) {
  ASSERT_TRUE(Make().Renew(server).ok());
  (void)TakeSigned();
  // Another address.
  ASSERT_TRUE(Make("n1", "10.0.0.8").Renew(server).ok());
  EXPECT_THAT(TakeSigned(), ElementsAre(kServing));
  // Another name.
  ASSERT_TRUE(Make("n2", "10.0.0.8").Renew(server).ok());
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient, kServing));
  // Damage, and a key of another certificate.
  std::ofstream(Path("kubelet-client-current.pem")) << "junk";
  const std::string certificate = Read("kubelet-server-current.pem");
  std::ofstream(Path("kubelet-server-current.pem"))
      << certificate.substr(0, certificate.find("-----BEGIN PRIVATE"))
      << pki::PrivateKey::Generate()->Pem();
  ASSERT_TRUE(Make("n2", "10.0.0.8").Renew(server).ok());
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient, kServing));
  // Another cluster.
  server.authority = *pki::CertificateAuthority::Create("ca", 0, int64_t{1} << 33);
  PublishRootCa();
  ASSERT_TRUE(Make("n2", "10.0.0.8").Renew(server).ok());
  EXPECT_THAT(TakeSigned(), ElementsAre(kClient, kServing));
}

TEST_F(NodeCertificatesTest, WhatWasThereStaysWhenNobodySigns) {
  NodeCertificates certificates = Make();
  ASSERT_TRUE(certificates.Renew(server).ok());
  const auto before = certificates.client();
  server.signs = false;
  time.RunFor(std::chrono::seconds(36000));
  EXPECT_EQ(certificates.Renew(server).error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(certificates.client(), before);
}

TEST_F(NodeCertificatesTest, WaitsForTheClustersAuthority) {
  const auto target = client::TargetOf(reflect::TypeOf<api::core::v1::ConfigMap>(),
                                       {"kube-system", "kube-root-ca.crt"});
  ASSERT_TRUE(server.Delete(*target, {}).ok());
  NodeCertificates certificates = Make();
  EXPECT_EQ(certificates.Renew(server).error().code(), Code::kUnavailable);
  EXPECT_EQ(certificates.serving(), nullptr);
  EXPECT_THAT(TakeSigned(), IsEmpty());
}

}  // namespace
}  // namespace podium::node
