// Getting a certificate signed by the cluster: a CertificateSigningRequest is made, approved where
// the asker is to do that itself, and waited for. The key stays with the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"
#include "pki/certificate.h"
#include "pki/keys.h"

namespace podium::client {

struct CertificateOrder {
  std::string signer{};  // "kubernetes.io/kubelet-serving"
  pki::Subject subject{};
  pki::AlternativeNames names{};
  std::vector<std::string> usages{};            // "digital signature", "client auth"
  std::optional<int32_t> expiration_seconds{};  // the signer's own length without it
  // For signers that wait for a person: whoever asks approves it as well, in these words. It takes
  // the right to approve for the signer.
  std::optional<std::string> approval{};
};

// The certificate, and what the signer put behind it, in PEM; of this key. Asks again and again
// until the signer has answered, for `patience` at most: kDeadlineExceeded. kPermissionDenied when
// it was denied, kInvalidArgument when the signer has refused it, in its words; other errors are
// the server's. The request stays in the cluster, which clears it away.
Result<std::string> RequestCertificate(Connection& connection, const Clock& clock,
                                       const pki::PrivateKey& key, const CertificateOrder& order,
                                       std::chrono::seconds patience = std::chrono::seconds(30));

}  // namespace podium::client
