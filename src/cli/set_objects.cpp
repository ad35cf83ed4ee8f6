#include "cli/set_objects.h"

#include <algorithm>
#include <utility>

#include "api/scheme.h"
#include "base/text.h"
#include "cli/json_members.h"
#include "cli/local_objects.h"
#include "cli/object_maker.h"
#include "cli/server_errors.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Where the spec of the pods stands in objects of a kind.
struct PodSpecPlace {
  const char* group;
  const char* kind;
  std::vector<const char*> way;
};

const std::vector<PodSpecPlace>& PodSpecPlaces() {
  static const std::vector<const char*> kOwn = {"spec"};
  static const std::vector<const char*> kTemplate = {"spec", "template", "spec"};
  static const std::vector<PodSpecPlace> kPlaces = {
      {"", "Pod", kOwn},
      {"", "ReplicationController", kTemplate},
      {"apps", "DaemonSet", kTemplate},
      {"apps", "Deployment", kTemplate},
      {"apps", "ReplicaSet", kTemplate},
      {"apps", "StatefulSet", kTemplate},
      {"batch", "Job", kTemplate},
      {"batch", "CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}},
  };
  return kPlaces;
}

// One run of a command.
class Setter {
 public:
  Setter(const Setting& setting, DryRun dry_run, ChangePrinter& printer, Server* server,
         Writer* writer)
      : setting_(setting), dry_run_(dry_run), printer_(printer), server_(server), writer_(writer) {}

  // As kubectl does it patches are made of all objects before one is sent. `name` is what errors
  // call it: "deployments/web".
  void Prepare(Selected item, const std::string& name) {
    if (JsonValue* metadata = item.object.Find("metadata");
        setting_.pinned && metadata && metadata->is_object()) {
      (void)metadata->Erase("resourceVersion");
    }
    JsonValue after = item.object;
    const auto applied = setting_.apply(server_, &after, &errors_);
    if (!applied.ok()) {
      late_.push_back(setting_.names_objects
                          ? Usage("error: " + name + " " + applied.error().message())
                          : applied.error());
      return;
    }
    if (!setting_.only_looks) pending_.push_back({std::move(item), std::move(after)});
  }

  Outcome Finish() {
    for (auto& [item, after] : pending_) {
      if (auto sent = Send(item, std::move(after)); !sent.ok()) {
        late_.push_back(std::move(sent).error());
      }
    }
    errors_.insert(errors_.end(), late_.begin(), late_.end());
    if (errors_.empty()) return {kOk, std::move(out_), {}};
    return ServerFailure(errors_, std::move(out_));
  }

 private:
  Result<void> Send(const Selected& item, JsonValue after) {
    const reflect::Type* type = api::FindType(TextOf(after, "apiVersion"), TextOf(after, "kind"));
    if (!type) return Error(Code::kInternal, "no type of " + std::string(TextOf(after, "kind")));
    TRY(const JsonValue patch, reflect::MakeStrategicPatch(*type, item.object, after));
    if (patch.object().empty() && !setting_.always) return {};
    if (writer_ && dry_run_ != DryRun::kClient) {
      auto answer =
          writer_->Patch(item, {.content_type = kStrategicPatch, .body = reflect::ToText(patch)});
      if (!answer.ok()) {
        if (std::string_view(setting_.failed).empty()) return answer.error();
        return Usage(setting_.failed + answer.error().message());
      }
      after = *std::move(answer);
    }
    TRY(after, AsStruct(*type, after));
    return printer_.Print(after, setting_.done, &out_);
  }

  const Setting& setting_;
  const DryRun dry_run_;
  ChangePrinter& printer_;
  Server* const server_;  // null, as the writer is: nothing is asked and sent
  Writer* const writer_;
  std::vector<std::pair<Selected, JsonValue>> pending_;
  std::vector<Error> errors_;
  std::vector<Error> late_;
  std::string out_;
};

Result<Outcome> SetLocally(const Setting& setting, const Invocation& invocation, DryRun dry_run) {
  if (!setting.resources.empty() || !invocation.Has("filename")) {
    return Usage(
        "you must specify resources by --filename when --local is set.\n"
        "Example resource specifications include:\n"
        "   '-f rsrc.yaml'\n"
        "   '--filename=rsrc.json'");
  }
  if (setting.begin) TRY_VOID(setting.begin(nullptr));
  const LocalObjects files =
      ReadLocalObjects(invocation.All("filename"), {.recursive = IsRecursive(invocation)});
  if (!files.errors.empty()) return Outcome{kFailed, {}, files.errors};
  std::vector<JsonValue> objects;
  objects.reserve(files.objects.size());
  for (const LocalObject& object : files.objects) {
    TRY_VOID(RequireNamespace(invocation.Get("namespace"), object.source));
    objects.push_back(object.source);
  }
  TRY_VOID(setting.check(objects));
  if (dry_run == DryRun::kServer) {
    return Usage("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
  }
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run, MemberOrder::kAsTheyStand));
  Setter setter(setting, dry_run, printer, nullptr, nullptr);
  for (const LocalObject& object : files.objects) {
    setter.Prepare({.object = object.source},
                   LowerCase(object.header.kind) + "/" + object.header.name);
  }
  return setter.Finish();
}

