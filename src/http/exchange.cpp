// Exchange: what a handler does with its request, in whatever version of the protocol it came.
#include <ctime>

#include "http/server.h"
#include "http/server_exchange.h"

namespace podium::http {
namespace {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7), in no one's locale.
std::string HttpDate(std::time_t time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  const auto two = [](int number) {
    return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  };
  return std::string(kDays[parts.tm_wday]) + ", " + two(parts.tm_mday) + " " +
         kMonths[parts.tm_mon] + " " + std::to_string(parts.tm_year + 1900) + " " +
         two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT";
}

Result<void> CheckHeaders(const Headers& headers) {
  for (const char* name : {"Content-Length", "Transfer-Encoding"}) {
    if (headers.Find(name)) {
      return Error(Code::kInvalidArgument, std::string(name) + " is not the handler's to set");
    }
  }
  return {};
}

Error AnsweredAlready() {
  return Error(Code::kInvalidArgument, "the request was answered already");
}

}  // namespace

Error ClientIsGone() { return Error(Code::kCancelled, "the client is gone"); }

bool HasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

std::string_view HttpDateNow() {
  static thread_local std::time_t second = 0;
  static thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    text = HttpDate(now);
    second = now;
  }
  return text;
}

Result<void> Exchange::State::CountBody(size_t size) {
  body_read += size;
  if (body_read <= max_body()) return {};
  return Error(Code::kResourceExhausted, "the request body is too large");
}

Exchange::Exchange(std::unique_ptr<State> state) : state_(std::move(state)) {}

Exchange::~Exchange() {
  switch (state_->step) {
    case State::Step::kDone:
      return;
    case State::Step::kStreaming:
      state_->BreakOff();
      return;
    case State::Step::kNothing:
      break;
  }
  constexpr std::string_view kMessage = "the request was not answered";
  ServerOptions::Page page{"text/plain; charset=utf-8", std::string(kMessage) + "\n"};
  if (state_->context->options.error_page) {
    page = state_->context->options.error_page(500, kMessage);
  }
  (void)Respond(500, {{"Content-Type", page.content_type}}, page.body);
}

const ServerRequest& Exchange::request() const { return state_->request; }

Result<void> Exchange::Respond(int status, Headers headers, std::string_view body) {
  if (state_->step != State::Step::kNothing) return AnsweredAlready();
  TRY_VOID(CheckHeaders(headers));
  return state_->Respond(status, std::move(headers), body);
}

Result<void> Exchange::RespondFrom(int status, Headers headers, std::unique_ptr<PulledBody> source,
                                   std::optional<uint64_t> size) {
  if (state_->step != State::Step::kNothing) return AnsweredAlready();
  TRY_VOID(CheckHeaders(headers));
  return state_->RespondFrom(status, std::move(headers), std::move(source), size);
}

Result<void> Exchange::Begin(int status, Headers headers) {
  if (state_->step != State::Step::kNothing) return AnsweredAlready();
  TRY_VOID(CheckHeaders(headers));
  return state_->Begin(status, std::move(headers));
}

Result<bool> Exchange::TryWrite(std::string_view bytes) {
  if (state_->step != State::Step::kStreaming) {
    return Error(Code::kInvalidArgument, "there is no answer to write to");
  }
  return state_->TryWrite(bytes);
}

Result<void> Exchange::Write(std::string_view bytes) {
  if (state_->step != State::Step::kStreaming) {
    return Error(Code::kInvalidArgument, "there is no answer to write to");
  }
  constexpr size_t kPiece = size_t{64} << 10;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    TRY(const bool taken, state_->TryWrite(piece));
    if (taken) {
      bytes.remove_prefix(piece.size());
    } else {
      state_->WaitForRoom();
    }
  }
  return {};
}

Result<void> Exchange::End() {
  if (state_->step != State::Step::kStreaming) {
    return Error(Code::kInvalidArgument, "there is no answer to end");
  }
  return state_->End();
}

Result<std::unique_ptr<Stream>> Exchange::Upgrade(Headers headers) {
  if (state_->step != State::Step::kNothing) return AnsweredAlready();
  return state_->Upgrade(std::move(headers));
}

Result<Exchange::Taken> Exchange::TakeConnection() {
  if (state_->step != State::Step::kNothing) return AnsweredAlready();
  return state_->TakeConnection();
}

Result<size_t> Exchange::ReadBody(std::span<char> buffer) {
  if (state_->step == State::Step::kDone) return 0;
  TRY(const size_t size, state_->ReadSomeOfBody(buffer));
  TRY_VOID(state_->CountBody(size));
  return size;
}

class StreamedRequestBody final : public PulledBody {
 public:
  StreamedRequestBody(std::shared_ptr<Exchange> exchange, std::shared_ptr<Poller> poller)
      : exchange_(std::move(exchange)), poller_(std::move(poller)) {}
  ~StreamedRequestBody() override { state().DetachBody(); }
  StreamedRequestBody(const StreamedRequestBody&) = delete;
  StreamedRequestBody& operator=(const StreamedRequestBody&) = delete;

  void Attach(BodyWaker waker) override { state().AttachBody(poller_, std::move(waker)); }
  Result<BodyPiece> Next() override {
    TRY(const BodyPiece piece, state().NextOfBody());
    TRY_VOID(state().CountBody(piece.bytes.size()));
    return piece;
  }

 private:
  Exchange::State& state() { return *exchange_->state_; }
  const std::shared_ptr<Exchange> exchange_;
  const std::shared_ptr<Poller> poller_;
};

std::unique_ptr<PulledBody> RequestBody(std::shared_ptr<Exchange> exchange,
                                        std::shared_ptr<Poller> poller) {
  return std::make_unique<StreamedRequestBody>(std::move(exchange), std::move(poller));
}

bool Exchange::cancelled() const { return state_->cancelled(); }

void Exchange::OnCancel(std::function<void()> callback) { state_->OnCancel(std::move(callback)); }

}  // namespace podium::http
