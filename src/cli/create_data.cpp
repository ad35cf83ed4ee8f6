// create configmap, create secret (upstream's k8s.io/kubectl/pkg/cmd/create and pkg/util).
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>
#include <vector>

#include "api/key_pair.h"
#include "api/name_hash.h"
#include "api/names.h"
#include "api/types/core_v1.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/input.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "reflect/base64.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/utf8.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Takes one entry.
using Add = std::function<Result<void>(const std::string& key, std::string value)>;

// A file's error as Go says it.
std::string GoErrno(int number) { return LowerCase(strerrordesc_np(number)); }

Result<void> AddLiterals(const Invocation& invocation, const Add& add) {
  for (const std::string& text : invocation.All("from-literal")) {
    const size_t equals = text.find('=');
    if (equals == text.npos || equals == 0) {
      return Usage("invalid literal source " + text + ", expected key=value");
    }
    TRY_VOID(add(text.substr(0, equals), text.substr(equals + 1)));
  }
  return {};
}

// As Go's os.ReadFile says what is wrong.
Result<std::string> ReadFileAs(const std::string& path) {
  auto text = ReadInput(path);
  if (text.ok()) return text;
  if (text.error().os_errno() == 0) return std::move(text).error().WithContext(path);
  return Usage("open " + path + ": " + GoErrno(text.error().os_errno()));
}

struct FileSource {
  std::string key;
  std::string path;
};

// [KEY=]PATH
Result<FileSource> FileSourceOf(const std::string& text) {
  const auto parts = Split(text, '=');
  if (parts.size() == 1) {
    std::string path = text;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const std::string base = path.substr(path.rfind('/') + 1);
    return FileSource{base.empty() ? "/" : base, text};
  }
  if (parts.size() > 2) return Usage("key names or file paths cannot contain '='");
  if (parts[0].empty()) {
    return Usage("key name for file path " + std::string(parts[1]) + " missing");
  }
  if (parts[1].empty()) {
    return Usage("file path for key name " + std::string(parts[0]) + " missing");
  }
  return FileSource{std::string(parts[0]), std::string(parts[1])};
}

// Regular files, in the order of their names.
Result<std::vector<std::string>> FilesOf(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.symlink_status().type() == std::filesystem::file_type::regular) {
      names.push_back(entry.path().filename());
    }
  }
  if (error) {
    return Usage("error listing files in " + folder + ": open " + folder + ": " +
                 GoErrno(error.value()));
  }
  std::ranges::sort(names);
  return names;
}

Result<bool> IsFolder(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) {
    return Usage("error reading " + path + ": " + GoErrno(errno));
  }
  return S_ISDIR(found.st_mode);
}

Result<void> AddFiles(const std::vector<std::string>& sources, const Add& add) {
  for (const std::string& text : sources) {
    TRY(const FileSource source, FileSourceOf(text));
    TRY(const bool is_folder, IsFolder(source.path));
    if (!is_folder) {
      TRY(std::string content, ReadFileAs(source.path));
      TRY_VOID(add(source.key, std::move(content)));
      continue;
    }
    if (text.contains('=')) return Usage("cannot give a key name for a directory path");
    TRY(const auto names, FilesOf(source.path));
    for (const std::string& name : names) {
      TRY(std::string content, ReadFileAs(std::filesystem::path(source.path) / name));
      TRY_VOID(add(name, std::move(content)));
    }
  }
  return {};
}

// A line of KEY=VALUE, or of KEY, which has the value of this program's environment.
Result<void> AddEnvLine(std::string_view line, const Add& add) {
  size_t begin = line.size();
  bool found = false;
  reflect::ForEachRune(line, [&](size_t at, char32_t rune) {
    if (!found && !reflect::IsGoSpace(rune)) {
      begin = at;
      found = true;
    }
  });
  line.remove_prefix(begin);
  if (line.empty() || line[0] == '#') return {};
  const size_t equals = line.find('=');
  const std::string key(line.substr(0, equals));
  if (const auto problems = api::IsEnvVarName(key); !problems.empty()) {
    return Usage(reflect::GoQuoted(key) + " is not a valid key name: " + Join(problems, ";"));
  }
  if (equals != line.npos) return add(key, std::string(line.substr(equals + 1)));
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* value = std::getenv(key.c_str());
  return add(key, value ? value : "");
}

