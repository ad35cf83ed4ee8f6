#include "apiserver/read.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "api/status.h"
#include "api/types/core_v1.h"
#include "apiserver/continue_token.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::ConfigMapList;
using api::core::v1::Pod;
using api::core::v1::PodList;

class ReadTest : public testing::Test {
 protected:
  void PutMap(const std::string& name_space, const std::string& name, const std::string& app = "") {
    ConfigMap map;
    map.metadata.namespace_ = name_space;
    map.metadata.name = name;
    map.metadata.uid = "u-" + name;
    if (!app.empty()) map.metadata.labels["app"] = app;
    map.data["k"] = "v";
    store_.Put(map);
  }
  void PutPod(const std::string& name, const std::string& node, const std::string& phase) {
    Pod pod;
    pod.metadata.namespace_ = "a";
    pod.metadata.name = name;
    pod.spec.nodeName = node;
    pod.status.phase = phase;
    store_.Put(pod);
  }
  Answer List(const std::string& target, http::Headers headers = {}) {
    const CallPtr call = MakeCall(target, std::move(headers));
    const ServedResource* resource =
        catalog_->Find(call->info.group, call->info.version, call->info.resource);
    return AnswerList(call, store_.memory, *resource, catalog_);
  }
  Answer Get(const std::string& target) {
    const CallPtr call = MakeCall(target);
    return AnswerGet(call, store_.memory,
                     *catalog_->Find(call->info.group, call->info.version, call->info.resource));
  }
  template <class T>
  T Decoded(const std::string& target) {
    Answer answer = List(target);
    const std::string body = BodyOf(answer);
    auto list = reflect::FromJson<T>(body, {.strict = false});
    EXPECT_EQ(answer.status, 200) << target << ": " << body;
    EXPECT_TRUE(list.ok()) << body;
    return list.ok() ? std::move(*list) : T();
  }
  template <class T = ConfigMapList>
  std::string Names(const std::string& target) {
    std::string names;
    for (const auto& item : Decoded<T>(target).items) names += item.metadata.name + " ";
    return names;
  }
  // The Status of what is refused.
  api::meta::v1::Status Refused(const std::string& target) {
    Answer answer = List(target);
    auto status = reflect::FromJson<api::meta::v1::Status>(BodyOf(answer));
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(status->code, answer.status);
    return std::move(*status);
  }

  TestStore store_;
  const CatalogPtr catalog_ = Catalog::Make({});
  const std::string maps_ = "/api/v1/namespaces/a/configmaps";
};

TEST_F(ReadTest, OneObject) {
  PutMap("a", "one");
  EXPECT_EQ(
      Get(maps_ + "/one").body,
      R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"one","namespace":"a","uid":"u-one","resourceVersion":"1"},"data":{"k":"v"}})"
      "\n");
  const Answer absent = Get(maps_ + "/two");
  EXPECT_EQ(absent.status, 404);
  EXPECT_EQ(
      absent.body,
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"configmaps \"two\" not found","reason":"NotFound","details":{"name":"two","kind":"configmaps"},"code":404})"
      "\n");
  EXPECT_EQ(Get(maps_ + "/one?resourceVersion=0").status, 200);
  EXPECT_EQ(Get(maps_ + "/one?resourceVersion=1").status, 200);
  EXPECT_EQ(Get(maps_ + "/one?resourceVersion=2").status, 504);
  EXPECT_EQ(Get(maps_ + "/one?resourceVersion=x").status, 400);
}

TEST_F(ReadTest, AListOfABuiltInKindHasNoKindsInside) {
  PutMap("a", "one");
  PutMap("b", "two");
  Answer answer = List(maps_);
  EXPECT_EQ(
      BodyOf(answer),
      R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"2"},"items":[{"metadata":{"name":"one","namespace":"a","uid":"u-one","resourceVersion":"1"},"data":{"k":"v"}}]})"
      "\n");
  Answer empty = List("/api/v1/namespaces/c/configmaps");
  EXPECT_EQ(
      BodyOf(empty),
      R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"2"},"items":[]})"
      "\n");
  EXPECT_EQ(Names("/api/v1/configmaps"), "one two ");
}

