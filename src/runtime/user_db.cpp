#include "runtime/user_db.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "linux/path.h"

namespace podium::runtime {
namespace {

constexpr size_t kMaxFile = size_t{10} << 20;
constexpr size_t kMaxGroups = 65536;  // the kernel's NGROUPS_MAX

std::optional<uint32_t> ParseId(std::string_view text) {
  uint32_t id = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (problem != std::errc() || end != text.data() + text.size() || id > kMaxUserId) {
    return std::nullopt;
  }
  return id;
}

template <class Visit>
void ForEachEntry(std::string_view text, size_t least_fields, Visit visit) {
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> fields = Split(line, ':');
    if (fields.size() < least_fields || fields[0].empty() || fields[0].front() == '#') continue;
    visit(fields);
  }
}

Result<std::string> ReadDatabase(int root, const std::string& path) {
  // O_NONBLOCK: an image may have a fifo there.
  auto file = kernel::OpenInRoot(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) {
    if (file.error().code() == Code::kNotFound) return std::string();
    return std::move(file).error();
  }
  struct stat status{};
  if (fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, path + " of the image is no regular file");
  }
  return kernel::ReadDescriptor(file->get(), kMaxFile);
}

bool IsMember(std::string_view members, std::string_view name) {
  const std::vector<std::string_view> names = Split(members, ',');
  return std::ranges::find(names, name) != names.end();
}

Error NotFound(const char* what, const std::string& name, const char* file) {
  return {Code::kInvalidArgument, std::string("unable to find ") + what + " " + name +
                                      ": no matching entries in " + file + " file"};
}

Error OutOfRange(const char* what, int64_t number) {
  return {Code::kInvalidArgument,
          std::string(what) + " " + std::to_string(number) + " is out of range"};
}

bool IsInRange(int64_t number) { return number >= 0 && number <= int64_t{kMaxUserId}; }

}  // namespace

Result<UserDatabase> UserDatabase::Read(int root) {
  TRY(const std::string passwd, ReadDatabase(root, "/etc/passwd"));
  TRY(const std::string group, ReadDatabase(root, "/etc/group"));
  return Parse(passwd, group);
}

UserDatabase UserDatabase::Parse(std::string_view passwd, std::string_view group) {
  UserDatabase database;
  // name:password:uid:gid:comment:home:shell; images write short lines as well.
  ForEachEntry(passwd, 4, [&](const std::vector<std::string_view>& fields) {
    const auto uid = ParseId(fields[2]);
    const auto gid = ParseId(fields[3]);
    if (!uid || !gid) return;
    const bool has_home = fields.size() > 5 && fields[5].starts_with('/');
    database.users_.push_back({.name = std::string(fields[0]),
                               .uid = *uid,
                               .gid = *gid,
                               .home = has_home ? std::string(fields[5]) : std::string()});
  });
  // name:password:gid:members
  ForEachEntry(group, 3, [&](const std::vector<std::string_view>& fields) {
    const auto gid = ParseId(fields[2]);
    if (!gid) return;
    database.groups_.push_back(
        {.name = std::string(fields[0]),
         .gid = *gid,
         .members = fields.size() > 3 ? std::string(fields[3]) : std::string()});
  });
  return database;
}

Result<UserIdentity> UserDatabase::Find(const std::string& text) const {
  const std::vector<std::string_view> parts = Split(text, ':');
  const bool has_group = parts.size() == 2;
  if (parts.size() > 2 || (has_group && parts[1].empty()) || (has_group && parts[0].empty())) {
    return Error(Code::kInvalidArgument, "invalid USER value " + text);
  }
  const std::string user(text.empty() ? "0" : parts[0]);
  const auto uid = ParseId(user);
  const auto found = std::ranges::find_if(
      users_, [&](const User& one) { return uid ? one.uid == *uid : one.name == user; });
  if (found == users_.end() && !uid) return NotFound("user", user, "passwd");
  UserIdentity identity{.uid = uid.value_or(0), .gid = 0, .name = {}, .home = {}};
  if (found != users_.end()) {
    identity = {.uid = found->uid, .gid = found->gid, .name = found->name, .home = found->home};
  }
  if (!has_group) return identity;
  const std::string group(parts[1]);
  if (const auto gid = ParseId(group)) {
    identity.gid = *gid;
    return identity;
  }
  const auto named = std::ranges::find(groups_, group, &Group::name);
  if (named == groups_.end()) return NotFound("group", group, "group");
  identity.gid = named->gid;
  return identity;
}

Result<std::vector<uint32_t>> UserDatabase::Groups(const UserIdentity& user,
                                                   wire::cri::SupplementalGroupsPolicy policy,
                                                   std::span<const int64_t> supplemental) const {
  std::vector<uint32_t> all;
  std::set<uint32_t> known;
  const auto add = [&](uint32_t gid) {
    if (known.insert(gid).second) all.push_back(gid);
  };
  add(user.gid);
  if (policy == wire::cri::SupplementalGroupsPolicy::kMerge && !user.name.empty()) {
    for (const Group& group : groups_) {
      if (IsMember(group.members, user.name)) add(group.gid);
    }
  }
  for (const int64_t gid : supplemental) {
    if (!IsInRange(gid)) return OutOfRange("supplemental group", gid);
    add(static_cast<uint32_t>(gid));
  }
  if (all.size() > kMaxGroups) {
    return Error(Code::kInvalidArgument, "more than 65536 supplementary groups");
  }
  return all;
}

Result<std::string> UserText(const wire::cri::LinuxContainerSecurityContext& security,
                             const std::string& image_user) {
  std::string user = security.run_as_username;
  if (user.empty() && security.run_as_user) {
    if (!IsInRange(security.run_as_user->value)) {
      return OutOfRange("user", security.run_as_user->value);
    }
    user = std::to_string(security.run_as_user->value);
  }
  if (!security.run_as_group) return user.empty() ? image_user : user;
  const int64_t group = security.run_as_group->value;
  if (!IsInRange(group)) return OutOfRange("group", group);
  if (user.empty()) {
    return Error(Code::kInvalidArgument,
                 "user group \"" + std::to_string(group) + "\" is specified without user");
  }
  return user + ":" + std::to_string(group);
}

}  // namespace podium::runtime
