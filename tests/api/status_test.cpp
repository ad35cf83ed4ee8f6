#include "api/status.h"

#include <gtest/gtest.h>

#include "reflect/json.h"

namespace podium::api {
namespace {

using field::ErrorList;
using field::Path;

std::string Json(const meta::v1::Status& status) { return *reflect::ToJson(status); }

TEST(InvalidStatusTest, OneError) {
  const ErrorList errors = {field::Required(Path("spec").Child("containers"), "")};
  EXPECT_EQ(
      Json(InvalidStatus("", "Pod", "p", errors)),
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
      R"("message":"Pod \"p\" is invalid: spec.containers: Required value",)"
      R"("reason":"Invalid","details":{"name":"p","kind":"Pod","causes":[)"
      R"({"reason":"FieldValueRequired","message":"Required value","field":"spec.containers"}]},)"
      R"("code":422})");
}

TEST(InvalidStatusTest, SeveralErrors) {
  const Path spec("spec");
  const ErrorList errors = {field::Invalid(spec.Child("replicas"), -1, "must not be negative"),
                            field::Forbidden(spec, "no"), field::Forbidden(spec, "no"),
                            field::TypeInvalid(spec, nullptr, "must be an object")};
  const meta::v1::Status status = InvalidStatus("apps", "Deployment", "a\"b", errors);
  EXPECT_EQ(status.message,
            "Deployment.apps \"a\\\"b\" is invalid: [spec.replicas: Invalid value: -1: must not be "
            "negative, spec: Forbidden: no, spec: Invalid value: null: must be an object]");
  ASSERT_EQ(status.details->causes.size(), 4u);
  EXPECT_EQ(status.details->group, "apps");
  EXPECT_EQ(status.details->causes[0].reason, "FieldValueInvalid");
  EXPECT_EQ(status.details->causes[0].message, "Invalid value: -1: must not be negative");
  EXPECT_EQ(status.details->causes[2].field, "spec");
  EXPECT_EQ(status.details->causes[3].reason, "FieldValueTypeInvalid");
}

TEST(InvalidStatusTest, NoErrors) {
  EXPECT_EQ(InvalidStatus("", "Pod", "p", {}).message, "Pod \"p\" is invalid");
}

TEST(ApplyConflictStatusTest, ACauseForEachField) {
  EXPECT_EQ(Json(ApplyConflictStatus({{"\"kubectl\" using apps/v1", ".spec.replicas"}})),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: )"
            R"(.spec.replicas","reason":"Conflict","details":{"causes":[)"
            R"({"reason":"FieldManagerConflict","message":"conflict with \"kubectl\" using )"
            R"(apps/v1","field":".spec.replicas"}]},"code":409})");
  EXPECT_EQ(ApplyConflictStatus({{"\"a\"", ".x"}, {"\"a\"", ".y"}, {"\"b\"", ".x"}}).message,
            "Apply failed with 3 conflicts: conflicts with \"a\":\n- .x\n- .y\nconflicts with "
            "\"b\":\n- .x");
}

}  // namespace
}  // namespace podium::api
