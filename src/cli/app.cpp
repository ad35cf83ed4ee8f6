#include "cli/app.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/server_options.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr size_t kWidth = 80;

const Command* FindCommand(std::span<const Command> commands, std::string_view name) {
  auto found = std::find_if(commands.begin(), commands.end(),
                            [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

Outcome UnknownCommand(std::span<const Command> commands, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    names.emplace_back(command.name);
  }
  return {kUsage,
          {},
          "podium: unknown command \"" + Printable(name) + "\"" + DidYouMean(name, names) +
              "\nSee 'podium --help'.\n"};
}

// CLI11 tells only what was left over.
std::string UnknownOption(const Command& command, std::string_view given) {
  const std::string_view name = given.substr(0, given.find('='));
  std::vector<std::string> forms = {"--help"};
  for (const Option& option : command.options) forms.push_back("--" + std::string(option.name));
  std::vector<std::string_view> candidates(forms.begin(), forms.end());
  return "unknown option " + Printable(name) +
         (name.starts_with("--") ? DidYouMean(name, candidates) : "");
}

bool IsWord(std::string_view words, std::string_view value) {
  return (" " + std::string(words) + " ").find(" " + std::string(value) + " ") != std::string::npos;
}

std::string WordsError(std::string_view what, std::string_view words, std::string_view value) {
  return std::string(what) + ": \"" + Printable(value) + "\" is not one of " + std::string(words);
}

// Checks what the table says and CLI11 does not know; empty when all is well.
std::string CheckWords(const Command& command, const Invocation& invocation) {
  for (const Option& option : command.options) {
    if (option.values != Values::kWords) continue;
    for (const std::string& value : invocation.All(option.name)) {
      if (!IsWord(option.words, value)) {
        return WordsError("--" + std::string(option.name), option.words, value);
      }
    }
  }
  if (command.values == Values::kWords) {
    for (const std::string& value : invocation.arguments()) {
      if (!IsWord(command.words, value)) {
        return WordsError(command.arguments, command.words, value);
      }
    }
  }
  return {};
}

// Reads the arguments behind the command's name with CLI11, whose exceptions end here. Empty, or
// what is wrong.
std::string Parse(const Command& command, std::span<const char* const> arguments,
                  Invocation* invocation, bool* help) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", *help);
  std::deque<std::vector<std::string>> values;
  std::deque<bool> flags;
  for (const Option& option : command.options) {
    std::string names = "--" + std::string(option.name);
    if (option.letter) names += std::string(",-") + option.letter;
    if (option.value) {
      // One value for each time it is named, so that `-f a b` leaves b an argument.
      app.add_option(names, values.emplace_back())
          ->type_size(1)
          ->allow_extra_args(false)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      app.add_flag(names, flags.emplace_back(false));
    }
  }
  // CLI11 takes the arguments in reverse.
  std::vector<std::string> reversed = NormalWords(command.options, arguments);
  std::ranges::reverse(reversed);
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  bool only_arguments = false;
  for (std::string& extra : app.remaining()) {
    if (!only_arguments && extra == "--") {
      only_arguments = true;
      invocation->MarkDashes();
    } else if (!only_arguments && extra.size() > 1 && extra.starts_with('-')) {
      return UnknownOption(command, extra);
    } else {
      invocation->AddArgument(std::move(extra));
    }
  }
  auto value = values.begin();
  auto flag = flags.begin();
  for (const Option& option : command.options) {
    if (!option.value) {
      if (*flag++) invocation->Add(option.name, "true");
      continue;
    }
    if (value->size() > 1 && !option.repeatable) {
      return "--" + std::string(option.name) + " was given " + Count(value->size(), "time");
    }
    for (std::string& text : *value) invocation->Add(option.name, std::move(text));
    ++value;
  }
  if (invocation->arguments().size() > command.max_arguments) {
    return "unexpected argument \"" + Printable(invocation->arguments()[command.max_arguments]) +
           "\"";
  }
  return CheckWords(command, *invocation);
}

void AppendOptions(std::span<const Option> options, std::string* out) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Option& option : options) {
    std::string form =
        option.letter ? std::string("-") + option.letter + ", " : std::string("    ");
    form += "--" + std::string(option.name);
    if (option.value) {
      form +=
          (option.implied ? "[=" : "=") + std::string(option.value) + (option.implied ? "]" : "");
    }
    std::string help = option.help;
    if (*option.words) help += " (one of: " + std::string(option.words) + ")";
    rows.emplace_back(std::move(form), std::move(help));
  }
  rows.emplace_back("-h, --help", "show this help");
  size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.first.size());
  const size_t indent = longest + 4;
  for (const auto& [form, help] : rows) {
    std::string lines;
    AppendWrapped(help, indent, kWidth, &lines);
    *out += "  " + form + lines.substr(form.size() + 2);
  }
}

void AppendCommands(std::span<const Command> commands, std::string* out) {
  size_t longest = 0;
  for (const Command& command : commands) {
    longest = std::max(longest, std::strlen(command.name));
  }
  for (const Command& command : commands) {
    std::string name = command.name;
    name.resize(longest + 2, ' ');
    *out += "  " + name + command.summary + "\n";
  }
}

