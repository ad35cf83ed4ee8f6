// What the commands `set ...` have in common (upstream's k8s.io/kubectl/pkg/cmd/set, release 1.32):
// one change of objects of a server, or of files, sent as strategic patches. Objects are printed in
// the form of upstream's structs, as those commands have them.
#pragma once

#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/create_options.h"
#include "cli/input.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_options.h"
#include "cli/server_writes.h"
#include "reflect/json_value.h"

namespace podium::cli {

// What one of the commands does to an object.
struct Setting {
  const char* done;               // "image updated"
  const char* failed;             // what stands before a server's error; "": its error as it is
  bool always = false;            // sent and shown also where nothing changes
  bool names_objects = true;      // errors of `apply` say of which object they are
  const char* nothing = nullptr;  // told where neither arguments nor files name an object
  std::vector<std::string> resources = {};
  // Asks the server for what the change is made of, before the objects are known; null for --local.
  std::function<Result<void>(Server* server)> begin = {};
  // What is wrong with the arguments, when the objects are known, as kubectl looks at it.
  std::function<Result<void>(const std::vector<reflect::JsonValue>& objects)> check = {};
  // The change of one object. Its error leaves the object alone; what is added to `errors` does
  // not. `server` is null with --local.
  std::function<Result<void>(Server* server, reflect::JsonValue* object,
                             std::vector<Error>* errors)>
      apply = {};
  // `apply` says of which version the object has to be still.
  bool pinned = false;
  // Nothing is sent, and of objects nothing printed.
  bool only_looks = false;
};

// One run of a command; `setting` may be an error.
Outcome RunSetting(Result<Setting> setting, const Invocation& invocation, const Streams& streams);

// The spec of the pods in a pod, or in what makes pods; an empty one where there is none yet.
Result<reflect::JsonValue*> PodSpecOf(reflect::JsonValue* object);

// The containers of which `means` is true, as they are in the spec; of one of its lists, or of init
// containers and the others.
std::vector<reflect::JsonValue*> ContainersOf(reflect::JsonValue* spec,
                                              const std::function<bool(std::string_view)>& means,
                                              std::initializer_list<const char*> lists = {
                                                  "initContainers", "containers"});

// Whether the name is as the pattern says, in which '*' stands for any text.
bool MatchesWildcard(std::string_view name, std::string_view pattern);

inline constexpr Option kSetAllOption = {.name = "all", .help = "all objects of the types"};
inline constexpr Option kSetLocalOption = {.name = "local",
                                           .help = "change what is in files; no server is asked"};
// A setting's own options, and those that all settings have.
template <size_t count>
constexpr auto WithSettingOptions(const Option (&own)[count],
                                  const Option& recursive = kRecursiveOption) {
  const Option shared[] = {kSetAllOption,           kFilenameOption, recursive,
                           kSetLocalOption,         kDryRunOption,   kCreateManagerOption,
                           kChangedOutputOption,    kTemplateOption, kAllowMissingKeysOption,
                           kShowManagedFieldsOption};
  constexpr size_t kSharedCount = std::size(shared);
  Option all[count + kSharedCount] = {};
  for (size_t i = 0; i < count; ++i) all[i] = own[i];
  for (size_t i = 0; i < kSharedCount; ++i) all[count + i] = shared[i];
  return WithServerOptions(all);
}

inline constexpr Option kContainersOption = {
    .name = "containers",
    .letter = 'c',
    .value = "NAME",
    .help = "of these containers alone; * stands for any text"};

Command SetEnvCommand();
Command SetResourcesCommand();
Command SetSelectorCommand();
Command SetSubjectCommand();

}  // namespace podium::cli
