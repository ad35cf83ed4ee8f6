#include "api/describe.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/printed_text.h"
#include "api/scheme.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/chunks.h"
#include "cli/commands.h"
#include "cli/describe_server.h"
#include "cli/input.h"
#include "cli/local_objects.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using reflect::Object;
using reflect::ObjectPtr;

int32_t UtcOffset(api::Time moment) {
  const time_t seconds = moment.unix_seconds();
  tm local = {};
  return localtime_r(&seconds, &local) == nullptr ? 0 : static_cast<int32_t>(local.tm_gmtoff);
}

// What the arguments ask for: a kind, and its objects of some names or all.
struct Target {
  const api::Resource* resource = nullptr;  // null: of a kind that is not built in
  std::string word;                         // as it was typed
  std::vector<std::string> names;

  // By group and kind, whatever the version.
  bool IsOfKind(const reflect::ObjectHeader& header) const {
    if (resource == nullptr) return EqualsIgnoringCase(header.kind, word);
    const auto version = api::ParseApiVersion(header.api_version);
    return version && version->group == resource->group && header.kind == resource->kind;
  }
  std::string Plural() const { return resource ? std::string(resource->plural) : word; }
};

// Nothing without arguments. "TYPE NAME...", "TYPE/NAME...", "TYPE".
std::optional<Target> TargetOf(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return std::nullopt;
  Target target;
  const size_t slash = arguments.front().find('/');
  target.word = arguments.front().substr(0, slash);
  target.resource = api::ResolveResource(target.word);
  if (slash != std::string::npos) target.names.push_back(arguments.front().substr(slash + 1));
  for (size_t i = 1; i < arguments.size(); ++i) {
    const size_t its_slash = slash == std::string::npos ? slash : arguments[i].find('/');
    target.names.push_back(arguments[i].substr(its_slash == std::string::npos ? 0 : its_slash + 1));
  }
  return target;
}

// Of `all`, those of the target, in its order of names; where none is called like a name, those
// whose names begin with it, as kubectl does.
Result<std::vector<ObjectPtr>> Select(const std::vector<ObjectPtr>& all, const Target& target) {
  std::vector<ObjectPtr> of_kind;
  for (const ObjectPtr& object : all) {
    if (target.IsOfKind(object->header())) of_kind.push_back(object);
  }
  if (target.names.empty()) return of_kind;
  std::vector<ObjectPtr> out;
  for (const std::string& name : target.names) {
    const size_t before = out.size();
    const auto add_if = [&](auto is_meant) {
      for (const ObjectPtr& object : of_kind) {
        if (is_meant(std::string_view(object->header().name))) out.push_back(object);
      }
      return out.size() != before;
    };
    const bool found = add_if([&](std::string_view its) { return its == name; }) ||
                       add_if([&](std::string_view its) { return its.starts_with(name); });
    if (!found) {
      return Error(Code::kNotFound, target.Plural() + " \"" + name + "\" not found");
    }
  }
  return out;
}

// As a server would keep it: with a namespace.
Result<ObjectPtr> ObjectOf(LocalObject local) {
  const std::string name_space = local.Namespace();
  JsonValue* metadata = local.json.Find("metadata");
  if (metadata && name_space != local.header.namespace_) {
    metadata->Set("namespace", JsonValue::String(name_space));
  }
  return Object::FromJson(ToText(local.json), local.type);
}

// A list stands for its items, which need not say what they are.
Result<void> AddObjects(LocalObject local, std::vector<ObjectPtr>* out) {
  const JsonValue* items = local.json.Find("items");
  const std::string& kind = local.header.kind;
  if (!kind.ends_with("List") || !items || !items->is_array()) {
    TRY(ObjectPtr object, ObjectOf(std::move(local)));
    out->push_back(std::move(object));
    return {};
  }
  const std::string item_kind = kind.substr(0, kind.size() - std::string_view("List").size());
  for (JsonValue item : items->array()) {
    if (!item.is_object()) continue;
    if (!item.Find("kind")) item.Set("kind", JsonValue::String(item_kind));
    if (!item.Find("apiVersion")) {
      item.Set("apiVersion", JsonValue::String(local.header.api_version));
    }
    TRY(const reflect::ObjectHeader header, reflect::ReadHeader(ToText(item)));
    TRY(LocalObject object,
        ToLocalObject(api::FindType(header.api_version, header.kind), item, true));
    TRY_VOID(AddObjects(std::move(object), out));
  }
  return {};
}

Result<std::string> DescribeAll(const std::vector<ObjectPtr>& objects,
                                const std::vector<ObjectPtr>& related,
                                const Invocation& invocation) {
  TRY(const auto others, api::RelatedObjects::Create(related));
  const api::DescribeOptions options = {.now = Today(),
                                        .utc_offset = UtcOffset,
                                        .show_events = invocation.Get("show-events") != "false",
                                        .related = &others};
  std::string out;
  for (const ObjectPtr& object : objects) {
    if (!out.empty()) out += "\n\n";
    TRY(const std::string text, api::Describe(*object, options));
    out += text;
  }
  return isatty(STDOUT_FILENO) != 0 ? Printable(out, true) : out;
}

