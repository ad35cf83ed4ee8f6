#include "apiserver/authentication/credentials_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "apiserver/authentication/test_clock.h"
#include "pki/chain.h"
#include "reflect/base64.h"
#include "reflect/json_value.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kDay = 86400;

class CredentialsFolderTest : public ::testing::Test {
 protected:
  CredentialsFolderTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "podium-credentials-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    parent_ = pattern;
    options_.folder = parent_ + "/pki";
  }
  ~CredentialsFolderTest() override { std::filesystem::remove_all(parent_); }

  std::unique_ptr<CredentialsFolder> Open() {
    auto folder = CredentialsFolder::Open(options_, clock_);
    EXPECT_TRUE(folder.ok()) << folder.error().message();
    return folder.ok() ? *std::move(folder) : nullptr;
  }
  std::string OpenProblem() {
    const auto folder = CredentialsFolder::Open(options_, clock_);
    return folder.ok() ? "" : folder.error().message();
  }
  std::string PathOf(const std::string& name) const { return options_.folder + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(PathOf(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(PathOf(name)) << text;
  }

  TestClock clock_;
  std::string parent_;
  CredentialsOptions options_;
};

TEST_F(CredentialsFolderTest, TheFirstStartMakesAll) {
  options_.host_names = {"server-1", "localhost"};
  options_.addresses = {"10.96.0.1", "192.0.2.7"};
  const auto folder = Open();
  ASSERT_NE(folder, nullptr);
  EXPECT_THAT(folder->TakeNotes(), IsEmpty());
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
    struct stat facts{};
    ASSERT_EQ(stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U) << entry.path();
    EXPECT_THAT(entry.path().string(), Not(EndsWith(".new")));
  }
  struct stat facts{};
  ASSERT_EQ(stat(options_.folder.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);

  const int64_t now = clock_.seconds;
  EXPECT_EQ(folder->ca().certificate().not_after(), now + 3650 * kDay);
  const auto serving = pki::Certificate::FromPem(folder->serving()->certificate);
  ASSERT_TRUE(serving.ok());
  EXPECT_THAT(serving->alternative_names().dns,
              ElementsAre("kubernetes", "kubernetes.default", "kubernetes.default.svc",
                          "kubernetes.default.svc.cluster.local", "localhost", "server-1"));
  EXPECT_THAT(serving->alternative_names().addresses,
              ElementsAre("10.96.0.1", "127.0.0.1", "192.0.2.7", "::1"));
  const pki::Certificate roots[] = {folder->ca().certificate()};
  const auto trusted = pki::TrustedRoots::Create(roots);
  EXPECT_TRUE(trusted->Verify(*serving, {}, pki::Purpose::kServerAuth, now).ok());
  EXPECT_FALSE(trusted->Verify(*serving, {}, pki::Purpose::kClientAuth, now).ok());
}

TEST_F(CredentialsFolderTest, TheKubeconfigIsTheAdministrators) {
  options_.server_url = "https://127.0.0.1:7443";
  const auto folder = Open();
  ASSERT_NE(folder, nullptr);
  EXPECT_EQ(folder->kubeconfig_path(), PathOf("admin.conf"));
  const auto document = reflect::YamlToJson(Read("admin.conf"));
  ASSERT_TRUE(document.ok()) << document.error().message();
  const auto config = reflect::ParseJson(document->json);
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->Find("current-context")->string(), "kubernetes-admin@kubernetes");
  const auto& cluster = *config->Find("clusters")->array()[0].Find("cluster");
  EXPECT_EQ(cluster.Find("server")->string(), "https://127.0.0.1:7443");
  std::string bytes;
  ASSERT_FALSE(reflect::DecodeBase64(cluster.Find("certificate-authority-data")->string(), &bytes));
  EXPECT_EQ(bytes, folder->ca_pem());
  const auto& user = *config->Find("users")->array()[0].Find("user");
  ASSERT_FALSE(reflect::DecodeBase64(user.Find("client-certificate-data")->string(), &bytes));
  const auto certificate = pki::Certificate::FromPem(bytes);
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(certificate->subject().common_name, "kubernetes-admin");
  EXPECT_THAT(certificate->subject().organizations, ElementsAre("system:masters"));
  ASSERT_FALSE(reflect::DecodeBase64(user.Find("client-key-data")->string(), &bytes));
  const auto key = pki::PrivateKey::FromPem(bytes);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->public_key(), certificate->public_key());
}

