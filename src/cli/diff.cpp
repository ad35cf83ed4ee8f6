#include "reflect/diff.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/diff_server.h"
#include "cli/input.h"
#include "cli/local_objects.h"
#include "cli/prune.h"
#include "cli/selection.h"
#include "cli/server_options.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

using reflect::Difference;
using reflect::JsonValue;

// As diff has it: 1 says that there are differences.
constexpr int kTrouble = 2;

Outcome Failure(const std::string& message) {
  return {kTrouble, {}, "podium diff: " + Printable(message) + '\n'};
}

// The object as seen from outside, whatever its version; of those without a name, the place.
std::string Identity(const LocalObject& object, size_t place) {
  const std::string name = object.header.name.empty() ? '#' + std::to_string(place + 1) : "";
  return object.Name() + name + '\0' + object.Namespace();
}

std::string Title(const LocalObject& object) {
  std::string title = object.Name();
  if (!object.header.namespace_.empty()) title += " in " + object.header.namespace_;
  return title;
}

struct ObjectDifference {
  const LocalObject* before = nullptr;  // null: only in the second
  const LocalObject* after = nullptr;   // null: only in the first
  std::vector<Difference> differences;
};

using Index = std::map<std::string, const LocalObject*>;

Result<Index> IndexOf(const std::vector<LocalObject>& objects) {
  Index index;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!index.emplace(Identity(objects[i], i), &objects[i]).second) {
      return Error(Code::kInvalidArgument, Title(objects[i]) + " is there twice");
    }
  }
  return index;
}

Result<std::vector<ObjectDifference>> Compare(const std::vector<LocalObject>& from,
                                              const std::vector<LocalObject>& to) {
  TRY(const Index before, IndexOf(from));
  TRY(const Index after, IndexOf(to));
  std::vector<ObjectDifference> out;
  for (size_t i = 0; i < from.size(); ++i) {
    const auto found = after.find(Identity(from[i], i));
    const LocalObject* other = found == after.end() ? nullptr : found->second;
    if (other == nullptr) {
      out.push_back({.before = &from[i], .after = nullptr, .differences = {}});
      continue;
    }
    const bool same_type = from[i].type == other->type;
    std::vector<Difference> differences =
        reflect::Differences(same_type ? from[i].type : nullptr, from[i].json, other->json);
    if (!differences.empty()) out.push_back({&from[i], other, std::move(differences)});
  }
  for (size_t i = 0; i < to.size(); ++i) {
    if (before.contains(Identity(to[i], i))) continue;
    out.push_back({.before = nullptr, .after = &to[i], .differences = {}});
  }
  return out;
}

std::string OrderText(const JsonValue& keys) {
  return Join(keys.array(), " ", [](const JsonValue& key) { return key.string(); });
}

std::string Line(const Difference& difference) {
  const std::string& path = difference.path;
  switch (difference.kind) {
    case Difference::Kind::kAdded:
      return "+ " + path + ": " + ToText(difference.after);
    case Difference::Kind::kRemoved:
      return "- " + path + ": " + ToText(difference.before);
    case Difference::Kind::kChanged:
      return "~ " + path + ": " + ToText(difference.before) + " -> " + ToText(difference.after);
    case Difference::Kind::kReordered:
      return "~ " + path + ": order " + OrderText(difference.before) + " -> " +
             OrderText(difference.after);
  }
  return {};
}

std::string TextReport(const std::vector<ObjectDifference>& differences) {
  std::string out;
  for (const ObjectDifference& each : differences) {
    if (each.after == nullptr) {
      out += "- " + Printable(Title(*each.before)) + '\n';
    } else if (each.before == nullptr) {
      out += "+ " + Printable(Title(*each.after)) + '\n';
    } else {
      out += "~ " + Printable(Title(*each.before)) + '\n';
      for (const Difference& one : each.differences) out += "  " + Printable(Line(one)) + '\n';
    }
  }
  return out;
}

void SetText(JsonValue* object, std::string_view key, std::string text) {
  if (!text.empty()) object->Set(key, JsonValue::String(std::move(text)));
}

JsonValue ToJson(const Difference& difference) {
  using Kind = Difference::Kind;
  JsonValue out = JsonValue::Of(JsonValue::Object());
  const Kind kind = difference.kind;
  SetText(&out, "change",
          kind == Kind::kAdded     ? "added"
          : kind == Kind::kRemoved ? "removed"
          : kind == Kind::kChanged ? "changed"
                                   : "reordered");
  SetText(&out, "field", difference.path);
  if (kind != Kind::kAdded) out.Set("before", difference.before);
  if (kind != Kind::kRemoved) out.Set("after", difference.after);
  return out;
}

