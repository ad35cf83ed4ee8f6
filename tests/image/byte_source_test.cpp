#include "image/byte_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/tar_builder.h"

namespace podium::image {
namespace {

using ::testing::HasSubstr;

Result<std::string> ReadToEnd(ByteSource& source, size_t step = 1000) {
  std::string text;
  std::vector<char> buffer(step);
  while (true) {
    TRY(const size_t count, source.Read(buffer));
    if (count == 0) return text;
    text.append(buffer.data(), count);
  }
}

Result<std::string> Decompressed(const std::string& bytes) {
  MemorySource source(bytes);
  const auto plain = MakeDecompressor(source);
  return ReadToEnd(*plain, 777);
}

std::string Sample(size_t size) {
  std::string text;
  for (unsigned i = 1; text.size() < size; i = i * 1664525u + 1013904223u) {
    text.append(1 + i % 40, static_cast<char>(i >> 24));
  }
  return text;
}

TEST(ByteSourceTest, CompressionIsToldByTheFirstBytes) {
  const std::string text = Sample(1'000'000);
  EXPECT_TRUE(*Decompressed(text) == text);
  EXPECT_TRUE(*Decompressed(Gzip(text)) == text);
  EXPECT_TRUE(*Decompressed(Zstd(text)) == text);
  for (const char* little : {"", "a", "\x1f", "\x28\xb5"}) EXPECT_EQ(*Decompressed(little), little);
  EXPECT_EQ(*Decompressed(Gzip("")), "");
  EXPECT_EQ(*Decompressed(Zstd("")), "");
}

// As pigz, estargz and zstd:chunked write them.
TEST(ByteSourceTest, SeveralMembersAreOneStream) {
  EXPECT_EQ(*Decompressed(Gzip("one, ") + Gzip("") + Gzip("two")), "one, two");
  EXPECT_EQ(*Decompressed(Zstd("one, ") + Zstd("two")), "one, two");
  const std::string skipped("\x53\x2a\x4d\x18\x03\0\0\0xyz", 11);
  EXPECT_EQ(*Decompressed(skipped + Zstd("text") + skipped), "text");
}

TEST(ByteSourceTest, DamageIsFound) {
  const std::string text = Sample(300'000);
  for (const std::string& whole : {Gzip(text), Zstd(text)}) {
    for (const size_t cut : {size_t{1}, size_t{5}, whole.size() / 2}) {
      const auto read = Decompressed(whole.substr(0, whole.size() - cut));
      ASSERT_FALSE(read.ok()) << cut;
      EXPECT_EQ(read.error().code(), Code::kDataLoss);
      EXPECT_THAT(read.error().message(), HasSubstr("ends too early"));
    }
  }
  std::string gzip = Gzip(text);
  gzip[gzip.size() - 6] ^= 1;  // its checksum
  EXPECT_EQ(Decompressed(gzip).error().code(), Code::kDataLoss);
  EXPECT_THAT(Decompressed(Gzip(text) + "more").error().message(), HasSubstr("something follows"));
  std::string zstd = Zstd(text);
  zstd[zstd.size() / 2] ^= 1;
  EXPECT_FALSE(Decompressed(zstd).ok() && *Decompressed(zstd) == text);
}

TEST(ByteSourceTest, ALimitIsKept) {
  const std::string text = Sample(10'000);
  for (const size_t limit : {text.size() - 1, text.size()}) {
    MemorySource source(text);
    LimitedSource limited(source, limit, [] { return Error(Code::kResourceExhausted, "full"); });
    EXPECT_EQ(ReadToEnd(limited).ok(), limit == text.size());
  }
}

TEST(ByteSourceTest, ReadingAheadGivesTheSame) {
  const std::string text = Sample(7'000'000);
  MemorySource source(text);
  const auto ahead = MakeReadAhead(source);
  EXPECT_TRUE(*ReadToEnd(*ahead, 333'333) == text);
  std::vector<char> buffer(10);
  EXPECT_EQ(*ahead->Read(buffer), 0u);

  // What was read before an error is given before the error, and the error stays.
  MemorySource again(text);
  LimitedSource limited(again, 1'000'000, [] { return Error(Code::kResourceExhausted, "full"); });
  const auto failing = MakeReadAhead(limited);
  size_t read = 0;
  while (true) {
    const auto count = failing->Read(buffer);
    if (!count.ok()) break;
    read += *count;
  }
  EXPECT_GT(read, 500'000u);
  EXPECT_LE(read, 1'000'000u);
  EXPECT_EQ(failing->Read(buffer).error().code(), Code::kResourceExhausted);
  // Given up in the middle.
  MemorySource third(text);
  const auto dropped = MakeReadAhead(third);
  EXPECT_EQ(*dropped->Read(buffer), 10u);
}

}  // namespace
}  // namespace podium::image
