#include "cli/folder_archive.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/text.h"

namespace podium::cli {
namespace {

namespace fs = std::filesystem;

// By these the agent knows what it gets: they come first.
constexpr const char* kFirst[] = {"oci-layout", "index.json", "manifest.json"};

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
  if (!file.link.empty()) {
    feed_.Put({.type = TarMember::Type::kSymlink, .name = file.name, .link = file.link});
    return {};
  }
  const std::string path = folder_ / file.name;
  UniqueFd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened) return Error::FromErrno(errno, Printable(path));
  feed_.Put({.name = file.name, .size = file.size}, std::move(opened));
  return {};
}

Result<size_t> FolderArchive::Read(std::span<char> buffer) {
  if (feed_.idle() && !ended_) {
    if (next_ < files_.size()) {
      TRY_VOID(Begin(files_[next_++]));
    } else {
      ended_ = true;
      feed_.End();
    }
  }
  return feed_.Read(buffer);
}

}  // namespace podium::cli
