// Exec, attach and port-forward over every protocol, with processes that the test plays.
#include "node/streams/stream_service.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <map>
#include <thread>

#include "http/client.h"
#include "http/spdy.h"
#include "http/test_server.h"
#include "http/websocket.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using http::Eventually;

// A process whose streams' other ends are the test's.
struct Process {
  UniqueFd in;   // to read what it is given
  UniqueFd out;  // to write what it prints
  UniqueFd err;
  std::atomic<int> code{-1};
  std::atomic<bool> stdin_closed = false;
  std::atomic<bool> gone = false;  // its session
  std::mutex mutex;
  std::function<void()> on_end;
  std::vector<std::string> sizes;

  void Exit(int with) {
    out.reset();
    err.reset();
    code = with;
    std::function<void()> ended;
    {
      const std::lock_guard lock(mutex);
      ended = std::move(on_end);
    }
    if (ended) ended();
  }
  std::vector<std::string> Sizes() {
    const std::lock_guard lock(mutex);
    return sizes;
  }
};

class TestSession : public runtime::Session {
 public:
  explicit TestSession(std::shared_ptr<Process> process, const RemoteStreams& streams)
      : process_(std::move(process)) {
    if (streams.stdin_) Open(&process_->in, &in_);
    if (streams.stdout_) Open(&out_, &process_->out);
    if (streams.stderr_) Open(&err_, &process_->err);
  }
  TestSession(const TestSession&) = delete;
  TestSession& operator=(const TestSession&) = delete;
  ~TestSession() override { process_->gone = true; }
  int stdin_fd() const override { return in_.get(); }
  void CloseStdin() override {
    in_.reset();
    process_->stdin_closed = true;
  }
  int stdout_fd() const override { return out_.get(); }
  int stderr_fd() const override { return err_.get(); }
  Result<void> Resize(uint16_t columns, uint16_t rows) override {
    const std::lock_guard lock(process_->mutex);
    process_->sizes.push_back(std::to_string(columns) + "x" + std::to_string(rows));
    return {};
  }
  Result<int32_t> Wait(std::chrono::milliseconds) override {
    if (process_->code < 0) return Error(Code::kDeadlineExceeded, "");
    return process_->code.load();
  }
  void NotifyEnd(std::function<void()> ended) override {
    {
      const std::lock_guard lock(process_->mutex);
      process_->on_end = ended;
    }
    if (process_->code >= 0) ended();
  }

 private:
  static void Open(UniqueFd* read, UniqueFd* write) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    read->reset(ends[0]);
    write->reset(ends[1]);
  }
  const std::shared_ptr<Process> process_;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
};

