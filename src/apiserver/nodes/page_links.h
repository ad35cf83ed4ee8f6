// Links of pages that come through a proxy, so that they lead through it again: upstream's
// Transport of k8s.io/apimachinery/pkg/util/proxy/transport.go, release 1.36. In place of its HTML
// parser, which holds the whole page, tags are found as bytes come: everything but the values of
// links stays as it is, byte by byte.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/pulled_body.h"

namespace podium::apiserver {

// Where a page came from, and by which way.
struct LinkContext {
  std::string prefix;        // "/api/v1/namespaces/x/pods/y/proxy"
  std::string backend;       // "10.0.0.1:80"
  std::string request_host;  // the client's Host
};

// A URL of a header Location or of a page: with the prefix before its path, and without scheme and
// host, when it means the same server by an absolute path; otherwise as it is.
std::string RewriteUrl(std::string_view url, const LinkContext& context);

class LinkRewriter {
 public:
  explicit LinkRewriter(LinkContext context) : context_(std::move(context)) {}
  // The next bytes of a page; what can be said of them is appended. A tag that is longer than
  // kLongestTag stays as it is.
  void Feed(std::string_view bytes, std::string* out);
  // The page is over.
  void Finish(std::string* out);

  static constexpr size_t kLongestTag = size_t{64} << 10;

 private:
  // What pending_ begins with, behind `at`: how many bytes are done with; 0: more are needed.
  size_t Take(std::string_view text, std::string* out);
  size_t TakeTag(std::string_view text, std::string* out);
  void RewriteTag(std::string_view tag, std::string* out);

  const LinkContext context_;
  std::string pending_;
  // What ends the text that is no markup: "-->" of a comment, "</script" of a script; "" else.
  std::string until_;
};

std::unique_ptr<http::PulledBody> WithRewrittenLinks(std::unique_ptr<http::PulledBody> page,
                                                     LinkContext context);

}  // namespace podium::apiserver
