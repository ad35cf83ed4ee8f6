// Which credentials are for which image.
//
// A location is a host, with port if it has one, and perhaps a path: "registry.example:5000/team".
// Each part of the host between dots may be a pattern ("*.example.com" matches one level). It
// matches images of a host of as many parts, the same port, and paths that begin with its path.
// Schemes, and the paths /v1/ and /v2/, do not count; "https://index.docker.io/v1/" is Docker Hub.
// Source: Kubernetes, pkg/credentialprovider (keyring.go), whose results are the same.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/docker_config.h"

namespace podium::image {

// Asks docker-credential-NAME for a server; nothing: it has none.
using CredentialHelper = std::function<Result<std::optional<Credentials>>(
    const std::string& name, const std::string& server)>;

class Keyring {
 public:
  // Locations that read as no URL are passed over. `helper` is asked at each Lookup for locations
  // that the file leaves to programs; without one these have no credentials here.
  void Add(const DockerConfig& config, CredentialHelper helper = nullptr);

  // For a repository such as "docker.io/library/nginx": the most specific location first, and of
  // one location in the order they were added. Several, so that a rotated password may stand beside
  // the old one. Empty: ask anonymously. Fails only when a helper does.
  Result<std::vector<Credentials>> Lookup(std::string_view repository) const;

 private:
  struct Helpers {
    CredentialHelper run;
    std::vector<std::pair<std::string, std::string>> by_location;
    std::string store;
  };
  Result<void> AskHelpers(std::string_view repository, std::vector<Credentials>* found) const;

  // In reverse byte order of the locations, so that longer ones come before their beginnings.
  std::map<std::string, std::vector<Credentials>, std::greater<>> by_location_;
  std::vector<Helpers> helpers_;
};

}  // namespace podium::image
