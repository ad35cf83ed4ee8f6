// The operations of lists and maps against the types themselves: what the engine reads of a
// container's memory must be what the container says.
#include "reflect/ops.h"

#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <vector>

#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using podium::reflect::testing::Everything;
using podium::reflect::testing::Port;

template <class T>
class ListOpsTest : public ::testing::Test {};
using Elements = ::testing::Types<Bool, int32_t, int64_t, std::string, Bytes, Port, Everything>;
TYPED_TEST_SUITE(ListOpsTest, Elements);

TYPED_TEST(ListOpsTest, SaysWhatTheListSays) {
  const ListOps& ops = kListOps<TypeParam>;
  List<TypeParam> list;
  EXPECT_EQ(ops.stride, sizeof(TypeParam));
  for (size_t size : {0, 1, 2, 7, 3, 100, 1, 0, 5}) {
    list.resize(size);
    EXPECT_EQ(ops.size(&list), size);
    EXPECT_EQ(ListOps::empty(&list), list.empty());
    EXPECT_EQ(ListOps::data(&list), list.data());
  }
}

TYPED_TEST(ListOpsTest, AddsOneDefaultElementAtATime) {
  const ListOps& ops = kListOps<TypeParam>;
  List<TypeParam> list;
  for (size_t size = 1; size <= 40; ++size) {
    void* added = ops.add(&list, nullptr);
    ASSERT_EQ(list.size(), size);
    EXPECT_EQ(added, &list.back());
    if constexpr (std::equality_comparable<TypeParam>) {
      EXPECT_TRUE(list.back() == TypeParam());
    }
  }
  ops.resize(&list, nullptr, 3);
  EXPECT_EQ(list.size(), 3u);
  ops.clear(&list, nullptr);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(ops.add(&list, nullptr), list.data());
}

TEST(ListOpsTest, KeepsTheElementsWhenItGrows) {
  const ListOps& ops = kListOps<std::string>;
  List<std::string> list;
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    expected.push_back(std::string(static_cast<size_t>(i), 'x'));
    *static_cast<std::string*>(ops.add(&list, nullptr)) = expected.back();
  }
  EXPECT_EQ(list, expected);
}

TEST(MapOpsTest, SaysWhatTheMapSays) {
  Map<Port> map;
  bool inserted = false;
  for (size_t size = 0; size < 5; ++size) {
    EXPECT_EQ(MapOps::size(&map), size);
    EXPECT_EQ(MapOps::empty(&map), map.empty());
    kMapOps<Port>.insert(&map, nullptr, std::to_string(size), &inserted);
    EXPECT_TRUE(inserted);
  }
}

TEST(MapOpsTest, InsertsInAnyOrderAndOnce) {
  Map<Port> map;
  bool inserted = false;
  for (const char* key : {"m", "z", "a", "n", "", "zz"}) {
    auto* port = static_cast<Port*>(kMapOps<Port>.insert(&map, nullptr, key, &inserted));
    EXPECT_TRUE(inserted) << key;
    EXPECT_EQ(port, &map.at(key));
    port->name = key;
  }
  for (const char* key : {"zz", "", "m", "a"}) {
    const void* port = kMapOps<Port>.insert(&map, nullptr, key, &inserted);
    EXPECT_FALSE(inserted) << key;
    EXPECT_EQ(port, &map.at(key));
    EXPECT_EQ(map.at(key).name, key);
  }
  EXPECT_EQ(map.size(), 6u);
}

TEST(FieldTest, FindsTheFlagOfANullable) {
  Everything object;
  size_t found = 0;
  for (const Field& field : TypeOf<Everything>().fields) {
    bool* present = field.present(field.at(&object));
    ASSERT_EQ(present != nullptr, field.has(kNullable)) << field.name();
    if (!present) continue;
    EXPECT_FALSE(*present) << field.name();
    *present = true;
    ++found;
  }
  EXPECT_EQ(found, 2u);
  EXPECT_TRUE(object.nullablePorts.present);
  EXPECT_TRUE(object.nullableMap.present);
}

}  // namespace
}  // namespace podium::reflect
