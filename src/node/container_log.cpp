#include "node/container_log.h"

#include <algorithm>
#include <array>
#include <vector>

#include "api/time.h"
#include "base/clock.h"

namespace podium::node {
namespace {

constexpr size_t kBlock = size_t{16} << 10;
// A line longer than any that shims write is no line of theirs; they split at 16 KiB.
constexpr size_t kMaxLine = size_t{1} << 20;

std::optional<int64_t> ParseTime(std::string_view text) {
  // The fraction is kept: RFC 3339 with nanoseconds.
  auto seconds = api::Time::Parse(text);
  if (!seconds.ok()) return std::nullopt;
  int64_t nanos = 0;
  const size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    int64_t scale = kNanosPerSecond;
    for (size_t i = dot + 1; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      scale /= 10;
      nanos += (text[i] - '0') * scale;
    }
  }
  return (seconds->unix_seconds() * kNanosPerSecond) + nanos;
}

}  // namespace

void LogReader::Give(std::string_view text, std::string* out) {
  const auto line = ParseLogLine(text);
  if (!line) return;
  if (options_.since && line->time < *options_.since) return;
  if (!(line->is_stderr ? options_.err : options_.out)) return;
  const size_t before = out->size();
  if (options_.timestamps && !in_line_) out->append(line->timestamp).append(" ");
  out->append(line->text);
  if (!line->partial) *out += '\n';
  in_line_ = line->partial;
  if (!left_) return;
  const size_t given = std::min(out->size() - before, static_cast<size_t>(*left_));
  out->resize(before + given);
  *left_ -= static_cast<int64_t>(given);
  over_ = *left_ == 0;
}

void LogReader::Take(std::string_view bytes, std::string* out) {
  while (!bytes.empty() && !over_) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      if (rest_.size() + bytes.size() <= kMaxLine) rest_ += bytes;
      return;
    }
    rest_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    Give(rest_, out);
    rest_.clear();
  }
}

bool LogReader::OpenWritten() {
  auto opened = LogFile::Open(path_);
  if (!opened.ok()) return false;
  if (!options_.follow) opened->EndHere();
  files_.push_back(*std::move(opened));
  has_written_ = true;
  return true;
}

Result<void> LogReader::OpenOlder() {
  LogFile* written = has_written_ ? &files_.back() : nullptr;
  std::vector<LogFile> aside = OpenPutAside(path_, written);
  if (!written && aside.empty()) return Error(Code::kNotFound, path_ + " is not there");
  size_t first = 0;
  if (options_.tail_lines) {
    int64_t wanted = *options_.tail_lines;
    if (written) {
      TRY(const int64_t ahead, written->SeekToTail(wanted));
      wanted -= ahead;
    }
    first = aside.size();
    while (wanted > 0 && first > 0) {
      TRY(const int64_t ahead, aside[--first].SeekToTail(wanted));
      wanted -= ahead;
    }
  }
  if (!aside.empty()) before_ = aside.back().path();
  for (size_t i = aside.size(); i > first; --i) files_.push_front(std::move(aside[i - 1]));
  return {};
}

void LogReader::OpenNewer() {
  // First: what is put aside from here on is newer.
  auto written = LogFile::Open(path_);
  const bool begun = written.ok() && !written->Empty();
  LogFile* last = has_written_ ? &files_.back() : nullptr;
  std::vector<LogFile> newer;
  for (LogFile& each : OpenPutAside(path_, begun ? &*written : nullptr, before_)) {
    before_ = each.path();
    if (!last || !last->Same(each)) newer.push_back(std::move(each));
  }
  if (begun) newer.push_back(*std::move(written));
  found_newer_ = !newer.empty();
  has_written_ = has_written_ || found_newer_;
  // They are open now, so that they may be removed while an older one is read.
  for (LogFile& each : newer) files_.push_back(std::move(each));
}

Result<void> LogReader::Begin() {
  over_ = left_ && *left_ <= 0;
  // The one that is written first: if it is put aside now, it is read nevertheless, and once.
  OpenWritten();
  return OpenOlder();
}

void LogReader::BeginRound() {
  in_round_ = true;
  found_newer_ = false;
  // Whether it has ended is asked before the last look, or its last words would be missed.
  more_may_come_ = options_.follow && open_ && open_();
  if (options_.follow && (!has_written_ || !files_.back().StandsAt(path_))) OpenNewer();
}

Result<LogReader::Then> LogReader::Next(std::string* out) {
  if (!over_ && !in_round_) BeginRound();
  std::array<char, kBlock> block;
  while (!over_ && !files_.empty()) {
    TRY(const size_t got, files_.front().Read(block));
    if (got > 0) {
      Take({block.data(), got}, out);
      return over_ ? Then::kEnd : Then::kMore;
    }
    if (has_written_ && files_.size() == 1) break;
    files_.pop_front();
    rest_.clear();
  }
  if (over_) return Then::kEnd;
  // It may have been put aside just when the reading began.
  if (!has_written_ && !options_.follow && OpenWritten()) return Then::kMore;
  in_round_ = false;
  if (found_newer_) return Then::kMore;
  over_ = !more_may_come_;
  return over_ ? Then::kEnd : Then::kWait;
}

std::optional<LogLine> ParseLogLine(std::string_view line) {
  LogLine out;
  const size_t first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  out.timestamp = line.substr(0, first);
  const auto time = ParseTime(out.timestamp);
  if (!time) return std::nullopt;
  out.time = *time;
  line.remove_prefix(first + 1);
  const size_t second = line.find(' ');
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view stream = line.substr(0, second);
  if (stream != "stdout" && stream != "stderr") return std::nullopt;
  out.is_stderr = stream == "stderr";
  line.remove_prefix(second + 1);
  // Tags are separated by colons, the first one is the one that counts.
  const size_t third = std::min(line.find(' '), line.size());
  const std::string_view tags = line.substr(0, third);
  const std::string_view tag = tags.substr(0, tags.find(':'));
  if (tag != "F" && tag != "P") return std::nullopt;
  out.partial = tag == "P";
  out.text = line.substr(std::min(third + 1, line.size()));
  return out;
}

Result<void> ReadContainerLog(const std::string& path, const LogOptions& options,
                              const LogSink& sink) {
  LogOptions now = options;
  now.follow = false;
  LogReader reader(path, now);
  TRY_VOID(reader.Begin());
  std::string text;
  while (true) {
    text.clear();
    TRY(const LogReader::Then then, reader.Next(&text));
    if (!text.empty() && !sink(text)) return {};
    if (then == LogReader::Then::kEnd) return {};
  }
}

std::string TailOfLog(const std::string& path, int64_t max_lines, size_t max_bytes) {
  std::string out;
  LogOptions options;
  options.tail_lines = max_lines;
  const auto read = ReadContainerLog(path, options, [&](std::string_view text) {
    out += text;
    if (out.size() > 2 * max_bytes) out.erase(0, out.size() - max_bytes);
    return true;
  });
  if (!read.ok()) return {};
  if (out.size() > max_bytes) out.erase(0, out.size() - max_bytes);
  return out;
}

}  // namespace podium::node
