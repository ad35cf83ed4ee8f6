// operator new and delete that know the bulk heap; everything else is malloc's. Memory with an
// alignment of its own (operator new with std::align_val_t) and arrays go through the library's
// functions, which call these or malloc themselves.
#include <cstdlib>
#include <new>

#include "base/bulk_heap.h"

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

void* operator new(std::size_t bytes) {
  if (podium::bulk::Active()) {
    if (void* memory = podium::bulk::Allocate(bytes)) return memory;
  }
  if (void* memory = std::malloc(bytes != 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
  if (podium::bulk::Owns(memory)) {
    podium::bulk::Free(memory);
  } else {
    std::free(memory);
  }
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

#endif
