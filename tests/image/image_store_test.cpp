#include "image/image_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "image/image_builder.h"
#include "image/tar_builder.h"
#include "image/temporary_folder.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNginx = "docker.io/library/nginx:1.25";

class ImageStoreTest : public ::testing::Test {
 protected:
  ImageStoreTest() : root_((folder_.path() / "images").string()) { Reopen(); }

  void Reopen() {
    store_.reset();
    auto store = ImageStore::Open(root_);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = *std::move(store);
  }
  // An image of one layer for each text, which is in a file /N.
  Digest Put(const std::vector<std::string>& texts) {
    ImageBuilder builder;
    for (size_t i = 0; i < texts.size(); ++i) {
      builder.Layer(TarBuilder().File(std::to_string(i), texts[i]).Finish());
    }
    return builder.PutInto(&store_->content());
  }
  ImageInfo Add(const std::vector<std::string>& texts, const std::vector<std::string>& names) {
    auto added = store_->AddManifest(Put(texts), names);
    EXPECT_TRUE(added.ok()) << added.error().message();
    return added.ok() ? *added : ImageInfo();
  }
  size_t Entries(const char* name) const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(fs::path(root_) / name)) {
      ++count;
    }
    return count;
  }
  size_t Blobs() const { return store_->content().List()->size(); }
  fs::path Blob(const Digest& digest) const {
    return fs::path(root_) / "blobs/sha256" / digest.hex;
  }
  static void Overwrite(const fs::path& path, const std::string& bytes) {
    fs::permissions(path, fs::perms::owner_all);
    std::ofstream(path, std::ios::trunc) << bytes;
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  const std::string root_;
  std::unique_ptr<ImageStore> store_;
};

TEST_F(ImageStoreTest, KeepsImagesByName) {
  const ImageInfo added = Add({"zero", "one"}, {"nginx:1.25", "nginx"});
  EXPECT_THAT(added.names, ElementsAre(kNginx, "docker.io/library/nginx:latest"));
  EXPECT_TRUE(added.runnable);
  EXPECT_THAT(added.missing, IsEmpty());
  EXPECT_GT(added.size, 0u);
  EXPECT_GT(added.unpacked_size, 0u);
  ASSERT_EQ(added.layers.size(), 2u);
  EXPECT_EQ(Read(fs::path(added.layers[0]) / "0"), "zero");
  EXPECT_EQ(Read(fs::path(added.layers[1]) / "1"), "one");

  Reopen();
  for (const std::string& reference :
       {std::string("nginx"), std::string("docker.io/nginx:1.25"), added.id.String(), added.id.hex,
        added.id.hex.substr(0, 12), "sha256:" + added.id.hex.substr(0, 6)}) {
    const auto found = store_->Resolve(reference);
    ASSERT_TRUE(found.ok()) << found.error().message();
    EXPECT_EQ(found->id, added.id);
    EXPECT_EQ(found->layers, added.layers);
    EXPECT_EQ(found->document.architecture, "amd64");
    EXPECT_EQ(found->added, added.added);
  }
  EXPECT_EQ(store_->Resolve("nginx:1.24").error().code(), Code::kNotFound);
  EXPECT_THAT(store_->Resolve("redis").error().message(), HasSubstr("image \"redis\" not found"));
  EXPECT_EQ(store_->Resolve("Not A Name").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->List().size(), 1u);
}

TEST_F(ImageStoreTest, ADigestNamesWhatCameByIt) {
  const std::string digest = DigestOf("index").String();
  const ImageInfo added = Add({"a"}, {"nginx:1.25", "nginx:1.25@" + digest});
  EXPECT_THAT(added.names, ElementsAre(kNginx));
  EXPECT_THAT(added.repo_digests, ElementsAre("docker.io/library/nginx@" + digest));
  EXPECT_EQ(store_->Resolve("nginx@" + digest)->id, added.id);
  EXPECT_EQ(store_->Resolve("nginx:other@" + digest)->id, added.id);
  EXPECT_FALSE(store_->Resolve("redis@" + digest).ok());
}

