#include "apiserver/negotiation.h"

#include <gtest/gtest.h>

#include <string>

#include "api/status.h"
#include "apiserver/read_support.h"

namespace podium::apiserver {
namespace {

constexpr OutputRules kAll = {.table = true, .partial = true, .protobuf = true};

Result<OutputForm> Negotiate(const std::string& accept, const OutputRules& rules = kAll) {
  return NegotiateOutput(*AcceptCall("/api/v1/pods", accept), rules);
}

TEST(NegotiationTest, WhatIsChosen) {
  struct Case {
    std::string accept;
    OutputForm form;
  };
  const Case cases[] = {
      {"", {}},
      {"*/*", {}},
      {"application/json", {}},
      {"application/yaml", {.media = Media::kYaml}},
      {"application/vnd.kubernetes.protobuf", {.media = Media::kProtobuf}},
      {"application/vnd.kubernetes.protobuf,application/json", {.media = Media::kProtobuf}},
      {"application/json;q=0.5, application/yaml;q=0.9", {.media = Media::kYaml}},
      {"*/*, application/yaml", {.media = Media::kYaml}},
      {"text/html,application/json;q=0.9,*/*;q=0.8", {}},
      {"application/json;pretty=1", {.pretty = true}},
      {"application/json;stream=watch", {}},
      {"application/json;as=Table;v=v1;g=meta.k8s.io", {.view = View::kTable}},
      {"application/json;as=Table;v=v1beta1;g=meta.k8s.io",
       {.view = View::kTable, .v1beta1 = true}},
      // What kubectl 1.20 sends.
      {"application/json;as=Table;v=v1;g=meta.k8s.io,application/"
       "json;as=Table;v=v1beta1;g=meta.k8s."
       "io,application/json",
       {.view = View::kTable}},
      // Tables have no protobuf, so the next clause counts.
      {"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", {}},
      {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
       {.media = Media::kProtobuf, .view = View::kPartialMetadataList}},
      {"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
       {.view = View::kPartialMetadata}},
      {"application/json;as=Table;v=v2;g=meta.k8s.io,application/yaml", {.media = Media::kYaml}},
      {"application/json;stream=other,application/yaml", {.media = Media::kYaml}},
      {"application/yaml;stream=watch,application/json", {}},
  };
  for (const Case& wanted : cases) {
    const auto form = Negotiate(wanted.accept);
    ASSERT_TRUE(form.ok()) << wanted.accept << ": " << form.error().message();
    EXPECT_EQ(*form, wanted.form) << wanted.accept;
  }
}

TEST(NegotiationTest, WhatIsNotAcceptable) {
  struct Case {
    std::string accept;
    std::string message;
  };
  const std::string route =
      "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
      "application/vnd.kubernetes.protobuf";
  const std::string types =
      "only the following media types are accepted: application/json, application/yaml, "
      "application/vnd.kubernetes.protobuf";
  const Case cases[] = {
      {"text/plain", route},
      {"application/*", route},
      {"application/json;as=Table;v=v2;g=meta.k8s.io", types},
      {"application/json;as=Table;v=v1;g=other", types},
      {"application/json;as=Pod;v=v1;g=meta.k8s.io", types},
      {"application/json;stream=other", types},
      {"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", types},
  };
  for (const Case& wanted : cases) {
    const auto form = Negotiate(wanted.accept);
    ASSERT_FALSE(form.ok()) << wanted.accept;
    EXPECT_EQ(form.error().message(), wanted.message) << wanted.accept;
    EXPECT_EQ(api::StatusOf(form.error()).code, 406);
  }
  // Of what is only created there are no tables.
  EXPECT_FALSE(Negotiate("application/json;as=Table;v=v1;g=meta.k8s.io", {.partial = true}).ok());
  // Custom resources have no protobuf, their metadata has.
  const OutputRules custom = {.table = true, .partial = true, .protobuf = false};
  EXPECT_FALSE(Negotiate("application/vnd.kubernetes.protobuf", custom).ok());
  EXPECT_TRUE(
      Negotiate("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                custom)
          .ok());
}

TEST(NegotiationTest, AWatchHasNoYaml) {
  const auto form = NegotiateStream(*AcceptCall("/api/v1/pods", "application/yaml"), kAll);
  ASSERT_FALSE(form.ok());
  EXPECT_EQ(form.error().message(),
            "only the following media types are accepted: application/json;stream=watch, "
            "application/vnd.kubernetes.protobuf;stream=watch");
}

TEST(NegotiationTest, PrettyForPeople) {
  const auto pretty = [](const std::string& target, const std::string& agent) {
    return NegotiateOutput(*MakeCall(target, {{"User-Agent", agent}}), kAll)->pretty;
  };
  EXPECT_TRUE(pretty("/api/v1/pods", "curl/7.88"));
  EXPECT_TRUE(pretty("/api/v1/pods", "Mozilla/5.0 (X11)"));
  EXPECT_FALSE(pretty("/api/v1/pods", "kubectl/v1.20"));
  EXPECT_TRUE(pretty("/api/v1/pods?pretty=true", "kubectl/v1.20"));
  EXPECT_TRUE(pretty("/api/v1/pods?pretty=1", ""));
  EXPECT_FALSE(pretty("/api/v1/pods?pretty=false", "curl/7.88"));
  EXPECT_FALSE(pretty("/api/v1/pods?pretty=maybe", "curl/7.88"));
}

TEST(NegotiationTest, Bodies) {
  EXPECT_EQ(*NegotiateInput(""), Media::kJson);
  EXPECT_EQ(*NegotiateInput("Application/JSON; charset=utf-8"), Media::kJson);
  EXPECT_EQ(*NegotiateInput("application/yaml"), Media::kYaml);
  EXPECT_EQ(*NegotiateInput("application/vnd.kubernetes.protobuf"), Media::kProtobuf);
  const auto refused = NegotiateInput("text/plain");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(),
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf");
  EXPECT_FALSE(NegotiateInput("application/vnd.kubernetes.protobuf", false).ok());
}

TEST(NegotiationTest, HostileHeadersTakeLinearTime) {
  std::string accept;
  for (int i = 0; i < 8000; ++i) accept += "a/b;q=0.1,";
  accept += "application/yaml";
  EXPECT_EQ(Negotiate(accept)->media, Media::kYaml);
  EXPECT_FALSE(Negotiate(std::string(60'000, ',')).ok());
  EXPECT_TRUE(Negotiate("application/json;" + std::string(60'000, ';')).ok());
}

}  // namespace
}  // namespace podium::apiserver
