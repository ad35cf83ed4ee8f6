#include "api/validation/job_indexes.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

TEST(JobIndexes, Counts) {
  struct Case {
    const char* text;
    int32_t count;
  };
  for (const auto& [text, count] :
       {Case{"", 0}, Case{"0", 1}, Case{"0-9", 10}, Case{"1,3-5,7", 5}, Case{"+1,02", 2}}) {
    const Result<int32_t> result = CountIndexes(text, 10);
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(*result, count) << text;
  }
}

TEST(JobIndexes, Problems) {
  struct Case {
    const char* text;
    const char* problem;
  };
  for (const auto& [text, problem] : {
           Case{"x", "cannot convert string to integer for index: \"x\""},
           Case{"1,", "cannot convert string to integer for index: \"\""},
           Case{"-1", "cannot convert string to integer for index: \"\""},
           Case{"1-", "cannot convert string to integer for index: \"\""},
           Case{"10", "too large index: \"10\""},
           Case{"1-10", "too large index: \"10\""},
           Case{"3-3", "non-increasing order, previous: 3, current: 3"},
           Case{"5-2", "non-increasing order, previous: 5, current: 2"},
           Case{"2,2", "non-increasing order, previous: 2, current: 2"},
           Case{"1-4,3", "non-increasing order, previous: 4, current: 3"},
           Case{"1-2-3",
                "the fragment \"1-2-3\" violates the requirement that an index interval can have "
                "at most two parts separated by '-'"},
       }) {
    const Result<int32_t> result = CountIndexes(text, 10);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().message(), problem) << text;
  }
}

TEST(JobIndexes, Disjoint) {
  for (const auto& [completed, failed] :
       {std::pair{"", "0-9"}, std::pair{"0-9", ""}, std::pair{"0,2,4-6", "1,3,7-9"},
        std::pair{"x,1", "2"}, std::pair{"1", "x,0"}, std::pair{"5", "1-4,6"}}) {
    EXPECT_TRUE(CheckIndexesDisjoint(completed, failed, 10).ok()) << completed << " " << failed;
  }
  struct Case {
    const char* completed;
    const char* failed;
    int index;
  };
  for (const auto& [completed, failed, index] :
       {Case{"1", "1", 1}, Case{"0-5", "3", 3}, Case{"3", "0-5", 3}, Case{"0,2-4", "1,4-6", 4},
        Case{"x,2", "1,2", 2}}) {
    const Result<void> result = CheckIndexesDisjoint(completed, failed, 10);
    ASSERT_FALSE(result.ok()) << completed << " " << failed;
    EXPECT_EQ(result.error().message(),
              "failedIndexes and completedIndexes overlap at index: " + std::to_string(index));
  }
}

}  // namespace
}  // namespace podium::api
