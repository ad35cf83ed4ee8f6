// What `get` and `get --watch` share. Private to get.
#pragma once

#include <memory>
#include <string>

#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/table_printer.h"

namespace podium::cli {

// The path and the query of what is selected; `more` is a continue token.
Result<ServerRequest> RequestOf(const Selected& item, const Invocation& invocation, bool as_table,
                                std::string_view more = {});

// How its rows look.
TableOptions TableOptionsOf(const Selected& item, const Invocation& invocation, bool several_types);

// A Table, whatever the server answered.
Result<reflect::JsonValue> AsTable(reflect::JsonValue answer);

// Prints what is there, and then each change, until the server ends it or nobody reads. Writes to
// the server's streams.
Outcome WatchSelected(Server& server, const Invocation& invocation, const Selection& selection);

}  // namespace podium::cli
