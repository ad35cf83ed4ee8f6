// The time of the last graceful shutdown is known to the next agent.
#include "node/shutdown/shutdown_record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node/fake_services.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;

class ShutdownRecordTest : public ::testing::Test {
 protected:
  // As of an agent that is new.
  struct Agent {
    explicit Agent(FakeNode& node)
        : record({.clock = node.time, .start = start, .end = end}, node.config.data_dir) {}
    Gauge start;
    Gauge end;
    ShutdownRecord record;
  };
  void SetUp() override { std::filesystem::create_directories(node_.config.data_dir); }
  int64_t Now() const { return node_.time.Now() / kNanosPerSecond; }

  FakeNode node_;
};

TEST_F(ShutdownRecordTest, TheNextAgentTellsIt) {
  Agent first(node_);
  ASSERT_TRUE(first.record.Load().ok()) << "there was none";
  EXPECT_EQ(first.start.value(), 0);
  const int64_t begun = Now();
  ASSERT_TRUE(first.record.Begin().ok());
  EXPECT_EQ(first.start.value(), begun);

  Agent killed(node_);
  ASSERT_TRUE(killed.record.Load().ok());
  EXPECT_EQ(killed.start.value(), begun);
  EXPECT_EQ(killed.end.value(), 0) << "it was killed meanwhile";

  node_.time.RunFor(7s);
  ASSERT_TRUE(first.record.End().ok());
  node_.time.RunFor(7s);
  ASSERT_TRUE(first.record.End().ok());
  Agent next(node_);
  ASSERT_TRUE(next.record.Load().ok());
  EXPECT_EQ(next.start.value(), begun);
  EXPECT_EQ(next.end.value(), begun + 7) << "it ended once";

  ASSERT_TRUE(next.record.Begin().ok());
  EXPECT_EQ(next.start.value(), begun + 14);
  EXPECT_EQ(next.end.value(), 0);
}

TEST_F(ShutdownRecordTest, NoEndWithoutABeginning) {
  Agent agent(node_);
  ASSERT_TRUE(agent.record.End().ok());
  EXPECT_EQ(agent.end.value(), 0);
}

TEST_F(ShutdownRecordTest, FilesOfOthersAreRefused) {
  for (const char* text : {"", "[1]", R"({"startTime": "yesterday"})", R"({"startTime": 7})"}) {
    std::ofstream(node_.config.data_dir + "/graceful_node_shutdown_state") << text;
    Agent agent(node_);
    EXPECT_FALSE(agent.record.Load().ok()) << text;
    EXPECT_EQ(agent.start.value(), 0);
  }
}

}  // namespace
}  // namespace podium::node
