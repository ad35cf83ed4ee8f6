#include "apiserver/rotating_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace podium::apiserver {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNanosPerMilli = 1'000'000;
constexpr int64_t kNanosPerDay = 86'400 * kNanosPerSecond;

// "2026-01-02T15-04-05.000"
std::string Stamp(int64_t nanos) {
  const std::time_t seconds = nanos / kNanosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}-{:02}-{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     nanos % kNanosPerSecond / kNanosPerMilli);
}

// Where the name of a log is cut for the time: "audit-" and ".log".
struct Names {
  explicit Names(const fs::path& path)
      : folder(path.has_parent_path() ? path.parent_path() : fs::path(".")),
        prefix(path.stem().string() + "-"),
        suffix(path.extension().string()) {}

  fs::path Aside(int64_t nanos) const { return folder / (prefix + Stamp(nanos) + suffix); }
  // The time in the name of a file that was put aside; nothing for other files. Times of the same
  // form are in order as texts.
  std::optional<std::string> StampOf(const std::string& name) const {
    constexpr std::string_view kForm = "dddd-dd-ddTdd-dd-dd.ddd";
    if (name.size() != prefix.size() + kForm.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
      return std::nullopt;
    }
    std::string stamp = name.substr(prefix.size(), kForm.size());
    for (size_t i = 0; i < kForm.size(); ++i) {
      const bool digit = stamp[i] >= '0' && stamp[i] <= '9';
      if (kForm[i] == 'd' ? !digit : stamp[i] != kForm[i]) return std::nullopt;
    }
    return stamp;
  }

  fs::path folder;
  std::string prefix;
  std::string suffix;
};

// All of it, or an error and how much went out before.
Result<void> WriteAll(int fd, std::string_view text, size_t* written) {
  while (*written < text.size()) {
    const ssize_t count = write(fd, text.data() + *written, text.size() - *written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "write");
    *written += static_cast<size_t>(count);
  }
  return {};
}

}  // namespace

RotatingFile::RotatingFile(RotatingFileOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(&clock) {
  if (options_.path == "-" || options_.path == "/dev/stdout") stream_ = STDOUT_FILENO;
  if (options_.path == "/dev/stderr") stream_ = STDERR_FILENO;
}

Result<RotatingFile> RotatingFile::Open(RotatingFileOptions options, const Clock& clock) {
  RotatingFile file(std::move(options), clock);
  if (file.stream_ >= 0) return file;
  std::error_code failed;
  fs::create_directories(Names(file.options_.path).folder, failed);
  if (failed) return Error::FromErrno(failed.value(), file.options_.path);
  TRY_VOID(file.OpenFile());
  file.RemoveOld();
  return file;
}

Result<void> RotatingFile::OpenFile() {
  fd_ = UniqueFd(
      open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd_) return Error::FromErrno(errno, options_.path);
  struct stat found{};
  if (fstat(fd_.get(), &found) != 0) return Error::FromErrno(errno, options_.path);
  is_regular_ = S_ISREG(found.st_mode);
  size_ = is_regular_ ? static_cast<uint64_t>(found.st_size) : 0;
  return {};
}

Result<void> RotatingFile::PutAside() {
  const Names names(options_.path);
  int64_t now = clock_->Now();
  std::error_code failed;
  // Two within a millisecond: the first one is not written over.
  while (fs::exists(names.Aside(now), failed)) now += kNanosPerMilli;
  fd_ = UniqueFd();
  fs::rename(options_.path, names.Aside(now), failed);
  // Who has taken the file away has put it aside.
  if (failed && failed != std::errc::no_such_file_or_directory) {
    return Error::FromErrno(failed.value(), options_.path);
  }
  TRY_VOID(OpenFile());
  RemoveOld();
  return {};
}

// What cannot be taken away stays, and is tried again the next time.
void RotatingFile::RemoveOld() const {
  if (options_.max_backups == 0 && options_.max_days == 0) return;
  const Names names(options_.path);
  std::vector<std::pair<std::string, fs::path>> aside;
  std::error_code failed;
  for (fs::directory_iterator each(names.folder, failed), end; !failed && each != end;
       each.increment(failed)) {
    if (auto stamp = names.StampOf(each->path().filename().string())) {
      aside.emplace_back(*std::move(stamp), each->path());
    }
  }
  std::ranges::sort(aside, std::greater());
  const std::string oldest = Stamp(clock_->Now() - options_.max_days * kNanosPerDay);
  for (size_t i = 0; i < aside.size(); ++i) {
    const bool too_many = options_.max_backups != 0 && i >= options_.max_backups;
    const bool too_old = options_.max_days != 0 && aside[i].first < oldest;
    if (too_many || too_old) fs::remove(aside[i].second, failed);
  }
}

Result<void> RotatingFile::Append(std::string_view lines) {
  if (stream_ >= 0) {
    size_t written = 0;
    return WriteAll(stream_, lines, &written);
  }
  if (!fd_) TRY_VOID(OpenFile());
  if (is_regular_ && size_ != 0 && size_ + lines.size() > options_.max_bytes) {
    TRY_VOID(PutAside());
  }
  size_t written = 0;
  auto done = WriteAll(fd_.get(), lines, &written);
  if (!done.ok()) {
    // A torn line would make the next one unreadable, too. Where even that fails, it is torn.
    if (is_regular_ && written != 0 && ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      size_ += written;
    }
    return Error(done.error().code(), options_.path + ": " + done.error().message());
  }
  size_ += written;
  return {};
}

}  // namespace podium::apiserver
