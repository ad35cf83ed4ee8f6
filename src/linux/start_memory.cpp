#include "linux/start_memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

namespace podium::kernel {
namespace {

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool is_code = false;  // of a file, private, and never to be written to
};

// The first line of a mapping in /proc/PID/smaps; false for a line about one.
bool ParseMapping(const std::string& line, Mapping* mapping) {
  char permissions[5] = {};
  unsigned long inode = 0;
  Mapping read;
  if (sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &read.begin, &read.end,
             permissions, &inode) != 4) {
    return false;
  }
  const std::string_view allowed(permissions);
  read.is_code =
      inode != 0 && allowed.find('w') == std::string_view::npos && allowed.ends_with('p');
  *mapping = read;
  return true;
}

// Pages of the mapping that are not the file's own, in KiB.
uint64_t OwnPages(const std::string& line) {
  uint64_t size = 0;
  for (const char* form : {"Anonymous: %" SCNu64, "Swap: %" SCNu64}) {
    if (sscanf(line.c_str(), form, &size) == 1) return size;
  }
  return 0;
}

}  // namespace

void ReleaseStartMemory() {
  malloc_trim(0);
  std::ifstream smaps("/proc/self/smaps");
  Mapping mapping;
  uint64_t own = 0;
  const auto release = [&] {
    if (!mapping.is_code || own != 0) return;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's number of an address
    (void)madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin,
                  MADV_DONTNEED);
  };
  for (std::string line; std::getline(smaps, line);) {
    Mapping next;
    if (ParseMapping(line, &next)) {
      release();
      mapping = next;
      own = 0;
    } else {
      own += OwnPages(line);
    }
  }
  release();
}

}  // namespace podium::kernel