std::string ReadFd(int fd, size_t size) {
  std::string text(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t count = read(fd, text.data() + got, size - got);
    if (count <= 0) break;
    got += static_cast<size_t>(count);
  }
  text.resize(got);
  return text;
}
void WriteFd(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    ASSERT_GT(count, 0);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

// A client of SPDY, as kubectl is one.
class SpdyPeer : public http::SpdyListener {
 public:
  explicit SpdyPeer(std::unique_ptr<http::Peer> peer) : peer_(std::move(peer)) {}

  std::string Upgrade(const std::string& path, const std::string& versions) {
    peer_->Send("POST " + path +
                " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                "X-Stream-Protocol-Version: " +
                versions + "\r\nContent-Length: 0\r\n\r\n");
    std::string head = peer_->ReadHead();
    return head.starts_with("HTTP/1.1 101") ? head : head + peer_->ReadSome();
  }
  uint32_t Open(const http::Headers& headers) {
    const auto stream = session_.Open(headers);
    EXPECT_TRUE(stream.ok());
    Flush();
    return *stream;
  }
  void Send(uint32_t stream, std::string_view bytes) {
    session_.Send(stream, bytes);
    Flush();
  }
  void End(uint32_t stream) {
    session_.End(stream);
    Flush();
  }
  void Reset(uint32_t stream) {
    session_.Reset(stream, http::SpdyReset::kCancel);
    Flush();
  }
  void GoAway() {
    session_.GoAway();
    Flush();
  }
  // Reads on until it holds; false at the end of the connection.
  template <class Holds>
  bool Until(const Holds& holds) {
    while (!holds()) {
      const std::string bytes = peer_->ReadSome();
      if (bytes.empty()) return false;
      EXPECT_TRUE(session_.Receive(bytes, *this).ok());
      Flush();
    }
    return true;
  }
  bool UntilClosed() {
    return !Until([] { return false; });
  }

  void OnOpen(uint32_t, const http::Headers&) override {
    ADD_FAILURE() << "a stream of the server";
  }
  void OnReply(uint32_t stream, const http::Headers&) override { replied.push_back(stream); }
  void OnData(uint32_t stream, std::string_view bytes) override { data[stream] += bytes; }
  void OnEnd(uint32_t stream) override { ended.push_back(stream); }
  void OnReset(uint32_t stream) override { reset.push_back(stream); }
  void OnGoAway() override {}
  bool Ended(uint32_t stream) const {
    return std::ranges::find(ended, stream) != ended.end() ||
           std::ranges::find(reset, stream) != reset.end();
  }

  std::map<uint32_t, std::string> data;
  std::vector<uint32_t> replied;
  std::vector<uint32_t> ended;
  std::vector<uint32_t> reset;
  http::Peer& peer() { return *peer_; }

 private:
  void Flush() {
    peer_->Send(session_.output());
    session_.output().clear();
  }
  std::unique_ptr<http::Peer> peer_;
  http::SpdySession session_{http::SpdySession::Role::kClient};
};

class StreamServiceTest : public testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void Start(StreamTimes times) {
    server_.reset();
    service_ = *StreamService::Create(executor_, times);
    http::ServerOptions options;
    options.threads = 2;
    server_.emplace([this](const std::shared_ptr<http::Exchange>& exchange) { Serve(*exchange); },
                    std::move(options));
  }
  void TearDown() override {
    service_->Stop();
    server_.reset();
  }

  // What the path says: /exec?in&out&err&tty, /attach?…, /forward?PORT,PORT.
  void Serve(http::Exchange& exchange) {
    const std::string& path = exchange.request().path;
    const std::string& query = exchange.request().query;
    if (path == "/forward") {
      PortForward forward{.connect = [this](uint16_t port) { return Connect(port); },
                          .pod = "sandbox7"};
      for (const std::string_view port : http::SplitList(query)) {
        forward.ports.push_back(static_cast<uint16_t>(std::stoi(std::string(port))));
      }
      return service_->Serve(exchange, std::move(forward));
    }
    RemoteCommand command{.streams = {.stdin_ = query.contains("in"),
                                      .stdout_ = query.contains("out"),
                                      .stderr_ = query.contains("err"),
                                      .tty = query.contains("tty")},
                          .action = "executing command in container",
                          .tells_code = path == "/exec"};
    const RemoteStreams streams = command.streams;
    command.start = [this, streams]() -> Result<std::unique_ptr<runtime::Session>> {
      if (fails_) return Error(Code::kNotFound, "no such program");
      auto process = std::make_shared<Process>();
      auto session = std::make_unique<TestSession>(process, streams);
      const std::lock_guard lock(mutex_);
      processes_.push_back(process);
      return std::unique_ptr<runtime::Session>(std::move(session));
    };
    service_->Serve(exchange, std::move(command));
  }
  Result<UniqueFd> Connect(uint16_t port) {
    if (port == 81) return Error(Code::kUnavailable, "connection refused");
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      return Error::FromErrno(errno, "socketpair");
    }
    const std::lock_guard lock(mutex_);
    inside_.emplace_back(ends[0]);
    return UniqueFd(ends[1]);
  }
  std::shared_ptr<Process> NextProcess(size_t number = 0) {
    std::shared_ptr<Process> process;
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex_);
      if (processes_.size() > number) process = processes_[number];
      return process != nullptr;
    }));
    return process;
  }
  int Inside(size_t number = 0) {
    int fd = -1;
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex_);
      if (inside_.size() > number) fd = inside_[number].get();
      return fd >= 0;
    }));
    return fd;
  }
  std::unique_ptr<SpdyPeer> Spdy(const std::string& path, const std::string& versions) {
    auto peer = std::make_unique<SpdyPeer>(server_->Connect());
    answer_ = peer->Upgrade(path, versions);
    return peer;
  }
  std::unique_ptr<http::WebSocket> Socket(const std::string& path,
                                          const std::vector<std::string>& protocols) {
    if (!client_) client_.emplace(*http::Client::Create({}));
    auto answer = http::ConnectWebSocket(*client_, {.url = server_->Url(path)}, protocols);
    EXPECT_TRUE(answer.ok()) << answer.error().message();
    if (!answer.ok() || !answer->socket) return nullptr;
    answer->socket->SetLimits({.idle = 5s});
    return std::move(answer->socket);
  }
  static std::string Next(http::WebSocket& socket) {
    auto message = socket.Read();
    if (!message.ok()) return "error: " + message.error().message();
    return *message ? (*message)->data : "closed " + std::to_string(socket.close_status().code);
  }

  ThreadExecutor executor_;
  std::unique_ptr<StreamService> service_;
  std::optional<http::TestServer> server_;
  std::optional<http::Client> client_;
  std::string answer_;  // to the last upgrade
  std::atomic<bool> fails_ = false;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Process>> processes_;
  std::vector<UniqueFd> inside_;
};

