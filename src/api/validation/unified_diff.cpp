// Differences between texts in unified form, line by line.
//
// Upstream shows what Ratcliff and Obershelp's "gestalt" matching finds, as Python's difflib does
// it: the longest run of equal lines splits both texts, and so on to the left and to the right of
// it. Where the newer text has 200 lines or more, lines that make up over a hundredth of it do not
// start a run. Which of several matchings is shown is visible to users, so this one is kept; but it
// takes a time of the square of a text's length and more, and the texts are those of clients: what
// is not matched after kMostSteps is shown as replaced.

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/validation/unversioned_json.h"

namespace podium::api {
namespace {

constexpr size_t kContext = 3;
constexpr size_t kPopularFrom = 200;
constexpr size_t kMostSteps = 1'000'000;

using Lines = std::vector<std::string_view>;

Lines SplitLines(std::string_view text) {
  Lines lines;
  for (;;) {
    size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) return lines;
    text.remove_prefix(end + 1);
  }
}

// Lines [a, a + size) of the old text equal [b, b + size) of the new one.
struct Run {
  size_t a = 0;
  size_t b = 0;
  size_t size = 0;
};

// Lines [a_begin, a_end) became [b_begin, b_end); `equal` when they are the same.
struct Edit {
  bool equal;
  size_t a_begin, a_end, b_begin, b_end;
};

class Matcher {
 public:
  Matcher(const Lines& a, const Lines& b) : a_(a), b_(b) {
    for (size_t j = 0; j < b.size(); ++j) places_[b[j]].push_back(j);
    if (b.size() < kPopularFrom) return;
    size_t limit = b.size() / 100 + 1;
    std::erase_if(places_, [&](const auto& each) { return each.second.size() > limit; });
  }

  std::vector<Edit> Edits() {
    std::vector<Run> runs;
    Collect(0, a_.size(), 0, b_.size(), &runs);
    runs.push_back({a_.size(), b_.size(), 0});
    std::vector<Edit> edits;
    size_t i = 0;
    size_t j = 0;
    for (const Run& run : runs) {
      if (i < run.a || j < run.b) edits.push_back({false, i, run.a, j, run.b});
      i = run.a + run.size;
      j = run.b + run.size;
      if (run.size == 0) continue;
      if (!edits.empty() && edits.back().equal) {
        edits.back().a_end = i;
        edits.back().b_end = j;
      } else {
        edits.push_back({true, run.a, i, run.b, j});
      }
    }
    return edits;
  }

 private:
  // A run to the left of the longest one is shorter than it, or it would have been the first of the
  // longest; so calls are nested no deeper than there are lengths.
  void Collect(size_t a_begin, size_t a_end, size_t b_begin, size_t b_end, std::vector<Run>* runs) {
    for (;;) {
      const Run run = Longest(a_begin, a_end, b_begin, b_end);
      if (run.size == 0) return;
      Collect(a_begin, run.a, b_begin, run.b, runs);
      runs->push_back(run);
      a_begin = run.a + run.size;
      b_begin = run.b + run.size;
    }
  }

  // The longest run within bounds; of several the one that starts first in a, then in b. None when
  // the steps are used up.
  Run Longest(size_t a_begin, size_t a_end, size_t b_begin, size_t b_end) {
    Run best{a_begin, b_begin, 0};
    std::unordered_map<size_t, size_t> lengths;  // of runs that end at the line before, by j
    for (size_t i = a_begin; i < a_end; ++i) {
      std::unordered_map<size_t, size_t> next;
      auto places = places_.find(a_[i]);
      if (++steps_ > kMostSteps) return {};
      if (places != places_.end()) {
        const std::vector<size_t>& all = places->second;
        for (auto at = std::ranges::lower_bound(all, b_begin); at != all.end(); ++at) {
          const size_t j = *at;
          if (j >= b_end) break;
          if (++steps_ > kMostSteps) return {};
          auto before = j == 0 ? lengths.end() : lengths.find(j - 1);
          size_t length = before == lengths.end() ? 1 : before->second + 1;
          next[j] = length;
          if (length > best.size) best = {i + 1 - length, j + 1 - length, length};
        }
      }
      lengths = std::move(next);
    }
    // Popular lines do not start a run but may belong to it.
    while (best.a > a_begin && best.b > b_begin && a_[best.a - 1] == b_[best.b - 1]) {
      --best.a;
      --best.b;
      ++best.size;
    }
    while (best.a + best.size < a_end && best.b + best.size < b_end &&
           a_[best.a + best.size] == b_[best.b + best.size]) {
      ++best.size;
    }
    return best;
  }

  const Lines& a_;
  const Lines& b_;
  std::unordered_map<std::string_view, std::vector<size_t>> places_;  // in b, from the first
  size_t steps_ = 0;
};

// Edits that stand together: few equal lines between them, and some around.
std::vector<std::vector<Edit>> Grouped(std::vector<Edit> edits) {
  auto shorten_front = [](Edit* edit) {
    edit->a_begin = std::max(edit->a_begin, edit->a_end - std::min(edit->a_end, kContext));
    edit->b_begin = std::max(edit->b_begin, edit->b_end - std::min(edit->b_end, kContext));
  };
  auto shorten_back = [](Edit* edit) {
    edit->a_end = std::min(edit->a_end, edit->a_begin + kContext);
    edit->b_end = std::min(edit->b_end, edit->b_begin + kContext);
  };
  if (edits.empty()) return {};
  if (edits.front().equal) shorten_front(&edits.front());
  if (edits.back().equal) shorten_back(&edits.back());
  std::vector<std::vector<Edit>> groups;
  std::vector<Edit> group;
  for (Edit edit : edits) {
    if (edit.equal && edit.a_end - edit.a_begin > 2 * kContext) {
      group.push_back(edit);
      shorten_back(&group.back());
      groups.push_back(std::move(group));
      group.clear();
      shorten_front(&edit);
    }
    group.push_back(edit);
  }
  if (!group.empty() && !(group.size() == 1 && group[0].equal)) groups.push_back(std::move(group));
  return groups;
}

std::string Range(size_t begin, size_t end) {
  size_t length = end - begin;
  if (length == 1) return fmt::format("{}", begin + 1);
  return fmt::format("{},{}", length == 0 ? begin : begin + 1, length);
}

}  // namespace

std::string UnifiedDiff(const std::string& before, const std::string& after) {
  Lines a = SplitLines(before);
  Lines b = SplitLines(after);
  std::string out;
  auto print = [&](char sign, const Lines& lines, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      out += sign;
      out += lines[i];
      out += '\n';
    }
  };
  for (const std::vector<Edit>& group : Grouped(Matcher(a, b).Edits())) {
    out += fmt::format("@@ -{} +{} @@\n", Range(group.front().a_begin, group.back().a_end),
                       Range(group.front().b_begin, group.back().b_end));
    for (const Edit& edit : group) {
      if (edit.equal) {
        print(' ', a, edit.a_begin, edit.a_end);
      } else {
        print('-', a, edit.a_begin, edit.a_end);
        print('+', b, edit.b_begin, edit.b_end);
      }
    }
  }
  return out;
}

}  // namespace podium::api
