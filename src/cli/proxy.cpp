// kubectl proxy (upstream's k8s.io/kubectl/pkg/proxy): who can reach this port or socket speaks to
// the server as this user. So it listens on loopback, and looks at more than an address: a page
// from elsewhere that a browser shows may not use it, neither by a name of its own that leads here
// (DNS rebinding: the Host is checked) nor by requests across sites (the Origin is).
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "http/listener.h"
#include "http/server.h"
#include "http/url.h"
#include "reflect/regexp/regexp.h"

namespace podium::cli {
namespace {

using reflect::Regexp;
using ExchangePtr = std::shared_ptr<http::Exchange>;

constexpr const char* kAcceptHosts = "^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$";
constexpr const char* kRejectPaths = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach";

// Of the connection, not of the request (RFC 9110, section 7.6.1); credentials are ours, and what
// a client could decode this program may not pass on.
constexpr std::array<std::string_view, 12> kNotPassedOn = {
    "connection", "keep-alive",     "proxy-authenticate", "proxy-authorization",
    "te",         "trailer",        "transfer-encoding",  "upgrade",
    "host",       "content-length", "authorization",      "accept-encoding"};

// Regular expressions, of which one has to match.
class Patterns {
 public:
  static Result<Patterns> Parse(std::string_view text) {
    Patterns out;
    for (const std::string_view part : Words(text, ",")) {
      TRY(Regexp one, Regexp::Compile(part));
      out.all_.push_back(std::move(one));
    }
    return out;
  }

  bool Match(std::string_view text) const {
    return std::ranges::any_of(all_,
                               [&](const Regexp& one) { return one.Match(text).value_or(false); });
  }

 private:
  std::vector<Regexp> all_;
};

struct Filter {
  Patterns accept_hosts;
  Patterns accept_paths;
  Patterns reject_paths;
  Patterns reject_methods;
  bool check_hosts = true;

  bool AcceptsHost(std::string_view authority) const {
    if (!check_hosts) return true;
    const bool bracketed = authority.starts_with('[');
    const size_t end = bracketed ? authority.find(']') : authority.find(':');
    const std::string_view host =
        authority.substr(0, bracketed && end != authority.npos ? end + 1 : end);
    return accept_hosts.Match(host);
  }

  bool Accepts(const http::ServerRequest& request) const {
    const http::Headers& headers = request.head.headers;
    if (headers.Count("Host") != 1 || !AcceptsHost(headers.Get("Host"))) return false;
    // Browsers say where a request comes from; other clients do not.
    if (const std::string* origin = headers.Find("Origin"); origin && check_hosts) {
      const auto url = http::Url::Parse(*origin);
      if (!url.ok() || !AcceptsHost(url->Authority())) return false;
    }
    return accept_paths.Match(request.path) && !reject_paths.Match(request.path) &&
           !reject_methods.Match(request.head.method);
  }
};

void Refuse(http::Exchange& exchange, int status, std::string_view text) {
  (void)exchange.Respond(status, {{"Content-Type", "text/plain; charset=utf-8"}}, text).ok();
}

http::Headers PassedOn(const http::Headers& headers) {
  http::Headers out;
  for (const auto& [name, value] : headers.fields()) {
    const bool dropped = std::ranges::find(kNotPassedOn, LowerCase(name)) != kNotPassedOn.end() ||
                         headers.HasToken("Connection", name);
    if (!dropped) out.Add(name, value);
  }
  return out;
}

class Forwarder {
 public:
  Forwarder(std::shared_ptr<client::Session> session, Filter filter, std::string prefix)
      : session_(std::move(session)), filter_(std::move(filter)), prefix_(std::move(prefix)) {}

  void Handle(const ExchangePtr& exchange) const {
    const http::ServerRequest& request = exchange->request();
    if (!filter_.Accepts(request)) return Refuse(*exchange, 403, "Forbidden\n");
    if (request.head.headers.Find("Upgrade")) {
      return Refuse(*exchange, 501,
                    "podium proxy passes no upgrades on; podium exec and podium attach do\n");
    }
    const std::string_view target = request.head.target;
    if (!target.starts_with(prefix_)) return Refuse(*exchange, 404, "404 page not found\n");
    const auto done = Forward(exchange, "/" + std::string(target.substr(prefix_.size())));
    if (!done.ok()) Refuse(*exchange, 502, "error: " + done.error().message() + "\n");
  }

 private:
  // An error only while nothing was answered.
  Result<void> Forward(const ExchangePtr& exchange, const std::string& target) const {
    const http::ServerRequest& asked = exchange->request();
    http::Request request = session_->RequestFor(asked.head.method, target, "");
    for (const auto& [name, value] : PassedOn(asked.head.headers).fields()) {
      request.headers.Set(name, value);
    }
    request.body = asked.body;
    request.timeouts = client::kEndless;
    TRY(std::shared_ptr<http::Cancellation> cancellation, http::Cancellation::Create());
    request.cancellation = cancellation.get();
    exchange->OnCancel([cancellation] { cancellation->Cancel(); });
    TRY(auto response, session_->Send(request));
    TRY_VOID(exchange->Begin(response.status(), PassedOn(response.headers())));
    std::array<char, size_t{64} << 10> buffer;
    while (true) {
      const auto size = response.Read(buffer);
      // Without an end the client sees that it is not whole.
      if (!size.ok()) return {};
      if (*size == 0) break;
      if (!exchange->Write({buffer.data(), *size}).ok()) return {};
    }
    (void)exchange->End().ok();
    return {};
  }

