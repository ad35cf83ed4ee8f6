#include "runtime/shim/log_lines.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <ctime>
#include <string>
#include <vector>

namespace podium::runtime::shim {
namespace {

std::string TimeOf(uint64_t ns) {
  char text[kLogTimeSize];
  FormatLogTime(ns, text);
  return {text, sizeof(text)};
}

TEST(LogLinesTest, TimesAreUtcWithNineDigits) {
  EXPECT_EQ(TimeOf(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(TimeOf(951'782'400'000'000'001), "2000-02-29T00:00:00.000000001Z");
  EXPECT_EQ(TimeOf(1'795'295'401'123'456'789), "2026-11-21T21:10:01.123456789Z");
  EXPECT_EQ(TimeOf(4'107'542'399'999'999'999), "2100-02-28T23:59:59.999999999Z");
  EXPECT_EQ(TimeOf(4'107'542'400'000'000'000), "2100-03-01T00:00:00.000000000Z");
}

TEST(LogLinesTest, TimesAreThoseOfTheCLibrary) {
  rc::check([] {
    const auto seconds = *rc::gen::inRange<int64_t>(0, 253'402'300'800);  // to the year 9999
    const time_t time = seconds;
    tm parts = {};
    gmtime_r(&time, &parts);
    char expected[32];
    strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &parts);
    // 64 bits of nanoseconds end in 2554.
    if (seconds < 18'000'000'000) {
      RC_ASSERT(TimeOf(static_cast<uint64_t>(seconds) * 1'000'000'000).substr(0, 19) ==
                std::string(expected));
    }
  });
}

struct Entry {
  std::string content;
  bool full;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What a stream that comes in these chunks is logged as.
std::vector<Entry> Cut(const std::vector<std::string>& chunks) {
  std::vector<Entry> entries;
  std::vector<char> partial(kPartialSize);
  size_t size = 0;
  for (const std::string& chunk : chunks) {
    LogCutter cutter(partial.data(), size, chunk);
    LogEntry entry = {};
    while (cutter.Next(&entry)) {
      entries.push_back({std::string(entry.head) + std::string(entry.tail), entry.full});
    }
    size = cutter.Keep(partial.data());
    EXPECT_LE(size, kPartialSize);
  }
  if (size > 0) entries.push_back({std::string(partial.data(), size), false});
  return entries;
}

// The same said simply, over the whole text.
std::vector<Entry> CutSimply(std::string text) {
  std::vector<Entry> entries;
  while (!text.empty()) {
    const size_t feed = text.find('\n');
    const bool ends = feed != std::string::npos;
    std::string line = text.substr(0, feed);
    text.erase(0, ends ? feed + 1 : text.size());
    if (ends && line.ends_with('\r')) line.pop_back();
    // At the end of a stream, an entry's length and the undecided "\r" are kept together.
    const size_t last = !ends && line.size() > kMaxLogLine && line.ends_with('\r') ? 1 : 0;
    while (line.size() > kMaxLogLine + last) {
      entries.push_back({line.substr(0, kMaxLogLine), false});
      line.erase(0, kMaxLogLine);
    }
    if (ends || !line.empty()) entries.push_back({line, ends});
  }
  return entries;
}

TEST(LogLinesTest, LinesAreCutWhereContainerdCutsThem) {
  EXPECT_EQ(Cut({"one\ntwo\r\n\nthree"}),
            (std::vector<Entry>{{"one", true}, {"two", true}, {"", true}, {"three", false}}));
  EXPECT_EQ(Cut({"on", "e", "\n"}), (std::vector<Entry>{{"one", true}}));
  const std::string most(kMaxLogLine, 'x');
  EXPECT_EQ(Cut({most + "\n"}), (std::vector<Entry>{{most, true}}));
  EXPECT_EQ(Cut({most, "\r", "\n"}), (std::vector<Entry>{{most, true}}));
  EXPECT_EQ(Cut({most, "\r", "y\n"}), (std::vector<Entry>{{most, false}, {"\ry", true}}));
  EXPECT_EQ(Cut({most, "y", "\n"}), (std::vector<Entry>{{most, false}, {"y", true}}));
  EXPECT_EQ(Cut({most + most + "z\n"}),
            (std::vector<Entry>{{most, false}, {most, false}, {"z", true}}));
}

TEST(LogLinesTest, ChunksDoNotMatter) {
  rc::check([] {
    const auto lengths = *rc::gen::container<std::vector<int>>(
        rc::gen::oneOf(rc::gen::inRange(0, 20), rc::gen::inRange(16'380, 16'390),
                       rc::gen::inRange(32'764, 32'772)));
    std::string text;
    for (const int length : lengths) {
      text += std::string(static_cast<size_t>(length), 'a');
      text += *rc::gen::element<std::string>("\n", "\r\n", "\r", "\n\n", "");
    }
    std::vector<std::string> chunks;
    for (size_t at = 0; at < text.size();) {
      const auto size = static_cast<size_t>(
          *rc::gen::oneOf(rc::gen::inRange(1, 10), rc::gen::inRange(1, 16'385)));
      chunks.push_back(text.substr(at, size));
      at += size;
    }
    RC_ASSERT(Cut(chunks) == CutSimply(text));
  });
}

}  // namespace
}  // namespace podium::runtime::shim