TEST_F(ImageStoreTest, AnIdsDigitsMustBeOfOne) {
  std::map<char, int> firsts;
  for (int i = 0; i < 17; ++i) ++firsts[Add({std::to_string(i)}, {}).id.hex[0]];
  for (const auto& [digit, count] : firsts) {
    const auto found = store_->Resolve(std::string(1, digit));
    EXPECT_EQ(found.ok(), count == 1) << digit;
    if (count > 1) EXPECT_EQ(found.error().code(), Code::kInvalidArgument);
  }
}

TEST_F(ImageStoreTest, ANameMovesToTheImageThatGotItLast) {
  const ImageInfo old = Add({"old"}, {"nginx:1.25"});
  const ImageInfo young = Add({"young"}, {"nginx:1.25"});
  Reopen();
  EXPECT_EQ(store_->Resolve("nginx:1.25")->id, young.id);
  EXPECT_THAT(store_->Resolve(old.id.hex)->names, IsEmpty());
  // The same once more changes nothing.
  EXPECT_EQ(Add({"young"}, {"nginx:1.25"}).id, young.id);
  EXPECT_EQ(store_->List().size(), 2u);
}

TEST_F(ImageStoreTest, TagsAndRemovesNames) {
  const ImageInfo image = Add({"a"}, {"nginx:1.25", "nginx@" + DigestOf("x").String()});
  EXPECT_TRUE(store_->Tag("nginx:1.25", "localhost:5000/web").ok());
  EXPECT_EQ(store_->Resolve("localhost:5000/web:latest")->id, image.id);
  EXPECT_FALSE(store_->Tag("nginx:1.25", "web@" + DigestOf("x").String()).ok());
  EXPECT_EQ(store_->Tag("redis", "web").error().code(), Code::kNotFound);

  // With the last tag of a repository its digests go; the image stays while it has a name.
  auto removed = store_->Remove("nginx:1.25");
  ASSERT_TRUE(removed.ok());
  EXPECT_THAT(removed->names,
              ElementsAre(kNginx, "docker.io/library/nginx@" + DigestOf("x").String()));
  EXPECT_THAT(removed->images, IsEmpty());
  Reopen();
  EXPECT_TRUE(store_->Resolve(image.id.hex).ok());
  removed = store_->Remove("localhost:5000/web");
  ASSERT_TRUE(removed.ok());
  EXPECT_THAT(removed->images, ElementsAre(image.id));
  EXPECT_GT(removed->bytes, 0u);
  EXPECT_EQ(Blobs(), 0u);
  EXPECT_EQ(Entries("layers"), 0u);
  Reopen();
  EXPECT_THAT(store_->List(), IsEmpty());
}

TEST_F(ImageStoreTest, WhatIsInUseStays) {
  const ImageInfo image = Add({"a"}, {"nginx:1.25"});
  auto pin = store_->Pin(image.id);
  ASSERT_TRUE(pin.ok());
  EXPECT_EQ(store_->Resolve("nginx:1.25")->pins, 1u);
  EXPECT_EQ(store_->Remove("nginx:1.25").error().code(), Code::kConflict);
  EXPECT_EQ(store_->Remove(image.id.hex).error().code(), Code::kConflict);
  EXPECT_TRUE(store_->Resolve("nginx:1.25").ok());
  EXPECT_TRUE(store_->Prune({.all = true})->images.empty());

  // By force the name goes, and the layers with the last pin.
  const auto removed = store_->Remove("nginx:1.25", {.force = true});
  ASSERT_TRUE(removed.ok());
  EXPECT_THAT(removed->names, ElementsAre(kNginx));
  EXPECT_THAT(removed->images, IsEmpty());
  EXPECT_EQ(Read(fs::path(image.layers[0]) / "0"), "a");
  EXPECT_TRUE(store_->Prune()->images.empty());
  EXPECT_EQ(Read(fs::path(image.layers[0]) / "0"), "a");
  *pin = ImagePin();
  EXPECT_THAT(store_->Prune()->images, ElementsAre(image.id));
  EXPECT_EQ(Entries("layers"), 0u);
  EXPECT_EQ(store_->Pin(image.id).error().code(), Code::kNotFound);
}

