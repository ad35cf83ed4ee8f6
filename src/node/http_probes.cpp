#include "node/http_probes.h"

#include <array>
#include <cstdint>

#include "http/dial.h"
#include "http/stream.h"

namespace podium::node {
namespace {

constexpr size_t kMaxBody = size_t{10} << 10;
// A health check's answer takes some hundred bytes; who sends more is none.
constexpr size_t kMaxAnswer = size_t{64} << 10;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113, section 6.
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7
};
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;

http::WaitLimits LimitsFor(std::chrono::seconds timeout) {
  http::WaitLimits limits;
  limits.deadline = http::Clock::now() + timeout;
  return limits;
}

std::string Frame(FrameType type, uint8_t flags, uint8_t stream, std::string_view payload) {
  std::string out;
  const auto size = static_cast<uint32_t>(payload.size());
  for (int shift : {16, 8, 0}) out += static_cast<char>((size >> shift) & 0xFF);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out.append(3, '\0');
  out += static_cast<char>(stream);
  return out.append(payload);
}

// A string of HPACK, not Huffman coded (RFC 7541, section 5.2); ours are shorter than 127 bytes.
std::string Text(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}

std::string RequestHeaders(const std::string& authority) {
  std::string out = "\x83\x86";                               // :method POST, :scheme http
  out += '\x04' + Text("/grpc.health.v1.Health/Check");       // :path
  out += '\x01' + Text(authority.substr(0, 126));             // :authority
  out += std::string("\x0F\x10") + Text("application/grpc");  // content-type
  out += std::string(1, '\0') + Text("te") + Text("trailers");
  return out;
}

std::string RequestMessage(const std::string& service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0A';
    // A varint of at most two bytes: names are shorter than 16 KiB.
    size_t size = service.size();
    if (size > 127) {
      message += static_cast<char>((size & 0x7F) | 0x80);
      size >>= 7;
    }
    message += static_cast<char>(size);
    message += service;
  }
  std::string out(1, '\0');  // not compressed
  const auto size = static_cast<uint32_t>(message.size());
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>((size >> shift) & 0xFF);
  return out + message;
}

Result<void> ReadExactly(http::Stream& stream, std::span<char> buffer) {
  while (!buffer.empty()) {
    TRY(const size_t got, stream.Read(buffer));
    if (got == 0) return Error(Code::kUnavailable, "the server hung up");
    buffer = buffer.subspan(got);
  }
  return {};
}

// The data of the answer, to its end.
Result<std::string> ReadAnswer(http::Stream& stream) {
  std::string data;
  size_t total = 0;
  while (true) {
    std::array<char, 9> head{};
    TRY_VOID(ReadExactly(stream, head));
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
    const size_t size = (size_t{byte(0)} << 16) | (size_t{byte(1)} << 8) | byte(2);
    total += size + head.size();
    if (total > kMaxAnswer) return Error(Code::kResourceExhausted, "the answer is too large");
    std::string payload(size, '\0');
    TRY_VOID(ReadExactly(stream, payload));
    const uint8_t type = byte(3);
    const uint8_t flags = byte(4);
    if (type == kSettings && !(flags & kAck)) {
      TRY_VOID(stream.Write(Frame(kSettings, kAck, 0, "")));
    } else if (type == kPing && !(flags & kAck)) {
      TRY_VOID(stream.Write(Frame(kPing, kAck, 0, payload)));
    } else if (type == kData) {
      data += payload;
    } else if (type == kReset || type == kGoAway) {
      return Error(Code::kUnavailable, "the server refused the check");
    }
    if ((type == kData || type == kHeaders) && (flags & kEndStream)) return data;
  }
}

// HealthCheckResponse.status; SERVING is 1.
Result<bool> IsServing(std::string_view answer) {
  if (answer.size() < 5) {
    return Error(Code::kUnavailable, "the server answered without a health status");
  }
  answer.remove_prefix(5);
  return answer.size() >= 2 && answer[0] == '\x08' && answer[1] == '\x01';
}

}  // namespace

Result<HttpProbes> HttpProbes::Create() {
  http::ClientOptions options;
  options.tls.skip_verify = true;
  // A probe looks whether a new connection is taken, and holds none open.
  options.max_idle = 0;
  TRY(auto client, http::Client::Create(std::move(options)));
  return HttpProbes(std::move(client));
}

Result<NetworkProbes::Reply> HttpProbes::HttpGet(const HttpCall& call) {
  http::Request request;
  request.url = call.Url();
  for (const auto& [name, value] : call.headers) request.headers.Add(name, value);
  request.timeouts =
      http::Timeouts{.connect = call.timeout, .idle = call.timeout, .total = call.timeout};
  TRY(auto response, client_.Send(request));
  Reply reply;
  reply.status = response.status();
  auto body = response.ReadAll(kMaxBody);
  // A body that is larger than anyone looks at is no failure.
  if (body.ok()) reply.body = *std::move(body);
  return reply;
}

Result<void> HttpProbes::Connect(const std::string& host, uint16_t port,
                                 std::chrono::seconds timeout) {
  http::Route route;
  route.scheme = "http";
  route.host = host;
  route.port = port;
  TRY(const auto stream, http::Dial(route, nullptr, LimitsFor(timeout)));
  return {};
}

Result<bool> HttpProbes::GrpcHealth(const std::string& host, uint16_t port,
                                    const std::string& service, std::chrono::seconds timeout) {
  http::Route route;
  route.scheme = "http";
  route.host = host;
  route.port = port;
  const http::WaitLimits limits = LimitsFor(timeout);
  TRY(const auto stream, http::Dial(route, nullptr, limits));
  stream->SetLimits(limits);
  std::string request(kPreface);
  request += Frame(kSettings, 0, 0, "");
  request += Frame(kHeaders, kEndHeaders, 1, RequestHeaders(host + ":" + std::to_string(port)));
  request += Frame(kData, kEndStream, 1, RequestMessage(service.substr(0, 16383)));
  TRY_VOID(stream->Write(request));
  TRY(const std::string answer, ReadAnswer(*stream));
  return IsServing(answer);
}

}  // namespace podium::node
