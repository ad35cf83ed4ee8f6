#include "node/volumes/atomic_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

namespace fs = std::filesystem;

class AtomicWriter : public ::testing::Test {
 protected:
  Result<bool> Write(const Payload& payload, std::optional<int64_t> group = std::nullopt) {
    return WriteAtomically(folder_.get(), payload, group, clock_);
  }
  std::string Text(const std::string& name) { return ReadText(Path(name)); }
  std::string Path(const std::string& name) { return scratch_.path() + "/" + name; }
  // Names in the volume, but for the folder with the time in its name.
  std::set<std::string> Names() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(scratch_.path())) {
      const std::string name = entry.path().filename();
      names.insert(name.starts_with("..20") ? "..20" : name);
    }
    return names;
  }

  ScratchFolder scratch_;
  UniqueFd folder_{open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  FixedClock clock_;
};

TEST_F(AtomicWriter, AFileMayHaveAnOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "gives files away";
  const auto owner = [&](const std::string& name) {
    struct stat status{};
    EXPECT_EQ(stat(Path(name).c_str(), &status), 0);
    return status.st_uid;
  };
  ASSERT_TRUE(Write({{"a", {"1", 0600, 7}}, {"b", {"2", 0600}}}).ok());
  EXPECT_EQ(owner("a"), 7U);
  EXPECT_EQ(owner("b"), 0U);
  EXPECT_EQ(ModeAt(Path("a")), 0600);
  EXPECT_FALSE(*Write({{"a", {"1", 0600, 7}}, {"b", {"2", 0600}}}));
  EXPECT_TRUE(*Write({{"a", {"1", 0600, 8}}, {"b", {"2", 0600}}}));
  EXPECT_EQ(owner("a"), 8U);
}

TEST_F(AtomicWriter, WritesFilesBehindLinks) {
  const mode_t umask_before = umask(077);
  auto changed = Write({{"a", {"1", 0644}}, {"d/e/f", {"2", 0400}}, {"d/g", {"3", 0755}}});
  umask(umask_before);
  ASSERT_TRUE(changed.ok()) << changed.error().message();
  EXPECT_TRUE(*changed);
  EXPECT_EQ(Text("a"), "1");
  EXPECT_EQ(Text("d/e/f"), "2");
  EXPECT_EQ(ModeAt(Path("a")), 0644);
  EXPECT_EQ(ModeAt(Path("d/e/f")), 0400);
  EXPECT_EQ(ModeAt(Path("d/g")), 0755);
  EXPECT_EQ(ModeAt(Path("d/e")), 0755);
  EXPECT_EQ(Names(), (std::set<std::string>{"..20", "..data", "a", "d"}));
  EXPECT_EQ(fs::read_symlink(Path("a")), "..data/a");
  EXPECT_EQ(fs::read_symlink(Path("d")), "..data/d");
  // 2027-01-15 08:00:00 is kNow.
  EXPECT_TRUE(fs::read_symlink(Path("..data")).string().starts_with("..2027_01_15_08_00_00."));
}

TEST_F(AtomicWriter, LeavesAloneWhatIsTheSame) {
  const Payload payload = {{"a", {"1", 0644}}, {"d/e", {"2", 0644}}};
  ASSERT_TRUE(Write(payload).ok());
  const fs::path data = fs::read_symlink(Path("..data"));
  auto again = Write(payload);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(*again);
  EXPECT_EQ(fs::read_symlink(Path("..data")), data);
}

TEST_F(AtomicWriter, EveryDifferenceIsSeen) {
  const Payload first = {{"a", {"1", 0644}}, {"d/e", {"2", 0644}}};
  const Payload others[] = {
      {{"a", {"x", 0644}}, {"d/e", {"2", 0644}}},                     // content
      {{"a", {"1", 0600}}, {"d/e", {"2", 0644}}},                     // mode
      {{"a", {"1", 0644}}},                                           // fewer
      {{"a", {"1", 0644}}, {"d/e", {"2", 0644}}, {"f", {"", 0644}}},  // more
      {{"b", {"1", 0644}}, {"d/e", {"2", 0644}}},                     // name
      {},
  };
  for (const Payload& other : others) {
    ASSERT_TRUE(Write(first).ok());
    auto changed = Write(other);
    ASSERT_TRUE(changed.ok()) << changed.error().message();
    EXPECT_TRUE(*changed);
    std::set<std::string> names = {"..20", "..data"};
    for (const auto& [path, file] : other) {
      EXPECT_EQ(Text(path), file.data);
      names.insert(path.substr(0, path.find('/')));
    }
    EXPECT_EQ(Names(), names);
  }
}

