// The objects of files for commands that ask no server about them (--local).
#pragma once

#include <deque>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"

namespace podium::cli {

struct LocalSelection {
  std::deque<ServerResource> kinds;  // what the items refer to
  Selection selection;
};

// As SelectFiles, of the objects as they stand: kinds are what the objects say and have no plurals,
// nothing is selected, and no namespace is set or looked at.
Result<LocalSelection> SelectLocalFiles(const Invocation& invocation);

}  // namespace podium::cli
