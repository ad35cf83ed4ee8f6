// A command in a container, joined to the streams of this one.
#pragma once

#include <optional>

#include "base/result.h"
#include "cli/command.h"
#include "client/remote.h"

namespace podium::cli {

struct SessionOptions {
  bool with_stdin = false;
  // The other end is a terminal: keys go there one by one, and it hears of the window's size. Takes
  // streams.in to be a terminal too.
  bool terminal = false;
  // With a terminal: Ctrl-P Ctrl-Q ends the session and leaves the command running.
  bool may_leave = false;
};

// How large the terminal is; nothing where that is not known.
std::optional<http::TerminalSize> WindowOf(int terminal);

// Passes bytes to and fro until the command ends: its exit code; none when it was left. The
// terminal is as it was before.
Result<std::optional<int>> RunSession(client::RemoteCommand& remote, const Streams& streams,
                                      const SessionOptions& options);

}  // namespace podium::cli
