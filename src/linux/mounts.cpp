#include "linux/mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <optional>
#include <thread>

#include "base/text.h"
#include "linux/path.h"

namespace podium::kernel {
namespace {

constexpr size_t kMaxMountInfo = size_t{32} << 20;

// As <linux/mount.h> has it since 5.12; Debian 12's glibc declares it under another condition.
struct SetAttribute {
  uint64_t set;
  uint64_t clear;
  uint64_t propagation;
  uint64_t user_namespace;
};

// What the kernel says about the last call on a file system context, without its severity letter.
std::string Complaint(int context) {
  std::string said;
  char text[1024];
  for (int i = 0; i < 16; ++i) {
    const ssize_t count = read(context, text, sizeof text);
    if (count <= 0) break;
    std::string_view line(text, static_cast<size_t>(count));
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (line.size() > 2 && line[1] == ' ') line.remove_prefix(2);
    said += said.empty() ? ": " : "; ";
    said += line;
  }
  return said;
}

Error Refused(int error, int context, const std::string& what) {
  const std::string said = Complaint(context);
  return Error::FromErrno(error, what + said);
}

long Configure(int context, unsigned command, const char* key, const void* value, int aux) {
  return syscall(SYS_fsconfig, context, command, key, value, aux);
}

Result<void> SetString(int context, const std::string& key, const std::string& value) {
  const long result = value.empty()
                          ? Configure(context, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
                          : Configure(context, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
  if (result != 0) return Refused(errno, context, key);
  return {};
}

Result<UniqueFd> OpenContext(const std::string& type) {
  UniqueFd context(static_cast<int>(syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
  if (!context) return Error::FromErrno(errno, type);
  return context;
}

Result<UniqueFd> Create(const UniqueFd& context, const std::string& type, uint64_t attributes) {
  if (Configure(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return Refused(errno, context.get(), type);
  }
  UniqueFd mount(static_cast<int>(
      syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes))));
  if (!mount) return Refused(errno, context.get(), type);
  return mount;
}

// Where InOwnNamespace mounts, seen by its thread only.
constexpr const char* kPlace = "/sys";

std::string NameOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// What an overlay is made of. Copies where something is to be changed about them.
struct Parts {
  std::vector<Mount> copies;
  std::vector<int> layers;  // the lowest first
  int writable = -1;
};

Result<Parts> Prepare(const Overlay& overlay, bool copy) {
  Parts parts{.copies = {}, .layers = {}, .writable = overlay.writable};
  for (const int fd : overlay.layers) {
    if (!copy && overlay.user_namespace < 0) {
      parts.layers.push_back(fd);
      continue;
    }
    TRY(Mount mount, Mount::Clone(fd, false));
    if (overlay.user_namespace >= 0) {
      TRY_VOID(mount.SetAttributes({.user_namespace = overlay.user_namespace}));
    }
    parts.layers.push_back(mount.fd());
    parts.copies.push_back(std::move(mount));
  }
  if (copy && overlay.writable >= 0) {
    TRY(Mount mount, Mount::Clone(overlay.writable, false));
    parts.writable = mount.fd();
    parts.copies.push_back(std::move(mount));
  }
  return parts;
}

// EINVAL before Linux 6.7, which has "lowerdir+".
Result<UniqueFd> ByDescriptors(const Overlay& overlay, const Parts& parts) {
  TRY(const UniqueFd context, OpenContext("overlay"));
  TRY_VOID(SetString(context.get(), "source", "overlay"));
  for (auto layer = parts.layers.rbegin(); layer != parts.layers.rend(); ++layer) {
    TRY_VOID(SetString(context.get(), "lowerdir+", NameOf(*layer)));
  }
  if (parts.writable >= 0) {
    TRY_VOID(SetString(context.get(), "upperdir", NameOf(parts.writable) + "/upper"));
    TRY_VOID(SetString(context.get(), "workdir", NameOf(parts.writable) + "/work"));
    if (overlay.is_volatile) TRY_VOID(SetString(context.get(), "volatile", ""));
  }
  // Whatever the module's parameters say: a redirect or metacopy in an image's layer must not be
  // followed (they are extended attributes that its author chose).
  TRY_VOID(SetString(context.get(), "redirect_dir", "nofollow"));
  TRY_VOID(SetString(context.get(), "metacopy", "off"));
  if (!overlay.context.empty()) TRY_VOID(SetString(context.get(), "context", overlay.context));
  return Create(context, "overlay", 0);
}

// On a thread whose mount namespace is its own.
Result<UniqueFd> InOwnNamespace(const Overlay& overlay, const Parts& parts) {
  if (unshare(CLONE_NEWNS) != 0) return Error::FromErrno(errno, "unshare");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Error::FromErrno(errno, "making mounts private");
  }
  // Overlay takes layers from attached mounts of this namespace only (before Linux 6.15): the
  // copies are put one on top of the other, where they stay reachable by descriptor.
  for (const Mount& copy : parts.copies) {
    const UniqueFd place(open(kPlace, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!place) return Error::FromErrno(errno, kPlace);
    if (syscall(SYS_move_mount, copy.fd(), "", place.get(), "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
      return Error::FromErrno(errno, "attaching a layer");
    }
  }
  std::string options = "lowerdir=";
  for (auto layer = parts.layers.rbegin(); layer != parts.layers.rend(); ++layer) {
    if (layer != parts.layers.rbegin()) options += ':';
    options += NameOf(*layer);
  }
  if (parts.writable >= 0) {
    const std::string writable = NameOf(parts.writable);
    options += ",upperdir=" + writable + "/upper,workdir=" + writable + "/work";
    if (overlay.is_volatile) options += ",volatile";
  }
  options += ",redirect_dir=nofollow,metacopy=off";
  // In quotes, for the commas between categories.
  if (!overlay.context.empty()) options += ",context=\"" + overlay.context + '"';
  if (options.size() >= static_cast<size_t>(getpagesize())) {
    return Error(Code::kResourceExhausted,
                 std::to_string(parts.layers.size()) + " layers are more than this kernel takes");
  }
  if (mount("overlay", kPlace, "overlay", 0, options.c_str()) != 0) {
    return Error::FromErrno(errno, "overlay");
  }
  UniqueFd made(static_cast<int>(
      syscall(SYS_open_tree, AT_FDCWD, kPlace, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!made) return Error::FromErrno(errno, "open_tree");
  return made;
}

Result<UniqueFd> ByThread(const Overlay& overlay, const Parts& parts) {
  std::optional<Result<UniqueFd>> made;
  // Its namespace ends with the thread; the clone lives on.
  std::thread([&] { made.emplace(InOwnNamespace(overlay, parts)); }).join();
  return *std::move(made);
}

}  // namespace

Result<Mount> Mount::Clone(int fd, bool recursive) {
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  UniqueFd made(static_cast<int>(syscall(SYS_open_tree, fd, "", flags)));
  if (!made) return Error::FromErrno(errno, "open_tree");
  return Mount(std::move(made));
}

Result<Mount> Mount::New(const std::string& type, const MountOptions& options,
                         uint64_t attributes) {
  TRY(const UniqueFd context, OpenContext(type));
  for (const auto& [key, value] : options) TRY_VOID(SetString(context.get(), key, value));
  TRY(UniqueFd made, Create(context, type, attributes));
  return Mount(std::move(made));
}

Result<void> Mount::SetAttributes(const MountAttributes& attributes) {
  SetAttribute change{.set = attributes.set,
                      .clear = attributes.clear,
                      .propagation = attributes.propagation,
                      .user_namespace = 0};
  if (attributes.user_namespace >= 0) {
    change.set |= MOUNT_ATTR_IDMAP;
    change.user_namespace = static_cast<uint64_t>(attributes.user_namespace);
  }
  if (syscall(SYS_mount_setattr, fd_.get(), "",
              AT_EMPTY_PATH | (attributes.recursive ? AT_RECURSIVE : 0), &change,
              sizeof change) != 0) {
    return Error::FromErrno(errno, "mount_setattr");
  }
  return {};
}

Result<void> Mount::Attach(int place) {
  if (syscall(SYS_move_mount, fd_.get(), "", place, "",
              MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    return Error::FromErrno(errno, "move_mount");
  }
  return {};
}

Result<Mount> MountOverlay(const Overlay& overlay, OverlayMethod method) {
  if (overlay.layers.empty()) return Error(Code::kInvalidArgument, "an overlay without layers");
  TRY(Parts parts, Prepare(overlay, method == OverlayMethod::kThread));
  // A clone has the labels of its files.
  if (overlay.writable < 0 && parts.layers.size() == 1 && overlay.context.empty()) {
    if (!parts.copies.empty()) return std::move(parts.copies.front());
    return Mount::Clone(parts.layers.front(), false);
  }
  if (method == OverlayMethod::kThread) {
    TRY(UniqueFd made, ByThread(overlay, parts));
    return Mount::Adopt(std::move(made));
  }
  auto made = ByDescriptors(overlay, parts);
  // What an old kernel says to "lowerdir+", or to a layer that is not attached.
  if (!made.ok() && made.error().os_errno() == EINVAL && method == OverlayMethod::kAny) {
    return MountOverlay(overlay, OverlayMethod::kThread);
  }
  if (!made.ok()) return std::move(made).error();
  return Mount::Adopt(*std::move(made));
}

Result<void> Unmount(const std::string& path) {
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
  if (errno == EINVAL || errno == ENOENT) return {};
  return Error::FromErrno(errno, path);
}

std::string PlainMountPath(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i).substr(0, 4).substr(text[i] == '\\' ? 1 : 0);
    const bool escaped = text[i] == '\\' && digits.size() == 3 &&
                         digits.find_first_not_of("01234567") == std::string_view::npos;
    if (escaped) {
      plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + digits[2] - '0');
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

namespace {

// The folder's own path, whatever links lead to it.
Result<std::string> RealPath(int folder) {
  char real[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(folder);
  const ssize_t size = readlink(link.c_str(), real, sizeof real);
  if (size < 0) return Error::FromErrno(errno, link);
  return std::string(real, static_cast<size_t>(size));
}

// Paths below the folder that something is mounted at, the oldest first.
Result<std::vector<std::string>> MountsBelow(const std::string& folder) {
  constexpr size_t kPathField = 4;
  TRY(const std::string table, ReadFile(AT_FDCWD, "/proc/thread-self/mountinfo", kMaxMountInfo));
  std::vector<std::string> below;
  for (const std::string_view line : Split(table, '\n')) {
    const std::vector<std::string_view> fields = Split(line, ' ');
    if (fields.size() <= kPathField) continue;
    const std::string path = PlainMountPath(fields[kPathField]);
    if (path.starts_with(folder + '/')) below.push_back(path.substr(folder.size() + 1));
  }
  return below;
}

}  // namespace

Result<void> UnmountBelow(const std::string& path) {
  const auto folder = OpenPath(path, O_PATH | O_DIRECTORY);
  if (!folder.ok()) {
    if (folder.error().code() == Code::kNotFound) return {};
    return folder.error();
  }
  TRY(const std::string real, RealPath(folder->get()));
  TRY(const std::vector<std::string> below, MountsBelow(real));
  for (auto name = below.rbegin(); name != below.rend(); ++name) {
    TRY(const UniqueFd top, OpenWithoutLinks(folder->get(), *name, O_PATH));
    const std::string itself = "/proc/self/fd/" + std::to_string(top.get());
    // EINVAL: not a mount any more.
    if (umount2(itself.c_str(), MNT_DETACH) != 0 && errno != EINVAL) {
      return Error::FromErrno(errno, "unmounting " + *name);
    }
  }
  return {};
}

}  // namespace podium::kernel
