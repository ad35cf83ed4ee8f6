// The user's editor (upstream's k8s.io/kubectl/pkg/cmd/util/editor): KUBE_EDITOR, EDITOR, or vi.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"

namespace podium::cli {

// Opens the file in it, and returns when it has ended. The messages are upstream's.
Result<void> EditFile(const std::string& path, const Streams& streams);

}  // namespace podium::cli
