#include "http/spdy_headers.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "base/ascii.h"

namespace podium::http {
namespace {

constexpr size_t kLargestStored = 65535;
constexpr size_t kWord = 4;

void AppendNumber(uint32_t number, std::string* out) {
  for (const int shift : {24, 16, 8, 0}) *out += static_cast<char>(number >> shift & 0xFF);
}
void AppendText(std::string_view text, std::string* out) {
  AppendNumber(static_cast<uint32_t>(text.size()), out);
  *out += text;
}

// The dictionary of section 2.6.10.1: words as they would stand in a block, then pieces of values.
std::string MakeDictionary() {
  std::string out;
  for (const std::string_view word : {
           "options",
           "head",
           "post",
           "put",
           "delete",
           "trace",
           "accept",
           "accept-charset",
           "accept-encoding",
           "accept-language",
           "accept-ranges",
           "age",
           "allow",
           "authorization",
           "cache-control",
           "connection",
           "content-base",
           "content-encoding",
           "content-language",
           "content-length",
           "content-location",
           "content-md5",
           "content-range",
           "content-type",
           "date",
           "etag",
           "expect",
           "expires",
           "from",
           "host",
           "if-match",
           "if-modified-since",
           "if-none-match",
           "if-range",
           "if-unmodified-since",
           "last-modified",
           "location",
           "max-forwards",
           "pragma",
           "proxy-authenticate",
           "proxy-authorization",
           "range",
           "referer",
           "retry-after",
           "server",
           "te",
           "trailer",
           "transfer-encoding",
           "upgrade",
           "user-agent",
           "vary",
           "via",
           "warning",
           "www-authenticate",
           "method",
           "get",
           "status",
           "200 OK",
           "version",
           "HTTP/1.1",
           "url",
           "public",
           "set-cookie",
           "keep-alive",
           "origin",
       }) {
    AppendText(word, &out);
  }
  out +=
      "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
      "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
      "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
      "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
      "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
      "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
      "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
  return out;
}
const std::string& Dictionary() {
  static const std::string kDictionary = MakeDictionary();
  return kDictionary;
}

Error Malformed(std::string what) {
  return Error(Code::kInvalidArgument, "spdy: " + std::move(what));
}

// Takes a number from the front, or nothing when there is none.
std::optional<uint32_t> TakeNumber(std::string_view* text) {
  if (text->size() < kWord) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = 0; i < kWord; ++i) {
    number = number << 8 | static_cast<unsigned char>((*text)[i]);
  }
  text->remove_prefix(kWord);
  return number;
}
std::optional<std::string_view> TakeText(std::string_view* text) {
  const auto size = TakeNumber(text);
  if (!size || *size > text->size()) return std::nullopt;
  const std::string_view taken = text->substr(0, *size);
  text->remove_prefix(*size);
  return taken;
}

// A block of zlib that is stored (RFC 1951, section 3.2.4), and not the last one.
void AppendStored(std::string_view bytes, std::string* out) {
  const auto size = static_cast<uint16_t>(bytes.size());
  *out += '\0';
  for (const unsigned number : {unsigned{size}, ~unsigned{size}}) {
    *out += static_cast<char>(number & 0xFF);
    *out += static_cast<char>(number >> 8 & 0xFF);
  }
  *out += bytes;
}

}  // namespace

Result<std::string> SpdyHeaderWriter::Pack(const Headers& headers) {
  std::string text;
  AppendNumber(static_cast<uint32_t>(headers.size()), &text);
  for (const Headers::Field& field : headers.fields()) {
    std::string name = field.name;
    std::ranges::transform(name, name.begin(), ToLower);
    AppendText(name, &text);
    AppendText(field.value, &text);
  }
  if (text.size() > kLargestStored) return Malformed("the headers are too large");
  // The beginning of the stream, in zlib's words (RFC 1950): deflate, 32 KiB, no dictionary.
  std::string out = begun_ ? "" : "\x78\x01";
  begun_ = true;
  AppendStored(text, &out);
  AppendStored("", &out);
  return out;
}

struct SpdyHeaderReader::Inflater {
  Inflater() {
    // zlib fails only without memory, or when it is used wrongly.
    if (inflateInit(&stream) != Z_OK) std::abort();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
};

SpdyHeaderReader::SpdyHeaderReader(SpdyHeaderLimits limits) : limits_(limits) {}
SpdyHeaderReader::~SpdyHeaderReader() = default;

Result<std::string> SpdyHeaderReader::Inflate(std::string_view block) {
  if (!inflater_) inflater_ = std::make_unique<Inflater>();
  z_stream& stream = inflater_->stream;
  stream.next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(block.data()));  // NOLINT: it only reads
  stream.avail_in = static_cast<uInt>(block.size());
  std::string text;
  while (true) {
    std::array<Bytef, 4096> out;
    stream.next_out = out.data();
    stream.avail_out = out.size();
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    if (result == Z_NEED_DICT) {
      const std::string& words = Dictionary();
      if (inflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(words.data()),
                               static_cast<uInt>(words.size())) != Z_OK) {
        return Malformed("header block of another dictionary");
      }
      continue;
    }
    const size_t made = out.size() - stream.avail_out;
    text.append(reinterpret_cast<const char*>(out.data()), made);
    if (text.size() > limits_.max_block) {
      return Error(Code::kResourceExhausted, "spdy: header block too large");
    }
    // Nothing could be done: all that there is was taken, and handed out.
    if (result == Z_BUF_ERROR) return text;
    if (result != Z_OK) return Malformed("broken header block");
    if (stream.avail_in == 0 && stream.avail_out > 0) return text;
  }
}

Result<Headers> SpdyHeaderReader::Parse(std::string_view text) const {
  const auto count = TakeNumber(&text);
  if (!count) return Malformed("short header block");
  if (*count > limits_.max_fields) {
    return Error(Code::kResourceExhausted, "spdy: too many headers");
  }
  Headers headers;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto name = TakeText(&text);
    const auto value = name ? TakeText(&text) : std::nullopt;
    if (!value) return Malformed("short header block");
    if (name->empty() || std::ranges::any_of(*name, [](char c) { return c != ToLower(c); })) {
      return Malformed("header name that is empty or has capital letters");
    }
    if (headers.Find(*name) != nullptr) return Malformed("header that comes twice");
    size_t begin = 0;
    while (true) {
      const size_t end = value->find('\0', begin);
      headers.Add(*name, value->substr(begin, end - begin));
      if (end == std::string_view::npos) break;
      begin = end + 1;
      if (headers.size() > limits_.max_fields) {
        return Error(Code::kResourceExhausted, "spdy: too many headers");
      }
    }
  }
  if (!text.empty()) return Malformed("header block with more than its headers");
  return headers;
}

Result<Headers> SpdyHeaderReader::Unpack(std::string_view block) {
  TRY(const std::string text, Inflate(block));
  return Parse(text);
}

}  // namespace podium::http
