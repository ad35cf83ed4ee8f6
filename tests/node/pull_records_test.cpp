#include "node/pull_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

class PullRecordsTest : public ::testing::Test {
 protected:
  void SetUp() override { node_.images.in_registry = {kImage, "team/app:v2"}; }

  static ImageSecret Secret(const std::string& name, const std::string& hash) {
    return {.uid = "u-" + name, .name_space = "ns", .name = name, .hash = hash};
  }
  std::vector<fs::path> Files(const char* kind) const {
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(node_.config.data_dir + "/image_manager/" + kind, error)) {
      out.push_back(entry.path());
    }
    return out;
  }
  static PullSecrets Pull(const std::string& name, const std::string& password) {
    auto secret = std::make_shared<v1::Secret>();
    secret->metadata.name = name;
    secret->metadata.namespace_ = "ns";
    secret->metadata.uid = "u-" + name;
    secret->data["password"].data = password;
    return {secret};
  }
  // "" or why there is no image; of a pod of its own.
  std::string Ensure(const std::string& policy, const PullSecrets& secrets) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.uid = "pod" + std::to_string(++pods_);
    return node_.pulls
        .Ensure({.pod = pod,
                 .container = ContainerRef{},
                 .image = kImage,
                 .policy = policy,
                 .secrets = secrets})
        .problem.reason;
  }

  static constexpr const char* kImage = "team/app:v1";
  FakeNode node_;
  PullRecords records_{node_.config, node_.time};
  int pods_ = 0;
};

TEST_F(PullRecordsTest, WhatWasNotPulledForAPodIsEverybodys) {
  EXPECT_FALSE(records_.MustPull(kImage, "id", {}));
}

TEST_F(PullRecordsTest, WithASecretItIsTheirsWhoHaveIt) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  EXPECT_EQ(Files("pulling").size(), 1U);
  // While it is pulled nobody knows yet.
  EXPECT_TRUE(records_.MustPull(kImage, "id", {}));
  records_.Done(kImage, "id", Secret("s", "1"));
  EXPECT_THAT(Files("pulling"), IsEmpty());
  const auto check = [&](PullRecords& records) {
    EXPECT_TRUE(records.MustPull(kImage, "id", {}));
    EXPECT_TRUE(records.MustPull(kImage, "id", std::vector{Secret("other", "2")}));
    EXPECT_FALSE(records.MustPull(kImage, "id", std::vector{Secret("s", "1")}));
    // The same image by another repository's name: another registry might say no.
    EXPECT_TRUE(records.MustPull("else/app:v1", "id", std::vector{Secret("s", "1")}));
    EXPECT_FALSE(records.MustPull("team/app@sha256:" + std::string(64, 'a'), "id",
                                  std::vector{Secret("s", "1")}));
  };
  check(records_);
  PullRecords later(node_.config, node_.time);
  check(later);
}

TEST_F(PullRecordsTest, ASecretThatChangesOrIsCopiedIsStillTaken) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", Secret("s", "1"));
  // The same password under another name, then another password under that name.
  EXPECT_FALSE(records_.MustPull(kImage, "id", std::vector{Secret("copy", "1")}));
  EXPECT_FALSE(records_.MustPull(kImage, "id", std::vector{Secret("copy", "2")}));
  EXPECT_FALSE(records_.MustPull(kImage, "id", std::vector{Secret("third", "2")}));
  EXPECT_TRUE(records_.MustPull(kImage, "id", std::vector{Secret("fourth", "3")}));
}

TEST_F(PullRecordsTest, WithoutCredentialsItIsEverybodys) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", Secret("s", "1"));
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", std::nullopt);
  EXPECT_FALSE(records_.MustPull(kImage, "id", {}));
  // And stays so.
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", Secret("s", "1"));
  EXPECT_FALSE(records_.MustPull(kImage, "id", {}));
}

TEST_F(PullRecordsTest, AfterAFailureNothingIsKnown) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Failed(kImage);
  EXPECT_EQ(Files("pulling").size(), 1U);
  records_.Failed(kImage);
  EXPECT_THAT(Files("pulling"), IsEmpty());
  EXPECT_FALSE(records_.MustPull(kImage, "id", {}));
}

