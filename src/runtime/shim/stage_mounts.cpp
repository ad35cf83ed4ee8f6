// A container's mounts. The root is already attached in the container's mount namespace (before
// Linux 6.15 nothing can be mounted on a detached tree); nothing in it is trusted. Every place is
// found with openat2(RESOLVE_IN_ROOT), held as a descriptor, and used as that descriptor: between
// look and use there is no name that another container could change (CVE-2021-30465,
// CVE-2025-31133, CVE-2026-41579).
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

#include "runtime/shim/stage.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr unsigned kAtRecursive = 0x8000;  // AT_RECURSIVE, of no header for user space here
constexpr unsigned kOntoDescriptor = MOVE_MOUNT_T_EMPTY_PATH;
constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
// A rename elsewhere in the tree makes openat2 give up and say EAGAIN: someone may be doing that
// all the time.
constexpr int kResolveTries = 1000;

// A path without its last component, and that; both NUL-ended.
struct SplitPath {
  char folder[kMaxPath];
  char name[kMaxPath];
};

void Split(std::string_view path, SplitPath* out) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  const std::string_view folder = path.substr(0, slash == 0 ? 1 : slash);
  const std::string_view name = path.substr(slash + 1);
  __builtin_memcpy(out->folder, folder.data(), folder.size());
  out->folder[folder.size()] = '\0';
  __builtin_memcpy(out->name, name.data(), name.size());
  out->name[name.size()] = '\0';
}

FailedStep StepOf(MountKind kind) {
  switch (kind) {
    case MountKind::kDevice:
      return FailedStep::kDevice;
    case MountKind::kSymlink:
      return FailedStep::kLink;
    case MountKind::kFolder:
      return FailedStep::kFolder;
    case MountKind::kMask:
      return FailedStep::kMask;
    case MountKind::kReadOnly:
      return FailedStep::kReadOnly;
    case MountKind::kLabel:
      return FailedStep::kLabel;
    case MountKind::kNew:
    case MountKind::kAttach:
    case MountKind::kPodShm:
      break;
  }
  return FailedStep::kMount;
}

// One step of the plan, with what its helpers need.
struct Step {
  const PlanReader& plan;
  MountContext& context;
  const PlanMount& mount;
  FailedStep failed;
  std::string_view target;

  long Check(long result) const { return Must(result, failed, target); }
  bool Has(uint32_t flag) const { return (mount.flags & flag) != 0; }
};

bool IsFolder(const Step& step, int fd) {
  struct stat status = {};
  step.Check(sys::Fstat(fd, &status));
  return (status.st_mode & sys::kFileType) == sys::kFolder;
}

int OpenFolderOf(const Step& step, SplitPath* path) {
  Split(step.target, path);
  if (step.Has(kMountMakeTarget)) {
    return MakeFolder(step.context.root, path->folder, step.failed);
  }
  return static_cast<int>(
      step.Check(ResolveIn(step.context.root, path->folder, O_PATH | O_DIRECTORY)));
}

void MakeFile(const Step& step) {
  static SplitPath path;
  const int folder = OpenFolderOf(step, &path);
  const long fd =
      sys::Openat(folder, path.name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0755);
  // There already: a link that leads nowhere, or someone was faster. Resolving decides.
  if (fd != -EEXIST) sys::Close(static_cast<int>(step.Check(fd)));
  sys::Close(folder);
}

// A path that did not resolve. Each component is resolved from the root again, so that a folder
// moved out of it meanwhile takes nothing along; only mkdirat works on a descriptor, which was
// inside a moment before.
void MakeMissingFolder(int root, std::string_view path, FailedStep step) {
  static SplitPath split;
  Split(path, &split);
  long parent = ResolveIn(root, split.folder, O_PATH | O_DIRECTORY);
  if (parent >= 0) {
    // Most often only the last one is missing.
    const long made = sys::Mkdirat(static_cast<int>(parent), split.name, 0755);
    if (made != -EEXIST) Must(made, step, path);
    sys::Close(static_cast<int>(parent));
    return;
  }
  static char prefix[kMaxPath];
  size_t at = 0;
  parent = Must(ResolveIn(root, "/", O_PATH | O_DIRECTORY), step, path);
  while (at < path.size()) {
    while (at < path.size() && path[at] == '/') ++at;
    size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    if (end == at) break;
    __builtin_memcpy(prefix, path.data(), end);
    prefix[end] = '\0';
    long fd = ResolveIn(root, prefix, O_PATH | O_DIRECTORY);
    if (fd == -ENOENT) {
      const long made = sys::Mkdirat(static_cast<int>(parent), prefix + at, 0755);
      if (made != -EEXIST) Must(made, step, path);
      fd = ResolveIn(root, prefix, O_PATH | O_DIRECTORY);
    }
    Must(fd, step, path);
    sys::Close(static_cast<int>(parent));
    parent = fd;
    at = end;
  }
  sys::Close(static_cast<int>(parent));
}

