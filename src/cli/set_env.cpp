// kubectl set env.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "api/names.h"
#include "base/text.h"
#include "cli/env_values.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "cli/set_objects.h"
#include "cli/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

JsonValue Variable(const std::string& name, std::string value) {
  JsonValue variable = JsonValue::Of(JsonValue::Object());
  variable.Set("name", JsonValue::String(name));
  // Upstream's struct leaves out what is empty.
  if (!value.empty()) variable.Set("value", JsonValue::String(std::move(value)));
  return variable;
}

struct Changes {
  std::vector<JsonValue> set;  // each with a name; the first of a name counts
  std::set<std::string, std::less<>> remove;
};

// The lines of an environment; what stands behind '#' is a comment.
void AddLines(std::string_view text, Changes* changes) {
  for (std::string_view line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = line.substr(0, line.find('#'));
    const size_t equals = line.find('=');
    if (equals == line.npos) continue;
    changes->set.push_back(
        Variable(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))));
  }
}

// KEY=VALUE, KEY- and -, which is the standard input.
Result<Changes> ChangesOf(const std::vector<std::string>& words) {
  Changes changes;
  std::set<std::string, std::less<>> named;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (word == "-") {
      TRY(const std::string text, ReadInput("-"));
      AddLines(text, &changes);
    } else if (equals != word.npos) {
      const std::string name = word.substr(0, equals);
      if (const auto problems = api::IsEnvVarName(name); !problems.empty()) {
        return Usage(reflect::GoQuoted(name) + " is not a valid key name: " + Join(problems, ";"));
      }
      named.insert(name);
      changes.set.push_back(Variable(name, word.substr(equals + 1)));
    } else if (word.ends_with('-')) {
      changes.remove.insert(word.substr(0, word.size() - 1));
    } else {
      return Usage("unknown environment variable: " + word);
    }
  }
  for (const std::string& name : changes.remove) {
    if (!named.contains(name)) continue;
    return Usage(
        "can not both modify and remove the same environment variable in the same command");
  }
  return changes;
}

// The arguments before the first change, and the changes.
Result<std::vector<std::string>> SplitWords(const std::vector<std::string>& words,
                                            std::vector<std::string>* resources) {
  std::vector<std::string> changes;
  for (const std::string& word : words) {
    const size_t equals = word.find('=', 1);
    if (equals != word.npos || word.ends_with('-')) {
      changes.push_back(word);
    } else if (changes.empty()) {
      resources->push_back(word);
    } else {
      return Usage("all resources must be specified before environment changes: " +
                   Join(words, " "));
    }
  }
  return changes;
}

