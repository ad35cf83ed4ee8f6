#include "client/status_error.h"

#include <algorithm>
#include <string>

#include "api/status.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

using api::meta::v1::Status;

// The reason that client-go gives it.
std::string_view GenericReason(int status) {
  switch (status) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 406:
      return "NotAcceptable";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "RequestEntityTooLarge";
    case 415:
      return "UnsupportedMediaType";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return status >= 500 ? "InternalError" : "";
  }
}

// What client-go says of an answer without a Status.
std::string GenericMessage(int status, std::string_view body) {
  switch (status) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 403:
      return "the server does not allow access to the requested resource";
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 409:
      return "the server reported a conflict";
    case 410:
      return "the requested resource is no longer available at the server";
    case 422:
      return "the server rejected our request due to an error in our request";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    case 503:
      return "the server is currently unable to handle the request";
    case 504:
      return "the server was unable to return a response in the time allotted, but may still be "
             "processing the request";
    default:
      break;
  }
  // One line of it, and no control bytes: it goes to a terminal.
  std::string shown(body.substr(0, std::min<size_t>(body.find('\n'), 200)));
  std::erase_if(shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (status >= 500) {
    return "an error on the server (\"" + shown + "\") has prevented the request from succeeding";
  }
  return "the server responded with the status code " + std::to_string(status) +
         " but did not return more information";
}

}  // namespace

Error ErrorOfAnswer(int http_status, std::string_view body, std::string_view what) {
  auto status = reflect::FromJson<Status>(body, {.strict = false});
  if (status.ok() && status->kind == "Status" && !status->status.empty()) {
    if (status->code == 0) status->code = http_status;
    return api::StatusError(*std::move(status));
  }
  Status generic;
  generic.status = "Failure";
  generic.code = http_status;
  generic.reason = GenericReason(http_status);
  generic.message = GenericMessage(http_status, body) + " (" + std::string(what) + ")";
  return api::StatusError(std::move(generic));
}

}  // namespace podium::client
