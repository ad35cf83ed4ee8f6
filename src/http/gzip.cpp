#include "http/gzip.h"

#include <zlib.h>

#include <array>

#include "base/text.h"

namespace podium::http {
namespace {

constexpr int kLevel = 1;
// 15 bits of window, and 16 for gzip instead of zlib's own wrapping.
constexpr int kWindowBits = 15 + 16;
constexpr int kMemory = 8;
// What is made in one call of Next at most, and what is read for it: some tenths of a millisecond.
constexpr size_t kOut = size_t{32} << 10;
constexpr size_t kIn = size_t{64} << 10;

// zlib fails only without memory, or when it is used wrongly.
void Begin(z_stream* stream) {
  if (deflateInit2(stream, kLevel, Z_DEFLATED, kWindowBits, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
}

void Feed(z_stream* stream, std::string_view bytes) {
  stream->next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // NOLINT: it only reads
  stream->avail_in = static_cast<uInt>(bytes.size());
}

class GzippedBody : public PulledBody {
 public:
  explicit GzippedBody(std::unique_ptr<PulledBody> body) : body_(std::move(body)) {
    Begin(&stream_);
  }
  ~GzippedBody() override { deflateEnd(&stream_); }
  GzippedBody(const GzippedBody&) = delete;
  GzippedBody& operator=(const GzippedBody&) = delete;

  void Attach(BodyWaker waker) override { body_->Attach(std::move(waker)); }
  Result<BodyPiece> Next() override;

 private:
  // One call of zlib; true when all that it was to write is written.
  bool Deflate(int flush);
  std::string_view Made() const {
    return {reinterpret_cast<const char*>(out_.data()), out_.size() - stream_.avail_out};
  }

  const std::unique_ptr<PulledBody> body_;
  z_stream stream_{};
  BodyPiece piece_;         // of the body, what is left of it
  bool unwritten_ = false;  // a flush has more than went into `out_`
  bool dirty_ = false;      // something was compressed since the last flush
  std::array<Bytef, kOut> out_;
};

bool GzippedBody::Deflate(int flush) {
  const std::string_view in = piece_.bytes.substr(0, kIn);
  Feed(&stream_, in);
  const int result = deflate(&stream_, flush);
  piece_.bytes.remove_prefix(in.size() - stream_.avail_in);
  return flush == Z_FINISH ? result == Z_STREAM_END : stream_.avail_out > 0;
}

Result<BodyPiece> GzippedBody::Next() {
  stream_.next_out = out_.data();
  stream_.avail_out = static_cast<uInt>(out_.size());
  for (size_t read = 0; read < kIn && stream_.avail_out > 0;) {
    if (!piece_.bytes.empty()) {
      const size_t before = piece_.bytes.size();
      (void)Deflate(Z_NO_FLUSH);
      read += before - piece_.bytes.size();
      dirty_ = true;
      continue;
    }
    if (piece_.then == BodyPiece::Then::kEnd) {
      const bool done = Deflate(Z_FINISH);
      return BodyPiece{Made(), done ? BodyPiece::Then::kEnd : BodyPiece::Then::kMore};
    }
    if (piece_.then == BodyPiece::Then::kWait && (dirty_ || unwritten_)) {
      unwritten_ = !Deflate(Z_SYNC_FLUSH);
      dirty_ = false;
      if (unwritten_) break;
      piece_.then = BodyPiece::Then::kMore;
      return BodyPiece{Made(), BodyPiece::Then::kWait};
    }
    TRY(piece_, body_->Next());
    if (piece_.bytes.empty() && piece_.then == BodyPiece::Then::kWait && !dirty_) {
      piece_.then = BodyPiece::Then::kMore;
      return BodyPiece{Made(), BodyPiece::Then::kWait};
    }
  }
  return BodyPiece{Made(), BodyPiece::Then::kMore};
}

}  // namespace

bool AcceptsGzip(const Headers& request) {
  for (const std::string_view value : request.All("Accept-Encoding")) {
    for (const std::string_view member : SplitList(value)) {
      const size_t end = std::min(member.find(';'), member.size());
      if (!EqualsIgnoringCase(TrimBlanks(member.substr(0, end)), "gzip")) continue;
      const std::string_view weight = TrimBlanks(member.substr(std::min(end + 1, member.size())));
      // "q=0", "q=0.0", …
      return !(weight.starts_with("q=0") && weight.find_first_of("123456789") == weight.npos);
    }
  }
  return false;
}

std::string Gzip(std::string_view body) {
  z_stream stream{};
  Begin(&stream);
  std::string out(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  Feed(&stream, body);
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::unique_ptr<PulledBody> Gzipped(std::unique_ptr<PulledBody> body) {
  return std::make_unique<GzippedBody>(std::move(body));
}

}  // namespace podium::http
