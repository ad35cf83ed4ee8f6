// A folder that holds images, as the tar archive that the agent takes: made while it is read, so
// that nothing is written anywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::cli {

class FolderArchive {
 public:
  // kInvalidArgument for a folder that is neither an OCI layout nor what `docker save` writes.
  static Result<FolderArchive> Open(const std::string& folder);

  // The archive's next bytes; 0 at its end. Files and links are as they stand: no link is followed.
  // kDataLoss when a file is cut while it is read.
  Result<size_t> Read(std::span<char> buffer);

 private:
  struct File {
    std::string name;  // below the folder
    std::string link;  // where it leads; not of a file
    uint64_t size = 0;
  };

  explicit FolderArchive(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> List();
  // Puts what comes before the next file's bytes into text_, and opens it.
  Result<void> Begin(const File& file);
  Result<size_t> ReadFile(std::span<char> buffer);

  std::filesystem::path folder_;
  std::vector<File> files_;
  size_t next_ = 0;       // of files_
  std::string text_;      // headers and padding that come next
  UniqueFd file_;         // whose bytes come after it
  uint64_t left_ = 0;     // of these
  uint64_t padding_ = 0;  // behind them
  bool ended_ = false;
};

}  // namespace podium::cli