constexpr char kVersions[] =
    "v4.channel.k8s.io, v3.channel.k8s.io, v2.channel.k8s.io, channel.k8s.io";

TEST_F(StreamServiceTest, ACommandOverSpdy) {
  auto client = Spdy("/exec?in&out&err", kVersions);
  EXPECT_THAT(answer_, HasSubstr("101 Switching Protocols"));
  EXPECT_THAT(answer_, HasSubstr("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"));
  const uint32_t error = client->Open({{"Streamtype", "error"}});
  const uint32_t in = client->Open({{"Streamtype", "stdin"}});
  const uint32_t out = client->Open({{"Streamtype", "stdout"}});
  // Before the process is there.
  client->Send(in, "early ");
  const uint32_t err = client->Open({{"Streamtype", "stderr"}});
  const auto process = NextProcess();
  client->Send(in, "late");
  EXPECT_EQ(ReadFd(process->in.get(), 10), "early late");
  client->End(in);
  EXPECT_EQ(ReadFd(process->in.get(), 1), "") << "the end of input";
  EXPECT_TRUE(Eventually([&] { return process->stdin_closed.load(); }));
  WriteFd(process->out.get(), "out");
  WriteFd(process->err.get(), "err");
  process->Exit(3);
  ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_EQ(client->replied, (std::vector<uint32_t>{error, in, out, err}));
  EXPECT_EQ(client->data[out], "out");
  EXPECT_EQ(client->data[err], "err");
  EXPECT_EQ(client->data[error],
            R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit )"
            R"(code: exit status 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":)"
            R"("ExitCode","message":"3"}]}})");
  EXPECT_FALSE(process->gone) << "closed before the client has taken it";
  client->GoAway();
  EXPECT_TRUE(client->UntilClosed());
  EXPECT_TRUE(Eventually([&] { return process->gone.load(); }));
}

TEST_F(StreamServiceTest, OlderVersionsTellErrorsInWords) {
  for (const std::string version : {"v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"}) {
    for (const int code : {0, 1}) {
      auto client = Spdy("/exec?out&tty", version);
      const uint32_t error = client->Open({{"streamtype", "error"}});
      client->Open({{"streamtype", "stdout"}});
      if (version.starts_with("v3")) client->Open({{"streamtype", "resize"}});
      const auto process = NextProcess();
      process->Exit(code);
      ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
      EXPECT_EQ(client->data[error],
                code == 0 ? "" : "command terminated with non-zero exit code: exit status 1");
      const std::lock_guard lock(mutex_);
      processes_.clear();
    }
  }
}

TEST_F(StreamServiceTest, AnAttachmentEndsWellWhateverItsProcessDoes) {
  auto client = Spdy("/attach?out", kVersions);
  const uint32_t error = client->Open({{"streamtype", "error"}});
  client->Open({{"streamtype", "stdout"}});
  NextProcess()->Exit(3);
  ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_EQ(client->data[error], R"({"metadata":{},"status":"Success"})");
}

TEST_F(StreamServiceTest, ACommandThatCannotBeRun) {
  fails_ = true;
  auto client = Spdy("/exec?out", kVersions);
  const uint32_t error = client->Open({{"streamtype", "error"}});
  client->Open({{"streamtype", "stdout"}});
  ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_EQ(client->data[error],
            R"({"metadata":{},"status":"Failure","message":"Internal error occurred: error )"
            R"(executing command in container: no such program","reason":"InternalError",)"
            R"("details":{"causes":[{"message":"error executing command in container: no such )"
            R"(program"}]},"code":500})");
}

