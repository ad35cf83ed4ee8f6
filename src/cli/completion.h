// Shell completion. The scripts for the shells are short and know nothing: they ask the program
// itself (podium __complete WORD...), which answers from the tables of options.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace podium::cli {

// The script for "bash", "zsh" or "fish"; empty for other shells.
std::string_view CompletionScript(std::string_view shell);

// Candidates for the last of the words, which stand behind the program's name and may be "": one to
// a line, with a tab and a description behind it where there is one. A line ":files" asks the shell
// to complete names of files.
std::string Complete(std::span<const Command> commands, std::span<const char* const> words);

}  // namespace podium::cli
