#include "apiserver/encode.h"

#include <gtest/gtest.h>

#include <string>

#include "api/status.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/json_indent.h"
#include "apiserver/read_support.h"
#include "apiserver/stored_object.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;

constexpr std::string_view kMap =
    R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"b","uid":"u","creationTimestamp":"2026-11-22T11:00:00Z","annotations":{"x":"}\"{"}},"data":{"k":"v"}})";

const CatalogPtr& TheCatalog() {
  static const CatalogPtr kCatalog = Catalog::Make({});
  return kCatalog;
}
const ServedResource& Maps() { return *TheCatalog()->Find("", "v1", "configmaps"); }

store::EntryPtr Entry(std::string_view json) {
  return store::Entry::Make("/registry/x", json, {.create = 3, .mod = 12, .version = 2});
}

Answer Show(const std::string& accept, const std::string& target = "/api/v1/x") {
  return AnswerWithEntry(*AcceptCall(target, accept), Maps(), *Entry(kMap));
}

TEST(EncodeTest, JsonIsTheStoredTextWithItsVersion) {
  const Answer answer = Show("application/json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(
      answer.body,
      R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"b","uid":"u","resourceVersion":"12","creationTimestamp":"2026-11-22T11:00:00Z","annotations":{"x":"}\"{"}},"data":{"k":"v"}})"
      "\n");
}

TEST(EncodeTest, PrettyYamlAndProtobuf) {
  const Answer pretty = Show("application/json;pretty=1");
  const auto parsed = reflect::ParseJson(Show("application/json").body);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(pretty.body, reflect::ToText(*parsed, {.indent = 2}));
  const Answer yaml = Show("application/yaml");
  EXPECT_EQ(yaml.headers.Get("Content-Type"), "application/yaml");
  EXPECT_TRUE(yaml.body.starts_with("apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\n"));
  EXPECT_NE(yaml.body.find("  resourceVersion: \"12\"\n"), std::string::npos);
  const Answer protobuf = Show("application/vnd.kubernetes.protobuf");
  EXPECT_EQ(protobuf.headers.Get("Content-Type"), "application/vnd.kubernetes.protobuf");
  ConfigMap decoded;
  ASSERT_TRUE(reflect::DecodeEnveloped(protobuf.body, reflect::TypeOf<ConfigMap>(), &decoded).ok());
  EXPECT_EQ(decoded.metadata.resourceVersion, "12");
  EXPECT_EQ(decoded.data.find("k")->second, "v");
}

TEST(EncodeTest, PartialMetadata) {
  const std::string metadata =
      R"("metadata":{"name":"a","namespace":"b","uid":"u","resourceVersion":"12","creationTimestamp":"2026-11-22T11:00:00Z","annotations":{"x":"}\"{"}}})";
  EXPECT_EQ(Show("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").body,
            R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)" + metadata + "\n");
  // Where metadata stands elsewhere, too.
  const Answer other = AnswerWithEntry(
      *AcceptCall("/x", "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io"),
      Maps(),
      *Entry(R"({"data":{},"metadata":{"name":"a"},"kind":"ConfigMap","apiVersion":"v1"})"));
  EXPECT_EQ(
      other.body,
      R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1","metadata":{"name":"a","resourceVersion":"12"}})"
      "\n");
  const Answer protobuf =
      Show("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
  api::meta::v1::PartialObjectMetadata partial;
  ASSERT_TRUE(reflect::DecodeEnveloped(
                  protobuf.body, reflect::TypeOf<api::meta::v1::PartialObjectMetadata>(), &partial)
                  .ok());
  EXPECT_EQ(partial.metadata.name, "a");
  EXPECT_EQ(partial.kind, "PartialObjectMetadata");
  const Answer list = Show("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  EXPECT_EQ(list.status, 406);
  EXPECT_NE(list.body.find("you requested PartialObjectMetadataList, but the requested object is "
                           "not a list (*core.ConfigMap)"),
            std::string::npos);
}

TEST(EncodeTest, Tables) {
  const std::string accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const auto table = reflect::FromJson<api::meta::v1::Table>(Show(accept).body);
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_EQ(table->kind, "Table");
  EXPECT_EQ(table->metadata.resourceVersion, "12");
  ASSERT_EQ(table->columnDefinitions.size(), 3U);
  EXPECT_EQ(table->columnDefinitions[1].name, "Data");
  ASSERT_EQ(table->rows.size(), 1U);
  ASSERT_EQ(table->rows[0].cells.size(), 3U);
  EXPECT_EQ(table->rows[0].cells[2].text, "\"60m\"");
  EXPECT_TRUE(table->rows[0].object.text.starts_with(
      R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)"));
  const auto whole =
      reflect::FromJson<api::meta::v1::Table>(Show(accept, "/x?includeObject=Object").body);
  EXPECT_TRUE(whole->rows[0].object.text.starts_with(R"({"kind":"ConfigMap")"));
  const auto none =
      reflect::FromJson<api::meta::v1::Table>(Show(accept, "/x?includeObject=None").body);
  EXPECT_TRUE(none->rows[0].object.is_null());
  const Answer refused = Show(accept, "/x?includeObject=All");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("Unable to convert to Table as requested: includeObject: Invalid "
                              "value: \\\"All\\\": must be 'Metadata', 'Object', 'None', or empty"),
            std::string::npos)
      << refused.body;
}

TEST(EncodeTest, ViewsOfOtherVersionsAreConverted) {
  const ServedResource& jobs = *TheCatalog()->Find("batch", "v1beta1", "cronjobs");
  ASSERT_FALSE(jobs.stored_as_is());
  const Answer answer = AnswerWithEntry(
      *MakeCall("/x"), jobs,
      *Entry(
          R"({"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"a"},"spec":{"schedule":"0 1 * * *"}})"));
  EXPECT_TRUE(answer.body.starts_with(
      R"({"kind":"CronJob","apiVersion":"batch/v1beta1","metadata":{"name":"a","resourceVersion":"12")"))
      << answer.body;
  EXPECT_NE(answer.body.find(R"("schedule":"0 1 * * *")"), std::string::npos);
  const Answer table = AnswerWithEntry(
      *AcceptCall("/x?includeObject=Object", "application/json;as=Table;v=v1;g=meta.k8s.io"), jobs,
      *Entry(R"({"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"a"}})"));
  EXPECT_NE(table.body.find(R"("object":{"kind":"CronJob","apiVersion":"batch/v1beta1")"),
            std::string::npos)
      << table.body;
}

