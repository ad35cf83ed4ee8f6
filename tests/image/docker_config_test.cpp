#include "image/docker_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::image {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string ErrorOf(std::string_view json) {
  const auto config = ReadDockerConfigJson(json);
  return config.ok() ? "" : config.error().message();
}

TEST(DockerConfigTest, ReadsWhatDockerLoginWrites) {
  // user:pass, and o:a:b without its padding.
  const auto config = ReadDockerConfigJson(R"({
    "auths": {
      "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNz", "email": "me@example.com"},
      "quay.io": {"username": "u", "password": "p"},
      "a.example": {"auth": "bzphOmI"},
      "t.example": {"identitytoken": "it", "registrytoken": "rt"},
      "helped.example": {}, "null.example": null
    },
    "credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud"},
    "psFormat": "table", "HttpHeaders": {"x": "y"}})");
  ASSERT_TRUE(config.ok()) << config.error().message();
  ASSERT_THAT(config->auths, SizeIs(6));
  EXPECT_EQ(config->auths[0].location, "https://index.docker.io/v1/");
  EXPECT_EQ(config->auths[0].credentials, (Credentials{.username = "user", .password = "pass"}));
  EXPECT_EQ(config->auths[1].credentials, (Credentials{.username = "u", .password = "p"}));
  EXPECT_EQ(config->auths[2].credentials, (Credentials{.username = "o", .password = "a:b"}));
  EXPECT_EQ(config->auths[3].credentials,
            (Credentials{.identity_token = "it", .registry_token = "rt"}));
  EXPECT_TRUE(config->auths[4].credentials.empty());
  EXPECT_TRUE(config->auths[5].credentials.empty());
  EXPECT_EQ(config->store, "desktop");
  ASSERT_THAT(config->helpers, SizeIs(1));
  EXPECT_EQ(config->helpers[0].second, "gcloud");
}

TEST(DockerConfigTest, TheAuthFieldWinsOverNameAndPassword) {
  const auto config = ReadDockerConfigJson(
      R"({"auths": {"a": {"username": "x", "password": "y", "auth": "dXNlcjpwYXNz"}}})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->auths[0].credentials.username, "user");
  EXPECT_EQ(config->auths[0].credentials.password, "pass");
}

TEST(DockerConfigTest, EmptyFiles) {
  for (const char* text : {"{}", R"({"auths": null})", R"({"auths": {}, "credHelpers": null})"}) {
    const auto config = ReadDockerConfigJson(text);
    ASSERT_TRUE(config.ok()) << text;
    EXPECT_THAT(config->auths, IsEmpty());
  }
}

TEST(DockerConfigTest, ErrorsNameThePlaceAndShowNoSecret) {
  EXPECT_THAT(ErrorOf("secret"), HasSubstr("Docker's config.json: offset 0"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("not a JSON object"));
  EXPECT_EQ(ErrorOf(R"({"auths": []})"), "auths: not a JSON object");
  EXPECT_EQ(ErrorOf(R"({"auths": {"r.io": 1}})"), R"(auths["r.io"]: not a JSON object)");
  EXPECT_EQ(ErrorOf(R"({"auths": {"r.io": {"password": 12345}}})"),
            R"(auths["r.io"].password: not a string)");
  EXPECT_EQ(ErrorOf(R"({"auths": {"r.io": {"auth": "hunter2!"}}})"),
            R"(auths["r.io"].auth: not base64)");
  const std::string no_colon = ErrorOf(R"({"auths": {"r.io": {"auth": "aHVudGVyMg=="}}})");
  EXPECT_THAT(no_colon, HasSubstr("must be formatted as base64(username:password)"));
  EXPECT_THAT(no_colon, Not(HasSubstr("hunter2")));
  EXPECT_EQ(ErrorOf(R"({"credHelpers": 1})"), "credHelpers: not a JSON object");
  EXPECT_EQ(ErrorOf(R"({"credHelpers": {"a": 1}})"), R"(credHelpers["a"]: not a string)");
  EXPECT_EQ(ErrorOf(R"({"credsStore": 1})"), "config.json.credsStore: not a string");
  EXPECT_EQ(ReadDockerConfigJson(std::string(5 << 20, ' ')).error().code(),
            Code::kResourceExhausted);
  EXPECT_FALSE(ReadDockerConfigJson(std::string(100, '[')).ok());
}

TEST(DockerConfigTest, OldFilesHaveNoAuthsAround) {
  const auto config = ReadDockercfg(R"({"https://r.io/v1/": {"auth": "dXNlcjpwYXNz"}})");
  ASSERT_TRUE(config.ok());
  ASSERT_THAT(config->auths, SizeIs(1));
  EXPECT_EQ(config->auths[0].credentials.username, "user");
  EXPECT_FALSE(ReadDockercfg("[]").ok());
}

}  // namespace
}  // namespace podium::image
