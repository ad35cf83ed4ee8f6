#include "http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <vector>

namespace podium::http {
namespace {

std::string Unzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(size_t{16} << 20, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// Text that compresses, and noise that does not.
std::string Text(size_t size, bool noise) {
  std::minstd_rand random(3);
  std::string text;
  while (text.size() < size) {
    text += noise ? std::string{static_cast<char>(random())}
                  : "{\"name\":\"pod-" + std::to_string(random() % 1000) + "\"}";
  }
  text.resize(size);
  return text;
}

class Pieces : public PulledBody {
 public:
  explicit Pieces(std::vector<BodyPiece> pieces) : pieces_(std::move(pieces)) {}
  Result<BodyPiece> Next() override {
    if (next_ == pieces_.size()) return Error(Code::kUnavailable, "asked past the end");
    return pieces_[next_++];
  }

 private:
  std::vector<BodyPiece> pieces_;
  size_t next_ = 0;
};

TEST(Gzip, IsAskedFor) {
  const auto accepts = [](const std::string& value) {
    return AcceptsGzip({{"Accept-Encoding", value}});
  };
  EXPECT_TRUE(accepts("gzip"));
  EXPECT_TRUE(accepts("deflate, GZIP;q=0.5"));
  EXPECT_FALSE(accepts("gzip;q=0"));
  EXPECT_FALSE(accepts("gzip; q=0.00"));
  EXPECT_TRUE(accepts("gzip; q=0.01"));
  EXPECT_FALSE(accepts("identity"));
  EXPECT_FALSE(accepts("xgzip"));
  EXPECT_FALSE(AcceptsGzip({}));
}

TEST(Gzip, ComesOutAsItWas) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100'000}, size_t{1'000'000}}) {
    for (const bool noise : {false, true}) {
      const std::string text = Text(size, noise);
      EXPECT_EQ(Unzip(Gzip(text)), text);
    }
  }
  EXPECT_LT(Gzip(Text(1'000'000, false)).size(), 300'000U);
}

TEST(Gzip, CompressesAsItIsTaken) {
  for (const bool noise : {false, true}) {
    for (const size_t size : {size_t{1}, size_t{1000}, size_t{70'000}, size_t{500'000}}) {
      const std::string text = Text(size, noise);
      auto body =
          Gzipped(std::make_unique<Pieces>(std::vector<BodyPiece>{{text, BodyPiece::Then::kMore},
                                                                  {"", BodyPiece::Then::kMore},
                                                                  {text, BodyPiece::Then::kMore},
                                                                  {"", BodyPiece::Then::kEnd}}));
      std::string all;
      for (int i = 0; i < 10'000; ++i) {
        auto piece = body->Next();
        ASSERT_TRUE(piece.ok()) << piece.error().message();
        // Little at a time, so that the loop gets on.
        EXPECT_LE(piece->bytes.size(), size_t{32} << 10);
        all += piece->bytes;
        if (piece->then == BodyPiece::Then::kEnd) break;
      }
      EXPECT_EQ(Unzip(all), text + text);
    }
  }
}

TEST(Gzip, HoldsNothingBackWhenItWaits) {
  for (const bool noise : {false, true}) {
    const std::string text = Text(60'000, noise);
    auto body =
        Gzipped(std::make_unique<Pieces>(std::vector<BodyPiece>{{text, BodyPiece::Then::kWait},
                                                                {"", BodyPiece::Then::kWait},
                                                                {"event", BodyPiece::Then::kMore},
                                                                {"", BodyPiece::Then::kWait},
                                                                {"", BodyPiece::Then::kEnd}}));
    std::string all;
    std::vector<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
      auto piece = body->Next();
      ASSERT_TRUE(piece.ok()) << piece.error().message();
      all += piece->bytes;
      if (piece->then != BodyPiece::Then::kMore) seen.push_back(Unzip(all));
      if (piece->then == BodyPiece::Then::kEnd) break;
    }
    EXPECT_EQ(seen, (std::vector<std::string>{text, text, text + "event", text + "event"}));
  }
}

TEST(Gzip, PassesErrorsOn) {
  auto body = Gzipped(std::make_unique<Pieces>(std::vector<BodyPiece>{}));
  EXPECT_EQ(body->Next().error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace podium::http