TEST_F(ReadTest, OfACustomResourceItHas) {
  ServedResource crons{.group = "example.com",
                       .version = "v1",
                       .plural = "crontabs",
                       .kind = "CronTab",
                       .list_kind = "CronTabList",
                       .api_version = "example.com/v1",
                       .namespaced = true,
                       .type = &reflect::TypeOf<ConfigMap>(),
                       .stored_type = &reflect::TypeOf<ConfigMap>(),
                       .stored_api_version = "example.com/v1",
                       .prefix = "/registry/example.com/crontabs/"};
  store_.Put("/registry/example.com/crontabs/a/x",
             R"({"apiVersion":"example.com/v1","kind":"CronTab","metadata":{"name":"x"}})");
  Answer answer = AnswerList(MakeCall("/apis/example.com/v1/namespaces/a/crontabs"), store_.memory,
                             crons, nullptr);
  EXPECT_EQ(
      BodyOf(answer),
      R"({"apiVersion":"example.com/v1","items":[{"apiVersion":"example.com/v1","kind":"CronTab","metadata":{"name":"x","resourceVersion":"1"}}],"kind":"CronTabList","metadata":{"continue":"","resourceVersion":"1"}})"
      "\n");
}

TEST_F(ReadTest, EveryFormHasTheSameObjects) {
  for (int i = 0; i < 300; ++i) PutMap("a", "map-" + std::to_string(i));
  Answer json = List(maps_);
  const std::string json_body = BodyOf(json);
  auto list = reflect::FromJson<ConfigMapList>(json_body);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->items.size(), 300U);
  Answer pretty = List(maps_ + "?pretty=true");
  EXPECT_EQ(BodyOf(pretty), reflect::ToText(*reflect::ParseJson(json_body), {.indent = 2}));
  Answer yaml = List(maps_, {{"Accept", "application/yaml"}});
  std::string wanted;
  ASSERT_TRUE(reflect::JsonToYaml(json_body, &wanted).ok());
  EXPECT_EQ(BodyOf(yaml), wanted);
  Answer protobuf = List(maps_, {{"Accept", "application/vnd.kubernetes.protobuf"}});
  std::string wanted_bytes;
  ASSERT_TRUE(
      reflect::EncodeEnveloped(reflect::TypeOf<ConfigMapList>(), &*list, &wanted_bytes).ok());
  EXPECT_TRUE(BodyOf(protobuf) == wanted_bytes);
  Answer empty_yaml = List("/api/v1/namespaces/c/configmaps", {{"Accept", "application/yaml"}});
  EXPECT_EQ(BodyOf(empty_yaml),
            "apiVersion: v1\nitems: []\nkind: ConfigMapList\nmetadata:\n  resourceVersion: "
            "\"300\"\n");
}

