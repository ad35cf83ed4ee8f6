#include "image/unpack.h"

#include <gmock/gmock.h>

#include "image/tar_builder.h"
#include "image/unpack_harness.h"

namespace podium::image {
namespace {

using ::testing::HasSubstr;

TEST_F(UnpackTest, KeepsWhatAFileHas) {
  const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  const auto stats = Unpack(
      TarBuilder()
          .Folder("./", 0751)
          .Folder("usr/", 01777)
          .Add({.path = "usr/ping",
                .data = "program",
                .mode = 04755,
                .uid = 100000,
                .gid = 4000000000,
                .mtime = "1700000000.123456789",
                .pax = {{"SCHILY.xattr.security.capability", capability},
                        {"SCHILY.xattr.user.mime", "x/y"}}})
          .Add({.path = "usr/old", .mode = 02644, .mtime = "-1.5"})
          .Symlink("usr/link", "/absolute/../target")
          .HardLink("usr/pong", "./usr/ping")
          .Add({.path = "fifo", .type = '6', .mode = 0600})
          .Add({.path = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3})
          .Add({.path = "disk", .type = '4', .mode = 0660, .gid = 6, .major = 8, .minor = 300})
          .Finish());
  ASSERT_TRUE(stats.ok()) << stats.error().message();
  EXPECT_EQ(stats->entries, 9u);
  EXPECT_EQ(stats->inodes, 7u);
  EXPECT_EQ(Status("").st_mode, S_IFDIR | 0751u);
  EXPECT_EQ(Status("usr").st_mode, S_IFDIR | 01777u);
  EXPECT_EQ(Status("usr").st_mtim.tv_sec, 1700000000);
  const struct stat ping = Status("usr/ping");
  EXPECT_EQ(ping.st_mode, S_IFREG | 04755u);
  EXPECT_EQ(ping.st_uid, 100000u);
  EXPECT_EQ(ping.st_gid, 4000000000u);
  EXPECT_EQ(ping.st_mtim.tv_sec, 1700000000);
  EXPECT_EQ(ping.st_mtim.tv_nsec, 123456789);
  EXPECT_EQ(ping.st_nlink, 2u);
  EXPECT_EQ(ping.st_ino, Status("usr/pong").st_ino);
  EXPECT_EQ(Content("usr/pong"), "program");
  EXPECT_EQ(Xattr("usr/ping", "security.capability"), capability);
  EXPECT_EQ(Xattr("usr/ping", "user.mime"), "x/y");
  EXPECT_EQ(Status("usr/old").st_mtim.tv_sec, -2);
  EXPECT_EQ(Status("usr/old").st_mtim.tv_nsec, 500000000);
  EXPECT_EQ(std::filesystem::read_symlink(layer() / "usr/link"), "/absolute/../target");
  EXPECT_TRUE(S_ISFIFO(Status("fifo").st_mode));
  EXPECT_EQ(Status("null").st_rdev, makedev(1, 3));
  EXPECT_EQ(Status("null").st_mode, S_IFCHR | 0666u);
  EXPECT_EQ(Status("disk").st_rdev, makedev(8, 300));
  EXPECT_EQ(Status("disk").st_gid, 6u);
}

TEST_F(UnpackTest, FoldersKeepTheirTimesWhateverTheOrder) {
  // Before its children, after them, and again in between.
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .Add({.path = "a/", .type = '5', .mode = 0700, .mtime = "1000"})
                        .File("a/1", "")
                        .File("a/implied/deep/1", "")
                        .File("b/c/1", "")
                        .Add({.path = "b/c", .type = '5', .mode = 0711, .mtime = "2000"})
                        .File("a/2", "")
                        .Add({.path = "b", .type = '5', .mode = 0722, .mtime = "3000"})
                        .File("b/c/2", "")
                        .File("b/2", "")
                        .Add({.path = ".", .type = '5', .mode = 0755, .mtime = "4000"})
                        .File("last", "")
                        .Finish()),
            "");
  EXPECT_EQ(Status("a").st_mtim.tv_sec, 1000);
  EXPECT_EQ(Status("a").st_mode, S_IFDIR | 0700u);
  EXPECT_EQ(Status("b/c").st_mtim.tv_sec, 2000);
  EXPECT_EQ(Status("b/c").st_mode, S_IFDIR | 0711u);
  EXPECT_EQ(Status("b").st_mtim.tv_sec, 3000);
  EXPECT_EQ(Status("").st_mtim.tv_sec, 4000);
  EXPECT_TRUE(Exists("b/c/1"));
}

