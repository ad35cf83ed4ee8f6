// Small files that hold secrets: whole after a crash, and nobody else's to read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::apiserver {

// 0700; there already is fine, whatever its mode. Its parent is there.
Result<void> MakeSecretFolder(const std::string& path);

// Nothing when it is not there. Others' rights to it are taken away. kInvalidArgument for a link, a
// device, or more than 64 KiB.
Result<std::optional<std::string>> ReadSecretFile(const std::string& path);

// Files that are written together: the disk is waited for twice, and not for each. In each place
// there is the old text or the new one, 0600, whatever comes in between; new ones appear in the
// order of Put.
class SecretFiles {
 public:
  SecretFiles() = default;
  SecretFiles(const SecretFiles&) = delete;
  SecretFiles& operator=(const SecretFiles&) = delete;
  // Takes away what was not committed.
  ~SecretFiles();

  // PATH.new is used meanwhile, and taken away where a crash left one.
  void Put(std::string path, std::string text);
  // When it returns, all are on disk. After an error some may be there: those put first.
  Result<void> Commit();

 private:
  struct File {
    std::string path;
    std::string text;
    UniqueFd fd;
  };
  std::vector<File> files_;
};

}  // namespace podium::apiserver
