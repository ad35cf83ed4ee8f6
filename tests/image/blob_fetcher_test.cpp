#include "image/blob_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "image/registry_fixture.h"
#include "support/long_form.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class BlobFetcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveDockerRegistry()) GTEST_SKIP() << "needs docker-registry";
    fs::create_directory(folder_.path() + "/storage");
    registry_ = std::make_unique<DockerRegistry>(
        DockerRegistryOptions{.storage = folder_.path() + "/storage"});
    PushBlob(registry_->host(), "team/app", bytes_);
    options_.retry.first_delay = milliseconds(1);
    Empty();
  }

  // A store with nothing in it.
  void Empty() {
    const std::string root = folder_.path() + "/store" + std::to_string(stores_++);
    content_.emplace(*ContentStore::Open(root));
    fetcher_ = std::make_unique<BlobFetcher>(*content_, options_.retry);
  }
  Result<bool> FetchFrom(const std::string& host,
                         const http::Cancellation* cancellation = nullptr) {
    Registries registries(options_);
    Repository repository(registries, registries.EndpointsOf(host)->back(), "team/app", {});
    return fetcher_->Fetch(
        blob_,
        [&](uint64_t offset) { return repository.OpenBlob(blob_.digest, offset, cancellation); },
        [&](uint64_t done) { seen_ = done; }, cancellation);
  }
  bool IsWhole() const {
    const auto read = content_->Read(blob_.digest, 1 << 30);
    return read.ok() && *read == bytes_;
  }
  // The request's "Range: bytes=N-", or 0.
  static uint64_t RangeOf(const std::string& head) {
    const size_t at = head.find("Range: bytes=");
    return at == head.npos ? 0 : std::strtoull(head.c_str() + at + 13, nullptr, 10);
  }

  const std::string bytes_ = Noise(1 << 20, 1);
  const BlobInfo blob_{DigestOf(bytes_), bytes_.size()};
  http::TestFolder folder_;
  RegistryOptions options_;
  std::unique_ptr<DockerRegistry> registry_;
  std::optional<ContentStore> content_;
  std::unique_ptr<BlobFetcher> fetcher_;
  std::atomic<uint64_t> seen_ = 0;
  int stores_ = 0;
};

TEST_F(BlobFetcherTest, OnceIsEnough) {
  FaultyProxy proxy(registry_->port(), [](FaultyProxy::Exchange&) {});
  const auto first = FetchFrom(proxy.host());
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_TRUE(*first);
  EXPECT_TRUE(IsWhole());
  EXPECT_EQ(seen_, bytes_.size());
  const auto second = FetchFrom(proxy.host());
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(*second);
  EXPECT_EQ(proxy.Count("/blobs/"), 1);
}

TEST_F(BlobFetcherTest, AnEmptyBlob) {
  PushBlob(registry_->host(), "team/app", "");
  Registries registries(options_);
  Repository repository(registries, registries.EndpointsOf(registry_->host())->back(), "team/app",
                        {});
  const auto fetched = fetcher_->Fetch(
      {DigestOf(""), 0},
      [&](uint64_t offset) { return repository.OpenBlob(DigestOf(""), offset, nullptr); },
      [](uint64_t) {}, nullptr);
  ASSERT_TRUE(fetched.ok()) << fetched.error().message();
  EXPECT_TRUE(content_->Contains(DigestOf("")));
}

// Broken at random bytes, and each time gone on with from there.
TEST_F(BlobFetcherTest, GoesOnWhereAConnectionBroke) {
  std::minstd_rand random(7);
  const int rounds = podium::testing::IsLongForm() ? 100 : 5;
  for (int round = 0; round < rounds; ++round) {
    Empty();
    uint64_t sent = 0;
    std::vector<uint64_t> begins;
    FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
      const size_t head = exchange.answer.find("\r\n\r\n") + 4;
      begins.push_back(RangeOf(exchange.head));
      const size_t size = exchange.answer.size() - head;
      // Eight connections break, some before the first byte of the body.
      if (exchange.number < 8) exchange.answer.resize(head + random() % (size / 3 + 1));
      sent += exchange.answer.size() - head;
    });
    const auto fetched = FetchFrom(proxy.host());
    ASSERT_TRUE(fetched.ok()) << fetched.error().message();
    EXPECT_TRUE(IsWhole());
    // No byte came twice, and none was asked for twice.
    EXPECT_EQ(sent, bytes_.size());
    ASSERT_EQ(begins.size(), 9);
    EXPECT_TRUE(std::ranges::is_sorted(begins));
    EXPECT_GT(begins.back(), 0);
  }
}

TEST_F(BlobFetcherTest, ServersThatDoNotDoRanges) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    exchange.answer = AnswerOf(200, "", bytes_);
    if (exchange.number < 3) exchange.answer.resize(exchange.answer.size() / 2);
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_TRUE(fetched.ok()) << fetched.error().message();
  EXPECT_TRUE(IsWhole());
}

