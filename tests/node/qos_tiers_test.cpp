#include "node/qos_tiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class QosTiersTest : public ::testing::Test {
 protected:
  QosTiersTest() { config_.allocatable["cpu"] = *api::Quantity::Parse("4"); }

  Result<void> Add(const std::string& uid, const std::string& resources) {
    v1::Pod pod = PodOf("containers: [{name: a, resources: {" + resources + "}}]");
    pod.metadata.uid = uid;
    return tiers_.Add(pod);
  }
  std::vector<std::string> Take() { return std::exchange(set_, {}); }

  NodeConfig config_;
  std::vector<std::string> set_;
  int failures_ = 0;
  QosTiers tiers_{config_, [this](const std::string& path, uint64_t shares) -> Result<void> {
                    if (failures_ > 0 && failures_-- > 0) return Error(Code::kUnavailable, "no");
                    set_.push_back(path + " " + std::to_string(shares));
                    return {};
                  }};
};

TEST_F(QosTiersTest, BurstableIsTheSumOfItsPods) {
  ASSERT_TRUE(Add("g", "limits: {cpu: 1, memory: 1Gi}").ok());
  EXPECT_THAT(Take(),
              ElementsAre("kubepods 4096", "kubepods/burstable 2", "kubepods/besteffort 2"));
  ASSERT_TRUE(Add("b1", "requests: {cpu: 250m}").ok());
  EXPECT_THAT(Take(), ElementsAre("kubepods/burstable 256"));
  ASSERT_TRUE(Add("b2", "requests: {cpu: 2}").ok());
  EXPECT_THAT(Take(), ElementsAre("kubepods/burstable 2304"));
  // Once more, and pods of the other tiers, change nothing.
  ASSERT_TRUE(Add("b2", "requests: {cpu: 2}").ok());
  ASSERT_TRUE(Add("e", "").ok());
  ASSERT_TRUE(tiers_.Remove("e").ok());
  ASSERT_TRUE(tiers_.Remove("g").ok());
  EXPECT_THAT(Take(), IsEmpty());
  ASSERT_TRUE(tiers_.Remove("b1").ok());
  ASSERT_TRUE(tiers_.Remove("b2").ok());
  EXPECT_THAT(Take(), ElementsAre("kubepods/burstable 2048", "kubepods/burstable 2"));
}

TEST_F(QosTiersTest, WhatCouldNotBeSetIsSetWithTheNextChange) {
  failures_ = 1;
  EXPECT_FALSE(Add("b1", "requests: {cpu: 1}").ok());
  EXPECT_THAT(Take(), IsEmpty());
  ASSERT_TRUE(Add("e", "").ok());
  EXPECT_THAT(Take(),
              ElementsAre("kubepods 4096", "kubepods/burstable 1024", "kubepods/besteffort 2"));
}

}  // namespace
}  // namespace podium::node
