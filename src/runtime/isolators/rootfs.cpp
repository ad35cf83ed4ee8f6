// The container's root: the image's layers, which all containers share and nobody writes, and a
// folder of its own on top.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "linux/path.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr mode_t kRootMode = 0755;

// Who owns the root folder as the kernel counts: the pod's root, where it has a user namespace.
uint32_t HostId(const reflect::List<cri::IDMapping>& mappings, uint32_t id) {
  for (const cri::IDMapping& mapping : mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.length) {
      return mapping.host_id + (id - mapping.container_id);
    }
  }
  return id;
}

// "/" has the mode and owner that the topmost layer gives it: the upper folder's are what is seen.
Result<void> MakeUpper(int folder, int top_layer, const cri::UserNamespace* mappings) {
  struct stat status{};
  if (fstat(top_layer, &status) != 0) return Error::FromErrno(errno, "reading a layer");
  uint32_t uid = status.st_uid;
  uint32_t gid = status.st_gid;
  if (mappings != nullptr) {
    uid = HostId(mappings->uids, uid);
    gid = HostId(mappings->gids, gid);
  }
  const mode_t mode = (status.st_mode & 07777) != 0 ? status.st_mode & 07777 : kRootMode;
  for (const char* name : {"upper", "work"}) {
    if (mkdirat(folder, name, kRootMode) != 0 && errno != EEXIST) {
      return Error::FromErrno(errno, name);
    }
  }
  if (fchownat(folder, "upper", uid, gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      fchmodat(folder, "upper", mode, 0) != 0) {
    return Error::FromErrno(errno, "making the writable layer");
  }
  return {};
}

}  // namespace

Result<void> MakePlaces(const std::string& folder) {
  for (const char* name : {"/dev", "/etc", "/proc", "/sys"}) {
    TRY(const UniqueFd made, kernel::MakeFolders(folder + name, kRootMode));
    // Not as the umask has it: an image may have no /etc of its own.
    if (fchmod(made.get(), kRootMode) != 0) return Error::FromErrno(errno, folder + name);
  }
  for (const char* name : {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}) {
    TRY_VOID(kernel::OpenPath(folder + name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
  }
  return {};
}

std::vector<std::string> LayersOf(const std::string& places, const image::ImageInfo& image) {
  std::vector<std::string> layers = {places};
  layers.insert(layers.end(), image.layers.begin(), image.layers.end());
  return layers;
}

Result<void> LabelLayers(const ContainerContext& context, std::span<const std::string> layers) {
  if (context.labels.mount.empty()) return {};
  const std::string& label = context.host.selinux_contexts->layer;
  for (const std::string& path : layers) {
    TRY(const UniqueFd layer, kernel::OpenPath(path, O_PATH | O_DIRECTORY));
    // Once for a layer: its top gets the label last.
    if (HasLabel(layer.get(), label)) continue;
    TRY_VOID(Relabel(layer.get(), path, label));
  }
  return {};
}

Result<kernel::Mount> MountRoot(std::span<const std::string> layers, const std::string& folder,
                                int user_namespace, const cri::UserNamespace* mappings,
                                const std::string& selinux_label) {
  std::vector<UniqueFd> opened;
  kernel::Overlay overlay;
  for (const std::string& path : layers) {
    TRY(UniqueFd layer, kernel::OpenPath(path, O_PATH | O_DIRECTORY));
    overlay.layers.push_back(layer.get());
    opened.push_back(std::move(layer));
  }
  TRY(const UniqueFd writable, kernel::MakeFolders(folder, kRootMode));
  TRY_VOID(MakeUpper(writable.get(), overlay.layers.back(), mappings));
  overlay.writable = writable.get();
  // A container does not live longer than the machine's run, so neither need what it writes: no
  // fsync of its has to reach the disk, and nothing is ever mounted again from the folder.
  overlay.is_volatile = true;
  overlay.user_namespace = user_namespace;
  overlay.context = selinux_label;
  return kernel::MountOverlay(overlay);
}

Result<void> PrepareRootfs(const ContainerContext& context, Draft* draft) {
  if (context.image.layers.empty()) {
    return Error(Code::kInvalidArgument, "image " + context.image.id.String() + " has no layers");
  }
  if (context.root_ahead != nullptr && *context.root_ahead) {
    draft->root = std::move(*context.root_ahead);
  } else {
    const bool mapped = context.user_namespace >= 0;
    const std::vector<std::string> layers = LayersOf(context.places, context.image);
    TRY_VOID(LabelLayers(context, layers));
    TRY(draft->root,
        MountRoot(layers, context.container_folder, context.user_namespace,
                  mapped ? NamespacesOf(context.sandbox).userns_options.get() : nullptr,
                  context.labels.mount));
  }
  if (!context.host.limits_devices && !SecurityOf(context.config).privileged) {
    TRY_VOID(draft->root.SetAttributes({.set = MOUNT_ATTR_NODEV}));
  }
  UniqueFd copy(fcntl(draft->root.fd(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return Error::FromErrno(errno, "fcntl");
  draft->plan.root = draft->Add(std::move(copy));
  return {};
}

}  // namespace podium::runtime
