#include "image/credential_helper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class CredentialHelperTest : public ::testing::Test {
 protected:
  CredentialHelperTest()
      : folder_(fs::temp_directory_path() / ("podium_helper_test_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~CredentialHelperTest() override { fs::remove_all(folder_); }

  void Program(const std::string& name, const std::string& script) {
    const fs::path path = folder_ / ("docker-credential-" + name);
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    fs::permissions(path, fs::perms::owner_all);
  }
  Result<std::optional<Credentials>> Ask(
      const std::string& name,
      std::chrono::milliseconds timeout = std::chrono::milliseconds(20'000)) {
    return MakeCredentialHelper(
        {.path = "relative::/nowhere:" + folder_.string(), .timeout = timeout})(name, "r.io:5000");
  }

  const fs::path folder_;
};

TEST_F(CredentialHelperTest, NameAndPassword) {
  Program("good", R"(read -r server
    [ "$1" = get ] || exit 1
    printf '{"ServerURL":"%s","Username":"me at %s","Secret":"s3cret"}' "$server" "$server")");
  const auto answer = Ask("good");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(**answer, (Credentials{.username = "me at r.io:5000", .password = "s3cret"}));
}

TEST_F(CredentialHelperTest, IdentityToken) {
  Program("token", R"(echo '{"Username":"<token>","Secret":"abc"}')");
  const auto answer = Ask("token");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(**answer, (Credentials{.identity_token = "abc"}));
}

TEST_F(CredentialHelperTest, NothingForThisServer) {
  Program("none", "echo 'credentials not found in native keychain'; exit 1");
  const auto answer = Ask("none");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_FALSE(answer->has_value());
}

TEST_F(CredentialHelperTest, FailuresNameTheProgram) {
  Program("locked", "printf 'the keychain\\033 is locked'; exit 2");
  const auto locked = Ask("locked");
  ASSERT_FALSE(locked.ok());
  EXPECT_EQ(locked.error().code(), Code::kUnauthenticated);
  EXPECT_THAT(locked.error().message(),
              HasSubstr("docker-credential-locked has no credentials for r.io:5000: "
                        "the keychain  is locked"));
  const auto missing = Ask("missing");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("docker-credential-missing"));
  for (const char* name : {"", "../evil", "a/b", "a b", "a;b"}) {
    const auto bad = Ask(name);
    ASSERT_FALSE(bad.ok()) << name;
    EXPECT_EQ(bad.error().code(), Code::kInvalidArgument);
  }
}

TEST_F(CredentialHelperTest, AnAnswerThatIsNoneShowsNoSecret) {
  for (const char* script : {"echo 's3cret'", "echo '{\"Secret\":12345}'", "echo '[\"s3cret\"]'",
                             "echo '{\"Username\":1,\"Secret\":\"s3cret\"}'", "true"}) {
    Program("odd", script);
    const auto answer = Ask("odd");
    ASSERT_FALSE(answer.ok()) << script;
    EXPECT_EQ(answer.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(answer.error().message(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(CredentialHelperTest, EndlessOnesAreKilled) {
  Program("loud", "exec yes");
  const auto loud = Ask("loud");
  ASSERT_FALSE(loud.ok());
  EXPECT_EQ(loud.error().code(), Code::kInvalidArgument);

  // Its own child holds the output open, too.
  Program("slow", "sleep 1000 & echo $! >" + (folder_ / "pid").string() + "; wait");
  const auto begin = std::chrono::steady_clock::now();
  const auto slow = Ask("slow", std::chrono::milliseconds(1000));
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  pid_t pid = 0;
  std::ifstream(folder_ / "pid") >> pid;
  ASSERT_GT(pid, 0);
  // Killed; whoever adopted it may take a moment to reap it.
  std::string state;
  for (int i = 0; i < 200; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string ignored;
    if (!(stat >> ignored >> ignored >> state) || state == "Z") break;
    usleep(10'000);
  }
  EXPECT_TRUE(state.empty() || state == "Z" || kill(pid, 0) != 0) << state;
}

}  // namespace
}  // namespace podium::image
