#include "image/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "image/layer_tree.h"
#include "image/tar_reader.h"

namespace podium::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kAufs = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr uint64_t kMaxId = 0xFFFFFFFE;  // -1 means "as it is" to chown
constexpr uint64_t kBlockSize = 4096;
constexpr uint32_t kMaxMajor = (1u << 12) - 1;
constexpr uint32_t kMaxMinor = (1u << 20) - 1;

Error Failed(std::string_view what) { return Error::FromErrno(errno, what); }
Error Refused(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Long names are cut, and bytes that a terminal might obey do not get into messages.
std::string Shown(std::string_view path) {
  constexpr size_t kMaxShown = 200;
  std::string text;
  for (const char c : path.substr(0, kMaxShown)) {
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7F;
    text += control ? '?' : c;
  }
  return path.size() > kMaxShown ? text + "…" : text;
}

// "/usr//./bin/" is "usr/bin"; the layer's root is the empty path.
Result<std::string> Normalize(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return Refused("its name has \"..\" in it");
    if (!out.empty()) out += '/';
    out += part;
  }
  // With the NUL behind it.
  if (out.size() >= kMaxTarName) return Refused("its name has more than 4095 bytes");
  return out;
}

// Whether a part of the path begins like this.
bool HasPart(std::string_view path, std::string_view start) {
  for (size_t at = 0; at != std::string_view::npos;) {
    if (path.substr(at).starts_with(start)) return true;
    at = path.find('/', at);
    if (at != std::string_view::npos) ++at;
  }
  return false;
}

bool KeepsXattr(std::string_view name, TarEntry::Type type) {
  if (name == "security.capability") return type == TarEntry::Type::kFile;
  if (name == "system.posix_acl_access") return type != TarEntry::Type::kSymlink;
  if (name == "system.posix_acl_default") return type == TarEntry::Type::kDirectory;
  // The kernel keeps them for files and folders only.
  return name.starts_with("user.") && !name.starts_with("user.overlay.") &&
         (type == TarEntry::Type::kFile || type == TarEntry::Type::kDirectory);
}

class Unpacker {
 public:
  Unpacker(ByteSource& source, int root, const UnpackOptions& options)
      : tar_(source), root_(root), options_(options), tree_(root, options.privileged) {}

  Result<UnpackStats> Run() {
    TarEntry entry;
    while (true) {
      TRY(const bool more, tar_.Next(&entry));
      if (!more) break;
      if (++stats_.entries > options_.max_entries) {
        return Error(
            Code::kResourceExhausted,
            "the layer has more than " + std::to_string(options_.max_entries) + " entries");
      }
      auto applied = Apply(entry);
      if (!applied.ok()) {
        return std::move(applied).error().WithContext("entry \"" + Shown(entry.path) + '"');
      }
    }
    TRY_VOID(tree_.Leave());
    return stats_;
  }

 private:
  Result<void> Apply(const TarEntry& entry) {
    TRY(const std::string path, Normalize(entry.path));
    if (entry.uid > kMaxId || entry.gid > kMaxId) return Refused("its owner is out of range");
    if (path.empty()) return ApplyRoot(entry);
    const size_t slash = path.rfind('/');
    const bool nested = slash != std::string::npos;
    const std::string_view parent = std::string_view(path).substr(0, nested ? slash : 0);
    const std::string name = nested ? path.substr(slash + 1) : path;
    if (HasPart(parent, kWhiteout)) {
      if (HasPart(parent, kAufs)) return {};
      return Refused("it lies in a whiteout");
    }
    if (name.starts_with(kAufs) && name != kOpaque) return {};
    TRY_VOID(tree_.Enter(parent));
    if (name.starts_with(kWhiteout)) return Hide(name);
    switch (entry.type) {
      case TarEntry::Type::kFile:
        return MakeFile(entry, name);
      case TarEntry::Type::kDirectory:
        return MakeFolder(entry, name);
      case TarEntry::Type::kSymlink:
        return MakeSymlink(entry, name);
      case TarEntry::Type::kHardLink:
        return MakeHardLink(entry, name);
      case TarEntry::Type::kCharacterDevice:
      case TarEntry::Type::kBlockDevice:
      case TarEntry::Type::kFifo:
        return MakeNode(entry, name);
    }
    return {};
  }

  Result<void> ApplyRoot(const TarEntry& entry) {
    if (entry.type != TarEntry::Type::kDirectory) return Refused("it has no name");
    TRY_VOID(tree_.Leave());
    return SetMetadata(root_, entry);
  }

