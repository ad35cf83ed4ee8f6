#include "api/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::api {
namespace {

bool IsLowerOrDigitOrHyphen(char c) { return IsLowerOrDigit(c) || c == '-'; }

using CharRule = bool (*)(char);

// [first]([inner]*[last])?
bool IsName(std::string_view text, CharRule first, CharRule inner, CharRule last) {
  return !text.empty() && first(text.front()) && last(text.back()) &&
         std::ranges::all_of(text, inner);
}

bool IsOneOrMore(std::string_view text, CharRule rule) {
  return !text.empty() && std::ranges::all_of(text, rule);
}

using PartRule = bool (*)(std::string_view);

// part(\.part)*
bool IsDotted(std::string_view text, PartRule part) {
  for (;;) {
    size_t dot = text.find('.');
    if (!part(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool IsLabelText(std::string_view text) {
  return IsName(text, IsLowerOrDigit, IsLowerOrDigitOrHyphen, IsLowerOrDigit);
}

bool IsCaselessLabelText(std::string_view text) {
  return IsName(
      text, IsLetterOrDigit, [](char c) { return IsLetterOrDigit(c) || c == '-'; },
      IsLetterOrDigit);
}

bool IsUnderscoreLabelText(std::string_view text) {
  if (text.starts_with('_')) text.remove_prefix(1);
  return IsName(
      text, IsLowerOrDigit, [](char c) { return IsLowerOrDigitOrHyphen(c) || c == '_'; },
      IsLowerOrDigit);
}

bool IsSubdomainText(std::string_view text) { return IsDotted(text, IsLabelText); }

bool IsFileNameChar(char c) { return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.'; }

bool IsQualifiedNameText(std::string_view text) {
  return IsName(text, IsLetterOrDigit, IsFileNameChar, IsLetterOrDigit);
}

bool IsPathChar(char c) {
  return IsLetterOrDigit(c) || std::string_view("/-._~%!$&'()*+,;=:").contains(c);
}

// The patterns, as upstream's messages quote them.
constexpr std::string_view kLabelRegex = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomainRegex =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kUnderscoreSubdomainRegex =
    "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kQualifiedNameRegex = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr std::string_view kQualifiedNameMessage =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character";
constexpr std::string_view kEmptyError = "must be non-empty";

void CheckLength(std::string_view value, size_t max, Messages* messages) {
  if (value.size() > max) messages->push_back(MaxLenError(max));
}

std::string QualifiedNameError(std::string_view what) {
  return std::string(what) +
         RegexError(kQualifiedNameMessage, kQualifiedNameRegex, {"MyName", "my.name", "123-abc"});
}

// "." and ".." are no file names, and names that begin so are kept for the system.
void CheckDots(std::string_view value, Messages* messages) {
  if (value == ".") {
    messages->push_back("must not be '.'");
  } else if (value == "..") {
    messages->push_back("must not be '..'");
  } else if (value.starts_with("..")) {
    messages->push_back("must not start with '..'");
  }
}

}  // namespace

std::string MaxLenError(size_t length) {
  return fmt::format("must be no more than {} bytes", length);
}

std::string InclusiveRangeError(int64_t min, int64_t max) {
  return fmt::format("must be between {} and {}, inclusive", min, max);
}

std::string RegexError(std::string_view message, std::string_view regex,
                       std::initializer_list<std::string_view> examples) {
  std::string out(message);
  out += " (";
  const char* before = "e.g. '";
  for (std::string_view example : examples) {
    out.append(before).append(example).append("', ");
    before = " or '";
  }
  return out.append("regex used for validation is '").append(regex).append("')");
}

Messages IsDNS1123Label(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123LabelMaxLength, &messages);
  if (IsLabelText(value)) return messages;
  if (IsSubdomainText(value)) {
    messages.push_back("must not contain dots");
  } else {
    messages.push_back(
        RegexError("a lowercase RFC 1123 label must consist of lower case alphanumeric characters "
                   "or '-', and must start and end with an alphanumeric character",
                   kLabelRegex, {"my-name", "123-abc"}));
  }
  return messages;
}

Messages IsDNS1123Subdomain(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123SubdomainMaxLength, &messages);
  if (!IsSubdomainText(value)) {
    messages.push_back(
        RegexError("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                   "characters, '-' or '.', and must start and end with an alphanumeric character",
                   kSubdomainRegex, {"example.com"}));
  }
  return messages;
}

Messages IsDNS1123SubdomainCaseless(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123SubdomainMaxLength, &messages);
  if (!IsDotted(value, IsCaselessLabelText)) {
    messages.push_back(
        RegexError("an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and "
                   "must start and end with an alphanumeric character",
                   kSubdomainRegex, {"Example.com"}));
  }
  return messages;
}

Messages IsDNS1123SubdomainWithUnderscore(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123SubdomainMaxLength, &messages);
  if (!IsDotted(value, IsUnderscoreLabelText)) {
    messages.push_back(RegexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', "
        "'-' or '.', and must start and end with an alphanumeric character",
        kUnderscoreSubdomainRegex, {"example.com"}));
  }
  return messages;
}