TEST_F(CredentialsFolderTest, OtherStartsChangeNothing) {
  ASSERT_NE(Open(), nullptr);
  std::map<std::string, std::string> before;
  for (const char* name : {"ca.key", "ca.crt", "apiserver.key", "apiserver.crt", "admin.key",
                           "admin.crt", "admin.conf", "sa.key"}) {
    before[name] = Read(name);
    EXPECT_NE(before[name], "") << name;
  }
  clock_.seconds += 200 * kDay;
  const auto folder = Open();
  ASSERT_NE(folder, nullptr);
  EXPECT_THAT(folder->TakeNotes(), IsEmpty());
  for (const auto& [name, text] : before) EXPECT_EQ(Read(name), text) << name;
}

TEST_F(CredentialsFolderTest, CertificatesAreRenewedAtFourFifthsWhileTheServerRuns) {
  const auto folder = Open();
  ASSERT_NE(folder, nullptr);
  const std::string first = folder->serving()->certificate;
  const std::string kubeconfig = Read("admin.conf");
  std::vector<std::string> told;
  folder->OnNewServing([&](const KeyedCertificate& fresh) { told.push_back(fresh.certificate); });
  auto due = folder->Renew();
  ASSERT_TRUE(due.ok());
  EXPECT_NEAR(static_cast<double>(*due - clock_.seconds) / kDay, 292, 0.1);
  EXPECT_THAT(told, IsEmpty());
  clock_.seconds = *due - 1;
  ASSERT_TRUE(folder->Renew().ok());
  EXPECT_EQ(folder->serving()->certificate, first);
  clock_.seconds = *due;
  due = folder->Renew();
  ASSERT_TRUE(due.ok());
  EXPECT_GT(*due, clock_.seconds + 290 * kDay);
  EXPECT_NE(folder->serving()->certificate, first);
  EXPECT_THAT(told, ElementsAre(folder->serving()->certificate));
  EXPECT_EQ(Read("apiserver.crt"), folder->serving()->certificate);
  EXPECT_NE(Read("admin.conf"), kubeconfig);
  EXPECT_THAT(folder->TakeNotes(), Contains(HasSubstr("apiserver.crt is due; it is made anew")));
}

TEST_F(CredentialsFolderTest, TheAuthorityIsRenewedWithItsKey) {
  auto folder = Open();
  ASSERT_NE(folder, nullptr);
  const auto old = folder->ca().certificate();
  const auto client = folder->IssueClient({.common_name = "node"});
  clock_.seconds += 3000 * kDay;
  folder = Open();
  ASSERT_NE(folder, nullptr);
  EXPECT_GT(folder->ca().certificate().not_after(), old.not_after() + 2900 * kDay);
  // What it signed before is still of it.
  EXPECT_TRUE(
      pki::Certificate::FromPem(client->certificate)->IsSignedBy(folder->ca().certificate()));
  EXPECT_THAT(folder->TakeNotes(), Contains(HasSubstr("ca.crt is renewed, with the same key")));
}

TEST_F(CredentialsFolderTest, NewNamesMakeANewCertificate) {
  ASSERT_NE(Open(), nullptr);
  options_.addresses = {"192.0.2.9"};
  const auto folder = Open();
  ASSERT_NE(folder, nullptr);
  const auto serving = pki::Certificate::FromPem(folder->serving()->certificate);
  EXPECT_THAT(serving->alternative_names().addresses, Contains("192.0.2.9"));
  EXPECT_THAT(folder->TakeNotes(), ElementsAre(HasSubstr("is for other names; it is made anew")));
}

