#include "api/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

using meta::v1::Status;

class StatusDetail : public ErrorDetail {
 public:
  explicit StatusDetail(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }

 private:
  const Status status_;
};

Status Failure(std::string_view reason, int32_t code, std::string message = "") {
  Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Failure";
  status.reason = reason;
  status.code = code;
  status.message = std::move(message);
  return status;
}

struct ReasonCode {
  std::string_view reason;
  Code code;
};

constexpr ReasonCode kReasons[] = {
    {"Unauthorized", Code::kUnauthenticated},
    {"Forbidden", Code::kPermissionDenied},
    {"NotFound", Code::kNotFound},
    {"AlreadyExists", Code::kAlreadyExists},
    {"Conflict", Code::kConflict},
    {"Gone", Code::kExpired},
    {"Expired", Code::kExpired},
    {"Invalid", Code::kInvalidArgument},
    {"BadRequest", Code::kInvalidArgument},
    {"ServerTimeout", Code::kUnavailable},
    {"StoreReadError", Code::kDataLoss},
    {"Timeout", Code::kDeadlineExceeded},
    {"TooManyRequests", Code::kUnavailable},
    {"MethodNotAllowed", Code::kUnsupported},
    {"NotAcceptable", Code::kUnsupported},
    {"RequestEntityTooLarge", Code::kResourceExhausted},
    {"UnsupportedMediaType", Code::kUnsupported},
    {"InternalError", Code::kInternal},
    {"ServiceUnavailable", Code::kUnavailable},
};

Code CodeOfHttp(int status) {
  switch (status) {
    case 400:
    case 422:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 405:
    case 406:
    case 415:
    case 501:
      return Code::kUnsupported;
    case 409:
      return Code::kConflict;
    case 410:
      return Code::kExpired;
    case 413:
      return Code::kResourceExhausted;
    case 429:
    case 502:
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kDeadlineExceeded;
    default:
      return Code::kInternal;
  }
}

Status About(Status status, const GroupResource& resource, std::string_view name) {
  meta::v1::StatusDetails& details = status.details.ensure();
  details.name = name;
  details.group = resource.group;
  details.kind = resource.resource;
  return status;
}

std::string Named(const GroupResource& resource, std::string_view name) {
  return resource.String() + " " + reflect::GoQuoted(name);
}

Status RetryAfter(Status status, int32_t seconds) {
  if (seconds > 0) status.details.ensure().retryAfterSeconds = seconds;
  return status;
}

Status InternalStatus(std::string_view why) {
  Status status = Failure("InternalError", 500, "Internal error occurred: " + std::string(why));
  status.details.ensure().causes.emplace_back().message = why;
  return status;
}

// Of an error that came without one.
Status StatusOfCode(const Error& error) {
  switch (error.code()) {
    case Code::kInvalidArgument:
      return Failure("BadRequest", 400, error.message());
    case Code::kNotFound:
      return Failure("NotFound", 404, error.message());
    case Code::kAlreadyExists:
      return Failure("AlreadyExists", 409, error.message());
    case Code::kConflict:
      return Failure("Conflict", 409, error.message());
    case Code::kPermissionDenied:
      return Failure("Forbidden", 403, error.message());
    case Code::kUnauthenticated:
      return Failure("Unauthorized", 401, error.message());
    case Code::kResourceExhausted:
      return RetryAfter(Failure("TooManyRequests", 429, error.message()), 1);
    case Code::kUnavailable:
      return RetryAfter(Failure("ServiceUnavailable", 503, error.message()), 1);
    case Code::kDeadlineExceeded:
      return Failure("Timeout", 504, error.message());
    case Code::kUnsupported:
      return Failure("NotImplemented", 501, error.message());
    case Code::kExpired:
      return Failure("Expired", 410, error.message());
    case Code::kCancelled:
    case Code::kDataLoss:
    case Code::kInternal:
      break;
  }
  return InternalStatus(error.message());
}

}  // namespace

std::string GroupResource::String() const {
  std::string text(resource);
  if (!group.empty()) text.append(".").append(group);
  return text;
}

Error StatusError(Status status) {
  const ReasonCode* known = std::ranges::find(kReasons, status.reason, &ReasonCode::reason);
  const Code code = known != std::end(kReasons) ? known->code : CodeOfHttp(status.code);
  std::string message = status.message.empty() ? "unknown" : status.message;
  return Error(code, std::move(message), std::make_shared<StatusDetail>(std::move(status)));
}

const Status* FindStatus(const Error& error) {
  const auto* detail = dynamic_cast<const StatusDetail*>(error.detail());
  return detail != nullptr ? &detail->status() : nullptr;
}

Status StatusOf(const Error& error) {
  const Status* carried = FindStatus(error);
  return carried != nullptr ? *carried : StatusOfCode(error);
}

Status SuccessStatus() {
  Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Success";
  return status;
}

Error NotFoundError(const GroupResource& resource, std::string_view name) {
  return StatusError(
      About(Failure("NotFound", 404, Named(resource, name) + " not found"), resource, name));
}

Error AlreadyExistsError(const GroupResource& resource, std::string_view name) {
  return StatusError(About(Failure("AlreadyExists", 409, Named(resource, name) + " already exists"),
                           resource, name));
}

Error ConflictError(const GroupResource& resource, std::string_view name, std::string_view why) {
  return StatusError(About(Failure("Conflict", 409,
                                   "Operation cannot be fulfilled on " + Named(resource, name) +
                                       ": " + std::string(why)),
                           resource, name));
}

Error ModifiedError(const GroupResource& resource, std::string_view name) {
  return ConflictError(resource, name,
                       "the object has been modified; please apply your changes to the latest "
                       "version and try again");
}

