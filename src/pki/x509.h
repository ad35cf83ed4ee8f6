// Certificates (RFC 5280) and signing requests (RFC 2986) in DER: whether bytes are one.
//
// Errors are kInvalidArgument with the texts of Go's crypto/x509, which upstream's users see. Where
// the fault lies deep inside, Go names the field it did not like; here it is the whole.
//
// Bytes come from anybody. Functions keep no state and may run on any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace podium::pki {

// One request, signed by the key that is in it.
Result<void> CheckCertificateRequest(std::string_view der);

// One certificate and nothing behind it. Nobody's signature is looked at, nor the time.
Result<void> CheckCertificate(std::string_view der);

// Certificates one behind the other; how many.
Result<size_t> CountCertificates(std::string_view der);

}  // namespace podium::pki
