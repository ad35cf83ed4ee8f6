// Calls as a server would make them of a request, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "apiserver/call.h"
#include "http/headers.h"
#include "http/url.h"

namespace podium::apiserver {

struct Asked {
  http::Headers headers;
  std::string method = "GET";
  std::string path;
};

// 22 November 2026, noon.
inline constexpr int64_t kNoon = int64_t{1795348800} * 1'000'000'000;

inline CallPtr MakeCall(const std::string& target, http::Headers headers = {},
                        const std::string& method = "GET") {
  auto asked = std::make_shared<Asked>();
  asked->headers = std::move(headers);
  asked->method = method;
  const size_t question = target.find('?');
  asked->path = target.substr(0, question);
  auto call = std::make_shared<Call>();
  call->method = asked->method;
  call->path = asked->path;
  if (question != std::string::npos) {
    auto query = http::ParseQuery(target.substr(question + 1));
    EXPECT_TRUE(query.ok());
    if (query.ok()) call->query = std::move(*query);
  }
  call->headers = &asked->headers;
  call->received = kNoon;
  auto info = ReadRequestInfo(call->method, call->path, call->query);
  EXPECT_TRUE(info.ok());
  if (info.ok()) call->info = std::move(*info);
  call->keeps_alive = asked;
  return call;
}

inline CallPtr AcceptCall(const std::string& target, const std::string& accept) {
  return MakeCall(target, {{"Accept", accept}});
}

// All of an answer's body, which comes to an end.
inline std::string BodyOf(Answer& answer) {
  if (answer.pulled == nullptr) return answer.body;
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) {
    auto piece = answer.pulled->Next();
    EXPECT_TRUE(piece.ok());
    if (!piece.ok()) break;
    body.append(piece->bytes);
    if (piece->then == http::BodyPiece::Then::kEnd) break;
  }
  return body;
}

}  // namespace podium::apiserver
