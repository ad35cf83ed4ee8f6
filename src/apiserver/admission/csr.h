// The subject of a CertificateSigningRequest, for the plugins that ask for it. Internal to the
// folder.
#pragma once

#include "api/types/certificates_v1.h"
#include "base/result.h"
#include "pki/certificate.h"

namespace podium::apiserver {

// kInvalidArgument in upstream's words when spec.request is no request in PEM.
Result<pki::Subject> SubjectOf(const api::certificates::v1::CertificateSigningRequest& request);

}  // namespace podium::apiserver
