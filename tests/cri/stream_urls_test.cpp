#include "cri/stream_urls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "runtime/fake_runtime.h"

namespace podium::cri {
namespace {

using ::testing::MatchesRegex;
using ::testing::StartsWith;

class StreamUrlsTest : public ::testing::Test {
 protected:
  void Serve(const std::string& host) {
    auto listener = http::Listener::Tcp(host, 0);
    ASSERT_TRUE(listener.ok());
    ASSERT_TRUE(urls_->Serve(*std::move(listener), host).ok());
  }

  runtime::FakeRuntime runtime_;
  ThreadExecutor executor_;
  std::unique_ptr<StreamUrls> urls_ = *StreamUrls::Create(runtime_, executor_);
};

TEST_F(StreamUrlsTest, NameWhereTheyAreServed) {
  EXPECT_EQ(urls_->For(wire::cri::ExecRequest()).error().code(), Code::kUnavailable);
  Serve("127.0.0.1");
  const std::string place = "http://127\\.0\\.0\\.1:[0-9]+/";
  EXPECT_THAT(*urls_->For(wire::cri::ExecRequest()), MatchesRegex(place + "exec/[0-9a-f-]{36}"));
  EXPECT_THAT(*urls_->For(wire::cri::AttachRequest()), MatchesRegex(place + "attach/.{36}"));
  EXPECT_THAT(*urls_->For(wire::cri::PortForwardRequest()),
              MatchesRegex(place + "portforward/.{36}"));
}

TEST_F(StreamUrlsTest, HaveBracketsAroundAnAddressOfSixteenBytes) {
  auto listener = http::Listener::Tcp("::1", 0);
  if (!listener.ok()) GTEST_SKIP() << "no IPv6";
  ASSERT_TRUE(urls_->Serve(*std::move(listener), "::1").ok());
  EXPECT_THAT(*urls_->For(wire::cri::ExecRequest()), StartsWith("http://[::1]:"));
}

TEST_F(StreamUrlsTest, AreBoundedInNumber) {
  Serve("127.0.0.1");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(*urls_->For(wire::cri::ExecRequest()));
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(urls_->For(wire::cri::ExecRequest()).error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace podium::cri