std::string JsonReport(const std::vector<ObjectDifference>& differences) {
  JsonValue::Array objects;
  for (const ObjectDifference& each : differences) {
    const LocalObject& object = each.before ? *each.before : *each.after;
    JsonValue& out = objects.emplace_back(JsonValue::Of(JsonValue::Object()));
    SetText(&out, "apiVersion", object.header.api_version);
    SetText(&out, "kind", object.header.kind);
    SetText(&out, "namespace", object.header.namespace_);
    SetText(&out, "name", object.header.name);
    SetText(&out, "change", !each.after ? "removed" : !each.before ? "added" : "changed");
    if (each.differences.empty()) continue;
    JsonValue::Array fields;
    for (const Difference& one : each.differences) fields.push_back(ToJson(one));
    out.Set("fields", JsonValue::Of(std::move(fields)));
  }
  JsonValue report = JsonValue::Of(JsonValue::Object());
  report.Set("objects", JsonValue::Of(std::move(objects)));
  return ToText(report, {.indent = 2}) + '\n';
}

// Of options that the other meaning of the command has.
std::string Misplaced(const Invocation& invocation, std::initializer_list<const char*> options) {
  for (const char* option : options) {
    if (invocation.Has(option)) return std::string("--") + option;
  }
  return {};
}

Outcome DiffFiles(const Invocation& invocation) {
  const std::vector<std::string>& names = invocation.arguments();
  if (names.size() != 2) return UsageError("diff", "which two files or folders?");
  const std::string other =
      Misplaced(invocation, {"filename", "kustomize", "selector", "server-side", "force-conflicts",
                             "field-manager", "prune", "prune-allowlist", "show-managed-fields"});
  if (!other.empty()) {
    return UsageError("diff", other + " compares with a server; two files stand alone");
  }
  if (NamesStandardInputTwice(names)) {
    return UsageError("diff", "the standard input (-) can be read only once");
  }
  const LocalOptions options{.recursive = invocation.Has("recursive"),
                             .set_defaults = invocation.Has("defaults")};
  const LocalObjects before = ReadLocalObjects({names[0]}, options);
  const LocalObjects after = ReadLocalObjects({names[1]}, options);
  if (const std::string errors = before.errors + after.errors; !errors.empty()) {
    return {kTrouble, {}, errors};
  }
  const auto differences = Compare(before.objects, after.objects);
  if (!differences.ok()) return Failure(differences.error().message());
  const bool json = invocation.Get("output", "text") == "json";
  return {differences->empty() ? kOk : kFailed,
          json ? JsonReport(*differences) : TextReport(*differences),
          {}};
}

Outcome RunDiff(const Invocation& invocation, const Streams& streams) {
  if (!invocation.arguments().empty()) return DiffFiles(invocation);
  const std::string other = Misplaced(invocation, {"defaults", "output"});
  if (other.empty()) return DiffWithServer(invocation, streams);
  return UsageError("diff", other + " is of two files, which stand alone: podium diff FILE FILE");
}

constexpr Option kOwnOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    kSelectorOption,
    {.name = "server-side", .help = "the server merges, as apply --server-side does"},
    {.name = "force-conflicts", .help = "take over what others own"},
    {.name = "field-manager",
     .value = "NAME",
     .help = "who would apply; the same as with kubectl if not given"},
    {.name = "prune", .help = "also what apply --prune would delete"},
    kPruneAllowlistOption,
    {.name = "show-managed-fields", .help = "metadata.managedFields too"},
    {.name = "defaults",
     .help = "of two files: fill in defaults first, what is left out is what it means"},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "of two files: form of the report",
     .values = Values::kWords,
     .words = "text json"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command DiffCommand() {
  return {
      .name = "diff",
      .summary = "Show what apply would change, or how two files differ",
      .arguments = "-f FILE | FILE FILE",
      .max_arguments = 2,
      .values = Values::kFiles,
      .details =
          "With -f the objects of the files are compared with the server's: as they are, and as "
          "they would be, which the server says itself, without storing it. The texts are shown by "
          "diff -u -N, or by the program in KUBECTL_EXTERNAL_DIFF. Values of secrets are not "
          "shown.\n"
          "Two files that stand alone are compared with each other, without a server: objects of "
          "the same kind, namespace and name, field by field. The order of fields, the form of the "
          "file and how a quantity or a time is written make no difference; elements of lists are "
          "told apart by their keys, as in patches. Lines begin with - for what only the first "
          "has, + for what only the second has, and ~ for what is not the same in both.\n"
          "The exit status is 0 when there are no differences, 1 when there are, and more when "
          "something cannot be read or asked for, or the command line is wrong.",
      .example =
          "  podium diff -f app.yaml\n"
          "  podium diff -f deploy/ -R --prune -l app=shop\n"
          "  podium diff old.yaml new.yaml\n"
          "  podium diff -R deploy-a/ deploy-b/ --defaults -o json\n"
          "  podium convert -f pod.pb | podium diff - pod.yaml\n",
      .options = kOptions,
      .live = RunDiff,
  };
}

}  // namespace podium::cli
