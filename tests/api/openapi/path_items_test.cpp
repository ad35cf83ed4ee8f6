#include "api/openapi/path_items.h"

#include <gtest/gtest.h>

namespace podium::api::openapi {
namespace {

// The test vectors of FNV-1 with 64 bits: cbf29ce484222325, af63bd4c8601b7be, 340d8765a4dda9c2.
TEST(PathItemsTest, HashesOfParameters) {
  EXPECT_EQ(ParameterHash(""), "y_Kc5IQi");
  EXPECT_EQ(ParameterHash("a"), "r2O9TIYB");
  EXPECT_EQ(ParameterHash("foobar"), "NA2HZaTd");
}

// As kube-openapi's collectSharedParameters.
TEST(PathItemsTest, WhichParametersAreShared) {
  const struct {
    Parameter parameter;
    bool shared;
  } cases[] = {
      {{"pretty", "query", "string", "A."}, true},
      {{"namespace", "path", "string", "A."}, true},
      {{"command", "query", "string", ""}, true},
      {{"name", "path", "string", "A."}, false},
      {{"name", "query", "string", "A."}, false},
      {{"dryRun", "query", "string", "A."}, false},
      {{"fieldValidation", "query", "string", "A."}, false},
      {{"dryRun", "path", "string", "A."}, true},
  };
  SharedParameters shared;
  for (const auto& c : cases) {
    const std::string* name = shared.NameOf(c.parameter);
    ASSERT_EQ(name != nullptr, c.shared) << c.parameter.name;
    if (name) EXPECT_TRUE(name->starts_with(c.parameter.name + '-')) << *name;
  }
  EXPECT_EQ(shared.Value().object().size(), 4U);
}

// What is said of a parameter makes another of it.
TEST(PathItemsTest, SharedParametersAreToldApart) {
  SharedParameters shared;
  const std::string first = *shared.NameOf({"follow", "query", "boolean", "One."});
  EXPECT_EQ(*shared.NameOf({"follow", "query", "boolean", "One."}), first);
  EXPECT_NE(*shared.NameOf({"follow", "query", "boolean", "Two."}), first);
  EXPECT_NE(*shared.NameOf({"follow", "query", "string", "One."}), first);
  EXPECT_EQ(shared.Value().object().size(), 3U);
}

}  // namespace
}  // namespace podium::api::openapi
