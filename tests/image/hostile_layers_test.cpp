// Layers that want to reach outside of their folder, or to use up the machine: the row "layer
// archives" of the attacks that podium is tested against. UnpackTest's TearDown looks at what
// stands beside the folder after each.
#include <gmock/gmock.h>

#include <algorithm>

#include "image/image_builder.h"
#include "image/image_store.h"
#include "image/tar_builder.h"
#include "image/unpack.h"
#include "image/unpack_harness.h"
#include "support/live_heap.h"
#include "support/long_form.h"

namespace podium::image {
namespace {

using ::testing::HasSubstr;

class HostileLayer : public UnpackTest {};

TEST_F(HostileLayer, DotDot) {
  for (const char* path : {"..", "../outside/secret", "a/../../outside/secret", "./..", "/../x",
                           "a/..", "../../../../../../../../tmp/x", "a/b/../c"}) {
    EXPECT_THAT(ErrorOf(TarBuilder().File(path, "evil").Finish()), HasSubstr("\"..\" in it"))
        << path;
  }
  EXPECT_THAT(ErrorOf(TarBuilder().Folder("../outside", 0777).Finish()), HasSubstr(".."));
  // As far as it got; names that only look like it are fine.
  EXPECT_EQ(ErrorOf(TarBuilder().File("...", "x").File("a..", "x").File("..b", "x").Finish()), "");
}

TEST_F(HostileLayer, AbsoluteNames) {
  const std::string secret = (outside() / "secret").string();
  ASSERT_EQ(ErrorOf(TarBuilder().File(secret, "inside").File("//etc///x", "y").Finish()), "");
  EXPECT_EQ(Content(secret.substr(1)), "inside");
  EXPECT_EQ(Content("etc/x"), "y");
}

TEST_F(HostileLayer, HardLinkToOutside) {
  const std::string secret = (outside() / "secret").string();
  for (const std::string& link :
       {secret, std::string("../outside/secret"), std::string("a/../../outside/secret"),
        std::string("/etc/passwd"), std::string(), std::string("/"), std::string(".")}) {
    EXPECT_THAT(ErrorOf(TarBuilder().HardLink("stolen", link).Finish()), HasSubstr("link to"))
        << link;
    EXPECT_FALSE(Exists("stolen")) << link;
  }
  // By way of links.
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .Symlink("out", outside().string())
                          .HardLink("stolen", "out/secret")
                          .Finish()),
              HasSubstr("not in the layer"));
  EXPECT_THAT(
      ErrorOf(TarBuilder().Symlink("out", "../outside").HardLink("stolen", "out/secret").Finish()),
      HasSubstr("not in the layer"));
  // A hard link to a link is another name of the link, which leads where it leads.
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .Symlink("out", (outside() / "secret").string())
                        .HardLink("same", "out")
                        .File("same", "evil")
                        .Finish()),
            "");
  EXPECT_EQ(Content("same"), "evil");
  EXPECT_THAT(ErrorOf(TarBuilder().Folder("a").HardLink("b", "a").Finish()),
              HasSubstr("hard link to a folder"));
}

TEST_F(HostileLayer, LinkThenFileThroughIt) {
  const std::string absolute = outside().string();
  // A root of its own: what the link names is looked for inside.
  for (const std::string& link : {absolute, std::string("../outside"), std::string("../../.."),
                                  std::string("/"), std::string("a/../../outside")}) {
    const std::string error =
        ErrorOf(TarBuilder().Symlink("out", link).File("out/secret", "evil").Finish());
    EXPECT_EQ(Text(outside() / "secret"), "untouched") << link << ": " << error;
  }
  EXPECT_THAT(ErrorOf(TarBuilder().Symlink("out", absolute).File("out/new", "evil").Finish()),
              HasSubstr("is no folder"));
  // Of a folder inside it is followed, as a tool that unpacks in a chroot does.
  ASSERT_EQ(
      ErrorOf(
          TarBuilder().Folder("usr/lib").Symlink("lib", "/usr/lib").File("lib/x.so", "x").Finish()),
      "");
  EXPECT_EQ(Content("usr/lib/x.so"), "x");
  // The last name is never followed: neither to write, nor to set owner, mode, times or xattrs.
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .Symlink("secret", (outside() / "secret").string())
                        .File("secret", "evil", 0777)
                        .Symlink("folder", absolute)
                        .Folder("folder", 0777)
                        .File("folder/new", "inside")
                        .Symlink("again", absolute)
                        .Add({.path = "again",
                              .type = '2',
                              .link = absolute,
                              .mode = 0777,
                              .uid = 4242,
                              .mtime = "1"})
                        .Finish()),
            "");
  EXPECT_EQ(Content("secret"), "evil");
  EXPECT_EQ(Content("folder/new"), "inside");
  EXPECT_EQ(Status("again").st_uid, 4242u);
  // Of /proc, whose links lead anywhere.
  EXPECT_NE(ErrorOf(TarBuilder()
                        .Symlink("self", "/proc/self/cwd")
                        .File("self/podium_was_here", "evil")
                        .Finish()),
            "");
  EXPECT_FALSE(std::filesystem::exists("podium_was_here"));
  // In a circle.
  EXPECT_NE(ErrorOf(TarBuilder().Symlink("a", "b").Symlink("b", "a").File("a/x", "").Finish()), "");
}