TEST_F(ReadTest, TablesAndMetadata) {
  for (int i = 0; i < 200; ++i) PutMap("a", "map-" + std::to_string(i));
  const std::string as_table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  Answer answer = List(maps_, {{"Accept", as_table}});
  const std::string body = BodyOf(answer);
  const auto table = reflect::FromJson<api::meta::v1::Table>(body);
  ASSERT_TRUE(table.ok()) << body;
  EXPECT_EQ(table->metadata.resourceVersion, "200");
  EXPECT_EQ(table->rows.size(), 200U);
  EXPECT_EQ(table->columnDefinitions.size(), 3U);
  Answer yaml = List(maps_, {{"Accept", "application/yaml;as=Table;v=v1;g=meta.k8s.io"}});
  std::string wanted;
  ASSERT_TRUE(reflect::JsonToYaml(body, &wanted).ok());
  EXPECT_EQ(BodyOf(yaml), wanted);
  Answer metadata = List(
      maps_,
      {{"Accept",
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}});
  api::meta::v1::PartialObjectMetadataList partial;
  ASSERT_TRUE(reflect::DecodeEnveloped(BodyOf(metadata),
                                       reflect::TypeOf<api::meta::v1::PartialObjectMetadataList>(),
                                       &partial)
                  .ok());
  EXPECT_EQ(partial.items.size(), 200U);
  EXPECT_EQ(partial.items[7].metadata.uid, "u-" + partial.items[7].metadata.name);
  Answer wrong =
      List(maps_, {{"Accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}});
  EXPECT_EQ(wrong.status, 406);
}

TEST_F(ReadTest, Selectors) {
  PutMap("a", "one", "web");
  PutMap("a", "two", "db");
  PutMap("b", "one", "web");
  EXPECT_EQ(Names(maps_ + "?labelSelector=app%3Dweb"), "one ");
  EXPECT_EQ(Names("/api/v1/configmaps?labelSelector=app%20in%20(web,db)"), "one two one ");
  EXPECT_EQ(Names("/api/v1/configmaps?fieldSelector=metadata.name%3Done"), "one one ");
  EXPECT_EQ(Names(maps_ + "?fieldSelector=metadata.name%3Dtwo"), "two ");
  EXPECT_EQ(Names(maps_ + "?fieldSelector=metadata.name%3Dtwo&labelSelector=app%3Dweb"), "");
  EXPECT_EQ(Names(maps_ + "?fieldSelector=metadata.name!%3Dtwo"), "one ");
  EXPECT_EQ(Names("/api/v1/configmaps?fieldSelector=metadata.namespace%3Db,metadata.name%3Done"),
            "one ");
  // A name is no way to other keys.
  EXPECT_EQ(Names("/api/v1/configmaps?fieldSelector=metadata.name%3Da/one"), "");
  PutPod("p", "n1", "Running");
  PutPod("q", "n2", "Pending");
  PutPod("r", "", "Pending");
  const std::string pods = "/api/v1/pods?fieldSelector=";
  EXPECT_EQ(Names<PodList>(pods + "spec.nodeName%3Dn1"), "p ");
  EXPECT_EQ(Names<PodList>(pods + "spec.host%3Dn1"), "p ");
  EXPECT_EQ(Names<PodList>(pods + "spec.nodeName%3D"), "r ");
  EXPECT_EQ(Names<PodList>(pods + "spec.nodeName!%3D,status.phase%3DPending"), "q ");
  EXPECT_EQ(Names<PodList>(pods + "spec.hostNetwork%3Dfalse"), "p q r ");
  EXPECT_EQ(Refused(pods + "spec.foo%3Dx").message, "field label not supported: spec.foo");
  EXPECT_EQ(Refused("/api/v1/nodes?fieldSelector=metadata.namespace%3Dx").message,
            "field label not supported: metadata.namespace");
  EXPECT_EQ(Names<PodList>("/apis/storage.k8s.io/v1/storageclasses?fieldSelector="
                           "metadata.namespace%3Dx"),
            "");
  EXPECT_EQ(Refused(maps_ + "?fieldSelector=data%3Dx").message,
            "\"data\" is not a known field selector: only \"metadata.name\", "
            "\"metadata.namespace\"");
  EXPECT_EQ(Refused("/apis/batch/v1/jobs?fieldSelector=a%3Db").message,
            "field label \"a\" not supported for batchv1.Job");
  EXPECT_EQ(Refused(maps_ + "?labelSelector=a%3D%3D%3Db").message,
            "unable to parse requirement: found '=', expected: identifier");
}

TEST_F(ReadTest, Pages) {
  for (const std::string name : {"a", "b", "c", "d", "e"}) PutMap("a", name, name < "d" ? "x" : "");
  const auto first = Decoded<ConfigMapList>(maps_ + "?limit=2");
  EXPECT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.metadata.remainingItemCount, 3);
  const auto token = DecodeContinue(first.metadata.continue_);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->start, std::string("b\0", 2));
  EXPECT_EQ(token->version, 5);
  // What comes later is not on the pages that follow.
  PutMap("a", "bb");
  store_.Remove<ConfigMap>("a", "e");
  const auto second =
      Decoded<ConfigMapList>(maps_ + "?limit=2&continue=" + first.metadata.continue_);
  EXPECT_EQ(second.items[0].metadata.name, "c");
  EXPECT_EQ(second.metadata.remainingItemCount, 1);
  EXPECT_EQ(second.metadata.resourceVersion, "5");
  const auto third =
      Decoded<ConfigMapList>(maps_ + "?limit=2&continue=" + second.metadata.continue_);
  EXPECT_EQ(third.items.size(), 1U);
  EXPECT_EQ(third.metadata.continue_, "");
  EXPECT_FALSE(third.metadata.remainingItemCount);
  // With a selector nobody counts.
  const auto selected = Decoded<ConfigMapList>(maps_ + "?limit=2&labelSelector=app%3Dx");
  EXPECT_EQ(selected.items.size(), 2U);
  EXPECT_NE(selected.metadata.continue_, "");
  EXPECT_FALSE(selected.metadata.remainingItemCount);
  EXPECT_EQ(Names(maps_ + "?limit=2&resourceVersion=0"), "a b bb c d ");
  EXPECT_EQ(Names(maps_ + "?limit=2&labelSelector=app%3Dx&continue=" + selected.metadata.continue_),
            "c ");
}

TEST_F(ReadTest, StatesAskedFor) {
  PutMap("a", "a");
  PutMap("a", "b");
  PutMap("a", "c");
  EXPECT_EQ(Names(maps_ + "?resourceVersion=1"), "a b c ");
  EXPECT_EQ(Names(maps_ + "?resourceVersion=2&resourceVersionMatch=Exact"), "a b ");
  EXPECT_EQ(Names(maps_ + "?resourceVersion=2&limit=5"), "a b ");
  EXPECT_EQ(Names(maps_ + "?resourceVersion=2&resourceVersionMatch=NotOlderThan&limit=5"),
            "a b c ");
  EXPECT_EQ(Names(maps_ + "?resourceVersion=0&resourceVersionMatch=NotOlderThan"), "a b c ");
  const auto future = Refused(maps_ + "?resourceVersion=99999999");
  EXPECT_EQ(future.message, "Timeout: Too large resource version: 99999999, current: 3");
  EXPECT_EQ(future.code, 504);
  EXPECT_EQ(future.details->causes[0].reason, "ResourceVersionTooLarge");
  EXPECT_EQ(future.details->retryAfterSeconds, 1);
  EXPECT_EQ(Refused(maps_ + "?resourceVersion=x").message,
            "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: "
            "parsing \"x\": invalid syntax");
  struct Case {
    std::string query;
    std::string message;
  };
  const Case cases[] = {
      {"resourceVersionMatch=Exact",
       "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion "
       "is provided"},
      {"resourceVersion=1&resourceVersionMatch=Some",
       "resourceVersionMatch: Unsupported value: \"Some\": supported values: \"Exact\", "
       "\"NotOlderThan\", \"\""},
      {"resourceVersion=0&resourceVersionMatch=Exact",
       "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for "
       "resourceVersion \"0\""},
      {"sendInitialEvents=true",
       "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"},
  };
  for (const Case& wanted : cases) {
    const auto status = Refused(maps_ + "?" + wanted.query);
    EXPECT_EQ(status.code, 422);
    EXPECT_EQ(status.message, "ListOptions.meta.k8s.io \"\" is invalid: " + wanted.message);
  }
}

TEST_F(ReadTest, WhatIsCompacted) {
  for (const std::string name : {"a", "b", "c", "d"}) PutMap("a", name);
  const std::string token = Decoded<ConfigMapList>(maps_ + "?limit=2").metadata.continue_;
  PutMap("a", "e");
  ASSERT_TRUE(store_.memory.CompactAndWait(5).ok());
  const auto old = Refused(maps_ + "?resourceVersion=2&resourceVersionMatch=Exact");
  EXPECT_EQ(old.code, 410);
  EXPECT_EQ(old.reason, "Expired");
  EXPECT_EQ(old.message, "The resourceVersion for the provided list is too old.");
  const auto expired = Refused(maps_ + "?limit=1&continue=" + token);
  EXPECT_EQ(expired.code, 410);
  EXPECT_TRUE(expired.message.starts_with("The provided continue parameter is too old"));
  // The token that comes with it goes on in the newest state.
  const auto rest = Decoded<ConfigMapList>(maps_ + "?continue=" + expired.metadata.continue_);
  ASSERT_EQ(rest.items.size(), 3U);
  EXPECT_EQ(rest.items[0].metadata.name, "c");
  EXPECT_EQ(rest.metadata.resourceVersion, "5");
}

// Answers of a kube-apiserver 1.20, as far as they are about reading. Where 1.36 answers otherwise,
// it is said.
TEST_F(ReadTest, ObservedAnswers) {
  struct Case {
    std::string target;
    std::string wanted;
  };
  const Case lists[] = {
      {"/api/v1/namespaces/obs/pods?limit=1&continue=zzz",
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"invalid continue token: continue key is not valid: invalid character 'Ï' looking for beginning of value","reason":"BadRequest","code":400})"},
      {"/api/v1/namespaces/obs/pods?labelSelector=a%3D%3D%3Db",
       R"-({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"unable to parse requirement: found '=', expected: identifier","reason":"BadRequest","code":400})-"},
      // The newest version is another one here.
      {"/api/v1/namespaces/obs/pods?resourceVersion=99999999&timeoutSeconds=1",
       R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Timeout: Too large resource version: 99999999, current: 0","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1},"code":504})"},
  };
  for (const Case& observed : lists) {
    Answer answer = List(observed.target, {{"Accept", "application/json"}});
    EXPECT_EQ(BodyOf(answer), observed.wanted + "\n");
  }
  for (const std::string name_space : {"obs", "none"}) {
    EXPECT_EQ(
        Get("/api/v1/namespaces/" + name_space + "/pods/none").body,
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"none\" not found","reason":"NotFound","details":{"name":"none","kind":"pods"},"code":404})"
        "\n");
  }
  // Since go-restful v3 the message lists what there is.
  Answer plain = List("/api/v1/namespaces/obs/configmaps", {{"Accept", "text/plain"}});
  const auto refused = reflect::FromJson<api::meta::v1::Status>(plain.body);
  ASSERT_TRUE(refused.ok());
  EXPECT_TRUE(refused->message.starts_with("406: Not Acceptable"));
  EXPECT_EQ(refused->reason, "NotAcceptable");
  EXPECT_EQ(refused->code, 406);
}