// `what`: "config", "secret".
Result<void> AddEnvFiles(const Invocation& invocation, const char* what, const Add& add) {
  TRY(const auto files, PartsOption(invocation, "from-env-file"));
  for (const std::string& file : files) {
    TRY(const bool is_folder, IsFolder(file));
    if (is_folder) return Usage("env " + std::string(what) + " file cannot be a directory");
    TRY(const std::string text, ReadFileAs(file));
    size_t number = 0;
    for (std::string_view line : Split(text, '\n')) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (++number == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
      if (!reflect::IsUtf8(line)) {
        return Usage("env file " + file + " contains invalid utf8 bytes at line " +
                     std::to_string(number));
      }
      TRY_VOID(AddEnvLine(line, add));
    }
  }
  return {};
}

Result<void> CheckSources(const Invocation& invocation) {
  if (invocation.Has("from-env-file") &&
      (invocation.Has("from-file") || invocation.Has("from-literal"))) {
    return Usage("from-env-file cannot be combined with from-file or from-literal");
  }
  return {};
}

// As kubectl has it, behind whatever the object is called.
template <class T>
void AppendHash(const Invocation& invocation, T* object) {
  if (invocation.Has("append-hash")) object->metadata.name += '-' + api::NameHash(*object);
}

Result<v1::ConfigMap> ConfigMapOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  TRY_VOID(CheckSources(request.invocation));
  v1::ConfigMap map;
  map.metadata = request.maker.Metadata(request.name);
  const Add add = [&map](const std::string& key, std::string value) -> Result<void> {
    if (const auto problems = api::IsConfigMapKey(key); !problems.empty()) {
      return Usage(reflect::GoQuoted(key) +
                   " is not a valid key name for a ConfigMap: " + Join(problems, ","));
    }
    const char* where = map.data.contains(key)         ? "Data"
                        : map.binaryData.contains(key) ? "BinaryData"
                                                       : nullptr;
    if (where) {
      return Usage("cannot add key " + reflect::GoQuoted(key) +
                   ", another key by that name already exists in " + where + " for ConfigMap " +
                   reflect::GoQuoted(map.metadata.name));
    }
    if (reflect::IsUtf8(value)) {
      map.data[key] = std::move(value);
    } else {
      map.binaryData[key] = {.data = std::move(value), .present = true};
    }
    return {};
  };
  TRY(const auto files, PartsOption(request.invocation, "from-file"));
  TRY_VOID(AddFiles(files, add));
  TRY_VOID(AddLiterals(request.invocation, add));
  TRY_VOID(AddEnvFiles(request.invocation, "config", add));
  AppendHash(request.invocation, &map);
  return map;
}

v1::Secret NewSecret(const KindRequest& request, std::string type) {
  v1::Secret secret;
  secret.metadata = request.maker.Metadata(request.name);
  secret.type = std::move(type);
  return secret;
}

Add AddTo(v1::Secret* secret) {
  return [secret](const std::string& key, std::string value) -> Result<void> {
    if (const auto problems = api::IsConfigMapKey(key); !problems.empty()) {
      return Usage(reflect::GoQuoted(key) + " is not valid key name for a Secret " +
                   Join(problems, ";"));
    }
    if (secret->data.contains(key)) {
      return Usage("cannot add key " + key + ", another key by that name already exists");
    }
    secret->data[key] = {.data = std::move(value), .present = true};
    return {};
  };
}

