// A folder of this user alone, for what other programs are given to read.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace podium::cli {

// "TMPDIR/PREFIXxxxxxx", /tmp without TMPDIR. Goes with what is in it when it is dropped.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create(std::string_view prefix);

  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }
  // A new file of this name, or the same one anew; of this user alone.
  Result<void> Write(const std::string& name, std::string_view content) const;

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// A new file of this user alone: "TMPDIR/PREFIXxxxxxxSUFFIX". It stays. Its path.
Result<std::string> WriteTemporaryFile(const std::string& prefix, const std::string& suffix,
                                       std::string_view content);

}  // namespace podium::cli
