#include "node/container_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "node/fake_services.h"
#include "node/log_files.h"
#include "node/log_rotation.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;

class ContainerLogTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  std::string Read(const LogOptions& options) {
    std::string out;
    auto read = ReadContainerLog(path_, options, [&](std::string_view text) {
      out += text;
      return true;
    });
    return read.ok() ? out : "error: " + read.error().message();
  }

  // Follows the log until it ends. `open` is asked as the reader does, and each piece is told.
  std::string Follow(const std::function<bool()>& open, LogOptions options = {},
                     const std::function<void(std::string_view text)>& told = {}) {
    options.follow = true;
    LogReader reader(path_, options, open);
    if (auto begun = reader.Begin(); !begun.ok()) return "error: " + begun.error().message();
    std::string out;
    while (true) {
      std::string text;
      const auto then = reader.Next(&text);
      if (!then.ok()) return "error: " + then.error().message();
      out += text;
      if (told) told(text);
      if (*then == LogReader::Then::kEnd) return out;
    }
  }

  TestFolder folder_;
  std::string path_ = folder_.path() + "/0.log";
};

TEST_F(ContainerLogTest, Lines) {
  Write(
      "2016-10-06T00:17:09.5Z stdout F one\n2016-10-06T00:17:10Z stderr P tw\n"
      "2016-10-06T00:17:10Z stderr F o\nnonsense\n2016-10-06T00:17:11Z stdout F three\n");
  EXPECT_EQ(Read({}), "one\ntwo\nthree\n");
  EXPECT_EQ(Read({.timestamps = true}),
            "2016-10-06T00:17:09.5Z one\n2016-10-06T00:17:10Z two\n2016-10-06T00:17:11Z three\n");
  EXPECT_EQ(Read({.tail_lines = 1}), "three\n");
  EXPECT_EQ(Read({.tail_lines = 0}), "");
  EXPECT_EQ(Read({.tail_lines = 100}), "one\ntwo\nthree\n");
  EXPECT_EQ(Read({.limit_bytes = 5}), "one\nt");
  EXPECT_EQ(Read({.err = false}), "one\nthree\n");
  EXPECT_EQ(Read({.since = ParseLogLine("2016-10-06T00:17:10Z stdout F x")->time}), "two\nthree\n");
  EXPECT_EQ(TailOfLog(path_, 80, 6), "three\n");
}

TEST_F(ContainerLogTest, ALineThatIsBeingWrittenIsNoneYet) {
  Write("2016-10-06T00:17:09Z stdout F one\n2016-10-06T00:17:10Z stdout F two\n");
  Write("2016-10-06T00:17:11Z stdout F thr");
  EXPECT_EQ(Read({}), "one\ntwo\n");
  EXPECT_EQ(Read({.tail_lines = 1}), "two\n");
  EXPECT_EQ(Read({.tail_lines = 2}), "one\ntwo\n");
  EXPECT_EQ(Read({.tail_lines = 3}), "one\ntwo\n");
}

// A log flood must not keep a reader for ever.
TEST_F(ContainerLogTest, AWriterThatIsFasterThanItsReader) {
  Write("2016-10-06T00:17:09Z stdout F one\n2016-10-06T00:17:09Z stdout F two\n");
  std::string out;
  const auto read = ReadContainerLog(path_, {}, [&](std::string_view text) {
    out += text;
    Write("2016-10-06T00:17:10Z stdout F more\n");
    return out.size() < 1000;
  });
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(out, "one\ntwo\n");
}

TEST_F(ContainerLogTest, FollowingAcrossARotation) {
  Write("2016-10-06T00:17:09Z stdout F one\n");
  int looks = 0;
  EXPECT_EQ(Follow([&] {
              if (++looks == 1) Write("2016-10-06T00:17:10Z stdout F two\n");
              if (looks == 2) {
                Write("2016-10-06T00:17:11Z stdout F three\n");
                std::filesystem::rename(path_, path_ + ".old");
                Write("2016-10-06T00:17:12Z stdout F four\n");
              }
              return looks < 4;
            }),
            "one\ntwo\nthree\nfour\n");
}

std::string LineOf(int number) {
  return "2016-10-06T00:17:0" + std::to_string(number) + "Z stdout F " + std::to_string(number) +
         "\n";
}