// Upper case, and _ for what names of variables do not have.
std::string VariableName(std::string_view key) {
  std::string name;
  for (const char letter : key) {
    const bool small = letter >= 'a' && letter <= 'z';
    const bool other =
        (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_';
    name += small ? static_cast<char>(letter - 'a' + 'A') : other ? letter : '_';
  }
  return name;
}

// What --from names, a variable for each key of it that is asked for.
class SourceReader {
 public:
  SourceReader(const Invocation& invocation, std::vector<std::string> keys)
      : source_(invocation.Get("from")), keys_(keys.begin(), keys.end()) {}

  Result<std::vector<JsonValue>> Variables(Server& server) const {
    const size_t slash = source_.find('/');
    TRY(const ServerResources* resources, server.Resources());
    TRY(const ServerResource* resource, resources->Resolve(source_.substr(0, slash)));
    if (slash == source_.npos) {
      return Usage("resource(s) were provided, but no name was specified");
    }
    const Selected item{
        .resource = resource, .namespace_ = server.namespace_(), .name = source_.substr(slash + 1)};
    TRY(const JsonValue object, Writer(server, DryRun::kNone, "", "").Get(item));
    const std::string_view kind = TextOf(object, "kind");
    const char* member = kind == "Secret"      ? "secretKeyRef"
                         : kind == "ConfigMap" ? "configMapKeyRef"
                                               : nullptr;
    if (!member || TextOf(object, "apiVersion") != "v1") {
      return Usage("unsupported resource specified in --from");
    }
    return VariablesOf(server.streams(), object, member);
  }

 private:
  std::vector<JsonValue> VariablesOf(const Streams& streams, const JsonValue& object,
                                     const char* member) const {
    std::vector<JsonValue> variables;
    const JsonValue* data = object.Find("data");
    if (!data || !data->is_object()) return variables;
    std::set<std::string> all;
    for (const auto& [key, value] : data->object()) all.insert(key);
    for (const std::string& key : all) {
      if (!keys_.empty() && !keys_.contains(key)) continue;
      const std::string name = VariableName(key);
      if (name != key) {
        (void)streams.Err("Warning: key " + Printable(key) + " transferred to " + name + '\n');
      }
      JsonValue reference = JsonValue::Of(JsonValue::Object());
      reference.Set("key", JsonValue::String(key));
      reference.Set("name", JsonValue::String(std::string(TextAt(object, {"metadata", "name"}))));
      JsonValue from = JsonValue::Of(JsonValue::Object());
      from.Set(member, std::move(reference));
      variables.push_back(Variable(name, ""));
      variables.back().Set("valueFrom", std::move(from));
    }
    return variables;
  }

  const std::string source_;  // TYPE/NAME
  const std::set<std::string> keys_;
};

const JsonValue* FindVariable(const std::vector<JsonValue>& variables, std::string_view name) {
  for (const JsonValue& variable : variables) {
    if (TextOf(variable, "name") == name) return &variable;
  }
  return nullptr;
}

JsonValue::Array Changed(const JsonValue::Array& existing, const Changes& changes) {
  std::set<std::string, std::less<>> done = changes.remove;
  JsonValue::Array out;
  for (const JsonValue& variable : existing) {
    const std::string name(TextOf(variable, "name"));
    if (done.contains(name)) continue;
    const JsonValue* newer = FindVariable(changes.set, name);
    if (newer) done.insert(name);
    out.push_back(newer ? *newer : variable);
  }
  for (const JsonValue& variable : changes.set) {
    if (done.insert(std::string(TextOf(variable, "name"))).second) out.push_back(variable);
  }
  return out;
}

// One run of the command, on one object after another.
class EnvSetter {
 public:
  EnvSetter(const Invocation& invocation, const Streams& streams, Changes changes,
            std::vector<std::string> keys)
      : streams_(streams),
        changes_(std::move(changes)),
        reader_(invocation, std::move(keys)),
        reads_(!invocation.Get("from").empty()),
        prefix_(invocation.Get("prefix")),
        pattern_(invocation.Get("containers", "*")),
        overwrite_(invocation.Get("overwrite", "true") == "true"),
        list_(invocation.Has("list")),
        resolve_(invocation.Has("resolve")) {}

  // What --from and --prefix say.
  Result<void> Begin(Server* server) {
    if (reads_) {
      TRY(auto variables, reader_.Variables(*server));
      for (JsonValue& variable : variables) changes_.set.push_back(std::move(variable));
    }
    for (JsonValue& variable : changes_.set) {
      variable.Set("name", JsonValue::String(prefix_ + std::string(TextOf(variable, "name"))));
    }
    return {};
  }

  Result<void> Apply(Server* server, JsonValue* object) {
    TRY(JsonValue * spec, PodSpecOf(object));
    const auto containers =
        ContainersOf(spec, [&](std::string_view name) { return MatchesWildcard(name, pattern_); },
                     {"containers"});
    const std::string kind(TextOf(*object, "kind"));
    const std::string name(TextAt(*object, {"metadata", "name"}));
    if (containers.empty()) {
      (void)streams_.Err("Warning: " + Printable(kind + "/" + name) +
                         " does not have any containers matching " + reflect::GoQuoted(pattern_) +
                         '\n');
      return {};
    }
    for (JsonValue* container : containers) {
      if (!overwrite_) TRY_VOID(CheckNothingIsOverwritten(*container));
      JsonValue::Array env = Changed(ElementsOf(*container, "env"), changes_);
      if (env.empty()) {
        (void)container->Erase("env");
      } else {
        container->Set("env", JsonValue::Of(std::move(env)));
      }
      if (!list_) continue;
      std::string head = "# ";
      head.append(kind).append(" ").append(name).append(", container ");
      head += TextOf(*container, "name");
      (void)streams_.Out(Printable(head) + '\n');
      List(server, *object, *container);
    }
    return {};
  }

 private:
  Result<void> CheckNothingIsOverwritten(const JsonValue& container) const {
    const auto& existing = ElementsOf(container, "env");
    for (const JsonValue& variable : changes_.set) {
      const std::string name(TextOf(variable, "name"));
      const JsonValue* current = FindVariable(existing, name);
      if (!current || TextOf(*current, "value") == TextOf(variable, "value")) continue;
      return Usage("'" + name + "' already has a value (" + std::string(TextOf(*current, "value")) +
                   "), and --overwrite is false");
    }
    return {};
  }

  void List(Server* server, const JsonValue& object, const JsonValue& container) {
    std::map<std::string, std::set<std::string>> problems;
    for (const JsonValue& variable : ElementsOf(container, "env")) {
      const std::string name(TextOf(variable, "name"));
      const JsonValue* from = variable.Find("valueFrom");
      std::optional<std::string> value;
      if (!from) value = TextOf(variable, "value");
      if (from && resolve_) {
        auto found = resolver_.ValueOf(server, *from, object, container);
        if (found.ok()) {
          value = *std::move(found);
        } else {
          problems[found.error().message()].insert(name);
        }
      }
      (void)streams_.Out(
          Printable(value ? name + "=" + *value : "# " + name + " from " + ReferenceText(*from),
                    true) +
          '\n');
    }
    std::set<std::string> lines;
    for (const auto& [problem, names] : problems) {
      lines.insert("error retrieving reference for " +
                   Join(std::vector<std::string>(names.begin(), names.end()), ", ") + ": " +
                   problem);
    }
    for (const std::string& line : lines) (void)streams_.Err(Printable(line) + '\n');
  }

  const Streams streams_;
  Changes changes_;
  const SourceReader reader_;
  const bool reads_;
  const std::string prefix_;
  const std::string pattern_;
  const bool overwrite_;
  const bool list_;
  const bool resolve_;
  EnvResolver resolver_;
};

Result<void> Check(const Invocation& invocation, const std::vector<std::string>& keys) {
  TRY(const DryRun dry_run, DryRunOf(invocation));
  if (invocation.Has("local") && dry_run == DryRun::kServer) {
    return Usage("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
  }
  if (invocation.Has("list") && !invocation.Get("output").empty()) {
    return Usage("--list and --output may not be specified together");
  }
  const bool from = !invocation.Get("from").empty();
  if (!keys.empty() && !from) {
    return Usage("when specifying --keys, a configmap or secret must be provided with --from");
  }
  if (from && invocation.Has("local")) {
    return Usage("--from asks the server for a config map or secret, which --local does not");
  }
  return {};
}

Result<Setting> SettingOf(const Invocation& invocation, const Streams& streams) {
  Setting setting{.done = "env updated",
                  .failed = "failed to patch env update to pod template: ",
                  .nothing =
                      "one or more resources must be specified as <resource> <name> or "
                      "<resource>/<name>"};
  TRY(const auto words, SplitWords(invocation.arguments(), &setting.resources));
  TRY(auto keys, PartsOption(invocation, "keys"));
  if (setting.resources.empty() && !invocation.Has("filename")) return setting;
  TRY_VOID(Check(invocation, keys));
  std::vector<std::string> all = invocation.All("env");
  all.insert(all.end(), words.begin(), words.end());
  TRY(Changes changes, ChangesOf(all));
  auto setter =
      std::make_shared<EnvSetter>(invocation, streams, std::move(changes), std::move(keys));
  setting.only_looks = invocation.Has("list");
  setting.check = [](const auto&) -> Result<void> { return {}; };
  setting.begin = [setter](Server* server) { return setter->Begin(server); };
  setting.apply = [setter](Server* server, JsonValue* object, std::vector<Error>*) {
    return setter->Apply(server, object);
  };
  return setting;
}

Outcome Run(const Invocation& invocation, const Streams& streams) {
  return RunSetting(SettingOf(invocation, streams), invocation, streams);
}

constexpr Option kOwnOptions[] = {
    {.name = "env",
     .letter = 'e',
     .value = "NAME=VALUE",
     .help = "as the arguments; - for lines of the standard input; may be given several times",
     .repeatable = true},
    {.name = "from",
     .value = "TYPE/NAME",
     .help = "a config map or secret: a variable for each of its keys, whose value stays there"},
    {.name = "keys",
     .value = "KEY,...",
     .help = "with --from, these keys alone",
     .repeatable = true},
    {.name = "prefix", .value = "TEXT", .help = "before the names of the variables that are set"},
    {.name = "overwrite",
     .value = "BOOL",
     .help = "false: a variable with another value is an error; true if not given",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "list", .help = "show the variables as they are or would be, and change nothing"},
    {.name = "resolve", .help = "with --list, values from config maps, secrets and fields, too"},
    kContainersOption,
    kSelectorOption,
    kKustomizeOption,
};
constexpr auto kOptions = WithSettingOptions(kOwnOptions);

}  // namespace

Command SetEnvCommand() {
  return {
      .name = "set env",
      .summary = "Change or show the environment of containers",
      .arguments = "TYPE NAME NAME=VALUE... NAME-... | -f FILE NAME=VALUE... NAME-...",
      .max_arguments = 100'000,
      .details = "Of pods, and of what makes pods; NAME- takes a variable away.",
      .example =
          "  podium set env deploy/web COLOR=red SIZE-\n"
          "  podium set env deploy/web --list --resolve\n"
          "  podium set env deploy/web --from=configmap/settings --prefix=WEB_\n"
          "  env | grep ^APP_ | podium set env deploy/web -e -\n",
      .options = kOptions,
      .live = Run,
  };
}

}  // namespace podium::cli
