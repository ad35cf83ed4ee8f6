// Options of all commands that create objects.
#pragma once

#include <string>

#include "cli/command.h"

namespace podium::cli {

inline constexpr Option kSaveConfigOption = {
    .name = "save-config",
    .help = "note the object as it is here in an annotation, as podium apply does"};
inline constexpr Option kCreateManagerOption = {
    .name = "field-manager",
    .value = "NAME",
    .help = "who owns what is set; the same as with kubectl if not given",
    .repeatable = true};

// kubectl's manager where the command is not told another, so that both own the same.
inline std::string CreateManagerOf(const Invocation& invocation,
                                   std::string_view otherwise = "kubectl-create") {
  return std::string(invocation.Get("field-manager", otherwise));
}

}  // namespace podium::cli
