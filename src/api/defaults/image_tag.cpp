// The grammar is that of github.com/distribution/reference 0.6 (normalized names):
//   reference := [domain "/"] component {"/" component} [":" tag] ["@" digest]
#include "api/defaults/image_tag.h"

#include <algorithm>
#include <array>
#include <utility>

namespace podium::api {
namespace {

constexpr size_t kMaxRepository = 255;
constexpr size_t kMaxTag = 128;
constexpr std::string_view kOfficialPrefix = "library/";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsLower(c) || IsUpper(c); }
bool IsAlphanumeric(char c) { return IsLetter(c) || IsDigit(c); }
bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsHex(char c) { return IsLowerHex(c) || (c >= 'A' && c <= 'F'); }

template <class Predicate>
bool AllOf(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}
bool HasUpper(std::string_view text) {
  return !AllOf(text, [](char c) { return !IsUpper(c); });
}

// Calls `accept` with each part between separators; false as soon as one is not accepted.
template <class Predicate>
bool EachPart(std::string_view text, char separator, Predicate accept) {
  while (true) {
    size_t end = text.find(separator);
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
    std::string_view separator = text.substr(at, end - at);
    if (separator != "." && separator != "_" && separator != "__" &&
        !AllOf(separator, [](char c) { return c == '-'; })) {
      return false;
    }
    at = end;
  }
  return true;
}

bool IsDomainLabel(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         AllOf(text, [](char c) { return IsAlphanumeric(c) || c == '-'; });
}

// A host name or an IPv6 address in brackets, with or without a port.
bool IsDomain(std::string_view text) {
  size_t colon = text.starts_with('[') ? text.find(':', std::min(text.find(']'), text.size()))
                                       : text.find(':');
  if (colon != std::string_view::npos) {
    std::string_view port = text.substr(colon + 1);
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
  auto is_word = [](char c) { return IsAlphanumeric(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTag && is_word(text.front()) &&
         AllOf(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// Only the registered algorithms, whose lengths are known.
bool IsDigest(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, size_t>, 3> kAlgorithms = {
      {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}};
  for (auto [prefix, digits] : kAlgorithms) {
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      return text.size() == digits && AllOf(text, IsLowerHex);
    }
  }
  return false;
}

// Whether the part before the first slash is a registry, not the first part of a path.
bool LooksLikeDomain(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:") != std::string_view::npos ||
         HasUpper(text);
}

}  // namespace

bool HasLatestTag(std::string_view image) {
  if (image.size() == 64 && AllOf(image, IsLowerHex)) return false;

  std::string_view domain;
  std::string_view rest = image;
  if (size_t slash = image.find('/'); slash != std::string_view::npos) {
    if (LooksLikeDomain(image.substr(0, slash))) {
      domain = image.substr(0, slash);
      rest = image.substr(slash + 1);
    }
  }

  std::string_view path = rest.substr(0, rest.find_first_of(":@"));
  std::string_view suffix = rest.substr(path.size());
  std::string_view tag;
  std::string_view digest;
  size_t at = suffix.find('@');
  bool has_tag = suffix.starts_with(':');
  bool has_digest = at != std::string_view::npos;
  if (has_tag) tag = suffix.substr(1, has_digest ? at - 1 : std::string_view::npos);
  if (has_digest) digest = suffix.substr(at + 1);

  bool official = (domain.empty() || domain == "docker.io" || domain == "index.docker.io") &&
                  path.find('/') == std::string_view::npos;
  size_t path_size = path.size() + (official ? kOfficialPrefix.size() : 0);
  // What is no domain by its letters may still read as the first part of a path: "a_b.c/d".
  bool domain_is_path = !domain.empty() && !IsDomain(domain);
  if (domain_is_path) {
    if (!IsPathComponent(domain)) return false;
    path_size += domain.size() + 1;
  }
  if (path_size > kMaxRepository || !EachPart(path, '/', IsPathComponent)) return false;
  if ((has_tag && !IsTag(tag)) || (has_digest && !IsDigest(digest))) return false;
  return has_tag ? tag == "latest" : !has_digest;
}

}  // namespace podium::api