TEST_F(StreamServiceTest, RefusesWhatItDoesNotSpeak) {
  Spdy("/exec?out", "v9.channel.k8s.io");
  EXPECT_THAT(answer_, HasSubstr("HTTP/1.1 403"));
  EXPECT_THAT(answer_, HasSubstr("unable to upgrade: unable to negotiate protocol: client supports "
                                 "[v9.channel.k8s.io], server accepts [v4.channel.k8s.io "
                                 "v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]"));
  EXPECT_THAT(answer_, HasSubstr("X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io\r\n"));
  Spdy("/exec?out", "");
  EXPECT_THAT(answer_, HasSubstr("HTTP/1.1 400"));
  EXPECT_EQ(Socket("/exec?out", {"v9.channel.k8s.io"}), nullptr);
  EXPECT_EQ(Socket("/forward?80", {"channel.k8s.io"}), nullptr);
}

TEST_F(StreamServiceTest, SizesOfATerminalComeInOrder) {
  auto client = Spdy("/exec?out&tty", kVersions);
  client->Open({{"streamtype", "error"}});
  const uint32_t resize = client->Open({{"streamtype", "resize"}});
  client->Send(resize, R"({"Width":80,"Hei)");
  client->Open({{"streamtype", "stdout"}});
  const auto process = NextProcess();
  client->Send(resize, "ght\":24}\n");
  EXPECT_TRUE(Eventually([&] { return process->Sizes() == std::vector<std::string>{"80x24"}; }));
  client->Send(resize, "nonsense}{\"Width\":1,\"Height\":2}{\"Width\":100,\"Height\":30}");
  EXPECT_TRUE(
      Eventually([&] { return !process->Sizes().empty() && process->Sizes().back() == "100x30"; }));
}

TEST_F(StreamServiceTest, TheClientsGoingEndsTheSession) {
  auto client = Spdy("/exec?in&out", kVersions);
  const uint32_t error = client->Open({{"streamtype", "error"}});
  client->Open({{"streamtype", "stdin"}});
  client->Open({{"streamtype", "stdout"}});
  const auto process = NextProcess();
  EXPECT_FALSE(process->gone);
  client->Reset(error);
  EXPECT_TRUE(Eventually([&] { return process->gone.load(); }));

  auto socket = Socket("/exec?in&out", {"v4.channel.k8s.io"});
  const auto other = NextProcess(1);
  socket.reset();
  EXPECT_TRUE(Eventually([&] { return other->gone.load(); }));
}

TEST_F(StreamServiceTest, StreamsMustComeInTime) {
  Start({.creation = 50ms});
  auto client = Spdy("/exec?in&out", kVersions);
  client->Open({{"streamtype", "error"}});
  EXPECT_TRUE(client->UntilClosed());
  EXPECT_TRUE(processes_.empty());
}

TEST_F(StreamServiceTest, IdleSessionsEnd) {
  Start({.idle = 200ms});
  auto socket = Socket("/exec?in&out", {"v4.channel.k8s.io"});
  const auto process = NextProcess();
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(50ms);
    WriteFd(process->out.get(), "x");
  }
  EXPECT_FALSE(process->gone) << "it was not idle";
  EXPECT_TRUE(Eventually([&] { return process->gone.load(); }));
}

TEST_F(StreamServiceTest, ClientsThatDoNotGoAreLeft) {
  Start({.finish = 50ms});
  auto client = Spdy("/exec?out", kVersions);
  const uint32_t error = client->Open({{"streamtype", "error"}});
  client->Open({{"streamtype", "stdout"}});
  NextProcess()->Exit(0);
  ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_TRUE(client->UntilClosed());
}

TEST_F(StreamServiceTest, ChannelsOfAWebSocket) {
  const std::string one(1, '\1');
  auto socket = Socket("/exec?in&out&err", {"v5.channel.k8s.io", "v4.channel.k8s.io"});
  ASSERT_EQ(socket->protocol(), "v5.channel.k8s.io");
  EXPECT_EQ(Next(*socket), one) << "a message that says that it is connected";
  const auto process = NextProcess();
  ASSERT_TRUE(socket->SendBinary(std::string(1, '\0') + "hello").ok());
  ASSERT_TRUE(socket->SendBinary(std::string("\x04{\"Width\":5,\"Height\":6}")).ok());
  ASSERT_TRUE(socket->SendBinary(std::string("\xff\0", 2)).ok());
  EXPECT_EQ(ReadFd(process->in.get(), 100), "hello");
  WriteFd(process->err.get(), "oops");
  EXPECT_EQ(Next(*socket), "\2oops");
  process->Exit(0);
  EXPECT_EQ(Next(*socket), "\3{\"metadata\":{},\"status\":\"Success\"}");
  EXPECT_EQ(Next(*socket), "closed 1000");
}

