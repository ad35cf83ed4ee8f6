#include "node/container_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "api/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "node/log_files.h"

namespace podium::node {
namespace {

constexpr size_t kBlock = size_t{64} << 10;
// A line longer than any that shims write is no line of theirs; they split at 16 KiB.
constexpr size_t kMaxLine = size_t{1} << 20;
// How long a follower sleeps at most without looking whether the container has ended.
constexpr int kPollMillis = 200;

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

// Wakes whoever reads when something in the log's folder changes.
class Watch {
 public:
  explicit Watch(const std::string& path) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    const std::string folder = path.substr(0, path.rfind('/'));
    if (fd_) {
      inotify_add_watch(fd_.get(), folder.c_str(),
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
    }
  }
  void Wait() const {
    pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (poll(&poll_fd, 1, kPollMillis) <= 0) return;
    std::array<char, 4096> events;
    while (read(fd_.get(), events.data(), events.size()) > 0) {
    }
  }

 private:
  UniqueFd fd_;
};

class Reader {
 public:
  Reader(const LogSource& source, const LogOptions& options, const LogSink& sink)
      : source_(source), options_(options), sink_(sink), left_(options.limit_bytes) {}

  Result<void> Run();

 private:
  // Of what was put aside, as much as is asked for, oldest first. False: enough.
  Result<bool> ReadPutAside();
  // The file that is written now. What is not followed is read to the end that it has now: a
  // container may write faster than anybody reads.
  bool OpenWritten();
  // Following, when file_ was put aside: what comes after it, oldest first, as far as it is kept.
  // The one that is written is among them as soon as it has a line: then nobody writes the others.
  std::vector<LogFile> Next();
  // Everything up to the end of the file. False: enough.
  Result<bool> ReadToEnd(LogFile& file);
  bool Give(std::string_view line);
  bool Send(std::string_view text);

  const LogSource& source_;
  const LogOptions& options_;
  const LogSink& sink_;
  std::optional<int64_t> left_;
  std::optional<LogFile> file_;  // the one that is written, or was when it was opened
  std::string before_;           // the path of one that was put aside before it
  std::string rest_;             // of a line whose end is not there yet
  bool in_line_ = false;
};

bool Reader::Send(std::string_view text) {
  if (left_) {
    text = text.substr(0, static_cast<size_t>(std::max<int64_t>(*left_, 0)));
    *left_ -= static_cast<int64_t>(text.size());
  }
  if (!text.empty() && !sink_(text)) return false;
  return !left_ || *left_ > 0;
}

bool Reader::Give(std::string_view text) {
  const auto line = ParseLogLine(text);
  if (!line) return true;
  if (options_.since && line->time < *options_.since) return true;
  if (!(line->is_stderr ? options_.err : options_.out)) return true;
  std::string out;
  if (options_.timestamps && !in_line_) out.append(line->timestamp).append(" ");
  out.append(line->text);
  if (!line->partial) out += '\n';
  in_line_ = line->partial;
  return Send(out);
}

Result<bool> Reader::ReadToEnd(LogFile& file) {
  std::vector<char> block(kBlock);
  while (true) {
    TRY(const size_t got, file.Read(block));
    if (got == 0) return true;
    std::string_view bytes(block.data(), got);
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        if (rest_.size() + bytes.size() <= kMaxLine) rest_ += bytes;
        break;
      }
      rest_ += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      const bool more = Give(rest_);
      rest_.clear();
      if (!more || (source_.cancelled && source_.cancelled())) return false;
    }
  }
}

Result<bool> Reader::ReadPutAside() {
  std::vector<LogFile> aside = OpenPutAside(source_.path, file_ ? &*file_ : nullptr);
  if (!file_ && aside.empty()) return Error(Code::kNotFound, source_.path + " is not there");
  size_t first = 0;
  if (options_.tail_lines) {
    int64_t wanted = *options_.tail_lines;
    if (file_) {
      TRY(const int64_t ahead, file_->SeekToTail(wanted));
      wanted -= ahead;
    }
    first = aside.size();
    while (wanted > 0 && first > 0) {
      TRY(const int64_t ahead, aside[--first].SeekToTail(wanted));
      wanted -= ahead;
    }
  }
  if (!aside.empty()) before_ = aside.back().path();
  for (; first < aside.size(); ++first) {
    TRY(const bool more, ReadToEnd(aside[first]));
    if (!more) return false;
    rest_.clear();
  }
  return true;
}

bool Reader::OpenWritten() {
  auto opened = LogFile::Open(source_.path);
  if (!opened.ok()) return false;
  file_ = *std::move(opened);
  if (!options_.follow) file_->EndHere();
  return true;
}

std::vector<LogFile> Reader::Next() {
  // First: what is put aside from here on is newer.
  auto written = LogFile::Open(source_.path);
  const bool begun = written.ok() && !written->Empty();
  std::vector<LogFile> out;
  for (LogFile& each : OpenPutAside(source_.path, begun ? &*written : nullptr, before_)) {
    before_ = each.path();
    if (!file_ || !file_->Same(each)) out.push_back(std::move(each));
  }
  if (begun) out.push_back(*std::move(written));
  return out;
}

Result<void> Reader::Run() {
  // Before the first read: what comes between that and the first wait is then not missed.
  std::optional<Watch> watch;
  if (options_.follow) watch.emplace(source_.path);
  // The one that is written first: if it is put aside now, it is read nevertheless, and once.
  OpenWritten();
  TRY(bool more, ReadPutAside());
  if (left_ && *left_ <= 0) return {};
  while (more) {
    // Whether it has ended is asked before the last look, or its last words would be missed.
    const bool open = options_.follow && source_.open && source_.open();
    std::vector<LogFile> next;
    if (options_.follow && (!file_ || !file_->StandsAt(source_.path))) next = Next();
    if (file_) {
      TRY(more, ReadToEnd(*file_));
      if (!more) return {};
    } else if (!options_.follow && OpenWritten()) {
      continue;
    }
    // Those behind are open already: they may be removed while this one is read.
    for (LogFile& each : next) {
      const bool newest = &each == &next.back();
      rest_.clear();
      file_ = std::move(each);
      if (newest) break;
      TRY(more, ReadToEnd(*file_));
      if (!more) return {};
    }
    if (!next.empty()) continue;
    if (!open || (source_.cancelled && source_.cancelled())) return {};
    watch->Wait();
  }
  return {};
}

}  // namespace

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

Result<void> ReadContainerLog(const LogSource& source, const LogOptions& options,
                              const LogSink& sink) {
  return Reader(source, options, sink).Run();
}

std::string TailOfLog(const std::string& path, int64_t max_lines, size_t max_bytes) {
  std::string out;
  LogOptions options;
  options.tail_lines = max_lines;
  const auto read = ReadContainerLog({.path = path, .open = {}, .cancelled = {}}, options,
                                     [&](std::string_view text) {
                                       out += text;
                                       if (out.size() > 2 * max_bytes)
                                         out.erase(0, out.size() - max_bytes);
                                       return true;
                                     });
  if (!read.ok()) return {};
  if (out.size() > max_bytes) out.erase(0, out.size() - max_bytes);
  return out;
}

}  // namespace podium::node
