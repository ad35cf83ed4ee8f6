#include "pki/request_subject.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/owned.h"
#include "pki/x509.h"

namespace podium::pki {
namespace {

using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;

Error Malformed() {
  ERR_clear_error();
  return Error(Code::kInvalidArgument, "asn1: structure error: malformed certificate request");
}

}  // namespace

Result<RequestSubject> ReadRequestSubject(std::string_view der) {
  TRY_VOID(CheckCertificateRequest(der));
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());  // NOLINT: OpenSSL's octets
  const OwnedRequest request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request) return Malformed();
  const X509_NAME* const name = X509_REQ_get_subject_name(request.get());
  RequestSubject subject;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (nid != NID_commonName && nid != NID_organizationName) continue;
    unsigned char* bytes = nullptr;
    const int size = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry));
    if (size < 0) return Malformed();
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));  // NOLINT
    OPENSSL_free(bytes);
    if (nid == NID_commonName) {
      subject.common_name = std::move(text);
    } else {
      subject.organizations.push_back(std::move(text));
    }
  }
  return subject;
}

}  // namespace podium::pki
