#include "node/embedded_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "image/docker_config.h"
#include "image/registry_fixture.h"
#include "image/temporary_folder.h"

namespace podium::node {
namespace {

namespace v1 = api::core::v1;
using ::testing::HasSubstr;

// someone:secret, as htpasswd -B writes it.
constexpr char kHtpasswd[] =
    "someone:$2y$05$YTY9RyQ7ZMMgkZrHtScg7uc4REv9.0oj5XDuDzl3xEJxazVsEhalm\n";

// A registry that asks who one is.
class EmbeddedImagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!image::HaveDockerRegistry()) GTEST_SKIP() << "docker-registry is not installed";
    const std::string storage = folder_.path() / "registry";
    std::filesystem::create_directory(storage);
    {
      const image::DockerRegistry open({.storage = storage});
      image::PushImage(open.host(), "team/app", "v1", image::ImageOf({"x"}));
    }
    std::ofstream(folder_.path() / "htpasswd") << kHtpasswd;
    registry_.emplace(
        image::DockerRegistryOptions{.storage = storage,
                                     .auth = "  htpasswd:\n    realm: here\n    path: " +
                                             (folder_.path() / "htpasswd").string() + "\n"});
    store_ = *image::ImageStore::Open((folder_.path() / "images").string());
    image::RegistryOptions options;
    options.retry.attempts = 1;
    puller_.emplace(*store_, options, nullptr);
    images_.emplace(*store_, *puller_, [this]() -> Result<image::Keyring> {
      if (machine_error_) return *machine_error_;
      image::Keyring keyring;
      TRY(const image::DockerConfig config, image::ReadDockerConfigJson(machine_));
      keyring.Add(config);
      return keyring;
    });
  }

  std::string Name() const { return registry_->host() + "/team/app:v1"; }
  // In both files of credentials: c29tZW9uZTpzZWNyZXQ= is someone:secret.
  std::string Auths(const std::string& auth = "c29tZW9uZTpzZWNyZXQ=") const {
    return "{\"" + registry_->host() + "\":{\"auth\":\"" + auth + "\"}}";
  }
  static PullSecrets SecretOf(const std::string& type, const std::string& key,
                              const std::string& text) {
    auto secret = std::make_shared<v1::Secret>();
    secret->type = type;
    secret->data[key].data = text;
    return {secret};
  }
  PullSecrets DockerConfigJson(const std::string& auths) const {
    return SecretOf("kubernetes.io/dockerconfigjson", ".dockerconfigjson",
                    "{\"auths\":" + auths + "}");
  }
  std::string Refusal(const PullSecrets& secrets) {
    const auto pulled = images_->Pull(Name(), secrets, nullptr, nullptr);
    return pulled.ok() ? "" : pulled.error().message();
  }

  image::TemporaryFolder folder_;
  std::optional<image::DockerRegistry> registry_;
  std::unique_ptr<image::ImageStore> store_;
  std::optional<image::Puller> puller_;
  std::string machine_ = "{}";
  std::optional<Error> machine_error_;
  std::optional<EmbeddedImages> images_;
};

TEST_F(EmbeddedImagesTest, NobodyIsRefused) {
  EXPECT_EQ(images_->Find(Name()).error().code(), Code::kNotFound);
  EXPECT_THAT(Refusal({}), HasSubstr("failed to pull and unpack image \"" + Name() + "\""));
  EXPECT_EQ(images_->Pull(Name(), {}, nullptr, nullptr).error().code(), Code::kUnauthenticated);
  EXPECT_EQ(images_->Find(Name()).error().code(), Code::kNotFound);
}

TEST_F(EmbeddedImagesTest, SecretsOfBothTypes) {
  const auto pulled = images_->Pull(Name(), DockerConfigJson(Auths()), nullptr, nullptr);
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(images_->Find(Name())->id, pulled->id);
  EXPECT_GT(pulled->size, 0U);
  EXPECT_TRUE(images_
                  ->Pull(Name(), SecretOf("kubernetes.io/dockercfg", ".dockercfg", Auths()),
                         nullptr, nullptr)
                  .ok());
}

