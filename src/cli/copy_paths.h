// What the arguments of cp mean, and paths as cp reckons with them: by their text alone, as Go's
// package path does (upstream's k8s.io/kubectl/pkg/cmd/cp, filespec.go).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/result.h"

namespace podium::cli {

// "FILE", "POD:FILE" or "NAMESPACE/POD:FILE". A slash at the end of the file is gone.
struct CopyPlace {
  std::string namespace_;  // "" where the argument names none
  std::string pod;         // "" of a local file
  std::string file;
};

// kInvalidArgument where it is none of the three.
Result<CopyPlace> ParseCopyPlace(std::string_view text);

// Without ".", empty parts and what ".." takes back; ".." stays where it leads out of a path that
// is not absolute. "." for "".
std::string CleanPath(std::string_view path);
// Cleaned; a slash between the two where both say something.
std::string JoinPaths(std::string_view path, std::string_view below);
// What stands before the last slash, cleaned, and behind it.
std::string FolderOf(std::string_view path);
std::string BaseOf(std::string_view path);

// How names begin in an archive that tar makes of this file of a container: tar leaves out slashes
// and ".." at the beginning.
std::string ArchivePrefix(std::string_view file);

// "open PATH: is a directory": an errno in the words of Go's os package, as kubectl tells them.
Error PathError(std::string_view call, std::string_view path, int error);

// Where a member of the archive belongs, below the destination: "" for the destination itself.
// Nothing where its name leads out of it (CVE-2018-1002100, CVE-2019-11249). `rest` is the name
// behind the prefix.
std::optional<std::string> PathBelow(std::string_view rest);

}  // namespace podium::cli
