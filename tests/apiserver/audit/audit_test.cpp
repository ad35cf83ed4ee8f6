// The audit log and the log of requests, of a server that is asked over HTTP and of components in
// its own process.
#include "apiserver/audit/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT(*-deprecated-headers): mkdtemp

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/object_meta.h"
#include "api/types/core_v1.h"
#include "apiserver/local_connection.h"
#include "apiserver/request_log.h"
#include "apiserver/watch.h"
#include "apiserver/write_support.h"
#include "base/text.h"
#include "http/client.h"
#include "http/server.h"
#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;

// A token is its user's name.
class NameAuthenticator final : public Authenticator {
 public:
  Result<AuthenticatedPtr> Authenticate(const Credentials& credentials) override {
    std::string_view name = credentials.authorization;
    constexpr std::string_view kBearer = "Bearer ";
    if (!name.starts_with(kBearer) || name.ends_with("wrong")) return UnauthorizedAnswer();
    name.remove_prefix(kBearer.size());
    auto who = std::make_shared<Authenticated>();
    who->user = {.name = std::string(name), .groups = {"system:authenticated"}};
    who->audit_annotations = {{"authentication.k8s.io/test", "1"}};
    return AuthenticatedPtr(std::move(who));
  }
};

// Everybody may do anything but "bob", who may only act as others.
class NotBob final : public Authorizer {
 public:
  Authorization Authorize(const AuthorizationQuestion& question) const override {
    const bool allowed = question.user.name != "bob" || question.verb.starts_with("impersonate");
    return {.decision = allowed ? Decision::kAllow : Decision::kNoOpinion,
            .reason = allowed ? "everybody may" : ""};
  }
};

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    std::string form = testing::TempDir() + "podium-audit-XXXXXX";
    folder_ = mkdtemp(form.data());
  }
  ~AuditTest() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  static AuditPolicy PolicyOf(const std::string& rules) {
    auto policy = AuditPolicy::Parse("apiVersion: audit.k8s.io/v1\nkind: Policy\n" + rules);
    EXPECT_TRUE(policy.ok());
    return *std::move(policy);
  }
  Dispatcher::Parts Parts() {
    Dispatcher::Parts parts = rig_.DispatcherParts();
    parts.authenticator = &authenticator_;
    parts.authorizer = &authorizer_;
    parts.metrics = &metrics_;
    parts.watches = &room_;
    parts.audit = audit_ ? &*audit_ : nullptr;
    parts.request_log = requests_ ? &*requests_ : nullptr;
    parts.paths = [](const CallPtr&, const CatalogPtr&) -> Result<apiserver::Answer> {
      apiserver::Answer answer;
      answer.headers.Add("Content-Type", "application/json");
      answer.body = R"({"major":"1"})";
      return answer;
    };
    return parts;
  }
  void Audited(const std::string& rules) {
    log_ = *LineLog::Open({.file = {.path = folder_ + "/log"}}, rig_.clock);
    audit_.emplace(PolicyOf(rules), *log_, rig_.clock);
    Start();
  }
  void Start() {
    dispatcher_ = std::make_unique<Dispatcher>(Parts());
    auto listener = http::Listener::Tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener.ok());
    root_ = "http://127.0.0.1:" + std::to_string(listener->port());
    http::ServerOptions options;
    options.treatment = Dispatcher::TreatmentOf;
    server_ = *http::Server::Start(
        *std::move(listener), std::move(options),
        [this](const std::shared_ptr<http::Exchange>& exchange) { dispatcher_->Handle(exchange); });
    client_ = std::make_unique<http::Client>(*http::Client::Create({}));
  }
  void Stop() {
    if (server_ != nullptr) server_->Stop(std::chrono::seconds(5));
    rig_.writer->WaitForWrites();
  }
  int Send(const std::string& method, const std::string& target, std::string body = "",
           http::Headers headers = {}) {
    if (headers.Find("Authorization") == nullptr) headers.Add("Authorization", "Bearer jane");
    if (headers.Find("User-Agent") == nullptr) headers.Add("User-Agent", "test/1");
    auto response = client_->Send({.method = method,
                                   .url = root_ + target,
                                   .headers = std::move(headers),
                                   .body = std::move(body)});
    EXPECT_TRUE(response.ok()) << (response.ok() ? "" : response.error().message());
    if (!response.ok()) return 0;
    audit_id_ = response->headers().Get("Audit-Id");
    const auto text = response->ReadAll(size_t{8} << 20);
    EXPECT_TRUE(text.ok());
    return response->status();
  }
  // What the log has, when everything has come to its end.
  std::vector<Replied> Events() {
    Stop();
    log_->Flush();
    std::ifstream file(folder_ + "/log");
    std::vector<Replied> events;
    for (std::string line; std::getline(file, line);) {
      auto parsed = reflect::ParseJson(line);
      EXPECT_TRUE(parsed.ok()) << line;
      if (parsed.ok()) events.push_back({.body = *std::move(parsed)});
    }
    return events;
  }

  WriteRig rig_;
  NameAuthenticator authenticator_;
  NotBob authorizer_;
  Metrics metrics_;
  const WatchRoom room_{
      .store = rig_.store.memory, .clock = rig_.clock, .executor = rig_.store.executor};
  std::string folder_;
  std::unique_ptr<LineLog> log_;
  std::optional<Audit> audit_;
  std::optional<RequestLog> requests_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::string root_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
  std::string audit_id_;
};

