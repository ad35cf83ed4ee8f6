// $(VAR) in the command, args and env of a container (upstream's
// third_party/forked/golang/expansion).
//
//   $(VAR)    the variable's value; left as it is when there is no such variable
//   $$        a dollar sign, so that $$(VAR) is the text $(VAR)
//   $x, $(    nothing special
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace podium::api {

// Null when there is no such variable; else valid during the call of Expand.
using VariableLookup = std::function<const std::string*(std::string_view name)>;

// Values are not expanded again.
std::string Expand(std::string_view text, const VariableLookup& lookup);

}  // namespace podium::api
