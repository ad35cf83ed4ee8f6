#include "client/kubeconfig.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "client/config_file.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::client {
namespace {

using clientcmd::v1::AuthInfo;
using clientcmd::v1::Cluster;
using clientcmd::v1::Config;
using clientcmd::v1::Context;
using clientcmd::v1::NamedAuthInfo;
using clientcmd::v1::NamedCluster;
using clientcmd::v1::NamedContext;

constexpr size_t kMaxFile = size_t{16} << 20;

template <class List>
auto FindNamed(List& list, std::string_view name) {
  const auto found = std::ranges::find_if(list, [&](const auto& e) { return e.name == name; });
  return found == list.end() ? nullptr : &*found;
}

// The entry of that name, made if it is not there.
template <class List>
auto& Ensure(List& list, const std::string& name) {
  if (auto* found = FindNamed(list, name)) return *found;
  auto& added = list.emplace_back();
  added.name = name;
  return added;
}

template <class List>
void EraseNamed(List& list, std::string_view name) {
  std::erase_if(list, [&](const auto& e) { return e.name == name; });
}

template <class List>
Result<void> CheckNames(const List& list, std::string_view what) {
  std::map<std::string_view, bool> seen;
  for (const auto& entry : list) {
    if (!seen.emplace(entry.name, true).second) {
      return Error(Code::kInvalidArgument, "two " + std::string(what) + " are called " +
                                               reflect::GoQuoted(entry.name) +
                                               "; remove or rename one of them");
    }
  }
  return {};
}

// What `to` does not have yet.
template <class List>
void MergeNamed(const List& from, List* to) {
  for (const auto& entry : from) {
    if (!FindNamed(*to, entry.name)) to->push_back(entry);
  }
}

void ResolvePath(const std::filesystem::path& folder, std::string* path) {
  if (path->empty() || path->starts_with('/')) return;
  *path = (folder / *path).lexically_normal().string();
}

Result<void> CheckKind(const Config& config) {
  const bool known = (config.kind.empty() || config.kind == "Config") &&
                     (config.apiVersion.empty() || config.apiVersion == "v1");
  if (known) return {};
  return Error(Code::kInvalidArgument,
               "it is a " + config.apiVersion + " " + config.kind + ", and not a v1 Config");
}

}  // namespace

std::vector<std::string> KubeConfigSources::Precedence() const {
  if (!explicit_path.empty()) return {explicit_path};
  if (!paths.empty()) return paths;
  return home_path.empty() ? std::vector<std::string>() : std::vector{home_path};
}

std::string KubeConfigSources::DefaultPath() const {
  const std::vector<std::string> all = Precedence();
  for (const std::string& path : all) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return all.empty() ? "" : all.back();
}

KubeConfigSources KubeConfigSourcesOf(const EnvironmentLookup& lookup, std::string explicit_path) {
  KubeConfigSources sources{.explicit_path = std::move(explicit_path)};
  const char* paths = lookup("KUBECONFIG");
  for (const std::string_view path : Split(paths ? paths : "", ':')) {
    if (path.empty() || std::ranges::find(sources.paths, path) != sources.paths.end()) continue;
    sources.paths.emplace_back(path);
  }
  const char* home = lookup("HOME");
  if (home && *home) sources.home_path = std::string(home) + "/.kube/config";
  return sources;
}

Result<Config> ParseKubeConfig(std::string_view text) {
  TRY(const reflect::YamlDocument document, reflect::YamlToJson(text, {.max_size = kMaxFile}));
  Config config;
  if (document.json != "null") {
    const auto problems =
        reflect::DecodeYaml(document, reflect::TypeOf<Config>(), &config, {.strict = false});
    if (!problems.empty()) {
      return Error(Code::kInvalidArgument, "line " + std::to_string(problems[0].position.line) +
                                               ": " + problems[0].problem.Text());
    }
  }
  TRY_VOID(CheckKind(config));
  TRY_VOID(CheckNames(config.clusters, "clusters"));
  TRY_VOID(CheckNames(config.users, "users"));
  TRY_VOID(CheckNames(config.contexts, "contexts"));
  return config;
}

Result<std::string> PrintKubeConfig(const Config& config) {
  Config sorted = config;
  sorted.kind = "Config";
  sorted.apiVersion = "v1";
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::ranges::sort(sorted.clusters, by_name);
  std::ranges::sort(sorted.users, by_name);
  std::ranges::sort(sorted.contexts, by_name);
  // As kubectl: null, and no [].
  sorted.clusters.present = sorted.users.present = sorted.contexts.present = false;
  TRY(const std::string json, reflect::ToJson(sorted));
  std::string yaml;
  TRY_VOID(reflect::JsonToYaml(json, &yaml));
  return yaml;
}