constexpr char kMaps[] = "/api/v1/namespaces/team/configmaps";

TEST_F(AuditTest, AWriteHasTwoStagesAndAtMetadataNoObjects) {
  Audited("rules: [{level: Metadata}]");
  EXPECT_EQ(Send("POST", std::string(kMaps) + "?fieldManager=me",
                 R"({"metadata":{"name":"m","uid":"u1"},"data":{"a":"b"}})",
                 {{"X-Forwarded-For", "10.1.2.3, nonsense"}, {"Audit-ID", "given"}}),
            201);
  EXPECT_EQ(audit_id_, "given");
  const auto events = Events();
  ASSERT_EQ(events.size(), 2U);
  for (const Replied& event : events) {
    EXPECT_EQ(event.At("kind"), "Event");
    EXPECT_EQ(event.At("apiVersion"), "audit.k8s.io/v1");
    EXPECT_EQ(event.At("level"), "Metadata");
    EXPECT_EQ(event.At("auditID"), "given");
    EXPECT_EQ(event.At("requestURI"), std::string(kMaps) + "?fieldManager=me");
    EXPECT_EQ(event.At("verb"), "create");
    EXPECT_EQ(event.At("user"), R"({"username":"jane","groups":["system:authenticated"]})");
    EXPECT_EQ(event.At("sourceIPs"), R"(["10.1.2.3","127.0.0.1"])");
    EXPECT_EQ(event.At("userAgent"), "test/1");
    EXPECT_EQ(event.Find("requestObject"), nullptr);
    EXPECT_EQ(event.Find("responseObject"), nullptr);
  }
  EXPECT_EQ(events[0].At("stage"), "RequestReceived");
  EXPECT_EQ(events[0].At("objectRef"),
            R"({"resource":"configmaps","namespace":"team","apiVersion":"v1"})");
  EXPECT_EQ(events[0].Find("responseStatus"), nullptr);
  EXPECT_EQ(events[0].At("annotations"), R"({"authentication.k8s.io/test":"1"})");
  EXPECT_EQ(events[0].At("stageTimestamp"), events[0].At("requestReceivedTimestamp"));
  EXPECT_EQ(events[1].At("stage"), "ResponseComplete");
  EXPECT_EQ(events[1].At("objectRef"), R"({"resource":"configmaps","namespace":"team","name":"m",)"
                                       R"("uid":"u1","apiVersion":"v1"})");
  EXPECT_EQ(events[1].At("responseStatus"), R"({"metadata":{},"code":201})");
  EXPECT_EQ(events[1].At("annotations"), R"({"authentication.k8s.io/test":"1",)"
                                         R"("authorization.k8s.io/decision":"allow",)"
                                         R"("authorization.k8s.io/reason":"everybody may"})");
  EXPECT_GT(events[1].At("stageTimestamp"), events[1].At("requestReceivedTimestamp"));
}

