#include "node/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "node/log_rotation.h"

namespace podium::node {
namespace {

constexpr size_t kBlock = size_t{64} << 10;
constexpr size_t kBeginning = 256;

// A file is named anew at most once while it is looked for: put aside, then compressed.
constexpr int kTries = 4;

}  // namespace

void LogFile::CloseZip::operator()(void* zip) const { gzclose(static_cast<gzFile>(zip)); }

Result<LogFile> LogFile::Open(const std::string& path) {
  LogFile out;
  out.path_ = path;
  out.fd_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!out.fd_) return Error::FromErrno(errno, "open " + path);
  struct stat status{};
  if (fstat(out.fd_.get(), &status) != 0) return Error::FromErrno(errno, "fstat " + path);
  if (!S_ISREG(status.st_mode)) return Error(Code::kNotFound, path + " is no file");
  out.inode_ = status.st_ino;
  out.device_ = status.st_dev;
  if (!path.ends_with(kCompressedLog)) return out;
  gzFile zip = gzdopen(out.fd_.get(), "rb");
  if (!zip) return Error(Code::kInternal, "gzdopen " + path);
  (void)out.fd_.release();  // gzclose closes it
  out.zip_.reset(zip);
  return out;
}

void LogFile::EndHere() {
  struct stat status{};
  if (!zip_ && fstat(fd_.get(), &status) == 0) end_ = status.st_size;
}

Result<size_t> LogFile::Read(std::span<char> buffer) {
  if (zip_) {
    const int got = gzread(static_cast<gzFile>(zip_.get()), buffer.data(),
                           static_cast<unsigned>(buffer.size()));
    if (got < 0) return Error(Code::kDataLoss, path_ + " cannot be decompressed");
    return static_cast<size_t>(got);
  }
  if (end_) {
    const off_t here = lseek(fd_.get(), 0, SEEK_CUR);
    if (here < 0) return Error::FromErrno(errno, "lseek " + path_);
    const off_t left = std::max<off_t>(*end_ - here, 0);
    if (left < static_cast<off_t>(buffer.size())) buffer = buffer.first(static_cast<size_t>(left));
  }
  while (true) {
    const ssize_t got = read(fd_.get(), buffer.data(), buffer.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return Error::FromErrno(errno, "read " + path_);
  }
}

Result<int64_t> LogFile::SeekToTail(int64_t lines) {
  return zip_ ? SeekInZip(lines) : SeekInPlain(lines);
}

// From the end backwards.
Result<int64_t> LogFile::SeekInPlain(int64_t lines) {
  const off_t written = lseek(fd_.get(), 0, SEEK_END);
  if (written < 0) return Error::FromErrno(errno, "lseek " + path_);
  const off_t size = end_ ? std::min(*end_, written) : written;
  if (lines <= 0 || size == 0) return 0;
  std::array<char, kBlock> block;
  // What is being written has no end yet, and is no line.
  if (pread(fd_.get(), block.data(), 1, size - 1) != 1) {
    return Error(Code::kDataLoss, path_ + " has become shorter");
  }
  const int64_t unended = block[0] == '\n' ? 0 : 1;
  off_t end = size;
  int64_t breaks = 0;
  while (end > 0) {
    const auto count = static_cast<size_t>(std::min<off_t>(end, kBlock));
    const ssize_t got = pread(fd_.get(), block.data(), count, end - static_cast<off_t>(count));
    if (got < 0) return Error::FromErrno(errno, "pread " + path_);
    for (auto i = static_cast<size_t>(got); i-- > 0;) {
      const off_t at = end - static_cast<off_t>(count) + static_cast<off_t>(i);
      if (block[i] != '\n' || at == size - 1) continue;
      if (++breaks < lines + unended) continue;
      if (lseek(fd_.get(), at + 1, SEEK_SET) < 0) return Error::FromErrno(errno, "lseek " + path_);
      return lines;
    }
    end -= static_cast<off_t>(count);
  }
  if (lseek(fd_.get(), 0, SEEK_SET) < 0) return Error::FromErrno(errno, "lseek " + path_);
  return breaks + 1 - unended;
}

// Through it once to count, and once more as far as is to be left out.
Result<int64_t> LogFile::SeekInZip(int64_t lines) {
  auto* const zip = static_cast<gzFile>(zip_.get());
  std::vector<char> block(kBlock);
  int64_t all = 0;
  char last = '\n';
  while (true) {
    TRY(const size_t got, Read(block));
    if (got == 0) break;
    all += std::ranges::count(block.begin(), block.begin() + static_cast<ptrdiff_t>(got), '\n');
    last = block[got - 1];
  }
  if (last != '\n') ++all;
  if (gzrewind(zip) != 0) return Error(Code::kDataLoss, path_ + " cannot be read again");
  int64_t skip = std::max<int64_t>(all - std::max<int64_t>(lines, 0), 0);
  const int64_t ahead = all - skip;
  while (skip > 0) {
    const int byte = gzgetc(zip);
    if (byte < 0) return Error(Code::kDataLoss, path_ + " has become shorter");
    if (byte == '\n') --skip;
  }
  return ahead;
}

// The first line has its time of day in it: no other file begins so.
std::string LogFile::Beginning() {
  std::string out(kBeginning, '\0');
  ssize_t got = 0;
  if (zip_) {
    auto* const zip = static_cast<gzFile>(zip_.get());
    const z_off_t here = gztell(zip);
    if (gzrewind(zip) == 0) got = gzread(zip, out.data(), static_cast<unsigned>(out.size()));
    (void)gzseek(zip, here, SEEK_SET);
  } else {
    got = pread(fd_.get(), out.data(), out.size(), 0);
  }
  out.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return out;
}

bool LogFile::Same(LogFile& other) {
  if (inode_ == other.inode_ && device_ == other.device_) return true;
  if (!zip_ == !other.zip_) return false;
  const std::string beginning = Beginning();
  return !beginning.empty() && beginning == other.Beginning();
}

bool LogFile::Empty() const {
  struct stat status{};
  return zip_ || fstat(fd_.get(), &status) != 0 || status.st_size == 0;
}

bool LogFile::StandsAt(const std::string& path) const {
  struct stat named{};
  if (lstat(path.c_str(), &named) != 0) return false;
  return inode_ == named.st_ino && device_ == named.st_dev;
}

std::vector<LogFile> OpenPutAside(const std::string& path, LogFile* until,
                                  const std::string& after) {
  const auto bare = [](std::string_view name) {
    if (name.ends_with(kCompressedLog)) name.remove_suffix(kCompressedLog.size());
    return name;
  };
  std::vector<LogFile> out;
  for (int tries = 0; tries < kTries; ++tries) {
    out.clear();
    bool moved = false;
    for (const std::string& each : ListPutAside(path)) {
      if (bare(each) <= bare(after)) continue;
      auto file = LogFile::Open(each);
      // Compressed, or removed, since it was listed.
      if (!file.ok()) {
        moved = true;
        continue;
      }
      if (until && until->Same(*file)) break;
      out.push_back(*std::move(file));
    }
    if (!moved) break;
  }
  return out;
}

void RemoveLogFiles(const std::string& path) {
  for (const std::string& each : ListPutAside(path)) unlink(each.c_str());
  unlink(path.c_str());
}

}  // namespace podium::node
