#include "reflect/object.h"

#include <gtest/gtest.h>

#include <thread>

#include "reflect/json.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Everything;

TEST(ObjectTest, HeaderIsReadWithoutDecoding) {
  auto header = ReadHeader(
      R"({"spec":{"name":"no"},"kind":"Pod","metadata":{"labels":{"name":"no"},"name":"a\u0062",)"
      R"("namespace":"ns","uid":"u","resourceVersion":"7"},"apiVersion":"v1"})");
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->kind, "Pod");
  EXPECT_EQ(header->api_version, "v1");
  EXPECT_EQ(header->name, "ab");
  EXPECT_EQ(header->namespace_, "ns");
  EXPECT_EQ(header->uid, "u");
  EXPECT_EQ(header->resource_version, "7");
}

TEST(ObjectTest, HeaderTakesNothingOfAnotherType) {
  auto header = ReadHeader(R"({"kind":1,"metadata":[{"name":"x"}],"apiVersion":null})");
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->kind, "");
  EXPECT_EQ(header->name, "");
}

TEST(ObjectTest, DamagedTextIsRefused) {
  for (const char* bad :
       {"", "[]", "{", R"({"kind":"a)", R"({"a":1}})", R"({"metadata":{"name"}})"}) {
    EXPECT_FALSE(ReadHeader(bad).ok()) << bad;
  }
}

TEST(ObjectTest, DecodesOnceForAllThreads) {
  auto object = Object::FromJson(R"({"kind":"Everything","text":"x"})", &TypeOf<Everything>());
  ASSERT_TRUE(object.ok());
  const void* seen[4] = {};
  {
    std::vector<std::jthread> threads;
    for (auto& slot : seen) {
      threads.emplace_back([&slot, &object] { slot = *(*object)->decoded(); });
    }
  }
  for (const void* pointer : seen) EXPECT_EQ(pointer, seen[0]);
  EXPECT_EQ((*(*object)->As<Everything>())->text, "x");
  EXPECT_FALSE((*object)->As<testing::Port>().ok());
}

TEST(ObjectTest, FromDecodedEncodesOnceAndKeepsTheDecodedForm) {
  AnyObject decoded(TypeOf<Everything>());
  decoded.As<Everything>()->kind = "Everything";
  const void* address = decoded.get();
  auto object = Object::FromDecoded(std::move(decoded));
  ASSERT_TRUE(object.ok());
  EXPECT_EQ((*object)->header().kind, "Everything");
  EXPECT_EQ(*(*object)->decoded(), address);
}

TEST(ObjectTest, UnknownKindsKeepTheirText) {
  auto object = Object::FromJson(R"({"kind":"Mine"})", nullptr);
  ASSERT_TRUE(object.ok());
  EXPECT_EQ((*object)->json(), R"({"kind":"Mine"})");
  EXPECT_EQ((*object)->decoded().error().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace podium::reflect
