// Memory for many small blocks that are made together and let go together: what decoding or copying
// an object allocates. A full Pod has some 140 of them, and malloc and free of each cost as much as
// filling it.
//
//   BulkAllocation bulk;                 // this thread's operator new takes from the bulk heap
//   DecodeJson(text, TypeOf<Pod>(), &pod);
//
// What is allocated is ordinary: any thread may delete it at any time, singly, after the scope too.
// Underneath, a thread hands out neighbouring bytes of a page run of 32 KiB, and a run counts how
// many of its allocations are alive. It is used again once none is: so one string that outlives its
// object keeps a whole run, and the scope is for objects that are kept or dropped as a whole.
//
// The program's operator new and delete are replaced for this (bulk_new.cpp). Builds with a
// sanitizer keep the sanitizer's own, and the scope does nothing there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podium {

// Scopes nest. One stays on the thread that made it.
class BulkAllocation {
 public:
  BulkAllocation();
  ~BulkAllocation();
  BulkAllocation(const BulkAllocation&) = delete;
  BulkAllocation& operator=(const BulkAllocation&) = delete;
};

// What operator new and delete call, for them and for tests. Any thread may call any of these.
namespace bulk {

inline constexpr size_t kRunBytes = size_t{32} << 10;
// Larger ones are malloc's.
inline constexpr size_t kLargest = kRunBytes / 8;

// Whether the calling thread is inside a BulkAllocation.
bool Active();
// 16-byte aligned. Null for what is too large, and when the address space reserved for runs
// (16 GiB) is used up or was refused: malloc has to serve it.
void* Allocate(size_t bytes);
// Whether Allocate made it. Null and what others made are not.
bool Owns(const void* memory);
// Of what Owns says yes to, once.
void Free(void* memory);

struct Usage {
  uint32_t runs = 0;  // made so far; they are never given back, but for the pages of unused ones
  uint32_t idle = 0;  // of these, waiting to be used again
};
Usage CurrentUsage();

}  // namespace bulk

}  // namespace podium
