#include "cli/run_attached.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "api/types/core_v1.h"
#include "cli/json_members.h"
#include "cli/pod_streams.h"
#include "cli/text.h"
#include "cli/waiter.h"
#include "client/client.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;

bool HasEnded(const JsonValue& pod) {
  const std::string_view phase = TextAt(pod, {"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

bool HasSucceeded(const JsonValue& pod) { return TextAt(pod, {"status", "phase"}) == "Succeeded"; }

bool RunsOrHasEnded(const JsonValue& pod) {
  if (HasEnded(pod)) return true;
  if (TextAt(pod, {"status", "phase"}) != "Running") return false;
  for (const JsonValue& condition : ElementsOf(*pod.Find("status"), "conditions")) {
    if (TextOf(condition, "type") == "Ready") return TextOf(condition, "status") == "True";
  }
  return false;
}

Result<v1::Pod> WaitForPod(Server& server, const RunAttachment& run, const Selected& item,
                           bool (*test)(const JsonValue&)) {
  const WaitGoal goal{.kind = WaitGoal::Kind::kTest, .test = test};
  Waiter waiter(server, goal, run.timeout);
  auto pod = waiter.WaitFor(item);
  if (!pod.ok()) {
    if (pod.error().code() != Code::kDeadlineExceeded) return pod.error();
    return Error(Code::kDeadlineExceeded, "timed out waiting for the condition");
  }
  return reflect::FromJson<v1::Pod>(reflect::ToText(**pod), {.strict = false});
}

// Whether its processes have, whatever its phase says yet.
bool NothingRuns(const JsonValue& pod) {
  const JsonValue* status = pod.Find("status");
  if (!status || !status->is_object()) return false;
  const auto& containers = ElementsOf(*status, "containerStatuses");
  return HasEnded(pod) ||
         (!containers.empty() && std::ranges::all_of(containers, [](const JsonValue& container) {
           return ValueAt(container, {"state", "terminated"}) != nullptr;
         }));
}

// Looked at for a moment: what has ended is told a little later.
Result<bool> EndsNow(Server& server, const Selected& item) {
  const WaitGoal goal{.kind = WaitGoal::Kind::kTest, .test = NothingRuns};
  const auto pod = Waiter(server, goal, std::chrono::seconds(1)).WaitFor(item);
  if (pod.ok()) return true;
  if (pod.error().code() == Code::kDeadlineExceeded) return false;
  return pod.error();
}

Result<void> PrintLog(const client::Client& client, const v1::Pod& pod,
                      const std::string& container, const Streams& streams) {
  v1::PodLogOptions options;
  options.container = container;
  TRY(client::ByteStream log, client.Logs({pod.metadata.namespace_, pod.metadata.name}, options));
  std::array<char, 32768> buffer;
  while (true) {
    TRY(const size_t size, log.Read(buffer));
    if (size == 0 || !streams.Out({buffer.data(), size})) return {};
  }
}

// How the pod's one container ended.
Outcome EndOf(const v1::Pod& pod) {
  const std::string name = "pod " + pod.metadata.namespace_ + "/" + pod.metadata.name;
  if (pod.status.phase == "Succeeded") return {};
  const auto failed = [](const std::string& text, int status) {
    std::string line = Printable(text, true);
    if (!line.ends_with('\n')) line += '\n';
    return Outcome{status, {}, std::move(line)};
  };
  const auto& statuses = pod.status.containerStatuses;
  if (statuses.empty() || !statuses[0].state.terminated ||
      statuses[0].state.terminated->exitCode == 0) {
    return failed("error: " + name + " failed with unknown exit code", kFailed);
  }
  const v1::ContainerStateTerminated& end = *statuses[0].state.terminated;
  return failed(name + " terminated (" + end.reason + ")\n" + end.message, end.exitCode);
}

}  // namespace

Result<Outcome> FollowRun(Server& server, const RunAttachment& run, const Selected& item) {
  const Streams& streams = server.streams();
  TRY(v1::Pod pod, WaitForPod(server, run, item, RunsOrHasEnded));
  TRY(const std::string container, ChosenContainer(pod, "", run.quiet, streams));
  const client::Client client = client::Client::Over(server.session());
  if (pod.status.phase != "Running") {
    TRY_VOID(PrintLog(client, pod, container, streams));
  } else {
    const auto attached = AttachTo(
        client, pod,
        {.container = container, .with_stdin = run.with_stdin, .tty = run.tty, .quiet = run.quiet},
        streams);
    if (!attached.ok()) {
      // Of one that has just ended the log is all there is; kubectl warns of that, too.
      TRY(const bool ended, EndsNow(server, item));
      if (!ended) {
        (void)streams.Err(
            "warning: couldn't attach to pod/" + pod.metadata.name +
            ", falling back to streaming logs: " + Printable(attached.error().message()) + '\n');
      }
      TRY_VOID(PrintLog(client, pod, container, streams));
    }
  }
  const bool starts_anew = pod.spec.restartPolicy == "Always";
  if (run.leave_stdin_open || starts_anew) return Outcome();
  // What is started anew after a failure has ended when it has succeeded.
  const bool until_success = pod.spec.restartPolicy == "OnFailure";
  TRY(pod, WaitForPod(server, run, item, until_success ? HasSucceeded : HasEnded));
  return EndOf(pod);
}

}  // namespace podium::cli