  // Of the same name in this layer, the whiteout hides nothing: it is about the layers below.
  Result<void> Hide(const std::string& whiteout) {
    if (whiteout == kOpaque) {
      if (tree_.at_root()) stats_.opaque_root = true;
      return tree_.MakeOpaque(tree_.folder());
    }
    const std::string name = whiteout.substr(kWhiteout.size());
    if (name.empty() || name == "." || name == "..") return Refused("it hides no name");
    TRY(const LayerTree::Found found, tree_.Look(name));
    if (found == LayerTree::Found::kNothing) {
      ++stats_.inodes;
      return tree_.MakeWhiteout(name);
    }
    if (found != LayerTree::Found::kFolder) return {};
    TRY(const UniqueFd folder, OpenFolder(name));
    return tree_.MakeOpaque(folder.get());
  }

  Result<UniqueFd> OpenFolder(const std::string& name) const {
    UniqueFd folder(
        openat(tree_.folder(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return Failed("opening it");
    return folder;
  }

  // Creates by `make`, which fails with EEXIST when something has the name; that is removed then.
  template <class Make>
  Result<void> Create(const std::string& name, Make make) {
    if (make() != 0) {
      if (errno != EEXIST) return Failed("making it");
      TRY_VOID(tree_.Vacate(name, false));
      if (make() != 0) return Failed("making it");
    }
    ++stats_.inodes;
    return {};
  }

  Result<void> MakeFile(const TarEntry& entry, const std::string& name) {
    UniqueFd file;
    TRY_VOID(Create(name, [&] {
      file.reset(openat(tree_.folder(), name.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      return file ? 0 : -1;
    }));
    uint64_t written = 0;
    uint64_t end = 0;
    TarPiece piece;
    while (true) {
      TRY(const bool more, tar_.NextPiece(&piece));
      if (!more) break;
      TRY_VOID(Write(file.get(), piece));
      written += piece.bytes.size();
      end = piece.offset + piece.bytes.size();
    }
    if (end < entry.size && ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0) {
      return Failed("making it " + std::to_string(entry.size) + " bytes long");
    }
    stats_.bytes += (written + kBlockSize - 1) / kBlockSize * kBlockSize;
    return SetMetadata(file.get(), entry);
  }

  static Result<void> Write(int file, TarPiece piece) {
    while (!piece.bytes.empty()) {
      const ssize_t count =
          pwrite(file, piece.bytes.data(), piece.bytes.size(), static_cast<off_t>(piece.offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed("writing it");
      piece.bytes.remove_prefix(static_cast<size_t>(count));
      piece.offset += static_cast<uint64_t>(count);
    }
    return {};
  }

  Result<void> MakeFolder(const TarEntry& entry, const std::string& name) {
    TRY(const LayerTree::Found found, MakeOrKeepFolder(name));
    TRY(const UniqueFd folder, OpenFolder(name));
    if (found == LayerTree::Found::kWhiteout) TRY_VOID(tree_.MakeOpaque(folder.get()));
    return SetMetadata(folder.get(), entry);
  }

  Result<LayerTree::Found> MakeOrKeepFolder(const std::string& name) {
    auto found = LayerTree::Found::kNothing;
    if (mkdirat(tree_.folder(), name.c_str(), 0700) != 0) {
      if (errno != EEXIST) return Failed("making it");
      TRY(found, tree_.Vacate(name, true));
      if (found == LayerTree::Found::kFolder) return found;
      if (mkdirat(tree_.folder(), name.c_str(), 0700) != 0) return Failed("making it");
    }
    ++stats_.inodes;
    return found;
  }

  Result<void> MakeSymlink(const TarEntry& entry, const std::string& name) {
    TRY_VOID(
        Create(name, [&] { return symlinkat(entry.link.c_str(), tree_.folder(), name.c_str()); }));
    return SetNamedMetadata(entry, name);
  }

  Result<void> MakeHardLink(const TarEntry& entry, const std::string& name) {
    auto target = Normalize(entry.link);
    if (!target.ok()) return Refused("it is a link to \"" + Shown(entry.link) + "\", outside");
    auto place = tree_.Locate(*target);
    if (target->empty() || !place.ok()) return NoTarget(entry);
    auto link = [&] {
      return linkat(place->folder.get(), place->name.c_str(), tree_.folder(), name.c_str(), 0);
    };
    if (link() == 0) return {};
    if (errno == EEXIST) {
      struct stat from{};
      struct stat to{};
      if (fstatat(place->folder.get(), place->name.c_str(), &from, AT_SYMLINK_NOFOLLOW) != 0) {
        return NoTarget(entry);
      }
      if (fstatat(tree_.folder(), name.c_str(), &to, AT_SYMLINK_NOFOLLOW) != 0) {
        return Failed("making it");
      }
      // A link to itself, or once more the same.
      if (from.st_ino == to.st_ino) return {};
      TRY_VOID(tree_.Vacate(name, false));
      if (link() == 0) return {};
    }
    if (errno == ENOENT) return NoTarget(entry);
    if (errno == EPERM) return Refused("it is a hard link to a folder");
    return Failed("making a hard link to " + Shown(entry.link));
  }

  static Error NoTarget(const TarEntry& entry) {
    return Refused("it is a hard link to \"" + Shown(entry.link) + "\", which is not in the layer");
  }

  Result<void> MakeNode(const TarEntry& entry, const std::string& name) {
    mode_t type = S_IFIFO;
    dev_t device = 0;
    if (entry.type != TarEntry::Type::kFifo) {
      if (entry.device_major > kMaxMajor || entry.device_minor > kMaxMinor) {
        return Refused("its device number is out of range");
      }
      type = entry.type == TarEntry::Type::kBlockDevice ? S_IFBLK : S_IFCHR;
      device = makedev(entry.device_major, entry.device_minor);
      if (!options_.privileged && (type == S_IFBLK || device != 0)) return {};
    }
    TRY_VOID(
        Create(name, [&] { return mknodat(tree_.folder(), name.c_str(), type | 0600, device); }));
    return SetNamedMetadata(entry, name);
  }

  // Of what has no descriptor of its own.
  Result<void> SetNamedMetadata(const TarEntry& entry, const std::string& name) const {
    const int folder = tree_.folder();
    if (options_.privileged && fchownat(folder, name.c_str(), static_cast<uid_t>(entry.uid),
                                        static_cast<gid_t>(entry.gid), AT_SYMLINK_NOFOLLOW) != 0) {
      return Failed("setting its owner");
    }
    // It was made a moment ago and is no link, unless it is one, which has no mode.
    if (entry.type != TarEntry::Type::kSymlink &&
        fchmodat(folder, name.c_str(), entry.mode, 0) != 0) {
      return Failed("setting its mode");
    }
    const timespec times[2] = {entry.mtime, entry.mtime};
    if (utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return Failed("setting its time");
    }
    return {};
  }

  // In this order: another owner takes away set-id bits and capabilities.
  Result<void> SetMetadata(int fd, const TarEntry& entry) const {
    if (options_.privileged &&
        fchown(fd, static_cast<uid_t>(entry.uid), static_cast<gid_t>(entry.gid)) != 0) {
      return Failed("setting its owner");
    }
    for (const auto& [name, value] : entry.xattrs) {
      if (KeepsXattr(name, entry.type)) TRY_VOID(SetXattr(fd, name, value));
    }
    // So that a folder without write permission can be filled.
    const uint32_t mode = options_.privileged ? entry.mode : entry.mode | 0700;
    if (fchmod(fd, mode) != 0) return Failed("setting its mode");
    const timespec times[2] = {entry.mtime, entry.mtime};
    if (futimens(fd, times) != 0) return Failed("setting its time");
    return {};
  }

  Result<void> SetXattr(int fd, const std::string& name, const std::string& value) const {
    if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) return {};
    // File systems without them are used nevertheless; a program that lost its capabilities would
    // fail in ways that nobody understands.
    const bool needed = name == "security.capability";
    if (errno == EOPNOTSUPP && !needed) return {};
    if (errno == EPERM && !options_.privileged) return {};
    return Failed("setting xattr " + Shown(name) + " of " + std::to_string(value.size()) +
                  " bytes");
  }

  TarReader tar_;
  const int root_;
  const UnpackOptions& options_;
  LayerTree tree_;
  UnpackStats stats_;
};

}  // namespace

Result<UnpackStats> UnpackTar(ByteSource& tar, int folder, const UnpackOptions& options) {
  Unpacker unpacker(tar, folder, options);
  TRY(const UnpackStats stats, unpacker.Run());
  TRY_VOID(Drain(tar));
  return stats;
}

}  // namespace podium::image
