// The generator's index agrees with the engine's hash: every key of every type is found.
#include "reflect/name_index.h"

#include <gtest/gtest.h>

#include "api/types/registry.h"

namespace podium::api {
namespace {

TEST(NameIndexTest, EveryKeyOfEveryTypeIsFound) {
  size_t keys = 0;
  for (const PackageTypes& package : kPackages) {
    for (const reflect::Type* type : package.types) {
      if (!type->index.slots) {
        EXPECT_TRUE(type->fields.empty() || type->form != reflect::Form::kStruct) << type->name;
        continue;
      }
      for (size_t i = 0; i < type->fields.size(); ++i, ++keys) {
        const reflect::Field& field = type->fields[i];
        const uint64_t bits = reflect::KeyBits(field.quoted, field.name_size + size_t{3});
        EXPECT_EQ(type->index.At(bits), i) << type->name << "." << field.name();
      }
    }
  }
  EXPECT_GT(keys, 2000u);
}

}  // namespace
}  // namespace podium::api