TEST_F(HostileLayer, WhiteoutOfDotDot) {
  for (const char* path : {".wh...", "a/.wh...", ".wh..", ".wh.", "a/.wh.."}) {
    EXPECT_THAT(ErrorOf(TarBuilder().Folder("a").File(path, "").Finish()),
                HasSubstr("it hides no name"))
        << path;
  }
  EXPECT_THAT(
      ErrorOf(TarBuilder().Symlink("out", outside().string()).File("out/.wh.secret", "").Finish()),
      HasSubstr("is no folder"));
  EXPECT_THAT(
      ErrorOf(
          TarBuilder().Symlink("out", outside().string()).File("out/.wh..wh..opq", "").Finish()),
      HasSubstr("is no folder"));
  EXPECT_THAT(ErrorOf(TarBuilder().File(".wh.a/b", "").Finish()),
              HasSubstr("it lies in a whiteout"));
  // A whiteout that is a link or a folder in the archive is nothing but a whiteout.
  ASSERT_EQ(ErrorOf(TarBuilder().Symlink(".wh.x", "/etc").Folder(".wh.y").Finish()), "");
  EXPECT_TRUE(Whiteout("x"));
  EXPECT_TRUE(Whiteout("y"));
}

TEST_F(HostileLayer, ReplacedFoldersAreRemovedWithoutFollowingLinks) {
  ASSERT_EQ(ErrorOf(TarBuilder()
                        .Folder("a/b")
                        .Symlink("a/b/out", outside().string())
                        .Symlink("a/out", "../../outside")
                        .File("a", "now a file")
                        .Finish()),
            "");
  EXPECT_EQ(Content("a"), "now a file");
}

// Nobody but root reaches a layer's folder, and the nodes are what they were in the archive; who
// mounts it does so without devices.
TEST_F(HostileLayer, DeviceNodesForNonPrivilegedUse) {
  TemporaryFolder folder;
  auto store = ImageStore::Open((folder.path() / "images").string());
  ASSERT_TRUE(store.ok());
  ImageBuilder builder;
  builder.Layer(TarBuilder()
                    .Add({.path = "sda", .type = '4', .mode = 0666, .major = 8, .minor = 0})
                    .Add({.path = "su", .data = "program", .mode = 04755})
                    .Finish());
  const auto image = (*store)->AddManifest(builder.PutInto(&(*store)->content()), {});
  ASSERT_TRUE(image.ok());
  for (std::filesystem::path path = image->layers[0]; path != folder.path();
       path = path.parent_path()) {
    if (path.filename() == "fs") continue;
    EXPECT_EQ(StatusOf(path).st_mode & 077, 0u) << path;
  }
  EXPECT_THAT(ErrorOf(TarBuilder().Add({.path = "x", .type = '3', .major = 1u << 12}).Finish()),
              HasSubstr("device number is out of range"));
}

