// What the tests of volumes share: a clock that stands, and a folder to write to.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "node/pods.h"

namespace podium::node {

class FixedClock : public Clock {
 public:
  int64_t Now() const override { return kNow; }
};

// A folder that is removed at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Whole files, links followed; "(missing)" for what is not there.
std::string ReadText(const std::string& path);
void WriteText(const std::string& path, std::string_view text);
// The permissions; -1 for what is not there. Links are followed.
int ModeAt(const std::string& path);

}  // namespace podium::node
