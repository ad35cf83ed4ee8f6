// What contract.h gives to all tests of stores.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>

#include "store/contract.h"

namespace podium::store::testing {

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "podium-store-XXXXXX").string();
  path_ = mkdtemp(name.data());
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

EntryPtr Put(Store& store, std::string_view key, std::string_view value) {
  auto written =
      store.WriteAndWait({.key = std::string(key), .value = std::string(value), .expected = {}});
  EXPECT_TRUE(written.ok()) << written.error().message();
  if (!written.ok()) return nullptr;
  EXPECT_TRUE(written->changed);
  return written->entry;
}

EntryPtr Delete(Store& store, std::string_view key) {
  auto written = store.WriteAndWait({.key = std::string(key), .value = {}, .expected = {}});
  EXPECT_TRUE(written.ok()) << written.error().message();
  if (!written.ok()) return nullptr;
  EXPECT_TRUE(written->changed);
  return written->entry;
}

void PutMany(Store& store, std::string_view key, int count,
             const std::function<std::optional<std::string>(int)>& value) {
  std::atomic<int> left = count;
  std::promise<void> all;
  for (int i = 0; i < count; ++i) {
    store.Apply({.key = std::string(key), .value = value(i)}, [&](const Result<Written>& written) {
      EXPECT_TRUE(written.ok() && written->changed);
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
}

std::vector<std::string> Show(const std::vector<EntryPtr>& entries) {
  std::vector<std::string> shown;
  for (const EntryPtr& entry : entries) {
    shown.push_back(fmt::format("{}={}@{}", entry->key(), entry->value(), entry->mod_revision()));
  }
  return shown;
}

std::string Show(const Event& event) {
  const Entry& entry = *event.entry;
  std::string text = entry.deleted()
                         ? fmt::format("-{}@{}", entry.key(), entry.mod_revision())
                         : fmt::format("{}{}={}@{}", event.previous ? "~" : "+", entry.key(),
                                       entry.value(), entry.mod_revision());
  if (event.previous) text += fmt::format(" was {}", event.previous->value());
  return text;
}

std::vector<std::string> Show(const std::vector<Event>& events) {
  std::vector<std::string> shown;
  for (const Event& event : events) shown.push_back(Show(event));
  return shown;
}

WaitingWatch::WaitingWatch(Store& store, KeyRange keys, Revision after) {
  auto watch = store.StartWatch({.keys = std::move(keys), .after = after, .ready = [this] {
                                   std::lock_guard lock(mutex_);
                                   ++ready_;
                                   woken_.notify_all();
                                 }});
  EXPECT_TRUE(watch.ok()) << watch.error().message();
  if (watch.ok()) watch_ = *std::move(watch);
}

int WaitingWatch::times_ready() {
  std::lock_guard lock(mutex_);
  return ready_;
}

Result<WatchBatch> WaitingWatch::TakeNow(size_t max) { return watch_->Take(max); }

std::vector<Event> WaitingWatch::Take(size_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::vector<Event> events;
  while (true) {
    const int ready_before = times_ready();
    auto batch = watch_->Take(1000);
    EXPECT_TRUE(batch.ok()) << batch.error().message();
    if (!batch.ok()) return events;
    events.insert(events.end(), batch->events.begin(), batch->events.end());
    if (events.size() >= count) return events;
    if (batch->more) continue;
    std::unique_lock lock(mutex_);
    if (!woken_.wait_until(lock, end, [&] { return ready_ != ready_before; })) {
      ADD_FAILURE() << "no more events after " << events.size() << " of " << count;
      return events;
    }
  }
}

}  // namespace podium::store::testing
