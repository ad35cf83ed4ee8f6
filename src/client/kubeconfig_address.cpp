#include "client/kubeconfig_address.h"

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "client/config_file.h"
#include "client/credentials.h"
#include "http/url.h"
#include "reflect/base64.h"
#include "reflect/go_text.h"

namespace podium::client {
namespace {

using clientcmd::v1::AuthInfo;
using clientcmd::v1::Cluster;
using clientcmd::v1::Config;
using clientcmd::v1::Context;

constexpr size_t kMaxFile = size_t{4} << 20;
constexpr std::string_view kExecExtension = "client.authentication.k8s.io/exec";

Error Bad(std::string why) {
  return Error(Code::kInvalidArgument, "invalid configuration: " + std::move(why));
}

// A cluster, a user and a namespace, with names for messages.
struct Choice {
  std::string cluster_name;
  std::string user_name;
  Cluster cluster;
  AuthInfo user;
  std::string namespace_;
};

void OverrideFiles(const AddressOverrides& overrides, Choice* choice) {
  if (!overrides.tls_server_name.empty()) {
    choice->cluster.tlsServerName = overrides.tls_server_name;
  }
  if (!overrides.certificate_authority.empty()) {
    choice->cluster.certificateAuthority = overrides.certificate_authority;
    choice->cluster.certificateAuthorityData = {};
    choice->cluster.insecureSkipTlsVerify = false;
  }
  if (!overrides.client_certificate.empty()) {
    choice->user.clientCertificate = overrides.client_certificate;
    choice->user.clientCertificateData = {};
  }
  if (!overrides.client_key.empty()) {
    choice->user.clientKey = overrides.client_key;
    choice->user.clientKeyData = {};
  }
}

Result<Choice> Choose(const Config& config, const AddressOverrides& overrides) {
  Choice choice;
  const std::string name = overrides.context.empty() ? config.currentContext : overrides.context;
  if (const Context* context = FindContext(config, name)) {
    choice.cluster_name = context->cluster;
    choice.user_name = context->user;
    choice.namespace_ = context->namespace_;
  } else if (!name.empty()) {
    std::string message = "context " + reflect::GoQuoted(name) + " does not exist";
    if (!config.contexts.empty()) {
      message += "; there are " + Join(config.contexts, ", ", [](const auto& e) { return e.name; });
    }
    return Error(Code::kNotFound, std::move(message));
  }
  if (!overrides.cluster.empty()) choice.cluster_name = overrides.cluster;
  if (!overrides.user.empty()) choice.user_name = overrides.user;
  if (!choice.cluster_name.empty()) {
    const Cluster* cluster = FindCluster(config, choice.cluster_name);
    if (!cluster) {
      return Error(Code::kNotFound, "cluster " + reflect::GoQuoted(choice.cluster_name) +
                                        " does not exist, which context " +
                                        reflect::GoQuoted(name) + " names");
    }
    choice.cluster = *cluster;
  }
  if (!choice.user_name.empty()) {
    const AuthInfo* user = FindUser(config, choice.user_name);
    if (!user) {
      return Error(Code::kNotFound, "auth info " + reflect::GoQuoted(choice.user_name) +
                                        " does not exist, which context " +
                                        reflect::GoQuoted(name) + " names");
    }
    choice.user = *user;
  }
  if (!overrides.server.empty()) choice.cluster.server = overrides.server;
  if (!overrides.token.empty()) {
    choice.user.token = overrides.token;
    choice.user.tokenFile.clear();
  }
  if (!overrides.as.empty()) choice.user.as = overrides.as;
  if (!overrides.as_uid.empty()) choice.user.asUid = overrides.as_uid;
  if (!overrides.as_groups.empty()) {
    choice.user.asGroups.assign(overrides.as_groups.begin(), overrides.as_groups.end());
  }
  OverrideFiles(overrides, &choice);
  if (overrides.insecure_skip_tls_verify) {
    choice.cluster.insecureSkipTlsVerify = true;
    choice.cluster.certificateAuthority.clear();
    choice.cluster.certificateAuthorityData = {};
  }
  return choice;
}

Result<std::string> Contents(const std::string& path, const reflect::Bytes& data,
                             std::string_view what, const std::string& owner) {
  if (!data.data.empty() || path.empty()) return data.data;
  auto text = ReadConfigFile(path, kMaxFile);
  if (text.ok()) return text;
  std::string hint;
  if (text.error().os_errno() == EACCES) hint = "; run as its owner, or name another kubeconfig";
  return Error(text.error().code(), "invalid configuration: unable to read " + std::string(what) +
                                        " " + path + " for " + owner + " due to " +
                                        text.error().message() + hint);
}

Result<void> UseCluster(const Choice& choice, const EnvironmentLookup& lookup,
                        ServerAddress* address) {
  const Cluster& cluster = choice.cluster;
  std::string url = cluster.server;
  if (url.empty()) {
    return Bad("no server found for cluster " + reflect::GoQuoted(choice.cluster_name));
  }
  if (url.find("://") == std::string::npos) url = "http://" + url;
  auto parsed = http::Url::Parse(url);
  if (!parsed.ok()) {
    return Bad("the server of cluster " + reflect::GoQuoted(choice.cluster_name) + ": " +
               parsed.error().message());
  }
  if (parsed->scheme != "http" && parsed->scheme != "https") {
    return Bad("the server of cluster " + reflect::GoQuoted(choice.cluster_name) +
               " must be an http or https URL");
  }
  address->url = std::move(url);
  TRY(address->tls.extra_roots,
      Contents(cluster.certificateAuthority, cluster.certificateAuthorityData,
               "certificate-authority", choice.cluster_name));
  // Who names roots means no others.
  address->tls.system_roots = address->tls.extra_roots.empty();
  address->tls.server_name = cluster.tlsServerName;
  address->tls.skip_verify = cluster.insecureSkipTlsVerify;
  if (cluster.insecureSkipTlsVerify && !address->tls.extra_roots.empty()) {
    return Bad(
        "specifying a root certificates file with the insecure flag is not allowed, as "
        "cluster " +
        reflect::GoQuoted(choice.cluster_name) + " does");
  }
  if (cluster.proxyUrl.empty()) {
    address->proxy = http::ProxyFromEnvironment(lookup);
    return {};
  }
  const auto proxy = http::Url::Parse(cluster.proxyUrl);
  const bool known = proxy.ok() && (proxy->scheme == "http" || proxy->scheme == "https" ||
                                    proxy->scheme == "socks5" || proxy->scheme == "socks5h");
  if (!known) {
    return Bad("invalid 'proxy-url' for cluster " + reflect::GoQuoted(choice.cluster_name) +
               ": it must be an http, https or socks5 URL");
  }
  address->proxy.always = cluster.proxyUrl;
  return {};
}

Result<void> CheckUser(const Choice& choice) {
  const AuthInfo& user = choice.user;
  const std::string& name = choice.user_name;
  const bool certificate = !user.clientCertificate.empty() || !user.clientCertificateData.empty();
  const bool key = !user.clientKey.empty() || !user.clientKeyData.empty();
  if (certificate && !key) {
    return Bad("client-key-data or client-key must be specified for " + name +
               " to use the clientCert authentication method.");
  }
  if (key && !certificate) {
    return Bad("client-certificate-data or client-certificate must be specified for " + name +
               " to use the clientCert authentication method.");
  }
  const bool token = !user.token.empty() || !user.tokenFile.empty();
  const bool basic = !user.username.empty() || !user.password.empty();
  if (token && basic) {
    return Bad("more than one authentication method found for " + name +
               "; found [token basicAuth], only one is allowed");
  }
  if (user.exec && user.authProvider) {
    return Bad("authProvider cannot be provided in combination with an exec plugin for " + name);
  }
  if (user.authProvider) {
    return Error(Code::kUnsupported, "user " + reflect::GoQuoted(name) + " signs in by " +
                                         reflect::GoQuoted(user.authProvider->name) +
                                         ", which no client has built in any more; use its exec "
                                         "plugin instead");
  }
  const bool more = !user.asUid.empty() || !user.asGroups.empty() || !user.asUserExtra.empty();
  if (user.as.empty() && more) {
    return Bad("requesting uid, groups or user-extra for " + name +
               " without impersonating a user");
  }
  return {};
}

Result<void> AddImpersonation(const AuthInfo& user, http::Headers* headers) {
  const auto add = [&](const std::string& name, const std::string& value) -> Result<void> {
    if (!http::IsFieldValue(value)) return Bad("control characters in " + name);
    headers->Add(name, value);
    return {};
  };
  if (user.as.empty()) return {};
  TRY_VOID(add("Impersonate-User", user.as));
  if (!user.asUid.empty()) TRY_VOID(add("Impersonate-Uid", user.asUid));
  for (const std::string& group : user.asGroups) TRY_VOID(add("Impersonate-Group", group));
  for (const auto& [key, values] : user.asUserExtra) {
    // Any key goes: what a header's name cannot have is escaped, as the server expects it.
    const std::string name = "Impersonate-Extra-" + http::PercentEncode(key);
    for (const std::string& value : values.items) TRY_VOID(add(name, value));
  }
  return {};
}

std::optional<clientauthentication::v1::Cluster> ClusterForPlugin(const Choice& choice,
                                                                  const ServerAddress& address) {
  clientauthentication::v1::Cluster cluster;
  cluster.server = address.url;
  cluster.tlsServerName = choice.cluster.tlsServerName;
  cluster.insecureSkipTlsVerify = choice.cluster.insecureSkipTlsVerify;
  cluster.certificateAuthorityData.data = address.tls.extra_roots;
  cluster.proxyUrl = choice.cluster.proxyUrl;
  cluster.disableCompression = choice.cluster.disableCompression;
  for (const auto& extension : choice.cluster.extensions) {
    if (extension.name == kExecExtension) cluster.config = extension.extension;
  }
  return cluster;
}

Result<void> UseUser(const Choice& choice, const AddressEnvironment& environment,
                     ServerAddress* address) {
  TRY_VOID(CheckUser(choice));
  const AuthInfo& user = choice.user;
  TRY_VOID(AddImpersonation(user, &address->headers));
  if (user.exec) {
    TRY(address->credentials,
        ExecCredentials::Create(choice.user_name, *user.exec, ClusterForPlugin(choice, *address),
                                environment));
    return {};
  }
  Login fixed;
  fixed.certificate = user.clientCertificateData.data;
  fixed.key = user.clientKeyData.data;
  if (!user.token.empty()) {
    if (!http::IsFieldValue(user.token)) return Bad("control characters in the token");
    fixed.authorization = "Bearer " + user.token;
  } else if (!user.username.empty()) {
    fixed.authorization = "Basic ";
    reflect::AppendBase64(user.username + ":" + user.password, &fixed.authorization);
  }
  FileCredentials::Paths paths{.token = user.tokenFile};
  if (fixed.certificate.empty()) paths.certificate = user.clientCertificate;
  if (fixed.key.empty()) paths.key = user.clientKey;
  auto credentials =
      FileCredentials::Create(std::move(fixed), std::move(paths), *environment.clock);
  if (!credentials.ok()) {
    const Error& error = credentials.error();
    std::string hint;
    if (error.os_errno() == EACCES) hint = "; run as its owner, or name another kubeconfig";
    return Error(error.code(), "invalid configuration: user " +
                                   reflect::GoQuoted(choice.user_name) + ": " + error.message() +
                                   hint);
  }
  address->credentials = *std::move(credentials);
  return {};
}

}  // namespace

Result<ChosenAddress> AddressOf(const Config& config, const AddressOverrides& overrides,
                                const AddressEnvironment& environment) {
  TRY(const Choice choice, Choose(config, overrides));
  ChosenAddress chosen;
  TRY_VOID(UseCluster(choice, environment.lookup, &chosen.address));
  TRY_VOID(UseUser(choice, environment, &chosen.address));
  if (!choice.namespace_.empty()) chosen.namespace_ = choice.namespace_;
  return chosen;
}

Result<ChosenAddress> InClusterAddress(const AddressEnvironment& environment,
                                       const std::string& folder) {
  const char* host = environment.lookup("KUBERNETES_SERVICE_HOST");
  const char* port = environment.lookup("KUBERNETES_SERVICE_PORT");
  if (!host || !*host || !port || !*port) {
    return Error(Code::kNotFound,
                 "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
                 "KUBERNETES_SERVICE_PORT must be defined");
  }
  ChosenAddress chosen;
  const std::string name(host);
  const bool ipv6 = name.find(':') != std::string::npos;
  chosen.address.url = "https://" + (ipv6 ? "[" + name + "]" : name) + ":" + port;
  TRY_VOID(http::Url::Parse(chosen.address.url));
  TRY(chosen.address.credentials,
      FileCredentials::Create({}, {.token = folder + "/token"}, *environment.clock));
  TRY(chosen.address.tls.extra_roots, ReadConfigFile(folder + "/ca.crt", kMaxFile));
  chosen.address.tls.system_roots = false;
  if (auto space = ReadConfigFile(folder + "/namespace", 4096); space.ok() && !space->empty()) {
    chosen.namespace_ = *std::move(space);
  }
  return chosen;
}

Result<ChosenAddress> DefaultAddress(const KubeConfigSources& sources,
                                     const std::string& admin_path,
                                     const AddressOverrides& overrides,
                                     const AddressEnvironment& environment,
                                     const std::string& service_account) {
  TRY(const KubeConfig files, KubeConfig::Load(sources));
  const Config config = files.Resolved();
  const bool says = !config.clusters.empty() || !config.currentContext.empty() ||
                    !overrides.server.empty() || !sources.explicit_path.empty();
  if (says) return AddressOf(config, overrides, environment);
  auto admin = admin_path.empty() ? Result<KubeConfig>(Error(Code::kNotFound, "none"))
                                  : KubeConfig::Load({.explicit_path = admin_path});
  if (admin.ok()) return AddressOf(admin->Resolved(), overrides, environment);
  const int why = admin.error().os_errno();
  if (!admin_path.empty() && why != ENOENT && why != EACCES) return admin.error();
  auto inside = InClusterAddress(environment, service_account);
  if (inside.ok()) return inside;
  std::string message =
      "no kubeconfig says which server to ask: name one with --kubeconfig or "
      "KUBECONFIG";
  if (!sources.home_path.empty()) message += ", or write " + sources.home_path;
  if (why == EACCES) {
    message += "; the server on this machine has one at " + admin_path + ", for its owner alone";
  } else if (!admin_path.empty()) {
    message +=
        "; on this machine no server has written " + admin_path + ", which \"podium server\" does";
  }
  return Error(Code::kNotFound, std::move(message));
}

}  // namespace podium::client