Result<Config> ReadKubeConfig(const std::string& path) {
  auto text = ReadConfigFile(path, kMaxFile);
  if (!text.ok()) {
    const Error& error = text.error();
    if (error.os_errno() == EACCES) {
      return Error(Code::kPermissionDenied,
                   "reading the kubeconfig " + path + ": permission denied; run as its owner, or " +
                       "name another with --kubeconfig or KUBECONFIG",
                   EACCES);
    }
    return std::move(text).error().WithContext("reading the kubeconfig " + path);
  }
  auto config = ParseKubeConfig(*text);
  if (!config.ok()) return std::move(config).error().WithContext("the kubeconfig " + path);
  return config;
}

Result<void> WriteKubeConfig(const std::string& path, const Config& config) {
  TRY(const std::string yaml, PrintKubeConfig(config));
  auto written = WriteConfigFile(path, yaml);
  if (!written.ok())
    return std::move(written).error().WithContext("writing the kubeconfig " + path);
  return {};
}

const Cluster* FindCluster(const Config& config, std::string_view name) {
  const NamedCluster* found = FindNamed(config.clusters, name);
  return found ? &found->cluster : nullptr;
}
const AuthInfo* FindUser(const Config& config, std::string_view name) {
  const NamedAuthInfo* found = FindNamed(config.users, name);
  return found ? &found->user : nullptr;
}
const Context* FindContext(const Config& config, std::string_view name) {
  const NamedContext* found = FindNamed(config.contexts, name);
  return found ? &found->context : nullptr;
}

Result<KubeConfig> KubeConfig::Load(KubeConfigSources sources) {
  KubeConfig loaded(std::move(sources));
  TRY_VOID(loaded.Read(true));
  return loaded;
}

Result<KubeConfig> KubeConfig::LoadIfThere(KubeConfigSources sources) {
  KubeConfig loaded(std::move(sources));
  TRY_VOID(loaded.Read(false));
  return loaded;
}

Result<void> KubeConfig::Read(bool need_explicit) {
  for (const std::string& path : sources_.Precedence()) {
    auto config = ReadKubeConfig(path);
    if (!config.ok()) {
      const bool missing = config.error().os_errno() == ENOENT;
      if (missing && (sources_.explicit_path.empty() || !need_explicit)) continue;
      return std::move(config).error();
    }
    files_.push_back({path, *std::move(config)});
  }
  return {};
}

Config KubeConfig::merged() const {
  Config merged;
  for (const File& file : files_) {
    const Config& config = file.config;
    MergeNamed(config.clusters, &merged.clusters);
    MergeNamed(config.users, &merged.users);
    MergeNamed(config.contexts, &merged.contexts);
    MergeNamed(config.extensions, &merged.extensions);
    if (merged.currentContext.empty()) merged.currentContext = config.currentContext;
    merged.preferences.colors = merged.preferences.colors || config.preferences.colors;
    MergeNamed(config.preferences.extensions, &merged.preferences.extensions);
  }
  merged.kind = "Config";
  merged.apiVersion = "v1";
  return merged;
}

Config KubeConfig::Resolved() const {
  Config resolved = merged();
  const auto folder_of = [&](std::string_view kind, const std::string& name) {
    std::error_code ignored;
    return std::filesystem::absolute(OriginOf(kind, name), ignored).parent_path();
  };
  for (NamedCluster& entry : resolved.clusters) {
    ResolvePath(folder_of("cluster", entry.name), &entry.cluster.certificateAuthority);
  }
  for (NamedAuthInfo& entry : resolved.users) {
    const auto folder = folder_of("user", entry.name);
    AuthInfo& user = entry.user;
    for (std::string* path : {&user.clientCertificate, &user.clientKey, &user.tokenFile}) {
      ResolvePath(folder, path);
    }
    // A command without a slash is looked for where all programs are.
    if (user.exec && user.exec->command.find('/') != std::string::npos) {
      ResolvePath(folder, &user.exec->command);
    }
  }
  return resolved;
}

std::string KubeConfig::OriginOf(std::string_view kind, std::string_view name) const {
  for (const File& file : files_) {
    const bool has = kind == "cluster" ? FindCluster(file.config, name) != nullptr
                     : kind == "user"  ? FindUser(file.config, name) != nullptr
                                       : FindContext(file.config, name) != nullptr;
    if (has) return file.path;
  }
  return "";
}

std::string KubeConfig::PlaceOf(std::string_view kind, std::string_view name) const {
  const std::string origin = OriginOf(kind, name);
  return origin.empty() ? sources_.DefaultPath() : origin;
}

