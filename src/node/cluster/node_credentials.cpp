#include "node/cluster/node_credentials.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "client/kubeconfig.h"

namespace podium::node {
namespace {

const std::string kClient = "client";
const std::string kServing = "serving";
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLastRetry{60};
// A clock that jumps must not put a renewal off for long.
constexpr std::chrono::hours kLongestRound{1};
// As long as upstream waits for somebody to approve a certificate.
constexpr std::chrono::minutes kPatience{15};
// A server that takes no certificate is not asked for one with each of its answers.
constexpr int64_t kRejectable = 60 * kNanosPerSecond;

}  // namespace

// The node's certificate of now, for sessions.
class NodeCredentials::NodeLogin : public client::Credentials {
 public:
  NodeLogin(const Clock& clock, std::function<void()> on_rejected)
      : clock_(clock), on_rejected_(std::move(on_rejected)) {}

  Result<client::Login> Current() override {
    const std::lock_guard lock(mutex_);
    if (login_.certificate.empty()) {
      return Error(Code::kUnavailable, "the node has no certificate yet");
    }
    return login_;
  }
  bool Renew(const client::Login& used) override {
    {
      const std::lock_guard lock(mutex_);
      if (!(login_ == used)) return true;
      if (clock_.Now() - set_at_ < kRejectable) return false;
      rejected_ = true;
    }
    on_rejected_();
    return false;
  }

  void Set(const NodeCertificate& certificate) {
    const std::lock_guard lock(mutex_);
    const client::Login login{.certificate = certificate.certificate, .key = certificate.key};
    if (login == login_) return;
    login_ = login;
    set_at_ = clock_.Now();
    rejected_ = false;
  }
  bool has_value() const {
    const std::lock_guard lock(mutex_);
    return !login_.certificate.empty();
  }
  bool rejected() const {
    const std::lock_guard lock(mutex_);
    return rejected_;
  }

 private:
  const Clock& clock_;
  const std::function<void()> on_rejected_;
  mutable std::mutex mutex_;
  // Under mutex_.
  client::Login login_;
  int64_t set_at_ = 0;
  bool rejected_ = false;  // by the server
};

NodeCredentials::Source NodeCredentials::SourceOf(const Options& options) {
  const bool bootstrap = !options.bootstrap_kubeconfig.empty();
  if (!options.kubeconfig.empty() &&
      (!bootstrap || access(options.kubeconfig.c_str(), F_OK) == 0)) {
    return Source::kKubeconfig;
  }
  return bootstrap ? Source::kBootstrap : Source::kServer;
}

NodeCredentials::NodeCredentials(Options options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      source_(SourceOf(options_)),
      certificates_(options_.certificates, *parts_.clock),
      login_(std::make_shared<NodeLogin>(*parts_.clock, [this] { work_.Add(kClient); })),
      work_({.executor = parts_.executor,
             .clock = parts_.clock,
             .workers = 2,
             .reconcile = [this](const std::string& key) { return Round(key); },
             .on_error =
                 [this](const std::string&, const Error& error) {
                   if (parts_.on_error) parts_.on_error(error);
                 },
             .limits = {.base = kFirstRetry, .max = kLastRetry}}) {}

NodeCredentials::~NodeCredentials() { Stop(); }

void NodeCredentials::Start() {
  if (source_ != Source::kServer) certificates_.Load();
  work_.Open();
  work_.Add(kClient);
}

void NodeCredentials::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (connection_) connection_->Stop();
    if (asker_) asker_->Stop();
  }
  work_.ShutDown();
}

std::string NodeCredentials::root_ca() const {
  const std::lock_guard lock(mutex_);
  return root_ca_;
}

Result<client::ServerAddress> NodeCredentials::ReadAddress(const std::string& kubeconfig) const {
  TRY(const client::KubeConfig config,
      client::KubeConfig::Load({.explicit_path = kubeconfig, .paths = {}, .home_path = ""}));
  TRY(client::ChosenAddress chosen,
      client::AddressOf(config.Resolved(), {},
                        {.lookup = parts_.environment, .clock = parts_.clock}));
  return std::move(chosen.address);
}

Result<client::Reconciled> NodeCredentials::Round(const std::string& key) {
  Result<int64_t> again = kNever;
  if (key == kServing) {
    again = RoundOfServing();
  } else if (source_ == Source::kKubeconfig) {
    again = RoundOfKubeconfig();
  } else {
    again = source_ == Source::kBootstrap ? RoundOfBootstrap() : RoundOfServer();
  }
  if (!again.ok()) return std::move(again).error();
  if (*again == kNever) return client::Reconciled{};
  const std::chrono::seconds left(*again - parts_.clock->Now() / kNanosPerSecond);
  return client::Reconciled{
      .requeue_after = std::clamp<std::chrono::nanoseconds>(left, kFirstRetry, kLongestRound)};
}

