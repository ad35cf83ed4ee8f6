#include "base/bulk_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace podium {
namespace {

using bulk::kRunBytes;

uintptr_t RunOf(const void* memory) { return reinterpret_cast<uintptr_t>(memory) / kRunBytes; }

TEST(BulkHeap, ScopesNest) {
  EXPECT_FALSE(bulk::Active());
  {
    const BulkAllocation outer;
    {
      const BulkAllocation inner;
    }
    EXPECT_TRUE(bulk::Active());
    std::thread([] { EXPECT_FALSE(bulk::Active()); }).join();
  }
  EXPECT_FALSE(bulk::Active());
}

TEST(BulkHeap, OwnsItsOwnOnly) {
  void* const memory = bulk::Allocate(40);
  ASSERT_NE(memory, nullptr);
  int local = 0;
  const std::string other(100, 'x');
  EXPECT_TRUE(bulk::Owns(memory));
  EXPECT_FALSE(bulk::Owns(&local));
  EXPECT_FALSE(bulk::Owns(other.data()));
  EXPECT_FALSE(bulk::Owns(nullptr));
  bulk::Free(memory);
}

TEST(BulkHeap, BlocksAreAlignedApartAndWritable) {
  std::vector<unsigned char*> blocks;
  const size_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, bulk::kLargest};
  for (int round = 0; round < 50; ++round) {
    for (const size_t size : sizes) {
      auto* const block = static_cast<unsigned char*>(bulk::Allocate(size));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0U);
      EXPECT_EQ(RunOf(block), RunOf(block + (size == 0 ? 0 : size - 1)));
      std::memset(block, static_cast<int>(blocks.size() % 251), size);
      blocks.push_back(block);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const size_t size = sizes[i % std::size(sizes)];
    for (size_t j = 0; j < size; ++j) ASSERT_EQ(blocks[i][j], i % 251) << i;
    bulk::Free(blocks[i]);
  }
}

TEST(BulkHeap, LargeOnesAreLeftToMalloc) {
  EXPECT_EQ(bulk::Allocate(bulk::kLargest + 1), nullptr);
  EXPECT_EQ(bulk::Allocate(kRunBytes), nullptr);
  EXPECT_EQ(bulk::Allocate(SIZE_MAX), nullptr);
}

// Of a thread of its own, so that it begins with a new run and leaves it at its end.
TEST(BulkHeap, ARunIsUsedAgainWhenNothingOfItIsAlive) {
  void* kept = nullptr;
  std::thread([&] {
    kept = bulk::Allocate(64);
    for (int i = 0; i < 10; ++i) bulk::Free(bulk::Allocate(64));
  }).join();
  const bulk::Usage before = bulk::CurrentUsage();
  bulk::Free(kept);
  const bulk::Usage after = bulk::CurrentUsage();
  EXPECT_EQ(after.runs, before.runs);
  EXPECT_EQ(after.idle, before.idle + 1);
  void* again = nullptr;
  std::thread([&] {
    again = bulk::Allocate(64);
    bulk::Free(again);
  }).join();
  EXPECT_EQ(RunOf(again), RunOf(kept));
}

TEST(BulkHeap, ARunInUseIsNotGivenAwayWhenItsBlocksAreFreed) {
  std::thread([] {
    void* const first = bulk::Allocate(64);
    const uint32_t idle = bulk::CurrentUsage().idle;
    bulk::Free(first);
    EXPECT_EQ(bulk::CurrentUsage().idle, idle);
    void* const second = bulk::Allocate(64);
    EXPECT_EQ(RunOf(first), RunOf(second));
    bulk::Free(second);
  }).join();
}

TEST(BulkHeap, ARunInUseBeginsAnewWhenItsThreadFreedAllOfIt) {
  std::thread([] {
    void* const first = bulk::Allocate(64);
    void* const second = bulk::Allocate(64);
    bulk::Free(first);
    void* const third = bulk::Allocate(64);
    EXPECT_GT(third, second);
    bulk::Free(second);
    bulk::Free(third);
    void* const again = bulk::Allocate(64);
    EXPECT_EQ(again, first);
    bulk::Free(again);
  }).join();
}

// What another thread freed is not known here: the run then goes on to its end.
TEST(BulkHeap, ARunOfWhichAnotherThreadFreedSomeGoesOn) {
  std::thread([] {
    void* const first = bulk::Allocate(64);
    void* const second = bulk::Allocate(64);
    std::thread([second] { bulk::Free(second); }).join();
    bulk::Free(first);
    void* const third = bulk::Allocate(64);
    EXPECT_EQ(RunOf(third), RunOf(first));
    EXPECT_GT(third, second);
    bulk::Free(third);
  }).join();
}

