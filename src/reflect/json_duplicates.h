// Members of JSON objects that come twice. A decoder knows those of typed objects by itself; this
// is for texts that are read without a type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace podium::reflect {

// As upstream's strict decoder names them (sigs.k8s.io/json), in the order of the text, each once,
// 100 and a megabyte at most: `duplicate field "spec.ports[0].name"`. What is no JSON, or nested
// deeper than 10,000, is read as far as it goes: whether it is JSON is another's to say.
std::vector<std::string> DuplicateFields(std::string_view json);

}  // namespace podium::reflect
