#include "api/validation/harness.h"
#include "api/validation/volumes.h"

namespace podium::api {
namespace {

constexpr char kPod[] = R"({
  "metadata": {"name": "p"},
  "spec": {"containers": [{"name": "c", "image": "i"}],
           "volumes": [{"name": "v", "projected": {"sources": []}}]}})";

// The errors of a projected volume with the given sources, behind its path.
void ExpectSources(const std::string& sources, std::vector<std::string> errors,
                   const PodValidationOptions& options = {}) {
  for (std::string& error : errors) error = "v[0].projected" + error;
  ExpectErrors(
      kPod, {{{"spec.volumes[0].projected.sources=[" + sources + "]"}, errors}},
      [&](const std::string& json) {
        const auto pod = Load<core::v1::Pod>(json);
        return Texts(ValidateVolumes(pod.spec.volumes, &pod.metadata, field::Path("v"), options));
      });
}

TEST(ProjectedVolumes, Modes) {
  ExpectErrors(kPod,
               {{{}, {}},
                {{"spec.volumes[0].projected.defaultMode=512"},
                 {"v[0].projected.defaultMode: Invalid value: 512: must be a number between 0 and "
                  "0777 (octal), both inclusive"}}},
               [](const std::string& json) {
                 const auto pod = Load<core::v1::Pod>(json);
                 return Texts(ValidateVolumes(pod.spec.volumes, nullptr, field::Path("v"), {}));
               });
}

TEST(ProjectedVolumes, SourcesOfEachKind) {
  ExpectSources("{}", {});
  ExpectSources(
      R"({"secret":{"name":"s","items":[{"key":"k","path":"a"}]}},
         {"configMap":{"name":"c","items":[{"key":"k","path":"b"}]}},
         {"downwardAPI":{"items":[{"path":"c","fieldRef":{"fieldPath":"metadata.name"}}]}},
         {"serviceAccountToken":{"path":"token"}},
         {"clusterTrustBundle":{"name":"b","path":"d"}},
         {"podCertificate":{"signerName":"example.com/s","keyType":"ED25519","keyPath":"e","certificateChainPath":"f"}})",
      {});
  ExpectSources(
      R"({"secret":{},"configMap":{}})",
      {".sources[0].secret.name: Required value", ".sources[0].configMap.name: Required value",
       ".sources[0]: Forbidden: may not specify more than 1 volume type per source"});
  ExpectSources(R"({"secret":{"name":"s","items":[{"key":"","path":"../a"}]}},
                   {"configMap":{"name":"c","items":[{"key":"k","path":""}]}},
                   {"downwardAPI":{"items":[{"path":"c"}]}})",
                {".sources[0].secret.items[0].key: Required value",
                 ".sources[0].secret.items[0].path: Invalid value: \"../a\": must not contain '..'",
                 ".sources[1].configMap.items[0].path: Required value",
                 ".sources[2].downwardAPI: Required value: one of fieldRef and resourceFieldRef is "
                 "required"});
}

TEST(ProjectedVolumes, PathsDiffer) {
  ExpectSources(
      R"({"secret":{"name":"s","items":[{"key":"k","path":"a"},{"key":"l","path":"a"}]}},
         {"configMap":{"name":"c","items":[{"key":"k","path":"a"}]}},
         {"downwardAPI":{"items":[{"path":"a","fieldRef":{"fieldPath":"metadata.name"}}]}},
         {"serviceAccountToken":{"path":"a"}},
         {"clusterTrustBundle":{"name":"b","path":"a"}},
         {"podCertificate":{"signerName":"example.com/s","keyType":"ED25519","credentialBundlePath":"a","keyPath":"x","certificateChainPath":"x"}})",
      {": Invalid value: \"s\": conflicting duplicate paths",
       ": Invalid value: \"c\": conflicting duplicate paths",
       ": Invalid value: \"a\": conflicting duplicate paths",
       ": Invalid value: \"a\": conflicting duplicate paths",
       ": Invalid value: \"a\": conflicting duplicate paths",
       ": Invalid value: \"x\": conflicting duplicate paths"});
}

TEST(ProjectedVolumes, Token) {
  ExpectSources(R"({"serviceAccountToken":{"path":"t","expirationSeconds":600}},
                   {"serviceAccountToken":{"path":"u","expirationSeconds":4294967296}})",
                {});
  ExpectSources(R"({"serviceAccountToken":{"path":"","expirationSeconds":599}},
                   {"serviceAccountToken":{"path":"../t","expirationSeconds":4294967297}})",
                {".sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not "
                 "specify a duration less than 10 minutes",
                 ".path: Required value",
                 ".sources[1].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: "
                 "may not specify a duration larger than 2^32 seconds",
                 ".path: Invalid value: \"../t\": must not contain '..'"});
  PodValidationOptions options;
  options.allow_non_local_projected_token_path = true;
  ExpectSources(R"({"serviceAccountToken":{"path":"../t"}})", {}, options);
}

