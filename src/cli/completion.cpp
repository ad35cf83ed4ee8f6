#include "cli/completion.h"

#include <algorithm>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/field_names.h"
#include "cli/server_options.h"

namespace podium::cli {
namespace {

// bash parts words at '=' and ':'; Complete() puts "--output", "=", "js" together again.
constexpr std::string_view kBash =
    R"(# podium completion for bash; load with: source <(podium completion bash)
_podium() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do
      COMPREPLY+=("$line")
    done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
  elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[.=] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _podium podium
)";

constexpr std::string_view kZsh = R"(#compdef podium
# podium completion for zsh; load with: source <(podium completion zsh)
_podium() {
  local line files
  local -a candidates open
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    local name=${line%%$'\t'*}
    local shown=${name//:/\\:}
    [[ $line == *$'\t'* ]] && shown+=:${line#*$'\t'}
    if [[ $name == *[.=] ]]; then
      open+=("$shown")
    else
      candidates+=("$shown")
    fi
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#candidates )) && _describe -t podium podium candidates
  (( $#open )) && _describe -t podium podium open -S ''
  if [[ -n $files ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
  fi
}
if [[ $funcstack[1] == _podium ]]; then
  _podium "$@"
elif (( $+functions[compdef] )); then
  compdef _podium podium
fi
)";

constexpr std::string_view kFish =
    R"(# podium completion for fish; load with: podium completion fish | source
function __podium_complete
    set -l current (commandline -ct)
    set -l words (commandline -opc) "$current"
    set -l program $words[1]
    for line in ($program __complete $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            set -l option (string match -r -- '^--[^=]*=' "$current")
            for file in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
                echo "$option$file"
            end
        else
            echo $line
        end
    end
end
complete -c podium -f -a '(__podium_complete)'
)";

void AppendCandidate(std::string_view candidate, std::string_view description, std::string* out) {
  *out += candidate;
  if (!description.empty()) (*out += '\t') += description;
  *out += '\n';
}

// Candidates among space-separated words.
void AppendWords(std::string_view words, std::string_view before, std::string_view typed,
                 std::string* out) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    if (!word.empty() && word.starts_with(typed)) {
      AppendCandidate(std::string(before) + std::string(word), {}, out);
    }
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

// `before` is what stands in the same word in front of the value: "--output=".
void AppendValues(Values values, std::string_view words, std::string_view before,
                  std::string_view typed, std::span<const Command> commands, std::string* out) {
  switch (values) {
    case Values::kAnything:
      break;
    case Values::kFiles:
      *out += ":files\n";
      break;
    case Values::kWords:
      AppendWords(words, before, typed, out);
      break;
    case Values::kFieldPaths:
      for (const std::string& path : FieldPathsFrom(typed)) {
        AppendCandidate(std::string(before) + path, {}, out);
      }
      break;
    case Values::kCommands:
      for (const Command& command : commands) {
        if (std::string_view(command.name).starts_with(typed)) {
          AppendCandidate(command.name, command.summary, out);
        }
      }
  }
}

const Option* FindOption(const Command& command, std::string_view word) {
  for (const Option& option : command.options) {
    if (word.starts_with("--") ? word.substr(2) == option.name
                               : word.size() == 2 && word[0] == '-' && word[1] == option.letter) {
      return &option;
    }
  }
  return nullptr;
}

// The last word of a command's name: "view" of "config view".
std::string_view LastWord(const Command& command) {
  const std::string_view name = command.name;
  return name.substr(name.rfind(' ') + 1);
}

const Command* CommandOfWord(std::span<const Command> commands, std::string_view word) {
  const auto found = std::ranges::find(commands, word, LastWord);
  return found == commands.end() ? nullptr : &*found;
}

void AppendSubcommands(const Command& command, std::string_view typed, std::string* out) {
  for (const Command& each : command.subcommands) {
    if (LastWord(each).starts_with(typed)) {
      AppendCandidate(std::string(LastWord(each)), each.summary, out);
    }
  }
}

void CompleteWord(const Command& command, std::span<const Command> commands,
                  const std::vector<std::string>& words, std::string* out) {
  const std::string_view typed = words.back();
  const std::string_view last = words.size() > 1 ? std::string_view(words[words.size() - 2]) : "";
  if (const Option* option = FindOption(command, last); option && option->value) {
    AppendValues(option->values, option->words, {}, typed, commands, out);
    return;
  }
  if (const size_t equals = typed.find('='); typed.starts_with("--") && equals != typed.npos) {
    const Option* option = FindOption(command, typed.substr(0, equals));
    if (option && option->value) {
      AppendValues(option->values, option->words, typed.substr(0, equals + 1),
                   typed.substr(equals + 1), commands, out);
    }
    return;
  }
  if (typed.starts_with('-')) {
    for (const Option& option : command.options) {
      const std::string form = "--" + std::string(option.name);
      if (form.starts_with(typed)) AppendCandidate(form, option.help, out);
    }
    if (std::string_view("--help").starts_with(typed)) {
      AppendCandidate("--help", "show help and an example", out);
    }
    return;
  }
  AppendValues(command.values, command.words, {}, typed, commands, out);
}

}  // namespace

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

std::string Complete(std::span<const Command> commands, std::span<const char* const> words) {
  std::vector<std::string> joined;
  for (size_t i = 0; i < words.size(); ++i) {
    // What bash took apart: the value is then completed alone, as the word it is to bash.
    if (std::string_view(words[i]) == "=" && !joined.empty() && joined.back().starts_with("--")) {
      if (i + 1 == words.size()) joined.emplace_back();
    } else {
      joined.emplace_back(words[i]);
    }
  }
  if (joined.empty()) joined.emplace_back();

  // kubectl takes options of the server in front of the command too.
  while (joined.size() > 1 && joined[0].starts_with('-')) {
    const Option* option = OptionOfWord(kServerOptions, joined[0]);
    if (!option) break;
    const bool two = TakesNextWord(*option, joined[0]);
    if (two && joined.size() < 3) break;
    joined.erase(joined.begin(), joined.begin() + (two ? 2 : 1));
  }
  std::string out;
  if (joined.size() == 1) {
    AppendValues(Values::kCommands, {}, {}, joined[0], commands, &out);
    if (joined[0].starts_with('-')) AppendWords("--help --version", {}, joined[0], &out);
    return out;
  }
  if (joined[0] == "help") {
    if (joined.size() == 2) AppendValues(Values::kCommands, {}, {}, joined[1], commands, &out);
    return out;
  }
  const Command* command = CommandOfWord(commands, joined[0]);
  while (command && joined.size() > 2) {
    const Command* behind = CommandOfWord(command->subcommands, joined[1]);
    if (!behind) break;
    command = behind;
    joined.erase(joined.begin());
  }
  if (!command) return out;
  if (joined.size() == 2) AppendSubcommands(*command, joined[1], &out);
  CompleteWord(*command, commands, joined, &out);
  return out;
}

Command CompletionCommand() {
  return {
      .name = "completion",
      .summary = "Print the completion script of a shell",
      .arguments = "bash|zsh|fish",
      .max_arguments = 1,
      .values = Values::kWords,
      .words = "bash zsh fish",
      .details =
          "Completes commands, options, files, and for podium explain the names of resources and "
          "their fields.",
      .example =
          "  source <(podium completion bash)\n"
          "  podium completion bash > /etc/bash_completion.d/podium\n"
          "  podium completion zsh > /usr/local/share/zsh/site-functions/_podium\n"
          "  podium completion fish > ~/.config/fish/completions/podium.fish\n",
      .run = [](const Invocation& invocation) -> Outcome {
        if (invocation.arguments().empty()) {
          return UsageError("completion", "which shell? one of bash, zsh, fish");
        }
        return {kOk, std::string(CompletionScript(invocation.arguments()[0])), {}};
      },
  };
}

}  // namespace podium::cli
