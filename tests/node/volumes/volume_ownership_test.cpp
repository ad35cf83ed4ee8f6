#include "node/volumes/volume_ownership.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/unique_fd.h"
#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;

class VolumeOwnership : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "gives files away";
    fs::create_directories(Path("volume/dir"));
    WriteText(Path("volume/dir/file"), "x");
    WriteText(Path("outside"), "x");
    ASSERT_EQ(chmod(Path("volume").c_str(), 0755), 0);
    ASSERT_EQ(chmod(Path("volume/dir").c_str(), 01700), 0);
    ASSERT_EQ(chmod(Path("volume/dir/file").c_str(), 0604), 0);
    ASSERT_EQ(chmod(Path("outside").c_str(), 0600), 0);
    fs::create_symlink(Path("outside"), Path("volume/link"));
  }
  std::string Path(const std::string& name) { return scratch_.path() + "/" + name; }
  // "group mode"; links are not followed.
  std::string At(const std::string& name) {
    struct stat status{};
    if (lstat(Path(name).c_str(), &status) != 0) return "none";
    char text[32];
    std::snprintf(text, sizeof(text), "%u %o", status.st_gid, status.st_mode & 07777);
    return text;
  }
  Result<void> Give(GroupChangePolicy policy, int64_t group = 7) {
    const UniqueFd folder(open(Path("volume").c_str(), O_PATH | O_CLOEXEC));
    return GiveToGroup(folder.get(), group, policy);
  }

  ScratchFolder scratch_;
};

TEST_F(VolumeOwnership, GroupsMayWriteAndNewFilesAreTheirs) {
  ASSERT_TRUE(Give(GroupChangePolicy::kAlways).ok());
  EXPECT_EQ(At("volume"), "7 2775");
  EXPECT_EQ(At("volume/dir"), "7 3770");
  EXPECT_EQ(At("volume/dir/file"), "7 664");
  EXPECT_EQ(At("volume/link").substr(0, 2), "7 ");
  EXPECT_EQ(At("outside"), "0 600");
}

TEST_F(VolumeOwnership, OnRootMismatchLooksAtTheFolderAlone) {
  ASSERT_TRUE(Give(GroupChangePolicy::kOnRootMismatch).ok());
  EXPECT_EQ(At("volume/dir/file"), "7 664");
  ASSERT_EQ(chown(Path("volume/dir/file").c_str(), 0, 9), 0);
  ASSERT_TRUE(Give(GroupChangePolicy::kOnRootMismatch).ok());
  EXPECT_EQ(At("volume/dir/file"), "9 664");
  ASSERT_TRUE(Give(GroupChangePolicy::kAlways).ok());
  EXPECT_EQ(At("volume/dir/file"), "7 664");
  // A folder of the group that it may not write to is no match.
  ASSERT_EQ(chown(Path("volume/dir/file").c_str(), 0, 9), 0);
  ASSERT_EQ(chmod(Path("volume").c_str(), 02755), 0);
  ASSERT_TRUE(Give(GroupChangePolicy::kOnRootMismatch).ok());
  EXPECT_EQ(At("volume/dir/file"), "7 664");
}

}  // namespace
}  // namespace podium::node