TEST_F(BlobFetcherTest, ServersThatSendAnotherRange) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.number == 0) {
      exchange.answer.resize(exchange.answer.size() / 2);
    } else {
      exchange.answer = AnswerOf(206, "Content-Range: bytes 0-1048575/1048576\r\n", bytes_);
    }
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kUnsupported);
  EXPECT_THAT(fetched.error().message(), HasSubstr("bytes 0-1048575/1048576"));
  EXPECT_FALSE(content_->Contains(blob_.digest));
}

TEST_F(BlobFetcherTest, WrongBytesAreFetchedAgain) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.number == 0) exchange.answer[exchange.answer.size() / 2] ^= 1;
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_TRUE(fetched.ok()) << fetched.error().message();
  EXPECT_TRUE(IsWhole());
  EXPECT_EQ(proxy.Count("/blobs/"), 2);
  // From the beginning: it is not known which were wrong.
  EXPECT_EQ(RangeOf(proxy.heads()[1]), 0);
}

TEST_F(BlobFetcherTest, BytesThatStayWrongAreNeverStored) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    exchange.answer[exchange.answer.size() / 2] ^= 1;
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kDataLoss);
  EXPECT_FALSE(content_->Contains(blob_.digest));
  EXPECT_EQ(proxy.Count("/blobs/"), 3);
}

TEST_F(BlobFetcherTest, MoreBytesThanAnnounced) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    exchange.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes_ + "more";
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kDataLoss);
  EXPECT_THAT(fetched.error().message(), HasSubstr("sends more than the 1048576 bytes announced"));
  EXPECT_FALSE(content_->Contains(blob_.digest));
}

TEST_F(BlobFetcherTest, ErrorsThatDoNotPassAreNotRepeated) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    exchange.answer = AnswerOf(403, "", R"({"errors":[{"code":"DENIED","message":"not you"}]})");
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(fetched.error().message(), HasSubstr("403 Forbidden: denied: not you"));
  EXPECT_EQ(proxy.Count("/blobs/"), 1);
}

TEST_F(BlobFetcherTest, AServerThatNeverGetsFurtherIsGivenUp) {
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    exchange.answer.resize(exchange.answer.find("\r\n\r\n") + 4);
  });
  const auto fetched = FetchFrom(proxy.host());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kUnavailable);
  EXPECT_EQ(proxy.Count("/blobs/"), options_.retry.attempts);
}

TEST_F(BlobFetcherTest, TwoThatWantItFetchItOnce) {
  FaultyProxy proxy(registry_->port(),
                    [](FaultyProxy::Exchange&) { std::this_thread::sleep_for(milliseconds(300)); });
  std::atomic<int> brought = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto fetched = FetchFrom(proxy.host());
      EXPECT_TRUE(fetched.ok()) << fetched.error().message();
      if (fetched.ok()) ++brought;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(brought, 8);
  EXPECT_EQ(proxy.Count("/blobs/"), 1);
  EXPECT_TRUE(IsWhole());
}

TEST_F(BlobFetcherTest, WhoWaitsGoesOnWhenTheFirstGivesUp) {
  const auto cancellation = *http::Cancellation::Create();
  std::atomic<bool> begun = false;
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (exchange.number > 0) return;
    // Half of it, and then nothing for a while.
    exchange.peer->Send(exchange.answer.substr(0, exchange.answer.size() / 2));
    exchange.answer.clear();
    begun = true;
    for (int i = 0; i < 500 && !cancellation->cancelled(); ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    std::this_thread::sleep_for(milliseconds(100));
  });
  std::thread first([&] {
    const auto fetched = FetchFrom(proxy.host(), cancellation.get());
    ASSERT_FALSE(fetched.ok());
    EXPECT_EQ(fetched.error().code(), Code::kCancelled);
  });
  while (!begun) std::this_thread::sleep_for(milliseconds(1));
  std::thread second([&] {
    const auto fetched = FetchFrom(proxy.host());
    EXPECT_TRUE(fetched.ok()) << fetched.error().message();
  });
  std::this_thread::sleep_for(milliseconds(50));
  cancellation->Cancel();
  first.join();
  second.join();
  EXPECT_TRUE(IsWhole());
  // What the first had got was not fetched again.
  EXPECT_GT(RangeOf(proxy.heads().back()), 0);
}

TEST_F(BlobFetcherTest, WaitingEndsWhenCancelled) {
  const auto cancellation = *http::Cancellation::Create();
  cancellation->Cancel();
  auto other = content_->Begin(blob_);  // as another process would
  ASSERT_TRUE(other.ok());
  const auto fetched = FetchFrom(registry_->host(), cancellation.get());
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::image
