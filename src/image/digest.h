// Digests of content ("sha256:<64 digits>") and their computation.
// Source: OCI image specification 1.1, descriptor.md, "Digests".
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace podium::image {

struct Digest {
  std::string algorithm;  // "sha256", "sha384" or "sha512"
  std::string hex;        // in lower case, as long as the algorithm's

  // kInvalidArgument, in upstream's words.
  static Result<Digest> Parse(std::string_view text);
  std::string String() const { return algorithm + ':' + hex; }

  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// Computes a digest of bytes that come in pieces.
class Hasher {
 public:
  // One of the algorithms above.
  explicit Hasher(std::string_view algorithm = "sha256");

  void Update(std::string_view bytes);
  // Of all bytes so far. Nothing may follow.
  Digest Finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::string algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest DigestOf(std::string_view bytes);

}  // namespace podium::image
