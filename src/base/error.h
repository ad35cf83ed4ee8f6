// Error: what a failed operation says. Neutral codes, no Kubernetes words: api/ has the one table
// that turns a code into upstream's reason and HTTP status.
//
// A layer that has something to add calls WithContext once ("reading /etc/x: permission denied");
// functions that return an Error never log it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace podium {

enum class Code {
  kInvalidArgument,    // the caller's input is wrong, and stays wrong
  kNotFound,           // what was named does not exist
  kAlreadyExists,      // what was to be made exists
  kConflict,           // a compare-and-swap found another revision
  kPermissionDenied,   // known caller, not allowed
  kUnauthenticated,    // unknown caller
  kResourceExhausted,  // a limit was reached: size, depth, count, disk
  kUnavailable,        // try again later
  kDeadlineExceeded,   // the time given ran out
  kCancelled,          // the caller gave up
  kExpired,            // the revision asked for is compacted away
  kUnsupported,        // not offered by this build, kernel or peer
  kDataLoss,           // stored bytes are damaged
  kInternal,           // anything else; a bug until shown otherwise
};

// What a room says of an error beyond code and message, for those who know the room: api's is the
// Status that a server answers. Immutable, shared by the copies of an error.
class ErrorDetail {
 public:
  ErrorDetail() = default;
  ErrorDetail(const ErrorDetail&) = delete;
  ErrorDetail& operator=(const ErrorDetail&) = delete;
  virtual ~ErrorDetail() = default;
};

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message, int os_errno = 0)
      : code_(code), os_errno_(os_errno), message_(std::move(message)) {}
  Error(Code code, std::string message, std::shared_ptr<const ErrorDetail> detail)
      : code_(code), message_(std::move(message)), detail_(std::move(detail)) {}

  // The error of a failed system call: code chosen from errno, message "<what>: <strerror>".
  static Error FromErrno(int os_errno, std::string_view what);

  Code code() const { return code_; }
  // errno of the system call behind it, or 0.
  int os_errno() const { return os_errno_; }
  const std::string& message() const { return message_; }
  // Null when there is none.
  const ErrorDetail* detail() const { return detail_.get(); }

  // The same error with "<context>: " before its message. A detail goes: it is not about this any
  // more.
  Error WithContext(std::string_view context) &&;

 private:
  Code code_;
  int os_errno_ = 0;
  std::string message_;
  std::shared_ptr<const ErrorDetail> detail_;
};

}  // namespace podium
