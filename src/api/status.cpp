#include "api/status.h"

#include "reflect/go_text.h"

namespace podium::api {
namespace {

meta::v1::Status Failure(std::string_view reason, int32_t code) {
  meta::v1::Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Failure";
  status.reason = reason;
  status.code = code;
  return status;
}

}  // namespace

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
