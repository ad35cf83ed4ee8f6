#include "commands/play_view.h"

#include <array>

#include "api/pod_row.h"
#include "cli/agent_client.h"
#include "cli/line_writer.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::commands {
namespace {

// Of prefixes on a terminal: those that can be read on light and on dark ones.
constexpr std::array<const char*, 6> kColors = {"36", "33", "32", "35", "34", "31"};

std::string KeyOf(const v1::Pod& pod, const std::string& container) {
  return pod.metadata.uid + '/' + container;
}

}  // namespace

PlayView::PlayView(const client::Client& client, const cli::Streams& streams, bool several)
    : client_(client),
      streams_(streams),
      several_(several),
      terminal_(kernel::IsTerminal(streams.out)) {}

PlayView::~PlayView() {
  for (Log& log : logs_) {
    const std::lock_guard lock(log.mutex);
    log.stop = true;
    if (log.stream) log.stream->Stop();
  }
  FinishLogs();
}

void PlayView::FinishLogs() {
  for (Log& log : logs_) {
    if (log.thread.joinable()) log.thread.join();
  }
}

bool PlayView::Print(std::string_view text, bool own) {
  const std::lock_guard lock(output_);
  return own ? streams_.Err(text) : streams_.Out(text);
}

void PlayView::Say(const std::string& text) {
  (void)Print("podium: " + cli::Printable(text) + '\n', true);
}

void PlayView::Show(const v1::Pod& pod) {
  const api::PodRow row = api::RowOf(pod, cli::Today());
  std::string state = row.status + " (" + row.ready + ')';
  if (!pod.status.podIP.empty()) state += " at " + pod.status.podIP;
  if (!pod.status.message.empty()) state += ": " + pod.status.message;
  std::string& last = shown_[KeyOf(pod, "")];
  if (last != state) Say("pod/" + pod.metadata.name + ' ' + state);
  last = state;
  for (const auto* statuses : {&pod.status.initContainerStatuses, &pod.status.containerStatuses,
                               &pod.status.ephemeralContainerStatuses}) {
    for (const v1::ContainerStatus& status : *statuses) {
      ShowWaiting(pod, status);
      if (with_logs_) FollowNew(pod, status);
    }
  }
}

// Why a container does not run, once.
void PlayView::ShowWaiting(const v1::Pod& pod, const v1::ContainerStatus& status) {
  std::string text;
  if (status.state.waiting.has_value() && !status.state.waiting->message.empty()) {
    text = status.state.waiting->reason + ": " + status.state.waiting->message;
  } else if (status.state.terminated.has_value() && status.state.terminated->exitCode != 0) {
    const auto& end = *status.state.terminated;
    text = end.reason + ", exit code " + std::to_string(end.exitCode);
    if (!end.message.empty()) text += ": " + end.message;
  }
  std::string& last = shown_[KeyOf(pod, status.name)];
  if (!text.empty() && last != text) {
    Say("pod/" + pod.metadata.name + " container " + status.name + ": " + text);
  }
  last = text;
}

std::string PlayView::PrefixOf(const v1::Pod& pod, const std::string& container) {
  const std::string name = several_ ? pod.metadata.name + '/' + container : container;
  if (!terminal_) return name + " | ";
  const char* color = kColors[colors_++ % kColors.size()];
  return std::string("\x1b[") + color + 'm' + name + " |\x1b[0m ";
}

// Every run of a container is followed once, from its beginning.
void PlayView::FollowNew(const v1::Pod& pod, const v1::ContainerStatus& status) {
  const bool ran = status.state.running.has_value() || status.state.terminated.has_value();
  if (!ran || status.containerID.empty() || !followed_.insert(status.containerID).second) return;
  Log& log = logs_.emplace_back();
  log.thread = std::thread([this, &log, prefix = PrefixOf(pod, status.name), name = status.name,
                            key = client::ObjectKey{pod.metadata.namespace_, pod.metadata.name}] {
    Follow(&log, key, name, prefix);
  });
}

void PlayView::Follow(Log* log, const client::ObjectKey& pod, const std::string& container,
                      const std::string& prefix) {
  v1::PodLogOptions options;
  options.container = container;
  options.follow = true;
  auto stream = client_.Logs(pod, options);
  // The pod may be gone by now.
  if (!stream.ok()) return;
  {
    const std::lock_guard lock(log->mutex);
    if (log->stop) return;
    log->stream = &*stream;
  }
  cli::LineWriter lines(prefix, terminal_,
                        [this](std::string_view text) { return Print(text, false); });
  std::array<char, 16384> buffer;
  while (true) {
    const auto size = stream->Read(buffer);
    if (!size.ok() || *size == 0 || !lines.Write({buffer.data(), *size})) break;
  }
  (void)lines.Finish();
  const std::lock_guard lock(log->mutex);
  log->stream = nullptr;
}

}  // namespace podium::commands
