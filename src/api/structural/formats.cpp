#include "api/structural/formats.h"

#include <algorithm>
#include <string>

#include "api/go_url.h"
#include "api/ip.h"
#include "api/quantity.h"
#include "api/structural/addresses.h"
#include "api/time.h"
#include "base/ascii.h"
#include "reflect/regexp/regexp.h"

namespace podium::api {
namespace {

using reflect::Regexp;

bool Matches(const Regexp& regexp, std::string_view text) {
  return regexp.Match(text).value_or(false);
}

Regexp Compiled(std::string_view pattern) { return *Regexp::Compile(pattern); }

// A format that is a pattern; each has a function of its own, which compiles it at its first use.
template <const char* pattern>
bool HasPattern(std::string_view text) {
  static const Regexp& regexp = *new Regexp(Compiled(pattern));
  return Matches(regexp, text);
}

constexpr char kUuid[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
constexpr char kUuid3[] = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
constexpr char kUuid4[] =
    "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$";
constexpr char kUuid5[] =
    "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$";
constexpr char kSsn[] = "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$";
constexpr char kHexColor[] = "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
constexpr char kRgbColor[] =
    "^rgb\\(\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,\\s*"
    "(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*,\\s*"
    "(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*\\)$";
constexpr char kByte[] =
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$";
constexpr char kObjectId[] = "^[0-9a-fA-F]{24}$";
constexpr char kShortName[] = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
constexpr char kLongName[] = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
constexpr char kCardNumber[] =
    "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
    "3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$";
constexpr char kIsbn10[] = "^(?:[0-9]{9}X|[0-9]{10})$";
constexpr char kIsbn13[] = "^(?:[0-9]{13})$";
constexpr char kHostname[] =
    "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|"
    "([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}"
    "([a-zA-Z\\p{L}]){2,63})$";
constexpr char kClock[] = "^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";

bool IsShortName(std::string_view text) {
  return text.size() <= 63 && HasPattern<kShortName>(text);
}
bool IsLongName(std::string_view text) { return text.size() <= 253 && HasPattern<kLongName>(text); }

bool IsHostname(std::string_view text) {
  // Longer ones fail in any case, and the pattern is a large one.
  if (text.size() > 255 || !HasPattern<kHostname>(text)) return false;
  while (!text.empty()) {
    const size_t label = std::min(text.find('.'), text.size());
    if (label > 63) return false;
    text.remove_prefix(std::min(label + 1, text.size()));
  }
  return true;
}

template <class Kept>
std::string Filtered(std::string_view text, Kept kept) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out), kept);
  return out;
}

bool IsCreditCard(std::string_view text) {
  const std::string digits = Filtered(text, IsDigit);
  if (!HasPattern<kCardNumber>(digits)) return false;
  int sum = 0;
  bool twice = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, twice = !twice) {
    const int value = (*digit - '0') * (twice ? 2 : 1);
    sum += value >= 10 ? value % 10 + 1 : value;
  }
  return sum % 10 == 0;
}

std::string IsbnDigits(std::string_view text) {
  return Filtered(text, [](char c) {
    return c != '-' && c != ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r';
  });
}
bool IsIsbn10(std::string_view text) {
  const std::string digits = IsbnDigits(text);
  if (!HasPattern<kIsbn10>(digits)) return false;
  int sum = 0;
  for (int i = 0; i < 9; ++i) sum += (i + 1) * (digits[static_cast<size_t>(i)] - '0');
  sum += 10 * (digits[9] == 'X' ? 10 : digits[9] - '0');
  return sum % 11 == 0;
}
bool IsIsbn13(std::string_view text) {
  const std::string digits = IsbnDigits(text);
  if (!HasPattern<kIsbn13>(digits)) return false;
  int sum = 0;
  for (size_t i = 0; i < 12; ++i) sum += (i % 2 == 0 ? 1 : 3) * (digits[i] - '0');
  return digits[12] - '0' == (10 - sum % 10) % 10;
}
bool IsIsbn(std::string_view text) { return IsIsbn10(text) || IsIsbn13(text); }

bool IsIPv4(std::string_view text) {
  return text.find('.') != std::string_view::npos && ParseIP(text).has_value();
}
bool IsIPv6(std::string_view text) {
  return text.find(':') != std::string_view::npos && ParseIP(text).has_value();
}
bool IsCidr(std::string_view text) { return ParseCIDR(text).has_value(); }

// 2006-01-02
bool IsDate(std::string_view text) {
  return text.size() == 10 && Time::Parse(std::string(text) + "T00:00:00Z").ok();
}

