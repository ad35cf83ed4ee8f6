// Whom a certificate signing request (RFC 2986) asks a certificate for.
//
// Bytes come from anybody. Keeps no state; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace podium::pki {

struct RequestSubject {
  std::string common_name;                 // the last one, as Go's crypto/x509 has it
  std::vector<std::string> organizations;  // in order
};

// Of one request in DER, whose signature is checked too: CheckCertificateRequest.
Result<RequestSubject> ReadRequestSubject(std::string_view der);

}  // namespace podium::pki
