// What cp makes of archives, from this machine and from containers that are not trusted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/copy_paths.h"
#include "cli/copy_source.h"
#include "cli/copy_target.h"
#include "cli/tar_feed.h"
#include "cli/temporary_folder.h"
#include "image/tar_reader.h"

namespace podium::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Type = TarMember::Type;
constexpr Type kHardLink{'1'};
constexpr Type kDevice{'3'};
constexpr Type kPipe{'6'};

std::string Contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// All that a feed or a source has, in pieces that fit nothing.
template <typename From>
Result<std::string> All(From& from) {
  std::string text;
  char buffer[97];
  while (true) {
    TRY(const size_t size, from.Read(buffer));
    if (size == 0) return text;
    text.append(buffer, size);
  }
}

class Archive {
 public:
  Archive& Add(const TarMember& member) {
    feed_.Put(member);
    text_ += *All(feed_);
    return *this;
  }
  Archive& File(const std::string& name, const std::string& text) {
    Add({.name = name, .size = text.size()});
    text_ += text;
    text_.append((512 - text.size() % 512) % 512, '\0');
    return *this;
  }
  Archive& Link(const std::string& name, const std::string& to, Type type = Type::kSymlink) {
    return Add({.type = type, .name = name, .link = to});
  }
  Archive& Folder(const std::string& name) { return Add({.type = Type::kFolder, .name = name}); }
  std::string End() {
    feed_.End();
    return text_ + *All(feed_);
  }

 private:
  TarFeed feed_;
  std::string text_;
};

TEST(CopyPlace, FileSpecs) {
  const auto parse = [](std::string_view text) -> std::vector<std::string> {
    const auto place = ParseCopyPlace(text);
    if (!place.ok()) return {place.error().message()};
    return {place->namespace_, place->pod, place->file};
  };
  EXPECT_THAT(parse("/some/file"), ElementsAre("", "", "/some/file"));
  EXPECT_THAT(parse("some/folder/"), ElementsAre("", "", "some/folder"));
  EXPECT_THAT(parse("/"), ElementsAre("", "", "/"));
  EXPECT_THAT(parse("pod:/x:y"), ElementsAre("", "pod", "/x:y"));
  EXPECT_THAT(parse("ns/pod:x/"), ElementsAre("ns", "pod", "x"));
  EXPECT_THAT(parse("pod:"), ElementsAre("", "pod", ""));
  EXPECT_THAT(parse("ns/:x"), ElementsAre("ns", "", "x"));
  for (const char* bad : {":x", "a/b/c:x", "/ns/pod:x"}) {
    EXPECT_THAT(parse(bad), ElementsAre("filespec must match the canonical format: "
                                        "[[namespace/]pod:]file/path"))
        << bad;
  }
}

TEST(CopyPaths, AsGoReckons) {
  const std::pair<const char*, const char*> clean[] = {
      {"", "."},          {"a/../..", ".."}, {"../../a/", "../../a"}, {"/../a//./b", "/a/b"},
      {"./a/./b", "a/b"}, {"/", "/"},        {"a/..", "."},           {"..a", "..a"}};
  for (const auto& [path, expected] : clean) EXPECT_EQ(CleanPath(path), expected) << path;
  EXPECT_EQ(JoinPaths("a", "/b"), "a/b");
  EXPECT_EQ(JoinPaths("", "b"), "b");
  EXPECT_EQ(JoinPaths("/", "b"), "/b");
  EXPECT_EQ(FolderOf("/a/b"), "/a");
  EXPECT_EQ(FolderOf("b"), ".");
  EXPECT_EQ(FolderOf("/b"), "/");
  EXPECT_EQ(BaseOf("/a/b"), "b");
  EXPECT_EQ(BaseOf("/"), "/");
  // As tar cuts the names that it is given.
  EXPECT_EQ(ArchivePrefix("/tmp/x"), "tmp/x");
  EXPECT_EQ(ArchivePrefix("../../x/y"), "x/y");
  EXPECT_EQ(ArchivePrefix("./x"), "x");
  for (const char* all : {".", "/", "..", "../.."}) EXPECT_EQ(ArchivePrefix(all), "") << all;
}