TEST(ProjectedVolumes, TrustBundle) {
  ExpectSources(
      R"({"clusterTrustBundle":{"name":"example.com:signer:b","path":"a"}},
         {"clusterTrustBundle":{"signerName":"example.com/signer","labelSelector":{"matchLabels":{"a":"b"}},"path":"b"}})",
      {});
  ExpectSources(
      R"({"clusterTrustBundle":{"path":"a"}},
         {"clusterTrustBundle":{"name":"n","signerName":"s","path":"/b","optional":true}},
         {"clusterTrustBundle":{"name":"n","labelSelector":{},"path":""}})",
      {(".sources[0].clusterTrustBundle: Required value: either name or signerName must be "
        "specified"),
       (".sources[1].clusterTrustBundle: Invalid value: "
        "{\"Name\":\"n\",\"SignerName\":\"s\",\"LabelSelector\":null,\"Optional\":true,\"Path\":"
        "\"/b\"}: only one of name and signerName may be used"),
       ".sources[1].clusterTrustBundle.path: Invalid value: \"/b\": must be a relative path",
       (".sources[2].clusterTrustBundle.labelSelector: Invalid value: {}: labelSelector must be "
        "unset if name is specified"),
       ".sources[2].clusterTrustBundle.path: Required value"});
  const std::string subdomain =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
      "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  ExpectSources(
      R"({"clusterTrustBundle":{"name":"","path":"a"}},
         {"clusterTrustBundle":{"name":"a:B","path":"b"}},
         {"clusterTrustBundle":{"name":":b","path":"c"}},
         {"clusterTrustBundle":{"signerName":"","path":"d"}},
         {"clusterTrustBundle":{"signerName":"a.b/c","labelSelector":{"matchExpressions":[{"key":"k","operator":"X"}]},"path":"e"}})",
      {".sources[0].clusterTrustBundle.name: Required value: must be a valid object name",
       ".sources[0].clusterTrustBundle.name: Invalid value: \"\": not a valid "
       "clustertrustbundlename: " +
           subdomain,
       ".sources[1].clusterTrustBundle.name: Invalid value: \"a:B\": not a valid "
       "clustertrustbundlename: " +
           subdomain,
       (".sources[2].clusterTrustBundle.name: Invalid value: \":b\": not a valid "
        "clustertrustbundlename: ClusterTrustBundle without signer name must not have \":\" in its "
        "name"),
       ".sources[3].clusterTrustBundle.signerName: Required value: must be a valid signer name",
       ".sources[3].clusterTrustBundle.signerName: Required value",
       (".sources[4].clusterTrustBundle.labelSelector.matchExpressions[0].operator: Invalid value: "
        "\"X\": not a valid selector operator")});
}

TEST(ProjectedVolumes, PodCertificate) {
  const auto source = [](const std::string& fields) {
    return R"({"podCertificate":{"credentialBundlePath":"p","keyType":"RSA3072",)" + fields + "}}";
  };
  ExpectSources(
      source(
          R"("signerName":"a.b/c","maxExpirationSeconds":7862400,"userAnnotations":{"a.b/c":""})"),
      {});
  ExpectSources(source(R"("signerName":"kubernetes.io/x","maxExpirationSeconds":86400)"), {});
  ExpectSources(source(R"("signerName":"a.b/c","maxExpirationSeconds":7862401)"),
                {".sources[0].podCertificate.maxExpirationSeconds: Invalid value: 7862401: if "
                 "provided, maxExpirationSeconds must be <= 7862400"});
  ExpectSources(source(R"("signerName":"x.kubernetes.io/x","maxExpirationSeconds":86401)"),
                {".sources[0].podCertificate.maxExpirationSeconds: Invalid value: 86401: if "
                 "provided, maxExpirationSeconds must be <= 86400"});
  ExpectSources(
      R"({"podCertificate":{"signerName":"","keyType":"RSA","maxExpirationSeconds":3599,"userAnnotations":{"plain":""}}})",
      {".sources[0].podCertificate.signerName: Required value",
       (".sources[0].podCertificate.userAnnotations: Invalid value: \"plain\": must be a "
        "domain-prefixed key (such as \"acme.io/foo\")"),
       (".sources[0].podCertificate.keyType: Unsupported value: \"RSA\": supported values: "
        "\"RSA3072\", \"RSA4096\", \"ECDSAP256\", \"ECDSAP384\", \"ECDSAP521\", \"ED25519\""),
       (".sources[0].podCertificate.maxExpirationSeconds: Invalid value: 3599: if provided, "
        "maxExpirationSeconds must be >= 3600"),
       (".sources[0].podCertificate: Required value: specify at least one of credentialBundlePath, "
        "keyPath, and certificateChainPath")});
  ExpectSources(
      R"({"podCertificate":{"signerName":"a.b/c","keyType":"ED25519","credentialBundlePath":"/a","keyPath":"..b","certificateChainPath":"c/../d"}})",
      {".sources[0].podCertificate.credentialBundlePath: Invalid value: \"/a\": must be a relative "
       "path",
       ".sources[0].podCertificate.keyPath: Invalid value: \"..b\": must not start with '..'",
       ".sources[0].podCertificate.certificateChainPath: Invalid value: \"c/../d\": must not "
       "contain '..'"});
}

}  // namespace
}  // namespace podium::api
