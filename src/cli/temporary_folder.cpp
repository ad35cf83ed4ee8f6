#include "cli/temporary_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/unique_fd.h"
#include "linux/path.h"

namespace podium::cli {
namespace {

std::string Place() {
  const char* folder = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return folder && *folder != '\0' ? folder : "/tmp";
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::Create(std::string_view prefix) {
  std::string path = Place() + "/" + std::string(prefix) + "XXXXXX";
  if (!mkdtemp(path.data())) return Error::FromErrno(errno, "creating " + path);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<void> TemporaryFolder::Write(const std::string& name, std::string_view content) const {
  const std::string path = path_ + "/" + name;
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return Error::FromErrno(errno, "creating " + path);
  return kernel::WriteAll(file.get(), content);
}

Result<std::string> WriteTemporaryFile(const std::string& prefix, const std::string& suffix,
                                       std::string_view content) {
  std::string path = Place() + "/" + prefix + "XXXXXX" + suffix;
  const UniqueFd file(mkostemps(path.data(), static_cast<int>(suffix.size()), O_CLOEXEC));
  if (!file) return Error::FromErrno(errno, "creating " + path);
  TRY_VOID(kernel::WriteAll(file.get(), content));
  return path;
}

}  // namespace podium::cli
