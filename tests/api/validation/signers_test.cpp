#include "api/validation/signers.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Validate(std::string_view name) {
  return Texts(ValidateSignerName(name, field::Path("s")));
}

TEST(Signers, Names) {
  EXPECT_THAT(Validate("example.com/signer-name"), IsEmpty());
  EXPECT_THAT(Validate("example.com/namespace.name"), IsEmpty());
  EXPECT_THAT(Validate(""), ElementsAre("s: Required value"));
  for (const char* name : {"example.com", "example.com/a/b"}) {
    EXPECT_THAT(Validate(name),
                ElementsAre("s: Invalid value: \"" + std::string(name) +
                            "\": must be a fully qualified domain and path of the form "
                            "'example.com/signer-name'"));
  }
  EXPECT_THAT(Validate("example/a"),
              ElementsAre("s: Invalid value: \"example\": should be a domain with at least two "
                          "segments separated by dots"));
  const std::string label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
      "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const std::string subdomain =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  // Only the first label at fault of each half is reported.
  EXPECT_THAT(Validate("A.B.c/D..e"),
              ElementsAre("s: Invalid value: \"A.B.c\": validating label \"A\": " + label,
                          "s: Invalid value: \"D..e\": validating label \"D\": " + subdomain));
}

TEST(Signers, Lengths) {
  const std::string label(63, 'a');
  const std::string domain = label + "." + label + "." + label + "." + label;  // 255
  EXPECT_THAT(Validate(domain + "/x"), ElementsAre("s: Too long: may not be more than 253 bytes"));
  std::string path = "a";
  while (path.size() < 320) path += "." + label;
  EXPECT_THAT(Validate(domain.substr(0, 253) + "/" + path),
              ElementsAre("s: Too long: may not be more than 571 bytes"));
}

TEST(Signers, OfKubernetes) {
  EXPECT_TRUE(IsKubernetesSignerName("kubernetes.io/legacy-unknown"));
  EXPECT_TRUE(IsKubernetesSignerName("x.kubernetes.io/y"));
  EXPECT_FALSE(IsKubernetesSignerName("xkubernetes.io/y"));
  EXPECT_FALSE(IsKubernetesSignerName("example.com/kubernetes.io"));
}

TEST(Signers, UserAnnotations) {
  const auto validate = [](const reflect::Map<std::string>& annotations) {
    return Texts(ValidateUserAnnotations(annotations, field::Path("a")));
  };
  EXPECT_THAT(validate({}), IsEmpty());
  EXPECT_THAT(validate({{"acme.io/foo", "any thing"}}), IsEmpty());
  EXPECT_THAT(validate({{"foo", ""}}),
              ElementsAre("a: Invalid value: \"foo\": must be a "
                          "domain-prefixed key (such as \"acme.io/foo\")"));
  // Keys are read in small letters.
  EXPECT_THAT(validate({{"ACME.io/Foo", ""}}), IsEmpty());
  EXPECT_THAT(validate({{"Foo", ""}}),
              ElementsAre("a: Invalid value: \"foo\": must be a "
                          "domain-prefixed key (such as \"acme.io/foo\")"));
  // A key at fault is told once.
  EXPECT_THAT(validate({{"a.b/", ""}}),
              ElementsAre("a: Invalid value: \"a.b/\": name part must be non-empty",
                          ::testing::StartsWith("a: Invalid value: \"a.b/\": name part must "
                                                "consist of alphanumeric characters")));
  EXPECT_THAT(validate({{"", ""}}), ElementsAre("a: Required value"));
  EXPECT_THAT(validate({{"a.b/c", std::string(256 * 1024 - 5, 'x')}}), IsEmpty());
  EXPECT_THAT(validate({{"a.b/c", std::string(256 * 1024 - 4, 'x')}}),
              ElementsAre("a: Too long: may not be more than 262144 bytes"));
}

TEST(Signers, ClusterTrustBundles) {
  EXPECT_THAT(ClusterTrustBundleNameProblems("a.b"), IsEmpty());
  EXPECT_THAT(ClusterTrustBundleNameProblems("example.com:signer:a.b"), IsEmpty());
  EXPECT_THAT(
      ClusterTrustBundleNameProblems(":a"),
      ElementsAre("ClusterTrustBundle without signer name must not have \":\" in its name"));
  // The signer's slashes are colons here.
  EXPECT_THAT(ClusterTrustBundleNameProblems("example.com/signer:a"),
              ElementsAre("ClusterTrustBundle for signerName example.com/signer must be named with "
                          "prefix example.com:signer:"));
  EXPECT_THAT(ClusterTrustBundleNameProblems("a:b/c:d"),
              ElementsAre("ClusterTrustBundle for signerName a/b/c must be named with prefix "
                          "a:b:c:"));
  EXPECT_THAT(ClusterTrustBundleNameProblems("a/b"),
              ElementsAre(::testing::StartsWith("a lowercase RFC 1123 subdomain must")));
}

}  // namespace
}  // namespace podium::api
