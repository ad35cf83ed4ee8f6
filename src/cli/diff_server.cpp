#include "cli/diff_server.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/apply_patch.h"
#include "cli/child_program.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/prune.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/temporary_folder.h"
#include "reflect/go_text.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr int kTrouble = 2;
constexpr int kTries = 4;

constexpr std::string_view kMask = "***";
constexpr std::string_view kMaskBefore = "*** (before)";
constexpr std::string_view kMaskAfter = "*** (after)";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// null where it is not there.
struct Versions {
  JsonValue live;
  JsonValue merged;
};

JsonValue* ObjectIn(JsonValue* object, std::string_view key) {
  JsonValue* member = object && object->is_object() ? object->Find(key) : nullptr;
  return member && member->is_object() ? member : nullptr;
}

JsonValue* AnnotationsOf(JsonValue* object) {
  return ObjectIn(ObjectIn(object, "metadata"), "annotations");
}

void MaskMember(JsonValue* before, JsonValue* after, std::string_view key) {
  JsonValue* old = before ? before->Find(key) : nullptr;
  JsonValue* now = after ? after->Find(key) : nullptr;
  const bool changed = old && now && !Equivalent(*old, *now);
  if (old) *old = JsonValue::String(std::string(changed ? kMaskBefore : kMask));
  if (now) *now = JsonValue::String(std::string(changed ? kMaskAfter : kMask));
}

// That a secret's value is another is shown; what it is, is not. So it is with what was applied
// last, where all values stand too; kubectl shows that.
void Mask(Versions* versions) {
  JsonValue* before = ObjectIn(&versions->live, "data");
  JsonValue* after = ObjectIn(&versions->merged, "data");
  std::set<std::string> keys;
  for (const JsonValue* data : {before, after}) {
    if (!data) continue;
    for (const auto& member : data->object()) keys.insert(member.key);
  }
  for (const std::string& key : keys) MaskMember(before, after, key);
  MaskMember(AnnotationsOf(&versions->live), AnnotationsOf(&versions->merged),
             kLastAppliedAnnotation);
}

bool IsSecret(const Selected& item) {
  return item.resource->version == "v1" && item.resource->kind == "Secret";
}

std::string FileNameOf(const Selected& item) {
  const ServerResource& resource = *item.resource;
  return (resource.group.empty() ? "" : resource.group + ".") + resource.version + "." +
         resource.kind + "." + item.namespace_ + "." + item.name;
}

void EraseManagedFields(JsonValue* object) {
  if (JsonValue* metadata = ObjectIn(object, "metadata")) (void)metadata->Erase("managedFields");
}

// KUBECTL_EXTERNAL_DIFF, and what stands behind it that is no more than an option.
std::vector<std::string> DiffProgram(const std::string& from, const std::string& to) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* chosen = std::getenv("KUBECTL_EXTERNAL_DIFF");
  if (!chosen || *chosen == '\0') return {"diff", "-u", "-N", from, to};
  const std::vector<std::string_view> words = Split(chosen, ' ');
  std::vector<std::string> program = {std::string(words[0]), from, to};
  for (size_t i = 1; i < words.size(); ++i) {
    const bool plain = !words[i].empty() && std::ranges::all_of(words[i], [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '=';
    });
    if (plain) program.emplace_back(words[i]);
  }
  return program;
}

// One run of the command.
class Differ {
 public:
  Differ(Server& server, const Invocation& invocation, Writer& writer, TemporaryFolder live,
         TemporaryFolder merged)
      : streams_(server.streams()),
        writer_(writer),
        server_side_(invocation.Has("server-side")),
        managed_fields_(invocation.Has("show-managed-fields")),
        force_(invocation.Has("force-conflicts") ? "true" : "false"),
        live_(std::move(live)),
        merged_(std::move(merged)) {}

  // `pruner` may be null.
  Result<void> Add(const Selected& item, Pruner* pruner) {
    TRY(Versions versions, VersionsOf(item));
    if (pruner) pruner->Keep(item, versions.live);
    const bool going = versions.live.is_object();
    if (IsSecret(item)) Mask(&versions);
    if (!managed_fields_) {
      EraseManagedFields(&versions.live);
      EraseManagedFields(&versions.merged);
    }
    const std::string name = FileNameOf(item);
    TRY_VOID(Write(live_, name, versions.live));
    TRY_VOID(Write(merged_, name, versions.merged));
    if (going) WarnIfGoing(streams_, versions.live);
    return {};
  }