TEST_F(UnpackTest, TheLastEntryOfANameCounts) {
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .File("file", "first", 04755)
                        .File("file", "second")
                        .File("becomes-folder", "x")
                        .Folder("becomes-folder", 0700)
                        .File("becomes-folder/inside", "y")
                        .Folder("becomes-file")
                        .File("becomes-file/deep/er", "z")
                        .File("becomes-file", "w")
                        .Folder("becomes-link")
                        .Symlink("becomes-link", "file")
                        .Symlink("link", "file")
                        .File("link", "not through it")
                        .HardLink("link2", "link")
                        .HardLink("file", "link2")
                        .Finish()),
            "");
  EXPECT_EQ(Content("file"), "not through it");
  EXPECT_EQ(Content("becomes-folder/inside"), "y");
  EXPECT_EQ(Content("becomes-file"), "w");
  EXPECT_EQ(std::filesystem::read_symlink(layer() / "becomes-link"), "file");
  EXPECT_EQ(Content("link"), "not through it");
  EXPECT_EQ(Status("link").st_nlink, 3u);
}

TEST_F(UnpackTest, AHardLinkToItselfChangesNothing) {
  ASSERT_EQ(ErrorOf(TarBuilder().File("a", "x").HardLink("a", "a").HardLink("a", "/a").Finish()),
            "");
  EXPECT_EQ(Content("a"), "x");
}

