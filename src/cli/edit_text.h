// What an editor is given and leaves behind: the words above the text, and what the text says.
// Pure. The words are those of upstream's k8s.io/kubectl/pkg/cmd/util/editor, release 1.32.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reflect/json_value.h"

namespace podium::cli {

// Why a file is opened again.
struct EditReason {
  std::string head;
  std::vector<std::string> details = {};
};

// `what` begins it: what is edited, in whole lines of comments.
std::string EditHeader(std::string_view what, const std::vector<EditReason>& reasons);
// The text without the comments before its first line.
std::string_view WithoutHeader(std::string_view text);
// A carriage return before each line feed that has none yet.
std::string WithWindowsLines(std::string_view text);
// Whether there is anything but blanks and comments.
bool HasLines(std::string_view text);
// The documents of the text, whatever its form; nothing where it is no YAML, and `problem` says
// why.
std::optional<std::vector<reflect::JsonValue>> MeaningOf(std::string_view text,
                                                         std::string* problem);
// By their meaning; by their letters where one of them has none.
bool SaysTheSame(std::string_view one, std::string_view other);

}  // namespace podium::cli
