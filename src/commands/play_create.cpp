#include "commands/play_create.h"

#include <optional>
#include <utility>

#include "base/trace.h"
#include "cli/pod_removal.h"
#include "client/paths.h"
#include "reflect/json.h"

namespace podium::commands {
namespace {

bool HasEnded(const v1::Pod& pod) {
  return pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
}

// The pod of that name, if there is one.
Result<std::optional<v1::Pod>> Find(const client::Client& client, const v1::Pod& pod) {
  if (pod.metadata.name.empty()) return std::optional<v1::Pod>();
  auto found = client.Get<v1::Pod>({pod.metadata.namespace_, pod.metadata.name});
  if (found.ok()) return std::optional(*std::move(found));
  if (found.error().code() == Code::kNotFound) return std::optional<v1::Pod>();
  return std::move(found).error();
}

// Takes the place of what is there.
template <class T>
Result<void> Put(const client::Client& client, const T& object, const char* kind,
                 std::vector<std::string>* notes) {
  const client::ObjectKey key{object.metadata.namespace_, object.metadata.name};
  const auto before = client.Get<T>(key);
  if (!before.ok() && before.error().code() == Code::kNotFound) {
    auto created = client.Create(object);
    if (!created.ok()) return std::move(created).error();
    return {};
  }
  auto updated = client.Update(object);
  if (!updated.ok()) return std::move(updated).error();
  const bool same =
      before.ok() && before->metadata.resourceVersion == updated->metadata.resourceVersion;
  notes->push_back(std::string(kind) + '/' + key.name + (same ? " unchanged" : " updated"));
  return {};
}

Error AlreadyThere(const v1::Pod& pod) {
  const std::string name = NameOf(pod);
  return Error(Code::kAlreadyExists, "pods \"" + name +
                                         "\" already exists; stop it first: podium stop " + name +
                                         ", or podium play --down FILE; podium play -d FILE brings "
                                         "what may be changed to it");
}

// One that runs, as the file has it.
Result<v1::Pod> Update(const client::Client& client, const v1::Pod& before, const v1::Pod& pod,
                       std::vector<std::string>* notes) {
  auto updated = client.Update(pod);
  if (!updated.ok()) {
    const Code code = updated.error().code();
    if (code != Code::kInvalidArgument) return std::move(updated).error();
    const std::string name = NameOf(pod);
    return Error(code, updated.error().message() +
                           "; to run it as the file has it, stop it first: podium stop " + name +
                           ", or podium play --down FILE");
  }
  const bool same = updated->metadata.resourceVersion == before.metadata.resourceVersion;
  notes->push_back("pod/" + NameOf(pod) + (same ? " unchanged" : " updated"));
  return updated;
}

// The agent notes the times of the start's steps, which is no option of upstream's.
Result<v1::Pod> CreateTraced(const client::Client& client, const v1::Pod& pod) {
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<v1::Pod>(), {pod.metadata.namespace_, ""}));
  TRY(const std::string path, client::PathOf(target));
  TRY(const std::string body, reflect::ToJson(pod));
  TRY(const std::string made, client.Raw("POST", path, "trace=true", body));
  return reflect::FromJson<v1::Pod>(made, {.strict = false});
}

}  // namespace

Result<PlayResult> CreatePlayObjects(const client::Client& client, const PlayObjects& objects,
                                     const PlayOptions& options) {
  std::vector<std::optional<v1::Pod>> before;
  std::vector<v1::Pod> ended;
  for (const v1::Pod& pod : objects.pods) {
    TRY(auto found, Find(client, pod));
    const bool again = found && HasEnded(*found);
    if (found && !again && options.only_new) return AlreadyThere(pod);
    if (again) ended.push_back(*found);
    before.push_back(std::move(found));
  }
  PlayResult result;
  for (const v1::ConfigMap& map : objects.config_maps) {
    TRY_VOID(Put(client, map, "configmap", &result.notes));
  }
  for (const v1::Secret& secret : objects.secrets) {
    TRY_VOID(Put(client, secret, "secret", &result.notes));
  }
  TRY_VOID(cli::RemovePods(client, ended, std::nullopt));
  std::vector<v1::Pod> made;
  for (size_t i = 0; i < objects.pods.size(); ++i) {
    const v1::Pod& pod = objects.pods[i];
    const bool runs = before[i] && !HasEnded(*before[i]);
    const int64_t asked = TraceNow();
    auto pod_now = runs ? Update(client, *before[i], pod, &result.notes)
                        : (options.trace ? CreateTraced(client, pod) : client.Create(pod));
    if (!pod_now.ok()) {
      (void)cli::RemovePods(client, made, 0).ok();
      const bool there = !runs && pod_now.error().code() == Code::kAlreadyExists;
      return there ? AlreadyThere(pod) : std::move(pod_now).error();
    }
    if (!runs) made.push_back(*pod_now);
    if (before[i] && !runs) {
      result.notes.push_back("pod/" + NameOf(pod) + " run again: it had ended (" +
                             before[i]->status.phase + ")");
    }
    Player::Played& played = result.pods.emplace_back();
    played.pod = *std::move(pod_now);
    if (options.trace && !runs) {
      played.trace.emplace();
      played.trace->asked = asked;
      played.trace->answered = TraceNow();
    }
  }
  return result;
}

}  // namespace podium::commands
