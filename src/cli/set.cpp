// kubectl set image and set serviceaccount (upstream's k8s.io/kubectl/pkg/cmd/set, release
// 1.32): what pods are made of, in pods and in what makes pods.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/local_objects.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "reflect/go_text.h"
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

// The containers of which `means` is true, init containers first; as they are in the spec.
std::vector<JsonValue*> ContainersOf(JsonValue* spec,
                                     const std::function<bool(std::string_view)>& means) {
  std::vector<JsonValue*> out;
  for (const char* key : {"initContainers", "containers"}) {
    JsonValue* list = spec->Find(key);
    if (!list || !list->is_array()) continue;
    for (JsonValue& container : list->array()) {
      if (container.is_object() && means(TextOf(container, "name"))) out.push_back(&container);
    }
  }
  return out;
}

// What one of the commands does to a spec.
struct Setting {
  const char* done;    // "image updated"
  const char* failed;  // what stands before a server's error
  bool always;         // sent and shown also where nothing changes
  std::vector<std::string> resources;
  // What is wrong with the arguments; looked at when the objects are known, as kubectl does.
  std::function<Result<void>()> check;
  std::function<void(JsonValue* spec, std::vector<Error>* errors)> apply;
};

// One run of a command.
class Setter {
 public:
  Setter(const Setting& setting, DryRun dry_run, ChangePrinter& printer, Writer* writer)
      : setting_(setting), dry_run_(dry_run), printer_(printer), writer_(writer) {}

  // As kubectl does it patches are made of all objects before one is sent. `name` is what errors
  // call it: "deployments/web".
  void Prepare(Selected item, const std::string& name) {
    JsonValue after = item.object;
    const auto spec = PodSpecOf(&after);
    if (!spec.ok()) {
      late_.push_back(Usage("error: " + name + " " + spec.error().message()));
      return;
    }
    setting_.apply(*spec, &errors_);
    pending_.push_back({std::move(item), std::move(after)});
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
      if (!answer.ok()) return Usage(setting_.failed + answer.error().message());
      after = *std::move(answer);
    }
    return printer_.Print(after, setting_.done, &out_);
  }

  const Setting& setting_;
  const DryRun dry_run_;
  ChangePrinter& printer_;
  Writer* const writer_;  // null: nothing is sent
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
  const LocalObjects files =
      ReadLocalObjects(invocation.All("filename"), {.recursive = invocation.Has("recursive")});
  if (!files.errors.empty()) return Outcome{kFailed, {}, files.errors};
  TRY_VOID(setting.check());
  if (dry_run == DryRun::kServer) {
    return Usage("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
  }
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run));
  Setter setter(setting, dry_run, printer, nullptr);
  for (const LocalObject& object : files.objects) {
    setter.Prepare({.object = object.source},
                   LowerCase(object.header.kind) + "/" + object.header.name);
  }
  return setter.Finish();
}

Result<Outcome> SetOnServer(const Setting& setting, const Invocation& invocation,
                            const Streams& streams, DryRun dry_run) {
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection,
      Select(*server, invocation, setting.resources, {.type_alone = false}));
  Writer writer(*server, dry_run, CreateManagerOf(invocation, "kubectl-set"), "");
  std::vector<Error> errors = selection.errors;
  Setter setter(setting, dry_run, printer, &writer);
  std::vector<Selected> items = FetchAll(*server, invocation, selection, {}, &errors);
  if (!errors.empty()) return ServerFailure(errors);
  TRY_VOID(setting.check());
  for (Selected& item : items) {
    const std::string name = item.resource->plural + "/" + item.name;
    setter.Prepare(std::move(item), name);
  }
  return setter.Finish();
}

Outcome RunSetting(Result<Setting> setting, const Invocation& invocation, const Streams& streams) {
  if (!setting.ok()) return ServerFailure(setting.error());
  const auto dry_run = DryRunOf(invocation);
  if (!dry_run.ok()) return ServerFailure(dry_run.error());
  if (invocation.Has("all") && !invocation.Get("selector").empty()) {
    return ServerFailure(Usage("cannot set --all and --selector at the same time"));
  }
  auto outcome = invocation.Has("local") ? SetLocally(*setting, invocation, *dry_run)
                                         : SetOnServer(*setting, invocation, streams, *dry_run);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

using Images = std::map<std::string, std::string>;

// CONTAINER=IMAGE... behind the words that name objects.
Result<Images> ImagesOf(const std::vector<std::string>& words,
                        std::vector<std::string>* resources) {
  Images images;
  std::vector<std::string> wrong;
  bool any = false;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const bool pair = equals != word.npos && equals != 0;
    const bool change = pair || (word.ends_with('-') && word != "-");
    if (!change) {
      if (any) return Usage("all resources must be specified before image changes: " + word);
      resources->push_back(word);
      continue;
    }
    any = true;
    if (pair) {
      images[word.substr(0, equals)] = word.substr(equals + 1);
    } else {
      wrong.push_back(word);
    }
  }
  if (!wrong.empty()) return Usage("invalid image format: " + Join(wrong, ", "));
  return images;
}

