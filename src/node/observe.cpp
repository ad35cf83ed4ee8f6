#include "node/observe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/trace.h"
#include "base/unique_fd.h"
#include "node/container_log.h"
#include "node/labels.h"

namespace podium::node {
namespace {

constexpr off_t kMaxMessage = 4096;
constexpr size_t kMaxLogMessage = 2048;
constexpr int64_t kMaxLogLines = 80;

// The file's end. It is the container's to write, so it may be anything by now.
std::string EndOfFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const off_t begin = std::max<off_t>(status.st_size - kMaxMessage, 0);
  std::string out(static_cast<size_t>(std::min(status.st_size, kMaxMessage)), '\0');
  const ssize_t got = pread(fd.get(), out.data(), out.size(), begin);
  out.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return out;
}

}  // namespace

std::string TerminationMessage(const ObservedContainer& container, const std::string& log) {
  std::string out;
  if (!container.termination_message_file.empty()) {
    out = EndOfFile(container.termination_message_file);
  }
  if (!out.empty()) return out;
  const bool fall_back =
      container.termination_message_policy == "FallbackToLogsOnError" && container.exit_code != 0;
  return fall_back ? TailOfLog(log, kMaxLogLines, kMaxLogMessage) : std::string();
}

Result<ObservedPod> Observer::Observe(std::string_view pod_uid, const std::string& log_folder) {
  const TraceSpan span("observe");
  ObservedPod out;
  cri::PodSandboxFilter filter;
  filter.label_selector.emplace(kPodUidLabel, pod_uid);
  TRY(const auto sandboxes, runtime_.ListPodSandbox(filter));
  for (const cri::PodSandbox& sandbox : sandboxes) {
    auto response = runtime_.PodSandboxStatus(sandbox.id, false);
    // Removed since it was listed.
    if (!response.ok() && response.error().code() == Code::kNotFound) continue;
    if (!response.ok()) return std::move(response).error();
    for (const cri::ContainerStatus& status : response->containers_statuses) {
      out.containers.push_back(ObserveContainer(status, sandbox.id));
    }
    if (response->status) out.sandboxes.push_back(*std::move(response->status));
  }
  std::map<std::string, std::string, std::less<>> kept;
  for (ObservedContainer& container : out.containers) {
    if (!container.exited()) continue;
    auto found = messages_.find(container.id);
    std::string message =
        found != messages_.end()
            ? found->second
            : TerminationMessage(container, log_folder + "/" + container.name + "/" +
                                                std::to_string(container.restart_count) + ".log");
    kept.emplace(container.id, message);
    if (message.empty()) continue;
    container.message =
        container.message.empty() ? std::move(message) : container.message + ": " + message;
  }
  messages_ = std::move(kept);
  out.Sort();
  return out;
}

}  // namespace podium::node
