#include "node/api_answers.h"

#include <thread>
#include <utility>

namespace podium::node {
namespace {

const http::Headers kJson{{"Content-Type", "application/json"}};

std::string_view NameOf(ChangeType type) {
  switch (type) {
    case ChangeType::kAdded:
      return "ADDED";
    case ChangeType::kModified:
      return "MODIFIED";
    case ChangeType::kDeleted:
      break;
  }
  return "DELETED";
}

}  // namespace

void RespondJson(http::Exchange& exchange, int status, std::string_view json) {
  (void)exchange.Respond(status, kJson, json);
}

void RespondStatus(http::Exchange& exchange, const Status& status) {
  auto json = reflect::ToJson(status);
  RespondJson(exchange, status.code, json.ok() ? *json : "{}");
}

Status MethodNotAllowedStatus() {
  Status status =
      BadRequestStatus("the server does not allow this method on the requested resource");
  status.code = 405;
  status.reason = "MethodNotAllowed";
  return status;
}

Status NoSuchPathStatus() {
  Status status = NotFoundStatus("", "");
  status.details.reset();
  status.message = "the server could not find the requested resource";
  return status;
}

Status SuccessStatus() {
  Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Success";
  status.code = 200;
  return status;
}

void Watcher::Write(ChangeType type, const std::string& json) {
  WriteLine("{\"type\":\"" + std::string(NameOf(type)) + "\",\"object\":" + json + "}\n");
}

void Watcher::WriteLine(const std::string& line) {
  std::lock_guard lock(mutex_);
  if (!exchange_) return;
  auto written = exchange_->TryWrite(line);
  if (written.ok() && *written) return;
  // Not here, where a lock of who tells is held: breaking the connection off calls back.
  std::thread([dropped = std::move(exchange_)] {}).detach();
  exchange_.reset();
}

void Watcher::Fail(const Status& status) {
  auto json = reflect::ToJson(status);
  WriteLine("{\"type\":\"ERROR\",\"object\":" + (json.ok() ? *json : "{}") + "}\n");
  End();
}

void Watcher::End() {
  std::shared_ptr<http::Exchange> exchange;
  {
    std::lock_guard lock(mutex_);
    exchange = std::move(exchange_);
  }
  if (exchange) (void)exchange->End();
}

void Watcher::Close() {
  std::shared_ptr<http::Exchange> exchange;
  std::lock_guard lock(mutex_);
  exchange = std::move(exchange_);
}

}  // namespace podium::node
