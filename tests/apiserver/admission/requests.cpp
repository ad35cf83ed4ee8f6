#include "apiserver/admission/requests.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/owned.h"

namespace podium::apiserver {

std::string MakeRequest(const std::string& common_name,
                        const std::vector<std::string>& organizations) {
  const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
  const Owned<X509_REQ, X509_REQ_free> request(X509_REQ_new());
  X509_NAME* const name = X509_REQ_get_subject_name(request.get());
  const auto add = [&](const char* field, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.data()),  // NOLINT
                               static_cast<int>(text.size()), -1, 0);
  };
  for (const std::string& organization : organizations) add("O", organization);
  add("CN", common_name);
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), key.get(), EVP_sha256());
  const Owned<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(out.get(), request.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

}  // namespace podium::apiserver
