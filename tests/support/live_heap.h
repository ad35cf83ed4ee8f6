// What this process has of its heap.
#pragma once

#include <malloc.h>

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define PODIUM_SANITIZER_HAS_THE_HEAP 1
#endif
#endif

namespace podium::testing {

// Bytes that are allocated and not given back, in all threads. Not what the address sanitizer keeps
// of what was freed (256 MiB), which the size of the process has in it.
inline size_t LiveHeap() {
#ifdef PODIUM_SANITIZER_HAS_THE_HEAP
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

}  // namespace podium::testing
