// The files of one container's log: the one that is written, and those that rotation has put aside
// beside it (log_rotation.h), compressed or not.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::node {

// One of them, open. What is compressed reads as what it was.
class LogFile {
 public:
  // kNotFound, also for what is no regular file. By its name a file is compressed or not.
  static Result<LogFile> Open(const std::string& path);

  // What is written from now on is not read.
  void EndHere();
  // 0 at the end; of the file that is written, more may come later.
  Result<size_t> Read(std::span<char> buffer);
  // Moves to where the last `lines` lines begin, and says how many lie ahead. A last one without
  // its line break counts as well.
  Result<int64_t> SeekToTail(int64_t lines);

  // Whether both are one log, though the other may have been compressed since. Reading goes on
  // where it was.
  bool Same(LogFile& other);
  // Whether the name stands for this file now.
  bool StandsAt(const std::string& path) const;
  // Of a plain one.
  bool Empty() const;
  const std::string& path() const { return path_; }

 private:
  struct CloseZip {
    void operator()(void* zip) const;
  };

  std::string Beginning();
  Result<int64_t> SeekInPlain(int64_t lines);
  Result<int64_t> SeekInZip(int64_t lines);

  std::string path_;
  UniqueFd fd_;                          // of a plain one
  std::unique_ptr<void, CloseZip> zip_;  // gzFile
  std::optional<off_t> end_;             // of a plain one, if not that of the file
  ino_t inode_ = 0;
  dev_t device_ = 0;
};

// What was put aside of the log of that name, oldest first. What goes away while this looks is left
// out. `until`, if given, was open before: it is left out, and so is what was put aside after it.
// `after`: the path of the newest one that is not wanted any more; "": all are.
std::vector<LogFile> OpenPutAside(const std::string& path, LogFile* until,
                                  const std::string& after = {});

// The log and all that was put aside of it are gone. Not there is fine.
void RemoveLogFiles(const std::string& path);

}  // namespace podium::node
