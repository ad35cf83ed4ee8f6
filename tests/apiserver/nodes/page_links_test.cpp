#include "apiserver/nodes/page_links.h"

#include <gtest/gtest.h>

namespace podium::apiserver {
namespace {

const LinkContext kContext{.prefix = "/api/v1/namespaces/a/pods/b/proxy",
                           .backend = "10.0.0.1:80",
                           .request_host = "localhost:8001"};

std::string Rewrite(std::string_view page, size_t piece) {
  LinkRewriter rewriter(kContext);
  std::string out;
  for (size_t i = 0; i < page.size(); i += piece) rewriter.Feed(page.substr(i, piece), &out);
  rewriter.Finish(&out);
  return out;
}

TEST(RewriteUrl, SameServerByAnAbsolutePath) {
  const struct {
    std::string_view url;
    std::string_view expected;
  } kCases[] = {
      {"/", "/api/v1/namespaces/a/pods/b/proxy/"},
      {"/x?y=/z#/w", "/api/v1/namespaces/a/pods/b/proxy/x?y=/z#/w"},
      {"/x/", "/api/v1/namespaces/a/pods/b/proxy/x/"},
      {"http://10.0.0.1:80/x", "/api/v1/namespaces/a/pods/b/proxy/x"},
      {"//localhost:8001/x", "/api/v1/namespaces/a/pods/b/proxy/x"},
      // Through the proxy already.
      {"/api/v1/namespaces/a/pods/b/proxy/x", "/api/v1/namespaces/a/pods/b/proxy/x"},
      {"/a/../b//c", "/api/v1/namespaces/a/pods/b/proxy/b/c"},
      // Somewhere else, or from where the page is.
      {"http://example.com/x", "http://example.com/x"},
      {"//example.com/x", "//example.com/x"},
      {"http://10.0.0.1:81/x", "http://10.0.0.1:81/x"},
      {"x/y", "x/y"},
      {"?a=b", "?a=b"},
      {"#top", "#top"},
      {"", ""},
      {"mailto:a@b", "mailto:a@b"},
      // No scheme is left that would run it.
      {"javascript://localhost:8001/%0aalert(1)", "/api/v1/namespaces/a/pods/b/proxy/%0aalert(1)"},
  };
  for (const auto& [url, expected] : kCases) EXPECT_EQ(RewriteUrl(url, kContext), expected) << url;
}

TEST(LinkRewriter, ChangesLinksAndNothingElse) {
  const std::string p = kContext.prefix;
  const std::string page =
      "<!DOCTYPE html>\n<!-- <a href=\"/no\"> --><HTML><A class=x HREF='/a' >a</A>"
      "<img alt=\"a > b\" src=/i.png/><script src=\"/s.js\">if (1<2) \"<a href='/n'>\"</SCRIPT>"
      "<form action = \"/f\"><td href=\"/n\"><a href>1 < 2</a><title><a href=\"/n\"></title>"
      "<a href=\"/after\">";
  const std::string expected =
      "<!DOCTYPE html>\n<!-- <a href=\"/no\"> --><HTML><A class=x HREF='" + p + "/a' >a</A>" +
      "<img alt=\"a > b\" src=" + p + "/i.png/><script src=\"" + p +
      "/s.js\">if (1<2) \"<a href='/n'>\"</SCRIPT><form action = \"" + p +
      "/f\"><td href=\"/n\"><a href>1 < 2</a><title><a href=\"/n\"></title><a href=\"" + p +
      "/after\">";
  for (size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(Rewrite(page, piece), expected) << piece;
  EXPECT_EQ(Rewrite(page, page.size()), expected);
}

TEST(LinkRewriter, WhatIsNotFinishedStaysAsItIs) {
  for (const std::string page :
       {"<", "<a", "<a href=\"/x", "<!--", "<!-- x", "<script>x", "a<b>c<"}) {
    EXPECT_EQ(Rewrite(page, 1), page);
  }
}

TEST(LinkRewriter, HoldsNoMoreThanATag) {
  LinkRewriter rewriter(kContext);
  std::string out;
  const std::string page = "<a x=\"" + std::string(LinkRewriter::kLongestTag * 2, 'x');
  for (size_t i = 0; i < page.size(); i += 1000)
    rewriter.Feed(std::string_view(page).substr(i, 1000), &out);
  EXPECT_GT(out.size(), LinkRewriter::kLongestTag);
  rewriter.Finish(&out);
  EXPECT_EQ(out, page);
}

}  // namespace
}  // namespace podium::apiserver
