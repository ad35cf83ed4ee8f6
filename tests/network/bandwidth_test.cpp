#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/network.h"

namespace podium::network {
namespace {

using ::testing::HasSubstr;

Result<Bandwidth> Ingress(const std::string& text) {
  return BandwidthOf({{"kubernetes.io/ingress-bandwidth", text}});
}

TEST(BandwidthTest, NothingAskedForIsNoLimit) {
  EXPECT_EQ(*BandwidthOf({{"example.com/ingress-bandwidth", "x"}}), Bandwidth{});
}

TEST(BandwidthTest, QuantitiesInTheirForms) {
  const std::pair<const char*, uint64_t> cases[] = {
      {"1k", 1000},       {"1000", 1000},        {"+10M", 10'000'000},
      {"1Mi", 1 << 20},   {"0.5G", 500'000'000}, {"1500000m", 1500},
      {"1e6", 1'000'000}, {"1E+6", 1'000'000},   {"1P", 1'000'000'000'000'000},
      {"1000.1", 1001},   {"1.001k", 1001},      {"1000000000u", 1000}};
  for (const auto& [text, rate] : cases) {
    const auto bandwidth = Ingress(text);
    ASSERT_TRUE(bandwidth.ok()) << text << ": " << bandwidth.error().message();
    EXPECT_EQ(bandwidth->ingress_rate, rate) << text;
    EXPECT_EQ(bandwidth->egress_rate, 0u);
  }
}

TEST(BandwidthTest, EachDirectionAlone) {
  const auto bandwidth = BandwidthOf(
      {{"kubernetes.io/ingress-bandwidth", "1M"}, {"kubernetes.io/egress-bandwidth", "2M"}});
  EXPECT_EQ(*bandwidth, (Bandwidth{.ingress_rate = 1'000'000, .egress_rate = 2'000'000}));
}

TEST(BandwidthTest, UnreasonableOnesAreRefused) {
  for (const char* text : {"999", "0", "-1M", "998999m"}) {
    EXPECT_THAT(Ingress(text).error().message(), HasSubstr("unreasonably small")) << text;
  }
  for (const char* text : {"1.1P", "1E", "2Pi", "1e16"}) {
    EXPECT_THAT(Ingress(text).error().message(), HasSubstr("unreasonably large")) << text;
  }
  const auto named = BandwidthOf({{"kubernetes.io/egress-bandwidth", "12"}});
  EXPECT_THAT(named.error().message(), HasSubstr("kubernetes.io/egress-bandwidth '12'"));
}

TEST(BandwidthTest, NoQuantity) {
  for (const char* text : {"", "M", "1..2", "1.2.3", "1KK", "1Ki1", "10 M", "1e", "1e+", "1e1000",
                           "0x10", "1mi", ".", "fast", "1M\n"}) {
    const auto bandwidth = Ingress(text);
    ASSERT_FALSE(bandwidth.ok()) << text;
    EXPECT_EQ(bandwidth.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(bandwidth.error().message(), HasSubstr("quantities must match")) << text;
  }
}

}  // namespace
}  // namespace podium::network
