// Docker's files of credentials: ~/.docker/config.json, which is also what an imagePullSecret of
// type kubernetes.io/dockerconfigjson holds, and the older ~/.dockercfg.
// Source: github.com/docker/cli, cli/config; Kubernetes, pkg/credentialprovider.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::image {

// Who somebody is to a registry. Either a name and a password or one of the tokens.
struct Credentials {
  std::string username{};
  std::string password{};
  // Exchanged for tokens at the registry's token server (OAuth 2 refresh token).
  std::string identity_token{};
  // Sent to the registry as it is.
  std::string registry_token{};

  bool empty() const {
    return username.empty() && password.empty() && identity_token.empty() && registry_token.empty();
  }
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct DockerConfig {
  struct Entry {
    std::string location;  // as written: "https://index.docker.io/v1/", "*.example.com/team"
    Credentials credentials;
  };
  std::vector<Entry> auths;
  // Of registries whose credentials a program has: docker-credential-NAME.
  std::vector<std::pair<std::string, std::string>> helpers;  // location and NAME
  std::string store;                                         // NAME for all others; "" for none
};

// Fields that are about other things than credentials are passed over. kInvalidArgument says what
// is wrong, and never shows a value.
Result<DockerConfig> ReadDockerConfigJson(std::string_view json);
Result<DockerConfig> ReadDockercfg(std::string_view json);

}  // namespace podium::image
