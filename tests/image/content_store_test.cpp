#include "image/content_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContentStoreTest : public ::testing::Test {
 protected:
  ContentStoreTest()
      : root_(fs::temp_directory_path() / ("podium_store_test_" + std::to_string(getpid()))),
        store_(*ContentStore::Open(root_.string())) {}
  ~ContentStoreTest() override { fs::remove_all(root_); }

  fs::path Place(const Digest& digest) const {
    return root_ / "blobs" / digest.algorithm / digest.hex;
  }
  std::vector<std::string> Ingested() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / "ingest")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  // Not by way of the store.
  static void Overwrite(const fs::path& path, const std::string& bytes) {
    fs::permissions(path, fs::perms::owner_all);
    std::ofstream(path, std::ios::trunc) << bytes;
  }

  const fs::path root_;
  ContentStore store_;
};

const std::string kText = "forty-two bytes of something or other, yes";
const Digest kDigest = DigestOf(kText);
const BlobInfo kBlob{kDigest, kText.size()};

TEST(DigestTest, OfKnownBytes) {
  EXPECT_EQ(DigestOf("").String(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Hasher hasher("sha512");
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish().String(),
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(*Digest::Parse(kDigest.String()), kDigest);
  EXPECT_EQ(Digest::Parse("sha256:../../etc/passwd").error().code(), Code::kInvalidArgument);
}

TEST_F(ContentStoreTest, KeepsWhatWasPut) {
  EXPECT_FALSE(store_.Contains(kDigest));
  EXPECT_EQ(*store_.Put(kText), kDigest);
  EXPECT_EQ(*store_.Put(kText), kDigest);
  EXPECT_TRUE(store_.Contains(kDigest));
  EXPECT_EQ(*store_.Read(kDigest, 1000), kText);
  EXPECT_TRUE(store_.Verify(kDigest).ok());
  EXPECT_EQ(*store_.Put(""), DigestOf(""));

  // Another instance sees the same.
  const ContentStore again = *ContentStore::Open(root_.string());
  const auto blobs = again.List();
  ASSERT_TRUE(blobs.ok());
  ASSERT_EQ(blobs->size(), 2u);
  for (const BlobInfo& blob : *blobs) EXPECT_EQ(again.Read(blob.digest, 99)->size(), blob.size);
  EXPECT_THAT(Ingested(), IsEmpty());

  EXPECT_TRUE(store_.Remove(kDigest).ok());
  EXPECT_FALSE(store_.Contains(kDigest));
  EXPECT_EQ(store_.Read(kDigest, 1000).error().code(), Code::kNotFound);
  EXPECT_EQ(store_.OpenBlob(kDigest).error().code(), Code::kNotFound);
  EXPECT_EQ(store_.Remove(kDigest).error().code(), Code::kNotFound);
}

TEST_F(ContentStoreTest, ABlobIsThereWhenItIsWhole) {
  auto writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->Write(kText.substr(0, 10)).ok());
  EXPECT_TRUE(writer->Write(kText.substr(10)).ok());
  EXPECT_FALSE(store_.Contains(kDigest));
  EXPECT_THAT(*store_.List(), IsEmpty());
  EXPECT_TRUE(writer->Commit().ok());
  EXPECT_TRUE(store_.Contains(kDigest));
  EXPECT_EQ(store_.Begin(kBlob).error().code(), Code::kAlreadyExists);
  EXPECT_THAT(Ingested(), IsEmpty());
}

TEST_F(ContentStoreTest, ABrokenDownloadGoesOn) {
  {
    auto writer = store_.Begin(kBlob);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(writer->offset(), 0u);
    EXPECT_TRUE(writer->Write(kText.substr(0, 17)).ok());
  }
  ContentStore again = *ContentStore::Open(root_.string());
  auto writer = again.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  ASSERT_EQ(writer->offset(), 17u);
  EXPECT_TRUE(writer->Write(kText.substr(17)).ok());
  EXPECT_TRUE(writer->Commit().ok());
  EXPECT_EQ(*again.Read(kDigest, 1000), kText);
}

TEST_F(ContentStoreTest, WrongBytesNeverGetIn) {
  auto writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->Write(std::string(kText.size(), 'x')).ok());
  auto committed = writer->Commit();
  EXPECT_EQ(committed.error().code(), Code::kDataLoss);
  EXPECT_THAT(committed.error().message(), HasSubstr("is damaged: its bytes are sha256:"));
  EXPECT_THAT(Ingested(), IsEmpty());

  writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer->offset(), 0u);
  EXPECT_TRUE(writer->Write(kText.substr(1)).ok());
  EXPECT_THAT(writer->Commit().error().message(), HasSubstr("ends after 41 of 42 bytes"));

  writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->Write(kText).ok());
  EXPECT_EQ(writer->Write("!").error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(store_.Contains(kDigest));
}

