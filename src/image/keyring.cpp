#include "image/keyring.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::image {
namespace {

// Docker Hub, as `docker login` names it.
constexpr std::string_view kHubLocation = "index.docker.io";
constexpr std::string_view kHubServer = "https://index.docker.io/v1/";

struct Location {
  std::string host;
  std::string port;  // "" for none
  std::string path;  // with its slash, or ""
};

std::pair<std::string_view, std::string_view> Cut(std::string_view text, char at) {
  const size_t position = text.find(at);
  if (position == text.npos) return {text, {}};
  return {text.substr(0, position), text.substr(position)};
}

// Of "host[:port][/path]". Nothing when no URL could have that.
std::optional<Location> ParseLocation(std::string_view text) {
  if (std::ranges::any_of(
          text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
    return std::nullopt;
  }
  auto [authority, path] = Cut(Cut(Cut(text, '#').first, '?').first, '/');
  if (const size_t user = authority.rfind('@'); user != authority.npos) {
    authority.remove_prefix(user + 1);
  }
  Location location{.host = std::string(authority), .port = {}, .path = std::string(path)};
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  if (colon == authority.npos || (bracket != authority.npos && colon < bracket)) return location;
  const std::string_view port = authority.substr(colon + 1);
  if (!std::ranges::all_of(port, IsDigit)) return std::nullopt;
  std::string_view host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  location.host = host;
  location.port = port;
  return location;
}

// What a location of a file is called in the keyring; nothing when it is to be passed over.
std::optional<std::string> KeyOf(std::string_view location) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (location.starts_with(scheme)) {
      location.remove_prefix(scheme.size());
      break;
    }
  }
  if (!ParseLocation(location)) return std::nullopt;
  auto [authority, path] = Cut(Cut(Cut(location, '#').first, '?').first, '/');
  if (const size_t user = authority.rfind('@'); user != authority.npos) {
    authority.remove_prefix(user + 1);
  }
  if (path.starts_with("/v1/") || path.starts_with("/v2/")) path.remove_prefix(3);
  std::string key(authority);
  if (path != "/") key += path;
  return key;
}

bool Matches(const Location& pattern, const Location& image) {
  if (pattern.port != image.port || !image.path.starts_with(pattern.path)) return false;
  const auto patterns = Split(pattern.host, '.');
  const auto parts = Split(image.host, '.');
  return std::ranges::equal(patterns, parts, [](const auto& one, const auto& other) {
    return fnmatch(std::string(one).c_str(), std::string(other).c_str(), 0) == 0;
  });
}

bool IsOfHub(std::string_view repository) {
  const auto [first, rest] = Cut(repository, '/');
  if (first.empty()) return false;
  if (rest.empty() || first == "docker.io" || first == kHubLocation) return true;
  return first.find_first_of(".:") == first.npos;
}

}  // namespace

void Keyring::Add(const DockerConfig& config, CredentialHelper helper) {
  for (const auto& [location, credentials] : config.auths) {
    // An empty entry says that a helper has the credentials.
    if (helper && credentials.empty()) continue;
    if (const auto key = KeyOf(location)) by_location_[*key].push_back(credentials);
  }
  if (helper && (!config.helpers.empty() || !config.store.empty())) {
    helpers_.push_back({std::move(helper), config.helpers, config.store});
  }
}

Result<std::vector<Credentials>> Keyring::Lookup(std::string_view repository) const {
  std::vector<Credentials> found;
  const auto image = ParseLocation(repository);
  if (!image) return found;
  TRY_VOID(AskHelpers(repository, &found));
  for (const auto& [key, credentials] : by_location_) {
    const auto pattern = ParseLocation(key);
    if (pattern && Matches(*pattern, *image)) {
      found.insert(found.end(), credentials.begin(), credentials.end());
    }
  }
  if (!found.empty() || !IsOfHub(repository)) return found;
  const auto hub = by_location_.find(std::string(kHubLocation));
  if (hub != by_location_.end()) found = hub->second;
  return found;
}

Result<void> Keyring::AskHelpers(std::string_view repository,
                                 std::vector<Credentials>* found) const {
  const std::string_view host = Cut(repository, '/').first;
  const bool hub = IsOfHub(repository);
  for (const Helpers& helpers : helpers_) {
    const std::string* name = helpers.store.empty() ? nullptr : &helpers.store;
    for (const auto& [location, by] : helpers.by_location) {
      const auto key = KeyOf(location);
      if (key && (*key == host || (hub && (*key == kHubLocation || *key == "docker.io")))) {
        name = &by;
        break;
      }
    }
    if (!name) continue;
    const std::string server(hub ? kHubServer : host);
    TRY(auto credentials, helpers.run(*name, server));
    if (credentials) found->push_back(std::move(*credentials));
  }
  return {};
}

}  // namespace podium::image