TEST_F(EmbeddedImagesTest, SecretsThatDoNotHelp) {
  EXPECT_NE(Refusal(DockerConfigJson(Auths("c29tZW9uZTp3cm9uZw=="))), "");
  EXPECT_NE(Refusal(SecretOf("Opaque", "password", "secret")), "");
  EXPECT_NE(Refusal(SecretOf("kubernetes.io/dockerconfigjson", ".dockerconfigjson", "{")), "");
  // One of several is enough, wherever it stands.
  PullSecrets both = DockerConfigJson(Auths("c29tZW9uZTp3cm9uZw=="));
  both.push_back(DockerConfigJson(Auths()).front());
  EXPECT_EQ(Refusal(both), "");
}

TEST_F(EmbeddedImagesTest, WhoseCredentialsWereTakenIsTold) {
  const auto named = [](PullSecrets secrets, const char* name) {
    auto secret = std::make_shared<v1::Secret>(*secrets.front());
    secret->metadata.name = name;
    return std::shared_ptr<const v1::Secret>(secret);
  };
  const PullSecrets both = {named(DockerConfigJson(Auths("c29tZW9uZTp3cm9uZw==")), "wrong"),
                            named(DockerConfigJson(Auths()), "right")};
  std::optional<ImageSecret> used;
  ASSERT_TRUE(images_->Pull(Name(), both, nullptr, &used).ok());
  ASSERT_TRUE(used);
  EXPECT_EQ(used->name, "right");
  const auto own = images_->SecretsFor(Name(), both);
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[1], *used);
  EXPECT_NE(own[0].hash, own[1].hash);
  EXPECT_TRUE(images_->SecretsFor("elsewhere.example/team/app:v1", both).empty());
  // The machine's own are everybody's.
  machine_ = "{\"auths\":" + Auths() + "}";
  ASSERT_TRUE(images_->Pull(Name(), {both[0]}, nullptr, &used).ok());
  EXPECT_FALSE(used);
  // When all is there, the registry is asked nevertheless whether this one may.
  machine_ = "{}";
  EXPECT_FALSE(images_->Pull(Name(), {both[0]}, nullptr, &used).ok());
}

TEST_F(EmbeddedImagesTest, WhoLogsInIsKnownFromThenOn) {
  EXPECT_NE(Refusal({}), "");
  machine_ = "{\"auths\":" + Auths() + "}";
  EXPECT_EQ(Refusal({}), "");
  int steps = 0;
  machine_ = "{}";
  EXPECT_FALSE(
      images_->PullWithProgress(
                 Name(), [&](const image::PullProgress&) { ++steps; }, nullptr)
          .ok());
}

TEST_F(EmbeddedImagesTest, WhatCannotBeMendedIsPulledAgain) {
  const PullSecrets secrets = DockerConfigJson(Auths());
  ASSERT_EQ(Refusal(secrets), "");
  const auto layers = store_->Resolve(Name())->layers;
  // With its blob, a layer is unpacked again on the spot.
  std::filesystem::remove_all(layers.front());
  EXPECT_TRUE(images_->Find(Name()).ok());
  EXPECT_TRUE(std::filesystem::exists(layers.front()));
  // Without, the image is not there, as far as anybody wants to use it.
  std::filesystem::remove_all(layers.front());
  for (const auto& blob :
       std::filesystem::directory_iterator(folder_.path() / "images/blobs/sha256")) {
    std::filesystem::remove(blob.path());
  }
  EXPECT_EQ(images_->Find(Name()).error().code(), Code::kNotFound);
  EXPECT_EQ(Refusal(secrets), "");
  EXPECT_TRUE(images_->Find(Name()).ok());
  EXPECT_TRUE(std::filesystem::exists(layers.front()));
}

TEST_F(EmbeddedImagesTest, AFileThatReadsAsNothingIsTold) {
  machine_error_ = Error(Code::kInvalidArgument, "/root/.docker/config.json: bad");
  EXPECT_EQ(Refusal({}), "/root/.docker/config.json: bad");
}

}  // namespace
}  // namespace podium::node