TEST_F(ImageStoreTest, LayersAreSharedAndGoWithTheLastImage) {
  const ImageInfo one = Add({"base", "one"}, {"one"});
  const ImageInfo two = Add({"base", "two"}, {"two"});
  EXPECT_EQ(one.layers[0], two.layers[0]);
  EXPECT_EQ(Entries("layers"), 3u);
  EXPECT_TRUE(store_->Remove("one").ok());
  EXPECT_EQ(Entries("layers"), 2u);
  EXPECT_EQ(Read(fs::path(two.layers[0]) / "0"), "base");
}

TEST_F(ImageStoreTest, PruneTakesWhatNobodyNames) {
  const ImageInfo named = Add({"named"}, {"named"});
  const ImageInfo nameless = Add({"nameless"}, {});
  ASSERT_TRUE(store_->content().Put("an orphan").ok());
  {
    ContentHold hold = store_->Hold();
    hold.Keep(DigestOf("held"));
    ASSERT_TRUE(store_->content().Put("held").ok());
    const auto removed = store_->Prune();
    ASSERT_TRUE(removed.ok());
    EXPECT_THAT(removed->images, ElementsAre(nameless.id));
    EXPECT_FALSE(store_->content().Contains(DigestOf("an orphan")));
    EXPECT_TRUE(store_->content().Contains(DigestOf("held")));
    EXPECT_TRUE(store_->Resolve("named").ok());
  }
  EXPECT_TRUE(store_->Prune().ok());
  EXPECT_FALSE(store_->content().Contains(DigestOf("held")));

  ASSERT_TRUE(store_->SetPinned("named", true).ok());
  Reopen();
  EXPECT_TRUE(store_->Prune({.all = true})->images.empty());
  ASSERT_TRUE(store_->SetPinned("named", false).ok());
  EXPECT_TRUE(store_->Prune({.all = true, .before = named.added})->images.empty());
  EXPECT_THAT(store_->Prune({.all = true})->images, ElementsAre(named.id));
}

TEST_F(ImageStoreTest, GarbageIsCollectedFromTheLeastRecentlyUsed) {
  const ImageInfo a = Add({"a"}, {"a"});
  const ImageInfo b = Add({"b"}, {"b"});
  const ImageInfo c = Add({"c"}, {"c"});
  const ImageInfo kept = Add({"kept"}, {"kept"});
  ASSERT_TRUE(store_->SetPinned("kept", true).ok());
  const auto pin = store_->Pin(c.id);
  {
    const auto used = store_->Pin(a.id);
  }  // a was used after b
  const ImageTime later = std::chrono::system_clock::now() + std::chrono::hours(1);

  // Below the threshold: nothing.
  auto result = store_->CollectGarbage({.high_threshold_percent = 100}, later);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->wanted, 0u);
  EXPECT_THAT(result->removed.images, IsEmpty());
  // Always above it, and more wanted than there is; but all are too young.
  const GcPolicy always{.high_threshold_percent = 0, .low_threshold_percent = 0};
  result = store_->CollectGarbage(always, std::chrono::system_clock::now());
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->wanted, 0u);
  EXPECT_THAT(result->removed.images, IsEmpty());
  result = store_->CollectGarbage(always, later);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->removed.images, ElementsAre(b.id, a.id));
  EXPECT_EQ(store_->List().size(), 2u);
}

TEST_F(ImageStoreTest, ImagesNotUsedForLongGo) {
  const ImageInfo a = Add({"a"}, {"a"});
  const GcPolicy policy{.high_threshold_percent = 100, .maximum_age = std::chrono::hours(24)};
  const ImageTime now = std::chrono::system_clock::now();
  EXPECT_TRUE(store_->CollectGarbage(policy, now + std::chrono::hours(23))->removed.images.empty());
  EXPECT_THAT(store_->CollectGarbage(policy, now + std::chrono::hours(25))->removed.images,
              ElementsAre(a.id));
}

