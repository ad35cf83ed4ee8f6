// What tests of Pod validation share: a small valid pod, and what is wrong with it after edits.
#pragma once

#include "api/types/core_v1.h"
#include "api/validation/harness.h"
#include "api/validation/pod.h"
#include "api/validation/validation.h"

namespace podium::api {

inline constexpr char kPod[] =
    R"({"metadata":{"name":"p","namespace":"ns"},"spec":{"containers":[{"name":"c","image":"i"}]}})";

// Details of messages that many rules share.
inline const std::string kNotLabel =  // NOLINT: a constant of tests
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
inline const std::string kNotSubdomain =  // NOLINT: likewise
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
inline const std::string kNotQualified =  // NOLINT: likewise
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
inline const std::string kEmptyQualified = "name part must be non-empty";  // NOLINT: likewise
inline const std::string kNotLabelValue =                                  // NOLINT: likewise
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

// Of a new pod, decoded and with its defaults.
inline std::vector<std::string> CreateErrors(const std::string& json) {
  return Texts(ValidateCreate(Load<core::v1::Pod>(json)));
}

// The same under other options.
inline std::vector<std::string> CreateErrors(const std::string& json,
                                             PodValidationOptions options) {
  options.resource_is_pod = true;
  return Texts(ValidatePodCreate(Load<core::v1::Pod>(json), options));
}

// Of a new pod without defaults, for fields that always have one.
inline std::vector<std::string> RawCreateErrors(const std::string& json) {
  Result<core::v1::Pod> pod = reflect::FromJson<core::v1::Pod>(json);
  if (!pod.ok()) return {pod.error().message()};
  return Texts(ValidateCreate(*pod));
}

inline void ExpectPodErrors(const std::vector<ErrorCase>& cases) {
  ExpectErrors(kPod, cases, [](const std::string& json) { return CreateErrors(json); });
}
inline void ExpectPodErrors(const std::vector<ErrorCase>& cases, PodValidationOptions options) {
  ExpectErrors(kPod, cases, [&](const std::string& json) { return CreateErrors(json, options); });
}

// A stored pod, edits to it that make the pod of before, and further ones that make the pod of
// after.
struct UpdateCase {
  std::vector<std::string> before;
  std::vector<std::string> change;
  std::vector<std::string> errors;
};

inline constexpr char kStoredPod[] =
    R"({"metadata":{"name":"p","namespace":"ns","uid":"u","resourceVersion":"1",
        "creationTimestamp":"2026-01-01T00:00:00Z"},
        "spec":{"containers":[{"name":"c","image":"i"}]}})";

// `validate` takes the new pod, the old one and the options for the change.
template <class Validate>
void ExpectUpdateErrors(const std::vector<UpdateCase>& cases, Validate validate) {
  for (const UpdateCase& c : cases) {
    const std::string before = Edited(kStoredPod, c.before);
    const std::string after = Edited(before, c.change);
    auto old_pod = Load<core::v1::Pod>(before);
    auto new_pod = Load<core::v1::Pod>(after);
    PodValidationOptions options = PodValidationOptionsFor(&old_pod.spec, &old_pod.metadata);
    options.resource_is_pod = true;
    EXPECT_THAT(Texts(validate(new_pod, old_pod, options)), ::testing::ElementsAreArray(c.errors))
        << before << "\n"
        << after;
  }
}

}  // namespace podium::api
