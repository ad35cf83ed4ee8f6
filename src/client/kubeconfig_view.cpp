// What `config view` shows of a kubeconfig.
#include "client/config_file.h"
#include "client/kubeconfig.h"

namespace podium::client {
namespace {

using clientcmd::v1::AuthInfo;
using clientcmd::v1::Cluster;
using clientcmd::v1::Config;
using clientcmd::v1::Context;

constexpr size_t kMaxFile = size_t{4} << 20;

Result<void> TakeIn(std::string* path, reflect::Bytes* data) {
  if (path->empty()) return {};
  if (data->data.empty()) {
    auto text = ReadConfigFile(*path, kMaxFile);
    if (!text.ok()) return std::move(text).error().WithContext(*path);
    data->data = *std::move(text);
    data->present = true;
  }
  path->clear();
  return {};
}

void Omit(std::string_view word, reflect::Bytes* data) {
  if (!data->data.empty()) data->data = word;
}

}  // namespace

Result<Config> Minified(const Config& config, std::string_view context) {
  const std::string name(context.empty() ? config.currentContext : context);
  if (name.empty()) {
    return Error(Code::kNotFound, "current-context must exist in order to minify");
  }
  const Context* chosen = FindContext(config, name);
  if (!chosen) return Error(Code::kNotFound, "cannot locate context " + name);
  Config small;
  small.kind = config.kind;
  small.apiVersion = config.apiVersion;
  small.preferences = config.preferences;
  small.extensions = config.extensions;
  small.currentContext = name;
  small.contexts.push_back({name, *chosen});
  if (!chosen->cluster.empty()) {
    const Cluster* cluster = FindCluster(config, chosen->cluster);
    if (!cluster) {
      return Error(Code::kNotFound, "cannot locate cluster " + chosen->cluster);
    }
    small.clusters.push_back({chosen->cluster, *cluster});
  }
  if (!chosen->user.empty()) {
    const AuthInfo* user = FindUser(config, chosen->user);
    if (!user) {
      return Error(Code::kNotFound, "cannot locate user " + chosen->user);
    }
    small.users.push_back({chosen->user, *user});
  }
  return small;
}

Result<Config> Flattened(const Config& config) {
  Config flat = config;
  for (auto& entry : flat.clusters) {
    TRY_VOID(TakeIn(&entry.cluster.certificateAuthority, &entry.cluster.certificateAuthorityData));
  }
  for (auto& entry : flat.users) {
    TRY_VOID(TakeIn(&entry.user.clientCertificate, &entry.user.clientCertificateData));
    TRY_VOID(TakeIn(&entry.user.clientKey, &entry.user.clientKeyData));
  }
  return flat;
}

Config Redacted(const Config& config) {
  constexpr std::string_view kRedacted = "REDACTED";
  // Whose base64 reads DATA+OMITTED, which is how kubectl shows it.
  constexpr std::string_view kOmitted("\x0C\x04\xC0\xF8\xE3\x08\x4D\x31\x03", 9);
  Config shown = config;
  for (auto& entry : shown.clusters) Omit(kOmitted, &entry.cluster.certificateAuthorityData);
  for (auto& entry : shown.users) {
    AuthInfo& user = entry.user;
    Omit(kOmitted, &user.clientCertificateData);
    Omit(kOmitted, &user.clientKeyData);
    for (std::string* secret : {&user.token, &user.password}) {
      if (!secret->empty()) *secret = kRedacted;
    }
    if (user.authProvider) {
      for (auto& [key, value] : user.authProvider->config) value = kRedacted;
    }
  }
  return shown;
}

}  // namespace podium::client
