#include "apiserver/user.h"

#include <algorithm>

namespace podium::apiserver {

bool User::InGroup(std::string_view group) const {
  return std::ranges::find(groups, group) != groups.end();
}

}  // namespace podium::apiserver
