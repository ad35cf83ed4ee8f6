// A command in a container, joined to the streams of this one.
#pragma once

#include "base/result.h"
#include "cli/command.h"
#include "client/remote.h"

namespace podium::cli {

struct SessionOptions {
  bool with_stdin = false;
  // The other end is a terminal: keys go there one by one, and it hears of the window's size. Takes
  // streams.in to be a terminal too.
  bool terminal = false;
};

// Passes bytes to and fro until the command ends: its exit code. The terminal is left as it was.
Result<int> RunSession(client::RemoteCommand& remote, const Streams& streams,
                       const SessionOptions& options);

}  // namespace podium::cli
