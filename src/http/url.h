// URLs of http and https (RFC 3986), as far as clients and servers of HTTP need them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::http {

struct Url {
  std::string scheme;                  // lower case
  std::string user_info{};             // "user:password", encoded as it came; "" for none
  std::string host{};                  // lower case; an IPv6 address stands here without brackets
  uint16_t port = 0;                   // 0: the scheme's own
  std::string path = "/";              // encoded; begins with a slash
  std::optional<std::string> query{};  // encoded, without '?'

  // Absolute URLs with an authority. Bytes from 0x80 in path and query are encoded; blanks, control
  // bytes and bad escapes are refused, and so is any host that is neither a name nor an address. A
  // fragment is dropped: it is never sent.
  static Result<Url> Parse(std::string_view text);
  // What `reference` (absolute, "//host/x", "/x", "x", "?q") means on this page.
  Result<Url> Resolve(std::string_view reference) const;

  uint16_t EffectivePort() const;  // port, or 443 for https and 80 otherwise
  // "host", "host:5000", "[::1]:5000": without the user, and without the scheme's own port.
  std::string Authority() const;
  // What stands in a request line: "/v2/?n=1".
  std::string Target() const;
  // Without the user: a password must not end up in a message.
  std::string ToString() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// Scheme, host and port.
bool SameOrigin(const Url& a, const Url& b);

// Letters, digits and -._~ stay, everything else becomes %XX. For one segment of a path or one name
// or value of a query.
std::string PercentEncode(std::string_view text);
// kInvalidArgument for a '%' without two hexadecimal digits.
Result<std::string> PercentDecode(std::string_view text);

using QueryParameters = std::vector<std::pair<std::string, std::string>>;
// In order; '+' is a space, as in forms. kInvalidArgument for bad escapes.
Result<QueryParameters> ParseQuery(std::string_view query);
std::string EncodeQuery(const QueryParameters& parameters);

// Whether the text is an IPv4 or IPv6 address.
bool IsIpAddress(std::string_view text);

}  // namespace podium::http