// Where a mount goes, as an O_PATH descriptor inside the root and outside of proc.
int OpenTarget(const Step& step, bool folder) {
  const uint64_t no_links = step.Has(kMountNoSymlinks) ? RESOLVE_NO_SYMLINKS : 0;
  long fd = ResolveIn(step.context.root, step.target, O_PATH, no_links);
  if (fd == -ENOENT && step.Has(kMountMakeTarget)) {
    if (folder) {
      MakeMissingFolder(step.context.root, step.target, step.failed);
    } else {
      MakeFile(step);
    }
    fd = ResolveIn(step.context.root, step.target, O_PATH, no_links);
  }
  step.Check(fd);
  struct statfs file_system = {};
  step.Check(sys::Fstatfs(static_cast<int>(fd), &file_system));
  if (file_system.f_type == PROC_SUPER_MAGIC) Fail(step.failed, EPERM, step.target);
  return static_cast<int>(fd);
}

void AttachAt(const Step& step, int mount, int target) {
  step.Check(sys::MoveMount(mount, target, "", kOntoDescriptor));
  sys::Close(target);
}

// Attributes and propagation of a detached mount, or of what is below it too.
void SetAttributes(const Step& step, int mount) {
  const PlanMount& wanted = step.mount;
  if (wanted.attr_set == 0 && wanted.attr_clear == 0 && wanted.propagation == 0) return;
  const mount_attr attributes = {.attr_set = wanted.attr_set,
                                 .attr_clr = wanted.attr_clear,
                                 .propagation = wanted.propagation,
                                 .userns_fd = 0};
  const unsigned recursive = step.Has(kMountRecursive) ? kAtRecursive : 0;
  step.Check(sys::MountSetattr(mount, AT_EMPTY_PATH | recursive, attributes));
}

void Configure(const Step& step, int fs) {
  for (const TextRef ref : step.plan.Texts(step.mount.options)) {
    const std::string_view option = step.plan.Text(ref);
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) {
      step.Check(sys::Fsconfig(fs, FSCONFIG_SET_FLAG, option.data(), nullptr));
      continue;
    }
    char key[64];
    if (equals >= sizeof(key)) Fail(step.failed, EINVAL, step.target);
    __builtin_memcpy(key, option.data(), equals);
    key[equals] = '\0';
    step.Check(sys::Fsconfig(fs, FSCONFIG_SET_STRING, key, option.data() + equals + 1));
  }
  step.Check(sys::Fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr));
}

