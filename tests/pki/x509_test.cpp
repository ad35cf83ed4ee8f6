#include "pki/x509.h"

#include <gtest/gtest.h>

#include <string>

#include "reflect/base64.h"
#include "support/x509_samples.h"

namespace podium::pki {
namespace {

std::string Bytes(std::string_view base64) {
  std::string bytes;
  EXPECT_FALSE(reflect::DecodeBase64(base64, &bytes));
  return bytes;
}

std::string Problem(std::string_view der) {
  const auto checked = CheckCertificateRequest(der);
  return checked.ok() ? "" : checked.error().message();
}

// The last byte is the signature's.
std::string Tampered(std::string_view base64) {
  std::string bytes = Bytes(base64);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return bytes;
}

TEST(X509, Requests) {
  EXPECT_EQ(Problem(Bytes(testing::kEcRequest)), "");
  EXPECT_EQ(Problem(Bytes(testing::kEdRequest)), "");
  EXPECT_EQ(Problem(Bytes(testing::kRsaRequest)), "");
}

TEST(X509, RequestsThatTheirKeyDidNotSign) {
  EXPECT_EQ(Problem(Tampered(testing::kEcRequest)), "x509: ECDSA verification failure");
  EXPECT_EQ(Problem(Tampered(testing::kEdRequest)), "x509: Ed25519 verification failure");
  EXPECT_EQ(Problem(Tampered(testing::kRsaRequest)), "crypto/rsa: verification error");
  EXPECT_EQ(Problem(Bytes(testing::kMd5Request)),
            "x509: cannot verify signature: insecure algorithm MD5-RSA");
  // The name inside is another one: CN=b.
  std::string other = Bytes(testing::kEcRequest);
  const size_t name = other.find(
      "\x0c\x01"
      "a");
  ASSERT_NE(name, std::string::npos);
  other[name + 2] = 'b';
  EXPECT_EQ(Problem(other), "x509: ECDSA verification failure");
}

TEST(X509, KeysThatAreNotTaken) {
  EXPECT_EQ(Problem(Bytes(testing::kShortRsaRequest)),
            "crypto/rsa: 512-bit keys are insecure (see "
            "https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)");
  EXPECT_EQ(Problem(Bytes(testing::kOtherCurveRequest)), "x509: unsupported elliptic curve");
}

// The object identifier of the signature's algorithm, which stands before the signature: another
// family, and one that nobody knows.
TEST(X509, RequestsSignedInAnotherWay) {
  const std::string ecdsa_sha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02";
  std::string unknown = Bytes(testing::kEcRequest);
  const size_t at = unknown.rfind(ecdsa_sha256);
  ASSERT_NE(at, std::string::npos);
  unknown[at + 7] = 0x7f;
  EXPECT_EQ(Problem(unknown), "x509: cannot verify signature: algorithm unimplemented");
}

TEST(X509, BytesThatAreNoRequest) {
  const std::string tags =
      "isCompound:false}) {optional:false explicit:false application:false private:false "
      "defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false} "
      "certificateRequest @2";
  const std::string request = Bytes(testing::kEcRequest);
  const struct {
    std::string der;
    std::string problem;
  } cases[] = {
      {"", "asn1: syntax error: sequence truncated"},
      {"\x30", "asn1: syntax error: truncated tag or length"},
      {"\x30\x82\x01", "asn1: syntax error: truncated tag or length"},
      {std::string("\x30\x80\x00\x00", 4), "asn1: syntax error: indefinite length found (not DER)"},
      {"\x30\x81\x05", "asn1: structure error: non-minimal length"},
      {std::string("\x30\x82\x00\x85", 4),
       "asn1: structure error: superfluous leading zeros in length"},
      {"\x30\x84\xff\xff\xff\xff", "asn1: structure error: length too large"},
      {"abc", "asn1: structure error: tags don't match (16 vs {class:1 tag:1 length:98 " +
                  std::string("isCompound:true}") + tags.substr(tags.find(") {"))},
      {std::string("\x02\x01\x00", 3),
       "asn1: structure error: tags don't match (16 vs {class:0 tag:2 length:1 " + tags},
      {request.substr(0, request.size() - 1), "asn1: syntax error: data truncated"},
      {request + "x", "asn1: syntax error: trailing data"},
      {std::string("\x30\x02\x05\x00", 4), "asn1: structure error: malformed certificate request"},
      {Bytes(testing::kCertificate), "asn1: structure error: malformed certificate request"},
  };
  for (const auto& [der, problem] : cases) EXPECT_EQ(Problem(der), problem);
}

TEST(X509, Certificates) {
  const std::string certificate = Bytes(testing::kCertificate);
  EXPECT_TRUE(CheckCertificate(certificate).ok());
  EXPECT_EQ(CheckCertificate(certificate + "x").error().message(), "x509: trailing data");
  EXPECT_EQ(CheckCertificate("").error().message(), "x509: malformed certificate");
  EXPECT_EQ(CheckCertificate(Bytes(testing::kEcRequest)).error().message(),
            "x509: malformed certificate");
  EXPECT_EQ(CheckCertificate(Bytes(testing::kOtherCurveCertificate)).error().message(),
            "x509: unsupported elliptic curve");
  EXPECT_EQ(*CountCertificates(""), 0U);
  EXPECT_EQ(*CountCertificates(certificate + certificate), 2U);
  EXPECT_EQ(CountCertificates(certificate + "x").error().message(), "x509: malformed certificate");
}

}  // namespace
}  // namespace podium::pki
