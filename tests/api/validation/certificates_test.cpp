#include "api/validation/certificates.h"

#include "api/validation/kind_cases.h"
#include "reflect/base64.h"
#include "support/x509_samples.h"

namespace podium::api {
namespace {

using certificates::v1::CertificateSigningRequest;

// Base64 of a block of PEM text.
std::string Pem(const std::string& type, const std::string& body) {
  std::string pem;
  reflect::AppendBase64("-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n",
                        &pem);
  return pem;
}

std::string Base() {
  return R"({"metadata": {"name": "any name_"}, "spec": {"usages": ["client auth"],
    "signerName": "kubernetes.io/kube-apiserver-client", "request": ")" +
         Pem("CERTIFICATE REQUEST", testing::kEcRequest) + R"("}})";
}

void ExpectNew(const std::vector<ErrorCase>& cases) {
  ExpectCreate<CertificateSigningRequest>(Base(), cases);
}

TEST(CertificateSigningRequest, Metadata) {
  ExpectNew(
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"metadata.namespace=\"n\""},
        {"metadata.namespace: Forbidden: not allowed on this type"}}});
}

TEST(CertificateSigningRequest, Requests) {
  const auto request = [](const std::string& text) { return "spec.request=\"" + text + "\""; };
  const auto bad = [](const std::string& value, const std::string& problem) {
    return "spec.request: Invalid value: " + value + ": " + problem;
  };
  const std::string type = "PEM block type must be CERTIFICATE REQUEST";
  const std::string broken = Pem("CERTIFICATE REQUEST", "MAA=");
  const std::string other = Pem("CERTIFICATE", testing::kCertificate);
  std::string tampered = testing::kRsaRequest;
  tampered[tampered.size() - 8] = tampered[tampered.size() - 8] == 'A' ? 'B' : 'A';
  tampered = Pem("CERTIFICATE REQUEST", tampered);
  ExpectNew({
      {{request(Pem("CERTIFICATE REQUEST", testing::kEdRequest))}, {}},
      {{request("")}, {bad("\"\"", type)}},
      {{"spec.request"}, {bad("null", type)}},
      {{request("YWJj")}, {bad("\"YWJj\"", type)}},
      {{request(other)}, {bad("\"" + other + "\"", type)}},
      {{request(broken)},
       {bad("\"" + broken + "\"", "asn1: structure error: malformed certificate request")}},
      {{request(tampered)}, {bad("\"" + tampered + "\"", "crypto/rsa: verification error")}},
  });
}

TEST(CertificateSigningRequest, Usages) {
  const std::string known =
      "supported values: \"any\", \"cert sign\", \"client auth\", \"code signing\", \"content "
      "commitment\", \"crl sign\", \"data encipherment\", \"decipher only\", \"digital "
      "signature\", \"email protection\", \"encipher only\", \"ipsec end system\", \"ipsec "
      "tunnel\", \"ipsec user\", \"key agreement\", \"key encipherment\", \"microsoft sgc\", "
      "\"netscape sgc\", \"ocsp signing\", \"s/mime\", \"server auth\", \"signing\", "
      "\"timestamping\"";
  ExpectNew({{{"spec.usages=[\"s/mime\",\"any\"]"}, {}},
             {{"spec.usages=[]"}, {"spec.usages: Required value"}},
             {{"spec.usages=[\"x\",\"any\",\"x\"]"},
              {"spec.usages[0]: Unsupported value: \"x\": " + known,
               "spec.usages[2]: Unsupported value: \"x\": " + known,
               "spec.usages[2]: Duplicate value: \"x\""}}});
}

TEST(CertificateSigningRequest, SignerAndExpiration) {
  ExpectNew(
      {{{"spec.expirationSeconds=600"}, {}},
       {{"spec.expirationSeconds=599"},
        {"spec.expirationSeconds: Invalid value: 599: may not specify a duration less than "
         "600 seconds (10 minutes)"}},
       {{"spec.signerName=\"\""}, {"spec.signerName: Required value"}},
       {{"spec.signerName=\"x\""},
        {"spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of "
         "the form 'example.com/signer-name'"}},
       {{"spec.signerName=\"kubernetes.io/legacy-unknown\""},
        {"spec.signerName: Invalid value: \"kubernetes.io/legacy-unknown\": the legacy "
         "signerName is not allowed via this API version"}}});
}

TEST(CertificateSigningRequest, Conditions) {
  const std::string path = "status.conditions";
  ExpectNew(
      {{{path + R"(=[{"type":"Approved","status":"True"},{"type":"x","status":"Unknown"}])"}, {}},
       {{path + R"(=[{},{"type":"Failed","status":"False"},{"type":"x","status":"?"}])"},
        {path + "[0].type: Required value", path + "[0].status: Required value",
         path + "[1].status: Unsupported value: \"False\": supported values: \"True\"",
         path + "[2].status: Unsupported value: \"?\": supported values: \"False\", \"True\", "
                "\"Unknown\""}},
       {{path + R"(=[{"type":"Denied","status":"True"},{"type":"Approved","status":"True"},)"
                R"({"type":"Denied","status":"True"}])"},
        {path + ": Invalid value: \"Approved\": Approved and Denied conditions are mutually "
                "exclusive",
         path +
             ": Invalid value: \"Denied\": Approved and Denied conditions are mutually exclusive",
         path + "[2].type: Duplicate value: \"Denied\""}}});
}

