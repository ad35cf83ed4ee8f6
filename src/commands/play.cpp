// `podium play`: runs what a manifest says on this machine.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/agent_client.h"
#include "cli/input.h"
#include "cli/manifests.h"
#include "cli/pod_removal.h"
#include "cli/text.h"
#include "commands/agent_process.h"
#include "commands/commands.h"
#include "commands/play_create.h"
#include "commands/play_objects.h"
#include "commands/play_view.h"

namespace podium::commands {
namespace {

using cli::Failed;
using cli::Invocation;
using cli::Outcome;
using cli::Streams;

constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells have it

std::string NameOf(const v1::Pod& pod) {
  return pod.metadata.name.empty() ? pod.metadata.generateName : pod.metadata.name;
}

// Ctrl-C, SIGTERM and a terminal that goes: the first one ends the pods in their own time, the
// second one kills them.
class Interrupts {
 public:
  // Blocks the signals in this thread and those that it starts.
  Interrupts() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, each);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signals_.reset(signalfd(-1, &signals, SFD_CLOEXEC));
    end_.reset(eventfd(0, EFD_CLOEXEC));
  }
  ~Interrupts() { Stop(); }

  // Runs `act` with how many there were, on a thread of its own.
  void Start(std::function<void(int count)> act) {
    thread_ = std::thread([this, act = std::move(act)] {
      for (int count = 1;; ++count) {
        pollfd fds[2] = {{end_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        if (poll(fds, 2, -1) < 0 || fds[0].revents != 0) return;
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
        count_ = count;
        act(count);
      }
    });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    const uint64_t one = 1;
    (void)!write(end_.get(), &one, sizeof one);
    thread_.join();
  }
  int count() const { return count_; }

 private:
  UniqueFd signals_;
  UniqueFd end_;
  std::thread thread_;
  std::atomic<int> count_ = 0;
};

Result<void> Down(const client::Client& client, const PlayObjects& objects, Outcome* outcome) {
  std::vector<v1::Pod> pods;
  for (const v1::Pod& pod : objects.pods) {
    auto found = client.Get<v1::Pod>({pod.metadata.namespace_, pod.metadata.name});
    if (found.ok()) {
      pods.push_back(*std::move(found));
    } else if (found.error().code() != Code::kNotFound) {
      return std::move(found).error();
    }
  }
  TRY_VOID(cli::RemovePods(client, pods, std::nullopt));
  for (const v1::Pod& pod : pods) outcome->out += "pod/" + cli::Printable(NameOf(pod)) + '\n';
  const auto ignore_missing = [](Result<void> result) -> Result<void> {
    if (!result.ok() && result.error().code() != Code::kNotFound) return result;
    return {};
  };
  for (const v1::ConfigMap& map : objects.config_maps) {
    TRY_VOID(
        ignore_missing(client.Delete<v1::ConfigMap>({map.metadata.namespace_, map.metadata.name})));
  }
  for (const v1::Secret& secret : objects.secrets) {
    TRY_VOID(ignore_missing(
        client.Delete<v1::Secret>({secret.metadata.namespace_, secret.metadata.name})));
  }
  return {};
}

bool IsOver(const v1::Pod& pod) {
  return pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
}

// The pods of a play until all have ended or are gone.
class Player {
 public:
  Player(const client::Client& client, std::vector<v1::Pod> pods, const Streams& streams)
      : client_(client), made_(std::move(pods)), view_(client, streams, made_.size() > 1) {
    for (const v1::Pod& pod : made_) pods_[pod.metadata.uid] = pod;
  }

  // The exit status.
  Result<int> Run(Interrupts* interrupts) {
    interrupts->Start([this](int count) { Interrupt(count); });
    auto watched = WatchToTheEnd();
    // What the containers printed last is still on its way.
    if (watched.ok()) view_.FinishLogs();
    interrupts->Stop();
    TRY_VOID(std::move(watched));
    TRY_VOID(cli::RemovePods(client_, made_, std::nullopt));
    if (interrupts->count() > 0) return kInterrupted;
    return failed_ ? cli::kFailed : cli::kOk;
  }

 private:
  void Interrupt(int count) {
    view_.Say(count == 1 ? "stopping the pods; once more kills them" : "killing the pods");
    const auto grace = count == 1 ? std::optional<int64_t>() : std::optional<int64_t>(0);
    if (const auto removed = cli::AskToRemovePods(client_, made_, grace); !removed.ok()) {
      view_.Say(removed.error().message());
    }
  }

  void Update(const v1::Pod& pod) {
    const auto known = pods_.find(pod.metadata.uid);
    if (known == pods_.end()) return;
    known->second = pod;
    view_.Show(pod);
  }

  void Gone(const v1::Pod& pod) {
    const auto known = pods_.find(pod.metadata.uid);
    if (known == pods_.end()) return;
    if (!IsOver(known->second)) view_.Say("pod/" + NameOf(pod) + " is gone");
    failed_ = failed_ || known->second.status.phase == "Failed";
    pods_.erase(known);
  }

  bool AllOver() {
    for (const auto& [uid, pod] : pods_) {
      if (!IsOver(pod)) return false;
    }
    for (const auto& [uid, pod] : pods_) failed_ = failed_ || pod.status.phase == "Failed";
    return true;
  }

  Result<void> WatchToTheEnd() {
    while (true) {
      TRY(const v1::PodList list, client_.List<v1::PodList>(""));
      std::map<std::string, v1::Pod> before = pods_;
      for (const v1::Pod& pod : list.items) {
        before.erase(pod.metadata.uid);
        Update(pod);
      }
      for (const auto& [uid, pod] : before) Gone(pod);
      if (AllOver()) return {};
      api::meta::v1::ListOptions options;
      options.resourceVersion = list.metadata.resourceVersion;
      TRY(client::Watch<v1::Pod> watch, client_.WatchObjects<v1::Pod>("", options));
      while (true) {
        TRY(const auto event, watch.Next());
        if (!event) break;
        if (event->type == client::EventType::kDeleted) {
          Gone(event->object);
        } else {
          Update(event->object);
        }
        if (AllOver()) return {};
      }
    }
  }

  const client::Client& client_;
  const std::vector<v1::Pod> made_;
  std::map<std::string, v1::Pod> pods_;  // by uid, those that are there
  bool failed_ = false;
  PlayView view_;
};

Result<client::Client> ClientOfAgent(const Invocation& invocation) {
  TRY(const Instance instance, cli::ThisInstance());
  if (!invocation.Has("down")) TRY_VOID(EnsureAgent(instance));
  return client::Client::Create(client::AgentAt(instance.run_dir));
}

Outcome PlayOn(const client::Client& client, const PlayObjects& objects,
               const Invocation& invocation, const Streams& streams) {
  Interrupts interrupts;
  const bool detach = invocation.Has("detach");
  auto made = CreatePlayObjects(client, objects, !detach);
  if (!made.ok()) return Failed("play", made.error());
  for (const std::string& note : made->notes) {
    (void)streams.Err("podium: " + cli::Printable(note) + '\n');
  }
  Outcome outcome;
  if (detach) {
    for (const v1::Pod& pod : made->pods)
      outcome.out += "pod/" + cli::Printable(NameOf(pod)) + '\n';
    return outcome;
  }
  Player player(client, std::move(made->pods), streams);
  auto status = player.Run(&interrupts);
  if (!status.ok()) return Failed("play", status.error());
  outcome.status = *status;
  return outcome;
}

Outcome RunPlay(const Invocation& invocation, const Streams& streams) {
  std::vector<std::string> names = invocation.All("filename");
  for (const std::string& argument : invocation.arguments()) names.push_back(argument);
  if (names.empty()) return cli::UsageError("play", "which file? (- is the standard input)");
  if (cli::NamesStandardInputTwice(names)) {
    return cli::UsageError("play", "the standard input (-) can be read only once");
  }
  const bool down = invocation.Has("down");
  cli::Manifests manifests =
      cli::ReadManifests(names, false, {.rules = !down, .ignore_unknown_kinds = true});
  if (!manifests.errors.empty()) return {cli::kFailed, {}, std::move(manifests.errors)};
  auto objects = CollectPlayObjects(manifests.objects);
  if (!objects.ok()) return Failed("play", objects.error());
  if (objects->pods.empty()) {
    return Failed("play", Error(Code::kInvalidArgument, "there is no pod in it to run"));
  }
  if (!down) {
    for (const std::string& note : objects->notes) {
      (void)streams.Err("podium: " + cli::Printable(note) + '\n');
    }
  }
  auto client = ClientOfAgent(invocation);
  if (!client.ok()) return Failed("play", client.error());
  if (!down) return PlayOn(*client, *objects, invocation, streams);
  Outcome outcome;
  const auto stopped = Down(*client, *objects, &outcome);
  return stopped.ok() ? outcome : Failed("play", stopped.error());
}

constexpr cli::Option kOptions[] = {
    cli::kFilenameOption,
    {.name = "detach", .letter = 'd', .help = "leave the pods running, and return"},
    {.name = "down", .help = "stop and remove what the files name"},
};

}  // namespace

cli::Command PlayCommand() {
  return {
      .name = "play",
      .summary = "Run the pods of a manifest on this machine",
      .arguments = "FILE...",
      .max_arguments = 1000,
      .values = cli::Values::kFiles,
      .details =
          "Takes Pods, the pod templates of Deployments, Jobs and other workloads, and the "
          "ConfigMaps and Secrets they read; says what it passes over. Needs no cluster, and "
          "root.\n"
          "In the foreground it shows each pod's state and what its containers print; Ctrl-C stops "
          "the pods in their own time, twice kills them. The exit status is 1 when a pod failed.\n"
          "With -d the same file may be played again: what has changed of its ConfigMaps, Secrets "
          "and of what may be changed of its pods (images, labels) is brought to what runs, pods "
          "that have ended run again, and it says which.",
      .example =
          "  podium play pod.yaml\n"
          "  podium play -d web.yaml && podium logs -f web\n"
          "  podium play --down web.yaml\n",
      .options = kOptions,
      .live = RunPlay,
  };
}

}  // namespace podium::commands
