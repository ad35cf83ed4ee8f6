#include "node/grpc_health.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "api/time.h"
#include "grpc/answer.h"
#include "http/http2_call.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

// A health check's answer takes some hundred bytes; who sends more is none.
constexpr size_t kMaxAnswer = size_t{64} << 10;
// Of grpc-go's connections (backoff.DefaultConfig).
constexpr std::chrono::milliseconds kFirstPause{1000};
constexpr double kPauseFactor = 1.6;

void AppendVarint(uint64_t value, std::string* out) {
  for (; value > 127; value >>= 7) *out += static_cast<char>((value & 0x7F) | 0x80);
  *out += static_cast<char>(value);
}

// HealthCheckRequest, in a message of gRPC.
std::string RequestMessage(const std::string& service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0A';
    AppendVarint(service.size(), &message);
    message += service;
  }
  std::string out(1, '\0');  // not compressed
  const auto size = static_cast<uint32_t>(message.size());
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>((size >> shift) & 0xFF);
  return out + message;
}

// Of protobuf's wire format; nothing at the end or for one that is too long.
std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Skips what a field of this wire type has; false when it is not all there.
bool SkipField(uint64_t wire_type, std::string_view* bytes) {
  std::optional<uint64_t> size;
  if (wire_type == 0) return TakeVarint(bytes).has_value();
  if (wire_type == 1) size = 8;
  if (wire_type == 2) size = TakeVarint(bytes);
  if (wire_type == 5) size = 4;
  if (!size || *size > bytes->size()) return false;
  bytes->remove_prefix(*size);
  return true;
}

