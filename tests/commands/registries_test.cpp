#include "commands/registries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace podium::commands {
namespace {

using ::testing::HasSubstr;

class RegistriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "podium-registries-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    instance_.config_dir = folder;
    variables_["DOCKER_CONFIG"] = folder;
    variables_["PATH"] = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  image::EnvironmentReader Environment() const {
    return [this](const char* variable) {
      const auto found = variables_.find(variable);
      return found == variables_.end() ? nullptr : found->second.c_str();
    };
  }

  std::string folder_;
  Instance instance_;
  std::map<std::string, std::string> variables_;
};

TEST_F(RegistriesTest, WithoutAFileNothingIsConfigured) {
  variables_["https_proxy"] = "http://proxy.example:3128";
  const auto options = ReadRegistries(instance_, Environment());
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_TRUE(options->registries.empty());
  EXPECT_EQ(options->proxy.https_proxy, "http://proxy.example:3128");
}

TEST_F(RegistriesTest, TheInstancesFileIsRead) {
  Write("registries.json",
        R"({"registries": {"docker.io": {"mirrors": ["http://10.0.0.1:5000"]},
                           "a.example:5000": {"plainHTTP": true}}, "parallelLayers": 7})");
  const auto options = ReadRegistries(instance_, Environment());
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_THAT(options->registries.at("docker.io").mirrors,
              ::testing::ElementsAre("http://10.0.0.1:5000"));
  EXPECT_TRUE(options->registries.at("a.example:5000").plain_http);
  EXPECT_EQ(options->parallel_layers, 7U);
}

TEST_F(RegistriesTest, AMistakeNamesTheFile) {
  Write("registries.json", R"({"registrys": {}})");
  EXPECT_EQ(ReadRegistries(instance_, Environment()).error().message(),
            folder_ + "/registries.json: registrys: unknown");
  std::filesystem::remove(RegistriesFile(instance_));
  std::filesystem::create_directory(RegistriesFile(instance_));
  EXPECT_THAT(ReadRegistries(instance_, Environment()).error().message(),
              HasSubstr("/registries.json: Is a directory"));
}

TEST_F(RegistriesTest, CredentialsOfDockerLogin) {
  EXPECT_TRUE(ReadCredentials(Environment())->Lookup("a.example/team")->empty());
  // me:secret
  Write("config.json", R"({"auths": {"a.example": {"auth": "bWU6c2VjcmV0"}}})");
  const auto keyring = ReadCredentials(Environment());
  ASSERT_TRUE(keyring.ok()) << keyring.error().message();
  const auto found = keyring->Lookup("a.example/team");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().username, "me");
  EXPECT_EQ(found->front().password, "secret");
}

TEST_F(RegistriesTest, CredentialsThatAProgramHas) {
  const std::string program = Write("docker-credential-vault", R"(#!/bin/sh
read server
echo "{\"ServerURL\": \"$server\", \"Username\": \"robot\", \"Secret\": \"of $server\"}"
)");
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  Write("config.json", R"({"credHelpers": {"a.example": "vault"}})");
  const auto keyring = ReadCredentials(Environment());
  ASSERT_TRUE(keyring.ok()) << keyring.error().message();
  const auto found = keyring->Lookup("a.example/team");
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().username, "robot");
  EXPECT_EQ(found->front().password, "of a.example");
}

TEST_F(RegistriesTest, AConfigThatReadsAsNothingIsNamed) {
  Write("config.json", "{");
  EXPECT_THAT(ReadCredentials(Environment()).error().message(),
              HasSubstr(folder_ + "/config.json: "));
}

}  // namespace
}  // namespace podium::commands