Result<int64_t> NodeCredentials::RoundOfKubeconfig() {
  TRY(client::ServerAddress address, ReadAddress(options_.kubeconfig));
  {
    const std::lock_guard lock(mutex_);
    root_ca_ = address.tls.extra_roots;
  }
  TRY_VOID(Connect(std::move(address)));
  work_.Add(kServing);
  return kNever;
}

Result<int64_t> NodeCredentials::RoundOfBootstrap() {
  TRY(const client::ServerAddress bootstrap, ReadAddress(options_.bootstrap_kubeconfig));
  client::ServerAddress own{.url = bootstrap.url, .tls = bootstrap.tls, .proxy = bootstrap.proxy};
  own.tls.certificate.clear();
  own.tls.key.clear();
  own.credentials = login_;
  {
    const std::lock_guard lock(mutex_);
    root_ca_ = bootstrap.tls.extra_roots;
  }
  if (const auto loaded = certificates_.client()) login_->Set(*loaded);
  const bool rejected = login_->rejected();
  client::Connection* asker = nullptr;
  if (login_->has_value() && !rejected) {
    TRY_VOID(Connect(own));
    const std::lock_guard lock(mutex_);
    asker = connection_.get();
  } else {
    TRY(asker, Asker(bootstrap));
  }
  TRY(const int64_t again, certificates_.RenewClient(*asker, rejected));
  login_->Set(*certificates_.client());
  TRY_VOID(Connect(std::move(own)));
  work_.Add(kServing);
  return again;
}

Result<int64_t> NodeCredentials::RoundOfServer() {
  TRY(client::ServerAddress own, ReadAddress(options_.server_kubeconfig));
  TRY(client::Connection* const root,
      Asker({.url = "http://localhost", .unix_socket = options_.server_socket}));
  const auto renewed = certificates_.Renew(*root);
  if (!renewed.ok()) {
    const int os_error = renewed.error().os_errno();
    if (os_error != ENOENT && os_error != ECONNREFUSED) return renewed.error();
    return Error(Code::kUnavailable, "no server is listening at " + options_.server_socket,
                 os_error);
  }
  int64_t again = *renewed;
  if (login_->rejected()) {
    TRY(again, certificates_.RenewClient(*root, true));
  }
  login_->Set(*certificates_.client());
  own.tls = {.extra_roots = certificates_.root_ca(), .system_roots = false};
  own.bearer_token.clear();
  own.headers = {};
  own.credentials = login_;
  {
    const std::lock_guard lock(mutex_);
    root_ca_ = certificates_.root_ca();
  }
  TellServing();
  TRY_VOID(Connect(std::move(own)));
  return again;
}

Result<int64_t> NodeCredentials::RoundOfServing() {
  if (!options_.rotate_server_certificates || !certificates_.serving()) {
    TRY_VOID(certificates_.UseSelfSigned());
    TellServing();
  }
  if (!options_.rotate_server_certificates) return certificates_.serving()->renew_at;
  client::Connection* connection = nullptr;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_.get();
  }
  TRY(const int64_t again, certificates_.RenewServing(*connection, kPatience));
  TellServing();
  return again;
}

Result<void> NodeCredentials::Connect(client::ServerAddress address) {
  bool made = false;
  TRY(client::Connection* const connection, Open(std::move(address), &connection_, &made));
  if (made && parts_.on_connected) parts_.on_connected(*connection);
  return {};
}

Result<client::Connection*> NodeCredentials::Asker(client::ServerAddress address) {
  bool made = false;
  return Open(std::move(address), &asker_, &made);
}

Result<client::Connection*> NodeCredentials::Open(client::ServerAddress address,
                                                  std::unique_ptr<client::HttpConnection>* place,
                                                  bool* made) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return Error(Code::kCancelled, "the agent is stopping");
  if (*place) return place->get();
  TRY(*place, client::HttpConnection::Create(std::move(address), {.on_answer = parts_.on_answer}));
  *made = true;
  return place->get();
}

void NodeCredentials::TellServing() {
  const auto serving = certificates_.serving();
  {
    const std::lock_guard lock(mutex_);
    if (!serving || (told_ && told_->certificate == serving->certificate)) return;
    told_ = serving;
  }
  if (parts_.on_serving) parts_.on_serving(*serving);
}

}  // namespace podium::node
