#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "http/peer.h"
#include "http/server.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using ExchangePtr = std::shared_ptr<http::Exchange>;
namespace core = api::core::v1;
namespace meta = api::meta::v1;

constexpr std::string_view kPod =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"ns","new":1}})";

void AnswerJson(const ExchangePtr& exchange, int status, std::string_view body) {
  (void)exchange->Respond(status, {{"Content-Type", "application/json"}}, body);
}

// An agent at a unix socket, played by a handler; and the client of it.
class ClientTest : public ::testing::Test {
 protected:
  void Serve(http::Handler handler) {
    server_.reset();
    auto listener = http::Listener::Unix(folder_.path() + "/agent.sock");
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    const auto seen = [this, handler = std::move(handler)](const ExchangePtr& exchange) {
      const http::ServerRequest& request = exchange->request();
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request.head.method + " " + request.head.target +
                            (request.body.empty() ? "" : " " + request.body));
      }
      handler(exchange);
    };
    server_ = *http::Server::Start(
        *std::move(listener),
        {.treatment =
             [](const http::RequestHead&) { return http::Treatment{.long_running = true}; }},
        seen);
  }
  // The same answer to everything.
  void ServeAnswer(int status, std::string body) {
    Serve([status, body = std::move(body)](const ExchangePtr& exchange) {
      AnswerJson(exchange, status, body);
    });
  }
  std::vector<std::string> Requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

  http::TestFolder folder_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::unique_ptr<http::Server> server_;
  const Client client_ = *Client::Create(AgentAt(folder_.path()));
};

TEST_F(ClientTest, SpeaksUpstreamsPaths) {
  ServeAnswer(200, std::string(kPod));
  auto pod = client_.Get<core::Pod>({"ns", "web"});
  ASSERT_TRUE(pod.ok()) << pod.error().message();
  EXPECT_EQ(pod->metadata.name, "web");
  EXPECT_EQ(client_.Get<core::Node>({"", "a node"}).error().message(),
            "the server's answer is a Pod and no Node");
  core::Pod created;
  created.metadata.namespace_ = "ns";
  created.metadata.name = "web";
  EXPECT_TRUE(client_.Create(created).ok());
  EXPECT_TRUE(client_.Update(created).ok());
  meta::DeleteOptions soon;
  soon.gracePeriodSeconds = 3;
  EXPECT_TRUE(client_.Delete<core::Pod>({"ns", "web"}, soon).ok());
  EXPECT_TRUE(client_.Raw("POST", "/node/v1/prune", "all=true").ok());
  EXPECT_THAT(Requests(),
              ElementsAre("GET /api/v1/namespaces/ns/pods/web", "GET /api/v1/nodes/a%20node",
                          StartsWith("POST /api/v1/namespaces/ns/pods {"),
                          StartsWith("PUT /api/v1/namespaces/ns/pods/web {"),
                          "DELETE /api/v1/namespaces/ns/pods/web {\"gracePeriodSeconds\":3}",
                          "POST /node/v1/prune?all=true"));
  // Nothing gets out of its place in a path.
  EXPECT_FALSE(client_.Get<core::Pod>({"ns", ".."}).ok());
  EXPECT_TRUE(client_.Get<core::Pod>({"ns", "../x?y"}).ok());
  EXPECT_THAT(Requests(), ElementsAre("GET /api/v1/namespaces/ns/pods/..%2Fx%3Fy"));
}

TEST_F(ClientTest, Lists) {
  ServeAnswer(200, R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},)"
                   R"("items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})");
  meta::ListOptions options;
  options.labelSelector = "app=x,tier in (a,b)";
  options.limit = 2;
  auto pods = client_.List<core::PodList>("ns", options);
  ASSERT_TRUE(pods.ok()) << pods.error().message();
  EXPECT_EQ(pods->metadata.resourceVersion, "7");
  EXPECT_TRUE(client_.List<core::PodList>("").ok());
  EXPECT_THAT(Requests(), ElementsAre("GET /api/v1/namespaces/ns/pods?labelSelector="
                                      "app%3Dx%2Ctier%20in%20%28a%2Cb%29&limit=2",
                                      "GET /api/v1/pods"));
}

