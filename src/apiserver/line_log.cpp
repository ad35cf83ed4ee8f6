#include "apiserver/line_log.h"

#include <algorithm>
#include <utility>

namespace podium::apiserver {
namespace {

// One call of the kernel takes so much.
constexpr size_t kBatchBytes = size_t{256} << 10;
constexpr int64_t kReportInterval = 60 * kNanosPerSecond;

}  // namespace

Result<std::unique_ptr<LineLog>> LineLog::Open(LineLogOptions options, const Clock& clock) {
  TRY(RotatingFile file, RotatingFile::Open(options.file, clock));
  return std::unique_ptr<LineLog>(new LineLog(std::move(options), std::move(file), clock));
}

LineLog::LineLog(LineLogOptions options, RotatingFile file, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      file_(std::move(file)),
      thread_([this] { Run(); }) {}

LineLog::~LineLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool LineLog::Write(std::string line) {
  line += '\n';
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() >= options_.max_lines || bytes_ + line.size() > options_.max_bytes) {
      ++counts_.dropped;
      return false;
    }
    bytes_ += line.size();
    wake = lines_.empty() && !busy_;
    lines_.push_back(std::move(line));
  }
  if (wake) changed_.notify_all();
  return true;
}

void LineLog::Flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return lines_.empty() && !busy_; });
}

LineLog::Counts LineLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void LineLog::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
    if (lines_.empty()) return;
    std::deque<std::string> lines = std::exchange(lines_, {});
    bytes_ = 0;
    busy_ = true;
    lock.unlock();
    WriteBatch(std::move(lines));
    Report();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void LineLog::WriteBatch(std::deque<std::string> lines) {
  const uint64_t most = std::min<uint64_t>(kBatchBytes, options_.file.max_bytes);
  while (!lines.empty()) {
    std::string text;
    uint64_t count = 0;
    while (!lines.empty() && (count == 0 || text.size() + lines.front().size() <= most)) {
      text += lines.front();
      lines.pop_front();
      ++count;
    }
    const auto done = file_.Append(text);
    if (!done.ok()) last_error_ = done.error().message();
    const std::lock_guard lock(mutex_);
    (done.ok() ? counts_.written : counts_.failed) += count;
  }
}

void LineLog::Report() {
  const Counts now = counts();
  const uint64_t dropped = now.dropped - told_.dropped;
  const uint64_t failed = now.failed - told_.failed;
  if (dropped + failed == 0 || !options_.report) return;
  if (reported_ != 0 && clock_.Now() - reported_ < kReportInterval) return;
  reported_ = clock_.Now();
  told_ = now;
  std::string sentence =
      std::to_string(dropped + failed) + " lines of " + options_.file.path + " were lost: ";
  if (failed != 0) sentence += last_error_;
  if (failed != 0 && dropped != 0) sentence += "; ";
  if (dropped != 0) sentence += "they came faster than they could be written";
  options_.report(std::move(sentence));
}

}  // namespace podium::apiserver
