#include "node/api_answers.h"

#include <thread>
#include <utility>

#include "api/status.h"

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

void RespondError(http::Exchange& exchange, const Error& error) {
  const auto status = api::StatusOf(error);
  auto json = reflect::ToJson(status);
  RespondJson(exchange, status.code, json.ok() ? *json : "{}");
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

void Watcher::Fail(const Error& error) {
  auto json = reflect::ToJson(api::StatusOf(error));
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
