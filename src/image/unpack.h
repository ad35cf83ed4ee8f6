// Turns a layer's tar archive into a folder that overlayfs can use as a lower layer.
//
// The folder depends on the archive alone, not on the layers below: a whiteout becomes a character
// device 0/0, an opaque folder gets overlayfs's xattr. So it is shared by all images that have the
// layer. Owners, modes with set-id bits, times, xattrs (file capabilities, user.*, ACLs), hard
// links, devices, fifos and holes are kept.
//
// Nothing in the archive is trusted (docs: layer_tree.h). Refused with kInvalidArgument: "..",
// names longer than PATH_MAX, whiteouts of "." and "..", hard links to what is not in the layer,
// owners above 2^32-2. Left out: xattrs that mean something to overlayfs or to the host (trusted.*,
// user.overlay.*, security.* but capabilities), and what AUFS kept in its own files (.wh..wh.*).
//
// Device nodes are made as they are written; who mounts the layer mounts it nodev, and only root
// can reach the folder.
//
// Source: OCI image specification 1.1, layer.md; overlayfs,
// Documentation/filesystems/overlayfs.rst.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "image/byte_source.h"

namespace podium::image {

struct UnpackOptions {
  // Without, owners and devices are left out and opaque folders are marked for the mount option
  // userxattr.
  bool privileged = true;
  // An inode and a few system calls each.
  uint64_t max_entries = 10'000'000;
};

struct UnpackStats {
  uint64_t entries = 0;
  uint64_t inodes = 0;
  uint64_t bytes = 0;  // of file data, in blocks of 4 KiB
  // The layer hides everything below it. overlayfs knows no such mark on a layer's root: whoever
  // stacks layers begins with this one.
  bool opaque_root = false;
};

// `tar` is uncompressed; it is read to its end, also behind the end of the archive. `folder` is an
// open, empty folder. After an error what is in it is good for nothing. Nothing is synced to disk.
Result<UnpackStats> UnpackTar(ByteSource& tar, int folder, const UnpackOptions& options = {});

}  // namespace podium::image
