#include "linux/path.h"

#include <gmock/gmock.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>

namespace podium::kernel {
namespace {

using ::testing::ElementsAre;

class PathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/podium-path-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    path_ = name;
    root_ = *OpenPath(path_, O_RDONLY | O_DIRECTORY);
  }
  void TearDown() override {
    EXPECT_TRUE(RemoveTree(AT_FDCWD, path_).ok());
    EXPECT_NE(access(path_.c_str(), F_OK), 0);
  }
  void Folder(const std::string& name) { ASSERT_EQ(mkdirat(root(), name.c_str(), 0755), 0); }
  void File(const std::string& name, const std::string& text) {
    ASSERT_TRUE(ReplaceFile(root(), name, text, 0644).ok());
  }
  void Link(const std::string& to, const std::string& name) {
    ASSERT_EQ(symlinkat(to.c_str(), root(), name.c_str()), 0);
  }
  int root() const { return root_.get(); }

  std::string path_;
  UniqueFd root_;
};

TEST_F(PathTest, InRootLinksStayInside) {
  Folder("etc");
  File("passwd", "inside");
  Link("/passwd", "etc/absolute");
  Link("../../../../passwd", "etc/upwards");
  for (const char* name : {"/etc/absolute", "etc/upwards", "../../passwd"}) {
    const auto file = OpenInRoot(root(), name, O_RDONLY);
    ASSERT_TRUE(file.ok()) << name << ": " << file.error().message();
    EXPECT_EQ(*ReadDescriptor(file->get(), 100), "inside");
  }
}

TEST_F(PathTest, MagicLinksAreNeverFollowed) {
  Link("/proc/self/fd/" + std::to_string(root()), "way_out");
  EXPECT_EQ(OpenInRoot(AT_FDCWD, path_ + "/way_out", O_RDONLY).ok(), false);
  const UniqueFd slash = *OpenPath("/", O_PATH);
  const auto opened = OpenInRoot(slash.get(), "proc/self/root", O_PATH | O_DIRECTORY);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().os_errno(), ELOOP);
}

TEST_F(PathTest, BeneathRefusesToLeave) {
  Folder("volume");
  File("secret", "no");
  Link("../secret", "volume/out");
  Link("/etc/passwd", "volume/absolute");
  const UniqueFd volume = *OpenWithoutLinks(root(), "volume", O_PATH | O_DIRECTORY);
  for (const char* name : {"out", "absolute", "../secret", "/etc/passwd"}) {
    const auto opened = OpenBeneath(volume.get(), name, O_RDONLY);
    ASSERT_FALSE(opened.ok()) << name;
    EXPECT_EQ(opened.error().os_errno(), EXDEV) << name;
  }
  Folder("volume/sub");
  Link("sub", "volume/alias");
  EXPECT_TRUE(OpenBeneath(volume.get(), "alias", O_PATH).ok());
  EXPECT_EQ(OpenWithoutLinks(volume.get(), "alias", O_RDONLY).error().os_errno(), ELOOP);
}

TEST_F(PathTest, MakesFoldersInsideOnly) {
  Folder("real");
  Link("/real", "alias");
  const auto made = MakeFoldersInRoot(root(), "/alias/a/b", 0750, 0, 0);
  ASSERT_TRUE(made.ok()) << made.error().message();
  struct stat status{};
  ASSERT_EQ(fstatat(root(), "real/a/b", &status, 0), 0);
  EXPECT_EQ(status.st_mode & 0777, 0750U);
  EXPECT_TRUE(MakeFoldersInRoot(root(), "/alias/a/b", 0750, 0, 0).ok());
  EXPECT_FALSE(MakeFoldersInRoot(root(), "/x/../../y", 0755, 0, 0).ok());
  File("file", "");
  EXPECT_FALSE(MakeFoldersInRoot(root(), "/file/x", 0755, 0, 0).ok());
  EXPECT_TRUE(MakeFolders(path_ + "/deep/er/", 0755).ok() ||
              MakeFolders(path_ + "/deep/er", 0755).ok());
}

