#include "node/volumes/sub_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;

class SubPath : public ::testing::Test {
 protected:
  SubPath() {
    fs::create_directory(Path("outside"));
    WriteText(Path("outside/secret"), "hush");
    fs::create_directory(Path("volume"));
    fs::create_directory(Path("volume/folder"));
    WriteText(Path("volume/folder/file"), "x");
    volume_.reset(open(Path("volume").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  std::string Path(const std::string& name) { return scratch_.path() + "/" + name; }
  Result<UniqueFd> Open(const std::string& path) { return OpenSubPath(volume_.get(), path); }
  static ino_t InodeOf(int fd) {
    struct stat status{};
    EXPECT_EQ(fstat(fd, &status), 0);
    return status.st_ino;
  }
  ino_t InodeAt(const std::string& name) {
    struct stat status{};
    EXPECT_EQ(stat(Path(name).c_str(), &status), 0) << name;
    return status.st_ino;
  }

  ScratchFolder scratch_;
  UniqueFd volume_;
};

TEST_F(SubPath, OpensFilesFoldersAndLinksInside) {
  fs::create_symlink("folder/file", Path("volume/link"));
  fs::create_symlink("../folder", Path("volume/folder/up"));
  const std::pair<const char*, const char*> cases[] = {
      {"folder", "volume/folder"},
      {"folder/file", "volume/folder/file"},
      {"./folder//file", "volume/folder/file"},
      {"link", "volume/folder/file"},
      {"folder/up/file", "volume/folder/file"},
      {".", "volume"},
  };
  for (const auto& [path, name] : cases) {
    auto opened = Open(path);
    ASSERT_TRUE(opened.ok()) << path << ": " << opened.error().message();
    EXPECT_EQ(InodeOf(opened->get()), InodeAt(name)) << path;
  }
}

TEST_F(SubPath, MakesFoldersWithTheVolumesPermissions) {
  ASSERT_EQ(chmod(Path("volume").c_str(), 02770), 0);
  const mode_t umask_before = umask(077);
  auto opened = Open("folder/a//b/c");
  umask(umask_before);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(InodeOf(opened->get()), InodeAt("volume/folder/a/b/c"));
  EXPECT_EQ(ModeAt(Path("volume/folder/a")), 02770);
  EXPECT_EQ(ModeAt(Path("volume/folder/a/b/c")), 02770);
}

TEST_F(SubPath, RefusesWhatLeavesTheVolume) {
  fs::create_symlink("../outside", Path("volume/relative"));
  fs::create_symlink(Path("outside"), Path("volume/absolute"));
  fs::create_symlink("/", Path("volume/root"));
  fs::create_symlink("../outside/new", Path("volume/dangling"));
  fs::create_symlink("/proc/self/root", Path("volume/magic"));
  for (const char* path : {"relative", "relative/secret", "relative/new/folder", "absolute",
                           "absolute/secret", "root/etc", "dangling", "dangling/x", "..",
                           "../outside", "folder/../../outside", "magic"}) {
    auto opened = Open(path);
    EXPECT_FALSE(opened.ok()) << path;
  }
  EXPECT_FALSE(fs::exists(Path("outside/new")));
}

TEST_F(SubPath, AFileOnTheWayIsAnError) {
  auto opened = Open("folder/file/below");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().os_errno(), ENOTDIR);
}

// CVE-2021-25741: a container exchanges a folder and a link while the path is resolved.
TEST_F(SubPath, ARenamedLinkLeadsNowhere) {
  fs::create_symlink(Path("outside"), Path("volume/trap"));
  fs::create_directories(Path("volume/door/inner"));
  const ino_t secret = InodeAt("outside");
  std::atomic<bool> stop = false;
  std::thread container([&] {
    while (!stop) {
      renameat2(AT_FDCWD, Path("volume/door").c_str(), AT_FDCWD, Path("volume/trap").c_str(),
                RENAME_EXCHANGE);
    }
  });
  int opened_count = 0;
  for (int i = 0; i < 10'000; ++i) {
    for (const char* path : {"door", "door/inner", "door/made"}) {
      auto opened = Open(path);
      if (!opened.ok()) continue;
      ++opened_count;
      ASSERT_NE(InodeOf(opened->get()), secret);
      ASSERT_FALSE(fs::exists(Path("outside/made"))) << i;
      ASSERT_FALSE(fs::exists(Path("outside/inner"))) << i;
    }
  }
  stop = true;
  container.join();
  EXPECT_GT(opened_count, 0);
}

}  // namespace
}  // namespace podium::node
