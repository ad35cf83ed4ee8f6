#include "linux/mounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "linux/path.h"

namespace podium::kernel {
namespace {

// Everything on a tmpfs in a mount namespace of this test's process.
class MountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounts need root";
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("tmpfs", "/mnt", "tmpfs", 0, nullptr), 0);
  }
  void TearDown() override {
    if (geteuid() == 0) umount2("/mnt", MNT_DETACH);
  }
  static UniqueFd Folder(const std::string& name) {
    auto made = MakeFolders("/mnt/" + name, 0755);
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  static void File(const UniqueFd& folder, const std::string& name, const std::string& text) {
    EXPECT_TRUE(ReplaceFile(folder.get(), name, text, 0644).ok());
  }
  // A user namespace that shows 0 to 999 as 100000 and up.
  static UniqueFd Mapped() {
    // By the call itself: after fork() a thread sanitizer has a thread in the child, and of several
    // threads none may leave its user namespace.
    const auto child = static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    if (child == 0) {
      while (true) syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
    }
    EXPECT_GT(child, 0);
    const std::string proc = "/proc/" + std::to_string(child);
    std::ofstream(proc + "/uid_map") << "0 100000 1000\n";
    std::ofstream(proc + "/gid_map") << "0 100000 1000\n";
    auto fd = OpenPath(proc + "/ns/user", O_RDONLY);
    kill(child, SIGKILL);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(fd.ok());
    return *std::move(fd);
  }
};

TEST_F(MountTest, ClonesAreDetachedUntilAttached) {
  const UniqueFd source = Folder("source");
  const UniqueFd place = Folder("place");
  File(source, "hello", "world");
  auto clone = Mount::Clone(source.get(), false);
  ASSERT_TRUE(clone.ok()) << clone.error().message();
  ASSERT_TRUE(clone->SetAttributes({.set = MOUNT_ATTR_RDONLY}).ok());
  EXPECT_EQ(ReadFile(place.get(), "hello", 10).error().code(), Code::kNotFound);
  ASSERT_TRUE(clone->Attach(place.get()).ok());
  EXPECT_EQ(*ReadFile(AT_FDCWD, "/mnt/place/hello", 10), "world");
  EXPECT_EQ(OpenPath("/mnt/place/new", O_WRONLY | O_CREAT, 0644).error().os_errno(), EROFS);
  EXPECT_TRUE(Unmount("/mnt/place").ok());
  EXPECT_TRUE(Unmount("/mnt/place").ok());
  EXPECT_EQ(access("/mnt/place/hello", F_OK), -1);
}

TEST_F(MountTest, RecursiveReadOnlyReachesWhatIsMountedBelow) {
  const UniqueFd source = Folder("source");
  const UniqueFd inner = Folder("source/inner");
  ASSERT_EQ(mount("tmpfs", "/mnt/source/inner", "tmpfs", 0, nullptr), 0);
  const UniqueFd place = Folder("place");
  auto clone = Mount::Clone(source.get(), true);
  ASSERT_TRUE(clone.ok());
  ASSERT_TRUE(clone->SetAttributes({.set = MOUNT_ATTR_RDONLY, .recursive = true}).ok());
  ASSERT_TRUE(clone->Attach(place.get()).ok());
  EXPECT_EQ(OpenPath("/mnt/place/inner/x", O_WRONLY | O_CREAT, 0644).error().os_errno(), EROFS);
}