void AppendParagraphs(std::string_view text, std::string* out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    AppendWrapped(text.substr(0, end), 0, kWidth, out);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void AppendSubcommands(std::span<const Command> commands, std::string* out) {
  if (commands.empty()) return;
  *out += "\nCommands:\n";
  AppendCommands(commands, out);
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// The command that the words behind the name lead to; *words then begin with its own last word.
const Command* Descend(const Command* command, std::span<const char* const>* words) {
  while (words->size() > 1) {
    const auto found = std::ranges::find_if(command->subcommands, [&](const Command& each) {
      const std::string_view name = each.name;
      return name.substr(name.rfind(' ') + 1) == (*words)[1] || IsWord(each.aliases, (*words)[1]);
    });
    if (found == command->subcommands.end()) break;
    command = &*found;
    *words = words->subspan(1);
  }
  return command;
}

// A command that is nothing without one behind it.
Outcome WhichSubcommand(const Command& command, std::span<const char* const> arguments) {
  if (arguments.empty()) return {kUsage, {}, CommandHelp(command)};
  std::vector<std::string_view> names;
  for (const Command& each : command.subcommands) {
    const std::string_view name = each.name;
    names.push_back(name.substr(name.rfind(' ') + 1));
  }
  return UsageError(command.name, "unknown command \"" + Printable(arguments[0]) + "\"" +
                                      DidYouMean(arguments[0], names));
}

void WarnOfBareOptions(const Command& command, const Invocation& invocation,
                       const Streams& streams) {
  for (const Option& option : command.options) {
    if (option.bare_warning && invocation.Get(option.name) == option.implied) {
      (void)streams.Err("Warning: " + std::string(option.bare_warning) + '\n');
    }
  }
}

Outcome RunParsed(const Command& command, std::span<const char* const> arguments,
                  const Streams& streams) {
  Invocation invocation;
  invocation.set_ensure_agent(command.ensure_agent);
  bool help = false;
  const std::string problem = Parse(command, arguments, &invocation, &help);
  if (help) return {kOk, CommandHelp(command), {}};
  if (!command.run && !command.live) return WhichSubcommand(command, arguments);
  if (!problem.empty()) return UsageError(command.name, problem);
  WarnOfBareOptions(command, invocation, streams);
  return command.live ? command.live(invocation, streams) : command.run(invocation);
}

}  // namespace

std::string_view Invocation::Get(std::string_view option, std::string_view otherwise) const {
  auto found = values_.find(option);
  return found == values_.end() ? otherwise : std::string_view(found->second.back());
}

std::vector<std::string> Invocation::All(std::string_view option) const {
  auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

void Invocation::Add(std::string_view option, std::string value) {
  values_[std::string(option)].push_back(std::move(value));
}

bool Streams::Out(std::string_view text) const { return WriteAll(out, text); }
bool Streams::Err(std::string_view text) const { return WriteAll(err, text); }

Outcome UsageError(std::string_view command, std::string_view message) {
  const std::string name(command);
  return {kUsage,
          {},
          "podium " + name + ": " + std::string(message) + "\nSee 'podium " + name + " --help'.\n"};
}

std::string ProgramHelp(std::span<const Command> commands) {
  std::string out =
      "podium runs Kubernetes Pods.\n\nUsage:\n  podium COMMAND [options]\n\nCommands:\n";
  AppendCommands(commands, &out);
  return out + "\n'podium COMMAND --help' shows the options of a command and an example.\n";
}

std::string CommandHelp(const Command& command) {
  std::string out = "Usage:\n  podium " + std::string(command.name) + " [options]";
  if (*command.arguments) out += ' ' + std::string(command.arguments);
  out += "\n\n";
  AppendWrapped(command.summary, 0, kWidth, &out);
  if (*command.details) {
    out += '\n';
    AppendParagraphs(command.details, &out);
  }
  AppendSubcommands(command.subcommands, &out);
  out += "\nOptions:\n";
  AppendOptions(command.options, &out);
  return out + "\nExamples:\n" + command.example;
}

Outcome RunCommand(std::span<const Command> commands, std::span<const char* const> arguments,
                   const Streams& streams) {
  if (arguments.empty()) return {kUsage, {}, ProgramHelp(commands)};
  const size_t leading = LeadingOptions(kServerOptions, arguments);
  std::vector<const char*> words(arguments.begin(),
                                 arguments.begin() + static_cast<ptrdiff_t>(leading));
  std::span<const char* const> rest = arguments.subspan(leading);
  if (rest.empty()) return {kUsage, {}, ProgramHelp(commands)};
  const std::string_view name = rest[0];
  if (name == "--help" || name == "-h" || (name == "help" && rest.size() == 1)) {
    return {kOk, ProgramHelp(commands), {}};
  }
  if (name == "help") {
    const Command* command = FindCommand(commands, rest[1]);
    if (!command) return UnknownCommand(commands, rest[1]);
    rest = rest.subspan(1);
    return {kOk, CommandHelp(*Descend(command, &rest)), {}};
  }
  if (name == "--version") return {kOk, VersionText() + "\n", {}};
  if (name == "__complete") return {kOk, Complete(commands, rest.subspan(1)), {}};
  const Command* command = FindCommand(commands, name);
  if (!command) return UnknownCommand(commands, name);
  command = Descend(command, &rest);
  words.insert(words.end(), rest.begin() + 1, rest.end());
  return RunParsed(*command, words, streams);
}

int Run(std::span<const Command> commands, int argc, const char* const* argv) {
  // A reader that has gone is an error of write, not the end of what the command was at.
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): cannot fail
  const std::span<const char* const> all(argv, static_cast<size_t>(argc));
  const Outcome outcome = RunCommand(commands, all.subspan(std::min<size_t>(1, all.size())));
  const bool written = WriteAll(STDOUT_FILENO, outcome.out);
  if (!written) {
    WriteAll(STDERR_FILENO, Error::FromErrno(errno, "podium: writing the output").message() + '\n');
  }
  WriteAll(STDERR_FILENO, outcome.err);
  return written || outcome.status != kOk ? outcome.status : kFailed;
}

}  // namespace podium::cli
