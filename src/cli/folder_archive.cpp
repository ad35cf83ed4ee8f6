#include "cli/folder_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "cli/text.h"

namespace podium::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 512;
constexpr size_t kMaxName = 100;                        // of a ustar header
constexpr uint64_t kMaxSize = (uint64_t{1} << 33) - 1;  // eleven octal digits
// By these the agent knows what it gets: they come first.
constexpr const char* kFirst[] = {"oci-layout", "index.json", "manifest.json"};

void PutOctal(std::string* header, size_t at, size_t digits, uint64_t number) {
  for (size_t i = 0; i < digits; ++i, number /= 8) {
    (*header)[at + digits - 1 - i] = static_cast<char>('0' + number % 8);
  }
}

// POSIX.1-2017, pax, "ustar Interchange Format".
std::string Header(const std::string& name, char type, const std::string& link, uint64_t size) {
  std::string header(kBlock, '\0');
  header.replace(0, std::min(name.size(), kMaxName), name, 0, kMaxName);
  PutOctal(&header, 100, 7, 0644);
  PutOctal(&header, 108, 7, 0);
  PutOctal(&header, 116, 7, 0);
  PutOctal(&header, 124, 11, std::min(size, kMaxSize));
  PutOctal(&header, 136, 11, 0);
  header[156] = type;
  header.replace(157, std::min(link.size(), kMaxName), link, 0, kMaxName);
  header.replace(257, 8, "ustar\00000", 8);
  std::fill_n(header.begin() + 148, 8, ' ');
  uint64_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  PutOctal(&header, 148, 6, sum);
  header[154] = '\0';
  return header;
}

size_t PaddingOf(uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

// "LENGTH KEY=VALUE\n", the length with its own digits.
std::string Record(const std::string& key, const std::string& value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  return std::to_string(length) + ' ' + key + '=' + value + '\n';
}

// What a ustar header has no room for.
std::string Extended(const std::string& name, const std::string& link, uint64_t size) {
  std::string records;
  if (name.size() > kMaxName) records += Record("path", name);
  if (link.size() > kMaxName) records += Record("linkpath", link);
  if (size > kMaxSize) records += Record("size", std::to_string(size));
  if (records.empty()) return {};
  const size_t padding = PaddingOf(records.size());
  std::string out = Header("pax", 'x', "", records.size()) + records;
  out.append(padding, '\0');
  return out;
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

Result<FolderArchive> FolderArchive::Open(const std::string& folder) {
  FolderArchive archive{fs::path(folder)};
  const bool layout = Exists(archive.folder_ / "oci-layout");
  if (!layout && !Exists(archive.folder_ / "manifest.json")) {
    return Error(
        Code::kInvalidArgument,
        Printable(folder) +
            " has no oci-layout: it is no OCI layout. If it is a root file system: tar -C " +
            Printable(folder) + " -c . | podium import - --kind rootfs --name NAME");
  }
  TRY_VOID(archive.List());
  return archive;
}

Result<void> FolderArchive::List() {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    const fs::file_status status = at->symlink_status(error);
    if (error) break;
    File file;
    file.name = at->path().lexically_relative(folder_).string();
    if (fs::is_symlink(status)) {
      file.link = fs::read_symlink(at->path(), error).string();
    } else if (fs::is_regular_file(status)) {
      file.size = at->file_size(error);
    } else {
      continue;
    }
    if (error) break;
    files_.push_back(std::move(file));
  }
  if (error) return Error::FromErrno(error.value(), Printable(folder_.string()));
  const auto rank = [](const File& file) {
    return std::ranges::find(kFirst, file.name) - std::begin(kFirst);
  };
  std::ranges::sort(files_, [&](const File& a, const File& b) {
    return std::pair(rank(a), a.name) < std::pair(rank(b), b.name);
  });
  return {};
}

Result<void> FolderArchive::Begin(const File& file) {
  text_ += Extended(file.name, file.link, file.size) +
           Header(file.name, file.link.empty() ? '0' : '2', file.link, file.size);
  if (!file.link.empty()) return {};
  const std::string path = folder_ / file.name;
  file_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file_) return Error::FromErrno(errno, Printable(path));
  left_ = file.size;
  padding_ = PaddingOf(file.size);
  return {};
}

Result<size_t> FolderArchive::ReadFile(std::span<char> buffer) {
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left_, buffer.size()));
  while (true) {
    const ssize_t size = read(file_.get(), buffer.data(), wanted);
    if (size < 0 && errno == EINTR) continue;
    const std::string& name = files_[next_ - 1].name;
    if (size < 0) return Error::FromErrno(errno, Printable(name));
    if (size == 0) return Error(Code::kDataLoss, Printable(name) + " was cut while it was read");
    left_ -= static_cast<uint64_t>(size);
    if (left_ == 0) text_.append(padding_, '\0');
    return static_cast<size_t>(size);
  }
}

Result<size_t> FolderArchive::Read(std::span<char> buffer) {
  while (text_.empty() && left_ == 0) {
    if (ended_) return 0;
    if (next_ < files_.size()) {
      TRY_VOID(Begin(files_[next_++]));
    } else {
      ended_ = true;
      text_.assign(2 * kBlock, '\0');
    }
  }
  if (text_.empty()) return ReadFile(buffer);
  const size_t size = std::min(buffer.size(), text_.size());
  text_.copy(buffer.data(), size);
  text_.erase(0, size);
  return size;
}

}  // namespace podium::cli
