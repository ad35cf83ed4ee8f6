#include "node/hooks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

// For hooks over HTTP, whose time upstream does not bound; the grace period of a preStop does.
constexpr std::chrono::seconds kHttpTimeout{30};

std::string GoList(const std::vector<std::string>& words) {
  std::string out = "[";
  for (const std::string& word : words) out += (out.size() > 1 ? " " : "") + word;
  return out + "]";
}

Result<void> RunExec(const std::vector<std::string>& command, const HookInput& in,
                     runtime::Runtime& runtime) {
  auto result = runtime.ExecSync(in.container_id, command, in.timeout);
  std::string error;
  std::string output;
  if (!result.ok()) {
    error = result.error().message();
  } else if (result->exit_code != 0) {
    output = result->stdout_.data + result->stderr_.data;
    error = "command '" + Join(command, " ") + "' exited with " +
            std::to_string(result->exit_code) + ": " + result->stderr_.data;
  } else {
    return {};
  }
  return Error(Code::kUnavailable, "Exec lifecycle hook (" + GoList(command) +
                                       ") for Container \"" + in.container.name + "\" in Pod \"" +
                                       FormatPod(in.pod) + "\" failed - error: " + error +
                                       ", message: " + reflect::GoQuoted(output));
}

// Of a server that was to speak TLS and does not: asks it as it speaks.
Result<NetworkProbes::Reply> AskInPlainHttp(HttpCall call, const HookInput& in,
                                            const HookServices& services) {
  call.tls = false;
  std::erase_if(call.headers, [](const auto& header) {
    return EqualsIgnoringCase(header.first, "Authorization");
  });
  const std::string url = call.Url();
  auto reply = HttpGetAndWait(services.network, std::move(call));
  if (reply.ok()) {
    constexpr std::string_view kScheme = "http://";
    const std::string host =
        url.substr(kScheme.size(), url.find('/', kScheme.size()) - kScheme.size());
    services.events.Record(in.pod, std::nullopt, EventType::kWarning, "LifecycleHTTPFallback",
                           "request to HTTPS lifecycle hook " + host +
                               " got HTTP response, retry with HTTP succeeded");
  }
  return reply;
}

Result<void> RunHttp(const v1::HTTPGetAction& action, const HookInput& in,
                     const HookServices& services) {
  const auto timeout = in.timeout.count() > 0 ? std::min(in.timeout, kHttpTimeout) : kHttpTimeout;
  auto call = MakeHttpCall(action, in.container, in.address, "lifecycle", timeout);
  std::optional<Error> error;
  if (!call.ok()) {
    error = std::move(call).error();
  } else if (auto reply = HttpGetAndWait(services.network, *call); !reply.ok()) {
    error = std::move(reply).error();
    // The error of the first request is the one that is shown, as upstream.
    const bool plain = call->tls && error->code() == Code::kUnsupported;
    if (plain && AskInPlainHttp(*std::move(call), in, services).ok()) error.reset();
  }
  if (!error) return {};
  return Error(error->code(), "HTTP lifecycle hook (" + action.path + ") for Container \"" +
                                  in.container.name + "\" in Pod \"" + FormatPod(in.pod) +
                                  "\" failed - error: " + error->message());
}

// What upstream's API takes and its kubelet refuses; the handler is shown as Go's %v shows it.
Error CannotRun(const v1::TCPSocketAction& action) {
  const api::IntOrString& port = action.port;
  return Error(Code::kUnsupported,
               "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,"
               "TCPSocket:&TCPSocketAction{Port:{" +
                   (port.is_string() ? "1 0 " + port.str_val
                                     : "0 " + std::to_string(port.IntValue()) + " ") +
                   "},Host:" + action.host + ",},Sleep:nil,}");
}

}  // namespace

Result<void> RunHook(const v1::LifecycleHandler& handler, const HookInput& input,
                     const HookServices& services) {
  if (handler.exec) return RunExec(handler.exec->command, input, services.runtime);
  if (handler.httpGet) return RunHttp(*handler.httpGet, input, services);
  if (handler.tcpSocket) return CannotRun(*handler.tcpSocket);
  return {};  // SleepOf
}

std::chrono::seconds SleepOf(const v1::LifecycleHandler& handler) {
  return std::chrono::seconds(handler.sleep ? std::max<int64_t>(handler.sleep->seconds, 0) : 0);
}

}  // namespace podium::node
