// What upstream's legacy_serviceaccount_token_cleaner_test.go and legacytokentracking's test ask.
#include "controllers/legacy_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::ConfigMap;
using api::core::v1::Pod;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using testing::IsEmpty;

constexpr const char* kLastUsed = "kubernetes.io/legacy-token-last-used";
constexpr const char* kInvalidSince = "kubernetes.io/legacy-token-invalid-since";
constexpr const char* kTracking = "kube-apiserver-legacy-service-account-token-tracking";
constexpr int64_t kDay = 24 * 3600;

// Now is 2026-03-14: what is older than 2025-03-14 is old.
struct Case {
  const char* title;
  const char* last_used = "";
  const char* invalid_since = "";
  int64_t age_days = 500;
  bool listed = true;
  bool named = false;
  const char* type = "kubernetes.io/service-account-token";
  const char* uid = "1";
  LegacyTokenFate fate = LegacyTokenFate::kStays;
};
constexpr Case kCases[] = {
    {.title = "never used", .fate = LegacyTokenFate::kBecomesInvalid},
    {.title = "used long ago", .last_used = "2025-03-13", .fate = LegacyTokenFate::kBecomesInvalid},
    {.title = "used a year ago", .last_used = "2025-03-14"},
    {.title = "used at a time that is none", .last_used = "13 March"},
    {.title = "young", .age_days = 364},
    {.title = "made by hand", .listed = false},
    {.title = "a pod has it", .named = true},
    {.title = "no token", .type = "Opaque"},
    {.title = "of another account of that name", .uid = "2"},
    {.title = "of any account of that name", .uid = "", .fate = LegacyTokenFate::kBecomesInvalid},
    {.title = "invalid lately", .invalid_since = "2025-03-14"},
    {.title = "invalid for long",
     .invalid_since = "2025-03-13",
     .fate = LegacyTokenFate::kIsDeleted},
    {.title = "invalid for long, and a pod has it", .invalid_since = "2025-03-13", .named = true},
    {.title = "invalid for long, and used since",
     .last_used = "2025-06-01",
     .invalid_since = "2025-03-13"},
    {.title = "invalid since a time that is none",
     .invalid_since = "once",
     .fate = LegacyTokenFate::kBecomesInvalid},
};

TEST(DecideLegacyToken, Table) {
  const int64_t now = client::VirtualTime().Now() / kNanosPerSecond;
  for (const Case& each : kCases) {
    Secret secret;
    secret.metadata.name = "s";
    secret.metadata.creationTimestamp = api::Time::FromUnix(now - each.age_days * kDay);
    secret.type = each.type;
    if (*each.last_used != 0) secret.metadata.labels[kLastUsed] = each.last_used;
    if (*each.invalid_since != 0) secret.metadata.labels[kInvalidSince] = each.invalid_since;
    if (*each.uid != 0) secret.metadata.annotations["kubernetes.io/service-account.uid"] = each.uid;
    ServiceAccount account;
    account.metadata.uid = "1";
    if (each.listed) account.secrets.emplace_back().name = "s";
    const auto is_named = [&] { return each.named; };
    EXPECT_EQ(DecideLegacyToken(
                  {.secret = &secret, .account = &account, .is_named = is_named, .now = now}),
              each.fate)
        << each.title;
    EXPECT_EQ(DecideLegacyToken({.secret = &secret, .is_named = is_named, .now = now}),
              LegacyTokenFate::kStays)
        << each.title;
  }
}

class LegacyTokensTest : public ControllersTest {
 public:
  LegacyTokensTest() {
    Secret secret;
    secret.metadata.namespace_ = "a";
    secret.metadata.name = "robot-token-1";
    secret.metadata.annotations["kubernetes.io/service-account.name"] = "robot";
    secret.type = "kubernetes.io/service-account-token";
    Put(secret);
    ServiceAccount account;
    account.metadata.namespace_ = "a";
    account.metadata.name = "robot";
    account.secrets.emplace_back().name = "robot-token-1";
    Put(account);
  }
  std::string LabelOf(const char* label) {
    const auto& labels = Get<Secret>("a", "robot-token-1")->metadata.labels;
    const auto found = labels.find(label);
    return found == labels.end() ? "" : found->second;
  }
  std::string Since() { return Get<ConfigMap>("kube-system", kTracking)->data.at("since"); }
};

TEST_F(LegacyTokensTest, UsesAreNoted) {
  const auto controller = MakeLegacyTokens(Context());
  Start(*controller);
  EXPECT_EQ(Since(), "2026-03-14");
  controller->NoteUse("a", "robot-token-1");
  controller->NoteUse("a", "gone");
  time.RunFor(1s);
  EXPECT_EQ(LabelOf(kLastUsed), "2026-03-14");
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(LegacyTokensTest, AYearUnusedIsInvalidAndAnotherOneIsTheEnd) {
  const auto controller = MakeLegacyTokens(Context());
  Start(*controller);
  time.RunFor(365 * 24h);
  EXPECT_EQ(LabelOf(kInvalidSince), "");
  time.RunFor(48h);
  EXPECT_EQ(LabelOf(kInvalidSince), "2027-03-15");
  time.RunFor(364 * 24h);  // to 14 March 2028
  EXPECT_NE(Get<Secret>("a", "robot-token-1"), nullptr);
  time.RunFor(48h);
  EXPECT_EQ(Get<Secret>("a", "robot-token-1"), nullptr);
  EXPECT_EQ(Since(), "2026-03-14");
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(LegacyTokensTest, WhatAPodNamesStays) {
  Pod pod;
  pod.metadata.namespace_ = "a";
  pod.metadata.name = "web";
  pod.spec.imagePullSecrets.emplace_back().name = "robot-token-1";
  Put(pod);
  const auto controller = MakeLegacyTokens(Context());
  Start(*controller);
  time.RunFor(400 * 24h);
  EXPECT_EQ(LabelOf(kInvalidSince), "");
  Delete<Pod>("a", "web");
  time.RunFor(24h);
  EXPECT_NE(LabelOf(kInvalidSince), "");
}

TEST_F(LegacyTokensTest, ABeginningThatCannotBeIsNow) {
  for (const char* since : {"2027-01-01", "soon", "2026-02-30"}) {
    ConfigMap map;
    map.metadata.namespace_ = "kube-system";
    map.metadata.name = kTracking;
    map.data["since"] = since;
    Put(map);
    const auto controller = MakeLegacyTokens(Context());
    Start(*controller);
    EXPECT_EQ(Since(), "2026-03-14") << since;
    Delete<ConfigMap>("kube-system", kTracking);
  }
}

}  // namespace
}  // namespace podium::controllers
