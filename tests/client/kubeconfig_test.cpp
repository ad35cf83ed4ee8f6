#include "client/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "http/peer.h"

namespace podium::client {
namespace {

using clientcmd::v1::Config;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kFull = R"(apiVersion: v1
kind: Config
clusters:
- name: b
  cluster: {server: "https://b"}
- name: a
  cluster: {server: "https://x", certificate-authority-data: YWJj,
            extensions: [{name: e, extension: {b: 1}}], unknown: 1}
users:
- name: u
  user: {token: abc, password: p, username: nn, tokenFile: rel/tok,
         client-certificate-data: YWJj, client-key: rel/key, as-user-extra: {k: [v]},
         exec: {command: ./x, apiVersion: client.authentication.k8s.io/v1,
                env: [{name: A, value: b}]}}
contexts: []
)";

clientcmd::v1::Cluster ClusterAt(std::string_view server) {
  clientcmd::v1::Cluster cluster;
  cluster.server = server;
  return cluster;
}

class KubeConfigTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view text) {
    const std::string path = folder_.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  KubeConfig Loaded(std::vector<std::string> paths) {
    auto loaded = KubeConfig::Load({.paths = std::move(paths)});
    EXPECT_TRUE(loaded.ok()) << loaded.error().message();
    return *std::move(loaded);
  }

  http::TestFolder folder_;
};

TEST_F(KubeConfigTest, IsPrintedAsKubectlDoes) {
  const auto config = ParseKubeConfig(kFull);
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(*PrintKubeConfig(*config), R"(apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: YWJj
    extensions:
    - extension:
        b: 1
      name: e
    server: https://x
  name: a
- cluster:
    server: https://b
  name: b
contexts: null
current-context: ""
kind: Config
users:
- name: u
  user:
    as-user-extra:
      k:
      - v
    client-certificate-data: YWJj
    client-key: rel/key
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args: null
      command: ./x
      env:
      - name: A
        value: b
      provideClusterInfo: false
    password: p
    token: abc
    tokenFile: rel/tok
    username: nn
)");
  const std::string shown = *PrintKubeConfig(Redacted(*config));
  EXPECT_THAT(shown, HasSubstr("certificate-authority-data: DATA+OMITTED\n"));
  EXPECT_THAT(shown, HasSubstr("client-certificate-data: DATA+OMITTED\n"));
  EXPECT_THAT(shown, HasSubstr("password: REDACTED\n"));
  EXPECT_THAT(shown, HasSubstr("token: REDACTED\n"));
  EXPECT_THAT(shown, HasSubstr("client-key: rel/key\n"));
}

TEST_F(KubeConfigTest, SaysWhatIsWrongWithAFile) {
  const auto problem = [](std::string_view text) {
    const auto config = ParseKubeConfig(text);
    return config.ok() ? std::string() : config.error().message();
  };
  EXPECT_EQ(problem(""), "");
  EXPECT_EQ(problem("{}"), "");
  EXPECT_EQ(problem("kind: Foo\napiVersion: v1"), "it is a v1 Foo, and not a v1 Config");
  EXPECT_EQ(problem("clusters:\n- name: a\n- name: a\n"),
            "two clusters are called \"a\"; remove or rename one of them");
  EXPECT_THAT(problem("users:\n- name: a\n- name: a\n"), HasSubstr("two users"));
  EXPECT_THAT(problem("contexts:\n- name: a\n- name: a\n"), HasSubstr("two contexts"));
  EXPECT_THAT(problem("users:\n- name: u\n  user:\n    username: yes\n"), HasSubstr("line 4"));
  EXPECT_THAT(problem("users:\n- name: u\n  user: {client-key-data: '%'}\n"), HasSubstr("line 3"));
  EXPECT_THAT(problem("a: ["), HasSubstr("yaml: line"));
  EXPECT_NE(problem("[]"), "");
  EXPECT_NE(problem("a: &a [*a]"), "");
  EXPECT_NE(problem(std::string(5000, '[')), "");
  const std::string path = Write("bad", "kind: Foo");
  EXPECT_EQ(ReadKubeConfig(path).error().message(),
            "the kubeconfig " + path + ": it is a  Foo, and not a v1 Config");
  EXPECT_THAT(ReadKubeConfig("/no/such").error().message(),
              HasSubstr("reading the kubeconfig /no/such: "));
  EXPECT_FALSE(ReadKubeConfig(folder_.path()).ok());
}

