// From a kubeconfig, or from what a pod is given, to a server and who asks it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/address.h"
#include "client/kubeconfig.h"

namespace podium::client {

// What a command's options say over the kubeconfig; "" for nothing.
struct AddressOverrides {
  std::string context{};
  std::string cluster{};
  std::string user{};
  std::string server{};
  std::string token{};
  std::string as{};
  std::vector<std::string> as_groups{};
  std::string as_uid{};
  bool insecure_skip_tls_verify = false;
  std::string tls_server_name{};
  // Paths of files.
  std::string certificate_authority{};
  std::string client_certificate{};
  std::string client_key{};
};

struct AddressEnvironment {
  EnvironmentLookup lookup{};
  const Clock* clock = nullptr;  // outlives the addresses
  // Standard input is a terminal that plugins may use.
  bool interactive = false;
};

struct ChosenAddress {
  ServerAddress address;
  std::string namespace_ = "default";
};

// `config` is Resolved. Files are read now, so that what is wrong with them is told now; tokens and
// certificates from files are read anew when they may have changed, plugins are run when they are
// needed. Errors (kInvalidArgument, kNotFound) have client-go's words and name the entry.
Result<ChosenAddress> AddressOf(const clientcmd::v1::Config& config,
                                const AddressOverrides& overrides,
                                const AddressEnvironment& environment);

// Of a pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and the files in `folder`. The
// token is read anew every minute. kNotFound outside of a pod.
inline constexpr const char* kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";
Result<ChosenAddress> InClusterAddress(const AddressEnvironment& environment,
                                       const std::string& folder = kServiceAccountFolder);

// What commands use: the files of KubeConfigSourcesOf, if one of them has a cluster or a current
// context; else `admin_path`, the administrator's kubeconfig that a podium server on this machine
// wrote, if it is there; else what a pod is given. kNotFound says all that.
Result<ChosenAddress> DefaultAddress(const KubeConfigSources& sources,
                                     const std::string& admin_path,
                                     const AddressOverrides& overrides,
                                     const AddressEnvironment& environment,
                                     const std::string& service_account = kServiceAccountFolder);

}  // namespace podium::client