Result<Outcome> SetOnServer(const Setting& setting, const Invocation& invocation,
                            const Streams& streams, DryRun dry_run) {
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run, MemberOrder::kAsTheyStand));
  TRY(const auto server, Server::Of(invocation, streams));
  if (setting.begin) TRY_VOID(setting.begin(server.get()));
  TRY(const Selection selection,
      Select(*server, invocation, setting.resources, {.type_alone = false}));
  Writer writer(*server, dry_run, CreateManagerOf(invocation, "kubectl-set"), "");
  std::vector<Error> errors = selection.errors;
  Setter setter(setting, dry_run, printer, server.get(), &writer);
  std::vector<Selected> items = FetchAll(*server, invocation, selection, {}, &errors);
  if (!errors.empty()) return ServerFailure(errors);
  std::vector<JsonValue> objects;
  objects.reserve(items.size());
  for (const Selected& item : items) objects.push_back(item.object);
  TRY_VOID(setting.check(objects));
  for (Selected& item : items) {
    const std::string name = item.resource->plural + "/" + item.name;
    setter.Prepare(std::move(item), name);
  }
  return setter.Finish();
}

}  // namespace

Outcome RunSetting(Result<Setting> setting, const Invocation& invocation, const Streams& streams) {
  if (!setting.ok()) return ServerFailure(setting.error());
  const auto dry_run = DryRunOf(invocation);
  if (!dry_run.ok()) return ServerFailure(dry_run.error());
  if (setting->nothing && setting->resources.empty() && !invocation.Has("filename")) {
    return ServerFailure(Usage(setting->nothing));
  }
  if (invocation.Has("all") && !invocation.Get("selector").empty()) {
    return ServerFailure(Usage("cannot set --all and --selector at the same time"));
  }
  auto outcome = invocation.Has("local") ? SetLocally(*setting, invocation, *dry_run)
                                         : SetOnServer(*setting, invocation, streams, *dry_run);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

Result<JsonValue*> PodSpecOf(JsonValue* object) {
  const std::string_view api_version = TextOf(*object, "apiVersion");
  const std::string kind(TextOf(*object, "kind"));
  const size_t slash = api_version.find('/');
  const std::string_view group =
      slash == api_version.npos ? std::string_view() : api_version.substr(0, slash);
  const std::string version(api_version.substr(slash == api_version.npos ? 0 : slash + 1));
  const auto place = std::ranges::find_if(PodSpecPlaces(), [&](const PodSpecPlace& each) {
    return each.group == group && each.kind == kind;
  });
  if (place == PodSpecPlaces().end()) {
    return Usage("the object is not a pod or does not have a pod template: *" + version + "." +
                 kind);
  }
  JsonValue* at = object;
  for (const char* key : place->way) {
    if (at->is_object() && !at->Find(key)) at->Set(key, JsonValue::Of(JsonValue::Object()));
    at = at->is_object() ? at->Find(key) : nullptr;
    if (!at || !at->is_object()) return Usage("the object's " + std::string(key) + " is no object");
  }
  return at;
}

std::vector<JsonValue*> ContainersOf(JsonValue* spec,
                                     const std::function<bool(std::string_view)>& means,
                                     std::initializer_list<const char*> lists) {
  std::vector<JsonValue*> out;
  for (const char* key : lists) {
    JsonValue* list = spec->Find(key);
    if (!list || !list->is_array()) continue;
    for (JsonValue& container : list->array()) {
      if (container.is_object() && means(TextOf(container, "name"))) out.push_back(&container);
    }
  }
  return out;
}

bool MatchesWildcard(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // Each part between two stars where it comes first; what is behind the last one at the end.
  for (size_t next = pattern.find('*'); next != pattern.npos; next = pattern.find('*')) {
    const size_t at = name.find(pattern.substr(0, next));
    if (at == name.npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
  return name.ends_with(pattern);
}

}  // namespace podium::cli
