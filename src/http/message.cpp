#include "http/message.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace podium::http {
namespace {

Error Malformed(std::string_view what) {
  return Error(Code::kInvalidArgument, "malformed HTTP message: " + std::string(what));
}

// The line that `rest` begins with, without its CR LF, taken off.
Result<std::string_view> TakeLine(std::string_view* rest) {
  const size_t end = rest->find('\n');
  if (end == std::string_view::npos || end == 0 || (*rest)[end - 1] != '\r') {
    return Malformed("a line without CR LF");
  }
  const std::string_view line = rest->substr(0, end - 1);
  if (line.find('\r') != std::string_view::npos) return Malformed("a bare CR");
  rest->remove_prefix(end + 1);
  return line;
}

Result<int> ParseVersion(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.') {
    return Malformed("a bad version");
  }
  if (text[5] != '1' || (text[7] != '0' && text[7] != '1')) {
    return Error(Code::kUnsupported, "unsupported HTTP version " + std::string(text.substr(5)));
  }
  return text[7] - '0';
}

// `folding`: a line that begins with a blank goes on with the one before (RFC 9112, section 5.2, to
// be read in responses and refused in requests).
Result<Headers> ParseFields(std::string_view rest, const HeadLimits& limits, bool folding) {
  std::vector<Headers::Field> fields;
  fields.reserve(8);
  while (true) {
    TRY(const std::string_view line, TakeLine(&rest));
    if (line.empty()) break;
    if (line[0] == ' ' || line[0] == '\t') {
      if (!folding || fields.empty()) return Malformed("a folded line");
      const std::string_view more = TrimBlanks(line);
      if (!IsFieldValue(more)) return Malformed("a control byte in a field");
      std::string& value = fields.back().value;
      if (!value.empty() && !more.empty()) value += ' ';
      value += more;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Malformed("a bad field name");
    }
    if (fields.size() == limits.fields) {
      return Error(Code::kResourceExhausted, "too many header fields");
    }
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (!IsFieldValue(value)) return Malformed("a control byte in a field");
    fields.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }
  if (!rest.empty()) return Malformed("bytes behind the head");
  return Headers(std::move(fields));
}

Result<void> CheckSize(std::string_view head, const HeadLimits& limits) {
  if (head.size() <= limits.bytes) return {};
  return Error(Code::kResourceExhausted, "the message head is too large");
}

Result<void> AppendFields(const Headers& headers, std::string* out) {
  for (const auto& [name, value] : headers.fields()) {
    if (!IsToken(name) || !IsFieldValue(value)) {
      return Error(Code::kInvalidArgument, "the header field \"" + name + "\" cannot be sent");
    }
    out->append(name).append(": ").append(value).append("\r\n");
  }
  out->append("\r\n");
  return {};
}

bool IsTargetByte(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }

// The Content-Length, if there is one. More than one is refused even when they agree.
Result<std::optional<uint64_t>> ContentLength(const Headers& headers) {
  const size_t count = headers.Count("Content-Length");
  if (count == 0) return std::optional<uint64_t>();
  const std::string_view text = headers.Get("Content-Length");
  uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (count > 1 || text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Malformed("a bad Content-Length");
  }
  return std::optional<uint64_t>(length);
}

// What the two headers say, or nothing where there are none of them.
Result<std::optional<Framing>> DeclaredFraming(int minor, const Headers& headers) {
  TRY(const std::optional<uint64_t> length, ContentLength(headers));
  const size_t codings = headers.Count("Transfer-Encoding");
  if (codings == 0) {
    if (!length) return std::optional<Framing>();
    return std::optional<Framing>({Framing::Kind::kLength, *length});
  }
  if (length) return Malformed("both Content-Length and Transfer-Encoding");
  if (minor == 0) return Malformed("Transfer-Encoding in HTTP/1.0");
  if (codings > 1 || !EqualsIgnoringCase(headers.Get("Transfer-Encoding"), "chunked")) {
    return Error(Code::kUnsupported, "unsupported transfer encoding");
  }
  return std::optional<Framing>({Framing::Kind::kChunked, 0});
}

}  // namespace

size_t FindHeadEnd(std::string_view bytes, size_t searched) {
  const size_t from = searched < 3 ? 0 : searched - 3;
  const size_t at = bytes.find("\r\n\r\n", from);
  return at == std::string_view::npos ? 0 : at + 4;
}