bool IsDateTime(std::string_view text) {
  // Upper and lower case alike; what stands behind a second t is not read.
  std::string lower;
  for (const char c : text) lower += static_cast<char>(IsUpper(c) ? c - 'A' + 'a' : c);
  const size_t t = lower.find('t');
  if (lower.size() < 4 || t == std::string::npos) return false;
  const std::string_view clock = std::string_view(lower).substr(t + 1);
  const std::string_view until = clock.substr(0, clock.find('t'));
  return IsDate(std::string_view(lower).substr(0, t)) && HasPattern<kClock>(until) &&
         until.substr(0, 2) <= "23" && until.substr(3, 2) <= "59" && until.substr(6, 2) <= "59";
}

bool IsQuantity(std::string_view text) { return Quantity::Parse(text).ok(); }

// A count and a unit as Scala writes them, in any case: "3 weeks", "1 µs". The longest name of each
// unit may have more letters behind it.
bool IsDurationUnit(std::string_view unit) {
  constexpr std::string_view kWhole[] = {"ns", "us", "µs", "ms", "s", "m",
                                         "h",  "hr", "d",  "w",  "wk"};
  constexpr std::string_view kPrefixes[] = {"nano", "micro", "milli", "sec",
                                            "min",  "hour",  "day",   "week"};
  std::string lower;
  for (const char c : unit) lower += static_cast<char>(IsUpper(c) ? c - 'A' + 'a' : c);
  return std::ranges::find(kWhole, lower) != std::end(kWhole) ||
         std::ranges::any_of(kPrefixes, [&](std::string_view p) { return lower.starts_with(p); });
}

bool IsUnitLetter(std::string_view text) { return IsLetter(text[0]) || text.starts_with("µ"); }

// Some part of the text is a count and a unit that there is; no count is too large.
bool IsScalaDuration(std::string_view text) {
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    if (!IsDigit(text[at])) {
      ++at;
      continue;
    }
    const size_t digits = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    const std::string count(text.substr(digits, at - digits));
    size_t unit = at;
    while (unit < text.size() && (text[unit] == ' ' || (text[unit] >= '\t' && text[unit] <= '\r' &&
                                                        text[unit] != '\v'))) {
      ++unit;
    }
    size_t end = unit;
    while (end < text.size() && IsUnitLetter(text.substr(end))) {
      end += text.substr(end).starts_with("µ") ? 2 : 1;
    }
    if (end == unit) continue;
    if (!reflect::ParseGoInt(count).ok()) return false;
    found = found || IsDurationUnit(text.substr(unit, end - unit));
    at = end;
  }
  return found;
}

bool IsDuration(std::string_view text) {
  return Duration::Parse(text).ok() || IsScalaDuration(text);
}

bool IsAnything(std::string_view) { return true; }

struct Format {
  std::string_view name;  // without hyphens
  bool (*has)(std::string_view text);
};
constexpr Format kFormats[] = {
    {"bsonobjectid", HasPattern<kObjectId>},
    {"byte", HasPattern<kByte>},
    {"cidr", IsCidr},
    {"creditcard", IsCreditCard},
    {"date", IsDate},
    {"datetime", IsDateTime},
    {"duration", IsDuration},
    {"email", IsEmailAddress},
    {"hexcolor", HasPattern<kHexColor>},
    {"hostname", IsHostname},
    {"ipv4", IsIPv4},
    {"ipv6", IsIPv6},
    {"isbn", IsIsbn},
    {"isbn10", IsIsbn10},
    {"isbn13", IsIsbn13},
    {"k8slongname", IsLongName},
    {"k8sshortname", IsShortName},
    {"mac", IsMacAddress},
    {"password", IsAnything},
    {"quantity", IsQuantity},
    {"rgbcolor", HasPattern<kRgbColor>},
    {"ssn", HasPattern<kSsn>},
    {"uri", [](std::string_view text) { return ParseGoRequestUri(text).ok(); }},
    {"uuid", HasPattern<kUuid>},
    {"uuid3", HasPattern<kUuid3>},
    {"uuid4", HasPattern<kUuid4>},
    {"uuid5", HasPattern<kUuid5>},
};

const Format* Find(std::string_view name) {
  const std::string normalized = Filtered(name, [](char c) { return c != '-'; });
  const auto* found = std::ranges::find(kFormats, normalized, &Format::name);
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace

bool IsKnownFormat(std::string_view format) { return Find(format) != nullptr; }

bool HasFormat(std::string_view format, std::string_view text) {
  const Format* found = Find(format);
  return found && found->has(text);
}

}  // namespace podium::api