void SetImages(const Images& images, JsonValue* spec, std::vector<Error>* errors) {
  for (const auto& [name, image] : images) {
    const auto containers =
        ContainersOf(spec, [&](std::string_view its) { return name == "*" || its == name; });
    for (JsonValue* container : containers) container->Set("image", JsonValue::String(image));
    if (!containers.empty()) continue;
    errors->push_back(Usage("error: unable to find container named " + reflect::GoQuoted(name)));
  }
}

Result<Setting> ImageSetting(const Invocation& invocation) {
  Setting setting{.done = "image updated",
                  .failed = "failed to patch image update to pod template: ",
                  .always = false,
                  .resources = {},
                  .check = {},
                  .apply = {}};
  TRY(const Images images, ImagesOf(invocation.arguments(), &setting.resources));
  setting.check = [images]() -> Result<void> {
    if (images.empty()) return Usage("at least one image update is required");
    if (images.size() == 1 || !images.contains("*")) return {};
    return Usage(
        "all containers are already specified by *, but saw more than one "
        "container_name=container_image pairs");
  };
  setting.apply = [images](JsonValue* spec, std::vector<Error>* errors) {
    SetImages(images, spec, errors);
  };
  return setting;
}

Outcome RunImage(const Invocation& invocation, const Streams& streams) {
  return RunSetting(ImageSetting(invocation), invocation, streams);
}

Result<Setting> AccountSetting(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments();
  if (words.empty()) return Usage("serviceaccount is required");
  const std::string account = words.back();
  words.pop_back();
  return Setting{.done = "serviceaccount updated",
                 .failed = "failed to patch ServiceAccountName ",
                 .always = true,
                 .resources = std::move(words),
                 .check = []() -> Result<void> { return {}; },
                 .apply =
                     [account](JsonValue* spec, std::vector<Error>*) {
                       // The old name is an alias that is kept equal.
                       spec->Set("serviceAccountName", JsonValue::String(account));
                     }};
}

Outcome RunAccount(const Invocation& invocation, const Streams& streams) {
  return RunSetting(AccountSetting(invocation), invocation, streams);
}

constexpr Option kAllOption = {.name = "all", .help = "all objects of the types"};
constexpr Option kLocalOption = {.name = "local",
                                 .help = "change what is in files; no server is asked"};

constexpr Option kSelectingOptions[] = {
    kAllOption,       kSelectorOption,          kFilenameOption,
    kRecursiveOption, kKustomizeOption,         kLocalOption,
    kDryRunOption,    kCreateManagerOption,     kChangedOutputOption,
    kTemplateOption,  kShowManagedFieldsOption,
};
constexpr auto kImageOptions = WithServerOptions(kSelectingOptions);
constexpr Option kPlainOptions[] = {
    kAllOption,           kFilenameOption,
    kRecursiveOption,     kKustomizeOption,
    kLocalOption,         kDryRunOption,
    kCreateManagerOption, kChangedOutputOption,
    kTemplateOption,      kShowManagedFieldsOption,
};
constexpr auto kAccountOptions = WithServerOptions(kPlainOptions);

}  // namespace

Command SetCommand() {
  static const Command kCommands[] = {
      {.name = "set image",
       .summary = "Change the images of containers",
       .arguments = "TYPE NAME CONTAINER=IMAGE... | -f FILE CONTAINER=IMAGE...",
       .max_arguments = 100'000,
       .details = "Of pods, and of what makes pods; * is every container, init containers too.",
       .example = "  podium set image deploy/web main=nginx:1.27\n"
                  "  podium set image deploy --all '*=registry.example/app:2'\n"
                  "  podium set image -f app.yaml main=nginx:1.27 --local -o yaml\n",
       .options = kImageOptions,
       .live = RunImage},
      {.name = "set serviceaccount",
       .summary = "Change the service account that pods run as",
       .arguments = "TYPE NAME ACCOUNT | -f FILE ACCOUNT",
       .max_arguments = 100'000,
       .example = "  podium set serviceaccount deploy web robot\n",
       .options = kAccountOptions,
       .live = RunAccount},
  };
  return {
      .name = "set",
      .summary = "Change an image or a service account in objects of a server",
      .example = "  podium set image deploy/web main=nginx:1.27\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
