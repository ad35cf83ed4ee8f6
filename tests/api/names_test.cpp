#include "api/names.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <regex>

namespace podium::api {
namespace {

using Rule = Messages (*)(std::string_view);

constexpr const char* kLabel =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kCaseless =
    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'Example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kUnderscore =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is "
    "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
constexpr const char* k1035 =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kWildcard =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    "character (e.g. '*.example.com', regex used for validation is "
    "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kNamePart =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelKey =
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
    "subdomain prefix and '/' (e.g. 'example.com/MyName')";
constexpr const char* kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr const char* kIdentifier =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of "
    "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for "
    "validation is '[A-Za-z_][A-Za-z0-9_]*')";
constexpr const char* kEnvVar =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', "
    "or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "
    "'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";
constexpr const char* kRelaxedEnvVar =
    "a valid environment variable name must consist only of printable ASCII characters other than "
    "'='";
constexpr const char* kConfigKey =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
    "'[-._a-zA-Z0-9]+')";
constexpr const char* kHeader =
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
    "regex used for validation is '[-A-Za-z0-9]+')";
constexpr const char* kPercent =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')";
constexpr const char* kPortChars =
    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
constexpr const char* kPortLetter = "must contain at least one letter (a-z)";

std::string Times(size_t n, char c) { return std::string(n, c); }

struct Case {
  Rule rule;
  std::string value;
  Messages want;
};

TEST(NamesTest, Rules) {
  const std::string long_subdomain =
      Times(63, 'a') + "." + Times(63, 'b') + "." + Times(63, 'c') + "." + Times(61, 'd');
  const Case cases[] = {
      {IsDNS1123Label, "a", {}},
      {IsDNS1123Label, "123-abc", {}},
      {IsDNS1123Label, Times(63, 'a'), {}},
      {IsDNS1123Label, Times(64, 'a'), {"must be no more than 63 bytes"}},
      {IsDNS1123Label, "", {kLabel}},
      {IsDNS1123Label, "A", {kLabel}},
      {IsDNS1123Label, "-a", {kLabel}},
      {IsDNS1123Label, "a-", {kLabel}},
      {IsDNS1123Label, "a\n", {kLabel}},
      {IsDNS1123Label, "a.b", {"must not contain dots"}},
      {IsDNS1123Label, Times(64, '-'), {"must be no more than 63 bytes", kLabel}},
      {IsDNS1123Subdomain, "a.b-c.1", {}},
      {IsDNS1123Subdomain, long_subdomain, {}},
      {IsDNS1123Subdomain, long_subdomain + "d", {"must be no more than 253 bytes"}},
      {IsDNS1123Subdomain, "", {kSubdomain}},
      {IsDNS1123Subdomain, "a..b", {kSubdomain}},
      {IsDNS1123Subdomain, ".a", {kSubdomain}},
      {IsDNS1123Subdomain, "a.", {kSubdomain}},
      {IsDNS1123Subdomain, "a.-b", {kSubdomain}},
      {IsDNS1123Subdomain, "a_b", {kSubdomain}},
      {IsDNS1123SubdomainCaseless, "Example.COM", {}},
      {IsDNS1123SubdomainCaseless, "Example_.COM", {kCaseless}},
      {IsDNS1123SubdomainWithUnderscore, "_sip.a_b.c", {}},
      {IsDNS1123SubdomainWithUnderscore, "a._b", {}},
      {IsDNS1123SubdomainWithUnderscore, "__a", {kUnderscore}},
      {IsDNS1123SubdomainWithUnderscore, "_", {kUnderscore}},
      {IsDNS1123SubdomainWithUnderscore, "a_", {kUnderscore}},
      {IsDNS1035Label, "a-1", {}},
      {IsDNS1035Label, "1-a", {k1035}},
      {IsDNS1035Label, "a-", {k1035}},
      {IsDNS1035Label, "", {k1035}},
      {IsDNS1035Label, Times(64, 'a'), {"must be no more than 63 bytes"}},
      {IsWildcardDNS1123Subdomain, "*.example.com", {}},
      {IsWildcardDNS1123Subdomain, "*", {kWildcard}},
      {IsWildcardDNS1123Subdomain, "*.", {kWildcard}},
      {IsWildcardDNS1123Subdomain, "*.*.com", {kWildcard}},
      {IsWildcardDNS1123Subdomain, "example.com", {kWildcard}},
      {IsQualifiedName, "My.name_1-A", {}},
      {IsQualifiedName, "example.com/MyName", {}},
      {IsQualifiedName, "1/2", {}},
      {IsQualifiedName, Times(63, 'a'), {}},
      {IsQualifiedName, Times(64, 'a'), {"name part must be no more than 63 bytes"}},
      {IsQualifiedName, "", {"name part must be non-empty", kNamePart}},
      {IsQualifiedName, "a/", {"name part must be non-empty", kNamePart}},
      {IsQualifiedName, "/a", {"prefix part must be non-empty"}},
      {IsQualifiedName, "A/a", {std::string("prefix part ") + kSubdomain}},
      {IsQualifiedName, "a/b/c", {kLabelKey}},
      {IsQualifiedName, "-a", {kNamePart}},
      {IsQualifiedName, "a-", {kNamePart}},
      {IsQualifiedName, "a b", {kNamePart}},
      {IsValidLabelValue, "", {}},
      {IsValidLabelValue, "My_value.1", {}},
      {IsValidLabelValue, "-", {kLabelValue}},
      {IsValidLabelValue, "a/b", {kLabelValue}},
      {IsValidLabelValue, Times(64, 'a'), {"must be no more than 63 bytes"}},
      {IsCIdentifier, "_a1", {}},
      {IsCIdentifier, "1a", {kIdentifier}},
      {IsCIdentifier, "a-b", {kIdentifier}},
      {IsCIdentifier, "", {kIdentifier}},
      {IsEnvVarName, "my.env-name", {}},
      {IsEnvVarName, "1a", {kEnvVar}},
      {IsEnvVarName, "a b", {kEnvVar}},
      {IsEnvVarName, "", {kEnvVar}},
      {IsEnvVarName, ".", {"must not be '.'"}},
      {IsEnvVarName, "..", {"must not be '..'"}},
      {IsEnvVarName, "..a", {"must not start with '..'"}},
      {IsEnvVarName, "..=", {kEnvVar, "must not start with '..'"}},
      {IsRelaxedEnvVarName, "1 ~%", {}},
      {IsRelaxedEnvVarName, "..", {}},
      {IsRelaxedEnvVarName, "", {"environment variable name must be non-empty"}},
      {IsRelaxedEnvVarName, "a=b", {kRelaxedEnvVar}},
      {IsRelaxedEnvVarName, "a\t", {kRelaxedEnvVar}},
      {IsRelaxedEnvVarName, "\x7f", {kRelaxedEnvVar}},
      {IsRelaxedEnvVarName, "\u00e9", {kRelaxedEnvVar}},
      {IsConfigMapKey, "Key_1.name-", {}},
      {IsConfigMapKey, "", {kConfigKey}},
      {IsConfigMapKey, "a/b", {kConfigKey}},
      {IsConfigMapKey, ".", {"must not be '.'"}},
      {IsConfigMapKey, "..", {"must not be '..'"}},
      {IsConfigMapKey, "..data", {"must not start with '..'"}},
      {IsConfigMapKey, Times(253, 'a'), {}},
      {IsConfigMapKey, Times(254, 'a'), {"must be no more than 253 bytes"}},
      {IsHTTPHeaderName, "X-Header-1", {}},
      {IsHTTPHeaderName, "", {kHeader}},
      {IsHTTPHeaderName, "X_Header", {kHeader}},
      {IsValidPercent, "0%", {}},
      {IsValidPercent, "1000%", {}},
      {IsValidPercent, "%", {kPercent}},
      {IsValidPercent, "", {kPercent}},
      {IsValidPercent, "10", {kPercent}},
      {IsValidPercent, "-1%", {kPercent}},
      {IsValidPercent, "1.5%", {kPercent}},
      {IsValidPortName, "http-2", {}},
      {IsValidPortName, "123456789012345", {kPortLetter}},
      {IsValidPortName, Times(16, 'a'), {"must be no more than 15 bytes"}},
      {IsValidPortName, "", {kPortChars, kPortLetter}},
      {IsValidPortName, "A", {kPortChars, kPortLetter}},
      {IsValidPortName, "a--b", {"must not contain consecutive hyphens"}},
      {IsValidPortName, "-a", {"must not begin or end with a hyphen"}},
      {IsValidPortName, "a-", {"must not begin or end with a hyphen"}},
      {IsValidPortName,
       "--",
       {kPortLetter, "must not contain consecutive hyphens",
        "must not begin or end with a hyphen"}},
  };
  for (const Case& c : cases) EXPECT_EQ(c.rule(c.value), c.want) << c.value;
}

TEST(NamesTest, Numbers) {
  const Messages port = {"must be between 1 and 65535, inclusive"};
  const Messages id = {"must be between 0 and 4294967295, inclusive"};
  EXPECT_EQ(IsValidPortNum(1), Messages());
  EXPECT_EQ(IsValidPortNum(65535), Messages());
  EXPECT_EQ(IsValidPortNum(0), port);
  EXPECT_EQ(IsValidPortNum(65536), port);
  EXPECT_EQ(IsInRange(-1, -1, 5), Messages());
  EXPECT_EQ(IsInRange(5, -1, 5), Messages());
  EXPECT_EQ(IsInRange(6, -1, 5), Messages{"must be between -1 and 5, inclusive"});
  EXPECT_EQ(IsInRange(-2, -1, 5), Messages{"must be between -1 and 5, inclusive"});
  EXPECT_EQ(IsValidUserID(0), Messages());
  EXPECT_EQ(IsValidUserID(4294967295), Messages());
  EXPECT_EQ(IsValidUserID(-1), id);
  EXPECT_EQ(IsValidGroupID(4294967296), id);
  EXPECT_EQ(IsValidGroupID(1000), Messages());
}

TEST(NamesTest, RulesOfNames) {
  struct NameCase {
    NameRule rule;
    std::string name;
    bool prefix;
    Messages want;
  };
  const NameCase cases[] = {
      {NameIsDNSSubdomain, "a.b", false, {}},
      {NameIsDNSSubdomain, "a-", false, {kSubdomain}},
      {NameIsDNSSubdomain, "a-", true, {}},
      {NameIsDNSSubdomain, "a.-", true, {}},
      {NameIsDNSSubdomain, "-", true, {kSubdomain}},
      {NameIsDNSSubdomain, "--", true, {}},
      {NameIsDNSLabel, "a.b", false, {"must not contain dots"}},
      {NameIsDNSLabel, "a-", true, {}},
      {NameIsDNSLabel, Times(63, 'a') + "-", true, {}},
      {NameIsDNSLabel, Times(64, 'a') + "-", true, {"must be no more than 63 bytes"}},
      {NameIsDNS1035Label, "1", false, {k1035}},
      {NameIsDNS1035Label, "a-", true, {}},
      {NameIsDNS1035Label, "a1", false, {}},
      {NameIsPathSegment, "system:node", false, {}},
      {NameIsPathSegment, ".", false, {"may not be '.'"}},
      {NameIsPathSegment, "..", false, {"may not be '..'"}},
      {NameIsPathSegment, "..", true, {}},
      {NameIsPathSegment, "a/b%", false, {"may not contain '/'", "may not contain '%'"}},
  };
  for (const NameCase& c : cases) EXPECT_EQ(c.rule(c.name, c.prefix), c.want) << c.name;
}

TEST(NamesTest, GeneratedNames) {
  EXPECT_EQ(GenerateName("web-", 0), "web-bbbbb");
  EXPECT_EQ(GenerateName("web-", 26), "web-9bbbb");
  EXPECT_EQ(GenerateName("web-", 27), "web-bcbbb");
  EXPECT_EQ(GenerateName(Times(70, 'a'), 0), Times(58, 'a') + "bbbbb");
  EXPECT_EQ(GenerateName("", ~uint64_t{0}).size(), 5u);
}

TEST(NamesTest, Domains) {
  using Check = field::ErrorList (*)(const field::Path&, std::string_view);
  struct DomainCase {
    Check check;
    std::string value;
    std::string want;
  };
  const std::string no_domain = std::string("x: Invalid value: \"A.b\": ") + kSubdomain;
  const DomainCase cases[] = {
      {IsFullyQualifiedDomainName, "a.b", ""},
      {IsFullyQualifiedDomainName, "a.b.", ""},
      {IsFullyQualifiedDomainName, "", "x: Required value"},
      {IsFullyQualifiedDomainName, "a",
       "x: Invalid value: \"a\": should be a domain with at least two segments separated by dots"},
      {IsFullyQualifiedDomainName, "A.b", no_domain},
      {IsFullyQualifiedDomainName, "a." + Times(64, 'b'),
       "x: Invalid value: \"" + Times(64, 'b') + "\": must be no more than 63 bytes"},
      {IsFullyQualifiedName, "a.b.c", ""},
      {IsFullyQualifiedName, "", "x: Required value"},
      {IsFullyQualifiedName, "A.b", no_domain},
      {IsFullyQualifiedName, "a.b",
       "x: Invalid value: \"a.b\": should be a domain with at least three segments separated by "
       "dots"},
      {IsDomainPrefixedPath, "acme.io/foo/%7e", ""},
      {IsDomainPrefixedPath, "", "x: Required value"},
      {IsDomainPrefixedPath, "acme.io",
       "x: Invalid value: \"acme.io\": must be a domain-prefixed path (such as \"acme.io/foo\")"},
      {IsDomainPrefixedPath, "/foo",
       "x: Invalid value: \"/foo\": must be a domain-prefixed path (such as \"acme.io/foo\")"},
      {IsDomainPrefixedPath, "acme.io/",
       "x: Invalid value: \"acme.io/\": must be a domain-prefixed path (such as \"acme.io/foo\")"},
      {IsDomainPrefixedPath, "A.b/foo", no_domain},
      {IsDomainPrefixedPath, "a/ ",
       "x: Invalid value: \" \": Invalid path (regex used for validation is "
       "'[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"},
      {IsDomainPrefixedKey, "acme.io/foo", ""},
      {IsDomainPrefixedKey, "", "x: Required value"},
      {IsDomainPrefixedKey, "foo",
       "x: Invalid value: \"foo\": must be a domain-prefixed key (such as \"acme.io/foo\")"},
      {IsDomainPrefixedKey, "/foo", "x: Invalid value: \"/foo\": prefix part must be non-empty"},
  };
  field::Path path("x");
  for (const DomainCase& c : cases) {
    EXPECT_EQ(c.check(path, c.value).AggregateText(), c.want) << c.value;
  }
}

// Every matcher agrees with the pattern that its own message tells.
struct Pattern {
  Rule rule;
  const char* bad;  // a value that is refused, for its message
  std::regex::flag_type flags = std::regex::ECMAScript;
};
const Pattern kPatterns[] = {
    {IsDNS1123Label, "A"},
    {IsDNS1123Subdomain, "A"},
    {IsDNS1123SubdomainCaseless, "_", std::regex::icase},
    {IsDNS1123SubdomainWithUnderscore, "A"},
    {IsDNS1035Label, "A"},
    {IsWildcardDNS1123Subdomain, "A"},
    {IsValidLabelValue, "_"},
    {IsQualifiedName, "_"},
    {IsCIdentifier, "."},
    {IsConfigMapKey, "/"},
    {IsHTTPHeaderName, "_"},
    {IsValidPercent, "_"},
};

std::regex RegexOf(const Pattern& pattern) {
  std::string message = pattern.rule(pattern.bad).back();
  constexpr std::string_view kBefore = "regex used for validation is '";
  size_t start = message.find(kBefore) + kBefore.size();
  return std::regex(message.substr(start, message.size() - start - 2),
                    pattern.flags | std::regex::ECMAScript);
}

std::string AnyShortText() {
  auto pieces =
      *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "a", "b9", "0", "a", "a", "Z", "-", ".", "..", "_", "*.", "%", ":", "\n", "\xc3"}));
  if (pieces.size() > 5) pieces.resize(5);
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

RC_GTEST_PROP(NamesProperty, MatchersAgreeWithTheirPatterns, ()) {
  const Pattern& pattern = kPatterns[*rc::gen::inRange<size_t>(0, std::size(kPatterns))];
  std::regex regex = RegexOf(pattern);
  for (int i = 0; i < 30; ++i) {
    std::string value = AnyShortText();
    bool want = std::regex_match(value, regex);
    // The one rule beside the pattern that such values can break.
    bool dots = pattern.rule == IsConfigMapKey && (value == "." || value.starts_with(".."));
    RC_ASSERT(pattern.rule(value).empty() == (want && !dots));
  }
}

}  // namespace
}  // namespace podium::api
