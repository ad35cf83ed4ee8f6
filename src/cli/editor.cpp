#include "cli/editor.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/child_program.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

std::string FirstVariable(std::initializer_list<const char*> names, const char* otherwise) {
  for (const char* name : names) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
    if (value && *value != '\0') return value;
  }
  return otherwise;
}

}  // namespace

Result<void> EditFile(const std::string& path, const Streams& streams) {
  const std::string editor = FirstVariable({"KUBE_EDITOR", "EDITOR"}, "vi");
  std::vector<std::string> program;
  std::string called = editor;
  if (editor.find_first_of("\"'\\") != editor.npos && editor.find(' ') != editor.npos) {
    // What is quoted is left to a shell.
    const std::string shell = FirstVariable({"SHELL"}, "/bin/bash");
    program = {shell, "-c", editor + " " + reflect::GoQuoted(path)};
    called = shell + " -c " + editor;
  } else {
    for (const std::string_view word : Split(editor, ' ')) program.emplace_back(word);
    program.push_back(path);
  }
  const auto status = RunProgram(std::move(program), streams);
  if (!status.ok() && status.error().code() == Code::kNotFound) {
    return Error(Code::kNotFound, "unable to launch the editor " + reflect::GoQuoted(called));
  }
  if (!status.ok() || *status != 0) {
    return Error(Code::kCancelled,
                 "there was a problem with the editor " + reflect::GoQuoted(called));
  }
  return {};
}

}  // namespace podium::cli
