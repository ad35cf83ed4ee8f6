#include "apiserver/server.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "api/status.h"
#include "apiserver/admission/all.h"
#include "apiserver/admission/chain.h"
#include "apiserver/audit/audit.h"
#include "apiserver/authentication/bootstrap_tokens.h"
#include "apiserver/authentication/credentials_folder.h"
#include "apiserver/authentication/openid.h"
#include "apiserver/authentication/request_authenticator.h"
#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/authentication/static_tokens.h"
#include "apiserver/authentication/token_request.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/component_statuses.h"
#include "apiserver/custom_resources/conversion_webhook.h"
#include "apiserver/custom_resources/definitions.h"
#include "apiserver/discovery/discovery.h"
#include "apiserver/discovery/paths.h"
#include "apiserver/dispatch.h"
#include "apiserver/encode.h"
#include "apiserver/first_objects.h"
#include "apiserver/health.h"
#include "apiserver/line_log.h"
#include "apiserver/local_connection.h"
#include "apiserver/metrics.h"
#include "apiserver/nodes/backend_tls.h"
#include "apiserver/nodes/node_way.h"
#include "apiserver/questions.h"
#include "apiserver/services/service_allocator.h"
#include "apiserver/usage/kubelet_pages.h"
#include "apiserver/usage/resource_metrics.h"
#include "apiserver/usage/usage_reader.h"
#include "apiserver/write.h"
#include "base/executor.h"
#include "base/random_name.h"
#include "http/listener.h"
#include "http/message.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "store/backup.h"
#include "store/sqlite_store.h"

namespace podium::apiserver {
namespace {

constexpr size_t kMostThreads = 256;
// Keys that live for a year or ten are looked at this often.
constexpr std::chrono::hours kRenewInterval{6};

Result<void> MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Error::FromErrno(errno, path);
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, path + " cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Who signs what kubelets show, in PEM. What it says is checked here, and not when the first log is
// asked for.
Result<std::string> KubeletRoots(const std::string& path, const CredentialsFolder& credentials) {
  if (path.empty()) return credentials.ca_pem();
  constexpr std::string_view kOption = "--kubelet-certificate-authority";
  auto pem = ReadFile(path);
  if (!pem.ok()) return std::move(pem).error().WithContext(kOption);
  auto certificates = pki::Certificate::AllFromPem(*pem);
  if (!certificates.ok()) {
    return std::move(certificates).error().WithContext(path).WithContext(kOption);
  }
  return pem;
}

std::vector<std::string> NodeNames(const Objects& objects) {
  std::vector<std::string> names;
  const auto nodes = objects.List<api::core::v1::Node>("");
  if (!nodes.ok()) return names;
  for (const auto& node : *nodes) names.push_back(node->metadata.name);
  return names;
}

// What the HTTP server itself answers, before there is a call: as Statuses where upstream's server
// gives them, which clients show the message of.
http::ServerOptions::Page RefusalPage(int code, std::string_view message) {
  if (code != 413) {
    return {"text/plain; charset=utf-8", std::to_string(code) + " " +
                                             std::string(http::ReasonPhrase(code)) + ": " +
                                             std::string(message) + "\n"};
  }
  constexpr std::string_view kSaid = "Request entity too large: ";
  if (message.starts_with(kSaid)) message.remove_prefix(kSaid.size());
  const http::Headers none;
  Call call;
  call.headers = &none;
  return {"application/json",
          AnswerWithError(call, api::RequestEntityTooLargeError(std::string(message))).body};
}

}  // namespace

// In the order in which they need each other; they go in the reverse one.
struct ApiServer::State {
  State(ApiServerOptions given, const Clock& of) : options(std::move(given)), clock(of) {}

  Result<void> OpenLogs();
  Result<void> OpenStore();
  Result<void> OpenCredentials();
  void OpenAuthorization();
  void OpenAnswers();
  Result<void> OpenWayToNodes();
  Result<void> Listen();
  void RenewLater();
  Result<Answer> AnswerBackup(const Call& call);
  Result<Answer> AnswerPath(const CallPtr& call, const CatalogPtr& at);