TEST(TarFeed, WhatReadersFind) {
  const std::string deep = "d/" + std::string(90, 'd') + "/" + std::string(95, 'f');
  const std::string name = "a/" + std::string(300, 'n');
  TarFeed feed;
  std::string text;
  for (const TarMember& member :
       {TarMember{.name = "plain", .mode = 04755, .uid = 7, .gid = 8, .mtime = 9},
        TarMember{.name = deep}, TarMember{.name = name, .mtime = -1},
        TarMember{.name = "large", .uid = 4'000'000'000, .gid = 3'000'000'000},
        TarMember{.type = Type::kSymlink, .name = "l", .link = "/" + name},
        TarMember{.type = Type::kFolder, .name = "empty", .mode = 01777}}) {
    feed.Put(member);
    text += *All(feed);
  }
  feed.End();
  text += *All(feed);
  image::MemorySource source(text);
  image::TarReader reader(source);
  image::TarEntry entry;
  const auto next = [&] { return reader.Next(&entry).ok() ? entry.path : "nothing"; };
  EXPECT_EQ(next(), "plain");
  EXPECT_EQ(std::tuple(entry.mode, entry.uid, entry.gid, entry.mtime.tv_sec),
            std::tuple(04755U, 7U, 8U, 9));
  EXPECT_EQ(next(), deep);
  EXPECT_EQ(next(), name);
  EXPECT_EQ(entry.mtime.tv_sec, 0);
  EXPECT_EQ(next(), "large");
  EXPECT_EQ(std::pair(entry.uid, entry.gid),
            std::pair(uint64_t{4'000'000'000}, uint64_t{3'000'000'000}));
  EXPECT_EQ(next(), "l");
  EXPECT_EQ(entry.link, "/" + name);
  EXPECT_EQ(next(), "empty");
  EXPECT_EQ(entry.mode, 01777U);
  EXPECT_FALSE(*reader.Next(&entry));
}

class CopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryFolder::Create("copy-test-");
    ASSERT_TRUE(made.ok()) << made.error().message();
    folder_.emplace(*std::move(made));
    destination_ = folder_->path() + "/there";
  }

  std::string Path(const std::string& below) const { return folder_->path() + "/" + below; }

  // Of an archive that was asked for as /src.
  Result<void> Take(const std::string& archive) {
    warnings_.clear();
    image::MemorySource source(archive);
    CopyTarget target("src", destination_, " (hint)",
                      [this](const std::string& line) { warnings_.push_back(line); });
    return target.Take(source);
  }
  // What is below the test's folder, and nothing outside of it was touched.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& each : fs::recursive_directory_iterator(folder_->path())) {
      const std::string name = each.path().lexically_relative(folder_->path()).string();
      if (each.is_symlink()) {
        files[name] = "-> " + fs::read_symlink(each.path()).string();
      } else {
        files[name] = each.is_directory() ? "/" : Contents(each.path());
      }
    }
    return files;
  }

  std::optional<TemporaryFolder> folder_;
  std::string destination_;
  std::vector<std::string> warnings_;
};

using Names = std::map<std::string, std::string>;

