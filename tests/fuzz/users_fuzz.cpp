// Any bytes as an image's passwd and group files, and as its USER: never root unless asked, never
// an id out of range, in bounded time. The parts are separated by NUL: user, passwd, group.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "runtime/user_db.h"

using namespace podium::runtime;  // NOLINT: a fuzz target
using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto part = [&] {
    const size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
  };
  const std::string user(part());
  const std::string_view passwd = part();
  const std::string_view group = part();
  const UserDatabase database = UserDatabase::Parse(passwd, group);
  const auto found = database.Find(user);
  if (!found.ok()) {
    Require(!user.empty());
    return 0;
  }
  Require(found->uid <= kMaxUserId && found->gid <= kMaxUserId);
  Require(found->home.empty() || found->home.front() == '/');
  const std::string name = user.substr(0, user.find(':'));
  const bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  if (number) Require(std::to_string(found->uid) == name || name.front() == '0');
  // A name that became an id is in the file, with this id.
  if (!number && !name.empty()) Require(found->name == name);
  for (const auto policy : {podium::wire::cri::SupplementalGroupsPolicy::kMerge,
                            podium::wire::cri::SupplementalGroupsPolicy::kStrict}) {
    const auto groups = database.Groups(*found, policy, {});
    if (!groups.ok()) continue;
    Require(groups->front() == found->gid);
    Require(std::ranges::all_of(*groups, [](uint32_t gid) { return gid <= kMaxUserId; }));
  }
  return 0;
}