TEST_F(PathTest, RemovalFollowsNoLink) {
  Folder("outside");
  File("keep", "kept");
  ASSERT_EQ(renameat(root(), "keep", root(), "outside/keep"), 0);
  Folder("tree");
  Folder("tree/a");
  Folder("tree/a/b");
  Link("../outside", "tree/link");
  Link(path_ + "/outside", "tree/a/link");
  ASSERT_TRUE(RemoveTree(root(), "tree").ok());
  EXPECT_TRUE(RemoveTree(root(), "tree").ok());
  EXPECT_THAT(*ListFolder(root()), ElementsAre("outside"));
  EXPECT_EQ(*ReadFile(root(), "outside/keep", 10), "kept");
}

// What a container can make step by step, no path can name: 2,500 levels are 5,000 characters, and
// more levels than a process has descriptors.
TEST_F(PathTest, TreesOfAnyDepthAreCountedAndRemoved) {
  constexpr uint64_t kDepth = 2500;
  Folder("deep");
  UniqueFd at(openat(root(), "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (uint64_t i = 0; i < kDepth; ++i) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0755), 0);
    ASSERT_GE(UniqueFd(openat(at.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)).get(), 0);
    at.reset(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_GE(at.get(), 0);
  }
  at.reset();
  EXPECT_EQ(UsageOf(root())->inodes, 2 + 2 * kDepth);
  ASSERT_TRUE(RemoveTree(root(), "deep").ok());
  EXPECT_THAT(*ListFolder(root()), ElementsAre());
}

TEST_F(PathTest, ARemovalIsBrokenOff) {
  for (int i = 0; i < 10; ++i) {
    const std::string name = "tree" + std::to_string(i);
    Folder(name);
    Folder(name + "/inner");
  }
  int asked = 0;
  const auto removed = RemoveTree(AT_FDCWD, path_, [&] { return ++asked <= 15; });
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().code(), Code::kCancelled);
  EXPECT_EQ(asked, 16);
  // It goes on where it ended.
  const size_t left = ListFolder(root())->size();
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, 10U);
  ASSERT_TRUE(RemoveContents(root()).ok());
}

// More folders in one than are remembered at a time, none of them empty.
TEST_F(PathTest, WideTreesAreRemoved) {
  Folder("wide");
  for (int i = 0; i < 600; ++i) {
    const std::string name = "wide/" + std::to_string(i);
    Folder(name);
    Folder(name + "/inner");
  }
  EXPECT_EQ(UsageOf(root())->inodes, 1202U);
  UniqueFd wide(openat(root(), "wide", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(RemoveContents(wide.get()).ok());
  EXPECT_THAT(*ListFolder(wide.get()), ElementsAre());
  EXPECT_THAT(*ListFolder(root()), ElementsAre("wide"));
}

TEST_F(PathTest, ReplacedFilesAreOldOrNew) {
  File("state", std::string(100, 'a'));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(ReplaceFile(root(), "state", std::string(100, i % 2 ? 'a' : 'b'), 0600).ok());
    }
    stop = true;
  });
  while (!stop) {
    const auto text = ReadFile(root(), "state", 1000);
    ASSERT_TRUE(text.ok());
    ASSERT_TRUE(*text == std::string(100, 'a') || *text == std::string(100, 'b'));
  }
  writer.join();
  EXPECT_THAT(*ListFolder(root()), ElementsAre("state"));
}

TEST_F(PathTest, LimitsAndUsage) {
  File("big", std::string(5000, 'x'));
  EXPECT_EQ(ReadFile(root(), "big", 4999).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(ReadFile(root(), "big", 5000)->size(), 5000U);
  EXPECT_EQ(ReadFile(root(), "none", 10).error().code(), Code::kNotFound);
  Folder("sub");
  const auto usage = UsageOf(root());
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->inodes, 3U);
  EXPECT_GE(usage->bytes, 5000U);
  // Another name takes no room, whatever counts names.
  ASSERT_EQ(linkat(root(), "big", root(), "again", 0), 0);
  EXPECT_EQ(UsageOf(root())->bytes, usage->bytes);
  const UniqueFd proc = *OpenPath("/proc", O_PATH);
  EXPECT_EQ(*FileSystemType(proc.get()), PROC_SUPER_MAGIC);
}

}  // namespace
}  // namespace podium::kernel