TEST_F(UnpackTest, WhiteoutsHideWhatIsBelow) {
  const auto stats = Unpack(TarBuilder()
                                .File("etc/.wh.passwd", "")
                                .File("opaque/.wh..wh..opq", "")
                                .File("opaque/mine", "x")
                                .File("late/mine", "x")
                                .File("late/.wh..wh..opq", "")
                                .File(".wh..wh.aufs", "aufs's own")
                                .Folder(".wh..wh.plnk")
                                .File(".wh..wh.plnk/1.2", "aufs's own")
                                .File("-.wh.name", "no whiteout")
                                .Finish());
  ASSERT_TRUE(stats.ok()) << stats.error().message();
  EXPECT_FALSE(stats->opaque_root);
  EXPECT_TRUE(Whiteout("etc/passwd"));
  EXPECT_EQ(Xattr("etc", "trusted.overlay.opaque"), "(none)");
  EXPECT_EQ(Xattr("opaque", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(Xattr("late", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(Content("opaque/mine"), "x");
  EXPECT_EQ(Content("late/mine"), "x");
  EXPECT_EQ(Names(layer()), (std::set<std::string>{"etc", "opaque", "late", "-.wh.name"}));
  EXPECT_TRUE(Unpack(TarBuilder().File(".wh..wh..opq", "").Finish())->opaque_root);
}

// A whiteout is about the layers below, never about its own: OCI image specification, layer.md.
TEST_F(UnpackTest, WhiteoutsOfNamesInTheSameLayer) {
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .File("file-first", "x")
                        .File(".wh.file-first", "")
                        .File(".wh.file-last", "")
                        .File("file-last", "y")
                        .File("folder-first/a", "x")
                        .File(".wh.folder-first", "")
                        .File(".wh.folder-last", "")
                        .Folder("folder-last", 0700)
                        .File(".wh.implied", "")
                        .File("implied/deep/a", "z")
                        .File(".wh.twice", "")
                        .File(".wh.twice", "")
                        .File(".wh.linked", "")
                        .HardLink("linked", "file-first")
                        .Finish()),
            "");
  EXPECT_EQ(Content("file-first"), "x");
  EXPECT_EQ(Content("file-last"), "y");
  EXPECT_EQ(Content("folder-first/a"), "x");
  EXPECT_EQ(Xattr("folder-first", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(Xattr("folder-last", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(Content("implied/deep/a"), "z");
  EXPECT_EQ(Xattr("implied", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(Xattr("implied/deep", "trusted.overlay.opaque"), "(none)");
  EXPECT_TRUE(Whiteout("twice"));
  EXPECT_EQ(Content("linked"), "x");
}

TEST_F(UnpackTest, WithoutPrivilegeItIsMarkedForUserxattr) {
  const std::string archive = TarBuilder()
                                  .File("a/.wh..wh..opq", "")
                                  .File("a/.wh.b", "")
                                  .Add({.path = "a/null", .type = '3', .major = 1, .minor = 3})
                                  .Add({.path = "a/theirs", .mode = 04755, .uid = 1000})
                                  .Folder("closed", 0)
                                  .File("closed/inside", "x")
                                  .Finish();
  ASSERT_TRUE(Unpack(archive, {.privileged = false}).ok());
  EXPECT_EQ(Xattr("a", "user.overlay.opaque"), "y");
  EXPECT_EQ(Xattr("a", "trusted.overlay.opaque"), "(none)");
  EXPECT_TRUE(Whiteout("a/b"));
  EXPECT_FALSE(Exists("a/null"));
  EXPECT_EQ(Status("a/theirs").st_uid, geteuid());
  EXPECT_EQ(Status("closed").st_mode, S_IFDIR | 0700u);
}

TEST_F(UnpackTest, XattrsThatMeanSomethingToTheHostAreLeftOut) {
  ASSERT_EQ(
      ErrorOf(
          TarBuilder()
              .Add({.path = "d",
                    .type = '5',
                    .mode = 0755,
                    .pax = {{"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                            {"SCHILY.xattr.trusted.overlay.opaque", "y"},
                            {"SCHILY.xattr.user.overlay.opaque", "y"},
                            {"SCHILY.xattr.trusted.other", "y"},
                            {"SCHILY.xattr.security.ima", "y"},
                            {"SCHILY.xattr.user.kept", "y"}}})
              .Add(
                  {.path = "l", .type = '2', .link = "d", .pax = {{"SCHILY.xattr.user.kept", "y"}}})
              .Finish()),
      "");
  for (const char* key : {"trusted.overlay.redirect", "trusted.overlay.opaque",
                          "user.overlay.opaque", "trusted.other", "security.ima"}) {
    EXPECT_EQ(Xattr("d", key), "(none)") << key;
  }
  EXPECT_EQ(Xattr("d", "user.kept"), "y");
  // One that the kernel takes nowhere is no reason to give up a layer silently.
  const std::string large(65537, 'x');
  EXPECT_THAT(
      ErrorOf(TarBuilder().Add({.path = "f", .pax = {{"SCHILY.xattr.user.x", large}}}).Finish()),
      HasSubstr("setting xattr user.x of 65537 bytes"));
}

TEST_F(UnpackTest, NamesOfAnyBytes) {
  const std::string name = "caf\xe9 \xff\n*";
  const std::string utf8 = "grüße/世界";
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .File(name, "x")
                        .Add({.path = utf8, .data = "y", .pax = {{"path", utf8}}})
                        .Finish()),
            "");
  EXPECT_EQ(Content(name), "x");
  EXPECT_EQ(Content(utf8), "y");
}

TEST_F(UnpackTest, SparseFilesStaySparse) {
  // Form 1.0: the map stands before the data.
  std::string table = "2\n4096\n5\n1000000\n3\n";
  table.resize(512, '\0');
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .Add({.path = "GNUSparseFile.0/holes",
                                .data = table + "middlend.",
                                .pax = {{"GNU.sparse.major", "1"},
                                        {"GNU.sparse.minor", "0"},
                                        {"GNU.sparse.name", "holes"},
                                        {"GNU.sparse.realsize", "5000000"}}})
                          .Finish()),
              HasSubstr("not as long as its parts"));
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .Add({.path = "GNUSparseFile.0/holes",
                              .data = table + "middlend",
                              .pax = {{"GNU.sparse.major", "1"},
                                      {"GNU.sparse.minor", "0"},
                                      {"GNU.sparse.name", "holes"},
                                      {"GNU.sparse.realsize", "5000000"}}})
                        // Form 0.1.
                        .Add({.path = "old",
                              .data = "abcdef",
                              .pax = {{"GNU.sparse.size", "300000"},
                                      {"GNU.sparse.numblocks", "2"},
                                      {"GNU.sparse.map", "0,4,200000,2"}}})
                        // Form 0.0.
                        .Add({.path = "older",
                              .data = "abc",
                              .pax = {{"GNU.sparse.size", "300000"},
                                      {"GNU.sparse.numblocks", "1"},
                                      {"GNU.sparse.offset", "100000"},
                                      {"GNU.sparse.numbytes", "3"}}})
                        .File("after", "still in step")
                        .Finish()),
            "");
  EXPECT_EQ(Status("holes").st_size, 5000000);
  EXPECT_LT(Status("holes").st_blocks * 512, 100000);
  EXPECT_EQ(Content("holes").substr(4096, 5), "middl");
  EXPECT_EQ(Content("holes").substr(1000000, 3), "end");
  EXPECT_EQ(Content("holes").substr(5, 100), std::string(100, '\0'));
  EXPECT_EQ(Status("old").st_size, 300000);
  EXPECT_EQ(Content("old").substr(200000, 3), std::string("ef\0", 3));
  EXPECT_EQ(Content("older").substr(100000, 3), "abc");
  EXPECT_EQ(Content("after"), "still in step");
}

TEST_F(UnpackTest, ReadsToTheEndOfTheStream) {
  const std::string archive = TarBuilder().File("a", "x").Finish() + std::string(100000, 'x');
  MemorySource source(archive);
  size_t seen = 0;
  ObservedSource observed(source, [&](std::string_view piece) -> Result<void> {
    seen += piece.size();
    return {};
  });
  std::filesystem::create_directory(layer());
  const UniqueFd folder(open(layer().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(UnpackTar(observed, folder.get()).ok());
  EXPECT_EQ(seen, archive.size());
}

}  // namespace
}  // namespace podium::image