Outcome Describe(const std::vector<ObjectPtr>& objects, const std::vector<ObjectPtr>& related,
                 const Invocation& invocation) {
  Result<std::string> text = DescribeAll(objects, related, invocation);
  if (!text.ok()) return Failed("describe", text.error());
  return {kOk, *std::move(text), {}};
}

// Without a target, everything but events, which stand below what they tell of.
Result<std::vector<ObjectPtr>> Selected(std::vector<ObjectPtr> all,
                                        const std::optional<Target>& target,
                                        const Invocation& invocation) {
  if (invocation.Has("namespace")) {
    std::erase_if(all, [&](const ObjectPtr& object) {
      return object->header().namespace_ != invocation.Get("namespace");
    });
  }
  if (target) return Select(all, *target);
  if (std::ranges::all_of(all, [](const ObjectPtr& o) { return o->header().kind == "Event"; })) {
    return all;
  }
  std::erase_if(all, [](const ObjectPtr& object) { return object->header().kind == "Event"; });
  return all;
}

Outcome DescribeFiles(const std::vector<std::string>& names, const std::optional<Target>& target,
                      const Invocation& invocation) {
  if (NamesStandardInputTwice(names)) {
    return UsageError("describe", "the standard input (-) can be read only once");
  }
  LocalObjects local =
      ReadLocalObjects(names, {.recursive = invocation.Has("recursive"), .set_defaults = true});
  if (!local.errors.empty()) return {kFailed, {}, std::move(local.errors)};
  std::vector<ObjectPtr> all;
  for (LocalObject& object : local.objects) {
    const Result<void> added = AddObjects(std::move(object), &all);
    if (!added.ok()) return Failed("describe", added.error());
  }
  const auto selected = Selected(all, target, invocation);
  if (!selected.ok()) return Failed("describe", selected.error());
  if (selected->empty()) {
    return Failed("describe", Error(Code::kNotFound, names.front() + ": holds no such objects"));
  }
  return Describe(*selected, all, invocation);
}

// Objects of a server, each with what is around it.
Outcome DescribeServed(Server& server, const Invocation& invocation, const Selection& selection) {
  if (const auto checked = CheckChunkSize(invocation); !checked.ok()) {
    return ServerFailure(checked.error());
  }
  std::vector<Error> errors = selection.errors;
  const bool events = invocation.Get("show-events") != "false";
  std::string out;
  for (const DescribedObject& each :
       FetchDescribed(server, invocation, selection, events, &errors)) {
    const Result<std::string> text = DescribeAll({each.object}, each.related, invocation);
    if (!text.ok()) {
      errors.push_back(text.error());
      continue;
    }
    if (!out.empty()) out += "\n\n";
    out += *text;
  }
  if (!errors.empty()) return ServerFailure(errors, std::move(out));
  if (out.empty() && server.is_agent()) {
    return {kOk, {}, "No pods are here. Run one: podium play pod.yaml\n"};
  }
  if (out.empty() && invocation.Has("all-namespaces")) return {kOk, {}, "No resources found\n"};
  if (out.empty()) {
    return {kOk, {}, "No resources found in " + server.namespace_() + " namespace.\n"};
  }
  return {kOk, std::move(out), {}};
}

Outcome RunDescribe(const Invocation& invocation, const Streams& streams) {
  const std::optional<Target> target = TargetOf(invocation.arguments());
  const std::vector<std::string> names = invocation.All("filename");
  if (!names.empty()) return DescribeFiles(names, target, invocation);
  if (!target) return UsageError("describe", "which object? name a pod, or files with -f");
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  const auto selection = Select(**server, invocation, invocation.arguments(), {});
  if (!selection.ok()) return ServerFailure(selection.error());
  return DescribeServed(**server, invocation, *selection);
}

constexpr Option kOwnOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    kSelectorOption,
    kAllNamespacesOption,
    kChunkSizeOption,
    {.name = "show-events",
     .value = "WHETHER",
     .help = "events below what they tell of; true if not given",
     .values = Values::kWords,
     .words = "true false"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command DescribeCommand() {
  return {
      .name = "describe",
      .summary = "Describe objects and what is related to them, as kubectl does",
      .arguments = "[TYPE [NAME...] | TYPE/NAME...]",
      .max_arguments = 100'000,
      .details =
          "Describes objects of the server, or pods of this machine where there is none; or, with "
          "-f, the objects of files, without asking anybody: those of the type and "
          "names given, or all but events. What else the files hold is taken for what a cluster "
          "would hold: events, a node's pods, a Deployment's ReplicaSets, a Service's "
          "EndpointSlices stand where kubectl shows them. So a dump of a cluster can be read "
          "without it. Fields that were left out have their defaults.\n"
          "A name may be the beginning of one. Times are local.",
      .example =
          "  podium describe pod web\n"
          "  podium describe nodes\n"
          "  podium describe -f pod.yaml\n"
          "  kubectl get all,events,nodes -A -o json > dump.json\n"
          "  podium describe -f dump.json node/worker-1\n",
      .options = kOptions,
      .live = RunDescribe,
  };
}

}  // namespace podium::cli
