// The store alone, without a server: durable creates, ranges, watchers, memory, the time to open.
//
//   store_bench [--folder DIR] [--seconds N] [--quick]
//
// The folder (default: a new one below /tmp) decides what a sync costs, which is most of a create
// with few writers: a line with the time of fdatasync after 4 KiB stands first, to divide by.
// Prints one line a figure. Processor time is that of the whole process, writers included.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/sqlite_store.h"

namespace {

using podium::store::KeyRange;
using podium::store::RangeOptions;
using podium::store::SqliteStore;
using podium::store::Store;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Private memory of this process, in MiB.
double PrivateMemory() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::string line;
  double kib = 0;
  while (std::getline(file, line)) {
    if (line.starts_with("Private_Dirty:")) kib = std::atof(line.c_str() + 14);
  }
  return kib / 1024;
}

template <class T>
T Must(podium::Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "store_bench: %s\n", result.error().message().c_str());
  std::exit(1);
}

std::unique_ptr<SqliteStore> Open(const std::string& path) {
  return Must(SqliteStore::Open({.path = path}));
}

std::string Key(int writer, int64_t number) {
  char text[64];
  std::snprintf(text, sizeof(text), "/registry/configmaps/default/w%d-%09ld", writer, number);
  return text;
}

const std::string& Value() {
  static const std::string value(1024, 'v');
  return value;
}

void SyncFloor(const std::string& folder) {
  const std::string path = folder + "/floor";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    if (pwrite(fd, page.data(), page.size(), (i % 64) * 4096L) < 0 || fdatasync(fd) != 0)
      std::exit(1);
    times.push_back(Since(begin) * 1e6);
  }
  close(fd);
  unlink(path.c_str());
  std::sort(times.begin(), times.end());
  std::printf("floor: write of 4 KiB and fdatasync: p50 %.0f us, p99 %.0f us\n", times[100],
              times[198]);
}

void Creates(const std::string& path, int writers, double seconds) {
  auto store = Open(path);
  std::atomic<bool> stop = false;
  std::atomic<int64_t> done = 0;
  std::mutex mutex;
  std::vector<double> latencies;
  const double cpu = ProcessorSeconds();
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      std::vector<double> own;
      for (int64_t number = 0; !stop; ++number) {
        const auto start = Clock::now();
        Must(store->WriteAndWait({.key = Key(i, number), .value = Value(), .expected = 0}));
        own.push_back(Since(start) * 1e3);
      }
      done += static_cast<int64_t>(own.size());
      std::lock_guard lock(mutex);
      latencies.insert(latencies.end(), own.begin(), own.end());
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double wall = Since(begin);
  const double used = ProcessorSeconds() - cpu;
  std::sort(latencies.begin(), latencies.end());
  std::printf(
      "create of 1 KiB, %2d writers: %.0f a second, %.1f us processor each; p50 %.2f ms, p99 %.2f "
      "ms, longest %.0f ms\n",
      writers, static_cast<double>(done) / wall, used * 1e6 / static_cast<double>(done),
      latencies[latencies.size() / 2], latencies[latencies.size() * 99 / 100], latencies.back());
}

void Fill(Store& store, int64_t from, int64_t to) {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t left = to - from;
  for (int64_t i = from; i < to; ++i) {
    store.Apply({.key = Key(0, i), .value = Value()}, [&](const auto& written) {
      if (!written.ok()) std::exit(1);
      std::lock_guard lock(mutex);
      if (--left % 1000 == 0) changed.notify_all();
    });
    if (i % 10'000 == 9'999) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return left <= to - i - 1; });
    }
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
}

void Range(Store& store, size_t count) {
  RangeOptions options;
  options.keys = KeyRange::Prefix("/registry/configmaps/");
  options.limit = count;
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    const auto result = Must(store.Range(options));
    times.push_back(Since(begin) * 1e6);
    if (result.entries.size() != count) std::exit(1);
  }
  std::sort(times.begin(), times.end());
  std::printf("range of %zu: p50 %.0f us, p99 %.0f us\n", count, times[100], times[198]);
}

