#include "node/grpc_health.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "reflect/go_text.h"

namespace podium::node {
namespace {

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
  out += std::string("\x0F\x2B") + Text("kube-probe/1.36");   // user-agent
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

// The answer, frame by frame.
class HealthDialogue : public ProbeDialogue {
 public:
  HealthDialogue(std::string request, std::shared_ptr<std::string> answer)
      : request_(std::move(request)), answer_(std::move(answer)) {}

  Result<bool> Take(std::string_view bytes, bool end, std::string* out) override {
    *out += std::exchange(request_, {});
    input_ += bytes;
    total_ += bytes.size();
    while (true) {
      const auto byte = [&](size_t i) { return static_cast<unsigned char>(input_[i]); };
      constexpr size_t kHead = 9;
      const bool head = input_.size() >= kHead;
      const size_t size = head ? (size_t{byte(0)} << 16) | (size_t{byte(1)} << 8) | byte(2) : 0;
      if (total_ > kMaxAnswer || size > kMaxAnswer) {
        return Error(Code::kResourceExhausted, "the answer is too large");
      }
      if (!head || input_.size() < kHead + size) {
        if (end) return Error(Code::kUnavailable, "error reading server preface: EOF");
        return false;
      }
      const uint8_t type = byte(3);
      const uint8_t flags = byte(4);
      const std::string payload = input_.substr(kHead, size);
      input_.erase(0, kHead + size);
      if (type == kSettings && !(flags & kAck)) *out += Frame(kSettings, kAck, 0, "");
      if (type == kPing && !(flags & kAck)) *out += Frame(kPing, kAck, 0, payload);
      if (type == kData) *answer_ += payload;
      if (type == kReset || type == kGoAway) {
        return Error(Code::kUnavailable, "the server refused the check");
      }
      if ((type == kData || type == kHeaders) && (flags & kEndStream)) return true;
    }
  }

 private:
  std::string request_;
  const std::shared_ptr<std::string> answer_;
  std::string input_;
  size_t total_ = 0;
};

// HealthCheckResponse.status.
Result<std::string> StatusOf(std::string_view answer) {
  constexpr std::array kNames{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  constexpr size_t kPrefix = 5;  // compressed or not, and the length
  if (answer.size() < kPrefix) {
    return Error(Code::kUnavailable, "the server answered without a health status");
  }
  answer.remove_prefix(kPrefix);
  const bool set = answer.size() >= 2 && answer[0] == '\x08';
  const auto status = set ? static_cast<unsigned char>(answer[1]) : 0U;
  return status < kNames.size() ? kNames[status] : std::to_string(status);
}

}  // namespace

void BeginGrpcHealth(const std::shared_ptr<ProbeExchanges>& all, const std::string& host,
                     uint16_t port, const std::string& service, std::chrono::seconds timeout,
                     NetworkProbes::Done<std::string> done) {
  const bool brackets = host.contains(':');
  const std::string address = (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
  std::string request(kPreface);
  request += Frame(kSettings, 0, 0, "");
  request += Frame(kHeaders, kEndHeaders, 1, RequestHeaders(address));
  request += Frame(kData, kEndStream, 1, RequestMessage(service.substr(0, 16383)));
  const auto answer = std::make_shared<std::string>();
  ProbeExchange::Begin(
      all, {.host = host, .port = port, .tls = false, .deadline = http::Clock::now() + timeout},
      std::make_unique<HealthDialogue>(std::move(request), answer),
      [=](ProbeExchange::Stage stage, Result<void> result) {
        if (result.ok()) return done(StatusOf(*answer));
        const Error& error = result.error();
        const bool late = error.code() == Code::kDeadlineExceeded;
        const std::string limit = std::to_string(timeout.count()) + "s";
        std::string text;
        if (stage == ProbeExchange::Stage::kDial) {
          // Upstream tries again until the time is up, whatever was wrong, and says so.
          text = "timeout: failed to connect service " + reflect::GoQuoted(address) + " within " +
                 limit + ": context deadline exceeded";
        } else if (late) {
          text = "timeout: health rpc did not complete within " + limit;
        } else {
          text = "error: health rpc probe failed: rpc error: code = Unavailable desc = " +
                 error.message();
        }
        done(Error(error.code(), std::move(text)));
      });
}

}  // namespace podium::node
