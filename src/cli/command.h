// A command of the program, as data: parsing, --help, shell completion and the list of commands are
// all made from these tables.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::cli {

// Exit statuses.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // what was asked for did not succeed
inline constexpr int kUsage = 2;   // what was asked for is not clear

// What completion offers for a value.
enum class Values { kAnything, kFiles, kWords, kFieldPaths, kCommands };

struct Option {
  const char* name;             // long form, without the dashes
  char letter = 0;              // short form, or 0
  const char* value = nullptr;  // what its value is called in help; null for a flag
  const char* help = "";
  Values values = Values::kAnything;
  const char* words = "";  // kWords: all there are, space separated; others are a usage error
  bool repeatable = false;
  // What the bare option stands for; another value is then given behind '=' only: "--dry-run",
  // "--dry-run=server".
  const char* implied = nullptr;
  // Told on the standard error where the bare option stands.
  const char* bare_warning = nullptr;
};

// What was typed, checked against the command's tables.
class Invocation {
 public:
  bool Has(std::string_view option) const { return values_.contains(option); }
  // The last value given; `otherwise` when there is none.
  std::string_view Get(std::string_view option, std::string_view otherwise = {}) const;
  // All values, in the order given.
  std::vector<std::string> All(std::string_view option) const;
  const std::vector<std::string>& arguments() const { return arguments_; }
  // How many of them stand before "--"; all where there is none.
  size_t arguments_before_dashes() const { return before_dashes_.value_or(arguments_.size()); }

  // Returns when an agent serves; nothing is done where the program cannot start one.
  Result<void> EnsureAgent() const { return ensure_agent_ ? ensure_agent_() : Result<void>(); }

  void set_ensure_agent(Result<void> (*ensure)()) { ensure_agent_ = ensure; }
  void Add(std::string_view option, std::string value);
  void AddArgument(std::string argument) { arguments_.push_back(std::move(argument)); }
  void MarkDashes() { before_dashes_ = arguments_.size(); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> arguments_;
  std::optional<size_t> before_dashes_;
  Result<void> (*ensure_agent_)() = nullptr;
};

// Where a command that talks while it runs reads and writes. Descriptors.
struct Streams {
  int in = 0;
  int out = 1;
  int err = 2;

  // False when nobody takes it any more.
  bool Out(std::string_view text) const;
  bool Err(std::string_view text) const;
};

// What a command answers. Commands print nothing themselves, but for those that run on.
struct Outcome {
  int status = kOk;
  std::string out;
  std::string err;
};

struct Command {
  const char* name;
  const char* summary;         // one line
  const char* aliases = "";    // other names of it among subcommands, space separated
  const char* arguments = "";  // what stands behind the options, as help shows it: "[FILE...]"
  size_t max_arguments = 0;
  Values values = Values::kAnything;  // of the arguments
  const char* words = "";             // as in Option
  const char* details = "";           // paragraphs, one a line
  const char* example = "";           // lines as they are
  std::span<const Option> options = {};
  // Commands behind this one's name, with their whole names: "config view". With some, this one
  // needs neither run nor live.
  std::span<const Command> subcommands = {};
  // One of the two. `live` for commands that follow something: what it returns is written last.
  Outcome (*run)(const Invocation& invocation) = nullptr;
  Outcome (*live)(const Invocation& invocation, const Streams& streams) = nullptr;
  // How an agent is started where none serves (Invocation::EnsureAgent); set by whoever knows how.
  Result<void> (*ensure_agent)() = nullptr;
};

// A usage error of the command: `message`, and where to find help.
Outcome UsageError(std::string_view command, std::string_view message);

}  // namespace podium::cli
