// Which resources a server has, as its discovery documents say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/connection.h"

namespace podium::controllers {

struct DiscoveredResource {
  client::Target target;  // without a namespace
  std::string kind{};
  bool namespaced = false;
  std::vector<std::string> verbs{};

  bool HasVerb(std::string_view verb) const;
};

struct DiscoveredResources {
  std::vector<DiscoveredResource> resources{};  // that can be deleted, in one version of each group
  std::vector<std::string> failures{};          // groups that could not be asked, and why
};

Result<DiscoveredResources> Discover(client::Connection& connection);

}  // namespace podium::controllers
