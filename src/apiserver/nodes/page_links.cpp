#include "apiserver/nodes/page_links.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace podium::apiserver {
namespace {

struct LinkAttribute {
  std::string_view tag;
  std::string_view attribute;
};
// Attributes that are URLs (HTML 4 and 5).
constexpr LinkAttribute kLinks[] = {
    {"a", "href"},          {"applet", "codebase"},   {"area", "href"},
    {"audio", "src"},       {"base", "href"},         {"blockquote", "cite"},
    {"body", "background"}, {"button", "formaction"}, {"command", "icon"},
    {"del", "cite"},        {"embed", "src"},         {"form", "action"},
    {"frame", "longdesc"},  {"frame", "src"},         {"head", "profile"},
    {"html", "manifest"},   {"iframe", "longdesc"},   {"iframe", "src"},
    {"img", "longdesc"},    {"img", "src"},           {"img", "usemap"},
    {"input", "src"},       {"input", "usemap"},      {"input", "formaction"},
    {"ins", "cite"},        {"link", "href"},         {"object", "classid"},
    {"object", "codebase"}, {"object", "data"},       {"object", "usemap"},
    {"q", "cite"},          {"script", "src"},        {"source", "src"},
    {"video", "poster"},    {"video", "src"}};
// Whose text is no markup.
constexpr std::string_view kRawText[] = {"iframe", "noembed", "noframes", "noscript", "plaintext",
                                         "script", "style",   "textarea", "title",    "xmp"};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Go's path.Join: without "." and "..", and with one slash where there are more.
std::string JoinPath(std::string_view prefix, std::string_view path) {
  std::vector<std::string_view> kept;
  const std::string whole = std::string(prefix) + "/" + std::string(path);
  for (const std::string_view segment : Split(whole, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  return "/" + Join(kept, "/");
}

size_t FindIgnoringCase(std::string_view text, std::string_view wanted) {
  for (size_t i = 0; i + wanted.size() <= text.size(); ++i) {
    if (EqualsIgnoringCase(text.substr(i, wanted.size()), wanted)) return i;
  }
  return text.npos;
}

// The end of the tag that `text` begins with, behind its '>'; 0 when it is not here yet.
size_t EndOfTag(std::string_view text) {
  char quote = 0;
  bool value = false;  // the next byte begins one
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '>') return i + 1;
    if (value && (c == '"' || c == '\'')) quote = c;
    if (!IsSpace(c)) value = c == '=';
  }
  return 0;
}

class RewrittenPage final : public http::PulledBody {
 public:
  RewrittenPage(std::unique_ptr<http::PulledBody> page, LinkContext context)
      : page_(std::move(page)), rewriter_(std::move(context)) {}
  void Attach(http::BodyWaker waker) override { page_->Attach(std::move(waker)); }
  Result<http::BodyPiece> Next() override {
    out_.clear();
    TRY(const http::BodyPiece piece, page_->Next());
    rewriter_.Feed(piece.bytes, &out_);
    if (piece.then == http::BodyPiece::Then::kEnd) rewriter_.Finish(&out_);
    return http::BodyPiece{out_, piece.then};
  }

 private:
  const std::unique_ptr<http::PulledBody> page_;
  LinkRewriter rewriter_;
  std::string out_;
};

}  // namespace

std::string RewriteUrl(std::string_view url, const LinkContext& context) {
  std::string_view rest = url;
  const size_t scheme = rest.find("://");
  const bool absolute =
      scheme != rest.npos && scheme > 0 && std::ranges::all_of(rest.substr(0, scheme), IsLetter);
  if (absolute) rest.remove_prefix(scheme + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    const std::string_view host = rest.substr(0, end);
    if (host != context.backend && host != context.request_host) return std::string(url);
    rest.remove_prefix(end);
  }
  if (!rest.starts_with('/')) return std::string(url);
  const size_t end = std::min(rest.find_first_of("?#"), rest.size());
  const std::string_view path = rest.substr(0, end);
  if (path.starts_with(context.prefix)) return std::string(rest);
  std::string joined = JoinPath(context.prefix, path);
  if (path.ends_with('/')) joined += '/';
  return joined.append(rest.substr(end));
}