// The kernel mounts proc for the pid namespace that one is in, and who makes a container of a
// shared one is not.
void MountSharedProc(const Step& step) {
  if (step.mount.options.count != 0) Fail(step.failed, EINVAL, step.target);
  int mount = step.context.pids_proc;
  if (mount < 0) {
    mount = CloneOwn(step.context.own_root, "proc", step.mount.attr_set, step.failed);
  } else {
    const mount_attr attributes = {
        .attr_set = step.mount.attr_set, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    step.Check(sys::MountSetattr(mount, AT_EMPTY_PATH, attributes));
  }
  AttachAt(step, mount, OpenTarget(step, true));
  sys::Close(mount);
}

void MountNew(const Step& step) {
  const std::string_view type = step.plan.Text(step.mount.source);
  if (type == "proc" && step.context.shares_pids) return MountSharedProc(step);
  const int fs = static_cast<int>(step.Check(sys::Fsopen(type.data())));
  // Shown as the device in /proc/mounts; a file system that knows no source says so, and has none.
  sys::Fsconfig(fs, FSCONFIG_SET_STRING, "source", type.data());
  Configure(step, fs);
  const int mount =
      static_cast<int>(step.Check(sys::Fsmount(fs, static_cast<unsigned>(step.mount.attr_set))));
  sys::Close(fs);
  AttachAt(step, mount, OpenTarget(step, true));
  if (type == "devpts") {
    step.context.devpts = mount;
  } else {
    sys::Close(mount);
  }
}

void MountAttach(const Step& step) {
  const int mount = step.context.attached[static_cast<size_t>(step.mount.descriptor)];
  SetAttributes(step, mount);
  AttachAt(step, mount, OpenTarget(step, IsFolder(step, mount)));
}

void MountPodShm(const Step& step) {
  const int mount = CloneOwn(step.context.own_root, "shm", 0, step.failed);
  SetAttributes(step, mount);
  AttachAt(step, mount, OpenTarget(step, true));
  sys::Close(mount);
}

unsigned DeviceNumber(uint32_t major, uint32_t minor) {
  return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

// In a user namespace mknod makes no device, but one of ours can be mounted over a file.
const char* OwnDevice(const PlanMount& mount) {
  struct Known {
    uint32_t major, minor;
    const char* path;
  };
  static constexpr Known kKnown[] = {{1, 3, "dev/null"},    {1, 5, "dev/zero"},
                                     {1, 7, "dev/full"},    {1, 8, "dev/random"},
                                     {1, 9, "dev/urandom"}, {5, 0, "dev/tty"}};
  if ((mount.mode & sys::kFileType) != sys::kCharacterDevice) return nullptr;
  for (const Known& known : kKnown) {
    if (known.major == mount.major && known.minor == mount.minor) return known.path;
  }
  return nullptr;
}

void MakeDevice(const Step& step) {
  if (step.context.user_namespace) {
    const char* own = OwnDevice(step.mount);
    if (own == nullptr) Fail(step.failed, EPERM, step.target);
    MakeFile(step);
    const int mount =
        CloneOwn(step.context.own_root, own, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, step.failed);
    AttachAt(step, mount, OpenTarget(step, false));
    sys::Close(mount);
    return;
  }
  static SplitPath path;
  const int folder = OpenFolderOf(step, &path);
  step.Check(sys::Mknodat(folder, path.name, step.mount.mode,
                          DeviceNumber(step.mount.major, step.mount.minor)));
  step.Check(sys::Fchownat(folder, path.name, step.mount.uid, step.mount.gid, AT_SYMLINK_NOFOLLOW));
  sys::Close(folder);
}

void MakeSymlink(const Step& step) {
  static SplitPath path;
  const int folder = OpenFolderOf(step, &path);
  const long result = sys::Symlinkat(step.plan.Text(step.mount.source).data(), folder, path.name);
  if (result != -EEXIST) step.Check(result);
  sys::Close(folder);
}

void MakeOwnedFolder(const Step& step) {
  static SplitPath path;
  const int folder = OpenFolderOf(step, &path);
  const long result = sys::Mkdirat(folder, path.name, step.mount.mode & 07777);
  if (result != -EEXIST) {
    step.Check(result);
    step.Check(
        sys::Fchownat(folder, path.name, step.mount.uid, step.mount.gid, AT_SYMLINK_NOFOLLOW));
  }
  sys::Close(folder);
}

// The target of a mask or a read-only path, or -1 if there is none: kernels differ in what they
// have below /proc and /sys.
int OpenExisting(const Step& step) {
  const long fd = ResolveIn(step.context.root, step.target, O_PATH);
  if (fd == -ENOENT || fd == -ENOTDIR) return -1;
  step.Check(fd);
  if (step.mount.file_system != 0) {
    struct statfs file_system = {};
    step.Check(sys::Fstatfs(static_cast<int>(fd), &file_system));
    if (static_cast<uint32_t>(file_system.f_type) != step.mount.file_system) {
      Fail(step.failed, EPERM, step.target);
    }
  }
  return static_cast<int>(fd);
}

void Mask(const Step& step) {
  const int target = OpenExisting(step);
  if (target < 0) return;
  constexpr uint64_t kHidden = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  const bool folder = IsFolder(step, target);
  const int mount =
      folder ? CloneOwn(step.context.own_root, "empty", kHidden | MOUNT_ATTR_NODEV, step.failed)
             : CloneOwn(step.context.own_root, "dev/null", kHidden, step.failed);
  AttachAt(step, mount, target);
  sys::Close(mount);
}

// Whether an earlier step has mounted a new file system just there: whoever is to be kept from
// writing to it has not run yet, so that nobody has changed what is in this place.
bool IsOwnMount(const Step& step) {
  for (const PlanMount& other : step.plan.Mounts()) {
    if (&other == &step.mount) return false;
    if (other.kind == MountKind::kNew && step.plan.Text(other.target) == step.target) return true;
  }
  return false;
}

void MakeReadOnly(const Step& step) {
  const int target = OpenExisting(step);
  if (target < 0) return;
  if (IsOwnMount(step)) {
    const mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    step.Check(sys::MountSetattr(target, AT_EMPTY_PATH | kAtRecursive, attributes));
    sys::Close(target);
    return;
  }
  const int mount = static_cast<int>(
      step.Check(sys::OpenTree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | kAtRecursive)));
  const mount_attr read_only = {
      .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  step.Check(sys::MountSetattr(mount, AT_EMPTY_PATH | kAtRecursive, read_only));
  AttachAt(step, mount, target);
  sys::Close(mount);
}

void LabelFolder(const Step& step) {
  const int fd = static_cast<int>(step.Check(
      ResolveIn(step.context.root, step.target, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS)));
  struct statfs file_system = {};
  step.Check(sys::Fstatfs(fd, &file_system));
  if (static_cast<uint32_t>(file_system.f_type) != step.mount.file_system) {
    Fail(step.failed, EPERM, step.target);
  }
  const std::string_view label = step.plan.Text(step.mount.source);
  step.Check(sys::Fsetxattr(fd, kSelinuxAttribute, label.data(), label.size() + 1));
  sys::Close(fd);
}

void CarryOut(const Step& step) {
  switch (step.mount.kind) {
    case MountKind::kNew:
      return MountNew(step);
    case MountKind::kAttach:
      return MountAttach(step);
    case MountKind::kPodShm:
      return MountPodShm(step);
    case MountKind::kDevice:
      return MakeDevice(step);
    case MountKind::kSymlink:
      return MakeSymlink(step);
    case MountKind::kFolder:
      return MakeOwnedFolder(step);
    case MountKind::kMask:
      return Mask(step);
    case MountKind::kReadOnly:
      return MakeReadOnly(step);
    case MountKind::kLabel:
      return LabelFolder(step);
  }
}

}  // namespace

long ResolveIn(int root, std::string_view path, int flags, uint64_t resolve) {
  const open_how how = {
      .flags = static_cast<uint64_t>(flags) | O_CLOEXEC, .mode = 0, .resolve = kInRoot | resolve};
  long fd = -EAGAIN;
  for (int i = 0; i < kResolveTries && (fd == -EAGAIN || fd == -EINTR); ++i) {
    fd = sys::Openat2(root, path.data(), how);
  }
  return fd;
}

int MakeFolder(int root, std::string_view path, FailedStep step) {
  long fd = ResolveIn(root, path, O_PATH | O_DIRECTORY);
  if (fd == -ENOENT) {
    MakeMissingFolder(root, path, step);
    fd = ResolveIn(root, path, O_PATH | O_DIRECTORY);
  }
  return static_cast<int>(Must(fd, step, path));
}

int CloneOwn(int own_root, const char* path, uint64_t attributes, FailedStep step) {
  const long mount = Must(sys::OpenTree(own_root, path, OPEN_TREE_CLONE), step, path);
  if (attributes != 0) {
    const mount_attr wanted = {
        .attr_set = attributes, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    Must(sys::MountSetattr(static_cast<int>(mount), AT_EMPTY_PATH, wanted), step, path);
  }
  return static_cast<int>(mount);
}

void CarryOutMounts(const PlanReader& plan, MountContext* context) {
  for (const PlanMount& mount : plan.Mounts()) {
    CarryOut({.plan = plan,
              .context = *context,
              .mount = mount,
              .failed = StepOf(mount.kind),
              .target = plan.Text(mount.target)});
  }
}

}  // namespace podium::runtime::shim
