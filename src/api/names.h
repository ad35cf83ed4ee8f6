// What names, keys and other short texts of the API may look like (upstream's
// k8s.io/apimachinery/pkg/util/validation, pkg/api/validate/content and pkg/api/validation, release
// 1.36).
//
// A rule returns what is wrong with the value, in upstream's words and order, and nothing when it
// is fine. Lengths are in bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"

namespace podium::api {

using Messages = std::vector<std::string>;

inline constexpr size_t kDNS1123LabelMaxLength = 63;
inline constexpr size_t kDNS1123SubdomainMaxLength = 253;
inline constexpr size_t kDNS1035LabelMaxLength = 63;
inline constexpr size_t kLabelValueMaxLength = 63;

// my-name, 123-abc
Messages IsDNS1123Label(std::string_view value);
// example.com
Messages IsDNS1123Subdomain(std::string_view value);
// Upper case too.
Messages IsDNS1123SubdomainCaseless(std::string_view value);
// _sip.example.com
Messages IsDNS1123SubdomainWithUnderscore(std::string_view value);
// my-name, but not 123-abc
Messages IsDNS1035Label(std::string_view value);
// *.example.com
Messages IsWildcardDNS1123Subdomain(std::string_view value);

// A label key: my.name, example.com/MyName. Upstream's older name for it is kept, as its messages
// reach many fields that are no labels.
Messages IsQualifiedName(std::string_view value);
Messages IsValidLabelValue(std::string_view value);

Messages IsCIdentifier(std::string_view value);
// The older, narrower rule; Pods follow the relaxed one since release 1.34.
Messages IsEnvVarName(std::string_view value);
Messages IsRelaxedEnvVarName(std::string_view value);
// A key of a ConfigMap or Secret, which becomes a file name.
Messages IsConfigMapKey(std::string_view value);
Messages IsHTTPHeaderName(std::string_view value);
// 25%
Messages IsValidPercent(std::string_view value);

Messages IsValidPortNum(int64_t port);
// http, up to 15 bytes
Messages IsValidPortName(std::string_view value);
Messages IsInRange(int64_t value, int64_t min, int64_t max);
Messages IsValidUserID(int64_t uid);
Messages IsValidGroupID(int64_t gid);

// At least two parts; a dot at the end is allowed.
field::ErrorList IsFullyQualifiedDomainName(const field::Path& path, std::string_view name);
// At least three parts.
field::ErrorList IsFullyQualifiedName(const field::Path& path, std::string_view name);
// acme.io/any/path
field::ErrorList IsDomainPrefixedPath(const field::Path& path, std::string_view value);
// acme.io/key
field::ErrorList IsDomainPrefixedKey(const field::Path& path, std::string_view value);

// The rule of one kind's metadata.name, or of its generateName (`prefix`), to which more will be
// appended.
using NameRule = Messages (*)(std::string_view name, bool prefix);
Messages NameIsDNSSubdomain(std::string_view name, bool prefix);
Messages NameIsDNSLabel(std::string_view name, bool prefix);
Messages NameIsDNS1035Label(std::string_view name, bool prefix);
// Anything that can be one segment of a URL's path: the names of RBAC objects.
Messages NameIsPathSegment(std::string_view name, bool prefix);

// `base`, cut to 58 bytes, and five characters chosen by `random`: the name made of a generateName.
std::string GenerateName(std::string_view base, uint64_t random);

// Texts that rules elsewhere share.
std::string MaxLenError(size_t length);
std::string InclusiveRangeError(int64_t min, int64_t max);
std::string RegexError(std::string_view message, std::string_view regex,
                       std::initializer_list<std::string_view> examples);

}  // namespace podium::api
