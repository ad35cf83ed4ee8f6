#include "apiserver/authorization/reviews.h"

#include <gtest/gtest.h>

#include <string>

#include "api/status.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::authorization::v1::LocalSubjectAccessReview;
using api::authorization::v1::SelfSubjectAccessReview;
using api::authorization::v1::SelfSubjectRulesReview;
using api::authorization::v1::SubjectAccessReview;

// Notes what it is asked.
struct Recorder : Authorizer {
  Authorization Authorize(const AuthorizationQuestion& question) const override {
    fields = question.field_selector;
    labels = question.label_selector;
    version = question.version;
    user = question.user;
    return answer;
  }
  Authorization answer{};
  mutable std::string fields, labels, version;
  mutable User user;
};

struct FixedClock : Clock {
  int64_t Now() const override { return 1'700'000'000 * kNanosPerSecond + 5; }
};

SubjectAccessReview ReviewOf(std::string user, std::string verb, std::string resource) {
  SubjectAccessReview review;
  review.spec.user = std::move(user);
  auto& attributes = review.spec.resourceAttributes.ensure();
  attributes.verb = std::move(verb);
  attributes.resource = std::move(resource);
  return review;
}

template <class T>
std::string Message(const Result<T>& result) {
  return result.ok() ? "" : api::StatusOf(result.error()).message;
}

TEST(ReviewTest, Answers) {
  TestStore store;
  const RbacAuthorizer rbac(store.memory);
  store.Put(ClusterRoleOf("reader", {RuleOf({"get"}, {""}, {"pods"})}));
  store.Put(ClusterRoleBindingOf("jane", "reader", {UserSubject("jane")}));
  const auto yes = ReviewSubjectAccess(rbac, ReviewOf("jane", "get", "pods"));
  ASSERT_TRUE(yes.ok());
  EXPECT_TRUE(yes->status.allowed);
  EXPECT_FALSE(yes->status.denied);
  EXPECT_EQ(yes->status.reason,
            R"(RBAC: allowed by ClusterRoleBinding "jane" of ClusterRole "reader" to User "jane")");
  EXPECT_EQ(yes->spec.user, "jane");
  EXPECT_FALSE(ReviewSubjectAccess(rbac, ReviewOf("jane", "list", "pods"))->status.allowed);
  SelfSubjectAccessReview self;
  self.spec.resourceAttributes = yes->spec.resourceAttributes;
  EXPECT_TRUE(ReviewSelfSubjectAccess(rbac, {.name = "jane"}, self)->status.allowed);
  EXPECT_FALSE(ReviewSelfSubjectAccess(rbac, {.name = "joe"}, self)->status.allowed);
}

TEST(ReviewTest, EverythingIsAsked) {
  Recorder recorder;
  recorder.answer = {.decision = Decision::kDeny, .reason = "no", .evaluation_error = "broken"};
  SubjectAccessReview review = ReviewOf("jane", "list", "pods");
  review.spec.uid = "u";
  review.spec.groups = {"a"};
  review.spec.extra["k"].items = std::vector<std::string>{"v"};
  auto& attributes = *review.spec.resourceAttributes;
  attributes.fieldSelector.ensure().rawSelector = "spec.nodeName=a,b!=c";
  auto& labels = attributes.labelSelector.ensure().requirements;
  labels.resize(3);
  labels[0] = {.key = "x", .operator_ = "In", .values = {"b", "a"}};
  labels[1] = {.key = "y", .operator_ = "Exists", .values = {}};
  labels[2] = {.key = "z", .operator_ = "Near", .values = {"q"}};
  const auto answer = ReviewSubjectAccess(recorder, review);
  ASSERT_TRUE(answer.ok()) << Message(answer);
  EXPECT_TRUE(answer->status.denied);
  EXPECT_EQ(answer->status.reason, "no");
  EXPECT_EQ(answer->status.evaluationError,
            "broken; spec.resourceAttributes.labelSelector partially ignored due to parse error");
  EXPECT_EQ(recorder.fields, "b!=c,spec.nodeName=a");
  EXPECT_EQ(recorder.labels, "x in (a,b),y");
  EXPECT_EQ(recorder.version, "*");
  EXPECT_EQ(recorder.user,
            (User{.name = "jane", .uid = "u", .groups = {"a"}, .extra = {{"k", {"v"}}}}));

  attributes.labelSelector.reset();
  attributes.fieldSelector->rawSelector = "not a selector";
  EXPECT_EQ(ReviewSubjectAccess(recorder, review)->status.evaluationError,
            "broken; spec.resourceAttributes.fieldSelector ignored due to parse error");
  EXPECT_EQ(recorder.fields, "");
  attributes.fieldSelector->rawSelector = "";
  auto& fields = attributes.fieldSelector->requirements;
  fields.resize(2);
  fields[0] = {.key = "spec.nodeName", .operator_ = "In", .values = {"a"}};
  fields[1] = {.key = "other", .operator_ = "NotIn", .values = {"b"}};
  EXPECT_EQ(ReviewSubjectAccess(recorder, review)->status.evaluationError, "broken");
  EXPECT_EQ(recorder.fields, "spec.nodeName=a,other!=b");
}

TEST(ReviewTest, WhatIsRefused) {
  const Recorder recorder;
  SubjectAccessReview review = ReviewOf("", "get", "pods");
  const auto invalid = ReviewSubjectAccess(recorder, review);
  EXPECT_EQ(api::StatusOf(invalid.error()).code, 422);
  EXPECT_EQ(Message(invalid).substr(0, 61),
            R"(SubjectAccessReview.authorization.k8s.io "" is invalid: spec.)");
  LocalSubjectAccessReview local;
  local.spec = ReviewOf("jane", "get", "pods").spec;
  local.metadata.namespace_ = "a";
  local.spec.resourceAttributes->namespace_ = "a";
  EXPECT_EQ(Message(ReviewLocalSubjectAccess(recorder, "a", local)), "");
  EXPECT_EQ(Message(ReviewLocalSubjectAccess(recorder, "b", local)),
            "spec.resourceAttributes.namespace must match namespace: b");
  EXPECT_EQ(Message(ReviewSelfSubjectAccess(recorder, {.name = "x"}, {})).substr(0, 65),
            R"(SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.)");
}

TEST(ReviewTest, RulesOfTheCaller) {
  TestStore store;
  const RbacAuthorizer rbac(store.memory);
  SelfSubjectRulesReview review;
  EXPECT_EQ(Message(ReviewSelfSubjectRules(rbac, {.name = "jane"}, review)),
            "no namespace on request");
  review.kind = "SelfSubjectRulesReview";
  review.apiVersion = "authorization.k8s.io/v1";
  review.spec.namespace_ = "a";
  const auto json = [&] {
    return *reflect::ToJson(*ReviewSelfSubjectRules(rbac, {.name = "jane"}, review));
  };
  EXPECT_EQ(
      json(),
      R"({"kind":"SelfSubjectRulesReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{},"status":{"resourceRules":[],"nonResourceRules":[],"incomplete":false}})");
  auto paths = RuleOf({"get"}, {}, {});
  paths.nonResourceURLs = {"/x"};
  store.Put(ClusterRoleOf("reader", {RuleOf({"get"}, {""}, {"pods"}), paths}));
  store.Put(ClusterRoleBindingOf("jane", "reader", {UserSubject("jane")}));
  store.Put(ClusterRoleBindingOf("gone", "gone", {UserSubject("jane")}));
  EXPECT_NE(
      json().find(
          R"("status":{"resourceRules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}],"nonResourceRules":[{"verbs":["get"],"nonResourceURLs":["/x"]}],"incomplete":false,"evaluationError":"clusterrole.rbac.authorization.k8s.io \"gone\" not found"})"),
      std::string::npos)
      << json();
}

TEST(ReviewTest, WhoTheCallerIs) {
  const auto answer = ReviewSelfSubject(
      {.name = "jane", .uid = "u", .groups = {"a", "b"}, .extra = {{"k", {"v"}}}}, FixedClock());
  EXPECT_EQ(
      *reflect::ToJson(answer),
      R"({"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","metadata":{"creationTimestamp":"2023-11-14T22:13:20Z"},"status":{"userInfo":{"username":"jane","uid":"u","groups":["a","b"],"extra":{"k":["v"]}}}})");
}

}  // namespace
}  // namespace podium::apiserver
