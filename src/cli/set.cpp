// kubectl set image and set serviceaccount (upstream's k8s.io/kubectl/pkg/cmd/set, release 1.32);
// the other commands behind set are in the files set_*.cpp.
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "cli/set_objects.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

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
                  .failed = "failed to patch image update to pod template: "};
  TRY(const Images images, ImagesOf(invocation.arguments(), &setting.resources));
  setting.check = [images](const auto&) -> Result<void> {
    if (images.empty()) return Usage("at least one image update is required");
    if (images.size() == 1 || !images.contains("*")) return {};
    return Usage(
        "all containers are already specified by *, but saw more than one "
        "container_name=container_image pairs");
  };
  setting.apply = [images](Server*, JsonValue* object, std::vector<Error>* errors) -> Result<void> {
    TRY(JsonValue * spec, PodSpecOf(object));
    SetImages(images, spec, errors);
    return {};
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
  return Setting{
      .done = "serviceaccount updated",
      .failed = "failed to patch ServiceAccountName ",
      .always = true,
      .resources = std::move(words),
      .check = [](const auto&) -> Result<void> { return {}; },
      .apply = [account](Server*, JsonValue* object, std::vector<Error>*) -> Result<void> {
        TRY(JsonValue * spec, PodSpecOf(object));
        // The old name is an alias that is kept equal.
        spec->Set("serviceAccountName", JsonValue::String(account));
        return {};
      }};
}

Outcome RunAccount(const Invocation& invocation, const Streams& streams) {
  return RunSetting(AccountSetting(invocation), invocation, streams);
}

constexpr Option kImageOwn[] = {kSelectorOption, kKustomizeOption};
constexpr auto kImageOptions = WithSettingOptions(kImageOwn);
constexpr Option kAccountOwn[] = {kKustomizeOption};
constexpr auto kAccountOptions = WithSettingOptions(kAccountOwn);

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
      SetEnvCommand(),
      SetResourcesCommand(),
      SetSelectorCommand(),
      SetSubjectCommand(),
  };
  return {
      .name = "set",
      .summary = "Change images, environments and more in objects of a server",
      .example = "  podium set image deploy/web main=nginx:1.27\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
