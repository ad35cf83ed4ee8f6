// What is said of addresses that are taken, but not written as they should be. Internal to the
// folder. Source: k8s.io/apimachinery pkg/util/validation/ip.go, release 1.36.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"

namespace podium::apiserver {

// Of a value that validation has taken for an address, or will refuse: that one gets no warning.
void WarnOfIP(const api::field::Path& path, std::string_view value,
              std::vector<std::string>* warnings);
void WarnOfCIDR(const api::field::Path& path, std::string_view value,
                std::vector<std::string>* warnings);

}  // namespace podium::apiserver
