#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/result.h"

namespace podium {
namespace {

TEST(ErrorTest, FromErrnoChoosesCodeAndKeepsErrno) {
  Error error = Error::FromErrno(ENOENT, "opening /x");
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_EQ(error.os_errno(), ENOENT);
  EXPECT_EQ(error.message(), "opening /x: No such file or directory");
}

TEST(ErrorTest, ContextGoesInFront) {
  Error error = Error(Code::kInternal, "inner").WithContext("outer");
  EXPECT_EQ(error.message(), "outer: inner");
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(Code::kInvalidArgument, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  TRY(int half, Half(n));
  TRY(int quarter, Half(half));
  return quarter;
}

TEST(ResultTest, TryReturnsTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  ASSERT_FALSE(Quarter(6).ok());
  EXPECT_EQ(Quarter(6).error().message(), "odd");
}

}  // namespace
}  // namespace podium
