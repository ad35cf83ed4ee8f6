// The objects of files, for commands that send them to a server.
#include <fmt/format.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "api/labels.h"
#include "cli/json_members.h"
#include "cli/local_selection.h"
#include "cli/selection.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// What messages call it.
std::string SourceOf(const std::string& name) { return name == "-" ? "STDIN" : name; }

bool IsUrl(std::string_view name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

Error CannotDecode(const std::string& source, std::string_view what, const JsonValue& json) {
  return {Code::kInvalidArgument, "unable to decode " + reflect::GoQuoted(source) + ": Object '" +
                                      std::string(what) + "' is missing in '" +
                                      reflect::ToText(json, {.sort_keys = true}) + "'"};
}

// Why the document says no kind, as kubectl's validation has it; "" where it does.
std::string KindProblem(const JsonValue& json) {
  std::vector<std::string> problems;
  for (const char* key : {"apiVersion", "kind"}) {
    const JsonValue* value = json.Find(key);
    if (!value || value->is_null()) {
      problems.push_back(std::string(key) + " not set");
    } else if (!value->is_string()) {
      problems.push_back(std::string(key) + " isn't string type");
    }
  }
  if (problems.size() == 2) return "[" + problems[0] + ", " + problems[1] + "]";
  return problems.empty() ? "" : problems[0];
}

class FileReader {
 public:
  // Without a server both are null: objects stay as they stand, and their kinds are what they say.
  FileReader(const Server* server, const ServerResources* resources, FileCheck check)
      : server_(server), resources_(resources), check_(check) {}

  // Of the editor, which is not held to the namespace that is given.
  void ReadText(std::string_view text, const std::string& source) {
    any_namespace_ = true;
    ReadDocuments(text, source);
  }

  void ReadFile(const std::string& file) {
    const std::string source = SourceOf(file);
    auto text = ReadInput(file);
    if (!text.ok()) return Fail(std::move(text).error().WithContext(source));
    ReadDocuments(*text, source);
  }

  void Fail(Error error) { out_.errors.push_back(std::move(error)); }
  Selection Take() && { return std::move(out_); }
  LocalSelection TakeLocal() && { return {std::move(kinds_), std::move(out_)}; }

 private:
  void ReadDocuments(std::string_view text, const std::string& source) {
    DocumentReader reader(text);
    Document document;
    while (reader.Next(&document)) {
      if (!document.problem.empty()) {
        Fail({Code::kInvalidArgument,
              fmt::format("error parsing {}: line {}: {}", source, document.problem_position.line,
                          document.problem)});
        continue;
      }
      auto json = reflect::ParseJson(document.json);
      if (!json.ok()) {
        Fail({Code::kInvalidArgument, "error parsing " + source + ": " + json.error().message()});
      } else if (!json->is_null()) {
        const std::string problem = check_ == FileCheck::kKinds ? KindProblem(*json) : "";
        if (!problem.empty()) {
          return Fail({Code::kInvalidArgument,
                       "error validating " + reflect::GoQuoted(source) +
                           ": error validating data: " + problem +
                           "; if you choose to ignore these errors, turn validation off with "
                           "--validate=false"});
        }
        AddObject(*std::move(json), source);
      }
    }
  }

  // A list stands for its items, which need not say what they are.
  void AddList(const JsonValue& list, std::string_view kind, const std::string& source) {
    for (JsonValue item : ElementsOf(list, "items")) {
      if (!item.is_object()) continue;
      if (kind != "List" && TextOf(item, "kind").empty()) {
        item.Set("kind", JsonValue::String(std::string(kind.substr(0, kind.size() - 4))));
        item.Set("apiVersion", JsonValue::String(std::string(TextOf(list, "apiVersion"))));
      }
      AddObject(std::move(item), source);
    }
  }

  void AddObject(JsonValue json, const std::string& source) {
    if (!json.is_object()) {
      return Fail({Code::kInvalidArgument, "error parsing " + source + ": it holds no object"});
    }
    const std::string kind(TextOf(json, "kind"));
    const std::string version(TextOf(json, "apiVersion"));
    if (kind.empty()) return Fail(CannotDecode(source, "Kind", json));
    if (version.empty()) return Fail(CannotDecode(source, "apiVersion", json));
    if (kind.ends_with("List") && json.Find("items")) return AddList(json, kind, source);
    const ServerResource* resource =
        resources_ ? resources_->OfKind(version, kind) : &kinds_.emplace_back(Said(json));
    Selected item{.resource = resource,
                  .namespace_ = std::string(TextAt(json, {"metadata", "namespace"})),
                  .name = std::string(TextAt(json, {"metadata", "name"})),
                  .source = source};
    if (!resource) {
      return Fail(
          {Code::kNotFound, "resource mapping not found for name: " + reflect::GoQuoted(item.name) +
                                " namespace: " + reflect::GoQuoted(item.namespace_) + " from " +
                                reflect::GoQuoted(source) + ": no matches for kind " +
                                reflect::GoQuoted(kind) + " in version " +
                                reflect::GoQuoted(version) + "\nensure CRDs are installed first"});
    }
    if (auto placed = SetNamespace(&item, &json); !placed.ok()) return Fail(placed.error());
    item.object = std::move(json);
    out_.items.push_back(std::move(item));
  }

  static ServerResource Said(const JsonValue& json) {
    const std::string_view version = TextOf(json, "apiVersion");
    const size_t slash = version.find('/');
    ServerResource resource;
    if (slash != version.npos) resource.group = version.substr(0, slash);
    resource.version = version.substr(slash == version.npos ? 0 : slash + 1);
    resource.kind = TextOf(json, "kind");
    return resource;
  }

  Result<void> SetNamespace(Selected* item, JsonValue* json) const {
    if (!server_) return {};
    if (!item->resource->namespaced) {
      item->namespace_.clear();
      return {};
    }
    if (item->namespace_.empty()) {
      item->namespace_ = server_->namespace_();
    } else if (server_->namespace_given() && !any_namespace_) {
      TRY_VOID(RequireNamespace(*server_, *item));
    }
    if (!json->Find("metadata")) json->Set("metadata", JsonValue::Of(JsonValue::Object()));
    JsonValue* metadata = json->Find("metadata");
    if (metadata->is_object()) metadata->Set("namespace", JsonValue::String(item->namespace_));
    return {};
  }

  const Server* const server_;
  const ServerResources* const resources_;
  const FileCheck check_;
  bool any_namespace_ = false;
  std::deque<ServerResource> kinds_;
  Selection out_;
};

// By the labels that stand in the files.
Result<void> KeepSelected(std::string_view text, Selection* selection) {
  auto selector = api::labels::Selector::Parse(text);
  if (!selector.ok()) {
    return Error(Code::kInvalidArgument, "the provided selector " + reflect::GoQuoted(text) +
                                             " is not valid: " + selector.error().message());
  }
  std::erase_if(selection->items, [&](const Selected& item) {
    api::labels::Set labels;
    const JsonValue* its = ValueAt(item.object, {"metadata", "labels"});
    if (its && its->is_object()) {
      for (const auto& [key, value] : its->object()) {
        if (value.is_string()) labels[key] = value.string();
      }
    }
    return !selector->Matches(labels);
  });
  return {};
}

// The files that are meant; kubectl's words where one of them is not to be had.
Result<std::vector<std::string>> FilesOf(const Invocation& invocation) {
  if (invocation.Has("kustomize")) {
    return Error(Code::kUnsupported,
                 "podium builds no kustomizations; build it with kubectl kustomize and pass the "
                 "result on: kubectl kustomize FOLDER | podium ... -f -");
  }
  const std::vector<std::string> names = invocation.All("filename");
  for (const std::string& name : names) {
    if (!IsUrl(name)) continue;
    return Error(Code::kUnsupported,
                 "files at URLs are not read; fetch it and look at it first: "
                 "curl -fsSL " +
                     name + " | podium ... -f -");
  }
  if (NamesStandardInputTwice(names)) {
    return Error(Code::kInvalidArgument, "the standard input (-) can be read only once");
  }
  FileList files = ListFiles(names, IsRecursive(invocation));
  for (const FileError& error : files.errors) {
    if (error.error.os_errno() == ENOENT) {
      return Error(Code::kNotFound,
                   "the path " + reflect::GoQuoted(error.name) + " does not exist");
    }
    return Error(error.error.code(), error.name + ": " + error.error.message());
  }
  return std::move(files.files);
}

}  // namespace

