// A tar archive that is made while it is read, so that it is written nowhere: of commands that send
// one. Headers are ustar's; what these have no room for stands as GNU tar writes it, which every
// tar in a container reads (busybox's before 1.35 passes over pax records). Source: POSIX.1-2017
// pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::cli {

struct TarMember {
  enum class Type : char { kFile = '0', kSymlink = '2', kFolder = '5' };

  Type type = Type::kFile;
  std::string name;
  std::string link{};  // where it leads; of a link
  uint32_t mode = 0644;
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;  // of a file
  int64_t mtime = 0;  // seconds; what is before 1970 becomes 1970
};

class TarFeed {
 public:
  // Whether all that was put in has been read: what comes next may be put in.
  bool idle() const { return text_.empty() && left_ == 0; }

  // A member without bytes. Only when idle, as all of these.
  void Put(const TarMember& member);
  // A file, with the bytes that are read from `file`.
  void Put(const TarMember& member, UniqueFd file);
  // The end of the archive. Nothing may follow.
  void End();

  // The next bytes; 0 when idle. kDataLoss when a file has become shorter than its member says.
  Result<size_t> Read(std::span<char> buffer);

 private:
  std::string text_;      // headers and padding that come next
  std::string name_;      // of the file, for errors
  UniqueFd file_;         // whose bytes come after them
  uint64_t left_ = 0;     // of these
  uint64_t padding_ = 0;  // behind them
};

}  // namespace podium::cli
