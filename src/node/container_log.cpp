#include "node/container_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <vector>

#include "api/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"

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

Result<UniqueFd> OpenLog(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return Error::FromErrno(errno, "open " + path);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return Error::FromErrno(errno, "fstat " + path);
  if (!S_ISREG(status.st_mode)) return Error(Code::kNotFound, path + " is no file");
  return fd;
}

// Where the last `lines` lines begin; a last one without its line break counts as well.
Result<off_t> TailStart(int fd, int64_t lines) {
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return Error::FromErrno(errno, "lseek");
  if (lines <= 0) return size;
  std::array<char, kBlock> block;
  off_t end = size;
  int64_t breaks = 0;
  while (end > 0) {
    const auto count = static_cast<size_t>(std::min<off_t>(end, kBlock));
    const ssize_t got = pread(fd, block.data(), count, end - static_cast<off_t>(count));
    if (got < 0) return Error::FromErrno(errno, "pread");
    for (auto i = static_cast<size_t>(got); i-- > 0;) {
      const off_t at = end - static_cast<off_t>(count) + static_cast<off_t>(i);
      if (block[i] != '\n' || at == size - 1) continue;
      if (++breaks == lines) return at + 1;
    }
    end -= static_cast<off_t>(count);
  }
  return 0;
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
  // Everything up to the end of the open file; of what is not followed, the end that it had when it
  // was opened: a container may write faster than anybody reads. False: enough.
  Result<bool> ReadToEnd();
  bool Give(std::string_view line);
  bool Send(std::string_view text);
  // The name stands for another file, or for none.
  bool PutAside() const;

  const LogSource& source_;
  const LogOptions& options_;
  const LogSink& sink_;
  std::optional<int64_t> left_;
  std::optional<off_t> unread_;  // of a log that is not followed
  UniqueFd fd_;
  std::string rest_;  // of a line whose end is not there yet
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

Result<bool> Reader::ReadToEnd() {
  std::vector<char> block(kBlock);
  while (true) {
    auto most = static_cast<off_t>(block.size());
    if (unread_) most = std::min(most, *unread_);
    const ssize_t got = read(fd_.get(), block.data(), static_cast<size_t>(most));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::FromErrno(errno, "read " + source_.path);
    if (got == 0) return true;
    if (unread_) *unread_ -= got;
    std::string_view bytes(block.data(), static_cast<size_t>(got));
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

bool Reader::PutAside() const {
  struct stat here{};
  struct stat named{};
  if (fstat(fd_.get(), &here) != 0) return true;
  if (lstat(source_.path.c_str(), &named) != 0) return true;
  return here.st_ino != named.st_ino || here.st_dev != named.st_dev;
}

Result<void> Reader::Run() {
  // Before the first read: what comes between that and the first wait is then not missed.
  std::optional<Watch> watch;
  if (options_.follow) watch.emplace(source_.path);
  TRY(fd_, OpenLog(source_.path));
  if (options_.tail_lines) {
    TRY(const off_t start, TailStart(fd_.get(), *options_.tail_lines));
    if (lseek(fd_.get(), start, SEEK_SET) < 0) return Error::FromErrno(errno, "lseek");
  }
  if (!options_.follow) {
    const off_t start = lseek(fd_.get(), 0, SEEK_CUR);
    struct stat status{};
    if (start < 0 || fstat(fd_.get(), &status) != 0) return Error::FromErrno(errno, "fstat");
    unread_ = std::max<off_t>(status.st_size - start, 0);
  }
  if (left_ && *left_ <= 0) return {};
  while (true) {
    // Whether it has ended is asked before the last look, or its last words would be missed.
    const bool open = options_.follow && source_.open && source_.open();
    const bool aside = PutAside();
    TRY(const bool more, ReadToEnd());
    if (!more || !options_.follow) return {};
    if (aside) {
      auto next = OpenLog(source_.path);
      if (next.ok()) {
        fd_ = *std::move(next);
        rest_.clear();
        continue;
      }
    }
    if (!open || (source_.cancelled && source_.cancelled())) return {};
    watch->Wait();
  }
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