TEST_F(KubeConfigTest, FindsItsFiles) {
  std::map<std::string, const char*> environment = {{"HOME", "/home/me"}};
  const auto lookup = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second;
  };
  EXPECT_THAT(KubeConfigSourcesOf(lookup).Precedence(), ElementsAre("/home/me/.kube/config"));
  environment["KUBECONFIG"] = "/a::/b:/a:";
  EXPECT_THAT(KubeConfigSourcesOf(lookup).Precedence(), ElementsAre("/a", "/b"));
  EXPECT_THAT(KubeConfigSourcesOf(lookup, "/c").Precedence(), ElementsAre("/c"));
  // Where new entries go: the first that is there, else the last.
  EXPECT_EQ(KubeConfigSourcesOf(lookup).DefaultPath(), "/b");
  const std::string there = Write("there", "");
  const std::string list = "/a:" + there + ":/b";
  environment["KUBECONFIG"] = list.c_str();
  EXPECT_EQ(KubeConfigSourcesOf(lookup).DefaultPath(), there);
  EXPECT_EQ(KubeConfig::Load({.explicit_path = "/no/such"}).error().code(), Code::kNotFound);
  EXPECT_TRUE(KubeConfig::LoadIfThere({.explicit_path = "/no/such"})->merged().users.empty());
  EXPECT_FALSE(Loaded({"/no/such"}).found());
}

TEST_F(KubeConfigTest, TheFirstFileWins) {
  const std::string one = Write("one", R"(
clusters: [{name: c, cluster: {server: one}}]
users: [{name: u, user: {token: one}}]
)");
  const std::string two = Write("two", R"(
current-context: second
clusters: [{name: c, cluster: {server: two, tls-server-name: two}}, {name: d, cluster: {server: d}}]
contexts: [{name: second, context: {cluster: d, user: u}}]
)");
  const std::string three = Write("three", "current-context: third\nusers: [{name: u}]\n");
  const KubeConfig config = Loaded({one, "/no/such", two, three});
  const Config merged = config.merged();
  EXPECT_EQ(merged.currentContext, "second");
  // As a whole: nothing of the second file's cluster comes along.
  EXPECT_EQ(FindCluster(merged, "c")->server, "one");
  EXPECT_EQ(FindCluster(merged, "c")->tlsServerName, "");
  EXPECT_EQ(FindCluster(merged, "d")->server, "d");
  EXPECT_EQ(FindUser(merged, "u")->token, "one");
  EXPECT_EQ(config.OriginOf("cluster", "c"), one);
  EXPECT_EQ(config.OriginOf("cluster", "d"), two);
  EXPECT_EQ(config.OriginOf("context", "none"), "");
}

TEST_F(KubeConfigTest, PathsAreSeenFromTheirFile) {
  const std::string one = Write("one/config", R"(
clusters: [{name: c, cluster: {server: s, certificate-authority: pki/../ca.pem}}]
)");
  const std::string two = Write("two/config", R"(
users:
- {name: u, user: {client-certificate: a.pem, client-key: /abs.pem, tokenFile: ../tok,
                   exec: {command: bin/x}}}
- {name: v, user: {exec: {command: x}}}
)");
  const Config config = Loaded({one, two}).Resolved();
  EXPECT_EQ(FindCluster(config, "c")->certificateAuthority, folder_.path() + "/one/ca.pem");
  const auto* user = FindUser(config, "u");
  EXPECT_EQ(user->clientCertificate, folder_.path() + "/two/a.pem");
  EXPECT_EQ(user->clientKey, "/abs.pem");
  EXPECT_EQ(user->tokenFile, folder_.path() + "/tok");
  EXPECT_EQ(user->exec->command, folder_.path() + "/two/bin/x");
  EXPECT_EQ(FindUser(config, "v")->exec->command, "x");
}

