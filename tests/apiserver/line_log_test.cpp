#include "apiserver/line_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT(*-deprecated-headers): mkdtemp
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace podium::apiserver {
namespace {

namespace fs = std::filesystem;

class SetClock : public Clock {
 public:
  int64_t Now() const override { return now; }
  std::atomic<int64_t> now = 1'767'323'045 * kNanosPerSecond;  // 2026-01-02T03:04:05Z
};

class LineLogTest : public testing::Test {
 protected:
  LineLogTest() {
    std::string form = testing::TempDir() + "podium-log-XXXXXX";
    folder_ = mkdtemp(form.data());
  }
  ~LineLogTest() override { fs::remove_all(folder_); }

  std::unique_ptr<LineLog> Open(LineLogOptions options) {
    options.file.path = folder_ + "/audit.log";
    auto log = LineLog::Open(std::move(options), clock_);
    EXPECT_TRUE(log.ok());
    return *std::move(log);
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& each : fs::directory_iterator(folder_)) {
      names.insert(each.path().filename().string());
    }
    return names;
  }
  std::string Text(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void WriteEach(LineLog& log, std::string line) const {
    EXPECT_TRUE(log.Write(std::move(line)));
    log.Flush();
  }

  SetClock clock_;
  std::string folder_;
};

TEST_F(LineLogTest, LinesAreInOrderAndTheFileIsForItsOwnerAlone) {
  {
    const auto log = Open({});
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(log->Write(std::to_string(i)));
  }
  std::ifstream file(folder_ + "/audit.log");
  std::string line;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_EQ(line, std::to_string(i));
  }
  EXPECT_FALSE(std::getline(file, line));
  struct stat found{};
  ASSERT_EQ(stat((folder_ + "/audit.log").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(LineLogTest, AFullFileIsPutAsideUnderItsTime) {
  const auto log = Open({.file = {.max_bytes = 10}});
  WriteEach(*log, "12345");
  WriteEach(*log, "678");
  EXPECT_EQ(Files(), (std::set<std::string>{"audit.log"}));
  clock_.now += 6'000'000;
  WriteEach(*log, "9");
  EXPECT_EQ(Files(), (std::set<std::string>{"audit-2026-01-02T03-04-05.006.log", "audit.log"}));
  EXPECT_EQ(Text("audit-2026-01-02T03-04-05.006.log"), "12345\n678\n");
  EXPECT_EQ(Text("audit.log"), "9\n");
  // In the same millisecond, and longer than a file may be.
  WriteEach(*log, "long enough to be alone");
  EXPECT_EQ(Text("audit-2026-01-02T03-04-05.007.log"), "9\n");
  EXPECT_EQ(Text("audit.log"), "long enough to be alone\n");
}

TEST_F(LineLogTest, ALogGoesOnWhereItEnded) {
  WriteEach(*Open({}), "before");
  WriteEach(*Open({}), "after");
  EXPECT_EQ(Text("audit.log"), "before\nafter\n");
}

TEST_F(LineLogTest, OldFilesGoByNumberAndByAge) {
  std::ofstream(folder_ + "/audit-notes.log") << "mine";
  std::ofstream(folder_ + "/audit-2026-01-01T03-04-04.000.log") << "more than a day";
  std::ofstream(folder_ + "/audit-2026-01-01T03-04-06.000.log") << "less";
  {
    const auto log = Open({.file = {.max_bytes = 2, .max_days = 1}});
    EXPECT_EQ(Files(), (std::set<std::string>{"audit-2026-01-01T03-04-06.000.log",
                                              "audit-notes.log", "audit.log"}));
  }
  const auto log = Open({.file = {.max_bytes = 2, .max_backups = 2}});
  for (const char digit : {'1', '2', '3', '4'}) {
    clock_.now += kNanosPerSecond;
    WriteEach(*log, std::string(1, digit));
  }
  EXPECT_EQ(Files(), (std::set<std::string>{"audit-2026-01-02T03-04-08.000.log",
                                            "audit-2026-01-02T03-04-09.000.log", "audit-notes.log",
                                            "audit.log"}));
}

TEST_F(LineLogTest, AFullQueueDropsAndSaysSo) {
  std::mutex mutex;
  std::vector<std::string> reports;
  const auto log = Open({.max_lines = 10, .max_bytes = 64, .report = [&](std::string sentence) {
                           const std::lock_guard lock(mutex);
                           reports.push_back(std::move(sentence));
                         }});
  EXPECT_FALSE(log->Write(std::string(64, 'x')));  // with its end it is one byte too long
  EXPECT_TRUE(log->Write("a"));
  log->Flush();
  EXPECT_EQ(log->counts().dropped, 1U);
  EXPECT_EQ(log->counts().written, 1U);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0], "1 lines of " + folder_ +
                            "/audit.log were lost: they came faster than they could be written");
}

TEST_F(LineLogTest, WritersNeverWaitForAFileThatNobodyReads) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::ifstream reader;
  std::thread opener([&] { reader.open(pipe); });
  auto log = LineLog::Open({.file = {.path = pipe}, .max_lines = 100}, clock_);
  opener.join();
  ASSERT_TRUE(log.ok());
  // More than a pipe holds: the thread of the log hangs in it.
  const std::string line(size_t{32} << 10, 'x');
  for (int i = 0; i < 1000; ++i) (void)(*log)->Write(line);
  EXPECT_GT((*log)->counts().dropped, 500U);
  std::thread drain([&] {
    std::string read;
    while (std::getline(reader, read)) {
    }
  });
  log->reset();
  drain.join();
}

TEST_F(LineLogTest, AFileThatCannotBeWrittenIsTriedAgain) {
  std::mutex mutex;
  std::vector<std::string> reports;
  const auto log = Open({.file = {.max_bytes = 4}, .report = [&](std::string sentence) {
                           const std::lock_guard lock(mutex);
                           reports.push_back(std::move(sentence));
                         }});
  WriteEach(*log, "one");
  // The next one needs a new file.
  fs::remove_all(folder_);
  WriteEach(*log, "two");
  WriteEach(*log, "three");
  fs::create_directories(folder_);
  WriteEach(*log, "four");
  EXPECT_EQ(Text("audit.log"), "four\n");
  EXPECT_EQ(log->counts().failed, 2U);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_TRUE(reports[0].starts_with("1 lines of " + folder_ + "/audit.log were lost: "));
}

}  // namespace
}  // namespace podium::apiserver
