// `podium server`: the Kubernetes API of one machine. Everything that it is made of is put together
// in apiserver/server.h; here it gets its names and its end.
#include "apiserver/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "client/informer.h"
#include "commands/commands.h"
#include "commands/interrupts.h"
#include "commands/machine.h"
#include "commands/port_option.h"
#include "controllers/account_tokens.h"
#include "controllers/certificates.h"
#include "controllers/cluster_role_aggregation.h"
#include "controllers/ephemeral_volumes.h"
#include "controllers/expiry.h"
#include "controllers/garbage_collector.h"
#include "controllers/kubernetes_service.h"
#include "controllers/legacy_tokens.h"
#include "controllers/namespace_deletion.h"
#include "controllers/resource_quota.h"
#include "controllers/root_ca_publisher.h"
#include "controllers/service_accounts.h"
#include "controllers/service_cidrs.h"
#include "controllers/service_repair.h"
#include "controllers/volume_protection.h"
#include "linux/open_files.h"
#include "linux/path.h"
#include "linux/start_memory.h"

namespace podium::commands {
namespace {

constexpr std::chrono::seconds kStopGrace{5};
// In which a task of the controllers gets a thread, unless they hang.
constexpr std::chrono::seconds kCheckTime{5};
// After which controllers have read what there is.
constexpr std::chrono::seconds kStartTime{1};
constexpr unsigned kMostCount = 1'000'000;

constexpr cli::Option kOptions[] = {
    {.name = "bind-address", .value = "ADDRESS", .help = "where HTTPS is served (0.0.0.0)"},
    {.name = "secure-port", .value = "PORT", .help = "the port of it (6443); 0 takes a free one"},
    {.name = "advertise-address",
     .value = "ADDRESS",
     .help = "where clients and pods reach this server (127.0.0.1 for clients, the address of the "
             "default route for pods; or both that of --bind-address)"},
    {.name = "service-cluster-ip-range",
     .value = "CIDR",
     .help = "what Services get their addresses from (10.43.0.0/16)"},
    {.name = "token-auth-file",
     .value = "FILE",
     .help = "static tokens: lines of token,user,uid,\"group,group\"",
     .values = cli::Values::kFiles},
    {.name = "legacy-account-tokens",
     .help = "make a Secret with a token for each ServiceAccount, as before Kubernetes 1.24"},
    {.name = "kubelet-certificate-authority",
     .value = "FILE",
     .help = "who signs the serving certificates of kubelets, in PEM (the cluster's own authority)",
     .values = cli::Values::kFiles},
    {.name = "enable-admission-plugins",
     .value = "NAME,...",
     .help = "admission plugins that are to be on beside those that are by default: here all are",
     .repeatable = true},
    {.name = "disable-admission-plugins",
     .value = "NAME,...",
     .help = "admission plugins that are to be off; DenyServiceExternalIPs, to allow externalIPs",
     .repeatable = true},
    {.name = "audit-policy-file",
     .value = "FILE",
     .help = "what of requests is logged for audit (audit.k8s.io/v1, Policy)",
     .values = cli::Values::kFiles},
    {.name = "audit-log-path",
     .value = "FILE",
     .help = "where the audit log is written to; - is standard output",
     .values = cli::Values::kFiles},
    {.name = "audit-log-maxage",
     .value = "DAYS",
     .help = "how long audit logs that were put aside are kept (0: for ever)"},
    {.name = "audit-log-maxbackup",
     .value = "N",
     .help = "how many audit logs that were put aside are kept (0: all)"},
    {.name = "audit-log-maxsize",
     .value = "MEGABYTES",
     .help = "how large an audit log becomes before it is put aside (0: 100)"},
    {.name = "log-requests",
     .value = "WHICH",
     .help =
         "requests that are logged on standard error: slow (default; above a second), all, none"},
    {.name = "tls-san",
     .value = "NAME",
     .help = "one more name or address that the server is called by",
     .repeatable = true},
};

constexpr uint16_t kSecurePort = 6443;

Result<unsigned> ParsedCount(const cli::Invocation& invocation, const std::string& option) {
  const std::string_view text = invocation.Get(option, "0");
  unsigned count = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && at == end && count <= kMostCount) return count;
  return Error(Code::kInvalidArgument, "--" + option + " is no number from 0 to " +
                                           std::to_string(kMostCount) + ": \"" + std::string(text) +
                                           "\"");
}

Result<void> ReadLogOptions(const cli::Invocation& invocation,
                            apiserver::ApiServerOptions* options) {
  options->audit_policy = invocation.Get("audit-policy-file");
  apiserver::RotatingFileOptions& audit = options->audit_log;
  audit.path = invocation.Get("audit-log-path");
  TRY(audit.max_days, ParsedCount(invocation, "audit-log-maxage"));
  TRY(audit.max_backups, ParsedCount(invocation, "audit-log-maxbackup"));
  TRY(const unsigned megabytes, ParsedCount(invocation, "audit-log-maxsize"));
  if (megabytes != 0) audit.max_bytes = uint64_t{megabytes} << 20;
  const std::string_view which = invocation.Get("log-requests", "slow");
  if (which == "none") return {};
  if (which != "slow" && which != "all") {
    return Error(Code::kInvalidArgument,
                 "--log-requests is slow, all or none, and not \"" + std::string(which) + "\"");
  }
  options->request_log.path = "/dev/stderr";
  options->requests.all = which == "all";
  return {};
}

// Lists with commas, which may come several times.
std::vector<std::string> NamesOf(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    if (list.empty()) continue;
    for (const std::string_view name : Split(list, ',')) names.emplace_back(name);
  }
  return names;
}

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

