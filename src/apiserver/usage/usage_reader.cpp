#include "apiserver/usage/usage_reader.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace podium::apiserver {
namespace {

constexpr std::chrono::seconds kPeriod{15};
// Longer than a kubelet shows the same reading again.
constexpr std::chrono::milliseconds kFirstPeriod{1200};
constexpr int64_t kPatience = 120 * kNanosPerSecond;
// Nodes that are asked at a time.
constexpr size_t kMostTasks = 16;
constexpr int kEnough = 2;

}  // namespace

UsageReader::UsageReader(Parts parts)
    : parts_(std::move(parts)), history_(std::chrono::nanoseconds(kPeriod).count()) {}

void UsageReader::WhenRead(std::function<void()> then) {
  bool begin = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    asked_at_ = parts_.clock->Now();
    if (rounds_ >= kEnough) return parts_.executor->Post(std::move(then));
    waiting_.push_back(std::move(then));
    begin = !std::exchange(running_, true);
  }
  if (begin) Begin();
}

void UsageReader::Begin() {
  auto round = std::make_shared<Round>();
  round->left = parts_.nodes();
  round->tasks = std::clamp<size_t>(round->left.size(), 1, kMostTasks);
  const size_t tasks = round->tasks;
  for (size_t i = 0; i < tasks; ++i) {
    parts_.executor->Post([this, round] { Work(round); });
  }
}

void UsageReader::Work(const std::shared_ptr<Round>& round) {
  while (true) {
    std::string node;
    {
      const std::lock_guard lock(round->mutex);
      if (round->left.empty()) {
        if (--round->tasks > 0) return;
        break;
      }
      node = std::move(round->left.back());
      round->left.pop_back();
    }
    const auto page = parts_.fetch(node);
    if (!page.ok()) continue;
    auto points = ParseResourcePage(*page, parts_.clock->Now());
    if (!points.ok()) continue;
    const std::lock_guard lock(round->mutex);
    round->answers.emplace(std::move(node), *std::move(points));
  }
  End(*round);
}

void UsageReader::End(Round& round) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  history_.Store(std::move(round.answers));
  ++rounds_;
  const int64_t now = parts_.clock->Now();
  // The clock may have been turned back.
  if (rounds_ >= kEnough && (now - asked_at_ > kPatience || now < asked_at_)) {
    rounds_ = 0;
    running_ = false;
    history_.Clear();
    return;
  }
  if (rounds_ >= kEnough) {
    for (auto& then : std::exchange(waiting_, {})) parts_.executor->Post(std::move(then));
  }
  timer_ = parts_.executor->PostAfter(
      rounds_ < kEnough ? std::chrono::nanoseconds(kFirstPeriod) : kPeriod, [this] {
        {
          const std::lock_guard guard(mutex_);
          if (stopped_) return;
        }
        Begin();
      });
}

void UsageReader::Stop() {
  std::vector<std::function<void()>> waiting;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  waiting.swap(waiting_);
  if (timer_ != 0) parts_.executor->Cancel(timer_);
}

std::optional<Usage> UsageReader::OfNode(std::string_view node) const {
  const std::lock_guard lock(mutex_);
  return history_.OfNode(node);
}

std::optional<PodUsage> UsageReader::OfPod(std::string_view node, const PodName& pod) const {
  const std::lock_guard lock(mutex_);
  return history_.OfPod(node, pod);
}

}  // namespace podium::apiserver
