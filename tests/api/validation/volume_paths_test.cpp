#include "api/validation/volume_paths.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(VolumePaths, NoBacksteps) {
  const auto validate = [](std::string_view target) {
    return Texts(ValidatePathNoBacksteps(target, field::Path("p")));
  };
  for (const char* target : {"", "/", "a", "/a/b", "a..b", "..a/b..", "...", "a/.../b"}) {
    EXPECT_THAT(validate(target), IsEmpty()) << target;
  }
  for (const char* target : {"..", "../a", "a/..", "a/../b", "/..", "../../.."}) {
    EXPECT_THAT(validate(target), ElementsAre("p: Invalid value: \"" + std::string(target) +
                                              "\": must not contain '..'"));
  }
}

TEST(VolumePaths, LocalDescending) {
  const auto validate = [](std::string_view target) {
    return Texts(ValidateLocalDescendingPath(target, field::Path("p")));
  };
  for (const char* target : {"", "a/b", "..a", "./a"}) EXPECT_THAT(validate(target), IsEmpty());
  EXPECT_THAT(validate("/a/../b"),
              ElementsAre("p: Invalid value: \"/a/../b\": must be a relative path",
                          "p: Invalid value: \"/a/../b\": must not contain '..'"));
}

TEST(VolumePaths, LocalNonReserved) {
  const auto validate = [](std::string_view target) {
    return Texts(ValidateLocalNonReservedPath(target, field::Path("p")));
  };
  for (const char* target : {"", "a/b", "a/..b", ".a"}) EXPECT_THAT(validate(target), IsEmpty());
  EXPECT_THAT(validate("..a"), ElementsAre("p: Invalid value: \"..a\": must not start with '..'"));
  EXPECT_THAT(validate("../a"), ElementsAre("p: Invalid value: \"../a\": must not contain '..'"));
  EXPECT_THAT(validate(".."), ElementsAre("p: Invalid value: \"..\": must not contain '..'",
                                          "p: Invalid value: \"..\": must not start with '..'"));
}

}  // namespace
}  // namespace podium::api
