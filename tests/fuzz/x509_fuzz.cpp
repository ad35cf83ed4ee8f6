// PEM text and what is in it: taking blocks ends and never gives back text that was not there, and
// the readers of X.509 get by with any bytes, those of blocks and the input itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "pki/certificate.h"
#include "pki/keys.h"
#include "pki/pem.h"
#include "pki/x509.h"

using podium::fuzz::Require;

namespace {

void CheckBytes(std::string_view der) {
  const bool one = podium::pki::CheckCertificate(der).ok();
  const auto count = podium::pki::CountCertificates(der);
  Require(one == (count.ok() && *count == 1));
  const bool request = podium::pki::CheckCertificateRequest(der).ok();
  Require(!one || !request);
  // Reading takes no more than checking does, and gives the bytes back.
  const auto certificate = podium::pki::Certificate::FromDer(der);
  Require(!certificate.ok() || (one && certificate->der().size() <= der.size()));
  if (certificate.ok()) (void)certificate->Identifier();
  Require(!podium::pki::CertificateRequest::FromDer(der).ok() || request);
  (void)podium::pki::PublicKey::FromDer(der);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)podium::pki::PrivateKey::FromPem(text);
  CheckBytes(text);
  size_t left = text.size();
  while (const auto block = podium::pki::TakePemBlock(&text)) {
    Require(text.size() < left);
    left = text.size();
    CheckBytes(block->bytes);
  }
  Require(text.size() == left);
  return 0;
}
