// For which audiences a node may ask tokens of a pod's account: those that a volume of the pod
// needs (upstream's noderestriction, ServiceAccountNodeAudienceRestriction, release 1.36). Internal
// to the folder.
#pragma once

#include <optional>
#include <string>

#include "api/types/authentication_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/admission.h"

namespace podium::apiserver {

// What is wrong with the request; nothing when the audience is the pod's, or the node was allowed
// it: verb request-serviceaccounts-token-audience on the audience.
std::optional<std::string> AudienceProblem(const AdmissionDependencies& dependencies,
                                           const AdmissionRequest& request,
                                           const api::authentication::v1::TokenRequest& asked,
                                           const api::core::v1::Pod& pod);

}  // namespace podium::apiserver
