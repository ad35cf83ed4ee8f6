// kubeconfig files: reading, merging and changing them, by the rules of
// k8s.io/client-go/tools/clientcmd.
//
//   TRY(KubeConfig config, KubeConfig::Load(KubeConfigSourcesOf(std::getenv, explicit_path)));
//   config.merged().current_context …
//   config.SetContext("blue", context);
//   TRY_VOID(config.Save());
//
// Which files: the one that is named (--kubeconfig), and it must be there; else those of
// KUBECONFIG, separated by colons, where missing ones are passed over; else ~/.kube/config. Of
// several the first that has a cluster, user or context of a name gives it, as a whole, and the
// first that names a current context gives that.
//
// Values are as they stand in the files; paths are seen from the folder of the file that they came
// from (KubeConfig::Resolved).
//
// Threads: one at a time for each KubeConfig.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/types/clientcmd_v1.h"

namespace podium::client {

// A variable's value, or null: std::getenv has this form.
using EnvironmentLookup = std::function<const char*(const char* variable)>;

struct KubeConfigSources {
  std::string explicit_path{};       // alone, where there is one
  std::vector<std::string> paths{};  // of KUBECONFIG, each once, without empty ones
  std::string home_path{};           // "~/.kube/config"; "" without a home

  // In the order in which they count.
  std::vector<std::string> Precedence() const;
  // Where what has no place yet is written: the named file; the first of KUBECONFIG that is there,
  // or its last; the one at home.
  std::string DefaultPath() const;
};

KubeConfigSources KubeConfigSourcesOf(const EnvironmentLookup& lookup,
                                      std::string explicit_path = "");

// YAML or JSON of one file. Unknown members are passed over, as clients do. kInvalidArgument, with
// the line where there is one: it is no kubeconfig, or has a name twice.
Result<clientcmd::v1::Config> ParseKubeConfig(std::string_view text);
// YAML as kubectl writes it: by name, with sorted members.
Result<std::string> PrintKubeConfig(const clientcmd::v1::Config& config);
// Errors name the file and say what to do.
Result<clientcmd::v1::Config> ReadKubeConfig(const std::string& path);
// As a whole or not at all, readable by its owner alone; folders on the way are made.
Result<void> WriteKubeConfig(const std::string& path, const clientcmd::v1::Config& config);

// The entry of a name, or null.
const clientcmd::v1::Cluster* FindCluster(const clientcmd::v1::Config& config,
                                          std::string_view name);
const clientcmd::v1::AuthInfo* FindUser(const clientcmd::v1::Config& config, std::string_view name);
const clientcmd::v1::Context* FindContext(const clientcmd::v1::Config& config,
                                          std::string_view name);

// What a context needs and nothing else; "": the current one. kNotFound when it, its cluster or its
// user is not there.
Result<clientcmd::v1::Config> Minified(const clientcmd::v1::Config& config,
                                       std::string_view context = "");
// With the files' contents in place of their paths. `config` is Resolved.
Result<clientcmd::v1::Config> Flattened(const clientcmd::v1::Config& config);
// For people to see: secrets read REDACTED, other data DATA+OMITTED.
clientcmd::v1::Config Redacted(const clientcmd::v1::Config& config);

class KubeConfig {
 public:
  // With no file at all it is empty. Errors as ReadKubeConfig's.
  static Result<KubeConfig> Load(KubeConfigSources sources);
  // The same to whoever looks at files and changes them: the explicit one need not be there yet.
  static Result<KubeConfig> LoadIfThere(KubeConfigSources sources);

  const KubeConfigSources& sources() const { return sources_; }
  // Whether any file was there.
  bool found() const { return !files_.empty(); }
  // As the files have it.
  clientcmd::v1::Config merged() const;
  // With absolute paths.
  clientcmd::v1::Config Resolved() const;
  // The file that gives an entry, "" for none. `kind`: "cluster", "user", "context".
  std::string OriginOf(std::string_view kind, std::string_view name) const;

  // Changes go to the file that the entry came from, else to sources().DefaultPath(). Nothing is
  // written before Save.
  void SetCluster(const std::string& name, clientcmd::v1::Cluster cluster);
  void SetUser(const std::string& name, clientcmd::v1::AuthInfo user);
  void SetContext(const std::string& name, clientcmd::v1::Context context);
  // kNotFound where there is none; the error names the file that lacks it.
  Result<void> RemoveCluster(const std::string& name);
  Result<void> RemoveUser(const std::string& name);
  Result<void> RemoveContext(const std::string& name);
  // The current context goes along. kNotFound, kAlreadyExists.
  Result<void> RenameContext(const std::string& from, const std::string& to);
  // "": the first file that sets one does so no more. kNotFound for a context that is not there.
  Result<void> UseContext(const std::string& name);

  // Writes the files that were changed, each under a lock (FILE.lock, as client-go has it) and over
  // what it holds by then: only the entries changed here are changed. kUnavailable when another
  // holds the lock.
  Result<void> Save();

 private:
  using Config = clientcmd::v1::Config;
  using Change = std::function<void(Config* config)>;
  struct File {
    std::string path;
    Config config;
  };

  explicit KubeConfig(KubeConfigSources sources) : sources_(std::move(sources)) {}
  Result<void> Read(bool need_explicit);
  // Does it to what is held, and notes it for Save.
  void Apply(const std::string& path, const Change& change);
  std::string PlaceOf(std::string_view kind, std::string_view name) const;

  KubeConfigSources sources_;
  std::vector<File> files_;  // those that are there, in the order in which they count
  std::map<std::string, std::vector<Change>> changes_;
};

}  // namespace podium::client