// Every kind that is stored has a table, whose rows have what its columns announce, at least.
TEST_F(ReadTest, EveryKindHasATable) {
  for (const ServedResource& resource : catalog_->resources()) {
    if (!resource.is_stored() || !resource.stored_as_is()) continue;
    const std::string in = resource.namespaced ? "a/" : "";
    const std::string space = resource.namespaced ? R"("namespace":"a",)" : "";
    store_.Put(resource.prefix + in + "x",
               R"({"kind":")" + resource.kind + R"(","apiVersion":")" + resource.api_version +
                   R"(","metadata":{"name":"x",)" + space + R"("uid":"u"}})");
  }
  for (const ServedResource& resource : catalog_->resources()) {
    if (!resource.is_stored()) continue;
    SCOPED_TRACE(resource.api_version + " " + resource.plural);
    const std::string root =
        resource.group.empty() ? "/api/v1/" : "/apis/" + resource.api_version + "/";
    for (const std::string accept :
         {"application/json", "application/vnd.kubernetes.protobuf", "application/yaml",
          "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}) {
      EXPECT_EQ(List(root + resource.plural, {{"Accept", accept}}).status, 200) << accept;
    }
    Answer answer =
        List(root + resource.plural, {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}});
    const std::string body = BodyOf(answer);
    const auto table = reflect::FromJson<api::meta::v1::Table>(body);
    ASSERT_TRUE(table.ok()) << body;
    ASSERT_EQ(table->rows.size(), 1U);
    EXPECT_GE(table->rows[0].cells.size(), table->columnDefinitions.size());
    EXPECT_EQ(table->columnDefinitions[0].name.empty(), false);
  }
}

