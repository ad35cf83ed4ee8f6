#include "api/validation/webhook_client.h"

#include "api/names.h"
#include "api/validation/common.h"

namespace podium::api {

using field::ErrorList;
using field::Path;

namespace {

// The parts of "scheme://user@host/path?query#fragment" that a hook's URL has rules for.
struct UrlParts {
  std::string_view scheme;
  std::optional<std::string_view> user;
  std::string_view host;
  std::string_view query;
  std::string_view fragment;
};

// Takes what follows `mark` off the end of `text`.
std::string_view TakeAfter(std::string_view* text, char mark) {
  const size_t at = text->find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view after = text->substr(at + 1);
  *text = text->substr(0, at);
  return after;
}

UrlParts SplitUrl(std::string_view url) {
  UrlParts parts;
  parts.fragment = TakeAfter(&url, '#');
  if (const size_t colon = url.find_first_of(":/?");
      colon != std::string_view::npos && url[colon] == ':') {
    parts.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 1);
  }
  parts.query = TakeAfter(&url, '?');
  if (!url.starts_with("//")) return parts;
  url.remove_prefix(2);
  parts.host = url.substr(0, url.find('/'));
  if (const size_t at = parts.host.rfind('@'); at != std::string_view::npos) {
    parts.user = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  return parts;
}

void CheckServicePath(const std::string& value, const Path& path, ErrorList* errors) {
  if (value.empty() || value == "/") return;
  const auto refuse = [&](size_t segment, const std::string& problem) {
    errors->Add(field::Invalid(path, value, "segment[" + std::to_string(segment) + "]" + problem));
  };
  if (value == "//") return refuse(0, " may not be empty");
  if (!value.starts_with('/')) errors->Add(field::Invalid(path, value, "must start with a '/'"));
  std::string_view rest = std::string_view(value).substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (size_t i = 0;; ++i) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty()) {
      refuse(i, " may not be empty");
    } else {
      for (const std::string& message : IsDNS1123Subdomain(segment)) refuse(i, ": " + message);
    }
    if (segment.size() == rest.size()) return;
    rest.remove_prefix(segment.size() + 1);
  }
}

}  // namespace

ErrorList ValidateWebhookUrl(std::string_view url, const Path& path) {
  ErrorList errors;
  const std::string form = "; desired format: https://host[/path]";
  const UrlParts parts = SplitUrl(url);
  if (const std::string scheme = LowerToAscii(parts.scheme); scheme != "https") {
    errors.Add(field::Invalid(path, scheme, "'https' is the only allowed URL scheme" + form));
  }
  if (parts.host.empty()) errors.Add(field::Invalid(path, "", "host must be specified" + form));
  if (parts.user) {
    errors.Add(field::Invalid(path, *parts.user, "user information is not permitted in the URL"));
  }
  if (!parts.fragment.empty()) {
    errors.Add(field::Invalid(path, parts.fragment, "fragments are not permitted in the URL"));
  }
  if (!parts.query.empty()) {
    errors.Add(field::Invalid(path, parts.query, "query parameters are not permitted in the URL"));
  }
  return errors;
}

ErrorList ValidateWebhookService(std::string_view namespace_name, std::string_view name,
                                 const std::optional<std::string>& url_path, int32_t port,
                                 const Path& path) {
  ErrorList errors;
  if (name.empty()) errors.Add(field::Required(path.Child("name"), ""));
  if (namespace_name.empty()) errors.Add(field::Required(path.Child("namespace"), ""));
  for (const std::string& message : IsValidPortNum(port)) {
    errors.Add(field::Invalid(path.Child("port"), port, "port is not valid: " + message));
  }
  if (url_path) CheckServicePath(*url_path, path.Child("path"), &errors);
  return errors;
}

}  // namespace podium::api
