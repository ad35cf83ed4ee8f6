// What a disk or a person does to the store: it is found, and mended or told.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "image/image_builder.h"
#include "image/image_store.h"
#include "image/layer_digest.h"
#include "image/tar_builder.h"
#include "image/temporary_folder.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImageDamageTest : public ::testing::Test {
 protected:
  ImageDamageTest() : root_((folder_.path() / "images").string()) {
    Reopen();
    ImageBuilder builder;
    builder.Layer(TarBuilder()
                      .Folder("usr")
                      .Folder("usr/bin")
                      .File("usr/bin/tool", std::string(10'000, 'b') + "end", 0755)
                      .Folder("etc")
                      .File("etc/hosts", "localhost")
                      .HardLink("etc/names", "etc/hosts")
                      .Symlink("bin", "usr/bin")
                      .Finish());
    manifest_ = builder.PutInto(&store_->content());
    const auto added = store_->AddManifest(manifest_, std::vector<std::string>{"app"});
    EXPECT_TRUE(added.ok()) << added.error().message();
    image_ = *added;
    layer_ = image_.layers[0];
    blob_ = fs::path(root_) / "blobs/sha256" / DigestOf(builder.layers[0].bytes).hex;
    blob_bytes_ = builder.layers[0].bytes;
  }

  void Reopen() {
    store_.reset();
    auto store = ImageStore::Open(root_);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = *std::move(store);
  }
  void Boot() {
    store_.reset();
    std::ofstream(layer_.parent_path() / "checked", std::ios::trunc) << "an earlier one";
    Reopen();
  }
  bool Pinned() {
    const auto pin = store_->Pin(image_.id);
    EXPECT_TRUE(pin.ok()) << pin.error().message();
    return pin.ok();
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void ExpectWhole() const {
    EXPECT_EQ(Read(layer_ / "usr/bin/tool"), std::string(10'000, 'b') + "end");
    EXPECT_EQ(Read(layer_ / "bin/tool"), std::string(10'000, 'b') + "end");
    EXPECT_EQ(Read(layer_ / "etc/names"), "localhost");
    struct stat status{};
    EXPECT_EQ(lstat((layer_ / "usr/bin/tool").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFREG | 0755));
    EXPECT_EQ(status.st_mtim.tv_sec, 1'700'000'000);
  }
  // As it was before, by all that stat tells.
  static void FlipAByte(const fs::path& path) {
    struct stat before{};
    ASSERT_EQ(lstat(path.c_str(), &before), 0);
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_EQ(pwrite(file, "x", 1, 5000), 1);
    EXPECT_EQ(fsync(file), 0);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    EXPECT_EQ(futimens(file, times), 0);
    close(file);
  }
  size_t Damaged() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(fs::path(root_) / "damaged")) {
      ++count;
    }
    return count;
  }

  TemporaryFolder folder_;
  const std::string root_;
  std::unique_ptr<ImageStore> store_;
  Digest manifest_;
  ImageInfo image_;
  fs::path layer_;
  fs::path blob_;
  std::string blob_bytes_;
};

TEST_F(ImageDamageTest, WhatIsLostAtTheTopIsFoundAtStart) {
  store_.reset();
  fs::remove_all(layer_ / "etc");
  Reopen();
  // Not unpacked any more, and can be again.
  EXPECT_THAT(store_->Resolve("app")->layers, IsEmpty());
  EXPECT_TRUE(store_->Resolve("app")->runnable);
  ASSERT_TRUE(Pinned());
  ExpectWhole();
  EXPECT_EQ(store_->Resolve("app")->layers, image_.layers);
}

TEST_F(ImageDamageTest, WhatIsLostAtTheTopIsFoundByTheNextUser) {
  fs::remove_all(layer_ / "usr");
  ASSERT_TRUE(Pinned());
  ExpectWhole();
  fs::remove_all(layer_.parent_path());
  ASSERT_TRUE(Pinned());
  ExpectWhole();
}

TEST_F(ImageDamageTest, EntriesAreLookedAtOnceAfterABoot) {
  const auto cut = [&] { fs::resize_file(layer_ / "usr/bin/tool", 100); };
  // Nothing is read again for whom it was read already.
  cut();
  ASSERT_TRUE(Pinned());
  EXPECT_EQ(fs::file_size(layer_ / "usr/bin/tool"), 100u);
  Reopen();
  ASSERT_TRUE(Pinned());
  EXPECT_EQ(fs::file_size(layer_ / "usr/bin/tool"), 100u);

  const std::function<void()> damages[] = {
      cut,
      [&] { fs::remove(layer_ / "usr/bin/tool"); },
      [&] { std::ofstream(layer_ / "etc/shadow") << "more"; },
      [&] { EXPECT_EQ(chmod((layer_ / "usr/bin").c_str(), 0777), 0); },
      [&] { EXPECT_EQ(chown((layer_ / "etc/hosts").c_str(), 7, 8), 0); },
      [&] { EXPECT_EQ(setxattr((layer_ / "etc/hosts").c_str(), "user.x", "1", 1, 0), 0); },
      [&] { EXPECT_EQ(utimensat(AT_FDCWD, (layer_ / "etc/hosts").c_str(), nullptr, 0), 0); },
      [&] {
        const timespec times[2] = {{0, UTIME_OMIT}, {1'700'000'000, 0}};
        fs::remove(layer_ / "etc/names");
        EXPECT_EQ(utimensat(AT_FDCWD, (layer_ / "etc").c_str(), times, 0), 0);
      },
  };
  for (const auto& damage : damages) {
    Boot();
    ASSERT_TRUE(Pinned());
    ExpectWhole();
    damage();
    Boot();
    ASSERT_TRUE(Pinned());
    ExpectWhole();
    // And it is known to be whole from then on.
    EXPECT_NE(Read(layer_.parent_path() / "checked"), "an earlier one");
  }
}

TEST_F(ImageDamageTest, BytesAreReadOnRequest) {
  EXPECT_THAT(*store_->Verify(), IsEmpty());
  FlipAByte(layer_ / "usr/bin/tool");
  Boot();
  ASSERT_TRUE(Pinned());
  EXPECT_EQ(Read(layer_ / "usr/bin/tool")[5000], 'x');
  auto damages = store_->Verify();
  ASSERT_TRUE(damages.ok()) << damages.error().message();
  ASSERT_EQ(damages->size(), 1u);
  EXPECT_EQ((*damages)[0].digest.String(), image_.document.rootfs.diff_ids[0]);
  EXPECT_THAT((*damages)[0].images, ElementsAre(image_.id));
  EXPECT_THAT((*damages)[0].what, HasSubstr("do not have the bytes that were unpacked"));
  EXPECT_TRUE((*damages)[0].mended);
  ExpectWhole();
  EXPECT_THAT(*store_->Verify(), IsEmpty());
  EXPECT_THAT(store_->Resolve("app")->missing, IsEmpty());
}

TEST_F(ImageDamageTest, WithoutItsBlobALayerIsFetchedAgain) {
  fs::remove(blob_);
  Reopen();
  // Whole as it is, it runs on.
  EXPECT_TRUE(store_->Resolve("app")->runnable);
  ASSERT_TRUE(Pinned());
  fs::remove_all(layer_ / "usr");
  const auto pin = store_->Pin(image_.id);
  EXPECT_EQ(pin.error().code(), Code::kDataLoss);
  EXPECT_THAT(pin.error().message(), HasSubstr("the blob that it was made of is gone"));
  EXPECT_FALSE(store_->Resolve("app")->runnable);
  EXPECT_THAT(store_->Resolve("app")->missing, ElementsAre(DigestOf(blob_bytes_)));
  // As a pull does.
  ASSERT_TRUE(store_->content().Put(blob_bytes_).ok());
  ASSERT_TRUE(store_->AddManifest(manifest_, {}).ok());
  EXPECT_TRUE(store_->Resolve("app")->runnable);
  ASSERT_TRUE(Pinned());
  ExpectWhole();
}

TEST_F(ImageDamageTest, BlobAndLayerDamagedIsTold) {
  FlipAByte(layer_ / "usr/bin/tool");
  fs::permissions(blob_, fs::perms::owner_all);
  FlipAByte(blob_);
  const auto damages = store_->Verify();
  ASSERT_TRUE(damages.ok()) << damages.error().message();
  ASSERT_EQ(damages->size(), 2u);
  EXPECT_EQ((*damages)[0].digest, DigestOf(blob_bytes_));
  EXPECT_FALSE((*damages)[0].mended);
  EXPECT_FALSE((*damages)[1].mended);
  EXPECT_FALSE(store_->Resolve("app")->runnable);
}

TEST_F(ImageDamageTest, WhoHasADamagedLayerMountedKeepsIt) {
  {
    const auto old = store_->Pin(image_.id);
    ASSERT_TRUE(old.ok());
    const int mounted = open(layer_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(mounted, 0);
    fs::remove_all(layer_ / "usr");
    ASSERT_TRUE(Pinned());
    ExpectWhole();
    EXPECT_EQ(Damaged(), 1u);
    ASSERT_TRUE(store_->Prune().ok());
    EXPECT_EQ(faccessat(mounted, "etc/hosts", R_OK, 0), 0);
    close(mounted);
  }
  ASSERT_TRUE(store_->CollectGarbage({}, std::chrono::system_clock::now()).ok());
  EXPECT_EQ(Damaged(), 0u);
  ExpectWhole();
}

TEST_F(ImageDamageTest, ADescriptionThatIsDamagedIsNone) {
  for (const char* text : {"", "{", "{}", R"({"entries":"sha256:1"})"}) {
    store_.reset();
    std::ofstream(layer_.parent_path() / "layer.json", std::ios::trunc) << text;
    Reopen();
    EXPECT_THAT(store_->Resolve("app")->layers, IsEmpty());
    ASSERT_TRUE(Pinned());
    ExpectWhole();
  }
}

TEST_F(ImageDamageTest, VerifyingCanBeCancelled) {
  const auto cancelled = store_->Verify([](uint64_t) { return false; });
  EXPECT_EQ(cancelled.error().code(), Code::kCancelled);
  uint64_t last = 0;
  ASSERT_TRUE(store_
                  ->Verify([&](uint64_t done) {
                    EXPECT_GE(done, last);
                    last = done;
                    return true;
                  })
                  .ok());
  EXPECT_GT(last, blob_bytes_.size() + 10'000);
}

// How the file system keeps a file does not count.
TEST(LayerDigest, HolesAreZeros) {
  TemporaryFolder folder;
  const fs::path file = folder.path() / "f";
  const auto contents = [&] {
    const int fd = open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto digest = DigestOfContents(fd, {});
    close(fd);
    EXPECT_TRUE(digest.ok());
    return *digest;
  };
  std::ofstream(file) << std::string(200'000, '\0') << "end" << std::string(300'000, '\0');
  const Digest written = contents();
  fs::remove(file);
  std::ofstream(file) << "";
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(pwrite(fd, "end", 3, 200'000), 3);
  EXPECT_EQ(ftruncate(fd, 500'003), 0);
  close(fd);
  EXPECT_EQ(contents(), written);
  std::ofstream(file, std::ios::app) << "more";
  EXPECT_NE(contents(), written);
}

}  // namespace
}  // namespace podium::image