Messages IsDNS1035Label(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1035LabelMaxLength, &messages);
  if (!IsName(value, IsLower, IsLowerOrDigitOrHyphen, IsLowerOrDigit)) {
    messages.push_back(
        RegexError("a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                   "start with an alphabetic character, and end with an alphanumeric character",
                   "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return messages;
}

Messages IsWildcardDNS1123Subdomain(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123SubdomainMaxLength, &messages);
  if (!value.starts_with("*.") || !IsSubdomainText(value.substr(2))) {
    messages.push_back(RegexError(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
        "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
        "alphanumeric character",
        "\\*\\." + std::string(kSubdomainRegex), {"*.example.com"}));
  }
  return messages;
}

Messages IsQualifiedName(std::string_view value) {
  Messages messages;
  std::string_view name = value;
  size_t slashes = static_cast<size_t>(std::ranges::count(value, '/'));
  if (slashes > 1) {
    return {QualifiedNameError("a valid label key ") +
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
  }
  if (slashes == 1) {
    std::string_view prefix = value.substr(0, value.find('/'));
    name.remove_prefix(prefix.size() + 1);
    if (prefix.empty()) {
      messages.push_back("prefix part " + std::string(kEmptyError));
    } else {
      for (const std::string& message : IsDNS1123Subdomain(prefix)) {
        messages.push_back("prefix part " + message);
      }
    }
  }
  constexpr size_t kMaxLength = 63;
  if (name.empty()) {
    messages.push_back("name part " + std::string(kEmptyError));
  } else if (name.size() > kMaxLength) {
    messages.push_back("name part " + MaxLenError(kMaxLength));
  }
  if (!IsQualifiedNameText(name)) messages.push_back(QualifiedNameError("name part "));
  return messages;
}

Messages IsValidLabelValue(std::string_view value) {
  Messages messages;
  CheckLength(value, kLabelValueMaxLength, &messages);
  if (!value.empty() && !IsQualifiedNameText(value)) {
    messages.push_back(RegexError(
        "a valid label must be an empty string or consist of alphanumeric characters, "
        "'-', '_' or '.', and must start and end with an alphanumeric character",
        "(" + std::string(kQualifiedNameRegex) + ")?", {"MyValue", "my_value", "12345"}));
  }
  return messages;
}

Messages IsCIdentifier(std::string_view value) {
  CharRule first = [](char c) { return IsLetter(c) || c == '_'; };
  CharRule inner = [](char c) { return IsLetterOrDigit(c) || c == '_'; };
  if (IsName(value, first, inner, inner)) return {};
  return {
      RegexError("a valid C identifier must start with alphabetic character or '_', followed "
                 "by a string of alphanumeric characters or '_'",
                 "[A-Za-z_][A-Za-z0-9_]*", {"my_name", "MY_NAME", "MyName"})};
}

Messages IsEnvVarName(std::string_view value) {
  Messages messages;
  CharRule first = [](char c) { return IsFileNameChar(c) && !IsDigit(c); };
  if (!IsName(value, first, IsFileNameChar, IsFileNameChar)) {
    messages.push_back(RegexError(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', "
        "'-', or '.', and must not start with a digit",
        "[-._a-zA-Z][-._a-zA-Z0-9]*", {"my.env-name", "MY_ENV.NAME", "MyEnvName1"}));
  }
  CheckDots(value, &messages);
  return messages;
}

Messages IsRelaxedEnvVarName(std::string_view value) {
  if (value.empty()) return {"environment variable name " + std::string(kEmptyError)};
  if (std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '='; })) {
    return {};
  }
  return {
      "a valid environment variable name must consist only of printable ASCII characters other "
      "than '='"};
}