TEST_F(ClientTest, AListIsWrittenAsTheServerHasIt) {
  ServeAnswer(200, R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]})");
  const auto pods = client_.List<core::PodList>("ns");
  ASSERT_TRUE(pods.ok()) << pods.error().message();
  EXPECT_EQ(*reflect::ToJson(*pods),
            R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]})");
}

TEST_F(ClientTest, GivesErrorsInTheServersWords) {
  ServeAnswer(404, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                   R"("message":"pods \"web\" not found","reason":"NotFound","code":404})");
  auto pod = client_.Get<core::Pod>({"ns", "web"});
  EXPECT_EQ(pod.error().code(), Code::kNotFound);
  EXPECT_EQ(pod.error().message(), "pods \"web\" not found");
  EXPECT_EQ(client_.Logs({"ns", "web"}, {}).error().message(), "pods \"web\" not found");
  EXPECT_EQ(client_.Exec({"ns", "web"}, {}).error().message(), "pods \"web\" not found");
  EXPECT_EQ(client_.WatchObjects<core::Pod>("ns").error().message(), "pods \"web\" not found");
}

TEST_F(ClientTest, SaysThatThereIsNoAgent) {
  const std::string path = folder_.path() + "/agent.sock";
  const std::string expected =
      "no agent is listening at " + path + "; start one with \"podium agent\"";
  EXPECT_EQ(client_.Get<core::Pod>({"ns", "web"}).error().message(), expected);
  EXPECT_EQ(client_.Exec({"ns", "web"}, {}).error().message(), expected);
}

TEST_F(ClientTest, RefusesAnswersThatAreNoObjects) {
  ServeAnswer(200, "<html>");
  EXPECT_FALSE(client_.Get<core::Pod>({"ns", "web"}).ok());
}

TEST_F(ClientTest, Watches) {
  Serve([](const ExchangePtr& exchange) {
    (void)exchange->Begin(200, {{"Content-Type", "application/json"}});
    const std::string pod(kPod);
    // Cut where no event ends.
    const std::string events = "{\"type\":\"ADDED\",\"object\":" + pod + "}\n\n" +
                               "{\"type\":\"MODIFIED\",\"object\":" + pod + "}\n" +
                               "{\"type\":\"DELETED\",\"object\":" + pod + "}\n" +
                               "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\","
                               "\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\"}}}";
    for (size_t at = 0; at < events.size(); at += 50) (void)exchange->Write(events.substr(at, 50));
    (void)exchange->End();
  });
  meta::ListOptions options;
  options.resourceVersion = "5";
  auto watch = client_.WatchObjects<core::Pod>("ns", options);
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  for (const EventType type :
       {EventType::kAdded, EventType::kModified, EventType::kDeleted, EventType::kBookmark}) {
    auto event = watch->Next();
    ASSERT_TRUE(event.ok()) << event.error().message();
    ASSERT_TRUE(event->has_value());
    EXPECT_EQ((*event)->type, type);
    const bool is_bookmark = type == EventType::kBookmark;
    EXPECT_EQ((*event)->object.metadata.name, is_bookmark ? "" : "web");
    EXPECT_EQ((*event)->object.metadata.resourceVersion, is_bookmark ? "9" : "");
  }
  EXPECT_FALSE(watch->Next()->has_value());
  EXPECT_FALSE(watch->Next()->has_value());
  EXPECT_THAT(Requests(),
              ElementsAre("GET /api/v1/namespaces/ns/pods?watch=true&resourceVersion=5"));
}

TEST_F(ClientTest, EndsAWatchWithTheServersError) {
  ServeAnswer(200, R"json({"type":"ERROR","object":{"kind":"Status","status":"Failure",)json"
                   R"json("reason":"Expired","code":410,)json"
                   R"json("message":"too old resource version: 1 (2)"}})json"
                   "\n");
  auto watch = client_.WatchObjects<core::Pod>("ns");
  auto event = watch->Next();
  EXPECT_EQ(event.error().code(), Code::kExpired);
  EXPECT_EQ(event.error().message(), "too old resource version: 1 (2)");
  EXPECT_EQ(watch->Next().error().code(), Code::kExpired);
  ServeAnswer(200, "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Po");
  watch = client_.WatchObjects<core::Pod>("ns");
  EXPECT_FALSE(watch->Next().ok());
}

