// Rules for CertificateSigningRequest (upstream's pkg/apis/certificates/validation, release 1.36).
// The objects have their defaults; that the spec stays as it was is the registry's doing.
#pragma once

#include "api/field_errors.h"
#include "api/types/certificates_v1.h"

namespace podium::api {

field::ErrorList ValidateCertificateSigningRequest(
    const certificates::v1::CertificateSigningRequest& request);
field::ErrorList ValidateCertificateSigningRequestUpdate(
    const certificates::v1::CertificateSigningRequest& request,
    const certificates::v1::CertificateSigningRequest& old_request);
// Of a signer, which sets the certificate.
field::ErrorList ValidateCertificateSigningRequestStatusUpdate(
    const certificates::v1::CertificateSigningRequest& request,
    const certificates::v1::CertificateSigningRequest& old_request);
// Of an approver, who sets the conditions Approved and Denied.
field::ErrorList ValidateCertificateSigningRequestApprovalUpdate(
    const certificates::v1::CertificateSigningRequest& request,
    const certificates::v1::CertificateSigningRequest& old_request);

}  // namespace podium::api