// A crash may come between any two writes: each state that it can leave is found at the start, and
// what has been signed before still counts.
TEST_F(CredentialsFolderTest, WhatACrashLeaves) {
  ASSERT_NE(Open(), nullptr);
  const std::string authority_key = Read("ca.key");
  struct Case {
    std::vector<std::string> missing;
    std::string note;
  };
  for (const Case& left : {
           Case{{"ca.crt", "sa.key", "apiserver.key", "apiserver.crt", "admin.key", "admin.crt",
                 "admin.conf"},
                "ca.crt was not there, and is made for ca.key"},
           Case{{"apiserver.crt"}, "apiserver.crt or its key was not there"},
           Case{{"admin.crt", "admin.conf"}, "admin.crt or its key was not there"},
           Case{{"admin.conf"}, ""},
       }) {
    for (const std::string& name : left.missing) ASSERT_EQ(unlink(PathOf(name).c_str()), 0);
    Write("apiserver.key.new", "half");
    const auto folder = Open();
    ASSERT_NE(folder, nullptr);
    EXPECT_EQ(Read("ca.key"), authority_key);
    const auto notes = folder->TakeNotes();
    if (left.note.empty()) {
      EXPECT_THAT(notes, IsEmpty());
    } else {
      EXPECT_THAT(notes, Contains(HasSubstr(left.note)));
    }
    for (const char* name : {"ca.crt", "sa.key", "apiserver.crt", "admin.crt", "admin.conf"}) {
      EXPECT_NE(Read(name), "") << name;
    }
  }
  // A new key, and the certificate of the old one.
  Write("apiserver.key", pki::PrivateKey::Generate()->Pem());
  auto folder = Open();
  ASSERT_NE(folder, nullptr);
  EXPECT_THAT(folder->TakeNotes(), ElementsAre(HasSubstr("apiserver.crt is of another key")));
  // A file whose bytes never came to the disk.
  Write("admin.crt", "");
  folder = Open();
  EXPECT_THAT(folder->TakeNotes(), ElementsAre(HasSubstr("admin.crt cannot be read")));
}

TEST_F(CredentialsFolderTest, AnAuthorityThatDoesNotFitIsNotReplaced) {
  ASSERT_NE(Open(), nullptr);
  const std::string key = Read("ca.key");
  const std::string certificate = Read("ca.crt");
  ASSERT_EQ(unlink(PathOf("ca.key").c_str()), 0);
  EXPECT_THAT(OpenProblem(), HasSubstr("ca.crt is there without its key: put ca.key back"));
  Write("ca.key", pki::PrivateKey::Generate()->Pem());
  EXPECT_THAT(OpenProblem(), HasSubstr("the key is not that of the certificate of 'kubernetes'"));
  Write("ca.key", "");
  EXPECT_THAT(OpenProblem(), EndsWith("ca.key: no block PRIVATE KEY"));
  Write("ca.key", key);
  Write("ca.crt", Read("apiserver.crt"));
  EXPECT_THAT(OpenProblem(), HasSubstr("is no certificate authority's"));
  Write("ca.crt", certificate);
  EXPECT_EQ(OpenProblem(), "");
  // An authority of somebody else, which is theirs to renew.
  const auto other =
      pki::CertificateAuthority::Create("acme", clock_.seconds - 2 * kDay, clock_.seconds + kDay);
  Write("ca.key", other->key().Pem());
  Write("ca.crt", other->certificate().Pem());
  EXPECT_EQ(OpenProblem(), "");
  clock_.seconds += 2 * kDay;
  EXPECT_THAT(OpenProblem(), EndsWith("ca.crt has expired"));
}

// What cannot be written whole is not written at all.
TEST_F(CredentialsFolderTest, AFolderThatIsNotThere) {
  options_.kubeconfig_path = parent_ + "/none/admin.conf";
  EXPECT_THAT(OpenProblem(), HasSubstr("none/admin.conf.new"));
  EXPECT_TRUE(std::filesystem::is_empty(options_.folder));
  options_.kubeconfig_path = parent_ + "/admin.conf";
  EXPECT_EQ(OpenProblem(), "");
  EXPECT_TRUE(std::filesystem::exists(options_.kubeconfig_path));
  EXPECT_FALSE(std::filesystem::exists(PathOf("admin.conf")));
}

TEST_F(CredentialsFolderTest, RightsOfOthersAreTakenAwayAndLinksAreNotFollowed) {
  ASSERT_NE(Open(), nullptr);
  ASSERT_EQ(chmod(PathOf("sa.key").c_str(), 0644), 0);
  ASSERT_NE(Open(), nullptr);
  struct stat facts{};
  ASSERT_EQ(stat(PathOf("sa.key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  ASSERT_EQ(rename(PathOf("sa.key").c_str(), (parent_ + "/key").c_str()), 0);
  ASSERT_EQ(symlink((parent_ + "/key").c_str(), PathOf("sa.key").c_str()), 0);
  EXPECT_THAT(OpenProblem(), EndsWith("sa.key is a link"));
}

}  // namespace
}  // namespace podium::apiserver