TEST_F(HostileLayer, ABomb) {
  // A gigabyte of zeros in a megabyte of gzip, on a disk that has less: here, the limit is given.
  const std::string zeros(size_t{4} << 20, '\0');
  const std::string archive = TarBuilder().File("zeros", zeros).Finish();
  const std::string compressed = Gzip(archive);
  EXPECT_LT(compressed.size() * 100, archive.size());
  MemorySource source(compressed);
  const auto plain = MakeDecompressor(source);
  LimitedSource limited(*plain, size_t{1} << 20,
                        [] { return Error(Code::kResourceExhausted, "too large"); });
  std::filesystem::create_directory(layer());
  const UniqueFd folder(open(layer().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto stats = UnpackTar(limited, folder.get());
  EXPECT_EQ(stats.error().code(), Code::kResourceExhausted);
  EXPECT_LE(Status("zeros").st_size, 1 << 20);

  // A file larger than any disk costs nothing until it is written, and is refused by the kernel.
  std::string huge = TarHeader({.path = "huge"}, 0777777777777);
  EXPECT_THAT(ErrorOf(TarBuilder().Raw(huge).Finish()), HasSubstr("ends inside of an entry"));
  EXPECT_THAT(ErrorOf(TarBuilder()
                          .Add({.path = "holes",
                                .pax = {{"GNU.sparse.size", "9223372036854775807"},
                                        {"GNU.sparse.map", "9223372036854775807,0"}}})
                          .Finish()),
              HasSubstr("bytes long"));
  // Extended headers are kept in memory, so they are small.
  huge = TarHeader({.path = "x", .type = 'x'}, 0777777777);
  EXPECT_THAT(ErrorOf(TarBuilder().Raw(huge).Finish()), HasSubstr("more than 1048576"));
  huge = TarHeader({.path = "x", .type = 'L'}, 0777777777);
  EXPECT_THAT(ErrorOf(TarBuilder().Raw(huge).Finish()), HasSubstr("more than 1048576"));
}

TEST_F(HostileLayer, AMillionEntries) {
  // The same names again and again, which costs as much to read and less to write.
  TarBuilder batch;
  for (int i = 0; i < 1000; ++i) {
    batch.Folder("d" + std::to_string(i % 100)).File("d" + std::to_string(i % 100) + "/f", "");
  }
  class Repeated : public ByteSource {
   public:
    explicit Repeated(const std::string& bytes, int times) : bytes_(bytes), times_(times) {}
    Result<size_t> Read(std::span<char> buffer) override {
      most_heap_ = std::max(most_heap_, testing::LiveHeap());
      if (rest_.empty() && times_ > 0) {
        --times_;
        rest_ = bytes_;
      }
      const size_t count = std::min(buffer.size(), rest_.size());
      rest_.copy(buffer.data(), count);
      rest_.remove_prefix(count);
      return count;
    }
    size_t most_heap() const { return most_heap_; }

   private:
    const std::string& bytes_;
    std::string_view rest_;
    int times_;
    size_t most_heap_ = 0;
  };
  const int batches = podium::testing::IsLongForm() ? 500 : 20;
  Repeated source(batch.bytes(), batches);
  std::filesystem::create_directory(layer());
  const UniqueFd folder(open(layer().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const size_t before = testing::LiveHeap();
  const auto stats = UnpackTar(source, folder.get());
  ASSERT_TRUE(stats.ok()) << stats.error().message();
  EXPECT_EQ(stats->entries, 2000u * batches);
  EXPECT_LT(source.most_heap(), before + (8 << 20));
  // And there is an end.
  EXPECT_THAT(ErrorOf(batch.Finish()), "");
  EXPECT_THAT(Unpack(batch.Finish(), {.max_entries = 1999}).error().message(),
              HasSubstr("more than 1999 entries"));
}

TEST_F(HostileLayer, NamesOf4096Bytes) {
  std::string path;
  while (path.size() + 256 < 4096) path += std::string(255, 'a' + path.size() / 256 % 26) + '/';
  path += std::string(4095 - path.size(), 'z');
  ASSERT_EQ(path.size(), 4095u);
  const size_t slash = path.rfind('/');
  ASSERT_EQ(ErrorOf(TarBuilder().File(path, "deep").File("x", "after").Finish()), "");
  EXPECT_EQ(Content("x"), "after");
  // By its parent, because the absolute path is longer than the kernel takes.
  const UniqueFd folder(open(layer().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  EXPECT_EQ(fstatat(folder.get(), path.c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_size, 4);
  EXPECT_THAT(ErrorOf(TarBuilder().File(path + "z", "").Finish()),
              HasSubstr("more than 4095 bytes"));
  EXPECT_THAT(ErrorOf(TarBuilder().File(std::string(256, 'n'), "").Finish()),
              HasSubstr("File name too long"));
  EXPECT_THAT(ErrorOf(TarBuilder().Symlink("l", std::string(4096, 'n')).Finish()),
              HasSubstr("File name too long"));
  // As many folders in one another as a name can say, removed again without as many descriptors.
  std::string deep = "a";
  while (deep.size() + 2 < 4095) deep += "/a";
  ASSERT_EQ(ErrorOf(TarBuilder().Folder(deep).File("a", "now a file").Finish()), "");
  EXPECT_EQ(Content("a"), "now a file");
  ASSERT_EQ(ErrorOf(TarBuilder().File(path.substr(0, slash) + "/b", "").Finish()), "");
}

TEST_F(HostileLayer, OwnersOutOfRange) {
  for (const char* id : {"4294967295", "4294967296", "18446744073709551615", "-1"}) {
    EXPECT_NE(ErrorOf(TarBuilder().Add({.path = "f", .pax = {{"uid", id}}}).Finish()), "") << id;
    EXPECT_NE(ErrorOf(TarBuilder().Add({.path = "f", .pax = {{"gid", id}}}).Finish()), "") << id;
    EXPECT_FALSE(Exists("f"));
  }
  ASSERT_EQ(ErrorOf(TarBuilder().Add({.path = "f", .pax = {{"uid", "4294967294"}}}).Finish()), "");
  EXPECT_EQ(Status("f").st_uid, 4294967294u);
}

TEST_F(HostileLayer, NothingStandsInTheWayOfAParent) {
  EXPECT_THAT(ErrorOf(TarBuilder().File("a", "x").File("a/b", "y").Finish()),
              HasSubstr("\"a\" is no folder, but something lies in it"));
  EXPECT_THAT(ErrorOf(TarBuilder().File("a", "x").File("a/b/c", "y").Finish()),
              HasSubstr("\"a\" is no folder"));
}

TEST_F(HostileLayer, MessagesHaveNoControlCharacters) {
  const std::string error =
      ErrorOf(TarBuilder().File("\x1b]0;evil\x07/../\n" + std::string(5000, 'x'), "").Finish());
  EXPECT_EQ(error.find_first_of("\x1b\x07\n"), std::string::npos);
  EXPECT_LT(error.size(), 400u);
}

}  // namespace
}  // namespace podium::image
