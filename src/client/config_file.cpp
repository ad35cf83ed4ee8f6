#include "client/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/unique_fd.h"

namespace podium::client {
namespace {

Result<void> WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, "write");
    text.remove_prefix(static_cast<size_t>(size));
  }
  if (fsync(fd) != 0) return Error::FromErrno(errno, "fsync");
  return {};
}

Result<void> MakeFolderOf(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return Error::FromErrno(error.value(), folder.string());
  return {};
}

}  // namespace

Result<std::string> ReadConfigFile(const std::string& path, size_t max_size) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error::FromErrno(errno, "open");
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t size = read(fd.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, "read");
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > max_size) {
      return Error(Code::kResourceExhausted,
                   "it is larger than " + std::to_string(max_size) + " bytes");
    }
  }
}

Result<void> WriteConfigFile(const std::string& path, std::string_view text) {
  TRY_VOID(MakeFolderOf(path));
  std::error_code error;
  std::string target = std::filesystem::weakly_canonical(path, error).string();
  if (error) target = path;
  std::string fresh = target + ".XXXXXX";
  const UniqueFd fd(mkostemp(fresh.data(), O_CLOEXEC));  // 0600
  if (!fd) return Error::FromErrno(errno, "making " + fresh);
  auto written = WriteAll(fd.get(), text);
  if (written.ok() && rename(fresh.c_str(), target.c_str()) != 0) {
    written = Error::FromErrno(errno, "rename");
  }
  if (!written.ok()) unlink(fresh.c_str());
  return written;
}

Result<ConfigFileLock> ConfigFileLock::Take(const std::string& path) {
  TRY_VOID(MakeFolderOf(path));
  const std::string lock = path + ".lock";
  constexpr int kTries = 50;
  for (int i = 0; i < kTries; ++i) {
    const UniqueFd fd(open(lock.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0));
    if (fd) return ConfigFileLock(lock);
    if (errno != EEXIST) return Error::FromErrno(errno, "making " + lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Error(Code::kUnavailable,
               "another program is changing " + path + "; if there is none, remove " + lock);
}

ConfigFileLock::~ConfigFileLock() {
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace podium::client
