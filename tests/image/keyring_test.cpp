#include "image/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::image {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DockerConfig ConfigOf(const std::vector<std::string>& locations) {
  DockerConfig config;
  // The location is its own user.
  for (const std::string& location : locations) {
    config.auths.push_back({location, {.username = location, .password = "x"}});
  }
  return config;
}

std::vector<std::string> Users(const Keyring& keyring, std::string_view repository) {
  std::vector<std::string> users;
  const auto found = keyring.Lookup(repository);
  EXPECT_TRUE(found.ok());
  if (!found.ok()) return users;
  for (const Credentials& credentials : *found) users.push_back(credentials.username);
  return users;
}

bool Finds(const std::string& location, std::string_view repository) {
  Keyring keyring;
  keyring.Add(ConfigOf({location}));
  return !Users(keyring, repository).empty();
}

// The rows are the rules of upstream's URLsMatch, each with what it keeps apart.
TEST(KeyringTest, LocationsMatchAsUpstream) {
  struct Row {
    const char* location;
    const char* repository;
    bool matches;
  };
  constexpr Row kRows[] = {
      {"quay.io", "quay.io/team/app", true},
      {"quay.io", "quay.org/team/app", false},
      {"https://quay.io", "quay.io/team/app", true},
      {"http://quay.io/v2/", "quay.io/team/app", true},
      {"quay.io/v1/team", "quay.io/team/app", true},
      {"quay.io/team", "quay.io/team/app", true},
      {"quay.io/team", "quay.io/other/app", false},
      {"quay.io/te", "quay.io/team/app", true},  // upstream compares beginnings of bytes
      {"quay.io:443", "quay.io/app", false},
      {"r.example:5000", "r.example:5000/app", true},
      {"r.example:5000", "r.example:5001/app", false},
      {"r.example", "r.example:5000/app", false},
      {"*.example.com", "a.example.com/app", true},
      {"*.example.com", "a.b.example.com/app", false},
      {"*.example.com", "example.com/app", false},
      {"*.*.example.com", "a.b.example.com/app", true},
      {"prefix*.example.com:8080/p", "prefix-1.example.com:8080/p/app", true},
      {"prefix*.example.com:8080/p", "other.example.com:8080/p/app", false},
      {"r[0-9].example.com", "r1.example.com/app", true},
      {"r?.example.com", "r1.example.com/app", false},  // a query begins there
      {"*", "quay.io/app", false},
      {"*.io", "quay.io/app", true},
      {"[::1]:5000", "[::1]:5000/app", true},
      {"user@quay.io", "quay.io/app", true},
      {"quay.io?x=/y", "quay.io/app", true},
      {"quay.io:port", "quay.io:port/app", false},
      {"qu ay.io", "qu ay.io/app", false},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(Finds(row.location, row.repository), row.matches)
        << row.location << " and " << row.repository;
  }
}

TEST(KeyringTest, DockerHubHasManyNames) {
  for (const char* location :
       {"https://index.docker.io/v1/", "index.docker.io", "https://index.docker.io/v2/"}) {
    for (const char* repository :
         {"docker.io/library/nginx", "nginx", "me/app", "index.docker.io/me/app"}) {
      EXPECT_TRUE(Finds(location, repository)) << location << " and " << repository;
    }
    EXPECT_FALSE(Finds(location, "quay.io/app"));
    EXPECT_FALSE(Finds(location, "localhost:5000/app"));
  }
  EXPECT_TRUE(Finds("docker.io", "docker.io/library/nginx"));
  EXPECT_FALSE(Finds("index.docker.io/me", "docker.io/library/nginx"));
}

TEST(KeyringTest, TheMostSpecificComesFirst) {
  Keyring keyring;
  keyring.Add(ConfigOf({"quay.io", "quay.io/team", "quay.io/team/app", "*.io"}));
  EXPECT_THAT(Users(keyring, "quay.io/team/app"),
              ElementsAre("quay.io/team/app", "quay.io/team", "quay.io", "*.io"));
}

TEST(KeyringTest, SeveralOfOneLocationInOrder) {
  Keyring keyring;
  keyring.Add({.auths = {{"r.io", {.username = "new"}}}, .helpers = {}, .store = {}});
  keyring.Add({.auths = {{"https://r.io", {.username = "old"}}}, .helpers = {}, .store = {}});
  EXPECT_THAT(Users(keyring, "r.io/app"), ElementsAre("new", "old"));
  EXPECT_THAT(Users(keyring, "s.io/app"), IsEmpty());
}

TEST(KeyringTest, HelpersAreAskedOnlyWhenGiven) {
  DockerConfig config = ConfigOf({"r.io"});
  config.auths.push_back({"helped.io", {}});
  config.helpers = {{"helped.io", "special"}, {"https://index.docker.io/v1/", "hub"}};
  config.store = "general";
  std::vector<std::string> asked;
  const CredentialHelper helper = [&](const std::string& name, const std::string& server) {
    asked.push_back(name + " " + server);
    std::optional<Credentials> found;
    if (name != "general") found = Credentials{.username = name, .password = "x"};
    return Result<std::optional<Credentials>>(found);
  };

  Keyring without;
  without.Add(config);
  EXPECT_THAT(Users(without, "docker.io/library/nginx"), IsEmpty());
  EXPECT_THAT(Users(without, "r.io/app"), ElementsAre("r.io"));

  Keyring with;
  with.Add(config, helper);
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_THAT(Users(with, "helped.io/app"), ElementsAre("special"));
  EXPECT_THAT(Users(with, "docker.io/library/nginx"), ElementsAre("hub"));
  EXPECT_THAT(Users(with, "r.io/app"), ElementsAre("r.io"));
  EXPECT_THAT(asked,
              ElementsAre("special helped.io", "hub https://index.docker.io/v1/", "general r.io"));
}

TEST(KeyringTest, AHelperThatFailsIsAnError) {
  Keyring keyring;
  keyring.Add({.auths = {}, .helpers = {}, .store = "broken"},
              [](const std::string&, const std::string&) -> Result<std::optional<Credentials>> {
                return Error(Code::kUnauthenticated, "locked");
              });
  const auto found = keyring.Lookup("r.io/app");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message(), "locked");
}

}  // namespace
}  // namespace podium::image
