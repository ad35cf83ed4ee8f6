#include "image/digest.h"

#include <openssl/evp.h>

#include <exception>

#include "base/image_reference.h"

namespace podium::image {
namespace {

const EVP_MD* AlgorithmOf(std::string_view name) {
  if (name == "sha384") return EVP_sha384();
  if (name == "sha512") return EVP_sha512();
  return EVP_sha256();
}

}  // namespace

Result<Digest> Digest::Parse(std::string_view text) {
  if (const char* problem = DigestProblem(text)) return Error(Code::kInvalidArgument, problem);
  const size_t colon = text.find(':');
  return Digest{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(std::string_view algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
  // Fails only for want of memory, which ends the process as it does everywhere.
  if (!context_ || EVP_DigestInit_ex(context_.get(), AlgorithmOf(algorithm), nullptr) != 1) {
    std::terminate();
  }
}

void Hasher::Update(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

Digest Hasher::Finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context_.get(), bytes, &size);
  Digest digest{algorithm_, {}};
  digest.hex.reserve(size_t{2} * size);
  for (unsigned i = 0; i < size; ++i) {
    digest.hex += kDigits[bytes[i] >> 4];
    digest.hex += kDigits[bytes[i] & 0xF];
  }
  return digest;
}

Digest DigestOf(std::string_view bytes) {
  Hasher hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

}  // namespace podium::image
