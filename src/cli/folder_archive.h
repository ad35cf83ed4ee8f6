// A folder that holds images, as the tar archive that the agent takes: made while it is read, so
// that nothing is written anywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tar_feed.h"

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
  // Puts the next one into feed_.
  Result<void> Begin(const File& file);

  std::filesystem::path folder_;
  std::vector<File> files_;
  size_t next_ = 0;  // of files_
  TarFeed feed_;
  bool ended_ = false;
};

}  // namespace podium::cli
