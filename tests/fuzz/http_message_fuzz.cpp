// Heads and bodies of HTTP/1.1. The first byte chooses where a chunked body is cut.
#include <algorithm>
#include <cstdint>

#include "fuzz/require.h"
#include "http/chunked.h"
#include "http/message.h"

namespace podium::http {
namespace {

void TryRequest(std::string_view head) {
  auto request = ParseRequestHead(head);
  if (!request.ok()) return;
  auto framing = RequestFraming(*request);
  auto text = SerializeRequestHead(*request);
  fuzz::Require(text.ok());
  // What was read is written as one head, and read as the same.
  fuzz::Require(FindHeadEnd(*text) == text->size());
  auto again = ParseRequestHead(*text);
  fuzz::Require(again.ok() && again->headers == request->headers);
  fuzz::Require(again->method == request->method && again->target == request->target);
  if (framing.ok()) {
    const bool both = request->headers.Find("Content-Length") != nullptr &&
                      request->headers.Find("Transfer-Encoding") != nullptr;
    fuzz::Require(!both && *RequestFraming(*again) == *framing);
  }
}

void TryResponse(std::string_view head) {
  auto response = ParseResponseHead(head);
  if (!response.ok()) return;
  (void)ResponseFraming(*response, "GET");
  auto text = SerializeResponseHead(*response);
  fuzz::Require(text.ok());
  auto again = ParseResponseHead(*text);
  fuzz::Require(again.ok() && again->status == response->status);
  fuzz::Require(again->headers == response->headers);
}

struct Decoded {
  bool ok = true;
  bool done = false;
  size_t consumed = 0;
  std::string body;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded Decode(std::string_view text, size_t step) {
  ChunkedDecoder decoder;
  Decoded decoded;
  while (decoded.consumed < text.size() && !decoder.done()) {
    const size_t size = std::min(step, text.size() - decoded.consumed);
    auto piece = decoder.Next(text.substr(decoded.consumed, size));
    if (!piece.ok()) return {.ok = false, .body = {}};
    fuzz::Require(piece->consumed > 0 && piece->consumed <= size);
    decoded.body += piece->data;
    decoded.consumed += piece->consumed;
  }
  decoded.done = decoder.done();
  return decoded;
}

}  // namespace
}  // namespace podium::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t end = http::FindHeadEnd(text);
  http::TryRequest(text.substr(0, end));
  http::TryResponse(text.substr(0, end));
  const http::Decoded whole = http::Decode(text, text.size());
  fuzz::Require(http::Decode(text, size_t{1} + data[0] % 16) == whole);
  return 0;
}
