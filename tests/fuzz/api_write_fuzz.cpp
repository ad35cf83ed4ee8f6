// A few requests, one after the other, over a store that was empty: creates in JSON, YAML and
// protobuf, the four types of patches, replacements, deletions, subresources. The input is their
// texts (fuzz/api_session.h), with a line %% between them. Whatever comes, every request is
// answered, and what is stored can be read, and put back as it is without a change.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/api_session.h"
#include "fuzz/require.h"
#include "reflect/json_value.h"

using namespace podium;
using podium::fuzz::Require;

namespace {

constexpr int kMostRequests = 8;

std::string At(const reflect::JsonValue& object, std::string_view member) {
  const reflect::JsonValue* metadata = object.is_object() ? object.Find("metadata") : nullptr;
  if (metadata == nullptr || !metadata->is_object()) return "";
  const reflect::JsonValue* value = metadata->Find(member);
  return value != nullptr && value->is_string() ? value->string() : "";
}

// Where an object is: its path, from that of the request which wrote it.
std::string PathOf(const fuzz::SessionRequest& request, const std::string& name) {
  std::string path = request.target.substr(0, request.target.find('?'));
  if (request.method == "POST") path += "/" + name;
  return path;
}

void CheckStored(fuzz::ApiSession& session, const fuzz::SessionRequest& request,
                 const std::string& answered) {
  const auto written = reflect::ParseJson(answered);
  Require(written.ok());
  const std::string name = At(*written, "name");
  if (name.empty() || At(*written, "uid").empty()) return;
  const std::string path = PathOf(request, name);
  const fuzz::SessionReply got = session.Ask("GET", path);
  // With its last finalizer a deleted object goes; bindings are never there.
  if (got.status == 404 || got.status == 405) return;
  Require(got.status == 200);
  const auto stored = reflect::ParseJson(got.body);
  Require(stored.ok());
  if (!At(*stored, "deletionTimestamp").empty()) return;
  const fuzz::SessionReply put = session.Ask("PUT", path, got.body);
  if (put.status == 405) return;
  Require(put.status == 200);
  const auto again = reflect::ParseJson(put.body);
  Require(again.ok());
  Require(At(*again, "resourceVersion") == At(*stored, "resourceVersion"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::ApiSession session;
  for (int count = 0; !text.empty() && count < kMostRequests; ++count) {
    const size_t end = text.find("\n%%\n");
    const auto request = fuzz::SessionRequest::Parse(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 4);
    const auto reply = session.Send(request);
    if (!reply) continue;
    // What is stored must not be what cannot be read. Refusals may say what the client has said.
    Require(reply->status != 500 || !reply->body.contains("cannot be read: "));
    const bool writes =
        request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (writes && (reply->status == 200 || reply->status == 201) &&
        request.headers.Find("Accept") == nullptr) {
      CheckStored(session, request, reply->body);
    }
  }
  return 0;
}