TEST_F(KubeConfigTest, EntriesAreWrittenWhereTheyCameFrom) {
  const std::string one = Write("one", "clusters: [{name: c, cluster: {server: one}}]\n");
  const std::string two = Write("two", R"(
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t, client-key: rel/key}}]
)");
  KubeConfig config = Loaded({one, two});
  auto user = *FindUser(config.merged(), "u");
  user.token = "new";
  config.SetUser("u", user);
  clientcmd::v1::Context context;
  context.cluster = "c";
  config.SetContext("y", context);
  // Nothing is written before Save; and what others write meanwhile stays.
  EXPECT_THAT(Read(two), HasSubstr("token: t,"));
  Write("one", "clusters: [{name: c, cluster: {server: one}}, {name: e, cluster: {server: e}}]\n");
  ASSERT_TRUE(config.Save().ok());
  const Config first = *ReadKubeConfig(one);
  const Config second = *ReadKubeConfig(two);
  EXPECT_TRUE(FindContext(first, "y"));
  EXPECT_TRUE(FindCluster(first, "e"));
  EXPECT_FALSE(FindUser(first, "u"));
  EXPECT_EQ(FindUser(second, "u")->token, "new");
  EXPECT_EQ(FindUser(second, "u")->clientKey, "rel/key");
  EXPECT_FALSE(FindContext(second, "y"));
  EXPECT_FALSE(std::filesystem::exists(one + ".lock"));
  struct stat status{};
  ASSERT_EQ(stat(two.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(KubeConfigTest, ChangesContexts) {
  const std::string one = Write("one", "contexts: [{name: a, context: {cluster: c}}]\n");
  const std::string two =
      Write("two", "current-context: b\ncontexts: [{name: b, context: {cluster: d}}]\n");
  KubeConfig config = Loaded({one, two});
  EXPECT_EQ(config.UseContext("none").error().message(),
            "no context exists with the name: \"none\"");
  ASSERT_TRUE(config.UseContext("a").ok());
  EXPECT_EQ(config.merged().currentContext, "a");
  ASSERT_TRUE(config.RenameContext("a", "c").ok());
  EXPECT_EQ(config.merged().currentContext, "c");
  EXPECT_EQ(config.RenameContext("a", "x").error().message(),
            "cannot rename the context \"a\", it's not in " + one);
  EXPECT_EQ(config.RenameContext("c", "b").error().message(),
            "cannot rename the context \"c\", the context \"b\" already exists in " + two);
  EXPECT_EQ(config.RemoveContext("a").error().message(), "cannot delete context a, not in " + one);
  ASSERT_TRUE(config.RemoveContext("b").ok());
  EXPECT_EQ(config.RemoveCluster("q").error().code(), Code::kNotFound);
  EXPECT_EQ(config.RemoveUser("q").error().code(), Code::kNotFound);
  ASSERT_TRUE(config.Save().ok());
  EXPECT_EQ(ReadKubeConfig(one)->currentContext, "c");
  EXPECT_EQ(ReadKubeConfig(two)->contexts.size(), 0U);
  EXPECT_EQ(ReadKubeConfig(two)->currentContext, "b");
  // Clearing takes the first away, and the next one comes into its own.
  KubeConfig again = Loaded({one, two});
  ASSERT_TRUE(again.UseContext("").ok());
  ASSERT_TRUE(again.Save().ok());
  EXPECT_EQ(Loaded({one, two}).merged().currentContext, "b");
}

TEST_F(KubeConfigTest, MakesItsFileAndItsFolder) {
  const std::string path = folder_.path() + "/home/.kube/config";
  KubeConfig config = *KubeConfig::Load({.home_path = path});
  config.SetCluster("c", ClusterAt("https://s"));
  ASSERT_TRUE(config.UseContext("").ok());
  ASSERT_TRUE(config.Save().ok());
  EXPECT_EQ(FindCluster(*ReadKubeConfig(path), "c")->server, "https://s");
  KubeConfig nowhere = *KubeConfig::Load({});
  nowhere.SetCluster("c", {});
  EXPECT_THAT(nowhere.Save().error().message(), HasSubstr("set HOME or KUBECONFIG"));
}

TEST_F(KubeConfigTest, GivesWayToAnotherWriter) {
  const std::string path = Write("one", "");
  const std::string lock = Write("one.lock", "");
  KubeConfig config = Loaded({path});
  config.SetCluster("c", {});
  const auto saved = config.Save();
  EXPECT_EQ(saved.error().code(), Code::kUnavailable);
  EXPECT_THAT(saved.error().message(), HasSubstr("remove " + lock));
  // The other's lock stays.
  EXPECT_TRUE(std::filesystem::exists(lock));
  EXPECT_EQ(Read(path), "");
  std::filesystem::remove(lock);
  EXPECT_TRUE(config.Save().ok());
}

TEST_F(KubeConfigTest, WritesThroughASymbolicLink) {
  const std::string real = Write("real/config", "");
  const std::string link = folder_.path() + "/link";
  std::filesystem::create_symlink(real, link);
  KubeConfig config = Loaded({link});
  config.SetCluster("c", ClusterAt("s"));
  ASSERT_TRUE(config.Save().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(FindCluster(*ReadKubeConfig(real), "c"));
}

TEST_F(KubeConfigTest, MinifiesAndFlattens) {
  Write("ca.pem", "roots");
  Write("key.pem", "key");
  const std::string path = Write("config", R"(
current-context: x
clusters: [{name: c, cluster: {server: s, certificate-authority: ca.pem}},
           {name: d, cluster: {server: s}}]
users: [{name: u, user: {client-key: key.pem, client-certificate-data: YWJj,
                         client-certificate: none.pem}}, {name: v}]
contexts: [{name: x, context: {cluster: c, user: u}}, {name: z, context: {cluster: none}}]
)");
  const Config config = Loaded({path}).Resolved();
  const auto small = Minified(config);
  ASSERT_TRUE(small.ok()) << small.error().message();
  EXPECT_EQ(small->clusters.size(), 1U);
  EXPECT_EQ(small->users.size(), 1U);
  EXPECT_EQ(small->contexts.size(), 1U);
  EXPECT_EQ(Minified(config, "w").error().message(), "cannot locate context w");
  EXPECT_EQ(Minified(config, "z").error().message(), "cannot locate cluster none");
  EXPECT_EQ(Minified({}).error().message(), "current-context must exist in order to minify");
  const auto flat = Flattened(*small);
  ASSERT_TRUE(flat.ok()) << flat.error().message();
  EXPECT_EQ(flat->clusters[0].cluster.certificateAuthorityData.data, "roots");
  EXPECT_EQ(flat->clusters[0].cluster.certificateAuthority, "");
  EXPECT_EQ(flat->users[0].user.clientKeyData.data, "key");
  // Data wins over a file, which is not even looked at.
  EXPECT_EQ(flat->users[0].user.clientCertificateData.data, "abc");
  EXPECT_EQ(flat->users[0].user.clientCertificate, "");
}

}  // namespace
}  // namespace podium::client
