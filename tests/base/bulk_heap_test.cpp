#include "base/bulk_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
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
    bulk::Free(first);
    void* const second = bulk::Allocate(64);
    EXPECT_EQ(RunOf(first), RunOf(second));
    EXPECT_NE(first, second);
    bulk::Free(second);
  }).join();
}

// Bounded: many more bytes go through than the heap may keep.
TEST(BulkHeap, MemoryGoesRound) {
  const bulk::Usage before = bulk::CurrentUsage();
  for (int i = 0; i < 100'000; ++i) {
    void* const block = bulk::Allocate(1024);
    ASSERT_NE(block, nullptr);
    bulk::Free(block);
  }
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
      // Each frees a quarter of what each made.
      for (int from = 0; from < kThreads; ++from) {
        for (int i = t; i < kBlocks; i += kThreads) {
          EXPECT_EQ(*made[from][i], static_cast<uint64_t>(from) * kBlocks + i);
          bulk::Free(made[from][i]);
          // New ones are made meanwhile from runs that the others empty.
          bulk::Free(bulk::Allocate(512));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
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
