// Answers in gzip (RFC 1952), as upstream's API server makes them: level 1, which costs least and
// comes within a third of the best, for bodies above 128 KiB of clients that ask for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"
#include "http/pulled_body.h"

namespace podium::http {

// Smaller bodies are sent as they are.
inline constexpr size_t kGzipThreshold = size_t{128} << 10;

// Whether Accept-Encoding has gzip among its members; weights are not looked at, as upstream does
// not, but for a gzip of weight 0. The answer then says "Content-Encoding: gzip" and, either way,
// "Vary: Accept-Encoding".
bool AcceptsGzip(const Headers& request);

std::string Gzip(std::string_view body);

// What comes out of `body`, compressed as the client takes it. What the body holds back (kWait) is
// not: at such a place all that came before goes out.
std::unique_ptr<PulledBody> Gzipped(std::unique_ptr<PulledBody> body);

}  // namespace podium::http