TEST_F(MountTest, NewFileSystemsSayWhatTheyDislike) {
  const UniqueFd place = Folder("place");
  auto made = Mount::New("tmpfs", {{"size", "64k"}, {"mode", "1777"}}, MOUNT_ATTR_NOEXEC);
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_TRUE(made->Attach(place.get()).ok());
  struct stat status{};
  ASSERT_EQ(stat("/mnt/place", &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 01777U);
  const auto refused = Mount::New("tmpfs", {{"size", "much"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("size"), std::string::npos);
  EXPECT_EQ(Mount::New("nosuchfs", {}).error().os_errno(), ENODEV);
}

TEST_F(MountTest, AllBelowAFolderIsUnmounted) {
  for (const char* name : {"a", "ab", "a/x", "a/s p", "a/file\\n"}) Folder(name);
  const auto mount_at = [](const std::string& name) {
    ASSERT_EQ(mount("tmpfs", ("/mnt/" + name).c_str(), "tmpfs", 0, nullptr), 0);
  };
  mount_at("a");
  for (const char* name : {"a/x", "a/s p", "a/file\\n"}) Folder(name);
  for (const char* name : {"a/x", "a/x", "a/s p", "a/file\\n", "ab"}) mount_at(name);
  Folder("a/x/y");
  mount_at("a/x/y");
  // A link to the folder is the folder; a link in it leads nowhere.
  ASSERT_EQ(symlink("a", "/mnt/link"), 0);
  ASSERT_EQ(symlink("/mnt/ab", "/mnt/a/out"), 0);
  const auto is_mount = [](const std::string& name) {
    struct stat inner{};
    struct stat outer{};
    EXPECT_EQ(stat(("/mnt/" + name).c_str(), &inner), 0);
    EXPECT_EQ(stat(("/mnt/" + name + "/..").c_str(), &outer), 0);
    return inner.st_dev != outer.st_dev;
  };
  ASSERT_TRUE(is_mount("a/s p"));
  const auto done = UnmountBelow("/mnt/link");
  ASSERT_TRUE(done.ok()) << done.error().message();
  for (const char* name : {"a/x", "a/s p", "a/file\\n"}) EXPECT_FALSE(is_mount(name)) << name;
  EXPECT_TRUE(is_mount("a"));
  EXPECT_TRUE(is_mount("ab"));
  EXPECT_TRUE(UnmountBelow("/mnt/none").ok());
}

class OverlayTest : public MountTest, public ::testing::WithParamInterface<OverlayMethod> {};

TEST_P(OverlayTest, UpperLayersWinAndTakeTheWrites) {
  std::vector<UniqueFd> layers;
  std::vector<int> fds;
  for (int i = 0; i < 60; ++i) {
    layers.push_back(Folder("layers/" + std::to_string(i)));
    File(layers.back(), "top", std::to_string(i));
    File(layers.back(), "of" + std::to_string(i), "");
    fds.push_back(layers.back().get());
  }
  const UniqueFd writable = Folder("writable");
  const UniqueFd upper = Folder("writable/upper");
  Folder("writable/work");
  auto made =
      MountOverlay({.layers = fds, .writable = writable.get(), .is_volatile = true}, GetParam());
  ASSERT_TRUE(made.ok()) << made.error().message();
  const UniqueFd place = Folder("place");
  ASSERT_TRUE(made->Attach(place.get()).ok());
  EXPECT_EQ(*ReadFile(AT_FDCWD, "/mnt/place/top", 10), "59");
  EXPECT_EQ(ListFolder(OpenPath("/mnt/place", O_RDONLY)->get())->size(), 61U);
  const UniqueFd root = *OpenPath("/mnt/place", O_RDONLY);
  File(root, "top", "written");
  EXPECT_EQ(*ReadFile(upper.get(), "top", 10), "written");
  EXPECT_EQ(*ReadFile(layers.back().get(), "top", 10), "59");
}

TEST_P(OverlayTest, LayersAreSeenThroughAMapping) {
  const UniqueFd layer = Folder("layer");
  const UniqueFd second = Folder("second");
  File(layer, "file", "x");
  ASSERT_EQ(fchownat(layer.get(), "file", 7, 8, 0), 0);
  const UniqueFd writable = Folder("writable");
  const UniqueFd upper = Folder("writable/upper");
  Folder("writable/work");
  const UniqueFd mapped = Mapped();
  auto made = MountOverlay({.layers = {layer.get(), second.get()},
                            .writable = writable.get(),
                            .user_namespace = mapped.get()},
                           GetParam());
  ASSERT_TRUE(made.ok()) << made.error().message();
  struct stat status{};
  ASSERT_EQ(fstatat(made->fd(), "file", &status, 0), 0);
  EXPECT_EQ(status.st_uid, 100007U);
  EXPECT_EQ(status.st_gid, 100008U);
}

INSTANTIATE_TEST_SUITE_P(Methods, OverlayTest,
                         ::testing::Values(OverlayMethod::kDescriptors, OverlayMethod::kThread));

}  // namespace
}  // namespace podium::kernel