// Others are told what is asked for; else where it listens; else, where it listens everywhere,
// clients on this machine come by loopback and pods by the address of the default route.
void SetAddresses(std::string_view asked, apiserver::ApiServerOptions* options) {
  const bool v6 = options->address == "::";
  const bool everywhere = v6 || options->address == "0.0.0.0" || options->address.empty();
  options->advertise_address = asked;
  if (asked.empty() && !everywhere && !IsLoopback(options->address)) {
    options->advertise_address = options->address;
  }
  options->endpoint_address = options->advertise_address;
  if (options->endpoint_address.empty() && everywhere) {
    options->endpoint_address = DefaultRouteAddress(v6);
  }
  // From another machine or a pod it would lead to that one itself.
  if (IsLoopback(options->endpoint_address)) options->endpoint_address.clear();
}

Result<apiserver::ApiServerOptions> OptionsOf(const Instance& instance,
                                              const cli::Invocation& invocation) {
  apiserver::ApiServerOptions options;
  options.data_dir = instance.data_dir + "/server";
  options.unix_socket = instance.ServerSocket();
  options.address = invocation.Get("bind-address", options.address);
  TRY(options.port, PortOf(invocation, "secure-port", kSecurePort));
  SetAddresses(invocation.Get("advertise-address"), &options);
  options.service_range = invocation.Get("service-cluster-ip-range", options.service_range);
  options.token_file = invocation.Get("token-auth-file");
  options.kubelet_authority = invocation.Get("kubelet-certificate-authority");
  options.host_names = invocation.All("tls-san");
  options.admission_plugins = {.enabled = NamesOf(invocation.All("enable-admission-plugins")),
                               .disabled = NamesOf(invocation.All("disable-admission-plugins"))};
  TRY_VOID(ReadLogOptions(invocation, &options));
  return options;
}

Result<std::vector<controllers::ServiceProblem>> RepairServices(
    const apiserver::ApiServer& server) {
  TRY(const auto findings, server.RepairServices());
  std::vector<controllers::ServiceProblem> problems;
  problems.reserve(findings.size());
  for (const apiserver::ServiceFinding& each : findings) {
    problems.push_back({.namespace_ = each.namespace_,
                        .name = each.name,
                        .uid = each.uid,
                        .reason = each.reason,
                        .message = each.message});
  }
  return problems;
}

// The controllers without which an API server is not whole. They act in their own name, with the
// rights of the controller manager upstream.
class Controllers {
 public:
  Controllers(const apiserver::ApiServer& server, const Clock& clock, bool legacy_tokens,
              const std::string& endpoint_address)
      : server_(server),
        connection_(server.Connect({.name = "system:kube-controller-manager",
                                    .groups = {"system:masters", "system:authenticated"}},
                                   "kube-controller-manager")),
        informers_(*connection_, {.executor = &executor_, .clock = &clock}) {
    const controllers::ControllerContext context{.connection = connection_.get(),
                                                 .informers = &informers_,
                                                 .executor = &executor_,
                                                 .clock = &clock};
    all_.push_back(controllers::MakeNamespaceController(context));
    all_.push_back(controllers::MakeServiceAccountController(context));
    all_.push_back(controllers::MakeRootCaPublisher(context, server.root_ca()));
    all_.push_back(controllers::MakeGarbageCollector(context));
    all_.push_back(controllers::MakeClusterRoleAggregation(context));
    all_.push_back(controllers::MakeVolumeProtection(context));
    all_.push_back(controllers::MakeClaimProtection(context));
    all_.push_back(controllers::MakeEphemeralVolumes(context));
    all_.push_back(controllers::MakeResourceQuotaController(context));
    all_.push_back(controllers::MakeCertificateApproving(context));
    all_.push_back(controllers::MakeCertificateSigning(context, server.certificate_authority()));
    all_.push_back(controllers::MakeCertificateCleaning(context));
    all_.push_back(
        controllers::MakeKubernetesService(context, {.service_address = server.service_address(),
                                                     .endpoint_address = endpoint_address,
                                                     .port = server.port()}));
    all_.push_back(controllers::MakeServiceCidrController(context, server.service_cidrs()));
    all_.push_back(
        controllers::MakeServiceRepair(context, [&server] { return RepairServices(server); }));
    all_.push_back(controllers::MakeEventExpiry(context));
    all_.push_back(controllers::MakeServerLeaseExpiry(context));
    all_.push_back(controllers::MakeAccountTokens(
        context,
        {.issue = [&server](const auto& account,
                            auto secret) { return server.IssueLegacyToken(account, secret); },
         .root_ca = server.root_ca(),
         .for_each_account = legacy_tokens}));
    auto legacy = controllers::MakeLegacyTokens(context);
    server_.OnLegacyToken([tokens = legacy.get()](auto name_space, auto secret) {
      tokens->NoteUse(name_space, secret);
    });
    all_.push_back(std::move(legacy));
    for (const auto& controller : all_) controller->Start();
    informers_.Start();
    server_.SetComponent("controller-manager", [this] { return CheckThreads(); });
  }
  ~Controllers() {
    server_.SetComponent("controller-manager", {});
    server_.OnLegacyToken({});
    informers_.Stop();
    all_.clear();
  }
  Controllers(const Controllers&) = delete;
  Controllers& operator=(const Controllers&) = delete;

