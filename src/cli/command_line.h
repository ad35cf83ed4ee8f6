// What stands on a command line before it is parsed: the forms of options that kubectl takes and
// the parser does not know. Private to cli.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace podium::cli {

// The option that a word ("--output", "--output=x", "-o", "-ojson") begins with, or null.
const Option* OptionOfWord(std::span<const Option> options, std::string_view word);

// Whether the option of this word takes its value from the next one.
bool TakesNextWord(const Option& option, std::string_view word);

// "-o=json" as "-o" "json", and options that imply a value with it: "--dry-run=client".
std::vector<std::string> NormalWords(std::span<const Option> options,
                                     std::span<const char* const> words);

// How many of the words, from the first on, are options of the server, with their values: kubectl
// takes them in front of the command's name too.
size_t LeadingOptions(std::span<const Option> options, std::span<const char* const> words);

}  // namespace podium::cli
