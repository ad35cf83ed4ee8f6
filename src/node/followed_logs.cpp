#include "node/followed_logs.h"

#include <atomic>
#include <set>
#include <string_view>
#include <utility>

#include "node/container_status.h"

namespace podium::node {
namespace {

bool Runs(const v1::Pod& pod, const FollowedLogs::Run& run) {
  const v1::ContainerStatus* status = FindStatus(pod.status, run.container);
  return status && status->containerID == run.container_id && status->state.running;
}

}  // namespace

// Who follows one log. It is told from the poller's thread and the agent's, and asked on the
// server's.
struct FollowedLogs::Follower {
  explicit Follower(Run whose) : run(std::move(whose)) {}
  void Wake() const {
    http::BodyWaker wakes;
    {
      const std::lock_guard lock(mutex);
      wakes = waker;
    }
    wakes.Wake();
  }
  const Run run;
  std::atomic<bool> ended = false;  // a run that has ended does not come back
  mutable std::mutex mutex;
  http::BodyWaker waker;  // under the mutex
};

struct FollowedLogs::Followers {
  // `pod`: null for one that is gone.
  void PodChanged(const std::string& uid, const v1::Pod* pod) {
    const std::lock_guard lock(mutex);
    const auto found = of_pods.find(uid);
    if (found == of_pods.end()) return;
    for (const auto& follower : found->second) {
      if (follower->ended || (pod && Runs(*pod, follower->run))) continue;
      follower->ended = true;
      follower->Wake();
    }
  }
  void Stop() {
    const std::lock_guard lock(mutex);
    stopped = true;
    for (const auto& [uid, followers] : of_pods) {
      for (const auto& follower : followers) {
        follower->ended = true;
        follower->Wake();
      }
    }
  }
  void Add(const std::shared_ptr<Follower>& follower) {
    const std::lock_guard lock(mutex);
    if (stopped) follower->ended = true;
    of_pods[follower->run.uid].insert(follower);
  }
  void Remove(const std::shared_ptr<Follower>& follower) {
    const std::lock_guard lock(mutex);
    const auto found = of_pods.find(follower->run.uid);
    found->second.erase(follower);
    if (found->second.empty()) of_pods.erase(found);
  }

  std::mutex mutex;
  // Under the mutex.
  bool stopped = false;
  std::map<std::string, std::set<std::shared_ptr<Follower>>> of_pods;  // by uid
};

class FollowedLogs::Body : public http::PulledBody {
 public:
  Body(std::string path, const LogOptions& options, std::shared_ptr<Follower> follower)
      : follower_(std::move(follower)),
        reader_(std::move(path), options, [follower = follower_] { return !follower->ended; }) {}
  ~Body() override {
    if (followers_) followers_->Remove(follower_);
  }

  // Before the first look: what comes between that and the first wait is then not missed.
  void Follow(FolderWatches& folders, std::shared_ptr<Followers> followers,
              const std::string& path) {
    watch_ =
        folders.Add(path.substr(0, path.rfind('/')), [follower = follower_] { follower->Wake(); });
    followers_ = std::move(followers);
    followers_->Add(follower_);
  }
  void Begin() { over_ = !reader_.Begin().ok(); }

  void Attach(http::BodyWaker waker) override {
    const std::lock_guard lock(follower_->mutex);
    follower_->waker = std::move(waker);
  }

  Result<http::BodyPiece> Next() override {
    using enum LogReader::Then;
    text_.clear();
    const auto then = over_ ? Result<LogReader::Then>(kEnd) : reader_.Next(&text_);
    http::BodyPiece piece{.bytes = text_, .then = http::BodyPiece::Then::kEnd};
    if (then.ok() && *then == kMore) piece.then = http::BodyPiece::Then::kMore;
    if (then.ok() && *then == kWait) piece.then = http::BodyPiece::Then::kWait;
    return piece;
  }

 private:
  const std::shared_ptr<Follower> follower_;
  LogReader reader_;
  std::shared_ptr<Followers> followers_;  // null: it is not followed
  std::unique_ptr<FolderWatches::Watch> watch_;
  std::string text_;
  bool over_ = false;
};

FollowedLogs::FollowedLogs(Agent& agent, std::shared_ptr<FolderWatches> folders)
    : agent_(agent), folders_(std::move(folders)), followers_(std::make_shared<Followers>()) {}

Result<std::unique_ptr<FollowedLogs>> FollowedLogs::Create(Agent& agent,
                                                           const http::Poller& poller) {
  TRY(auto folders, FolderWatches::Create(poller));
  std::unique_ptr<FollowedLogs> logs(new FollowedLogs(agent, std::move(folders)));
  uint64_t version = 0;
  (void)agent.ListPods("", &version);
  TRY(logs->watch_, agent.Watch(version, [followers = logs->followers_](const PodChange& change) {
    const bool gone = change.type == ChangeType::kDeleted;
    followers->PodChanged(change.pod->metadata.uid, gone ? nullptr : change.pod.get());
  }));
  return logs;
}

FollowedLogs::~FollowedLogs() {
  agent_.Unwatch(watch_);
  Stop();
}

void FollowedLogs::Stop() { followers_->Stop(); }

std::unique_ptr<http::PulledBody> FollowedLogs::Open(const Run& run, const std::string& path,
                                                     const LogOptions& options) {
  const auto follower = std::make_shared<Follower>(run);
  auto body = std::make_unique<Body>(path, options, follower);
  if (options.follow) {
    body->Follow(*folders_, followers_, path);
    // What was told before nobody heard.
    const auto pod = agent_.GetPod(run.name_space, run.pod);
    if (!pod.ok() || pod->metadata.uid != run.uid || !Runs(*pod, run)) follower->ended = true;
  }
  body->Begin();
  return body;
}

}  // namespace podium::node
