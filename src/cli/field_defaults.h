// The defaults of fields, learnt from the rules themselves: an object that has nothing but the
// fields on the way is defaulted, and what it then has is the default.
#pragma once

#include <string>
#include <vector>

#include "reflect/type.h"

namespace podium::cli {

// For each field of the type to which `way` leads from `root`, its default as JSON, or "". Defaults
// that depend on other fields are those that an object without these fields gets.
std::vector<std::string> DefaultsAt(const reflect::Type& root,
                                    const std::vector<const reflect::Field*>& way);

}  // namespace podium::cli
