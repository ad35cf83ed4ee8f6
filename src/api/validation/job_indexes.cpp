#include "api/validation/job_indexes.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

struct Interval {
  int64_t first = 0;
  int64_t last = 0;
};

Error Problem(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

Error NotAscending(int64_t previous, int64_t current) {
  return Problem("non-increasing order, previous: " + std::to_string(previous) +
                 ", current: " + std::to_string(current));
}

Result<int64_t> ParseIndex(std::string_view text, int32_t completions) {
  const Result<int64_t> index = reflect::ParseGoInt(text);
  if (!index.ok())
    return Problem("cannot convert string to integer for index: " + reflect::GoQuoted(text));
  if (*index >= completions) return Problem("too large index: " + reflect::GoQuoted(text));
  return *index;
}

// "4" or "4-7".
Result<Interval> ParseInterval(std::string_view text, int32_t completions) {
  if (std::ranges::count(text, '-') > 1) {
    return Problem("the fragment " + reflect::GoQuoted(text) +
                   " violates the requirement that an index interval can have at most two parts "
                   "separated by '-'");
  }
  const size_t dash = text.find('-');
  TRY(const int64_t first, ParseIndex(text.substr(0, dash), completions));
  if (dash == text.npos) return Interval{first, first};
  TRY(const int64_t last, ParseIndex(text.substr(dash + 1), completions));
  if (first >= last) return NotAscending(first, last);
  return Interval{first, last};
}

}  // namespace

Result<int32_t> CountIndexes(std::string_view text, int32_t completions) {
  if (text.empty()) return 0;
  int64_t count = 0;
  std::optional<int64_t> previous;
  for (std::string_view part : Split(text, ',')) {
    TRY(const Interval interval, ParseInterval(part, completions));
    if (previous && *previous >= interval.first) return NotAscending(*previous, interval.first);
    count += interval.last - interval.first + 1;
    previous = interval.last;
  }
  return static_cast<int32_t>(count);
}

Result<void> CheckIndexesDisjoint(std::string_view completed, std::string_view failed,
                                  int32_t completions) {
  if (completed.empty() || failed.empty()) return {};
  const std::vector<std::string_view> completed_parts = Split(completed, ',');
  const std::vector<std::string_view> failed_parts = Split(failed, ',');
  for (size_t c = 0, f = 0; c < completed_parts.size() && f < failed_parts.size();) {
    const Result<Interval> done = ParseInterval(completed_parts[c], completions);
    const Result<Interval> lost = ParseInterval(failed_parts[f], completions);
    if (!done.ok()) {
      ++c;
    } else if (!lost.ok()) {
      ++f;
    } else if (done->first <= lost->last && lost->first <= done->last) {
      return Problem("failedIndexes and completedIndexes overlap at index: " +
                     std::to_string(std::max(done->first, lost->first)));
    } else {
      ++(done->first <= lost->first ? c : f);
    }
  }
  return {};
}

}  // namespace podium::api
