#include "api/validation/volume_paths.h"

namespace podium::api {

field::ErrorList ValidatePathNoBacksteps(std::string_view target, const field::Path& path) {
  field::ErrorList errors;
  for (size_t start = 0; start <= target.size();) {
    const size_t end = std::min(target.find('/', start), target.size());
    if (target.substr(start, end - start) == "..") {
      // Once, however many there are.
      errors.Add(field::Invalid(path, target, "must not contain '..'"));
      break;
    }
    start = end + 1;
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