  const std::shared_ptr<client::Session> session_;
  const Filter filter_;
  const std::string prefix_;
};

Result<Filter> FilterOf(const Invocation& invocation) {
  Filter filter;
  filter.check_hosts = !invocation.Has("unix-socket") && !invocation.Has("disable-filter");
  TRY(filter.accept_hosts, Patterns::Parse(invocation.Get("accept-hosts", kAcceptHosts)));
  if (invocation.Has("disable-filter")) {
    TRY(filter.accept_paths, Patterns::Parse("^.*"));
    return filter;
  }
  TRY(filter.accept_paths, Patterns::Parse(invocation.Get("accept-paths", "^.*")));
  TRY(filter.reject_paths, Patterns::Parse(invocation.Get("reject-paths", kRejectPaths)));
  TRY(filter.reject_methods, Patterns::Parse(invocation.Get("reject-methods", "^$")));
  return filter;
}

Result<http::Listener> ListenerOf(const Invocation& invocation) {
  if (invocation.Has("unix-socket")) {
    return http::Listener::Unix(std::string(invocation.Get("unix-socket")));
  }
  const std::string_view text = invocation.Get("port", "8001");
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(Code::kInvalidArgument, "--port is a number from 0 to 65535");
  }
  const std::string address(invocation.Get("address", "127.0.0.1"));
  if (!http::IsIpAddress(address)) {
    return Error(Code::kInvalidArgument, "--address is an IP address of this machine");
  }
  return http::Listener::Tcp(address, port);
}

// "/" at both ends.
std::string PrefixOf(const Invocation& invocation) {
  std::string prefix(invocation.Get("api-prefix", "/"));
  if (!prefix.starts_with('/')) prefix.insert(0, "/");
  if (!prefix.ends_with('/')) prefix += '/';
  return prefix;
}

Result<Outcome> Proxy(const Invocation& invocation, const Streams& streams) {
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(Filter filter, FilterOf(invocation));
  TRY(auto listener, ListenerOf(invocation));
  const bool is_unix = listener.is_unix();
  const std::string address(invocation.Get("address", "127.0.0.1"));
  const std::string where =
      is_unix ? std::string(invocation.Get("unix-socket"))
              : (address.find(':') == address.npos ? address : "[" + address + "]") + ":" +
                    std::to_string(listener.port());
  const Forwarder forwarder(server->session(), std::move(filter), PrefixOf(invocation));
  http::ServerOptions options;
  // Each has a thread of its own: watches and logs stay for long.
  options.treatment = [](const http::RequestHead&) {
    return http::Treatment{.long_running = true, .strict_path = true};
  };
  TRY(const auto serving,
      http::Server::Start(std::move(listener), std::move(options),
                          [&](const ExchangePtr& exchange) { forwarder.Handle(exchange); }));
  if (!streams.Out("Starting to serve on " + where + "\n")) return Outcome{kFailed, {}, {}};
  // Until a signal ends the program.
  while (true) pause();
}

Outcome RunProxy(const Invocation& invocation, const Streams& streams) {
  auto outcome = Proxy(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "port", .letter = 'p', .value = "PORT", .help = "8001 if not given; 0: a free one"},
    {.name = "address", .value = "ADDRESS", .help = "127.0.0.1 if not given"},
    {.name = "unix-socket",
     .letter = 'u',
     .value = "PATH",
     .help = "listen here, for this user alone",
     .values = Values::kFiles},
    {.name = "api-prefix", .value = "PATH", .help = "where the API stands; / if not given"},
    {.name = "accept-hosts",
     .value = "REGEXP,...",
     .help = "of which one must match the request's host; the names of loopback if not given"},
    {.name = "accept-paths", .value = "REGEXP,...", .help = "of which one must match the path"},
    {.name = "reject-paths",
     .value = "REGEXP,...",
     .help = "of which none may match; exec and attach of pods if not given"},
    {.name = "reject-methods", .value = "REGEXP,...", .help = "of which none may match"},
    {.name = "disable-filter", .help = "take every request: whoever reaches it is this user"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ProxyCommand() {
  return {
      .name = "proxy",
      .summary = "Serve the API on loopback, as this user",
      .details =
          "Whoever can reach the port speaks to the server with the rights of this user, without "
          "credentials. Requests for other hosts than loopback's names, and those of pages from "
          "other sites, are refused.",
      .example =
          "  podium proxy --port=8001\n"
          "  podium proxy --unix-socket=/run/user/1000/api.sock\n"
          "  curl http://127.0.0.1:8001/api/v1/namespaces/default/pods\n",
      .options = kOptions,
      .live = RunProxy,
  };
}

}  // namespace podium::cli