// Bounded: many more bytes go through than the heap may keep. One is alive at any time, so that no
// run begins anew.
TEST(BulkHeap, MemoryGoesRound) {
  const bulk::Usage before = bulk::CurrentUsage();
  void* last = bulk::Allocate(1024);
  for (int i = 0; i < 100'000; ++i) {
    void* const block = bulk::Allocate(1024);
    ASSERT_NE(block, nullptr);
    bulk::Free(last);
    last = block;
  }
  bulk::Free(last);
  EXPECT_LE(bulk::CurrentUsage().runs, before.runs + 2);
}

// Runs beyond the warm ones lose their pages when idle, and work again after.
TEST(BulkHeap, ManyRunsComeAndGo) {
  for (int round = 0; round < 3; ++round) {
    std::vector<char*> blocks;
    for (int i = 0; i < 2000; ++i) {
      auto* const block = static_cast<char*>(bulk::Allocate(2048));
      ASSERT_NE(block, nullptr);
      block[0] = block[2047] = static_cast<char>(i);
      blocks.push_back(block);
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
      ASSERT_EQ(blocks[i][0], static_cast<char>(i));
      ASSERT_EQ(blocks[i][2047], static_cast<char>(i));
      bulk::Free(blocks[i]);
    }
  }
}

TEST(BulkHeap, AnyThreadMayFree) {
  constexpr int kThreads = 4;
  constexpr int kBlocks = 20'000;
  std::vector<std::vector<uint64_t*>> made(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&made, t] {
      for (int i = 0; i < kBlocks; ++i) {
        auto* const block = static_cast<uint64_t*>(bulk::Allocate(sizeof(uint64_t)));
        *block = static_cast<uint64_t>(t) * kBlocks + i;
        made[t].push_back(block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&made, t] {
      void* last = bulk::Allocate(512);
      // Each frees a quarter of what each made.
      for (int from = 0; from < kThreads; ++from) {
        for (int i = t; i < kBlocks; i += kThreads) {
          EXPECT_EQ(*made[from][i], static_cast<uint64_t>(from) * kBlocks + i);
          bulk::Free(made[from][i]);
          // New ones are made meanwhile from runs that the others empty.
          void* const block = bulk::Allocate(512);
          bulk::Free(last);
          last = block;
        }
      }
      bulk::Free(last);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Threads make blocks and free their own and each other's, all of them now and then.
TEST(BulkHeap, NoBlockIsGivenOutTwice) {
  constexpr uint64_t kThreads = 4;
  struct Block {
    uint64_t* words;
    uint64_t size;
    uint64_t value;
  };
  std::mutex mutex;
  std::vector<Block> passed_on;
  const auto free_checked = [](const Block& block) {
    for (uint64_t i = 0; i < block.size; ++i) ASSERT_EQ(block.words[i], block.value);
    bulk::Free(block.words);
  };
  const auto work = [&](uint64_t thread) {
    std::mt19937_64 random(thread);
    std::vector<Block> own;
    for (uint64_t step = 0; step < 20'000; ++step) {
      const uint64_t size = 1 + random() % 40;
      const Block block{static_cast<uint64_t*>(bulk::Allocate(size * 8)), size,
                        step * kThreads + thread};
      std::fill_n(block.words, size, block.value);
      own.push_back(block);
      std::swap(own[random() % own.size()], own.back());
      if (random() % 4 == 0) {
        const std::lock_guard lock(mutex);
        passed_on.push_back(own.back());
        own.pop_back();
        std::swap(passed_on[random() % passed_on.size()], passed_on.back());
        if (random() % 2 == 0) {
          free_checked(passed_on.back());
          passed_on.pop_back();
        }
      }
      const size_t keep = random() % 100 == 0 ? 0 : 20;
      for (; own.size() > keep; own.pop_back()) free_checked(own.back());
    }
    for (const Block& block : own) free_checked(block);
  };
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) threads.emplace_back(work, t);
  for (std::thread& thread : threads) thread.join();
  for (const Block& block : passed_on) free_checked(block);
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST(BulkHeap, OperatorNewTakesFromItInsideAScopeOnly) {
  std::string inside;
  {
    const BulkAllocation bulk;
    inside.assign(100, 'x');
    EXPECT_FALSE(bulk::Owns(std::string(bulk::kLargest * 2, 'x').data()));
  }
  const std::string outside(100, 'x');
  EXPECT_TRUE(bulk::Owns(inside.data()));
  EXPECT_FALSE(bulk::Owns(outside.data()));
}
#endif

}  // namespace
}  // namespace podium
