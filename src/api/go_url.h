// URLs as Go's net/url reads them, with its errors, which upstream's users see.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::api {

// The parts that rules ask for, as they stand in the text, but for the scheme.
struct GoUrl {
  std::string scheme;  // in small letters
  std::optional<std::string_view> user;
  std::string_view host;  // with its port
  std::string_view query;
  std::string_view fragment;
};

// url.Parse. The parts point into `text`. kInvalidArgument with Go's text:
// `parse "http://a:b": invalid port ":b" after host`.
Result<GoUrl> ParseGoUrl(std::string_view text);

// url.ParseRequestURI: an absolute URI or an absolute path; it knows no fragments.
Result<GoUrl> ParseGoRequestUri(std::string_view text);

}  // namespace podium::api
