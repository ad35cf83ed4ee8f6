// The kubelet's port over TLS: who may come in, and what is answered.
#include "node/server/kubelet_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "client/fake_server.h"
#include "http/peer.h"
#include "http/websocket.h"
#include "node/api_node.h"
#include "node/server/agent_host.h"
#include "node/server/kubelet_auth.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

using api::authentication::v1::TokenReview;
using api::authorization::v1::SubjectAccessReview;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// An API server that knows two tokens, and what users may do.
class Reviews : public client::FakeServer {
 public:
  explicit Reviews(const Clock& clock) : FakeServer(clock) {}
  Result<client::SharedObject> Create(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::CreateOptions& options) override {
    if (broken) return Error(Code::kUnavailable, "not there");
    if (target.resource == "tokenreviews") {
      ++tokens;
      auto review = reflect::Copy(*static_cast<const TokenReview*>(object.object));
      review.status.authenticated = review.spec.token.starts_with("good");
      if (review.status.authenticated) review.status.user.username = review.spec.token;
      return client::SharedObject(std::make_shared<const TokenReview>(std::move(review)));
    }
    if (target.resource == "subjectaccessreviews") {
      auto review = reflect::Copy(*static_cast<const SubjectAccessReview*>(object.object));
      const auto& asked = *review.spec.resourceAttributes;
      std::string text = review.spec.user + " " + asked.verb + " " + asked.resource + "/" +
                         asked.subresource + " " + asked.name;
      for (const std::string& group : review.spec.groups) text += " " + group;
      review.status.allowed = allowed.contains(asked.subresource);
      const std::lock_guard lock(mutex);
      questions.push_back(std::move(text));
      return client::SharedObject(std::make_shared<const SubjectAccessReview>(std::move(review)));
    }
    return FakeServer::Create(target, object, options);
  }
  std::vector<std::string> Questions() {
    const std::lock_guard lock(mutex);
    return std::exchange(questions, {});
  }

  std::atomic<bool> broken = false;
  std::atomic<int> tokens = 0;
  std::string allowed = "proxy pods healthz";
  std::mutex mutex;
  std::vector<std::string> questions;
};

// A clock that the test turns on.
class TurnedClock : public Clock {
 public:
  int64_t Now() const override { return SystemClock().Now() + ahead; }
  std::atomic<int64_t> ahead = 0;
};

std::string File(const std::string& name) { return http::TestCertificates::Get().Read(name); }

class KubeletServerTest : public ApiNode {
 protected:
  void SetUp() override {
    ApiNode::SetUp();
    host_ = std::make_unique<AgentHost>(*agent_);
    streams_ = *StreamService::Create(executor_);
    kubelet_ = std::make_unique<KubeletApi>(*host_, auth_, *streams_, *logs_, pages_, clock_);
    auto server = KubeletServer::Start(*kubelet_, {.address = "127.0.0.1",
                                                   .port = 0,
                                                   .certificate = File("server.pem"),
                                                   .key = File("server.key"),
                                                   .client_roots = File("ca.pem")});
    ASSERT_TRUE(server.ok()) << server.error().message();
    port_ = *std::move(server);
    for (const bool certificate : {false, true}) {
      http::ClientOptions options{.tls = {.extra_roots = File("ca.pem"), .system_roots = false}};
      if (certificate) {
        options.tls.certificate = File("client.pem");
        options.tls.key = File("client.key");
      }
      clients_.push_back(*http::Client::Create(std::move(options)));
    }
  }
  void TearDown() override {
    streams_->Stop();
    if (port_) port_->Stop(std::chrono::seconds(2));
    ApiNode::TearDown();
  }

