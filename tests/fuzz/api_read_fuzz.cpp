// One request that changes nothing: routing, authorization, selectors, continue tokens, options of
// reads, and every form of an answer. The input is its text (fuzz/api_session.h). Whatever comes,
// the answer is whole; JSON can be read; a page leads to the next one, and there to an end.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/continue_token.h"
#include "fuzz/api_session.h"
#include "fuzz/require.h"
#include "reflect/json_value.h"

using namespace podium;
using podium::fuzz::Require;

namespace {

fuzz::ApiSession& Session() {
  static auto* const session = [] {
    auto* made = new fuzz::ApiSession;
    for (const std::string name : {"m1", "m2", "m3"}) {
      Require(made->Ask("POST", "/api/v1/namespaces/a/configmaps",
                        R"({"metadata":{"name":")" + name + R"(","labels":{"of":")" + name +
                            R"(","all":"1"}},"data":{"a":"b"}})")
                  .status == 201);
    }
    for (const std::string name : {"p1", "p2"}) {
      Require(made->Ask("POST", "/api/v1/namespaces/a/pods",
                        R"({"metadata":{"name":")" + name + R"(","labels":{"of":")" + name +
                            R"("}},"spec":{"nodeName":")" + name +
                            R"(","containers":[{"name":"c","image":"i"}]}})")
                  .status == 201);
    }
    Require(made->Ask("POST", "/apis/apps/v1/namespaces/a/deployments",
                      R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},)"
                      R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":)"
                      R"([{"name":"c","image":"i"}]}}}})")
                .status == 201);
    return made;
  }();
  return *session;
}

// What is read is written, and read again as the same.
void CheckToken(std::string_view text) {
  const auto token = apiserver::DecodeContinue(text);
  if (!token.ok()) return;
  const auto again = apiserver::DecodeContinue(apiserver::EncodeContinue(*token));
  Require(again.ok() && again->start == token->start && again->version == token->version);
}

// The token of the next page; "" at the last one.
std::string NextOf(const std::string& body) {
  const auto list = reflect::ParseJson(body);
  Require(list.ok());
  const reflect::JsonValue* metadata = list->is_object() ? list->Find("metadata") : nullptr;
  if (metadata == nullptr || !metadata->is_object()) return "";
  const reflect::JsonValue* next = metadata->Find("continue");
  return next != nullptr && next->is_string() ? next->string() : "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckToken(text);
  fuzz::SessionRequest request = fuzz::SessionRequest::Parse(text);
  // So that the session stays as it is.
  if (request.method != "GET" && request.method != "HEAD") return 0;
  const auto reply = Session().Send(request);
  if (!reply || reply->status != 200) return 0;
  if (request.headers.Find("Accept") != nullptr) return 0;
  std::string next = NextOf(reply->body);
  const size_t question = request.target.find('?');
  for (int pages = 0; !next.empty(); ++pages) {
    Require(pages < 20);
    const auto page =
        Session().Ask("GET", request.target.substr(0, question) + "?limit=1&continue=" + next);
    Require(page.status == 200);
    next = NextOf(page.body);
  }
  return 0;
}
