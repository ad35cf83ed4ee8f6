#include "apiserver/stored_object.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "api/types/core_v1.h"
#include "apiserver/objects.h"
#include "apiserver/storage_keys.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::Namespace;

store::EntryPtr EntryOf(std::string_view json) {
  return store::Entry::Make("/registry/x", json, {.create = 7, .mod = 12, .version = 2});
}

std::string WithVersion(std::string_view json, bool without_kind) {
  const store::EntryPtr entry = EntryOf(json);
  const auto stored = StoredObject::Of(*entry);
  if (!stored.ok()) return stored.error().message();
  std::string out;
  AppendWithVersion(entry->value(), (*stored)->layout(), entry->mod_revision(), without_kind, &out);
  return out;
}

TEST(StoredObjectTest, TheVersionStandsBehindTheUid) {
  EXPECT_EQ(
      WithVersion(
          R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b","uid":"c","generation":1},"spec":{}})",
          false),
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b","uid":"c","resourceVersion":"12","generation":1},"spec":{}})");
  EXPECT_EQ(WithVersion(R"({"kind":"Pod","apiVersion":"v1","metadata":{"uid":"c"}})", true),
            R"({"metadata":{"uid":"c","resourceVersion":"12"}})");
  EXPECT_EQ(WithVersion(R"({"metadata":{},"apiVersion":"v1"})", false),
            R"({"metadata":{"resourceVersion":"12"},"apiVersion":"v1"})");
  EXPECT_EQ(WithVersion(R"({"metadata":{"labels":{}}})", false),
            R"({"metadata":{"resourceVersion":"12","labels":{}}})");
  // Members of other objects that are called so do not count.
  EXPECT_EQ(WithVersion(R"({"spec":{"metadata":{"uid":"x"}},"metadata":{"uid":"c"}})", true),
            R"({"spec":{"metadata":{"uid":"x"}},"metadata":{"uid":"c","resourceVersion":"12"}})");
}

TEST(StoredObjectTest, WhatIsNoObjectIsDamaged) {
  for (const std::string value : {"", "[]", "{", R"({"kind":"Pod"})", R"({"metadata":3})"}) {
    const auto stored = StoredObject::Of(*EntryOf(value));
    ASSERT_FALSE(stored.ok()) << value;
    EXPECT_EQ(stored.error().code(), Code::kDataLoss);
  }
}

TEST(StoredObjectTest, LabelsAndTheDecodedForm) {
  const store::EntryPtr entry = EntryOf(
      R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","labels":{"x":"y"}},"data":{"k":"v"}})");
  const auto stored = StoredObject::Of(*entry);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ((*stored)->labels().find("x")->second, "y");
  const auto first = (*stored)->Decode(reflect::TypeOf<ConfigMap>(), false);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->As<ConfigMap>()->metadata.resourceVersion, "12");
  EXPECT_EQ((*(*stored)->Decode(reflect::TypeOf<ConfigMap>(), false)).get(), first->get());
}

TEST(ObjectsTest, GetAndList) {
  TestStore store;
  const Objects& objects = store.objects;
  for (const auto& [name_space, name] :
       {std::pair{"a", "one"}, std::pair{"a", "two"}, std::pair{"b", "three"}}) {
    ConfigMap map;
    map.metadata.namespace_ = name_space;
    map.metadata.name = name;
    store.Put(map);
  }
  const auto all = objects.List<ConfigMap>("");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 3U);
  const auto some = objects.List<ConfigMap>("a");
  ASSERT_TRUE(some.ok());
  ASSERT_EQ(some->size(), 2U);
  EXPECT_EQ((*some)[1]->metadata.name, "two");
  const auto one = objects.Get<ConfigMap>("b", "three");
  ASSERT_TRUE(one.ok() && *one != nullptr);
  EXPECT_EQ((*one)->metadata.resourceVersion, "3");
  const auto none = objects.Get<Namespace>("", "three");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, nullptr);
}

TEST(StorageKeysTest, AsUpstream) {
  EXPECT_EQ(Objects::PrefixOf(reflect::TypeOf<api::core::v1::Node>()), "/registry/minions/");
  EXPECT_EQ(Objects::PrefixOf(reflect::TypeOf<api::core::v1::Service>()),
            "/registry/services/specs/");
  EXPECT_EQ(KeyOf(CustomKeyPrefix("example.com", "crontabs"), "default", "x"),
            "/registry/example.com/crontabs/default/x");
}

}  // namespace
}  // namespace podium::apiserver
