#include "client/kubeconfig_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "client/http_connection.h"
#include "client/virtual_time.h"
#include "http/peer.h"

namespace podium::client {
namespace {

using clientcmd::v1::Config;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class AddressTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view text) {
    const std::string path = folder_.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  // A program of a shell's words.
  std::string Script(const std::string& name, const std::string& text) {
    const std::string path = Write(name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  // What follows "users: [{name: u, user: {".
  Result<ChosenAddress> WithUser(const std::string& user, const AddressOverrides& overrides = {}) {
    return Chosen("server: \"" + server_ + "\"", user, overrides);
  }
  Result<ChosenAddress> Chosen(const std::string& cluster, const std::string& user,
                               const AddressOverrides& overrides = {}) {
    const std::string path = Write("config", "current-context: x\nclusters: [{name: c, cluster: {" +
                                                 cluster + "}}]\nusers: [{name: u, user: {" + user +
                                                 "}}]\ncontexts: [{name: x, context: {cluster: c, "
                                                 "user: u, namespace: space}}]\n");
    TRY(const KubeConfig config, KubeConfig::Load({.explicit_path = path}));
    return AddressOf(config.Resolved(), overrides, Environment());
  }
  AddressEnvironment Environment() {
    return {.lookup =
                [this](const char* name) {
                  const auto found = variables_.find(name);
                  return found == variables_.end() ? nullptr : found->second.c_str();
                },
            .clock = &time_,
            .interactive = interactive_};
  }
  static std::string Problem(const Result<ChosenAddress>& chosen) {
    return chosen.ok() ? "none" : chosen.error().message();
  }
  static std::string Authorization(const Result<ChosenAddress>& chosen) {
    if (!chosen.ok()) return chosen.error().message();
    const auto login = chosen->address.credentials->Current();
    return login.ok() ? login->authorization : login.error().message();
  }

  http::TestFolder folder_;
  VirtualTime time_;
  std::string server_ = "https://api.example:6443";
  std::map<std::string, std::string, std::less<>> variables_;
  bool interactive_ = false;
};

TEST_F(AddressTest, FollowsTheContext) {
  const auto chosen = WithUser("token: abc");
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->address.url, server_);
  EXPECT_EQ(chosen->namespace_, "space");
  EXPECT_EQ(Authorization(chosen), "Bearer abc");
  EXPECT_EQ(Authorization(WithUser("token: abc", {.token = "other"})), "Bearer other");
  EXPECT_EQ(Authorization(WithUser("username: me, password: 'p:w'")), "Basic bWU6cDp3");
  EXPECT_EQ(Problem(WithUser("", {.context = "none"})),
            "context \"none\" does not exist; there are x");
  EXPECT_THAT(Problem(WithUser("", {.cluster = "none"})), HasSubstr("cluster \"none\""));
  EXPECT_THAT(Problem(WithUser("", {.user = "none"})), HasSubstr("auth info \"none\""));
  EXPECT_EQ(WithUser("", {.server = "http://other"})->address.url, "http://other");
}

TEST_F(AddressTest, SaysWhatCannotBeMeant) {
  const auto user = [&](const std::string& text) { return Problem(WithUser(text)); };
  EXPECT_EQ(user("client-certificate-data: YWJj"),
            "invalid configuration: client-key-data or client-key must be specified for u to use "
            "the clientCert authentication method.");
  EXPECT_EQ(user("token: a, username: b"),
            "invalid configuration: more than one authentication method found for u; found [token "
            "basicAuth], only one is allowed");
  EXPECT_EQ(user("as-groups: [a]"),
            "invalid configuration: requesting uid, groups or user-extra for u without "
            "impersonating a user");
  EXPECT_THAT(user("auth-provider: {name: gcp}"), HasSubstr("use its exec plugin instead"));
  EXPECT_THAT(user("token: \"a\\nHost: evil\""), HasSubstr("control characters"));
  EXPECT_THAT(user("as: \"a\\r\\nX: y\""), HasSubstr("control characters"));
  EXPECT_THAT(user("client-certificate: /none.pem, client-key: /none.key"),
              HasSubstr("unable to read client-cert /none.pem"));
  EXPECT_THAT(user("tokenFile: " + Write("empty", " \n")), HasSubstr("read empty token from file"));
  const auto cluster = [&](const std::string& text) { return Problem(Chosen(text, "")); };
  EXPECT_THAT(cluster(""), HasSubstr("no server found for cluster \"c\""));
  EXPECT_THAT(cluster("server: 'ftp://x'"), HasSubstr("must be an http or https URL"));
  EXPECT_THAT(cluster("server: 'http://a b'"), HasSubstr("the server of cluster \"c\""));
  EXPECT_THAT(cluster("server: 'https://x', certificate-authority: /none.pem"),
              HasSubstr("unable to read certificate-authority /none.pem for c due to"));
  EXPECT_THAT(cluster("server: 'https://x', proxy-url: 'ftp://y'"),
              HasSubstr("invalid 'proxy-url' for cluster \"c\""));
  EXPECT_THAT(
      cluster("server: 'https://x', certificate-authority-data: YWJj, insecure-skip-tls-verify: "
              "true"),
      HasSubstr("with the insecure flag is not allowed"));
}

TEST_F(AddressTest, TakesTheClustersWords) {
  const auto chosen = Chosen(
      "server: 'https://x', tls-server-name: name, certificate-authority-data: YWJj, "
      "proxy-url: 'socks5://p:1'",
      "as: me, as-uid: '7', as-groups: [g, h], as-user-extra: {'a/b': [v, w]}");
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->address.tls.server_name, "name");
  EXPECT_EQ(chosen->address.tls.extra_roots, "abc");
  EXPECT_FALSE(chosen->address.tls.system_roots);
  EXPECT_EQ(chosen->address.proxy.always, "socks5://p:1");
  const http::Headers expected{{"Impersonate-User", "me"},       {"Impersonate-Uid", "7"},
                               {"Impersonate-Group", "g"},       {"Impersonate-Group", "h"},
                               {"Impersonate-Extra-a%2Fb", "v"}, {"Impersonate-Extra-a%2Fb", "w"}};
  EXPECT_EQ(chosen->address.headers, expected);
  const auto insecure = Chosen("server: 'https://x', certificate-authority: /none", "",
                               {.insecure_skip_tls_verify = true});
  ASSERT_TRUE(insecure.ok()) << insecure.error().message();
  EXPECT_TRUE(insecure->address.tls.skip_verify);
  EXPECT_TRUE(insecure->address.tls.system_roots);
  variables_["HTTPS_PROXY"] = "proxy:1";
  EXPECT_EQ(WithUser("")->address.proxy.https_proxy, "proxy:1");
}

TEST_F(AddressTest, ReadsTokenFilesAgain) {
  const std::string path = Write("token", "one\n");
  const auto chosen = WithUser("token: unused, tokenFile: token");
  EXPECT_EQ(Authorization(chosen), "Bearer one");
  Write("token", "two\n");
  EXPECT_EQ(Authorization(chosen), "Bearer one");
  time_.RunFor(61s);
  EXPECT_EQ(Authorization(chosen), "Bearer two");
  // One that is gone for a moment is no reason to forget it.
  std::filesystem::remove(path);
  time_.RunFor(61s);
  EXPECT_EQ(Authorization(chosen), "Bearer two");
  // After a 401 it is read at once.
  Write("token", "three\n");
  const Login used = *chosen->address.credentials->Current();
  EXPECT_TRUE(chosen->address.credentials->Renew(used));
  EXPECT_EQ(Authorization(chosen), "Bearer three");
  const Login newest = *chosen->address.credentials->Current();
  EXPECT_FALSE(chosen->address.credentials->Renew(newest));
}

constexpr const char* kAnswer =
    R"(echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
    R"("status":{"token":"t'$(cat count | wc -c)'"EXPIRES}}')";

std::string Answering(std::string expires = "") {
  std::string text(kAnswer);
  if (!expires.empty()) expires = ",\"expirationTimestamp\":\"" + expires + "\"";
  return "cd $(dirname $0); printf x >> count\n" + text.replace(text.find("EXPIRES"), 7, expires);
}

constexpr const char* kExec =
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never";

TEST_F(AddressTest, AsksAPluginOnceAndWhenItExpires) {
  Script("plugin", Answering("2026-03-14T09:30:00Z"));
  const auto chosen = WithUser(kExec + std::string("}"));
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(Authorization(chosen), "Bearer t1");
  EXPECT_EQ(Authorization(chosen), "Bearer t1");
  // It is 9:26:53.
  time_.RunFor(186s);
  EXPECT_EQ(Authorization(chosen), "Bearer t1");
  time_.RunFor(2s);
  EXPECT_EQ(Authorization(chosen), "Bearer t2");
}

TEST_F(AddressTest, AsksAPluginAgainAfter401) {
  Script("plugin", Answering());
  const auto chosen = WithUser(kExec + std::string("}"));
  EXPECT_EQ(Authorization(chosen), "Bearer t1");
  const Login used = *chosen->address.credentials->Current();
  EXPECT_TRUE(chosen->address.credentials->Renew(used));
  EXPECT_EQ(Authorization(chosen), "Bearer t2");
  // Another call that was refused with the old one does not run it a third time.
  EXPECT_TRUE(chosen->address.credentials->Renew(used));
  EXPECT_EQ(Authorization(chosen), "Bearer t2");
}

TEST_F(AddressTest, TellsThePluginWhatItIsFor) {
  Script("plugin",
         "cd $(dirname $0); echo \"$KUBERNETES_EXEC_INFO\" > info; echo \"$A $1 $2\" >> "
         "info; cat >> info\n" +
             Answering());
  const auto chosen = Chosen(
      "server: 'https://x', certificate-authority-data: YWJj, extensions: [{name: "
      "client.authentication.k8s.io/exec, extension: {audience: a}}]",
      kExec + std::string(", provideClusterInfo: true, args: [one, two three], env: [{name: A, "
                          "value: b}]}"));
  EXPECT_EQ(Authorization(chosen), "Bearer t1");
  std::ifstream file(folder_.path() + "/info");
  std::string info;
  std::string more;
  std::getline(file, info);
  std::getline(file, more);
  EXPECT_EQ(info,
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":)"
            R"({"cluster":{"server":"https://x","certificate-authority-data":"YWJj",)"
            R"("config":{"audience":"a"}},"interactive":false}})");
  EXPECT_EQ(more, "b one two three");
  // Nothing to read: its input was the null device.
  EXPECT_FALSE(std::getline(file, more));
}

TEST_F(AddressTest, SaysWhatIsWrongWithAPlugin) {
  const auto answer = [&](const std::string& json) {
    Script("plugin", "printf '%s' '" + json + "'");
    return Authorization(WithUser(kExec + std::string("}")));
  };
  const std::string head =
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1")";
  EXPECT_EQ(answer(head + "}"), "getting credentials: exec plugin didn't return a status field");
  EXPECT_EQ(answer(head + ",\"status\":{}}"),
            "getting credentials: exec plugin didn't return a token or cert/key pair");
  EXPECT_EQ(answer(head + ",\"status\":{\"clientKeyData\":\"k\"}}"),
            "getting credentials: exec plugin returned only certificate or key, not both");
  EXPECT_THAT(answer(head + R"(,"status":{"token":"a\nb"}})"), HasSubstr("control characters"));
  EXPECT_THAT(answer("{"), HasSubstr("decoding stdout"));
  EXPECT_EQ(
      answer(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})"),
      "getting credentials: exec plugin is configured to use API version "
      "client.authentication.k8s.io/v1, plugin returned version "
      "client.authentication.k8s.io/v1beta1");
  Script("plugin", "exit 3");
  EXPECT_EQ(Authorization(WithUser(kExec + std::string("}"))),
            "getting credentials: exec: executable " + folder_.path() +
                "/plugin failed with exit code 3");
  Script("plugin", "kill -9 $$");
  EXPECT_THAT(Authorization(WithUser(kExec + std::string("}"))), HasSubstr("signal 9"));
  Script("plugin", "yes | head -c 3000000");
  EXPECT_THAT(Authorization(WithUser(kExec + std::string("}"))), HasSubstr("says too much"));
  std::filesystem::remove(folder_.path() + "/plugin");
  EXPECT_EQ(
      Authorization(WithUser(kExec + std::string(", installHint: get it}"))),
      "getting credentials: exec: executable " + folder_.path() + "/plugin not found\n\nget it");
  const std::string always =
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
      "interactiveMode: Always}";
  EXPECT_THAT(Authorization(WithUser(always)), HasSubstr("standard input is not a terminal"));
  const auto user = [&](const std::string& text) { return Problem(WithUser("exec: {" + text)); };
  EXPECT_THAT(user("command: x}"), HasSubstr("apiVersion must be specified for u"));
  EXPECT_THAT(user("apiVersion: v1}"), HasSubstr("command must be specified for u"));
  EXPECT_THAT(user("command: x, apiVersion: v1}"), HasSubstr("invalid apiVersion \"v1\""));
  EXPECT_THAT(user("command: x, apiVersion: client.authentication.k8s.io/v1}"),
              HasSubstr("interactiveMode must be specified for u"));
  EXPECT_EQ(user("command: x, apiVersion: client.authentication.k8s.io/v1beta1}"), "none");
  EXPECT_THAT(user("command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: q}"),
              HasSubstr("invalid interactiveMode for u: \"q\""));
}

