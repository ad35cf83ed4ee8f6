#include "node/http_get.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/chunked.h"
#include "http/message.h"
#include "http/url.h"

namespace podium::node {
namespace {

// Of a body, upstream reads this much; one that is larger is no failure.
constexpr size_t kMaxBody = size_t{10} << 10;
constexpr size_t kMaxHead = size_t{64} << 10;
constexpr int kMaxRedirects = 10;

struct Answer {
  http::ResponseHead head;
  std::string body;
};

// Programs that answer health checks end lines as they like; Go's clients take a line feed alone.
// The length of the head; 0: there is more to come.
size_t FindLooseHeadEnd(std::string_view input) {
  for (size_t at = input.find('\n'); at != input.npos; at = input.find('\n', at + 1)) {
    const std::string_view rest = input.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return 0;
}

std::string WithCarriageReturns(std::string_view head) {
  std::string out;
  for (const char c : head) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

// A request, and the answer to it.
class HttpDialogue : public ProbeDialogue {
 public:
  HttpDialogue(std::string request, std::shared_ptr<Answer> answer)
      : request_(std::move(request)), answer_(std::move(answer)) {}

  Result<bool> Take(std::string_view bytes, bool end, std::string* out) override {
    *out += std::exchange(request_, {});
    input_ += bytes;
    while (!framing_) {
      const size_t size = FindLooseHeadEnd(input_);
      if (size == 0) {
        if (end) return Error(Code::kUnavailable, input_.empty() ? "EOF" : "unexpected EOF");
        if (input_.size() < kMaxHead) return false;
        return Error(Code::kResourceExhausted, "net/http: server response headers exceeded " +
                                                   std::to_string(kMaxHead) + " bytes; aborted");
      }
      TRY(answer_->head,
          http::ParseResponseHead(WithCarriageReturns(std::string_view(input_).substr(0, size))));
      input_.erase(0, size);
      const int status = answer_->head.status;
      if (status >= 100 && status < 200 && status != 101) continue;
      TRY(framing_, http::ResponseFraming(answer_->head, "GET"));
    }
    return TakeBody(end);
  }

 private:
  Result<bool> TakeBody(bool end) {
    std::string& body = answer_->body;
    bool whole = end;
    switch (framing_->kind) {
      case http::Framing::Kind::kNone:
        return true;
      case http::Framing::Kind::kLength:
        body += input_.substr(0, framing_->length - std::min(body.size(), framing_->length));
        whole = body.size() >= framing_->length;
        break;
      case http::Framing::Kind::kUntilClose:
        body += input_;
        break;
      case http::Framing::Kind::kChunked: {
        std::string_view rest = input_;
        while (!rest.empty() && !chunks_.done()) {
          TRY(const auto piece, chunks_.Next(rest));
          body += piece.data;
          rest.remove_prefix(piece.consumed);
        }
        whole = chunks_.done();
      }
    }
    input_.clear();
    if (body.size() > kMaxBody) {
      body.resize(kMaxBody);
      return true;
    }
    if (end && !whole) return Error(Code::kUnavailable, "unexpected EOF");
    return whole;
  }

  std::string request_;
  const std::shared_ptr<Answer> answer_;
  std::string input_;
  std::optional<http::Framing> framing_;
  http::ChunkedDecoder chunks_;
};

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// A GET with its redirects.
class HttpGet : public std::enable_shared_from_this<HttpGet> {
 public:
  HttpGet(std::shared_ptr<ProbeExchanges> all, HttpCall call,
          NetworkProbes::Done<NetworkProbes::Reply> done)
      : all_(std::move(all)),
        call_(std::move(call)),
        done_(std::move(done)),
        deadline_(http::Clock::now() + call_.timeout),
        text_(call_.Url()) {}

  void Begin() {
    auto url = http::Url::Parse(text_);
    if (!url.ok()) return Fail(std::move(url).error());
    url_ = *std::move(url);
    first_host_ = url_.host;
    // An empty one counts as none.
    for (const auto& [name, value] : call_.headers) {
      if (EqualsIgnoringCase(name, "Host") && host_.empty()) host_ = value;
    }
    Send();
  }

 private:
  void Send() {
    auto request = Request();
    if (!request.ok()) return Fail(std::move(request).error());
    const auto answer = std::make_shared<Answer>();
    ProbeExchange::Begin(
        all_,
        {.host = url_.host,
         .port = url_.EffectivePort(),
         .tls = url_.scheme == "https",
         .deadline = deadline_},
        std::make_unique<HttpDialogue>(*std::move(request), answer),
        [self = shared_from_this(), answer](ProbeExchange::Stage stage, Result<void> result) {
          if (!result.ok()) return self->Fail(self->Words(stage, std::move(result).error()));
          self->Answered(std::move(*answer));
        });
  }

  Result<std::string> Request() const {
    http::RequestHead head;
    head.method = "GET";
    head.target = url_.Target();
    head.headers.Add("Host", host_.empty() ? HostOf(url_) : host_);
    for (const auto& [name, value] : call_.headers) {
      if (!EqualsIgnoringCase(name, "Host")) head.headers.Add(name, value);
    }
    if (!referer_.empty() && !call_.Has("Referer")) head.headers.Add("Referer", referer_);
    head.headers.Set("Connection", "close");
    return http::SerializeRequestHead(head);
  }

  // The port stands there also where it is the scheme's own: so upstream makes its URLs.
  std::string HostOf(const http::Url& url) const {
    const bool brackets = url.host.contains(':');
    std::string host = brackets ? "[" + url.host + "]" : url.host;
    return url.port == 0 ? host : host + ":" + std::to_string(url.port);
  }

  void Answered(Answer answer) {
    const std::string* location = answer.head.headers.Find("Location");
    NetworkProbes::Reply reply{.status = answer.head.status, .body = std::move(answer.body)};
    if (!IsRedirect(reply.status) || !location || location->empty()) {
      return Done(std::move(reply));
    }
    auto next = url_.Resolve(*location);
    if (!next.ok()) {
      return Fail(Error(Code::kUnavailable, "failed to parse Location header \"" + *location +
                                                "\": " + next.error().message()));
    }
    if (next->host != first_host_) return Done(std::move(reply));
    // Go names the page that it was on, but none of https to http.
    referer_ = url_.scheme == "https" && next->scheme == "http" ? "" : url_.ToString();
    // A Host that was asked for stays as long as pages say nothing of theirs.
    if (location->contains("://")) host_.clear();
    url_ = *std::move(next);
    text_ = url_.ToString();
    if (++redirects_ >= kMaxRedirects) {
      return Fail(Error(Code::kUnavailable,
                        "stopped after " + std::to_string(kMaxRedirects) + " redirects"));
    }
    Send();
  }

  Error Words(ProbeExchange::Stage stage, Error error) const {
    if (error.code() == Code::kDeadlineExceeded) {
      return Error(error.code(),
                   "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    }
    if (stage == ProbeExchange::Stage::kTalk) return error;
    if (error.message().starts_with("lookup ")) {
      return Error(error.code(), "dial tcp: " + error.message());
    }
    return Error(error.code(), "dial tcp " + HostOf(url_) + ": " + error.message());
  }

  void Done(NetworkProbes::Reply reply) { std::exchange(done_, nullptr)(std::move(reply)); }
  void Fail(const Error& error) {
    std::exchange(done_, nullptr)(Error(error.code(), "Get \"" + text_ + "\": " + error.message()));
  }

  const std::shared_ptr<ProbeExchanges> all_;
  const HttpCall call_;
  NetworkProbes::Done<NetworkProbes::Reply> done_;
  const http::Clock::time_point deadline_;
  std::string text_;  // of the URL, for errors
  http::Url url_;
  std::string first_host_;
  std::string host_;  // that the caller asks for; "": the URL's
  std::string referer_;
  int redirects_ = 0;
};

}  // namespace

void BeginHttpGet(const std::shared_ptr<ProbeExchanges>& all, HttpCall call,
                  NetworkProbes::Done<NetworkProbes::Reply> done) {
  std::make_shared<HttpGet>(all, std::move(call), std::move(done))->Begin();
}

}  // namespace podium::node