 private:
  // Whether they get on: a task is run soon.
  Result<void> CheckThreads() {
    auto ran = std::make_shared<std::promise<void>>();
    std::future<void> is_run = ran->get_future();
    executor_.Post([ran] { ran->set_value(); });
    if (is_run.wait_for(kCheckTime) == std::future_status::ready) return {};
    return Error(Code::kUnavailable, "all threads of the controllers are busy");
  }

  const apiserver::ApiServer& server_;
  ThreadExecutor executor_{16};
  const std::unique_ptr<client::Connection> connection_;
  client::InformerFactory informers_;
  std::vector<std::unique_ptr<controllers::Controller>> all_;
};

Result<void> Serve(const cli::Invocation& invocation, const cli::Streams& streams) {
  TRY(const Instance instance, cli::ThisInstance());
  TRY_VOID(CheckInstance(instance));
  TRY(const UniqueFd data, kernel::MakeFolders(instance.data_dir, 0711));
  TRY(const UniqueFd run, kernel::MakeFolders(instance.run_dir, 0700));
  TRY(apiserver::ApiServerOptions options, OptionsOf(instance, invocation));
  options.report = [&streams](const std::string& sentence) {
    (void)streams.Err("podium server: " + sentence + '\n');
  };
  umask(0022);
  // A stream to a container is two connections.
  kernel::RaiseOpenFiles();
  // Signals are blocked before the server starts its threads, which inherit that.
  Interrupts interrupts;
  std::promise<void> interrupted;
  const SystemClock clock;
  const std::string endpoint_address = options.endpoint_address;
  TRY(const auto server, apiserver::ApiServer::Start(std::move(options), clock));
  for (const std::string& note : server->TakeNotes()) {
    (void)streams.Err("podium server: " + note + '\n');
  }
  (void)streams.Out("podium server: serving on port " + std::to_string(server->port()) +
                    "; export KUBECONFIG=" + server->kubeconfig_path() + '\n');
  auto controllers = std::make_unique<Controllers>(
      *server, clock, invocation.Has("legacy-account-tokens"), endpoint_address);
  interrupts.Start([&](int count) {
    if (count == 1) interrupted.set_value();
  });
  std::future<void> end = interrupted.get_future();
  if (end.wait_for(kStartTime) == std::future_status::timeout) {
    kernel::ReleaseStartMemory();
    end.wait();
  }
  controllers.reset();
  server->Stop(kStopGrace);
  return {};
}

cli::Outcome RunServer(const cli::Invocation& invocation, const cli::Streams& streams) {
  const auto served = Serve(invocation, streams);
  return served.ok() ? cli::Outcome() : cli::Failed("server", served.error());
}

}  // namespace

cli::Command ServerCommand() {
  return {
      .name = "server",
      .summary = "Serve the Kubernetes API",
      .details =
          "Keeps what it is told in a file of its own (DATA/server/store.db), and makes the keys "
          "of "
          "the cluster and the administrator's kubeconfig (DATA/server/pki) at its first start. "
          "kubectl and other clients work with that kubeconfig.\n"
          "Folders are those of the instance: PODIUM_INSTANCE names another one.",
      .example = "  podium server\n  podium server --secure-port=0\n",
      .options = kOptions,
      .live = RunServer,
  };
}

}  // namespace podium::commands