TEST_F(StreamServiceTest, ChannelsInBase64) {
  auto socket = Socket("/exec?in&out", {"v4.base64.channel.k8s.io"});
  EXPECT_EQ(Next(*socket), "1");
  const auto process = NextProcess();
  ASSERT_TRUE(socket->SendText("0aGVsbG8=").ok());
  EXPECT_EQ(ReadFd(process->in.get(), 5), "hello");
  WriteFd(process->out.get(), "hi");
  EXPECT_EQ(Next(*socket), "1aGk=");
  // What is longer than a read at the server, in one message.
  const std::string large(200'000, 'x');
  std::string encoded = "0";
  for (size_t i = 0; i < large.size() / 3; ++i) encoded += "eHh4";
  std::thread sender([&] { ASSERT_TRUE(socket->SendText(encoded).ok()); });
  EXPECT_EQ(ReadFd(process->in.get(), large.size() / 3 * 3), large.substr(0, large.size() / 3 * 3));
  sender.join();
  ASSERT_TRUE(socket->SendText("0!!!!").ok());
  EXPECT_TRUE(Eventually([&] { return process->gone.load(); })) << "no base64";
}

TEST_F(StreamServiceTest, ChannelsOfClientsThatNameNoProtocol) {
  auto socket = Socket("/exec?out", {});
  EXPECT_EQ(Next(*socket), "\1");
  NextProcess()->Exit(1);
  EXPECT_EQ(Next(*socket), "\3command terminated with non-zero exit code: exit status 1");
}

// Nothing is lost when either side is slow, and what lies between them is bounded.
TEST_F(StreamServiceTest, ASlowClientSlowsTheProcessDown) {
  auto client = Spdy("/exec?in&out", kVersions);
  const uint32_t error = client->Open({{"streamtype", "error"}});
  const uint32_t in = client->Open({{"streamtype", "stdin"}});
  const uint32_t out = client->Open({{"streamtype", "stdout"}});
  const auto process = NextProcess();
  constexpr size_t kSize = size_t{32} << 20;
  std::atomic<size_t> written = 0;
  std::thread printer([&] {
    const std::string piece(size_t{64} << 10, 'x');
    while (written < kSize) {
      WriteFd(process->out.get(), piece);
      written += piece.size();
    }
    process->Exit(0);
  });
  size_t before = 0;
  // Until it is stuck: buffers of the kernel and of the service are full.
  while (before != written || before == 0) {
    before = written;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_LT(before, size_t{16} << 20);
  client->Send(in, "still heard");
  EXPECT_EQ(ReadFd(process->in.get(), 11), "still heard");
  EXPECT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_EQ(client->data[out].size(), kSize);
  printer.join();
}

TEST_F(StreamServiceTest, ASlowProcessSlowsTheClientDown) {
  auto client = Spdy("/exec?in&out", kVersions);
  client->Open({{"streamtype", "error"}});
  const uint32_t in = client->Open({{"streamtype", "stdin"}});
  const uint32_t out = client->Open({{"streamtype", "stdout"}});
  const auto process = NextProcess();
  constexpr size_t kSize = size_t{32} << 20;
  std::atomic<size_t> sent = 0;
  std::thread sender([&] {
    const std::string piece(size_t{64} << 10, 'x');
    for (; sent < kSize; sent += piece.size()) client->Send(in, piece);
  });
  size_t before = 0;
  while (before != sent || before == 0) {
    before = sent;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_LT(before, size_t{16} << 20);
  EXPECT_EQ(ReadFd(process->in.get(), kSize).size(), kSize);
  sender.join();
  WriteFd(process->out.get(), "done");
  EXPECT_TRUE(client->Until([&] { return client->data[out] == "done"; }));
}

http::Headers Half(const char* type, const char* port, const char* request) {
  return {{"streamtype", type}, {"port", port}, {"requestid", request}};
}

TEST_F(StreamServiceTest, PortsOverSpdy) {
  auto client = Spdy("/forward", "portforward.k8s.io");
  EXPECT_THAT(answer_, HasSubstr("X-Stream-Protocol-Version: portforward.k8s.io\r\n"));
  const uint32_t error0 = client->Open(Half("error", "80", "0"));
  client->End(error0);
  const uint32_t data0 = client->Open(Half("data", "80", "0"));
  client->Send(data0, "ping");
  EXPECT_EQ(ReadFd(Inside(0), 4), "ping");
  // Another one at the same time.
  const uint32_t error1 = client->Open(Half("error", "80", "1"));
  const uint32_t data1 = client->Open(Half("data", "80", "1"));
  WriteFd(Inside(1), "second");
  WriteFd(Inside(0), "pong");
  ASSERT_TRUE(
      client->Until([&] { return client->data[data0] == "pong" && !client->data[data1].empty(); }));
  EXPECT_EQ(client->data[data1], "second");
  // Halves end one by one.
  client->End(data0);
  EXPECT_EQ(ReadFd(Inside(0), 1), "");
  WriteFd(Inside(0), " more");
  inside_[0].reset();
  ASSERT_TRUE(client->Until([&] { return client->Ended(data0) && client->Ended(error0); }));
  EXPECT_EQ(client->data[data0], "pong more");
  client->End(error1);
  client->Reset(data1);
  EXPECT_EQ(ReadFd(Inside(1), 1), "") << "a stream that was reset keeps its connection";
  ASSERT_TRUE(client->Until([&] { return client->Ended(error1); }));
  client->GoAway();
  EXPECT_TRUE(client->UntilClosed());
}

TEST_F(StreamServiceTest, PodsThatEndFirst) {
  auto client = Spdy("/forward", "portforward.k8s.io");
  const uint32_t error = client->Open(Half("error", "80", "0"));
  const uint32_t data = client->Open(Half("data", "80", "0"));
  client->End(error);
  WriteFd(Inside(0), "all");
  inside_[0].reset();
  ASSERT_TRUE(client->Until([&] { return client->Ended(data) && client->Ended(error); }));
  EXPECT_EQ(client->data[data], "all");
  client->End(data);
  // All streams have ended.
  client->GoAway();
  EXPECT_TRUE(client->UntilClosed());
}

TEST_F(StreamServiceTest, PortsThatCannotBeReached) {
  auto client = Spdy("/forward", "portforward.k8s.io");
  const uint32_t error = client->Open(Half("error", "81", "0"));
  const uint32_t data = client->Open(Half("data", "81", "0"));
  ASSERT_TRUE(client->Until([&] { return client->Ended(error) && client->Ended(data); }));
  EXPECT_EQ(client->data[error],
            "error forwarding port 81 to pod sandbox7, uid : connection refused");
  // The connection goes on.
  client->Open(Half("error", "80", "1"));
  client->Send(client->Open(Half("data", "80", "1")), "x");
  EXPECT_EQ(ReadFd(Inside(0), 1), "x");
}

TEST_F(StreamServiceTest, StreamsThatAreNoHalves) {
  auto client = Spdy("/forward", "portforward.k8s.io");
  std::vector<uint32_t> wrong;
  for (const auto& [type, port] :
       {std::pair("data", "0"), {"data", "65536"}, {"data", "x"}, {"data", ""}, {"other", "80"}}) {
    wrong.push_back(client->Open(Half(type, port, "0")));
  }
  const uint32_t error = client->Open(Half("error", "80", "7"));
  wrong.push_back(client->Open(Half("error", "80", "7")));
  ASSERT_TRUE(client->Until([&] { return client->reset.size() == wrong.size(); }));
  EXPECT_EQ(client->reset, wrong);
  EXPECT_EQ(client->data[error],
            "error processing stream for request 7: error stream already assigned");
}

TEST_F(StreamServiceTest, HalvesThatStayAlone) {
  Start({.creation = 50ms});
  auto client = Spdy("/forward", "portforward.k8s.io");
  const uint32_t error = client->Open(Half("error", "80", "7"));
  ASSERT_TRUE(client->Until([&] { return client->Ended(error); }));
  EXPECT_EQ(client->data[error], "(request=7) timed out waiting for streams");
}

TEST_F(StreamServiceTest, PortsInChannels) {
  auto socket = Socket("/forward?80,81", {"v4.channel.k8s.io"});
  EXPECT_EQ(Next(*socket), std::string("\0\x50\0", 3));
  EXPECT_EQ(Next(*socket), std::string("\1\x50\0", 3));
  EXPECT_EQ(Next(*socket), std::string("\2\x51\0", 3));
  EXPECT_EQ(Next(*socket), std::string("\3\x51\0", 3));
  EXPECT_EQ(Next(*socket), "\3error forwarding port 81 to pod sandbox7, uid : connection refused");
  ASSERT_TRUE(socket->SendBinary(std::string("\0ping", 5)).ok());
  EXPECT_EQ(ReadFd(Inside(0), 4), "ping");
  WriteFd(Inside(0), "pong");
  EXPECT_EQ(Next(*socket), std::string("\0pong", 5));
  inside_[0].reset();
  EXPECT_EQ(Next(*socket), "closed 1000");
}

// What kubectl does since 1.31: SPDY in the messages of a WebSocket.
TEST_F(StreamServiceTest, PortsInATunnel) {
  auto socket = Socket("/forward", {"SPDY/3.1+portforward.k8s.io"});
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(socket->protocol(), "SPDY/3.1+portforward.k8s.io");
  http::SpdySession session(http::SpdySession::Role::kClient);
  ASSERT_TRUE(session.Open(Half("error", "80", "0")).ok());
  const auto data = session.Open(Half("data", "80", "0"));
  session.Send(*data, "ping");
  // In messages that know nothing of frames.
  const std::string out = std::exchange(session.output(), {});
  ASSERT_TRUE(socket->SendBinary(out.substr(0, 5)).ok());
  ASSERT_TRUE(socket->SendBinary(out.substr(5)).ok());
  EXPECT_EQ(ReadFd(Inside(0), 4), "ping");
  WriteFd(Inside(0), "pong");
  SpdyPeer notes(nullptr);
  while (notes.data[*data] != "pong") {
    auto message = socket->Read();
    ASSERT_TRUE(message.ok() && *message);
    ASSERT_TRUE(session.Receive((*message)->data, notes).ok());
  }
  ASSERT_TRUE(socket->Close(1000).ok());
  EXPECT_EQ(Next(*socket), "closed 1000");
  EXPECT_EQ(ReadFd(Inside(0), 1), "");
}

size_t Threads() {
  const std::filesystem::directory_iterator folder("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(folder), end(folder)));
}

TEST_F(StreamServiceTest, ManySessionsNeedNoThreads) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  // Each needs seven descriptors here, both sides counted.
  const size_t count = std::min<size_t>(1000, files.rlim_cur / 16);
  std::vector<std::unique_ptr<SpdyPeer>> clients;
  std::vector<uint32_t> outs;
  size_t threads = 0;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(Spdy("/exec?in&out", kVersions));
    clients[i]->Open({{"streamtype", "error"}});
    clients[i]->Open({{"streamtype", "stdin"}});
    outs.push_back(clients[i]->Open({{"streamtype", "stdout"}}));
    if (i != 20) continue;
    ASSERT_NE(NextProcess(i), nullptr);
    threads = Threads();
  }
  ASSERT_NE(NextProcess(count - 1), nullptr);
  // What runs commands takes threads as it needs them.
  EXPECT_TRUE(Eventually([&] { return Threads() <= threads + 8; })) << Threads();
  // Processes are in no order.
  for (const auto& process : processes_) WriteFd(process->out.get(), "mark");
  for (size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(clients[i]->Until([&] { return clients[i]->data[outs[i]] == "mark"; })) << i;
  }
}

TEST_F(StreamServiceTest, StoppingEndsWhatThereIs) {
  auto client = Spdy("/exec?in&out", kVersions);
  client->Open({{"streamtype", "error"}});
  client->Open({{"streamtype", "stdin"}});
  client->Open({{"streamtype", "stdout"}});
  const auto process = NextProcess();
  service_->Stop();
  EXPECT_TRUE(process->gone);
  EXPECT_TRUE(client->UntilClosed());
  Spdy("/exec?out", kVersions);
  EXPECT_THAT(answer_, HasSubstr("HTTP/1.1 503"));
}

}  // namespace
}  // namespace podium::node
