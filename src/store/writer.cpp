#include "store/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "store/plan.h"

namespace podium::store {
namespace {

using Clock = std::chrono::steady_clock;

// A group is what waits, up to these: more would make the first of them wait for the last.
constexpr size_t kGroupWrites = 1024;
constexpr size_t kGroupBytes = size_t{8} << 20;
// Steps of what nobody waits for: each below a millisecond, but for the disk.
constexpr size_t kCollectAtATime = 256;
constexpr size_t kRowsAtATime = 512;
constexpr std::chrono::milliseconds kCollectAgain{10};

size_t SizeOf(const Write& write) {
  return sizeof(Write) + write.key.size() + (write.value ? write.value->size() : 0);
}

Error Closed() { return Error(Code::kCancelled, "the store is closed"); }

}  // namespace

Writer::Writer(SqliteStore::Options options, std::shared_ptr<Core> core,
               std::unique_ptr<StoreFile> file, std::vector<Revision> left)
    : options_(std::move(options)),
      core_(std::move(core)),
      file_(std::move(file)),
      policy_(options_.history),
      rows_(left.begin(), left.end()),
      copy_at_pages_(options_.log_pages),
      announcer_(core_) {
  const Revision newest = core_->history().newest();
  core_->Announce(newest);
  if (newest > core_->history().compacted()) policy_.Note(Clock::now(), newest);
  thread_ = std::thread([this] { Run(); });
}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  asked_.notify_one();
  thread_.join();
  std::vector<Announcer::Callback> callbacks;
  callbacks.reserve(writes_.size() + compactions_.size());
  for (WriteRequest& request : writes_) {
    callbacks.emplace_back([done = std::move(request.done)] { done(Closed()); });
  }
  for (CompactRequest& request : compactions_) {
    callbacks.emplace_back([done = std::move(request.done)] { done(Closed()); });
  }
  announcer_.Announce(std::move(callbacks), 0);
}

void Writer::Apply(Write write, Store::WriteDone done) {
  std::optional<Error> refused;
  if (auto checked = CheckWrite(write); !checked.ok()) {
    refused = std::move(checked).error();
  } else {
    const size_t size = SizeOf(write);
    std::unique_lock lock(mutex_);
    const bool first = writes_.empty();
    if (waiting_bytes_ + size <= options_.max_waiting_bytes || first) {
      waiting_bytes_ += size;
      writes_.push_back({std::move(write), std::move(done)});
      lock.unlock();
      if (first) asked_.notify_one();
      return;
    }
    refused =
        Error(Code::kUnavailable,
              fmt::format("{} bytes of writes wait already: try again later", waiting_bytes_));
  }
  announcer_.Announce({[done = std::move(done), error = *std::move(refused)] { done(error); }}, 0);
}

void Writer::Compact(Revision revision, Store::CompactDone done) {
  std::lock_guard lock(mutex_);
  compactions_.push_back({revision, std::move(done)});
  asked_.notify_one();
}

void Writer::Describe(Health* health) const {
  core_->Describe(health);
  std::lock_guard lock(mutex_);
  health->state = state_;
  health->error = error_;
}

std::optional<Error> Writer::CurrentError() const {
  std::lock_guard lock(mutex_);
  return error_;
}

void Writer::Run() {
  while (Wait()) {
    if (!group_.empty()) WriteGroup();
    if (!asked_compactions_.empty()) AnswerCompactions();
    DoBackground();
  }
}

std::optional<Writer::Time> Writer::NextTime() const {
  if (state_ == Health::kFailed) return std::nullopt;
  if (state_ == Health::kReadOnly) return probe_at_;
  if (again_ || !rows_.empty() || shrinking_ || file_->log_pages() >= copy_at_pages_) return Time();
  return core_->history().collected() ? policy_.Next() : collect_again_;
}

bool Writer::Wait() {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return ending_ || !writes_.empty() || !compactions_.empty(); };
  // error_ and state_ are this thread's to change.
  if (const std::optional<Time> next = NextTime()) {
    asked_.wait_until(lock, *next, something);
  } else {
    asked_.wait(lock, something);
  }
  if (ending_) return false;
  size_t bytes = 0;
  while (!writes_.empty() && group_.size() < kGroupWrites && bytes < kGroupBytes) {
    bytes += SizeOf(writes_.front().write);
    group_.push_back(std::move(writes_.front()));
    writes_.pop_front();
  }
  waiting_bytes_ -= bytes;
  std::move(compactions_.begin(), compactions_.end(), std::back_inserter(asked_compactions_));
  compactions_.clear();
  return true;
}

void Writer::WriteGroup() {
  std::vector<Result<Written>> answers;
  answers.reserve(group_.size());
  if (const std::optional<Error> error = CurrentError()) {
    answers.assign(group_.size(), *error);
    return AnswerGroup(std::move(answers), 0);
  }
  Plan plan(core_->history());
  for (const WriteRequest& request : group_) answers.emplace_back(plan.Add(request.write));
  if (plan.changes().empty()) return AnswerGroup(std::move(answers), 0);

  const auto end =
      rows_.begin() + static_cast<std::ptrdiff_t>(std::min(rows_.size(), kRowsAtATime));
  const std::vector<Revision> removed(rows_.begin(), end);
  if (auto committed = file_->Commit(plan.changes(), removed); !committed.ok()) {
    answers.assign(group_.size(), Fail(committed.error()));
    return AnswerGroup(std::move(answers), 0);
  }
  rows_.erase(rows_.begin(), end);
  shrinking_ |= !removed.empty();
  core_->Publish(plan.changes());
  const Revision newest = core_->history().newest();
  policy_.Note(Clock::now(), newest);
  AnswerGroup(std::move(answers), newest);
}

