// Whether a certificate leads to one that is trusted (RFC 5280, section 6), with OpenSSL's rules.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/certificate.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace podium::pki {

enum class Purpose { kClientAuth, kServerAuth };

// Immutable; any thread.
class TrustedRoots {
 public:
  // Each is trusted as it stands, one that another has signed too.
  static Result<TrustedRoots> Create(std::span<const Certificate> roots);

  // `intermediates` are what the peer sent behind its own: in any order, trusted by nothing. `now`
  // is in seconds since 1970. kUnauthenticated, in Go's words where Go has some.
  Result<void> Verify(const Certificate& certificate, std::span<const Certificate> intermediates,
                      Purpose purpose, int64_t now) const;

 private:
  std::shared_ptr<x509_store_st> store_;
};

}  // namespace podium::pki