// However late a follower looks, and though what it has not read is compressed by then.
TEST_F(ContainerLogTest, FollowingBehindSeveralRotations) {
  NodeConfig config;
  config.log_max_bytes = 1;
  config.log_max_files = 9;
  int second = 0;
  const auto rotate = [&](int lines, int line) {
    for (int i = 0; i < lines; ++i) {
      Write(LineOf(line + i));
      EXPECT_TRUE(*RotateLog(path_, config, int64_t{++second} * 1'000'000'000,
                             []() -> Result<void> { return {}; }));
      EXPECT_TRUE(CompressPutAside(path_).ok());
    }
    Write("");
  };
  rotate(1, 1);
  int looks = 0;
  const auto open = [&] {
    if (++looks == 1) rotate(3, 2);
    if (looks == 3) Write(LineOf(5));
    if (looks == 4) rotate(0, 0);
    return looks < 6;
  };
  EXPECT_EQ(Follow(open, {},
                   [&](std::string_view text) {
                     // While it is still at the line before.
                     if (text == "5\n") rotate(3, 6);
                   }),
            "1\n2\n3\n4\n5\n6\n7\n8\n");
}

// The new file is there a moment before the writer has it.
TEST_F(ContainerLogTest, FollowingAWriterThatIsLate) {
  Write(LineOf(1));
  int looks = 0;
  EXPECT_EQ(Follow([&] {
              if (++looks == 2) {
                std::filesystem::rename(path_, path_ + ".1");
                Write("");
              }
              if (looks == 4) {
                std::ofstream(path_ + ".1", std::ios::app) << LineOf(2);
                Write(LineOf(3));
              }
              return looks < 6;
            }),
            "1\n2\n3\n");
}

// What is asked for of a log counts while it is followed as well.
TEST_F(ContainerLogTest, FollowingWhatIsAskedFor) {
  Write(LineOf(1) + LineOf(2));
  const auto writes = [&, looks = 0]() mutable {
    if (++looks == 2) Write("2016-10-06T00:17:03Z stderr F 3\n" + LineOf(4));
    return looks < 4;
  };
  EXPECT_EQ(Follow(writes, {.tail_lines = 1}), "2\n3\n4\n");
  EXPECT_EQ(Follow([] { return true; }, {.limit_bytes = 3}), "1\n2");
  EXPECT_EQ(Follow(writes, {.limit_bytes = 7}), "1\n2\n3\n4");
  EXPECT_EQ(Follow([] { return false; }, {.tail_lines = 2, .err = false}), "4\n");
}

