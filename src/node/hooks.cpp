#include "node/hooks.h"

#include <algorithm>

#include "base/text.h"

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
                                       ", message: \"" + output + "\"");
}

Result<void> RunHttp(const v1::HTTPGetAction& action, const HookInput& in, NetworkProbes& network) {
  const auto timeout = in.timeout.count() > 0 ? std::min(in.timeout, kHttpTimeout) : kHttpTimeout;
  auto call = MakeHttpCall(action, in.container, in.address, "lifecycle", timeout);
  Result<void> result;
  if (!call.ok()) {
    result = std::move(call).error();
  } else if (auto reply = HttpGetAndWait(network, *std::move(call)); !reply.ok()) {
    result = std::move(reply).error();
  }
  if (result.ok()) return {};
  return Error(result.error().code(), "HTTP lifecycle hook (" + action.path + ") for Container \"" +
                                          in.container.name + "\" in Pod \"" + FormatPod(in.pod) +
                                          "\" failed - error: " + result.error().message());
}

}  // namespace

Result<void> RunHook(const v1::LifecycleHandler& handler, const HookInput& input,
                     runtime::Runtime& runtime, NetworkProbes& network) {
  if (handler.exec) return RunExec(handler.exec->command, input, runtime);
  if (handler.httpGet) return RunHttp(*handler.httpGet, input, network);
  if (handler.sleep) return {};  // SleepOf
  // The API takes tcpSocket for the sake of old manifests; no kubelet runs it.
  return Error(Code::kUnsupported, "Cannot run handler: invalid handler: tcpSocket");
}

std::chrono::seconds SleepOf(const v1::LifecycleHandler& handler) {
  return std::chrono::seconds(handler.sleep ? std::max<int64_t>(handler.sleep->seconds, 0) : 0);
}

}  // namespace podium::node
