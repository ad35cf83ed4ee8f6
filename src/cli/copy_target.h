// What a container's tar sends, put into a folder or a file of this machine. The container is not
// trusted (CVE-2018-1002100, CVE-2019-1002101, CVE-2019-11246, CVE-2019-11249, CVE-2019-11251):
// - a name that leads out of the destination is passed over with a warning, and one that does not
//   begin as tar was asked ends the copy;
// - no link is made, ever, so that none can be followed later; a hard link becomes a copy of the
// file
//   of that name below the destination;
// - what is there already is entered by the kernel's own rules (openat2, RESOLVE_BENEATH): a link
// of
//   this machine's that leads out of the destination ends the copy. The destination itself is
//   whoever typed it to name, and may be a link.
// Files get this user's rights and the time of now, as with kubectl.
//
// Source: upstream's k8s.io/kubectl/pkg/cmd/cp, release 1.32.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/tar_reader.h"

namespace podium::cli {

class CopyTarget {
 public:
  // A line for people, without its end; control characters in names are escaped.
  using Warn = std::function<void(const std::string& text)>;

  // `prefix`: of all names (ArchivePrefix). `hint` stands behind the first warning of a link: how
  // links can be had.
  CopyTarget(std::string prefix, std::string destination, std::string hint, Warn warn);

  // To the archive's end. What was copied before an error stays.
  Result<void> Take(image::ByteSource& source);

 private:
  Result<void> TakeMember(image::TarReader& tar, const image::TarEntry& entry);
  Result<void> TakeFile(image::TarReader& tar, const image::TarEntry& entry,
                        const std::string& below);
  Result<void> TakeHardLink(const image::TarEntry& entry, const std::string& below);
  // kInvalidArgument for a name that is none of this archive's; nothing for one that leads out.
  Result<std::optional<std::string>> Below(std::string_view name) const;
  Result<void> MakeFolder(const std::string& below);
  // Empty, to be written to.
  Result<UniqueFd> MakeFile(const std::string& below);
  // The destination, as a folder.
  Result<int> Root();
  std::string PathOf(std::string_view below) const;

  const std::string prefix_;
  const std::string destination_;
  std::string hint_;
  const Warn warn_;
  UniqueFd root_;  // the destination, once something is below it
};

}  // namespace podium::cli