  // Of the client without a certificate.
  std::string Ask(const std::string& method, const std::string& path,
                  const std::string& token = "good") {
    return AskBy(clients_[0], method, path, token);
  }
  std::string AskBy(const http::Client& client, const std::string& method, const std::string& path,
                    const std::string& token) {
    http::Request request{.method = method, .url = Url(path)};
    if (!token.empty()) request.headers.Set("Authorization", "Bearer " + token);
    auto response = client.Send(request);
    if (!response.ok()) return "error: " + response.error().message();
    auto body = response->ReadAll(size_t{1} << 20);
    return std::to_string(response->status()) + " " + (body.ok() ? *body : "broken");
  }
  std::string Url(const std::string& path) const {
    return "https://127.0.0.1:" + std::to_string(port_->port()) + path;
  }
  std::string Message(http::WebSocket& socket) {
    auto message = socket.Read();
    return message.ok() && *message ? (*message)->data : "none";
  }
  std::unique_ptr<http::WebSocket> Socket(const std::string& path) {
    http::Request request{.url = Url(path)};
    request.headers.Set("Authorization", "Bearer good");
    auto answer = http::ConnectWebSocket(clients_[0], request, {"v5.channel.k8s.io"});
    EXPECT_TRUE(answer.ok()) << answer.error().message();
    if (!answer.ok() || !answer->socket) return nullptr;
    answer->socket->SetLimits({.idle = std::chrono::seconds(5)});
    return std::move(answer->socket);
  }

  TurnedClock turned_;
  std::string roots_ = File("ca.pem");
  Reviews reviews_{turned_};
  KubeletAuth auth_{reviews_, turned_, "node7", [this] { return roots_; }};
  const NodeConfig config_{.name = "node7", .data_dir = "/"};
  StatsPages pages_{{.usage = node_.runtime,
                     .clock = turned_,
                     .config = config_,
                     .metrics = node_.metrics,
                     .runtime = node_.runtime,
                     .pods =
                         [this] {
                           uint64_t version = 0;
                           return agent_->ListPods("", &version);
                         },
                     .configuration = R"({"kubeletconfig":{}})"}};
  std::unique_ptr<AgentHost> host_;
  std::unique_ptr<StreamService> streams_;
  std::unique_ptr<KubeletApi> kubelet_;
  std::unique_ptr<KubeletServer> port_;
  std::vector<http::Client> clients_;
};

TEST(NodeSubresources, ByPath) {
  EXPECT_THAT(NodeSubresources("/pods"), ElementsAre("pods", "proxy"));
  EXPECT_THAT(NodeSubresources("/runningpods/"), ElementsAre("pods", "proxy"));
  EXPECT_THAT(NodeSubresources("/healthz/ping"), ElementsAre("healthz", "proxy"));
  EXPECT_THAT(NodeSubresources("/configz"), ElementsAre("configz", "proxy"));
  EXPECT_THAT(NodeSubresources("/metrics/cadvisor"), ElementsAre("metrics"));
  EXPECT_THAT(NodeSubresources("/stats/summary"), ElementsAre("stats"));
  EXPECT_THAT(NodeSubresources("/logs/"), ElementsAre("log"));
  EXPECT_THAT(NodeSubresources("/podsandmore"), ElementsAre("proxy"));
  EXPECT_THAT(NodeSubresources("/exec/ns/pod/c"), ElementsAre("proxy"));
}

TEST_F(KubeletServerTest, NobodyIsAnonymous) {
  for (const char* path : {"/pods", "/healthz", "/exec/ns/web/a", "/nowhere"}) {
    EXPECT_EQ(Ask("GET", path, ""), "401 Unauthorized");
    EXPECT_EQ(Ask("GET", path, "bad"), "401 Unauthorized");
  }
  EXPECT_THAT(reviews_.Questions(), ElementsAre());
}

TEST_F(KubeletServerTest, ByCertificate) {
  EXPECT_EQ(AskBy(clients_[1], "GET", "/healthz", ""), "200 ok");
  const auto questions = reviews_.Questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_THAT(questions[0], HasSubstr(" get nodes/healthz node7"));
  EXPECT_THAT(questions[0], HasSubstr("system:authenticated"));
  EXPECT_EQ(reviews_.tokens, 0);
}

TEST_F(KubeletServerTest, ACertificateOfAnotherAuthorityIsNone) {
  roots_ = File("server.pem");
  EXPECT_EQ(AskBy(clients_[1], "GET", "/pods", ""), "401 Unauthorized");
  EXPECT_THAT(AskBy(clients_[1], "GET", "/pods", "good"), StartsWith("200 ")) << "by its token";
}

