#include "cli/server_errors.h"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "api/status.h"
#include "cli/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using api::meta::v1::Status;

class Verbatim : public ErrorDetail {};

bool IsVerbatim(const Error& error) {
  return dynamic_cast<const Verbatim*>(error.detail()) != nullptr;
}

// kubectl's StandardErrorMessage; empty for what is not the server's.
std::string ServerText(const Error& error) {
  if (IsVerbatim(error)) return error.message();
  const Status* status = api::FindStatus(error);
  if (!status) return {};
  if (status->reason == "Unauthorized") {
    return "error: You must be logged in to the server (" + status->reason + ")";
  }
  if (status->reason.empty()) return "Error from server: " + status->message;
  return "Error from server (" + status->reason + "): " + status->message;
}

std::string InvalidText(const Status& status) {
  std::string text = "The request is invalid";
  if (!status.details) {
    return status.message.empty() ? text : text + ": " + status.message;
  }
  const auto& details = *status.details;
  if (!details.kind.empty() || !details.name.empty()) {
    text = "The " + details.kind + " " + reflect::GoQuoted(details.name) + " is invalid";
  } else if (!status.message.empty() && details.causes.empty()) {
    text += ": " + status.message;
  }
  std::vector<std::string> causes;
  std::set<std::string> seen;
  for (const auto& cause : details.causes) {
    std::string line = cause.field + ": " + cause.message;
    if (seen.insert(line).second) causes.push_back(std::move(line));
  }
  if (causes.empty()) return text;
  if (causes.size() == 1) return text + ": " + causes[0];
  text += ": ";
  for (const std::string& cause : causes) text += "\n* " + cause;
  return text;
}

std::string Line(std::string text) {
  text = Printable(text, true);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace

Error VerbatimError(Code code, std::string message) {
  return {code, std::move(message), std::make_shared<const Verbatim>()};
}

Error WithPrefix(const Error& error, const std::string& prefix) {
  if (IsVerbatim(error)) return error;
  const Status* status = api::FindStatus(error);
  if (!status) return {error.code(), prefix + error.message(), error.os_errno()};
  Status told = *status;
  told.message = prefix + told.message;
  return api::StatusError(std::move(told));
}

Error Aggregate(std::span<const Error> errors) {
  if (errors.size() == 1) return errors[0];
  std::string text;
  std::set<std::string_view> seen;
  for (const Error& error : errors) {
    if (!seen.insert(error.message()).second) continue;
    text += (text.empty() ? "" : ", ") + error.message();
  }
  return {errors[0].code(), seen.size() == 1 ? text : "[" + text + "]"};
}

std::string ErrorText(const Error& error) {
  const Status* status = api::FindStatus(error);
  if (status && status->reason == "Invalid") return Line(InvalidText(*status));
  if (std::string text = ServerText(error); !text.empty()) return Line(std::move(text));
  return Line(error.message().starts_with("error: ") ? error.message()
                                                     : "error: " + error.message());
}

std::string ErrorText(std::span<const Error> errors) {
  if (errors.size() == 1) return ErrorText(errors[0]);
  std::string out;
  for (const Error& error : errors) {
    const std::string text = ServerText(error);
    out += Line(text.empty() ? error.message() : text);
  }
  return out;
}

Outcome ServerFailure(const Error& error, std::string out) {
  return {kFailed, std::move(out), ErrorText(error)};
}

Outcome ServerFailure(std::span<const Error> errors, std::string out) {
  return {kFailed, std::move(out), ErrorText(errors)};
}

bool IsNotFound(const Error& error) {
  const Status* status = api::FindStatus(error);
  return status ? status->reason == "NotFound" : error.code() == Code::kNotFound;
}

bool IsConflict(const Error& error) {
  const Status* status = api::FindStatus(error);
  return status && status->reason == "Conflict";
}

}  // namespace podium::cli
