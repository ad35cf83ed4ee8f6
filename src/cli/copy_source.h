// A file or a folder of this machine as a tar archive, made while it is read, as kubectl cp makes
// it (upstream's k8s.io/kubectl/pkg/cmd/cp): links as they stand, none followed; of folders those
// alone that are empty, so that folders of the other side stay as they are.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tar_feed.h"

namespace podium::cli {

class CopySource {
 public:
  // Told of what has no bytes to copy: sockets, pipes, devices.
  using Skipped = std::function<void(const std::string& path)>;

  // What is at `path` becomes `name` in the archive. Nothing is opened yet.
  CopySource(std::string path, std::string name, Skipped skipped);

  // The archive's next bytes; 0 at its end. Fails for what cannot be read.
  Result<size_t> Read(std::span<char> buffer);

 private:
  struct Place {
    std::string path;
    std::string name;
  };
  // Puts one into feed_, or what is in it on the stack.
  Result<void> Begin(const Place& place);
  Result<void> BeginFolder(const Place& place, TarMember member);

  Skipped skipped_;
  std::vector<Place> left_;  // the next one last
  TarFeed feed_;
  bool ended_ = false;
};

}  // namespace podium::cli
