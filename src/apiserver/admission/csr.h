// The subject of a CertificateSigningRequest, for the plugins that ask for it. Internal to the
// folder.
#pragma once

#include "api/types/certificates_v1.h"
#include "base/result.h"
#include "pki/request_subject.h"

namespace podium::apiserver {

// kInvalidArgument in upstream's words when spec.request is no request in PEM.
Result<pki::RequestSubject> SubjectOf(
    const api::certificates::v1::CertificateSigningRequest& request);

}  // namespace podium::apiserver
