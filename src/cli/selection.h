// Which objects a command is about, by kubectl's grammar: TYPE, TYPE NAME..., TYPE/NAME...,
// TYPE,TYPE, categories, or files (upstream's k8s.io/cli-runtime/pkg/resource, Builder). The
// messages are upstream's.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/server.h"
#include "reflect/json_value.h"

namespace podium::cli {

inline constexpr Option kSelectorOption = {.name = "selector",
                                           .letter = 'l',
                                           .value = "SELECTOR",
                                           .help = "of labels: a=b, a!=b, 'a in (b,c)', a, !a"};
inline constexpr Option kFieldSelectorOption = {
    .name = "field-selector",
    .value = "SELECTOR",
    .help = "of the fields that the server knows for it: metadata.name=web, status.phase!=Running"};
inline constexpr Option kAllNamespacesOption = {
    .name = "all-namespaces", .letter = 'A', .help = "of all namespaces"};
inline constexpr Option kKustomizeOption = {
    .name = "kustomize",
    .letter = 'k',
    .value = "FOLDER",
    .help = "is refused: podium builds no kustomizations; kubectl kustomize does, for -f -",
    .values = Values::kFiles};

// One object, or the objects of a collection.
struct Selected {
  const ServerResource* resource = nullptr;  // as long as the server
  std::string namespace_ = {};               // "": of the cluster, or all namespaces
  std::string name = {};                     // "": a collection, by the selectors
  // From a file: the object as it stands there, with its namespace set, and where it stood
  // ("STDIN", the file's name). Otherwise null and "".
  reflect::JsonValue object = {};
  std::string source = {};

  // "pod/web", "deployment.apps/web"
  std::string PrintedName() const { return resource->PrintedKind() + "/" + name; }
};

struct Selection {
  std::vector<Selected> items;
  // What is wrong with some of it, where the rest goes on: a name that resolves to nothing, a
  // document that is none.
  std::vector<Error> errors;
  // Several types were asked for: names are shown with their kinds.
  bool several_types = false;
};

struct SelectionRules {
  // What is said without arguments and files.
  std::string nothing =
      "You must provide one or more resources by argument or filename.\n"
      "Example resource specifications include:\n"
      "   '-f rsrc.yaml'\n"
      "   '--filename=rsrc.json'\n"
      "   '<resource> <name>'\n"
      "   '<resource>'";
  // A type alone needs --selector, --field-selector or --all (delete, label, patch); otherwise it
  // means all.
  bool type_alone = true;
  // --all is a selector of its own, which goes with no other and with no name (delete); otherwise
  // it only allows a type alone.
  bool all_selects = false;
  // --selector is none of the objects (expose).
  bool selects = true;
};

// Reads --filename, --recursive, --selector, --field-selector, --all-namespaces, --all where the
// command has them. Nothing but discovery is asked for.
Result<Selection> Select(Server& server, const Invocation& invocation,
                         const std::vector<std::string>& arguments, const SelectionRules& rules);

// What is looked at before anything else in a document. What has no kind ends its file.
enum class FileCheck { kNone, kKinds };

struct FileRules {
  FileCheck check = FileCheck::kNone;
  // --selector is one of the objects.
  bool selects = true;
};

// The objects of files alone (-f, -R), Lists taken apart; with --selector those whose labels in the
// file are as it says.
Result<Selection> SelectFiles(Server& server, const Invocation& invocation,
                              const FileRules& rules = {});

// The objects of a text that came from `source`; those without a namespace have the server's.
Result<Selection> SelectText(Server& server, std::string_view text, const std::string& source);
// kInvalidArgument where it is of another namespace than the server's.
Result<void> RequireNamespace(const Server& server, const Selected& item);
// The same of an object that says of which one it is, where --namespace says which one is meant.
Result<void> RequireNamespace(std::string_view given, const reflect::JsonValue& object);

// What a list's error is told as: the server's, with what was looked for.
Error ListError(const Selected& item, const Invocation& invocation, const Error& error);

// The error with what was done to the object (`doing`: "deleting"), where it is from a file.
Error SourceError(const Selected& item, std::string_view doing, const Error& error);

// The objects of a collection, all pages of it, each with kind and apiVersion; of an item with a
// name the item itself, of which nothing is asked.
Result<std::vector<Selected>> Listed(Server& server, const Invocation& invocation,
                                     const Selected& item);

// A list's parameters: selectors, and --chunk-size as limit.
std::string ListQuery(const Invocation& invocation, std::string_view continue_token = {});

}  // namespace podium::cli
