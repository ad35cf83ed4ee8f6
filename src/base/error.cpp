#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace podium {
namespace {

Code CodeOfErrno(int os_errno) {
  switch (os_errno) {
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Code::kInvalidArgument;
    case ENOENT:
    case ESRCH:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
      return Code::kResourceExhausted;
    case EAGAIN:
    case EBUSY:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Code::kUnavailable;
    case ETIMEDOUT:
      return Code::kDeadlineExceeded;
    case ECANCELED:
      return Code::kCancelled;
    case ENOSYS:
    case EOPNOTSUPP:
      return Code::kUnsupported;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Error Error::FromErrno(int os_errno, std::string_view what) {
  char buffer[128];
  // The GNU form of strerror_r: it returns the text, which may or may not be in the buffer.
  std::string message(what);
  message += ": ";
  message += strerror_r(os_errno, buffer, sizeof buffer);
  return Error(CodeOfErrno(os_errno), std::move(message), os_errno);
}

Error Error::WithContext(std::string_view context) && {
  message_.insert(0, ": ");
  message_.insert(0, context);
  detail_.reset();
  return std::move(*this);
}

}  // namespace podium
