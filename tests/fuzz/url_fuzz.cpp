// URLs, references and queries: what is taken keeps its meaning when it is written and read again.
#include <cstdint>

#include "fuzz/require.h"
#include "http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto url = http::Url::Parse(text); url.ok()) {
    fuzz::Require(url->path.starts_with('/'));
    // No byte that ends a line or a word of a request's head.
    for (const char c : url->Target() + url->Authority()) {
      fuzz::Require(static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F);
    }
    auto again = http::Url::Parse(url->ToString());
    fuzz::Require(again.ok() && again->ToString() == url->ToString());
    fuzz::Require(http::SameOrigin(*url, *again));
  }
  const auto base = http::Url::Parse("http://host:81/a/b/c?d");
  if (auto url = base->Resolve(text); url.ok()) {
    fuzz::Require(url->path.starts_with('/'));
    fuzz::Require(url->path.find("/../") == std::string::npos && !url->path.ends_with("/.."));
    auto again = base->Resolve(url->ToString());
    fuzz::Require(again.ok() && *again->Resolve("") == *again);
  }
  if (auto query = http::ParseQuery(text); query.ok()) {
    auto again = http::ParseQuery(http::EncodeQuery(*query));
    fuzz::Require(again.ok() && *again == *query);
  }
  return 0;
}
