// Bytes of a client of HTTP/2 behind its preface, and a server's session that takes them: whatever
// comes, what the session holds stays small, and all is let go of at the end.
//
// The first byte chooses how the input is cut, and whether it is bytes of the connection or a list
// of frames, whose lengths are then right: a byte of the length, the type, flags, and the stream.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/require.h"
#include "http/http2_session.h"

namespace podium::http {
namespace {

int live = 0;  // bodies that are pulled

class Endless : public PulledBody {
 public:
  Endless() { ++live; }
  ~Endless() override { --live; }
  Endless(const Endless&) = delete;
  Endless& operator=(const Endless&) = delete;
  Result<BodyPiece> Next() override {
    ++asked_;
    if (asked_ > 300) return Error(Code::kUnavailable, "broken");
    return BodyPiece{block_, asked_ % 7 == 0 ? BodyPiece::Then::kWait : BodyPiece::Then::kMore};
  }

 private:
  const std::string block_ = std::string(1000, 'x');
  int asked_ = 0;
};

class Fuzzed {
 public:
  Fuzzed() {
    inbox_->Adopt();
    connection_.inbox = inbox_;
    connection_.remote = std::make_shared<RemoteEnd>();
    auto context = std::make_shared<ServerContext>();
    context->options.head_limits = {.bytes = 4096, .fields = 30};
    context->options.treatment = [](const RequestHead& head) {
      return Treatment{.on_loop = !head.target.starts_with("/t"),
                       .long_running = head.target.starts_with("/l"),
                       .stream_body = head.target.starts_with("/t/s"),
                       .strict_path = true,
                       .max_body = 10'000};
    };
    context->options.max_buffered = 50'000;
    context->handler = [this](const std::shared_ptr<Exchange>& exchange) { Handle(exchange); };
    context_ = context;
    session_ = *Http2Session::Create(
        context,
        [](bool /*alone*/, const std::function<void()>& task) {
          task();
          return true;
        },
        connection_);
  }
  ~Fuzzed() {
    kept_.clear();
    session_.reset();
    fuzz::Require(live == 0);
    fuzz::Require(context_->buffered == 0);
    Fuzzed::inbox_->Take(&commands_);
  }
  Fuzzed(const Fuzzed&) = delete;
  Fuzzed& operator=(const Fuzzed&) = delete;

  bool Receive(std::string_view bytes) {
    const bool goes_on = session_->Receive(bytes);
    Commands();
    for (int i = 0; i < 20; ++i) {
      out_.clear();
      session_->Produce(&out_);
      // One frame beyond the limit at most.
      fuzz::Require(out_.size() <= size_t{100} << 10);
      if (out_.empty()) break;
    }
    fuzz::Require(session_->streams() <= 251);
    fuzz::Require(context_->buffered <= 100'000);
    return goes_on && !session_->Done();
  }
  // What happens beside the client.
  void Turn(uint8_t choice) {
    now_ += std::chrono::seconds(20);
    if (choice % 8 == 0 && !kept_.empty()) kept_.pop_back();
    if (choice % 8 == 1 && !kept_.empty()) (void)kept_.back()->Respond(200, {}, "late");
    if (choice % 8 == 2) session_->Sweep(now_);
    if (choice == 255) session_->BeginStop();
    for (const auto& exchange : kept_) {
      char buffer[100];
      // Only what does not wait.
      if (exchange->cancelled()) (void)exchange->ReadBody(buffer);
    }
  }

 private:
  void Handle(const std::shared_ptr<Exchange>& exchange) {
    const ServerRequest& request = exchange->request();
    fuzz::Require(request.body.size() <= 10'000);
    fuzz::Require(request.path.find('\0') == std::string::npos);
    fuzz::Require(request.head.headers.size() <= 31);
    switch (request.path.size() % 5) {
      case 0:
        (void)exchange->Respond(200, {{"Content-Type", "text/plain"}}, request.body);
        return;
      case 1:
        (void)exchange->RespondFrom(200, {}, std::make_unique<Endless>());
        return;
      case 2:
        (void)exchange->Begin(200, {});
        (void)exchange->TryWrite("one");
        (void)exchange->End();
        return;
      case 3:
        kept_.push_back(exchange);
        fuzz::Require(kept_.size() <= 250);
        return;
      default:
        return;  // the server answers
    }
  }
  void Commands() {
    commands_.clear();
    inbox_->Take(&commands_);
    for (const LoopCommand& command : commands_) {
      if (command.kind == LoopCommand::Kind::kStream) session_->OnStream(command.stream);
      if (command.kind == LoopCommand::Kind::kWake) session_->OnWake(command.stream);
    }
  }

  static inline const std::shared_ptr<LoopInbox> inbox_ = *LoopInbox::Create();
  std::shared_ptr<const ServerContext> context_;
  ServerConnection connection_;
  std::vector<std::shared_ptr<Exchange>> kept_;
  std::unique_ptr<Http2Session> session_;
  std::vector<LoopCommand> commands_;
  std::string out_;
  Clock::time_point now_ = Clock::now();
};

// A frame with its length from the list of them, taken off.
std::string TakeFrame(std::string_view* text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>((*text)[i]); };
  const size_t size = std::min<size_t>(byte(0), text->size() - 4);
  std::string frame{'\0', '\0', static_cast<char>(size)};
  frame += {static_cast<char>(byte(1) % 12), static_cast<char>(byte(2))};
  frame += {'\0', '\0', '\0', static_cast<char>(byte(3))};
  frame += text->substr(4, size);
  text->remove_prefix(4 + size);
  return frame;
}

}  // namespace
}  // namespace podium::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  http::Fuzzed server;
  if (!server.Receive("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) return 0;
  const bool frames = data[0] % 2 == 0;
  if (frames && !server.Receive(std::string("\0\0\0\4\0\0\0\0\0", 9))) return 0;
  const size_t step = size_t{1} + data[0] / 2;
  while (text.size() >= 4) {
    const auto choice = static_cast<uint8_t>(text.back());
    std::string bytes;
    if (frames) {
      bytes = http::TakeFrame(&text);
    } else {
      bytes = text.substr(0, step);
      text.remove_prefix(bytes.size());
    }
    if (!server.Receive(bytes)) break;
    server.Turn(choice + static_cast<uint8_t>(text.size()));
  }
  return 0;
}