Result<RequestHead> ParseRequestHead(std::string_view head, const HeadLimits& limits) {
  TRY_VOID(CheckSize(head, limits));
  TRY(const std::string_view line, TakeLine(&head));
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Malformed("a bad request line");
  RequestHead request;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  if (!IsToken(request.method)) return Malformed("a bad method");
  if (!IsRequestTarget(request.target)) {
    return Malformed("a bad request target");
  }
  TRY(request.minor, ParseVersion(line.substr(last + 1)));
  TRY(request.headers, ParseFields(head, limits, false));
  const size_t hosts = request.headers.Count("Host");
  if (hosts > 1 || (hosts == 0 && request.minor == 1)) {
    return Malformed("missing required Host header");
  }
  return request;
}

Result<ResponseHead> ParseResponseHead(std::string_view head, const HeadLimits& limits) {
  TRY_VOID(CheckSize(head, limits));
  TRY(const std::string_view line, TakeLine(&head));
  // "HTTP/1.1 200 OK"; without a reason some leave out the second blank too.
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
    return Malformed("a bad status line");
  }
  ResponseHead response;
  TRY(response.minor, ParseVersion(line.substr(0, 8)));
  const auto [end, error] = std::from_chars(&line[9], &line[9] + 3, response.status);
  if (error != std::errc() || end != &line[9] + 3 || response.status < 100) {
    return Malformed("a bad status");
  }
  if (line.size() > 13) response.reason = line.substr(13);
  if (!IsFieldValue(response.reason)) return Malformed("a control byte in the status line");
  TRY(response.headers, ParseFields(head, limits, true));
  return response;
}

Result<std::string> SerializeRequestHead(const RequestHead& head) {
  if (!IsToken(head.method)) return Error(Code::kInvalidArgument, "a bad method");
  if (!IsRequestTarget(head.target)) {
    return Error(Code::kInvalidArgument, "a bad request target");
  }
  std::string out = head.method + " " + head.target + " HTTP/1." + std::to_string(head.minor);
  out += "\r\n";
  TRY_VOID(AppendFields(head.headers, &out));
  return out;
}

Result<void> AppendResponseHead(const ResponseHead& head, std::string* out) {
  if (head.status < 100 || head.status > 999 || !IsFieldValue(head.reason)) {
    return Error(Code::kInvalidArgument, "a bad status line");
  }
  const size_t begin = out->size();
  out->append(head.minor == 0 ? "HTTP/1.0 " : "HTTP/1.1 ").append(std::to_string(head.status));
  out->append(" ").append(head.reason).append("\r\n");
  auto appended = AppendFields(head.headers, out);
  if (!appended.ok()) out->resize(begin);
  return appended;
}

Result<std::string> SerializeResponseHead(const ResponseHead& head) {
  std::string out;
  TRY_VOID(AppendResponseHead(head, &out));
  return out;
}

Result<Framing> RequestFraming(const RequestHead& head) {
  TRY(const std::optional<Framing> declared, DeclaredFraming(head.minor, head.headers));
  return declared.value_or(Framing{});
}

Result<Framing> ResponseFraming(const ResponseHead& head, std::string_view request_method) {
  TRY(const std::optional<Framing> declared, DeclaredFraming(head.minor, head.headers));
  const bool tunnel = request_method == "CONNECT" && head.status >= 200 && head.status < 300;
  if (request_method == "HEAD" || tunnel || head.status < 200 || head.status == 204 ||
      head.status == 304) {
    return Framing{};
  }
  return declared.value_or(Framing{Framing::Kind::kUntilClose, 0});
}

bool IsRequestTarget(std::string_view target) {
  return !target.empty() && std::ranges::all_of(target, IsTargetByte);
}

bool KeepsAlive(int minor, const Headers& headers) {
  if (headers.HasToken("Connection", "close")) return false;
  return minor >= 1 || headers.HasToken("Connection", "keep-alive");
}

std::string_view ReasonPhrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr Phrase kPhrases[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Request Entity Too Large"},
      {414, "Request URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Requested Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Entity"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  const Phrase* phrase = std::ranges::find(kPhrases, status, &Phrase::status);
  return phrase == std::end(kPhrases) ? std::string_view() : phrase->text;
}

}  // namespace podium::http
