#include "grpc/answer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/text.h"
#include "http/message.h"
#include "reflect/go_text.h"

namespace podium::grpc {
namespace {

using http::Headers;
using http::Http2Call;

Status Internal(std::string message) { return {StatusCode::kInternal, std::move(message)}; }

std::string CodeName(StatusCode code) {
  constexpr std::array kNames{
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  const auto number = static_cast<uint32_t>(code);
  return number < kNames.size() ? kNames[number] : "Code(" + std::to_string(number) + ")";
}

// Of RST_STREAM and GOAWAY (RFC 9113, section 7): what Go calls it, and what gRPC makes of it.
std::pair<std::string, StatusCode> StreamError(uint32_t code) {
  struct Row {
    const char* name;
    StatusCode code;
  };
  using enum StatusCode;
  constexpr std::array<Row, 14> kRows{{{"NO_ERROR", kInternal},
                                       {"PROTOCOL_ERROR", kInternal},
                                       {"INTERNAL_ERROR", kInternal},
                                       {"FLOW_CONTROL_ERROR", kResourceExhausted},
                                       {"SETTINGS_TIMEOUT", kInternal},
                                       {"STREAM_CLOSED", kInternal},
                                       {"FRAME_SIZE_ERROR", kInternal},
                                       {"REFUSED_STREAM", kUnavailable},
                                       {"CANCEL", kCancelled},
                                       {"COMPRESSION_ERROR", kInternal},
                                       {"CONNECT_ERROR", kInternal},
                                       {"ENHANCE_YOUR_CALM", kResourceExhausted},
                                       {"INADEQUATE_SECURITY", kPermissionDenied},
                                       {"HTTP_1_1_REQUIRED", kInternal}}};
  if (code < kRows.size()) return {kRows[code].name, kRows[code].code};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string number;
  for (uint32_t left = code; left != 0; left >>= 4) number.insert(0, 1, kDigits[left & 15]);
  return {"unknown error code 0x" + number, kUnknown};
}

StatusCode CodeOfHttp(int64_t status) {
  switch (status) {
    case 400:
      return StatusCode::kInternal;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kUnknown;
  }
}

// grpc-message: percent-encoded; what is no escape stays as it is.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>((high << 4) | low);
      i += 2;
    }
  }
  return out;
}

// "application/grpc", alone or with a subtype or parameters behind it.
bool IsGrpcType(std::string_view type) {
  constexpr std::string_view kBase = "application/grpc";
  if (!type.starts_with(kBase)) return false;
  type.remove_prefix(kBase.size());
  return type.empty() || type.front() == '+' || type.front() == ';';
}

// What an answer that is none of gRPC's says, or nothing for one that is informational.
std::optional<Status> Foreign(const Http2Call::Head& head) {
  const std::string* type = head.fields.Find("content-type");
  const std::string no_type =
      type ? "transport: received unexpected content-type " + reflect::GoQuoted(*type)
           : "malformed header: missing HTTP content-type";
  const std::string* text = head.fields.Find(":status");
  if (!text || text->empty()) return Internal("malformed header: missing HTTP status; " + no_type);
  const auto status = reflect::ParseGoInt(*text);
  if (!status.ok()) {
    return Internal("transport: malformed http-status: " + status.error().message());
  }
  if (*status >= 100 && *status < 200) {
    if (!head.end) return std::nullopt;
    return Internal("protocol error: informational header with status code " +
                    std::to_string(*status) + " must not have END_STREAM set");
  }
  const std::string phrase(http::ReasonPhrase(static_cast<int>(*status)));
  return Status{CodeOfHttp(*status), "unexpected HTTP status code received from server: " +
                                         std::to_string(*status) + " (" + phrase + "); " + no_type};
}

// grpc-status and grpc-message, of the last head.
Status Trailer(const Headers& fields) {
  const std::string* code = fields.Find("grpc-status");
  const std::string message = Unescaped(fields.Get("grpc-message"));
  if (!code) return Internal(message);
  const auto number = reflect::ParseGoInt(*code);
  if (number.ok() && std::in_range<int32_t>(*number)) {
    return {static_cast<StatusCode>(static_cast<uint32_t>(*number)), message};
  }
  return Internal("transport: malformed grpc-status: strconv.ParseInt: parsing " +
                  reflect::GoQuoted(*code) +
                  (number.ok() ? ": value out of range" : ": invalid syntax"));
}

}  // namespace

std::string Status::Text() const {
  return "rpc error: code = " + CodeName(code) + " desc = " + message;
}

std::optional<Status> StatusOfAnswer(const Http2Call::Answer& answer) {
  if (answer.heads_too_large) return Internal("peer header list size exceeded limit");
  bool begun = false;
  for (const Http2Call::Head& head : answer.heads) {
    if (!begun && !IsGrpcType(head.fields.Get("content-type"))) {
      if (auto foreign = Foreign(head)) return foreign;
      continue;
    }
    if (head.end) return Trailer(head.fields);
    if (begun) return Internal("a HEADERS frame cannot appear in the middle of a stream");
    begun = true;
  }
  if (answer.body_end) return Internal("server closed the stream without sending trailers");
  if (answer.reset) {
    const auto [name, code] = StreamError(*answer.reset);
    return Status{code, "stream terminated by RST_STREAM with error code: " + name};
  }
  if (answer.go_away && answer.go_away->last_stream < Http2Call::kStream) {
    return Status{StatusCode::kUnavailable,
                  "the stream is rejected because server is draining the connection"};
  }
  return std::nullopt;
}

Status StatusOfConnectionError(const Http2Call::Answer& answer, std::string_view why) {
  std::string message = "connection error: desc = " +
                        reflect::GoQuoted("error reading from server: " + std::string(why));
  if (answer.go_away) {
    message = "closing transport due to: " + message +
              ", received prior goaway: code: " + StreamError(answer.go_away->code).first;
    if (const std::string& debug = answer.go_away->debug; !debug.empty()) {
      message += ", debug data: " + reflect::GoQuoted(debug);
    }
  }
  return {StatusCode::kUnavailable, std::move(message)};
}

Message MessageOfAnswer(const Http2Call::Answer& answer) {
  constexpr size_t kPrefix = 5;  // compressed or not, and the length
  const std::string& body = answer.body;
  if (body.empty()) {
    return {
        Internal("cardinality violation: received no response message from "
                 "non-server-streaming RPC")};
  }
  size_t size = 0;
  for (size_t i = 1; i < std::min(kPrefix, body.size()); ++i) {
    size = (size << 8) | static_cast<unsigned char>(body[i]);
  }
  if (body.size() < kPrefix || body.size() - kPrefix < size) return {Internal("unexpected EOF")};
  if (body[0] == 0) return {{}, body.substr(kPrefix, size)};
  if (body[0] != 1) {
    const auto format = static_cast<unsigned char>(body[0]);
    return {Internal("grpc: received unexpected payload format " + std::to_string(format))};
  }
  std::string encoding;
  for (const Http2Call::Head& head : answer.heads) {
    if (const std::string* found = head.fields.Find("grpc-encoding")) encoding = *found;
  }
  if (encoding.empty() || encoding == "identity") {
    return {Internal("grpc: compressed flag set with identity or empty encoding")};
  }
  return {Internal("grpc: Decompressor is not installed for grpc-encoding " +
                   reflect::GoQuoted(encoding))};
}

}  // namespace podium::grpc
