#include "image/platform.h"

#include <gtest/gtest.h>

namespace podium::image {
namespace {

Platform Of(const char* text) {
  auto platform = ParsePlatform(text);
  EXPECT_TRUE(platform.ok()) << text;
  return platform.ok() ? *platform : Platform();
}

TEST(PlatformTest, IsSpelledInOneWay) {
  const std::pair<const char*, const char*> spellings[] = {
      {"linux/x86_64", "linux/amd64"},     {"linux/x86-64", "linux/amd64"},
      {"Linux/AMD64/v1", "linux/amd64"},   {"linux/amd64/v3", "linux/amd64/v3"},
      {"linux/i386", "linux/386"},         {"linux/aarch64", "linux/arm64"},
      {"linux/arm64/v8", "linux/arm64"},   {"linux/arm64/8", "linux/arm64"},
      {"linux/arm64/v8.0", "linux/arm64"}, {"linux/arm64/9", "linux/arm64/v9"},
      {"linux/armhf", "linux/arm/v7"},     {"linux/armel", "linux/arm/v6"},
      {"linux/arm", "linux/arm/v7"},       {"linux/arm/6", "linux/arm/v6"},
      {"macos/arm64", "darwin/arm64"},     {"linux/riscv64", "linux/riscv64"},
  };
  for (const auto& [written, normal] : spellings) {
    EXPECT_EQ(PlatformText(Of(written)), normal) << written;
  }
  EXPECT_EQ(PlatformText(Of("s390x")), "linux/s390x");
  EXPECT_EQ(PlatformText(Of("linux")), PlatformText(HostPlatform()));
  for (const char* wrong : {"", "/", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b", "li\nux"}) {
    EXPECT_EQ(ParsePlatform(wrong).error().code(), Code::kInvalidArgument) << wrong;
  }
}

TEST(PlatformTest, AMachineRunsWhatItIsAndWhatCameBefore) {
  auto rank = [](const char* machine, const char* image) {
    return PlatformMatcher(Of(machine)).Rank(Of(image));
  };
  const std::optional<size_t> none;
  EXPECT_EQ(rank("linux/amd64", "linux/amd64"), 0u);
  EXPECT_EQ(rank("linux/amd64", "linux/386"), 1u);
  EXPECT_EQ(rank("linux/amd64", "linux/amd64/v2"), none);
  EXPECT_EQ(rank("linux/amd64/v3", "linux/amd64/v2"), 1u);
  EXPECT_EQ(rank("linux/amd64/v3", "linux/amd64"), 2u);
  EXPECT_EQ(rank("linux/386", "linux/amd64"), none);
  EXPECT_EQ(rank("linux/amd64", "windows/amd64"), none);
  EXPECT_EQ(rank("linux/arm/v7", "linux/arm/v7"), 0u);
  EXPECT_EQ(rank("linux/arm/v7", "linux/arm/v5"), 2u);
  EXPECT_EQ(rank("linux/arm/v6", "linux/arm/v7"), none);
  EXPECT_EQ(rank("linux/arm64", "linux/arm64/v8"), 0u);
  EXPECT_EQ(rank("linux/arm64", "linux/arm/v8"), 1u);
  EXPECT_EQ(rank("linux/arm64", "linux/arm/v7"), 2u);
  EXPECT_EQ(rank("linux/arm64/v8.2", "linux/arm64"), 2u);
  EXPECT_EQ(rank("linux/arm64/v9", "linux/arm64/v8.5"), 1u);
  EXPECT_EQ(rank("linux/arm64/v9", "linux/arm64/v8.6"), none);
  EXPECT_EQ(rank("linux/arm64", "linux/arm64/v9"), none);
  EXPECT_EQ(rank("linux/riscv64", "linux/riscv64"), 0u);
}

}  // namespace
}  // namespace podium::image