Result<Selection> SelectFiles(Server& server, const Invocation& invocation,
                              const FileRules& rules) {
  TRY(const std::vector<std::string> files, FilesOf(invocation));
  TRY(const ServerResources* resources, server.Resources());
  FileReader reader(&server, resources, rules.check);
  for (const std::string& file : files) reader.ReadFile(file);
  Selection selection = std::move(reader).Take();
  const std::string_view selector = invocation.Get("selector");
  if (rules.selects && !selector.empty()) TRY_VOID(KeepSelected(selector, &selection));
  return selection;
}

Result<LocalSelection> SelectLocalFiles(const Invocation& invocation) {
  TRY(const std::vector<std::string> files, FilesOf(invocation));
  FileReader reader(nullptr, nullptr, FileCheck::kNone);
  for (const std::string& file : files) reader.ReadFile(file);
  return std::move(reader).TakeLocal();
}

Result<Selection> SelectText(Server& server, std::string_view text, const std::string& source) {
  TRY(const ServerResources* resources, server.Resources());
  FileReader reader(&server, resources, FileCheck::kNone);
  reader.ReadText(text, source);
  return std::move(reader).Take();
}

namespace {

Error OtherNamespace(std::string_view wanted, const std::string& its) {
  return {Code::kInvalidArgument,
          "the namespace from the provided object " + reflect::GoQuoted(its) +
              " does not match the namespace " + reflect::GoQuoted(wanted) +
              ". You must pass '--namespace=" + its + "' to perform this operation."};
}

}  // namespace

Result<void> RequireNamespace(const Server& server, const Selected& item) {
  if (!item.resource->namespaced || item.namespace_ == server.namespace_()) return {};
  return OtherNamespace(server.namespace_(), item.namespace_);
}

Result<void> RequireNamespace(std::string_view given, const JsonValue& object) {
  const std::string its(TextAt(object, {"metadata", "namespace"}));
  if (given.empty() || its.empty() || its == given) return {};
  return OtherNamespace(given, its);
}

}  // namespace podium::cli