TEST_F(AuditTest, RequestAndResponseAreObjectsInJsonWhateverWasSpoken) {
  Audited(
      "omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n"
      "- {level: Request, verbs: [create]}\n- {level: RequestResponse}\n");
  EXPECT_EQ(Send("POST", kMaps, "metadata:\n  name: m\n  managedFields: [{manager: x}]\n",
                 {{"Content-Type", "application/yaml"}}),
            201);
  const std::string map = std::string(kMaps) + "/m";
  EXPECT_EQ(Send("GET", map, "", {{"Accept", "application/vnd.kubernetes.protobuf"}}), 200);
  EXPECT_EQ(Send("GET", map, "", {{"Accept", "application/yaml"}}), 200);
  EXPECT_EQ(Send("GET", map + "?pretty=true"), 200);
  EXPECT_EQ(Send("PATCH", map, R"({"data":{"k":"v"}})",
                 {{"Content-Type", "application/merge-patch+json"}}),
            200);
  EXPECT_EQ(Send("DELETE", map, R"({"propagationPolicy":"Background"})"), 200);
  EXPECT_EQ(Send("GET", "/version"), 200);
  const auto events = Events();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[0].At("requestObject"),
            R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"}})");
  EXPECT_EQ(events[0].Find("responseObject"), nullptr);
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(events[i].Find("requestObject"), nullptr);
    EXPECT_EQ(events[i].At("responseObject.kind"), "ConfigMap") << i;
    EXPECT_EQ(events[i].At("responseObject.metadata.name"), "m") << i;
    EXPECT_EQ(events[i].Find("responseObject.metadata.managedFields"), nullptr) << i;
  }
  EXPECT_EQ(events[4].At("requestObject"), R"({"data":{"k":"v"}})");
  EXPECT_EQ(events[4].At("responseObject.data.k"), "v");
  EXPECT_EQ(events[5].At("requestObject"),
            R"({"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"})");
  EXPECT_EQ(events[5].At("responseObject.kind"), "Status");
  EXPECT_EQ(events[5].At("responseStatus.status"), "Success");
  // Of what is no resource there are no objects.
  EXPECT_EQ(events[6].At("requestURI"), "/version");
  EXPECT_EQ(events[6].Find("objectRef"), nullptr);
  EXPECT_EQ(events[6].Find("responseObject"), nullptr);
}

TEST_F(AuditTest, ManagedFieldsStayUnlessTheyAreOmitted) {
  Audited("omitStages: [RequestReceived]\nrules: [{level: RequestResponse}]");
  ConfigMap map;
  map.metadata.namespace_ = "team";
  map.metadata.name = "m";
  map.metadata.managedFields.emplace_back().manager = "someone";
  rig_.store.Put(std::move(map));
  EXPECT_EQ(Send("GET", std::string(kMaps) + "/m"), 200);
  const auto events = Events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].At("responseObject.metadata.managedFields.0.manager"), "someone");
}