TEST_F(ImageStoreTest, SaysWhatItUses) {
  const uint64_t before = store_->Usage()->used_bytes;
  EXPECT_EQ(before, 0u);
  Add({std::string(100000, 'x')}, {"a"});
  const auto usage = store_->Usage();
  ASSERT_TRUE(usage.ok());
  EXPECT_GT(usage->used_bytes, 100000u);
  EXPECT_GT(usage->inodes_used, 3u);
  EXPECT_GT(usage->capacity_bytes, usage->available_bytes);
}

TEST_F(ImageStoreTest, AMissingBlobIsNamed) {
  const Digest manifest = Put({"a", "b"});
  const ManifestDocument document =
      *ReadManifest(*store_->content().Read(manifest, kMaxManifestSize));
  const Digest layer = *DigestOfDescriptor(std::get<Manifest>(document).layers[1]);
  ASSERT_TRUE(store_->content().Remove(layer).ok());
  const auto added = store_->AddManifest(manifest, {});
  EXPECT_EQ(added.error().code(), Code::kNotFound);
  EXPECT_THAT(added.error().message(), HasSubstr(layer.String()));
  EXPECT_THAT(store_->List(), IsEmpty());
}

TEST_F(ImageStoreTest, ADamagedLayerIsFoundAndBroughtAgain) {
  const Digest manifest = Put({"a"});
  const ImageInfo image = *store_->AddManifest(manifest, std::vector<std::string>{"nginx"});
  const ManifestDocument document =
      *ReadManifest(*store_->content().Read(manifest, kMaxManifestSize));
  const Digest layer = *DigestOfDescriptor(std::get<Manifest>(document).layers[0]);
  EXPECT_TRUE(store_->Verify()->empty());
  const std::string bytes = Read(Blob(layer));
  Overwrite(Blob(layer), std::string(bytes.size(), 'x'));

  const auto damages = store_->Verify();
  ASSERT_TRUE(damages.ok());
  ASSERT_EQ(damages->size(), 1u);
  EXPECT_EQ((*damages)[0].digest, layer);
  EXPECT_THAT((*damages)[0].images, ElementsAre(image.id));
  // Its folder was made of the bytes when they were whole.
  EXPECT_THAT(store_->Resolve("nginx")->missing, ElementsAre(layer));
  EXPECT_TRUE(store_->Resolve("nginx")->runnable);
  Reopen();
  EXPECT_THAT(store_->Resolve("nginx")->missing, ElementsAre(layer));
  EXPECT_EQ(store_->AddManifest(manifest, {}).error().code(), Code::kNotFound);
  ASSERT_TRUE(store_->content().Put(bytes).ok());
  EXPECT_TRUE(store_->AddManifest(manifest, {}).ok());
  EXPECT_THAT(store_->Resolve("nginx")->missing, IsEmpty());
}

TEST_F(ImageStoreTest, ADamagedBlobIsFoundWhenItIsUnpacked) {
  const Digest manifest = Put({"a"});
  const ManifestDocument document =
      *ReadManifest(*store_->content().Read(manifest, kMaxManifestSize));
  const Descriptor layer = std::get<Manifest>(document).layers[0];
  const Digest digest = *DigestOfDescriptor(layer);
  Overwrite(Blob(digest), std::string(static_cast<size_t>(layer.size), 'x'));
  EXPECT_EQ(store_->AddManifest(manifest, {}).error().code(), Code::kDataLoss);
  EXPECT_FALSE(store_->content().Contains(digest));
  EXPECT_EQ(Entries("layers"), 0u);
  EXPECT_EQ(Entries("scratch"), 0u);
}

