// Files of a user's configuration: whole reads, whole writes, and their locks. Private to client.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace podium::client {

// kResourceExhausted when it is larger.
Result<std::string> ReadConfigFile(const std::string& path, size_t max_size);

// By a new file in its place, mode 0600; through a symbolic link into what it points at. Folders on
// the way are made.
Result<void> WriteConfigFile(const std::string& path, std::string_view text);

// PATH.lock, made exclusively, as client-go does it; so kubectl's changes and ours do not meet.
class ConfigFileLock {
 public:
  // Tries for a second. kUnavailable with what to do, when another holds it.
  static Result<ConfigFileLock> Take(const std::string& path);
  ConfigFileLock(ConfigFileLock&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ConfigFileLock& operator=(ConfigFileLock&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~ConfigFileLock();

 private:
  explicit ConfigFileLock(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace podium::client
