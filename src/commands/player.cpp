#include "commands/player.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/trace.h"
#include "cli/pod_removal.h"

namespace podium::commands {
namespace {

constexpr int kMaxFailures = 5;  // without an answer in between

bool IsOver(const v1::Pod& pod) {
  return pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
}

bool HasStarted(const v1::Pod& pod) { return pod.status.phase == "Running" || IsOver(pod); }

std::vector<v1::Pod> PodsOf(const std::vector<Player::Played>& played) {
  std::vector<v1::Pod> pods;
  pods.reserve(played.size());
  for (const Player::Played& each : played) pods.push_back(each.pod);
  return pods;
}

}  // namespace

std::string NameOf(const v1::Pod& pod) {
  return pod.metadata.name.empty() ? pod.metadata.generateName : pod.metadata.name;
}

Player::Player(const client::Client& client, const cli::Streams& streams, std::vector<Played> pods,
               std::function<Result<void>()> find_agent)
    : client_(client),
      find_agent_(std::move(find_agent)),
      made_(PodsOf(pods)),
      played_(std::move(pods)),
      view_(client, streams, played_.size() > 1) {}

Result<int> Player::RunToTheEnd(Interrupts* interrupts) {
  interrupts->Start([this](int count) { Interrupt(count); });
  auto watched = WatchPods();
  // What the containers printed last is still on its way.
  if (watched.ok() && interrupts->count() < 3) view_.FinishLogs();
  interrupts->Stop();
  TRY_VOID(std::move(watched));
  if (interrupts->count() >= 3) return kInterrupted;
  TRY_VOID(cli::RemovePods(client_, made_, std::nullopt));
  if (interrupts->count() > 0) return kInterrupted;
  const bool failed = std::ranges::any_of(
      played_, [](const Played& each) { return each.pod.status.phase == "Failed"; });
  return failed ? cli::kFailed : cli::kOk;
}

Result<int> Player::WaitForStart(Interrupts* interrupts) {
  to_the_end_ = false;
  view_.WithoutLogs();
  interrupts->Start([this](int) { Leave(); });
  auto watched = WatchPods();
  interrupts->Stop();
  TRY_VOID(std::move(watched));
  return interrupts->count() > 0 ? kInterrupted : cli::kOk;
}

void Player::Interrupt(int count) {
  if (count > 2) {
    view_.Say("the pods are left as they are");
    return Leave();
  }
  view_.Say(count == 1 ? "stopping the pods; once more kills them" : "killing the pods");
  const auto grace = count == 1 ? std::optional<int64_t>() : std::optional<int64_t>(0);
  if (const auto removed = cli::AskToRemovePods(client_, made_, grace); !removed.ok()) {
    view_.Say(removed.error().message());
  }
}

void Player::Leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  if (watch_) watch_->Stop();
}

Player::Played* Player::Find(const std::string& uid) {
  const auto found = std::ranges::find(
      played_, uid, [](const Played& each) -> const std::string& { return each.pod.metadata.uid; });
  return found == played_.end() || found->gone ? nullptr : &*found;
}

void Player::Update(const v1::Pod& pod) {
  const int64_t now = TraceNow();
  Played* played = Find(pod.metadata.uid);
  if (!played) return;
  const bool starts = !HasStarted(played->pod) && HasStarted(pod);
  played->pod = pod;
  if (starts && played->trace) {
    played->trace->seen = now;
    const auto steps = client_.Raw("GET", "/node/v1/traces/" + pod.metadata.uid);
    const auto read = steps.ok() ? ReadSteps(*steps, &*played->trace) : steps.error();
    if (!read.ok()) view_.Say("no trace of pod/" + NameOf(pod) + ": " + read.error().message());
  }
  view_.Show(pod);
}

void Player::Gone(Played* played) {
  if (!IsOver(played->pod)) view_.Say("pod/" + NameOf(played->pod) + " is gone");
  played->gone = true;
}

bool Player::Done() const {
  return std::ranges::all_of(played_, [this](const Played& each) {
    return each.gone || (to_the_end_ ? IsOver(each.pod) : HasStarted(each.pod));
  });
}

Result<void> Player::WatchPods() {
  int failures = 0;
  while (true) {
    auto done = WatchOnce();
    if (done.ok() && *done) return {};
    if (done.ok() || done.error().code() == Code::kExpired) {
      failures = 0;
      continue;
    }
    // Pods do not end with the agent, and neither does the play.
    if (done.error().code() != Code::kUnavailable || ++failures > kMaxFailures) {
      return std::move(done).error();
    }
    view_.Say("the agent is gone, and the pods run on: looking for another one");
    TRY_VOID(find_agent_());
  }
}

Result<bool> Player::WatchOnce() {
  TRY(const v1::PodList list, client_.List<v1::PodList>(""));
  std::set<std::string> present;
  for (const v1::Pod& pod : list.items) {
    present.insert(pod.metadata.uid);
    Update(pod);
  }
  for (Played& each : played_) {
    if (!each.gone && !present.contains(each.pod.metadata.uid)) Gone(&each);
  }
  if (Done()) return true;
  api::meta::v1::ListOptions options;
  options.resourceVersion = list.metadata.resourceVersion;
  TRY(client::Watch<v1::Pod> watch, client_.WatchObjects<v1::Pod>("", options));
  return Follow(&watch);
}

Result<bool> Player::Follow(client::Watch<v1::Pod>* watch) {
  {
    const std::lock_guard lock(mutex_);
    if (left_) return true;
    watch_ = watch;
  }
  Result<bool> done = false;
  while (true) {
    auto event = watch->Next();
    if (!event.ok()) {
      done = std::move(event).error();
      break;
    }
    if (!*event) break;
    Played* played = Find((*event)->object.metadata.uid);
    if (!played) continue;
    if ((*event)->type == client::EventType::kDeleted) {
      Gone(played);
    } else {
      Update((*event)->object);
    }
    if (!Done()) continue;
    done = true;
    break;
  }
  const std::lock_guard lock(mutex_);
  watch_ = nullptr;
  if (left_) return true;
  return done;
}

}  // namespace podium::commands