Result<v1::Secret> GenericSecretOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  TRY_VOID(CheckSources(request.invocation));
  v1::Secret secret = NewSecret(request, request.Text("type"));
  const Add add = AddTo(&secret);
  TRY_VOID(AddLiterals(request.invocation, add));
  TRY(const auto files, PartsOption(request.invocation, "from-file"));
  TRY_VOID(AddFiles(files, add));
  TRY_VOID(AddEnvFiles(request.invocation, "secret", add));
  AppendHash(request.invocation, &secret);
  return secret;
}

constexpr const char* kDockerConfigKey = ".dockerconfigjson";

// What docker keeps in ~/.docker/config.json.
std::string DockerConfig(const KindRequest& request) {
  const std::string user = request.Text("docker-username");
  const std::string password = request.Text("docker-password");
  std::string out = "{\"auths\":{";
  reflect::AppendJsonString(request.Text("docker-server"), &out);
  out += ":{";
  const auto add = [&out](const char* key, const std::string& value) {
    if (value.empty()) return;
    if (!out.ends_with('{')) out += ',';
    out.append("\"").append(key).append("\":");
    reflect::AppendJsonString(value, &out);
  };
  add("username", user);
  add("password", password);
  add("email", request.Text("docker-email"));
  std::string auth;
  reflect::AppendBase64(user + ":" + password, &auth);
  add("auth", auth);
  return out + "}}}";
}

Result<v1::Secret> RegistrySecretOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  TRY(auto files, PartsOption(request.invocation, "from-file"));
  if (files.empty() &&
      (request.Text("docker-username").empty() || request.Text("docker-password").empty() ||
       request.Text("docker-server").empty())) {
    return Usage(
        "either --from-file or the combination of --docker-username, --docker-password and "
        "--docker-server is required");
  }
  v1::Secret secret = NewSecret(request, "kubernetes.io/dockerconfigjson");
  if (files.empty()) TRY_VOID(AddTo(&secret)(kDockerConfigKey, DockerConfig(request)));
  for (std::string& file : files) {
    if (!file.contains('=')) file.insert(0, kDockerConfigKey + std::string("="));
  }
  TRY_VOID(AddFiles(files, AddTo(&secret)));
  AppendHash(request.invocation, &secret);
  return secret;
}

Result<std::string> ReadPart(const std::string& path) {
  auto text = ReadInput(path);
  if (text.ok()) return text;
  const int number = text.error().os_errno();
  if (number == 0) return std::move(text).error().WithContext("Cannot read file " + path);
  return Usage("Cannot read file " + path + ", " + (number == EISDIR ? "read " : "open ") + path +
               ": " + GoErrno(number));
}

Result<v1::Secret> TlsSecretOf(const KindRequest& request) {
  const std::string certificate = request.Text("cert");
  const std::string key = request.Text("key");
  if (certificate.empty() || key.empty()) return Usage("key and cert must be specified");
  TRY(std::string certificate_text, ReadPart(certificate));
  TRY(std::string key_text, ReadPart(key));
  TRY_VOID(api::CheckKeyPair(certificate_text, key_text));
  v1::Secret secret = NewSecret(request, "kubernetes.io/tls");
  secret.data["tls.crt"] = {.data = std::move(certificate_text), .present = true};
  secret.data["tls.key"] = {.data = std::move(key_text), .present = true};
  AppendHash(request.invocation, &secret);
  return secret;
}

Outcome RunConfigMap(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create configmap", .failure = "failed to create configmap: "},
                    ConfigMapOf);
}

Outcome RunGenericSecret(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create secret generic", .failure = "failed to create secret "},
                    GenericSecretOf);
}

Outcome RunRegistrySecret(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      invocation, streams,
      {.command = "create secret docker-registry", .failure = "failed to create secret "},
      RegistrySecretOf);
}

Outcome RunTlsSecret(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create secret tls", .failure = "failed to create secret "},
                    TlsSecretOf);
}

constexpr Option kAppendHash = {.name = "append-hash",
                                .help = "end the name with a hash of what the object holds"};
constexpr Option kFromLiteral = {.name = "from-literal",
                                 .value = "KEY=VALUE",
                                 .help = "an entry; may be given several times",
                                 .repeatable = true};