  // What pruning would take away.
  Result<void> AddGone(const Selected& item) {
    Versions versions{.live = item.object, .merged = {}};
    if (IsSecret(item)) Mask(&versions);
    return Write(live_, FileNameOf(item), versions.live);
  }

  Result<int> Show() const {
    const std::vector<std::string> program = DiffProgram(live_.path(), merged_.path());
    const auto status = RunProgram(program, streams_);
    const std::string failed = "failed to run " + reflect::GoQuoted(program[0]) + ": ";
    if (!status.ok()) {
      const bool none = status.error().os_errno() == ENOENT;
      return Usage(failed +
                   (none ? "executable file not found in $PATH" : status.error().message()));
    }
    if (*status > 1) return Usage(failed + "exit status " + std::to_string(*status));
    return *status;
  }

 private:
  static Result<void> Write(const TemporaryFolder& folder, const std::string& name,
                            const JsonValue& object) {
    std::string text;
    if (!object.is_null()) reflect::WriteYaml(object, &text);
    return folder.Write(name, text);
  }

  // Both of one time: where the object changes in between it is looked at again, and in the end
  // taken as it comes.
  Result<Versions> VersionsOf(const Selected& item) {
    if (item.name.empty()) return Usage("resource name may not be empty");
    for (int tries = 1;; ++tries) {
      Versions versions;
      auto live = writer_.Get(item);
      if (!live.ok() && !IsNotFound(live.error())) return std::move(live).error();
      if (live.ok()) versions.live = *std::move(live);
      auto merged = Merged(item, versions.live, tries < kTries);
      if (merged.ok()) {
        versions.merged = *std::move(merged);
        return versions;
      }
      if (server_side_ || tries == kTries || !IsConflict(merged.error())) {
        return std::move(merged).error();
      }
    }
  }

  Result<JsonValue> Merged(const Selected& item, const JsonValue& live, bool locked) {
    if (server_side_) {
      return writer_.Patch(
          item, {.content_type = kApplyPatch, .body = CanonicalText(item.object), .force = force_});
    }
    if (live.is_null()) return writer_.Create(item, item.object);
    ApplyPatchRules rules;
    if (locked) rules.resource_version = TextAt(live, {"metadata", "resourceVersion"});
    auto patch = MakeApplyPatch(item, WithoutLastApplied(item.object), live, rules);
    if (!patch.ok()) return PatchError(item, {}, patch.error());
    if (patch->changes_nothing()) return live;
    auto merged = writer_.Patch(item, {.content_type = patch->content_type, .body = patch->body});
    if (!merged.ok()) return PatchError(item, patch->body, merged.error());
    return merged;
  }

  const Streams streams_;
  Writer& writer_;
  const bool server_side_;
  const bool managed_fields_;
  const std::string_view force_;
  const TemporaryFolder live_;
  const TemporaryFolder merged_;
};

Result<int> Diff(const Invocation& invocation, const Streams& streams) {
  if (!invocation.Has("filename") && !invocation.Has("kustomize")) {
    return Usage("must specify one of -f and -k");
  }
  const bool server_side = invocation.Has("server-side");
  if (invocation.Has("force-conflicts") && !server_side) {
    return Usage("--force-conflicts only works with --server-side");
  }
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const auto pruner, Pruner::Of(*server, invocation));
  TRY(const Selection selection, SelectFiles(*server, invocation));
  if (!selection.errors.empty()) return selection.errors[0];
  const std::string_view manager = server_side ? kServerSideManager : kClientSideManager;
  Writer writer(*server, DryRun::kServer, std::string(invocation.Get("field-manager", manager)),
                "");
  TRY(TemporaryFolder live, TemporaryFolder::Create("LIVE-"));
  TRY(TemporaryFolder merged, TemporaryFolder::Create("MERGED-"));
  Differ differ(*server, invocation, writer, std::move(live), std::move(merged));
  for (const Selected& item : selection.items) TRY_VOID(differ.Add(item, pruner.get()));
  if (pruner) {
    TRY(const std::vector<Selected> gone, pruner->Find());
    for (const Selected& item : gone) TRY_VOID(differ.AddGone(item));
  }
  return differ.Show();
}

}  // namespace

Outcome DiffWithServer(const Invocation& invocation, const Streams& streams) {
  const auto status = Diff(invocation, streams);
  if (status.ok()) return {*status, {}, {}};
  Outcome failure = ServerFailure(status.error());
  failure.status = kTrouble;
  return failure;
}

}  // namespace podium::cli
