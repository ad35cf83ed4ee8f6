#include "apiserver/call.h"

#include <algorithm>
#include <utility>

namespace podium::apiserver {

void Call::Warn(std::string warning) {
  if (warning.empty() || std::ranges::find(warnings, warning) != warnings.end()) return;
  warnings.push_back(std::move(warning));
}

}  // namespace podium::apiserver
