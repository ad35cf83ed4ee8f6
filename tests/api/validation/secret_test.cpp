#include "api/validation/secret.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

constexpr char kSecret[] = R"({
  "metadata": {"name": "s", "namespace": "n", "resourceVersion": "1"},
  "data": {"k": "eA=="}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateSecret(Load<core::v1::Secret>(json)));
}

TEST(Secret, Keys) {
  const std::string big(1024 * 1024, 'x');
  ExpectErrors(
      kSecret,
      {{{}, {}},
       {{"type=\"example.com/own\""}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"data['b ad']=\"\""},
        {"data[b ad]: Invalid value: \"b ad\": a valid config key must consist of alphanumeric "
         "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used "
         "for validation is '[-._a-zA-Z0-9]+')"}},
       {{"stringData['.']=\"\""}, {"data[.]: Invalid value: \".\": must not be '.'"}},
       {{"data", "stringData.a=\"" + big + "\""}, {}},
       {{"stringData.a=\"" + big + "\""}, {"data: Too long: may not be more than 1048576 bytes"}},
       // stringData takes the place of data.
       {{"stringData.k=\"" + big + "\""}, {}}},
      Create);
}

TEST(Secret, Types) {
  ExpectErrors(
      kSecret,
      {{{"type=\"kubernetes.io/service-account-token\""},
        {"metadata.annotations[kubernetes.io/service-account.name]: Required value"}},
       {{"type=\"kubernetes.io/service-account-token\"",
         "metadata.annotations['kubernetes.io/service-account.name']=\"\""},
        {"metadata.annotations[kubernetes.io/service-account.name]: Required value"}},
       {{"type=\"kubernetes.io/service-account-token\"",
         "metadata.annotations['kubernetes.io/service-account.name']=\"default\""},
        {}},
       {{"type=\"kubernetes.io/dockercfg\""}, {"data[.dockercfg]: Required value"}},
       {{"type=\"kubernetes.io/dockercfg\"", "stringData['.dockercfg']=\"{}\""}, {}},
       {{"type=\"kubernetes.io/dockercfg\"", "stringData['.dockercfg']=\"bad\""},
        {"data[.dockercfg]: Invalid value: \"<secret contents redacted>\": invalid character 'b' "
         "looking for beginning of value"}},
       {{"type=\"kubernetes.io/dockerconfigjson\""}, {"data[.dockerconfigjson]: Required value"}},
       {{"type=\"kubernetes.io/dockerconfigjson\"", "data['.dockerconfigjson']=\"e30=\""}, {}},
       {{"type=\"kubernetes.io/dockerconfigjson\"", "data['.dockerconfigjson']=\"\""},
        {"data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": unexpected end "
         "of "
         "JSON input"}},
       {{"type=\"kubernetes.io/dockerconfigjson\"", "stringData['.dockerconfigjson']=\"[]\""},
        {"data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: cannot "
         "unmarshal array into Go value of type map[string]interface {}"}},
       {{"type=\"kubernetes.io/basic-auth\""},
        {"data[username]: Required value", "data[password]: Required value"}},
       {{"type=\"kubernetes.io/basic-auth\"", "data.username=\"\""}, {}},
       {{"type=\"kubernetes.io/basic-auth\"", "stringData.password=\"x\""}, {}},
       {{"type=\"kubernetes.io/ssh-auth\""}, {"data[ssh-privatekey]: Required value"}},
       {{"type=\"kubernetes.io/ssh-auth\"", "data.ssh-privatekey=\"\""},
        {"data[ssh-privatekey]: Required value"}},
       {{"type=\"kubernetes.io/ssh-auth\"", "data.ssh-privatekey=\"eA==\""}, {}},
       {{"type=\"kubernetes.io/tls\""},
        {"data[tls.crt]: Required value", "data[tls.key]: Required value"}},
       {{"type=\"kubernetes.io/tls\"", "data['tls.key']=\"\""}, {"data[tls.crt]: Required value"}},
       {{"type=\"kubernetes.io/tls\"", "data['tls.key']=\"\"", "data['tls.crt']=\"\""}, {}},
       {{"type=\"bootstrap.kubernetes.io/token\""}, {}}},
      Create);
}

TEST(Secret, Update) {
  const auto update = [](const std::string& old_json) {
    return [old_secret = Load<core::v1::Secret>(old_json)](const std::string& json) {
      return Texts(ValidateSecretUpdate(Load<core::v1::Secret>(json), old_secret));
    };
  };
  ExpectErrors(kSecret,
               {{{"data.k=\"\"", "immutable=true"}, {}},
                {{"type=\"kubernetes.io/tls\""},
                 {"type: Invalid value: \"kubernetes.io/tls\": field is immutable",
                  "data[tls.crt]: Required value", "data[tls.key]: Required value"}}},
               update(kSecret));
  const std::string detail = ": Forbidden: field is immutable when `immutable` is set";
  const std::string fixed = Edited(kSecret, {"immutable=true"});
  ExpectErrors(fixed,
               {{{}, {}},
                {{"metadata.labels.a=\"b\"", "stringData.k=\"x\""}, {}},
                {{"immutable", "stringData.k=\"y\""}, {"immutable" + detail, "data" + detail}}},
               update(fixed));
}

}  // namespace
}  // namespace podium::api