TEST_F(AtomicWriter, TheGroupMayRead) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
  ASSERT_TRUE(Write({{"d/a", {"1", 0600}}}, 4242).ok());
  struct stat file{};
  struct stat folder{};
  ASSERT_EQ(stat(Path("d/a").c_str(), &file), 0);
  ASSERT_EQ(stat(Path("d").c_str(), &folder), 0);
  EXPECT_EQ(file.st_gid, 4242U);
  EXPECT_EQ(file.st_mode & 07777, 0640U);
  EXPECT_EQ(folder.st_gid, 4242U);
  EXPECT_EQ(folder.st_mode & 07777, 02755U);
  auto again = Write({{"d/a", {"1", 0600}}}, 4242);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(*again);
}

TEST_F(AtomicWriter, CleansUpAfterACrash) {
  const Payload payload = {{"a", {"1", 0644}}};
  ASSERT_TRUE(Write(payload).ok());
  // Files that were never switched to, a link that was never renamed, a link to what is gone.
  fs::create_directories(Path("..2020_01_01_00_00_00.1/x"));
  fs::create_symlink("..2020_01_01_00_00_00.1", Path("..data_tmp"));
  fs::create_symlink("..data/old", Path("old"));
  auto changed = Write(payload);
  ASSERT_TRUE(changed.ok()) << changed.error().message();
  EXPECT_EQ(Names(), (std::set<std::string>{"..20", "..data", "a"}));
  EXPECT_EQ(Text("a"), "1");
}

TEST_F(AtomicWriter, RefusesPathsThatLeaveTheFolder) {
  ASSERT_TRUE(Write({{"a", {"1", 0644}}}).ok());
  const char* const bad[] = {"", "/a", "..", "../a", "..data", "..x/a", "a/../b", "a/b/..", "a/.."};
  for (const char* path : bad) {
    auto changed = Write({{path, {"x", 0644}}});
    ASSERT_FALSE(changed.ok()) << path;
    EXPECT_EQ(changed.error().code(), Code::kInvalidArgument) << path;
  }
  EXPECT_FALSE(Write({{std::string(256, 'n'), {"x", 0644}}}).ok());
  EXPECT_FALSE(Write({{std::string(5000, 'n'), {"x", 0644}}}).ok());
  EXPECT_EQ(Names(), (std::set<std::string>{"..20", "..data", "a"}));
}

TEST_F(AtomicWriter, AFailureChangesNothing) {
  ASSERT_TRUE(Write({{"a", {"1", 0644}}}).ok());
  // "b" cannot be a file and a folder.
  ASSERT_FALSE(Write({{"b", {"1", 0644}}, {"b/c", {"2", 0644}}}).ok());
  EXPECT_EQ(Names(), (std::set<std::string>{"..20", "..data", "a"}));
  EXPECT_EQ(Text("a"), "1");
}

// Whoever opens ..data once sees files of one content only.
TEST_F(AtomicWriter, ReadersSeeOldOrNewButNoMixture) {
  ASSERT_TRUE(Write({{"a", {"0", 0644}}, {"b", {"0", 0644}}}).ok());
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0;
  std::thread reader([&] {
    while (!stop) {
      const UniqueFd data(open(Path("..data").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!data) continue;
      const std::string prefix = "/proc/self/fd/" + std::to_string(data.get());
      const std::string a = ReadText(prefix + "/a");
      const std::string b = ReadText(prefix + "/b");
      // An old content may be gone already.
      if (a != "(missing)" && b != "(missing)") EXPECT_EQ(a, b);
      ++rounds;
    }
  });
  for (int i = 1; i <= 300 || rounds < 10; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_TRUE(Write({{"a", {text, 0644}}, {"b", {text, 0644}}}).ok());
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace podium::node
