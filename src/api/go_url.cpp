#include "api/go_url.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

Error Bad(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

bool IsWordOr(char c, std::string_view others) {
  return IsLetterOrDigit(c) || others.find(c) != others.npos;
}

Result<void> CheckEscapes(std::string_view text) {
  for (size_t i = text.find('%'); i != text.npos; i = text.find('%', i + 3)) {
    if (i + 2 < text.size() && IsHex(text[i + 1]) && IsHex(text[i + 2])) continue;
    return Bad("invalid URL escape " + reflect::GoQuoted(text.substr(i, 3)));
  }
  return {};
}

Result<void> CheckPort(std::string_view port) {
  if (port.empty() || (port[0] == ':' && std::ranges::all_of(port.substr(1), IsDigit))) return {};
  return Bad("invalid port " + reflect::GoQuoted(port) + " after host");
}

Result<void> CheckHost(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.rfind(']');
    if (end == host.npos) return Bad("missing ']' in host");
    TRY_VOID(CheckPort(host.substr(end + 1)));
  } else if (const size_t colon = host.rfind(':'); colon != host.npos) {
    TRY_VOID(CheckPort(host.substr(colon)));
  }
  TRY_VOID(CheckEscapes(host));
  for (size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '%') {
      // Of ASCII, only a percent sign may be escaped in a host.
      if (host[i + 1] < '8' && host.substr(i, 3) != "%25") {
        return Bad("invalid URL escape " + reflect::GoQuoted(host.substr(i, 3)));
      }
      i += 2;
    } else if ((c & 0x80) == 0 && !IsWordOr(c, "-_.~!$&'()*+,;=:[]<>\"")) {
      return Bad("invalid character " + reflect::GoQuoted(host.substr(i, 1)) + " in host name");
    }
  }
  return {};
}

Result<void> ReadAuthority(std::string_view authority, GoUrl* url) {
  const size_t at = authority.rfind('@');
  url->host = at == authority.npos ? authority : authority.substr(at + 1);
  TRY_VOID(CheckHost(url->host));
  if (at == authority.npos) return {};
  url->user = authority.substr(0, at);
  for (const char c : *url->user) {
    if (!IsWordOr(c, "-._:~!$&'()*+,;=%@")) return Bad("net/url: invalid userinfo");
  }
  return CheckEscapes(*url->user);
}

// Takes the scheme and its colon off the text, if there is one.
Result<void> TakeScheme(std::string_view* text, GoUrl* url) {
  for (size_t i = 0; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (IsLetter(c)) continue;
    if (c == ':') {
      if (i == 0) return Bad("missing protocol scheme");
      url->scheme = LowerCase(text->substr(0, i));
      text->remove_prefix(i + 1);
      return {};
    }
    if (i == 0 || !IsWordOr(c, "+-.")) return {};
  }
  return {};
}

Result<GoUrl> Parse(std::string_view text, bool is_request) {
  GoUrl url;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      return Bad("net/url: invalid control character in URL");
    }
  }
  if (text.empty() && is_request) return Bad("empty url");
  if (text == "*") return url;
  TRY_VOID(TakeScheme(&text, &url));
  if (const size_t mark = text.find('?'); mark != text.npos) {
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (!text.starts_with('/')) {
    // Behind a scheme this is opaque.
    if (!url.scheme.empty()) return url;
    if (is_request) return Bad("invalid URI for request");
    if (text.substr(0, text.find('/')).contains(':')) {
      return Bad("first path segment in URL cannot contain colon");
    }
  }
  const bool may_have_host = !url.scheme.empty() || (!is_request && !text.starts_with("///"));
  if (may_have_host && text.starts_with("//")) {
    const size_t slash = std::min(text.find('/', 2), text.size());
    TRY_VOID(ReadAuthority(text.substr(2, slash - 2), &url));
    text.remove_prefix(slash);
  }
  TRY_VOID(CheckEscapes(text));
  return url;
}

Error ParseError(std::string_view text, const Error& error) {
  return Bad("parse " + reflect::GoQuoted(text) + ": " + error.message());
}

}  // namespace

Result<GoUrl> ParseGoUrl(std::string_view text) {
  const size_t mark = text.find('#');
  const std::string_view before = text.substr(0, mark);
  auto url = Parse(before, false);
  if (!url.ok()) return ParseError(before, url.error());
  if (mark == text.npos) return url;
  url->fragment = text.substr(mark + 1);
  if (const auto checked = CheckEscapes(url->fragment); !checked.ok()) {
    return ParseError(text, checked.error());
  }
  return url;
}

Result<GoUrl> ParseGoRequestUri(std::string_view text) {
  auto url = Parse(text, true);
  if (!url.ok()) return ParseError(text, url.error());
  return url;
}

}  // namespace podium::api
