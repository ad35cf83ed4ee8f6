#include "api/validation/admission_policies.h"
#include "api/validation/api_service.h"
#include "api/validation/certificates.h"
#include "api/validation/custom_resource_definition.h"
#include "api/validation/flow_control.h"
#include "api/validation/kind_rules.h"
#include "api/validation/reviews.h"
#include "api/validation/webhooks.h"

namespace podium::api {

std::span<const KindRules> ServerRules() {
  using namespace admissionregistration::v1;  // NOLINT: named once
  using namespace authorization::v1;          // NOLINT: likewise
  using namespace flowcontrol::v1;            // NOLINT: likewise
  using apiextensions::v1::CustomResourceDefinition;
  using apiregistration::v1::APIService;
  using certificates::v1::CertificateSigningRequest;
  static const KindRules kRules[] = {
      Rules<APIService, ValidateAPIService, ValidateAPIServiceUpdate>(),
      Subresource<APIService, ValidateAPIServiceStatusUpdate>("status"),
      Rules<CertificateSigningRequest, ValidateCertificateSigningRequest,
            ValidateCertificateSigningRequestUpdate>(),
      Subresource<CertificateSigningRequest, ValidateCertificateSigningRequestStatusUpdate>(
          "status"),
      Subresource<CertificateSigningRequest, ValidateCertificateSigningRequestApprovalUpdate>(
          "approval"),
      Rules<CustomResourceDefinition, ValidateCustomResourceDefinition,
            ValidateCustomResourceDefinitionUpdate>(),
      Subresource<CustomResourceDefinition, ValidateCustomResourceDefinitionStatusUpdate>("status"),
      Rules<MutatingAdmissionPolicy, ValidateMutatingAdmissionPolicy,
            ValidateMutatingAdmissionPolicyUpdate>(),
      Rules<MutatingAdmissionPolicyBinding, ValidateMutatingAdmissionPolicyBinding,
            ValidateMutatingAdmissionPolicyBindingUpdate>(),
      Rules<MutatingWebhookConfiguration, ValidateMutatingWebhookConfiguration,
            ValidateMutatingWebhookConfigurationUpdate>(),
      Rules<ValidatingAdmissionPolicy, ValidateValidatingAdmissionPolicy,
            ValidateValidatingAdmissionPolicyUpdate>(),
      Subresource<ValidatingAdmissionPolicy, ValidateValidatingAdmissionPolicyStatusUpdate>(
          "status"),
      Rules<ValidatingAdmissionPolicyBinding, ValidateValidatingAdmissionPolicyBinding,
            ValidateValidatingAdmissionPolicyBindingUpdate>(),
      Rules<ValidatingWebhookConfiguration, ValidateValidatingWebhookConfiguration,
            ValidateValidatingWebhookConfigurationUpdate>(),
      Request<LocalSubjectAccessReview, ValidateLocalSubjectAccessReview>(),
      Request<SelfSubjectAccessReview, ValidateSelfSubjectAccessReview>(),
      Request<SubjectAccessReview, ValidateSubjectAccessReview>(),
      Request<authentication::v1::TokenRequest, ValidateTokenRequest>(),
      Rules<FlowSchema, ValidateFlowSchema, ValidateFlowSchemaUpdate>(),
      Subresource<FlowSchema, ValidateFlowSchemaStatusUpdate>("status"),
      Rules<PriorityLevelConfiguration, ValidatePriorityLevelConfiguration,
            ValidatePriorityLevelConfigurationUpdate>(),
      Subresource<PriorityLevelConfiguration, ValidatePriorityLevelConfigurationStatusUpdate>(
          "status"),
  };
  return kRules;
}

}  // namespace podium::api