TEST(EncodeTest, ErrorsInTheClientsForm) {
  const Error error = api::TooManyRequestsError("slow down", 7);
  const Answer json = AnswerWithError(*AcceptCall("/x", "application/json"), error);
  EXPECT_EQ(json.status, 429);
  EXPECT_EQ(json.headers.Get("Retry-After"), "7");
  EXPECT_EQ(
      json.body,
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"slow down","reason":"TooManyRequests","details":{"retryAfterSeconds":7},"code":429})"
      "\n");
  const Answer yaml = AnswerWithError(*AcceptCall("/x", "application/yaml"), error);
  EXPECT_TRUE(yaml.body.starts_with("apiVersion: v1\ncode: 429\n"));
  const Answer protobuf =
      AnswerWithError(*AcceptCall("/x", "application/vnd.kubernetes.protobuf"), error);
  EXPECT_TRUE(reflect::HasEnvelope(protobuf.body));
  // A table of an error there is not: the next clause counts, and without one it is JSON for
  // people.
  const Answer table =
      AnswerWithError(*AcceptCall("/x", "application/json;as=Table;v=v1;g=meta.k8s.io"), error);
  EXPECT_TRUE(table.body.starts_with("{\n  \"kind\": \"Status\",\n"));
  EXPECT_EQ(table.status, 429);
}

TEST(EncodeTest, Values) {
  api::autoscaling::v1::Scale scale;
  scale.kind = "Scale";
  scale.apiVersion = "autoscaling/v1";
  scale.metadata.name = "web";
  scale.spec.replicas = 3;
  const Answer json = AnswerWithValue(*MakeCall("/x"), RulesOf(Maps()), scale, 201);
  EXPECT_EQ(json.status, 201);
  EXPECT_TRUE(json.body.starts_with(R"({"kind":"Scale","apiVersion":"autoscaling/v1",)"));
  const Answer table = AnswerWithValue(
      *AcceptCall("/x", "application/json;as=Table;v=v1;g=meta.k8s.io"), RulesOf(Maps()), scale);
  const auto rows = reflect::FromJson<api::meta::v1::Table>(table.body);
  ASSERT_TRUE(rows.ok()) << table.body;
  EXPECT_EQ(rows->rows[0].cells[0].text, "\"web\"");
  // A Status stays one.
  const auto status = api::SuccessStatus();
  const Answer deleted = AnswerWithValue(
      *AcceptCall("/x", "application/json;as=Table;v=v1;g=meta.k8s.io"), RulesOf(Maps()), status);
  EXPECT_EQ(deleted.body, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"})"
                          "\n");
}

TEST(JsonIndentTest, WhereverTheTextIsCut) {
  const std::string compact = R"({"a":[],"b":{},"c":[1,{"d":"x\"},{"}],"e":[[]]})";
  const std::string wanted = reflect::ToText(*reflect::ParseJson(compact), {.indent = 2});
  EXPECT_EQ(Indented(compact), wanted);
  for (size_t cut = 0; cut <= compact.size(); ++cut) {
    std::string out;
    JsonIndenter indenter;
    indenter.Append(compact.substr(0, cut), &out);
    indenter.Append(compact.substr(cut), &out);
    EXPECT_EQ(out, wanted) << cut;
  }
}

}  // namespace
}  // namespace podium::apiserver
