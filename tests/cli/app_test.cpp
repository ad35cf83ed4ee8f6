#include "cli/app.h"

#include <gtest/gtest.h>

#include "cli/commands.h"

namespace podium::cli {
namespace {

constexpr Option kOptions[] = {
    {.name = "file",
     .letter = 'f',
     .value = "FILE",
     .help = "what",
     .values = Values::kFiles,
     .repeatable = true},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "how",
     .values = Values::kWords,
     .words = "text json"},
    {.name = "deep", .letter = 'R', .help = "all"},
};

// Prints what it was called with.
Outcome Show(const Invocation& invocation) {
  std::string out;
  for (const char* name : {"file", "output", "deep"}) {
    for (const std::string& value : invocation.All(name))
      out += std::string(name) + '=' + value + ' ';
  }
  for (const std::string& argument : invocation.arguments()) out += '<' + argument + "> ";
  return {kOk, out, {}};
}

const Command kCommands[] = {{.name = "show",
                              .summary = "Show it",
                              .arguments = "[FILE...]",
                              .max_arguments = 2,
                              .details = "First paragraph.\nSecond paragraph.",
                              .example = "  podium show -f x\n",
                              .options = kOptions,
                              .run = Show}};

Outcome RunWith(std::initializer_list<const char*> arguments) {
  return RunCommand(kCommands, {arguments.begin(), arguments.size()});
}

TEST(App, OptionsAndArguments) {
  const struct {
    std::initializer_list<const char*> arguments;
    const char* out;
  } cases[] = {
      {{"show"}, ""},
      {{"show", "-f", "a", "b"}, "file=a <b> "},
      {{"show", "-f", "a", "-f", "b", "--file=c", "--file", "d"}, "file=a file=b file=c file=d "},
      {{"show", "-fa", "-Ro", "json"}, "file=a output=json deep=true "},
      {{"show", "-f", "-"}, "file=- "},
      {{"show", "-"}, "<-> "},
      {{"show", "--", "-f", "-x"}, "<-f> <-x> "},
      {{"show", "a", "-R", "b"}, "deep=true <a> <b> "},
  };
  for (const auto& [arguments, out] : cases) {
    const Outcome outcome = RunWith(arguments);
    EXPECT_EQ(outcome.out, out);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.status, kOk);
  }
}

TEST(App, UsageErrors) {
  const struct {
    std::initializer_list<const char*> arguments;
    const char* message;  // the first line of stderr
  } cases[] = {
      {{"shwo"}, "podium: unknown command \"shwo\"; did you mean \"show\"?"},
      {{"\x1b"}, "podium: unknown command \"\\x1b\""},
      {{"show", "--flie", "x"}, "podium show: unknown option --flie; did you mean \"--file\"?"},
      {{"show", "-x"}, "podium show: unknown option -x"},
      {{"show", "-o", "yaml"}, "podium show: --output: \"yaml\" is not one of text json"},
      {{"show", "-o", "text", "-o", "json"}, "podium show: --output was given 2 times"},
      {{"show", "a", "b", "c"}, "podium show: unexpected argument \"c\""},
  };
  for (const auto& [arguments, message] : cases) {
    const Outcome outcome = RunWith(arguments);
    EXPECT_EQ(outcome.err.substr(0, outcome.err.find('\n')), message);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.status, kUsage);
  }
  EXPECT_EQ(RunWith({"show", "-f"}).status, kUsage);
}

TEST(App, Help) {
  EXPECT_EQ(RunWith({}).status, kUsage);
  EXPECT_EQ(RunWith({}).err, ProgramHelp(kCommands));
  for (const char* word : {"--help", "-h", "help"}) {
    EXPECT_EQ(RunWith({word}).out, ProgramHelp(kCommands));
    EXPECT_EQ(RunWith({word}).status, kOk);
  }
  const std::string help =
      "Usage:\n  podium show [options] [FILE...]\n\nShow it\n\nFirst paragraph.\nSecond "
      "paragraph.\n\nOptions:\n  -f, --file=FILE      what\n  -o, --output=FORMAT  how (one of: "
      "text json)\n"
      "  -R, --deep           all\n  -h, --help           show this help\n\nExamples:\n  podium "
      "show "
      "-f x\n";
  EXPECT_EQ(CommandHelp(kCommands[0]), help);
  EXPECT_EQ(RunWith({"show", "--help"}).out, help);
  EXPECT_EQ(RunWith({"show", "--unknown", "-h"}).out, help) << "help comes first";
  EXPECT_EQ(RunWith({"help", "show"}).out, help);
  EXPECT_EQ(RunWith({"help", "nothing"}).status, kUsage);
}

// Every command of the program has an example and a summary that fits its line.
void ExpectUseShown(std::span<const Command> commands, const std::string& help) {
  for (const Command& command : commands) {
    const std::string start = std::string("  podium ") + command.name;
    EXPECT_NE(std::string_view(command.example).find(start.substr(2)), std::string_view::npos)
        << command.name;
    EXPECT_LE(std::string_view(command.summary).size(), 64U);
    EXPECT_NE(help.find(std::string("\n  ") + command.name + ' '), std::string::npos);
    EXPECT_FALSE(command.run && command.live) << command.name;
    EXPECT_TRUE(command.run || command.live || !command.subcommands.empty()) << command.name;
    ExpectUseShown(command.subcommands, CommandHelp(command));
    for (const Option& option : command.options) EXPECT_NE(*option.help, '\0') << option.name;
  }
}

TEST(App, CommandsShowHowTheyAreUsed) { ExpectUseShown(Commands(), ProgramHelp(Commands())); }

Outcome ShowPath(const Invocation& invocation) {
  return {kOk, "path " + std::string(invocation.Get("namespace")), {}};
}

TEST(App, CommandsBehindCommands) {
  static constexpr Option kNamed[] = {
      {.name = "namespace", .letter = 'n', .value = "NAME", .help = "where"}};
  static const Command kBehind[] = {{.name = "show path",
                                     .summary = "Show the path",
                                     .example = "  podium show path\n",
                                     .options = kNamed,
                                     .run = ShowPath}};
  static const Command kParents[] = {{.name = "show",
                                      .summary = "Show",
                                      .example = "  podium show path\n",
                                      .subcommands = kBehind}};
  const auto run = [](std::initializer_list<const char*> arguments) {
    return RunCommand(kParents, {arguments.begin(), arguments.size()});
  };
  EXPECT_EQ(run({"show", "path"}).out, "path ");
  // Options of the server stand in front too, as kubectl has it.
  EXPECT_EQ(run({"-n", "ns", "show", "path"}).out, "path ns");
  EXPECT_EQ(run({"show", "path", "-n=ns"}).out, "path ns");
  EXPECT_NE(run({"help", "show", "path"}).out.find("podium show path [options]"),
            std::string::npos);
  EXPECT_EQ(run({"show", "pth"}).err,
            "podium show: unknown command \"pth\"; did you mean \"path\"?\n"
            "See 'podium show --help'.\n");
  EXPECT_EQ(run({"show"}).status, kUsage);
}

}  // namespace
}  // namespace podium::cli
