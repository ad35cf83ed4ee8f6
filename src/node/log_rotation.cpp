#include "node/log_rotation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace podium::node {
namespace {

constexpr std::string_view kDraft = ".tmp";
constexpr int64_t kMicrosecond = 1000;
constexpr int kTries = 1000;

std::string Stamp(int64_t now) {
  const time_t seconds = now / kNanosPerSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text;
  std::string out(text.data(), std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts));
  std::snprintf(text.data(), text.size(), ".%06d",
                static_cast<int>(now % kNanosPerSecond / kMicrosecond));
  return out + text.data();
}

// Gives it a name that nothing has, nor had a moment ago.
Result<std::string> PutAside(const std::string& path, int64_t now) {
  for (int tries = 0; tries < kTries; ++tries) {
    std::string aside = path + "." + Stamp(now + (tries * kMicrosecond));
    if (access((aside + std::string(kCompressedLog)).c_str(), F_OK) == 0) continue;
    if (renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, aside.c_str(), RENAME_NOREPLACE) == 0) {
      return aside;
    }
    if (errno != EEXIST) return Error::FromErrno(errno, "rename " + path);
  }
  return Error(Code::kAlreadyExists, path + " is rotated too fast");
}

// All whose names begin with the log's, sorted.
std::vector<std::string> Beside(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string prefix = path.substr(slash + 1) + ".";
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path.substr(0, slash), error)) {
    if (entry.path().filename().string().starts_with(prefix)) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

// Of a compression that did not end.
void RemoveDrafts(const std::string& path) {
  for (const std::string& each : Beside(path)) {
    if (each.ends_with(kDraft)) unlink(each.c_str());
  }
}

Result<void> Compress(const std::string& path) {
  const UniqueFd from(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!from) return Error::FromErrno(errno, "open " + path);
  const std::string draft = path + std::string(kDraft);
  UniqueFd to(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!to) return Error::FromErrno(errno, "open " + draft);
  gzFile zip = gzdopen(to.get(), "wb");
  if (!zip) return Error(Code::kInternal, "gzdopen");
  (void)to.release();  // gzclose closes it
  std::vector<char> block(size_t{64} << 10);
  bool written = true;
  ssize_t got = 0;
  while (written && (got = read(from.get(), block.data(), block.size())) > 0) {
    written = gzwrite(zip, block.data(), static_cast<unsigned>(got)) == got;
  }
  const bool closed = gzclose(zip) == Z_OK;
  if (!written || !closed || got < 0) {
    unlink(draft.c_str());
    return Error(Code::kUnavailable, "compressing " + path + " failed");
  }
  const std::string compressed = path + std::string(kCompressedLog);
  if (rename(draft.c_str(), compressed.c_str()) != 0) {
    return Error::FromErrno(errno, "rename " + draft);
  }
  // Removed meanwhile: then nobody wants this one either.
  if (unlink(path.c_str()) != 0 && errno == ENOENT) unlink(compressed.c_str());
  return {};
}

}  // namespace

std::vector<std::string> ListPutAside(const std::string& path) {
  std::vector<std::string> out;
  for (std::string& each : Beside(path)) {
    if (each.ends_with(kDraft)) continue;
    // Both are there for a moment: the compressed one has taken the other's place.
    const bool same = !out.empty() && each == out.back() + std::string(kCompressedLog);
    if (same) out.pop_back();
    out.push_back(std::move(each));
  }
  return out;
}

Result<bool> RotateLog(const std::string& path, const NodeConfig& config, int64_t now,
                       const std::function<Result<void>()>& reopen) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) TRY_VOID(reopen());
    return false;
  }
  if (!S_ISREG(status.st_mode) || status.st_size < config.log_max_bytes) return false;
  std::vector<std::string> old = ListPutAside(path);
  // Beside the log itself and the one that is put aside now.
  const auto keep = static_cast<size_t>(std::max(config.log_max_files - 2, 0));
  while (old.size() > keep) {
    unlink(old.front().c_str());
    old.erase(old.begin());
  }
  TRY(const std::string aside, PutAside(path, now));
  if (auto reopened = reopen(); !reopened.ok()) {
    (void)rename(aside.c_str(), path.c_str());
    return std::move(reopened).error();
  }
  return true;
}

Result<void> CompressPutAside(const std::string& path) {
  RemoveDrafts(path);
  std::vector<std::string> old = ListPutAside(path);
  if (!old.empty()) old.pop_back();
  for (const std::string& each : old) {
    if (!each.ends_with(kCompressedLog)) TRY_VOID(Compress(each));
  }
  return {};
}

}  // namespace podium::node