TEST_F(ContainerLogTest, Rotation) {
  NodeConfig config;
  config.log_max_bytes = 10;
  config.log_max_files = 3;
  int reopened = 0;
  const auto reopen = [&]() -> Result<void> {
    ++reopened;
    return {};
  };
  Write("short");
  EXPECT_FALSE(*RotateLog(path_, config, 0, reopen));
  for (int i = 1; i <= 4; ++i) {
    Write("long enough by now");
    EXPECT_TRUE(*RotateLog(path_, config, int64_t{i} * 1'000'000'000, reopen));
    EXPECT_TRUE(CompressPutAside(path_).ok());
  }
  EXPECT_EQ(reopened, 4);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  EXPECT_THAT(names,
              ElementsAre("0.log.19700101-000003.000000.gz", "0.log.19700101-000004.000000"));
  Write("long enough by now");
  EXPECT_FALSE(RotateLog(path_, config, 9'000'000'000, []() -> Result<void> {
                 return Error(Code::kUnavailable, "no");
               }).ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ContainerLogTest, RotatedTwiceAtOnce) {
  NodeConfig config;
  config.log_max_bytes = 1;
  config.log_max_files = 4;
  for (const char* line : {"1\n", "2\n", "3\n"}) {
    Write(std::string("2016-10-06T00:17:09Z stdout F ") + line);
    ASSERT_TRUE(*RotateLog(path_, config, 1'000, []() -> Result<void> { return {}; }));
    ASSERT_TRUE(CompressPutAside(path_).ok());
  }
  EXPECT_EQ(Read({}), "1\n2\n3\n");
}

// The agent was killed between the new name and the writer's: nobody else would tell it.
TEST_F(ContainerLogTest, ALogWithoutAFileIsReopened) {
  NodeConfig config;
  int reopened = 0;
  const auto reopen = [&]() -> Result<void> {
    ++reopened;
    Write("");
    return {};
  };
  EXPECT_FALSE(*RotateLog(path_, config, 0, reopen));
  EXPECT_FALSE(*RotateLog(path_, config, 0, reopen));
  EXPECT_EQ(reopened, 1);
}

TEST_F(ContainerLogTest, WhatIsRemovedWhileItIsCompressedStaysAway) {
  NodeConfig config;
  config.log_max_bytes = 1;
  for (int i = 1; i <= 2; ++i) {
    Write(std::string(size_t{20} << 20, 'x'));
    ASSERT_TRUE(*RotateLog(path_, config, i, []() -> Result<void> { return {}; }));
  }
  std::thread compressor([&] { EXPECT_TRUE(CompressPutAside(path_).ok()); });
  for (int i = 0;
       i < 5000 && std::ranges::none_of(
                       std::filesystem::directory_iterator(folder_.path()),
                       [](const auto& entry) { return entry.path().extension() == ".tmp"; });
       ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  RemoveLogFiles(path_);
  compressor.join();
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

// What rotation leaves: two compressed files, one that is not, and the log.
class RotatedLogTest : public ContainerLogTest {
 protected:
  void SetUp() override {
    config_.log_max_bytes = 1;
    for (int i = 1; i <= 4; ++i) {
      // Lines 1 and 2 in the first file, and so on.
      for (int line = (2 * i) - 1; line <= 2 * i; ++line) Write(Line(line));
      if (i < 4) Rotate(i);
    }
    ASSERT_TRUE(std::filesystem::exists(path_ + ".19700101-000001.000000.gz"));
    ASSERT_TRUE(std::filesystem::exists(path_ + ".19700101-000002.000000.gz"));
    ASSERT_TRUE(std::filesystem::exists(path_ + ".19700101-000003.000000"));
  }
  void Rotate(int second) {
    ASSERT_TRUE(*RotateLog(path_, config_, int64_t{second} * 1'000'000'000,
                           []() -> Result<void> { return {}; }));
    ASSERT_TRUE(CompressPutAside(path_).ok());
  }
  static std::string Line(int number) {
    return "2016-10-06T00:17:0" + std::to_string(number) + "Z stdout F " + std::to_string(number) +
           "\n";
  }

  NodeConfig config_;
};

TEST_F(RotatedLogTest, AllThatIsKeptIsRead) {
  EXPECT_EQ(Read({}), "1\n2\n3\n4\n5\n6\n7\n8\n");
  EXPECT_EQ(Read({.limit_bytes = 5}), "1\n2\n3");
  EXPECT_EQ(Read({.limit_bytes = 0}), "");
}

TEST_F(RotatedLogTest, TheTailReachesIntoOlderFiles) {
  const std::string all = "1\n2\n3\n4\n5\n6\n7\n8\n";
  for (int lines = 0; lines <= 9; ++lines) {
    const size_t size = std::min<size_t>(static_cast<size_t>(lines) * 2, all.size());
    EXPECT_EQ(Read({.tail_lines = lines}), all.substr(all.size() - size)) << lines;
  }
  EXPECT_EQ(TailOfLog(path_, 5, 100), "4\n5\n6\n7\n8\n");
}

TEST_F(RotatedLogTest, SinceReachesIntoOlderFiles) {
  EXPECT_EQ(Read({.since = ParseLogLine("2016-10-06T00:17:04Z stdout F x")->time}),
            "4\n5\n6\n7\n8\n");
}

TEST_F(RotatedLogTest, ALogThatIsJustBeingReopened) {
  // The writer has not made the new file yet.
  std::filesystem::rename(path_, path_ + ".19700101-000004.000000");
  EXPECT_EQ(Read({.tail_lines = 3}), "6\n7\n8\n");
  std::filesystem::remove_all(folder_.path());
  EXPECT_EQ(Read({}).substr(0, 6), "error:");
}

TEST_F(RotatedLogTest, WhatIsBeingCompressedIsReadOnce) {
  // Between the compressed file's name and the end of the other one.
  std::ofstream(path_ + ".19700101-000002.000000") << Line(3) << Line(4);
  std::ofstream(path_ + ".19700101-000003.000000.tmp") << "half";
  EXPECT_EQ(Read({}), "1\n2\n3\n4\n5\n6\n7\n8\n");
}

TEST_F(RotatedLogTest, FollowingBeginsWithOlderFiles) {
  int looks = 0;
  const auto open = [&] {
    if (++looks == 2) {
      Rotate(4);
      Write("2016-10-06T00:17:12Z stdout F new\n");
    }
    return looks < 4;
  };
  EXPECT_EQ(Follow(open, {.tail_lines = 4}), "5\n6\n7\n8\nnew\n");
}

TEST_F(RotatedLogTest, ADamagedFileIsAnError) {
  std::ofstream(path_ + ".19700101-000001.000000.gz") << "\x1f\x8b damaged";
  EXPECT_EQ(Read({}).substr(0, 6), "error:");
  EXPECT_EQ(Read({.tail_lines = 5}), "4\n5\n6\n7\n8\n");
}

TEST_F(RotatedLogTest, NothingStaysOfALogThatIsRemoved) {
  std::ofstream(folder_.path() + "/1.log") << Line(1);
  RemoveLogFiles(path_);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, ElementsAre("1.log"));
}

}  // namespace
}  // namespace podium::node
