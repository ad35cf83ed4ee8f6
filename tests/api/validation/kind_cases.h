// Goldens of one kind, through the public entry: new objects, changed ones, and those changed
// through a subresource.
#pragma once

#include "api/validation/harness.h"
#include "api/validation/validation.h"

namespace podium::api {

// Objects made of `base` by the edits of each row.
template <class T>
void ExpectCreate(std::string_view base, const std::vector<ErrorCase>& cases) {
  ExpectErrors(base, cases,
               [](const std::string& json) { return Texts(ValidateCreate(Load<T>(json))); });
}

// The same in place of `base`; a base without resourceVersion gets one.
template <class T>
void ExpectUpdate(std::string_view base, const std::vector<ErrorCase>& cases,
                  std::string_view subresource = "") {
  const std::string stored = Edited(base, {"metadata.resourceVersion=\"1\""});
  const auto old_object = Load<T>(stored);
  ExpectErrors(stored, cases, [&](const std::string& json) {
    const auto object = Load<T>(json);
    return Texts(subresource.empty() ? ValidateUpdate(object, old_object)
                                     : ValidateSubresourceUpdate(subresource, object, old_object));
  });
}

// Details of messages that many rules share.
inline const std::string kBadSubdomain =  // NOLINT: a constant of tests
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
inline const std::string kBadLabel =  // NOLINT: likewise
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
inline const std::string kBadLabelValue =  // NOLINT: likewise
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
inline const std::string kBadQualified =  // NOLINT: likewise
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
inline const std::string kBadIP =  // NOLINT: likewise
    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
inline const std::string kBadCIDR =  // NOLINT: likewise
    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
inline const std::string kBadPort =  // NOLINT: likewise
    "must be between 1 and 65535, inclusive";

}  // namespace podium::api
