// How the agent's API answers: lists, failures, and watches, a line for each change.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/server.h"
#include "node/change_type.h"
#include "reflect/json.h"

namespace podium::node {

// Answers with JSON, and with the Status of an error (api/status.h).
void RespondJson(http::Exchange& exchange, int status, std::string_view json);
void RespondError(http::Exchange& exchange, const Error& error);

template <class T>
void RespondObject(http::Exchange& exchange, int status, const T& object) {
  auto json = reflect::ToJson(object);
  if (!json.ok()) return RespondError(exchange, json.error());
  RespondJson(exchange, status, *json);
}

// {"kind":"PodList",...,"items":[...]} of pointers to objects.
template <class List>
std::string ListJson(std::string_view kind, const List& items, uint64_t version) {
  std::string out = "{\"kind\":\"" + std::string(kind) +
                    "\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" +
                    std::to_string(version) + "\"},\"items\":[";
  bool first = true;
  for (const auto& item : items) {
    auto json = reflect::ToJson(*item);
    if (!json.ok()) continue;
    if (!first) out += ',';
    first = false;
    out += *json;
  }
  return out + "]}";
}

// One watcher: lines go out as far as the client takes them; one that falls behind is cut off and
// begins anew, as with an API server. Threads: any.
class Watcher {
 public:
  explicit Watcher(std::shared_ptr<http::Exchange> exchange) : exchange_(std::move(exchange)) {}

  template <class T>
  void Send(ChangeType type, const T& object) {
    auto json = reflect::ToJson(object);
    if (json.ok()) Write(type, *json);
  }
  // The watch cannot go on, and why.
  void Fail(const Error& error);
  // The watch has had its time.
  void End();
  // Nobody listens any more.
  void Close();

 private:
  void Write(ChangeType type, const std::string& json);
  void WriteLine(const std::string& line);

  std::mutex mutex_;
  std::shared_ptr<http::Exchange> exchange_;
};

}  // namespace podium::node