TEST_F(ImageStoreTest, ALayerMustBeWhatTheConfigSays) {
  ImageBuilder builder;
  builder.Layer(TarBuilder().File("a", "1").Finish());
  builder.diff_ids[0] = DigestOf("something else").String();
  const auto added = store_->AddManifest(builder.PutInto(&store_->content()), {});
  EXPECT_EQ(added.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(added.error().message(), HasSubstr("the layer is not what the image's config says"));
  EXPECT_EQ(Entries("layers"), 0u);
  EXPECT_EQ(Entries("scratch"), 0u);
}

// What kill -9 and a lost disk leave behind.
TEST_F(ImageStoreTest, StartsWithWhatACrashLeft) {
  const ImageInfo image = Add({"a", "b"}, {"nginx"});
  store_.reset();
  const fs::path scratch = fs::path(root_) / "scratch/17";
  fs::create_directories(scratch / "fs/usr/bin");
  std::ofstream(scratch / "fs/usr/bin/half") << "ha";
  std::ofstream(fs::path(root_) / "index.json.tmp") << "{\"manif";
  // A folder that was lost.
  fs::remove_all(fs::path(image.layers[1]).parent_path());
  Reopen();
  EXPECT_EQ(Entries("scratch"), 0u);
  auto found = store_->Resolve("nginx");
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->runnable);
  EXPECT_EQ(found->layers.size(), 1u);
  // It is made again when it is needed.
  const auto pin = store_->Pin(image.id);
  ASSERT_TRUE(pin.ok()) << pin.error().message();
  EXPECT_EQ(store_->Resolve("nginx")->layers, image.layers);
  EXPECT_EQ(Read(fs::path(image.layers[1]) / "1"), "b");
}

TEST_F(ImageStoreTest, AnImageWhoseConfigIsDamagedStaysAndIsNotRun) {
  const ImageInfo image = Add({"a"}, {"nginx"});
  store_.reset();
  Overwrite(Blob(image.id), "{}");
  Reopen();
  const auto found = store_->Resolve("nginx");
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->runnable);
  EXPECT_THAT(found->missing, ElementsAre(image.id));
  EXPECT_EQ(store_->Pin(image.id).error().code(), Code::kDataLoss);
  // As pulling it again does.
  EXPECT_EQ(Add({"a"}, {}).id, image.id);
  EXPECT_TRUE(store_->Resolve("nginx")->runnable);
  EXPECT_THAT(store_->Resolve("nginx")->missing, IsEmpty());
}

TEST_F(ImageStoreTest, AnIndexThatIsNoneIsNotOverwritten) {
  Add({"a"}, {"nginx"});
  store_.reset();
  std::ofstream(fs::path(root_) / "index.json") << "{\"manifests\":[{}]}";
  const auto store = ImageStore::Open(root_);
  EXPECT_EQ(store.error().code(), Code::kDataLoss);
  EXPECT_THAT(store.error().message(), HasSubstr("index.json"));
}

TEST_F(ImageStoreTest, OneProcessHasIt) {
  const auto second = ImageStore::Open(root_);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("in use by process " + std::to_string(getpid())));
}

TEST_F(ImageStoreTest, ManyThreadsAddUseAndRemove) {
  std::vector<Digest> manifests;
  auto hold = std::make_unique<ContentHold>(store_->Hold());
  for (int i = 0; i < 4; ++i) {
    ImageBuilder builder;
    builder.Layer(TarBuilder().File("0", "base").Finish());
    builder.Layer(TarBuilder().File("1", std::to_string(i)).Finish());
    manifests.push_back(builder.PutInto(&store_->content()));
    for (const BlobInfo& blob : *store_->content().List()) hold->Keep(blob.digest);
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 12; ++i) {
        const size_t which = (t + i) % manifests.size();
        const std::vector<std::string> names{"image" + std::to_string(which)};
        const auto added = store_->AddManifest(manifests[which], names);
        ASSERT_TRUE(added.ok()) << added.error().message();
        const auto pin = store_->Pin(added->id);
        if (pin.ok()) {
          const auto info = store_->Resolve(added->id.String());
          ASSERT_TRUE(info.ok());
          EXPECT_EQ(Read(fs::path(info->layers[1]) / "1"), std::to_string(which));
        }
        static_cast<void>(store_->Remove(names[0]));
        if (i % 4 == 0) EXPECT_TRUE(store_->Prune({.all = true}).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  hold.reset();
  EXPECT_TRUE(store_->Prune({.all = true}).ok());
  EXPECT_THAT(store_->List(), IsEmpty());
  EXPECT_EQ(Entries("layers"), 0u);
  EXPECT_EQ(Blobs(), 0u);
}

}  // namespace
}  // namespace podium::image