TEST_F(KubeletServerTest, WhatIsAllowedIsAskedOf) {
  reviews_.allowed = "";
  EXPECT_EQ(Ask("GET", "/pods"),
            "403 Forbidden (user=good, verb=get, resource=nodes, subresource(s)=[pods proxy])\n");
  EXPECT_THAT(reviews_.Questions(), ElementsAre("good get nodes/pods node7 system:authenticated",
                                                "good get nodes/proxy node7 system:authenticated"));
  EXPECT_EQ(Ask("POST", "/run/ns/web/a"),
            "403 Forbidden (user=good, verb=create, resource=nodes, subresource(s)=[proxy])\n");
  EXPECT_THAT(Ask("GET", "/logs/"), HasSubstr("subresource(s)=[log]"));
}

TEST_F(KubeletServerTest, AnswersAreRememberedForTheirTime) {
  EXPECT_THAT(Ask("GET", "/pods"), StartsWith("200 "));
  EXPECT_THAT(Ask("GET", "/pods"), StartsWith("200 "));
  EXPECT_EQ(reviews_.tokens, 1);
  EXPECT_EQ(reviews_.Questions().size(), 1U);
  reviews_.broken = true;
  // Two minutes, of which a busy machine has used some itself.
  turned_.ahead = int64_t{90} * 1'000'000'000;
  EXPECT_THAT(Ask("GET", "/pods"), StartsWith("200 "));
  turned_.ahead = int64_t{121} * 1'000'000'000;
  EXPECT_EQ(Ask("GET", "/pods"), "401 Unauthorized") << "nobody can be asked";
  reviews_.broken = false;
  EXPECT_THAT(Ask("GET", "/pods"), StartsWith("200 "));
  EXPECT_EQ(reviews_.Questions().size(), 0U) << "what is allowed is for five minutes";
  turned_.ahead = int64_t{301} * 1'000'000'000;
  EXPECT_THAT(Ask("GET", "/pods"), StartsWith("200 "));
  EXPECT_EQ(reviews_.Questions().size(), 1U);
  reviews_.broken = true;
  EXPECT_EQ(Ask("POST", "/run/ns/web/a"),
            "500 Authorization error (user=good, verb=create, resource=nodes, subresource=proxy)");
}

