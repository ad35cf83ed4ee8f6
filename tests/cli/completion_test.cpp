#include "cli/completion.h"

#include <gtest/gtest.h>

#include "cli/commands.h"

namespace podium::cli {
namespace {

std::string After(std::initializer_list<const char*> words) {
  return Complete(Commands(), {words.begin(), words.size()});
}

TEST(Completion, Candidates) {
  const struct {
    std::initializer_list<const char*> words;
    const char* candidates;
  } cases[] = {
      {{"val"}, "validate\tFind every mistake in manifests\n"},
      {{"--h"}, "--help\n"},
      {{"--v"}, "--version\n"},
      {{"help", "ver"}, "version\tPrint the version of podium, and that of the server\n"},
      {{"validate", ""}, ":files\n"},
      {{"validate", "-f", "x"}, ":files\n"},
      {{"validate", "--filename=x"}, ":files\n"},
      {{"validate", "-o", ""}, "text\njson\n"},
      {{"validate", "--output", "j"}, "json\n"},
      {{"validate", "--output=j"}, "--output=json\n"},
      {{"validate", "--output", "=", "j"}, "json\n"},  // as bash parts it
      {{"validate", "--output", "="}, "text\njson\n"},
      {{"validate", "--rec"}, "--recursive\talso the folders in a folder\n"},
      {{"convert", "-o", "p"}, "protobuf\n"},
      {{"completion", "z"}, "zsh\n"},
      {{"explain", "pod.spec.con"}, "pod.spec.containers\npod.spec.containers.\n"},
      {{"explain", "--recursive", "deploy.st"}, "deploy.status\ndeploy.status.\n"},
      {{"version", ""}, ""},
      {{"auth", "w"}, "whoami\tShow as whom the server knows this user\n"},
      {{"auth", "whoami", "--sh"},
       "--show-managed-fields\tmetadata.managedFields too, in JSON and YAML\n"},
      {{"-n", "ns", "--node", "auth", "w"}, "whoami\tShow as whom the server knows this user\n"},
      {{"config", "get-contexts", "-o", ""}, "name\n"},
      {{"nothing", ""}, ""},
      {{"validate", "--nothing=x"}, ""},
  };
  for (const auto& [words, candidates] : cases) {
    EXPECT_EQ(After(words), candidates) << *(words.end() - 1);
  }
  EXPECT_EQ(After({}), After({""}));
  for (const Command& command : Commands()) {
    EXPECT_NE(After({}).find(command.name + std::string("\t")), std::string::npos);
  }
}

TEST(Completion, ScriptsNameTheProgram) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_NE(CompletionScript(shell).find("__complete"), std::string_view::npos) << shell;
  }
  EXPECT_EQ(CompletionScript("csh"), "");
}

}  // namespace
}  // namespace podium::cli
