#include "runtime/shim/log_lines.h"

namespace podium::runtime::shim {
namespace {

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr uint64_t kSecondsOfDay = 86'400;

char* Digits(char* to, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + count;
}

struct Date {
  uint64_t year, month, day;
};

// Days since 1970-01-01 as a date of the Gregorian calendar. Years start in March here, so that the
// leap day is a year's last.
Date DateOf(uint64_t days) {
  const uint64_t shifted = days + 719'468;  // since 0000-03-01
  const uint64_t era = shifted / 146'097;   // of 400 years
  const uint64_t day_of_era = shifted % 146'097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t march_month = (5 * day_of_year + 2) / 153;
  const uint64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {.year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * march_month + 2) / 5 + 1};
}

}  // namespace

void FormatLogTime(uint64_t realtime_ns, char (&out)[kLogTimeSize]) {
  const uint64_t seconds = realtime_ns / kNanoseconds;
  const uint64_t of_day = seconds % kSecondsOfDay;
  const Date date = DateOf(seconds / kSecondsOfDay);
  char* to = Digits(out, date.year, 4);
  *to++ = '-';
  to = Digits(to, date.month, 2);
  *to++ = '-';
  to = Digits(to, date.day, 2);
  *to++ = 'T';
  to = Digits(to, of_day / 3600, 2);
  *to++ = ':';
  to = Digits(to, of_day / 60 % 60, 2);
  *to++ = ':';
  to = Digits(to, of_day % 60, 2);
  *to++ = '.';
  to = Digits(to, realtime_ns % kNanoseconds, 9);
  *to = 'Z';
}

bool LogCutter::Next(LogEntry* entry) {
  const size_t feed = rest_.find('\n');
  const size_t line_rest = feed == std::string_view::npos ? rest_.size() : feed;
  size_t size = head_.size() + line_rest;
  const auto at = [&](size_t i) { return i < head_.size() ? head_[i] : rest_[i - head_.size()]; };
  const bool ends_with_return = size > 0 && at(size - 1) == '\r';
  // The "\r" belongs to the line's end if a line feed follows, and may if nothing has come yet.
  if (ends_with_return && (feed != std::string_view::npos || size == kMaxLogLine + 1)) --size;
  if (size <= kMaxLogLine && feed == std::string_view::npos) return false;

  const bool full = size <= kMaxLogLine;
  if (!full) size = kMaxLogLine;
  const size_t from_head = size < head_.size() ? size : head_.size();
  *entry = {
      .head = head_.substr(0, from_head), .tail = rest_.substr(0, size - from_head), .full = full};
  if (full) {
    head_ = {};
    rest_.remove_prefix(feed + 1);
  } else {
    head_.remove_prefix(from_head);
    rest_.remove_prefix(size - from_head);
  }
  return true;
}

size_t LogCutter::Keep(char* partial) const {
  __builtin_memmove(partial, head_.data(), head_.size());
  __builtin_memcpy(partial + head_.size(), rest_.data(), rest_.size());
  return head_.size() + rest_.size();
}

}  // namespace podium::runtime::shim
