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

TEST(ContainerArgument, FirstOrNamed) {
  v1::Pod pod;
  pod.metadata.name = "p";
  pod.spec.containers.resize(2);
  pod.spec.containers[0].name = "a";
  pod.spec.containers[1].name = "b";
  pod.spec.initContainers.resize(1);
  pod.spec.initContainers[0].name = "i";
  Invocation invocation;
  EXPECT_EQ(*ContainerArgument(pod, invocation), "a");
  invocation.Add("container", "i");
  EXPECT_EQ(*ContainerArgument(pod, invocation), "i");
  invocation.Add("container", "x");
  const auto wrong = ContainerArgument(pod, invocation);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(), "pod \"p\" has no container \"x\"; it has a, b, i");
}

TEST(Failed, NamesTheCommandAndEscapes) {
  const Outcome outcome = Failed("logs", Error(Code::kNotFound, "pods \"\x1b[1m\" not found"));
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_EQ(outcome.err, "podium logs: pods \"\\x1b[1m\" not found\n");
}

}  // namespace
}  // namespace podium::cli
