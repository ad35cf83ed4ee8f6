// Rules for APIService (upstream's k8s.io/kube-aggregator/pkg/apis/apiregistration/validation,
// release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/apiregistration_v1.h"

namespace podium::api {

field::ErrorList ValidateAPIService(const apiregistration::v1::APIService& service);
field::ErrorList ValidateAPIServiceUpdate(const apiregistration::v1::APIService& service,
                                          const apiregistration::v1::APIService& old_service);
field::ErrorList ValidateAPIServiceStatusUpdate(const apiregistration::v1::APIService& service,
                                                const apiregistration::v1::APIService& old_service);

}  // namespace podium::api
