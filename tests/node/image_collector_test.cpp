#include "node/image_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/fake_services.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ImageCollectorTest : public ::testing::Test {
 protected:
  FakeNode node_;
  uint64_t capacity_ = 1000;
  Result<image::GcResult> result_ = image::GcResult();
  ImageCollector collector_{[this] { return result_; },
                            [this]() -> Result<image::ImageUsage> {
                              image::ImageUsage usage;
                              usage.capacity_bytes = capacity_;
                              return usage;
                            },
                            node_.events};
};

image::GcResult Freed(uint64_t freed, uint64_t wanted) {
  image::GcResult out;
  out.removed.bytes = freed;
  out.wanted = wanted;
  return out;
}

TEST_F(ImageCollectorTest, WhatGoesWellIsNotTold) {
  collector_.Run();
  result_ = Freed(20, 20);
  collector_.Run();
  EXPECT_THAT(node_.Events(), IsEmpty());
}

TEST_F(ImageCollectorTest, TooLittleWasFreed) {
  constexpr char kMessage[] =
      "Failed to garbage collect required amount of images. Attempted to free 300 bytes, but only "
      "found 20 bytes eligible to free.";
  result_ = Freed(20, 300);
  collector_.Run();
  EXPECT_THAT(node_.Events(), ElementsAre(std::string("FreeDiskSpaceFailed: ") + kMessage));
  collector_.Run();
  EXPECT_THAT(node_.Events(), ElementsAre(std::string("FreeDiskSpaceFailed: ") + kMessage + " x2",
                                          std::string("ImageGCFailed: ") + kMessage));
}

TEST_F(ImageCollectorTest, AFailureIsToldWhenItComesAgain) {
  result_ = Error(Code::kUnavailable, "the disk is away");
  collector_.Run();
  EXPECT_THAT(node_.Events(), IsEmpty());
  result_ = Freed(0, 0);
  collector_.Run();
  result_ = Error(Code::kUnavailable, "the disk is away");
  collector_.Run();
  EXPECT_THAT(node_.Events(), IsEmpty());
  collector_.Run();
  EXPECT_THAT(node_.Events(), ElementsAre("ImageGCFailed: the disk is away"));
}

TEST_F(ImageCollectorTest, ADiskWithoutCapacity) {
  capacity_ = 0;
  collector_.Run();
  EXPECT_THAT(node_.Events(),
              ElementsAre("InvalidDiskCapacity: invalid capacity 0 on image filesystem"));
}

}  // namespace
}  // namespace podium::node
