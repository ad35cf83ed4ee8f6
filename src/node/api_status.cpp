#include "node/api_status.h"

namespace podium::node {
namespace {

Status Failure(int32_t code, std::string_view reason, std::string message) {
  Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Failure";
  status.code = code;
  status.reason = reason;
  status.message = std::move(message);
  return status;
}

Status About(Status status, std::string_view plural, std::string_view name) {
  auto& details = status.details.ensure();
  details.kind = plural;
  details.name = name;
  return status;
}

std::string Named(std::string_view plural, std::string_view name) {
  return std::string(plural) + " \"" + std::string(name) + "\"";
}

}  // namespace

Status NotFoundStatus(std::string_view plural, std::string_view name) {
  return About(Failure(404, "NotFound", Named(plural, name) + " not found"), plural, name);
}

Status AlreadyExistsStatus(std::string_view plural, std::string_view name) {
  return About(Failure(409, "AlreadyExists", Named(plural, name) + " already exists"), plural,
               name);
}

Status ConflictStatus(std::string_view plural, std::string_view name, std::string_view why) {
  return About(
      Failure(409, "Conflict",
              "Operation cannot be fulfilled on " + Named(plural, name) + ": " + std::string(why)),
      plural, name);
}

Status BadRequestStatus(std::string message) {
  return Failure(400, "BadRequest", std::move(message));
}

Status ExpiredStatus(std::string message) { return Failure(410, "Expired", std::move(message)); }

std::optional<Status> KeepMetadata(std::string_view plural, const api::meta::v1::ObjectMeta& stored,
                                   api::meta::v1::ObjectMeta* metadata) {
  if (!metadata->uid.empty() && metadata->uid != stored.uid) {
    return ConflictStatus(plural, stored.name,
                          "Precondition failed: UID in precondition: " + metadata->uid +
                              ", UID in object meta: " + stored.uid);
  }
  if (!metadata->resourceVersion.empty() && metadata->resourceVersion != stored.resourceVersion) {
    return ConflictStatus(plural, stored.name,
                          "the object has been modified; please apply your changes to the latest "
                          "version and try again");
  }
  metadata->uid = stored.uid;
  metadata->resourceVersion = stored.resourceVersion;
  metadata->generation = stored.generation;
  metadata->generateName = stored.generateName;
  metadata->creationTimestamp = stored.creationTimestamp;
  metadata->deletionTimestamp = stored.deletionTimestamp;
  metadata->deletionGracePeriodSeconds = stored.deletionGracePeriodSeconds;
  return std::nullopt;
}

Status StatusOf(const Error& error) {
  switch (error.code()) {
    case Code::kInvalidArgument:
      return BadRequestStatus(error.message());
    case Code::kNotFound:
      return Failure(404, "NotFound", error.message());
    case Code::kAlreadyExists:
      return Failure(409, "AlreadyExists", error.message());
    case Code::kConflict:
      return Failure(409, "Conflict", error.message());
    case Code::kPermissionDenied:
      return Failure(403, "Forbidden", error.message());
    case Code::kUnauthenticated:
      return Failure(401, "Unauthorized", error.message());
    case Code::kResourceExhausted:
      return Failure(429, "TooManyRequests", error.message());
    case Code::kUnavailable:
      return Failure(503, "ServiceUnavailable", error.message());
    case Code::kDeadlineExceeded:
      return Failure(504, "Timeout", error.message());
    case Code::kUnsupported:
      return Failure(501, "NotImplemented", error.message());
    case Code::kExpired:
      return ExpiredStatus(error.message());
    case Code::kCancelled:
    case Code::kDataLoss:
    case Code::kInternal:
      break;
  }
  return Failure(500, "InternalError", error.message());
}

}  // namespace podium::node
