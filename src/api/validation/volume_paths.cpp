#include "api/validation/volume_paths.h"

#include <algorithm>

#include "base/text.h"

namespace podium::api {

field::ErrorList ValidatePathNoBacksteps(std::string_view target, const field::Path& path) {
  field::ErrorList errors;
  // Once, however many there are.
  if (std::ranges::count(Split(target, '/'), "..") > 0) {
    errors.Add(field::Invalid(path, target, "must not contain '..'"));
  }
  return errors;
}

field::ErrorList ValidateLocalDescendingPath(std::string_view target, const field::Path& path) {
  field::ErrorList errors;
  if (target.starts_with('/')) {
    errors.Add(field::Invalid(path, target, "must be a relative path"));
  }
  errors.Append(ValidatePathNoBacksteps(target, path));
  return errors;
}

field::ErrorList ValidateLocalNonReservedPath(std::string_view target, const field::Path& path) {
  field::ErrorList errors = ValidateLocalDescendingPath(target, path);
  // "../x" has its error already; ".." alone gets both, as upstream.
  if (target.starts_with("..") && !target.starts_with("../")) {
    errors.Add(field::Invalid(path, target, "must not start with '..'"));
  }
  return errors;
}

}  // namespace podium::api