TEST_F(ClientTest, StopsAWatchFromAnotherThread) {
  Serve([](const ExchangePtr& exchange) {
    (void)exchange->Begin(200, {});
    while (!exchange->cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  auto watch = client_.WatchObjects<core::Pod>("ns");
  ASSERT_TRUE(watch.ok());
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    watch->Stop();
  });
  EXPECT_EQ(watch->Next().error().code(), Code::kCancelled);
  stopper.join();
}

TEST_F(ClientTest, FollowsLogs) {
  Serve([](const ExchangePtr& exchange) {
    (void)exchange->Begin(200, {{"Content-Type", "text/plain"}});
    (void)exchange->Write("one\n");
    (void)exchange->Write("two\n");
    (void)exchange->End();
  });
  core::PodLogOptions options;
  options.container = "c";
  options.follow = true;
  options.tailLines = 0;
  auto logs = client_.Logs({"ns", "web"}, options);
  ASSERT_TRUE(logs.ok()) << logs.error().message();
  std::string text;
  char buffer[3];
  while (true) {
    const size_t size = *logs->Read(buffer);
    if (size == 0) break;
    text.append(buffer, size);
  }
  EXPECT_EQ(text, "one\ntwo\n");
  EXPECT_THAT(Requests(), ElementsAre("GET /api/v1/namespaces/ns/pods/web/log?"
                                      "container=c&follow=true&tailLines=0"));
}

// What a server of exec does: reads stdin to its end, and answers on both outputs.
void ServeExec(const ExchangePtr& exchange, std::string_view status) {
  auto socket = http::AcceptWebSocket(*exchange, http::ChannelProtocols());
  ASSERT_TRUE(socket.ok());
  http::Channels channels(*std::move(socket));
  ASSERT_TRUE(channels.Send(http::RemoteChannel::kStdout, "").ok());
  std::string input;
  std::string size;
  while (true) {
    auto message = channels.Read();
    if (!message.ok() || !*message) return;
    if ((*message)->channel == 4) size = (*message)->data;
    if ((*message)->channel == 0) input += (*message)->data;
    if ((*message)->channel == 0 && (*message)->closed) break;
  }
  ASSERT_TRUE(channels.Send(http::RemoteChannel::kStdout, "out:" + input).ok());
  ASSERT_TRUE(channels.Send(http::RemoteChannel::kStderr, "err:" + size).ok());
  ASSERT_TRUE(channels.Send(http::RemoteChannel::kError, status).ok());
  ASSERT_TRUE(channels.socket().Close(1000).ok());
}

TEST_F(ClientTest, RunsCommands) {
  Serve([](const ExchangePtr& exchange) {
    ServeExec(exchange, R"({"status":"Failure","reason":"NonZeroExitCode","message":"x",)"
                        R"("details":{"causes":[{"reason":"ExitCode","message":"42"}]}})");
  });
  core::PodExecOptions options;
  options.stdin_ = options.stdout_ = options.stderr_ = true;
  options.container = "c";
  options.command.push_back("sh");
  options.command.push_back("-c");
  options.command.push_back("echo a&b");
  auto command = client_.Exec({"ns", "web"}, options);
  ASSERT_TRUE(command.ok()) << command.error().message();
  ASSERT_TRUE(command->Resize({80, 24}).ok());
  ASSERT_TRUE(command->WriteStdin("in").ok());
  ASSERT_TRUE(command->WriteStdin("").ok());
  ASSERT_TRUE(command->CloseStdin().ok());
  std::string out;
  std::string err;
  while (true) {
    auto output = command->Read();
    ASSERT_TRUE(output.ok()) << output.error().message();
    if (!*output) break;
    ((*output)->is_stderr ? err : out) += (*output)->data;
  }
  EXPECT_EQ(out, "out:in");
  EXPECT_EQ(err, "err:{\"Width\":80,\"Height\":24}");
  EXPECT_EQ(*command->exit_code(), 42);
  EXPECT_THAT(
      Requests(),
      ElementsAre("GET /api/v1/namespaces/ns/pods/web/exec?stdin=true&stdout=true&stderr=true"
                  "&container=c&command=sh&command=-c&command=echo%20a%26b"));
}

TEST_F(ClientTest, SaysThatASessionBrokeOff) {
  Serve([](const ExchangePtr& exchange) {
    auto socket = http::AcceptWebSocket(*exchange, http::ChannelProtocols());
    ASSERT_TRUE(socket.ok());
  });
  auto command = client_.Attach({"ns", "web"}, {});
  ASSERT_TRUE(command.ok()) << command.error().message();
  EXPECT_EQ(command->Read().error().code(), Code::kUnavailable);
  EXPECT_EQ(command->exit_code().error().code(), Code::kUnavailable);
}

TEST_F(ClientTest, ForwardsPorts) {
  Serve([](const ExchangePtr& exchange) {
    auto socket = http::AcceptWebSocket(*exchange, http::ChannelProtocols());
    ASSERT_TRUE(socket.ok());
    http::Channels channels(*std::move(socket));
    // Port 8080, the low byte first, on both channels.
    ASSERT_TRUE(channels.Send(0, "\x90\x1F").ok());
    ASSERT_TRUE(channels.Send(1, "\x90\x1F").ok());
    while (true) {
      auto message = channels.Read();
      ASSERT_TRUE(message.ok()) << message.error().message();
      if (!*message || (*message)->closed) break;
      if ((*message)->data == "fail") {
        (void)channels.Send(1, "an error occurred forwarding 8080");
        continue;
      }
      ASSERT_TRUE(channels.Send(0, "echo " + (*message)->data).ok());
    }
    ASSERT_TRUE(channels.CloseChannel(0).ok());
    // The client may be gone by now: it has read the end.
    (void)channels.socket().Close(1000);
  });
  auto connection = client_.PortForward({"ns", "web"}, 8080);
  ASSERT_TRUE(connection.ok()) << connection.error().message();
  ASSERT_TRUE(connection->Write("hello").ok());
  char buffer[6];
  std::string text;
  while (text.size() < 10) text.append(buffer, *connection->Read(buffer));
  EXPECT_EQ(text, "echo hello");
  ASSERT_TRUE(connection->Write("fail").ok());
  EXPECT_EQ(connection->Read(buffer).error().message(), "an error occurred forwarding 8080");
  ASSERT_TRUE(connection->CloseWrite().ok());
  EXPECT_EQ(*connection->Read(buffer), 0U);
  EXPECT_THAT(Requests(), ElementsAre("GET /api/v1/namespaces/ns/pods/web/portforward?ports=8080"));
}

TEST_F(ClientTest, StreamsBodies) {
  Serve([](const ExchangePtr& exchange) {
    (void)exchange->Respond(200, {}, std::to_string(exchange->request().body.size()));
  });
  int left = 10;
  auto answer = client_.RawStream(
      "POST", "/node/v1/images/import", "name=x",
      [&](std::span<char> buffer) -> Result<size_t> {
        return left-- > 0 ? std::min<size_t>(buffer.size(), 1000) : 0;
      },
      "application/x-tar");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  char buffer[10];
  EXPECT_EQ(std::string_view(buffer, *answer->Read(buffer)), "10000");
}

TEST(ClientAddress, AddsTokensAndPrefixes) {
  http::PeerServer server([](http::Peer& peer, int) {
    const std::string head = peer.ReadHead();
    EXPECT_THAT(head, StartsWith("GET /prefix/api/v1/namespaces/ns/pods/web HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Authorization: Bearer token\r\n"));
    EXPECT_THAT(head, HasSubstr("Accept: application/json\r\n"));
    peer.Answer(kPod);
  });
  const Client client = *Client::Create({.url = server.Url("/prefix/"), .bearer_token = "token"});
  EXPECT_TRUE(client.Get<core::Pod>({"ns", "web"}).ok());
  EXPECT_FALSE(Client::Create({.url = "no url"}).ok());
}

}  // namespace
}  // namespace podium::client