TEST_F(AuditTest, AListIsToldWholeWhenItWasSent) {
  Audited(
      "omitStages: [RequestReceived]\nomitManagedFields: true\nrules: [{level: RequestResponse,"
      " verbs: [list]}]");
  for (int i = 0; i < 300; ++i) {
    ConfigMap map;
    map.metadata.namespace_ = "team";
    map.metadata.name = "map-" + std::to_string(i);
    map.metadata.managedFields.emplace_back().manager = "someone";
    map.data.emplace("text", std::string(500, 'x'));
    rig_.store.Put(std::move(map));
  }
  EXPECT_EQ(Send("GET", kMaps, "", {{"Accept-Encoding", "gzip"}}), 200);
  EXPECT_EQ(Send("GET", kMaps, "", {{"Accept", "application/vnd.kubernetes.protobuf"}}), 200);
  const auto events = Events();
  ASSERT_EQ(events.size(), 2U);
  for (const Replied& event : events) {
    EXPECT_EQ(event.At("responseStatus.code"), "200");
    EXPECT_EQ(event.Find("annotations")->Find("audit.k8s.io/truncated"), nullptr);
    ASSERT_NE(event.Find("responseObject.items"), nullptr);
    EXPECT_EQ(event.Find("responseObject.items")->array().size(), 300U);
    EXPECT_EQ(event.Find("responseObject.items.7.metadata.managedFields"), nullptr);
  }
}

TEST_F(AuditTest, ErrorsHaveTheirStatus) {
  Audited("omitStages: [RequestReceived]\nrules: [{level: Metadata}]");
  EXPECT_EQ(Send("GET", std::string(kMaps) + "/none"), 404);
  EXPECT_EQ(Send("GET", kMaps, "", {{"Authorization", "Bearer bob"}}), 403);
  EXPECT_EQ(Send("POST", kMaps, "{"), 400);
  const auto events = Events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].At("responseStatus.reason"), "NotFound");
  EXPECT_EQ(events[0].At("responseStatus.status"), "Failure");
  EXPECT_EQ(events[0].At("responseStatus.message"), R"(configmaps "none" not found)");
  EXPECT_EQ(events[1].At("responseStatus.code"), "403");
  EXPECT_EQ(events[1].Find("annotations")->Find("authorization.k8s.io/decision")->string(),
            "forbid");
  EXPECT_EQ(events[2].At("responseStatus.code"), "400");
}

TEST_F(AuditTest, WhoIsNobodyIsToldOnceWithWhatWasTried) {
  Audited("rules: [{level: Metadata}]");
  EXPECT_EQ(Send("GET", kMaps, "", {{"Authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(Send("GET", kMaps, "", {{"Authorization", "nonsense"}}), 401);
  const auto events = Events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].At("stage"), "ResponseStarted");
  EXPECT_EQ(events[0].At("user"), "{}");
  EXPECT_EQ(events[0].At("responseStatus"),
            R"({"metadata":{},"message":"Authentication failed, attempted: bearer","code":401})");
  EXPECT_EQ(events[1].At("responseStatus.message"),
            "Authentication failed, no credentials provided");
}

TEST_F(AuditTest, WhoActsAsAnotherIsTold) {
  // The policy goes by who the client is, not by whom it acts as.
  Audited("omitStages: [RequestReceived]\nrules: [{level: Metadata, users: [bob]}]");
  EXPECT_EQ(Send("GET", kMaps, "", {{"Authorization", "Bearer bob"}, {"Impersonate-User", "amy"}}),
            200);
  const auto events = Events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].At("user.username"), "bob");
  EXPECT_EQ(events[0].At("impersonatedUser.username"), "amy");
  EXPECT_EQ(events[0].At("authenticationMetadata"),
            R"({"impersonationConstraint":"impersonate:user-info"})");
}

TEST_F(AuditTest, AWatchHasThreeStages) {
  Audited("rules: [{level: RequestResponse}]");
  EXPECT_EQ(Send("GET", std::string(kMaps) + "?watch=1&timeoutSeconds=1"), 200);
  const auto events = Events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].At("stage"), "RequestReceived");
  EXPECT_EQ(events[1].At("stage"), "ResponseStarted");
  EXPECT_EQ(events[1].At("responseStatus.code"), "200");
  EXPECT_EQ(events[2].At("stage"), "ResponseComplete");
  EXPECT_EQ(events[2].At("verb"), "watch");
  EXPECT_EQ(events[2].Find("responseObject"), nullptr);
  EXPECT_GT(events[2].At("stageTimestamp").substr(0, 19),
            events[1].At("stageTimestamp").substr(0, 19));
}