void KubeConfig::Apply(const std::string& path, const Change& change) {
  auto file = std::ranges::find(files_, path, &File::path);
  if (file == files_.end()) {
    // Where its place in the order is.
    const std::vector<std::string> order = sources_.Precedence();
    const auto place = [&](const std::string& of) { return std::ranges::find(order, of); };
    file = std::ranges::find_if(files_, [&](const File& f) { return place(f.path) > place(path); });
    file = files_.insert(file, {path, {}});
  }
  change(&file->config);
  changes_[path].push_back(change);
}

void KubeConfig::SetCluster(const std::string& name, Cluster cluster) {
  Apply(PlaceOf("cluster", name), [name, cluster = std::move(cluster)](Config* config) {
    Ensure(config->clusters, name).cluster = cluster;
  });
}
void KubeConfig::SetUser(const std::string& name, AuthInfo user) {
  Apply(PlaceOf("user", name), [name, user = std::move(user)](Config* config) {
    Ensure(config->users, name).user = user;
  });
}
void KubeConfig::SetContext(const std::string& name, Context context) {
  Apply(PlaceOf("context", name), [name, context = std::move(context)](Config* config) {
    Ensure(config->contexts, name).context = context;
  });
}

namespace {

Error NotIn(std::string_view kind, const std::string& name, const std::string& path) {
  return Error(Code::kNotFound, "cannot delete " + std::string(kind) + " " + name + ", not in " +
                                    (path.empty() ? "any kubeconfig" : path));
}

}  // namespace

Result<void> KubeConfig::RemoveCluster(const std::string& name) {
  const std::string origin = OriginOf("cluster", name);
  if (origin.empty()) return NotIn("cluster", name, sources_.DefaultPath());
  Apply(origin, [name](Config* config) { EraseNamed(config->clusters, name); });
  return {};
}
Result<void> KubeConfig::RemoveUser(const std::string& name) {
  const std::string origin = OriginOf("user", name);
  if (origin.empty()) return NotIn("user", name, sources_.DefaultPath());
  Apply(origin, [name](Config* config) { EraseNamed(config->users, name); });
  return {};
}
Result<void> KubeConfig::RemoveContext(const std::string& name) {
  const std::string origin = OriginOf("context", name);
  if (origin.empty()) return NotIn("context", name, sources_.DefaultPath());
  Apply(origin, [name](Config* config) { EraseNamed(config->contexts, name); });
  return {};
}

Result<void> KubeConfig::RenameContext(const std::string& from, const std::string& to) {
  const std::string origin = OriginOf("context", from);
  if (origin.empty()) {
    return Error(Code::kNotFound, "cannot rename the context " + reflect::GoQuoted(from) +
                                      ", it's not in " + sources_.DefaultPath());
  }
  if (const std::string other = OriginOf("context", to); !other.empty()) {
    return Error(Code::kAlreadyExists, "cannot rename the context " + reflect::GoQuoted(from) +
                                           ", the context " + reflect::GoQuoted(to) +
                                           " already exists in " + other);
  }
  const bool current = merged().currentContext == from;
  Apply(origin, [from, to](Config* config) {
    for (NamedContext& entry : config->contexts) {
      if (entry.name == from) entry.name = to;
    }
  });
  return current ? UseContext(to) : Result<void>();
}

Result<void> KubeConfig::UseContext(const std::string& name) {
  const Config all = merged();
  if (all.currentContext == name) return {};
  if (!name.empty() && !FindContext(all, name)) {
    return Error(Code::kNotFound, "no context exists with the name: " + reflect::GoQuoted(name));
  }
  // The first file that is there comes before any other that sets one.
  std::string path = sources_.DefaultPath();
  if (name.empty()) {
    const auto setter = std::ranges::find_if(
        files_, [](const File& file) { return !file.config.currentContext.empty(); });
    path = setter->path;
  }
  Apply(path, [name](Config* config) { config->currentContext = name; });
  return {};
}

Result<void> KubeConfig::Save() {
  for (const auto& [path, changes] : changes_) {
    if (path.empty()) {
      return Error(Code::kInvalidArgument,
                   "there is no place for a kubeconfig: set HOME or KUBECONFIG");
    }
    TRY(const ConfigFileLock lock, ConfigFileLock::Take(path));
    // What others have written since stays.
    auto config = ReadKubeConfig(path);
    if (!config.ok() && config.error().os_errno() != ENOENT) return std::move(config).error();
    Config now = config.ok() ? *std::move(config) : Config();
    for (const Change& change : changes) change(&now);
    TRY_VOID(WriteKubeConfig(path, now));
  }
  changes_.clear();
  return {};
}

}  // namespace podium::client
