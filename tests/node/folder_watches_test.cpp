#include "node/folder_watches.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "node/fake_services.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;

class FolderWatchesTest : public ::testing::Test {
 protected:
  ~FolderWatchesTest() override { poller_->Stop(); }

  std::string Folder(const std::string& name) {
    const std::string path = folder_.path() + "/" + name;
    std::filesystem::create_directory(path);
    return path;
  }
  static void Write(const std::string& path) { std::ofstream(path, std::ios::app) << "x"; }
  static bool Comes(const std::atomic<int>& count, int least) {
    for (int i = 0; i < 1000 && count < least; ++i) std::this_thread::sleep_for(5ms);
    return count >= least;
  }

  TestFolder folder_;
  std::shared_ptr<http::Poller> poller_ = *http::Poller::Create();
  std::shared_ptr<FolderWatches> watches_ = *FolderWatches::Create(*poller_);
};

TEST_F(FolderWatchesTest, TellsOfItsFolderAlone) {
  const std::string one = Folder("one");
  const std::string two = Folder("two");
  std::atomic<int> in_one = 0;
  std::atomic<int> in_two = 0;
  const auto first = watches_->Add(one, [&] { ++in_one; });
  const auto second = watches_->Add(two, [&] { ++in_two; });
  Write(one + "/a");
  EXPECT_TRUE(Comes(in_one, 1));
  EXPECT_EQ(in_two, 0);
  std::filesystem::rename(one + "/a", two + "/b");
  EXPECT_TRUE(Comes(in_one, 2));
  EXPECT_TRUE(Comes(in_two, 1));
  const int before = in_two;
  std::filesystem::remove(two + "/b");
  EXPECT_TRUE(Comes(in_two, before + 1));
}

TEST_F(FolderWatchesTest, SharesAFolder) {
  const std::string one = Folder("one");
  std::atomic<int> first = 0;
  std::atomic<int> second = 0;
  auto watch = watches_->Add(one, [&] { ++first; });
  const auto other = watches_->Add(one, [&] { ++second; });
  EXPECT_EQ(watches_->folders(), 1u);
  Write(one + "/a");
  EXPECT_TRUE(Comes(first, 1));
  EXPECT_TRUE(Comes(second, 1));
  watch.reset();
  // What was under way then is over when the next change has been told.
  int others = second;
  Write(one + "/a");
  EXPECT_TRUE(Comes(second, others + 1));
  const int before = first;
  others = second;
  Write(one + "/a");
  EXPECT_TRUE(Comes(second, others + 1));
  EXPECT_EQ(first, before);
  EXPECT_EQ(watches_->folders(), 1u);
}

TEST_F(FolderWatchesTest, NothingStaysOfWatchesThatAreGone) {
  const std::string one = Folder("one");
  std::atomic<int> count = 0;
  for (int i = 0; i < 3; ++i) {
    const auto watch = watches_->Add(one, [&] { ++count; });
    EXPECT_EQ(watches_->folders(), 1u);
    Write(one + "/a");
    EXPECT_TRUE(Comes(count, 1));
    count = 0;
  }
  EXPECT_EQ(watches_->folders(), 0u);
}

// Nobody is left waiting for ever.
TEST_F(FolderWatchesTest, FoldersThatCannotBeWatchedChange) {
  std::atomic<int> count = 0;
  auto watch = watches_->Add(folder_.path() + "/none", [&] { ++count; });
  EXPECT_EQ(watches_->folders(), 0u);
  EXPECT_TRUE(Comes(count, 2));
  watch.reset();
  const std::string one = Folder("one");
  count = 0;
  watch = watches_->Add(one, [&] { ++count; });
  std::filesystem::remove_all(one);
  EXPECT_TRUE(Comes(count, 5));
  EXPECT_EQ(watches_->folders(), 0u);
  // Though something happens in another one all the time.
  const std::string two = Folder("two");
  std::atomic<int> in_two = 0;
  const auto other = watches_->Add(two, [&] { ++in_two; });
  const int before = count;
  for (int i = 0; i < 500 && count < before + 2; ++i) {
    Write(two + "/a");
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_GE(count, before + 2);
  EXPECT_GT(in_two, 0);
}

TEST_F(FolderWatchesTest, MayBeGoneBeforeItsWatches) {
  std::atomic<int> count = 0;
  const auto watch = watches_->Add(Folder("one"), [&] { ++count; });
  watches_.reset();
  Write(folder_.path() + "/one/a");
  EXPECT_TRUE(Comes(count, 1));
}

}  // namespace
}  // namespace podium::node