TEST_F(AuditTest, WhatAPolicyDoesNotNameIsNotLogged) {
  Audited("rules: [{level: Metadata, verbs: [delete]}]");
  EXPECT_EQ(Send("GET", kMaps), 200);
  EXPECT_TRUE(Events().empty());
  EXPECT_EQ(audit_->counts().by_level[0], 1U);
  EXPECT_EQ(audit_->counts().events, 0U);
}

// Of /metrics: the lines about audit, without their comments.
std::string AuditLines(const std::string& text) {
  std::string lines;
  for (const std::string_view line : Split(text, '\n')) {
    if (line.starts_with("apiserver_audit_")) lines.append(line).push_back('\n');
  }
  return lines;
}

TEST_F(AuditTest, IsCountedAsUpstreamCountsIt) {
  Audited("rules: [{level: Metadata, verbs: [list]}, {level: RequestResponse, verbs: [create]}]");
  EXPECT_EQ(Send("GET", kMaps), 200);
  EXPECT_EQ(Send("POST", kMaps, MapText("m")), 201);
  EXPECT_EQ(Send("GET", std::string(kMaps) + "/m"), 200);
  EXPECT_EQ(Events().size(), 4U);
  const CatalogPtr catalog = Catalog::Make({});
  const std::string text = metrics_.Text(*catalog, rig_.store.memory, &*audit_);
  EXPECT_EQ(AuditLines(text), R"(apiserver_audit_event_total 4
apiserver_audit_error_total{plugin="buffered"} 0
apiserver_audit_error_total{plugin="log"} 0
apiserver_audit_level_total{level="None"} 1
apiserver_audit_level_total{level="Metadata"} 1
apiserver_audit_level_total{level="Request"} 0
apiserver_audit_level_total{level="RequestResponse"} 1
apiserver_audit_requests_rejected_total 0
)");
}

TEST_F(AuditTest, WhatIsLostIsCountedByWhatLostIt) {
  // The disk is full: the first line is taken and cannot be written. The second is too long.
  log_ = *LineLog::Open({.file = {.path = "/dev/full"}, .max_bytes = 2000}, rig_.clock);
  audit_.emplace(PolicyOf("omitStages: [RequestReceived]\nrules: [{level: RequestResponse}]"),
                 *log_, rig_.clock);
  Start();
  EXPECT_EQ(Send("POST", kMaps, MapText("m")), 201);
  log_->Flush();
  EXPECT_EQ(Send("POST", kMaps, MapText("n", std::string(3000, 'x'))), 201);
  log_->Flush();
  const std::string lines =
      AuditLines(metrics_.Text(*Catalog::Make({}), rig_.store.memory, &*audit_));
  EXPECT_THAT(lines, testing::HasSubstr("apiserver_audit_event_total 2\n"));
  EXPECT_THAT(lines, testing::HasSubstr("error_total{plugin=\"buffered\"} 1\n"));
  EXPECT_THAT(lines, testing::HasSubstr("error_total{plugin=\"log\"} 1\n"));
}