  const ApiServerOptions options;
  const Clock& clock;
  std::unique_ptr<LineLog> audit_log;
  std::optional<Audit> audit;
  std::unique_ptr<LineLog> request_log;
  std::optional<RequestLog> requests;
  std::vector<std::string> notes;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<Objects> objects;
  LiveCatalog catalog;
  std::unique_ptr<CredentialsFolder> credentials;
  std::unique_ptr<StaticTokens> static_tokens;
  std::unique_ptr<BootstrapTokens> bootstrap_tokens;
  std::unique_ptr<ServiceAccountTokens> account_tokens;
  std::unique_ptr<RequestAuthenticator> authenticator;
  std::optional<ServiceAccountTokenIssuer> token_issuer;
  std::unique_ptr<TokenRequests> token_requests;
  std::unique_ptr<ServerAuthorizer> authorizer;
  std::unique_ptr<AdmissionChain> admission;
  std::unique_ptr<ThreadExecutor> executor;
  std::unique_ptr<ServiceAllocator> services;
  std::unique_ptr<ServiceRepair> service_repair;
  std::unique_ptr<WebhookConversions> conversions;
  std::unique_ptr<Definitions> definitions;
  std::mutex legacy_mutex;
  // Under legacy_mutex.
  std::function<void(std::string_view name_space, std::string_view secret)> on_legacy_token;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<WatchRoom> watches;
  std::unique_ptr<Discovery> discovery;
  std::unique_ptr<Health> health;
  std::unique_ptr<ComponentStatuses> components;
  Metrics metrics;
  std::vector<FixedDocument> openid;
  std::unique_ptr<Paths> paths;
  std::unique_ptr<Questions> questions;
  std::unique_ptr<BackendTls> backend_tls;
  std::shared_ptr<http::Poller> poller;
  std::unique_ptr<NodeWay> nodes;
  std::unique_ptr<KubeletPages> kubelet_pages;
  std::unique_ptr<UsageReader> usage_reader;
  std::unique_ptr<ResourceMetrics> usage;
  std::unique_ptr<Dispatcher> dispatcher;
  std::shared_ptr<http::TlsServer> tls;
  std::unique_ptr<http::Server> server;
  uint16_t port = 0;
};

Result<void> ApiServer::State::OpenLogs() {
  if (!options.audit_policy.empty()) {
    TRY(AuditPolicy policy, AuditPolicy::Load(options.audit_policy));
    if (options.audit_log.path.empty()) {
      notes.emplace_back("there is an audit policy, but no --audit-log-path: nothing is logged");
    } else {
      TRY(audit_log, LineLog::Open({.file = options.audit_log, .report = options.report}, clock));
      audit.emplace(std::move(policy), *audit_log, clock);
    }
  } else if (!options.audit_log.path.empty()) {
    notes.emplace_back("there is no --audit-policy-file: no audit events are logged");
  }
  if (options.request_log.path.empty()) return {};
  TRY(request_log, LineLog::Open({.file = options.request_log, .report = options.report}, clock));
  requests.emplace(options.requests, *request_log, clock);
  return {};
}

Result<void> ApiServer::State::OpenStore() {
  TRY_VOID(MakeFolder(options.data_dir));
  TRY(store, store::SqliteStore::Open({.path = options.data_dir + "/store.db"}));
  objects = std::make_unique<Objects>(*store);
  return WriteFirstObjects(*objects, api::Time::FromUnix(clock.Now() / kNanosPerSecond));
}

Result<void> ApiServer::State::OpenCredentials() {
  const std::string host =
      options.advertise_address.empty() ? "127.0.0.1" : options.advertise_address;
  CredentialsOptions wanted{.folder = options.data_dir + "/pki",
                            .host_names = options.host_names,
                            .server_url = "https://" + host + ":" + std::to_string(port)};
  if (!options.advertise_address.empty()) wanted.addresses = {options.advertise_address};
  if (!options.endpoint_address.empty() && options.endpoint_address != options.advertise_address) {
    wanted.addresses.push_back(options.endpoint_address);
  }
  wanted.addresses.push_back(services->FirstAddress());
  TRY(credentials, CredentialsFolder::Open(std::move(wanted), clock));
  RequestAuthenticatorOptions ways{.client_ca = credentials->ca_pem()};
  if (!options.token_file.empty()) {
    TRY(const std::string csv, ReadFile(options.token_file));
    TRY(static_tokens, StaticTokens::Create(csv, options.token_file));
    ways.tokens.push_back(static_tokens.get());
  }
  bootstrap_tokens = std::make_unique<BootstrapTokens>(*objects, clock);
  TRY(pki::KeySet keys, pki::KeySet::Create({credentials->service_account_key().public_key()}));
  TRY(OpenIdDocuments documents,
      MakeOpenIdDocuments(kDefaultIssuer, host + ":" + std::to_string(port), keys));
  openid = {{.path = std::string(kOpenIdConfigurationPath),
             .content_type = "application/json",
             .cache_control = std::string(kOpenIdCacheControl),
             .body = std::move(documents.configuration)},
            {.path = std::string(kOpenIdKeysPath),
             .content_type = "application/jwk-set+json",
             .cache_control = std::string(kOpenIdCacheControl),
             .body = std::move(documents.keys)}};
  account_tokens = std::make_unique<ServiceAccountTokens>(
      std::move(keys),
      ServiceAccountTokenOptions{.on_legacy_token =
                                     [this](auto name_space, auto secret) {
                                       const std::lock_guard lock(legacy_mutex);
                                       if (on_legacy_token) on_legacy_token(name_space, secret);
                                     }},
      *objects, clock);
  ways.tokens.push_back(account_tokens.get());
  ways.tokens.push_back(bootstrap_tokens.get());
  TRY(token_issuer, ServiceAccountTokenIssuer::Create(credentials->service_account_key(),
                                                      std::string(kDefaultIssuer)));
  token_requests =
      std::make_unique<TokenRequests>(*token_issuer, TokenRequestOptions{}, *objects, clock);
  TRY(authenticator, RequestAuthenticator::Create(std::move(ways), clock));
  return {};
}

void ApiServer::State::OpenAuthorization() {
  authorizer = std::make_unique<ServerAuthorizer>(*store);
  admission = std::make_unique<AdmissionChain>(AllPlugins(
      {.objects = *objects, .authorizer = *authorizer, .clock = clock, .random = RandomNumber},
      options.admission_plugins));
}

Result<void> ApiServer::State::Listen() {
  TRY(http::Listener listener, http::Listener::Tcp(options.address, options.port));
  port = listener.port();
  executor = std::make_unique<ThreadExecutor>(kMostThreads);
  TRY(services,
      ServiceAllocator::Create(
          *objects, {.cidrs = {options.service_range}},
          {.random = [](uint64_t bound) { return RandomNumber() % bound; }, .new_uid = NewUid}));
  service_repair = std::make_unique<ServiceRepair>(*objects, *services, NewUid);
  TRY_VOID(WriteFirstService(*objects, *services, port,
                             api::Time::FromUnix(clock.Now() / kNanosPerSecond)));
  TRY_VOID(OpenCredentials());
  OpenAuthorization();
  conversions = std::make_unique<WebhookConversions>(*objects, RandomNumber);
  definitions = std::make_unique<Definitions>(Definitions::Parts{.store = store.get(),
                                                                 .clock = &clock,
                                                                 .executor = executor.get(),
                                                                 .catalog = &catalog,
                                                                 .webhooks = conversions.get()});
  TRY_VOID(definitions->Start());
  OpenAnswers();
  TRY_VOID(OpenWayToNodes());
  RenewLater();
  // On a loop every connection would wait for it; where it fails, the first node's question does
  // it.
  executor->Post([this] { (void)authorizer->Prepare(); });

  const auto serving = credentials->serving();
  TRY(tls, http::TlsServer::Create({.certificate = serving->certificate,
                                    .key = serving->key,
                                    .client_certificates = http::ClientCertificates::kRequest,
                                    .client_roots = credentials->ca_pem()}));
  credentials->OnNewServing([tls_server = tls](const KeyedCertificate& renewed) {
    // After an error the old one is shown on; the next renewal says it again.
    (void)tls_server->SetCertificate(renewed.certificate, renewed.key);
  });

  std::vector<http::Endpoint> endpoints;
  endpoints.push_back({.listener = std::move(listener), .tls = tls});
  int root_endpoint = -1;
  if (!options.unix_socket.empty()) {
    TRY(http::Listener root, http::Listener::Unix(options.unix_socket));
    root_endpoint = static_cast<int>(endpoints.size());
    endpoints.push_back({.listener = std::move(root), .tls = nullptr});
  }
  dispatcher = std::make_unique<Dispatcher>(Dispatcher::Parts{
      .store = store.get(),
      .authenticator = authenticator.get(),
      .authorizer = authorizer.get(),
      .questions = questions.get(),
      .metrics = &metrics,
      .audit = audit ? &*audit : nullptr,
      .request_log = requests ? &*requests : nullptr,
      .catalog = &catalog,
      .writer = writer.get(),
      .watches = watches.get(),
      .clock = &clock,
      .executor = executor.get(),
      .definitions = definitions.get(),
      .poller = poller,
      .nodes = nodes.get(),
      .components = components.get(),
      .usage = usage.get(),
      .paths = [this](const CallPtr& call, const CatalogPtr& at) { return AnswerPath(call, at); },
      .root_endpoint = root_endpoint});
  http::ServerOptions settings;
  settings.loops = options.loops;
  settings.treatment = Dispatcher::TreatmentOf;
  settings.error_page = RefusalPage;
  TRY(server, http::Server::Start(std::move(endpoints), std::move(settings),
                                  [this](const std::shared_ptr<http::Exchange>& exchange) {
                                    dispatcher->Handle(exchange);
                                  }));
  return {};
}

// The parts that answer, each of one kind of request.
void ApiServer::State::OpenAnswers() {
  writer = std::make_unique<Writer>(Writer::Parts{.store = store.get(),
                                                  .objects = objects.get(),
                                                  .admission = admission.get(),
                                                  .clock = &clock,
                                                  .executor = executor.get(),
                                                  .catalog = &catalog,
                                                  .services = services.get(),
                                                  .escalation = &authorizer->escalation()});
  watches = std::make_unique<WatchRoom>(
      WatchRoom{.store = *store, .clock = clock, .executor = *executor, .random = RandomFraction});

  const std::string host =
      options.advertise_address.empty() ? "127.0.0.1" : options.advertise_address;
  discovery = std::make_unique<Discovery>(host + ":" + std::to_string(port), clock, *executor);

  health = std::make_unique<Health>(
      std::vector<Health::Check>{{.name = "etcd", .run = [this] { return CheckStore(*store); }}});
  components = std::make_unique<ComponentStatuses>(*store);
  paths = std::make_unique<Paths>(Paths::Parts{.discovery = discovery.get(),
                                               .health = health.get(),
                                               .metrics = &metrics,
                                               .audit = audit ? &*audit : nullptr,
                                               .store = store.get(),
                                               .documents = openid});
  questions = std::make_unique<Questions>(Questions::Parts{.authorizer = authorizer.get(),
                                                           .rules = authorizer.get(),
                                                           .authenticator = authenticator.get(),
                                                           .tokens = token_requests.get(),
                                                           .admission = admission.get(),
                                                           .clock = &clock});
}

Result<void> ApiServer::State::OpenWayToNodes() {
  TRY(poller, http::Poller::Create());
  TRY(std::string roots, KubeletRoots(options.kubelet_authority, *credentials));
  backend_tls =
      std::make_unique<BackendTls>([this] { return credentials->kubelet_client(); }, roots);
  TRY(kubelet_pages,
      KubeletPages::Create(
          *objects, [this] { return credentials->kubelet_client(); }, std::move(roots)));
  usage_reader = std::make_unique<UsageReader>(
      UsageReader::Parts{.executor = executor.get(),
                         .clock = &clock,
                         .nodes = [this] { return NodeNames(*objects); },
                         .fetch =
                             [this](const std::string& node) {
                               return kubelet_pages->Fetch(node, "/metrics/resource");
                             }});
  usage = std::make_unique<ResourceMetrics>(*objects, *usage_reader, clock);
  nodes = std::make_unique<NodeWay>(
      NodeWay::Parts{.objects = objects.get(),
                     .authorizer = authorizer.get(),
                     .admission = admission.get(),
                     .executor = executor.get(),
                     .poller = poller,
                     .tls = backend_tls.get(),
                     .metrics = &metrics,
                     .random = [](uint64_t bound) { return RandomNumber() % bound; }});
  return {};
}

void ApiServer::State::RenewLater() {
  executor->PostAfter(kRenewInterval, [this] {
    // What fails is tried again; what was there is shown on meanwhile.
    (void)credentials->Renew();
    RenewLater();
  });
}

Result<Answer> ApiServer::State::AnswerPath(const CallPtr& call, const CatalogPtr& at) {
  if (call->path == "/podium/v1/backup") return AnswerBackup(*call);
  return paths->Serve(call, at);
}

// Written by the server, as itself: nobody but root may say where.
Result<Answer> ApiServer::State::AnswerBackup(const Call& call) {
  if (call.method != "POST") return api::MethodNotAllowedError();
  if (!call.from_root) {
    return api::ForbiddenError({}, "", "copies are made for root, over the socket of the server");
  }
  const std::string path(QueryValue(call.query, "path"));
  if (!path.starts_with('/')) return api::BadRequestError("path is no absolute path of a file");
  TRY(const store::Copied copied, store::Backup(*store, path));
  Answer answer;
  answer.headers.Set("Content-Type", "text/plain");
  answer.body = std::to_string(copied.keys) + " objects of revision " +
                std::to_string(copied.revision) + " copied to " + path + '\n';
  return answer;
}

ApiServer::ApiServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

ApiServer::~ApiServer() { Stop(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<ApiServer>> ApiServer::Start(ApiServerOptions options, const Clock& clock) {
  TRY_VOID(CheckPlugins(options.admission_plugins));
  auto state = std::make_unique<State>(std::move(options), clock);
  TRY_VOID(state->OpenLogs());
  TRY_VOID(state->OpenStore());
  TRY_VOID(state->Listen());
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(state)));
}

void ApiServer::Stop(std::chrono::milliseconds grace) {
  if (state_ == nullptr || state_->server == nullptr) return;
  state_->server->Stop(grace);
  state_->server.reset();
  state_->poller->Stop();
  state_->usage_reader->Stop();
  state_->kubelet_pages->Stop();
  // Writes that are on their way end first: they use everything else.
  state_->writer->WaitForWrites();
  // What runs by itself, then what it runs in.
  state_->definitions->Stop();
  state_->discovery.reset();
  state_->executor.reset();
  state_->store.reset();
}

Result<std::vector<ServiceFinding>> ApiServer::RepairServices() const {
  return state_->service_repair->Run(api::Time::FromUnix(state_->clock.Now() / kNanosPerSecond));
}

const std::vector<std::string>& ApiServer::service_cidrs() const {
  return state_->services->networks().cidrs;
}

std::string ApiServer::service_address() const { return state_->services->FirstAddress(); }

uint16_t ApiServer::port() const { return state_->port; }

std::unique_ptr<client::Connection> ApiServer::Connect(User user, std::string agent) const {
  return std::make_unique<LocalConnection>(*state_->dispatcher, std::move(user), std::move(agent));
}

std::string ApiServer::root_ca() const { return state_->credentials->ca_pem(); }

void ApiServer::OnLegacyToken(
    std::function<void(std::string_view name_space, std::string_view secret)> callback) const {
  const std::lock_guard lock(state_->legacy_mutex);
  state_->on_legacy_token = std::move(callback);
}

void ApiServer::SetComponent(const std::string& name, std::function<Result<void>()> check) const {
  state_->components->Tell(name, std::move(check));
}

const pki::CertificateAuthority& ApiServer::certificate_authority() const {
  return state_->credentials->ca();
}

Result<std::string> ApiServer::IssueLegacyToken(const api::core::v1::ServiceAccount& account,
                                                std::string_view secret_name) const {
  return state_->token_issuer->IssueLegacy(account, secret_name);
}

const std::string& ApiServer::kubeconfig_path() const {
  return state_->credentials->kubeconfig_path();
}

std::vector<std::string> ApiServer::TakeNotes() {
  std::vector<std::string> notes = std::exchange(state_->notes, {});
  for (std::string& note : state_->credentials->TakeNotes()) notes.push_back(std::move(note));
  return notes;
}

}  // namespace podium::apiserver
