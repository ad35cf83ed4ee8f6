#include "cli/raw_request.h"

#include <algorithm>
#include <utility>

#include "cli/input.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

}  // namespace

ServerRequest RawRequest(std::string_view path) {
  const size_t mark = std::min(path.find('?'), path.size());
  ServerRequest request{.path = std::string(path.substr(0, mark))};
  if (!request.path.starts_with('/')) request.path.insert(0, "/");
  if (mark < path.size()) request.query = path.substr(mark + 1);
  return request;
}

Result<void> CheckRawFile(const Invocation& invocation) {
  const auto files = invocation.All("filename");
  if (files.size() != 1) return Usage("--raw can only use a single local file or stdin");
  if (files[0].starts_with("http://") || files[0].starts_with("https://")) {
    return Usage("--raw cannot read from a url");
  }
  if (invocation.Has("recursive")) return Usage("--raw and --recursive are mutually exclusive");
  return {};
}

Result<void> CheckRawPath(std::string_view path) {
  if (path.starts_with('/')) return {};
  const std::string why = path.empty() ? "empty url" : "invalid URI for request";
  return Usage("--raw must be a valid URL path: parse " + reflect::GoQuoted(path) + ": " + why);
}

Result<Outcome> SendRaw(std::string method, const Invocation& invocation, const Streams& streams) {
  TRY(const auto server, Server::Of(invocation, streams));
  ServerRequest request = RawRequest(invocation.Get("raw"));
  request.method = std::move(method);
  const std::string_view file = invocation.Get("filename");
  if (!file.empty()) {
    auto body = ReadInput(std::string(file));
    if (!body.ok()) return std::move(body).error().WithContext(std::string(file));
    request.body = *std::move(body);
  }
  TRY(std::string answer, server->Ask(request));
  return Outcome{kOk, std::move(answer), {}};
}

}  // namespace podium::cli