TEST_F(AuditTest, ComponentsOfTheServerAreLoggedToo) {
  log_ = *LineLog::Open({.file = {.path = folder_ + "/log"}}, rig_.clock);
  audit_.emplace(PolicyOf("omitStages: [RequestReceived]\nrules:\n"
                          "- {level: RequestResponse, verbs: [create, list, get]}\n"
                          "- {level: Metadata}\n"),
                 *log_, rig_.clock);
  const Dispatcher dispatcher(Parts());
  LocalConnection connection(dispatcher, {.name = "system:kube-controller-manager"}, "manager");
  client::Target maps;
  maps.version = "v1";
  maps.resource = "configmaps";
  maps.namespace_ = "team";
  client::Target one = maps;
  one.name = "m";
  ConfigMap map;
  map.metadata.namespace_ = "team";
  map.metadata.name = "m";
  ASSERT_TRUE(connection.Create(maps, map, {}).ok());
  api::meta::v1::ListOptions options;
  options.limit = 5;
  ASSERT_TRUE(connection.List(maps, options).ok());
  ASSERT_TRUE(connection.Watch(maps, {}, [] {}).ok());
  ASSERT_TRUE(connection.Delete(one, {}).ok());
  ASSERT_FALSE(connection.Get(one, {}).ok());
  ASSERT_TRUE(connection.GetRaw("/version?x=1").ok());
  const auto events = Events();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[0].At("user.username"), "system:kube-controller-manager");
  EXPECT_EQ(events[0].At("userAgent"), "manager");
  EXPECT_EQ(events[0].At("requestURI"), kMaps);
  EXPECT_EQ(events[0].At("objectRef.name"), "m");
  EXPECT_EQ(events[0].At("requestObject.metadata.name"), "m");
  EXPECT_EQ(events[0].At("responseObject.kind"), "ConfigMap");
  EXPECT_EQ(events[0].At("responseStatus.code"), "201");
  EXPECT_EQ(events[1].At("requestURI"), std::string(kMaps) + "?limit=5");
  EXPECT_EQ(events[1].At("responseObject.items.0.metadata.name"), "m");
  EXPECT_EQ(events[2].At("stage"), "ResponseStarted");
  EXPECT_EQ(events[3].At("verb"), "watch");
  EXPECT_EQ(events[4].At("verb"), "delete");
  EXPECT_EQ(events[5].At("responseStatus.reason"), "NotFound");
  EXPECT_EQ(events[6].At("requestURI"), "/version?x=1");
}

class RequestLogTest : public AuditTest {
 protected:
  void Logged(const RequestLogOptions& options) {
    log_ = *LineLog::Open({.file = {.path = folder_ + "/log"}}, rig_.clock);
    requests_.emplace(options, *log_, rig_.clock);
    Start();
  }
};

TEST_F(RequestLogTest, EveryRequestIsALine) {
  Logged({.all = true});
  EXPECT_EQ(Send("GET", std::string(kMaps) + "?limit=7", "", {{"User-Agent", "te\"st"}}), 200);
  EXPECT_EQ(Send("POST", kMaps, "{}"), 422);
  const auto lines = Events();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].At("msg"), "HTTP");
  EXPECT_EQ(lines[0].At("verb"), "LIST");
  EXPECT_EQ(lines[0].At("URI"), std::string(kMaps) + "?limit=7");
  EXPECT_EQ(lines[0].At("userAgent"), "te\"st");
  EXPECT_TRUE(lines[0].At("latency").ends_with("s"));
  EXPECT_TRUE(lines[0].At("srcIP").starts_with("127.0.0.1:"));
  EXPECT_EQ(lines[0].At("resp"), "200");
  EXPECT_GT(std::stod(lines[0].At("ts")), 1.7e12);
  EXPECT_EQ(lines[1].At("verb"), "POST");
  EXPECT_EQ(lines[1].At("audit-ID"), audit_id_);
  EXPECT_EQ(lines[1].At("resp"), "422");
}

TEST_F(RequestLogTest, OnlySlowOnesUnlessAllAreAskedFor) {
  Logged({.slow = std::chrono::milliseconds(200)});
  EXPECT_EQ(Send("GET", kMaps), 200);
  EXPECT_EQ(Send("GET", std::string(kMaps) + "?watch=1&timeoutSeconds=1"), 200);
  rig_.plugin->meanwhile = [](const AdmissionRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    return Result<void>();
  };
  EXPECT_EQ(Send("POST", kMaps, R"({"metadata":{"name":"m"}})"), 201);
  const auto lines = Events();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].At("msg"), "slow request");
  EXPECT_EQ(lines[0].At("verb"), "POST");
}

}  // namespace
}  // namespace podium::apiserver
