// Certificate signing requests for tests.
#pragma once

#include <string>
#include <vector>

namespace podium::apiserver {

// In PEM, with a key of its own.
std::string MakeRequest(const std::string& common_name,
                        const std::vector<std::string>& organizations);

}  // namespace podium::apiserver
