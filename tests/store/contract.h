// What store.h promises, as tests that every implementation runs: each passes its own way of
// opening one to INSTANTIATE_TEST_SUITE_P(…, StoreContractTest, …).
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace podium::store::testing {

// A folder of the test's own, which goes with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string File(const std::string& name = "store.db") const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Writes that a test expects to be made, in short.
EntryPtr Put(Store& store, std::string_view key, std::string_view value);
EntryPtr Delete(Store& store, std::string_view key);
// So many writes of a key at once; returns when all are acknowledged.
void PutMany(Store& store, std::string_view key, int count,
             const std::function<std::optional<std::string>(int)>& value);
// "key=value@mod" of each entry, and so on; events as "+key=value@mod" (new), "~…" (changed),
// "-key@mod" (deleted), each with " was value" if there was something before.
std::vector<std::string> Show(const std::vector<EntryPtr>& entries);
std::string Show(const Event& event);
std::vector<std::string> Show(const std::vector<Event>& events);

// A watch with a thread-safe way to wait for events.
class WaitingWatch {
 public:
  WaitingWatch(Store& store, KeyRange keys, Revision after);
  // Waits until so many events are there, or for ten seconds.
  std::vector<Event> Take(size_t count);
  // What is there, without waiting.
  Result<WatchBatch> TakeNow(size_t max = 1000);
  int times_ready();

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  int ready_ = 0;
  std::unique_ptr<Watch> watch_;
};

struct Implementation {
  const char* name;
  // An empty store at revision 0.
  std::function<std::shared_ptr<Store>(const Folder& folder)> open;
};

class StoreContractTest : public ::testing::TestWithParam<Implementation> {
 protected:
  StoreContractTest() : store_(GetParam().open(folder_)) {}
  Store& store() { return *store_; }

  Folder folder_;
  std::shared_ptr<Store> store_;
};

}  // namespace podium::store::testing
