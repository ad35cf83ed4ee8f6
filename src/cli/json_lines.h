// Lines of an answer that goes on: events of a watch.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "reflect/json_value.h"

namespace podium::cli {

class JsonLines {
 public:
  explicit JsonLines(http::Response response) : response_(std::move(response)) {}

  // The next line that is not blank, waiting for it; nothing at the end. kResourceExhausted for a
  // line of over 16 MiB, kInvalidArgument for one that is no JSON, otherwise as Response::Read.
  Result<std::optional<reflect::JsonValue>> Next();
  // Breaks off whoever waits in Next, from another thread.
  void Abort() { response_.Abort(); }

 private:
  http::Response response_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace podium::cli
