#include "http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/text.h"
#include "http/headers.h"

namespace podium::http {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

void AppendEscaped(char c, std::string* out) {
  const auto byte = static_cast<unsigned char>(c);
  *out += '%';
  *out += kHexDigits[byte >> 4];
  *out += kHexDigits[byte & 0xF];
}

bool IsEscape(std::string_view text, size_t at) {
  return at + 2 < text.size() && HexValue(text[at + 1]) >= 0 && HexValue(text[at + 2]) >= 0;
}

Error Bad(std::string_view what) { return Error(Code::kInvalidArgument, std::string(what)); }

bool IsAddress(int family, std::string_view text) {
  unsigned char address[sizeof(in6_addr)];
  return text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), address) == 1;
}

// Path and query as they are sent.
Result<std::string> Encoded(std::string_view text, bool check_escapes) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte <= 0x20 || byte == 0x7F) return Bad("a blank or control byte in a URL");
    if (check_escapes && text[i] == '%' && !IsEscape(text, i)) return Bad("a bad escape in a URL");
    if (byte >= 0x80) {
      AppendEscaped(text[i], &out);
    } else {
      out += text[i];
    }
  }
  return out;
}

// RFC 3986, section 5.2.4, for a path that begins with a slash.
std::string WithoutDots(std::string_view path) {
  std::vector<std::string_view> segments;
  bool folder = false;  // the result ends with a slash
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    folder = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!folder) segments.push_back(segment);
    begin = end + 1;
  }
  std::string out;
  for (const std::string_view segment : segments) out.append("/").append(segment);
  if (folder || out.empty()) out += '/';
  return out;
}

Result<void> ParsePort(std::string_view text, Url* url) {
  if (text.empty()) return {};  // "host:" is the scheme's own, RFC 3986, section 3.2.3
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    return Bad("a bad port in a URL");
  }
  url->port = static_cast<uint16_t>(port);
  return {};
}

Result<void> ParseAuthority(std::string_view text, Url* url) {
  if (const size_t at = text.rfind('@'); at != std::string_view::npos) {
    TRY(url->user_info, Encoded(text.substr(0, at), true));
    text.remove_prefix(at + 1);
  }
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return Bad("a missing ']' in a URL");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') return Bad("a bad port in a URL");
    if (!IsAddress(AF_INET6, host)) return Bad("a bad address in a URL");
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    port = text.substr(colon);
    const auto in_name = [](char c) {
      return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_';
    };
    if (host.empty() || host.size() > 255 || !std::ranges::all_of(host, in_name)) {
      return Bad("a bad host in a URL");
    }
  }
  url->host = LowerCase(host);
  if (!port.empty()) port.remove_prefix(1);
  return ParsePort(port, url);
}

// What stands behind the authority, "" or from '/' or '?' on.
Result<void> ParsePathAndQuery(std::string_view text, Url* url) {
  text = text.substr(0, text.find('#'));
  const size_t mark = std::min(text.find('?'), text.size());
  TRY(url->path, Encoded(text.substr(0, mark), true));
  if (url->path.empty()) url->path = "/";
  url->query.reset();
  if (mark < text.size()) {
    TRY(url->query, Encoded(text.substr(mark + 1), false));
  }
  return {};
}

// The length of "scheme" in "scheme:…", or 0.
size_t SchemeLength(std::string_view text) {
  const auto in_scheme = [](char c) {
    return IsLetterOrDigit(c) || c == '+' || c == '-' || c == '.';
  };
  const size_t length =
      static_cast<size_t>(std::ranges::find_if_not(text, in_scheme) - text.begin());
  if (length == 0 || length == text.size() || text[length] != ':') return 0;
  return IsDigit(text[0]) ? 0 : length;
}

}  // namespace

Result<Url> Url::Parse(std::string_view text) {
  const size_t length = SchemeLength(text);
  if (length == 0 || text.substr(length, 3) != "://") return Bad("no scheme in a URL");
  Url url;
  url.scheme = LowerCase(text.substr(0, length));
  const std::string_view rest = text.substr(length + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  TRY_VOID(ParseAuthority(rest.substr(0, end), &url));
  TRY_VOID(ParsePathAndQuery(rest.substr(end), &url));
  return url;
}

Result<Url> Url::Resolve(std::string_view reference) const {
  Url url = *this;
  if (SchemeLength(reference) > 0) {
    TRY(url, Parse(reference));
  } else if (reference.starts_with("//")) {
    TRY(url, Parse(scheme + ":" + std::string(reference)));
  } else if (reference.empty() || reference[0] == '#') {
    return url;
  } else if (reference[0] == '/') {
    TRY_VOID(ParsePathAndQuery(reference, &url));
  } else if (reference[0] == '?') {
    TRY_VOID(ParsePathAndQuery(path + std::string(reference), &url));
  } else {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    TRY_VOID(ParsePathAndQuery(folder + std::string(reference), &url));
  }
  url.path = WithoutDots(url.path);
  return url;
}

uint16_t Url::EffectivePort() const {
  if (port != 0) return port;
  return scheme == "https" ? 443 : 80;
}

std::string Url::Authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 0 && port != (scheme == "https" ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::Target() const { return query ? path + "?" + *query : path; }

std::string Url::ToString() const { return scheme + "://" + Authority() + Target(); }

bool SameOrigin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.EffectivePort() == b.EffectivePort();
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      AppendEscaped(c, &out);
    }
  }
  return out;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (!IsEscape(text, i)) {
      return Bad("invalid URL escape \"" + std::string(text.substr(i, 3)) + "\"");
    }
    out += static_cast<char>((HexValue(text[i + 1]) << 4) | HexValue(text[i + 2]));
    i += 2;
  }
  return out;
}

Result<QueryParameters> ParseQuery(std::string_view query) {
  QueryParameters parameters;
  for (size_t begin = 0; begin < query.size();) {
    const size_t end = std::min(query.find('&', begin), query.size());
    std::string pair(query.substr(begin, end - begin));
    begin = end + 1;
    if (pair.empty()) continue;
    std::ranges::replace(pair, '+', ' ');
    const size_t equals = std::min(pair.find('='), pair.size());
    TRY(std::string name, PercentDecode(std::string_view(pair).substr(0, equals)));
    TRY(std::string value,
        PercentDecode(std::string_view(pair).substr(std::min(equals + 1, pair.size()))));
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

std::string EncodeQuery(const QueryParameters& parameters) {
  return Join(parameters, "&", [](const auto& parameter) {
    return PercentEncode(parameter.first) + "=" + PercentEncode(parameter.second);
  });
}

bool IsIpAddress(std::string_view text) {
  return IsAddress(AF_INET, text) || IsAddress(AF_INET6, text);
}

}  // namespace podium::http
