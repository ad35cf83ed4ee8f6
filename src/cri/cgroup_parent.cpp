#include "cri/cgroup_parent.h"

#include "base/text.h"

namespace podium::cri {
namespace {

constexpr std::string_view kSlice = ".slice";

// "a-b.slice" is in "a.slice".
Result<std::string> SlicePathOf(std::string_view slice) {
  const std::string_view name = slice.substr(0, slice.size() - kSlice.size());
  if (name == "-") return std::string();
  std::string path;
  std::string prefix;
  for (const std::string_view part : Split(name, '-')) {
    if (part.empty()) {
      return Error(Code::kInvalidArgument, "invalid slice name \"" + std::string(slice) + '"');
    }
    prefix += (prefix.empty() ? "" : "-") + std::string(part);
    path += (path.empty() ? "" : "/") + prefix + std::string(kSlice);
  }
  return path;
}

}  // namespace

Result<std::string> CgroupPathOf(std::string_view parent) {
  std::string path;
  if (parent.ends_with(kSlice) && !parent.contains('/')) return SlicePathOf(parent);
  for (const std::string_view segment : Split(parent, '/')) {
    if (segment.empty()) continue;
    if (segment == "." || segment == "..") {
      return Error(Code::kInvalidArgument,
                   "cgroup_parent \"" + std::string(parent) + "\" is no path of a cgroup");
    }
    path += (path.empty() ? "" : "/") + std::string(segment);
  }
  return path;
}

}  // namespace podium::cri
