#include "cli/command_line.h"

#include <algorithm>

namespace podium::cli {

const Option* OptionOfWord(std::span<const Option> options, std::string_view word) {
  const bool is_long = word.starts_with("--");
  if (!is_long && (word.size() < 2 || word[0] != '-')) return nullptr;
  const std::string_view name = is_long ? word.substr(2, word.find('=') - 2) : std::string_view();
  const auto found = std::ranges::find_if(options, [&](const Option& option) {
    return is_long ? name == option.name : word[1] == option.letter;
  });
  return found == options.end() ? nullptr : &*found;
}

bool TakesNextWord(const Option& option, std::string_view word) {
  if (!option.value || option.implied) return false;
  return word.starts_with("--") ? word.find('=') == word.npos : word.size() == 2;
}

std::vector<std::string> NormalWords(std::span<const Option> options,
                                     std::span<const char* const> words) {
  std::vector<std::string> out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--") {
      out.insert(out.end(), words.begin() + static_cast<ptrdiff_t>(i), words.end());
      break;
    }
    const Option* option = OptionOfWord(options, word);
    const bool is_long = word.starts_with("--");
    if (option && option->implied && word.find('=') == word.npos) {
      out.push_back("--" + std::string(option->name) + "=" + option->implied);
    } else if (option && option->value && is_long && word.find('=') == word.size() - 1) {
      // CLI11 would take the next word for the value.
      out.push_back("--" + std::string(option->name));
      out.emplace_back();
    } else if (option && option->value && !is_long && word.size() > 2 && word[2] == '=') {
      out.emplace_back(word.substr(0, 2));
      out.emplace_back(word.substr(3));
    } else {
      out.emplace_back(word);
      if (option && TakesNextWord(*option, word) && i + 1 < words.size()) {
        out.emplace_back(words[++i]);
      }
    }
  }
  return out;
}

size_t LeadingOptions(std::span<const Option> options, std::span<const char* const> words) {
  size_t count = 0;
  while (count < words.size()) {
    const std::string_view word = words[count];
    const Option* option = OptionOfWord(options, word);
    if (!option) break;
    count += TakesNextWord(*option, word) ? 2 : 1;
  }
  return std::min(count, words.size());
}

}  // namespace podium::cli
