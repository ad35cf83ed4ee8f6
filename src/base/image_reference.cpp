#include "base/image_reference.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/text.h"

namespace podium {
namespace {

constexpr size_t kMaxRepository = 255;
constexpr size_t kMaxTag = 128;
constexpr size_t kMinDigestDigits = 32;
constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDomain = "index.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";

template <class Predicate>
bool AllOf(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}
bool HasUpper(std::string_view text) { return std::any_of(text.begin(), text.end(), IsUpper); }

// Calls `accept` with each part between separators; false as soon as one is not accepted.
template <class Predicate>
bool EachPart(std::string_view text, char separator, Predicate accept) {
  while (true) {
    const size_t end = text.find(separator);
    if (!accept(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

// Letters and digits in lower case, parted by one '.', one or two '_', or any number of '-'.
bool IsPathComponent(std::string_view text) {
  auto is_word = [](char c) { return IsLower(c) || IsDigit(c); };
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
  for (size_t at = 0; at < text.size();) {
    if (is_word(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_word(text[end])) ++end;
    const std::string_view separator = text.substr(at, end - at);
    if (separator != "." && separator != "_" && separator != "__" &&
        !AllOf(separator, [](char c) { return c == '-'; })) {
      return false;
    }
    at = end;
  }
  return true;
}

bool IsPath(std::string_view text) { return EachPart(text, '/', IsPathComponent); }

bool IsDomainLabel(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         AllOf(text, [](char c) { return IsLetterOrDigit(c) || c == '-'; });
}

// A host name or an IPv6 address in brackets, with or without a port.
bool IsDomain(std::string_view text) {
  const size_t colon = text.starts_with('[') ? text.find(':', std::min(text.find(']'), text.size()))
                                             : text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !AllOf(port, IsDigit)) return false;
    text = text.substr(0, colon);
  }
  if (text.starts_with('[')) {
    return text.size() > 2 && text.ends_with(']') &&
           AllOf(text.substr(1, text.size() - 2), [](char c) { return IsHex(c) || c == ':'; });
  }
  return EachPart(text, '.', IsDomainLabel);
}

bool IsTag(std::string_view text) {
  auto is_word = [](char c) { return IsLetterOrDigit(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTag && is_word(text.front()) &&
         AllOf(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// An algorithm's name, its parts parted by one of "+._-" and each beginning with a letter, and
// digits behind the colon. Whether the algorithm is known is another question.
bool LooksLikeDigest(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  bool at_start = true;
  for (const char c : text.substr(0, colon)) {
    if (at_start ? !IsLetter(c) : !IsLetterOrDigit(c) && !std::string_view("+._-").contains(c)) {
      return false;
    }
    at_start = !IsLetterOrDigit(c);
  }
  const std::string_view digits = text.substr(colon + 1);
  return !at_start && digits.size() >= kMinDigestDigits && AllOf(digits, IsHex);
}

// The reference without its domain, taken apart at ':' and '@'. Nothing is checked yet.
struct Parts {
  std::string_view path;
  std::string_view tag;
  std::string_view digest;
  bool has_tag = false;
  bool has_digest = false;
};

Parts Split(std::string_view text) {
  Parts parts;
  parts.path = text.substr(0, text.find_first_of(":@"));
  const std::string_view suffix = text.substr(parts.path.size());
  const size_t at = suffix.find('@');
  parts.has_tag = suffix.starts_with(':');
  parts.has_digest = at != std::string_view::npos;
  if (parts.has_tag) parts.tag = suffix.substr(1, parts.has_digest ? at - 1 : at);
  if (parts.has_digest) parts.digest = suffix.substr(at + 1);
  return parts;
}

bool MatchesGrammar(std::string_view domain, const Parts& parts) {
  return (IsDomain(domain) || IsPathComponent(domain)) && IsPath(parts.path) &&
         (!parts.has_tag || IsTag(parts.tag)) &&
         (!parts.has_digest || LooksLikeDigest(parts.digest));
}

// Whether the part before the first slash is a registry, not the first part of a path.
bool LooksLikeDomain(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:") != std::string_view::npos ||
         HasUpper(text);
}

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

}  // namespace

const char* DigestProblem(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) {
    return "invalid checksum digest format";
  }
  const std::string_view digits = text.substr(colon + 1);
  for (const auto& [name, size] : kDigestAlgorithms) {
    if (text.substr(0, colon) != name) continue;
    if (digits.size() != size) return "invalid checksum digest length";
    return AllOf(digits, IsLowerHex) ? nullptr : "invalid checksum digest format";
  }
  auto is_part = [](std::string_view part) {
    return !part.empty() && AllOf(part, [](char c) { return IsLower(c) || IsDigit(c); });
  };
  std::string algorithm(text.substr(0, colon));
  for (char& c : algorithm) {
    if (std::string_view("+._-").contains(c)) c = '.';
  }
  const bool well_formed = EachPart(algorithm, '.', is_part) && AllOf(digits, [](char c) {
                             return IsLetterOrDigit(c) || std::string_view("=_-").contains(c);
                           });
  return well_formed ? "unsupported digest algorithm" : "invalid checksum digest format";
}

Result<ImageReference> ImageReference::Parse(std::string_view text) {
  if (text.size() == 64 && AllOf(text, IsLowerHex)) {
    return Invalid("invalid repository name (" + std::string(text) +
                   "), cannot specify 64-byte hexadecimal strings");
  }
  std::string_view domain = kDefaultDomain;
  std::string rest(text);
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos && LooksLikeDomain(text.substr(0, slash))) {
    domain = text.substr(0, slash);
    if (domain == kLegacyDomain) domain = kDefaultDomain;
    rest = text.substr(slash + 1);
  }
  if (domain == kDefaultDomain && !rest.contains('/')) rest.insert(0, kOfficialPrefix);

  const std::string_view remote = std::string_view(rest).substr(0, rest.find(':'));
  if (HasUpper(remote)) {
    return Invalid("invalid reference format: repository name (" + std::string(remote) +
                   ") must be lowercase");
  }
  const Parts parts = Split(rest);
  if (!MatchesGrammar(domain, parts)) {
    const std::string lower_domain = LowerCase(domain);
    const std::string lower_rest = LowerCase(rest);
    return Invalid(MatchesGrammar(lower_domain, Split(lower_rest))
                       ? "repository name must be lowercase"
                       : "invalid reference format");
  }
  ImageReference out;
  if (IsDomain(domain)) {
    out.domain = domain;
    out.path = parts.path;
  } else {
    out.path = std::string(domain) + '/' + std::string(parts.path);
  }
  if (out.path.size() > kMaxRepository) {
    return Invalid("repository name must not be more than " + std::to_string(kMaxRepository) +
                   " characters");
  }
  if (parts.has_digest) {
    if (const char* problem = DigestProblem(parts.digest)) return Invalid(problem);
  }
  out.tag = parts.tag;
  out.digest = parts.digest;
  return out;
}

std::string ImageReference::Repository() const {
  return domain.empty() ? path : domain + '/' + path;
}

std::string ImageReference::String() const {
  std::string out = Repository();
  if (!tag.empty()) out += ':' + tag;
  if (!digest.empty()) out += '@' + digest;
  return out;
}

std::string ImageReference::Familiar() const {
  ImageReference familiar = *this;
  if (domain == kDefaultDomain) {
    familiar.domain.clear();
    const std::string_view official = kOfficialPrefix;
    if (path.starts_with(official) && path.find('/', official.size()) == std::string::npos) {
      familiar.path.erase(0, official.size());
    }
  }
  return familiar.String();
}

}  // namespace podium
