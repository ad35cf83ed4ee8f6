#include "node/shutdown/logind_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "node/files.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

// What it is told is what its connections say; what they are asked for is kept in order.
class FakeLogind {
 public:
  class Connection : public Logind {
   public:
    explicit Connection(FakeLogind& logind) : logind_(logind) {}
    Result<std::chrono::microseconds> InhibitDelayMax() override {
      const std::lock_guard lock(logind_.mutex_);
      return logind_.delay_;
    }
    Result<void> Reload() override {
      const std::lock_guard lock(logind_.mutex_);
      logind_.log_.emplace_back("reload");
      logind_.delay_ = logind_.delay_after_reload_;
      return {};
    }
    Result<UniqueFd> InhibitShutdown() override {
      std::array<int, 2> ends{};
      if (pipe2(ends.data(), O_CLOEXEC) != 0) return Error::FromErrno(errno, "pipe2");
      UniqueFd given(ends[1]);
      {
        const std::lock_guard lock(logind_.mutex_);
        logind_.locks_.emplace_back(ends[0]);
      }
      logind_.Note("lock");
      return given;
    }
    Result<std::optional<bool>> NextShutdown(int wake) override {
      std::unique_lock lock(logind_.mutex_);
      while (logind_.told_.empty()) {
        pollfd stop{wake, POLLIN, 0};
        if (poll(&stop, 1, 0) > 0) return std::optional<bool>();
        logind_.changed_.wait_for(lock, 5ms);
      }
      const int told = logind_.told_.front();
      logind_.told_.pop_front();
      if (told < 0) return Error(Code::kUnavailable, "the bus is gone");
      return std::optional(told == 1);
    }

   private:
    FakeLogind& logind_;
  };

  void Tell(int what) {  // 1: down, 0: up, -1: the connection is gone
    const std::lock_guard lock(mutex_);
    told_.push_back(what);
    changed_.notify_all();
  }
  void Note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    log_.push_back(text);
    changed_.notify_all();
  }
  // As soon as there is so much of it.
  std::vector<std::string> Log(size_t size) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return log_.size() >= size; });
    return log_;
  }
  // Whether nobody holds the lock that was given at that place.
  bool Released(size_t at) {
    const std::lock_guard lock(mutex_);
    pollfd end{locks_.at(at).get(), POLLIN, 0};
    return poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0;
  }

  std::chrono::microseconds delay_ = 5s;
  std::chrono::microseconds delay_after_reload_ = 30s;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<UniqueFd> locks_;
  std::deque<int> told_;
};

class LogindWatchTest : public ::testing::Test {
 protected:
  LogindWatchTest() {
    std::string form = std::filesystem::temp_directory_path() / "podium_logind_XXXXXX";
    dir_ = mkdtemp(form.data());
  }
  ~LogindWatchTest() override {
    watch_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Start(std::chrono::seconds needed) {
    watch_ = std::make_unique<LogindWatch>(LogindWatch::Options{
        .needed = needed,
        .override_file = Override(),
        .connect = [this]() -> Result<std::unique_ptr<Logind>> {
          return std::unique_ptr<Logind>(std::make_unique<FakeLogind::Connection>(logind_));
        },
        .on_shutdown = [this](bool down) { logind_.Note(down ? "down" : "up"); },
        .on_error = [this](const Error& error) { logind_.Note(error.message()); },
        .retry = 1ms});
    const auto started = watch_->Start();
    ASSERT_TRUE(started.ok()) << started.error().message();
  }
  std::string Override() const { return dir_ + "/logind.conf.d/99-podium.conf"; }

  std::string dir_;
  FakeLogind logind_;
  std::unique_ptr<LogindWatch> watch_;
};

TEST_F(LogindWatchTest, WhereThereIsTimeEnoughNothingIsWritten) {
  Start(5s);
  EXPECT_THAT(logind_.Log(1), ElementsAre("lock"));
  EXPECT_FALSE(std::filesystem::exists(Override()));
}

TEST_F(LogindWatchTest, ADelayThatIsTooShortIsRaised) {
  Start(30s);
  EXPECT_THAT(logind_.Log(2), ElementsAre("reload", "lock"));
  EXPECT_THAT(*ReadSmallFile(Override(), 1000),
              ::testing::HasSubstr("[Login]\nInhibitDelayMaxSec=30\n"));
}

TEST_F(LogindWatchTest, ADelayThatStaysTooShortIsToldAndNoLockIsTaken) {
  logind_.delay_after_reload_ = 6s;
  Start(30s);
  EXPECT_THAT(logind_.Log(2),
              ElementsAre("reload",
                          "node shutdown manager was unable to update logind InhibitDelayMaxSec to "
                          "30s (ShutdownGracePeriod), current value of InhibitDelayMaxSec (6s) is "
                          "less than requested ShutdownGracePeriod"));
}

TEST_F(LogindWatchTest, TheLockIsHeldUntilItIsReleased) {
  Start(5s);
  logind_.Log(1);
  logind_.Tell(1);
  EXPECT_THAT(logind_.Log(2), ElementsAre("lock", "down"));
  EXPECT_FALSE(logind_.Released(0));
  watch_->Release();
  EXPECT_TRUE(logind_.Released(0));
}

TEST_F(LogindWatchTest, AfterACancelledShutdownThereIsALockAgain) {
  Start(5s);
  logind_.Tell(1);
  logind_.Log(2);
  watch_->Release();
  logind_.Tell(0);
  EXPECT_THAT(logind_.Log(4), ElementsAre("lock", "down", "up", "lock"));
  EXPECT_FALSE(logind_.Released(1));
  watch_.reset();
  EXPECT_TRUE(logind_.Released(1));
}

TEST_F(LogindWatchTest, AConnectionThatIsGoneIsMadeAnew) {
  Start(5s);
  logind_.Tell(-1);
  EXPECT_THAT(logind_.Log(3), ElementsAre("lock", "the bus is gone", "lock"));
  logind_.Tell(1);
  EXPECT_EQ(logind_.Log(4).back(), "down");
}

}  // namespace
}  // namespace podium::node