TEST_F(AddressTest, IsThePodsOwnInsideOfOne) {
  EXPECT_EQ(InClusterAddress(Environment(), folder_.path()).error().code(), Code::kNotFound);
  variables_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_THAT(Problem(InClusterAddress(Environment(), folder_.path())), HasSubstr("/token"));
  Write("token", "abc");
  Write("ca.crt", "roots");
  Write("namespace", "inside");
  const auto chosen = InClusterAddress(Environment(), folder_.path());
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->address.url, "https://[fd00::1]:443");
  EXPECT_EQ(chosen->address.tls.extra_roots, "roots");
  EXPECT_EQ(chosen->namespace_, "inside");
  EXPECT_EQ(Authorization(chosen), "Bearer abc");
}

TEST_F(AddressTest, FallsBackToTheServerOfThisMachine) {
  const std::string none = folder_.path() + "/none";
  const auto choose = [&](const KubeConfigSources& sources, const std::string& admin) {
    return DefaultAddress(sources, admin, {}, Environment(), folder_.path() + "/account");
  };
  const std::string problem = Problem(choose({.home_path = none}, none + "2"));
  EXPECT_THAT(problem, HasSubstr("name one with --kubeconfig or KUBECONFIG, or write " + none));
  EXPECT_THAT(problem, HasSubstr("no server has written " + none + "2"));
  const std::string text =
      "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
      "clusters: [{name: c, cluster: {server: 'https://NAME'}}]\n";
  const auto named = [&](const std::string& name) {
    std::string copy = text;
    return copy.replace(copy.find("NAME"), 4, name);
  };
  const std::string admin = Write("admin.kubeconfig", named("admin"));
  EXPECT_EQ(choose({.home_path = none}, admin)->address.url, "https://admin");
  // One that says nothing does not say otherwise.
  const std::string home = Write("home", "{}");
  EXPECT_EQ(choose({.home_path = home}, admin)->address.url, "https://admin");
  Write("home", named("home"));
  EXPECT_EQ(choose({.home_path = home}, admin)->address.url, "https://home");
  EXPECT_EQ(choose({.explicit_path = none}, admin).error().code(), Code::kNotFound);
  variables_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  Write("account/token", "abc");
  Write("account/ca.crt", "roots");
  EXPECT_EQ(choose({.home_path = none}, none)->address.url, "https://10.0.0.1:443");
  Write("admin.kubeconfig", "kind: Foo");
  EXPECT_THAT(Problem(choose({}, admin)), HasSubstr("and not a v1 Config"));
}