void LinkRewriter::Feed(std::string_view bytes, std::string* out) {
  pending_ += bytes;
  size_t begin = 0;
  while (begin < pending_.size()) {
    const size_t taken = Take(std::string_view(pending_).substr(begin), out);
    if (taken == 0) break;
    begin += taken;
  }
  pending_.erase(0, begin);
}

void LinkRewriter::Finish(std::string* out) {
  out->append(pending_);
  pending_.clear();
}

size_t LinkRewriter::Take(std::string_view text, std::string* out) {
  if (!until_.empty()) {
    const size_t found = FindIgnoringCase(text, until_);
    // What may be the beginning of the end waits.
    const size_t kept = std::min(text.size(), until_.size() - 1);
    const size_t size = found != text.npos ? found : text.size() - kept;
    out->append(text.substr(0, size));
    if (found == text.npos) return size;
    const bool comment = until_ == "-->";
    until_.clear();
    if (!comment) return size == 0 ? TakeTag(text, out) : size;
    out->append("-->");
    return size + 3;
  }
  const size_t tag = std::min(text.find('<'), text.size());
  if (tag > 0) {
    out->append(text.substr(0, tag));
    return tag;
  }
  return TakeTag(text, out);
}

size_t LinkRewriter::TakeTag(std::string_view text, std::string* out) {
  constexpr std::string_view kComment = "<!--";
  if (text.size() < kComment.size() && kComment.starts_with(text)) return 0;
  if (text.starts_with(kComment)) {
    out->append(kComment);
    until_ = "-->";
    return kComment.size();
  }
  const bool markup = IsLetter(text[1]) || text[1] == '/' || text[1] == '!' || text[1] == '?';
  const size_t size = markup ? EndOfTag(text) : 1;
  if (size == 0) {
    if (text.size() <= kLongestTag) return 0;
    out->append(text);
    return text.size();
  }
  if (IsLetter(text[1])) {
    RewriteTag(text.substr(0, size), out);
  } else {
    out->append(text.substr(0, size));
  }
  return size;
}

void LinkRewriter::RewriteTag(std::string_view tag, std::string* out) {
  size_t at = 1;
  const auto take = [&](auto&& is_of) {
    const size_t begin = at;
    while (at < tag.size() && is_of(tag[at])) ++at;
    return tag.substr(begin, at - begin);
  };
  const auto is_name = [](char c) { return !IsSpace(c) && c != '>' && c != '/' && c != '='; };
  const std::string name = LowerCase(take(is_name));
  size_t copied = 0;
  while (at < tag.size()) {
    take([&](char c) { return !is_name(c) && c != '>'; });
    const std::string attribute = LowerCase(take(is_name));
    take(IsSpace);
    if (attribute.empty()) break;
    if (at >= tag.size() || tag[at] != '=') continue;
    ++at;
    take(IsSpace);
    const char quote = at < tag.size() && (tag[at] == '"' || tag[at] == '\'') ? tag[at] : '\0';
    if (quote != 0) ++at;
    const size_t begin = at;
    const std::string_view value =
        take([&](char c) { return quote != 0 ? c != quote : !IsSpace(c) && c != '>'; });
    if (quote != 0) ++at;
    if (std::ranges::none_of(kLinks, [&](const LinkAttribute& link) {
          return link.tag == name && link.attribute == attribute;
        })) {
      continue;
    }
    out->append(tag.substr(copied, begin - copied));
    out->append(RewriteUrl(value, context_));
    copied = begin + value.size();
  }
  out->append(tag.substr(copied));
  if (std::ranges::find(kRawText, name) != std::end(kRawText)) until_ = "</" + name;
}

std::unique_ptr<http::PulledBody> WithRewrittenLinks(std::unique_ptr<http::PulledBody> page,
                                                     LinkContext context) {
  return std::make_unique<RewrittenPage>(std::move(page), std::move(context));
}

}  // namespace podium::apiserver