// HealthCheckResponse.status; nothing when these are not the bytes of one.
std::optional<std::string> StatusOf(std::string_view message) {
  constexpr std::array kNames{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  constexpr uint64_t kStatusTag = 0x08;  // field 1, a varint
  uint64_t status = 0;
  while (!message.empty()) {
    const auto tag = TakeVarint(&message);
    if (!tag) return std::nullopt;
    if (*tag != kStatusTag) {
      if (*tag >> 3 == 0 || !SkipField(*tag & 7, &message)) return std::nullopt;
      continue;
    }
    const auto value = TakeVarint(&message);
    if (!value) return std::nullopt;
    status = *value;
  }
  if (status < kNames.size()) return kNames[status];
  return std::to_string(static_cast<int32_t>(status));
}

// One connection's.
class HealthDialogue : public ProbeDialogue {
 public:
  explicit HealthDialogue(std::shared_ptr<http::Http2Call> call) : call_(std::move(call)) {}

  Result<bool> Take(std::string_view bytes, bool end, std::string* out) override {
    total_ += bytes.size();
    if (total_ > kMaxAnswer) return Error(Code::kResourceExhausted, "the answer is too large");
    TRY_VOID(call_->Receive(bytes));
    if (grpc::StatusOfAnswer(call_->answer())) return true;
    if (end) return Error(Code::kUnavailable, "EOF");
    TRY_VOID(call_->Produce(out));
    return false;
  }

 private:
  const std::shared_ptr<http::Http2Call> call_;
  size_t total_ = 0;
};

class HealthCheck : public std::enable_shared_from_this<HealthCheck> {
 public:
  HealthCheck(std::shared_ptr<ProbeExchanges> all, const std::string& host, uint16_t port,
              const std::string& service, std::chrono::seconds timeout,
              NetworkProbes::Done<std::string> done)
      : all_(std::move(all)),
        address_((host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port)),
        request_(RequestMessage(service)),
        timeout_(timeout),
        target_(
            {.host = host, .port = port, .tls = false, .deadline = http::Clock::now() + timeout}),
        done_(std::move(done)) {}

  void Try() {
    const auto left = target_.deadline - http::Clock::now();
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    auto made = http::Http2Call::Create(
        {{":method", "POST"},
         {":scheme", "http"},
         {":path", "/grpc.health.v1.Health/Check"},
         {":authority", address_},
         {"content-type", "application/grpc"},
         {"user-agent", "kube-probe/1.36"},
         {"te", "trailers"},
         {"grpc-timeout", std::to_string(std::max<int64_t>(millis, 1)) + "m"}},
        request_);
    if (!made.ok()) return done_(std::move(made).error());
    // It is looked at when the dialogue is gone.
    const std::shared_ptr<http::Http2Call> call = *std::move(made);
    ProbeExchange::Begin(
        all_, target_, std::make_unique<HealthDialogue>(call),
        [self = shared_from_this(), call](ProbeExchange::Stage /*stage*/, Result<void> result) {
          self->Tried(call->answer(), std::move(result));
        });
  }

 private:
  void Tried(const http::Http2Call::Answer& answer, Result<void> result) {
    if (const auto status = grpc::StatusOfAnswer(answer)) return Judge(answer, *status);
    const Error error = std::move(result).error();
    if (error.code() == Code::kCancelled) return done_(error);
    if (!answer.settings) return TryAgain();
    if (error.code() == Code::kDeadlineExceeded) return Late();
    Judge(answer, grpc::StatusOfConnectionError(answer, error.message()));
  }

  // The client that upstream uses waits until it is connected, whatever was wrong, and says so.
  void TryAgain() {
    const auto now = http::Clock::now();
    if (now >= target_.deadline) {
      return done_(Error(Code::kDeadlineExceeded, "timeout: failed to connect service " +
                                                      reflect::GoQuoted(address_) + " within " +
                                                      Limit() + ": context deadline exceeded"));
    }
    const auto pause = std::min<http::Clock::duration>(pause_, target_.deadline - now);
    pause_ = std::chrono::duration_cast<std::chrono::milliseconds>(pause_ * kPauseFactor);
    all_->executor.PostAfter(pause, [self = shared_from_this()] {
      // Where no time is left, that is said by the one way there is to say it.
      if (http::Clock::now() >= self->target_.deadline) return self->TryAgain();
      self->Try();
    });
  }

  void Judge(const http::Http2Call::Answer& answer, grpc::Status status) {
    if (status.code == grpc::StatusCode::kOk) {
      grpc::Message message = grpc::MessageOfAnswer(answer);
      status = std::move(message.status);
      if (status.code == grpc::StatusCode::kOk) {
        if (auto health = StatusOf(message.bytes)) return done_(*std::move(health));
        status = {grpc::StatusCode::kInternal,
                  "grpc: failed to unmarshal the received message: proto: cannot parse invalid "
                  "wire-format data"};
      }
    }
    if (status.code == grpc::StatusCode::kDeadlineExceeded) return Late();
    if (status.code == grpc::StatusCode::kUnimplemented) {
      return done_(Error(Code::kUnsupported,
                         "error: this server does not implement the grpc health protocol "
                         "(grpc.health.v1.Health): " +
                             status.message));
    }
    done_(Error(Code::kUnavailable, "error: health rpc probe failed: " + status.Text()));
  }

  void Late() {
    done_(Error(Code::kDeadlineExceeded, "timeout: health rpc did not complete within " + Limit()));
  }

  std::string Limit() const {
    return api::Duration::FromNanos(std::chrono::nanoseconds(timeout_).count()).String();
  }

  const std::shared_ptr<ProbeExchanges> all_;
  const std::string address_;
  const std::string request_;
  const std::chrono::seconds timeout_;
  const ProbeExchange::Target target_;
  const NetworkProbes::Done<std::string> done_;
  std::chrono::milliseconds pause_ = kFirstPause;
};

}  // namespace

void BeginGrpcHealth(const std::shared_ptr<ProbeExchanges>& all, const std::string& host,
                     uint16_t port, const std::string& service, std::chrono::seconds timeout,
                     NetworkProbes::Done<std::string> done) {
  std::make_shared<HealthCheck>(all, host, port, service, timeout, std::move(done))->Try();
}

}  // namespace podium::node