// A crash may leave a partial file with holes, or of a blob that was announced larger.
TEST_F(ContentStoreTest, APartialFileIsNotTrusted) {
  const fs::path partial = root_ / "ingest" / ("sha256-" + kDigest.hex);
  std::ofstream(partial) << std::string(20, '\0');
  auto writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  ASSERT_EQ(writer->offset(), 20u);
  EXPECT_TRUE(writer->Write(kText.substr(20)).ok());
  EXPECT_EQ(writer->Commit().error().code(), Code::kDataLoss);

  std::ofstream(partial) << std::string(1000, 'x');
  writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer->offset(), 0u);
  EXPECT_TRUE(writer->Write(kText).ok());
  EXPECT_TRUE(writer->Commit().ok());
  EXPECT_EQ(*store_.Read(kDigest, 1000), kText);

  // Bytes that are all in memory need nothing of it.
  const std::string late = "in memory";
  std::ofstream(root_ / "ingest" / ("sha256-" + DigestOf(late).hex)) << "xxxx";
  EXPECT_EQ(*store_.Put(late), DigestOf(late));

  // Nor is a link followed that somebody put there.
  const Digest other = DigestOf("other");
  fs::create_symlink(root_ / "target", root_ / "ingest" / ("sha256-" + other.hex));
  EXPECT_FALSE(store_.Begin({other, 5}).ok());
  EXPECT_FALSE(fs::exists(root_ / "target"));
}

// As when the disk is full for a while.
TEST_F(ContentStoreTest, AFailedWriteLeavesNothingBehind) {
  auto writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(writer->Write(kText.substr(0, 10)).ok());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{20, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const bool failed = !writer->Write(kText.substr(10)).ok();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  EXPECT_TRUE(failed);
  EXPECT_EQ(writer->offset(), 10u);
  EXPECT_TRUE(writer->Write(kText.substr(10)).ok());
  EXPECT_TRUE(writer->Commit().ok());
  EXPECT_EQ(*store_.Read(kDigest, 1000), kText);
}

TEST_F(ContentStoreTest, OneWriterABlob) {
  auto writer = store_.Begin(kBlob);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(store_.Begin(kBlob).error().code(), Code::kUnavailable);
  EXPECT_TRUE(store_.Begin({DigestOf("other"), 5}).ok());
  writer->Discard();
  EXPECT_TRUE(store_.Begin(kBlob).ok());
}

TEST_F(ContentStoreTest, DamageOnDiskIsFound) {
  ASSERT_TRUE(store_.Put(kText).ok());
  Overwrite(Place(kDigest), std::string(kText.size(), 'x'));
  EXPECT_EQ(store_.Read(kDigest, 1000).error().code(), Code::kDataLoss);
  EXPECT_TRUE(store_.Contains(kDigest));
  EXPECT_EQ(store_.Verify(kDigest).error().code(), Code::kDataLoss);
  // So that it is fetched again.
  EXPECT_FALSE(store_.Contains(kDigest));
  EXPECT_TRUE(store_.Put(kText).ok());
  EXPECT_TRUE(store_.Verify(kDigest).ok());
}

TEST_F(ContentStoreTest, ReadsNoMoreThanAllowed) {
  ASSERT_TRUE(store_.Put(kText).ok());
  EXPECT_TRUE(store_.Read(kDigest, kText.size()).ok());
  EXPECT_EQ(store_.Read(kDigest, kText.size() - 1).error().code(), Code::kResourceExhausted);
}

TEST_F(ContentStoreTest, StrangeFilesAreNotListed) {
  ASSERT_TRUE(store_.Put(kText).ok());
  std::ofstream(root_ / "blobs" / "sha256" / "README") << "not a blob";
  const auto blobs = store_.List();
  ASSERT_TRUE(blobs.ok());
  ASSERT_EQ(blobs->size(), 1u);
  EXPECT_EQ(blobs->front().digest, kDigest);
  EXPECT_EQ(blobs->front().size, kText.size());
}

TEST_F(ContentStoreTest, ManyWritersOfTheSame) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < 20; ++j) {
        const std::string text = "blob " + std::to_string((i + j) % 20);
        auto digest = store_.Put(text);
        ASSERT_TRUE(digest.ok()) << digest.error().message();
        EXPECT_EQ(*store_.Read(*digest, 100), text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_.List()->size(), 20u);
  EXPECT_THAT(Ingested(), IsEmpty());
}

}  // namespace
}  // namespace podium::image