Error PreconditionError(const GroupResource& resource, std::string_view name, std::string_view what,
                        std::string_view wanted, std::string_view stored) {
  return ConflictError(resource, name,
                       fmt::format("Precondition failed: {0} in precondition: {1}, {0} in object "
                                   "meta: {2}",
                                   what, wanted, stored));
}

Error DeletePreconditionError(const GroupResource& resource, std::string_view name,
                              std::string_view what, std::string_view wanted,
                              std::string_view stored) {
  return ConflictError(
      resource, name,
      fmt::format("the {0} in the precondition ({1}) does not match the {0} in record ({2}). The "
                  "object might have been {3}",
                  what, wanted, stored, what == "UID" ? "deleted and then recreated" : "modified"));
}

Error ForbiddenError(const GroupResource& resource, std::string_view name, std::string_view why) {
  std::string message = resource.resource.empty() ? "forbidden"
                        : name.empty()            ? resource.String() + " is forbidden"
                                                  : Named(resource, name) + " is forbidden";
  message.append(": ").append(why);
  return StatusError(About(Failure("Forbidden", 403, std::move(message)), resource, name));
}

Error UnauthorizedError(std::string_view message) {
  return StatusError(
      Failure("Unauthorized", 401, message.empty() ? "not authorized" : std::string(message)));
}

Error BadRequestError(std::string message) {
  return StatusError(Failure("BadRequest", 400, std::move(message)));
}

Error ExpiredError(std::string message) {
  return StatusError(Failure("Expired", 410, std::move(message)));
}

Error GoneError(std::string message) {
  return StatusError(Failure("Gone", 410, std::move(message)));
}

Error MethodNotSupportedError(const GroupResource& resource, std::string_view action) {
  Status status = Failure(
      "MethodNotAllowed", 405,
      std::string(action) + " is not supported on resources of kind \"" + resource.String() + "\"");
  return StatusError(About(std::move(status), resource, ""));
}

Error MethodNotAllowedError() {
  Status status = Failure("MethodNotAllowed", 405,
                          "the server does not allow this method on the requested resource");
  status.details.ensure();
  return StatusError(std::move(status));
}

Error NoSuchPathError() {
  Status status = Failure("NotFound", 404, "the server could not find the requested resource");
  status.details.ensure();
  return StatusError(std::move(status));
}

Error TooManyRequestsError(std::string message, int32_t retry_after_seconds) {
  Status status = Failure("TooManyRequests", 429, std::move(message));
  status.details.ensure();
  return StatusError(RetryAfter(std::move(status), retry_after_seconds));
}

Error ServiceUnavailableError(std::string message) {
  return StatusError(Failure("ServiceUnavailable", 503, std::move(message)));
}

Error InternalError(std::string_view why) { return StatusError(InternalStatus(why)); }

Error TimeoutError(std::string message, int32_t retry_after_seconds) {
  return StatusError(
      RetryAfter(Failure("Timeout", 504, "Timeout: " + std::move(message)), retry_after_seconds));
}

Error ServerTimeoutError(const GroupResource& resource, std::string_view operation,
                         int32_t retry_after_seconds) {
  Status status =
      Failure("ServerTimeout", 500,
              "The " + std::string(operation) + " operation against " + resource.String() +
                  " could not be completed at this time, please try again.");
  return StatusError(
      RetryAfter(About(std::move(status), resource, operation), retry_after_seconds));
}

Error NotAcceptableError(const std::vector<std::string>& accepted) {
  return NotAcceptableError("only the following media types are accepted: " + Join(accepted, ", "));
}

Error NotAcceptableError(std::string message) {
  return StatusError(Failure("NotAcceptable", 406, std::move(message)));
}

Error UnsupportedMediaTypeError(const std::vector<std::string>& accepted) {
  return StatusError(
      Failure("UnsupportedMediaType", 415,
              "the body of the request was in an unknown format - accepted media types include: " +
                  Join(accepted, ", ")));
}

Error RequestEntityTooLargeError(std::string message) {
  return StatusError(
      Failure("RequestEntityTooLarge", 413, "Request entity too large: " + std::move(message)));
}

Error InvalidError(std::string_view group, std::string_view kind, std::string_view name,
                   const field::ErrorList& errors) {
  return StatusError(InvalidStatus(group, kind, name, errors));
}

meta::v1::Status InvalidStatus(std::string_view group, std::string_view kind, std::string_view name,
                               const field::ErrorList& errors) {
  meta::v1::Status status = Failure("Invalid", 422);
  status.message = kind;
  if (!group.empty()) status.message.append(".").append(group);
  status.message.append(" ").append(reflect::GoQuoted(name)).append(" is invalid");
  if (!errors.empty()) status.message.append(": ").append(errors.AggregateText());

  meta::v1::StatusDetails& details = status.details.emplace();
  details.name = name;
  details.group = group;
  details.kind = kind;
  for (const field::Error& error : errors) {
    meta::v1::StatusCause& cause = details.causes.emplace_back();
    cause.reason = ErrorTypeReason(error.type);
    cause.message = error.Body();
    cause.field = error.field;
  }
  return status;
}

meta::v1::Status ApplyConflictStatus(const std::vector<reflect::FieldConflict>& conflicts) {
  meta::v1::Status status = Failure("Conflict", 409);
  status.message = reflect::ConflictMessage(conflicts);
  meta::v1::StatusDetails& details = status.details.emplace();
  for (const reflect::FieldConflict& conflict : conflicts) {
    meta::v1::StatusCause& cause = details.causes.emplace_back();
    cause.reason = "FieldManagerConflict";
    cause.message = "conflict with " + conflict.manager;
    cause.field = conflict.field;
  }
  return status;
}

}  // namespace podium::api