TEST(CertificateSigningRequest, Certificates) {
  const auto certificate = [](const std::string& text) {
    return "status.certificate=\"" + text + "\"";
  };
  const auto bad = [](const std::string& problem) {
    return "status.certificate: Invalid value: \"<certificate data>\": " + problem;
  };
  ExpectNew({
      {{certificate(Pem("CERTIFICATE", testing::kCertificate))}, {}},
      {{certificate("YWJj")}, {bad("must contain at least one CERTIFICATE PEM block")}},
      {{certificate(Pem("KEY", "YWJj"))},
       {bad("only CERTIFICATE PEM blocks are allowed, found \"KEY\"")}},
      {{certificate(Pem("CERTIFICATE", "a: b\n\nYWJj"))},
       {bad("no PEM block headers are permitted")}},
      {{certificate(Pem("CERTIFICATE", ""))},
       {bad("found CERTIFICATE PEM block containing 0 certificates")}},
      {{certificate(Pem("CERTIFICATE", "YWJj"))}, {bad("x509: malformed certificate")}},
  });
}

TEST(CertificateSigningRequest, Update) {
  const std::string approved = R"({"type":"Approved","status":"True","reason":"r"})";
  const std::string base = Edited(Base(), {"status.conditions=[" + approved + "]"});
  const auto forbidden = [](const std::string& how, const std::string& type) {
    return "status.conditions: Forbidden: " + how + "\"" + type + "\"";
  };
  const std::string certificate =
      "status.certificate=\"" + Pem("CERTIFICATE", testing::kCertificate) + "\"";
  const ErrorCase with_certificate = {
      {certificate}, {"status.certificate: Forbidden: updates may not set certificate content"}};
  const std::vector<ErrorCase> cases = {
      {{}, {}},
      {{"metadata.labels={\"a\":\"b\"}"}, {}},
      {{"status.conditions=[" + approved + R"(,{"type":"Failed","status":"True"}])"}, {}},
      with_certificate,
      {{"status.conditions=[]"},
       {forbidden("updates may not remove a condition of type ", "Approved")}},
      {{R"(status.conditions=[{"type":"Approved","status":"True","reason":"s"}])"},
       {forbidden("updates may not modify a condition of type ", "Approved") +
        "\n@@ -2,7 +2,7 @@\n  {\n   \"Type\": \"Approved\",\n   \"Status\": \"True\",\n-  "
        "\"Reason\": \"r\",\n+  \"Reason\": \"s\",\n   \"Message\": \"\",\n   \"LastUpdateTime\": "
        "null,\n   \"LastTransitionTime\": null\n"}},
      // Errors of the metadata come last here.
      {{"metadata.name=\"b\"", "spec.usages=[]"},
       {"spec.usages: Required value", "metadata.name: Invalid value: \"b\": field is immutable"}},
  };
  ExpectUpdate<CertificateSigningRequest>(base, cases);
  ExpectUpdate<CertificateSigningRequest>(
      Base(), {{{"status.conditions=[" + approved + "]"},
                {forbidden("updates may not add a condition of type ", "Approved")}},
               {{R"(status.conditions=[{"type":"Denied","status":"True"}])"},
                {forbidden("updates may not add a condition of type ", "Denied")}},
               with_certificate});
}

TEST(CertificateSigningRequest, StatusAndApproval) {
  const std::string certificate = Pem("CERTIFICATE", testing::kCertificate);
  const std::string set = "status.certificate=\"" + certificate + "\"";
  const std::string approve = R"(status.conditions=[{"type":"Approved","status":"True"}])";
  ExpectUpdate<CertificateSigningRequest>(
      Base(),
      {{{set}, {}},
       {{approve},
        {"status.conditions: Forbidden: updates may not add a condition of type \"Approved\""}}},
      "status");
  ExpectUpdate<CertificateSigningRequest>(
      Edited(Base(), {set}),
      {{{"status.certificate"},
        {"status.certificate: Forbidden: updates may not modify existing certificate content"}}},
      "status");
  ExpectUpdate<CertificateSigningRequest>(
      Base(),
      {{{approve}, {}},
       {{set}, {"status.certificate: Forbidden: updates may not set certificate content"}}},
      "approval");
  ExpectUpdate<CertificateSigningRequest>(
      Edited(Base(), {approve}),
      {{{R"(status.conditions=[{"type":"Approved","status":"True","reason":"s"}])"}, {}},
       {{"status.conditions=[]"},
        {"status.conditions: Forbidden: updates may not remove a condition of type \"Approved\""}}},
      "approval");
}

// What is stored already may stay as it is.
TEST(CertificateSigningRequest, UpdateOfOldRequests) {
  const std::string label = "metadata.labels={\"a\":\"b\"}";
  for (const std::vector<std::string>& old : std::vector<std::vector<std::string>>{
           {"spec.usages=[\"x\",\"any\",\"any\"]"},
           {"spec.signerName=\"kubernetes.io/legacy-unknown\""},
           {"status.certificate=\"YWJj\""},
           {R"(status.conditions=[{"type":"","status":"True"},{"type":"","status":"True"}])"},
           {R"(status.conditions=[{"type":"Approved","status":"True"},)"
            R"({"type":"Denied","status":"True"}])"},
       }) {
    ExpectUpdate<CertificateSigningRequest>(Edited(Base(), old), {{{label}, {}}});
  }
  ExpectUpdate<CertificateSigningRequest>(
      Edited(Base(), {"status.certificate=\"YWJj\""}),
      {{{"status.certificate=\"YWJk\""},
        {"status.certificate: Forbidden: updates may not modify existing certificate content"}}},
      "status");
}

}  // namespace
}  // namespace podium::api