Messages IsConfigMapKey(std::string_view value) {
  Messages messages;
  CheckLength(value, kDNS1123SubdomainMaxLength, &messages);
  if (!IsOneOrMore(value, IsFileNameChar)) {
    messages.push_back(
        RegexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                   "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  CheckDots(value, &messages);
  return messages;
}

Messages IsHTTPHeaderName(std::string_view value) {
  if (IsOneOrMore(value, [](char c) { return IsLetterOrDigit(c) || c == '-'; })) return {};
  return {RegexError("a valid HTTP header must consist of alphanumeric characters or '-'",
                     "[-A-Za-z0-9]+", {"X-Header-Name"})};
}

Messages IsValidPercent(std::string_view value) {
  if (value.ends_with('%') && IsOneOrMore(value.substr(0, value.size() - 1), IsDigit)) return {};
  return {RegexError("a valid percent string must be a numeric string followed by an ending '%'",
                     "[0-9]+%", {"1%", "93%"})};
}

Messages IsInRange(int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return {};
  return {InclusiveRangeError(min, max)};
}

Messages IsValidPortNum(int64_t port) { return IsInRange(port, 1, 65535); }

Messages IsValidPortName(std::string_view value) {
  Messages messages;
  CheckLength(value, 15, &messages);
  if (!IsOneOrMore(value, IsLowerOrDigitOrHyphen)) {
    messages.push_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(value, IsLower)) {
    messages.push_back("must contain at least one letter (a-z)");
  }
  if (value.contains("--")) messages.push_back("must not contain consecutive hyphens");
  if (value.starts_with('-') || value.ends_with('-')) {
    messages.push_back("must not begin or end with a hyphen");
  }
  return messages;
}

namespace {
constexpr int64_t kMaxId = 0xffffffff;
}  // namespace

Messages IsValidUserID(int64_t uid) { return IsInRange(uid, 0, kMaxId); }
Messages IsValidGroupID(int64_t gid) { return IsInRange(gid, 0, kMaxId); }

namespace {

// Upstream drops two characters for one, so a prefix may be a byte longer than a name.
std::string MaskTrailingDash(std::string_view name) {
  if (name.size() < 2 || !name.ends_with('-')) return std::string(name);
  return std::string(name.substr(0, name.size() - 2)) + "a";
}

Messages ApplyToName(Messages (*rule)(std::string_view), std::string_view name, bool prefix) {
  return prefix ? rule(MaskTrailingDash(name)) : rule(name);
}

}  // namespace

Messages NameIsDNSSubdomain(std::string_view name, bool prefix) {
  return ApplyToName(IsDNS1123Subdomain, name, prefix);
}

Messages NameIsDNSLabel(std::string_view name, bool prefix) {
  return ApplyToName(IsDNS1123Label, name, prefix);
}

Messages NameIsDNS1035Label(std::string_view name, bool prefix) {
  return ApplyToName(IsDNS1035Label, name, prefix);
}

Messages NameIsPathSegment(std::string_view name, bool prefix) {
  if (!prefix && (name == "." || name == "..")) return {fmt::format("may not be '{}'", name)};
  Messages messages;
  for (char c : {'/', '%'}) {
    if (name.contains(c)) messages.push_back(fmt::format("may not contain '{}'", c));
  }
  return messages;
}

std::string GenerateName(std::string_view base, uint64_t random) {
  // No vowels, nor what looks like one: no words come of it.
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  constexpr size_t kMaxLength = 63;
  constexpr size_t kRandomLength = 5;
  std::string name(base.substr(0, kMaxLength - kRandomLength));
  for (size_t i = 0; i < kRandomLength; ++i, random /= kAlphabet.size()) {
    name.push_back(kAlphabet[random % kAlphabet.size()]);
  }
  return name;
}

field::ErrorList IsFullyQualifiedDomainName(const field::Path& path, std::string_view name) {
  if (name.empty()) return {field::Required(path, "")};
  if (name.ends_with('.')) name.remove_suffix(1);
  if (Messages messages = IsDNS1123Subdomain(name); !messages.empty()) {
    return {field::Invalid(path, name, Join(messages, ","))};
  }
  if (!name.contains('.')) {
    return {field::Invalid(path, name,
                           "should be a domain with at least two segments separated by dots")};
  }
  for (std::string_view label : Split(name, '.')) {
    if (Messages messages = IsDNS1123Label(label); !messages.empty()) {
      return {field::Invalid(path, label, Join(messages, ","))};
    }
  }
  return {};
}

field::ErrorList IsFullyQualifiedName(const field::Path& path, std::string_view name) {
  if (name.empty()) return {field::Required(path, "")};
  if (Messages messages = IsDNS1123Subdomain(name); !messages.empty()) {
    return {field::Invalid(path, name, Join(messages, ","))};
  }
  if (std::ranges::count(name, '.') < 2) {
    return {field::Invalid(path, name,
                           "should be a domain with at least three segments separated by dots")};
  }
  return {};
}

field::ErrorList IsDomainPrefixedPath(const field::Path& path, std::string_view value) {
  if (value.empty()) return {field::Required(path, "")};
  size_t slash = value.find('/');
  if (slash == value.npos || slash == 0 || slash + 1 == value.size()) {
    return {
        field::Invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")")};
  }
  field::ErrorList errors;
  std::string_view host = value.substr(0, slash);
  errors.AddInvalid(path, host, IsDNS1123Subdomain(host));
  std::string_view rest = value.substr(slash + 1);
  if (!IsOneOrMore(rest, IsPathChar)) {
    errors.Add(field::Invalid(path, rest,
                              RegexError("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", {})));
  }
  return errors;
}

field::ErrorList IsDomainPrefixedKey(const field::Path& path, std::string_view value) {
  if (value.empty()) return {field::Required(path, "")};
  field::ErrorList errors;
  errors.AddInvalid(path, value, IsQualifiedName(value));
  if (errors.empty() && !value.contains('/')) {
    errors.Add(
        field::Invalid(path, value, "must be a domain-prefixed key (such as \"acme.io/foo\")"));
  }
  return errors;
}

}  // namespace podium::api