TEST(ContinueTokenTest, WhatIsNone) {
  const auto refused = [](const std::string& text) {
    const auto token = DecodeContinue(text);
    return token.ok() ? "read: " + token->start : token.error().message();
  };
  const auto encoded = [](const std::string& start) {
    return EncodeContinue({.start = start, .version = 3});
  };
  EXPECT_EQ(refused("zzz"),
            "continue key is not valid: invalid character 'Ï' looking for beginning of value");
  EXPECT_EQ(refused("a+b"), "continue key is not valid: illegal base64 data at input byte 1");
  EXPECT_EQ(refused(EncodeContinue({.start = "x", .version = 0})),
            "continue key is not valid: incorrect encoded start resourceVersion (version "
            "meta.k8s.io/v1)");
  EXPECT_EQ(refused(encoded("")),
            "continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  EXPECT_EQ(refused(encoded("../secrets")), "continue key is not valid: ../secrets");
  EXPECT_EQ(refused(encoded("a/../b")), "continue key is not valid: a/../b");
  EXPECT_EQ(refused(encoded("a//b")), "continue key is not valid: a//b");
  EXPECT_EQ(refused("eyJ2IjoidjkiLCJydiI6MSwic3RhcnQiOiJ4In0"),
            "continue key is not valid: server does not recognize this encoded version v9");
  EXPECT_EQ(refused(encoded("a/b")), "read: a/b");
}

// Row 'label and field selector bombs, huge lists'.
TEST_F(ReadTest, LabelAndFieldSelectorBombsAndHugeLists) {
  for (int i = 0; i < 3000; ++i) PutMap("a", "map-" + std::to_string(i), "x");
  // A list of any size is made piece by piece.
  Answer large = List(maps_);
  ASSERT_NE(large.pulled, nullptr);
  size_t pieces = 0;
  size_t largest = 0;
  size_t total = 0;
  for (;; ++pieces) {
    const auto piece = large.pulled->Next();
    ASSERT_TRUE(piece.ok());
    largest = std::max(largest, piece->bytes.size());
    total += piece->bytes.size();
    if (piece->then == http::BodyPiece::Then::kEnd) break;
  }
  EXPECT_GT(pieces, 4U);
  EXPECT_LT(largest, size_t{64} << 10);
  EXPECT_GT(total, size_t{250} << 10);
  // A selector with ten thousand requirements takes longer, and no step of it long.
  std::string labels = "app=x";
  for (int i = 0; i < 10'000; ++i) labels += ",!a" + std::to_string(i);
  ListRequest request{.resource = catalog_->Find("", "v1", "configmaps"), .namespace_ = "a"};
  request.options.labelSelector = labels;
  auto reader = ListReader::Create(store_.memory, request);
  ASSERT_TRUE(reader.ok());
  std::vector<store::EntryPtr> entries;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader->Step(&entries).ok());
  EXPECT_FALSE(reader->done());
  EXPECT_EQ(entries.size(), 20U);
  // So does one of fields.
  request.options.labelSelector = "";
  for (int i = 0; i < 10'000; ++i) request.options.fieldSelector += ",metadata.name!=a";
  request.options.fieldSelector.erase(0, 1);
  auto by_field = ListReader::Create(store_.memory, request);
  ASSERT_TRUE(by_field.ok());
  entries.clear();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(by_field->Step(&entries).ok());
  EXPECT_FALSE(by_field->done());
  EXPECT_EQ(entries.size(), 20U);
}

// Pages of one list are one state, whatever is written meanwhile.
TEST_F(ReadTest, AListInPagesIsTheListAtOnceUnderWrites) {
  std::atomic<bool> stop = false;
  for (int i = 0; i < 200; ++i) PutMap("a", "m" + std::to_string(i));
  std::thread writer([&] {
    std::mt19937 random(7);
    while (!stop) {
      const std::string name = "m" + std::to_string(random() % 400);
      if (random() % 3 == 0) {
        (void)store_.memory.WriteAndWait({.key = "/registry/configmaps/a/" + name});
      } else {
        PutMap("a", name, random() % 2 == 0 ? "x" : "y");
      }
    }
  });
  std::mt19937 random(11);
  for (int round = 0; round < 30; ++round) {
    const std::string selector = round % 2 == 0 ? "" : "&labelSelector=app%3Dx";
    std::string next;
    std::string version;
    std::string names;
    do {
      const auto page =
          Decoded<ConfigMapList>(maps_ + "?limit=" + std::to_string(1 + random() % 60) + selector +
                                 (next.empty() ? "" : "&continue=" + next));
      if (version.empty()) version = page.metadata.resourceVersion;
      EXPECT_EQ(page.metadata.resourceVersion, version);
      for (const auto& item : page.items) names += item.metadata.name + " ";
      next = page.metadata.continue_;
    } while (!next.empty());
    EXPECT_EQ(names,
              Names(maps_ + "?resourceVersionMatch=Exact&resourceVersion=" + version + selector));
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace podium::apiserver
