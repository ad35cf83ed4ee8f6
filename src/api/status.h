// Errors as the API answers them: metav1.Status, with upstream's reasons, codes and words
// (k8s.io/apimachinery/pkg/api/errors). Inside the program they travel as podium::Error: each
// function here returns one that carries its Status, so that TRY works as everywhere and the answer
// is exact; StatusOf finds it again, and makes one of an error that has none.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/types/meta_v1.h"
#include "base/error.h"
#include "reflect/apply/field_manager.h"

namespace podium::api {

// A resource as messages name it: "pods", "deployments.apps".
struct GroupResource {
  std::string_view group;  // "" for core
  std::string_view resource;

  std::string String() const;
};

// The error of this Status: its message, and a code by its reason, or by its HTTP status where the
// reason is none of upstream's.
Error StatusError(meta::v1::Status status);

// The Status that an error carries, or one by its code and message. Errors that are the server's
// own fault are InternalError with upstream's `Internal error occurred: `.
meta::v1::Status StatusOf(const Error& error);
// The one it carries, or null. Lives as long as the error.
const meta::v1::Status* FindStatus(const Error& error);

// {"kind":"Status","apiVersion":"v1","status":"Success"} and nothing more.
meta::v1::Status SuccessStatus();

// `pods "web" not found`, 404.
Error NotFoundError(const GroupResource& resource, std::string_view name);
// `pods "web" already exists`, 409.
Error AlreadyExistsError(const GroupResource& resource, std::string_view name);
// `Operation cannot be fulfilled on pods "web": <why>`, 409 Conflict.
Error ConflictError(const GroupResource& resource, std::string_view name, std::string_view why);
// What an optimistic update lost against: ConflictError with upstream's sentence.
Error ModifiedError(const GroupResource& resource, std::string_view name);
// What a write was only to be done to has another `what`, "UID" or "ResourceVersion": ConflictError
// with upstream's sentence; that of deletions is another one.
Error PreconditionError(const GroupResource& resource, std::string_view name, std::string_view what,
                        std::string_view wanted, std::string_view stored);
Error DeletePreconditionError(const GroupResource& resource, std::string_view name,
                              std::string_view what, std::string_view wanted,
                              std::string_view stored);
// `pods "web" is forbidden: <why>`, 403; without a name `pods is forbidden: <why>`, and without a
// resource `forbidden: <why>`.
Error ForbiddenError(const GroupResource& resource, std::string_view name, std::string_view why);
// 401.
Error UnauthorizedError(std::string_view message);
// 400.
Error BadRequestError(std::string message);
// 410, reason Expired: a resourceVersion or a continue token that is too old.
Error ExpiredError(std::string message);
// 410, reason Gone.
Error GoneError(std::string message);
// `create is not supported on resources of kind "pods"`, 405.
Error MethodNotSupportedError(const GroupResource& resource, std::string_view action);
// `the server does not allow this method on the requested resource`, 405, as upstream's router.
Error MethodNotAllowedError();
// `the server could not find the requested resource`, 404, as of paths that lead nowhere.
Error NoSuchPathError();
// 429 with details.retryAfterSeconds.
Error TooManyRequestsError(std::string message, int32_t retry_after_seconds);
// 503.
Error ServiceUnavailableError(std::string message);
// `Internal error occurred: <why>`, 500.
Error InternalError(std::string_view why);
// 504, reason Timeout.
Error TimeoutError(std::string message, int32_t retry_after_seconds);
// `The list operation against pods could not be completed at this time, please try again.`, 500.
Error ServerTimeoutError(const GroupResource& resource, std::string_view operation,
                         int32_t retry_after_seconds);
// `only the following media types are accepted: <types>`, 406.
Error NotAcceptableError(const std::vector<std::string>& accepted);
// 406 with another message.
Error NotAcceptableError(std::string message);
// `the body of the request was in an unknown format - accepted media types include: <types>`, 415.
Error UnsupportedMediaTypeError(const std::vector<std::string>& accepted);
// `limit is 3145728`, 413.
Error RequestEntityTooLargeError(std::string message);

// An object of this kind that its validation refused: code 422, reason Invalid, a cause for each
// error in order, and a message of all of them, `Deployment.apps "d" is invalid: [...]`. `group` is
// "" for core; errors that read the same count once in the message.
meta::v1::Status InvalidStatus(std::string_view group, std::string_view kind, std::string_view name,
                               const field::ErrorList& errors);
Error InvalidError(std::string_view group, std::string_view kind, std::string_view name,
                   const field::ErrorList& errors);

// A server-side apply that was refused: code 409, reason Conflict, a cause FieldManagerConflict for
// each field in order, and reflect::ConflictMessage. There is at least one.
meta::v1::Status ApplyConflictStatus(const std::vector<reflect::FieldConflict>& conflicts);

}  // namespace podium::api
