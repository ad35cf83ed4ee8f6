#include "client/status_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/status.h"
#include "client/remote.h"

namespace podium::client {
namespace {

Error OfReason(const char* reason, int code) {
  api::meta::v1::Status status;
  status.reason = reason;
  status.code = code;
  status.message = "m";
  return api::StatusError(status);
}

TEST(StatusError, HasTheCodeOfItsReason) {
  EXPECT_EQ(OfReason("NotFound", 404).code(), Code::kNotFound);
  // Both are 409.
  EXPECT_EQ(OfReason("AlreadyExists", 409).code(), Code::kAlreadyExists);
  EXPECT_EQ(OfReason("Conflict", 409).code(), Code::kConflict);
  EXPECT_EQ(OfReason("Expired", 410).code(), Code::kExpired);
  EXPECT_EQ(OfReason("Invalid", 422).code(), Code::kInvalidArgument);
  EXPECT_EQ(OfReason("Forbidden", 403).code(), Code::kPermissionDenied);
  EXPECT_EQ(OfReason("Unauthorized", 401).code(), Code::kUnauthenticated);
  EXPECT_EQ(OfReason("SomethingNew", 429).code(), Code::kUnavailable);
  EXPECT_EQ(OfReason("", 500).code(), Code::kInternal);
}

// The words of client-go.
TEST(StatusError, SpeaksForServersThatDoNot) {
  const auto message = [](int status, const char* body) {
    return ErrorOfAnswer(status, body, "get /x").message();
  };
  EXPECT_EQ(message(404, "404 page not found\n"),
            "the server could not find the requested resource (get /x)");
  EXPECT_EQ(message(401, ""),
            "the server has asked for the client to provide credentials (get /x)");
  EXPECT_EQ(message(503, "{}"), "the server is currently unable to handle the request (get /x)");
  EXPECT_EQ(
      message(500, "broken\x1B[2J\nsecret"),
      "an error on the server (\"broken[2J\") has prevented the request from succeeding (get /x)");
  EXPECT_EQ(
      ErrorOfAnswer(418, R"({"kind":"Status","status":"Failure","message":"m"})", "x").message(),
      "m");
}

TEST(ExitCode, IsReadFromTheStatus) {
  EXPECT_EQ(*ExitCodeOf(R"({"metadata":{},"status":"Success"})"), 0);
  EXPECT_EQ(
      *ExitCodeOf(R"({"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[)"
                  R"({"reason":"Other","message":"1"},{"reason":"ExitCode","message":"137"}]}})"),
      137);
  EXPECT_EQ(ExitCodeOf(R"({"status":"Failure","reason":"InternalError","message":"no such file"})")
                .error()
                .message(),
            "no such file");
  EXPECT_FALSE(ExitCodeOf(R"({"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[)"
                          R"({"reason":"ExitCode","message":"x"}]}})")
                   .ok());
  EXPECT_EQ(ExitCodeOf("plain words").error().message(), "plain words");
}

}  // namespace
}  // namespace podium::client
