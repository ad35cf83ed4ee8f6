// The kubeconfig of one user of one cluster, all inline, named as kubeadm names it
// (kubernetes-admin@kubernetes).
#pragma once

#include <string>
#include <string_view>

namespace podium::apiserver {

inline constexpr std::string_view kAdminUser = "kubernetes-admin";

struct AdminKubeconfig {
  std::string server_url;
  std::string ca;  // PEM, as the next two
  std::string client_certificate;
  std::string client_key;
};

// YAML.
std::string ToYaml(const AdminKubeconfig& config);

}  // namespace podium::apiserver
