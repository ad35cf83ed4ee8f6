#include "cli/text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/ascii.h"

namespace podium::cli {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// The length of the UTF-8 sequence at the start, and its code point; 0 when there is none.
size_t ReadUtf8(std::string_view text, char32_t* code) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
  if (first >= 0x80 && (first < 0xC2 || first > 0xF4)) return 0;
  if (text.size() < size) return 0;
  *code = size == 1 ? first : first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    *code = *code << 6 | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (*code < kSmallest[size] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) return 0;
  return size;
}

// Control characters, and those that change the direction or the lines of what is shown.
bool IsUnsafe(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB);
}

void AppendEscape(char32_t code, size_t digits, std::string* out) {
  *out += digits == 2 ? "\\x" : "\\u";
  while (digits-- > 0) *out += kHex[code >> 4 * digits & 0xF];
}

// Edits that make one of the other, letter case aside: insert, drop, replace, swap neighbours.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = ToLower(a[i - 1]) == ToLower(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && ToLower(a[i - 1]) == ToLower(b[j - 2]) &&
          ToLower(a[i - 2]) == ToLower(b[j - 1])) {
        now[j] = std::min(now[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::string Printable(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t code = 0;
    const size_t size = ReadUtf8(text, &code);
    if (size == 0) {
      AppendEscape(static_cast<unsigned char>(text[0]), 2, &out);
      text.remove_prefix(1);
      continue;
    }
    if (code == '\n') {
      out += keep_lines ? "\n" : "\\n";
    } else if (code == '\t') {
      out += keep_lines ? "\t" : "\\t";
    } else if (IsUnsafe(code)) {
      AppendEscape(code, code < 0x80 ? 2 : 4, &out);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  // Longer words than any name are no typing mistakes, and the cost is quadratic.
  constexpr size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return {};
  std::string_view best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const size_t distance = Distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  const size_t forgiven = std::max<size_t>(1, (std::max(word.size(), best.size()) + 1) / 4);
  return best_distance <= forgiven && best_distance < best.size() ? best : std::string_view();
}

std::string DidYouMean(std::string_view nearest) {
  if (nearest.empty()) return {};
  return "; did you mean \"" + std::string(nearest) + "\"?";
}

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  return DidYouMean(Nearest(word, candidates));
}

void AppendWrapped(std::string_view text, size_t indent, size_t width, std::string* out) {
  auto columns = [](std::string_view part) {
    return static_cast<size_t>(std::count_if(part.begin(), part.end(), [](char c) {
      return (static_cast<unsigned char>(c) >> 6) != 2;
    }));
  };
  size_t column = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (column > 0 && column + 1 + columns(word) > width) {
      *out += '\n';
      column = 0;
    }
    if (column == 0) {
      out->append(indent, ' ');
      column = indent;
    } else {
      *out += ' ';
      ++column;
    }
    *out += word;
    column += columns(word);
  }
  *out += '\n';
}

std::string Count(size_t count, std::string_view singular, std::string_view plural) {
  std::string out = std::to_string(count) + ' ';
  if (count == 1) return out.append(singular);
  if (!plural.empty()) return out.append(plural);
  return out.append(singular) + 's';
}

}  // namespace podium::cli
