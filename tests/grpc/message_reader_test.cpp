#include "grpc/message_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpc/status.h"

namespace podium::grpc {
namespace {

using std::chrono::nanoseconds;
using ::testing::HasSubstr;

TEST(ParseTimeout, ReadsDigitsAndAUnit) {
  EXPECT_EQ(*ParseTimeout("3H"), std::chrono::hours(3));
  EXPECT_EQ(*ParseTimeout("2M"), std::chrono::minutes(2));
  EXPECT_EQ(*ParseTimeout("10S"), std::chrono::seconds(10));
  EXPECT_EQ(*ParseTimeout("119999m"), std::chrono::milliseconds(119999));
  EXPECT_EQ(*ParseTimeout("7u"), std::chrono::microseconds(7));
  EXPECT_EQ(*ParseTimeout("99999999n"), nanoseconds(99999999));
  // More hours than nanoseconds can count.
  EXPECT_GT(*ParseTimeout("99999999H"), std::chrono::hours(24 * 365));
  EXPECT_EQ(*ParseTimeout("99999999M"), std::chrono::minutes(99999999));
}

TEST(ParseTimeout, RefusesAllElse) {
  for (const char* text :
       {"", "S", "1", "-1S", "+1S", " 1S", "1 S", "1s", "1.5S", "123456789S", "1SS", "0x1S"}) {
    EXPECT_EQ(ParseTimeout(text).error().code(), Code::kInternal) << text;
  }
}

TEST(MessageReader, TakesAMessageInAnyPieces) {
  const std::string message = "hello, " + std::string(1000, 'x');
  for (const size_t piece : {1, 4, 5, 6, 2000}) {
    MessageReader reader;
    const std::string framed = Framed(message);
    for (size_t at = 0; at < framed.size(); at += piece) {
      ASSERT_TRUE(reader.Take(std::string_view(framed).substr(at, piece)).ok());
    }
    EXPECT_EQ(*reader.End(), message);
  }
  MessageReader empty;
  ASSERT_TRUE(empty.Take(Framed("")).ok());
  EXPECT_EQ(*empty.End(), "");
}

TEST(MessageReader, RefusesWhatIsNone) {
  MessageReader nothing;
  EXPECT_EQ(nothing.End().error().code(), Code::kInternal);
  for (const size_t size : {1, 4, 5, 6}) {
    MessageReader part;
    ASSERT_TRUE(part.Take(Framed("abc").substr(0, size)).ok());
    EXPECT_EQ(part.End().error().message(), "unexpected EOF");
  }
  MessageReader two;
  EXPECT_EQ(two.Take(Framed("a") + Framed("b")).error().code(), Code::kInternal);
  MessageReader compressed;
  EXPECT_THAT(compressed.Take(std::string("\1\0\0\0\1x", 6)).error().message(),
              HasSubstr("compressed flag"));
  MessageReader strange;
  EXPECT_EQ(strange.Take(std::string("\2\0\0\0\1x", 6)).error().code(), Code::kInternal);
}

TEST(MessageReader, RefusesALargeMessageByItsLength) {
  MessageReader fits;
  EXPECT_TRUE(fits.Take(std::string("\0\1\0\0\0", 5)).ok());
  MessageReader large;
  const auto taken = large.Take(std::string("\0\1\0\0\1", 5));
  EXPECT_EQ(taken.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(taken.error().message(),
            "grpc: received message larger than max (16777217 vs. 16777216)");
}

TEST(CheckEncoding, RefusesCompression) {
  EXPECT_TRUE(CheckEncoding({}).ok());
  EXPECT_TRUE(CheckEncoding({{"grpc-encoding", "identity"}}).ok());
  EXPECT_EQ(CheckEncoding({{"grpc-encoding", "gzip"}}).error().code(), Code::kUnsupported);
}

TEST(StatusFields, EncodeMessages) {
  const http::Headers fields = StatusFields(StatusCode::kNotFound, "50% of \"é\"\r\n");
  EXPECT_EQ(fields.Get("grpc-status"), "5");
  EXPECT_EQ(fields.Get("grpc-message"), "50%25 of \"%C3%A9\"%0D%0A");
  EXPECT_FALSE(StatusFields(StatusCode::kOk, "").Find("grpc-message"));
  // Never a part of an escape.
  const std::string cut = EncodeStatusMessage(std::string(100'000, '\n'));
  EXPECT_LE(cut.size(), 8U << 10);
  EXPECT_EQ(cut.size() % 3, 0U);
}

}  // namespace
}  // namespace podium::grpc
