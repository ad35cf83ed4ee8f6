#include "cli/copy_paths.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::cli {
namespace {

Error BadPlace() {
  return {Code::kInvalidArgument,
          "filespec must match the canonical format: [[namespace/]pod:]file/path"};
}

std::string WithoutSlashBehind(std::string_view file) {
  if (file != "/" && file.ends_with('/')) file.remove_suffix(1);
  return std::string(file);
}

std::string_view WithoutSlashesBefore(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return path;
}

}  // namespace

Result<CopyPlace> ParseCopyPlace(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0) return BadPlace();
  CopyPlace place;
  if (colon == text.npos) {
    place.file = WithoutSlashBehind(text);
    return place;
  }
  const std::string_view pod = text.substr(0, colon);
  place.file = WithoutSlashBehind(text.substr(colon + 1));
  place.pod = pod;
  const size_t slash = pod.find('/');
  if (slash == pod.npos) return place;
  if (pod.find('/', slash + 1) != pod.npos) return BadPlace();
  place.namespace_ = pod.substr(0, slash);
  place.pod = pod.substr(slash + 1);
  return place;
}

std::string CleanPath(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool up = part == "..";
    if (up && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!up || !absolute) {
      parts.push_back(part);
    }
  }
  std::string clean = (absolute ? "/" : "") + Join(parts, "/");
  return clean.empty() ? "." : clean;
}

std::string JoinPaths(std::string_view path, std::string_view below) {
  if (path.empty()) return below.empty() ? "" : CleanPath(below);
  if (below.empty()) return CleanPath(path);
  return CleanPath(std::string(path) + '/' + std::string(below));
}

std::string FolderOf(std::string_view path) {
  return CleanPath(path.substr(0, path.rfind('/') + 1));
}

std::string BaseOf(std::string_view path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/") return "/";
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string ArchivePrefix(std::string_view file) {
  const std::string clean = CleanPath(WithoutSlashesBefore(file));
  std::string_view prefix = clean;
  while (prefix.starts_with("../")) prefix.remove_prefix(3);
  return prefix == "." || prefix == ".." ? "" : std::string(prefix);
}

Error PathError(std::string_view call, std::string_view path, int error) {
  std::string why = Error::FromErrno(error, "").message().substr(2);
  if (!why.empty()) why[0] = ToLower(why[0]);
  return {Error::FromErrno(error, "").code(),
          std::string(call) + ' ' + std::string(path) + ": " + why, error};
}

std::optional<std::string> PathBelow(std::string_view rest) {
  const std::string clean = CleanPath(WithoutSlashesBefore(rest));
  if (clean == ".." || clean.starts_with("../")) return {};
  return clean == "." ? "" : clean;
}

}  // namespace podium::cli