constexpr Option kFromFile = {
    .name = "from-file",
    .value = "[KEY=]FILE",
    .help =
        "an entry from a file, which is named like the file if not otherwise; or all files of "
        "a folder; may be given several times",
    .values = Values::kFiles,
    .repeatable = true};
constexpr Option kFromEnvFile = {.name = "from-env-file",
                                 .value = "FILE",
                                 .help = "entries from lines of KEY=VALUE",
                                 .values = Values::kFiles,
                                 .repeatable = true};

constexpr Option kConfigMapOwn[] = {kFromLiteral, kFromFile, kFromEnvFile, kAppendHash};
constexpr auto kConfigMapOptions = WithKindOptions(kConfigMapOwn);
constexpr Option kGenericOwn[] = {
    kFromLiteral,
    kFromFile,
    kFromEnvFile,
    {.name = "type", .value = "TYPE", .help = "of the secret; Opaque if not given"},
    kAppendHash};
constexpr auto kGenericOptions = WithKindOptions(kGenericOwn);
constexpr Option kRegistryOwn[] = {
    {.name = "docker-server", .value = "HOST", .help = "the registry"},
    {.name = "docker-username", .value = "NAME", .help = "who signs in there"},
    {.name = "docker-password", .value = "WORD", .help = "and with what"},
    {.name = "docker-email", .value = "ADDRESS", .help = "noted with it"},
    {.name = "from-file",
     .value = "FILE",
     .help = "docker's config.json instead",
     .values = Values::kFiles,
     .repeatable = true},
    kAppendHash};
constexpr auto kRegistryOptions = WithKindOptions(kRegistryOwn);
constexpr Option kTlsOwn[] = {
    {.name = "cert", .value = "FILE", .help = "certificates in PEM", .values = Values::kFiles},
    {.name = "key", .value = "FILE", .help = "the first one's key", .values = Values::kFiles},
    kAppendHash};
constexpr auto kTlsOptions = WithKindOptions(kTlsOwn);

}  // namespace

Command CreateConfigMapCommand() {
  return {
      .name = "create configmap",
      .summary = "Create a config map of literals and files",
      .aliases = "cm",
      .arguments = "NAME",
      .max_arguments = 100'000,
      .example =
          "  podium create configmap web --from-literal=color=red --from-file=web.conf\n"
          "  podium create configmap web --from-env-file=web.env --dry-run=client -o yaml\n",
      .options = kConfigMapOptions,
      .live = RunConfigMap,
  };
}

Command CreateSecretCommand() {
  static const Command kCommands[] = {
      {
          .name = "create secret generic",
          .summary = "Create a secret of literals and files",
          .arguments = "NAME",
          .max_arguments = 100'000,
          .example = "  podium create secret generic web --from-literal=word=sesame\n"
                     "  podium create secret generic web --from-file=key=id_ed25519 "
                     "--type=example.com/k\n",
          .options = kGenericOptions,
          .live = RunGenericSecret,
      },
      {
          .name = "create secret docker-registry",
          .summary = "Create a secret to pull images from a registry with",
          .arguments = "NAME",
          .max_arguments = 100'000,
          .example =
              "  podium create secret docker-registry reg --docker-server=registry.example \\\n"
              "      --docker-username=me --docker-password=sesame\n"
              "  podium create secret docker-registry reg --from-file=$HOME/.docker/config.json\n",
          .options = kRegistryOptions,
          .live = RunRegistrySecret,
      },
      {
          .name = "create secret tls",
          .summary = "Create a secret of a certificate and its key",
          .arguments = "NAME",
          .max_arguments = 100'000,
          .details = "Whether the key is the certificate's is looked at first.",
          .example = "  podium create secret tls web --cert=web.crt --key=web.key\n",
          .options = kTlsOptions,
          .live = RunTlsSecret,
      },
  };
  return {
      .name = "create secret",
      .summary = "Create a secret",
      .example = "  podium create secret generic web --from-literal=word=sesame\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
