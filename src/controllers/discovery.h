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
  // That can be deleted, each in one version: the one its group prefers, or the first that has it
  // (client-go's ServerPreferredResources).
  std::vector<DiscoveredResource> resources{};
  std::vector<std::string> failures{};  // versions of groups that could not be asked, and why
};

Result<DiscoveredResources> Discover(client::Connection& connection);

}  // namespace podium::controllers
