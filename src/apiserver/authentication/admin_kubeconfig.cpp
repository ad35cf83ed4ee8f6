#include "apiserver/authentication/admin_kubeconfig.h"

#include <fmt/format.h>

#include "reflect/base64.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

std::string Base64(std::string_view bytes) {
  std::string text;
  reflect::AppendBase64(bytes, &text);
  return text;
}

// Quoted as JSON, which is YAML.
std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

}  // namespace

std::string ToYaml(const AdminKubeconfig& config) {
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: kubernetes\n"
      "  cluster:\n"
      "    certificate-authority-data: {}\n"
      "    server: {}\n"
      "users:\n"
      "- name: {}\n"
      "  user:\n"
      "    client-certificate-data: {}\n"
      "    client-key-data: {}\n"
      "contexts:\n"
      "- name: {}@kubernetes\n"
      "  context:\n"
      "    cluster: kubernetes\n"
      "    user: {}\n"
      "current-context: {}@kubernetes\n",
      Base64(config.ca), Quoted(config.server_url), kAdminUser, Base64(config.client_certificate),
      Base64(config.client_key), kAdminUser, kAdminUser, kAdminUser);
}

}  // namespace podium::apiserver
