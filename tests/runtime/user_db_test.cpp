#include "runtime/user_db.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"

namespace podium::runtime {
namespace {

namespace fs = std::filesystem;
namespace cri = wire::cri;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Policy = cri::SupplementalGroupsPolicy;

const UserDatabase& Database() {
  static const UserDatabase kDatabase = UserDatabase::Parse(
      "root:x:0:0:root:/root:/bin/sh\n"
      "# a comment:x:1:1::/:/bin/sh\n"
      "\n"
      "nginx:x:101:102:web,server:/var/cache/nginx:/sbin/nologin\n"
      "nginx:x:0:0:the second of a name does not count:/:/bin/sh\n"
      "short:x:7:8\n"
      "tooshort:x:9\n"
      "huge:x:4294967296:0::/:/bin/sh\n"
      "negative:x:-1:0::/:/bin/sh\n"
      "above:x:2147483648:0::/:/bin/sh\n"
      "words:x:zero:0::/:/bin/sh\n"
      ":x:5:5:no name:/:/bin/sh\n"
      "relative:x:11:11::home:/bin/sh\n"
      "last:x:2147483647:2147483647::/last:/bin/sh",
      "root:x:0:\n"
      "web:x:102:\n"
      "log:x:4:nginx,root\n"
      "disk:x:6:nginxx\n"
      "again:x:4:nginx\n"
      "audio:x:29:root,nginx\n"
      "bad:x:99999999999:nginx\n");
  return kDatabase;
}

UserIdentity Found(const std::string& text) {
  const auto found = Database().Find(text);
  EXPECT_TRUE(found.ok()) << found.error().message();
  return found.ok() ? *found : UserIdentity{.uid = 4711};
}

std::string Refusal(const std::string& text) {
  const auto found = Database().Find(text);
  if (found.ok()) return "";
  EXPECT_EQ(found.error().code(), Code::kInvalidArgument);
  return found.error().message();
}

TEST(UserDatabaseTest, ByNameAndByNumber) {
  const UserIdentity nginx{.uid = 101, .gid = 102, .name = "nginx", .home = "/var/cache/nginx"};
  EXPECT_EQ(Found("nginx"), nginx);
  EXPECT_EQ(Found("101"), nginx);
  EXPECT_EQ(Found("").name, "root");
  EXPECT_EQ(Found("").home, "/root");
  EXPECT_EQ(Found("short"), (UserIdentity{.uid = 7, .gid = 8, .name = "short"}));
  EXPECT_EQ(Found("relative").home, "");
  EXPECT_EQ(Found("last").uid, 2147483647u);
  // No entry: the group is root's, as upstream.
  EXPECT_EQ(Found("5000"), (UserIdentity{.uid = 5000, .gid = 0}));
}

TEST(UserDatabaseTest, WithAGroup) {
  EXPECT_EQ(Found("nginx:audio").gid, 29u);
  EXPECT_EQ(Found("nginx:77").gid, 77u);
  EXPECT_EQ(Found("5000:6000"), (UserIdentity{.uid = 5000, .gid = 6000}));
  EXPECT_EQ(Refusal("nginx:nobody"),
            "unable to find group nobody: no matching entries in group file");
}

// Each was root, or another's id, in a runtime of this kind.
TEST(UserDatabaseTest, UidOverflow) {  // CVE-2024-40635, CVE-2026-30892
  for (const char* text : {"2147483648",
                           "4294967295",
                           "4294967296",
                           "9223372036854775808",
                           "18446744073709551616",
                           "340282366920938463463374607431768211456",
                           "-1",
                           "-0",
                           "+0",
                           " ",
                           " 0",
                           "0 ",
                           "0x0",
                           "0.0",
                           "1e3",
                           "root ",
                           "ROOT",
                           "\t",
                           "huge",
                           "negative",
                           "above",
                           "words",
                           "tooshort"}) {
    EXPECT_EQ(Refusal(text),
              std::string("unable to find user ") + text + ": no matching entries in passwd file");
    EXPECT_NE(Refusal(std::string("5:") + text), "") << text;
  }
  for (const char* text : {":", ":0", "0:", "root:", "root:root:root", "::"}) {
    EXPECT_EQ(Refusal(text), std::string("invalid USER value ") + text);
  }
  EXPECT_NE(Refusal("# a comment"), "");
  EXPECT_NE(Refusal(std::string("root\0x", 6)), "");
}

TEST(UserDatabaseTest, Groups) {
  const auto groups = [](const char* user, Policy policy, std::vector<int64_t> more) {
    return *Database().Groups(Found(user), policy, more);
  };
  EXPECT_THAT(groups("nginx", Policy::kMerge, {}), ElementsAre(102u, 4u, 29u));
  EXPECT_THAT(groups("101", Policy::kMerge, {5, 29, 5}), ElementsAre(102u, 4u, 29u, 5u));
  EXPECT_THAT(groups("nginx", Policy::kStrict, {5}), ElementsAre(102u, 5u));
  EXPECT_THAT(groups("nginx:77", Policy::kMerge, {}), ElementsAre(77u, 4u, 29u));
  EXPECT_THAT(groups("5000", Policy::kMerge, {}), ElementsAre(0u));
  const std::vector<int64_t> negative = {-1};
  const std::vector<int64_t> large = {2147483648};
  EXPECT_FALSE(Database().Groups({}, Policy::kStrict, negative).ok());
  EXPECT_FALSE(Database().Groups({}, Policy::kStrict, large).ok());
  std::vector<int64_t> many(65537);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int64_t>(i);
  EXPECT_FALSE(Database().Groups({}, Policy::kStrict, many).ok());
}

TEST(UserTextTest, PodBeforeImage) {
  cri::LinuxContainerSecurityContext security;
  EXPECT_EQ(*UserText(security, "image"), "image");
  EXPECT_EQ(*UserText(security, ""), "");
  security.run_as_group = cri::Int64Value{.value = 3000};
  EXPECT_EQ(UserText(security, "image").error().message(),
            "user group \"3000\" is specified without user");
  security.run_as_user = cri::Int64Value{.value = 1000};
  EXPECT_EQ(*UserText(security, "image"), "1000:3000");
  security.run_as_username = "nginx";
  EXPECT_EQ(*UserText(security, "image"), "nginx:3000");
  security.run_as_group.reset();
  EXPECT_EQ(*UserText(security, "image"), "nginx");
  security.run_as_username.clear();
  for (const int64_t wrong : {int64_t{-1}, int64_t{1} << 31, int64_t{1} << 32}) {
    security.run_as_user->value = wrong;
    EXPECT_THAT(UserText(security, "").error().message(), HasSubstr("out of range"));
  }
}

class UserFilesTest : public ::testing::Test {
 protected:
  UserFilesTest()
      : root_(fs::temp_directory_path() / ("podium_users_" + std::to_string(getpid()))) {
    fs::create_directories(root_ / "etc");
    fd_.reset(open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~UserFilesTest() override { fs::remove_all(root_); }
  void Write(const char* name, const std::string& text) { std::ofstream(root_ / name) << text; }

  const fs::path root_;
  UniqueFd fd_;
};

TEST_F(UserFilesTest, MissingFilesHaveNoEntries) {
  EXPECT_EQ(UserDatabase::Read(fd_.get())->Find("0")->uid, 0u);
  EXPECT_FALSE(UserDatabase::Read(fd_.get())->Find("root").ok());
  fs::remove(root_ / "etc");
  EXPECT_TRUE(UserDatabase::Read(fd_.get()).ok());
}

TEST_F(UserFilesTest, LinksStayInside) {
  Write("real", "inside:x:12:13::/:/bin/sh\n");
  fs::create_symlink("/real", root_ / "etc/passwd");
  EXPECT_EQ(UserDatabase::Read(fd_.get())->Find("inside")->uid, 12u);
  fs::remove(root_ / "etc/passwd");
  // Out of the root there is one; inside there is none.
  fs::create_symlink("../../../../../../../etc/group", root_ / "etc/passwd");
  EXPECT_FALSE(UserDatabase::Read(fd_.get())->Find("root").ok());
}

TEST_F(UserFilesTest, WhatIsNoFile) {
  ASSERT_EQ(mkfifo((root_ / "etc/passwd").c_str(), 0600), 0);
  EXPECT_EQ(UserDatabase::Read(fd_.get()).error().code(), Code::kInvalidArgument);
  fs::remove(root_ / "etc/passwd");
  fs::create_directory(root_ / "etc/passwd");
  EXPECT_EQ(UserDatabase::Read(fd_.get()).error().code(), Code::kInvalidArgument);
}

TEST_F(UserFilesTest, SizeIsBounded) {
  Write("etc/group", "");
  fs::resize_file(root_ / "etc/group", 11 << 20);
  EXPECT_EQ(UserDatabase::Read(fd_.get()).error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace podium::runtime
