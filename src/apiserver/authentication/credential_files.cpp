#include "apiserver/authentication/credential_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>

#include "base/unique_fd.h"

namespace podium::apiserver {
namespace {

constexpr size_t kMaxSize = size_t{64} << 10;

Error Failed(const std::string& what) { return Error::FromErrno(errno, what); }

Result<void> WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("writing " + path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

std::string DraftOf(const std::string& path) { return path + ".new"; }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes names in the folder durable.
Result<void> SyncFolder(const std::string& path) {
  const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0) return Failed("syncing " + path);
  return {};
}

}  // namespace

Result<void> MakeSecretFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("making " + path);
  return {};
}

Result<std::optional<std::string>> ReadSecretFile(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file && errno == ELOOP) return Error(Code::kInvalidArgument, path + " is a link");
  if (!file) return Failed("opening " + path);
  struct stat facts{};
  if (fstat(file.get(), &facts) != 0) return Failed("looking at " + path);
  if (!S_ISREG(facts.st_mode)) return Error(Code::kInvalidArgument, path + " is no file");
  if ((facts.st_mode & 077U) != 0 && fchmod(file.get(), 0600) != 0) {
    return Failed("taking away others' rights to " + path);
  }
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t size = read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Failed("reading " + path);
    if (size == 0) return std::optional<std::string>(std::move(text));
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kMaxSize) {
      return Error(Code::kInvalidArgument, path + " is larger than 64 KiB");
    }
  }
}

SecretFiles::~SecretFiles() {
  for (const File& file : files_) {
    if (file.fd) unlink(DraftOf(file.path).c_str());
  }
}

void SecretFiles::Put(std::string path, std::string text) {
  files_.push_back({.path = std::move(path), .text = std::move(text), .fd = UniqueFd()});
}

Result<void> SecretFiles::Commit() {
  for (File& file : files_) {
    const std::string draft = DraftOf(file.path);
    if (unlink(draft.c_str()) != 0 && errno != ENOENT) return Failed("removing " + draft);
    file.fd.reset(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.fd) return Failed("making " + draft);
    TRY_VOID(WriteAll(file.fd.get(), file.text, draft));
  }
  // The first of these takes the others' bytes along, on most file systems.
  for (const File& file : files_) {
    if (fsync(file.fd.get()) != 0) return Failed("writing " + DraftOf(file.path));
  }
  std::set<std::string> folders;
  for (File& file : files_) {
    if (rename(DraftOf(file.path).c_str(), file.path.c_str()) != 0) {
      return Failed("renaming to " + file.path);
    }
    file.fd.reset();
    folders.insert(FolderOf(file.path));
  }
  files_.clear();
  for (const std::string& folder : folders) TRY_VOID(SyncFolder(folder));
  return {};
}

}  // namespace podium::apiserver