void Writer::AnswerGroup(std::vector<Result<Written>> answers, Revision published) {
  std::vector<Announcer::Callback> callbacks;
  callbacks.reserve(group_.size());
  for (size_t i = 0; i < group_.size(); ++i) {
    callbacks.emplace_back(
        [done = std::move(group_[i].done), answer = std::move(answers[i])] { done(answer); });
  }
  group_.clear();
  announcer_.Announce(std::move(callbacks), published);
}

void Writer::AnswerCompactions() {
  std::vector<Announcer::Callback> callbacks;
  callbacks.reserve(asked_compactions_.size());
  for (CompactRequest& request : asked_compactions_) {
    Result<void> answer = core_->CheckCompact(request.revision);
    if (const std::optional<Error> error = CurrentError(); answer.ok() && error) answer = *error;
    if (answer.ok()) answer = CompactTo(request.revision);
    callbacks.emplace_back(
        [done = std::move(request.done), answer = std::move(answer)] { done(answer); });
  }
  asked_compactions_.clear();
  announcer_.Announce(std::move(callbacks), 0);
}

Result<void> Writer::CompactTo(Revision revision) {
  if (auto done = file_->SetCompacted(revision); !done.ok()) return Fail(done.error());
  core_->SetCompacted(revision);
  return {};
}

void Writer::DoBackground() {
  if (CurrentError()) return Probe();
  const History& history = core_->history();
  again_ = false;
  if (!history.collected()) {
    CollectSome();
  } else if (const auto due = policy_.Due(Clock::now(), history.compacted(), history.newest(),
                                          history.old_bytes())) {
    // An error of it is the store's; nobody has asked.
    if (!CompactTo(*due).ok()) return;
    again_ = true;
  }
  bool writes_wait = false;
  {
    std::lock_guard lock(mutex_);
    writes_wait = !writes_.empty();
  }
  // Rows go along with writes, if there are some.
  if (!rows_.empty() && !writes_wait) RemoveSome();
  if (file_->log_pages() >= copy_at_pages_) CopyLog();
  if (shrinking_ && rows_.empty() && !writes_wait) ShrinkSome();
}

void Writer::CollectSome() {
  std::vector<EntryPtr> dropped;
  const size_t changes = core_->Collect(kCollectAtATime, &dropped);
  if (changes == 0) collect_again_ = Clock::now() + kCollectAgain;
  again_ = changes != 0;
  for (const EntryPtr& entry : dropped) rows_.push_back(entry->mod_revision());
}

void Writer::RemoveSome() {
  const auto end =
      rows_.begin() + static_cast<std::ptrdiff_t>(std::min(rows_.size(), kRowsAtATime));
  const std::vector<Revision> removed(rows_.begin(), end);
  if (auto done = file_->Commit({}, removed); !done.ok()) {
    (void)Fail(done.error());
    return;
  }
  rows_.erase(rows_.begin(), end);
  shrinking_ = true;
}

void Writer::CopyLog() {
  copy_at_pages_ = options_.log_pages;
  auto copied = file_->Checkpoint();
  if (copied.ok()) return;
  if (copied.error().code() == Code::kResourceExhausted) {
    // The log has everything, and writes go on as long as there is room for it.
    copy_at_pages_ = file_->log_pages() + options_.log_pages;
  } else {
    (void)Fail(copied.error());
  }
}

void Writer::ShrinkSome() {
  auto more = file_->Shrink();
  const bool shrank = std::exchange(shrank_, more.ok() && *more);
  shrinking_ = shrank_;
  if (!more.ok()) {
    (void)Fail(more.error());
  } else if (shrank && !shrinking_) {
    CopyLog();  // which is what makes the file shorter
  }
}

void Writer::Probe() {
  if (state_ == Health::kFailed || Clock::now() < probe_at_) return;
  if (auto probed = file_->Probe(core_->history().newest()); !probed.ok()) {
    (void)Fail(probed.error());
    return;
  }
  std::lock_guard lock(mutex_);
  state_ = Health::kServing;
  error_.reset();
}

Error Writer::Fail(const Error& error) {
  const bool for_good = error.code() == Code::kDataLoss || error.code() == Code::kInternal;
  // Whatever it was below: for a client it is one of these, and not that its key is not found.
  const bool known = error.code() == Code::kDataLoss || error.code() == Code::kResourceExhausted;
  const char* outlook = for_good ? "the server has to be started again, which checks the file"
                                 : "writes are taken again as soon as the disk takes them";
  Error shown(known ? error.code() : Code::kUnavailable,
              fmt::format("the store is read-only: {}; {}", error.message(), outlook),
              error.os_errno());
  probe_at_ = Clock::now() + options_.retry_interval;
  std::lock_guard lock(mutex_);
  state_ = for_good ? Health::kFailed : Health::kReadOnly;
  error_ = shown;
  return shown;
}

}  // namespace podium::store
