#include "api/descriptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "api/types/descriptions.h"
#include "api/types/meta_v1.h"
#include "api/types/registry.h"

namespace podium::api {
namespace {

using reflect::Field;
using reflect::Type;
using testing::EndsWith;

std::string_view DescriptionOf(const Type& type, std::string_view field) {
  return api::DescriptionOf(type, *type.Find(field));
}

TEST(DescriptionsTest, TypesAndFieldsHaveTheirOwnSentence) {
  const Type& port = core::v1::kContainerPortType;
  EXPECT_EQ(api::DescriptionOf(port), "A port that a container listens on.");
  EXPECT_EQ(DescriptionOf(port, "protocol"), "The transport protocol.");
  EXPECT_EQ(DescriptionOf(port, "hostIP"),
            "The address of the node that hostPort is bound to; empty for all of them.");
}

TEST(DescriptionsTest, ListsDescribeThemselves) {
  const Type& list = core::v1::kPodListType;
  EXPECT_EQ(api::DescriptionOf(list), "A list of Pod objects.");
  EXPECT_EQ(DescriptionOf(list, "items"), "The objects.");
}

// A field without words of its own, whose type has some.
TEST(DescriptionsTest, FieldsFallBackToTheirType) {
  const std::string_view own = api::DescriptionOf(meta::v1::kListMetaType);
  EXPECT_NE(own, "");
  EXPECT_EQ(DescriptionOf(core::v1::kPodListType, "metadata"), own);
  EXPECT_EQ(api::DescriptionOf(kQuantityType), "An amount of a resource, such as 500m or 1Gi.");
}

TEST(DescriptionsTest, TypesOutsideTheTablesHaveNone) {
  Type copy = core::v1::kContainerPortType;
  EXPECT_EQ(api::DescriptionOf(copy), "");
  EXPECT_EQ(api::DescriptionOf(copy, copy.fields[0]), "");
  const reflect::Package elsewhere{"g", "v", "", ""};
  copy.package = &elsewhere;
  EXPECT_EQ(api::DescriptionOf(copy), "");
}

TEST(DescriptionsTest, EveryTextIsOneSentencePerFieldAtMost) {
  ASSERT_EQ(kDescriptions.size(), kPackages.size());
  size_t texts = 0;
  for (size_t i = 0; i < kPackages.size(); ++i) {
    ASSERT_EQ(kDescriptions[i].size(), kPackages[i].types.size());
    for (const Type* type : kPackages[i].types) {
      SCOPED_TRACE(type->name);
      const auto check = [&](std::string_view text) {
        if (text.empty()) return;
        EXPECT_THAT(text, EndsWith("."));
        EXPECT_LE(text.size(), 110u);
        EXPECT_EQ(text.find('\n'), text.npos);
        ++texts;
      };
      check(api::DescriptionOf(*type));
      for (const Field& field : type->fields) check(api::DescriptionOf(*type, field));
    }
  }
  EXPECT_GE(texts, 100u);
}

}  // namespace
}  // namespace podium::api
