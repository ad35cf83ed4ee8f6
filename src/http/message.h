// Heads of HTTP/1.1 messages, read and written, and how long the body behind one is (RFC 9112).
//
// One reader for servers and clients. It takes lines that end in CR LF alone, and refuses what two
// parties could read in two ways: Content-Length beside Transfer-Encoding, two lengths, blanks
// before a colon, a bare CR or LF. That is what request smuggling is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace podium::http {

struct HeadLimits {
  size_t bytes = size_t{64} << 10;  // of the whole head
  size_t fields = 200;
};

struct RequestHead {
  std::string method;
  std::string target{};  // as it stands in the request line
  int minor = 1;         // of HTTP/1.x
  Headers headers{};
};

struct ResponseHead {
  int status = 200;
  std::string reason{};
  int minor = 1;
  Headers headers{};
};

// The size of the head that `bytes` begins with, its empty line included, or 0 when the end is not
// there yet. `searched` bytes were looked at before, without success.
size_t FindHeadEnd(std::string_view bytes, size_t searched = 0);

// `head` is what FindHeadEnd found. kInvalidArgument with what is wrong; kResourceExhausted past a
// limit; kUnsupported for another version of HTTP.
Result<RequestHead> ParseRequestHead(std::string_view head, const HeadLimits& limits = {});
Result<ResponseHead> ParseResponseHead(std::string_view head, const HeadLimits& limits = {});

// kInvalidArgument when a part holds what would break out of its place.
Result<std::string> SerializeRequestHead(const RequestHead& head);
Result<std::string> SerializeResponseHead(const ResponseHead& head);
// Behind what is in `out`, which after an error is as it was.
Result<void> AppendResponseHead(const ResponseHead& head, std::string* out);

struct Framing {
  enum class Kind { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  uint64_t length = 0;  // of kLength

  friend bool operator==(const Framing&, const Framing&) = default;
};

// kInvalidArgument: contradicting or unreadable lengths. kUnsupported: a transfer coding other than
// chunked.
Result<Framing> RequestFraming(const RequestHead& head);
Result<Framing> ResponseFraming(const ResponseHead& head, std::string_view request_method);

// Whether it may stand in a request line.
bool IsRequestTarget(std::string_view target);

// Whether the connection may serve another message after this one.
bool KeepsAlive(int minor, const Headers& headers);

// "Not Found" of 404; "" of a status that is not registered.
std::string_view ReasonPhrase(int status);

}  // namespace podium::http
