// Users and groups as an image knows them: /etc/passwd and /etc/group of its root. Written by
// whoever made the image, so hostile: links in them stay inside the root, sizes are bounded, what
// is no regular file is refused, and lines that cannot be read are passed over.
//
// The rules are containerd's, made stricter where these end as root: what is not a number from 0 to
// 2^31-1 is a name, and a name that nobody has is an error (CVE-2024-40635, CVE-2026-30892: 2^31,
// 2^32, 2^64, "-1", " ", "0x0"). Only an empty text is root.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// The largest id: CRI's are int64, Kubernetes' are checked to be int32.
inline constexpr uint32_t kMaxUserId = 0x7fffffff;

struct UserIdentity {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string name = {};  // empty where the database has no such user
  std::string home = {};  // likewise; an absolute path otherwise, or empty

  friend bool operator==(const UserIdentity&, const UserIdentity&) = default;
};

class UserDatabase {
 public:
  // Of a root given as a directory descriptor. A missing file is an empty one. kInvalidArgument: no
  // regular file. kResourceExhausted: more than 10 MiB.
  static Result<UserDatabase> Read(int root);
  // From the files' texts.
  static UserDatabase Parse(std::string_view passwd, std::string_view group);

  // "", "user", "user:group", each a name or a number. A number needs no entry: without one its
  // group is 0. kInvalidArgument: a name that is not there, a part that is empty, a third part.
  Result<UserIdentity> Find(const std::string& text) const;

  // The groups of a container's first process: the user's own first, then those that /etc/group
  // lists the user in (Merge) or none of these (Strict), then `supplemental`; each once.
  // kInvalidArgument: a number that is none, more than the kernel's 65,536.
  Result<std::vector<uint32_t>> Groups(const UserIdentity& user,
                                       wire::cri::SupplementalGroupsPolicy policy,
                                       std::span<const int64_t> supplemental) const;

 private:
  struct User {
    std::string name;
    uint32_t uid = 0;
    uint32_t gid = 0;
    std::string home;
  };
  struct Group {
    std::string name;
    uint32_t gid = 0;
    std::string members;  // with commas
  };

  std::vector<User> users_;
  std::vector<Group> groups_;
};

// The text for Find: what the pod says, else what the image says. kInvalidArgument: a number out of
// range, a group without a user.
Result<std::string> UserText(const wire::cri::LinuxContainerSecurityContext& security,
                             const std::string& image_user);

}  // namespace podium::runtime
