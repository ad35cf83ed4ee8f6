#include "linux/open_files.h"

#include <sys/resource.h>

#include <atomic>

namespace podium::kernel {
namespace {

// Before the first time it was raised; RLIM_INFINITY: it was not.
std::atomic<rlim_t> first_limit = RLIM_INFINITY;

}  // namespace

void RaiseOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  rlim_t none = RLIM_INFINITY;
  first_limit.compare_exchange_strong(none, before);
}

void RestoreOpenFiles(pid_t child) {
  rlimit limit{};
  if (first_limit == RLIM_INFINITY || prlimit(child, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  // A program that has set its own since keeps it.
  if (limit.rlim_cur != limit.rlim_max) return;
  limit.rlim_cur = first_limit;
  (void)prlimit(child, RLIMIT_NOFILE, &limit, nullptr);
}

}  // namespace podium::kernel
