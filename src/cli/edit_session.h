// Objects in the user's editor, until they are saved or given up (upstream's
// k8s.io/kubectl/pkg/cmd/util/editor, release 1.32). Unlike there lines that begin with '#' stay
// where they are part of the object, and an empty file ends it in every case.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_writes.h"

namespace podium::cli {

inline constexpr Option kWindowsLinesOption = {
    .name = "windows-line-endings",
    .help = "with an editor: lines end with a carriage return and a line feed"};

// What becomes of what was edited.
enum class EditMode {
  kPatch,        // the objects are patched
  kCreate,       // they are created; edited one by one
  kLastApplied,  // it is what the objects were applied with last, and is noted as that
};

// One run of it.
struct EditRules {
  // With what the command's options say: --output, --save-config, --output-patch,
  // --windows-line-endings, --subresource.
  static EditRules Of(const Invocation& invocation, EditMode mode);

  EditMode mode = EditMode::kPatch;
  bool json = false;  // rather than YAML
  bool save_config = false;
  bool output_patch = false;
  bool windows_lines = false;
  std::string_view subresource = {};  // as long as the invocation
};

// What it is edited as, and printed as then: YAML and JSON alone.
Result<ChangePrinter> EditedPrinter(const Invocation& invocation, DryRun dry_run);

// Shows the items in the editor, which is opened again with the reasons where the server refuses
// what was edited; but for objects that are created, of which the error is returned. What would be
// lost stays in a file, whose name is told. `items` are as the server has them, or as they are to
// be created; for kLastApplied with the configurations as objects.
Result<Outcome> EditObjects(Server& server, const EditRules& rules, Writer& writer,
                            ChangePrinter& printer, std::vector<Selected> items);

}  // namespace podium::cli