TEST_F(CopyTest, FilesAndFolders) {
  const auto taken = Take(Archive()
                              .Folder("src")
                              .File("src/a", "one")
                              .File("src/b/c/d", std::string(100'000, 'x'))
                              .Folder("src/e/f")
                              .File("src", "")
                              .End());
  // The last one is a file where a folder is.
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().message(), "open " + destination_ + ": is a directory");
  EXPECT_EQ(Files(), (Names{{"there", "/"},
                            {"there/a", "one"},
                            {"there/b", "/"},
                            {"there/b/c", "/"},
                            {"there/b/c/d", std::string(100'000, 'x')},
                            {"there/e", "/"},
                            {"there/e/f", "/"}}));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(CopyTest, OneFile) {
  destination_ += "/deep/file";
  Write(Path("link"), "");
  ASSERT_TRUE(Take(Archive().File("src", "new").End()).ok());
  EXPECT_EQ(Contents(destination_), "new");
  ASSERT_TRUE(Take(Archive().File("src", "n").End()).ok());
  EXPECT_EQ(Contents(destination_), "n");
  // Whoever typed the destination may mean a link's target.
  fs::create_symlink(destination_, Path("to-it"));
  destination_ = Path("to-it");
  ASSERT_TRUE(Take(Archive().File("src", "through").End()).ok());
  EXPECT_EQ(Contents(Path("there/deep/file")), "through");
}

TEST_F(CopyTest, AHostileTarNamesWithDots) {  // CVE-2018-1002100, CVE-2019-11249
  const auto taken = Take(Archive()
                              .File("src/../../escaped", "x")
                              .File("src/a/../../escaped", "x")
                              .Folder("src/..")
                              .File("src/a/../in", "in")
                              .File("src//in2", "in")
                              .File("srcfile", "in")
                              .Link("src/../l", "x", kHardLink)
                              .End());
  ASSERT_TRUE(taken.ok()) << taken.error().message();
  EXPECT_EQ(Files(),
            (Names{{"there", "/"}, {"there/in", "in"}, {"there/in2", "in"}, {"there/file", "in"}}));
  const std::string above = fs::path(destination_).parent_path();
  const auto outside = [](const std::string& path) {
    return "warning: file \"" + path + "\" is outside target destination, skipping";
  };
  EXPECT_THAT(warnings_,
              ElementsAre(outside(fs::path(above).parent_path() / "escaped"),
                          outside(above + "/escaped"), outside(above), outside(above + "/l")));
}

TEST_F(CopyTest, AHostileTarOfOtherNames) {
  for (const char* name : {"/etc/passwd", "other", "../src/x", "/src/x", ".ssh/authorized_keys"}) {
    const auto taken = Take(Archive().File(name, "x").End());
    ASSERT_FALSE(taken.ok()) << name;
    EXPECT_EQ(taken.error().message(), "tar contents corrupted") << name;
  }
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(CopyTest, AHostileTarOfLinks) {  // CVE-2019-1002101, CVE-2019-11246, CVE-2019-11251
  Write(Path("secret"), "mine");
  const auto taken = Take(Archive()
                              .Link("src/out", "..")
                              .File("src/out/escaped", "x")
                              .Link("src/l", "../secret")
                              .File("src/l", "x")
                              .Link("src/p\x1b[2J", "a\nb")
                              .Link("src/chain", "out")
                              .Folder("src/chain/further")
                              .End());
  ASSERT_TRUE(taken.ok()) << taken.error().message();
  EXPECT_EQ(Files(), (Names{{"secret", "mine"},
                            {"there", "/"},
                            {"there/out", "/"},
                            {"there/out/escaped", "x"},
                            {"there/l", "x"},
                            {"there/chain", "/"},
                            {"there/chain/further", "/"}}));
  const std::string skipping = "warning: skipping symlink: \"" + destination_;
  EXPECT_THAT(
      warnings_,
      ElementsAre(skipping + "/out\" -> \"..\" (hint)", skipping + "/l\" -> \"../secret\"",
                  skipping + "/p\\x1b[2J\" -> \"a\\nb\"", skipping + "/chain\" -> \"out\""));
}

TEST_F(CopyTest, AHostileTarOfHardLinks) {
  Write(Path("secret"), "mine");
  Write(Path("there/key"), "local");
  fs::create_symlink("../secret", Path("there/leads-out"));
  const auto taken = Take(Archive()
                              .File("src/a", "one")
                              .Link("src/b", "src/a", kHardLink)
                              .File("src/b", "two")
                              .Link("src/c", "src/../../secret", kHardLink)
                              .Link("src/d", "secret", kHardLink)
                              .Link("src/e", "/etc/hostname", kHardLink)
                              .Link("src/f", "src/leads-out", kHardLink)
                              .Link("src/g", "src", kHardLink)
                              .Link("src/h", "src/missing", kHardLink)
                              .Link("src/a", "src/a", kHardLink)
                              .Link("src/copy", "src/a", kHardLink)
                              .End());
  ASSERT_TRUE(taken.ok()) << taken.error().message();
  EXPECT_EQ(Files(), (Names{{"secret", "mine"},
                            {"there", "/"},
                            {"there/key", "local"},
                            {"there/leads-out", "-> ../secret"},
                            {"there/a", "one"},
                            {"there/b", "two"},
                            {"there/copy", "one"}}));
  EXPECT_EQ(warnings_.size(), 7U);
  EXPECT_EQ(warnings_[0],
            "warning: skipping hard link: \"" + destination_ + "/c\" -> \"src/../../secret\"");
}

TEST_F(CopyTest, LinksThatWereThereBefore) {
  Write(Path("outside/kept"), "mine");
  Write(Path("there/in/kept"), "old");
  fs::create_symlink("../outside", Path("there/folder"));
  fs::create_symlink(Path("outside/kept"), Path("there/file"));
  fs::create_symlink("in", Path("there/inner"));
  for (const char* name : {"src/folder/kept", "src/file", "src/folder/new/x"}) {
    const auto taken = Take(Archive().File(name, "x").End());
    ASSERT_FALSE(taken.ok()) << name;
    EXPECT_THAT(taken.error().message(),
                ::testing::EndsWith(": a link leads out of the destination here"));
  }
  EXPECT_EQ(Contents(Path("outside/kept")), "mine");
  EXPECT_FALSE(fs::exists(Path("outside/new")));
  // One that stays inside is followed.
  ASSERT_TRUE(Take(Archive().File("src/inner/kept", "new").End()).ok());
  EXPECT_EQ(Contents(Path("there/in/kept")), "new");
}

TEST_F(CopyTest, TwoNamesOfOneFileHereKeepWhatTheyHave) {
  Write(Path("there/a"), "old");
  fs::create_hard_link(Path("there/a"), Path("there/b"));
  ASSERT_TRUE(Take(Archive().File("src/a", "new").Link("src/b", "src/a", kHardLink).End()).ok());
  EXPECT_EQ(Contents(Path("there/a")), "new");
  EXPECT_EQ(Contents(Path("there/b")), "new");
}

TEST_F(CopyTest, AHostileTarOfDevices) {
  const auto taken =
      Take(Archive().Link("src/disk", "", kDevice).Link("src/pipe", "", kPipe).End());
  ASSERT_TRUE(taken.ok()) << taken.error().message();
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_THAT(warnings_,
              ElementsAre("warning: skipping \"" + destination_ + "/disk\": a device or a pipe",
                          "warning: skipping \"" + destination_ + "/pipe\": a device or a pipe"));
}

TEST_F(CopyTest, AHostileTarThatIsCutOrNone) {
  const std::string whole = Archive().File("src/a", std::string(2000, 'x')).End();
  for (const size_t size : {size_t{300}, size_t{512}, size_t{1000}, whole.size() - 1024 - 100}) {
    EXPECT_FALSE(Take(whole.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(Take(std::string(5000, 'x')).ok());
}

TEST_F(CopyTest, ASourceIsReadWithoutFollowingLinks) {
  Write(Path("tree/b/c"), "cc");
  Write(Path("tree/a"), "");
  chmod(Path("tree/a").c_str(), 0741);
  fs::create_directories(Path("tree/empty"));
  fs::create_symlink("/etc", Path("tree/link"));
  ASSERT_EQ(mkfifo(Path("tree/pipe").c_str(), 0600), 0);
  std::vector<std::string> skipped;
  CopySource source(Path("tree"), "name",
                    [&](const std::string& path) { skipped.push_back(path); });
  const auto text = All(source);
  ASSERT_TRUE(text.ok()) << text.error().message();
  image::MemorySource bytes(*text);
  image::TarReader reader(bytes);
  image::TarEntry entry;
  std::vector<std::string> found;
  while (*reader.Next(&entry)) {
    std::string line =
        entry.path + " " + std::to_string(static_cast<int>(entry.type)) + " " + entry.link;
    if (entry.path == "name/a") {
      EXPECT_EQ(entry.mode, 0741U);
      EXPECT_EQ(entry.uid, getuid());
    }
    image::TarPiece piece;
    while (*reader.NextPiece(&piece)) line += piece.bytes;
    found.push_back(line);
  }
  EXPECT_THAT(found,
              ElementsAre("name/a 0 ", "name/b/c 0 cc", "name/empty 1 ", "name/link 2 /etc"));
  EXPECT_THAT(skipped, ElementsAre(Path("tree/pipe")));
}

TEST_F(CopyTest, ASourceThatCannotBeRead) {
  CopySource source(Path("nothing"), "name", [](const std::string&) {});
  EXPECT_EQ(All(source).error().message(),
            "lstat " + Path("nothing") + ": no such file or directory");
}

}  // namespace
}  // namespace podium::cli