// Killed after the image was there and before its record was.
TEST_F(PullRecordsTest, APullThatWasBrokenOffGivesAwayNothing) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  ASSERT_TRUE(records_.Begin("gone:1").ok());
  PullRecords later(node_.config, node_.time);
  later.Recover([](const std::string& image) {
    return image == "gone:1" ? std::nullopt : std::optional<std::string>("id");
  });
  EXPECT_THAT(Files("pulling"), IsEmpty());
  EXPECT_TRUE(later.MustPull(kImage, "id", std::vector{Secret("s", "1")}));
  // By whatever name.
  EXPECT_TRUE(later.MustPull("else/app:v1", "id", {}));
  // When the image is gone its record goes, too.
  later.Recover([](const std::string&) { return std::nullopt; });
  EXPECT_THAT(Files("pulled"), IsEmpty());
}

TEST_F(PullRecordsTest, DamagedRecordsGiveAwayNothing) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", std::nullopt);
  for (const char* text : {"", "{", "[]", "{\"credentialMapping\":[]}"}) {
    std::ofstream(Files("pulled").front(), std::ios::trunc) << text;
    EXPECT_TRUE(records_.MustPull(kImage, "id", std::vector{Secret("s", "1")})) << text;
  }
}

TEST_F(PullRecordsTest, NoSecretIsOnTheDisk) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "sha256:1", Secret("s", "1"));
  std::ostringstream text;
  text << std::ifstream(Files("pulled").front()).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("\"credentialMapping\":{\"docker.io/team/app\":{\"kubernetes"
                                    "Secrets\":[{\"uid\":\"u-s\",\"namespace\":\"ns\","));
  struct stat status{};
  ASSERT_EQ(stat(Files("pulled").front().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(PullRecordsTest, WhatIsBroughtByHandIsEverybodysUnderThatName) {
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id", Secret("s", "1"));
  EXPECT_TRUE(records_.MustPull("example.test/in:1", "id", {}));
  records_.Allow("example.test/in:1", "id");
  EXPECT_FALSE(records_.MustPull("example.test/in:1", "id", {}));
  EXPECT_TRUE(records_.MustPull(kImage, "id", {}));
  // Also when a pod pulls it later, under another name.
  records_.Allow("example.test/other:1", "id2");
  ASSERT_TRUE(records_.Begin(kImage).ok());
  records_.Done(kImage, "id2", Secret("s", "1"));
  EXPECT_FALSE(records_.MustPull("example.test/other:1", "id2", {}));
}

TEST_F(PullRecordsTest, AnotherPodsImageIsPulledAgain) {
  node_.images.private_to = "right";
  EXPECT_EQ(Ensure("IfNotPresent", Pull("s", "right")), "");
  EXPECT_EQ(node_.images.pulls, 1);
  EXPECT_EQ(Ensure("IfNotPresent", Pull("s", "right")), "");
  EXPECT_EQ(Ensure("Never", Pull("copy", "right")), "");
  EXPECT_EQ(node_.images.pulls, 1);
  // Who does not have the secret may not use what is on the disk.
  EXPECT_EQ(Ensure("Never", {}), "ErrImageNeverPull");
  EXPECT_EQ(Ensure("Never", Pull("mine", "wrong")), "ErrImageNeverPull");
  EXPECT_THAT(node_.Events(), Contains("ErrImageNeverPull: Container image \"team/app:v1\" is not "
                                       "present with pull policy of Never")
                                  .Times(2));
  EXPECT_EQ(node_.images.pulls, 1);
  EXPECT_EQ(Ensure("IfNotPresent", {}), "ErrImagePull");
  EXPECT_EQ(Ensure("IfNotPresent", Pull("mine", "wrong")), "ErrImagePull");
  EXPECT_EQ(node_.images.pulls, 3);
  // Once the registry gives it to anybody, anybody may.
  node_.images.private_to.reset();
  EXPECT_EQ(Ensure("IfNotPresent", {}), "");
  EXPECT_EQ(Ensure("Never", {}), "");
  EXPECT_EQ(node_.images.pulls, 4);
}

TEST_F(PullRecordsTest, WhatWasImportedIsNotAskedFor) {
  node_.images.private_to = "right";
  node_.images.present.insert(kImage);
  EXPECT_EQ(Ensure("IfNotPresent", {}), "");
  EXPECT_EQ(Ensure("Never", {}), "");
  EXPECT_EQ(node_.images.pulls, 0);
}

}  // namespace
}  // namespace podium::node