TEST_F(KubeletServerTest, Health) {
  EXPECT_EQ(Ask("GET", "/healthz"), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz/syncloop"), "200 ok");
  EXPECT_EQ(Ask("GET", "/healthz?verbose"),
            "200 [+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n");
  EXPECT_THAT(Ask("GET", "/healthz/other"), StartsWith("404 "));
}

TEST_F(KubeletServerTest, WhatTheAgentCounts) {
  EXPECT_THAT(Ask("GET", "/metrics"), StartsWith("403 ")) << "proxy is not enough";
  reviews_.allowed += " metrics";
  turned_.ahead = int64_t{31} * 1'000'000'000;
  Run("web", "containers: [{name: a}]");
  const std::string page = Ask("GET", "/metrics");
  EXPECT_THAT(page, StartsWith("200 # HELP kubelet_active_pods"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_running_pods 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_running_containers{container_state=\"running\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_started_pods_total 1\n"));
  EXPECT_THAT(page,
              HasSubstr("\nkubelet_started_containers_total{container_type=\"container\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_pod_start_duration_seconds_count 1\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_pod_worker_start_duration_seconds_count 1\n"));
  // This one, and the one that was refused.
  EXPECT_THAT(page, HasSubstr("\nkubelet_http_requests_total{long_running=\"false\",method=\"GET\","
                              "path=\"metrics\",server_type=\"readwrite\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\nkubelet_http_inflight_requests{long_running=\"false\",method="
                              "\"GET\",path=\"metrics\",server_type=\"readwrite\"} 1\n"));
  EXPECT_THAT(Ask("GET", "/metrics/probes"), HasSubstr("process_start_time_seconds"));
  EXPECT_THAT(Ask("GET", "/metrics/others"), StartsWith("404 "));
  EXPECT_EQ(Ask("POST", "/metrics"), "405 Method Not Allowed");
}

// Nobody who may come no further makes up series by asking.
TEST_F(KubeletServerTest, UnknownPathsAreCountedTogether) {
  for (const char* path : {"/nowhere", "/a/b", "/metrics/x"}) (void)Ask("BREW", path, "");
  std::string labels;
  node_.metrics.http_requests.ForEach([&](const std::string& each, const Counter& counter) {
    labels += each + " " + std::to_string(counter.value()) + "\n";
  });
  EXPECT_EQ(labels,
            "long_running=\"false\",method=\"other\",path=\"other\",server_type=\"readwrite\" "
            "3\n");
}

TEST_F(KubeletServerTest, Configuration) {
  EXPECT_EQ(Ask("GET", "/configz"), R"(200 {"kubeletconfig":{}})");
  EXPECT_EQ(Ask("POST", "/configz"), "405 Method Not Allowed");
  reviews_.allowed = "pods healthz metrics";
  turned_.ahead = int64_t{400} * 1'000'000'000;
  EXPECT_EQ(
      Ask("GET", "/configz"),
      "403 Forbidden (user=good, verb=get, resource=nodes, subresource(s)=[configz proxy])\n");
}

TEST_F(KubeletServerTest, PodsAndWhatRuns) {
  EXPECT_EQ(Ask("GET", "/pods"),
            "200 {\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":null}\n");
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  EXPECT_THAT(Ask("GET", "/pods"), HasSubstr("\"uid\":\"" + pod.metadata.uid + "\""));
  EXPECT_THAT(Ask("GET", "/runningpods/"), HasSubstr("\"name\":\"web\",\"namespace\":\"ns\""));
  EXPECT_EQ(Ask("POST", "/pods"), "405 Method Not Allowed");
  EXPECT_EQ(Ask("GET", "/logs/messages"),
            "403 Forbidden (user=good, verb=get, resource=nodes, "
            "subresource(s)=[log])\n");
  reviews_.allowed += " log";
  turned_.ahead = int64_t{31} * 1'000'000'000;
  EXPECT_EQ(Ask("GET", "/logs/messages"), "405 logs endpoint is disabled.\n");
  EXPECT_EQ(Ask("GET", "/nowhere"), "404 404: Page Not Found");
}

TEST_F(KubeletServerTest, LogsOfContainers) {
  const std::string path = "/containerLogs/ns/web/a";
  EXPECT_EQ(Ask("GET", path), "404 pod \"web\" does not exist");
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  EXPECT_EQ(Ask("GET", "/containerLogs/ns/web/b"), "404 container \"b\" not found in pod \"web\"");
  const std::string folder = PodLogFolder(node_.config, "ns", "web", pod.metadata.uid) + "/a";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/0.log") << "2026-11-22T00:00:01.5Z stdout F one\n"
                                      "2026-11-22T00:00:02.5Z stderr F two\n";
  EXPECT_EQ(Ask("GET", path), "200 one\ntwo\n");
  EXPECT_EQ(Ask("GET", path + "?tailLines=1&timestamps=true"), "200 2026-11-22T00:00:02.5Z two\n");
  EXPECT_EQ(Ask("GET", path + "?tail=1"), "200 two\n");
  EXPECT_EQ(Ask("GET", path + "?tail=all&limitBytes=3"), "200 one");
  EXPECT_EQ(Ask("GET", path + "?stream=Stdout"), "200 one\n");
  EXPECT_EQ(Ask("GET", path + "?sinceTime=2026-11-22T00:00:02Z"), "200 two\n");
  EXPECT_EQ(Ask("GET", path + "?previous=true"),
            "400 previous terminated container \"a\" in pod \"web\" not found");
  for (const char* bad : {"tailLines=x", "sinceTime=yesterday", "limitBytes=1e3"}) {
    EXPECT_EQ(Ask("GET", path + "?" + bad), R"(400 {"message": "Unable to decode query."})");
  }
  for (const char* bad :
       {"tailLines=-1", "limitBytes=0", "sinceSeconds=0", "stream=Both",
        "sinceSeconds=1&sinceTime=2026-11-22T00:00:02Z", "stream=Stderr&tailLines=1"}) {
    EXPECT_EQ(Ask("GET", path + "?" + bad), R"(422 {"message": "Invalid request."})");
  }
  EXPECT_EQ(Ask("POST", path), "405 Method Not Allowed");
}

TEST_F(KubeletServerTest, AFollowedLogEndsWithItsClient) {
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  const std::string folder = PodLogFolder(node_.config, "ns", "web", pod.metadata.uid) + "/a";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/0.log") << "2026-11-22T00:00:01.5Z stdout F one\n";
  {
    http::Request request{.url = Url("/containerLogs/ns/web/a?follow=true")};
    request.headers.Set("Authorization", "Bearer good");
    auto response = clients_[0].Send(request);
    ASSERT_TRUE(response.ok()) << response.error().message();
    std::string begin(1, '\0');
    ASSERT_TRUE(response->Read(begin).ok());
    EXPECT_EQ(begin, "o");
    EXPECT_EQ(port_->connections(), 1U);
  }
  // The container says nothing more.
  for (int i = 0; i < 500 && port_->connections() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(port_->connections(), 0U);
}

TEST_F(KubeletServerTest, Commands) {
  node_.runtime.ScriptExec([](const std::string& name, const std::vector<std::string>& words) {
    return runtime::FakeRuntime::ExecResult{.stdout_text = name + ":" + words.at(1),
                                            .stderr_text = "oops",
                                            .exit_code = words.at(0) == "fail" ? 3 : 0};
  });
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  const std::string path = "/exec/ns/web/a?command=ls&command=x";
  EXPECT_EQ(Ask("GET", path), "400 you must specify at least 1 of stdin, stdout, stderr");
  EXPECT_EQ(Ask("POST", path + "&output=1"), "500 Upgrade request required\n");
  EXPECT_EQ(Ask("POST", "/exec/ns/other/a?output=1"), "404 pod does not exist");
  EXPECT_EQ(Ask("POST", "/exec/ns/web/b?output=1"), "500 container not found (\"b\")");
  EXPECT_EQ(Ask("POST", "/exec/ns/web/wrong-uid/a?output=1"), "500 container not found (\"a\")");
  EXPECT_EQ(Ask("DELETE", path), "405 405: Method Not Allowed");

  for (const std::string& uid : {std::string(), pod.metadata.uid + "/"}) {
    auto socket = Socket("/exec/ns/web/" + uid + "a?command=fail&command=x&output=1&error=1");
    ASSERT_NE(socket, nullptr);
    EXPECT_EQ(Message(*socket), "\1");
    EXPECT_EQ(Message(*socket), "\1a:x");
    EXPECT_EQ(Message(*socket), "\2oops");
    EXPECT_THAT(Message(*socket), HasSubstr("exit status 3"));
  }
  EXPECT_EQ(Ask("POST", "/run/ns/web/a?cmd=ls%20x"), "200 a:xoops");
  EXPECT_EQ(Ask("POST", "/run/ns/web/a?cmd=fail%20x"), "500 command 'fail x' exited with 3: oops");
  EXPECT_EQ(Ask("GET", "/run/ns/web/a?cmd=ls%20x"), "405 405: Method Not Allowed");
}

TEST_F(KubeletServerTest, Metrics) {
  Run("web", "containers: [{name: a}]");
  reviews_.allowed = "proxy";
  EXPECT_THAT(Ask("GET", "/metrics/resource"), StartsWith("403 ")) << "nodes/metrics alone will do";
  EXPECT_THAT(reviews_.Questions(),
              ElementsAre("good get nodes/metrics node7 system:authenticated"));
  reviews_.allowed = "metrics";
  turned_.ahead += 60 * kNanosPerSecond;  // what was refused is asked again
  const std::string page = Ask("GET", "/metrics/resource");
  EXPECT_THAT(page, StartsWith("200 # HELP container_cpu_usage_seconds_total "));
  EXPECT_THAT(page, HasSubstr("\ncontainer_memory_working_set_bytes{container=\"a\",namespace="
                              "\"ns\",pod=\"web\"} 1.048576e+06 "));
  EXPECT_THAT(Ask("GET", "/metrics/cadvisor"),
              HasSubstr("\ncontainer_memory_working_set_bytes{container=\"a\",id="));
  EXPECT_EQ(Ask("GET", "/metrics/none"), "404 404: Page Not Found");
  EXPECT_EQ(Ask("POST", "/metrics/resource"), "405 Method Not Allowed");
}

TEST_F(KubeletServerTest, Summary) {
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  reviews_.allowed = "metrics proxy";
  EXPECT_THAT(Ask("GET", "/stats/summary"), StartsWith("403 ")) << "nodes/stats alone will do";
  reviews_.allowed = "stats";
  turned_.ahead += 60 * kNanosPerSecond;
  const std::string all = Ask("GET", "/stats/summary");
  EXPECT_THAT(all, StartsWith("200 {\"node\":{\"nodeName\":\"node7\",\"systemContainers\":["));
  EXPECT_THAT(all, HasSubstr("{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"" +
                             pod.metadata.uid + "\"}"));
  EXPECT_THAT(all, HasSubstr("\"rlimit\""));
  EXPECT_THAT(all, HasSubstr("\"fs\""));
  const std::string less = Ask("GET", "/stats/summary?only_cpu_and_memory=true");
  EXPECT_THAT(less, HasSubstr("\"workingSetBytes\":1048576"));
  EXPECT_THAT(less, Not(HasSubstr("\"fs\"")));
  EXPECT_EQ(Ask("GET", "/stats/other"), "404 404: Page Not Found");
  EXPECT_EQ(Ask("POST", "/stats/summary"), "405 Method Not Allowed");
}

TEST_F(KubeletServerTest, Ports) {
  node_.runtime.ScriptPorts([](const std::string& pod, uint16_t port) -> Result<UniqueFd> {
    return Error(Code::kUnavailable, pod + " refuses " + std::to_string(port));
  });
  const v1::Pod pod = Run("web", "containers: [{name: a}]");
  EXPECT_EQ(Ask("GET", "/portForward/ns/other"), "404 pod does not exist");
  EXPECT_EQ(Ask("GET", "/portForward/ns/web/wrong-uid"), "404 pod not found");
  EXPECT_EQ(Ask("POST", "/portForward/ns/web"), "500 Upgrade request required\n");
  EXPECT_EQ(Socket("/portForward/ns/web"), nullptr) << "without a port";
  EXPECT_EQ(Socket("/portForward/ns/web?port=0"), nullptr);
  EXPECT_EQ(Socket("/portForward/ns/web?port=80,x"), nullptr);
  auto socket = Socket("/portForward/ns/web/" + pod.metadata.uid + "?port=80,81&port=82");
  ASSERT_NE(socket, nullptr);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Message(*socket)[0], i);
  EXPECT_THAT(Message(*socket), HasSubstr("web refuses 8"));
}

TEST_F(KubeletServerTest, TheCertificateChangesWhileItRuns) {
  ASSERT_TRUE(port_->SetCertificate(File("other.pem"), File("other.key")).ok());
  const auto fresh =
      http::Client::Create({.tls = {.extra_roots = File("ca.pem"), .system_roots = false}});
  EXPECT_THAT(AskBy(*fresh, "GET", "/healthz", "good"), StartsWith("error: ")) << "of nobody known";
  ASSERT_TRUE(port_->SetCertificate(File("server.pem"), File("server.key")).ok());
  EXPECT_EQ(AskBy(*fresh, "GET", "/healthz", "good"), "200 ok");
  EXPECT_FALSE(port_->SetCertificate("nonsense", "nonsense").ok());
  EXPECT_EQ(AskBy(*fresh, "GET", "/healthz", "good"), "200 ok");
}

}  // namespace
}  // namespace podium::node
