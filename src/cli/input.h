// Files that people name on the command line, and the documents in them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "reflect/yaml.h"

namespace podium::cli {

// Bytes of one file; more is refused.
inline constexpr size_t kMaxFileSize = size_t{64} << 20;

// The options that name them, and what ListFiles does with them.
inline constexpr Option kFilenameOption = {
    .name = "filename",
    .letter = 'f',
    .value = "FILE",
    .help =
        "a file, a folder (its files that end in .yaml, .yml or .json), or - for the standard "
        "input; may be given several times",
    .values = Values::kFiles,
    .repeatable = true};
inline constexpr Option kRecursiveOption = {
    .name = "recursive", .letter = 'R', .help = "also the folders in a folder"};
// Of wait and set selector, which read them unless they are told not to, as kubectl has it.
inline constexpr Option kUsuallyRecursiveOption = {
    .name = "recursive",
    .letter = 'R',
    .value = "true|false",
    .help = "also the folders in a folder; true if not given",
    .values = Values::kWords,
    .words = "true false",
    .implied = "true"};
// For IsRecursive: with the value that the option has where it is not given.
Invocation WithUsualRecursion(Invocation invocation);
// Whether --recursive holds.
bool IsRecursive(const Invocation& invocation);
// Of commands that report on what they read.
inline constexpr Option kReportOption = {.name = "output",
                                         .letter = 'o',
                                         .value = "FORMAT",
                                         .help = "form of the report",
                                         .values = Values::kWords,
                                         .words = "text json"};

struct FileError {
  std::string name;
  Error error;  // without the name
};

struct FileList {
  std::vector<std::string> files;
  std::vector<FileError> errors;  // of names that stand for no file, in the order met
};

// The files that the names stand for: a file is itself, "-" is the standard input, a folder stands
// for the files in it that end in .yaml, .yml or .json, in byte order; with `recursive`, for those
// of the folders below it as well (links to folders are not followed there). A folder without any
// such file is an error, and so is a pipe, a device or a broken link with such a name in a folder.
FileList ListFiles(const std::vector<std::string>& names, bool recursive);

// The file's bytes. Errors do not name the file.
Result<std::string> ReadInput(const std::string& name);

// The standard input can be read once: whether the names hold it twice.
bool NamesStandardInputTwice(const std::vector<std::string>& names);

// How the file is called in output: its name, or "stdin".
std::string DisplayName(const std::string& name);

// One document of a file, as JSON.
struct Document {
  size_t number = 0;  // in its file, from 1
  std::string json;
  reflect::Position start;
  std::vector<reflect::YamlDuplicate> duplicates;
  // Why there is no JSON, when the text is neither YAML nor JSON; json is then empty.
  std::string problem;
  reflect::Position problem_position;

  // Where the JSON's byte at `offset` came from.
  reflect::Position At(size_t offset) const;

  reflect::PositionMap positions;             // from YAML
  const reflect::LineIndex* lines = nullptr;  // from JSON
  size_t offset_in_file = 0;                  // likewise
};

// Reads the documents of a text: YAML, or JSON values one after another. Neither the reader nor
// what it returned may outlive the text; documents of JSON must not outlive the reader.
class DocumentReader {
 public:
  explicit DocumentReader(std::string_view text);

  // False at the end. A document that cannot be read is returned with its problem.
  bool Next(Document* document);

 private:
  bool NextJson(Document* document);
  bool NextYaml(Document* document);

  std::string_view text_;
  bool is_json_;
  reflect::LineIndex lines_;
  reflect::YamlReader yaml_;
  size_t at_ = 0;
  size_t count_ = 0;
  bool done_ = false;
};

}  // namespace podium::cli