void Get(Store& store) {
  constexpr int kTimes = 200'000;
  const std::string key = Key(0, 777);
  const auto begin = Clock::now();
  for (int i = 0; i < kTimes; ++i) Must(store.Get(key));
  std::printf("get: %.2f us\n", Since(begin) * 1e6 / kTimes);
}

// From the write's callback being due to the last of the watchers having its event.
void FanOut(Store& store, int watchers) {
  std::atomic<int> ready = 0;
  std::vector<std::unique_ptr<podium::store::Watch>> watches;
  const podium::store::Revision now = store.health().revision;
  for (int i = 0; i < watchers; ++i) {
    watches.push_back(Must(store.StartWatch({.keys = KeyRange::Prefix("/registry/configmaps/"),
                                             .after = now,
                                             .ready = [&ready] { ++ready; }})));
    Must(watches.back()->Take(1));
  }
  std::vector<double> times;
  for (int round = 0; round < 100; ++round) {
    ready = 0;
    std::atomic<bool> written = false;
    std::atomic<Clock::rep> called = 0;
    store.Apply({.key = Key(0, 1), .value = Value()}, [&](const auto&) {
      called = Clock::now().time_since_epoch().count();
      written = true;
    });
    while (ready < watchers) std::this_thread::yield();
    for (auto& watch : watches) {
      if (Must(watch->Take(10)).events.size() != 1) std::exit(1);
    }
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now().time_since_epoch() -
                                                              Clock::duration(called))
                        .count());
  }
  std::sort(times.begin(), times.end());
  std::printf("one event at %d watchers, woken and taken: p50 %.0f us, p99 %.0f us\n", watchers,
              times[50], times[99]);
}

// In processes of their own: what one has freed would count as another's memory, or hide it.
void InChild(const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    body();
    std::exit(0);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) std::exit(1);
}

void Memory(const std::string& path, int64_t count) {
  const double before = PrivateMemory();
  const auto begin = Clock::now();
  auto store = Open(path);
  std::printf("open with %ld values of 1 KiB: %.0f ms\n", count, Since(begin) * 1e3);
  std::printf("memory with %ld values of 1 KiB: %.1f MiB, file %.1f MiB\n", count,
              PrivateMemory() - before,
              static_cast<double>(std::filesystem::file_size(path)) / (1 << 20));
  if (count >= 10'000) {
    Get(*store);
    Range(*store, 1000);
    Range(*store, 10'000);
    FanOut(*store, 1000);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  double seconds = 3;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      quick = true;
      seconds = 0.2;
    } else if (option == "--folder" && i + 1 < argc) {
      folder = argv[++i];
    } else if (option == "--seconds" && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: store_bench [--folder DIR] [--seconds N] [--quick]\n");
      return 2;
    }
  }
  std::string name = (folder.empty() ? "/tmp" : folder) + "/podium-store-bench-XXXXXX";
  const char* made = mkdtemp(name.data());
  if (made == nullptr) return 1;
  folder = made;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  SyncFloor(folder);
  const auto begin = Clock::now();
  Open(folder + "/new.db");
  std::printf("open and close of a new store: %.1f ms\n", Since(begin) * 1e3);
  for (const int writers : {1, 10, 50}) {
    Creates(folder + "/create-" + std::to_string(writers) + ".db", writers, seconds);
  }
  const std::vector<int64_t> counts =
      quick ? std::vector<int64_t>{1000} : std::vector<int64_t>{0, 10'000, 100'000};
  for (const int64_t count : counts) {
    const std::string path = folder + "/memory-" + std::to_string(count) + ".db";
    InChild([&] { Fill(*Open(path), 0, count); });
    InChild([&] { Memory(path, count); });
  }
  std::filesystem::remove_all(folder);
  return 0;
}