// The whole way: a certificate from the kubeconfig, a server that wants it, a name of its own.
TEST_F(AddressTest, ShowsItsCertificate) {
  const http::TestCertificates& pki = http::TestCertificates::Get();
  http::PeerServer server(
      [](http::Peer& peer, int) {
        (void)peer.ReadHead();
        peer.Answer(R"({"major":"1"})");
      },
      {.certificate = "server", .ask_client_certificate = true});
  const std::string cluster = "server: 'https://127.0.0.1:" + std::to_string(server.port()) +
                              "', certificate-authority: " + pki.folder + "/ca.pem";
  const std::string user = "client-certificate: " + pki.folder +
                           "/client.pem, client-key: " + pki.folder + "/client.key";
  const auto ask = [&](const std::string& of_cluster, const std::string& of_user) {
    auto chosen = Chosen(of_cluster, of_user);
    EXPECT_TRUE(chosen.ok()) << chosen.error().message();
    auto connection = HttpConnection::Create(chosen->address);
    return (*connection)->GetRaw("/version");
  };
  const auto version = ask(cluster, user);
  ASSERT_TRUE(version.ok()) << version.error().message();
  EXPECT_EQ(*version, R"({"major":"1"})");
  EXPECT_FALSE(ask(cluster, "token: x").ok());
  EXPECT_TRUE(ask(cluster + ", tls-server-name: localhost", user).ok());
  EXPECT_THAT(ask(cluster + ", tls-server-name: other.example", user).error().message(),
              HasSubstr("verify certificate"));
}

}  // namespace
}  // namespace podium::client
