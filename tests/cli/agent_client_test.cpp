#include "cli/agent_client.h"

#include <gtest/gtest.h>

#include <string>

namespace podium::cli {
namespace {

TEST(Columns, AlignsByCharactersAndEscapes) {
  EXPECT_EQ(Columns({{"NAME", "STATUS"}, {"w\xc3\xa4sche", "Running"}, {"a\x1b[0m", ""}}),
            "NAME       STATUS\n"
            "w\xc3\xa4sche     Running\n"
            "a\\x1b[0m   \n");
  EXPECT_EQ(Columns({}), "");
}

TEST(PodArgument, NamespaceByOptionOrSlash) {
  Invocation plain;
  EXPECT_EQ(PodArgument(plain, "web").namespace_, "default");
  EXPECT_EQ(PodArgument(plain, "shop/web").namespace_, "shop");
  EXPECT_EQ(PodArgument(plain, "shop/web").name, "web");
  Invocation with;
  with.Add("namespace", "shop");
  EXPECT_EQ(PodArgument(with, "web").namespace_, "shop");
}

TEST(Failed, NamesTheCommandAndEscapes) {
  const Outcome outcome = Failed("logs", Error(Code::kNotFound, "pods \"\x1b[1m\" not found"));
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_EQ(outcome.err, "podium logs: pods \"\\x1b[1m\" not found\n");
}

}  // namespace
}  // namespace podium::cli
